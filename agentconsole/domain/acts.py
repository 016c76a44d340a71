"""What agents do to conversations, one value each: the same call does it to one or to many (``Desk.work``)."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
    Medium,
    Priority,
    Value,
)


class Target(Value, frozen=True):
    """What is worked on. ``Block`` and ``FinishTask`` need the customer only."""

    customer: CustomerId
    conversation: ConversationId = ConversationId("")


class _Act(Value, frozen=True, tag_field="act"):
    pass


class WriteNote(_Act, frozen=True, tag="note"):
    """Agents whose names stand in it after an @ are called: it waits in their own view."""

    text: str


class Assign(_Act, frozen=True, tag="assign"):
    """Give it to an agent; an empty name takes it from whoever has it. ``note`` is for them."""

    assignee: AgentName
    note: str = ""


class SetStatus(_Act, frozen=True, tag="status"):
    """Close, reopen or snooze. ``until`` is when a snoozed one wakes by itself; a message wakes it at once."""

    status: ConversationStatus
    until: datetime | None = None


class Tag(_Act, frozen=True, tag="tag"):
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class Prioritise(_Act, frozen=True, tag="priority"):
    priority: Priority


class PutAside(_Act, frozen=True, tag="aside"):
    """``spam`` or ``muted``: no row but in the view ``spam``, nothing by itself, no notice; empty: as it was."""

    how: str


class Block(_Act, frozen=True, tag="block"):
    """Show nobody what an address writes, and send nothing there. An empty address: the newest sender's."""

    address: str = ""
    blocked: bool = True


class AddTask(_Act, frozen=True, tag="task"):
    """``owner`` empty: whoever adds it."""

    text: str
    due: datetime
    owner: AgentName = AgentName("")


class FinishTask(_Act, frozen=True, tag="task_done"):
    task: EntryId
    done: bool = True


class LogContact(_Act, frozen=True, tag="log"):
    """Write down a call (``phone``), a visit (``in_person``) or a letter (``post``).

    Args:
        at: when it was; None: now.
        answered: the customer waits no more.
    """

    medium: Medium
    inbound: bool = False
    minutes: int = 0
    text: str = ""
    answered: bool = False
    at: datetime | None = None


class Split(_Act, frozen=True, tag="split"):
    """Make the entries of the conversation from ``first`` on one of its own."""

    first: EntryId


class Join(_Act, frozen=True, tag="join"):
    """Show the conversation as part of another of the same customer."""

    into: ConversationId


Act: TypeAlias = (
    WriteNote
    | Assign
    | SetStatus
    | Tag
    | Prioritise
    | PutAside
    | Block
    | AddTask
    | FinishTask
    | LogContact
    | Split
    | Join
)


class Done(Value, frozen=True):
    """What became of one target. Nothing of it was changed where ``code`` (of ``errors``) is not empty.

    Args:
        entries: what ``Desk.undo`` takes to take it back; empty where nothing had to be changed.
        conversation: where it is now: the new one after a split, the other after a join.
    """

    target: Target
    entries: tuple[EntryId, ...] = ()
    conversation: ConversationId = ConversationId("")
    code: str = ""
    message: str = ""
    hint: str = ""
