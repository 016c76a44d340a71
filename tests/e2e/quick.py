"""What the end-to-end tests share: fast commands, accounts as TOML, and the fakes' addresses."""

from __future__ import annotations

import asyncio
import io
import os
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from agentconsole.cli.app import run
from agentconsole.cli.context import World
from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from tests.e2e.installation import Answered, Installation
from tests.servers.mail import MailServers
from tests.waiting import until

PROFILE = 'store = "tinydb:STORE"\nlanguage = "en"\ntimezone = "UTC"\nregion = "GB"\n'


def need(why: str) -> None:
    """Skip outside CI where something is missing; in CI fail."""
    if why:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)


async def ask(here: Installation, *words: str, stdin: str = "") -> Answered:
    """Run one command in a thread of this process: as ``Installation.run``, without the start of an interpreter.

    Not ``serve`` and not what reads a secret: the umask and the environment belong to the process.
    """
    out, err = io.StringIO(), io.StringIO()
    world = World(stdin=io.StringIO(stdin), stdout=out, stderr=err, environ=here.env())
    code = await asyncio.to_thread(run, ["--config", str(here.config), *words], world)
    return Answered(code, out.getvalue(), err.getvalue())


async def told(here: Installation, *words: str, code: int = 0) -> Any:
    """Run one command with ``--json`` and return its object."""
    answered = await ask(here, "--json", *words)
    assert answered.code == code, f"{words}: {answered}"
    return answered.json


async def account(here: Installation, name: str, state: str, seconds: float = 20.0) -> Any:
    """Wait until an account has a state and return how it is."""

    async def there() -> Any:
        found = next(a for a in (await told(here, "status"))["accounts"] if a["name"] == name)
        return found if found["state"] == state else None

    return await until(there, seconds, f"{name} {state}")


async def rows(here: Installation, count: int, seconds: float = 20.0) -> Any:
    """Wait until so many conversations wait."""

    async def there() -> Any:
        found = (await told(here, "inbox"))["conversations"]
        return found if len(found) == count else None

    return await until(there, seconds, f"{count} rows")


def mailbox(
    mail: MailServers,
    name: str = "mail",
    *,
    box: str = "support",
    host: str = "localhost",
    smtp_host: str = "localhost",
    ca_file: Path | None = None,
    variable: str = "MAIL_PASSWORD",
    smtp_port: int = 0,
) -> str:
    """Return the TOML of one e-mail account on the real servers."""
    address = mail.address(box)
    return f"""
[profiles.support.channels.{name}]
kind = "email"
address = "{address}"
ca_file = "{ca_file or mail.ca_file}"
imap = {{ host = "{host}", port = {mail.imaps_port}, user = "{address}", password = {{ env = "{variable}" }} }}
[profiles.support.channels.{name}.smtp]
host = "{smtp_host}"
port = {smtp_port or mail.submission_port}
tls = "starttls"
user = "{address}"
password = {{ env = "{variable}" }}
"""


def whatsapp_account(fake: FakeWhatsApp, name: str = "whatsapp") -> str:
    return f"""
[profiles.support.channels.{name}]
kind = "whatsapp"
phone_number_id = "{fake.phone_number_id}"
number = "+{fake.number}"
access_token = {{ env = "WA_TOKEN" }}
app_secret = {{ env = "WA_SECRET" }}
verify_token = {{ env = "WA_VERIFY" }}
base_url = "{fake.url}"
"""


def secrets(mail: MailServers | None = None, fake: FakeWhatsApp | None = None, **more: str) -> dict[str, str]:
    found = dict(more)
    if mail is not None:
        found["MAIL_PASSWORD"] = mail.password
    if fake is not None:
        found |= {"WA_TOKEN": fake.access_token, "WA_SECRET": fake.app_secret, "WA_VERIFY": fake.verify_token}
    return found


async def write(mail: MailServers, sender: str, box: str, subject: str, text: str, identity: str) -> None:
    """Let somebody's mail arrive in a box."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.address(box)
    message["Subject"] = subject
    message["Message-ID"] = f"<{identity}@example.test>"
    message["Date"] = "Tue, 24 Nov 2026 09:00:00 +0000"
    message.set_content(text)
    await asyncio.to_thread(mail.deliver, box, message.as_bytes(), mail.address("emily"))


def letters(mail: MailServers, box: str) -> list[bytes]:
    """Return the mails that lie in a box."""
    maildir = mail.folder / "home" / mail.address(box) / "Maildir"
    return [path.read_bytes() for part in ("new", "cur") for path in sorted((maildir / part).glob("*"))]
