"""The part of the Desk that changes what is known of a person: addresses, merges, preference, consent."""

from __future__ import annotations

from datetime import datetime, timedelta

from agentconsole.desk import (
    Agent,
    SuggestionView,
)
from agentconsole.domain import identity
from agentconsole.domain.addresses import EMAIL
from agentconsole.domain.entries import (
    AddressTrusted,
    AddressUnlinked,
    ConsentChanged,
    Named,
    PreferenceStated,
    Received,
    Suggested,
    WishSeen,
)
from agentconsole.domain.model import (
    AgentName,
    ConsentScope,
    Customer,
    CustomerId,
    EntryId,
    LinkedAddress,
    Medium,
    derive_id,
)
from agentconsole.domain.wishes_rules import purpose_named
from agentconsole.errors import NotFound, Refused, UsageError
from agentconsole.hub.desk.base import key_of
from agentconsole.hub.desk.joining import Joining


class People(Joining):
    async def suggestions(self, who: Agent, customer: CustomerId) -> tuple[SuggestionView, ...]:
        self.need(who, "read")
        if customer:
            about = await self.person(customer)
            return () if self.closing(who, about) is not None else await self.suggestions_about(about)
        found: list[SuggestionView] = []
        for line in await self.store.lines("all", who.name, limit=10_000):
            if line.suggestions and all(view.customer != line.customer for view in found):
                person = await self.person(line.customer)
                if self.closing(who, person) is None:
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

    async def rename(self, who: Agent, request: str, customer: CustomerId, name: str) -> None:
        self.need(who, "customer")
        person = await self.person(customer)
        entry = EntryId(derive_id("e", "named", key_of(request)))
        await self.append(person.id, Named(id=entry, at=self.clock.now(), name=name, by=who.name))

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
            found[0] if found is not None else person.id,  # it stays with the message, should the two be split
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
