"""The first account, added from a console that runs: the questions in the terminal, real mail servers, the way back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.e2e.quick import ask, need, write
from tests.folders import quick_folder
from tests.pty.harness import PYTHON, Terminal
from tests.servers import mail as mail_server


@pytest.fixture
def mail() -> Iterator[mail_server.MailServers]:
    need(mail_server.missing())
    with mail_server.start_mail_servers() as servers:
        yield servers


@pytest.fixture
async def empty() -> AsyncIterator[Installation]:
    """A profile with a store and without an account; its hub ends with the test."""
    with quick_folder("acw-") as folder:
        (folder / "home").mkdir()
        config = folder / "home" / "config.toml"
        text = (
            f'[profiles.support]\nstore = "tinydb:{folder}/store"\nlanguage = "en"\ntimezone = "UTC"\nregion = "GB"\n'
        )
        config.write_text(text)
        here = Installation(folder, config)
        try:
            yield here
        finally:
            ended = await ask(here, "stop", "--now")
            assert ended.code == 0, ended


@contextlib.contextmanager
def console(here: Installation, *words: str) -> Iterator[Terminal]:
    command = [PYTHON, "-m", "agentconsole", "--config", str(here.config), *words]
    with Terminal(command, (100, 30), here.env()) as terminal:
        yield terminal


async def test_the_first_account_is_added_from_the_console_and_its_mails_are_seen_to_come(
    mail: mail_server.MailServers, empty: Installation
) -> None:
    for number, name in enumerate(("Emily Rhodes", "김민수"), 1):
        await write(
            mail, f"{name} <box{number}@elsewhere.test>", "support", f"Question {number}", "?", f"first-{number}"
        )
    address = mail.address("support")

    def newcomer() -> None:
        with console(empty) as terminal:
            terminal.sees("No account yet", "+ adds one")
            options = (f"ca_file={mail.ca_file}", f"imap.port={mail.imaps_port}", f"smtp.port={mail.submission_port}")
            terminal.send(":")
            terminal.sees("enter OK")
            terminal.press("init " + " ".join(f"--set {option}" for option in options))
            terminal.send("\r")
            for question, answer in (
                ("Kind of the first account", ""),
                ("A name for the account", ""),
                ("address (", address),
                ("imap.host", "localhost"),
                ("imap.user", address),
                ("1 a private file", "1"),
                ("The secret", mail.password),
                ("imap.tls", ""),
                ("smtp.host", "localhost"),
                ("smtp.user", ""),
                ("the same as before", "y"),
                ("smtp.tls", "starttls"),
                ("older than this", "all"),
            ):
                terminal.sees(question)
                terminal.send(f"{answer}\n")
            terminal.sees("It works", "2 new messages.", "Emily Rhodes: Question 1", "Enter goes back")
            terminal.send("\n")
            terminal.sees("The account is there", "Emily Rhodes", "김민수", "2 waiting")
            terminal.send("!")
            terminal.sees("ACCOUNTS AND HUB", "mail", "no backup yet")
            terminal.send("\r")
            terminal.sees("mail: looked, 0 new.")
            terminal.send("q")
            assert terminal.ended() == 0

    await asyncio.to_thread(newcomer)


async def test_what_was_broken_off_changes_nothing_and_says_so(empty: Installation) -> None:
    before = empty.config.read_text()

    def newcomer() -> None:
        with console(empty) as terminal:
            terminal.sees("No account yet")
            terminal.send("+")
            terminal.sees("Kind of the first account")
            terminal.send("\x03")
            terminal.sees("Enter goes back")
            terminal.send("\n")
            terminal.sees("No account was added, nothing was changed.", "No account yet")
            terminal.send("q")
            assert terminal.ended() == 0

    await asyncio.to_thread(newcomer)
    assert empty.config.read_text() == before


async def test_who_only_attaches_is_told_where_accounts_are_added(empty: Installation) -> None:
    first = await ask(empty, "status")
    assert first.code == 0, first
    socket = next(Path(empty.folder / "store").rglob("hub.sock"))

    def member() -> None:
        with console(empty, "--hub", str(socket)) as terminal:
            terminal.sees("No account yet", "added where its hub runs")
            terminal.send("+")
            terminal.sees("Whoever runs it adds one there")

    await asyncio.to_thread(member)
