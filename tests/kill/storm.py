"""Kills at random times under a steady load: customers write, an agent's client asks for replies and repeats itself."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agentconsole.desk import Compose
from agentconsole.domain.model import CustomerId, Delivery, EntryId
from agentconsole.errors import AgentConsoleError, AnswerLost, HubAbsent
from agentconsole.remote import RemoteDesk, as_desk
from tests.kill import ledger
from tests.kill.acts import MEDIA
from tests.kill.life import Life
from tests.kill.process import HubProcess
from tests.kill.world import Person
from tests.waiting import until


class Outside(Protocol):
    """The world, real or pretended, with both of its ledgers."""

    port: int

    @property
    def secrets(self) -> dict[str, str]: ...
    def accounts(self, *channels: str) -> dict[str, dict[str, Any]]: ...
    def says(self, who: Person, text: str) -> None: ...
    def received(self) -> Counter[str]: ...


@dataclass
class Outcome:
    """The figures of one storm; every list has to be empty."""

    lives: int = 0
    seconds: float = 0.0
    said: int = 0
    replies: int = 0
    uncertain: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    sent_twice: list[str] = field(default_factory=list)
    lost_replies: list[str] = field(default_factory=list)
    failed_but_taken: list[str] = field(default_factory=list)
    sent_but_not_taken: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        return {name: value for name, value in vars(self).items() if isinstance(value, list) and value}


class Storm:
    """One store, one hub at a time, and everybody who works against it.

    Args:
        people: who writes; each is answered on the channel that they write on.
        chance: decides when somebody dies and who is answered.
    """

    def __init__(self, folder: Path, outside: Outside, people: Sequence[Person], chance: random.Random) -> None:
        channels = sorted({person.channel for person in people})
        accounts = outside.accounts(*channels)
        self.hub = HubProcess(Life(folder, accounts, outside.secrets, outside.port, seal=100))
        self._outside = outside
        self._people = people
        self._chance = chance
        self._said: list[str] = []
        self._asked: dict[str, EntryId] = {}
        self._wanted: asyncio.Queue[tuple[Person, str]] = asyncio.Queue()
        self._known: dict[Person, CustomerId] = {}

    async def rage(self, lives: int, longest: float, say: Callable[[str], None] = print) -> Outcome:
        """Kill ``lives`` hubs, each within ``longest`` seconds of its start; then let one live, and compare."""
        found = Outcome()
        begun = time.monotonic()
        client = asyncio.create_task(self._ask())
        try:
            for number in range(lives):
                self._load(number)
                self.hub.start()
                await asyncio.sleep(self._chance.uniform(0.02, longest))
                await self.hub.kill()
                found.lives += 1
                if number % 100 == 99:
                    rate = found.lives / (time.monotonic() - begun)
                    say(f"{found.lives} kills, {rate:.2f} a second, {(lives - found.lives) / rate:.0f} s to go")
            self.hub.start()
            await self._quiet(found)
        finally:
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)
            await self.hub.stop()
        self._compare(found)
        found.seconds = time.monotonic() - begun
        return found

    def _load(self, number: int) -> None:
        for channel in sorted({person.channel for person in self._people}):
            who = self._chance.choice([person for person in self._people if person.channel == channel])
            text = f"question {channel} {len(self._said)} from {who.name}"
            self._said.append(text)
            self._outside.says(who, text)
        if number:
            who = self._chance.choice(list(self._people))
            self._wanted.put_nowait((who, f"answer {number} to {who.name}"))

    async def _ask(self) -> None:
        """Ask for every reply until it is acknowledged, always under its own request id."""
        while True:
            who, text = await self._wanted.get()
            while text not in self._asked:
                with contextlib.suppress(HubAbsent, AnswerLost, OSError):
                    await self._ask_once(who, text)
                await asyncio.sleep(0.01)
            self._wanted.task_done()

    async def _ask_once(self, who: Person, text: str) -> None:
        remote = await RemoteDesk.connect(self.hub.socket)
        desk = as_desk(remote)
        try:
            async with asyncio.timeout(10):
                if who not in self._known:
                    self._known[who] = await desk.find(remote.who, who.words)
                compose = Compose(self._known[who], text, medium=MEDIA[who.channel])
                self._asked[text] = (await desk.reply(remote.who, f"request {text}", compose)).id
        except (AnswerLost, HubAbsent):
            raise
        except (AgentConsoleError, TimeoutError):
            await asyncio.sleep(0.02)  # not known yet, or the account signs in
        finally:
            await remote.aclose()

    async def _quiet(self, found: Outcome) -> None:
        """Wait until everything that is under way has come to an end."""

        async def nothing_left() -> bool:
            if self._wanted.qsize() or len(self._asked) < found.lives - 1:
                return False
            held = await asyncio.to_thread(ledger.read, self.hub.life.store)
            if len(set(held.texts())) < len(self._said):
                return False
            remote = await RemoteDesk.connect(self.hub.socket)
            try:
                return not await as_desk(remote).outbox(remote.who, (Delivery.QUEUED, Delivery.SENDING))
            finally:
                await remote.aclose()

        try:
            await until(nothing_left, 120, "quiescence")
        except (AssertionError, AgentConsoleError) as exc:
            found.unfinished.append(str(exc))

    def _compare(self, found: Outcome) -> None:
        held = ledger.read(self.hub.life.store)
        texts, received = Counter(held.texts()), self._outside.received()
        found.said, found.replies = len(self._said), len(self._asked)
        found.lost = [text for text in self._said if not texts[text]]
        found.doubled = [text for text, count in texts.items() if count > 1]
        found.sent_twice = [text for text, count in received.items() if count > 1]
        rows = {str(row["text"]): str(row["id"]) for row in held.all("reply")}
        found.lost_replies = [text for text, reply in self._asked.items() if rows.get(text) != reply]
        if len(rows) != len(held.all("reply")):
            found.doubled.append("a reply is in the store twice")
        for text, reply in rows.items():
            state = held.state(reply)
            found.uncertain += state == "uncertain"
            if state == "failed" and received[text]:
                found.failed_but_taken.append(text)
            if state in ledger.ARRIVED and not received[text]:
                found.sent_but_not_taken.append(text)
            if state in ("queued", "sending"):
                found.unfinished.append(text)
