"""The Store: verbs of the trade between the hub and whatever keeps the histories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias, get_args

from agentconsole.domain.entries import AnyEntry
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
    DeliveryRecord,
    Draft,
    EntryId,
    Hit,
    Line,
    Snapshot,
    Value,
)
from agentconsole.domain.queueing import Cutoff, Filter
from agentconsole.ports.channel import Cursor, RawItem
from agentconsole.text.query import Query


class Revision(Value, frozen=True, order=True):
    """A point in the store's history of changes. ``epoch`` changes when the index was rebuilt."""

    epoch: str
    number: int


class Changes(Value, frozen=True):
    """Who changed since a revision. ``customers`` is None where that is no longer known: ask again for all."""

    revision: Revision
    customers: tuple[CustomerId, ...] | None


class History(Value, frozen=True):
    """A customer and one page of the timeline, oldest first. ``more`` says that older entries exist."""

    customer: Customer
    entries: tuple[AnyEntry, ...]
    more: bool
    revision: Revision
    newer: bool = False
    """Newer entries than these exist: it is a page ``around`` one."""


class Thread(Value, frozen=True):
    """Where a thread key leads: the message of that id."""

    customer: CustomerId
    conversation: ConversationId
    entry: EntryId
    ours: bool


class Due(Value, frozen=True):
    """A reply that waits: the owner record that holds it and its delivery record."""

    customer: CustomerId
    record: DeliveryRecord
    name: str = ""


class Counts(Value, frozen=True):
    waiting: int
    mine: int
    unassigned: int
    open: int
    resolved: int
    failed: int
    uncertain: int
    snoozed: int = 0
    tasks: int = 0
    spam: int = 0
    late: int = 0


class SpoolRecord(Value, frozen=True):
    """One batch of raw items of one account, fsynced together with the cursor that follows it."""

    id: str
    account: AccountName
    kind: str
    items: tuple[RawItem, ...]
    cursor: Cursor | None = None


class AuditLine(Value, frozen=True):
    at: datetime
    agent: AgentName
    proven: bool
    act: str
    customer: CustomerId = CustomerId("")
    detail: str = ""


class Erased(Value, frozen=True):
    """What an erasure took away: how many entries, files and drafts."""

    entries: int = 0
    blobs: int = 0
    drafts: int = 0


class Damage(Value, frozen=True):
    """A record that is only read because its file cannot be trusted.

    ``entries`` is how many of its file can be read (-1: none of it), ``previous`` how many the generation before
    holds (-1: there is none that is whole).
    """

    record: CustomerId
    name: str
    why: str
    entries: int = -1
    previous: int = -1


class StoreHealth(Value, frozen=True):
    kind: str
    customers: int
    entries: int
    index_behind: int = 0
    read_only: tuple[CustomerId, ...] = ()
    free_bytes: int = -1
    set_aside: int = 0
    """Batches that could not be filed and are kept."""
    backed_up: datetime | None = None
    """When it was last backed up, as far as it knows."""


Rewrite: TypeAlias = Callable[[AnyEntry], AnyEntry | None]
"""What becomes of one entry: the same, another one of the same id, or None: it goes."""

Decide: TypeAlias = Callable[[Snapshot], Sequence[AnyEntry]]
"""A pure decision on the newest snapshot of one record. What it returns is appended in the same transaction;
what it raises is passed on and nothing is appended. It may be called more than once."""

View: TypeAlias = Literal[
    "waiting", "mine", "unassigned", "open", "resolved", "failed", "uncertain", "snoozed", "tasks", "spam", "all"
]

VIEWS: Final[tuple[View, ...]] = get_args(View)


