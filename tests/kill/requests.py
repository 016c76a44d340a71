"""Console and hub: either side dies before the answer, the call is repeated with its request id, and is done once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agentconsole.desk import Agent, Compose, Desk, Tag, Target
from agentconsole.domain.model import (
    CustomerId,
    Delivery,
    Draft,
    EntryId,
)
from agentconsole.errors import AnswerLost, HubAbsent, NotFound
from tests.kill import ledger
from tests.kill.acts import Arrived
from tests.kill.play import Play, Scenario, playing
from tests.kill.scenarios import ADA, BO
from tests.kill.world import Person
from tests.waiting import until

ROOT: Final = Path(__file__).parents[2]
DESK: Final = Scenario("one call", ("chat",), ())
MOST: Final = 80


@dataclass
class Once:
    """How often a call was cut, and what was found."""

    call: str
    cuts: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass
class Room:
    """A hub with two customers, and the flag that arms its border."""

    play: Play

    @property
    def flag(self) -> Path:
        return self.play.hub.life.folder / "armed"

    async def opened(self, abort: str = "") -> tuple[Desk, Agent]:
        await self.play._detach()
        await self.play.hub.kill()
        self.flag.unlink(missing_ok=True)
        self.play.hub.start(abort, armed=str(self.flag))
        return await self.play._attached()

    def held(self) -> ledger.Ledger:
        return ledger.read(self.play.store)

    async def arrive(self, who: Person, text: str, desk: Desk, agent: Agent) -> EntryId:
        self.play.world.says(who, text)
        await Arrived(who, text).do(self.play, desk, agent)
        return self.play.entries[text]


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    async with playing(DESK) as play:
        here = Room(play)
        desk, who = await here.opened()
        await here.arrive(ADA, "hello", desk, who)
        await here.arrive(BO, "hello, too", desk, who)
        yield here


Call = Callable[[Desk, Agent], Awaitable[object]]


class Reply:
    name = "reply"

    async def prepare(self, here: Room, number: int, desk: Desk, who: Agent) -> Call:
        compose = Compose(here.play.ids[ADA], f"answer {number}")
        return lambda desk, who: desk.reply(who, f"reply {number}", compose)

    def fault(self, here: Room, number: int) -> str:
        text = f"answer {number}"
        kept = [row for row in here.held().all("reply") if row["text"] == text]
        got = here.play.world.received()[text]
        if len(kept) != 1 or got > 1:
            return f"{len(kept)} in the store, {got} received"
        state = here.held().state(str(kept[0]["id"]))
        return "" if state == "uncertain" or (state in ledger.ARRIVED and got) else f"{state}, {got} received"


class Note:
    name = "note"

    async def prepare(self, here: Room, number: int, desk: Desk, who: Agent) -> Call:
        customer, conversation = await desk.find_conversation(who, here.play.ids[ADA])
        return lambda desk, who: desk.note(who, f"note {number}", customer, conversation, f"note {number}")

    def fault(self, here: Room, number: int) -> str:
        kept = [row for row in here.held().all("note") if row["text"] == f"note {number}"]
        return "" if len(kept) == 1 else f"{len(kept)} notes"


class Work:
    """A tag that is put on and taken back at once: both are done once, and nothing of it is left."""

    name = "work"

    async def prepare(self, here: Room, number: int, desk: Desk, who: Agent) -> Call:
        target = Target(*(await desk.find_conversation(who, here.play.ids[ADA])))

        async def call(desk: Desk, who: Agent) -> None:
            [done] = await desk.work(who, f"work {number}", [target], Tag((f"tag {number}",)))
            [undone] = await desk.undo(who, f"undo {number}", done.entries)
            assert not done.code
            assert not undone.code

        return call

    def fault(self, here: Room, number: int) -> str:
        held = here.held()
        tagged = [row["id"] for row in held.all("tagged") if row["add"] == [f"tag {number}"]]
        undone = [row for row in held.all("undone") if row["entry"] in tagged]
        return "" if len(tagged) == len(undone) == 1 else f"{len(tagged)} tagged, {len(undone)} undone"


class Merge:
    name = "merge"

    async def prepare(self, here: Room, number: int, desk: Desk, who: Agent) -> Call:
        if number > 1:
            merges = here.held().all("merged")
            await desk.unmerge(who, f"unmerge {number}", here.play.ids[ADA], EntryId(str(merges[-1]["id"])))
        return lambda desk, who: desk.merge(who, f"merge {number}", here.play.ids[ADA], here.play.ids[BO])

    def fault(self, here: Room, number: int) -> str:
        kept = here.held().all("merged")
        return "" if len(kept) == number else f"{len(kept)} merges after {number} wishes"


class SaveDraft:
    name = "save_draft"

    async def prepare(self, here: Room, number: int, desk: Desk, who: Agent) -> Call:
        customer, conversation = await desk.find_conversation(who, here.play.ids[ADA])
        draft = Draft(who.name, customer, conversation, f"half {number}", number, datetime.now(UTC))
        return lambda desk, who: desk.save_draft(who, draft)

    def fault(self, here: Room, number: int) -> str:
        kept = ledger.drafts(here.play.store)
        return "" if kept == [f"half {number}"] else str(kept)


class Redact:
    name = "redact"

    async def prepare(self, here: Room, number: int, desk: Desk, who: Agent) -> Call:
        entry = await here.arrive(ADA, f"secret number {number}.", desk, who)
        return lambda desk, who: desk.redact(who, f"redact {number}", entry, "a secret")

    def fault(self, here: Room, number: int) -> str:
        left = ledger.holding(here.play.store, f"secret number {number}.")
        marks = len(here.held().all("redacted"))
        return f"still in {left[0]}" if left else "" if marks == number else f"{marks} marks after {number} wishes"


class Erase:
    name = "erase"

    async def prepare(self, here: Room, number: int, desk: Desk, who: Agent) -> Call:
        person = Person(f"Erased {number} Person", "chat", str(5000 + number))
        await here.arrive(person, f"canary number {number}.", desk, who)
        customer: CustomerId = here.play.ids[person]

        async def call(desk: Desk, who: Agent) -> None:
            with contextlib.suppress(NotFound):
                await desk.erase(who, f"erase {number}", customer)

        return call

    def fault(self, here: Room, number: int) -> str:
        for text in (f"canary number {number}.", f"Erased {number} Person"):
            left = ledger.holding(here.play.store, text)
            if left:
                return f"{text!r} is still in {left[0]}"
        return ""


CALLS: Final = (Reply(), Note(), Work(), Merge(), SaveDraft(), Redact(), Erase())


async def hub_dies(kind: Reply | Note | Work | Merge | SaveDraft | Redact | Erase, stride: int = 1) -> Once:
    """Kill the hub at every ``stride``-th border from the moment of one call; repeat the call; once is once."""
    found = Once(kind.name)
    async with room() as here:
        number = 0
        border = 1
        while border < MOST:
            number += 1
            desk, who = await here.opened(str(border))
            call = await kind.prepare(here, number, desk, who)
            here.flag.touch()
            died = False
            try:
                await call(desk, who)
                await _settled(desk, who)
            except (HubAbsent, AnswerLost):
                died = True
            desk, who = await here.opened()
            await call(desk, who)
            await _settled(desk, who)
            fault = kind.fault(here, number)
            if fault:
                found.faults.append(f"border {border}: {fault}")
            if not died:
                break
            found.cuts += 1
            border += stride
    return found


async def _settled(desk: Desk, who: Agent) -> None:
    async def nothing_waits() -> bool:
        return not await desk.outbox(who, (Delivery.QUEUED, Delivery.SENDING))

    await until(nothing_waits, 20, "an empty outbox")


def points(calls: dict[str, int]) -> list[tuple[str, ...]]:
    """Return strace's options for a death at the first so many calls of each name."""
    return [
        ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={when}")
        for name, most in calls.items()
        for when in range(1, most + 1)
    ]


