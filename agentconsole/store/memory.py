"""A store in memory: for tests and trials. Answers by looking at everything, so that it is plainly right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Self

from agentconsole.domain import history
from agentconsole.domain.entries import (
    AnyEntry,
    Receipt,
    Received,
    Reply,
)
from agentconsole.domain.finding import Contact, Found
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    BlobId,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    EntryId,
    Hit,
    Line,
    Snapshot,
)
from agentconsole.domain.person import combine, lines
from agentconsole.domain.queueing import Cutoff, Filter, is_late
from agentconsole.errors import NotFound
from agentconsole.ports import (
    Changes,
    Counts,
    Damage,
    Decide,
    Due,
    Erased,
    History,
    Revision,
    Rewrite,
    StoreHealth,
    Thread,
    View,
)
from agentconsole.seams import Clock, Randomness
from agentconsole.store import erasure, finding, rules
from agentconsole.store.finding import Row
from agentconsole.store.memory_files import Shelves
from agentconsole.store.news import Waiters
from agentconsole.text import naming, tokens
from agentconsole.text.query import Query, conversation_holds, is_about_conversation, plain


class MemoryStore(Shelves):
    """Implements ``agentconsole.ports.Store``. Keeps nothing after ``aclose``."""

    def __init__(self, clock: Clock, random: Randomness) -> None:
        super().__init__()
        self._epoch = random.token()
        self._number = 0
        self._log: list[tuple[int, frozenset[CustomerId]]] = []
        self._waiters = Waiters(clock)
        self._entries: dict[CustomerId, list[AnyEntry]] = {}
        self._snapshots: dict[CustomerId, Snapshot] = {}
        self._holder: dict[EntryId, CustomerId] = {}
        self._seen: dict[tuple[CustomerId, AgentName], int] = {}
        self._people: tuple[int, dict[CustomerId, Customer]] = (-1, {})
        self._blobs: dict[tuple[CustomerId, BlobId], bytes] = {}
        self._erased: set[EntryId] = set()
        self._random = random
        self._secrets: dict[str, str] = {}
        self._floor = 0
        self.older_because = ""
        """What ``origin`` answers until ``adopt``."""

    async def secret(self, name: str) -> str:
        return self._secrets.setdefault(name, self._random.token() + self._random.token())

    async def open(self) -> None:
        """There is nothing to open; the method is here so that both stores start alike."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        self._waiters.wake()

    # -- records -------------------------------------------------------------------------------------------

    async def change(self, record: CustomerId, decide: Decide) -> Snapshot:
        rules.check_id(record)
        start = self._snapshots.get(record) or history.empty(record)
        fresh = erasure.fresh(decide(start), lambda entry: entry in self._holder or entry in self._erased)
        if not fresh:
            return start
        before = self._cluster(record) if record in self._snapshots else frozenset((record,))
        self._snapshots[record] = history.advance(start, fresh)
        self._entries.setdefault(record, []).extend(fresh)
        self._holder.update((entry.id, record) for entry in fresh)
        self._tell(before | self._cluster(record))
        return self._snapshots[record]

    def _tell(self, customers: frozenset[CustomerId]) -> None:
        self._number += 1
        self._log.append((self._number, customers))
        self._waiters.wake()

    def _edges(self) -> Iterator[tuple[CustomerId, CustomerId]]:
        for record, snapshot in self._snapshots.items():
            for edge in snapshot.merges.values():
                if edge.other != record and edge.other in self._snapshots:
                    yield record, edge.other

    def _cluster(self, record: CustomerId) -> frozenset[CustomerId]:
        neighbours: dict[CustomerId, list[CustomerId]] = {}
        for keeper, other in self._edges():
            neighbours.setdefault(keeper, []).append(other)
            neighbours.setdefault(other, []).append(keeper)
        return rules.cluster((record,), lambda one: neighbours.get(one, ()))

    def _customers(self) -> dict[CustomerId, Customer]:
        """Return every customer by each of the ids of its records."""
        if self._people[0] != self._number:
            absorbed = [other for _, other in self._edges()]
            found: dict[CustomerId, Customer] = {}
            for record in self._snapshots:
                if record not in found:
                    members = self._cluster(record)
                    person = combine(rules.root(members, absorbed), {m: self._snapshots[m] for m in members})
                    found.update(dict.fromkeys(members, person))
            self._people = (self._number, found)
        return self._people[1]

    def _distinct(self) -> list[Customer]:
        return [person for record, person in self._customers().items() if person.id == record]

    async def snapshot(self, record: CustomerId) -> Snapshot | None:
        return self._snapshots.get(record)

    async def customer(self, customer: CustomerId) -> Customer | None:
        return self._customers().get(customer)

    def _timeline(self, members: Sequence[CustomerId]) -> list[tuple[int, CustomerId, int, AnyEntry]]:
        return sorted(
            (rules.microseconds(entry.at), member, place, entry)
            for member in members
            for place, entry in enumerate(self._entries[member])
        )

    async def history(
        self, customer: CustomerId, *, before: EntryId | None = None, limit: int = 200, around: EntryId | None = None
    ) -> History | None:
        person = self._customers().get(customer)
        if person is None:
            return None
        rows, newer = self._timeline(person.members), False
        if before is not None:
            bound = self._bound(before)
            rows = [row for row in rows if row[:3] < bound]
        elif around is not None:
            bound = self._bound(around)
            following = [row for row in rows if row[:3] >= bound]
            rest = following[limit // 2 :]
            newer = bool(rest)
            rows = rows[: len(rows) - len(rest)]
        page = rows[max(len(rows) - limit, 0) :]
        return History(person, tuple(row[3] for row in page), len(rows) > len(page), self._revision(), newer)

    def _bound(self, entry: EntryId) -> tuple[int, CustomerId, int]:
        if entry not in self._holder:
            raise NotFound(f"There is no entry {entry}.")
        member = self._holder[entry]
        [found] = [(one.at, place) for place, one in enumerate(self._entries[member]) if one.id == entry]
        return rules.microseconds(found[0]), member, found[1]

    async def entry(self, entry: EntryId) -> tuple[CustomerId, AnyEntry] | None:
        record = self._holder.get(entry)
        if record is None:
            return None
        return record, next(one for one in self._entries[record] if one.id == entry)

    async def known(self, entries: Sequence[EntryId]) -> frozenset[EntryId]:
        return frozenset(entry for entry in entries if entry in self._holder or entry in self._erased)

    # -- finding -------------------------------------------------------------------------------------------

    async def find(self, address: Address) -> CustomerId | None:
        key = str(address)
        found = [
            (rules.holder_order(linked), record)
            for record, snapshot in self._snapshots.items()
            if (linked := snapshot.addresses.get(key)) is not None
        ]
        return min(found)[1] if found else None

    async def find_conversation(self, conversation: ConversationId) -> CustomerId | None:
        found = [
            (rules.microseconds(held.started_at), record)
            for record, snapshot in self._snapshots.items()
            if (held := snapshot.conversations.get(conversation)) is not None
        ]
        return min(found)[1] if found else None

    async def find_named(self, words: str, limit: int = 20) -> Sequence[tuple[CustomerId, str]]:
        wanted = rules.folded(words)
        found = [(rules.folded(c.name), c.id, c.name) for c in self._distinct() if wanted in rules.folded(c.name)]
        return [(record, name) for _, record, name in sorted(found)[:limit]] if wanted else []

    def _all(self) -> Iterator[tuple[CustomerId, int, AnyEntry]]:
        for record, entries in self._entries.items():
            for place, entry in enumerate(entries):
                yield record, place, entry

    async def mentioned(self, address: Address) -> Sequence[tuple[CustomerId, EntryId]]:
        newest: dict[CustomerId, tuple[int, int, EntryId]] = {}
        for record, place, entry in self._all():
            if isinstance(entry, Received) and address in entry.mentions:
                row = (rules.microseconds(entry.at), place, entry.id)
                newest[record] = max(row, newest.get(record, row))
        rows = sorted(newest.items(), key=lambda item: (-item[1][0], item[0]))
        return [(record, row[2]) for record, row in rows[: rules.MENTIONED_LIMIT]]

    async def thread(self, message_ids: Sequence[str]) -> Thread | None:
        keys = [rules.message_key(key) for key in message_ids]
        found: dict[str, tuple[tuple[bool, int, EntryId], Thread]] = {}
        for record, _, entry in self._all():
            own = rules.own_thread_key(entry)
            if own is None or own[0] not in keys:
                continue
            key, ours, since = own
            assert isinstance(entry, Received | Reply)
            row = ((not ours, since, entry.id), Thread(record, entry.conversation, entry.id, ours))
            if key not in found or row[0] < found[key][0]:
                found[key] = row
        return next((found[key][1] for key in keys if key in found), None)

    async def reply_by(self, account: AccountName, *, external_id: str = "", key: str = "") -> EntryId | None:
        wanted = rules.message_key(key)
        replies = {e.id: e for _, _, e in self._all() if isinstance(e, Reply) and e.account == account}
        found = [e for e in replies.values() if wanted and rules.message_key(e.key) == wanted]
        if not found and external_id:
            named = {e.reply for _, _, e in self._all() if isinstance(e, Receipt) and e.external_id == external_id}
            found = [e for e in replies.values() if e.id in named]
        return min(found, key=lambda e: (rules.microseconds(e.at), e.id)).id if found else None

    async def search(self, words: str, *, limit: int = 50) -> Sequence[Hit]:
        return list((await self.find_entries(plain(words), AgentName(""), limit=limit)).hits)

    async def find_entries(
        self, asked: Query, agent: AgentName, *, limit: int = 50, offset: int = 0, each: int = 0
    ) -> Found:
        people = self._customers()
        rows = {(line.customer, line.conversation): line for line in self._rows(agent)}
        found = []
        for record, place, entry in self._all():
            text = rules.searchable(entry)
            person = people[record]
            if text is None or not finding.entry_holds(asked, record, entry, text):
                continue
            line = rows.get((person.id, finding.conversation_of(person, entry)))
            if finding.customer_holds(asked, person.members, finding.keys(person)) and (
                all(not is_about_conversation(one) for one in asked.filters)
                or (line is not None and conversation_holds(asked, line, agent))
            ):
                found.append(Row(finding.order(entry.at), record, place, entry.id))
        found.sort(key=lambda row: (-row.at, row.record, -row.place))
        picked = finding.pick(found, lambda record: people[record].id, limit, offset, each)
        names = {person.id: rules.shown_name(person) for person in people.values()}
        hits = []
        for row in picked.rows:
            entry, person = self._entries[row.record][row.place], people[row.record]
            snippet = tokens.snippet(rules.searchable(entry) or "", asked.words)
            hits.append(Hit(person.id, names[person.id], entry.id, entry.at, rules.medium_of(entry), snippet))
        newest = {finding.order(entry.at): entry.at for _, _, entry in self._all()}
        counts = tuple(finding.customers(picked, names.__getitem__, newest.__getitem__))
        return Found(tuple(hits), counts, picked.total, picked.complete)

    async def find_people(self, words: str, *, limit: int = 20) -> Sequence[Contact]:
        found = [
            (naming.rank(words, finding.keys(person)) if naming.ways(words) else 0, -_newest(person), person.id)
            for person in self._distinct()
        ]
        best = [row for row in sorted(found) if row[0] < naming.NOWHERE]
        return [finding.contact(self._customers()[customer]) for _, _, customer in best[:limit]]

    # -- the queue -----------------------------------------------------------------------------------------

    def _rows(self, agent: AgentName) -> Iterator[Line]:
        for person in self._distinct():
            parts = rules.conversation_parts(person, self._snapshots)
            for line in lines(person):
                unread = any(at > self._seen.get((member, agent), -1) for member, at in parts[line.conversation])
                yield history.replace(line, unread=unread)

    async def lines(
        self,
        view: View | Filter,
        agent: AgentName,
        *,
        offset: int = 0,
        limit: int = 200,
        late: Sequence[Cutoff] = (),
    ) -> Sequence[Line]:
        rows = [line for line in self._rows(agent) if rules.shown(line, view, agent, late)]
        rows.sort(key=lambda line: rules.line_order(line, rules.order_of(view), late=is_late(line, late)))
        return rows[offset : offset + limit]

    async def counts(self, agent: AgentName, *, late: Sequence[Cutoff] = ()) -> Counts:
        rows = list(self._rows(agent))
        waiting = [line for line in rows if rules.in_view(line, "waiting", agent)]
        numbers = {name: sum(rules.in_view(line, name, agent) for line in rows) for name in rules.COUNTED}
        return Counts(**numbers, late=sum(is_late(line, late) for line in waiting))

    async def count(self, wanted: Filter, agent: AgentName, *, late: Sequence[Cutoff] = ()) -> int:
        return sum(rules.shown(line, wanted, agent, late) for line in self._rows(agent))

    async def alarms(self, limit: int) -> Sequence[Line]:
        rows = [(at, line) for line in self._rows(AgentName("")) if (at := line.alarm_at) is not None]
        rows.sort(key=lambda row: (row[0], row[1].customer, row[1].conversation))
        return [history.replace(line, unread=False) for _, line in rows[:limit]]

    async def replies(
        self, states: Sequence[Delivery], *, account: AccountName | None = None, limit: int | None = 500
    ) -> Sequence[Due]:
        found = [
            Due(record, delivery, rules.shown_name(self._customers()[record]))
            for record, snapshot in self._snapshots.items()
            for delivery in snapshot.deliveries.values()
            if delivery.state in states and account in (None, delivery.account)
        ]
        found.sort(key=lambda due: (rules.microseconds(due.record.queued_at), due.record.reply))
        return found[:limit]

    async def seen(self, customer: CustomerId, agent: AgentName, at: datetime) -> None:
        person = self._customers().get(customer)
        if person is None:
            return
        mark = rules.microseconds(at)
        behind = [member for member in person.members if self._seen.get((member, agent), -1) < mark]
        for member in behind:
            self._seen[(member, agent)] = mark
        if behind:
            self._tell(frozenset(person.members))

    # -- news ----------------------------------------------------------------------------------------------

    def _revision(self) -> Revision:
        return Revision(self._epoch, self._number)

    async def changed(self, since: Revision | None) -> Changes:
        now = self._revision()
        if since is None or since.epoch != now.epoch or not self._floor <= since.number <= now.number:
            return Changes(now, None)
        names = {name for number, customers in self._log[since.number :] for name in customers}
        return Changes(now, tuple(sorted(names)) if len(names) <= rules.CHANGES_LIMIT else None)

    async def wait_changed(self, since: Revision, deadline: float) -> Changes:
        ticket = self._waiters.ticket()
        try:
            changes = await self.changed(since)
            if changes.customers != () or not await self._waiters.wait(ticket, deadline):
                return changes
            return await self.changed(since)
        finally:
            ticket.cancel()

    async def put_blob(self, record: CustomerId, data: bytes) -> BlobId:
        rules.check_id(record)
        blob = BlobId(hashlib.sha256(data).hexdigest())
        self._blobs[record, blob] = bytes(data)
        return blob

    async def blob(self, record: CustomerId, blob: BlobId) -> bytes:
        person = self._customers().get(record)
        for member in (record, *(person.members if person else ())):
            if (member, blob) in self._blobs:
                return self._blobs[member, blob]
        raise NotFound(f"No file {blob} is kept for customer {record}.")

    # -- care ----------------------------------------------------------------------------------------------

    async def rewrite(self, record: CustomerId, rewrite: Rewrite, decide: Decide) -> Snapshot:
        rules.check_id(record)
        before = self._entries.get(record, [])
        kept = erasure.rewritten(before, rewrite)
        snapshot = history.fold(record, kept)
        others = self._holder.keys() - {entry.id for entry in before}
        there = {entry.id for entry in kept} | others | self._erased
        fresh = erasure.fresh(decide(snapshot), there.__contains__)
        after = history.advance(snapshot, fresh)
        if not before and not fresh:
            return after
        told = self._cluster(record) if record in self._snapshots else frozenset((record,))
        for entry in before:
            del self._holder[entry.id]
        self._entries[record] = [*kept, *fresh]
        self._snapshots[record] = after
        self._holder.update((entry.id, record) for entry in self._entries[record])
        self._forget_unnamed(record, erasure.blobs_of(before))
        self._tell(told | self._cluster(record))
        return after

    def _forget_unnamed(self, record: CustomerId, named: set[BlobId]) -> None:
        """Drop files of a record that were named before and that nothing names any more."""
        drafts = (*self._drafts.values(), *self._discarded.values())
        mine = [draft for draft in drafts if draft.customer in self._cluster(record)]
        for blob in named - erasure.blobs_of(self._entries[record], mine):
            self._blobs.pop((record, blob), None)

    async def erase(self, customer: CustomerId) -> Erased:
        if customer not in self._snapshots:
            return Erased()
        members = self._cluster(customer)
        entries = [entry.id for member in members for entry in self._entries[member]]
        rest = [snapshot for record, snapshot in self._snapshots.items() if record not in members]
        lost = erasure.gone(
            {member: self._snapshots[member] for member in members},
            entries,
            lambda key: any(key in snapshot.addresses for snapshot in rest),
        )
        self._erased.update(entries)
        for entry in entries:
            del self._holder[entry]
        for member in members:
            del self._snapshots[member], self._entries[member]
        blobs = [key for key in self._blobs if key[0] in members]
        for key in blobs:
            del self._blobs[key]
        self._seen = {key: at for key, at in self._seen.items() if key[0] not in members}
        drafts = self._forget_drafts(lost)
        self._audit = [erasure.audit_line(line, lost) for line in self._audit]
        for record, others in list(self._entries.items()):
            if any(name in (*lost.records, *lost.addresses) for entry in others for name in erasure.referred(entry)):
                await self.rewrite(record, erasure.without(lost), lambda _: ())
        self._tell(frozenset())
        self._floor = self._number
        return Erased(entries=len(entries), blobs=len(blobs), drafts=drafts)

    async def damaged(self) -> Sequence[Damage]:
        return ()

    async def accept(self, record: CustomerId, *, previous: bool, decide: Decide) -> Snapshot:
        raise NotFound(f"The file of customer {record} is not damaged. Nothing was changed.")

    async def origin(self) -> str:
        return self.older_because

    async def adopt(self) -> None:
        self.older_because = ""

    async def health(self) -> StoreHealth:
        return StoreHealth(
            "memory",
            customers=len(self._distinct()),
            entries=sum(len(found) for found in self._entries.values()),
            set_aside=len(self._aside),
        )


def _newest(person: Customer) -> int:
    return rules.microseconds(person.last_at) if person.last_at is not None else 0
