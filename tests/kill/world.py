"""The world outside: customers, a chat provider, a mail server and an SMS gateway, and what each of them saw.

Its two ledgers (what was said to us, what arrived from us) share no code with the program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from agentconsole.sandbox.fake_telegram import FakeTelegram
from tests.kill.gateway import Gateway
from tests.kill.post import ADDRESS, PASSWORD, Post
from tests.ports import free_port

SECRETS = {"KILL_MAIL": PASSWORD, "KILL_SMS": "loopback", "KILL_HOOK": "hook-word"}


@dataclass(frozen=True)
class Person:
    """A customer on one channel (``chat``, ``mail``, ``sms``)."""

    name: str
    channel: str
    address: str

    @property
    def words(self) -> str:
        """What an agent would type to find them."""
        return self.name if self.channel == "chat" else self.address


@dataclass(frozen=True)
class Said:
    who: Person
    text: str


class World:
    """All servers, and both ledgers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.telegram = FakeTelegram()
        self.post = Post()
        self.sms = Gateway(f"http://127.0.0.1:{self.port}/hook/sms?secret=hook-word")
        self.said: list[Said] = []

    async def start(self) -> None:
        await self.telegram.start()
        await self.post.start()
        await self.sms.start()

    async def stop(self) -> None:
        await self.sms.stop()
        await self.post.stop()
        await self.telegram.stop()

    def accounts(self, *channels: str) -> dict[str, dict[str, Any]]:
        """Return the tables of these channels' accounts, as a configuration would give them."""
        server = {"host": "127.0.0.1", "user": "support", "password": {"env": "KILL_MAIL"}, "tls": "none"}
        tables: dict[str, dict[str, Any]] = {
            "chat": {"kind": "telegram", "token": {"env": "KILL_CHAT"}, "base_url": self.telegram.url},
            "mail": {
                "kind": "email",
                "address": ADDRESS,
                "imap": {**server, "port": self.post.imap_port},
                "smtp": {**server, "port": self.post.smtp_port},
            },
            "sms": {
                "kind": "kannel",
                "send_url": self.sms.send_url,
                "user": "tester",
                "password": {"env": "KILL_SMS"},
                "sender": "15550001111",
                "hook_secret": {"env": "KILL_HOOK"},
            },
        }
        return {name: tables[name] for name in channels}

    @property
    def secrets(self) -> dict[str, str]:
        return {**SECRETS, "KILL_CHAT": self.telegram.token}

    def says(self, who: Person, text: str) -> None:
        """Let a customer write; this is the ledger of what the world sent."""
        self.said.append(Said(who, text))
        match who.channel:
            case "chat":
                self.telegram.customer_says(int(who.address), text, who.name)
            case "mail":
                self.post.deliver(who.address, who.name, "A question", text, f"m{len(self.said)}")
            case _:
                self.sms.customer_says(who.address, text)

    def received(self) -> Counter[str]:
        """Return how often each text of ours reached somebody."""
        texts = [sent.text for sent in self.telegram.sent]
        texts += [sent.text for sent in self.post.sent]
        texts += [sent.text for sent in self.sms.sent]
        return Counter(texts)


@asynccontextmanager
async def running_world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    try:
        yield world
    finally:
        await world.stop()
