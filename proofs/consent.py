"""No reply leaves after an opt-out was acknowledged, whatever happens at the same time.

    python -m proofs.consent [--n 10000] [--seed 1]

Each play is the hub's own Desk and Dispatch over a store in memory that gives way at every call, so that what runs at
once is mixed anew by every seed: opt-outs by agents, by the word STOP and by the provider, opt-ins, messages, replies,
messages that we begin, merges, unmerges, sends with claim and commit, failures, and hubs that die and start again.

Who judges is a model of its own. It reads what the store keeps, in the order in which it was kept, and knows nothing
of ``domain.permission``: at each commit it asks whether any record of the person then joined forbids that medium, and
allows one answer to a message that came after the opt-out: a reply that was queued while it was the newest. A merge has
the union, an unmerge the former state.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agentconsole.desk import Agent, Compose
from agentconsole.domain.beginning import Rules
from agentconsole.domain.entries import (
    AnyEntry,
    ConsentChanged,
    Merged,
    Receipt,
    Received,
    Reply,
    Unmerged,
)
from agentconsole.domain.guards import Cap
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConsentScope,
    ConversationId,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Snapshot,
)
from agentconsole.domain.preference import Policy
from agentconsole.errors import AgentConsoleError, OutcomeUnknown, PermanentFailure, TemporaryFailure
from agentconsole.hub import believing
from agentconsole.hub.desk_over_store import DeskOverStore
from agentconsole.hub.dispatch import Dispatch
from agentconsole.hub.health import Health
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import Channel, Commit, Outgoing, Report
from agentconsole.store.memory import MemoryStore
from proofs.report import Report as Table
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock

WHO: Final = Agent(AgentName("mina"))
K1, K2 = CustomerId("k1"), CustomerId("k2")
CHAT, MAIL, EVERY = Medium("whatsapp"), Medium("email"), Medium("")
ADDRESSES: Final = {
    K1: {CHAT: Address("phone", "", "+442079460182"), MAIL: Address("email", "", "emily@example.com")},
    K2: {CHAT: Address("phone", "", "+442079460183"), MAIL: Address("email", "", "e.rhodes@example.com")},
}
ACCOUNTS: Final = {CHAT: AccountName("wa"), MAIL: AccountName("mail")}
DEEDS: Final = 14
"""Things that happen in one play, several of them at once."""


@dataclass
class Seen:
    """What the model knows of one record."""

    denied: dict[str, int] = field(default_factory=dict)
    wrote: dict[str, int] = field(default_factory=dict)


@dataclass
class Model:
    """Judges every commit by what was kept before it."""

    records: dict[CustomerId, Seen] = field(default_factory=lambda: {K1: Seen(), K2: Seen()})
    edges: set[EntryId] = field(default_factory=set)
    replies: dict[EntryId, tuple[CustomerId, Medium, bool]] = field(default_factory=dict)
    asked: dict[EntryId, int] = field(default_factory=dict)
    left: set[EntryId] = field(default_factory=set)
    step: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def keep(self, record: CustomerId, entry: AnyEntry) -> None:
        self.step += 1
        seen = self.records[record]
        match entry:
            case ConsentChanged(allowed=False) if entry.scope == ConsentScope.ALL:
                seen.denied[entry.medium] = self.step
                self.counts["opt-outs"] += 1
            case ConsentChanged(allowed=True) if entry.scope == ConsentScope.ALL:
                for medium in [m for m in seen.denied if entry.medium in ("", m)]:
                    del seen.denied[medium]
                self.counts["opt-ins"] += 1
            case Received():
                seen.wrote[entry.medium] = self.step
            case Reply():
                self.replies[entry.id] = record, entry.medium, entry.proactive
                together = (K1, K2) if self.edges else (record,)
                self.asked[entry.id] = max(self.records[name].wrote.get(entry.medium, 0) for name in together)
                self.counts["replies queued"] += 1
            case Merged():
                self.edges.add(entry.id)
                self.counts["merges"] += 1
            case Unmerged():
                self.edges.discard(entry.merge)
                self.counts["unmerges"] += 1
            case Receipt(state=Delivery.SENDING, committed=True):
                self._commit(entry.reply)
            case Receipt(state=Delivery.FAILED | Delivery.QUEUED, committed=False):
                self._came_back(entry)
            case _:
                pass

    def _commit(self, reply: EntryId) -> None:
        record, medium, proactive = self.replies[reply]
        together = (K1, K2) if self.edges else (record,)
        self.counts["commits"] += 1
        denied = [at for name in together for m, at in self.records[name].denied.items() if m in ("", medium)]
        if denied:
            asked = self.asked[reply]
            twice = [other for other in self.left if other != reply and self.asked[other] == asked]
            if proactive or asked < max(denied) or twice:
                told = f"denied {denied}, asked {asked}, answered {twice}"
                self.wrong.append(f"{reply} by {medium} to {record} at step {self.step}, {told}")
            else:
                self.counts["one answer after an opt-out"] += 1
        self.left.add(reply)

    def _came_back(self, receipt: Receipt) -> None:
        """A failure that the provider vouches for: nothing left, so it was no answer."""
        self.left.discard(receipt.reply)


class Yielding(MemoryStore):
    """Lets others go on before and after every call that permission depends on, and tells the model what is kept."""

    def __init__(self, clock: HandClock, model: Model, chance: random.Random) -> None:
        super().__init__(clock, CountingRandomness())
        self.model = model
        self.chance = chance

    async def breathe(self) -> None:
        for _ in range(self.chance.choice((0, 0, 1, 2, 4))):
            await asyncio.sleep(0)

    async def change(self, record: CustomerId, decide: Callable[[Snapshot], Sequence[AnyEntry]]) -> Snapshot:
        await self.breathe()
        before = len(self._entries.get(record, ()))
        found = await super().change(record, decide)
        for entry in self._entries.get(record, ())[before:]:
            self.model.keep(record, entry)
        await self.breathe()
        return found

    async def customer(self, customer: CustomerId) -> Any:
        await self.breathe()
        found = await super().customer(customer)
        await self.breathe()
        return found


class Post:
    """A provider that takes, refuses, answers late or not at all."""

    def __init__(self, play: Play) -> None:
        self._play = play

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        chance, store = self._play.chance, self._play.store
        await store.breathe()
        if chance.random() < 0.15:
            raise TemporaryFailure("down", reason="rate_limited", retry_after=1)
        await commit()
        await store.breathe()
        fate = chance.random()
        if fate < 0.06:
            raise PermanentFailure("no", reason="undeliverable")
        if fate < 0.10:
            raise PermanentFailure("STOP", reason="opted_out")
        if fate < 0.16:
            raise OutcomeUnknown("cut", reason="line_cut")
        return Report(f"ext-{outgoing.key}")


class Play:
    """One mixing of deeds, from a seed."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        self.clock = HandClock()
        self.model = Model()
        self.store = Yielding(self.clock, self.model, self.chance)
        self.people = asyncio.Lock()
        chat, mail = paper.chat(paper.Post(), reply_window=None), paper.mail(paper.Post())
        self.accounts: dict[AccountName, AccountSetup] = {chat.name: chat, mail.name: mail}
        self.profile = HubProfile(policy=Policy(rules=Rules(cap=Cap(messages=0))), free_floor=0)
        self.health = Health(self.accounts.values(), self.clock)
        self.log = logging.getLogger("proofs.consent")
        self.log.disabled = True
        self.desk = DeskOverStore(
            self.store, self.accounts, self.health, self.profile, self.clock, self._wake, self.people, _Nothing()
        )
        self.dispatch = self._dispatch()
        self.sending: list[asyncio.Task[Any]] = []
        self.number = 0

    def _wake(self, account: AccountName) -> None:
        self.dispatch.wake(account)

    def _dispatch(self) -> Dispatch:
        post: Channel = Post(self)  # type: ignore[assignment]
        channels = dict.fromkeys(self.accounts, post)
        return Dispatch(
            self.store,
            self.accounts,
            channels,
            self.health,
            self.profile,
            self.clock,
            CountingRandomness(),
            self.log,
            self.people,
        )

    async def run(self) -> None:
        for record in (K1, K2):
            for medium in (CHAT, MAIL):
                await self._write(record, medium)
        self._start()
        at_once: list[asyncio.Task[None]] = []
        for _ in range(DEEDS):
            self.clock.move(seconds=self.chance.choice((0, 1, 5, 60)))
            at_once.append(asyncio.ensure_future(self._deed()))
            for _ in range(self.chance.choice((0, 1, 3, 8))):
                await asyncio.sleep(0)
            if self.chance.random() < 0.12:
                await self._die()
        await asyncio.gather(*at_once)
        for _ in range(3):
            self.clock.move(minutes=5)
            for _ in range(40):
                await asyncio.sleep(0)
        await self._stop()

    # -- the hub's sending ---------------------------------------------------------------------------------

    def _start(self) -> None:
        self.sending = [asyncio.ensure_future(self.dispatch.run(name)) for name in self.accounts]

    async def _stop(self) -> None:
        for task in self.sending:
            task.cancel()
        await asyncio.gather(*self.sending, return_exceptions=True)

    async def _die(self) -> None:
        """End sending wherever it is, and begin again with what is kept."""
        self.model.counts["deaths"] += 1
        await self._stop()
        self.dispatch = self._dispatch()
        await self.dispatch.recover()
        self._start()

    # -- what happens --------------------------------------------------------------------------------------

    async def _deed(self) -> None:
        record = self.chance.choice((K1, K2))
        medium = self.chance.choice((CHAT, CHAT, MAIL))
        deed = self.chance.choices(
            (
                self._reply,
                self._begin,
                self._opt_out,
                self._stop_word,
                self._opt_in,
                self._write,
                self._merge,
                self._part,
            ),
            (8, 3, 3, 3, 2, 6, 2, 2),
        )[0]
        with contextlib.suppress(AgentConsoleError):
            await deed(record, medium)

    def _name(self) -> str:
        self.number += 1
        return f"n{self.number}"

    async def _reply(self, record: CustomerId, medium: Medium) -> None:
        await self.desk.reply(WHO, self._name(), Compose(record, "hello", medium=medium))

    async def _begin(self, record: CustomerId, medium: Medium) -> None:
        begun = Compose(record, "hello", medium=medium, proactive=True, purpose="invoices")
        await self.desk.reply(WHO, self._name(), begun)

    async def _opt_out(self, record: CustomerId, medium: Medium) -> None:
        where = self.chance.choice((medium, EVERY))
        await self.desk.consent(WHO, self._name(), record, where, ConsentScope.ALL, False)

    async def _opt_in(self, record: CustomerId, medium: Medium) -> None:
        where = self.chance.choice((medium, EVERY))
        await self.desk.consent(WHO, self._name(), record, where, ConsentScope.ALL, True)

    async def _write(self, record: CustomerId, medium: Medium) -> None:
        await self._file(record, medium, "where is it?", stops=False)

    async def _stop_word(self, record: CustomerId, medium: Medium) -> None:
        await self._file(record, medium, "STOP", stops=True)

    async def _file(self, record: CustomerId, medium: Medium, text: str, *, stops: bool) -> None:
        """File a message as the hub's intake does: under the lock, the word and its meaning in one change."""
        name, at = self._name(), self.clock.now()

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            message = Received(
                id=EntryId(f"e{name}"),
                at=at,
                account=ACCOUNTS[medium],
                medium=medium,
                sender=ADDRESSES[record][medium],
                conversation=ConversationId(f"c{record}"),
                stored_at=self.clock.now(),
                text=text,
            )
            if not stops:
                return [message]
            heard = believing.heard(snapshot, self.clock)
            return [message, ConsentChanged(id=EntryId(f"o{name}"), at=heard, medium=medium, words=text)]

        async with self.people:
            await self.store.change(record, decide)

    async def _merge(self, record: CustomerId, _medium: Medium) -> None:
        await self.desk.merge(WHO, self._name(), record, K2 if record == K1 else K1)

    async def _part(self, record: CustomerId, _medium: Medium) -> None:
        await self.desk.unmerge(WHO, self._name(), record, EntryId(""))


