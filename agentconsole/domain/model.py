"""The words of the trade as values: addresses, entries, what they add up to, and the choice of a route.

Entries are the truth and are appended, never edited. Everything else in this module is computed from them
(``domain.history``) or for a moment's decision (``domain.preference``, ``domain.permission``). The meaning of
each word is fixed in ``docs/architecture.md``.

Values are ``msgspec.Struct`` so that the store, the socket and ``--json`` share one encoding.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import NewType, TypeAlias

import msgspec

CustomerId = NewType("CustomerId", str)
EntryId = NewType("EntryId", str)
ConversationId = NewType("ConversationId", str)
AccountName = NewType("AccountName", str)
AgentName = NewType("AgentName", str)
BlobId = NewType("BlobId", str)
Medium = NewType("Medium", str)


def derive_id(prefix: str, *parts: str) -> str:
    """Return an id that is the same for the same parts, so that doing a step twice is harmless."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=15)
    return f"{prefix}{digest.hexdigest()}"


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of all values: immutable, and without default fields on the wire."""


class Address(Value, frozen=True, order=True):
    """Where somebody can be reached, already normalised (``domain.addresses``).

    ``scope`` is empty for e-mail and phone, else the provider's namespace (bot, page, workspace), because such
    ids mean something only inside it.
    """

    kind: str
    scope: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.scope}:{self.value}"


class Trust(StrEnum):
    """How sure we are that an address is its customer's, best first."""

    VERIFIED = "verified"
    THREADED = "threaded"
    CLAIMED = "claimed"
    AMBIGUOUS = "ambiguous"


