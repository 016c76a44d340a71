"""Everything that can happen to a customer, one entry each. Appended, never edited.

What entries add up to is in ``domain.model``; how, in ``domain.history``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    Attachment,
    BlobId,
    ConsentScope,
    Conversation,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    EntryId,
    Facts,
    Medium,
    Participant,
    Priority,
    Trust,
)


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """One line of a customer's history."""

    id: EntryId
    at: datetime


class Received(Entry, frozen=True, kw_only=True, tag="received"):
    """A message from the customer. ``at`` is the provider's time, never later than ``stored_at``."""

    account: AccountName
    medium: Medium
    sender: Address
    conversation: ConversationId
    stored_at: datetime
    external_id: str = ""
    sender_name: str = ""
    subject: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    participants: tuple[Participant, ...] = ()
    mentions: tuple[Address, ...] = ()
    trust: Trust = Trust.CLAIMED
    signer: str = ""
    """Who vouches for the sender: the domain that signed a mail, where our own server says so."""
    checked: bool = False
    """Our own server could have vouched for the sender; where it did not, ``trust`` is low for a reason."""
    language: str = ""
    """Two letters (ISO 639-1); empty where the text does not tell."""
    place: str = ""
    automatic: bool = False
    past: bool = False
    raw: BlobId = BlobId("")


class Unreadable(Entry, frozen=True, kw_only=True, tag="unreadable"):
    """Something arrived that could not be understood; its raw bytes are kept."""

    account: AccountName
    medium: Medium
    conversation: ConversationId
    reason: str
    detail: str = ""
    raw: BlobId = BlobId("")
    past: bool = False


class Reply(Entry, frozen=True, kw_only=True, tag="reply"):
    """What an agent wrote. Its fate is told by the receipts that name it.

    A ``past`` one was sent by another program before this one knew of it (an import): it is history, never waits in
    the outbox and has no receipts.
    """

    agent: AgentName
    conversation: ConversationId
    account: AccountName
    medium: Medium
    address: Address
    text: str
    key: str
    subject: str = ""
    attachments: tuple[Attachment, ...] = ()
    answers: EntryId = EntryId("")
    in_reply_to: tuple[str, ...] = ()
    place: str = ""
    rule: str = ""
    facts: Facts = {}
    not_before: datetime | None = None
    held: bool = False
    """It waits until ``not_before`` only so that the agent can stop it."""
    purpose: str = ""
    proactive: bool = False
    past: bool = False


class Receipt(Entry, frozen=True, kw_only=True, tag="receipt"):
    """A change of a reply's delivery state (``domain.delivery`` says which may follow which)."""

    reply: EntryId
    state: Delivery
    attempt: int = 0
    committed: bool = False
    external_id: str = ""
    reason: str = ""
    detail: str = ""
    retry_at: datetime | None = None
    by: AgentName = AgentName("")


class Note(Entry, frozen=True, kw_only=True, tag="note"):
    agent: AgentName
    conversation: ConversationId
    text: str
    mentions: tuple[AgentName, ...] = ()
    """The agents that it calls by name; it waits for them in their own view."""


class Manual(Entry, frozen=True, kw_only=True, tag="manual"):
    """A call, a visit or a letter that no account carried, written down by an agent.

    Args:
        minutes: how long it took; 0 where nobody said.
        answered: the customer waits no more.
    """

    agent: AgentName
    conversation: ConversationId
    medium: Medium
    inbound: bool = False
    minutes: int = 0
    text: str = ""
    answered: bool = False


class Named(Entry, frozen=True, kw_only=True, tag="named"):
    """The customer's shown name changed. A name given by an agent outranks what senders call themselves."""

    name: str
    by: AgentName = AgentName("")


class AddressLinked(Entry, frozen=True, kw_only=True, tag="address_linked"):
    address: Address
    trust: Trust = Trust.CLAIMED
    by: AgentName = AgentName("")
    evidence: EntryId = EntryId("")
    why: str = ""


class AddressUnlinked(Entry, frozen=True, kw_only=True, tag="address_unlinked"):
    address: Address
    by: AgentName


