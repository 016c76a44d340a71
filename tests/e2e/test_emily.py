"""Emily's story on real servers: e-mail through Postfix and Dovecot, SMS through Kannel, WhatsApp's API, commands."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest

from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import mailbox, secrets, whatsapp_account
from tests.ports import free_port
from tests.servers import kannel as kannel_server
from tests.servers import mail as mail_server
from tests.waiting import until

EMILY = "+442079460182"
MINSU = "+821012345678"


@dataclass
class World:
    """The installation and everything outside it."""

    here: Installation
    mail: mail_server.MailServers
    sms: kannel_server.Kannel
    whatsapp: FakeWhatsApp

    async def emily_mails(self) -> None:
        mail = EmailMessage()
        mail["From"] = f"Emily Rhodes <{self.mail.address('emily')}>"
        mail["To"] = self.mail.address("support")
        mail["Subject"] = "Move my appointment"
        mail["Date"] = datetime.now(UTC) - timedelta(minutes=9)
        mail["Message-ID"] = "<move-1@example.test>"
        mail.set_content(
            "Hello, I have 12 March, 9:00 with Dr Adams. Could it be 11 March, same time?\n"
            "My ID is 4821 and my WhatsApp is +44 20 7946 0182.\n"
        )
        await asyncio.to_thread(self.mail.deliver, "support", mail.as_bytes(), self.mail.address("emily"))

    async def emily_chats(self, text: str = "any news? I wrote you") -> None:
        self.whatsapp.customer_says(EMILY.lstrip("+"), text, "Emily")
        await self.whatsapp.settled()


@pytest.fixture(scope="module")
def mail() -> Iterator[mail_server.MailServers]:
    why = mail_server.missing()
    if why:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with mail_server.start_mail_servers() as servers:
        yield servers


@pytest.fixture
async def world(mail: mail_server.MailServers) -> AsyncIterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="ace-"))
    for box in mail_server.BOXES:
        mail.empty(box)
    port = free_port()
    whatsapp = FakeWhatsApp(progress=(0.1, 0.2, 0.3))
    await whatsapp.start()
    gateway = folder / "kannel"
    gateway.mkdir()
    hook = f"http://127.0.0.1:{port}/hook/sms?secret=hook-word"
    stack = kannel_server.start_kannel(gateway, hook)
    sms = await asyncio.to_thread(stack.__enter__)
    profile = f"""
