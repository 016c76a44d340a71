"""The writer: one change of one record at a time, and the repair of what a crash or a hand left behind.

Order of a change: older entries to a sealed volume where the head is full, head (the commit point), index, and
then full text. What dies after the head is found at the next start, because the file on disk is not the one that
the index knows (size, time, inode); what fails there while running is repaired before the next change or read.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry, ConsentChanged
from agentconsole.domain.model import (
    Address,
    AgentName,
    CustomerId,
    EntryId,
    Snapshot,
)
from agentconsole.errors import ReadOnly
from agentconsole.ports import Decide
from agentconsole.seams import Randomness, Step, Steps
from agentconsole.store import erasure, rules
from agentconsole.store.embedded import files
from agentconsole.store.embedded.files import Damaged, Filed, faults, lost
from agentconsole.store.embedded.head import REWRITING, Head, entries_of, head_path, previous_path, read_volume
from agentconsole.store.embedded.index import Index, Reading
from agentconsole.store.embedded.ledger import CONSENTS, ERASED, LEDGERS, ConsentLedger, ErasureLedger
from agentconsole.store.embedded.schema import Useless, drop
from agentconsole.store.embedded.search import Search

log = logging.getLogger(__name__)

HOT_HEADS: Final = 512
HOT_BYTES: Final = 16 * 1024 * 1024
_REBUILD_SHARE: Final = 4


class DecisionFailed(Exception):
    """Carries what ``decide`` raised past the store's own handling of errors."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(cause)
        self.cause = cause