class AddressState(Entry, frozen=True, kw_only=True, tag="address_state"):
    """An address stopped (or resumed) taking messages: bounced, blocked us, left."""

    address: Address
    account: AccountName = AccountName("")
    dead: str = ""
    evidence: EntryId = EntryId("")


class ConsentChanged(Entry, frozen=True, kw_only=True, tag="consent_changed"):
    """An opt-out or opt-in. An empty medium means every medium."""

    medium: Medium
    scope: ConsentScope = ConsentScope.ALL
    allowed: bool = False
    by: AgentName = AgentName("")
    evidence: EntryId = EntryId("")
    words: str = ""


class PreferenceStated(Entry, frozen=True, kw_only=True, tag="preference_stated"):
    """The customer asked to be answered on a medium (empty: took the wish back).

    Without ``by`` it was recognised in what the customer wrote; ``words`` are theirs.
    """

    medium: Medium
    purpose: str = ""
    by: AgentName = AgentName("")
    evidence: EntryId = EntryId("")
    evidence_medium: Medium = Medium("")
    words: str = ""
    wish: EntryId = EntryId("")
    """The suggested wish that this accepts."""


class WishSeen(Entry, frozen=True, kw_only=True, tag="wish_seen"):
    """A message may ask for a medium; not sure enough to be taken: an agent decides with one key."""

    medium: Medium
    evidence: EntryId
    purpose: str = ""
    evidence_medium: Medium = Medium("")
    words: str = ""


class WishRefused(Entry, frozen=True, kw_only=True, tag="wish_refused"):
    """It was no wish; the same is not suggested again."""

    wish: EntryId
    by: AgentName


class Described(Entry, frozen=True, kw_only=True, tag="described"):
    """Something about the person that decides how we write: ``language``, ``time_zone``, ``country``. An empty value
    takes it back."""

    what: str
    value: str
    by: AgentName = AgentName("")
    evidence: EntryId = EntryId("")


class AddressTrusted(Entry, frozen=True, kw_only=True, tag="address_trusted"):
    """An agent vouches for an address as it signs now; another signer later is not covered. An empty ``by`` ends it."""

    address: Address
    signer: str
    by: AgentName = AgentName("")


class Assigned(Entry, frozen=True, kw_only=True, tag="assigned"):
    conversation: ConversationId
    assignee: AgentName = AgentName("")
    by: AgentName = AgentName("")


class StatusChanged(Entry, frozen=True, kw_only=True, tag="status_changed"):
    conversation: ConversationId
    status: ConversationStatus
    by: AgentName = AgentName("")
    until: datetime | None = None


class Tagged(Entry, frozen=True, kw_only=True, tag="tagged"):
    conversation: ConversationId
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    by: AgentName = AgentName("")


class Prioritised(Entry, frozen=True, kw_only=True, tag="prioritised"):
    conversation: ConversationId
    priority: Priority
    by: AgentName = AgentName("")


class SetAside(Entry, frozen=True, kw_only=True, tag="set_aside"):
    """A conversation is kept out of everybody's way (``spam``, ``muted``), or (empty) no more."""

    conversation: ConversationId
    how: str
    by: AgentName = AgentName("")


class Blocked(Entry, frozen=True, kw_only=True, tag="blocked"):
    """What an address writes is recorded and shown to nobody, and nothing is sent there; or (not ``blocked``) again."""

    address: Address
    blocked: bool
    by: AgentName = AgentName("")


class TaskSet(Entry, frozen=True, kw_only=True, tag="task_set"):
    """Something to be done until a moment. Its id is the task's."""

    conversation: ConversationId
    text: str
    due: datetime
    owner: AgentName = AgentName("")
    by: AgentName = AgentName("")


class TaskDue(Entry, frozen=True, kw_only=True, tag="task_due"):
    """The moment of a task has come: it is a row of the queue from now on."""

    task: EntryId


class TaskDone(Entry, frozen=True, kw_only=True, tag="task_done"):
    task: EntryId
    done: bool = True
    by: AgentName = AgentName("")


