"""A day without servers: two accounts away for hours, a third one not, and what the hub makes of it.

The same day runs on a clock by hand (seconds) and, under libfaketime, on the system's own (``proofs.clock``).
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

from agentconsole.desk import Agent, Compose
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConsentScope,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    derive_id,
)
from agentconsole.errors import TemporaryFailure
from agentconsole.hub.hub import Hub
from agentconsole.hub.parser import InlineParser
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import Batch, Commit, Cursor, Outgoing, Report, Store
from agentconsole.seams import Clock
from tests.fakes import paper
from tests.fakes.clock import HandClock, settled

WHO: Final = Agent(AgentName("ana"))
HOUR: Final = 3600.0
SETTLED: Final = 900.0
"""Seconds after which an outage is no hiccup any more and the slow pace must hold."""

PACE: Final = 300.0
CATCH_UP: Final = 120.0


class Dice:
    """Chance with a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def token(self) -> str:
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz234567", k=26))

    def fraction(self) -> float:
        return self._random.random()


class Pass(Protocol):
    """Lets seconds of the hub's time pass."""

    async def __call__(self, seconds: float) -> None: ...


@dataclass
class Line:
    """One account's world, with the moments at which the hub tried it."""

    name: str
    post: paper.Post = field(default_factory=paper.Post)
    fetches: list[float] = field(default_factory=list)
    sends: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    written: list[tuple[str, float]] = field(default_factory=list)

    def away(self, yes: bool) -> None:
        failure = TemporaryFailure(f"{self.name} cannot be reached.", reason="unreachable") if yes else None
        self.post.fetch_failure = self.post.before_commit = failure
        if yes:
            self.post.new.set()

    def setup(self, medium: str, address_kind: str, clock: Clock) -> AccountSetup:
        line = self

        class Timed(paper.PaperChannel):
            async def fetch(self, cursor: Cursor | None) -> Batch:
                line.fetches.append(clock.monotonic())
                batch = await super().fetch(cursor)
                line.worked.append(clock.monotonic())
                return batch

            async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
                line.sends.append(clock.monotonic())
                report = await super().send(outgoing, commit)
                line.worked.append(clock.monotonic())
                return report

        def opened(*_: Any) -> Timed:
            return Timed(self.post)

        kind = paper.kind(f"paper{self.name}", medium, address_kind, self.post)
        kind = dataclasses.replace(kind, open=opened)
        return AccountSetup(AccountName(self.name), kind, paper.PaperOptions(own=f"{self.name}@us.example.com"))


@dataclass
class Figures:
    """What a day came to. ``wrong`` is empty where everything held."""

    hours: float = 0.0
    attempts: dict[str, int] = field(default_factory=dict)
    closest: dict[str, float] = field(default_factory=dict)
    spread: float = 0.0
    noticed: float = 0.0
    caught_up: float = 0.0
    messages: int = 0
    replies: int = 0
    expired: int = 0
    blocked: int = 0
    log_lines: int = 0
    alarms: int = 0
    memory: float = 0.0
    files: int = 0
    slowest_other: float = 0.0
    wrong: list[str] = field(default_factory=list)


