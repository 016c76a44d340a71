"""The part of the Desk that looks and changes nothing but who has seen what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from agentconsole.desk import (
    Agent,
    News,
    Position,
    SuggestionView,
    TimelinePage,
)
from agentconsole.domain import delivery, gate, identity, parting, redaction, undoing, work
from agentconsole.domain.about import About, about
from agentconsole.domain.entries import (
    AnyEntry,
    Note,
    Receipt,
    Received,
    Redacted,
    Reply,
    Undone,
)
from agentconsole.domain.model import (
    BlobId,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    EntryId,
    Medium,
    Suggestion,
)
from agentconsole.errors import Ambiguous, NotFound, Refused
from agentconsole.hub.desk.base import key_of
from agentconsole.hub.desk.viewing import MAX_PAGE, Viewing
from agentconsole.hub.masking import Masks
from agentconsole.ports import History, Revision

TEXT_LENGTH = 16_000
"""Characters of one text on a page of the timeline; the whole of it stays in the history."""

PAGE_BYTES = 700_000
ENTRY_BYTES = 1_500
"""Bytes of a page's texts, and what an entry takes besides, so that every page fits the wire's line."""

MAX_CHUNK = 512 * 1024
"""Bytes of a file in one call: base64 and its line stay under the wire's limit."""

MAX_TEXT = 100_000
"""Characters of a text in one call: six bytes each as JSON stay under the wire's limit."""


