"""The values that cross the Desk: what a page shows, what is asked for, what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agentconsole.domain.about import About
from agentconsole.domain.entries import AnyEntry, Redacted, Undone
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    Attachment,
    Choice,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    EntryId,
    Fact,
    Heard,
    Line,
    Medium,
    Ranked,
    Route,
    Value,
    Wish,
)

DEPOSIT_BYTES: Final = 512 * 1024
"""Bytes of messages in one call of ``deposit`` or ``deposit_large``: base64 of it stays under the wire's limit."""

DEPOSIT_MESSAGES: Final = 50
"""Messages in one call of ``deposit``: each may take a while to understand."""

FILE_PART_BYTES: Final = 512 * 1024
"""Bytes of one part of a file, either way: base64 of it stays under the wire's limit."""

LARGEST_FILE: Final = 25_000_000
"""Bytes of one file for a reply; a channel may take less (``Capabilities.file_bytes``)."""

LARGEST_MESSAGE: Final = 25_000_000
"""Bytes of one past message that are kept whole, as of live mail; of a larger one its header, with a notice."""


class Agent(Value, frozen=True):
    """Who acts, and what they may do.

    Args:
        proven: the kernel vouches for the name; false where a shared login was told apart by ``--as``.
        rights: of ``read``, ``reply``, ``customer`` (change a person), ``operate`` (stop, sync, doctor).
    """

    name: AgentName
    rights: frozenset[str] = frozenset({"read", "reply", "customer", "operate"})
    proven: bool = True


class Position(Value, frozen=True):
    """Where the news stand: compare for equality only, ask with it again."""

    epoch: str = ""
    number: int = 0


class News(Value, frozen=True):
    """Who changed. ``customers`` is None where everything has to be asked again; ``health`` where an account did,
    ``present`` where an agent came, went or wrote."""

    position: Position
    customers: tuple[CustomerId, ...] | None
    health: bool = False
    present: bool = False


class QueueCounts(Value, frozen=True):
    waiting: int = 0
    mine: int = 0
    unassigned: int = 0
    open: int = 0
    resolved: int = 0
    failed: int = 0
    uncertain: int = 0
    snoozed: int = 0
    tasks: int = 0
    spam: int = 0
    late: int = 0
    """How many of those that wait are late by the profile's targets."""
    saved: dict[str, int] = {}
    """The profile's own views, by name."""


class QueuePage(Value, frozen=True):
    """One page of the queue. ``total`` is the number of rows of the view."""

    lines: tuple[Line, ...]
    counts: QueueCounts
    position: Position
    total: int = 0


class TimelinePage(Value, frozen=True):
    """A customer and a page of the merged timeline, oldest first.

    ``states`` gives the delivery state of every reply on the page; ``accounts`` what their accounts are called.
    """

    customer: Customer
    entries: tuple[AnyEntry, ...]
    states: dict[EntryId, DeliveryRecord]
    more: bool
    position: Position
    suggestions: tuple[SuggestionView, ...] = ()
    removed: dict[EntryId, Redacted] = {}
    """Entries of the page whose content was taken out, and by whom, when and why."""
    closed: str = ""
    """Why the history is closed (``sender_not_verified``): the page has only what that sender wrote, and what was
    answered to it."""
    doubtful: Heard | None = None
    """The newest message where nothing vouches for its sender and no agent does."""
    facts: tuple[Fact, ...] = ()
    """What the customer told us in all of the history, ID numbers masked."""
    masked: tuple[EntryId, ...] = ()
    """Entries of the page in which a number is masked; ``reveal`` tells it."""
    about: About = About()
    undone: dict[EntryId, Undone] = {}
    """Entries of the page that were taken back, and by whom and when."""
    newer: bool = False
    """Newer entries than these exist: the page stands around an older one."""


class SuggestionView(Value, frozen=True):
    """A suggestion with what is needed to decide on it."""

    id: EntryId
    customer: CustomerId
    customer_name: str
    other: CustomerId
    other_name: str
    address: Address
    other_media: tuple[Medium, ...]
    why: str
    evidence: EntryId
    evidence_at: datetime | None
    evidence_medium: Medium = Medium("")
    at: datetime | None = None
    doubtful: bool = False
    """Nothing vouches for the sender of the message that is the evidence: whoever forged it may have wanted this."""


class WishView(Value, frozen=True):
    """A wish that waits for a decision, and whose it is."""

    customer: CustomerId
    customer_name: str
    wish: Wish


class AccountHealth(Value, frozen=True):
    """How one account is. ``state``: ``ok``, ``starting``, ``unreachable``, ``signed_out``, ``stopped``."""

    name: AccountName
    kind: str
    medium: Medium
    state: str
    last_ok: datetime | None = None
    lag_s: float | None = None
    error: str = ""
    hint: str = ""
    since: datetime | None = None
    retry_at: datetime | None = None
    received: int = 0
    sent: int = 0
    read_only: bool = False
    unchecked: bool = False
    """Nobody tells its genuine senders from forged ones, because its options do not say whose word counts."""


