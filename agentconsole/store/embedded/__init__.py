"""The embedded store: one TinyDB document per customer, a SQLite index that may be deleted, and a spool.

Everything that blocks runs in two threads of the store's own: one that writes, one that reads. The event loop only
waits. The layout of the folder and the reasons are in ``docs/architecture.md``.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

import msgspec

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.finding import Contact, Found
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    BlobId,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    EntryId,
    Hit,
    Line,
    Snapshot,
)
from agentconsole.domain.queueing import Cutoff, Filter
from agentconsole.errors import NotFound, StoreFault, TryLater
from agentconsole.ports import (
    AuditLine,
    Changes,
    Counts,
    Cursor,
    Damage,
    Decide,
    Due,
    Erased,
    History,
    Revision,
    Rewrite,
    SpoolRecord,
    StoreHealth,
    Thread,
    View,
)
from agentconsole.seams import Clock, Randomness, Step, Steps
from agentconsole.store import rules
from agentconsole.store.embedded import backed_up, files, place
from agentconsole.store.embedded.accepting import Accepter
from agentconsole.store.embedded.drafted import Drafted
from agentconsole.store.embedded.drafts import Audit, Blobs, Drafts
from agentconsole.store.embedded.engine import DecisionFailed, Engine
from agentconsole.store.embedded.erasing import Eraser
from agentconsole.store.embedded.files import faults
from agentconsole.store.embedded.lock import HubLock, refuse_network
from agentconsole.store.embedded.migrate import migrate
from agentconsole.store.embedded.reader import Reader
from agentconsole.store.embedded.rewriting import Rewriter
from agentconsole.store.embedded.spool import Spool
from agentconsole.store.news import Waiters
from agentconsole.text.query import Query, plain

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class EmbeddedStore(Drafted):
    """Implements ``agentconsole.ports.Store`` in one folder, as the only writer of it.

    Args:
        root: the store's folder; made on first use, with modes 0700 and 0600.
        steps: the seam that every durable step passes.
    """

    def __init__(self, root: Path, *, clock: Clock, random: Randomness, steps: Steps) -> None:
        self._root = root
        self._random = random
        self._steps = steps
        self._waiters = Waiters(clock)
        self._lock = HubLock(root)
        self._spool = Spool(root / "spool", steps)
        self._drafts = Drafts(root / "drafts", steps)
        self._blobs = Blobs(root / "blobs", steps)
        self._audit = Audit(root / "audit", steps)
        self._engine = Engine(root, random=random, steps=steps, news=self._news, copied=self._was_copied)
        self._rewriter = Rewriter(root, self._engine, self._blobs, self._drafts)
        self._eraser = Eraser(root, self._engine, self._rewriter, self._blobs, self._drafts, self._audit, clock.now)
        self._accepter = Accepter(root, self._engine, self._rewriter)
        self._card: place.Card
        self._origin = ""
        self._secrets: dict[str, str] = {}
        self._reader = Reader(root, self._generations, self._distrust)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing: ThreadPoolExecutor | None = None
        self._asking: ThreadPoolExecutor | None = None
        self._catching_up = False

    # -- opening and closing -------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take the store's lock, and bring the derived files in step with the customers' files.

        Raises:
            StoreBusy: another hub holds it.
            StoreFault: it is no store, of a newer version, on a network file system, or the disk refused.
        """
        self._loop = asyncio.get_running_loop()
        self._writing = ThreadPoolExecutor(1, "store-write")
        self._asking = ThreadPoolExecutor(1, "store-read")
        try:
            await self._loop.run_in_executor(self._writing, self._open)
        except BaseException:
            await self._stop_threads()
            raise
        self._writing.submit(self._catch_up)

    def _open(self) -> None:
        with faults(f"open {self._root}"):
            if not self._root.is_dir():
                with self._steps.durable(Step.STORE_CREATE):
                    files.make_folder(self._root)
            refuse_network(self._root)
            self._lock.take()
            try:
                self._check_place()
                self._spool.open()
                self._engine.open()
                self._finish()
            except BaseException:
                self._lock.release()
                raise

    def _check_place(self) -> None:
        """Bring the folder to today's format, and see whether it lies where it lay."""
        try:
            card = place.read(self._root)
        except FileNotFoundError:
            card = place.create(self._root, self._random, self._steps)
        self._card = migrate(self._root, card, self._steps)
        self._origin = place.origin(self._root, self._card)

    def _was_copied(self) -> None:
        """Keep durably that files were copied over the store, until it is adopted."""
        if not self._origin:
            self._origin = place.COPIED
            self._card = msgspec.structs.replace(self._card, origin=place.COPIED)
            with self._steps.durable(Step.ADOPT):
                place.write(self._root, self._card)

    def _finish(self) -> None:
        """Go on with what a crash cut short. Where that cannot be now, the store is used all the same."""
        try:
            self._eraser.finish()
        except (StoreFault, TryLater) as why:
            log.warning("an erasure or rewriting is finished later: %s", why)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End both threads, mark the index as complete, and let go of the lock. A second call does nothing."""
        if self._writing is None or self._asking is None or self._loop is None:
            return
        asking, self._asking = self._asking, None
        await self._loop.run_in_executor(asking, self._reader.close)
        asking.shutdown(wait=False)
        writing, self._writing = self._writing, None
        try:
            await self._loop.run_in_executor(writing, self._close)
        finally:
            writing.shutdown(wait=False)
            self._waiters.wake()

    def _close(self) -> None:
        try:
            self._engine.close()
        finally:
            self._lock.release()

    async def _stop_threads(self) -> None:
        for executor in (self._writing, self._asking):
            if executor is not None:
                executor.shutdown(wait=False)
        self._writing = self._asking = None

    # -- threads -------------------------------------------------------------------------------------------

    def _generations(self) -> tuple[int, int]:
        return self._engine.generation, self._engine.search.generation

    def _distrust(self, record: CustomerId, reason: str) -> None:
        """Have a record looked at before the next question: the reader may have met it while it was rewritten."""
        if record not in self._engine.damaged:
            log.warning("the file of customer %s is looked at: %s", record, reason)
            self._engine.unfiled_records.add(record)

    def _news(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._waiters.wake)

    def _closed(self) -> StoreFault:
        return StoreFault(f"The store {self._root} is closed. Nothing was changed.", "Start the hub again.")

    async def _write(self, doing: str, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._writing is None or self._loop is None:
            raise self._closed()

        def run() -> T:
            with faults(doing):
                try:
                    return act(*args, **kwargs)
                except (sqlite3.DatabaseError, StoreFault) as error:
                    if not _malformed(error):
                        raise
                    self._engine.mend()
                    return act(*args, **kwargs)
                finally:
                    self._ask_catch_up()

        try:
            return await self._loop.run_in_executor(self._writing, run)
        except DecisionFailed as failed:
            raise failed.cause from None

    async def _ask(self, doing: str, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._asking is None or self._loop is None:
            raise self._closed()
        if self._engine.unfiled:
            await self._readable_anyway("bring its index in step", self._engine.repair)

        def run() -> T:
            with faults(doing):
                return act(*args, **kwargs)

        try:
            return await self._loop.run_in_executor(self._asking, run)
        except StoreFault as error:
            if not _malformed(error):
                raise
            await self._write("build its index anew", self._engine.mend)
            if self._asking is None:
                raise self._closed() from error
            return await self._loop.run_in_executor(self._asking, run)

    async def _readable_anyway(self, doing: str, act: Callable[[], T]) -> T | None:
        """Do what a read would like done first. A full disk must not hide what is there: ``health`` tells the rest."""
        try:
            return await self._write(doing, act)
        except StoreFault as fault:
            log.warning("reading goes on with what the index holds: %s", fault)
            return None

    def _ask_catch_up(self) -> None:
        """Queue one more pass of full text behind what waits already. Runs in the writing thread."""
        writing = self._writing
        if writing is not None and self._engine.search.behind and not self._catching_up:
            self._catching_up = True
            with suppress(RuntimeError):
                writing.submit(self._catch_up)

    def _catch_up(self) -> None:
        self._catching_up = False
        try:
            self._engine.catch_up()
        except StoreFault as fault:
            log.warning("full text lags behind: %s", fault)
            return
        self._ask_catch_up()

    # -- records -------------------------------------------------------------------------------------------

    async def change(self, record: CustomerId, decide: Decide) -> Snapshot:
        return await self._write(f"write customer {record}", self._engine.change, record, decide)

    async def snapshot(self, record: CustomerId) -> Snapshot | None:
        return await self._ask("read its index", self._reader.snapshot, record)

    async def customer(self, customer: CustomerId) -> Customer | None:
        return await self._ask("read its index", self._reader.customer, customer)

    async def history(
        self, customer: CustomerId, *, before: EntryId | None = None, limit: int = 200, around: EntryId | None = None
    ) -> History | None:
        return await self._ask(f"read customer {customer}", self._reader.history, customer, before, limit, around)

    async def entry(self, entry: EntryId) -> tuple[CustomerId, AnyEntry] | None:
        found = await self._ask("read an entry", self._reader.entry, entry)
        if found is None and self._engine.unfiled and await self._lags():
            raise StoreFault(
                f"Whether there is an entry {entry} cannot be said now: the index could not be written. "
                "Nothing is lost.",
                "Free some space on the store's disk; nothing else is needed.",
            )
        return found

    async def _lags(self) -> bool:
        """Say whether the index lags behind when nothing is being written: a change in hand marks its record too."""
        if self._writing is None or self._loop is None:
            raise self._closed()
        return bool(await self._loop.run_in_executor(self._writing, lambda: self._engine.unfiled))

    async def known(self, entries: Sequence[EntryId]) -> frozenset[EntryId]:
        return await self._ask("read its index", self._known, entries)

    def _known(self, entries: Sequence[EntryId]) -> frozenset[EntryId]:
        found = self._reader.known(entries)
        if not self._engine.erasures:
            return found
        return found | {entry for entry in entries if entry not in found and self._engine.erasures.has_entry(entry)}

    async def find(self, address: Address) -> CustomerId | None:
        return await self._ask("read its index", self._reader.find, address)

    async def find_conversation(self, conversation: ConversationId) -> CustomerId | None:
        return await self._ask("read its index", self._reader.find_conversation, conversation)

    async def find_named(self, words: str, limit: int = 20) -> Sequence[tuple[CustomerId, str]]:
        return await self._ask("read its index", self._reader.find_named, words, limit)

    async def mentioned(self, address: Address) -> Sequence[tuple[CustomerId, EntryId]]:
        return await self._ask("read its index", self._reader.mentioned, address)

    async def thread(self, message_ids: Sequence[str]) -> Thread | None:
        return await self._ask("read its index", self._reader.thread, message_ids)

    async def reply_by(self, account: AccountName, *, external_id: str = "", key: str = "") -> EntryId | None:
        return await self._ask("read its index", self._reader.reply_by, account, external_id, key)

    async def lines(
        self,
        view: View | Filter,
        agent: AgentName,
        *,
        offset: int = 0,
        limit: int = 200,
        late: Sequence[Cutoff] = (),
    ) -> Sequence[Line]:
        return await self._ask("read the queue", self._reader.lines, view, agent, offset, limit, late)

    async def counts(self, agent: AgentName, *, late: Sequence[Cutoff] = ()) -> Counts:
        return await self._ask("read the queue", self._reader.counts, agent, late)

    async def count(self, wanted: Filter, agent: AgentName, *, late: Sequence[Cutoff] = ()) -> int:
        return await self._ask("read the queue", self._reader.count, wanted, agent, late)

    async def alarms(self, limit: int) -> Sequence[Line]:
        return await self._ask("read the queue", self._reader.alarms, limit)

    async def search(self, words: str, *, limit: int = 50) -> Sequence[Hit]:
        return list((await self.find_entries(plain(words), AgentName(""), limit=limit)).hits)

    async def find_entries(
        self, asked: Query, agent: AgentName, *, limit: int = 50, offset: int = 0, each: int = 0
    ) -> Found:
        while True:
            while self._engine.search.behind and await self._readable_anyway("write full text", self._engine.catch_up):
                pass
            generation = self._engine.search.generation
            found = await self._ask("search", self._reader.find_entries, asked, agent, limit, offset, each)
            if generation == self._engine.search.generation:
                return found  # else it was found broken and begun anew: what it lacks has to be written first

    async def find_people(self, words: str, *, limit: int = 20) -> Sequence[Contact]:
        return await self._ask("read its index", self._reader.find_people, words, limit)

    async def replies(
        self, states: Sequence[Delivery], *, account: AccountName | None = None, limit: int | None = 500
    ) -> Sequence[Due]:
        return await self._ask("read its index", self._reader.replies, states, account, limit)

    async def seen(self, customer: CustomerId, agent: AgentName, at: datetime) -> None:
        await self._write(f"write customer {customer}", self._engine.seen, customer, agent, rules.microseconds(at))

    # -- news ----------------------------------------------------------------------------------------------

    async def changed(self, since: Revision | None) -> Changes:
        return await self._ask("read its index", self._reader.changed, since)

    async def wait_changed(self, since: Revision, deadline: float) -> Changes:
        ticket = self._waiters.ticket()
        try:
            changes = await self.changed(since)
            if changes.customers != () or not await self._waiters.wait(ticket, deadline) or self._asking is None:
                return changes
            return await self.changed(since)
        finally:
            ticket.cancel()

    # -- spool, drafts, blobs, audit -----------------------------------------------------------------------

    async def spool(self, record: SpoolRecord) -> None:
        await self._write("write the spool", self._spool.add, record)

    async def spooled(self) -> Sequence[str]:
        return await self._write("read the spool", self._spool.ids)

    async def spool_record(self, record_id: str) -> SpoolRecord:
        return await self._write("read the spool", self._spool.record, record_id)

    async def spool_done(self, record_id: str) -> None:
        await self._write("clear the spool", self._spool.done, record_id)

    async def spool_set_aside(self, record_id: str, why: str) -> None:
        await self._write("set a batch aside", self._spool.set_aside, record_id, why)

    async def spool_aside(self) -> Sequence[str]:
        return await self._write("read the spool", self._spool.aside)

    async def cursor(self, account: AccountName) -> Cursor | None:
        return await self._write("read the spool", self._spool.cursor, account)

    async def put_blob(self, record: CustomerId, data: bytes) -> BlobId:
        return await self._write("keep a file", self._blobs.put, record, data)

    async def blob(self, record: CustomerId, blob: BlobId) -> bytes:
        def read() -> bytes:
            for member in (record, *self._reader.members(record)):
                data = self._blobs.get(member, blob)
                if data is not None:
                    return data
            raise NotFound(f"No file {blob} is kept for customer {record}.")

        return await self._ask("read a file", read)

    # -- care ----------------------------------------------------------------------------------------------

    async def rewrite(self, record: CustomerId, rewrite: Rewrite, decide: Decide) -> Snapshot:
        return await self._write(f"write customer {record} anew", self._rewriter.rewrite, record, rewrite, decide)

    async def erase(self, customer: CustomerId) -> Erased:
        return await self._write(f"erase customer {customer}", self._eraser.erase, customer)

    async def damaged(self) -> Sequence[Damage]:
        return await self._write("look at what is damaged", self._accepter.damaged)

    async def accept(self, record: CustomerId, *, previous: bool, decide: Decide) -> Snapshot:
        return await self._write(f"take customer {record} back", self._accepter.accept, record, previous, decide)

    async def origin(self) -> str:
        return self._origin

    async def adopt(self) -> None:
        await self._write("say that it was adopted", self._adopt)

    def _adopt(self) -> None:
        card = place.here(self._root, self._card)
        if self._origin or card != self._card:
            with self._steps.durable(Step.ADOPT):
                place.write(self._root, card)
        self._card, self._origin = card, ""

    async def secret(self, name: str) -> str:
        known = self._secrets.get(name)
        if known is None:
            known = self._secrets[name] = await self._write("write the key of its threads", self._keep_secret, name)
        return known

    def _keep_secret(self, name: str) -> str:
        path = self._root / "keys" / name
        with suppress(FileNotFoundError):
            if found := path.read_text("ascii").strip():
                return found
        made = self._random.token() + self._random.token()
        with self._steps.durable(Step.KEY_WRITE):
            files.make_folder(path.parent)
            files.replace_file(path, f"{made}\n".encode())
        return made

    async def audit(self, line: AuditLine) -> None:
        await self._write("write the audit trail", self._audit.add, line)

    async def audited(self, limit: int = 200) -> Sequence[AuditLine]:
        return await self._write("read the audit trail", self._audit.newest, limit)

    async def health(self) -> StoreHealth:
        def read() -> StoreHealth:
            customers, entries = self._reader.totals()
            return StoreHealth(
                kind="tinydb",
                customers=customers,
                entries=entries,
                index_behind=self._engine.unfiled + self._engine.search.behind,
                read_only=tuple(sorted(self._engine.damaged)),
                free_bytes=shutil.disk_usage(self._root).free,
                set_aside=self._spool.set_aside_count,
                backed_up=backed_up.last(self._root),
            )

        return await self._ask("say how it is", read)


def _malformed(error: BaseException) -> bool:
    """Say whether the index itself is broken, rather than locked, full or asked wrongly."""
    cause = error.__cause__ if isinstance(error, StoreFault) else error
    if type(cause) is sqlite3.OperationalError:  # a file that was emptied or cut while it was open
        return str(cause).startswith(("no such table", "invalid fts5 file format"))
    return type(cause) in (sqlite3.DatabaseError, sqlite3.IntegrityError)
