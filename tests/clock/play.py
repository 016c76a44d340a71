"""One afternoon of a hub with a wall clock that jumps in the middle of it, and what must hold whatever it does.

The world has a time of its own (the monotonic one): customers' messages carry it, and delays are measured by it. The
hub sees the wall clock only.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from agentconsole.desk import Compose
from agentconsole.domain.entries import (
    AnyEntry,
    Note,
    Received,
    Reply,
)
from agentconsole.domain.model import (
    Address,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
)
from agentconsole.errors import TemporaryFailure
from agentconsole.hub.profile import HubProfile
from agentconsole.ports import Store
from agentconsole.seams import Clock
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import START, CountingRandomness, HandClock, settled
from tests.hub.conftest import World, running

EMILY: Final = Address("email", "", "emily@example.com")
MAX: Final = Address("phone", "", "+442079460182")

YEAR_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
LEAP_DAY: Final = datetime(2028, 2, 28, 23, 57, tzinfo=UTC)

JUMPS: Final[dict[str, timedelta | datetime]] = {
    "an hour back": timedelta(hours=-1),
    "a day ahead": timedelta(days=1),
    "summer time begins": timedelta(hours=1),
    "summer time ends": timedelta(hours=-1, minutes=-1),
    "1970 at boot": YEAR_1970,
    "a day ahead, over a leap day": timedelta(days=1),
    "a day back, over a leap day": timedelta(days=-1),
}
"""What the wall clock does; an instant means a start of the hub with that time on the clock."""

ACTS: Final = 14

RETRY_AFTER: Final = 90.0
LATER: Final = 480.0
STEP: Final = 5.0
BETWEEN: Final = 20.0
AFTERWARDS: Final = 900.0


@dataclass
class Play:
    """One run.

    Args:
        jump: a name of ``JUMPS``.
        at: before which act the clock jumps.
        back: after how many acts it is put right again; 0: it stays wrong.
        scale: how many real seconds one of the play is, where the clock is not by hand.
        slack: seconds that a busy computer may be late.
    """

    jump: str
    at: int
    back: int = 0
    scale: float = 1.0
    slack: float = 0.0
    mail: paper.Post = field(default_factory=paper.Post)
    chat: paper.Post = field(default_factory=paper.Post)
    wrong: list[str] = field(default_factory=list)
    _told: dict[Address, list[EntryId | str]] = field(default_factory=lambda: {EMILY: [], MAX: []})
    _due: dict[EntryId, tuple[str, float, float]] = field(default_factory=dict)
    _left: dict[str, float] = field(default_factory=dict)
    _numbers: int = 0
    _world: World | None = None

    def __post_init__(self) -> None:
        self.start = LEAP_DAY if "leap day" in self.jump else START
        self.clock: Clock = self.make_clock()
        self.retry_after, self.later, self.afterwards = RETRY_AFTER, LATER, AFTERWARDS
        self._zero = self.clock.monotonic()
        self._started: list[float] = []

    # -- what a real clock does otherwise ------------------------------------------------------------------

    def make_clock(self) -> Clock:
        return HandClock(self.start)

    def make_store(self) -> Store:
        return MemoryStore(self.clock, CountingRandomness())

    def set_clock(self, to: datetime) -> None:
        """Set the wall clock."""
        assert isinstance(self.clock, HandClock)
        self.clock.jump(seconds=(to - self.clock.now()).total_seconds())

    async def elapse(self, seconds: float) -> None:
        """Let some seconds pass in which nothing else happens."""
        if seconds:
            assert isinstance(self.clock, HandClock)
            self.clock.move(seconds=seconds)
        await settled(40)

    # -- the play ------------------------------------------------------------------------------------------

    @property
    def world(self) -> World:
        assert self._world is not None
        return self._world

    def truth(self) -> datetime:
        """Return the world's own time."""
        return self.start + timedelta(seconds=self.clock.monotonic() - self._zero)

    async def run(self) -> list[str]:
        """Play it and return what went wrong."""
        acts: list[Callable[[], Awaitable[object]]] = [
            lambda: self._writes(self.mail, EMILY),
            lambda: self._writes(self.chat, MAX),
            lambda: self._answer(EMILY, "at once", 0.0),
            self._note,
            lambda: self._answer(MAX, "at once", 0.0),
            lambda: self._rate_limited(self.mail, EMILY),
            lambda: self._answer(EMILY, "later", self.later, later=True),
            self._draft,
            lambda: self._writes(self.mail, EMILY),
            lambda: self._rate_limited(self.chat, MAX),
            self._note,
            lambda: self._writes(self.chat, MAX),
            lambda: self._answer(MAX, "at once", 0.0),
            lambda: self._answer(EMILY, "at once", 0.0),
        ]
        store = self.make_store()
        wanted = JUMPS[self.jump]
        async with AsyncExitStack() as stack:
            await self._start(stack, store)
            for number, act in enumerate(acts):
                if number == self.at:
                    if isinstance(wanted, datetime):
                        await stack.aclose()
                        self.set_clock(wanted)
                        await self._start(stack, store)
                    else:
                        self.set_clock(self.truth() + wanted)
                if number == self.at + self.back and self.back:
                    self.set_clock(self.truth())
                await act()
                await self._pass(BETWEEN)
            await self._pass(self.afterwards)
            await self._late()
            await self._judge()
        assert len(acts) == ACTS
        return [f"{self.jump}, before act {self.at}, back after {self.back}: {what}" for what in self.wrong]

    async def _late(self) -> None:
        """Give a busy computer the time that it may take."""
        end = self.clock.monotonic() + self.slack
        while self.clock.monotonic() < end and await self.world.store.replies([Delivery.QUEUED, Delivery.SENDING]):
            await self._pass(STEP * self.scale)

    async def _start(self, stack: AsyncExitStack, store: Store) -> None:
        profile = HubProfile(region="GB", free_floor=0)
        clock = cast(HandClock, self.clock)  # the hub takes any clock; the fixture's type is narrower
        running_ = running(store=store, clock=clock, mail=self.mail, chat=self.chat, profile=profile)
        self._world = await stack.enter_async_context(running_)
        self._started.append(self.clock.monotonic())
        await self._settle()

    async def _settle(self) -> None:
        await self.elapse(0.0)
        for post in (self.mail, self.chat):
            for outgoing in post.delivered:
                self._left.setdefault(outgoing.key, self.clock.monotonic())

    async def _pass(self, seconds: float) -> None:
        for _ in range(max(int(seconds / STEP), 1)):
            await self.elapse(STEP * self.scale)
            await self._settle()

    # -- acts ----------------------------------------------------------------------------------------------

    async def _writes(self, post: paper.Post, sender: Address) -> None:
        self._numbers += 1
        identity = f"in{self._numbers}"
        self._told[sender].append(identity)
        post.put(paper.message(identity, sender, f"question {identity}", self.truth()))
        await self._settle()

    async def _answer(self, to: Address, what: str, delay: float, *, later: bool = False) -> EntryId:
        self._numbers += 1
        customer = await self.world.customer(to)
        began = self.clock.monotonic()
        at = self.clock.now() + timedelta(seconds=delay) if later else None
        if at is not None:
            at = self._as_the_hub_sees(at)
        compose = Compose(customer=customer, text=f"answer {self._numbers}", not_before=at)
        sent = await self.world.desk.reply(self.world.who, f"request-{self._numbers}", compose)
        self._told[to].append(sent.id)
        self._due[sent.id] = what, began, delay
        await self._settle()
        return sent.id

    def _as_the_hub_sees(self, at: datetime) -> datetime:
        """Return when an agent means: in some minutes, as the console says after asking the hub for its time."""
        return at + (self.world.hub.clock.now() - self.clock.now())

    async def _rate_limited(self, post: paper.Post, to: Address) -> None:
        post.before_commit = TemporaryFailure("slow down", reason="rate_limited", retry_after=self.retry_after)
        reply = await self._answer(to, "retry", self.retry_after)
        while (await self.world.desk.sent(self.world.who, reply)).reason != "rate_limited":
            await self.elapse(0.0)
        post.before_commit = None

    async def _note(self) -> None:
        self._numbers += 1
        customer = await self.world.customer(EMILY)
        conversation = await self._conversation(customer)
        await self.world.desk.note(self.world.who, f"request-{self._numbers}", customer, conversation, "a note")
        self._told[EMILY].append("note")

    async def _conversation(self, customer: CustomerId) -> ConversationId:
        person = await self.world.store.customer(customer)
        assert person is not None
        return person.conversations[0].id

    async def _draft(self) -> None:
        customer = await self.world.customer(MAX)
        conversation = await self._conversation(customer)
        draft = Draft(self.world.who.name, customer, conversation, "half a sentence", revision=1, at=self.clock.now())
        await self.world.desk.save_draft(self.world.who, draft)

    # -- what must hold ------------------------------------------------------------------------------------

    async def _judge(self) -> None:
        for address, told in self._told.items():
            await self._judge_order(address, told)
        delivered = [outgoing.reply for post in (self.mail, self.chat) for outgoing in post.delivered]
        if len(delivered) != len(set(delivered)):
            self.wrong.append("a reply was sent twice")
        for reply, (what, since, delay) in self._due.items():
            record = await self.world.desk.sent(self.world.who, reply)
            if record.state != "sent" or reply not in delivered:
                self.wrong.append(f"a reply ({what}) is {record.state}: {record.reason}")
                continue
            key = next(o.key for post in (self.mail, self.chat) for o in post.delivered if o.reply == reply)
            took = self._left[key] - since
            early, late = self._allowed(what, since, delay)
            if not early <= took <= late:
                self.wrong.append(f"a reply ({what}) left after {took:.0f} s instead of {delay:.0f} s")
        if len(await self.world.desk.drafts(self.world.who)) != (1 if self._numbers else 0):
            self.wrong.append("the draft is gone")

    def _allowed(self, what: str, since: float, delay: float) -> tuple[float, float]:
        """Return the seconds after which a reply may leave, at least and at most.

        A hub that starts in 1970 cannot know how long it was away: it waits its pause once more at most, and takes
        a time of day by what it knows until the clock was set right.
        """
        restarted = any(since < start < since + delay for start in self._started)
        if what == "later" and isinstance(JUMPS[self.jump], datetime):
            return delay - 60.0 * self.scale, delay + 60.0 * self.scale + self.slack
        late = (2 if restarted else 1) * delay * 1.25 + 2 * STEP * self.scale
        return delay - STEP * self.scale, late + self.slack

    async def _judge_order(self, address: Address, told: list[EntryId | str]) -> None:
        customer = await self.world.customer(address)
        page = await self.world.store.history(customer, limit=1000)
        assert page is not None
        shown = [named for entry in page.entries if (named := _named(entry))]
        if shown != told:
            self.wrong.append(f"the timeline of {address} shows {shown} instead of {told}")


def chosen(number: int, *, seed: int, jump: str = "") -> list[Play]:
    """Return some plays by chance, the kinds of jumps in turn and as few as possible twice.

    A clock that stands at 1970 is only told from a right one by a store that has seen something.
    """
    chance = random.Random(seed)
    kinds = [jump] if jump else list(JUMPS)
    plays: list[Play] = []
    waiting: dict[str, list[tuple[int, int]]] = {}
    while len(plays) < number:
        kind = kinds[len(plays) % len(kinds)]
        if not waiting.get(kind):
            first = 2 if isinstance(JUMPS[kind], datetime) else 0
            waiting[kind] = [(at, back) for at in range(first, ACTS) for back in (0, 1, 3, 6)]
            chance.shuffle(waiting[kind])
        plays.append(Play(kind, *waiting[kind].pop()))
    return plays


def _named(entry: AnyEntry) -> EntryId | str:
    match entry:
        case Received():
            return entry.external_id.partition("@")[0]
        case Reply():
            return entry.id
        case Note():
            return "note"
        case _:
            return ""