class Store(Protocol):
    """Verbs of the trade, not tables. One writer: the hub that holds the store's lock.

    A *record* is one customer id with its own entries. A *customer* may be several records that merge edges
    join; reads take any of their ids and see all of them, ``change`` always means exactly one record.
    """

    async def change(self, record: CustomerId, decide: Decide) -> Snapshot:
        """Append what ``decide`` returns for the newest snapshot, all or nothing, durably.

        An unknown record is created. An entry whose id the store knows is skipped, so a repeat is harmless.

        Returns:
            The snapshot after the append.

        Raises:
            ReadOnly: the record was set aside after damage.
            StoreFault: the disk refused; nothing was appended.
        """
        ...

    async def snapshot(self, record: CustomerId) -> Snapshot | None: ...

    async def customer(self, customer: CustomerId) -> Customer | None:
        """Return the person that ``customer`` belongs to; old ids resolve for ever."""
        ...

    async def history(
        self, customer: CustomerId, *, before: EntryId | None = None, limit: int = 200, around: EntryId | None = None
    ) -> History | None:
        """Return the newest page of the merged timeline, the page that ends just before an entry, or the one ``around``
        an entry: half of it are the entry and what follows.

        Raises:
            NotFound: there is no such entry.
        """
        ...

    async def entry(self, entry: EntryId) -> tuple[CustomerId, AnyEntry] | None:
        """Return an entry and the record that holds it."""
        ...

    async def known(self, entries: Sequence[EntryId]) -> frozenset[EntryId]: ...

    async def find(self, address: Address) -> CustomerId | None:
        """Return the record that holds an address."""
        ...

    async def find_conversation(self, conversation: ConversationId) -> CustomerId | None:
        """Return a record that holds this conversation."""
        ...

    async def find_named(self, words: str, limit: int = 20) -> Sequence[tuple[CustomerId, str]]:
        """Return customers whose name contains ``words`` (case and width do not matter)."""
        ...

    async def mentioned(self, address: Address) -> Sequence[tuple[CustomerId, EntryId]]:
        """Return the records in whose received texts this address stands, newest first."""
        ...

    async def thread(self, message_ids: Sequence[str]) -> Thread | None:
        """Return where the first known of these thread keys leads."""
        ...

    async def reply_by(self, account: AccountName, *, external_id: str = "", key: str = "") -> EntryId | None:
        """Return the reply that a provider's id or our own key names."""
        ...

    async def lines(
        self,
        view: View | Filter,
        agent: AgentName,
        *,
        offset: int = 0,
        limit: int = 200,
        late: Sequence[Cutoff] = (),
    ) -> Sequence[Line]:
        """Return queue rows, in the order of ``store.rules.line_order``.

        Args:
            late: since when somebody must have waited to be late now.
        """
        ...

    async def counts(self, agent: AgentName, *, late: Sequence[Cutoff] = ()) -> Counts: ...

    async def count(self, wanted: Filter, agent: AgentName, *, late: Sequence[Cutoff] = ()) -> int:
        """Return how many rows a filter shows."""
        ...

    async def alarms(self, limit: int) -> Sequence[Line]:
        """Return the rows in which something happens by itself (``Line.alarm_at``), the next first."""
        ...

    async def search(self, words: str, *, limit: int = 50) -> Sequence[Hit]:
        """Return entries that contain all words (Korean by syllables, Latin by prefix), newest first."""
        ...

    async def find_entries(
        self, asked: Query, agent: AgentName, *, limit: int = 50, offset: int = 0, each: int = 0
    ) -> Found:
        """Return the entries that a query asks for, newest first; of the same moment by record, the later one first.

        Args:
            agent: whose ``is:mine`` and ``is:unread`` are meant.
            limit, offset: which of them.
            each: at most so many of one customer, among the newest thousand that match; 0: all.
        """
        ...

    async def find_people(self, words: str, *, limit: int = 20) -> Sequence[Contact]:
        """Return the customers that somebody who types this may mean (``text.naming``): the best first, of equally good
        ones who was active last; without words the ones who were active last."""
        ...

    async def replies(
        self, states: Sequence[Delivery], *, account: AccountName | None = None, limit: int | None = 500
    ) -> Sequence[Due]:
        """Return replies in these states, longest waiting first.

        Args:
            account: only this account's; all accounts' where None.
            limit: how many at most, counted after the choice of the account; all where None.
        """
        ...

    async def seen(self, customer: CustomerId, agent: AgentName, at: datetime) -> None:
        """Remember that an agent has read up to ``at``."""
        ...

    async def changed(self, since: Revision | None) -> Changes: ...

    async def wait_changed(self, since: Revision, deadline: float) -> Changes:
        """Like ``changed``, but wait up to ``deadline`` seconds for a change."""
        ...

    async def spool(self, record: SpoolRecord) -> None:
        """Write one batch and its cursor durably. On return the provider may be told."""
        ...

    async def spooled(self) -> Sequence[str]:
        """Return the ids of the batches that wait, oldest first."""
        ...

    async def spool_record(self, record_id: str) -> SpoolRecord:
        """Return a batch that waits or was set aside.

        Raises:
            NotFound: there is none of this id.
            SpoolDamaged: it is not what was written; no other batch is affected.
        """
        ...

    async def spool_done(self, record_id: str) -> None:
        """Forget a batch that was filed, also one that was set aside."""
        ...

    async def spool_set_aside(self, record_id: str, why: str) -> None:
        """Keep a batch that cannot be filed where it blocks nothing and can be tried again."""
        ...

    async def spool_aside(self) -> Sequence[str]:
        """Return the ids of the batches that were set aside, oldest first."""
        ...

    async def cursor(self, account: AccountName) -> Cursor | None:
        """Return the newest cursor, also one that only a waiting batch holds."""
        ...

    async def save_draft(self, draft: Draft) -> bool:
        """Keep a draft durably unless a newer revision is kept already; say whether it was kept.

        An agent has one draft of a reply and one of a note in each conversation. What another console of the agent
        wrote in it meanwhile is kept among the discarded ones.
        """
        ...

    async def drafts(self, agent: AgentName) -> Sequence[Draft]: ...

    async def drop_draft(self, agent: AgentName, conversation: ConversationId, revision: int, note: bool) -> None:
        """Forget the draft of a reply, or of a note, unless a revision newer than ``revision`` is kept."""
        ...

    async def discard_draft(self, draft: Draft) -> None:
        """Keep a draft that its agent threw away, beside those in use: one for each conversation and revision, reply
        or note. It goes with its customer and into backups like any draft."""
        ...

    async def discarded(self, agent: AgentName) -> Sequence[Draft]:
        """Return what an agent threw away, the newest first."""
        ...

    async def drop_discarded(self, draft: Draft) -> None:
        """Forget one draft that was thrown away."""
        ...

    async def prune_discarded(self, before: datetime) -> int:
        """Forget what anybody threw away before a moment; say how many that were."""
        ...

    async def put_blob(self, record: CustomerId, data: bytes) -> BlobId: ...

    async def blob(self, record: CustomerId, blob: BlobId) -> bytes: ...

    async def rewrite(self, record: CustomerId, rewrite: Rewrite, decide: Decide) -> Snapshot:
        """Put every entry of a record through ``rewrite``, append what ``decide`` returns, and remove every byte of
        what was there before: file, generation before, volumes, index, full text, and blobs that no entry names any
        more. All or nothing; a crash leaves the old or the new record, and a repeat finishes the cleaning.

        Raises:
            ReadOnly: the record was set aside after damage.
            ValueError: ``rewrite`` gave an entry another id.
            TryLater: a backup is under way.
            StoreFault: the disk refused.
        """
        ...

    async def erase(self, customer: CustomerId) -> Erased:
        """Remove every byte of a customer: all joined records with their generations, volumes, blobs, drafts, rows
        and full text, their texts in the audit trail, and what other records say of them (suggestions, merges that
        ended). Keyed hashes of the entry ids stay in the erasure ledger, so that nothing of it is filed again:
        ``known`` says of an erased entry that it is known, and ``change`` skips it. A repeat finishes what a crash
        left. What waits in the spool is the caller's to file or drop first. An unknown customer is erased already.

        Raises:
            TryLater: a backup is under way.
            StoreFault: the disk refused; the erasure goes on at the next erasure or start.
        """
        ...

    async def damaged(self) -> Sequence[Damage]:
        """Return the records that are only read, with what could be taken back into use."""
        ...

    async def accept(self, record: CustomerId, *, previous: bool, decide: Decide) -> Snapshot:
        """Take a damaged record back into use: what is readable of it as it is, or the generation before.

        The damaged file stays beside it under another name. What ``decide`` returns is appended in the same step
        (an older generation does not know what was sent since), and so are the consents of the record in the
        ledger that it lacks.

        Raises:
            NotFound: the record is not damaged, or there is no such generation.
            TryLater: a backup is under way.
        """
        ...

    async def origin(self) -> str:
        """Return why this store may be older than what really happened: ``restored`` from a backup, ``copied`` from
        another place; empty where it is neither."""
        ...

    async def adopt(self) -> None:
        """Say that everything that may have happened meanwhile is held; ``origin`` is empty from now on."""
        ...

    async def secret(self, name: str) -> str:
        """Return a secret of the store's own that nobody can guess, made on first use and the same ever after.

        Args:
            name: lower-case letters; says what for.
        """
        ...

    async def audit(self, line: AuditLine) -> None: ...

    async def audited(self, limit: int = 200) -> Sequence[AuditLine]: ...

    async def health(self) -> StoreHealth: ...

    async def aclose(self) -> None: ...