class SplitOff(Entry, frozen=True, kw_only=True, tag="split_off"):
    """Some entries of a conversation are one of their own from now on. They stay where they lie.

    Args:
        entries: which, oldest first.
        made: what they add up to; its id is the new conversation's.
        left: what the others add up to.
    """

    conversation: ConversationId
    entries: tuple[EntryId, ...]
    made: Conversation
    left: Conversation
    by: AgentName = AgentName("")


class JoinedTo(Entry, frozen=True, kw_only=True, tag="joined_to"):
    """A conversation is shown as part of another of the same customer."""

    conversation: ConversationId
    into: ConversationId
    by: AgentName = AgentName("")


class Undone(Entry, frozen=True, kw_only=True, tag="undone"):
    """What one entry changed was taken back: all is as it was before."""

    entry: EntryId
    by: AgentName


class Suggested(Entry, frozen=True, kw_only=True, tag="suggested"):
    """Somebody else's record may be the same person. Only weak evidence comes here; see ``domain.identity``."""

    other: CustomerId
    address: Address
    why: str
    evidence: EntryId


class SuggestionAnswered(Entry, frozen=True, kw_only=True, tag="suggestion_answered"):
    suggestion: EntryId
    accepted: bool
    by: AgentName
    until: datetime | None = None
    """Neither accepted nor refused: it is shown again from then on."""


class Merged(Entry, frozen=True, kw_only=True, tag="merged"):
    """An edge: ``other`` is the same person. Entries stay where they are; ``Unmerged`` ends the edge."""

    other: CustomerId
    by: AgentName
    suggestion: EntryId = EntryId("")
    joins: dict[ConversationId, ConversationId] = {}
    why: str = ""
    """``linked``: an agent named a further address of the person, which has a record of its own."""
    edge: EntryId = EntryId("")
    """The merge, ended by a split, that this takes up again as it was, with the time that it was made at."""
    since: datetime | None = None


class Unmerged(Entry, frozen=True, kw_only=True, tag="unmerged"):
    merge: EntryId
    by: AgentName
    parting: EntryId = EntryId("")
    """The split that ended it, or that was undone."""


class Parted(Entry, frozen=True, kw_only=True, tag="parted"):
    """Some addresses of a customer are another person's. Entries stay where they are: the merges that joined the two
    sides end, and ``Unparted`` takes them up again. Each side has this entry, the other person's names the first.

    Args:
        one, other: whose record heads what stays, and what was split off.
        ended: the merges that end, with the records that hold them.
        made: merges that keep the parts of one side together, each with who keeps and who is absorbed.
        of: in the other person's record, the entry in the first one's.
        name: in the other person's record, what they are called.
    """

    one: CustomerId
    other: CustomerId
    by: AgentName
    addresses: tuple[Address, ...] = ()
    ended: dict[EntryId, CustomerId] = {}
    made: dict[EntryId, tuple[CustomerId, CustomerId]] = {}
    of: EntryId = EntryId("")
    name: str = ""


class Unparted(Entry, frozen=True, kw_only=True, tag="unparted"):
    """A split was undone. ``parting`` is the entry ``Parted`` of the same record, ``of`` that of the first one where
    this is the other person's."""

    parting: EntryId
    by: AgentName
    of: EntryId = EntryId("")


class Redacted(Entry, frozen=True, kw_only=True, tag="redacted"):
    """What an entry said was taken out for good; that it was there, when and from whom, stays."""

    entry: EntryId
    by: AgentName
    why: str = ""


AnyEntry: TypeAlias = (
    Received
    | Unreadable
    | Reply
    | Receipt
    | Note
    | Named
    | AddressLinked
    | AddressUnlinked
    | AddressState
    | ConsentChanged
    | PreferenceStated
    | WishSeen
    | WishRefused
    | Described
    | AddressTrusted
    | Assigned
    | StatusChanged
    | Tagged
    | Manual
    | Prioritised
    | SetAside
    | Blocked
    | TaskSet
    | TaskDue
    | TaskDone
    | SplitOff
    | JoinedTo
    | Undone
    | Suggested
    | SuggestionAnswered
    | Merged
    | Unmerged
    | Parted
    | Unparted
    | Redacted
)