class _Nothing:
    """What the Desk asks of a running hub and this proof does not need."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def plays(count: int, seed: int) -> Iterator[Model]:
    """Run plays and yield what the model saw of each."""

    async def one(name: str) -> Model:
        play = Play(name)
        await play.run()
        return play.model

    for number in range(count):
        yield asyncio.run(one(f"{seed}/{number}"))


@dataclass
class Figures:
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def proof(count: int, seed: int) -> Figures:
    figures = Figures()
    for number, model in enumerate(plays(count, seed)):
        figures.counts += model.counts
        figures.wrong += [f"play {seed}/{number}: {what}" for what in model.wrong]
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit code 1 where a reply left that must not have."""
    parser = argparse.ArgumentParser(prog="python -m proofs.consent", description="Nothing leaves after an opt-out.")
    parser.add_argument("--n", type=int, default=10_000, help="plays")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    figures = proof(options.n, options.seed)
    table = Table("Opt-outs against everything", f"python -m proofs.consent --n {options.n} --seed {options.seed}")
    table.add("plays", options.n, "-", True)
    for what, number in sorted(figures.counts.items()):
        table.add(what, number, "more than 0", number > 0)
    table.add("commits after an acknowledged opt-out", len(figures.wrong), "0", not figures.wrong)
    table.add("time", f"{time.monotonic() - began:.0f} s", "-", True)
    for what in figures.wrong[:5]:
        print(what)
    return table.finish()


if __name__ == "__main__":
    raise SystemExit(main())
