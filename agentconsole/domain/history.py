"""From entries to what they add up to.

``advance`` folds entries into the snapshot of one record and is incremental: folding in two goes equals folding in
one. Records that merge edges join are seen as one by ``domain.person``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from agentconsole.domain import consent, delivery, facts, identity, learned, numbers
from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AddressTrusted,
    AddressUnlinked,
    AnyEntry,
    Assigned,
    ConsentChanged,
    Described,
    Merged,
    Named,
    Note,
    PreferenceStated,
    Receipt,
    Received,
    Reply,
    StatusChanged,
    Suggested,
    SuggestionAnswered,
    Tagged,
    Unmerged,
    Unreadable,
    WishRefused,
    WishSeen,
)
from agentconsole.domain.model import (
    Address,
    AgentName,
    Card,
    Consent,
    Conversation,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    Heard,
    LinkedAddress,
    Medium,
    MergeEdge,
    Preference,
    Route,
    RouteUse,
    Snapshot,
    Suggestion,
    Tally,
    Trust,
    Wish,
)

FOLD_VERSION: Final = 6
"""Raised with every change of what entries add up to; a snapshot of another version is computed anew."""

PREVIEW: Final = 160
_NO_MEDIUM: Final = Medium("")
KEPT_DELIVERIES: Final = 40
KEPT_PARTICIPANTS: Final = 50
KEPT_ANSWERS: Final = 50
KEPT_WISHES: Final = 5
KEPT_BEGUN: Final = 20
KEPT_COMPLAINTS: Final = 5
COMPLAINT: Final = "complaint"
"""The tag of a conversation after which nothing cheerful is begun for a while."""

KEPT_RESOLVED: Final = 100
"""Resolved conversations that a snapshot holds at least, the newest; it is written with every entry."""

_RESOLVED_SLACK: Final = 20

_TRUST_RANK = {Trust.VERIFIED: 3, Trust.THREADED: 2, Trust.CLAIMED: 1, Trust.AMBIGUOUS: 0}
ACTIVE = (ConversationStatus.OPEN, ConversationStatus.PENDING, ConversationStatus.SNOOZED)

replace = msgspec.structs.replace


def empty(record: CustomerId) -> Snapshot:
    """Return the snapshot of a record without entries."""
    return Snapshot(id=record, version=FOLD_VERSION)


def fold(record: CustomerId, entries: Iterable[AnyEntry]) -> Snapshot:
    """Fold all entries of a record from nothing."""
    return advance(empty(record), entries)


def advance(snapshot: Snapshot, entries: Iterable[AnyEntry]) -> Snapshot:
    """Return the snapshot after some more entries, in the order given."""
    fold_ = _Fold(snapshot)
    for entry in entries:
        fold_.add(entry)
    return fold_.snapshot()


def route_key(route: Route) -> str:
    return f"{route.account}|{route.address}"


def consent_key(consent: Consent | ConsentChanged) -> str:
    return f"{consent.medium}|{consent.scope}"


class _Fold:
    """A snapshot opened for writing: mappings are copied once for a whole run of entries."""

    def __init__(self, start: Snapshot) -> None:
        self.start = start
        self.count = start.count
        self.name = start.name
        self.name_given = start.name_given
        self.since = start.since
        self.last_at = start.last_at
        self.addresses = dict(start.addresses)
        self.consents = dict(start.consents)
        self.preferences = dict(start.preferences)
        self.routes = dict(start.routes)
        self.conversations = dict(start.conversations)
        self.deliveries = dict(start.deliveries)
        self.suggestions = dict(start.suggestions)
        self.merges = dict(start.merges)
        self.wishes = dict(start.wishes)
        self.cards = dict(start.cards)
        self.tallies = dict(start.tallies)
        self.languages = dict(start.languages)
        self.answers = start.answers
        self.facts = dict(start.facts)
        self.heard = start.heard
        self.begun = start.begun
        self.complaints = dict(start.complaints)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            id=self.start.id,
            version=FOLD_VERSION,
            count=self.count,
            name=self.name,
            name_given=self.name_given,
            since=self.since,
            last_at=self.last_at,
            addresses=self.addresses,
            consents=self.consents,
            preferences=self.preferences,
            routes=self.routes,
            conversations=self.conversations,
            deliveries=self.deliveries,
            suggestions=self.suggestions,
            merges=self.merges,
            wishes=self.wishes,
            cards=self.cards,
            tallies=self.tallies,
            languages=self.languages,
            answers=self.answers,
            facts=self.facts,
            heard=self.heard,
            begun=self.begun,
            complaints=self.complaints,
        )

    def add(self, entry: AnyEntry) -> None:
        self._add(entry)
        if isinstance(entry, Reply | Receipt) and len(self.deliveries) > KEPT_DELIVERIES:
            self._prune_deliveries()
        if len(self.conversations) > KEPT_RESOLVED + _RESOLVED_SLACK:
            self._retire_conversations()

    def _add(self, entry: AnyEntry) -> None:
        self.count += 1
        self.since = entry.at if self.since is None else min(self.since, entry.at)
        match entry:
            case Received():
                self._received(entry)
            case Unreadable():
                self._touch(entry.conversation, entry.at, medium=entry.medium, waiting=not entry.past, past=entry.past)
            case Reply():
                self._reply(entry)
            case Receipt():
                self._receipt(entry)
            case Note():
                self._touch(entry.conversation, entry.at)
            case Named():
                if entry.by or not self.name_given:
                    self.name, self.name_given = entry.name, bool(entry.by)
            case AddressLinked():
                self._link(entry.address, entry.trust, entry)
            case AddressUnlinked():
                self.addresses.pop(str(entry.address), None)
            case AddressState():
                self._address_state(entry)
            case ConsentChanged():
                self._consent(entry)
            case PreferenceStated():
                self._preference(entry)
            case WishSeen():
                self._wish(entry)
            case WishRefused():
                self.wishes.pop(entry.wish, None)
            case Described():
                self._describe(entry)
            case AddressTrusted():
                linked = self.addresses.get(str(entry.address))
                if linked is not None:
                    signer = entry.signer if entry.by else linked.signer
                    self.addresses[str(entry.address)] = replace(linked, trusted_by=entry.by, signer=signer)
            case Assigned():
                self._set(entry.conversation, entry.at, assignee=entry.assignee)
            case StatusChanged():
                self._status(entry)
            case Tagged():
                conversation = self._conversation(entry.conversation, entry.at)
                tags = tuple(sorted((set(conversation.tags) | set(entry.add)) - set(entry.remove)))
                self.conversations[entry.conversation] = replace(conversation, tags=tags)
                self._complaint(entry)
            case Suggested():
                self.suggestions.setdefault(
                    entry.id, Suggestion(entry.id, entry.at, entry.other, entry.address, entry.why, entry.evidence)
                )
            case SuggestionAnswered():
                if entry.until is None:
                    self._answer(entry.suggestion, answered=True, accepted=entry.accepted)
                elif entry.suggestion in self.suggestions:
                    found = self.suggestions[entry.suggestion]
                    self.suggestions[entry.suggestion] = replace(found, until=entry.until)
            case Merged():
                self.merges[entry.id] = MergeEdge(
                    entry.id, entry.other, entry.at, entry.by, entry.joins, entry.suggestion
                )
                self._answer(entry.suggestion, answered=True, accepted=True)
            case Unmerged():
                edge = self.merges.pop(entry.merge, None)
                if edge is not None:
                    self._answer(edge.suggestion, answered=False, accepted=False)

    # -- messages ------------------------------------------------------------------------------------------

    def _received(self, entry: Received) -> None:
        self._link(entry.sender, entry.trust, entry)
        linked = self.addresses[str(entry.sender)]
        believed = identity.believed(linked, entry.trust, entry.signer, checked=entry.checked)
        if believed:  # what may be somebody else's teaches nothing of the customer
            self._learn(entry)
            facts.learn(self.facts, facts.told(entry))
        if not entry.past:
            self.heard = Heard(entry.id, entry.stored_at, entry.sender, entry.trust, entry.signer, entry.checked)
        if entry.sender_name and not self.name:
            self.name = entry.sender_name
        conversation = self._touch(
            entry.conversation,
            entry.at,
            medium=entry.medium,
            subject=entry.subject,
            waiting=not (entry.automatic or entry.past),
            past=entry.past,
        )
        newest = entry.at >= conversation.last_at
        people = dict.fromkeys((*conversation.participants, *entry.participants))
        self.conversations[entry.conversation] = replace(
            conversation,
            preview=_preview(entry.text) if newest else conversation.preview,
            last_in=entry.id if newest else conversation.last_in,
            last_in_at=entry.at if newest and not entry.automatic else conversation.last_in_at,
            participants=tuple(people)[:KEPT_PARTICIPANTS],
        )
        use = self._use(Route(entry.account, entry.medium, entry.sender, entry.place))
        if use.last_in is None or entry.at >= use.last_in:
            use = replace(
                use,
                last_in=entry.at,
                external_id=entry.external_id,
                subject=entry.subject,
                route=replace(use.route, place=entry.place),
            )
        if believed and (use.vouched_in is None or entry.at >= use.vouched_in):
            use = replace(use, vouched_in=entry.at)
        if believed and use.unanswered and not entry.automatic:
            use = replace(use, answered=use.answered + use.unanswered, unanswered=0)
        self.routes[route_key(use.route)] = use
        if believed and linked.dead and linked.dead_at is not None and entry.at > linked.dead_at:
            self.addresses[str(entry.sender)] = replace(linked, dead="", dead_at=None)

    def _learn(self, entry: Received) -> None:
        """Learn from a message that a person wrote: the language, and that our last ones were answered."""
        if entry.automatic:
            return
        if entry.language:
            self.languages[entry.language] = self.languages.get(entry.language, 0) + 1
        tally = self.tallies.get(entry.medium)
        if tally is None or entry.past:
            return
        after = learned.answered(tally, entry.at)
        self.tallies[entry.medium] = after
        if after.answered > tally.answered:
            self.answers = (*self.answers, entry.at)[-KEPT_ANSWERS:]

    def _reply(self, entry: Reply) -> None:
        if entry.past:
            self._touch(entry.conversation, entry.at, medium=entry.medium, subject=entry.subject, past=True)
            return
        conversation = self._touch(entry.conversation, entry.at, medium=entry.medium, subject=entry.subject)
        self.conversations[entry.conversation] = replace(
            conversation,
            waiting_since=None,
            answered_at=entry.at,
            preview=_preview(entry.text),
            assignee=conversation.assignee or entry.agent,
            assigned_at=conversation.assigned_at if conversation.assignee else entry.at,
            status=ConversationStatus.OPEN if conversation.status in ACTIVE else conversation.status,
            snoozed_until=None,
        )
        self.deliveries[entry.id] = delivery.opened(entry)

    def _receipt(self, entry: Receipt) -> None:
        record = self.deliveries.get(entry.reply)
        if record is None or not delivery.follows(record, entry):
            return
        self.deliveries[entry.reply] = delivery.advanced(record, entry)
        arrived_now = entry.state in delivery.ARRIVED and record.state not in delivery.ARRIVED
        if arrived_now:
            use = self._use(Route(record.account, record.medium, record.address))
            self.routes[route_key(use.route)] = replace(use, last_out=entry.at, unanswered=use.unanswered + 1)
            tally = self.tallies.get(record.medium) or Tally(record.medium)
            self.tallies[record.medium] = learned.sent(tally, entry.at)
            if record.proactive:
                self.begun = tuple(sorted((*self.begun, entry.at)))[-KEPT_BEGUN:]
        if entry.state in (Delivery.FAILED, Delivery.CANCELLED):
            conversation = self._conversation(record.conversation, entry.at)
            if conversation.waiting_since is None and conversation.status in ACTIVE:
                self.conversations[record.conversation] = replace(conversation, waiting_since=entry.at)

    # -- the person ----------------------------------------------------------------------------------------

    def _link(self, address: Address, trust: Trust, entry: Received | AddressLinked) -> None:
        linked = self.addresses.get(str(address))
        if linked is None:
            by, evidence, why = "", entry.id, ""
            if isinstance(entry, AddressLinked):
                by, evidence, why = entry.by, entry.evidence or entry.id, entry.why
            self.addresses[str(address)] = LinkedAddress(address, trust, entry.at, by, evidence, why)  # type: ignore[arg-type]
        elif _TRUST_RANK[trust] > _TRUST_RANK[linked.trust]:
            self.addresses[str(address)] = replace(linked, trust=trust)
        self._signed(address, entry)

    def _signed(self, address: Address, entry: Received | AddressLinked) -> None:
        """Note who signs an address now; what an agent vouched for lapses when that changes."""
        linked = self.addresses[str(address)]
        signer = entry.signer if isinstance(entry, Received) else ""
        if signer and signer != linked.signer:
            self.addresses[str(address)] = replace(linked, signer=signer, trusted_by=AgentName(""))

    def _address_state(self, entry: AddressState) -> None:
        linked = self.addresses.get(str(entry.address))
        if linked is not None:
            self.addresses[str(entry.address)] = replace(
                linked, dead=entry.dead, dead_at=entry.at if entry.dead else None
            )

    def _consent(self, entry: ConsentChanged) -> None:
        """The later word counts, whenever it arrives; at the same moment the denial.

        A consent lifts every older denial that it covers: "write to me again" lifts the STOP on one medium too. A
        narrow one lifts no wider denial.
        """
        said = Consent(entry.medium, entry.scope, entry.allowed, entry.at, entry.evidence, entry.words)
        known = self.consents.get(consent_key(said))
        if known is not None and _weight(said) < _weight(known):
            return
        self.consents[consent_key(said)] = said
        words = tuple(self.consents.values())
        for denied in words:
            lifts = (w.allowed and w.at > denied.at and consent.covers(w, denied) for w in words)
            if not denied.allowed and any(lifts):
                del self.consents[consent_key(denied)]

    def _complaint(self, entry: Tagged) -> None:
        if COMPLAINT in entry.remove:
            self.complaints.pop(entry.conversation, None)
        elif COMPLAINT in entry.add:
            self.complaints[entry.conversation] = entry.at
            for oldest in sorted(self.complaints, key=lambda name: self.complaints[name])[:-KEPT_COMPLAINTS]:
                del self.complaints[oldest]

    def _preference(self, entry: PreferenceStated) -> None:
        """The later word counts. A wish that was taken back stays as one without a medium."""
        self.wishes.pop(entry.wish, None)
        known = self.preferences.get(entry.purpose)
        if known is not None and entry.at < known.at:
            return
        self.preferences[entry.purpose] = Preference(
            entry.medium, entry.purpose, entry.at, entry.by, entry.evidence, entry.evidence_medium, entry.words
        )

    def _wish(self, entry: WishSeen) -> None:
        """Keep the newest wishes only: who did not decide about the tenth will not about the first."""
        self.wishes[entry.id] = Wish(
            entry.id, entry.at, entry.medium, entry.purpose, entry.evidence, entry.evidence_medium, entry.words
        )
        for oldest in sorted(self.wishes, key=lambda wish: self.wishes[wish].at)[:-KEPT_WISHES]:
            del self.wishes[oldest]

    def _describe(self, entry: Described) -> None:
        known = self.cards.get(entry.what)
        if known is None or entry.at >= known.at:
            self.cards[entry.what] = Card(entry.what, entry.value, entry.at, entry.by, entry.evidence)

    def _answer(self, suggestion: str, *, answered: bool, accepted: bool) -> None:
        found = self.suggestions.get(suggestion)
        if found is not None:
            self.suggestions[suggestion] = replace(found, answered=answered, accepted=accepted)

    # -- conversations -------------------------------------------------------------------------------------

    def _conversation(self, name: ConversationId, at: datetime) -> Conversation:
        return self.conversations.get(name) or Conversation(
            id=name, subject="", status=ConversationStatus.OPEN, started_at=at, last_at=at
        )

    def _touch(
        self,
        name: ConversationId,
        at: datetime,
        *,
        medium: Medium = _NO_MEDIUM,
        subject: str = "",
        waiting: bool = False,
        past: bool = False,
    ) -> Conversation:
        fresh = name not in self.conversations
        conversation = self._conversation(name, at)
        status, since = conversation.status, conversation.waiting_since
        if past and fresh:
            status = ConversationStatus.RESOLVED
        if waiting:
            status = ConversationStatus.OPEN
            since = since or at
        media = conversation.media if not medium or medium in conversation.media else (*conversation.media, medium)
        conversation = replace(
            conversation,
            subject=conversation.subject or subject,
            status=status,
            media=media,
            waiting_since=since,
            snoozed_until=None if waiting else conversation.snoozed_until,
            last_at=max(conversation.last_at, at),
        )
        self.conversations[name] = conversation
        self.last_at = at if self.last_at is None else max(self.last_at, at)
        return conversation

    def _set(self, name: ConversationId, at: datetime, *, assignee: str) -> None:
        self.conversations[name] = replace(self._conversation(name, at), assignee=assignee, assigned_at=at)

    def _status(self, entry: StatusChanged) -> None:
        conversation = self._conversation(entry.conversation, entry.at)
        quiet = entry.status in (ConversationStatus.RESOLVED, ConversationStatus.SNOOZED)
        was_quiet = conversation.status in (ConversationStatus.RESOLVED, ConversationStatus.SNOOZED)
        # Who reopens wants something done: it must not stay out of sight because closing had ended the wait.
        reopened = was_quiet and entry.status == ConversationStatus.OPEN
        since = conversation.waiting_since or (entry.at if reopened else None)
        self.conversations[entry.conversation] = replace(
            conversation,
            status=entry.status,
            waiting_since=None if quiet else since,
            answered_at=entry.at if quiet else conversation.answered_at,
            snoozed_until=entry.until if entry.status == ConversationStatus.SNOOZED else None,
        )

    # -- routes and deliveries -----------------------------------------------------------------------------

    def _use(self, route: Route) -> RouteUse:
        return self.routes.get(route_key(route)) or RouteUse(route)

    def _prune_deliveries(self) -> None:
        finished = [d for d in self.deliveries.values() if d.state in delivery.ARRIVED]
        if len(finished) > KEPT_DELIVERIES:
            finished.sort(key=lambda d: d.queued_at)
            for record in finished[: len(finished) - KEPT_DELIVERIES]:
                del self.deliveries[record.reply]

    def _retire_conversations(self) -> None:
        """Let go of what was resolved longest ago and has no reply that somebody must look at. Its entries stay in
        the timeline, and a message to it opens it again."""
        needed = {d.conversation for d in self.deliveries.values() if d.state in delivery.UNFINISHED}
        resolved = [
            c
            for c in self.conversations.values()
            if c.status == ConversationStatus.RESOLVED and c.waiting_since is None and c.id not in needed
        ]
        if len(resolved) > KEPT_RESOLVED + _RESOLVED_SLACK:
            resolved.sort(key=lambda c: (c.last_at, c.id))
            for gone in resolved[:-KEPT_RESOLVED]:
                del self.conversations[gone.id]


def _weight(said: Consent) -> tuple[datetime, bool]:
    return said.at, not said.allowed


def _preview(text: str) -> str:
    """Return the beginning of a text. Masked first: half of a number at its end would not be known as one."""
    return numbers.masked(" ".join(text[: PREVIEW * 4].split()))[:PREVIEW]