class Reading(Viewing):
    async def find(self, who: Agent, words: str) -> CustomerId:
        self.need(who, "read")
        found = await self.store.customer(CustomerId(words.strip()))
        if found is not None:
            return found.id
        address = await self.address(words)
        if address is not None:
            owner = await self.store.find(address)
            if owner is not None:
                return (await self.person(owner)).id
        named = await self.store.find_named(words.strip()) if words.strip() else []
        if len(named) == 1:
            return named[0][0]
        if named:
            exact = [customer for customer, name in named if name.casefold() == words.strip().casefold()]
            if len(exact) == 1:
                return exact[0]
            some = ", ".join(f"{self.masks.text(name)} ({customer})" for customer, name in named[:5])
            raise Ambiguous(f"Several customers are called {words}: {some}.", "Use the id or an address.")
        raise NotFound(f"Nobody is known as {words}.", "An id, an address or a unique name is needed.")

    async def find_conversation(self, who: Agent, words: str) -> tuple[CustomerId, ConversationId]:
        self.need(who, "read")
        record = await self.store.find_conversation(ConversationId(words.strip()))
        if record is not None:
            customer = await self.person(record)
            name = ConversationId(words.strip())
            return customer.id, customer.joined.get(name, name)
        customer = await self.person(await self.find(who, words))
        active = [c for c in customer.conversations if c.status != ConversationStatus.RESOLVED]
        if len(active) == 1:
            return customer.id, active[0].id
        if not active and customer.conversations:
            return customer.id, customer.conversations[0].id
        if not active:
            raise NotFound(f"{customer.name or customer.id} has no conversation yet.", "Send a message first.")
        mask = self.masks.text
        doubt = self.closing(who, customer)
        seen = [
            (c.id, c.subject, c.preview)
            if doubt is None
            else (c.id, gate.subject_of(customer, c, doubt), gate.preview_of(c, doubt))
            for c in active[:5]
        ]
        some = ", ".join(f"{name} ({mask(subject) or mask(preview)[:30]})" for name, subject, preview in seen)
        raise Ambiguous(
            f"{mask(customer.name) or customer.id} has several open conversations: {some}.",
            "Name one by its id.",
        )

    async def timeline(self, who: Agent, customer: CustomerId, before: EntryId, limit: int) -> TimelinePage:
        self.need(who, "read")
        position = await self.position()
        history = await self.store.history(customer, before=before or None, limit=min(max(limit, 1), MAX_PAGE))
        if history is None:
            raise NotFound(f"There is no customer {customer}.", "See: agentconsole inbox")
        return await self.page_of(who, history, position)

    async def page_of(self, who: Agent, history: History, position: Position) -> TimelinePage:
        """Return a page of a timeline as an agent sees it."""
        shown, closed = self._behind_the_gate(who, history)
        entries, cut, masked = _page(work.placed(shown, history.customer.moved), self.masks)
        states = {}
        records = {record.reply: record for record in history.customer.deliveries}
        receipts = [entry for entry in history.entries if isinstance(entry, Receipt)]
        for entry in entries:
            if isinstance(entry, Reply):
                states[entry.id] = records.get(entry.id) or delivery.standing(entry, receipts)
        if closed:
            return TimelinePage(
                self.masks.value(gate.only(history.customer, shown)),
                entries,
                self.masks.value(states),
                False,
                position,
                removed=self.masks.value(await self._removed(entries)),
                masked=masked,
                closed=gate.NOT_VERIFIED,
                doubtful=identity.doubtful(history.customer),
            )
        return TimelinePage(
            self.masks.value(history.customer),
            entries,
            self.masks.value(states),
            history.more or cut,
            position,
            await self.suggestions_about(history.customer),
            self.masks.value(await self._removed(entries)),
            facts=self.masks.value(await self.facts_of(history.customer)),
            masked=masked,
            about=self.masks.value(await self.about(history.customer)),
            doubtful=identity.doubtful(history.customer),
            newer=history.newer,
            undone=await self._undone(entries),
        )

    def _behind_the_gate(self, who: Agent, history: History) -> tuple[Sequence[AnyEntry], bool]:
        """Return what an agent sees of a page, and whether more of it is closed."""
        doubt = self.closing(who, history.customer)
        if doubt is None:
            return history.entries, False
        shown = gate.visible(history.customer, doubt, history.entries)
        closed = history.more or history.newer or gate.hides(history.entries, shown)
        return (shown, True) if closed else (history.entries, False)

    async def open_history(self, who: Agent, request: str, customer: CustomerId, message: EntryId) -> None:
        self.need(who, "read")
        person = await self.person(customer)
        doubt = identity.doubtful(person)
        if doubt is None or (who.name, doubt.entry) in self.opened:
            return
        if message not in ("", doubt.entry):
            raise Refused(
                "A newer message came from a sender that is not verified. The history stays closed.",
                "Look at it first.",
            )
        await self.audit_first(who, "open_history", person.id, doubt.entry)
        self.opened.add((who.name, doubt.entry))

    async def about(self, customer: Customer) -> About:
        """Return what is known of a customer's language, clock and country; reads metadata off the loop."""
        return await asyncio.to_thread(about, customer, self.profile.timezone, self.clock.now())

    async def _removed(self, entries: Sequence[AnyEntry]) -> dict[EntryId, Redacted]:
        """Return who took out what some of these entries said."""
        removed = {}
        for entry in entries:
            if redaction.is_emptied(entry):
                found = await self.store.entry(redaction.mark(entry.id))
                if found is not None and isinstance(found[1], Redacted):
                    removed[entry.id] = found[1]
        return removed

    async def _undone(self, entries: Sequence[AnyEntry]) -> dict[EntryId, Undone]:
        """Return which of these entries were taken back, and by whom."""
        found = {}
        for entry in entries:
            if isinstance(entry, undoing.UNDOABLE):
                mark = await self.store.entry(undoing.undone_id(entry.id))
                if mark is not None and isinstance(mark[1], Undone):
                    found[entry.id] = mark[1]
        return found

    async def text(self, who: Agent, entry: EntryId, offset: int, length: int) -> str:
        self.need(who, "read")
        found = await self.open_entry(who, entry)
        text = str(getattr(found[1], "text", ""))
        return self.masks.part(text, max(offset, 0), min(max(length, 0), MAX_TEXT))

    async def reveal(self, who: Agent, request: str, entry: EntryId) -> str:
        self.need(who, "customer")
        key_of(request)
        found = await self.open_entry(who, entry)
        owner = await self.store.customer(found[0])
        await self.audit_first(who, "reveal", owner.id if owner is not None else found[0], entry)
        return str(getattr(found[1], "text", ""))[:MAX_TEXT]

    async def news(self, who: Agent, since: Position, seconds: float) -> News:
        self.need(who, "read")
        epoch, health, seen = _parts(since.epoch)
        if health != self.health.revision or seen != self.presence.revision:
            changes = await self.store.changed(Revision(epoch, since.number))
            better, there = health != self.health.revision, seen != self.presence.revision
            return News(self._position_of(changes.revision), changes.customers, health=better, present=there)
        changed = asyncio.ensure_future(
            self.store.wait_changed(Revision(epoch, since.number), min(max(seconds, 0.0), 60.0))
        )
        well = asyncio.ensure_future(self.health.wait_changed(health))
        came = asyncio.ensure_future(self.presence.wait_changed(seen))
        try:
            await asyncio.wait({changed, well, came}, return_when=asyncio.FIRST_COMPLETED)
            changes = changed.result() if changed.done() else await self.store.changed(Revision(epoch, since.number))
        finally:
            for task in (changed, well, came):
                task.cancel()
        return News(
            self._position_of(changes.revision),
            changes.customers,
            health=self.health.revision != health,
            present=self.presence.revision != seen,
        )

    async def seen(self, who: Agent, customer: CustomerId, at: datetime) -> None:
        self.need(who, "read")
        await self.store.seen(customer, who.name, at)

    async def blob(self, who: Agent, customer: CustomerId, blob: BlobId, offset: int, length: int) -> bytes:
        self.need(who, "read")
        person = await self.person(customer)
        await self.open_file(who, person, blob)
        for member in person.members:
            try:
                data = await self.store.blob(member, blob)
            except NotFound:
                continue
            return data[max(offset, 0) : max(offset, 0) + min(max(length, 0), MAX_CHUNK)]
        raise NotFound("This attachment was not kept.", "")

    async def suggestions_about(self, customer: Customer) -> tuple[SuggestionView, ...]:
        """Return the open suggestions that a customer holds, and those of others that name this one."""
        found = list(await self.views(customer, customer.suggestions))
        for linked in customer.addresses:
            for record, _entry in await self.store.mentioned(linked.address):
                holder = await self.store.customer(record)
                if holder is not None and holder.id != customer.id:
                    pointing = [s for s in holder.suggestions if s.other in customer.members]
                    found.extend(view for view in await self.views(holder, pointing) if view not in found)
        return tuple(found)

    async def views(self, customer: Customer, suggestions: Sequence[Suggestion]) -> tuple[SuggestionView, ...]:
        views = []
        for suggestion in suggestions:
            waits = suggestion.until is not None and suggestion.until > self.clock.now()
            other = await self.store.customer(suggestion.other) if not (suggestion.answered or waits) else None
            if other is None or other.id == customer.id or parting.apart(customer, other):
                continue
            evidence = await self.store.entry(suggestion.evidence)
            message = evidence[1] if evidence is not None and isinstance(evidence[1], Received) else None
            views.append(
                SuggestionView(
                    id=suggestion.id,
                    customer=customer.id,
                    customer_name=customer.name,
                    other=other.id,
                    other_name=other.name,
                    address=suggestion.address,
                    other_media=tuple(dict.fromkeys(use.route.medium for use in other.routes)),
                    why=suggestion.why,
                    evidence=suggestion.evidence,
                    evidence_at=message.at if message is not None else None,
                    evidence_medium=message.medium if message is not None else Medium(""),
                    at=suggestion.at,
                    doubtful=message is not None and not identity.vouched(customer, message),
                )
            )
        return self.masks.value(tuple(views))