store = "tinydb:STORE"
language = "en"
timezone = "Europe/London"
region = "GB"
http = {{ host = "127.0.0.1", port = {port} }}
[profiles.support.channels.sms]
kind = "kannel"
send_url = "{sms.send_url}"
user = "{sms.user}"
password = {{ env = "SMS_PASSWORD" }}
sender = "{kannel_server.OUR_NUMBER}"
hook_secret = {{ env = "SMS_HOOK" }}
"""
    accounts = mailbox(mail) + whatsapp_account(whatsapp)
    known = secrets(mail, whatsapp, SMS_PASSWORD=sms.password, SMS_HOOK="hook-word")
    try:
        async with installed(folder, profile + accounts, known) as here:
            assert await whatsapp.connect(f"http://127.0.0.1:{port}/hook/whatsapp")
            yield World(here, mail, sms, whatsapp)
    finally:
        await asyncio.to_thread(stack.__exit__, None, None, None)
        await whatsapp.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def waiting(world: World, rows: int) -> list[dict]:
    async def there() -> list[dict] | None:
        found = (await world.here.json("inbox"))["conversations"]
        return found if len(found) == rows else None

    return await until(there, 30, f"{rows} rows")


async def test_emily_is_one_person_and_is_answered_where_she_is(world: World) -> None:
    await world.emily_mails()
    await world.emily_chats()
    await waiting(world, 2)

    async def offered() -> list[dict] | None:
        return (await world.here.json("suggestion", "list"))["suggestions"] or None

    (suggestion,) = await until(offered, 20)
    assert suggestion["why"] == "number_in_text"
    await world.here.json("suggestion", "accept", suggestion["id"])
    (row,) = await waiting(world, 1)
    assert (row["customer"]["name"], sorted(row["media"])) == ("Emily Rhodes", ["email", "whatsapp"])

    shown = await world.here.json("show", world.mail.address("emily"))
    assert [(e["type"], e["medium"]) for e in shown["timeline"] if e["type"] == "received"] == [
        ("received", "email"),
        ("received", "whatsapp"),
    ]
    why = await world.here.json("why", EMILY)
    assert (why["choice"]["medium"], why["choice"]["rule"]) == ("whatsapp", "live_exchange")
    assert why["choice"]["because"]

    sent = await world.here.json("send", EMILY, "--text", "11 March, 9:00 it is. ID ending 4821?", "--wait")
    assert sent["reply"]["medium"] == "whatsapp"
    assert [s.text for s in world.whatsapp.sent] == ["11 March, 9:00 it is. ID ending 4821?"]

    async def read() -> bool:
        timeline = (await world.here.json("show", EMILY))["timeline"]
        return any(e["type"] == "reply" and e["state"] == "read" for e in timeline)

    await until(read, 30, "the receipt")
    assert (await world.here.json("inbox"))["conversations"] == []


async def test_a_mail_is_answered_by_mail_in_its_thread(world: World) -> None:
    await world.emily_mails()
    await waiting(world, 1)
    await world.here.json("send", world.mail.address("emily"), "--text", "네, 11일 9시입니다.\nKind regards", "--wait")
    folder = world.mail.folder / "home" / world.mail.address("emily") / "Maildir" / "new"

    async def arrived() -> list[Path]:
        return await asyncio.to_thread(lambda: list(folder.glob("*")) if folder.exists() else [])

    (path,) = await until(arrived, 20)
    mail = message_from_bytes(path.read_bytes())
    assert mail["In-Reply-To"] == "<move-1@example.test>"
    assert mail["Subject"] == "Re: Move my appointment"
    assert "네, 11일 9시입니다." in mail.get_payload(decode=True).decode()


async def test_korean_comes_and_goes_by_sms_and_too_much_is_refused_first(world: World) -> None:
    await asyncio.to_thread(world.sms.say, MINSU, "배송 언제 오나요?")
    (row,) = await waiting(world, 1)
    assert row["preview"] == "배송 언제 오나요?"
    hits = (await world.here.json("search", "배송"))["hits"]
    assert [h["medium"] for h in hits] == ["sms"]
    long = await world.here.run("--json", "send", MINSU, "--text", "가" * 500, "--wait")
    assert (long.code, long.json["error"]["code"]) == (3, "refused")
    assert "8" in long.json["error"]["message"]
    sent = await world.here.json("send", MINSU, "--text", "오늘 출발했습니다.", "--wait")
    assert sent["reply"]["medium"] == "sms"

    async def heard() -> list:
        return await asyncio.to_thread(world.sms.heard)

    (message,) = await until(heard, 20)
    assert message.text == "오늘 출발했습니다."

    async def delivered() -> bool:
        timeline = (await world.here.json("show", MINSU))["timeline"]
        return any(e["type"] == "reply" and e["state"] == "delivered" for e in timeline)

    await until(delivered, 20, "the delivery report")


async def test_a_hub_killed_and_started_again_has_lost_nothing(world: World) -> None:
    await world.emily_mails()
    await waiting(world, 1)
    await world.here.kill()
    world.whatsapp.customer_says(EMILY.lstrip("+"), "are you there?", "Emily")
    await world.here.start()
    rows = await waiting(world, 2)
    assert {row["customer"]["name"] for row in rows} == {"Emily Rhodes", "Emily"}
    shown = await world.here.json("show", world.mail.address("emily"))
    assert sum(e["type"] == "received" for e in shown["timeline"]) == 1