async def client_dies(injected: list[tuple[str, ...]], at_random: int, chance: random.Random) -> Once:
    """Kill ``agentconsole send --key`` at points that strace injects and at random times; repeat it; one reply."""
    found = Once("send --key")
    async with room() as here:
        desk, who = await here.opened()
        for number in range(len(injected) + at_random):
            words = ("send", "Ada Chat", "--text", f"answer {number}", "--key", f"key {number}")
            if number < len(injected):
                code = await _command(here, words, ("strace", "-f", "-qq", "-o", "/dev/null", *injected[number]))
            else:
                code = await _command(here, words, (), chance.uniform(0.1, 0.8))
            found.cuts += code < 0
            repeated = await _command(here, words)
            if repeated:
                found.faults.append(f"{number}: the repeat ended with {repeated}")
            await _settled(desk, who)
            fault = Reply().fault(here, number)
            if fault:
                found.faults.append(f"{injected[number] if number < len(injected) else 'random'}: {fault}")
    return found


async def _command(here: Room, words: tuple[str, ...], before: tuple[str, ...] = (), kill_after: float = 0.0) -> int:
    """Run one command as a person does; return how it ended."""
    home = here.play.hub.life.folder / "home"
    home.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *before,
        sys.executable,
        "-m",
        "agentconsole",
        "--hub",
        str(here.play.hub.socket),
        *words,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if kill_after:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), kill_after)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
    async with asyncio.timeout(60):
        return await process.wait()
