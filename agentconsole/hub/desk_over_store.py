"""The Desk, done: every call checks the agent's right, reads or changes the store, and leaves a line in the audit."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from agentconsole import __version__
from agentconsole.desk import (
    Agent,
    Compose,
    News,
    OutboxCounts,
    OutboxLine,
    Position,
    QueueCounts,
    QueuePage,
    Sent,
    SpoolStatus,
    Status,
    StoreStatus,
    SuggestionView,
    SyncResult,
    TimelinePage,
)
from agentconsole.domain import addresses, conversations, identity
from agentconsole.domain.model import (
    AccountName,
    Address,
    AddressLinked,
    AddressUnlinked,
    AgentName,
    AnyEntry,
    Assigned,
    Attachment,
    BlobId,
    Choice,
    ConsentChanged,
    ConsentScope,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    Draft,
    EntryId,
    Hit,
    Medium,
    Named,
    Note,
    PreferenceStated,
    Received,
    Reply,
    StatusChanged,
    Suggestion,
    Trust,
    derive_id,
)
from agentconsole.errors import Ambiguous, NotFound, Refused, UsageError
from agentconsole.hub.health import Health
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.hub.replying import Replying
from agentconsole.ports import AuditLine, Revision, Store, View
from agentconsole.seams import Clock

MAX_PAGE = 500
NOBODY = CustomerId("")
MAX_CHUNK = 512 * 1024
"""Bytes of a file in one call: base64 and its line stay under the wire's limit."""

VIEWS: dict[str, View] = {
    name: name for name in ("waiting", "mine", "unassigned", "open", "resolved", "failed", "uncertain", "all")
}


class Operations:
    """What the Desk asks of the running hub beyond the store. Filled in by ``hub.hub``."""

    sync: Callable[[AccountName, float], Awaitable[tuple[SyncResult, ...]]]
    probe: Callable[[AccountName], Awaitable[str]]
    stop: Callable[[bool, bool], Awaitable[None]]
    spool: Callable[[], Awaitable[SpoolStatus]]
    attached: Callable[[], tuple[AgentName, ...]]


