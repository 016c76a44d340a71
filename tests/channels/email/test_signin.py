"""Signing in: verified TLS or no password at all, and sentences that say what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agentconsole.channels.email.options import Deadlines
from agentconsole.errors import ChannelFailure, SignInFailed, TemporaryFailure
from tests.ports import free_port
from tests.servers.mail import MailServers
from tests.waiting import DEADLINE

from .conftest import Open, options_for, read_options
from .scripted import imap_server, silent_server, smtp_server


async def test_probe_signs_in_both_ways(mail: MailServers, open_channel: Open) -> None:
    before = mail.log_text().count("method=PLAIN")
    said = await open_channel().probe()
    # The tests below prove "no password was sent" by the absence of these lines.
    assert mail.log_text().count("method=PLAIN") > before
    assert said.startswith("Signed in to localhost, where INBOX holds 0 messages (new mail is announced)")
    assert said.endswith("which takes replies.")


async def test_probe_over_starttls_and_implicit(mail: MailServers, open_channel: Open) -> None:
    channel = open_channel(
        imap={"tls": "starttls", "port": mail.imap_port}, smtp={"tls": "implicit", "port": mail.submissions_port}
    )
    assert "Signed in" in await channel.probe()


CASES: list[Any] = [
    pytest.param("imap", "implicit", "imaps_port", id="imap implicit"),
    pytest.param("imap", "starttls", "imap_port", id="imap starttls"),
    pytest.param("smtp", "implicit", "submissions_port", id="smtp implicit"),
    pytest.param("smtp", "starttls", "submission_port", id="smtp starttls"),
]


async def probe(channel: Any) -> ChannelFailure:
    with pytest.raises(ChannelFailure) as caught:
        await asyncio.wait_for(channel.probe(), DEADLINE)
    assert caught.value.hint
    assert "열려라" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(("side", "tls", "port"), CASES)
async def test_wrong_password(
    mail: MailServers, open_channel: Open, tmp_path: Path, side: str, tls: str, port: str
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    wrong.chmod(0o600)
    channel = open_channel(**{side: {"tls": tls, "port": getattr(mail, port), "password": {"file": str(wrong)}}})
    failed = await probe(channel)
    assert isinstance(failed, SignInFailed)
    assert "support@example.test" in failed.message


@pytest.mark.parametrize(("side", "tls", "port"), CASES)
async def test_certificate_of_an_unknown_ca(
    mail: MailServers, open_channel: Open, side: str, tls: str, port: str
) -> None:
    before = mail.log_text().count("method=PLAIN")
    channel = open_channel(ca_file=str(mail.other_ca_file), **{side: {"tls": tls, "port": getattr(mail, port)}})
    failed = await probe(channel) if side == "imap" else await probe_smtp(channel)
    assert failed.reason == "tls_untrusted"
    assert "ca_file" in failed.hint
    assert mail.log_text().count("method=PLAIN") == before


@pytest.mark.parametrize(("side", "tls", "port"), CASES)
async def test_certificate_for_another_name(
    mail: MailServers, open_channel: Open, side: str, tls: str, port: str
) -> None:
    before = mail.log_text().count("method=PLAIN")
    channel = open_channel(**{side: {"host": "127.0.0.1", "tls": tls, "port": getattr(mail, port)}})
    failed = await probe(channel) if side == "imap" else await probe_smtp(channel)
    assert failed.reason == "tls_name"
    assert mail.log_text().count("method=PLAIN") == before


async def probe_smtp(channel: Any) -> ChannelFailure:
    """Sign in to the submission server alone, so that the mailbox's own refusal does not hide its."""
    with pytest.raises(ChannelFailure) as caught:
        await channel._open()
    return caught.value


@pytest.mark.parametrize("side", ["imap", "smtp"])
async def test_no_tls_where_tls_was_asked_for(mail: MailServers, open_channel: Open, side: str) -> None:
    port = mail.imap_port if side == "imap" else mail.mx_port
    assert (await probe(open_channel(**{side: {"tls": "implicit", "port": port}}))).reason == "tls_failed"


async def test_smtp_without_starttls_gets_no_password(mail: MailServers, open_channel: Open) -> None:
    failed = await probe(open_channel(smtp={"tls": "starttls", "port": mail.mx_port}))
    assert failed.reason == "tls_missing"


