"""Care on real parts: an archive imported, killed and imported again; a customer of whom nothing is left."""

from __future__ import annotations

import asyncio
import mailbox as stdlib_mailbox
import os
import signal
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from agentconsole import wire
from agentconsole.bootstrap import solo_socket
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import PROFILE, ask, mailbox, need, rows, secrets, told, write
from tests.folders import quick_folder
from tests.servers import mail as mail_server
from tests.waiting import DEADLINE

TOTAL = 300
CANARY = "canaryfeather4821"


@pytest.fixture(scope="module")
def mail_world() -> Iterator[mail_server.MailServers]:
    need(mail_server.missing())
    with mail_server.start_mail_servers() as servers:
        yield servers


@pytest.fixture
def mail(mail_world: mail_server.MailServers) -> mail_server.MailServers:
    for box in mail_server.BOXES:
        mail_world.empty(box)
    return mail_world


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder("acc-") as found:
        yield found


def letter(mail: mail_server.MailServers, number: int) -> EmailMessage:
    """Make a mail of the archive; every tenth is one that the mailbox sent itself."""
    message = EmailMessage()
    emily, support = "Emily Rhodes <emily@example.test>", f"Support <{mail.address('support')}>"
    ours = number % 10 == 9
    message["From"], message["To"] = (support, emily) if ours else (emily, support)
    message["Subject"] = f"old {number}"
    message["Message-ID"] = f"<old-{number}@example.test>"
    message["Date"] = f"Tue, 24 Nov 2020 {number // 60:02d}:{number % 60:02d}:00 +0000"
    message.set_content(f"This is message {number}.\n\nFrom the beginning.\n")
    if number % 50 == 7:
        message.add_attachment(os.urandom(600_000), maintype="application", subtype="x-any", filename="a.bin")
    return message


def archive(path: Path, letters: list[EmailMessage]) -> None:
    """Write an mbox by the standard library, which is not the reader under test."""
    box = stdlib_mailbox.mbox(path, create=True)
    for one in letters:
        box.add(one)
    box.close()


class Held:
    """A relay before the hub that lets so many calls of the import through and keeps back the answer to the last.

    The import cannot go on then, so it does not matter who is faster: the hub was given those calls and no other.
    """

    def __init__(self, hub: Path, calls: int) -> None:
        self._hub = hub
        self._left = calls
        self.taken = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_unix_connection(str(self._hub), limit=wire.MAX_LINE + 1)
        try:
            while line := await reader.readline():
                upstream.write(line)
                answer = await upstream_reader.readline()
                self._left -= b'"method":"deposit' in line
                if not self._left:
                    self.taken.set()
                    await reader.read()
                    return
                writer.write(answer)
        finally:
            upstream.close()
            writer.close()


async def interrupted(here: Installation, path: Path, calls: int, *, hub: bool) -> None:
    """Begin an import and kill it (or the hub under it) when the hub has taken ``calls`` of its calls."""
    relay = here.folder / "relay.sock"
    held = Held(solo_socket(here.folder / "store"), calls)
    server = await asyncio.start_unix_server(held.serve, str(relay), limit=wire.MAX_LINE + 1)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agentconsole",
        "--config",
        str(here.config),
        "import",
        str(path),
        stdout=asyncio.subprocess.DEVNULL,
        env={**here.env(), "AGENTCONSOLE_HUB": str(relay)},
    )
    async with asyncio.timeout(DEADLINE):
        await held.taken.wait()
        if hub:
            await here.kill()
        process.kill()
        assert await process.wait() == -signal.SIGKILL, "it ended before it was killed"
    server.close()
    relay.unlink()


async def test_an_import_that_is_killed_and_repeated_takes_each_mail_once(
    mail: mail_server.MailServers, folder: Path
) -> None:
    letters = [letter(mail, number) for number in range(TOTAL)]
    for one in letters[:5]:
        await asyncio.to_thread(mail.deliver, "support", one.as_bytes(), "emily@example.test")
    path = folder / "archive"
    await asyncio.to_thread(archive, path, letters)
    async with installed(folder, PROFILE + mailbox(mail), secrets(mail)) as here:
        await told(here, "sync")
        assert (await told(here, "inbox", "--view", "all"))["total"] == 1
        await interrupted(here, path, 4, hub=False)
        await interrupted(here, path, 7, hub=True)
        await here.start()
        found = await told(here, "import", str(path))
        assert found["messages"] == TOTAL
        # A large mail goes alone, in two calls, so these were the first seven: 7, 1, 49, 1 and 49 messages.
        assert (found["new"], found["known"]) == (TOTAL - 107, 107)
        for one in letters[5:8]:
            await asyncio.to_thread(mail.deliver, "support", one.as_bytes(), "emily@example.test")
        await told(here, "sync")
        page = await told(here, "show", "emily@example.test", "--limit", "1000")
        got = [entry for entry in page["timeline"] if entry["type"] in ("received", "reply")]
        assert [entry["subject"] for entry in got] == [f"old {number}" for number in range(TOTAL)]
        assert [entry["direction"] for entry in got[:10]] == ["in"] * 9 + ["out"]
        assert {len(entry["attachments"]) for entry in got if entry["subject"].endswith("07")} == {1}
        assert (await told(here, "status"))["outbox"] == {"queued": 0, "sending": 0, "uncertain": 0, "failed": 0}
        assert (await told(here, "inbox"))["total"] == 0, "nothing of the past waits for anybody"
        again = await told(here, "import", str(path))
        assert (again["new"], again["known"]) == (0, TOTAL)


async def test_of_an_erased_customer_no_byte_is_left_and_old_mail_stays_away(
    mail: mail_server.MailServers, folder: Path
) -> None:
    async with installed(folder, PROFILE + mailbox(mail), secrets(mail)) as here:
        for number in range(3):
            text = f"my secret is {CANARY}"
            await write(mail, f"Emily {CANARY} <emily@example.test>", "support", CANARY, text, f"{CANARY}-{number}")
        await rows(here, 1)
        await told(here, "sync")
        await told(here, "note", "emily@example.test", "--text", f"note {CANARY}")
        await told(here, "search", CANARY)
        out = folder / "out"
        exported = await told(here, "customer", "export", "emily@example.test", str(out))
        assert exported["entries"] >= 4
        assert (await ask(here, "customer", "erase", "emily@example.test")).code == 2
        erased = await told(here, "customer", "erase", "emily@example.test", "--yes")
        assert erased["entries"] == exported["entries"]
        assert found_in(folder / "store", CANARY) == []
        assert found_in(folder / "store", "emily@example.test") == []
        await told(here, "sync")
        assert (await told(here, "inbox"))["total"] == 0
        assert await here.stop() == 0
        assert found_in(folder / "store", CANARY) == []
        assert CANARY.encode() not in (folder / "serve.log").read_bytes()
        await here.start()
        await told(here, "sync")
        assert (await told(here, "inbox"))["total"] == 0
        await write(mail, "Emily <emily@example.test>", "support", "again", "hello again", "again-1")
        (row,) = await rows(here, 1)
        assert row["subject"] == "again"


def found_in(store: Path, text: str) -> list[str]:
    """Return the files in which a text lies, in any of the ways in which it may be written."""
    forms = [text.encode(), text.encode("utf-16-le"), text.encode().hex().encode()]
    return [
        str(path.relative_to(store))
        for path in store.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    ]
