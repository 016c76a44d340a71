"""What happened after a backup and must hold although the rest is forgotten: erasures, opt-outs, redactions.

The two ledgers know of erasures and of every word about consent. What they do not say, whose addresses an opt-out is
for and what an agent took out of an entry, is looked up in the store that is replaced, where it can still be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain import history
from agentconsole.domain.entries import (
    AddressLinked,
    AddressUnlinked,
    AnyEntry,
    ConsentChanged,
    Merged,
    Named,
    Redacted,
    Unmerged,
)
from agentconsole.domain.model import BlobId, CustomerId, EntryId, Snapshot
from agentconsole.seams import Randomness, Step, Steps
from agentconsole.store import erasure, rules
from agentconsole.store.care.layout import Kind, Progress, walk
from agentconsole.store.embedded import files
from agentconsole.store.embedded.accepting import as_it_is
from agentconsole.store.embedded.drafts import Audit, Blobs, Drafts
from agentconsole.store.embedded.files import Damaged
from agentconsole.store.embedded.head import Head, head_path, journal_path, previous_path
from agentconsole.store.embedded.ledger import (
    CONSENTS,
    ERASED,
    LEDGERS,
    ConsentLedger,
    ErasureLedger,
    united_consents,
    united_erasures,
    without_erased,
)
from agentconsole.store.embedded.rewriting import ASIDE, Journal
from agentconsole.store.embedded.sealed import opened
from agentconsole.store.erasure import Gone

_IDENTITY: Final = (AddressLinked, AddressUnlinked, Named, ConsentChanged, Merged, Unmerged)
_REDACTED: Final = b'"type":"redacted"'


class Reapplied(msgspec.Struct, frozen=True):
    """How many erased customers were taken out again, consents added, and entries redacted again."""

    erased: int = 0
    consents: int = 0
    redacted: int = 0


def records(root: Path) -> list[CustomerId]:
    """Return all records of which a store's folder holds anything: a head, what is left without one, or files."""
    found = {one.customer for one in walk(root, "customers") if one.customer}
    found.update(CustomerId(folder.name) for folder in (root / "blobs").glob("*/*"))
    return sorted(found)