def _parts(epoch: str) -> tuple[str, int, int]:
    """Return the store's epoch and the revisions of health and presence that a position names; -1 where it is none."""
    parts = epoch.rsplit(":", 2)
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return epoch, -1, -1
    return parts[0], int(parts[1]), int(parts[2])


def _page(entries: Sequence[AnyEntry], masks: Masks) -> tuple[tuple[AnyEntry, ...], bool, tuple[EntryId, ...]]:
    """Return the newest entries that fit on one line of the wire, long texts cut; whether some were left out; and
    those in which a number is masked."""
    kept: list[AnyEntry] = []
    masked: list[EntryId] = []
    room = PAGE_BYTES
    for entry in reversed(entries):
        shown = masks.value(_shortened(entry, masks))
        room -= ENTRY_BYTES + len(getattr(shown, "text", "").encode("utf-8", "replace"))
        if room < 0 and kept:
            return tuple(reversed(kept)), True, tuple(masked)
        if masks.holds(entry.id, getattr(entry, "text", "")):
            masked.append(entry.id)
        kept.append(shown)
    return tuple(reversed(kept)), False, tuple(masked)


def _shortened(entry: AnyEntry, masks: Masks) -> AnyEntry:
    if not isinstance(entry, Received | Reply | Note) or len(entry.text) <= TEXT_LENGTH:
        return entry
    cut = f"{masks.part(entry.text, 0, TEXT_LENGTH)} […+{len(entry.text) - TEXT_LENGTH}]"
    return msgspec.structs.replace(entry, text=cut)
