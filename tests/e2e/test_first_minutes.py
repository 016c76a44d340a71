"""A newcomer's first minutes on real servers: the wizard, the checks, and a working day by commands alone."""

from __future__ import annotations

import asyncio
import os
import pty
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import (
    PROFILE,
    ask,
    letters,
    mailbox,
    need,
    rows,
    secrets,
    told,
    whatsapp_account,
    write,
)
from tests.folders import quick_folder
from tests.ports import free_port
from tests.servers import mail as mail_server
from tests.waiting import until, until_sync

PHONE = "442079460182"
SIX = ["email", "kannel", "matrix", "telegram", "twilio", "whatsapp"]


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
    with quick_folder("acm-") as found:
        yield found


@asynccontextmanager
async def newcomer(folder: Path, environment: dict[str, str]) -> AsyncIterator[Installation]:
    """Lend an installation without a configuration; a hub that a command started is stopped afterwards."""
    (folder / "home").mkdir()
    here = Installation(folder, folder / "home" / "config.toml", environment)
    try:
        yield here
    finally:
        if here.config.exists():
            ended = await ask(here, "stop", "--now")
            assert ended.code == 0, ended


async def earlier_mail(mail: mail_server.MailServers) -> None:
    """Put three mails into the box, one of them two years old."""
    for number, (name, date, subject) in enumerate(
        (
            ("Old Customer", "Mon, 25 Nov 2024 09:00:00 +0000", "Long ago"),
            ("Emily Rhodes", "", "Move my appointment"),
            ("김민수", "", "배송 문의"),
        )
    ):
        letter = EmailMessage()
        letter["From"] = f"{name} <box{number}@elsewhere.test>"
        letter["To"] = mail.address("support")
        letter["Subject"] = subject
        letter["Message-ID"] = f"<early-{number}@elsewhere.test>"
        if date:
            letter["Date"] = date
        letter.set_content(f"{subject}?")
        await asyncio.to_thread(mail.deliver, "support", letter.as_bytes())