class _Counter(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1


@asynccontextmanager
async def _hub(lines: list[Line], store: Store, clock: Clock, seed: int, log: logging.Logger) -> AsyncIterator[Hub]:
    media = (("email", "email"), ("whatsapp", "phone"), ("sms", "phone"))
    accounts = [line.setup(*what, clock) for line, what in zip(lines, media, strict=True)]
    parser = InlineParser({setup.kind.name: setup.kind for setup in accounts})
    hub = Hub(HubProfile(region="GB", free_floor=0), accounts, store, parser, clock, Dice(seed), log)
    with tempfile.TemporaryDirectory(prefix="ac") as folder:
        ready = asyncio.Event()
        done = asyncio.create_task(hub.run(Path(folder) / "s", ready=ready.set))
        await ready.wait()
        try:
            yield hub
        finally:
            hub.request_stop(at_once=True)
            await done


def memory() -> float:
    """Return this process's memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@dataclass
class Outage:
    """One day of it.

    Args:
        pass_: lets seconds of the hub's time pass.
        hours: how long the servers stay away.
        step: seconds between looks.
        slack: seconds that noticing and catching up may take longer, where the computer is what takes them.
        all_away: else only the first account's server is.
    """

    store: Store
    clock: Clock
    pass_: Pass
    hours: float = 24.0
    step: float = 15.0
    seed: int = 1
    slack: float = 0.0
    all_away: bool = True

    def __post_init__(self) -> None:
        self.lines = [Line("mail"), Line("wa"), Line("sms")]
        self.away = self.lines[:2] if self.all_away else self.lines[:1]
        self.found = Figures(hours=self.hours)
        self._began = 0.0
        self._written = 0
        self._replies: dict[EntryId, tuple[Line, float]] = {}
        self._blocked: set[EntryId] = set()

    async def run(self) -> Figures:
        """Play it and return the figures."""
        log = logging.getLogger(f"outage.{id(self)}")
        log.propagate = False
        log.setLevel(logging.INFO)
        counter = _Counter()
        log.addHandler(counter)
        async with _hub(self.lines, self.store, self.clock, self.seed, log) as hub:
            for line in self.lines:
                self._write(line)
                self._write(line, "second")
            await self._until_filed(self.lines)
            self._began = self.clock.monotonic()
            for line in self.away:
                line.away(True)
            await self._slow_pace(hub, counter)
            await self._hours(hub)
            self.found.memory = (memory() / self._before[0] - 1.0) * 100.0
            self.found.files = open_files() - self._before[1]
            self.found.log_lines = counter.lines - self._before[2]
            self.found.alarms = hub.health.revision - self._before[3]
            self._judge_pace()
            await self._return()
            await self._judge_replies(hub)
        log.removeHandler(counter)
        return self.found

    async def _slow_pace(self, hub: Hub, counter: _Counter) -> None:
        await self._wait(HOUR / 2)
        self._before = memory(), open_files(), counter.lines, hub.health.revision

    async def _hours(self, hub: Hub) -> None:
        hour = 1
        while (passed := self.clock.monotonic() - self._began) < self.hours * HOUR:
            await self.pass_(self.step)
            if passed < hour * HOUR:
                continue
            for line in self.lines:
                self._write(line)
                await self._answer(hub, line, "", f"hour {hour}")
            if hour == 1:
                await self._opt_out(hub, self.away[-1])
            await self._until_filed([line for line in self.lines if line not in self.away])
            hour += 1

    async def _wait(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            await self.pass_(self.step)

    # -- people --------------------------------------------------------------------------------------------

    def _address(self, line: Line, which: str = "") -> Address:
        number = 1 + self.lines.index(line) + (5 if which else 0)
        return (
            Address("email", "", f"c{number}@example.com")
            if line.name == "mail"
            else Address("phone", "", f"+44207946018{number}")
        )

    def _write(self, line: Line, which: str = "") -> None:
        self._written += 1
        identity = f"{line.name}-{self._written}"
        sender = self._address(line, which)
        line.post.put(paper.message(identity, sender, "where is it?", self.clock.now(), place=f"chat-{which}"))
        line.written.append((identity, self.clock.monotonic()))

    async def _customer(self, line: Line, which: str) -> CustomerId:
        found = await self.store.find(self._address(line, which))
        assert found is not None
        return found

    async def _answer(self, hub: Hub, line: Line, which: str, text: str) -> EntryId:
        customer = await self._customer(line, which)
        compose = Compose(customer, text, medium=Medium(hub.desk.accounts[AccountName(line.name)].kind.medium))
        sent = await hub.desk.reply(WHO, f"{line.name} {which} {text}", compose)
        self._replies[sent.id] = line, self.clock.monotonic()
        return sent.id

    async def _opt_out(self, hub: Hub, line: Line) -> None:
        """Let a customer opt out while a reply to them waits."""
        reply = await self._answer(hub, line, "second", "too late")
        customer = await self._customer(line, "second")
        await hub.desk.consent(WHO, "optout", customer, Medium(""), ConsentScope.ALL, False)
        self._blocked.add(reply)

    async def _filed(self, line: Line) -> bool:
        kind = f"paper{line.name}"
        ids = [EntryId(derive_id("e", "in", kind, identity)) for identity, _ in line.written]
        return len(await self.store.known(ids)) == len(ids)

    async def _until_filed(self, lines: list[Line]) -> None:
        """Wait until accounts that are not away have filed everything, and see how long it takes."""
        began = self.clock.monotonic()
        while not all([await self._filed(line) for line in lines]):
            if self.clock.monotonic() - began > HOUR:
                self.found.wrong.append("an account that was not away stood still")
                return
            await self.pass_(1.0)
        self.found.slowest_other = max(self.found.slowest_other, self.clock.monotonic() - began)

    # -- what must hold ------------------------------------------------------------------------------------

    def _judge_pace(self) -> None:
        slow = self._began + SETTLED
        gaps: list[float] = []
        for line in self.away:
            for what, tried in (("fetches", line.fetches), ("sends", line.sends)):
                late = [moment for moment in tried if moment >= slow]
                between = [b - a for a, b in pairwise(late)]
                gaps += between if what == "fetches" else []
                closest = min(between, default=PACE)
                self.found.closest[f"{line.name} {what}"] = closest
                if closest < PACE - 0.5:
                    self.found.wrong.append(f"{line.name}: two {what} within {closest:.0f} s")
            attempts = sum(moment >= self._began for moment in (*line.fetches, *line.sends))
            self.found.attempts[line.name] = attempts
            if attempts > 12.5 * self.hours + 10:
                self.found.wrong.append(f"{line.name}: {attempts} attempts in {self.hours:.0f} h")
        self.found.spread = max(gaps, default=0.0) - min(gaps, default=0.0)
        if self.found.spread < 5.0 and self.hours > 2:
            self.found.wrong.append("the attempts have no jitter")

    async def _return(self) -> None:
        back = self.clock.monotonic()
        for line in self.away:
            line.away(False)
        finished: dict[str, float] = {}
        while len(finished) < len(self.away):
            await self.pass_(1.0)
            now = self.clock.monotonic()
            if now - back > 3 * PACE + 2 * self.slack:
                self.found.wrong.append("not everything was caught up in a quarter of an hour")
                break
            for line in self.away:
                waiting = await self.store.replies(
                    [Delivery.QUEUED, Delivery.SENDING], account=AccountName(line.name), limit=None
                )
                if line.name not in finished and not waiting and await self._filed(line):
                    finished[line.name] = now
        for line in self.away:
            first = min((moment for moment in line.worked if moment >= back), default=back)
            self.found.noticed = max(self.found.noticed, first - back)
            if line.name in finished:
                self.found.caught_up = max(self.found.caught_up, finished[line.name] - first)
        if self.found.noticed > PACE * 1.2 + self.step + self.slack:
            self.found.wrong.append(f"the return was noticed after {self.found.noticed:.0f} s")
        if self.found.caught_up > CATCH_UP + self.slack:
            self.found.wrong.append(f"catching up took {self.found.caught_up:.0f} s")

    async def _judge_replies(self, hub: Hub) -> None:
        states = {reply: await hub.desk.sent(WHO, reply) for reply in self._replies}
        delivered = [outgoing.reply for line in self.lines for outgoing in line.post.delivered]
        if len(delivered) != len(set(delivered)):
            self.found.wrong.append("a reply was sent twice")
        for reply, state in states.items():
            if reply in self._blocked:
                self.found.blocked += state.state == Delivery.FAILED and reply not in delivered
            elif state.state == Delivery.FAILED and state.reason == "expired":
                self.found.expired += 1
            elif state.state != Delivery.SENT or reply not in delivered:
                self.found.wrong.append(f"a reply is {state.state}: {state.reason}")
        if self.found.blocked != len(self._blocked):
            self.found.wrong.append("an opt-out did not stop what waited")
        self.found.replies = len(self._replies)
        self.found.messages = sum(len(line.written) for line in self.lines)
        if self.found.alarms > 6:
            self.found.wrong.append(f"{self.found.alarms} alarms in a quiet outage")


def by_hand(clock: HandClock) -> Pass:
    """Return what lets time pass on a clock by hand: every wait that ends is followed until all is quiet again."""

    async def pass_(seconds: float) -> None:
        clock.move(seconds=seconds)
        await settled(12)

    return pass_
