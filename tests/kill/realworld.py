"""The real world on loopback: Dovecot, Postfix and Kannel stay up while hubs die; the chat is pretended."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from agentconsole.sandbox.fake_telegram import FakeTelegram
from tests.kill.world import Person
from tests.ports import free_port
from tests.servers import kannel as kannel_server
from tests.servers import mail as mail_server

_ANSWER = re.compile(rb"answer \d+ to [A-Za-z0-9+ ]+")


class RealWorld:
    """Implements ``storm.Outside`` on real servers."""

    def __init__(self, port: int, mail: mail_server.MailServers, sms: kannel_server.Kannel) -> None:
        self.port = port
        self.mail = mail
        self.sms = sms
        self.telegram = FakeTelegram()
        self._count = 0

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "KILL_MAIL": self.mail.password,
            "KILL_SMS": self.sms.password,
            "KILL_HOOK": "hook-word",
            "KILL_CHAT": self.telegram.token,
        }

    def accounts(self, *channels: str) -> dict[str, dict[str, Any]]:
        address = self.mail.address("support")
        server = {"host": "localhost", "user": address, "password": {"env": "KILL_MAIL"}}
        tables: dict[str, dict[str, Any]] = {
            "chat": {"kind": "telegram", "token": {"env": "KILL_CHAT"}, "base_url": self.telegram.url},
            "mail": {
                "kind": "email",
                "address": address,
                "ca_file": str(self.mail.ca_file),
                "imap": {**server, "port": self.mail.imaps_port},
                "smtp": {**server, "port": self.mail.submission_port, "tls": "starttls"},
            },
            "sms": {
                "kind": "kannel",
                "send_url": self.sms.send_url,
                "user": self.sms.user,
                "password": {"env": "KILL_SMS"},
                "sender": kannel_server.OUR_NUMBER,
                "hook_secret": {"env": "KILL_HOOK"},
            },
        }
        return {name: tables[name] for name in channels}

    def says(self, who: Person, text: str) -> None:
        self._count += 1
        match who.channel:
            case "chat":
                self.telegram.customer_says(int(who.address), text, who.name)
            case "sms":
                self.sms.say(who.address, text)
            case _:
                mail = EmailMessage()
                mail["From"] = f"{who.name} <{who.address}>"
                mail["To"] = self.mail.address("support")
                mail["Subject"] = "A question"
                mail["Date"] = "Tue, 24 Nov 2026 09:00:00 +0000"
                mail["Message-ID"] = f"<storm-{self._count}@example.test>"
                mail.set_content(text + "\n")
                self.mail.deliver("support", mail.as_bytes(), who.address)

    def received(self) -> Counter[str]:
        texts = [sent.text for sent in self.telegram.sent]
        texts += [heard.text for heard in self.sms.heard()]
        for path in self.mail.folder.glob("home/*/Maildir/*/*"):
            if path.parent.name in ("new", "cur") and "support@" not in str(path):
                found = _ANSWER.search(path.read_bytes())
                texts += [found[0].decode().strip()] if found else []
        return Counter(texts)

    def people(self) -> list[Person]:
        return [
            Person("Ada Chat", "chat", "101"),
            Person("Bo Chat", "chat", "102"),
            Person("Emily Mail", "mail", self.mail.address("emily")),
            Person("Minsu Mail", "mail", self.mail.address("minsu")),
            Person("+821012345678", "sms", "+821012345678"),
            Person("+821012345679", "sms", "+821012345679"),
        ]


def missing() -> str:
    return mail_server.missing() or kannel_server.missing()


@asynccontextmanager
async def real_world(folder: Path) -> AsyncIterator[RealWorld]:
    port = free_port()
    with ExitStack() as stack:
        mail = await asyncio.to_thread(stack.enter_context, mail_server.start_mail_servers())
        hook = f"http://127.0.0.1:{port}/hook/sms?secret=hook-word"
        sms = await asyncio.to_thread(stack.enter_context, kannel_server.start_kannel(folder / "kannel", hook))
        world = RealWorld(port, mail, sms)
        await world.telegram.start()
        try:
            yield world
        finally:
            await world.telegram.stop()
