"""Whom, where, and may we at all, on real servers: a customer split and joined, a failed reply sent another way, an
advertising mail exactly as the law wants it and ended with one click."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import ask, mailbox, secrets, told, whatsapp_account
from tests.e2e.test_emily import EMILY, mail
from tests.ports import free_port
from tests.servers import mail as mail_server
from tests.waiting import until

__all__ = ["mail"]


class World:
    def __init__(self, here: Installation, mail: mail_server.MailServers, whatsapp: FakeWhatsApp, port: int) -> None:
        self.here = here
        self.mail = mail
        self.whatsapp = whatsapp
        self.port = port
        self.emily = mail.address("emily")

    async def mails(self, number: int, text: str) -> None:
        letter = EmailMessage()
        letter["From"] = f"Emily Rhodes <{self.emily}>"
        letter["To"] = self.mail.address("support")
        letter["Subject"] = "Move my appointment"
        letter["Date"] = datetime.now(UTC)
        letter["Message-ID"] = f"<whom-{number}@example.test>"
        letter.set_content(text)
        await asyncio.to_thread(self.mail.deliver, "support", letter.as_bytes(), self.emily)
        await self.told(self.emily, text)

    async def chats(self, text: str) -> None:
        self.whatsapp.customer_says(EMILY.lstrip("+"), text, "Emily")
        await self.whatsapp.settled()
        await self.told(EMILY, text)

    async def texts(self, customer: str) -> list[str]:
        answered = await ask(self.here, "--json", "show", customer)
        if answered.code:
            return []
        return [e["text"].strip() for e in answered.json["timeline"] if e["type"] == "received"]

    async def told(self, customer: str, text: str) -> None:
        async def there() -> bool:
            return text in await self.texts(customer)

        await until(there, 30, text)

    async def arrived(self, number: int) -> EmailMessage:
        """Return the mail of that number in Emily's box."""

        folder = self.mail.folder / "home" / self.emily / "Maildir" / "new"

        async def there() -> bytes | None:
            found = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime_ns) if folder.exists() else []
            return found[number].read_bytes() if len(found) > number else None

        found = message_from_bytes(await until(there, 30, "a mail to Emily"), policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


@pytest.fixture
async def world(mail: mail_server.MailServers) -> AsyncIterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="ace-"))
    for box in mail_server.BOXES:
        mail.empty(box)
    port = free_port()
    whatsapp = FakeWhatsApp(progress=(0.1, 0.2, 0.3))
    await whatsapp.start()
    profile = f"""
store = "tinydb:STORE"
language = "en"
timezone = "Europe/London"
region = "GB"
http = {{ host = "127.0.0.1", port = {port}, public_url = "https://desk.example.com" }}
laws = {{ values = {{ free_opt_out = "080-123-4567" }} }}
"""
    accounts = mailbox(mail) + whatsapp_account(whatsapp)
    try:
        async with installed(folder, profile + accounts, secrets(mail, whatsapp)) as here:
            assert await whatsapp.connect(f"http://127.0.0.1:{port}/hook/whatsapp")
            yield World(here, mail, whatsapp, port)
    finally:
        await whatsapp.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def test_merged_split_and_parted_again_with_messages_in_between(world: World) -> None:
    await world.mails(1, "Could it be 11 March?")
    await world.chats("any news? I wrote you")
    merged = await told(world.here, "customer", "merge", world.emily, EMILY)
    assert set(await world.texts(world.emily)) == {"Could it be 11 March?", "any news? I wrote you"}

    split = await told(world.here, "customer", "split", world.emily, EMILY, "--name", "Bo Lind")
    await world.chats("and this is from Bo")
    assert await world.texts("Bo Lind") == ["any news? I wrote you", "and this is from Bo"]
    assert await world.texts(world.emily) == ["Could it be 11 March?"]

    whole = await told(world.here, "customer", "unsplit", split["other"])
    assert whole["customer"] == merged["customer"]
    assert len(await world.texts(world.emily)) == 3
    await world.mails(2, "One more thing")

    await told(world.here, "customer", "unmerge", world.emily, merged["merge"])
    assert await world.texts(world.emily) == ["Could it be 11 March?", "One more thing"]
    assert await world.texts(EMILY) == ["any news? I wrote you", "and this is from Bo"]
    assert (await ask(world.here, "customer", "unsplit", world.emily)).code == 5


async def test_what_whatsapp_refuses_goes_by_mail_with_its_text_fitted(world: World) -> None:
    await world.mails(1, "Could it be 11 March?")
    await world.chats("any news? I wrote you")
    await told(world.here, "customer", "merge", world.emily, EMILY)
    world.whatsapp.refuse_next(131026, message="Message undeliverable")
    answered = await ask(world.here, "--json", "send", EMILY, "--text", "11 March, 9:00 it is.", "--wait")
    failed = answered.json["reply"]["id"]

    async def proposed() -> dict | None:
        found = await ask(world.here, "--json", "outbox", "fallback", failed)
        return found.json if found.code == 0 else None

    offer = await until(proposed, 30, "another way")
    assert (offer["route"]["medium"], offer["text"], offer["sent"]) == ("email", "11 March, 9:00 it is.", None)
    await told(world.here, "outbox", "fallback", failed, "--send")
    letter = await world.arrived(0)
    assert letter["Subject"] == "Move my appointment"
    assert "11 March, 9:00 it is." in letter.get_content()
    assert [s.text for s in world.whatsapp.sent] == []
    assert (await ask(world.here, "outbox", "fallback", failed, "--send")).code == 3


async def test_an_advertising_mail_bears_what_the_law_asks_for_and_one_click_ends_it(world: World) -> None:
    await world.mails(1, "안녕하세요")
    await told(world.here, "customer", "country", world.emily, "KR")
    words = ("--text", "봄 할인이 시작됩니다", "--proactive", "--purpose", "marketing")
    sale = ("send", world.emily, "--via", "email", *words)
    assert (await ask(world.here, *sale)).code == 3  # nobody consented yet
    await told(world.here, "customer", "opt-in", world.emily, "--scope", "marketing")
    assert (await ask(world.here, *sale, "--wait")).code == 0
    letter = await world.arrived(0)
    assert letter.get_content().strip().splitlines() == ["(광고) 봄 할인이 시작됩니다", "무료수신거부 080-123-4567"]
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(letter["List-Unsubscribe"]).partition(">")[0].strip("< ")
    assert link.startswith("https://desk.example.com/unsubscribe/")

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.port}") as http:
        path = link.removeprefix("https://desk.example.com")
        assert (await http.post(path, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    shown = await told(world.here, "show", world.emily)
    assert {(c["medium"], c["scope"], c["allowed"]) for c in shown["customer"]["consents"]} >= {
        ("email", "marketing", False)
    }
    assert (await ask(world.here, *sale)).code == 3
