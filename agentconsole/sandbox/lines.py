"""The sandbox's accounts: each medium's server with what customers and accidents do to it, under one set of verbs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from agentconsole.sandbox.fake_telegram import FakeTelegram
from agentconsole.sandbox.fake_telegram import Sent as SentTelegram
from agentconsole.sandbox.fake_twilio import FakeTwilio
from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from agentconsole.sandbox.fake_whatsapp import Sent as SentWhatsApp
from agentconsole.sandbox.mail import MailWorld, SentMail
from agentconsole.sandbox.people import Line, Person
from agentconsole.seams import SystemClock

LOOK_SECONDS: Final = 0.5
WHATSAPP_STATES: Final = (0.4, 0.9, 1.5)
"""Seconds between taking a message and its states sent, delivered and read."""

Reached = Callable[[Person, str, object], None]
"""Called with whom a message of ours reached, its text, and what the medium needs to answer it."""


class PastClock(SystemClock):
    """The real time, or a time shortly before it while a customer writes "nine minutes ago"."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def now(self) -> datetime:
        return super().now() - self._shift

    @contextlib.contextmanager
    def earlier(self, shift: timedelta) -> Iterator[None]:
        self._shift = shift
        try:
            yield
        finally:
            self._shift = timedelta()


class MediumServer(Protocol):
    """One medium of the sandbox."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def cut(self) -> None: ...

    async def heal(self) -> None: ...

    def cut_mid_send(self) -> None: ...

    async def says(self, person: Person, line: Line, answers: object = None) -> None:
        """Let a person write ``line.ago`` before now; ``answers`` is what ``Reached`` was called with."""
        ...


@dataclass
class _Known:
    """Who is at an address."""

    people: dict[str, Person]
    reached: Reached

    def tell(self, address: str, text: str, answers: object) -> None:
        person = self.people.get(address)
        if person is not None:
            self.reached(person, text, answers)


def _known(medium: str, people: tuple[Person, ...], reached: Reached) -> _Known:
    return _Known({p.addresses[medium].lower(): p for p in people if medium in p.addresses}, reached)


class Mail:
    def __init__(self, people: tuple[Person, ...], reached: Reached) -> None:
        self._known = _known("email", people, reached)
        self.server = MailWorld(self._sent)

    def _sent(self, sent: SentMail) -> None:
        self._known.tell(sent.to, sent.text, sent)

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def cut(self) -> None:
        await self.server.cut()

    async def heal(self) -> None:
        await self.server.heal()

    def cut_mid_send(self) -> None:
        self.server.cut_mid_send()

    async def says(self, person: Person, line: Line, answers: object = None) -> None:
        sent = answers if isinstance(answers, SentMail) else None
        subject = line.subject or (f"Re: {sent.subject.removeprefix('Re: ')}" if sent is not None else "")
        at = SystemClock().now() - line.ago
        await self.server.customer_says(person.name, person.addresses["email"], subject, line.text, at, sent)


class Sms:
    def __init__(self, people: tuple[Person, ...], reached: Reached) -> None:
        self._known = _known("sms", people, reached)
        self._clock = PastClock()
        self.server = FakeTwilio(self._clock, by_itself=True)
        self._looking: asyncio.Task[None] | None = None

    async def _look(self) -> None:
        """Twilio calls nobody here: what we sent is seen in its list."""
        seen = 0
        while True:
            sent = self.server.sent
            for one in sent[seen:]:
                self._known.tell(one.to, one.text, one)
            seen = len(sent)
            await self._clock.sleep(LOOK_SECONDS)

    async def start(self) -> None:
        await self.server.start()
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await self.server.stop()

    async def cut(self) -> None:
        await self.server.cut()

    async def heal(self) -> None:
        await self.server.heal()

    def cut_mid_send(self) -> None:
        self.server.lose_next_answer = True

    async def says(self, person: Person, line: Line, answers: object = None) -> None:
        with self._clock.earlier(line.ago):
            self.server.customer_says(person.addresses["sms"], line.text)


class WhatsApp:
    def __init__(self, people: tuple[Person, ...], reached: Reached) -> None:
        self._known = _known("whatsapp", people, reached)
        self._clock = PastClock()
        self.server = FakeWhatsApp(progress=WHATSAPP_STATES, clock=self._clock, on_sent=self._sent)

    def _sent(self, sent: SentWhatsApp) -> None:
        self._known.tell(f"+{sent.to}", sent.text, sent)

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def cut(self) -> None:
        await self.server.cut()

    async def heal(self) -> None:
        await self.server.heal()

    def cut_mid_send(self) -> None:
        self.server.cut_mid_send()

    async def says(self, person: Person, line: Line, answers: object = None) -> None:
        name = "" if "whatsapp" in person.strangers else person.name
        with self._clock.earlier(line.ago):
            self.server.customer_says(person.addresses["whatsapp"].removeprefix("+"), line.text, name)


class Telegram:
    def __init__(self, people: tuple[Person, ...], reached: Reached) -> None:
        self._known = _known("telegram", people, reached)
        self._clock = PastClock()
        self.server = FakeTelegram(username="harbour_eye_bot", clock=self._clock, on_sent=self._sent)
        for person in self._known.people.values():
            self.server.knows(int(person.addresses["telegram"]), person.name)

    def _sent(self, sent: SentTelegram) -> None:
        self._known.tell(str(sent.chat), sent.text, sent)

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def cut(self) -> None:
        await self.server.cut()

    async def heal(self) -> None:
        await self.server.heal()

    def cut_mid_send(self) -> None:
        self.server.cut_mid_send()

    async def says(self, person: Person, line: Line, answers: object = None) -> None:
        with self._clock.earlier(line.ago):
            self.server.customer_says(int(person.addresses["telegram"]), line.text, person.name)
