"""The summary index: every question across customers. Derived from the heads, so it may be deleted at any time.

SQLite as Debian 12 ships it (3.40.1) has the WAL-reset race of 3.7.0 to 3.51.2, which is one more reason that
nothing here is the only copy. Only ``BEGIN IMMEDIATE`` is used: a deferred transaction that reads before it writes
fails at once with SQLITE_BUSY, whatever the time-out.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain import history
from agentconsole.domain.entries import (
    AnyEntry,
    Receipt,
    Received,
    Reply,
)
from agentconsole.domain.model import CustomerId, EntryId, Snapshot
from agentconsole.store import rules
from agentconsole.store.embedded import fingerprint
from agentconsole.store.embedded.customer_rows import CustomerRows
from agentconsole.store.embedded.files import Filed, sync_folder
from agentconsole.store.embedded.schema import (
    LATER,
    SCHEMA,
    SMALL,
    TALLIES,
    Useless,
    boot,
    compact,
    connect,
    drop,
    has_schema,
    reads,
)
from agentconsole.store.erasure import referred

KEPT_CHANGES: Final = 10_000
BUILD_CACHE: Final = 64 * 1024
"""KiB of memory for pages while an index is built: rows come in the order of files, keys in none."""

_IN_ONE_QUERY: Final = 500

_PER_RECORD: Final = (
    *("entries", "addresses", "conversations", "threads", "mentions", "replies", "externals", "deliveries"),
    *("edges", "seen", "refers"),
)

_encode = msgspec.msgpack.Encoder().encode
_snapshot = reads(Snapshot)


class Index(CustomerRows):
    """The writer's side of the index. Used in the store's worker thread only."""

    def __init__(self, path: Path, db: sqlite3.Connection, epoch: str, number: int) -> None:
        self.path = path
        self.epoch = epoch
        self.number = number
        self._db = db

    @classmethod
    def open(cls, path: Path) -> Index:
        """Open an existing index.

        Raises:
            Useless: it has to be built anew.
        """
        if not path.exists():
            raise Useless("there is none")
        db: sqlite3.Connection | None = None
        try:
            if fingerprint.differs(path):
                raise Useless("not the one that was closed")
            db = connect(path)
            state = dict(db.execute("SELECT key, value FROM state"))
            if state.get("version") != rules.INDEX_VERSION or not state.get("complete"):
                raise Useless("another version, or unfinished")
            if not has_schema(db, SCHEMA, LATER):
                raise Useless("another version, or unfinished")
            small = path.stat().st_size <= SMALL
            whole = state["clean"] == 1 or (state["clean"] and state["clean"] == boot())
            if (small or not whole) and db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise Useless("malformed")
            db.execute("UPDATE state SET value = ? WHERE key = 'clean'", (boot() or 0,))
            return cls(path, db, str(state["epoch"]), int(state["number"]))
        except (sqlite3.Error, UnicodeDecodeError, ValueError, KeyError, TypeError, Useless) as error:
            if db is not None:
                db.close()
            raise Useless(str(error)) from error

    @classmethod
    def build(cls, path: Path, epoch: str, records: Iterable[Reading]) -> Index:
        """Build an index from all heads beside the old file, and put it in place when it is whole."""
        new = path.with_name(path.name + ".new")
        drop(new)
        db = connect(new)
        try:
            db.execute("PRAGMA journal_mode=OFF")
            db.execute("PRAGMA synchronous=OFF")
            db.execute(f"PRAGMA cache_size=-{BUILD_CACHE}")
            db.executescript(SCHEMA)
            db.execute("BEGIN")
            index = cls(new, db, epoch, 0)
            for reading in records:
                index._write(reading, None)
            index._build_people()
            values = {"version": rules.INDEX_VERSION, "epoch": epoch, "number": 0, "clean": 1, "complete": 1}
            db.executemany("INSERT INTO state VALUES (?, ?)", values.items())
            for statement in (*TALLIES, *LATER):
                db.execute(statement)
            db.execute("COMMIT")
        except BaseException:
            db.close()
            drop(new)
            raise
        db.close()
        drop(path)
        with open(new, "rb") as file:
            os.fsync(file.fileno())
        os.replace(new, path)
        sync_folder(path.parent)
        return cls.open(path)

    def close(self, *, clean: bool) -> None:
        if clean:
            self._db.execute("UPDATE state SET value = 1 WHERE key = 'clean'")
        self._db.close()
        if clean:
            fingerprint.keep(self.path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        number = self.number
        try:
            yield
            self._db.execute("UPDATE state SET value = ? WHERE key = 'number'", (self.number,))
            self._db.execute("COMMIT")
        except BaseException:
            self.number = number
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    # -- questions of the writer ---------------------------------------------------------------------------

    def known(self, entries: Sequence[EntryId]) -> frozenset[EntryId]:
        found: set[EntryId] = set()
        for start in range(0, len(entries), _IN_ONE_QUERY):
            some = entries[start : start + _IN_ONE_QUERY]
            marks = ",".join("?" * len(some))
            found.update(row[0] for row in self._db.execute(f"SELECT id FROM entries WHERE id IN ({marks})", some))  # noqa: S608
        return frozenset(found)

    def filed(self) -> dict[CustomerId, Filed]:
        """Return which state of each head the index holds."""
        rows = self._db.execute("SELECT record, gen, size, mtime, ino FROM records")
        return {record: Filed(*rest) for record, *rest in rows}

    def filed_record(self, record: CustomerId) -> Filed | None:
        row = self._db.execute("SELECT gen, size, mtime, ino FROM records WHERE record = ?", (record,)).fetchone()
        return Filed(*row) if row else None

    def damaged(self) -> dict[CustomerId, str]:
        return dict(self._db.execute("SELECT record, damaged FROM records WHERE damaged <> ''"))

    def records(self) -> list[CustomerId]:
        return [row[0] for row in self._db.execute("SELECT record FROM records ORDER BY record")]

    def members(self, record: CustomerId) -> list[CustomerId]:
        """Return all records of the cluster that a record is in."""
        rows = self._db.execute(
            "SELECT m.record FROM records r JOIN records m ON m.root = r.root WHERE r.record = ?", (record,)
        )
        return [row[0] for row in rows]

    def changed_since(self, number: int) -> list[CustomerId] | None:
        """Return who changed after a revision, or None where that is no longer known."""
        if number >= self.number:
            return []
        oldest = self._db.execute("SELECT min(number) FROM changes").fetchone()[0]
        if oldest is None or oldest > number + 1:
            return None
        rows = self._db.execute("SELECT DISTINCT customer FROM changes WHERE number > ? ORDER BY customer", (number,))
        return [row[0] for row in rows]

    # -- writing -------------------------------------------------------------------------------------------

    def append(self, reading: Reading, old: Snapshot | None) -> None:
        """File what one change appended. ``old`` is the snapshot that the index holds of the record."""
        with self.transaction():
            before = set(self.members(reading.record)) | {reading.record}
            merged = self._write(reading, old)
            self._tell(before | self._regroup(before, moved=merged or old is None))

    def replace(self, reading: Reading) -> None:
        """File a record anew, whatever the index held of it."""
        with self.transaction():
            before = set(self.members(reading.record)) | {reading.record}
            rid = self._rid(reading.record)
            if rid is not None:
                for table in _PER_RECORD:
                    self._db.execute(f"DELETE FROM {table} WHERE rid = ?", (rid,))  # noqa: S608
            self._write(reading, None)
            self._tell(before | self._regroup(before, moved=True))

    def remove(self, records: Iterable[CustomerId]) -> None:
        """Forget records, all of their customers, with every row. Who asks what changed is told: ask for all."""
        with self.transaction():
            roots = {root for (root,) in self._roots(records)}
            for record in records:
                rid = self._rid(record)
                if rid is not None:
                    for table in _PER_RECORD:
                        self._db.execute(f"DELETE FROM {table} WHERE rid = ?", (rid,))  # noqa: S608
                    self._db.execute("DELETE FROM records WHERE rid = ?", (rid,))
            for root in roots:
                self._forget(root)
            self._db.execute("DELETE FROM changes")
            self.number += 1

    def compact(self) -> None:
        """Get rid of the bytes of what was deleted."""
        self._db = compact(self._db, self.path)

    def entry_ids(self, record: CustomerId) -> list[EntryId]:
        rows = self._db.execute("SELECT e.id FROM entries e JOIN records r USING (rid) WHERE r.record = ?", (record,))
        return [row[0] for row in rows]

    def elsewhere(self, record: CustomerId, entries: Iterable[EntryId]) -> set[EntryId]:
        """Return those of some entries that another record holds."""
        question = "SELECT 1 FROM entries e JOIN records r USING (rid) WHERE e.id = ? AND r.record <> ?"
        return {entry for entry in entries if self._db.execute(question, (entry, record)).fetchone()}

    def snapshot(self, record: CustomerId) -> Snapshot | None:
        row = self._db.execute("SELECT snapshot FROM records WHERE record = ?", (record,)).fetchone()
        return _snapshot(row[0]) if row else None

    def shown(self, record: CustomerId) -> str:
        """Return what the queue calls the customer of a record."""
        row = self._db.execute(
            "SELECT p.shown FROM records r JOIN people p ON p.root = r.root WHERE r.record = ?", (record,)
        ).fetchone()
        return row[0] if row else ""

    def referring(self, names: Iterable[str]) -> list[CustomerId]:
        """Return the records that speak of other customers, or of addresses, by these names."""
        found: set[CustomerId] = set()
        for name in names:
            rows = self._db.execute(
                "SELECT r.record FROM refers f JOIN records r USING (rid) WHERE f.name = ?", (name,)
            )
            found.update(row[0] for row in rows)
        return sorted(found)

    def holders(self, address: str) -> list[CustomerId]:
        """Return all records that hold an address (by ``str``)."""
        rows = self._db.execute(
            "SELECT r.record FROM addresses a JOIN records r USING (rid) WHERE a.address = ?", (address,)
        )
        return [row[0] for row in rows]

    def mark_damaged(self, record: CustomerId, found: Filed, why: str) -> None:
        """Flag a record whose head cannot be trusted; what the index holds of it stays, the generation too."""
        with self.transaction():
            self._db.execute(
                "UPDATE records SET damaged = ?, size = ?, mtime = ?, ino = ? WHERE record = ?",
                (why, found.size, found.mtime_ns, found.ino, record),
            )

    def seen(self, marks: Mapping[CustomerId, Filed], agent: str, at: int) -> None:
        with self.transaction():
            for record, found in marks.items():
                rid = self._rid(record)
                self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (rid, agent, at))
                self._db.execute(
                    "UPDATE records SET gen = ?, size = ?, mtime = ?, ino = ? WHERE rid = ?",
                    (found.gen, found.size, found.mtime_ns, found.ino, rid),
                )
            told: set[CustomerId] = set()
            for record in marks:
                told.update(self.members(record))
            self._tell(told)

    def seen_before(self, record: CustomerId, agent: str) -> int:
        row = self._db.execute(
            "SELECT s.at FROM seen s JOIN records r USING (rid) WHERE r.record = ? AND s.agent = ?", (record, agent)
        ).fetchone()
        return int(row[0]) if row else -1

    def _tell(self, customers: Iterable[CustomerId]) -> None:
        self.number += 1
        self._db.executemany("INSERT INTO changes VALUES (?, ?)", ((self.number, name) for name in sorted(customers)))
        self._db.execute("DELETE FROM changes WHERE number <= ?", (self.number - KEPT_CHANGES,))

    def _rid(self, record: CustomerId) -> int | None:
        row = self._db.execute("SELECT rid FROM records WHERE record = ?", (record,)).fetchone()
        return int(row[0]) if row else None

    def _write(self, reading: Reading, old: Snapshot | None) -> bool:
        """Write everything of one record but queue rows; say whether its merges changed."""
        found, new = reading.filed, reading.snapshot
        self._db.execute(
            "INSERT INTO records (record, root, gen, size, mtime, ino, damaged, snapshot) VALUES (?,?,?,?,?,?,?,?) "
            "ON CONFLICT (record) DO UPDATE SET gen = excluded.gen, size = excluded.size, mtime = excluded.mtime, "
            "ino = excluded.ino, damaged = excluded.damaged, snapshot = excluded.snapshot",
            (
                *(reading.record, reading.record, found.gen, found.size, found.mtime_ns, found.ino),
                *(reading.damaged, _encode(new)),
            ),
        )
        rid = self._rid(reading.record)
        assert rid is not None
        for place, entry in reading.entries:
            self._write_entry(rid, place, entry)
        if reading.seen:
            self._db.executemany(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", ((rid, who, at) for who, at in reading.seen.items())
            )
        before = old or history.empty(reading.record)
        self._write_addresses(rid, before, new)
        for name in before.conversations.keys() - new.conversations.keys():
            self._db.execute("DELETE FROM conversations WHERE conversation = ? AND rid = ?", (name, rid))
        for name, conversation in new.conversations.items():
            if name not in before.conversations:
                self._db.execute(
                    "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?)",
                    (name, rid, rules.microseconds(conversation.started_at)),
                )
        for reply in before.deliveries.keys() - new.deliveries.keys():
            self._db.execute("DELETE FROM deliveries WHERE reply = ?", (reply,))
        self._db.executemany(
            "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?)",
            (
                (reply, rid, record.state, rules.microseconds(record.queued_at), _encode(record))
                for reply, record in new.deliveries.items()
                if before.deliveries.get(reply) != record
            ),
        )
        if before.merges == new.merges:
            return False
        self._db.execute("DELETE FROM edges WHERE rid = ?", (rid,))
        self._db.executemany(
            "INSERT INTO edges VALUES (?, ?, ?)", ((rid, edge.id, edge.other) for edge in new.merges.values())
        )
        return True

    def _write_addresses(self, rid: int, before: Snapshot, new: Snapshot) -> None:
        for key in before.addresses.keys() - new.addresses.keys():
            self._db.execute("DELETE FROM addresses WHERE address = ? AND rid = ?", (key, rid))
        for key, linked in new.addresses.items():
            if before.addresses.get(key) != linked:
                row = (key, rid, *rules.holder_order(linked))
                self._db.execute("INSERT OR REPLACE INTO addresses VALUES (?, ?, ?, ?)", row)

    def _write_entry(self, rid: int, place: int, entry: AnyEntry) -> None:
        at = rules.microseconds(entry.at)
        names = referred(entry)
        if names:
            self._db.executemany("INSERT OR IGNORE INTO refers VALUES (?, ?)", ((name, rid) for name in names))
        self._db.execute("INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?)", (entry.id, rid, place, at))
        own = rules.own_thread_key(entry)
        if own is not None:
            assert isinstance(entry, Received | Reply)
            key, ours, since = own
            row = (key, entry.id, rid, entry.conversation, ours, since)
            self._db.execute("INSERT OR IGNORE INTO threads VALUES (?, ?, ?, ?, ?, ?)", row)
        match entry:
            case Received():
                self._db.executemany(
                    "INSERT OR IGNORE INTO mentions VALUES (?, ?, ?, ?, ?)",
                    ((str(address), rid, at, place, entry.id) for address in entry.mentions),
                )
            case Reply():
                values = (entry.id, rid, entry.account, rules.message_key(entry.key), at)
                self._db.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)", values)
            case Receipt() if entry.external_id:
                self._db.execute(
                    "INSERT OR IGNORE INTO externals VALUES (?, ?, ?)", (entry.external_id, entry.reply, rid)
                )
            case _:
                pass


class Reading(msgspec.Struct, frozen=True):
    """What the index is told of one record: entries with their places (all, or only new ones) and the state of
    the head that holds them."""

    record: CustomerId
    filed: Filed
    snapshot: Snapshot
    entries: Iterable[tuple[int, AnyEntry]]
    seen: Mapping[str, int] = {}
    damaged: str = ""
