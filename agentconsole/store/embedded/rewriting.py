"""A record written anew, so that no byte of what it said before stays.

Order: a journal beside the record (which files nothing will name any more), full text without what goes, new volumes
under numbers that the old head does not list, and the head (the commit point: its card holds the name that the journal
holds). Only then the old generation, the old volumes and the files go, and index and full text are written into new
files. Whoever finds the journal later either finishes that, or removes the new volumes where the head is the old one.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import (
    BlobId,
    CustomerId,
    EntryId,
    Snapshot,
)
from agentconsole.errors import ReadOnly
from agentconsole.ports import Decide, Rewrite
from agentconsole.seams import Step
from agentconsole.store import erasure, rules
from agentconsole.store.embedded import files
from agentconsole.store.embedded.care_lock import removing
from agentconsole.store.embedded.drafts import Blobs, Drafts
from agentconsole.store.embedded.engine import DecisionFailed, Engine
from agentconsole.store.embedded.files import Damaged, faults
from agentconsole.store.embedded.head import Head, head_path, journal_path, previous_path
from agentconsole.store.embedded.sealed import opened, seal

log = logging.getLogger(__name__)

ASIDE: Final = ".damaged-"
BEGUN: Final = "What was begun is ended when it is asked for again, or at the next start; nobody else is affected."


class Journal(msgspec.Struct, frozen=True):
    """What is under way: its name, and the files that no entry names any more. ``copies`` says that damaged files
    which were kept beside the record go as well."""

    id: str
    blobs: tuple[BlobId, ...] = ()
    copies: bool = True


class Rewriter:
    """Used in the store's worker thread only."""

    def __init__(self, root: Path, engine: Engine, blobs: Blobs, drafts: Drafts) -> None:
        self._root = root
        self._engine = engine
        self._blobs = blobs
        self._drafts = drafts
        self._steps = engine.steps

    def rewrite(self, record: CustomerId, rewrite: Rewrite, decide: Decide) -> Snapshot:
        """See ``Store.rewrite``.

        Raises:
            TryLater: a backup is under way.
        """
        rules.check_id(record)
        with faults(f"write the file of customer {record} anew", BEGUN), removing(self._root):
            self.finish()
            after = self.put_through(record, rewrite, decide)
            if after is None:
                return self._engine.change(record, decide)
            self.compact()
            self.end(record)
        self._engine.news()
        return after

    def put_through(self, record: CustomerId, rewrite: Rewrite, decide: Decide) -> Snapshot | None:
        """Write a record anew and clean up what does not need index and full text to be compacted; None where there is
        no such record. ``compact`` and ``end`` come after."""
        engine = self._engine
        engine.repair()
        head = engine.head(record)
        if head.filed is None:
            return None
        try:
            before = [entry for _, entry in head.entries()]
        except Damaged as why:
            engine.set_aside(record, why.reason)
        try:
            kept = erasure.rewritten(before, rewrite)
            snapshot = history.fold(record, kept)
            fresh = self.fresh(decide(snapshot), {entry.id for entry in before}, kept)
            after = history.advance(snapshot, fresh)
        except BaseException as error:
            engine.keep_hot(head)
            if isinstance(error, sqlite3.Error):
                raise
            raise DecisionFailed(error) from error
        new = head.anew([*kept, *fresh], after, engine.random.token())
        same = {entry.id for entry in before} & {entry.id for entry in kept}
        texts = {entry.id: rules.searchable(entry) for entry in kept}
        same = {entry.id for entry in before if entry.id in same and rules.searchable(entry) == texts[entry.id]}
        self.journal(record, Journal(new.rewriting, tuple(sorted(erasure.blobs_of(before)))))
        engine.unfiled_records.add(record)
        try:
            engine.consents.note(record, fresh, self._steps, engine.whose(record, after, fresh))
            engine.search.forget(record, before, kept, same)
            new.commit(self._steps)
        except BaseException:
            engine.after_failure(record)
            engine.search.note_record(record, engine.index.number)
            raise
        self.clean(record)
        return after

    def fresh(self, wanted: Sequence[AnyEntry], own: Set[EntryId], kept: Iterable[AnyEntry]) -> list[AnyEntry]:
        """Return the new entries of a record that is written anew: not those that it keeps or that others hold.

        Args:
            own: what the record itself held before.
        """
        there = {entry.id for entry in kept}
        known = self._engine.known([entry.id for entry in wanted])
        return erasure.fresh(
            wanted,
            lambda entry: (
                entry in there or (entry in known and (entry not in own or self._engine.erasures.has_entry(entry)))
            ),
        )

    def journal(self, record: CustomerId, journal: Journal) -> None:
        path = journal_path(head_path(self._engine.customers, record))
        with self._steps.durable(Step.REWRITE_BEGIN):
            files.replace_file(path, seal(msgspec.json.encode(journal)))
        self._engine.unfinished.add(record)

    def clean(self, record: CustomerId) -> None:
        """Remove what a committed rewriting left on disk, and tell index and ledger what the record says now."""
        engine = self._engine
        head = Head.load(head_path(engine.customers, record), record)
        journal = self._journal(record)
        entries = [entry for _, entry in head.entries()]
        self._remove_rest(head, previous_path(head.path), copies=journal is None or journal.copies)
        if journal is not None:
            drafts = self._drafts.of(lambda draft: draft.customer in engine.index.members(record))
            self._blobs.forget(record, set(journal.blobs) - erasure.blobs_of(entries, drafts))
        engine.consents.settle(record, entries, self._steps)
        engine.file_anew(record)

    def _remove_rest(self, head: Head, *also: Path, copies: bool) -> None:
        """Remove the volumes that a head does not list."""
        listed = {f"{head.record}.m{volume.number:05}.json" for volume in head.volumes}
        doomed = [path for path in also if path.exists()]
        for path in head.path.parent.glob(f"{head.record}.*"):
            volume = path.name.startswith(f"{head.record}.m") and path.name.endswith((".json", ".tmp"))
            if (volume and path.name not in listed) or (copies and ASIDE in path.name):
                doomed.append(path)
        if doomed:
            with self._steps.durable(Step.REWRITE_CLEAN):
                files.remove_files(doomed)

    def compact(self) -> None:
        """Write index and full text into new files, without the bytes of what was deleted."""
        engine = self._engine
        with self._steps.durable(Step.COMPACT):
            engine.index.compact()
            engine.generation += 1
        self.compact_text()

    def compact_text(self) -> None:
        with self._steps.durable(Step.COMPACT):
            anew = self._engine.search.compact()
        if anew:
            self._engine.open_search()

    def end(self, *records: CustomerId) -> None:
        """Say that nothing of what was before is left."""
        paths = [journal_path(head_path(self._engine.customers, record)) for record in records]
        paths = [path for path in paths if path.exists()]
        if paths:
            with self._steps.durable(Step.REWRITE_END):
                files.remove_files(paths)
        self._engine.unfinished.difference_update(records)

    def _journal(self, record: CustomerId) -> Journal | None:
        path = journal_path(head_path(self._engine.customers, record))
        with suppress(FileNotFoundError, ValueError):
            found: Journal = opened(path.read_bytes(), Journal)
            return found
        return None

    def finish(self, forget: Callable[[CustomerId], bool] = lambda _: False) -> None:
        """Finish what a crash, or a disk that refused, cut short. The caller holds ``removing``.

        Args:
            forget: says of a record that nothing needs to be done, because it is being erased.
        """
        engine = self._engine
        done = []
        for record in sorted(engine.unfinished):
            if forget(record):
                continue
            journal = self._journal(record)
            try:
                head = Head.load(head_path(engine.customers, record), record)
                if journal is None or head.rewriting == journal.id:
                    engine.search.forget(record, (), [entry for _, entry in head.entries()])
                    self.clean(record)
                else:
                    self._remove_rest(head, copies=False)
                    engine.search.note_record(record, engine.index.number)
            except (Damaged, FileNotFoundError, ReadOnly) as why:
                log.warning("the rewriting of customer %s waits: the file cannot be read (%s)", record, why)
                continue
            done.append(record)
        if done:
            self.compact()
            self.end(*done)