class Delivery(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"


class ConversationStatus(StrEnum):
    OPEN = "open"
    PENDING = "pending"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class ConsentScope(StrEnum):
    MARKETING = "marketing"
    SERVICE = "service"
    ALL = "all"


class Attachment(Value, frozen=True):
    """A file that came or goes with a message. ``size`` is in bytes; ``blob`` is empty where it was not kept."""

    name: str
    type: str
    size: int
    blob: BlobId = BlobId("")


class Participant(Value, frozen=True):
    """Somebody else on a conversation. An address of the conversation, never of the customer."""

    role: str
    address: Address
    name: str = ""


Facts: TypeAlias = dict[str, str]
"""Data behind a reason, worded by ``text.words``: times as ISO 8601, numbers as decimal text."""


class Route(Value, frozen=True, order=True):
    """Where a reply could go. ``place`` is the room or chat where the provider needs one."""

    account: AccountName
    medium: Medium
    address: Address
    place: str = ""


class Ranked(Value, frozen=True):
    route: Route
    rule: str
    facts: Facts = {}


class RefusedRoute(Value, frozen=True):
    """A route that must not be used now. ``until`` is when that ends, where it does."""

    route: Route
    reason: str
    facts: Facts = {}
    until: datetime | None = None


class Choice(Value, frozen=True):
    """The explained choice of a channel: the first of ``ranked``; nothing in ``refused`` is ever tried.

    ``set_aside`` is the route that the customer asked for where another was chosen, with the reason of its veto,
    ``outranked``, or ``no_way_there``: then its account and address are empty.
    """

    ranked: tuple[Ranked, ...]
    refused: tuple[RefusedRoute, ...] = ()
    set_aside: RefusedRoute | None = None
    proposal: Ranked | None = None
    """A route that experience speaks for and the rules of a reply do not: one key takes it."""

    @property
    def best(self) -> Ranked | None:
        return self.ranked[0] if self.ranked else None


# -- what entries add up to --------------------------------------------------------------------------------


class LinkedAddress(Value, frozen=True):
    address: Address
    trust: Trust
    since: datetime
    by: AgentName = AgentName("")
    evidence: EntryId = EntryId("")
    why: str = ""
    dead: str = ""
    dead_at: datetime | None = None
    signer: str = ""
    trusted_by: AgentName = AgentName("")
    """The agent who vouches for the address as ``signer`` signs it."""
    blocked_by: AgentName = AgentName("")


class Consent(Value, frozen=True):
    medium: Medium
    scope: ConsentScope
    allowed: bool
    at: datetime
    evidence: EntryId = EntryId("")
    words: str = ""


class Preference(Value, frozen=True):
    medium: Medium
    purpose: str
    at: datetime
    by: AgentName = AgentName("")
    evidence: EntryId = EntryId("")
    evidence_medium: Medium = Medium("")
    words: str = ""


class Wish(Value, frozen=True):
    """A wish that was suggested and not decided on yet."""

    id: EntryId
    at: datetime
    medium: Medium
    purpose: str
    evidence: EntryId
    evidence_medium: Medium = Medium("")
    words: str = ""


class Card(Value, frozen=True):
    """One thing about the person (``Described``), with who said so."""

    what: str
    value: str
    at: datetime
    by: AgentName = AgentName("")
    evidence: EntryId = EntryId("")


class Tally(Value, frozen=True):
    """What was sent and answered on one medium (``domain.learned``).

    ``sent`` and ``answered`` are whole counts, for showing; the weights are the same counts, faded up to ``at``.
    ``open`` is how many of the newest sends may still be answered, the last of them at ``last_out``.
    """

    medium: Medium
    sent: int = 0
    answered: int = 0
    sent_weight: float = 0.0
    answered_weight: float = 0.0
    open: int = 0
    last_out: datetime | None = None
    at: datetime | None = None


class RouteUse(Value, frozen=True):
    """How a route was used: newest message in, newest out, and how often ours were answered there.

    ``vouched_in`` is the newest message in that may be taken for the customer's (``identity.vouched``).
    """

    route: Route
    last_in: datetime | None = None
    last_out: datetime | None = None
    unanswered: int = 0
    answered: int = 0
    external_id: str = ""
    subject: str = ""
    vouched_in: datetime | None = None


class Conversation(Value, frozen=True):
    id: ConversationId
    subject: str
    status: ConversationStatus
    started_at: datetime
    last_at: datetime
    assignee: AgentName = AgentName("")
    assigned_at: datetime | None = None
    tags: tuple[str, ...] = ()
    media: tuple[Medium, ...] = ()
    waiting_since: datetime | None = None
    answered_at: datetime | None = None
    last_in_at: datetime | None = None
    snoozed_until: datetime | None = None
    preview: str = ""
    last_in: EntryId = EntryId("")
    participants: tuple[Participant, ...] = ()
    priority: Priority = Priority.NORMAL
    aside: str = ""
    """Why it is kept out of everybody's way: ``spam``, ``muted``; empty where it is not."""
    last_medium: Medium = Medium("")
    last_sender: str = ""
    """Whose the newest message in is (``Address`` as ``str``), and where it came in."""
    language: str = ""
    replied: bool = False
    """We have answered in it at least once."""
    mentions: tuple[AgentName, ...] = ()
    """Agents whom a note called and who have done nothing here since."""


class Task(Value, frozen=True):
    """Something to be done until ``due``; ``rung`` from that moment on."""

    id: EntryId
    conversation: ConversationId
    text: str
    due: datetime
    owner: AgentName = AgentName("")
    by: AgentName = AgentName("")
    rung: bool = False
    done: bool = False


class Change(Value, frozen=True):
    """What an agent changed, so that it can be taken back exactly.

    Args:
        target: the conversation, the task or the address (as ``str``) that it is about.
        fields: what it changed there.
        before, after: the conversation (without what messages say) or the task.
        made: the conversation that a split made.
        complaint: since when the conversation bore the tag ``complaint`` before.
    """

    entry: EntryId
    at: datetime
    by: AgentName
    kind: str
    target: str
    fields: tuple[str, ...]
    before: Conversation | None = None
    after: Conversation | None = None
    made: Conversation | None = None
    task_before: Task | None = None
    task_after: Task | None = None
    blocked_before: AgentName = AgentName("")
    blocked_after: AgentName = AgentName("")
    complaint: datetime | None = None


class DeliveryRecord(Value, frozen=True):
    """Where one reply stands. Kept in the snapshot while unfinished and for the newest finished ones."""

    reply: EntryId
    state: Delivery
    at: datetime
    account: AccountName
    medium: Medium
    address: Address
    conversation: ConversationId
    agent: AgentName
    queued_at: datetime
    attempt: int = 0
    committed: bool = False
    external_id: str = ""
    reason: str = ""
    detail: str = ""
    not_before: datetime | None = None
    proactive: bool = False
    held: bool = False
    """It waits only so that the agent can stop it, not for a time that somebody chose."""
    waited: datetime | None = None
    """Since when the customer had waited for it: where it does not arrive, they still do."""
    before: str = ""
    """What the conversation showed before it, for as long as it may be taken back."""


class Suggestion(Value, frozen=True):
    id: EntryId
    at: datetime
    other: CustomerId
    address: Address
    why: str
    evidence: EntryId
    answered: bool = False
    accepted: bool = False
    until: datetime | None = None


class MergeEdge(Value, frozen=True):
    id: EntryId
    other: CustomerId
    at: datetime
    by: AgentName
    joins: dict[ConversationId, ConversationId] = {}
    suggestion: EntryId = EntryId("")
    why: str = ""


class Parting(Value, frozen=True):
    """A split that holds (``entries.Parted``), as one of the two sides keeps it."""

    id: EntryId
    at: datetime
    by: AgentName
    one: CustomerId
    other: CustomerId
    addresses: tuple[Address, ...] = ()
    ended: dict[EntryId, CustomerId] = {}
    made: dict[EntryId, tuple[CustomerId, CustomerId]] = {}
    of: EntryId = EntryId("")
    name: str = ""
    """What the person is called since then, unless an agent renamed them."""


class Heard(Value, frozen=True):
    """The newest live message by arrival, which the sender cannot choose, and what vouches for its sender."""

    entry: EntryId
    at: datetime
    sender: Address
    trust: Trust = Trust.CLAIMED
    signer: str = ""
    checked: bool = False


class Fact(Value, frozen=True):
    """Something that the customer told us, with where it was told (``domain.facts``).

    Args:
        label: what people call the kind, where a profile made it up.
    """

    kind: str
    value: str
    entry: EntryId
    at: datetime
    medium: Medium
    label: str = ""


class Snapshot(Value, frozen=True):
    """What the entries of one record add up to, without those of merged records.

    Mappings are keyed by text so that the snapshot is plain JSON: addresses and routes by their ``str``.
    """

    id: CustomerId
    version: int
    count: int = 0
    name: str = ""
    name_given: bool = False
    since: datetime | None = None
    last_at: datetime | None = None
    addresses: dict[str, LinkedAddress] = {}
    consents: dict[str, Consent] = {}
    preferences: dict[str, Preference] = {}
    routes: dict[str, RouteUse] = {}
    conversations: dict[str, Conversation] = {}
    deliveries: dict[str, DeliveryRecord] = {}
    suggestions: dict[str, Suggestion] = {}
    merges: dict[str, MergeEdge] = {}
    wishes: dict[str, Wish] = {}
    cards: dict[str, Card] = {}
    tallies: dict[str, Tally] = {}
    languages: dict[str, int] = {}
    """How many of the messages were in each language."""
    answers: tuple[datetime, ...] = ()
    """When the customer answered us last, the newest ones only: for the best hour."""
    facts: dict[str, Fact] = {}
    """What the customer told us, the newest word of each kind."""
    heard: Heard | None = None
    begun: tuple[datetime, ...] = ()
    """When messages that we began ourselves arrived, the newest ones only: for the cap."""
    complaints: dict[str, datetime] = {}
    """Since when a conversation bears the tag ``complaint``, the newest ones only."""
    partings: dict[str, Parting] = {}
    tasks: dict[str, Task] = {}
    """What is to be done, and the newest of what was done."""
    joins: dict[str, ConversationId] = {}
    """Conversations that an agent showed as part of another."""
    moved: dict[str, ConversationId] = {}
    """Entries that belong to another conversation than the one they name, since it was split."""
    changes: tuple[Change, ...] = ()
    """The newest changes that agents can take back, oldest first."""


class Customer(Value, frozen=True):
    """One person: the snapshots of all merged records seen as one (``domain.person.combine``)."""

    id: CustomerId
    members: tuple[CustomerId, ...]
    name: str
    since: datetime | None
    last_at: datetime | None
    addresses: tuple[LinkedAddress, ...]
    consents: tuple[Consent, ...]
    preferences: tuple[Preference, ...]
    routes: tuple[RouteUse, ...]
    conversations: tuple[Conversation, ...]
    deliveries: tuple[DeliveryRecord, ...]
    suggestions: tuple[Suggestion, ...]
    merges: tuple[MergeEdge, ...]
    owners: dict[str, CustomerId] = {}
    """Which member holds an address (by ``str``), a conversation, a reply, a suggestion or a merge."""
    joined: dict[ConversationId, ConversationId] = {}
    """Conversations that a merge shows as part of another."""
    wishes: tuple[Wish, ...] = ()
    cards: dict[str, Card] = {}
    tallies: tuple[Tally, ...] = ()
    languages: dict[str, int] = {}
    answers: tuple[datetime, ...] = ()
    begun: tuple[datetime, ...] = ()
    complaints: tuple[datetime, ...] = ()
    heard: Heard | None = None
    facts: tuple[Fact, ...] = ()
    partings: tuple[Parting, ...] = ()
    tasks: tuple[Task, ...] = ()
    """What is to be done, the earliest first."""
    moved: dict[str, ConversationId] = {}
    changes: tuple[Change, ...] = ()


class Line(Value, frozen=True):
    """One row of the queue: a conversation as the list shows it."""

    conversation: ConversationId
    customer: CustomerId
    name: str
    subject: str
    status: ConversationStatus
    media: tuple[Medium, ...]
    last_at: datetime
    preview: str = ""
    assignee: AgentName = AgentName("")
    waiting_since: datetime | None = None
    unread: bool = False
    uncertain: int = 0
    failed: int = 0
    suggestions: int = 0
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    aside: str = ""
    """Why it is in the view ``spam`` only: ``spam``, ``muted``, ``blocked`` (its newest sender is)."""
    snoozed_until: datetime | None = None
    task: Task | None = None
    """The next thing to be done here, of ``tasks``."""
    tasks: int = 0
    mentions: tuple[AgentName, ...] = ()
    medium: Medium = Medium("")
    """Where the newest message came in."""
    language: str = ""
    replied: bool = False
    due_at: datetime | None = None
    """Until when it is to be answered, where the profile says so; filled in by the Desk."""
    late: bool = False
    shut: EntryId = EntryId("")
    """The message behind which the history is closed to whoever did not open it (``domain.gate``). To them it has
    ``shut_subject`` and ``shut_preview``."""
    shut_subject: str = ""
    shut_preview: str = ""

    @property
    def wanted_since(self) -> datetime | None:
        """Since when somebody has to do something here: the customer waits, or a task is due."""
        rung = self.task.due if self.task is not None and self.task.rung else None
        return min((at for at in (self.waiting_since, rung) if at is not None), default=None)

    @property
    def alarm_at(self) -> datetime | None:
        """When something happens here by itself: it wakes, or its next task is due."""
        due = self.task.due if self.task is not None and not self.task.rung else None
        return min((at for at in (self.snoozed_until, due) if at is not None), default=None)


class Hit(Value, frozen=True):
    """One found entry. ``snippet`` is sanitised plain text around the first match."""

    customer: CustomerId
    name: str
    entry: EntryId
    at: datetime
    medium: Medium
    snippet: str


class Draft(Value, frozen=True):
    """Something half written. Bound to agent, customer and conversation; kept by the hub."""

    agent: AgentName
    customer: CustomerId
    conversation: ConversationId
    text: str
    revision: int
    at: datetime
    subject: str = ""
    account: AccountName = AccountName("")
    address: Address | None = None
    caret: tuple[int, int] = (0, 0)
    request: str = ""
    note: bool = False
    attachments: tuple[Attachment, ...] = ()
    instead_of: EntryId = EntryId("")
    """The failed reply in whose place it goes."""
    begun: Route | None = None
    """Where it would have gone when its first word was typed, or where the agent pointed it since."""
    discarded_at: datetime | None = None
    """When the agent threw it away."""
    proactive: bool = False
    purpose: str = ""
    """It answers nobody, and what it is about."""
    console: str = ""
    """Which console keeps it: an agent may have several."""
    seen: datetime | None = None
    """When what that console found kept, or kept last, was kept."""

    def displaces(self, kept: Draft) -> bool:
        """Say whether another console of the agent wrote what would be lost by keeping this in its place."""
        other = self.console and kept.console and kept.console != self.console and kept.at != self.seen
        return bool(other and kept.text.strip()) and not self.text.startswith(kept.text)
