"""Channel and Store: the Protocols and the values that cross them. Third parties import this module only.

A channel kind is published under the entry point group ``agentconsole.channels`` as a ``ChannelKind`` value.
``agentconsole.testing`` holds the suites that every implementation has to pass.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    AnyEntry,
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
    Medium,
    Participant,
    Snapshot,
    Trust,
    Value,
)
from agentconsole.seams import Clock, Randomness
from agentconsole.secret import Secret as Secret

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import httpx

# -- what comes in ------------------------------------------------------------------------------------------


class RawItem(Value, frozen=True):
    """One thing as the provider gave it, kept before anybody tries to understand it.

    Args:
        identity: stable over refetch, folder, redelivery; the entry's id is a hash of it.
        payload: the raw bytes: a mail, a JSON object, the query string of a callback.
        meta: what the bytes do not say and ``parse`` needs: scope, folder, content type, direction.
    """

    identity: str
    payload: bytes
    received_at: datetime
    meta: dict[str, str] = {}


class Cursor(Value, frozen=True):
    """Where to go on. Opaque to everybody but the channel."""

    value: str


class Batch(Value, frozen=True):
    """What ``fetch`` found. ``more`` says that another fetch would find more at once."""

    items: tuple[RawItem, ...]
    cursor: Cursor | None
    more: bool = False


class Part(Value, frozen=True):
    """An attachment with its bytes, before the store gave it a blob id."""

    name: str
    type: str
    data: bytes


class Inbound(Value, frozen=True):
    """A message from a customer, as ``parse`` understood it.

    ``text`` is plain text, not yet sanitised for a terminal. ``sent_at`` is None where the provider gives no
    usable time. ``message_ids`` are the thread keys that this message answers, newest first. ``place`` is the
    chat or room that a reply has to go to where it is not the sender's address.
    """

    identity: str
    sender: Address
    text: str
    sent_at: datetime | None = None
    external_id: str = ""
    sender_name: str = ""
    subject: str = ""
    parts: tuple[Part, ...] = ()
    message_ids: tuple[str, ...] = ()
    participants: tuple[Participant, ...] = ()
    trust: Trust = Trust.CLAIMED
    place: str = ""
    automatic: bool = False
    also_known_as: tuple[Address, ...] = ()
    """Other addresses that the provider itself ties to the sender (WhatsApp: phone beside business-scoped id)."""


class StatusReport(Value, frozen=True):
    """What became of a message of ours. Named by the provider's id or by our own key."""

    identity: str
    state: Delivery
    external_id: str = ""
    key: str = ""
    at: datetime | None = None
    reason: str = ""
    detail: str = ""


class AddressEvent(Value, frozen=True):
    """The provider says that an address stopped or resumed taking messages from this account."""

    identity: str
    address: Address
    dead: str
    opt_out: bool = False
    at: datetime | None = None


class OwnCopy(Value, frozen=True):
    """A copy of a message that we sent ourselves (Sent folder, echo): proof that it left.

    ``message`` is what it says where somebody else can be answered: a form on a web site writes from our own
    address too, and what names no reply of ours is filed for people to see.
    """

    identity: str
    key: str
    at: datetime | None = None
    external_id: str = ""
    message: Inbound | None = None


class Opaque(Value, frozen=True):
    """Something of the provider's that carries no message: not shown, told in ``hub.log``."""

    identity: str
    what: str


Parsed: TypeAlias = Inbound | StatusReport | AddressEvent | OwnCopy | Opaque


# -- what goes out ------------------------------------------------------------------------------------------


class File(Value, frozen=True):
    name: str
    type: str
    data: bytes


class Outgoing(Value, frozen=True):
    """One reply on its way.

    ``key`` was fixed before the first attempt and is the same in every attempt: the Message-ID of a mail
    (without angle brackets), the transaction id or idempotency key elsewhere.
    """

    reply: EntryId
    key: str
    attempt: int
    address: Address
    text: str
    place: str = ""
    subject: str = ""
    message_ids: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    author: str = ""
    to_name: str = ""


