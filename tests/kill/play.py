"""Plays a scenario with a hub that dies, goes on as a person's client would, and compares three ledgers at the end.

The ledgers share no code with the program: what the world said and what it received (``world``), and what the store
holds, read as JSON (``ledger``). What the socket answers is compared with them, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentconsole.desk import Agent, Desk
from agentconsole.domain.entries import Note, Received, Reply
from agentconsole.domain.model import CustomerId, Delivery, EntryId
from agentconsole.errors import AgentConsoleError, AnswerLost, HubAbsent
from agentconsole.remote import RemoteDesk, as_desk
from tests.folders import quick_folder
from tests.kill import ledger
from tests.kill.acts import Act, Answers, Says
from tests.kill.life import Life
from tests.kill.process import HubProcess
from tests.kill.world import Person, World
from tests.waiting import until

MOST_DEATHS = 4


@dataclass(frozen=True)
class Scenario:
    """A script as data.

    Args:
        channels: which accounts the hub has.
        acts: what happens, in order.
    """

    name: str
    channels: tuple[str, ...]
    acts: tuple[Act, ...]


@dataclass
class Play:
    """One performance of a scenario."""

    world: World
    hub: HubProcess
    scenario: Scenario
    abort: str = ""
    again: str = ""
    """Where the hub that follows a death dies, too."""
    inject: tuple[str, ...] = ()
    """Options of the strace that kills the first hub."""
    kill_after: str = ""
    """The text of the act after which the hub is killed from outside."""
    ids: dict[Person, CustomerId] = field(default_factory=dict)
    entries: dict[str, EntryId] = field(default_factory=dict)
    merges: dict[str, EntryId] = field(default_factory=dict)
    parted: dict[str, CustomerId] = field(default_factory=dict)
    acknowledged: dict[str, EntryId] = field(default_factory=dict)
    drafts: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    erased: set[Person] = field(default_factory=set)
    uncertain: int = 0
    deaths: int = 0
    whole: tuple[Path, bytes] = (Path(), b"")
    _line: RemoteDesk | None = None
    _between: set[int] = field(default_factory=set)
    _act: int = 0

    @property
    def store(self) -> Path:
        return self.hub.life.store

    # -- playing -------------------------------------------------------------------------------------------

    async def play(self) -> bool:
        """Play it to its end, and say whether a hub died on the way."""
        said = 0
        for act in self.scenario.acts:
            if not isinstance(act, Says):
                break
            await act.do(self, None, None)  # type: ignore[arg-type]
            said += 1
        await self._start()
        for number, act in enumerate(self.scenario.acts[said:]):
            self._act = number
            while True:
                try:
                    await act.do(self, *await self._attached())
                    if self.kill_after and getattr(act, "text", "") == self.kill_after and not self.deaths:
                        await self.hub.kill()
                        await self._died()
                    break
                except (HubAbsent, AnswerLost):
                    await self._died()
        try:
            await self.restart()
        except HubAbsent:
            await self._died()
        return bool(self.deaths)

    async def _start(self) -> None:
        """Start a hub that dies at the wanted border, counted over all lives; once one died, the next one lives."""
        if self.inject and not self.deaths:
            self.hub.start(strace=("-o", "/dev/null", *self.inject))
            return
        if self.again and self.deaths == 1:
            self.hub.start(self.again)
            return
        *named, number = self.abort.split(":")
        left = int(number) - self.borders(*named) if number and not self.deaths else 0
        self.hub.start(":".join((*named, str(left))) if left > 0 else "")

    async def _died(self) -> None:
        await self._detach()
        code = await self.hub.ended()
        assert code == -9, f"the hub ended with {code}: {self._log()}"
        self.deaths += 1
        assert self.deaths < MOST_DEATHS, "the script did not get through"
        await self._start()

    async def restart(self, between: Callable[[], None] | None = None) -> None:
        """Stop and start the hub; do something in between, once.

        Raises:
            HubAbsent: it died instead of stopping.
        """
        await self._detach()
        code = await self.hub.leave()
        if code == -9:
            raise HubAbsent("The hub was killed.")
        assert code == 0, f"the hub ended with {code}: {self._log()}"
        if between is not None and self._act not in self._between:
            self._between.add(self._act)
            between()
        await self._start()

    def borders(self, *named: str) -> int:
        """Return how many borders (of this step and side) all lives so far have passed."""
        return sum(line[0] == "border" and named in ((), tuple(line[1:3])) for line in tallied(self.hub.life))

    def tally(self) -> list[list[str]]:
        return list(tallied(self.hub.life))

    def _log(self) -> str:
        path = self.hub.life.folder / "hub.log"
        return path.read_text()[-3000:] if path.exists() else "no log"

    async def _attached(self) -> tuple[Desk, Agent]:
        async def attach() -> RemoteDesk | None:
            if not await self.hub.alive():
                raise HubAbsent("The hub was killed.")
            try:
                return await RemoteDesk.connect(self.hub.socket)
            except AgentConsoleError:
                return None

        if self._line is None:
            self._line = await until(attach, 20, "a hub that answers")
        return as_desk(self._line), self._line.who

    async def _detach(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.aclose()

    # -- comparing -----------------------------------------------------------------------------------------

    async def check(self) -> None:
        """Compare the ledgers."""
        desk, who = await self._attached()
        received = self.world.received()
        twice = {text: count for text, count in received.items() if count > 1}
        assert not twice, f"sent twice: {twice}"
        strangers = set(received) - {act.text for act in self.scenario.acts if isinstance(act, Answers)}
        assert not strangers, f"nobody wrote this: {strangers}"
        held = ledger.read(self.store)
        wanted = Counter(said.text for said in self.world.said if said.text not in self.gone)
        wanted.update(text for text in self.imported if text not in self.gone)
        texts = Counter(text for text in held.texts() if text)
        assert texts == wanted, f"lost: {wanted - texts}, doubled or invented: {texts - wanted}"
        self._check_replies(held, received)
        await self._check_socket(desk, who, held)
        assert ledger.drafts(self.store) == sorted(self.drafts)
        for text in self.gone:
            assert not ledger.holding(self.store, text), f"{text!r} is still in {ledger.holding(self.store, text)}"
        assert not list(self.store.rglob("*.tmp"))
        await self._detach()

    def _check_replies(self, held: ledger.Ledger, received: Counter[str]) -> None:
        rows = {str(row["text"]): row for row in held.all("reply")}
        kept = {text for text in self.acknowledged if text not in self.gone}
        assert len(rows) == len(held.all("reply")), "a reply is in the store twice"
        assert set(rows) == kept, f"replies lost: {kept - set(rows)}, invented: {set(rows) - kept}"
        for text, row in rows.items():
            assert row["id"] == self.acknowledged[text]
            state = held.state(str(row["id"]))
            self.uncertain += state == "uncertain"
            possible = {True: {*ledger.ARRIVED, "uncertain"}, False: {"uncertain"}}[received[text] > 0]
            if not self.deaths:
                possible.discard("uncertain")
            assert state in possible, f"{text!r} is {state} although the world received {received[text]}"

    async def _check_socket(self, desk: Desk, who: Agent, held: ledger.Ledger) -> None:
        seen: list[str] = []
        replies: dict[EntryId, Delivery] = {}
        notes: list[str] = []
        customers = {
            await desk.find(who, customer) for person, customer in self.ids.items() if person not in self.erased
        }
        for customer in customers:
            page = await desk.timeline(who, customer, EntryId(""), 200)
            seen += [entry.text.strip() for entry in page.entries if isinstance(entry, Received)]
            notes += [entry.text for entry in page.entries if isinstance(entry, Note)]
            for entry in page.entries:
                if isinstance(entry, Reply):
                    replies[entry.id] = page.states[entry.id].state
        assert Counter(filter(None, seen)) == Counter(filter(None, held.texts())), "the socket tells another story"
        assert Counter(notes) == Counter(text for text in self.noted if text not in self.gone)
        for reply, state in replies.items():
            assert state == held.state(reply), f"the socket says {state}, the file {held.state(reply)}"


def tallied(life: Life) -> Iterable[list[str]]:
    """Return the lines of a hub's tally, cut into words."""
    return (line.split() for line in life.tally.read_text().splitlines()) if life.tally.exists() else ()