class OutboxCounts(Value, frozen=True):
    queued: int = 0
    sending: int = 0
    uncertain: int = 0
    failed: int = 0


class StoreStatus(Value, frozen=True):
    kind: str
    customers: int
    entries: int
    index_behind: int = 0
    read_only: tuple[CustomerId, ...] = ()
    free_bytes: int = -1
    backed_up: datetime | None = None
    """When it was last backed up, as far as it knows."""


class SpoolStatus(Value, frozen=True):
    waiting: int = 0
    set_aside: int = 0


class Status(Value, frozen=True):
    accounts: tuple[AccountHealth, ...]
    outbox: OutboxCounts
    store: StoreStatus
    spool: SpoolStatus
    version: str
    profile: str
    pid: int
    started_at: datetime
    now: datetime
    agents: tuple[AgentName, ...] = ()
    banner: str = ""
    """A reason code where something needs attention now: ``disk_full``, ``sync_stopped``."""


class Compose(Value, frozen=True):
    """A reply as the agent wants it. ``route`` None leaves the choice to the rules.

    ``expected`` is the newest entry of the customer that the agent had seen: a reply that somebody else made since
    then refuses this one with ``errors.Answered``, unless ``anyway``.
    """

    customer: CustomerId
    text: str
    conversation: ConversationId = ConversationId("")
    answers: EntryId = EntryId("")
    route: Route | None = None
    medium: Medium = Medium("")
    subject: str = ""
    attachments: tuple[Attachment, ...] = ()
    not_before: datetime | None = None
    hold: float = 0.0
    """Seconds for which it waits so that the agent can stop it; negative: as the profile says for its channel."""
    expected: EntryId = EntryId("")
    anyway: bool = False
    purpose: str = ""
    proactive: bool = False
    """We begin instead of answering: law, consent, hours and cap are asked, and the rules' other order holds."""
    when_allowed: bool = False
    """Where nothing but a time stands against a proactive message, hold it until then instead of refusing it."""
    instead_of: EntryId = EntryId("")
    """The failed reply in whose place this one goes (``Desk.fallback``); it is settled with it, and only once."""


class Fallback(Value, frozen=True):
    """How a failed reply could go another way, with its text made to fit.

    Args:
        ranked: the route, with its rule and facts.
        changes: what was done to the text (``text.fitting``).
        attachments: the files that the route carries.
        left_out: the names of those that it does not.
    """

    reply: EntryId
    customer: CustomerId
    conversation: ConversationId
    failed: Medium
    ranked: Ranked
    text: str
    subject: str = ""
    changes: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    left_out: tuple[str, ...] = ()
    purpose: str = ""
    proactive: bool = False

    @property
    def compose(self) -> Compose:
        """The reply that is proposed, to be sent as it is."""
        return Compose(
            customer=self.customer,
            text=self.text,
            conversation=self.conversation,
            route=self.ranked.route,
            subject=self.subject,
            attachments=self.attachments,
            purpose=self.purpose,
            proactive=self.proactive,
            instead_of=self.reply,
        )


class Sent(Value, frozen=True):
    """What became of a send so far."""

    id: EntryId
    state: Delivery
    route: Route
    choice: Choice
    reason: str = ""
    detail: str = ""
    not_before: datetime | None = None
    """Until when it waits, where it does."""
    held: bool = False
    """It waits only so that the agent can stop it."""
    earlier: bool = False
    """Other words were accepted under this request before; what was asked for now was not sent."""
    asked: str = ""
    """What ``outbox_check`` came to: ``found`` or ``nothing`` where the provider was asked about this reply, ``cannot``
    where it has no way to be asked."""


class OutboxLine(Value, frozen=True):
    customer: CustomerId
    name: str
    record: DeliveryRecord
    text: str


class Away(Value, frozen=True):
    """What became of an agent's replies while no console of theirs was attached."""

    since: datetime | None = None
    sent: int = 0
    uncertain: int = 0
    failed: int = 0
    answered: int = 0
    """Customers whose answer to this agent came meanwhile."""


class ErasedCustomer(Value, frozen=True):
    """What an erasure took away, and what it cannot reach: sentences that name where copies still lie."""

    customer: CustomerId
    entries: int
    files: int
    drafts: int
    left: tuple[str, ...] = ()


class DamagedRecord(Value, frozen=True):
    """A customer that is only read because the file cannot be trusted. Numbers of entries; -1: none can be read."""

    customer: CustomerId
    name: str
    why: str
    entries: int = -1
    previous: int = -1


class Deposited(Value, frozen=True):
    """How many messages of an import were new, known before, and not readable (kept raw)."""

    new: int
    known: int
    unreadable: int = 0


class SyncResult(Value, frozen=True):
    """What one pass over an account brought."""

    account: AccountName
    received: int
    error: str = ""
    hint: str = ""