@pytest.mark.parametrize(
    ("greeting", "capabilities"),
    [("* OK hello", "IMAP4rev1 AUTH=PLAIN"), ("* PREAUTH hello", "IMAP4rev1 STARTTLS")],
    ids=["not offered", "signed in already"],
)
async def test_imap_downgrade_gets_no_password(open_channel: Open, greeting: str, capabilities: str) -> None:
    answers = {"CAPABILITY": f"* CAPABILITY {capabilities}\r\n{{tag}} OK done"}
    async with imap_server(greeting, answers) as heard:
        failed = await probe(open_channel(imap={"tls": "starttls", "port": heard.port}))
        assert failed.reason == "tls_missing"
        await asyncio.wait_for(heard.left.wait(), DEADLINE)
    assert not any(command.startswith(("AUTH", "LOGIN")) for command in heard.commands)


async def test_starttls_with_answers_slipped_in_fails(open_channel: Open) -> None:
    answers = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n{tag} OK done",
        "STARTTLS": "{tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done",
    }
    async with imap_server("* OK hello", answers) as heard:
        assert (await probe(open_channel(imap={"tls": "starttls", "port": heard.port}))).reason == "tls_failed"
    assert not any(command.startswith(("AUTH", "LOGIN")) for command in heard.commands)


@pytest.mark.parametrize("side", ["imap", "smtp"])
async def test_unknown_host(mail: MailServers, open_channel: Open, side: str) -> None:
    failed = await probe(open_channel(**{side: {"host": "no-such-host.invalid"}}))
    assert failed.reason == "unknown_host"
    assert "no-such-host.invalid" in failed.message


@pytest.mark.parametrize("side", ["imap", "smtp"])
async def test_nothing_listens(mail: MailServers, open_channel: Open, side: str) -> None:
    assert (await probe(open_channel(**{side: {"port": free_port()}}))).reason == "unreachable"


async def test_a_peer_that_never_shakes_hands(open_channel: Open) -> None:
    async with silent_server() as heard:
        channel = open_channel(imap={"port": heard.port})
        channel._mailbox._deadlines = Deadlines(connect=0.3)
        failed = await asyncio.wait_for(probe(channel), DEADLINE)
    assert isinstance(failed, TemporaryFailure)
    assert failed.reason == "unreachable"


async def test_a_bad_answer_never_repeats_the_password(open_channel: Open, tmp_path: Path) -> None:
    secret = tmp_path / "plain"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK done", "LOGIN": "{tag} BAD what"}
    async with imap_server("* OK hello", answers) as heard:
        failed = await probe(open_channel(imap={"tls": "none", "port": heard.port, "password": {"file": str(secret)}}))
    assert 'LOGIN "support@example.test" "hunter2"' in heard.commands
    assert isinstance(failed, SignInFailed)
    assert "hunter2" not in repr(failed) + str(failed.__cause__) + str(failed.__context__)


async def test_sign_in_that_fails_for_now(open_channel: Open) -> None:
    async with smtp_server(answers={"AUTH": "454 4.7.0 later"}) as heard:
        failed = await probe(open_channel(smtp={"tls": "none", "port": heard.port}))
    assert isinstance(failed, TemporaryFailure)


async def test_missing_secret_stops_the_account(open_channel: Open, tmp_path: Path) -> None:
    failed = await probe(open_channel(imap={"password": {"file": str(tmp_path / "absent")}}))
    assert isinstance(failed, SignInFailed)
    assert failed.reason == "secret_missing"


@pytest.mark.parametrize(
    "change",
    [
        {"imap": {"host": "imap.example.com", "tls": "none"}},
        {"smtp": {"host": "smtp.example.com", "tls": "none"}},
        {"smtp": {"tls": "maybe"}},
        {"imap": {"folder": "IN\r\nBOX"}},
        {"imap": {"user": "a\r\nb"}},
        {"imap": {"host": "a b"}},
        {"smtp": {"colour": "red"}},
        {"smtp": {"folder": "INBOX"}},
        {"address": "nobody"},
        {"imap": {"port": 70000}},
    ],
    ids=str,
)
def test_options_refuse_nonsense(mail_world: MailServers, password_file: Path, change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        options_for(mail_world, password_file, **change)


def test_options_have_usual_ports() -> None:
    server = {"host": "mail.example.com", "user": "u", "password": {"env": "X"}}
    options = read_options({"address": "Help@Example.COM", "imap": server, "smtp": server | {"tls": "starttls"}})
    assert (options.imap.resolved_port(), options.smtp.resolved_port()) == (993, 587)
    assert options.own == "help@example.com"
