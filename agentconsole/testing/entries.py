"""Short ways to write entries in tests: everything that a test does not care about has a plausible value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentconsole.domain.entries import (
    AnyEntry,
    Blocked,
    JoinedTo,
    Manual,
    Merged,
    Named,
    Note,
    Prioritised,
    Receipt,
    Received,
    Reply,
    SetAside,
    StatusChanged,
    TaskDone,
    TaskDue,
    TaskSet,
    Undone,
    Unmerged,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    Attachment,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Priority,
    Trust,
)

NOON: Final = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
EMILY: Final = Address("email", "", "emily@example.com")
EMILY_PHONE: Final = Address("phone", "", "+821012345678")
MAIL: Final = AccountName("mail")
CHAT: Final = AccountName("chat")


def minute(number: float) -> datetime:
    """Return a time so many minutes after noon of the day on which all tests take place."""
    return NOON + timedelta(minutes=number)


def received(
    name: str,
    at: float = 0,
    *,
    sender: Address = EMILY,
    conversation: str = "c1",
    text: str = "Can I move my appointment?",
    account: AccountName = MAIL,
    medium: str = "email",
    stored: float | None = None,
    external_id: str = "",
    sender_name: str = "",
    subject: str = "",
    mentions: tuple[Address, ...] = (),
    attachments: tuple[Attachment, ...] = (),
    trust: Trust = Trust.CLAIMED,
    automatic: bool = False,
    past: bool = False,
) -> Received:
    return Received(
        id=EntryId(name),
        at=minute(at),
        account=account,
        medium=Medium(medium),
        sender=sender,
        conversation=ConversationId(conversation),
        stored_at=minute(at if stored is None else stored),
        external_id=external_id,
        sender_name=sender_name,
        subject=subject,
        text=text,
        mentions=mentions,
        attachments=attachments,
        trust=trust,
        automatic=automatic,
        past=past,
    )


def reply(
    name: str,
    at: float = 0,
    *,
    agent: str = "ana",
    conversation: str = "c1",
    text: str = "Of course. Which day suits you?",
    account: AccountName = MAIL,
    address: Address = EMILY,
    medium: str = "email",
    key: str = "",
    subject: str = "",
) -> Reply:
    return Reply(
        id=EntryId(name),
        at=minute(at),
        agent=AgentName(agent),
        conversation=ConversationId(conversation),
        account=account,
        medium=Medium(medium),
        address=address,
        text=text,
        key=key or f"{name}@agentconsole",
        subject=subject,
    )


def receipt(
    name: str,
    of: str,
    state: Delivery,
    at: float = 0,
    *,
    attempt: int = 1,
    committed: bool = False,
    external_id: str = "",
    by: str = "",
) -> Receipt:
    return Receipt(
        id=EntryId(name),
        at=minute(at),
        reply=EntryId(of),
        state=state,
        attempt=attempt,
        committed=committed,
        external_id=external_id,
        by=AgentName(by),
    )


def note(name: str, at: float = 0, *, conversation: str = "c1", text: str = "Called back.", agent: str = "ana") -> Note:
    return Note(
        id=EntryId(name),
        at=minute(at),
        agent=AgentName(agent),
        conversation=ConversationId(conversation),
        text=text,
    )


WORK_KINDS: Final = (
    *("manual", "prioritised", "set_aside", "blocked", "task_set", "task_due", "task_done", "joined_to", "undone"),
)


def work(kind: str, name: str, at: float, conversation: str, of: str, number: int, *, by: str = "ana") -> AnyEntry:
    """Return an entry of some kind of work; ``number`` makes them different.

    Args:
        of: the entry, or the other conversation, that it is about.
    """
    base: dict[str, Any] = {"id": EntryId(name), "at": minute(at)}
    here, who = ConversationId(conversation), AgentName(by)
    match kind:
        case "manual":
            return Manual(**base, agent=who, conversation=here, medium=Medium("phone"), answered=number % 2 == 0)
        case "prioritised":
            return Prioritised(**base, conversation=here, priority=list(Priority)[number % 4], by=who)
        case "set_aside":
            return SetAside(**base, conversation=here, how=("spam", "muted", "")[number % 3], by=who)
        case "blocked":
            return Blocked(**base, address=(EMILY, EMILY_PHONE)[number % 2], blocked=number % 3 > 0, by=who)
        case "task_set":
            return TaskSet(**base, conversation=here, text="call back", due=minute(number), owner=who, by=who)
        case "task_due":
            return TaskDue(**base, task=EntryId(of))
        case "task_done":
            return TaskDone(**base, task=EntryId(of), done=number % 4 > 0, by=who)
        case "joined_to":
            return JoinedTo(**base, conversation=here, into=ConversationId(of), by=who)
        case _:
            return Undone(**base, entry=EntryId(of), by=who)


def named(name: str, shown: str, at: float = 0, *, by: str = "ana") -> Named:
    return Named(id=EntryId(name), at=minute(at), name=shown, by=AgentName(by))


def merged(name: str, other: str, at: float = 0, *, joins: dict[str, str] | None = None) -> Merged:
    pairs = {ConversationId(one): ConversationId(into) for one, into in (joins or {}).items()}
    return Merged(id=EntryId(name), at=minute(at), other=CustomerId(other), by=AgentName("ana"), joins=pairs)


def unmerged(name: str, merge: str, at: float = 0) -> Unmerged:
    return Unmerged(id=EntryId(name), at=minute(at), merge=EntryId(merge), by=AgentName("ana"))


def status(
    name: str, new: ConversationStatus, at: float = 0, *, conversation: str = "c1", until: datetime | None = None
) -> StatusChanged:
    here = ConversationId(conversation)
    return StatusChanged(id=EntryId(name), at=minute(at), conversation=here, status=new, until=until)