class Reapply:
    """Works on a store's folder that nobody has opened yet.

    Args:
        root: what was copied out of the backup.
        old: the store that is replaced, where there is one.
        extra: folders with ledgers that were kept elsewhere: of a store, or just the files.
    """

    def __init__(
        self,
        root: Path,
        old: Path | None,
        extra: Sequence[Path],
        *,
        random: Randomness,
        steps: Steps,
        progress: Progress,
    ) -> None:
        self._root = root
        self._customers = root / "customers"
        self._old = old
        self._random = random
        self._steps = steps
        self._progress = progress
        self._folders = [root, *extra, *([old] if old is not None else [])]
        self._erased: ErasureLedger
        self._consents: ConsentLedger
        self._snapshots: dict[CustomerId, Snapshot] = {}

    def run(self) -> Reapplied:
        self._unite()
        erased = self._erase() if self._erased else 0
        consents, redacted = self._carry()
        return Reapplied(erased, consents, redacted)

    def _unite(self) -> None:
        ledgers = self._root / LEDGERS
        with self._steps.durable(Step.RESTORE):
            files.make_folder(ledgers)
            files.replace_file(ledgers / ERASED, united_erasures(*self._all(ERASED)))
        self._erased = ErasureLedger(ledgers / ERASED)
        with self._steps.durable(Step.RESTORE):
            files.replace_file(ledgers / CONSENTS, united_consents(*self._all(CONSENTS)))
        with self._steps.durable(Step.RESTORE):
            files.replace_file(ledgers / CONSENTS, without_erased(ledgers / CONSENTS, self._erased))
        self._consents = ConsentLedger(ledgers / CONSENTS)

    def _all(self, name: str) -> list[Path]:
        return [path for folder in self._folders for path in (folder / LEDGERS / name, folder / name)]

    # -- erasures ------------------------------------------------------------------------------------------

    def _erase(self) -> int:
        """Take out again what was erased after the backup, and what others say of it."""
        lost, others = self._lost()
        if not lost.records:
            return 0
        self._consents.forget(lost, self._steps)
        Drafts(self._root / "drafts", self._steps).forget(lost)
        blobs = Blobs(self._root / "blobs", self._steps)
        for record in lost.records:
            blobs.forget_all(record)
            folder = head_path(self._customers, record).parent
            with self._steps.durable(Step.RESTORE):
                files.remove_files(sorted(folder.glob(f"{record}.*")))
        Audit(self._root / "audit", self._steps).forget(lost)
        for record in others:
            entries = self._entries(record)
            kept = erasure.rewritten(entries, erasure.without(lost))
            if len(kept) != len(entries):
                self._write(record, kept)
        return len(lost.records)

    def _lost(self) -> tuple[Gone, list[CustomerId]]:
        """Return who was erased but is in the copy, and who else is there. A record that was made anew under an erased
        id holds nothing that was erased."""
        gone: dict[CustomerId, Snapshot] = {}
        doomed: list[EntryId] = []
        others: list[CustomerId] = []
        held: set[str] = set()
        everybody = records(self._root)
        for number, record in enumerate(everybody, 1):
            self._progress("compared with the erasures", number, len(everybody))
            entries = self._entries(record)
            if any(self._erased.has_entry(entry.id) for entry in entries):
                gone[record] = history.fold(record, entries)
                doomed += [entry.id for entry in entries]
            elif not entries and self._erased.has_record(record):
                gone[record] = history.empty(record)
            else:
                others.append(record)
                held.update(history.fold(record, entries).addresses)
        there = set(everybody)
        for draft in Drafts(self._root / "drafts", self._steps).of(lambda draft: draft.customer not in there):
            if self._erased.has_record(draft.customer):
                gone[draft.customer] = history.empty(draft.customer)
        return erasure.gone(gone, doomed, held.__contains__), others

    # -- consents and redactions ---------------------------------------------------------------------------

    def _carry(self) -> tuple[int, int]:
        redacted = self._redacted()
        wanted = {record for record in self._consents.records() if self._consents.of(record)}
        out = {r for r in wanted if any(not consent.allowed for consent in self._consents.of(r))}
        joined = rules.cluster(out, lambda record: self._edges().get(record, ()))
        holders = self._holders()
        count = again = 0
        for number, record in enumerate(sorted(wanted | joined | redacted.keys()), 1):
            self._progress("compared with the ledgers", number, len(wanted | joined | redacted.keys()))
            before = self._entries(record)
            known = {entry.id for entry in before}
            changed = redacted.get(record, {})
            kept = [changed.get(entry.id, entry) for entry in before]
            again += sum(1 for entry in before if entry.id in changed)
            fresh: list[AnyEntry] = [e for e in changed.values() if isinstance(e, Redacted) and e.entry in known]
            fresh = [entry for entry in fresh if entry.id not in known]
            if record in joined:
                fresh += self._identity(record, known)
            missing = erasure.missing_consents([*kept, *fresh], self._consents.of(record))
            fresh += missing
            if missing and self._old is None:
                self._spread(record, missing, holders)
            count += sum(1 for entry in fresh if isinstance(entry, ConsentChanged))
            if fresh or kept != before:
                self._write(record, [*kept, *sorted(fresh, key=lambda entry: entry.at)])
        return count, again

    def _identity(self, record: CustomerId, known: set[EntryId]) -> Iterator[AnyEntry]:
        """Yield what says whose an opted-out customer's addresses are. Conversations are not joined again: they may
        not be there."""
        old = self._old_entries(record)
        if not known and not old and self._consents.of(record):
            yield from self._stub(record)
        for entry in old:
            if isinstance(entry, _IDENTITY) and entry.id not in known and not self._erased.has_entry(entry.id):
                yield msgspec.structs.replace(entry, joins={}) if isinstance(entry, Merged) else entry

    def _holders(self) -> dict[str, set[CustomerId]]:
        """Return which records of the copy hold an address (by ``str``)."""
        found: dict[str, set[CustomerId]] = {}
        for record in records(self._root):
            with suppress(Damaged, FileNotFoundError):
                for key in Head.load(head_path(self._customers, record), record).snapshot.addresses:
                    found.setdefault(key, set()).add(record)
        return found

    def _spread(
        self, record: CustomerId, consents: Sequence[ConsentChanged], holders: Mapping[str, set[CustomerId]]
    ) -> None:
        """Give consents to whoever holds an address that was theirs: who was joined after the backup is not known."""
        others = {one for a in self._consents.addresses(record) for one in holders.get(str(a), ())} - {record}
        for other in sorted(others):
            entries = self._entries(other)
            known = {entry.id for entry in entries}
            copies = [msgspec.structs.replace(one, id=_derived(one.id, other)) for one in consents]
            if fresh := [one for one in copies if one.id not in known]:
                self._write(other, [*entries, *fresh])
                self._consents.note(other, fresh, self._steps)

    def _stub(self, record: CustomerId) -> Iterator[AnyEntry]:
        """Yield the addresses of a record of which only the ledger knows."""
        since = min(consent.at for consent in self._consents.of(record))
        for address in self._consents.addresses(record):
            yield AddressLinked(id=_derived(record, address), at=since, address=address, why="ledger")

    def _edges(self) -> Mapping[CustomerId, set[CustomerId]]:
        """Return who is joined with whom in the store that is replaced."""
        if not hasattr(self, "_found_edges"):
            self._found_edges: dict[CustomerId, set[CustomerId]] = {}
            for record in records(self._old) if self._old is not None else ():
                with suppress(Damaged, FileNotFoundError):
                    snapshot = Head.load(head_path(self._old_customers, record), record).snapshot
                    for edge in snapshot.merges.values():
                        self._found_edges.setdefault(record, set()).add(edge.other)
                        self._found_edges.setdefault(edge.other, set()).add(record)
        return self._found_edges

    def _redacted(self) -> dict[CustomerId, dict[EntryId, AnyEntry]]:
        """Return, for records of the copy, the entries that were redacted later as they are now, with their notes."""
        found: dict[CustomerId, dict[EntryId, AnyEntry]] = {}
        if self._old is None:
            return found
        touched = {
            one.customer
            for one in walk(self._old, "customers")
            if one.kind in (Kind.HEAD, Kind.VOLUME) and _REDACTED in (self._old / one.path).read_bytes()
        }
        for record in touched:
            if head_path(self._customers, record).exists():
                entries = {entry.id: entry for entry in self._old_entries(record)}
                notes = [entry for entry in entries.values() if isinstance(entry, Redacted)]
                found[record] = {note.id: note for note in notes} | {
                    note.entry: entries[note.entry] for note in notes if note.entry in entries
                }
        return found

    # -- reading and writing -------------------------------------------------------------------------------

    @property
    def _old_customers(self) -> Path:
        assert self._old is not None
        return self._old / "customers"

    def _old_entries(self, record: CustomerId) -> Sequence[AnyEntry]:
        return _readable(head_path(self._old_customers, record), record) if self._old is not None else ()

    def _entries(self, record: CustomerId) -> list[AnyEntry]:
        return list(_readable(head_path(self._customers, record), record))

    def _write(self, record: CustomerId, entries: Iterable[AnyEntry]) -> None:
        """Write a record of the copy anew. One that is damaged is left: who takes it back gets its consents then."""
        path = head_path(self._customers, record)
        try:
            head = Head.load(path, record)
            before = {entry.id: entry for _, entry in head.entries()}
        except FileNotFoundError:
            head, before = Head.fresh(path, record), {}
        except Damaged:
            return
        kept = list(entries)
        new = head.anew(kept, history.fold(record, kept), self._random.token())
        with self._steps.durable(Step.RESTORE):
            files.make_folder(path.parent)
        new.commit(self._steps)
        listed = {f"{record}.m{volume.number:05}.json" for volume in new.volumes}
        doomed = [one for one in path.parent.glob(f"{record}.m*.json") if one.name not in listed]
        doomed += [one for one in (previous_path(path), journal_path(path)) if one.exists()]
        doomed += [one for one in path.parent.glob(f"{record}.*") if ASIDE in one.name]
        blobs = erasure.blobs_of(before.values()) | _unfinished(path)
        with self._steps.durable(Step.RESTORE):
            files.remove_files(doomed)
        Blobs(self._root / "blobs", self._steps).forget(record, blobs - erasure.blobs_of(kept))


def _derived(*names: object) -> EntryId:
    """Return an id that is the same however often the same is restored."""
    return EntryId(hashlib.sha256(" ".join(["ledger", *map(str, names)]).encode()).hexdigest()[:32])


def _unfinished(path: Path) -> set[BlobId]:
    """Return the files that a rewriting that was cut short had still to remove."""
    with suppress(FileNotFoundError, ValueError):
        return set(opened(journal_path(path).read_bytes(), Journal).blobs)
    return set()


def _readable(path: Path, record: CustomerId) -> Sequence[AnyEntry]:
    for source in (path, previous_path(path)):
        found = as_it_is(source, record)
        if found is not None:
            return found.entries
    return ()