class Engine:
    """Everything that writes heads and indexes. Used in the store's worker thread only.

    Args:
        copied: called at the start where customers' files were put in the place of themselves, before they are filed:
            the index does not tell it any more afterwards.
    """

    def __init__(
        self,
        root: Path,
        *,
        random: Randomness,
        steps: Steps,
        news: Callable[[], None],
        copied: Callable[[], None] = lambda: None,
    ) -> None:
        self._copied = copied
        self.customers = root / "customers"
        self._index_path = root / "index.sqlite3"
        self.random = random
        self.steps = steps
        self.news = news
        self._hot: OrderedDict[CustomerId, Head] = OrderedDict()
        self._hot_bytes = 0
        self.unfiled_records: set[CustomerId] = set()
        self.index: Index
        self.search = Search(root / "search.sqlite3", steps, self.readable)
        self.damaged: dict[CustomerId, str] = {}
        self.unfinished: set[CustomerId] = set()
        """Records whose rewriting a crash cut short."""
        self.erasures: ErasureLedger
        self.consents: ConsentLedger
        self.generation = 0

    # -- opening and closing -------------------------------------------------------------------------------

    def open(self) -> None:
        if not self.customers.is_dir():
            with self.steps.durable(Step.STORE_CREATE):
                files.make_folder(self.customers)
        ledgers = self.customers.with_name(LEDGERS)
        self.erasures = ErasureLedger(ledgers / ERASED)
        self.consents = ConsentLedger(ledgers / CONSENTS)
        try:
            self.index = Index.open(self._index_path)
        except Useless as why:
            log.info("the index is built anew: %s", why)
            self._rebuild()
        else:
            self._sweep()
        self.open_search()

    def open_search(self) -> None:
        self.search.open(self.index.epoch, self.index.number, self.index.changed_since, self.index.records)
        self.damaged = self.index.damaged()

    def close(self) -> None:
        with faults("close its index"):
            clean = not self.unfiled_records
            self.search.close()
            self.index.close(clean=clean)

    def _heads(self) -> Iterator[tuple[CustomerId, os.stat_result | None]]:
        """Yield every record that has a head, or lost it and left the generation before."""
        for folder in sorted(path for path in self.customers.iterdir() if path.is_dir()):
            names: dict[CustomerId, os.stat_result | None] = {}
            with os.scandir(folder) as found:
                for item in found:
                    if item.name.endswith(".tmp"):
                        with self.steps.durable(Step.SWEEP):
                            files.unlink(Path(item.path))
                        continue
                    stem, _, rest = item.name.partition(".")
                    if not rules.CUSTOMER_ID.fullmatch(stem):
                        continue
                    if rest == "json":
                        names[CustomerId(stem)] = item.stat(follow_symlinks=False)
                    elif rest == REWRITING:
                        self.unfinished.add(CustomerId(stem))
                    elif rest == "json.prev":
                        names.setdefault(CustomerId(stem), None)
            yield from sorted(names.items())

    def _rebuild(self) -> None:
        """Build the index from all heads."""
        records = (self.reading(record) for record, _ in self._heads())
        with self.steps.durable(Step.INDEX_UPDATE):
            self.index = Index.build(self._index_path, self.random.token(), records)
        self.unfiled_records.clear()
        self._hot.clear()
        self._hot_bytes = 0
        self.generation += 1

    def _sweep(self) -> None:
        """Find heads that are not the ones that the index knows, and file them."""
        known = self.index.filed()
        damaged = self.index.damaged()
        changed: dict[CustomerId, Filed | None] = {}
        total = 0
        for record, found in self._heads():
            total += 1
            before = known.pop(record, None)
            other = before is None or (before.ino if found is None else not before.same_file(found))
            if other or record in damaged:
                changed[record] = before
        changed.update((record, None) for record, before in known.items() if before.ino)
        if any(self._is_copy(record, before) for record, before in changed.items() if record not in damaged):
            self._copied()
        if len(changed) > 500 and len(changed) * _REBUILD_SHARE > total:
            self.index.close(clean=False)
            self._rebuild()
            return
        for record in changed:
            self.file_anew(record)

    def _is_copy(self, record: CustomerId, before: Filed | None) -> bool:
        """Whether a head is the one that was there and yet another file. Every change of ours has a new generation."""
        if before is None or not before.gen:
            return False
        try:
            return files.read(head_path(self.customers, record))[1].gen == before.gen
        except (Damaged, OSError):
            return False

    def repair(self) -> None:
        """File what could not be filed when it was written."""
        for record in sorted(self.unfiled_records):
            self.file_anew(record)

    @property
    def unfiled(self) -> int:
        return len(self.unfiled_records)

    def mend(self) -> None:
        """Drop a malformed index and build it anew."""
        log.warning("the index is malformed and is built anew from the customers' files")
        try:
            self.index.close(clean=False)
        except sqlite3.Error:
            log.debug("the malformed index could not be closed", exc_info=True)
        self._rebuild()
        self.open_search()
        self.news()

    def file_anew(self, record: CustomerId) -> None:
        self.forget_hot(record)
        known = self.index.filed_record(record)
        reading = self.reading(record, known.gen if known is not None else 0)
        with self.steps.durable(Step.INDEX_UPDATE):
            if reading.damaged and known is not None:
                self.index.mark_damaged(record, reading.filed, reading.damaged)
            else:
                self.index.replace(reading)
        if reading.damaged:
            self.damaged[record] = reading.damaged
        else:
            self.damaged.pop(record, None)
        self.unfiled_records.discard(record)
        self.search.note_record(record, self.index.number)

    def reading(self, record: CustomerId, newest: int = 0) -> Reading:
        """Read all of a record for the index: of a damaged one, the generation before and what else is whole.

        Args:
            newest: the generation that was there already; one before it was put back and does not know what was sent.
        """
        path = head_path(self.customers, record)
        try:
            head = Head.load(path, record)
            entries = list(head.entries())
            if head.filed is not None and head.filed.gen < newest:
                raise Damaged("an older generation of it was put in its place")
        except (Damaged, OSError) as why:
            reason = lost(why)
            self.warn(record, reason)
            return self._damaged_reading(record, path, reason)
        assert head.filed is not None
        return Reading(record, head.filed, head.snapshot, entries, head.seen())

    def warn(self, record: CustomerId, reason: str) -> None:
        """Tell the log of a file that cannot be trusted."""
        log.warning("the file of customer %s cannot be trusted: %s", record, reason)

    def _damaged_reading(self, record: CustomerId, path: Path, reason: str) -> Reading:
        try:
            found = files.filed(0, path.stat())
        except FileNotFoundError:
            found = Filed(0, 0, 0, 0)
        for source in (path, previous_path(path)):
            try:
                tables, _ = files.read(source)
                head = Head(path, record, files.Documents(tables), found)
                return Reading(record, found, head.snapshot, list(whole_entries(head)), head.seen(), reason)
            except (Damaged, OSError) as why:
                lost(why)
        return Reading(record, found, history.empty(record), (), {}, reason)

    def readable(self, record: CustomerId) -> Iterable[tuple[int, AnyEntry]]:
        """Yield all entries of a record that can be read."""
        return self.reading(record).entries

    # -- heads ---------------------------------------------------------------------------------------------

    def forget_hot(self, record: CustomerId) -> None:
        head = self._hot.pop(record, None)
        if head is not None and head.filed is not None:
            self._hot_bytes -= head.filed.size

    def keep_hot(self, head: Head) -> None:
        assert head.filed is not None
        self._hot[head.record] = head
        self._hot_bytes += head.filed.size
        while self._hot and (len(self._hot) > HOT_HEADS or self._hot_bytes > HOT_BYTES):
            self.forget_hot(next(iter(self._hot)))

    def head(self, record: CustomerId) -> Head:
        """Take a record's head out of the cache, or read it. Whoever takes it puts it back when all went well.

        Raises:
            ReadOnly: it cannot be trusted.
        """
        path = head_path(self.customers, record)
        try:
            found = os.stat(path)
        except FileNotFoundError:
            self.forget_hot(record)
            if self.index.filed_record(record) is not None or previous_path(path).exists():
                self.set_aside(record, "it is gone")
            return Head.fresh(path, record)
        hot = self._hot.get(record)
        self.forget_hot(record)
        if hot is not None and hot.filed is not None and hot.filed.same_file(found) and record not in self.damaged:
            return hot
        try:
            head = Head.load(path, record)
        except Damaged as why:
            self.set_aside(record, why.reason)
        if head.filed != self.index.filed_record(record) or record in self.damaged:
            self.file_anew(record)
        if record in self.damaged:
            self.set_aside(record, self.damaged[record])
        return head

    def set_aside(self, record: CustomerId, reason: str) -> NoReturn:
        if self.damaged.get(record) != reason:
            self.file_anew(record)
            self.damaged[record] = reason
        raise ReadOnly(
            f"The file of customer {record} cannot be trusted ({reason}) and is only read. It was left as it is; "
            "nothing was added to it, and every other customer works.",
            "Run `agentconsole store check` to see what is there and to accept it or take the version before.",
        )

    # -- changing ------------------------------------------------------------------------------------------

    def change(self, record: CustomerId, decide: Decide) -> Snapshot:
        rules.check_id(record)
        with faults(f"read the file of customer {record}"):
            self.repair()
            head = self.head(record)
        before = head.snapshot
        try:
            wanted = list(decide(before))
            fresh = self._fresh(wanted)
            after = history.advance(before, fresh) if fresh else before
        except BaseException as error:
            if head.filed is not None:
                self.keep_hot(head)
            if isinstance(error, sqlite3.Error):
                raise
            raise DecisionFailed(error) from error
        if not fresh:
            if head.filed is not None:
                self.keep_hot(head)
            return before
        first = head.count
        created = head.filed is None
        with faults(f"write the file of customer {record}"):
            self.unfiled_records.add(record)
            try:
                self.consents.note(record, fresh, self.steps, self.whose(record, after, fresh))
                head.append(fresh, after)
                found = head.commit(self.steps)
            except BaseException:
                self.after_failure(record)
                raise
        placed = list(enumerate(fresh, first))
        self._file(Reading(record, found, after, placed), None if created else before)
        self.keep_hot(head)
        return after

    def whose(self, record: CustomerId, after: Snapshot, fresh: Iterable[AnyEntry]) -> list[Address]:
        """Return all addresses of the customer that new consents are of; none where there are no consents."""
        if not any(isinstance(entry, ConsentChanged) for entry in fresh):
            return []
        found = [after, *(self.index.snapshot(member) for member in self.index.members(record))]
        keys = {key: linked.address for one in found if one is not None for key, linked in one.addresses.items()}
        return [keys[key] for key in sorted(keys)]

    def after_failure(self, record: CustomerId) -> None:
        """Nothing was acknowledged. Where the disk holds what it held, the index needs no repair."""
        try:
            known = self.index.filed_record(record)
            now = os.stat(head_path(self.customers, record))
            if known is not None and known.same_file(now):
                self.unfiled_records.discard(record)
        except FileNotFoundError:
            if known is None:
                self.unfiled_records.discard(record)
        except (OSError, sqlite3.Error):
            log.debug("the state of customer %s is looked at again before the next change", record, exc_info=True)

    def _fresh(self, wanted: list[AnyEntry]) -> list[AnyEntry]:
        """Return the entries that are not known, whole, each once."""
        known = self.known([entry.id for entry in wanted])
        return erasure.fresh(wanted, known.__contains__)

    def known(self, entries: Sequence[EntryId]) -> frozenset[EntryId]:
        """Return those of some entries that are kept, or were and are erased."""
        found = self.index.known(entries)
        if not self.erasures:
            return found
        return found | {entry for entry in entries if entry not in found and self.erasures.has_entry(entry)}

    def _file(self, reading: Reading, before: Snapshot | None) -> None:
        """Tell the index. The head is on disk already, so a refusal here is no failure of the change."""
        try:
            with self.steps.durable(Step.INDEX_UPDATE):
                self.index.append(reading, before)
        except sqlite3.OperationalError as error:
            log.warning("the index could not follow customer %s and will be repaired: %s", reading.record, error)
            self.news()
            return
        except sqlite3.DatabaseError:
            self.mend()
            return
        self.unfiled_records.discard(reading.record)
        self.search.note(reading.record, reading.entries, self.index.number)
        self.news()

    def seen(self, customer: CustomerId, agent: AgentName, at: int) -> None:
        marks: dict[CustomerId, Filed] = {}
        with faults(f"write the file of customer {customer}"):
            self.repair()
            for member in self.index.members(customer):
                if self.index.seen_before(member, agent) >= at:
                    continue
                try:
                    head = self.head(member)
                except ReadOnly:
                    continue
                self.unfiled_records.add(member)
                try:
                    head.mark_seen(agent, at)
                    marks[member] = head.commit(self.steps)
                except BaseException:
                    self.after_failure(member)
                    raise
                self.keep_hot(head)
            if marks:
                with self.steps.durable(Step.INDEX_UPDATE):
                    self.index.seen(marks, agent, at)
                self.unfiled_records.difference_update(marks)
                self.news()

    def catch_up(self) -> int:
        """Bring full text nearer to the index; return how much is left."""
        with faults("write its full text"):
            try:
                return self.search.catch_up()
            except Useless as why:
                log.warning("full text is built anew: %s", why)
                self.search.close()
                drop(self._index_path.with_name("search.sqlite3"))
                self.open_search()
                return self.search.behind


def whole_entries(head: Head) -> Iterator[tuple[int, AnyEntry]]:
    """Yield the entries of a record whose volumes may be damaged."""
    for volume in head.volumes:
        try:
            yield from enumerate(entries_of(read_volume(head.path, volume.number, volume)), volume.first)
        except (Damaged, OSError) as why:
            log.warning("customer %s: %s", head.record, lost(why))
    rest = entries_of(head.documents)
    yield from enumerate(rest, head.count - len(rest))
