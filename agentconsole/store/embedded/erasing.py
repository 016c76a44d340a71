"""A customer erased: every byte in the store's folder.

``ledger/erasing.json`` is written first and is the point of no return: it says all that is needed to go on after a
crash, and every step may be done twice. The ledger's line comes next, so that nothing that arrives meanwhile is filed
again. The journal goes last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain.model import CustomerId, EntryId, Snapshot
from agentconsole.errors import ReadOnly
from agentconsole.ports import Erased
from agentconsole.seams import Step
from agentconsole.store import erasure
from agentconsole.store.embedded import files
from agentconsole.store.embedded.care_lock import removing
from agentconsole.store.embedded.drafts import Audit, Blobs, Drafts
from agentconsole.store.embedded.engine import Engine
from agentconsole.store.embedded.files import faults
from agentconsole.store.embedded.head import head_path
from agentconsole.store.embedded.ledger import LEDGERS
from agentconsole.store.embedded.rewriting import BEGUN, Rewriter
from agentconsole.store.embedded.sealed import opened, seal
from agentconsole.store.erasure import Gone

log = logging.getLogger(__name__)

JOURNAL: Final = "erasing.json"


class Eraser:
    """Used in the store's worker thread only.

    Args:
        now: says when an erasure took place.
    """

    def __init__(
        self,
        root: Path,
        engine: Engine,
        rewriter: Rewriter,
        blobs: Blobs,
        drafts: Drafts,
        audit: Audit,
        now: Callable[[], datetime],
    ) -> None:
        self._root = root
        self._journal = root / LEDGERS / JOURNAL
        self._engine = engine
        self._rewriter = rewriter
        self._blobs = blobs
        self._drafts = drafts
        self._audit = audit
        self._now = now

    def erase(self, customer: CustomerId) -> Erased:
        """See ``Store.erase``.

        Raises:
            TryLater: a backup is under way.
        """
        with faults(f"erase customer {customer}"), removing(self._root):
            with faults("finish what was begun", BEGUN):
                self._finish()
            self._engine.repair()
            members = self._engine.index.members(customer)
            if not members:
                return Erased()
            lost = self._gone(members)
            with self._engine.steps.durable(Step.ERASE_BEGIN):
                files.make_folder(self._journal.parent)
                files.replace_file(self._journal, seal(msgspec.json.encode(lost)))
            with faults(f"erase all of customer {customer}", BEGUN):
                return self._go_on(lost)

    def _gone(self, members: list[CustomerId]) -> Gone:
        index = self._engine.index
        snapshots: dict[CustomerId, Snapshot] = {}
        entries: set[EntryId] = set()
        for member in members:
            reading = self._engine.reading(member)
            entries.update(index.entry_ids(member), (entry.id for _, entry in reading.entries))
            entries.update(consent.id for consent in self._engine.consents.of(member))
            snapshots[member] = index.snapshot(member) or reading.snapshot
        return erasure.gone(snapshots, entries, lambda key: bool(set(index.holders(key)) - set(members)))

    def finish(self) -> None:
        """Finish what a crash, or a disk that refused, cut short: rewritings as well.

        Raises:
            TryLater: a backup is under way.
        """
        self._sweep()
        if self._engine.unfinished or self._journal.exists():
            with faults("finish what was begun", BEGUN), removing(self._root):
                self._finish()

    def _sweep(self) -> None:
        """Remove what was half written when a process died: nobody was promised it, and it may say anything."""
        folders = [self._root / name for name in (LEDGERS, "audit", "spool", "spool/aside", "spool/cursors")]
        rests = [path for folder in (*folders, *(self._root / "drafts").glob("*")) for path in folder.glob("*.tmp")]
        if rests:
            with self._engine.steps.durable(Step.SWEEP), faults("clear half-written files away"):
                files.remove_files(rests)

    def _finish(self) -> None:
        lost = None
        with suppress(FileNotFoundError):
            try:
                lost = opened(self._journal.read_bytes(), Gone)
            except ValueError as why:
                log.error("an erasure cannot be finished, its journal is damaged: %s", why)
                with self._engine.steps.durable(Step.ERASE_END):
                    files.move(self._journal, self._journal.with_name(self._journal.name + ".damaged"))
        self._rewriter.finish(lambda record: lost is not None and record in lost.records)
        if lost is not None:
            self._go_on(lost)

    def _go_on(self, lost: Gone) -> Erased:
        engine, steps = self._engine, self._engine.steps
        engine.erasures.add(lost, self._now(), engine.random, steps)
        for record in lost.records:
            engine.search.forget(record, [entry for _, entry in engine.reading(record).entries])
        drafts = self._drafts.forget(lost)
        blobs = 0
        for record in lost.records:
            self._remove_files(record)
            blobs += self._blobs.forget_all(record)
            engine.forget_hot(record)
            engine.damaged.pop(record, None)
            engine.unfiled_records.discard(record)
        with steps.durable(Step.INDEX_UPDATE):
            engine.index.remove(lost.records)
        self._audit.forget(lost)
        engine.consents.forget(lost, steps)
        others = engine.index.referring((*lost.records, *lost.addresses))
        for record in others:
            try:
                self._rewriter.put_through(record, erasure.without(lost), lambda _: ())
            except ReadOnly as why:
                log.warning("what customer %s says of who was erased stays until it is taken back: %s", record, why)
        self._rewriter.compact()
        self._rewriter.end(*others, *lost.records)
        with steps.durable(Step.ERASE_END):
            files.remove_file(self._journal)
        engine.news()
        return Erased(entries=len(lost.entries), blobs=blobs, drafts=drafts)

    def _remove_files(self, record: CustomerId) -> None:
        folder = head_path(self._engine.customers, record).parent
        doomed = sorted(folder.glob(f"{record}.*"))
        if doomed:
            with self._engine.steps.durable(Step.ERASE_FILES):
                files.remove_files(doomed)
