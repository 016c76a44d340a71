"""From entries to what they add up to.

``advance`` folds entries into the snapshot of one record and is incremental: folding in two goes equals folding in
one. Its parts are ``history_messages``, ``history_person``, ``history_work`` and ``history_edges``. Records that merge
edges join are seen as one by ``domain.person``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AddressTrusted,
    AddressUnlinked,
    AnyEntry,
    Assigned,
    Blocked,
    ConsentChanged,
    Described,
    JoinedTo,
    Manual,
    Merged,
    Named,
    Note,
    Parted,
    PreferenceStated,
    Prioritised,
    Receipt,
    Received,
    Reply,
    SetAside,
    SplitOff,
    StatusChanged,
    Suggested,
    SuggestionAnswered,
    Tagged,
    TaskDone,
    TaskDue,
    TaskSet,
    Undone,
    Unmerged,
    Unparted,
    Unreadable,
    WishRefused,
    WishSeen,
)
from agentconsole.domain.history_edges import Edges
from agentconsole.domain.history_messages import Messages
from agentconsole.domain.history_person import consent_key
from agentconsole.domain.history_state import (
    ACTIVE,
    KEPT_ANSWERS,
    KEPT_DELIVERIES,
    KEPT_PARTICIPANTS,
    KEPT_RESOLVED,
    RESOLVED_SLACK,
    replace,
    route_key,
)
from agentconsole.domain.history_work import COMPLAINT, Work
from agentconsole.domain.model import CustomerId, Snapshot, Suggestion

__all__ = [
    "ACTIVE",
    "COMPLAINT",
    "FOLD_VERSION",
    "KEPT_ANSWERS",
    "KEPT_DELIVERIES",
    "KEPT_PARTICIPANTS",
    "KEPT_RESOLVED",
    "advance",
    "consent_key",
    "empty",
    "fold",
    "replace",
    "route_key",
]

FOLD_VERSION: Final = 8
"""Raised with every change of what entries add up to; a snapshot of another version is computed anew."""


def empty(record: CustomerId) -> Snapshot:
    """Return the snapshot of a record without entries."""
    return Snapshot(id=record, version=FOLD_VERSION)


def fold(record: CustomerId, entries: Iterable[AnyEntry]) -> Snapshot:
    """Fold all entries of a record from nothing."""
    return advance(empty(record), entries)


def advance(snapshot: Snapshot, entries: Iterable[AnyEntry]) -> Snapshot:
    """Return the snapshot after some more entries, in the order given."""
    fold_ = _Fold(snapshot)
    for entry in entries:
        fold_.add(entry)
    return fold_.snapshot(FOLD_VERSION)


class _Fold(Messages, Work, Edges):
    def add(self, entry: AnyEntry) -> None:
        self._add(entry)
        if isinstance(entry, Reply | Receipt) and len(self.deliveries) > KEPT_DELIVERIES:
            self._prune_deliveries()
        if len(self.conversations) > KEPT_RESOLVED + RESOLVED_SLACK:
            self._retire_conversations()

    def _add(self, entry: AnyEntry) -> None:
        self.count += 1
        self.since = entry.at if self.since is None else min(self.since, entry.at)
        match entry:
            case Received():
                self._received(entry)
            case Unreadable():
                self._touch(entry.conversation, entry.at, medium=entry.medium, waiting=not entry.past, past=entry.past)
            case Reply():
                self._reply(entry)
            case Receipt():
                self._receipt(entry)
            case Note():
                self._note(entry)
            case Named():
                self._named(entry)
            case AddressLinked():
                self._link(entry.address, entry.trust, entry)
            case AddressUnlinked():
                self.addresses.pop(str(entry.address), None)
            case AddressState():
                self._address_state(entry)
            case ConsentChanged():
                self._consent(entry)
            case PreferenceStated():
                self._preference(entry)
            case WishSeen():
                self._wish(entry)
            case WishRefused():
                self.wishes.pop(entry.wish, None)
            case Described():
                self._describe(entry)
            case AddressTrusted():
                self._trust(entry)
            case Assigned() | StatusChanged() | Tagged() | Manual() | Prioritised() | SetAside():
                self._work(entry)
            case Blocked():
                self._block(entry)
            case TaskSet():
                self._task(entry)
            case TaskDue():
                self._task_due(entry)
            case TaskDone():
                self._task_done(entry)
            case SplitOff():
                self._split(entry)
            case JoinedTo():
                self._join(entry)
            case Undone():
                self._undo(entry)
            case Suggested():
                self.suggestions.setdefault(
                    entry.id, Suggestion(entry.id, entry.at, entry.other, entry.address, entry.why, entry.evidence)
                )
            case SuggestionAnswered():
                if entry.until is None:
                    self._answer(entry.suggestion, answered=True, accepted=entry.accepted)
                elif entry.suggestion in self.suggestions:
                    found = self.suggestions[entry.suggestion]
                    self.suggestions[entry.suggestion] = replace(found, until=entry.until)
            case Merged():
                self._merged(entry)
            case Unmerged():
                self._unmerged(entry)
            case Parted():
                self._parted(entry)
            case Unparted():
                self._unparted(entry)
