from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from agentconsole.channels.email import KIND, EmailOptions
from agentconsole.channels.email.channel import EmailChannel
from agentconsole.channels.http import Client
from agentconsole.domain.model import AccountName
from agentconsole.ports import Secret, Tools
from agentconsole.seams import SystemClock, SystemRandomness
from tests.servers.mail import MailServers, missing, start_mail_servers


@pytest.fixture(autouse=True)
def _no_blocking() -> Iterator[BlockBuster]:
    with blockbuster_ctx("agentconsole") as buster:
        yield buster


@pytest.fixture(scope="session")
def mail_world() -> Iterator[MailServers]:
    why = missing()
    if why:
        pytest.skip(f"no mail servers: {why}")
    with start_mail_servers() as servers:
        yield servers


@pytest.fixture
def mail(mail_world: MailServers) -> MailServers:
    for box in ("support", "emily"):
        mail_world.empty(box)
    return mail_world


@pytest.fixture
def tools() -> Iterator[Tools]:
    with ThreadPoolExecutor(1) as worker:
        yield Tools(
            log=logging.getLogger("test"),
            http=Client,
            clock=SystemClock(),
            random=SystemRandomness(),
            worker=worker,
        )


def options_for(mail: MailServers, password: Path, **changes: Any) -> EmailOptions:
    """Return options of the support mailbox; ``imap`` and ``smtp`` in ``changes`` are merged."""
    secret = {"file": str(password)}
    user = mail.address("support")
    table: dict[str, Any] = {
        "address": user,
        "name": "도움 Shop",
        "ca_file": str(mail.ca_file),
        "imap": {"host": "localhost", "port": mail.imaps_port, "tls": "implicit", "user": user, "password": secret},
        "smtp": {
            "host": "localhost",
            "port": mail.submission_port,
            "tls": "starttls",
            "user": user,
            "password": secret,
        },
    }
    for side in ("imap", "smtp"):
        table[side] |= changes.pop(side, {})
    return read_options(table | changes)


def read_options(table: dict[str, Any]) -> EmailOptions:
    def hook(wanted: type, value: Any) -> Any:
        return Secret.from_toml(value) if wanted is Secret else value

    return msgspec.convert(table, EmailOptions, dec_hook=hook)


@pytest.fixture
def password_file(tmp_path: Path, mail_world: MailServers) -> Path:
    path = tmp_path / "password"
    path.write_text(mail_world.password)
    path.chmod(0o600)
    return path


Open = Callable[..., EmailChannel]


@pytest.fixture
async def open_channel(mail: MailServers, tools: Tools, password_file: Path) -> AsyncIterator[Open]:
    opened: list[EmailChannel] = []

    def start(*, with_tools: dict[str, Any] | None = None, **changes: Any) -> EmailChannel:
        lent = replace(tools, **(with_tools or {}))
        channel = KIND.open(AccountName("mail"), options_for(mail, password_file, **changes), lent)
        assert isinstance(channel, EmailChannel)
        opened.append(channel)
        return channel

    yield start
    for channel in opened:
        await channel.aclose()