class Terminal:
    """A person at a terminal: waits for a question, types an answer."""

    def __init__(self, here: Installation, *words: str) -> None:
        self.screen = ""
        self.process = 0
        self._here = here
        self._words = words
        self._seen = 0

    def start(self) -> None:
        self.process, self._line = pty.fork()
        if self.process == 0:
            words = [sys.executable, "-m", "agentconsole", "--config", str(self._here.config), *self._words]
            os.execve(words[0], words, self._here.env())
        os.set_blocking(self._line, False)

    def read(self) -> bool:
        """Take what there is, and say whether the program goes on."""
        try:
            data = os.read(self._line, 65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.screen += data.decode("utf-8", "replace")
        return bool(data)

    def answer(self, question: str, text: str) -> None:
        def asked() -> bool:
            self.read()
            return question in self.screen[self._seen :]

        until_sync(asked, 15, f"{question!r} after {self.screen[self._seen :]!r}")
        self._seen = len(self.screen)
        os.write(self._line, f"{text}\n".encode())

    def end(self) -> int:
        until_sync(lambda: not self.read(), 30, "the end")
        _, status = os.waitpid(self.process, 0)
        os.close(self._line)
        return os.waitstatus_to_exitcode(status)


def private(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_wizard_leads_from_nothing_to_the_first_messages(mail: mail_server.MailServers, folder: Path) -> None:
    await earlier_mail(mail)
    async with newcomer(folder, {}) as here:
        none = await ask(here, "--json", "status")
        assert (none.code, "agentconsole init" in none.json["error"]["hint"]) == (2, True), none

        where = [f"ca_file={mail.ca_file}", f"imap.port={mail.imaps_port}", f"smtp.port={mail.submission_port}"]
        person = Terminal(here, "init", *(word for pair in where for word in ("--set", pair)))
        await asyncio.to_thread(person.start)

        def conversation() -> int:
            person.answer("A name for the profile", "")
            person.answer("Language", "")
            person.answer("Time zone", "Mars/Olympus")
            person.answer("  there is no such time zone", "Asia/Seoul")
            person.answer("two letters", "")
            person.answer("Folder for the customers", str(folder / "store"))
            person.answer("Kind of the first account", "emial")
            person.answer("one of", "email")
            person.answer("A name for the account", "")
            person.answer("address", mail.address("support"))
            person.answer("imap.host", "localhost")
            person.answer("imap.user", mail.address("support"))
            person.answer("1 a private file", "1")
            person.answer("The secret", mail.password)
            person.answer("imap.tls", "")
            person.answer("smtp.host", "localhost")
            person.answer("smtp.user", "")
            person.answer("the same as before", "y")
            person.answer("smtp.tls", "starttls")
            person.answer("older than this", "30d")
            return person.end()

        code = await asyncio.to_thread(conversation)
        screen = person.screen
        assert code == 0, screen
        assert "It works: Signed in to localhost" in screen
        assert "3 new messages." in screen
        assert "Emily Rhodes: Move my appointment" in screen
        assert "김민수: 배송 문의" in screen
        assert "The profile support is ready. Next: agentconsole" in screen
        assert mail.password not in screen

        text = here.config.read_text()
        assert private(here.config)
        assert (text.startswith("#"), mail.password in text, 'since = "30d"' in text) == (True, False, True)
        (secret,) = (here.config.parent / "secrets").iterdir()
        assert private(secret)

        waiting = (await told(here, "inbox"))["conversations"]
        assert {row["customer"]["name"] for row in waiting} == {"Emily Rhodes", "김민수"}, (
            "what is old waits for nobody"
        )
        everything = (await told(here, "inbox", "--view", "all"))["conversations"]
        assert len(everything) == 3
        again = await ask(here, "init", "--yes", "--account", "mail")
        assert (again.code, "such an account" in again.err, here.config.read_text()) == (2, True, text)

        await write(mail, "Emily <box1@elsewhere.test>", "support", "And now?", "?", "later")
        synced = await ask(here, "sync")
        assert (synced.code, synced.err) == (0, "mail: fetching\n"), synced
        assert synced.out in ("mail: 0 new\n", "mail: 1 new\n")
        unknown = await ask(here, "sync", "mial")
        assert (unknown.code, "Configured: mail" in unknown.err, "fetching" in unknown.err) == (5, True, False)

        await asyncio.to_thread(secret.write_text, "swordfish")
        doctor = await ask(here, "doctor")
        assert (doctor.code, "1 of " in doctor.out.splitlines()[-1]) == (1, True), doctor
        assert f"FAILED: account mail: localhost refused to sign in {mail.address('support')}" in doctor.out
        assert "swordfish" not in doctor.out


async def test_options_alone_set_up_and_every_check_is_green(mail: mail_server.MailServers, folder: Path) -> None:
    await earlier_mail(mail)
    address = mail.address("support")
    words = ["--yes", "--language", "en", "--timezone", "UTC", "--region", "GB", "--store", str(folder / "store")]
    for pair in (
        f"address={address}",
        f"ca_file={mail.ca_file}",
        "imap.host=localhost",
        f"imap.port={mail.imaps_port}",
        f"imap.user={address}",
        "smtp.host=localhost",
        f"smtp.port={mail.submission_port}",
        "smtp.tls=starttls",
        f"smtp.user={address}",
    ):
        words += ["--set", pair]
    for key in ("imap.password", "smtp.password"):
        words += ["--secret", f"{key}=env:MAIL_PASSWORD"]
    async with newcomer(folder, {"MAIL_PASSWORD": mail.password}) as here:
        wrong = await Installation(folder, here.config, {"MAIL_PASSWORD": "swordfish"}).run("init", *words)
        assert (wrong.code, here.config.exists()) == (2, False)
        assert f"refused to sign in {address}" in wrong.err
        assert "Nothing was kept." in wrong.err

        made = await here.run("--json", "init", *words)
        assert made.code == 0, made
        assert made.json == {"path": str(here.config), "profile": "support", "account": "mail", "received": 3}
        assert made.err.index("Fetching from mail …\n") < made.err.index("3 new messages.\n  Emily Rhodes: Move my ")
        assert private(here.config)

        check = await ask(here, "config", "check")
        assert check.out == f"{here.config} is right: 1 profile, 1 account.\n"
        shown = await ask(here, "config", "show")
        assert 'password = { env = "MAIL_PASSWORD" }' in shown.out
        assert mail.password not in shown.out + (await ask(here, "config", "show", "--json")).out

        doctor = await here.run("doctor")
        assert doctor.code == 0, doctor
        assert doctor.out.splitlines()[-1] == "Everything works."
        assert "FAILED" not in doctor.out
        sent = await here.run("--json", "doctor", "--send-test", "mail", mail.address("emily"))
        assert (sent.code, sent.json["state"]) == (0, "sent"), sent

        async def arrived() -> list[bytes]:
            return await asyncio.to_thread(letters, mail, "emily")

        (letter,) = await until(arrived, 15, "the test message")
        assert "test message of agentconsole" in message_from_bytes(letter).get_payload()
        assert (await told(here, "outbox", "list"))["replies"] == []


async def test_six_kinds_are_there_with_what_vouches_for_them(folder: Path) -> None:
    here = Installation(folder, folder / "none.toml")
    found = await ask(here, "channels")
    assert [line.partition(":")[0] for line in found.out.splitlines()] == SIX
    assert all(", tested against: " in line for line in found.out.splitlines())
    kinds = (await told(here, "channels"))["channels"]
    assert [(kind["name"], bool(kind["verified_by"]), bool(kind["keys"])) for kind in kinds] == [
        (name, True, True) for name in SIX
    ]


# -- the day ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_office(mail: mail_server.MailServers, folder: Path) -> AsyncIterator[tuple[Installation, FakeWhatsApp]]:
    whatsapp = FakeWhatsApp(progress=(0.0, 0.05))
    await whatsapp.start()
    port = free_port()
    profile = f'{PROFILE}http = {{ host = "127.0.0.1", port = {port} }}\n'
    profile += mailbox(mail) + whatsapp_account(whatsapp)
    try:
        async with installed(folder, profile, secrets(mail, whatsapp)) as here:
            assert await whatsapp.connect(f"http://127.0.0.1:{port}/hook/whatsapp")
            yield here, whatsapp
    finally:
        await whatsapp.stop()


async def test_a_day_by_commands_alone(mail: mail_server.MailServers, folder: Path) -> None:
    emily, minsu = mail.address("emily"), mail.address("minsu")
    async with open_office(mail, folder) as (here, whatsapp):

        async def does(*words: str, code: int = 0) -> Any:
            return await told(here, *words, code=code)

        text = "Could it be 11 March? My WhatsApp is +44 20 7946 0182."
        await write(mail, f"Emily Rhodes <{emily}>", "support", "Move my appointment", text, "m1")
        await write(mail, f"김민수 <{minsu}>", "support", "배송 문의", "주문한 책 배송이 언제 되나요?", "m2")
        whatsapp.customer_says(PHONE, "any news?", "Emily")
        first = await rows(here, 3)
        waits = [row["waiting_since"] for row in first]
        assert waits == sorted(waits), "who waited longest comes first"

        # Search finds two-syllable words inside a sentence, and nothing is no failure.
        assert [hit["customer"]["name"] for hit in (await does("search", "배송"))["hits"]] == ["김민수"]
        assert [hit["medium"] for hit in (await does("search", "WhatsApp 11"))["hits"]] == ["email"]
        assert (await does("search", "없는말"))["hits"] == []

        # One conversation: note, assign, close, reopen.
        (row,) = (r for r in first if r["customer"]["name"] == "김민수")
        await does("note", row["id"], "--text", "Parcel 77 left today.")
        await does("assign", row["id"], "--me")
        mine = (await does("inbox", "--view", "mine"))["conversations"]
        assert [r["id"] for r in mine] == [row["id"]]
        await does("close", minsu)
        assert {r["id"] for r in (await does("inbox"))["conversations"]} == {r["id"] for r in first} - {row["id"]}
        assert (await does("close", minsu))["status"] == "resolved"
        await does("reopen", minsu)
        assert {r["id"] for r in (await does("inbox"))["conversations"]} == {r["id"] for r in first}
        shown = await does("show", minsu)
        assert shown["conversations"][0]["status"] == "open"
        assert [e["text"] for e in shown["timeline"] if e["type"] == "note"] == ["Parcel 77 left today."]

        # Two records are one person, undone and done again.
        (offer,) = (await does("suggestion", "list"))["suggestions"]
        edge = (await does("suggestion", "accept", offer["id"]))["merge"]
        person = (await does("show", emily))["customer"]
        assert {a["value"] for a in person["addresses"]} == {emily, f"+{PHONE}"}
        await does("customer", "unmerge", person["id"], edge)
        assert len((await does("show", emily))["customer"]["addresses"]) == 1
        merged = await does("customer", "merge", emily, f"+{PHONE}")
        assert merged["merge"]
        await does("customer", "merge", emily, f"+{PHONE}", code=3)

        # The wish, the veto, and the veto lifted.
        assert (await does("why", emily))["choice"]["rule"] == "live_exchange"
        await does("customer", "prefer", emily, "email")
        assert (await does("show", emily))["customer"]["preference"] == "email"
        await does("customer", "opt-out", emily, "--medium", "whatsapp")
        why = await does("why", emily)
        assert (why["choice"]["medium"], [r["medium"] for r in why["refused"]]) == ("email", ["whatsapp"])
        refused = await ask(here, "send", emily, "--text", "hi", "--via", "whatsapp")
        assert (refused.code, whatsapp.sent) == (3, [])
        elsewhere = await ask(here, "send", emily, "--text", "hi", "--via", "telegram")
        assert (elsewhere.code, "no address there" in elsewhere.err, "--via email" in elsewhere.err) == (3, True, True)
        await does("customer", "opt-in", emily, "--medium", "whatsapp")
        sent = await does("send", emily, "--text", "11 March it is.", "--via", "whatsapp", "--wait")
        assert sent["reply"]["state"] in ("sent", "delivered")
        assert (await does("outbox", "list"))["replies"] == []

        # Addresses by hand.
        await does("customer", "link", minsu, "+821012345678")
        await does("customer", "link", emily, "+821012345678", code=3)
        await does("customer", "unlink", minsu, "+821012345678")
        await does("show", "+821012345678", code=5)
        added = (await does("customer", "add", "Park Jisoo", "jisoo@elsewhere.test"))["customer"]["id"]
        assert (await does("show", "Park Jisoo"))["customer"]["id"] == added
        await does("show", "nobody@elsewhere.test", code=5)

        # A second suggestion is refused and does not come back.
        await write(
            mail,
            "Choi <choi@elsewhere.test>",
            "support",
            "x",
            "Also reach me at jisoo@elsewhere.test",
            "m3",
        )

        async def offered() -> Any:
            return [s for s in (await does("suggestion", "list"))["suggestions"] if s["why"] == "email_in_text"]

        (second,) = await until(offered, 15, "a suggestion")
        await does("suggestion", "refuse", second["id"])
        assert await offered() == []
        await does("suggestion", "refuse", "s-none", code=5)

        # What a person reads: no line without a fact, and usage errors that help.
        human = await ask(here, "inbox")
        assert (human.code, "김민수" in human.out) == (0, True)
        for words, hint in (
            (("inbxo",), "Did you mean inbox?"),
            (("send", emily, "--via", "whatsap", "--text", "x"), "whatsapp"),
            (("note", emily), "--text"),
            (("assign", emily), "--me"),
        ):
            wrong = await ask(here, *words)
            assert (wrong.code, hint in wrong.err) == (2, True), wrong
