"""Ending a merge and undoing a split give back exactly what was, also after later messages:
``python -m proofs.identity [SEQUENCES]``.

Random lives of four people: messages, links, names, consents, preferences, notes, merges, accepted suggestions, ends
of merges, splits and their undoing. Whenever no merge and no split is left, every record must be what its own entries
add up to as if it had never been merged or split, every message must lie with the record that held its sender's
address, and every address must still be there. While a split holds, each of its addresses and messages must be the
other person's alone; one that is undone at once must leave the same customer.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from dataclasses import dataclass, field

from msgspec.structs import replace

from agentconsole.desk import Agent
from agentconsole.domain import history
from agentconsole.domain.entries import (
    AddressLinked,
    AnyEntry,
    Merged,
    Parted,
    Received,
    SuggestionAnswered,
    Unmerged,
    Unparted,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConsentScope,
    CustomerId,
    EntryId,
    Medium,
    Snapshot,
)
from agentconsole.domain.parting import LINKED
from agentconsole.domain.person import combine
from agentconsole.errors import NotFound, Refused
from agentconsole.hub.desk.people import People
from agentconsole.hub.desk.working import Working
from agentconsole.hub.filing import Filing
from agentconsole.hub.health import Health
from agentconsole.hub.parser import InlineParser
from agentconsole.hub.profile import HubProfile
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock

WHO = Agent(AgentName("mina"))
SENDERS = (
    ("mail", Address("email", "", "emily@example.com")),
    ("mail", Address("email", "", "emily@work.example")),
    ("wa", Address("phone", "", "+442079460182")),
    ("wa", Address("phone", "", "+821012345678")),
)
STEPS = (
    *("message", "merge", "unmerge", "consent", "prefer", "rename", "link", "note", "accept", "pause"),
    *("split", "unsplit", "there_and_back"),
)
WEIGHTS = (8, 4, 3, 2, 2, 1, 2, 2, 2, 2, 4, 2, 1)


@dataclass
class Figures:
    sequences: int = 0
    merges: int = 0
    after_merges: int = 0
    """Messages that came while their record was merged."""
    splits: int = 0
    after_splits: int = 0
    """Messages that came to one side of a split."""
    differences: list[str] = field(default_factory=list)


class Life:
    """One random sequence in a world of its own."""

    def __init__(self, seed: int, figures: Figures) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.figures = figures
        self.clock = HandClock()
        self.store = MemoryStore(self.clock, CountingRandomness())
        self.accounts = {setup.name: setup for setup in (paper.mail(paper.Post()), paper.chat(paper.Post()))}
        people = asyncio.Lock()
        profile = HubProfile(region="GB", free_floor=0)
        kinds = {setup.kind.name: setup.kind for setup in self.accounts.values()}
        log = logging.getLogger("proofs.identity")
        self.filing = Filing(
            self.store, self.accounts, profile, InlineParser(kinds), self.clock, log, people, self._settled
        )
        health = Health(self.accounts.values(), self.clock)
        parts = (self.store, self.accounts, health, profile, self.clock, lambda _account: None, people)
        self.people = People(*parts, None)  # type: ignore[arg-type]
        self.working = Working(*parts, None)  # type: ignore[arg-type]
        self.number = 0
        self.records: list[CustomerId] = []
        self.senders = list(SENDERS)
        self.owner: dict[Address, CustomerId] = {}
        self.sent: dict[str, CustomerId] = {}

    async def _settled(self, _account: AccountName) -> None:
        return

    def request(self) -> str:
        self.number += 1
        return f"r{self.number}"

    async def run(self, steps: int) -> None:
        for account, sender in SENDERS:
            await self._arrives(account, sender)
        for _ in range(steps):
            self.clock.move(seconds=self.chance.choice((0, 1, 60, 5_000, 900_000)))
            step = self.chance.choices(STEPS, WEIGHTS)[0]
            try:
                await getattr(self, f"do_{step}")()
            except (Refused, NotFound):
                continue  # they are one person already, or there is nothing to end
            await self._compare()
        while await self._end_one():
            pass
        if not await self._compare():
            self._differs(self.records[0], "something cannot be undone")
        self.figures.sequences += 1

    # -- what happens ----------------------------------------------------------------------------------------

    async def _arrives(self, account: str, sender: Address) -> None:
        self.number += 1
        texts = ("hello", "STOP", "START", "call me at +44 20 7946 0182", "write to emily@work.example", "안녕하세요")
        message = paper.message(f"m{self.number}", sender, self.chance.choice(texts), self.clock.now(), place="p")
        post = paper.Post()
        post.put(message)
        await self.filing.file(self.accounts[AccountName(account)], post.box[0])
        holder = await self.store.find(sender)
        assert holder is not None
        if sender not in self.owner:
            self.owner[sender] = holder
            self.records.append(holder)
        self.sent[message.identity] = self.owner[sender]
        person = await self.store.customer(holder)
        assert person is not None
        self.figures.after_merges += any(not edge.why for edge in person.merges)
        self.figures.after_splits += bool(person.partings)

    def _one(self) -> CustomerId:
        return self.chance.choice(self.records)

    async def do_message(self) -> None:
        await self._arrives(*self.chance.choice(self.senders))

    async def do_merge(self) -> None:
        await self.people.merge(WHO, self.request(), self._one(), self._one())
        self.figures.merges += 1

    async def do_accept(self) -> None:
        found = await self.people.suggestions(WHO, self._one())
        if found:
            await self.people.answer_suggestion(WHO, self.request(), self.chance.choice(found).id, True)
            self.figures.merges += 1

    async def do_unmerge(self) -> None:
        person = await self.people.person(self._one())
        edges = [edge for edge in person.merges if not edge.why]
        if edges:
            await self.people.unmerge(WHO, self.request(), person.id, self.chance.choice(edges).id)

    async def _split(self) -> CustomerId:
        person = await self.people.person(self._one())
        some = [linked.address for linked in person.addresses]
        named = self.chance.sample(some, self.chance.randint(1, max(len(some) - 1, 1)))
        name = self.chance.choice(("", f"Bob {self.number}"))
        request, words = self.request(), [str(address.value) for address in named]
        other = await self.people.split(WHO, request, person.id, words, name)
        assert await self.people.split(WHO, request, person.id, words, name) == other  # a repeat changes nothing more
        self.figures.splits += 1
        for address in some:
            holder = await self.store.find(address)
            assert holder is not None
            if ((await self.people.person(holder)).id == other) != (address in named):
                self._differs(other, f"{address} on the wrong side of a split")
        page = await self.store.history(other)
        assert page is not None
        for entry in page.entries:
            if isinstance(entry, Received) and entry.sender in some and entry.sender not in named:
                self._differs(other, f"a message of {entry.sender} on the wrong side of a split")
        return other

    async def do_split(self) -> None:
        await self._split()

    async def do_unsplit(self) -> None:
        await self.people.unsplit(WHO, self.request(), self._one())

    async def do_there_and_back(self) -> None:
        before = {record: await self.store.customer(record) for record in self.records}
        other = await self._split()
        await self.people.unsplit(WHO, self.request(), other)
        for record, person in before.items():
            if await self.store.customer(record) != person:
                self._differs(record, "a split that was undone at once")

    async def do_consent(self) -> None:
        medium, scope = Medium(self.chance.choice(("", "email", "whatsapp"))), self.chance.choice(list(ConsentScope))
        await self.people.consent(WHO, self.request(), self._one(), medium, scope, self.chance.random() < 0.4)

    async def do_prefer(self) -> None:
        medium = Medium(self.chance.choice(("", "email", "whatsapp")))
        purpose = self.chance.choice(("", "invoices"))
        await self.people.prefer(WHO, self.request(), self._one(), medium, purpose, EntryId(""))

    async def do_rename(self) -> None:
        await self.people.rename(WHO, self.request(), self._one(), f"Emily {self.number}")

    async def do_link(self) -> None:
        address = Address("email", "", f"extra{self.number}@example.com")
        await self.people.link(WHO, self.request(), self._one(), address.value)
        holder = await self.store.find(address)
        assert holder is not None
        self.owner[address] = holder
        self.senders.append(("mail", address))

    async def do_note(self) -> None:
        person = await self.people.person(self._one())
        conversation = self.chance.choice(person.conversations)
        await self.working.note(WHO, self.request(), person.id, conversation.id, "asked again")

    async def do_pause(self) -> None:
        self.clock.move(seconds=10 * 86_400)

    async def _end_one(self) -> bool:
        for record in self.records:
            person = await self.people.person(record)
            if any(not edge.why for edge in person.merges):
                await self.people.unmerge(WHO, self.request(), person.id, EntryId(""))
                return True
        for record in [*self.records, *self.owner.values()]:
            try:
                await self.people.unsplit(WHO, self.request(), record)
            except (Refused, NotFound):
                continue
            return True
        return False

    # -- what must hold --------------------------------------------------------------------------------------

    async def _compare(self) -> bool:
        """Compare everybody where nothing is merged or split, and say whether that was so."""
        everybody = dict.fromkeys([*self.records, *self.owner.values()])
        snapshots = {record: await self.store.snapshot(record) for record in everybody}
        if any(s.partings or any(not e.why for e in s.merges.values()) for s in snapshots.values() if s is not None):
            return False
        expected = {record: await self._alone(record) for record in everybody}
        for record in self.records:
            linked = {edge.other for edge in expected[record].merges.values()}
            around = [linked]
            while around:  # a record that was linked may have further ones
                more = {edge.other for one in around.pop() for edge in expected[one].merges.values()} - linked
                linked |= more
                around += [more] if more else []
            alone = combine(record, {one: expected[one] for one in {record, *linked}})
            held = {edge.other for one in expected.values() for edge in one.merges.values()}
            if record not in held and await self.store.customer(record) != alone:
                self._differs(record, "the customer")
        return True

    async def _alone(self, record: CustomerId) -> Snapshot:
        snapshot = await self.store.snapshot(record)
        assert snapshot is not None
        entries = list(self.store._entries[record])
        expected = replace(never_merged(record, entries), count=snapshot.count)
        if snapshot != expected:
            self._differs(record, "the snapshot")
        for entry in entries:
            if isinstance(entry, Received) and self.owner[entry.sender] != record:
                self._differs(record, f"a message of {entry.sender}")
            if isinstance(entry, Received | AddressLinked):
                address = entry.sender if isinstance(entry, Received) else entry.address
                if str(address) not in snapshot.addresses:
                    self._differs(record, f"without {address}")
        return expected

    def _differs(self, record: CustomerId, what: str) -> None:
        self.figures.differences.append(f"seed {self.seed}: {record}: {what}")


def never_merged(record: CustomerId, entries: list[AnyEntry]) -> Snapshot:
    """Fold a record's own entries as if nobody had ever merged or split it."""
    accepted = {e.suggestion for e in entries if isinstance(e, Merged)}
    return history.fold(
        record,
        [
            entry
            for entry in entries
            if not isinstance(entry, Unmerged | Parted | Unparted)
            and not (isinstance(entry, Merged) and (entry.why != LINKED or entry.edge))
            and not (isinstance(entry, SuggestionAnswered) and entry.accepted and entry.suggestion in accepted)
        ],
    )


async def prove(sequences: int, first: int = 0, steps: int = 16) -> Figures:
    figures = Figures()
    for seed in range(first, first + sequences):
        await Life(seed, figures).run(steps)
    return figures


def main() -> int:
    sequences = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    logging.disable(logging.WARNING)
    found = asyncio.run(prove(sequences))
    print(
        f"{found.sequences} sequences, {found.merges} merges, {found.after_merges} messages while merged,"
        f" {found.splits} splits, {found.after_splits} messages while split: {len(found.differences)} differences"
    )
    for line in found.differences[:10]:
        print(f"  {line}")
    return 1 if found.differences or not (found.after_merges and found.after_splits) else 0


if __name__ == "__main__":
    raise SystemExit(main())
