"""The part of the Desk that says which addresses are one person's: new customers, links, merges, splits.

Every further address that an agent names has a record of its own, joined by an edge: so its messages, opt-outs and
wishes can be parted from the others' later without moving anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agentconsole.desk import Agent
from agentconsole.domain import identity, parting
from agentconsole.domain.entries import AddressLinked, AnyEntry, Merged, Named, Parted, Unparted
from agentconsole.domain.model import Address, CustomerId, EntryId, Parting, Trust, derive_id
from agentconsole.errors import NotFound, Refused
from agentconsole.hub.desk.base import key_of
from agentconsole.hub.desk.reading import Reading


class Joining(Reading):
    async def merge(self, who: Agent, request: str, keep: CustomerId, absorb: CustomerId) -> EntryId:
        self.need(who, "customer")
        return await self._merge(who, request, keep, absorb, EntryId(""))

    async def _merge(
        self, who: Agent, request: str, keep: CustomerId, absorb: CustomerId, suggestion: EntryId
    ) -> EntryId:
        edge = EntryId(derive_id("e", "merged", key_of(request)))
        async with self.people:
            if await self.store.known([edge]):
                return edge
            one, other = await self.person(keep), await self.person(absorb)
            if one.id == other.id:
                raise Refused("These are one customer already. Nothing was changed.", "")
            merged = identity.merge(edge, one, other, who.name, self.clock.now(), suggestion)
            await self.store.change(one.id, lambda _snapshot: [merged])
        await self.audit(who, "merge", one.id, other.id)
        return edge

    async def unmerge(self, who: Agent, request: str, customer: CustomerId, merge: EntryId) -> None:
        self.need(who, "customer")
        end = EntryId(derive_id("e", "unmerged", key_of(request)))
        async with self.people:
            if await self.store.known([end]):
                return
            person = await self.person(customer)
            edges = sorted((e for e in person.merges if merge or not e.why), key=lambda edge: edge.at)
            edge = next((e for e in edges if e.id == merge), None) if merge else (edges[-1] if edges else None)
            if edge is None:
                raise NotFound("There is no such merge to end. Nothing was changed.", "See: agentconsole show")
            entry = identity.unmerge(end, edge.id, who.name, self.clock.now())
            await self.store.change(person.owners[edge.id], lambda _snapshot: [entry])
        await self.audit(who, "unmerge", customer, edge.id)

    async def split(
        self, who: Agent, request: str, customer: CustomerId, addresses: Sequence[str], name: str
    ) -> CustomerId:
        self.need(who, "customer")
        named = list(dict.fromkeys([await self.parse(text) for text in addresses]))
        planned = EntryId(derive_id("e", "parted", key_of(request)))
        async with self.people:
            found = await self.store.entry(planned)
            if found is not None and isinstance(found[1], Parted):
                parted = found[1]  # the hub may have died half-way: the rest is written now
            elif await self.store.known([planned]):
                raise Refused("This customer was erased since. Nothing was changed.", "")
            else:
                person = await self.person(customer)
                snapshots = {member: await self.store.snapshot(member) for member in person.members}
                holds = {
                    member: [linked.address for linked in snapshot.addresses.values()]
                    for member, snapshot in snapshots.items()
                    if snapshot is not None
                }
                # Later than every other, so that it is plain which one builds on which.
                at = max([self.clock.now(), *(one.at + timedelta(microseconds=1) for one in person.partings)])
                parted = parting.part(planned, person, holds, named, who.name, at)
                await self.append(parted.one, parted)
            await self.append(parted.other, parting.mirror(parted, name.strip()))
            for record, end in parting.ends(parted):
                await self.append(record, end)
            for record, kept in parting.keeps(parted):
                await self.append(record, kept)
        await self.audit(who, "split", parted.one, parted.other)
        return (await self.person(parted.other)).id

    async def unsplit(self, who: Agent, request: str, customer: CustomerId) -> CustomerId:
        self.need(who, "customer")
        undo = EntryId(derive_id("e", "unparted", key_of(request)))
        async with self.people:
            done = await self.store.entry(undo)
            if done is not None:
                return (await self.person(done[0])).id
            person = await self.person(customer)
            split = max(person.partings, key=lambda one: (one.at, one.id), default=None)
            if split is None:
                raise NotFound("No split of this customer is left to undo. Nothing was changed.", "")
            found = await self.store.entry(split.of or split.id)
            if found is None or not split.one:
                raise Refused("The other side was erased, so there is nothing to go back to.", "")
            whole = (await self.person(found[0])).partings
            split = next((one for one in whole if one.id == found[1].id), split)
            await self._undoable(split)
            await self._take_up(who, split, undo)
            one = await self.person(split.one)
        await self.audit(who, "unsplit", split.one, split.other)
        return one.id

    async def _undoable(self, split: Parting) -> None:
        """Refuse to undo a split that a later one builds on: what that one parted would be joined again."""
        for side in (split.one, split.other):
            for later in (await self.person(side)).partings:
                if (later.of or later.id) != split.id and later.at > split.at:
                    raise Refused(
                        "A later split builds on this one. Nothing was changed.",
                        f"Undo that first: agentconsole customer unsplit {later.other}",
                    )

    async def _take_up(self, who: Agent, split: Parting, undo: EntryId) -> None:
        """Take the ended merges up again and end those that the split made. The entry that says so comes last: until
        then a repeat finishes what a crash left."""
        now = self.clock.now()
        for edge, record in split.ended.items():
            found = await self.store.entry(edge)
            if found is not None and isinstance(found[1], Merged):
                await self.append(record, parting.again(split, found[1], now))
        for record, end in parting.released(split, who.name, now):
            await self.append(record, end)
        off = EntryId(derive_id("e", "parted-off", split.id))
        gone = Unparted(
            id=EntryId(derive_id("e", "unparted-off", split.id)), at=now, parting=off, by=who.name, of=split.id
        )
        await self.append(split.other, gone)
        await self.append(split.one, Unparted(id=undo, at=now, parting=split.id, by=who.name))

    async def add_customer(self, who: Agent, request: str, name: str, addresses: Sequence[str]) -> CustomerId:
        self.need(who, "customer")
        record = CustomerId(derive_id("k", "added", key_of(request))[:17])
        parsed = list(dict.fromkeys([await self.parse(text) for text in addresses]))
        homes = {address: _home(record, address) if place else record for place, address in enumerate(parsed)}
        named = EntryId(derive_id("e", "named", record))
        async with self.people:
            again = bool(await self.store.known([named]))
            if again and await self.store.customer(record) is None:
                raise Refused("This customer was erased since. Nobody was added.", "To add them anew: another key.")
            for address in () if again else parsed:
                owner = await self.store.find(address)
                if owner is not None and owner != homes[address]:
                    raise Refused(
                        f"{address.value} belongs to a customer already. Nobody was added.", f"See: show {owner}"
                    )
            now = self.clock.now()
            entries: list[AnyEntry] = [
                Named(id=named, at=now, name=name, by=who.name),
                *(_linked(record, address, who, now) for address in parsed[:1]),
                *(_edge(record, homes[address], who, now) for address in parsed[1:]),
            ]
            await self.store.change(record, lambda _snapshot: entries)
            for address in parsed[1:]:
                link = _linked(homes[address], address, who, now)
                await self.store.change(homes[address], lambda _snapshot, link=link: [link])  # type: ignore[misc]
        if not again:
            await self.audit(who, "add", record)
        return record

    async def link(self, who: Agent, request: str, customer: CustomerId, address: str) -> None:
        self.need(who, "customer")
        parsed = await self.parse(address)
        async with self.people:
            person = await self.person(customer)
            now = self.clock.now()
            home = CustomerId(derive_id("k", "linked", key_of(request), str(parsed))[:17])
            link = _linked(home, parsed, who, now, key_of(request))
            if await self.store.known([link.id]):
                return
            owner = await self.store.find(parsed)
            if owner is not None and owner not in person.members:
                other = await self.person(owner)
                raise Refused(
                    f"{parsed.value} belongs to {other.name or other.id}. Nothing was changed.",
                    f"If they are one person: agentconsole customer merge {person.id} {other.id}",
                )
            if owner is not None:
                await self.append(owner, link)
            else:
                # The edge first: one that leads to nobody counts for nothing until there is somebody.
                await self.append(person.id, _edge(person.id, home, who, now))
                await self.store.change(home, lambda _snapshot: [link])
        await self.audit(who, "link", person.id, str(parsed))


def _home(record: CustomerId, address: Address) -> CustomerId:
    """Return the record of a further address of a customer that is added."""
    return CustomerId(derive_id("k", "added", record, str(address))[:17])


def _edge(keep: CustomerId, home: CustomerId, who: Agent, at: datetime) -> Merged:
    return Merged(id=EntryId(derive_id("e", "linked-edge", home)), at=at, other=home, by=who.name, why=parting.LINKED)


def _linked(record: CustomerId, address: Address, who: Agent, at: datetime, request: str = "") -> AddressLinked:
    return AddressLinked(
        id=EntryId(derive_id("e", "linked", record, str(address), request)),
        at=at,
        address=address,
        trust=Trust.CLAIMED,
        by=who.name,
        why="agent",
    )
