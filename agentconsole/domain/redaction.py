"""Taking out what an entry says: what stays of it, and which entries can be asked for."""

from __future__ import annotations

from typing import Final

import msgspec

from agentconsole.domain import consent
from agentconsole.domain.entries import (
    AnyEntry,
    ConsentChanged,
    Manual,
    Note,
    PreferenceStated,
    Received,
    Reply,
    SplitOff,
    Suggested,
    TaskSet,
    Unreadable,
    WishSeen,
)
from agentconsole.domain.model import BlobId, EntryId, derive_id

SAYING: Final = (Received, Reply, Note, Manual, TaskSet, Unreadable)
"""Entries that say something of their own. The others are facts of the record, which have verbs to change them."""

_replace = msgspec.structs.replace


def mark(entry: EntryId) -> EntryId:
    """Return the id of the entry that tells of a redaction: one for each redacted entry, whoever asked how often."""
    return EntryId(derive_id("e", "redacted", entry))


def emptied(entry: AnyEntry) -> AnyEntry:
    """Return what stays of an entry: that it was there, when, from whom, in which conversation."""
    match entry:
        case Received():
            return _replace(entry, subject="", text="", attachments=(), mentions=(), raw=BlobId(""))
        case Reply():
            return _replace(entry, subject="", text="", attachments=())
        case Note() | Manual() | TaskSet():
            return _replace(entry, text="")
        case Unreadable():
            return _replace(entry, detail="", raw=BlobId(""))
        case _:
            return entry


def is_emptied(entry: AnyEntry) -> bool:
    """Say whether an entry may have been redacted; an entry that never said anything looks the same."""
    return isinstance(entry, SAYING) and entry == emptied(entry)


def without(entry: AnyEntry, redacted: EntryId) -> AnyEntry | None:
    """Return what becomes of one entry of the record: the redacted one is emptied, an address that was read in its
    text and only suggests somebody goes with it, and so do its words where a wish or a consent quotes them, and the
    beginning of a text that a split may have kept of it.

    The single word that stops messages stays: it is the proof of an opt-out, and says nothing else.
    """
    if entry.id == redacted:
        return emptied(entry)
    if isinstance(entry, SplitOff):
        side = "made" if redacted in entry.entries else "left"
        return _replace(entry, **{side: _replace(getattr(entry, side), subject="", preview="")})
    if getattr(entry, "evidence", "") != redacted:
        return entry
    match entry:
        case Suggested():
            return None
        case PreferenceStated() | WishSeen():
            return _replace(entry, words="")
        case ConsentChanged() if consent.word(entry.words) is None:
            return _replace(entry, words="")
        case _:
            return entry
