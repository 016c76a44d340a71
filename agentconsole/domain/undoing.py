"""Taking back what an agent changed: exactly, once, and only where nobody changed it again."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agentconsole.domain.entries import (
    Assigned,
    Blocked,
    JoinedTo,
    Manual,
    Note,
    Prioritised,
    SetAside,
    SplitOff,
    StatusChanged,
    Tagged,
    TaskDone,
    TaskSet,
    Undone,
)
from agentconsole.domain.history_state import replace
from agentconsole.domain.model import AgentName, Change, EntryId, Snapshot, derive_id
from agentconsole.errors import NotFound, Refused

UNDOABLE: Final = (
    *(Note, Manual, Assigned, StatusChanged, Tagged, Prioritised, SetAside),
    *(Blocked, TaskSet, TaskDone, SplitOff, JoinedTo),
)
"""The entries that ``undo`` takes back."""


def undone_id(entry: EntryId) -> EntryId:
    """Return the id of the entry that takes another back: it follows from it, so that there is only one."""
    return EntryId(derive_id("e", "undone", entry))


def undo(snapshot: Snapshot, entry: EntryId, agent: AgentName, at: datetime) -> Undone:
    """Return the entry that takes another back.

    Raises:
        NotFound: nothing that can be taken back has this id, or it is too long ago.
        Refused: somebody changed it again since.
    """
    change = next((one for one in snapshot.changes if one.entry == entry), None)
    if change is None:
        raise NotFound(
            "There is nothing to take back there, or it was taken back, or it is too long ago. Nothing was changed.",
            "See: agentconsole show",
        )
    since = snapshot.changes[snapshot.changes.index(change) + 1 :]
    later = next((one for one in since if _touches(one, change)), None)
    if later is not None:
        raise Refused(
            f"{later.by} changed it again since ({later.kind}, {later.entry}). Nothing was changed.",
            f"Take that back first: agentconsole undo {later.entry}",
        )
    if not _as_it_left_it(snapshot, change):
        raise Refused("It changed again since. Nothing was changed.", "See: agentconsole show")
    return Undone(id=undone_id(entry), at=at, entry=entry, by=agent)


def _touches(later: Change, change: Change) -> bool:
    if later.made is not None and later.target == change.target:
        return True
    if change.made is not None and later.target == change.made.id:
        return True
    return later.target == change.target and bool(set(later.fields) & set(change.fields))


def _as_it_left_it(snapshot: Snapshot, change: Change) -> bool:
    match change.kind:
        case "blocked":
            linked = snapshot.addresses.get(change.target)
            return linked is not None and linked.blocked_by == change.blocked_after
        case "task_set" | "task_done":
            task, made = snapshot.tasks.get(change.target), change.task_after
            return task is not None and made is not None and replace(task, rung=made.rung) == made
        case "joined_to":
            return change.target in snapshot.joins
        case _:
            if change.kind == "note":
                return True
            now, after = snapshot.conversations.get(change.target), change.after
            if now is None or after is None:
                return False
            if any(getattr(now, name) != getattr(after, name) for name in change.fields if name != "subject"):
                return False
            return change.made is None or snapshot.conversations.get(change.made.id) == change.made
