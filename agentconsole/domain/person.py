"""One person over several records: their snapshots seen as one, as long as merge edges join them.

Nothing is stored of it: an edge that ends leaves every record as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from agentconsole.domain import delivery, facts, gate, learned
from agentconsole.domain.history import ACTIVE, KEPT_ANSWERS, KEPT_PARTICIPANTS
from agentconsole.domain.model import (
    Card,
    Consent,
    Conversation,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    Delivery,
    EntryId,
    Fact,
    Line,
    LinkedAddress,
    MergeEdge,
    Preference,
    Priority,
    RouteUse,
    Snapshot,
    Tally,
    Task,
)

URGENCY = tuple(Priority)


def combine(root: CustomerId, snapshots: Mapping[CustomerId, Snapshot]) -> Customer:
    """See the snapshots of all joined records as one person.

    Args:
        root: the record that no other absorbs; its id is the customer's.
        snapshots: the snapshots of all records of the cluster, the root's among them.
    """
    members = (root, *sorted(name for name in snapshots if name != root))
    ordered = [snapshots[name] for name in members]
    joined = _joined(ordered)
    owners: dict[str, CustomerId] = {}
    addresses: dict[str, LinkedAddress] = {}
    consents: dict[str, Consent] = {}
    preferences: dict[str, Preference] = {}
    routes: dict[str, RouteUse] = {}
    for snapshot in ordered:
        for key, linked in snapshot.addresses.items():
            owners.setdefault(key, snapshot.id)
            addresses.setdefault(key, linked)
        for key, consent in snapshot.consents.items():
            other = consents.get(key)
            consents[key] = consent if other is None else _stricter(other, consent)
        for purpose, preference in snapshot.preferences.items():
            known = preferences.get(purpose)
            if known is None or preference.at > known.at:
                preferences[purpose] = preference
        for key, use in snapshot.routes.items():
            routes[key] = use if key not in routes else _later_use(routes[key], use)
        for conversation_id in snapshot.conversations:
            owners.setdefault(conversation_id, snapshot.id)
        for reply in snapshot.deliveries:
            owners[reply] = snapshot.id
        for suggestion in snapshot.suggestions:
            owners[suggestion] = snapshot.id
        for merge in snapshot.merges:
            owners[merge] = snapshot.id
        for wish in snapshot.wishes:
            owners[wish] = snapshot.id
        for task in snapshot.tasks:
            owners[task] = snapshot.id
        for parting in snapshot.partings:
            owners[parting] = snapshot.id
    known_members = frozenset(members)
    return Customer(
        id=root,
        members=members,
        name=_name(ordered),
        since=min((s.since for s in ordered if s.since is not None), default=None),
        last_at=max((s.last_at for s in ordered if s.last_at is not None), default=None),
        addresses=tuple(sorted(addresses.values(), key=lambda a: (a.since, a.address))),
        consents=tuple(consents.values()),
        preferences=tuple(sorted((p for p in preferences.values() if p.medium), key=lambda p: p.purpose)),
        routes=tuple(sorted(routes.values(), key=lambda u: u.route)),
        conversations=_conversations(ordered, joined),
        deliveries=tuple(
            sorted((delivery.told(d) for s in ordered for d in s.deliveries.values()), key=lambda d: d.queued_at)
        ),
        suggestions=tuple(
            suggestion
            for snapshot in ordered
            for suggestion in snapshot.suggestions.values()
            if suggestion.other not in known_members
        ),
        merges=_merges(ordered),
        wishes=tuple(sorted((w for s in ordered for w in s.wishes.values()), key=lambda w: w.at)),
        cards=_cards(ordered),
        tallies=_tallies(ordered),
        languages=dict(sum((Counter(s.languages) for s in ordered), Counter())),
        answers=tuple(sorted(at for s in ordered for at in s.answers))[-KEPT_ANSWERS:],
        facts=_facts(ordered),
        heard=max((s.heard for s in ordered if s.heard is not None), key=lambda h: (h.at, h.entry), default=None),
        begun=tuple(sorted(at for s in ordered for at in s.begun)),
        complaints=tuple(sorted(at for s in ordered for at in s.complaints.values())),
        tasks=tuple(sorted((t for s in ordered for t in s.tasks.values() if not t.done), key=lambda t: (t.due, t.id))),
        moved={entry: to for s in ordered for entry, to in s.moved.items()},
        changes=tuple(sorted((c for s in ordered for c in s.changes), key=lambda c: c.at)),
        partings=tuple(parting for s in ordered for parting in s.partings.values()),
        owners=owners,
        joined=joined,
    )


def _name(snapshots: Sequence[Snapshot]) -> str:
    """Return what a customer is called: as an agent said, the first of them, else as the senders call themselves."""
    since_split = (max(s.partings.values(), key=lambda p: (bool(p.name), p.at), default=None) for s in snapshots)
    called = [(split.name if split is not None else "", s) for split, s in zip(since_split, snapshots, strict=True)]
    given = (alias or s.name for alias, s in called if alias or s.name_given)
    return next(given, "") or next((s.name for s in snapshots if s.name), "")


def _cards(snapshots: Sequence[Snapshot]) -> dict[str, Card]:
    newest: dict[str, Card] = {}
    for snapshot in snapshots:
        for what, card in snapshot.cards.items():
            if what not in newest or card.at > newest[what].at:
                newest[what] = card
    return {what: card for what, card in newest.items() if card.value}


def _facts(snapshots: Sequence[Snapshot]) -> tuple[Fact, ...]:
    found: dict[str, Fact] = {}
    for snapshot in snapshots:
        facts.learn(found, snapshot.facts.values())
    return facts.ordered(found)


def _tallies(snapshots: Sequence[Snapshot]) -> tuple[Tally, ...]:
    found: dict[str, Tally] = {}
    for snapshot in snapshots:
        for medium, tally in snapshot.tallies.items():
            found[medium] = learned.added(found[medium], tally) if medium in found else tally
    return tuple(found[medium] for medium in sorted(found))


def _stricter(one: Consent, other: Consent) -> Consent:
    """While records are joined the union of their opt-outs holds; among equals the later word."""
    if one.allowed != other.allowed:
        return other if one.allowed else one
    return other if other.at > one.at else one


def _later_use(one: RouteUse, other: RouteUse) -> RouteUse:
    newest = max((one, other), key=lambda use: use.last_in.timestamp() if use.last_in else 0.0)
    outs = [use.last_out for use in (one, other) if use.last_out is not None]
    vouched = [use.vouched_in for use in (one, other) if use.vouched_in is not None]
    return replace(
        newest,
        last_out=max(outs) if outs else None,
        vouched_in=max(vouched) if vouched else None,
        answered=one.answered + other.answered,
        unanswered=one.unanswered + other.unanswered,
    )


def _merges(snapshots: Sequence[Snapshot]) -> tuple[MergeEdge, ...]:
    """Return the merges, the oldest first: one that was ended and taken up again stands where it stood."""
    return tuple(edge for s in snapshots for edge in sorted(s.merges.values(), key=lambda edge: (edge.at, edge.id)))


def _joined(snapshots: Sequence[Snapshot]) -> dict[ConversationId, ConversationId]:
    pairs: dict[ConversationId, ConversationId] = {}
    for edge in _merges(snapshots):
        pairs.update(edge.joins)
    for snapshot in snapshots:
        pairs.update({ConversationId(part): whole for part, whole in snapshot.joins.items()})
    resolved = {}
    for start in pairs:
        target, seen = start, {start}
        while target in pairs and pairs[target] not in seen:
            target = pairs[target]
            seen.add(target)
        if target != start:
            resolved[start] = target
    return resolved


def _conversations(
    snapshots: Sequence[Snapshot], joined: Mapping[ConversationId, ConversationId]
) -> tuple[Conversation, ...]:
    found: dict[ConversationId, Conversation] = {}
    for snapshot in snapshots:
        for conversation in snapshot.conversations.values():
            name = joined.get(conversation.id, conversation.id)
            here = replace(conversation, id=name)
            found[name] = here if name not in found else _join(found[name], here, keep_subject=conversation.id != name)
    return tuple(sorted(found.values(), key=lambda c: c.last_at, reverse=True))


def _join(one: Conversation, other: Conversation, *, keep_subject: bool) -> Conversation:
    newest = max((one, other), key=lambda c: c.last_at)
    active = [c for c in (one, other) if c.status in ACTIVE]
    answers = [c.answered_at for c in (one, other) if c.answered_at is not None]
    answered = max(answers, default=None)
    waits = [since for c in active if (since := _still_waiting(c, answered)) is not None]
    assigned = max((one, other), key=lambda c: (c.assigned_at is not None, c.assigned_at or c.started_at))
    first = one if keep_subject else other
    second = other if keep_subject else one
    return replace(
        newest,
        subject=first.subject or second.subject,
        status=min((c.status for c in active), key=ACTIVE.index) if active else ConversationStatus.RESOLVED,
        started_at=min(one.started_at, other.started_at),
        assignee=assigned.assignee,
        assigned_at=assigned.assigned_at,
        tags=tuple(sorted({*one.tags, *other.tags})),
        media=tuple(dict.fromkeys((*first.media, *second.media))),
        waiting_since=min(waits) if waits else None,
        answered_at=answered,
        last_in_at=max((c.last_in_at for c in (one, other) if c.last_in_at is not None), default=None),
        participants=tuple(dict.fromkeys((*one.participants, *other.participants)))[:KEPT_PARTICIPANTS],
        snoozed_until=min((c.snoozed_until for c in active if c.snoozed_until is not None), default=None),
        priority=max((one.priority, other.priority), key=URGENCY.index),
        aside=one.aside if one.aside == other.aside else "",
        replied=one.replied or other.replied,
        mentions=tuple(dict.fromkeys((*one.mentions, *other.mentions))),
    )


def _still_waiting(conversation: Conversation, answered: datetime | None) -> datetime | None:
    """Return since when a part of a joined conversation waits, given an answer that another part may hold."""
    since = conversation.waiting_since
    if since is None or answered is None or since > answered:
        return since
    last = conversation.last_in_at
    return last if last is not None and last > answered else None


def lines(customer: Customer) -> tuple[Line, ...]:
    """Return the queue rows of a customer, one a conversation, without what depends on the agent."""
    apart = {record for split in customer.partings for record in (split.one, split.other)}
    pending = sum(1 for s in customer.suggestions if not s.answered and s.other not in apart) + len(customer.wishes)
    states: dict[ConversationId, list[Delivery]] = {}
    for record in customer.deliveries:
        name = customer.joined.get(record.conversation, record.conversation)
        states.setdefault(name, []).append(record.state)
    tasks: dict[ConversationId, list[Task]] = {}
    for task in customer.tasks:
        tasks.setdefault(customer.joined.get(task.conversation, task.conversation), []).append(task)
    doubt = gate.closing(customer)
    blocked = {str(linked.address) for linked in customer.addresses if linked.blocked_by}
    return tuple(
        Line(
            conversation=c.id,
            customer=customer.id,
            name=customer.name or (customer.addresses[0].address.value if customer.addresses else customer.id),
            subject=c.subject,
            status=c.status,
            media=c.media,
            last_at=c.last_at,
            preview=c.preview,
            assignee=c.assignee,
            waiting_since=c.waiting_since,
            uncertain=states.get(c.id, []).count(Delivery.UNCERTAIN),
            failed=states.get(c.id, []).count(Delivery.FAILED),
            suggestions=pending,
            priority=c.priority,
            tags=c.tags,
            aside=c.aside or ("blocked" if c.last_sender in blocked else ""),
            snoozed_until=c.snoozed_until,
            task=next(iter(tasks.get(c.id, ())), None),
            tasks=len(tasks.get(c.id, ())),
            mentions=c.mentions,
            medium=c.last_medium,
            language=c.language,
            replied=c.replied,
            shut=doubt.entry if doubt is not None else EntryId(""),
            shut_subject=gate.subject_of(customer, c, doubt),
            shut_preview=gate.preview_of(c, doubt),
        )
        for c in customer.conversations
    )
