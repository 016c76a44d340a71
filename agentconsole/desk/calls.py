"""What an agent can do. The one facade for the console, the commands and scripts.

``hub.desk_over_store`` does it, ``remote`` carries it over the hub's socket; both follow this Protocol, and the wire
is derived from its signatures (``wire``). Every call names who acts; over the socket the hub puts in the name
itself, from what the kernel says. Every changing call carries a request id made by the client: a repeat changes
nothing more and gives the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from agentconsole.desk.finding import FindingCalls
from agentconsole.desk.values import (
    Agent,
    Away,
    Compose,
    DamagedRecord,
    Deposited,
    ErasedCustomer,
    Fallback,
    News,
    OutboxLine,
    Position,
    QueuePage,
    Sent,
    Status,
    SuggestionView,
    SyncResult,
    TimelinePage,
    WishView,
)
from agentconsole.desk.waiting import WaitingCalls
from agentconsole.desk.working import WorkingCalls
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    Attachment,
    BlobId,
    Choice,
    ConsentScope,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
    LinkedAddress,
    Medium,
    Route,
)
from agentconsole.domain.templates import Filled


class Desk(FindingCalls, WaitingCalls, WorkingCalls, Protocol):
    """All calls raise ``NotFound`` for what does not exist and ``Refused`` for what the agent may not do."""

    # -- reading -------------------------------------------------------------------------------------------

    async def queue(self, who: Agent, view: str, offset: int, limit: int) -> QueuePage:
        """Return rows of a view: ``waiting`` (late ones first, then the more urgent, then who waits longest), ``mine``,
        ``unassigned``, ``open``, ``resolved``, ``failed``, ``uncertain``, ``snoozed`` (which wakes next), ``tasks``
        (which is due first), ``spam``, ``all``, or one of the profile's own by name."""
        ...

    async def find(self, who: Agent, words: str) -> CustomerId:
        """Return the customer that an id, an address or a unique name means.

        Raises:
            Ambiguous: several customers have this name; the message lists them.
        """
        ...

    async def find_conversation(self, who: Agent, words: str) -> tuple[CustomerId, ConversationId]:
        """Return the conversation that an id, or a customer with one open conversation, means."""
        ...

    async def timeline(self, who: Agent, customer: CustomerId, before: EntryId, limit: int) -> TimelinePage:
        """Return the newest page (``before`` empty) or the page that ends just before an entry."""
        ...

    async def open_history(self, who: Agent, request: str, customer: CustomerId, message: EntryId) -> None:
        """Open a closed history knowingly, for this agent and until another message comes that nothing vouches for.
        Goes into the audit trail; the hub remembers it until it ends.

        Raises:
            Refused: a newer message closes it.
        """
        ...

    async def trust_sender(
        self, who: Agent, request: str, customer: CustomerId, address: str, trusted: bool
    ) -> LinkedAddress:
        """Vouch for a mail address of a customer as it signs now, or take that back. It opens the history to its mails
        until they are signed by somebody else. An empty address means the sender of the newest message.

        Raises:
            Refused: nothing signs its mails, so that nobody could know it again.
        """
        ...

    async def text(self, who: Agent, entry: EntryId, offset: int, length: int) -> str:
        """Return a part of an entry's whole text, in characters; a timeline gives the beginning of a long one only.
        At most 100,000 a call; an empty answer is the end."""
        ...

    async def choose(self, who: Agent, compose: Compose) -> Choice:
        """Return the explained choice for what is typed so far. Sends and changes nothing."""
        ...

    async def preview(self, who: Agent, compose: Compose) -> str:
        """Return the text as it would leave: a marketing message with the label and footer that the law asks for."""
        ...

    async def warnings(self, who: Agent, compose: Compose, begun: Route | None) -> tuple[Warned, ...]:
        """Return what there is to warn of before this reply leaves, the weightiest first. Sends and changes nothing.

        Args:
            compose: as it stands; without a route it is judged for the one that the rules choose.
            begun: where it would have gone when it was begun.
        """
        ...

    async def reveal(self, who: Agent, request: str, entry: EntryId) -> str:
        """Return the text of an entry (at most 100,000 characters) with its card and ID numbers in clear. Needs the
        right ``customer`` and is audited; a repeat with the same request id is audited once more."""
        ...

    async def status(self, who: Agent) -> Status: ...

    async def away(self, who: Agent) -> Away:
        """Return what became of this agent's replies since their last console was detached, and begin anew."""
        ...

    async def news(self, who: Agent, since: Position, seconds: float) -> News:
        """Wait up to ``seconds`` (at most 60) for something new. An unknown position answers at once: all."""
        ...

    async def seen(self, who: Agent, customer: CustomerId, at: datetime) -> None:
        """Remember that the agent has read up to ``at``."""
        ...

    async def blob(self, who: Agent, customer: CustomerId, blob: BlobId, offset: int, length: int) -> bytes:
        """Return a part of an attachment, at most 512 KiB a call."""
        ...

    # -- replying ------------------------------------------------------------------------------------------

    async def reply(self, who: Agent, request: str, compose: Compose) -> Sent:
        """Queue a reply.

        Raises:
            Refused: a veto; the message names it, the hint the next allowed route.
        """
        ...

    async def sent(self, who: Agent, reply: EntryId) -> Sent:
        """Return where a reply stands."""
        ...

    async def attach(self, who: Agent, customer: CustomerId, name: str, type: str, data: bytes) -> Attachment:
        """Store a file of at most ``FILE_PART_BYTES`` for a reply; a larger one goes in parts (``attach_part``)."""
        ...

    async def attach_part(
        self,
        who: Agent,
        request: str,
        customer: CustomerId,
        name: str,
        type: str,
        size: int,
        offset: int,
        data: bytes,
    ) -> Attachment | None:
        """Store a file of up to ``LARGEST_FILE`` bytes for a reply, in parts of at most ``FILE_PART_BYTES``, in order.

        Args:
            request: the same for all parts of one file.
            size: bytes of the whole file.
            offset: where ``data`` stands; the part that reaches ``size`` is answered with the file.

        Raises:
            TryLater: the hub does not hold what came before; begin again at 0.
        """
        ...

    async def templates(
        self, who: Agent, customer: CustomerId, conversation: ConversationId, values: Mapping[str, str]
    ) -> tuple[Filled, ...]:
        """Return all templates, in a customer's language and with what is known of them put in.

        Args:
            customer: nobody (empty): in the profile's language, with nothing put in but ``values`` and dates.
            values: further variables, and other words for known ones.
        """
        ...

    async def outbox(self, who: Agent, states: Sequence[Delivery]) -> tuple[OutboxLine, ...]: ...

    async def outbox_check(self, who: Agent, request: str, reply: EntryId) -> Sent:
        """Look for proof that an uncertain reply arrived, where the provider can be asked."""
        ...

    async def resend(self, who: Agent, request: str, reply: EntryId) -> Sent:
        """Send a failed or uncertain reply again, under the same key."""
        ...

    async def fallback(self, who: Agent, reply: EntryId) -> Fallback | None:
        """Return how a reply that provably did not arrive could go another way; None where no other way is allowed.

        Raises:
            Refused: it may have arrived, was sent another way already, or its provider goes on with it by itself.
        """
        ...

    async def mark_sent(self, who: Agent, request: str, reply: EntryId) -> Sent: ...

    async def cancel(self, who: Agent, request: str, reply: EntryId) -> Sent:
        """Take back a queued reply, or give up a failed or uncertain one."""
        ...

    async def save_draft(self, who: Agent, draft: Draft) -> bool:
        """Keep a draft unless a newer revision is kept; say whether it was."""
        ...

    async def drafts(self, who: Agent) -> tuple[Draft, ...]: ...

    async def drop_draft(self, who: Agent, conversation: ConversationId, revision: int, note: bool) -> None:
        """Forget the draft of a reply, or of a note, unless a newer revision is kept."""
        ...

    # -- working -------------------------------------------------------------------------------------------

    async def note(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, text: str
    ) -> EntryId: ...

    async def assign(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, assignee: AgentName
    ) -> None:
        """Give a conversation to an agent; an empty name takes it from whoever has it."""
        ...

    async def set_status(
        self,
        who: Agent,
        request: str,
        customer: CustomerId,
        conversation: ConversationId,
        status: ConversationStatus,
        until: datetime | None,
    ) -> None: ...

    # -- people --------------------------------------------------------------------------------------------

    async def suggestions(self, who: Agent, customer: CustomerId) -> tuple[SuggestionView, ...]:
        """Return open suggestions of one customer, or of all (empty id)."""
        ...

    async def answer_suggestion(self, who: Agent, request: str, suggestion: EntryId, accept: bool) -> EntryId:
        """Accept (returns the merge, for undo) or refuse (returns an empty id) a suggestion."""
        ...

    async def postpone_suggestion(self, who: Agent, request: str, suggestion: EntryId, until: datetime) -> None:
        """Leave a suggestion undecided until a moment; it is shown again from then on."""
        ...

    async def merge(self, who: Agent, request: str, keep: CustomerId, absorb: CustomerId) -> EntryId:
        """Join two customers and return the merge, for undo."""
        ...

    async def unmerge(self, who: Agent, request: str, customer: CustomerId, merge: EntryId) -> None:
        """End a merge; an empty id means the newest."""
        ...

    async def split(
        self, who: Agent, request: str, customer: CustomerId, addresses: Sequence[str], name: str
    ) -> CustomerId:
        """Part some addresses of a customer, with all that came from them, as another person and return that one.

        Args:
            name: what the other person is called; where empty, as their messages say.

        Raises:
            Refused: these are all addresses, or one came with the same messages as one that is not named.
        """
        ...

    async def unsplit(self, who: Agent, request: str, customer: CustomerId) -> CustomerId:
        """Undo the newest split of a customer, from either side, exactly, and return who is whole again.

        Raises:
            NotFound: no split is left to undo.
            Refused: a later split builds on it.
        """
        ...

    async def add_customer(self, who: Agent, request: str, name: str, addresses: Sequence[str]) -> CustomerId:
        """Create a customer. The request id decides the customer's id, so a repeat finds the same."""
        ...

    async def rename(self, who: Agent, request: str, customer: CustomerId, name: str) -> None: ...

    async def describe(self, who: Agent, request: str, customer: CustomerId, what: str, value: str) -> str:
        """Record a customer's ``language``, ``time_zone`` or ``country`` and return the stated one before; an empty
        value takes it back.

        Raises:
            UsageError: there is no such language, zone or country.
        """
        ...

    async def link(self, who: Agent, request: str, customer: CustomerId, address: str) -> None:
        """Link an address.

        Raises:
            Refused: another customer holds it; merge instead.
        """
        ...

    async def unlink(self, who: Agent, request: str, customer: CustomerId, address: str) -> None: ...

    async def prefer(
        self, who: Agent, request: str, customer: CustomerId, medium: Medium, purpose: str, evidence: EntryId
    ) -> None:
        """Record a stated preference; an empty medium takes it back."""
        ...

    async def answer_wish(self, who: Agent, request: str, wish: EntryId, accept: bool) -> EntryId:
        """Take a suggested wish as what the customer wants (returns the statement) or refuse it (returns an empty id).

        Those that wait are in ``TimelinePage.customer.wishes``, and all of them in ``wishes``.
        """
        ...

    async def wishes(self, who: Agent, customer: CustomerId) -> tuple[WishView, ...]:
        """Return the suggested wishes of one customer, or of all (empty id), oldest first."""
        ...

    async def consent(
        self, who: Agent, request: str, customer: CustomerId, medium: Medium, scope: ConsentScope, allowed: bool
    ) -> None:
        """Record an opt-out or opt-in; an empty medium means all."""
        ...

    # -- care ----------------------------------------------------------------------------------------------

    async def erase(self, who: Agent, request: str, customer: CustomerId) -> ErasedCustomer:
        """Remove every byte of a customer for good. Needs the right ``operate``.

        Raises:
            TryLater: something of theirs is being sent at this moment, or waits in the spool and cannot be filed now.
        """
        ...

    async def redact(self, who: Agent, request: str, entry: EntryId, why: str) -> None:
        """Take what one entry says (text, subject, files, raw message) out for good; that it was there stays."""
        ...

    async def deposit(self, who: Agent, request: str, account: AccountName, messages: Sequence[bytes]) -> Deposited:
        """File past messages of an account (raw e-mails) from elsewhere: as history, each exactly once. They open no
        conversation, wake nobody and wait for no answer. At most 512 KiB in all a call."""
        ...

    async def deposit_large(
        self, who: Agent, request: str, account: AccountName, size: int, kept: int, offset: int, data: bytes
    ) -> Deposited:
        """Like ``deposit``, for one message that is larger than a call, in parts of at most 512 KiB, in order.

        Args:
            size: bytes of the whole message.
            kept: how many of them come: all, or, of one larger than ``LARGEST_MESSAGE``, those of its header.
            offset: where ``data`` stands; the part that reaches ``kept`` files the message and is answered with it.

        Raises:
            TryLater: the hub does not hold what came before, or holds too much; begin again at 0.
        """
        ...

    async def damaged(self, who: Agent) -> tuple[DamagedRecord, ...]:
        """Return the customers that are only read, with what could be taken back into use."""
        ...

    async def accept(self, who: Agent, request: str, customer: CustomerId, previous: bool) -> None:
        """Take a damaged customer back into use: what is readable as it is, or the generation before. Every unfinished
        reply of theirs becomes ``uncertain``. Needs the right ``operate``."""
        ...

    # -- operating -----------------------------------------------------------------------------------------

    async def sync(self, who: Agent, account: AccountName, seconds: float) -> tuple[SyncResult, ...]:
        """Fetch from one account or all (empty) now, and file what came, within ``seconds``."""
        ...

    async def probe(self, who: Agent, account: AccountName) -> str:
        """Sign in to an account both ways and return what answered."""
        ...

    async def stop(self, who: Agent, now: bool, restart: bool) -> None:
        """End the hub: after the sends in hand, or at once; ``restart`` starts it again."""
        ...
