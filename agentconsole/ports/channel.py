"""Channel and Webhook: the Protocols between the hub and the adapters, and the values that cross them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

import msgspec

from agentconsole.domain.model import (
    AccountName,
    Address,
    Delivery,
    EntryId,
    Medium,
    Participant,
    Trust,
    Value,
)
from agentconsole.seams import Clock, Randomness

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


PAST = "past"
"""Key in ``RawItem.meta`` of what comes from an archive: history, that opens nothing and wakes nobody."""


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
    signer: str = ""
    """By what the sender would be known again: the domain that signed, where our own server vouches for it."""
    checked: bool = False
    """Our own server could have vouched for the sender: where it did not, ``trust`` is low for a reason."""
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
    wrote: Inbound | None = None
    """What it says, of one from an archive (``PAST``); its ``sender`` is then whom it went to."""


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
    unsubscribe: str = ""
    """The subject of a mail that ends what this message belongs to; empty where we answer somebody."""
    unsubscribe_url: str = ""
    """Where one POST does the same (RFC 8058); empty without a page on https."""


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


@runtime_checkable
class Asked(Protocol):
    """What a channel has in addition where its provider can be asked about one reply. Optional: see ``can_look``."""

    @property
    def can_look(self) -> bool:
        """Whether ``look`` can find anything with the account's options."""
        ...

    async def look(self, outgoing: Outgoing, since: datetime, known: frozenset[str]) -> Report | None:
        """Ask the provider whether it has a reply whose outcome is not known. Changes nothing there.

        Args:
            outgoing: the reply as it was sent.
            since: when it was written; what the provider has from before is another one.
            known: the provider's ids of other replies to this customer, which prove nothing about this one.

        Returns:
            The proof that it was taken, which may say that it failed later; None: no proof, and so no proof of the
            opposite either.

        Raises:
            TemporaryFailure, SignInFailed: it could not be asked.
        """
        ...


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
        file_bytes: the greatest sum of the files of one message, in bytes; 0: no limit of the medium's own.
        receipts: the states that the provider reports by itself.
        own_failover: the provider itself goes on to another medium where this one fails: then we never do.
    """

    address_kind: str
    text_limit: int
    text_unit: TextUnit = "characters"
    subject: bool = False
    attachments: bool = False
    file_bytes: int = 0
    receipts: tuple[Delivery, ...] = ()
    reply_window: timedelta | None = None
    customer_first: bool = False
    live: bool = False
    idempotency: Idempotency = "none"
    own_failover: bool = False


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
        delivers: bool = False,
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
        archived: makes the raw item (with ``PAST``) of one message out of an archive, from its bytes, the whole size
            where not all of them are at hand (else 0), and now; the same message fetched live must have the same
            identity. None where a kind has no archives.
        checks_senders: whether an account's options let it tell genuine senders from forged ones; None where the
            medium needs no such option.
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
    archived: Callable[[OptionsT, bytes, int, datetime], RawItem] | None = None
    checks_senders: Callable[[OptionsT], bool] | None = None
    verified_by: Evidence = "documents only"
    api: int = 1
