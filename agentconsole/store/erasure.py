"""What rewriting and erasing mean, alike for every store: which entries stay, what others say of who is gone.

Pure; where the bytes lie is each store's own matter.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from agentconsole.domain.entries import (
    AnyEntry,
    ConsentChanged,
    Merged,
    Parted,
    Received,
    Reply,
    Suggested,
    SuggestionAnswered,
    Unmerged,
    Unparted,
    Unreadable,
)
from agentconsole.domain.model import (
    Attachment,
    BlobId,
    ConversationId,
    CustomerId,
    Draft,
    EntryId,
    Snapshot,
    Value,
)
from agentconsole.ports import AuditLine, Rewrite
from agentconsole.store import codec, rules

_HASH_BYTES: Final = 16


class Gone(Value, frozen=True):
    """Who is erased: all that is needed to find what is left of them, and to finish after a crash.

    ``addresses`` are those that nobody else holds.
    """

    records: tuple[CustomerId, ...]
    entries: tuple[EntryId, ...] = ()
    conversations: tuple[ConversationId, ...] = ()
    addresses: tuple[str, ...] = ()


def gone(snapshots: Mapping[CustomerId, Snapshot], entries: Iterable[EntryId], held: Callable[[str], bool]) -> Gone:
    """Return what an erasure of some records takes away.

    Args:
        held: says whether any other record holds an address (by ``str``).
    """
    addresses = {key for snapshot in snapshots.values() for key in snapshot.addresses}
    return Gone(
        records=tuple(sorted(snapshots)),
        entries=tuple(sorted(entries)),
        conversations=tuple(sorted({c.id for snapshot in snapshots.values() for c in snapshot.conversations.values()})),
        addresses=tuple(sorted(key for key in addresses if not held(key))),
    )


def rewritten(entries: Iterable[AnyEntry], rewrite: Rewrite) -> list[AnyEntry]:
    """Put entries through ``rewrite``.

    Raises:
        ValueError: it gave an entry another id, or one that no store may keep.
    """
    kept: list[AnyEntry] = []
    for entry in entries:
        found = rewrite(entry)
        if found is None:
            continue
        rules.check(found)
        if found.id != entry.id:
            raise ValueError(f"entry {entry.id} cannot become {found.id}")
        kept.append(codec.whole(found))
    return kept


def without(lost: Gone) -> Rewrite:
    """Return the rewriting of another record that forgets who is gone: suggestions that name them or an address that
    only they held, the answers to those, and merges that ended."""
    records, addresses = frozenset(lost.records), frozenset(lost.addresses)
    dropped: set[EntryId] = set()

    def rewrite(entry: AnyEntry) -> AnyEntry | None:
        match entry:
            case Suggested() if entry.other in records or str(entry.address) in addresses:
                dropped.add(entry.id)
                return None
            case Merged() if entry.other in records:
                dropped.add(entry.id)
                return None
            case SuggestionAnswered() if entry.suggestion in dropped:
                return None
            case Unmerged() if entry.merge in dropped:
                return None
            case Parted() if entry.of and entry.one in records:
                return msgspec.structs.replace(entry, one=CustomerId(""), of=entry.id)
            case Parted() if not entry.of and (records | addresses).intersection(referred(entry)):
                dropped.add(entry.id)
                return None
            case Unparted() if entry.parting in dropped:
                return None
            case _:
                return entry

    return rewrite


def referred(entry: AnyEntry) -> tuple[str, ...]:
    """Return the customers and addresses of others that an entry speaks of: what ``without`` looks for."""
    match entry:
        case Suggested():
            return entry.other, str(entry.address)
        case Merged():
            return (entry.other,)
        case Parted():
            kept = [record for pair in entry.made.values() for record in pair]
            return (entry.one, entry.other, *entry.ended.values(), *kept, *map(str, entry.addresses))
        case _:
            return ()


def blobs_of(entries: Iterable[AnyEntry], drafts: Iterable[Draft] = ()) -> set[BlobId]:
    """Return the files that entries and drafts name."""
    found: set[BlobId] = set()
    attached: list[Attachment] = []
    for entry in entries:
        match entry:
            case Received():
                found.add(entry.raw)
                attached += entry.attachments
            case Unreadable():
                found.add(entry.raw)
            case Reply():
                attached += entry.attachments
            case _:
                pass
    for draft in drafts:
        attached += draft.attachments
    found.update(one.blob for one in attached)
    return found - {BlobId("")}


def audit_words(lost: Gone) -> tuple[str, ...]:
    """Return what a line of the audit trail may not say any more."""
    values = (key.partition(":")[2].lstrip(":") for key in lost.addresses)
    return (*lost.records, *(value for value in values if value))


def audit_line(line: AuditLine, lost: Gone) -> AuditLine:
    """Return a line of the audit trail without what it says of who is gone; when, who and which act stay."""
    theirs = line.customer in lost.records or any(text in line.detail for text in audit_words(lost))
    if not theirs:
        return line
    return msgspec.structs.replace(line, customer=CustomerId(""), detail="")


def drafted_for(draft: Draft, lost: Gone) -> bool:
    return draft.customer in lost.records or draft.conversation in lost.conversations


def keyed(key: bytes, name: str) -> str:
    """Return the hash by which an erasure ledger knows an entry or a record (32 hex digits)."""
    return hmac.new(key, name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[: 2 * _HASH_BYTES]


def missing_consents(entries: Iterable[AnyEntry], ledger: Iterable[ConsentChanged]) -> list[ConsentChanged]:
    """Return the consents of a ledger that the entries of a record lack, in their order."""
    there: set[EntryId] = {entry.id for entry in entries}
    return [consent for consent in ledger if consent.id not in there and not there.add(consent.id)]  # type: ignore[func-returns-value]


def fresh(wanted: Sequence[AnyEntry], known: Callable[[EntryId], bool]) -> list[AnyEntry]:
    """Return the entries that are not known, whole, each once.

    Raises:
        ValueError: one could not be kept.
    """
    found: dict[EntryId, AnyEntry] = {}
    for entry in wanted:
        rules.check(entry)
        if entry.id not in found and not known(entry.id):
            found[entry.id] = codec.whole(entry)
    return list(found.values())