Commit: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited by the adapter exactly once, just before the first step that may deliver. Raises ``Withdrawn``."""


class Report(Value, frozen=True):
    """The provider's answer to a send that it took."""

    external_id: str
    state: Delivery = Delivery.SENT
    detail: str = ""


class Channel(Protocol):
    """One account on one medium. The caller never runs two fetches or two sends at once; one fetch or wait
    and one send may overlap."""

    async def fetch(self, cursor: Cursor | None) -> Batch:
        """Return what is new since ``cursor`` (None: from ``since`` on). Asking again is harmless: nothing
        counts as taken before the caller asks with the new cursor.

        Raises:
            TemporaryFailure: the provider cannot be reached; sending may still work.
            SignInFailed: the account stops until somebody mends it.
        """
        ...

    async def wait(self) -> None:
        """Return when ``fetch`` might find something. May return early; obeys cancellation."""
        ...

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        """Send once. ``commit`` is awaited just before the first step that may deliver.

        Raises:
            TemporaryFailure, PermanentFailure: provably not delivered.
            OutcomeUnknown: it may have been delivered.
            SignInFailed: provably not delivered, the account stops.
            Withdrawn: from ``commit``, passed on untouched after cleaning up.
        """
        ...

    async def probe(self) -> str:
        """Sign in both ways without side effects and return one sentence about what answered.

        Raises:
            ChannelFailure: with the reason and the hint that ``doctor`` prints.
        """
        ...

    async def aclose(self) -> None: ...


class RawRequest(Value, frozen=True):
    """A request to the hub's listener, before anything was read from it.

    ``headers`` have lower-case names; ``url`` is the address as the provider called it.
    """

    method: str
    url: str
    query: str
    headers: dict[str, str]
    body: bytes


class Answer(Value, frozen=True):
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"


class Accepted(Value, frozen=True):
    """Verified items and the answer that may be given once they are spooled."""

    items: tuple[RawItem, ...]
    answer: Answer


class Webhook(Protocol):
    """For kinds that are called rather than asked."""

    def receive(self, request: RawRequest, now: datetime) -> Accepted:
        """Verify the raw bytes in constant time and cut them into items.

        Raises:
            Forged: the account's secret does not vouch for the request.
        """
        ...


# -- what a kind is -----------------------------------------------------------------------------------------

TextUnit: TypeAlias = Literal["characters", "bytes", "sms"]
Idempotency: TypeAlias = Literal["same_answer", "conflict", "none"]
Evidence: TypeAlias = Literal["real server", "vendor schema", "vendor SDK", "vendor vectors", "documents only"]


class Capabilities(Value, frozen=True):
    """What a medium can do, as data, so that a route can be judged without asking a live channel.

    Args:
        address_kind: the kind of the addresses that it reaches.
        text_limit: the longest text of one message in ``text_unit``; for ``sms`` the most parts.
        reply_window: how long after the customer's last message free text is allowed.
        customer_first: the customer must have written before we may.
        live: people wait there for an answer at once (chat, SMS).
        idempotency: what a repeat with the same key does; only the first two may be retried after a time-out.
        receipts: the states that the provider reports by itself.
    """

    address_kind: str
    text_limit: int
    text_unit: TextUnit = "characters"
    subject: bool = False
    attachments: bool = False
    receipts: tuple[Delivery, ...] = ()
    reply_window: timedelta | None = None
    customer_first: bool = False
    live: bool = False
    idempotency: Idempotency = "none"


class AccountInfo(Value, frozen=True):
    """A configured account as the choice of a route and the screens see it."""

    name: AccountName
    kind: str
    title: str
    medium: Medium
    capabilities: Capabilities
    signed_in: bool = True
    read_only: bool = False
    own_address: str = ""
    since: datetime | None = None