def steps_met(life: Life) -> set[tuple[str, str]]:
    """Return which borders (step and side) the lives on one folder passed."""
    return {(line[1], line[2]) for line in tallied(life) if line[0] == "border"}


@asynccontextmanager
async def playing(scenario: Scenario, abort: str = "", **other: Any) -> AsyncIterator[Play]:
    """Lend a stage: a world and a folder of its own."""
    with quick_folder("ack-") as folder:
        world = World()
        await world.start()
        accounts = world.accounts(*scenario.channels)
        port = world.port if "sms" in scenario.channels else 0
        hub = HubProcess(Life(folder, accounts, world.secrets, port, **other))
        found = Play(world, hub, scenario, abort)
        try:
            yield found
        finally:
            await found._detach()
            await hub.stop()
            await world.stop()


@dataclass
class Walked:
    """What a walk over the borders of one scenario found."""

    scenario: str
    lives: int = 0
    killed: int = 0
    borders: int = 0
    uncertain: int = 0
    met: set[tuple[str, str]] = field(default_factory=set)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a life that nobody ended passed each border."""


async def perform(
    scenario: Scenario, abort: str, walked: Walked, *, again: str = "", inject: tuple[str, ...] = (), plant: str = ""
) -> bool:
    """Play a scenario once with a death at border ``abort``; say whether somebody died."""
    async with playing(scenario, abort, plant=plant) as play:
        play.again, play.inject = again, inject
        try:
            died = await play.play()
            await play.check()
        except BaseException as exc:
            exc.add_note(f"{scenario.name}, border {abort}, {again} {' '.join(inject)}: {play._log()}")
            raise
        walked.lives += 1
        walked.killed += died
        walked.uncertain += play.uncertain
        walked.met |= steps_met(play.hub.life)
        if not abort:
            walked.borders = play.borders()
            lines = (line for line in tallied(play.hub.life) if line[0] == "border")
            walked.counts = Counter((line[1], line[2]) for line in lines)
        return died


async def walk(scenario: Scenario, start: int = 1, step: int = 1, say: Callable[[str], None] = print) -> Walked:
    """Kill at every ``step``-th border from ``start`` until a life meets none."""
    walked = Walked(scenario.name)
    await perform(scenario, "", walked)
    border = start
    while await perform(scenario, str(border), walked):
        border += step
        if walked.lives % 50 == 0:
            say(f"{scenario.name}: {walked.lives} lives, border {border} of about {walked.borders}")
    return walked


async def walk_steps(scenario: Scenario, known: Collection[str], most: int) -> Walked:
    """Kill before and after each of the first ``most`` steps of every kind that is not ``known``."""
    walked = Walked(scenario.name)
    await perform(scenario, "", walked)
    for (step, side), count in sorted(walked.counts.items()):
        if step not in known:
            for number in range(1, min(count, most) + 1):
                await perform(scenario, f"{step}:{side}:{number}", walked)
    return walked