class DeskOverStore:
    """Implements ``Desk``.

    Args:
        people: held while permission or identity changes; see ``Intake`` and ``Dispatch``.
    """

    def __init__(
        self,
        store: Store,
        accounts: Mapping[AccountName, AccountSetup],
        health: Health,
        profile: HubProfile,
        clock: Clock,
        wake: Callable[[AccountName], None],
        people: asyncio.Lock,
        operations: Operations,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._health = health
        self._profile = profile
        self._clock = clock
        self._people = people
        self._operations = operations
        self._replying = Replying(store, accounts, health, profile, clock, wake)
        self._started_at = clock.now()

    # -- reading -------------------------------------------------------------------------------------------

    async def queue(self, who: Agent, view: str, offset: int, limit: int) -> QueuePage:
        _need(who, "read")
        if view not in VIEWS:
            raise UsageError(f"There is no view {view}.", "Views: " + ", ".join(VIEWS))
        position = await self._position()
        counts = await self._store.counts(who.name)
        lines = await self._store.lines(
            VIEWS[view], who.name, offset=max(offset, 0), limit=min(max(limit, 1), MAX_PAGE)
        )
        total = getattr(counts, view, 0) or offset + len(lines)
        return QueuePage(
            tuple(lines),
            QueueCounts(**{name: getattr(counts, name) for name in QueueCounts.__struct_fields__}),
            position,
            total,
        )

    async def find(self, who: Agent, words: str) -> CustomerId:
        _need(who, "read")
        found = await self._store.customer(CustomerId(words.strip()))
        if found is not None:
            return found.id
        address = await self._address(words)
        if address is not None:
            owner = await self._store.find(address)
            if owner is not None:
                return (await self._replying.customer(owner)).id
        named = await self._store.find_named(words.strip()) if words.strip() else []
        if len(named) == 1:
            return named[0][0]
        if named:
            exact = [customer for customer, name in named if name.casefold() == words.strip().casefold()]
            if len(exact) == 1:
                return exact[0]
            some = ", ".join(f"{name} ({customer})" for customer, name in named[:5])
            raise Ambiguous(f"Several customers are called {words}: {some}.", "Use the id or an address.")
        raise NotFound(f"Nobody is known as {words}.", "An id, an address or a unique name is needed.")

    async def _address(self, words: str) -> Address | None:
        address = await asyncio.to_thread(addresses.parse, words, self._profile.region)
        if address is None or address.scope or address.kind in (addresses.EMAIL, addresses.PHONE):
            return address
        for setup in self._accounts.values():
            capable = setup.kind.capabilities
            if capable.address_kind == address.kind:
                scoped = Address(address.kind, setup.own_address, address.value)
                if await self._store.find(scoped) is not None:
                    return scoped
        return address

    async def find_conversation(self, who: Agent, words: str) -> tuple[CustomerId, ConversationId]:
        _need(who, "read")
        record = await self._store.find_conversation(ConversationId(words.strip()))
        if record is not None:
            customer = await self._replying.customer(record)
            name = ConversationId(words.strip())
            return customer.id, customer.joined.get(name, name)
        customer = await self._replying.customer(await self.find(who, words))
        active = [c for c in customer.conversations if c.status != ConversationStatus.RESOLVED]
        if len(active) == 1:
            return customer.id, active[0].id
        if not active and customer.conversations:
            return customer.id, customer.conversations[0].id
        if not active:
            raise NotFound(f"{customer.name or customer.id} has no conversation yet.", "Send a message first.")
        some = ", ".join(f"{c.id} ({c.subject or c.preview[:30]})" for c in active[:5])
        raise Ambiguous(
            f"{customer.name or customer.id} has several open conversations: {some}.", "Name one by its id."
        )

    async def timeline(self, who: Agent, customer: CustomerId, before: EntryId, limit: int) -> TimelinePage:
        _need(who, "read")
        position = await self._position()
        history = await self._store.history(customer, before=before or None, limit=min(max(limit, 1), MAX_PAGE))
        if history is None:
            raise NotFound(f"There is no customer {customer}.", "See: agentconsole inbox")
        states = {}
        records = {record.reply: record for record in history.customer.deliveries}
        for entry in history.entries:
            if isinstance(entry, Reply):
                states[entry.id] = records.get(entry.id) or await self._finished(entry)
        return TimelinePage(
            history.customer,
            history.entries,
            states,
            history.more,
            position,
            await self._views(history.customer, history.customer.suggestions),
        )

    async def _finished(self, reply: Reply) -> DeliveryRecord:
        _, record = await self._replying.delivery(reply.id)
        return record

    async def search(self, who: Agent, words: str, limit: int) -> tuple[Hit, ...]:
        _need(who, "read")
        if not words.strip():
            raise UsageError("There is nothing to search for.", "Give one word or more.")
        await self._audit(who, "search", detail=words)
        return tuple(await self._store.search(words, limit=min(max(limit, 1), MAX_PAGE)))

    async def choose(self, who: Agent, compose: Compose) -> Choice:
        _need(who, "read")
        return await self._replying.choose(compose)

    async def status(self, who: Agent) -> Status:
        _need(who, "read")
        store = await self._store.health()
        waiting = await self._store.replies((Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN, Delivery.FAILED))
        states = [due.record.state for due in waiting]
        return Status(
            accounts=self._health.all(),
            outbox=OutboxCounts(
                *(states.count(s) for s in (Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN, Delivery.FAILED))
            ),
            store=StoreStatus(
                store.kind, store.customers, store.entries, store.index_behind, store.read_only, store.free_bytes
            ),
            spool=await self._operations.spool(),
            version=__version__,
            profile=self._profile.name,
            pid=os.getpid(),
            started_at=self._started_at,
            now=self._clock.now(),
            agents=self._operations.attached(),
            banner=self._health.banner,
        )

    async def _position(self) -> Position:
        revision = (await self._store.changed(None)).revision
        return Position(f"{revision.epoch}:{self._health.revision}", revision.number)

    async def news(self, who: Agent, since: Position, seconds: float) -> News:
        _need(who, "read")
        epoch, _, health = since.epoch.rpartition(":")
        if not health.isdigit() or int(health) != self._health.revision:
            changes = await self._store.changed(Revision(epoch, since.number))
            return News(await self._position(), changes.customers, health=True)
        changed = asyncio.ensure_future(
            self._store.wait_changed(Revision(epoch, since.number), min(max(seconds, 0.0), 60.0))
        )
        better = asyncio.ensure_future(self._health.wait_changed(int(health)))
        try:
            await asyncio.wait({changed, better}, return_when=asyncio.FIRST_COMPLETED)
            changes = changed.result() if changed.done() else await self._store.changed(Revision(epoch, since.number))
        finally:
            changed.cancel()
            better.cancel()
        position = Position(f"{changes.revision.epoch}:{self._health.revision}", changes.revision.number)
        return News(position, changes.customers, health=self._health.revision != int(health))

    async def seen(self, who: Agent, customer: CustomerId, at: datetime) -> None:
        _need(who, "read")
        await self._store.seen(customer, who.name, at)

    async def blob(self, who: Agent, customer: CustomerId, blob: BlobId, offset: int, length: int) -> bytes:
        _need(who, "read")
        person = await self._replying.customer(customer)
        for member in person.members:
            try:
                data = await self._store.blob(member, blob)
            except NotFound:
                continue
            return data[max(offset, 0) : max(offset, 0) + min(max(length, 0), MAX_CHUNK)]
        raise NotFound("This attachment was not kept.", "")

    # -- replying ------------------------------------------------------------------------------------------

    async def reply(self, who: Agent, request: str, compose: Compose) -> Sent:
        _need(who, "reply")
        sent = await self._replying.reply(who, _key(request), compose)
        await self._audit(who, "reply", compose.customer, f"{sent.id} {sent.route.medium}")
        return sent

    async def sent(self, who: Agent, reply: EntryId) -> Sent:
        _need(who, "read")
        return await self._replying.sent(reply)

    async def attach(self, who: Agent, customer: CustomerId, name: str, type: str, data: bytes) -> Attachment:
        _need(who, "reply")
        if len(data) > MAX_CHUNK:
            raise UsageError(f"{name} is larger than {MAX_CHUNK // 1024} KiB. Nothing was attached.", "Send a link.")
        person = await self._replying.customer(customer)
        for member in person.members:
            blob = await self._store.put_blob(member, data)
        return Attachment(name, type, len(data), blob)

    async def outbox(self, who: Agent, states: Sequence[Delivery]) -> tuple[OutboxLine, ...]:
        _need(who, "read")
        return await self._replying.outbox(states)

    async def outbox_check(self, who: Agent, request: str, reply: EntryId) -> Sent:
        _need(who, "reply")
        before = await self._replying.sent(reply)
        await self._operations.sync(before.route.account, 20.0)
        return await self._replying.sent(reply)

    async def resend(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide(who, request, reply, Delivery.QUEUED, "sent_again")

    async def mark_sent(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide(who, request, reply, Delivery.SENT, "marked_sent")

    async def cancel(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide(who, request, reply, Delivery.CANCELLED, "cancelled")

    async def _decide(self, who: Agent, request: str, reply: EntryId, state: Delivery, reason: str) -> Sent:
        _need(who, "reply")
        sent = await self._replying.decide(who, _key(request), reply, state, reason)
        await self._audit(who, reason, detail=reply)
        return sent

    async def save_draft(self, who: Agent, draft: Draft) -> bool:
        _need(who, "reply")
        if draft.agent != who.name:
            raise Refused("A draft belongs to the agent who writes it.", "")
        return await self._store.save_draft(draft)

    async def drafts(self, who: Agent) -> tuple[Draft, ...]:
        _need(who, "read")
        return tuple(await self._store.drafts(who.name))

    async def drop_draft(self, who: Agent, conversation: ConversationId, revision: int) -> None:
        _need(who, "reply")
        await self._store.drop_draft(who.name, conversation, revision)

    # -- working -------------------------------------------------------------------------------------------

    async def note(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, text: str
    ) -> EntryId:
        _need(who, "reply")
        if not text.strip():
            raise Refused("An empty note is not kept.", "Write something first.")
        person = await self._replying.customer(customer)
        entry = EntryId(derive_id("e", "note", _key(request)))
        await self._append(
            self._owner(person, conversation),
            Note(id=entry, at=self._clock.now(), agent=who.name, conversation=conversation, text=text),
        )
        return entry

    async def assign(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, assignee: AgentName
    ) -> None:
        _need(who, "reply")
        person = await self._replying.customer(customer)
        await self._append(
            self._owner(person, conversation),
            Assigned(
                id=EntryId(derive_id("e", "assigned", _key(request))),
                at=self._clock.now(),
                conversation=conversation,
                assignee=assignee,
                by=who.name,
            ),
        )

    async def set_status(
        self,
        who: Agent,
        request: str,
        customer: CustomerId,
        conversation: ConversationId,
        status: ConversationStatus,
        until: datetime | None,
    ) -> None:
        _need(who, "reply")
        person = await self._replying.customer(customer)
        self._owner(person, conversation)
        for part in conversations.parts(person, conversation):
            for member in person.members:
                snapshot = await self._store.snapshot(member)
                if snapshot is not None and part in snapshot.conversations:
                    await self._append(
                        member,
                        StatusChanged(
                            id=EntryId(derive_id("e", "status", _key(request), part, member)),
                            at=self._clock.now(),
                            conversation=part,
                            status=status,
                            by=who.name,
                            until=until,
                        ),
                    )

    def _owner(self, customer: Customer, conversation: ConversationId) -> CustomerId:
        owner = customer.owners.get(conversation)
        if owner is None:
            raise NotFound(f"This customer has no conversation {conversation}.", "See: agentconsole show")
        return owner

    # -- people --------------------------------------------------------------------------------------------

    async def suggestions(self, who: Agent, customer: CustomerId) -> tuple[SuggestionView, ...]:
        _need(who, "read")
        if customer:
            person = await self._replying.customer(customer)
            return await self._views(person, person.suggestions)
        found: list[SuggestionView] = []
        for line in await self._store.lines("all", who.name, limit=10_000):
            if line.suggestions and all(view.customer != line.customer for view in found):
                person = await self._replying.customer(line.customer)
                found.extend(await self._views(person, person.suggestions))
        return tuple(found)

    async def _views(self, customer: Customer, suggestions: Sequence[Suggestion]) -> tuple[SuggestionView, ...]:
        views = []
        for suggestion in suggestions:
            other = await self._store.customer(suggestion.other) if not suggestion.answered else None
            if other is None or other.id == customer.id:
                continue
            evidence = await self._store.entry(suggestion.evidence)
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
                )
            )
        return tuple(views)

    async def answer_suggestion(self, who: Agent, request: str, suggestion: EntryId, accept: bool) -> EntryId:
        _need(who, "customer")
        found = await self._store.entry(suggestion)
        if found is None:
            raise NotFound(f"There is no suggestion {suggestion}.", "See: agentconsole suggestion list")
        holder = await self._replying.customer(found[0])
        open_one = next((s for s in holder.suggestions if s.id == suggestion), None)
        if not accept:
            await self._append(found[0], identity.refuse(suggestion, who.name, _key(request), self._clock.now()))
            return EntryId("")
        if open_one is None:
            edge = next((m for m in holder.merges if m.suggestion == suggestion), None)
            return edge.id if edge is not None else EntryId("")
        return await self._merge(who, request, holder.id, open_one.other, suggestion)

    async def merge(self, who: Agent, request: str, keep: CustomerId, absorb: CustomerId) -> EntryId:
        _need(who, "customer")
        return await self._merge(who, request, keep, absorb, EntryId(""))

    async def _merge(
        self, who: Agent, request: str, keep: CustomerId, absorb: CustomerId, suggestion: EntryId
    ) -> EntryId:
        async with self._people:
            one, other = await self._replying.customer(keep), await self._replying.customer(absorb)
            if one.id == other.id:
                earlier = next((m for m in reversed(one.merges) if m.id == _merge_id(request, keep, absorb)), None)
                if earlier is not None:
                    return earlier.id
                raise Refused("These are one customer already. Nothing was changed.", "")
            edge = identity.merge(one, other, who.name, _key(request), self._clock.now(), suggestion)
            await self._store.change(one.id, lambda _snapshot: [edge])
        await self._audit(who, "merge", one.id, other.id)
        return edge.id

    async def unmerge(self, who: Agent, request: str, customer: CustomerId, merge: EntryId) -> None:
        _need(who, "customer")
        async with self._people:
            person = await self._replying.customer(customer)
            edges = sorted(person.merges, key=lambda edge: edge.at)
            edge = next((e for e in edges if e.id == merge), None) if merge else (edges[-1] if edges else None)
            if edge is None:
                done = EntryId(derive_id("e", "unmerged", _key(request), merge)) if merge else EntryId("")
                if done and await self._store.known([done]):
                    return
                raise NotFound("There is no such merge to end. Nothing was changed.", "See: agentconsole show")
            entry = identity.unmerge(edge.id, who.name, _key(request), self._clock.now())
            await self._store.change(person.owners[edge.id], lambda _snapshot: [entry])
        await self._audit(who, "unmerge", customer, edge.id)

    async def add_customer(self, who: Agent, request: str, name: str, addresses: Sequence[str]) -> CustomerId:
        _need(who, "customer")
        record = CustomerId(derive_id("k", "added", _key(request))[:17])
        parsed = [await self._parse(text) for text in addresses]
        for address in parsed:
            owner = await self._store.find(address)
            if owner is not None and owner != record:
                raise Refused(f"{address.value} belongs to a customer already. Nobody was added.", f"See: show {owner}")
        now = self._clock.now()
        entries: list[AnyEntry] = [
            Named(id=EntryId(derive_id("e", "named", record)), at=now, name=name, by=who.name),
            *(_linked(record, address, who, now) for address in parsed),
        ]
        await self._store.change(record, lambda _snapshot: entries)
        await self._audit(who, "add", record)
        return record

    async def rename(self, who: Agent, request: str, customer: CustomerId, name: str) -> None:
        _need(who, "customer")
        person = await self._replying.customer(customer)
        entry = EntryId(derive_id("e", "named", _key(request)))
        await self._append(person.id, Named(id=entry, at=self._clock.now(), name=name, by=who.name))

    async def link(self, who: Agent, request: str, customer: CustomerId, address: str) -> None:
        _need(who, "customer")
        parsed = await self._parse(address)
        async with self._people:
            person = await self._replying.customer(customer)
            owner = await self._store.find(parsed)
            if owner is not None and owner not in person.members:
                other = await self._replying.customer(owner)
                raise Refused(
                    f"{parsed.value} belongs to {other.name or other.id}. Nothing was changed.",
                    f"If they are one person: agentconsole customer merge {person.id} {other.id}",
                )
            entry = _linked(person.id, parsed, who, self._clock.now(), _key(request))
            await self._store.change(person.id, lambda _snapshot: [entry])
        await self._audit(who, "link", person.id, str(parsed))

    async def unlink(self, who: Agent, request: str, customer: CustomerId, address: str) -> None:
        _need(who, "customer")
        parsed = await self._parse(address)
        person = await self._replying.customer(customer)
        owner = person.owners.get(str(parsed))
        if owner is None:
            raise NotFound(f"{parsed.value} is not linked to this customer.", "See: agentconsole show")
        await self._append(
            owner,
            AddressUnlinked(
                id=EntryId(derive_id("e", "unlinked", _key(request))),
                at=self._clock.now(),
                address=parsed,
                by=who.name,
            ),
        )
        await self._audit(who, "unlink", person.id, str(parsed))

    async def _parse(self, text: str) -> Address:
        found = await self._address(text)
        if found is None:
            raise UsageError(f"{text} is no address that could be used.", "An e-mail, a number, or kind:value.")
        return found

    async def prefer(
        self, who: Agent, request: str, customer: CustomerId, medium: Medium, purpose: str, evidence: EntryId
    ) -> None:
        _need(who, "customer")
        person = await self._replying.customer(customer)
        found = await self._store.entry(evidence) if evidence else None
        source = found[1] if found is not None and isinstance(found[1], Received) else None
        await self._append(
            person.id,
            PreferenceStated(
                id=EntryId(derive_id("e", "prefers", _key(request))),
                at=source.at if source is not None else self._clock.now(),
                medium=medium,
                purpose=purpose,
                by=who.name,
                evidence=evidence,
                evidence_medium=source.medium if source is not None else Medium(""),
            ),
        )

    async def consent(
        self, who: Agent, request: str, customer: CustomerId, medium: Medium, scope: ConsentScope, allowed: bool
    ) -> None:
        _need(who, "customer")
        async with self._people:
            person = await self._replying.customer(customer)
            for member in person.members if allowed else (person.id,):
                entry = ConsentChanged(
                    id=EntryId(derive_id("e", "consent", _key(request), member)),
                    at=self._clock.now(),
                    medium=medium,
                    scope=scope,
                    allowed=allowed,
                    by=who.name,
                )
                await self._store.change(member, lambda _snapshot, entry=entry: [entry])  # type: ignore[misc]
        await self._audit(who, "opt-in" if allowed else "opt-out", person.id, f"{medium} {scope}")

    # -- operating -----------------------------------------------------------------------------------------

    async def sync(self, who: Agent, account: AccountName, seconds: float) -> tuple[SyncResult, ...]:
        _need(who, "operate")
        self._known_account(account)
        return await self._operations.sync(account, min(max(seconds, 1.0), 3600.0))

    async def probe(self, who: Agent, account: AccountName) -> str:
        _need(who, "operate")
        self._known_account(account)
        return await self._operations.probe(account)

    async def stop(self, who: Agent, now: bool, restart: bool) -> None:
        _need(who, "operate")
        await self._audit(who, "restart" if restart else "stop")
        await self._operations.stop(now, restart)

    def _known_account(self, account: AccountName) -> None:
        if account and account not in self._accounts:
            raise NotFound(f"There is no account {account}.", "Configured: " + ", ".join(self._accounts))

    # -- common --------------------------------------------------------------------------------------------

    async def _append(self, record: CustomerId, entry: AnyEntry) -> None:
        await self._store.change(record, lambda _snapshot: [entry])

    async def _audit(self, who: Agent, act: str, customer: CustomerId = NOBODY, detail: str = "") -> None:
        await self._store.audit(AuditLine(self._clock.now(), who.name, who.proven, act, customer, detail))


def _need(who: Agent, right: str) -> None:
    if right not in who.rights:
        raise Refused(f"{who.name} may not do this (right: {right}). Nothing was changed.", "Ask an operator.")


def _key(request: str) -> str:
    if not request:
        raise UsageError("A changing call needs a request id.", "Give one with --key, or leave it to the program.")
    return hashlib.blake2b(request.encode(), digest_size=16).hexdigest()


def _merge_id(request: str, keep: CustomerId, absorb: CustomerId) -> EntryId:
    return EntryId(derive_id("e", "merged", _key(request), keep, absorb))


def _linked(record: CustomerId, address: Address, who: Agent, at: datetime, request: str = "") -> AddressLinked:
    return AddressLinked(
        id=EntryId(derive_id("e", "linked", record, str(address), request)),
        at=at,
        address=address,
        trust=Trust.CLAIMED,
        by=who.name,
        why="agent",
    )
