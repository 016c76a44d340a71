"""The part of the Desk that changes what is known of a person: addresses, merges, preference, consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agentconsole.desk import (
    Agent,
    SuggestionView,
)
from agentconsole.domain import identity
from agentconsole.domain.addresses import EMAIL
from agentconsole.domain.entries import (
    AddressLinked,
    AddressTrusted,
    AddressUnlinked,
    AnyEntry,
    ConsentChanged,
    Named,
    PreferenceStated,
    Received,
    Suggested,
    WishSeen,
)
from agentconsole.domain.model import (
    Address,
    AgentName,
    ConsentScope,
    Customer,
    CustomerId,
    EntryId,
    LinkedAddress,
    Medium,
    Trust,
    derive_id,
)
from agentconsole.domain.wishes_rules import purpose_named
from agentconsole.errors import NotFound, Refused, UsageError
from agentconsole.hub.desk.base import key_of
from agentconsole.hub.desk.reading import Reading


class People(Reading):
    async def suggestions(self, who: Agent, customer: CustomerId) -> tuple[SuggestionView, ...]:
        self.need(who, "read")
        if customer:
            return await self.suggestions_about(await self.person(customer))
        found: list[SuggestionView] = []
        for line in await self.store.lines("all", who.name, limit=10_000):
            if line.suggestions and all(view.customer != line.customer for view in found):
                person = await self.person(line.customer)
                found.extend(await self.views(person, person.suggestions))
        return tuple(found)

    async def answer_suggestion(self, who: Agent, request: str, suggestion: EntryId, accept: bool) -> EntryId:
        self.need(who, "customer")
        found = await self.store.entry(suggestion)
        if found is None or not isinstance(found[1], Suggested):
            raise NotFound(f"There is no suggestion {suggestion}.", "See: agentconsole suggestion list")
        holder = await self.person(found[0])
        open_one = next((s for s in holder.suggestions if s.id == suggestion), None)
        if not accept:
            await self.append(found[0], identity.refuse(suggestion, who.name, key_of(request), self.clock.now()))
            return EntryId("")
        if open_one is None:
            edge = next((m for m in holder.merges if m.suggestion == suggestion), None)
            return edge.id if edge is not None else EntryId("")
        return await self._merge(who, request, holder.id, open_one.other, suggestion)

    async def postpone_suggestion(self, who: Agent, request: str, suggestion: EntryId, until: datetime) -> None:
        self.need(who, "customer")
        if until.tzinfo is None:
            raise UsageError("The time names no time zone. Nothing was changed.", "Add one: +00:00 or Z.")
        found = await self.store.entry(suggestion)
        if found is not None and isinstance(found[1], WishSeen):
            raise Refused(
                "A wish waits until somebody decides, and need not be put off. Nothing was changed.",
                f"agentconsole suggestion accept {suggestion}, or refuse",
            )
        if found is None or not isinstance(found[1], Suggested):
            raise NotFound(f"There is no suggestion {suggestion}.", "See: agentconsole suggestion list")
        now = self.clock.now()
        await self.append(found[0], identity.postpone(suggestion, who.name, key_of(request), until, now))

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
            edges = sorted(person.merges, key=lambda edge: edge.at)
            edge = next((e for e in edges if e.id == merge), None) if merge else (edges[-1] if edges else None)
            if edge is None:
                raise NotFound("There is no such merge to end. Nothing was changed.", "See: agentconsole show")
            entry = identity.unmerge(end, edge.id, who.name, self.clock.now())
            await self.store.change(person.owners[edge.id], lambda _snapshot: [entry])
        await self.audit(who, "unmerge", customer, edge.id)

    async def add_customer(self, who: Agent, request: str, name: str, addresses: Sequence[str]) -> CustomerId:
        self.need(who, "customer")
        record = CustomerId(derive_id("k", "added", key_of(request))[:17])
        parsed = [await self.parse(text) for text in addresses]
        named = EntryId(derive_id("e", "named", record))
        async with self.people:
            if await self.store.known([named]):
                if await self.store.customer(record) is None:
                    raise Refused("This customer was erased since. Nobody was added.", "To add them anew: another key.")
                return record
            for address in parsed:
                owner = await self.store.find(address)
                if owner is not None and owner != record:
                    raise Refused(
                        f"{address.value} belongs to a customer already. Nobody was added.", f"See: show {owner}"
                    )
            now = self.clock.now()
            entries: list[AnyEntry] = [
                Named(id=named, at=now, name=name, by=who.name),
                *(_linked(record, address, who, now) for address in parsed),
            ]
            await self.store.change(record, lambda _snapshot: entries)
        await self.audit(who, "add", record)
        return record

    async def rename(self, who: Agent, request: str, customer: CustomerId, name: str) -> None:
        self.need(who, "customer")
        person = await self.person(customer)
        entry = EntryId(derive_id("e", "named", key_of(request)))
        await self.append(person.id, Named(id=entry, at=self.clock.now(), name=name, by=who.name))

    async def link(self, who: Agent, request: str, customer: CustomerId, address: str) -> None:
        self.need(who, "customer")
        parsed = await self.parse(address)
        async with self.people:
            person = await self.person(customer)
            linked = [_linked(member, parsed, who, self.clock.now(), key_of(request)) for member in person.members]
            if await self.store.known([entry.id for entry in linked]):
                return
            owner = await self.store.find(parsed)
            if owner is not None and owner not in person.members:
                other = await self.person(owner)
                raise Refused(
                    f"{parsed.value} belongs to {other.name or other.id}. Nothing was changed.",
                    f"If they are one person: agentconsole customer merge {person.id} {other.id}",
                )
            entry = _linked(person.id, parsed, who, self.clock.now(), key_of(request))
            await self.store.change(person.id, lambda _snapshot: [entry])
        await self.audit(who, "link", person.id, str(parsed))

    async def unlink(self, who: Agent, request: str, customer: CustomerId, address: str) -> None:
        self.need(who, "customer")
        parsed = await self.parse(address)
        async with self.people:
            person = await self.person(customer)
            ends = {member: EntryId(derive_id("e", "unlinked", key_of(request), member)) for member in person.members}
            done = bool(await self.store.known(list(ends.values())))
            for member, end in ends.items():
                snapshot = await self.store.snapshot(member)
                if snapshot is not None and str(parsed) in snapshot.addresses:
                    done = True
                    gone = AddressUnlinked(id=end, at=self.clock.now(), address=parsed, by=who.name)
                    await self.append(member, gone)
            if not done:
                raise NotFound(f"{parsed.value} is not linked to this customer.", "See: agentconsole show")
        await self.audit(who, "unlink", person.id, str(parsed))

    async def trust_sender(
        self, who: Agent, request: str, customer: CustomerId, address: str, trusted: bool
    ) -> LinkedAddress:
        self.need(who, "customer")
        entry = EntryId(derive_id("e", "trusted", key_of(request)))
        async with self.people:
            person = await self.person(customer)
            wanted = await self.parse(address) if address else (person.heard.sender if person.heard else None)
            linked = next((known for known in person.addresses if known.address == wanted), None)
            if linked is None:
                raise NotFound("This customer has no such address. Nothing was changed.", "See: agentconsole show")
            if await self.store.known([entry]) or not (trusted or linked.trusted_by):
                return linked
            if trusted and linked.address.kind != EMAIL:
                raise Refused(
                    f"{linked.address.value} is no mail address, and only senders of mail are doubted. Nothing was"
                    " changed.",
                    "Name the mail address after the customer.",
                )
            if trusted and not identity.known_by(person, linked):
                raise Refused(
                    f"Nothing signs the mails of {linked.address.value}, so anybody's would pass for theirs. Nothing"
                    " was changed.",
                    "Open the history of one message instead: agentconsole show --open",
                )
            entries = [
                AddressTrusted(
                    id=entry,
                    at=self.clock.now(),
                    address=linked.address,
                    signer=identity.known_by(person, linked),
                    by=who.name if trusted else AgentName(""),
                )
            ]
            await self.store.change(person.owners[str(linked.address)], lambda _snapshot: entries)
        await self.audit(who, "trust" if trusted else "trust-end", person.id, f"{linked.address} {entries[0].signer}")
        person = await self.person(customer)
        return next(known for known in person.addresses if known.address == linked.address)

    async def prefer(
        self, who: Agent, request: str, customer: CustomerId, medium: Medium, purpose: str, evidence: EntryId
    ) -> None:
        self.need(who, "customer")
        person = await self.person(customer)
        statement = EntryId(derive_id("e", "prefers", key_of(request)))
        if await self.store.known([statement]):
            return
        found = await self.store.entry(evidence) if evidence else None
        source = found[1] if found is not None and isinstance(found[1], Received) else None
        if evidence and (found is None or source is None or found[0] not in person.members):
            raise NotFound(f"{evidence} is no message of this customer. Nothing was changed.", "See: agentconsole show")
        await self.append(
            person.id,
            PreferenceStated(
                id=statement,
                at=source.at if source is not None else self.clock.now(),
                medium=medium,
                purpose=purpose_named(purpose),
                by=who.name,
                evidence=evidence,
                evidence_medium=source.medium if source is not None else Medium(""),
            ),
        )
        await self.audit(who, "prefer", person.id, f"{medium} {purpose}".strip())

    async def consent(
        self, who: Agent, request: str, customer: CustomerId, medium: Medium, scope: ConsentScope, allowed: bool
    ) -> None:
        self.need(who, "customer")
        async with self.people:
            person = await self.person(customer)
            asked = [_consent_id(request, member, medium, scope) for member in person.members]
            if await self.store.known(asked) == frozenset(asked):
                return
            wanted = [(medium, scope), *(_taken_back(person, medium, scope) if allowed else ())]
            # An agent's word is the latest: a customer's of the same moment was heard before it.
            at = max([self.clock.now(), *(c.at + timedelta(microseconds=1) for c in person.consents)])
            for member in person.members:
                entries = [
                    ConsentChanged(
                        id=_consent_id(request, member, m, s),
                        at=at,
                        medium=m,
                        scope=s,
                        allowed=allowed,
                        by=who.name,
                    )
                    for m, s in dict.fromkeys(wanted)
                ]
                await self.store.change(member, lambda _snapshot, entries=entries: entries)  # type: ignore[misc]
        await self.audit(who, "opt-in" if allowed else "opt-out", person.id, f"{medium} {scope}")


def _consent_id(request: str, member: CustomerId, medium: Medium, scope: ConsentScope) -> EntryId:
    return EntryId(derive_id("e", "consent", key_of(request), member, medium, scope))


def _taken_back(customer: Customer, medium: Medium, scope: ConsentScope) -> list[tuple[Medium, ConsentScope]]:
    """Return the opt-outs that an opt-in ends.

    Raises:
        Refused: a wider opt-out would still forbid what the opt-in allows.
    """
    everything = scope == ConsentScope.ALL
    denials = [(c.medium, c.scope) for c in customer.consents if not c.allowed]
    for denied, reason in denials:
        if not denied and medium and (everything or reason in (scope, ConsentScope.ALL)):
            raise Refused(
                "The opt-out holds for every channel. Nothing was changed.",
                f"To take all of it back: agentconsole customer opt-in {customer.id}",
            )
    return [(m, s) for m, s in denials if m == medium or not medium if everything or s == scope]


def _linked(record: CustomerId, address: Address, who: Agent, at: datetime, request: str = "") -> AddressLinked:
    return AddressLinked(
        id=EntryId(derive_id("e", "linked", record, str(address), request)),
        at=at,
        address=address,
        trust=Trust.CLAIMED,
        by=who.name,
        why="agent",
    )
