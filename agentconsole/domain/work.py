"""What an act of an agent comes to: which entries in which records, and whether it can be taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from agentconsole.domain import conversations
from agentconsole.domain.acts import (
    Act,
    AddTask,
    Assign,
    Block,
    FinishTask,
    Join,
    LogContact,
    Prioritise,
    PutAside,
    SetStatus,
    Split,
    Tag,
    WriteNote,
)
from agentconsole.domain.entries import (
    AnyEntry,
    Assigned,
    Blocked,
    JoinedTo,
    Manual,
    Note,
    Prioritised,
    Received,
    Reply,
    SetAside,
    SplitOff,
    StatusChanged,
    Tagged,
    TaskDone,
    TaskDue,
    TaskSet,
)
from agentconsole.domain.history_state import preview, replace
from agentconsole.domain.model import (
    AgentName,
    Conversation,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    EntryId,
    Medium,
    Snapshot,
    Value,
    derive_id,
)
from agentconsole.errors import NotFound, Refused, UsageError

PHONE: Final = Medium("phone")
IN_PERSON: Final = Medium("in_person")
POST: Final = Medium("post")
MANUAL: Final = (PHONE, IN_PERSON, POST)
"""Media that no account carries: what happens there is written down, and a wish may name them."""

ASIDE: Final = ("", "spam", "muted")
LONGEST: Final = 20_000
"""Characters of a note, a task or what is written down of a call."""

LONGEST_TAG: Final = 60
MOST_TAGS: Final = 30
MOST_TASKS: Final = 50
"""Tasks of one record that wait."""

MOST_MOVED: Final = 500
"""Entries that one split moves."""

_MENTION: Final = re.compile(r"(?<![\w@.])@([\w][\w.-]{0,63})")


class Doing(Value, frozen=True):
    """Who does something, when, and under which key (the same for a repeat)."""

    agent: AgentName
    at: datetime
    key: str

    def id(self, kind: str, *parts: str) -> EntryId:
        return EntryId(derive_id("e", kind, self.key, *parts))


def placed(entries: Sequence[AnyEntry], moved: Mapping[str, ConversationId]) -> list[AnyEntry]:
    """Return entries with the conversations that they are in since splits."""
    return [
        replace(entry, conversation=moved[entry.id])
        if entry.id in moved and isinstance(entry, Received | Reply | Note | Manual)
        else entry
        for entry in entries
    ]


def mentions(text: str, agents: Iterable[AgentName]) -> tuple[AgentName, ...]:
    """Return the agents that a note calls by name, in its order.

    Args:
        agents: whom there is; none at all means that anybody may be one.
    """
    named = [name.rstrip(".-") for name in _MENTION.findall(text)]
    known = {name.casefold(): name for name in agents}
    found = (known.get(name.casefold()) if known else AgentName(name) for name in named)
    return tuple(dict.fromkeys(name for name in found if name))


def checked(act: Act, now: datetime) -> Act:
    """Return an act as it is kept.

    Raises:
        UsageError, Refused: it could mean nothing.
    """
    match act:
        case WriteNote() | AddTask() if not act.text.strip():
            raise Refused("Nothing is written. Nothing was changed.", "Write something first.")
        case SetStatus(status=ConversationStatus.SNOOZED, until=None):
            raise UsageError("It is not clear until when it sleeps. Nothing was changed.", 'Say "tomorrow 9", "2h" …')
        case PutAside() if act.how not in ASIDE:
            raise UsageError(f"There is no {act.how} here. Nothing was changed.", "spam, muted, or nothing.")
        case LogContact() if act.medium not in MANUAL:
            raise UsageError(
                f"{act.medium} is not written down by hand. Nothing was changed.", "Media: " + ", ".join(MANUAL)
            )
        case LogContact() if act.minutes < 0 or act.minutes > 24 * 60:
            raise UsageError("That is no number of minutes. Nothing was changed.", "0 to 1440.")
        case LogContact() if act.at is not None and (act.at.tzinfo is None or act.at > now):
            raise UsageError("It has not happened yet. Nothing was changed.", "Give a time in the past.")
        case Tag():
            add, remove = _tags(act.add), _tags(act.remove)
            if not add and not remove:
                raise UsageError("No tag is named. Nothing was changed.", "tag CONVERSATION NAME")
            return Tag(add, tuple(tag for tag in remove if tag not in add))
        case _:
            pass
    for name in ("until", "due"):
        at = getattr(act, name, None)
        if at is not None and at.tzinfo is None:
            raise UsageError("The time names no time zone. Nothing was changed.", "Add one: +00:00 or Z.")
        if at is not None and at <= now:
            raise UsageError("That time is over. Nothing was changed.", "Give a time to come.")
    if len(getattr(act, "text", "") or getattr(act, "note", "")) > LONGEST:
        raise Refused(f"The text is longer than {LONGEST:,} characters. Nothing was changed.", "Shorten it.")
    return act


def _tags(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name.strip().casefold() for name in names if name.strip()))
    for name in found:
        if len(name) > LONGEST_TAG or any(mark in name for mark in "|,\n"):
            raise UsageError(
                f"{name[:20]} is no tag. Nothing was changed.", f"Up to {LONGEST_TAG} characters, no comma."
            )
    return found


def entries(
    act: Act,
    person: Customer,
    snapshots: Mapping[CustomerId, Snapshot],
    conversation: ConversationId,
    doing: Doing,
    agents: Iterable[AgentName] = (),
) -> list[tuple[CustomerId, AnyEntry]]:
    """Return what an act appends, with the record that each entry goes to.

    Args:
        snapshots: those of all members.
        conversation: as the customer shows it; not needed for ``Block`` and ``FinishTask``.
        agents: whom a note can call (``mentions``).

    Raises:
        NotFound: there is no such conversation, task or address.
        Refused: it cannot be done now.
    """
    if isinstance(act, Block):
        return _block(act, person, snapshots, conversation, doing)
    if isinstance(act, FinishTask):
        return _finish(act, person, snapshots, doing)
    name = person.joined.get(conversation, conversation)
    held = [
        (member, part)
        for part in conversations.parts(person, name)
        for member in person.members
        if part in snapshots[member].conversations
    ]
    if not held:
        raise NotFound(f"This customer has no conversation {conversation}.", "See: agentconsole show")
    match act:
        case WriteNote():
            return [(held[0][0], _note(act.text, held[0][1], doing, agents))]
        case AddTask():
            return _add_task(act, held[0], snapshots, doing)
        case LogContact():
            return _log(act, held, doing)
        case Join():
            return _join(act, person, name, doing)
        case Split():
            raise Refused("A split needs the entries; see split().", "")
        case _:
            found: list[tuple[CustomerId, AnyEntry]] = [
                (member, _SIMPLE[type(act)](act, part, doing, doing.id(type(act).__name__.lower(), part, member)))
                for member, part in held
            ]
            if isinstance(act, Assign) and act.note.strip():
                called = (act.assignee,) if act.assignee else ()
                note = _note(act.note, held[0][1], doing, agents)
                found.append((held[0][0], replace(note, mentions=tuple(dict.fromkeys((*called, *note.mentions))))))
            return found


def _status(act: SetStatus, part: ConversationId, doing: Doing, entry: EntryId) -> AnyEntry:
    return StatusChanged(id=entry, at=doing.at, conversation=part, status=act.status, by=doing.agent, until=act.until)


def _assigned(act: Assign, part: ConversationId, doing: Doing, entry: EntryId) -> AnyEntry:
    return Assigned(id=entry, at=doing.at, conversation=part, assignee=act.assignee, by=doing.agent)


def _tagged(act: Tag, part: ConversationId, doing: Doing, entry: EntryId) -> AnyEntry:
    return Tagged(id=entry, at=doing.at, conversation=part, add=act.add, remove=act.remove, by=doing.agent)


def _prioritised(act: Prioritise, part: ConversationId, doing: Doing, entry: EntryId) -> AnyEntry:
    return Prioritised(id=entry, at=doing.at, conversation=part, priority=act.priority, by=doing.agent)


def _aside(act: PutAside, part: ConversationId, doing: Doing, entry: EntryId) -> AnyEntry:
    return SetAside(id=entry, at=doing.at, conversation=part, how=act.how, by=doing.agent)


_SIMPLE: Final[dict[type, Callable[[Any, ConversationId, Doing, EntryId], AnyEntry]]] = {
    SetStatus: _status,
    Assign: _assigned,
    Tag: _tagged,
    Prioritise: _prioritised,
    PutAside: _aside,
}


def _note(text: str, part: ConversationId, doing: Doing, agents: Iterable[AgentName]) -> Note:
    return Note(
        id=doing.id("note"),
        at=doing.at,
        agent=doing.agent,
        conversation=part,
        text=text,
        mentions=mentions(text, agents),
    )


def _log(
    act: LogContact, held: Sequence[tuple[CustomerId, ConversationId]], doing: Doing
) -> list[tuple[CustomerId, AnyEntry]]:
    made = partial(
        Manual,
        at=act.at or doing.at,
        agent=doing.agent,
        medium=act.medium,
        inbound=act.inbound,
        answered=act.answered,
    )
    first, part = held[0]
    return [(first, made(id=doing.id("manual"), conversation=part, minutes=act.minutes, text=act.text))]


def _add_task(
    act: AddTask, where: tuple[CustomerId, ConversationId], snapshots: Mapping[CustomerId, Snapshot], doing: Doing
) -> list[tuple[CustomerId, AnyEntry]]:
    member, part = where
    others = (task for task in snapshots[member].tasks.values() if task.id != doing.id("task"))
    if sum(not task.done for task in others) >= MOST_TASKS:
        raise Refused(f"{MOST_TASKS} tasks wait for this customer. Nothing was changed.", "Finish some first.")
    task = TaskSet(
        id=doing.id("task"),
        at=doing.at,
        conversation=part,
        text=act.text.strip(),
        due=act.due,
        owner=act.owner or doing.agent,
        by=doing.agent,
    )
    return [(member, task)]


def _finish(
    act: FinishTask, person: Customer, snapshots: Mapping[CustomerId, Snapshot], doing: Doing
) -> list[tuple[CustomerId, AnyEntry]]:
    for member in person.members:
        known = snapshots[member].tasks.get(act.task)
        if known is not None:
            done = TaskDone(id=doing.id("done", act.task), at=doing.at, task=act.task, done=act.done, by=doing.agent)
            return [(member, done)]
    raise NotFound(f"This customer has no task {act.task}. Nothing was changed.", "See: agentconsole show")


def _block(
    act: Block,
    person: Customer,
    snapshots: Mapping[CustomerId, Snapshot],
    conversation: ConversationId,
    doing: Doing,
) -> list[tuple[CustomerId, AnyEntry]]:
    wanted = act.address
    if not wanted:
        here = [
            c for c in person.conversations if not conversation or c.id == person.joined.get(conversation, conversation)
        ]
        wanted = next((c.last_sender for c in here if c.last_sender), "")
    linked = next((a for a in person.addresses if wanted in (str(a.address), a.address.value)), None)
    if linked is None:
        raise NotFound("This customer has no such address. Nothing was changed.", "See: agentconsole show")
    key = str(linked.address)
    found: list[tuple[CustomerId, AnyEntry]] = []
    for member in person.members:
        known = snapshots[member].addresses.get(key)
        if known is not None:
            entry = doing.id("blocked", key, member)
            found.append(
                (member, Blocked(id=entry, at=doing.at, address=linked.address, blocked=act.blocked, by=doing.agent))
            )
    return found


def _join(act: Join, person: Customer, name: ConversationId, doing: Doing) -> list[tuple[CustomerId, AnyEntry]]:
    into = person.joined.get(act.into, act.into)
    if into not in {c.id for c in person.conversations}:
        raise NotFound(f"This customer has no conversation {act.into}. Nothing was changed.", "See: agentconsole show")
    if into == name:
        raise Refused("It is the same conversation already. Nothing was changed.", "Name another one.")
    entry = JoinedTo(id=doing.id("join"), at=doing.at, conversation=name, into=into, by=doing.agent)
    return [(person.owners[name], entry)]


def split(
    conversation: Conversation,
    page: Sequence[AnyEntry],
    first: EntryId,
    doing: Doing,
    moved: Mapping[str, ConversationId],
) -> SplitOff:
    """Return the entry that makes the messages of a conversation from ``first`` on one of its own.

    Args:
        conversation: as its record keeps it.
        page: the entries of its record, oldest first; those of other conversations are left out here.
        moved: which entries earlier splits moved, and where to.

    Raises:
        NotFound: ``first`` is no message of it.
        Refused: nothing would be left, or too much would go.
    """
    here = [
        entry
        for entry in page
        if isinstance(entry, Received | Reply | Note | Manual)
        and moved.get(entry.id, entry.conversation) == conversation.id
    ]
    place = next((n for n, entry in enumerate(here) if entry.id == first), None)
    if place is None:
        raise NotFound(f"{first} is no entry of this conversation. Nothing was changed.", "See: agentconsole show")
    stay, go = here[:place], here[place:]
    if not any(isinstance(entry, Received | Reply) for entry in stay):
        raise Refused("Nothing would be left before it. Nothing was changed.", "Choose a later message.")
    if len(go) > MOST_MOVED:
        raise Refused(f"More than {MOST_MOVED} entries would go. Nothing was changed.", "Choose a later message.")
    made = Conversation(
        id=ConversationId(derive_id("c", "split", doing.key)),
        subject="",
        status=ConversationStatus.OPEN,
        started_at=go[0].at,
        last_at=go[-1].at,
        assignee=conversation.assignee,
        assigned_at=conversation.assigned_at,
    )
    return SplitOff(
        id=doing.id("split"),
        at=doing.at,
        conversation=conversation.id,
        entries=tuple(entry.id for entry in go),
        made=_summed(made, go),
        left=_summed(replace(conversation, participants=()), stay),
        by=doing.agent,
    )


def _summed(conversation: Conversation, entries: Sequence[Received | Reply | Note | Manual]) -> Conversation:
    """Return a conversation with what some entries say of it, and what they alone add up to."""
    ins = [entry for entry in entries if isinstance(entry, Received)]
    outs = [entry for entry in entries if isinstance(entry, Reply) and not entry.past]
    said = [entry for entry in entries if not isinstance(entry, Note)]
    last_in = ins[-1] if ins else None
    answered = max((entry.at for entry in outs), default=None)
    waiting = [e.at for e in ins if not (e.automatic or e.past) and (answered is None or e.at > answered)]
    active = conversation.status != ConversationStatus.RESOLVED
    return replace(
        conversation,
        subject=next((e.subject for e in entries if isinstance(e, Received | Reply) and e.subject), ""),
        media=tuple(dict.fromkeys(e.medium for e in said)),
        last_at=max(e.at for e in entries),
        waiting_since=min(waiting, default=None) if active else None,
        answered_at=answered,
        preview=preview(said[-1].text) if said else "",
        last_in=last_in.id if last_in is not None else EntryId(""),
        last_in_at=max((e.at for e in ins if not e.automatic), default=None),
        last_medium=last_in.medium if last_in is not None else Medium(""),
        last_sender=str(last_in.sender) if last_in is not None else "",
        replied=bool(outs),
    )


def due(snapshot: Snapshot, now: datetime) -> list[AnyEntry]:
    """Return what happens in a record by itself now: snoozed conversations wake, the moments of tasks come."""
    woken: list[AnyEntry] = [
        StatusChanged(
            # Beside the moment what says when it was put to sleep: it may be so twice, where a clock was wrong.
            id=EntryId(derive_id("e", "woken", snapshot.id, name, c.snoozed_until.isoformat(), str(c.answered_at))),
            at=now,
            conversation=ConversationId(name),
            status=ConversationStatus.OPEN,
        )
        for name, c in snapshot.conversations.items()
        if c.snoozed_until is not None and c.snoozed_until <= now
    ]
    rung: list[AnyEntry] = [
        TaskDue(id=EntryId(derive_id("e", "due", task.id)), at=now, task=task.id)
        for task in snapshot.tasks.values()
        if not task.done and not task.rung and task.due <= now
    ]
    return [*woken, *rung]
