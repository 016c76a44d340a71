"""A small Desk in memory for tests of the console: the domain's own folding and choosing over scripted entries.

It breaks on purpose: ``gone`` makes every call raise ``HubAbsent``, ``refuse`` the next reply, ``slow`` delays all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

import msgspec

from agentconsole.desk import (
    AccountHealth,
    Act,
    Agent,
    Assign,
    Away,
    Compose,
    DamagedRecord,
    Done,
    ErasedCustomer,
    Fallback,
    News,
    OutboxCounts,
    OutboxLine,
    Position,
    QueueCounts,
    QueuePage,
    Sent,
    SetStatus,
    Split,
    SpoolStatus,
    Status,
    StoreStatus,
    SuggestionView,
    Target,
    TimelinePage,
    WishView,
)
from agentconsole.domain import gate, guards, history, identity, preference, undoing, work
from agentconsole.domain.about import NOTHING_KNOWN, About, about
from agentconsole.domain.entries import (
    AddressLinked,
    AddressTrusted,
    AnyEntry,
    Assigned,
    ConsentChanged,
    JoinedTo,
    Merged,
    Note,
    PreferenceStated,
    Receipt,
    Received,
    Redacted,
    Reply,
    SplitOff,
    StatusChanged,
    WishRefused,
)
from agentconsole.domain.guards import Drafted, Warned
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    Attachment,
    Choice,
    ConsentScope,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    Draft,
    EntryId,
    LinkedAddress,
    Medium,
    Route,
    Snapshot,
    Trust,
    derive_id,
)
from agentconsole.domain.permission import Reach, Size
from agentconsole.domain.person import combine, lines
from agentconsole.domain.queueing import Cutoff, Filter, is_late
from agentconsole.domain.work import Doing
from agentconsole.errors import AgentConsoleError, HubAbsent, NotFound, Refused
from agentconsole.hub.masking import Masks
from agentconsole.ports import View
from agentconsole.store import rules
from agentconsole.text import sms
from tests.ui.composing_double import ComposingDouble
from tests.ui.finding_double import FindingDouble
from tests.ui.waiting_double import WaitingDouble

NOW = datetime(2026, 3, 3, 14, 2, 30, tzinfo=UTC)

ACCOUNTS = (
    preference.Account(
        AccountName("mail"),
        Medium("email"),
        "email",
        Reach(1_000_000, "characters", attachments=True, file_bytes=18_000_000),
    ),
    preference.Account(AccountName("sms"), Medium("sms"), "phone", Reach(4, "sms")),
    preference.Account(
        AccountName("wa"), Medium("whatsapp"), "phone", Reach(4096, "characters", window_seconds=86400), live=True
    ),
)
MEDIA = {account.name: account for account in ACCOUNTS}


def email(value: str) -> Address:
    return Address("email", "", value)


def phone(value: str) -> Address:
    return Address("phone", "", value)


class DeskDouble(ComposingDouble, WaitingDouble, FindingDouble):
    def __init__(self) -> None:
        self.records: dict[CustomerId, list[AnyEntry]] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.kept: dict[ConversationId, Draft] = {}
        self.requests: dict[str, EntryId] = {}
        self.accounts: tuple[preference.Account, ...] = ACCOUNTS
        self.policy = preference.Policy()
        self.health: list[AccountHealth] = [
            AccountHealth(a.name, "kind", a.medium, "ok", last_ok=NOW, received=3, sent=2) for a in ACCOUNTS
        ]
        self.gone = False
        self.refuse: Refused | None = None
        self.slow = 0.0
        self.number = 0
        self.missed = Away()
        self.agents: tuple[AgentName, ...] = ()
        self.saved: dict[str, Filter] = {}
        self.late: tuple[Cutoff, ...] = ()
        self.worked: list[list[EntryId]] = []
        """What each call of ``work`` made."""
        self.broken: dict[CustomerId, DamagedRecord] = {}
        self.banner = ""
        self.proof: dict[EntryId, Delivery] = {}
        self.asked = ""
        """What a check says of the provider: found, nothing or cannot."""
        self.set_aside = 0
        self.masks = Masks()
        self.abouts: dict[CustomerId, About] = {}
        self.opened: set[EntryId] = set()
        self._changed = asyncio.Event()
        self._who: list[CustomerId] = []
        self._health = False
        self._held: tuple[int, dict[CustomerId, CustomerId]] = (-1, {})
        self.begin_waiting()
        self.begin_composing()
        self._folded: dict[CustomerId, tuple[int, Snapshot]] = {}

    # -- the script -----------------------------------------------------------------------------------------

    def received(
        self,
        customer: str,
        account: str,
        sender: Address,
        text: str,
        *,
        minutes: float = 0,
        name: str = "",
        subject: str = "",
        conversation: str = "",
        **more: Any,
    ) -> EntryId:
        at = NOW - timedelta(minutes=minutes)
        entry = Received(
            id=EntryId(derive_id("e", customer, account, text, str(minutes))),
            at=at,
            account=AccountName(account),
            medium=MEDIA[AccountName(account)].medium,
            sender=sender,
            conversation=ConversationId(conversation or f"c-{customer}"),
            stored_at=at,
            sender_name=name,
            subject=subject,
            text=text,
            **{"trust": Trust.VERIFIED, **more},
        )
        self.add(customer, entry)
        return entry.id

    def know(self, customer: str) -> None:
        """Work out language, clock and country once: it reads files, which no call on a loop may."""
        self.abouts[CustomerId(customer)] = about(self.person(CustomerId(customer)), "UTC", NOW)

    def link(self, customer: str, address: Address) -> None:
        self.add(
            customer,
            AddressLinked(id=EntryId(derive_id("e", str(address))), at=NOW - timedelta(days=3), address=address),
        )

    def add(self, customer: str, *entries: AnyEntry) -> None:
        self.records.setdefault(CustomerId(customer), []).extend(entries)
        self.tell(customer)

    def tell(self, customer: str = "", *, health: bool = False) -> None:
        self.number += 1
        if customer:
            self._who.append(CustomerId(customer))
        self._health |= health
        self._changed.set()

    def suggest(self, holder: str, other: str, address: Address, evidence: EntryId) -> EntryId:
        found = identity.suggestion(
            CustomerId(holder), CustomerId(other), address, identity.NUMBER_IN_TEXT, evidence, NOW
        )
        self.add(holder, found)
        return found.id

    def receipt(self, reply: EntryId, state: Delivery, **more: Any) -> None:
        owner = self._owner(reply)
        self.number += 1
        self.add(owner, Receipt(id=EntryId(f"r{self.number}"), at=NOW, reply=reply, state=state, **more))

    def _owner(self, entry: EntryId) -> CustomerId:
        return next(name for name, entries in self.records.items() if any(e.id == entry for e in entries))

    # -- reading --------------------------------------------------------------------------------------------

    async def _enter(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, arguments))
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.gone:
            raise HubAbsent("No hub answers. Nothing was sent.", "Start one.")

    def called(self, name: str) -> list[tuple[Any, ...]]:
        return [arguments for called, arguments in self.calls if called == name]

    def snapshot(self, record: CustomerId) -> Snapshot:
        entries = self.records[record]
        known = self._folded.get(record)
        if known is None or known[0] > len(entries):
            known = (0, history.empty(record))
        snapshot = history.advance(known[1], entries[known[0] :])
        self._folded[record] = (len(entries), snapshot)
        return snapshot

    def _root(self, record: CustomerId) -> CustomerId:
        holder = self._holders().get(record)
        return self._root(holder) if holder is not None else record

    def _holders(self) -> dict[CustomerId, CustomerId]:
        """Return which record a merge made part of which other."""
        if self._held[0] != self.number:
            edges = {e.other: n for n in self.records for e in self.snapshot(n).merges.values()}
            self._held = (self.number, edges)
        return self._held[1]

    def person(self, record: CustomerId) -> Customer:
        if record not in self.records:
            raise NotFound(f"No customer {record}.")
        root = self._root(record)
        cluster = {root: self.snapshot(root)}
        waiting = [root]
        while waiting:
            for edge in cluster[waiting.pop()].merges.values():
                if edge.other not in cluster:
                    cluster[edge.other] = self.snapshot(edge.other)
                    waiting.append(edge.other)
        return combine(root, cluster)

    def people(self) -> list[Customer]:
        return [self.person(name) for name in self.records if self._root(name) == name]

    async def queue(self, who: Agent, view: str, offset: int, limit: int) -> QueuePage:
        await self._enter("queue", view, offset, limit)
        every = [line for person in self.people() for line in lines(person)]
        every = [msgspec.structs.replace(line, late=is_late(line, self.late)) for line in every]
        views: tuple[View, ...] = get_args(View)
        wanted = self.saved.get(view, cast("View", view))
        found = [line for line in every if rules.shown(line, wanted, who.name, self.late)]
        found.sort(key=lambda line: rules.line_order(line, rules.order_of(wanted), late=line.late))
        counts = QueueCounts(
            saved={
                name: sum(rules.shown(x, one, who.name, self.late) for x in every) for name, one in self.saved.items()
            },
            late=sum(line.late for line in every),
        )
        for name in views:
            if name != "all":
                number = sum(rules.in_view(line, name, who.name) for line in every)
                counts = msgspec.structs.replace(counts, **{name: number})
        return QueuePage(tuple(found[offset : offset + limit]), counts, Position("e", self.number), len(found))

    async def timeline(self, who: Agent, customer: CustomerId, before: EntryId, limit: int) -> TimelinePage:
        await self._enter("timeline", customer, before, limit)
        person = self.person(customer)
        entries = sorted(
            (entry for member in person.members for entry in self.records[member]), key=lambda entry: entry.at
        )
        end = next((n for n, entry in enumerate(entries) if entry.id == before), len(entries))
        page = entries[max(end - limit, 0) : end]
        doubt = identity.doubtful(person)
        if doubt is not None and doubt.entry not in self.opened:
            shown = gate.visible(person, doubt, page)
            if gate.hides(page, shown):
                position = Position("e", self.number)
                return TimelinePage(
                    gate.only(person, shown), shown, {}, False, position, closed=gate.NOT_VERIFIED, doubtful=doubt
                )
        states = {record.reply: record for record in person.deliveries}
        marks = {mark.entry: mark for mark in entries if isinstance(mark, Redacted)}
        return TimelinePage(
            self.masks.value(person),
            self.masks.value(tuple(page)),
            states,
            end - limit > 0,
            Position("e", self.number),
            self._suggestions(person),
            {entry.id: marks[entry.id] for entry in page if entry.id in marks},
            facts=self.masks.value(person.facts),
            doubtful=doubt,
            about=self.abouts.get(person.id, NOTHING_KNOWN),
            masked=tuple(entry.id for entry in page if self.masks.holds(entry.id, getattr(entry, "text", ""))),
        )

    def _suggestions(self, person: Customer) -> tuple[SuggestionView, ...]:
        found = []
        for suggestion in person.suggestions:
            if suggestion.answered or (suggestion.until is not None and suggestion.until > NOW):
                continue
            other = self.person(suggestion.other)
            evidence = next(e for entries in self.records.values() for e in entries if e.id == suggestion.evidence)
            assert isinstance(evidence, Received)
            found.append(
                SuggestionView(
                    suggestion.id,
                    person.id,
                    person.name,
                    other.id,
                    other.name,
                    suggestion.address,
                    tuple(use.route.medium for use in other.routes),
                    suggestion.why,
                    suggestion.evidence,
                    evidence.at,
                    evidence.medium,
                )
            )
        return tuple(found)

    async def choose(self, who: Agent, compose: Compose) -> Choice:
        await self._enter("choose", compose)
        return self._choice(compose)

    async def preview(self, who: Agent, compose: Compose) -> str:
        await self._enter("preview", compose)
        return compose.text

    def _choice(self, compose: Compose) -> Choice:
        text = compose.text
        files = {"attachments": len(compose.attachments), "file_bytes": sum(f.size for f in compose.attachments)}
        size = Size(len(text), len(text.encode()), sms.parts(text).parts if text else 0, **files)
        return preference.choose(self.person(compose.customer), self.accounts, NOW, self.policy, size)

    async def warnings(self, who: Agent, compose: Compose, begun: Route | None) -> tuple[Warned, ...]:
        await self._enter("warnings", compose, begun)
        person = self.person(compose.customer)
        best = self._choice(compose).best
        route = compose.route or (best.route if best is not None else None)
        draft = Drafted(compose.text, len(compose.attachments), who.name, route, begun)
        return guards.warnings(draft, person, person.facts, NOW)

    async def reveal(self, who: Agent, request: str, entry: EntryId) -> str:
        await self._enter("reveal", entry)
        return next(e.text for e in self.records[self._owner(entry)] if e.id == entry and isinstance(e, Received))

    async def status(self, who: Agent) -> Status:
        await self._enter("status")
        records = [d for person in self.people() for d in person.deliveries]
        counts = {s: sum(d.state == s for d in records) for s in ("queued", "sending", "uncertain", "failed")}
        return Status(
            tuple(self.health),
            OutboxCounts(**counts),
            StoreStatus(
                "memory", len(self.records), sum(map(len, self.records.values())), read_only=tuple(self.broken)
            ),
            SpoolStatus(set_aside=self.set_aside),
            "0.1.0",
            "demo",
            1234,
            NOW - timedelta(hours=1),
            NOW,
            agents=self.agents,
            banner=self.banner,
        )

    async def away(self, who: Agent) -> Away:
        await self._enter("away")
        found, self.missed = self.missed, Away()
        return found

    async def news(self, who: Agent, since: Position, seconds: float) -> News:
        await self._enter("news")
        if since.number == self.number:
            self._changed.clear()
            try:
                async with asyncio.timeout(seconds):
                    while since.number == self.number and not self.gone:
                        await self._changed.wait()
                        self._changed.clear()
            except TimeoutError:
                return News(since, ())
        if self.gone:
            raise HubAbsent("No hub answers. Nothing was sent.", "Start one.")
        who_changed, self._who, health, self._health = tuple(self._who), [], self._health, False
        present, self.present_changed = self.present_changed, False
        return News(Position("e", self.number), who_changed, health, present)

    async def seen(self, who: Agent, customer: CustomerId, at: datetime) -> None:
        await self._enter("seen", customer, at)

    # -- replying -------------------------------------------------------------------------------------------

    async def reply(self, who: Agent, request: str, compose: Compose) -> Sent:
        await self._enter("reply", request, compose)
        if self.refuse is not None and not compose.anyway:
            error, self.refuse = self.refuse, None
            raise error
        choice = self._choice(compose)
        reply = EntryId(derive_id("e", "reply", request))
        earlier = request in self.requests and self.entry(reply)[1].text != compose.text
        if request not in self.requests:
            ranked = next((r for r in choice.ranked if compose.route in (None, r.route)), None)
            if ranked is None:
                raise Refused("This route is refused.")
            route = ranked.route
            self.requests[request] = reply
            self.add(
                compose.customer,
                Reply(
                    id=reply,
                    at=NOW,
                    agent=who.name,
                    conversation=compose.conversation,
                    account=route.account,
                    medium=route.medium,
                    address=route.address,
                    text=compose.text,
                    key=reply,
                    facts={"instead_of": compose.instead_of} if compose.instead_of else {},
                    attachments=compose.attachments,
                    not_before=compose.not_before or (NOW + timedelta(seconds=self.hold) if self.hold else None),
                    held=bool(self.hold) and compose.hold < 0 and compose.not_before is None,
                ),
            )
        return msgspec.structs.replace(self._sent(reply, choice), earlier=earlier)

    def entry(self, reply: EntryId) -> tuple[CustomerId, Reply, DeliveryRecord]:
        owner = self._owner(reply)
        found = next(e for e in self.records[owner] if e.id == reply and isinstance(e, Reply))
        return owner, found, next(d for d in self.person(owner).deliveries if d.reply == reply)

    def _sent(self, reply: EntryId, choice: Choice | None = None) -> Sent:
        record = next(d for p in self.people() for d in p.deliveries if d.reply == reply)
        route = Route(record.account, record.medium, record.address)
        return Sent(
            reply,
            record.state,
            route,
            choice or Choice(()),
            record.reason,
            record.detail,
            record.not_before if record.state == Delivery.QUEUED else None,
            record.held and record.state == Delivery.QUEUED,
        )

    async def sent(self, who: Agent, reply: EntryId) -> Sent:
        return self._sent(reply)

    async def outbox(self, who: Agent, states: Sequence[Delivery]) -> tuple[OutboxLine, ...]:
        await self._enter("outbox", states)
        texts = {e.id: e.text for entries in self.records.values() for e in entries if isinstance(e, Reply)}
        return tuple(
            OutboxLine(p.id, p.name, d, texts[d.reply])
            for p in self.people()
            for d in p.deliveries
            if d.state in states
        )

    async def _decide(self, name: str, reply: EntryId, state: Delivery) -> Sent:
        await self._enter(name, reply)
        self.receipt(reply, state, by=AgentName("mina"))
        return self._sent(reply)

    async def outbox_check(self, who: Agent, request: str, reply: EntryId) -> Sent:
        await self._enter("outbox_check", reply)
        if reply in self.proof:
            self.receipt(reply, self.proof[reply], reason="own_copy")
        return msgspec.structs.replace(self._sent(reply), asked=self.asked)

    async def fallback(self, who: Agent, reply: EntryId) -> Fallback | None:
        await self._enter("fallback", reply)
        owner = self._owner(reply)
        entry = next(e for e in self.records[owner] if e.id == reply)
        assert isinstance(entry, Reply)
        if self._sent(reply).state != Delivery.FAILED:
            raise Refused("It may have gone out. Nothing was sent.", "")
        choice = self._choice(Compose(owner, ""))
        left = next((r for r in choice.ranked if r.route.account != entry.account), None)
        if left is None:
            return None
        made = ("subject_added",) if left.route.medium == "email" else ("shortened",)
        subject = "About it" if left.route.medium == "email" else ""
        return Fallback(reply, owner, entry.conversation, entry.medium, left, entry.text, subject, made)

    async def prefer(
        self, who: Agent, request: str, customer: CustomerId, medium: Medium, purpose: str, evidence: EntryId
    ) -> None:
        await self._enter("prefer", request, customer, medium, purpose, evidence)
        self.add(customer, PreferenceStated(id=self._id(), at=NOW, medium=medium, purpose=purpose, by=who.name))

    async def resend(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide("resend", reply, Delivery.QUEUED)

    async def mark_sent(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide("mark_sent", reply, Delivery.SENT)

    async def cancel(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide("cancel", reply, Delivery.CANCELLED)

    async def save_draft(self, who: Agent, draft: Draft) -> bool:
        await self._enter("save_draft", draft)
        kept = self.kept.get(draft.conversation)
        if kept is not None and kept.revision > draft.revision:
            return False
        self.kept[draft.conversation] = draft
        return True

    async def drafts(self, who: Agent) -> tuple[Draft, ...]:
        await self._enter("drafts")
        return tuple(self.kept.values())

    async def drop_draft(self, who: Agent, conversation: ConversationId, revision: int, note: bool) -> None:
        await self._enter("drop_draft", conversation, revision)
        kept = self.kept.get(conversation)
        if kept is not None and kept.revision <= revision:
            del self.kept[conversation]

    # -- care -----------------------------------------------------------------------------------------------

    async def erase(self, who: Agent, request: str, customer: CustomerId) -> ErasedCustomer:
        await self._enter("erase", customer)
        members = self.person(customer).members
        count = sum(len(self.records[name]) for name in members)
        for name in members:
            del self.records[name]
        self._folded.clear()
        self.tell(customer)
        return ErasedCustomer(customer, count, 2, 1, ("The mails themselves lie in the mailbox us@example.com.",))

    async def redact(self, who: Agent, request: str, entry: EntryId, why: str) -> None:
        await self._enter("redact", entry, why)
        owner = self._owner(entry)
        self.records[owner] = [msgspec.structs.replace(e, text="") if e.id == entry else e for e in self.records[owner]]
        self.add(owner, Redacted(id=self._id(), at=NOW, entry=entry, by=who.name, why=why))

    async def damaged(self, who: Agent) -> tuple[DamagedRecord, ...]:
        await self._enter("damaged")
        return tuple(self.broken.values())

    async def accept(self, who: Agent, request: str, customer: CustomerId, previous: bool) -> None:
        await self._enter("accept", customer, previous)
        del self.broken[customer]
        self.tell(customer, health=True)

    # -- working --------------------------------------------------------------------------------------------

    def _id(self) -> EntryId:
        self.number += 1
        return EntryId(f"x{self.number}")

    async def note(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, text: str
    ) -> EntryId:
        await self._enter("note", text)
        entry = Note(id=self._id(), at=NOW, agent=who.name, conversation=conversation, text=text)
        self.add(customer, entry)
        return entry.id

    async def assign(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, assignee: AgentName
    ) -> None:
        await self._enter("assign", conversation, assignee)
        self.add(customer, Assigned(id=self._id(), at=NOW, conversation=conversation, assignee=assignee, by=who.name))

    async def set_status(
        self,
        who: Agent,
        request: str,
        customer: CustomerId,
        conversation: ConversationId,
        status: ConversationStatus,
        until: datetime | None,
    ) -> None:
        await self._enter("set_status", conversation, status)
        self.add(customer, StatusChanged(id=self._id(), at=NOW, conversation=conversation, status=status, by=who.name))

    async def work(self, who: Agent, request: str, targets: Sequence[Target], act: Act) -> tuple[Done, ...]:
        await self._enter("work", request, tuple(targets), act)
        act = work.checked(act, NOW)
        for target in targets:
            if isinstance(act, Assign):
                self.calls.append(("assign", (target.conversation, act.assignee)))
            elif isinstance(act, SetStatus):
                self.calls.append(("set_status", (target.conversation, act.status)))
        done = tuple(self._work(who, request, target, act) for target in targets)
        self.worked.append([entry for one in done for entry in one.entries])
        return done

    def _work(self, who: Agent, request: str, target: Target, act: Act) -> Done:
        try:
            person = self.person(target.customer)
            doing = Doing(who.name, NOW, f"{request}{target.customer}{target.conversation}")
            snapshots = {member: self.snapshot(member) for member in person.members}
            if isinstance(act, Split):
                owner = self._owner(act.first)
                name = target.conversation
                conversation = snapshots[owner].conversations[name]
                page = sorted(self.records[owner], key=lambda entry: entry.at)
                made: list[tuple[CustomerId, AnyEntry]] = [
                    (owner, work.split(conversation, page, act.first, doing, snapshots[owner].moved))
                ]
            else:
                made = work.entries(act, person, snapshots, target.conversation, doing)
        except AgentConsoleError as exc:
            return Done(target, code=exc.code, message=exc.message, hint=exc.hint)
        for owner, entry in made:
            self.add(owner, entry)
        last = made[-1][1]
        where = target.conversation
        if isinstance(last, SplitOff):
            where = last.made.id
        elif isinstance(last, JoinedTo):
            where = last.into
        return Done(target, tuple(entry.id for _, entry in made), where)

    async def undo(self, who: Agent, request: str, entries: Sequence[EntryId]) -> tuple[Done, ...]:
        await self._enter("undo", request, tuple(entries))
        found = []
        for entry in entries or self._newest(who):
            owner = self._owner(entry)
            made = next(one for one in self.records[owner] if one.id == entry)
            target = Target(owner, getattr(made, "conversation", ConversationId("")))
            try:
                self.add(owner, undoing.undo(self.snapshot(owner), entry, who.name, NOW))
                found.append(Done(target, (entry,)))
            except AgentConsoleError as exc:
                found.append(Done(target, (entry,), code=exc.code, message=exc.message, hint=exc.hint))
        return tuple(found)

    def _newest(self, who: Agent) -> list[EntryId]:
        changes = {c.entry for name in self.records for c in self.snapshot(name).changes if c.by == who.name}
        for made in reversed(self.worked):
            left = [entry for entry in made if entry in changes]
            if left:
                return left
        raise NotFound("Nothing of yours can be taken back. Nothing was changed.")

    async def open_history(self, who: Agent, request: str, customer: CustomerId, message: EntryId) -> None:
        await self._enter("open_history", customer, message)
        self.opened.add(message)

    async def trust_sender(
        self, who: Agent, request: str, customer: CustomerId, address: str, trusted: bool
    ) -> LinkedAddress:
        await self._enter("trust_sender", customer, address, trusted)
        person = self.person(customer)
        linked = next(known for known in person.addresses if known.address.value == address)
        signer = identity.known_by(person, linked)
        self.add(
            person.owners[str(linked.address)],
            AddressTrusted(
                id=EntryId(f"trusted-{request}"),
                at=NOW,
                address=linked.address,
                signer=signer,
                by=who.name if trusted else AgentName(""),
            ),
        )
        return msgspec.structs.replace(linked, signer=signer, trusted_by=who.name if trusted else AgentName(""))

    async def postpone_suggestion(self, who: Agent, request: str, suggestion: EntryId, until: datetime) -> None:
        await self._enter("postpone_suggestion", suggestion, until)
        self.add(self._owner(suggestion), identity.postpone(suggestion, who.name, request, until, NOW))

    async def wishes(self, who: Agent, customer: CustomerId) -> tuple[WishView, ...]:
        person = self.person(customer)
        return tuple(WishView(person.id, person.name, wish) for wish in person.wishes)

    async def answer_wish(self, who: Agent, request: str, wish: EntryId, accept: bool) -> EntryId:
        await self._enter("answer_wish", wish, accept)
        owner = self._owner(wish)
        seen = self.snapshot(owner).wishes[wish]
        if not accept:
            self.add(owner, WishRefused(id=EntryId(f"refused-{request}"), at=NOW, wish=wish, by=who.name))
            return EntryId("")
        taken = EntryId(f"taken-{request}")
        self.add(
            owner,
            PreferenceStated(
                id=taken,
                at=seen.at,
                medium=seen.medium,
                by=who.name,
                evidence=seen.evidence,
                words=seen.words,
                wish=wish,
            ),
        )
        return taken

    async def answer_suggestion(self, who: Agent, request: str, suggestion: EntryId, accept: bool) -> EntryId:
        await self._enter("answer_suggestion", suggestion, accept)
        owner = self._owner(suggestion)
        found = self.snapshot(owner).suggestions[suggestion]
        if not accept:
            self.add(owner, identity.refuse(suggestion, who.name, request, NOW))
            return EntryId("")
        edge = identity.merge(
            EntryId(f"merged-{request}"), self.person(owner), self.person(found.other), who.name, NOW, suggestion
        )
        self.add(owner, edge)
        return edge.id

    async def split(
        self, who: Agent, request: str, customer: CustomerId, addresses: Sequence[str], name: str
    ) -> CustomerId:
        await self._enter("split", customer, tuple(addresses), name)
        return CustomerId("other")

    async def unsplit(self, who: Agent, request: str, customer: CustomerId) -> CustomerId:
        await self._enter("unsplit", customer)
        return customer

    async def unmerge(self, who: Agent, request: str, customer: CustomerId, merge: EntryId) -> None:
        await self._enter("unmerge", merge)
        owner = next(n for n, e in self.records.items() if any(isinstance(x, Merged) and x.id == merge for x in e))
        self.add(owner, identity.unmerge(EntryId(f"unmerged-{request}"), merge, who.name, NOW))

    def opt_out(self, customer: str, medium: str, words: str = "STOP", *, days: float = 1) -> None:
        at = NOW - timedelta(days=days)
        self.add(
            customer,
            ConsentChanged(id=self._id(), at=at, medium=Medium(medium), scope=ConsentScope.ALL, words=words),
        )

    def prefers(self, customer: str, medium: str, *, days: float = 1) -> None:
        self.add(
            customer,
            PreferenceStated(
                id=self._id(), at=NOW - timedelta(days=days), medium=Medium(medium), evidence_medium=Medium("email")
            ),
        )


def emily(desk: DeskDouble) -> None:
    """The story to keep in mind: an e-mail with a number, then WhatsApp from that number; and three others."""
    evidence = desk.received(
        "emily",
        "mail",
        email("emily@example.com"),
        "Hello, I have 12 March, 9:00 with Dr Adams. Could it be 11 March, same time?\n"
        "My WhatsApp is +44 20 7946 0182.\n\n> On 1 March you wrote:\n> Dear Emily\n> see you soon\n",
        minutes=9,
        name="Emily Rhodes",
        subject="Move my appointment",
        attachments=(Attachment("letter.pdf", "application/pdf", 12_300),),
    )
    desk.received("wa-emily", "wa", phone("+442079460182"), "any news? I wrote you", minutes=1, name="")
    desk.received("minsu", "sms", phone("+821012345678"), "배송 언제 오나요?", minutes=4, name="박민수")
    desk.received(
        "minsu",
        "mail",
        email("minsu@example.com"),
        "주문 확인 부탁드립니다",
        minutes=3000,
        name="박민수",
        subject="주문",
    )
    desk.opt_out("minsu", "sms", "provider", days=2)
    desk.received(
        "tanaka", "mail", email("tanaka@example.com"), "請求書について", minutes=22, name="田中ゆき", subject="請求書"
    )
    desk.prefers("tanaka", "email")
    desk.suggest("emily", "wa-emily", phone("+442079460182"), evidence)