class HttpFactory(Protocol):
    """Lends one HTTP client per account (``channels.http``); a test lends a transport of its own."""

    def __call__(
        self,
        base_url: str,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> HttpClient: ...


class HttpClient(Protocol):
    """The small part of an HTTP client that channels use; see ``channels.http`` for why requests are shielded."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> httpx.Response: ...

    async def aclose(self) -> None: ...


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a kind's options: its fields are the keys of the account's TOML table.

    A field annotated ``Secret`` takes a reference and never a literal; say what a key does with
    ``Annotated[type, msgspec.Meta(description=…)]``, which the wizard, the docs and the errors show.
    """


@dataclass(frozen=True, slots=True)
class Tools:
    """What the hub lends to a channel, so that a test can lend its own.

    Args:
        worker: one thread of this account's own, for libraries that block.
        public_url: the listener's address as providers call it, without a final slash; empty where none is set.
    """

    log: logging.Logger
    http: HttpFactory
    clock: Clock
    random: Randomness
    worker: Executor
    since: datetime | None = None
    public_url: str = ""


OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, slots=True)
class ChannelKind(Generic[OptionsT]):
    """A medium with its adapter: what the entry point group ``agentconsole.channels`` holds.

    Args:
        options: a subclass of ``Options``; its fields are the account's TOML keys.
        parse: from raw to understood; pure and importable by name, because it runs in a worker process. An
            unknown event gives ``Opaque``; what cannot be read raises ``ValueError`` with the reason.
        open: makes the account's channel; must not connect.
        own_address: the address that customers see us under, for display and loop checks.
        webhook: makes the verifier of requests to ``/hook/ACCOUNT``; None where the kind is polled only.
        verified_by: the best evidence that the adapter was tested against.
    """

    name: str
    title: str
    medium: Medium
    options: type[OptionsT]
    capabilities: Capabilities
    open: Callable[[AccountName, OptionsT, Tools], Channel]
    parse: Callable[[RawItem], Sequence[Parsed]]
    own_address: Callable[[OptionsT], str]
    webhook: Callable[[AccountName, OptionsT], Webhook] | None = None
    verified_by: Evidence = "documents only"
    api: int = 1


# -- the store ----------------------------------------------------------------------------------------------


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


class StoreHealth(Value, frozen=True):
    kind: str
    customers: int
    entries: int
    index_behind: int = 0
    read_only: tuple[CustomerId, ...] = ()
    free_bytes: int = -1
    set_aside: int = 0
    """Batches that could not be filed and are kept."""


Decide: TypeAlias = Callable[[Snapshot], Sequence[AnyEntry]]
"""A pure decision on the newest snapshot of one record. What it returns is appended in the same transaction;
what it raises is passed on and nothing is appended. It may be called more than once."""

View: TypeAlias = Literal["waiting", "mine", "unassigned", "open", "resolved", "failed", "uncertain", "all"]


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

    async def history(self, customer: CustomerId, *, before: EntryId | None = None, limit: int = 200) -> History | None:
        """Return the newest page of the merged timeline, or the page that ends just before an entry."""
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

    async def lines(self, view: View, agent: AgentName, *, offset: int = 0, limit: int = 200) -> Sequence[Line]:
        """Return queue rows: waiting longest first for ``waiting``, else newest first."""
        ...

    async def counts(self, agent: AgentName) -> Counts: ...

    async def search(self, words: str, *, limit: int = 50) -> Sequence[Hit]:
        """Return entries that contain all words (Korean by syllables, Latin by prefix), newest first."""
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

        An agent has one draft of a reply and one of a note in each conversation.
        """
        ...

    async def drafts(self, agent: AgentName) -> Sequence[Draft]: ...

    async def drop_draft(self, agent: AgentName, conversation: ConversationId, revision: int, note: bool) -> None:
        """Forget the draft of a reply, or of a note, unless a revision newer than ``revision`` is kept."""
        ...

    async def put_blob(self, record: CustomerId, data: bytes) -> BlobId: ...

    async def blob(self, record: CustomerId, blob: BlobId) -> bytes: ...

    async def audit(self, line: AuditLine) -> None: ...

    async def audited(self, limit: int = 200) -> Sequence[AuditLine]: ...

    async def health(self) -> StoreHealth: ...

    async def aclose(self) -> None: ...
