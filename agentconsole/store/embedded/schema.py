"""The index's tables, and how its files are opened, judged and dropped."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from agentconsole.store.embedded import files

SMALL: Final = 16 * 1024 * 1024
"""Up to this many bytes a file is looked through at every start; a larger one only where the system crashed before
it was closed."""

SCHEMA: Final = """
CREATE TABLE state (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE records (rid INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE, root TEXT NOT NULL, gen INTEGER NOT NULL,
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ino INTEGER NOT NULL, damaged TEXT NOT NULL, snapshot BLOB NOT NULL);
CREATE INDEX records_root ON records (root);
CREATE TABLE people (root TEXT PRIMARY KEY, name TEXT NOT NULL, shown TEXT NOT NULL, folded TEXT NOT NULL,
  rid INTEGER NOT NULL, at INTEGER NOT NULL, keys TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE named (key TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (key, rid)) WITHOUT ROWID;
CREATE TABLE joins (root TEXT NOT NULL, part TEXT NOT NULL, conversation TEXT NOT NULL, PRIMARY KEY (root, part))
  WITHOUT ROWID;
CREATE TABLE edges (rid INTEGER NOT NULL, merge TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (rid, merge))
  WITHOUT ROWID;
CREATE INDEX edges_other ON edges (other);
CREATE TABLE entries (id TEXT PRIMARY KEY, rid INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE UNIQUE INDEX entries_order ON entries (rid, at, place);
CREATE TABLE addresses (address TEXT NOT NULL, rid INTEGER NOT NULL, trust INTEGER NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY (address, rid)) WITHOUT ROWID;
CREATE TABLE conversations (conversation TEXT NOT NULL, rid INTEGER NOT NULL, started INTEGER NOT NULL,
  PRIMARY KEY (conversation, rid)) WITHOUT ROWID;
CREATE TABLE threads (key TEXT NOT NULL, entry TEXT NOT NULL, rid INTEGER NOT NULL, conversation TEXT NOT NULL,
  ours INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (key, entry)) WITHOUT ROWID;
CREATE TABLE mentions (address TEXT NOT NULL, rid INTEGER NOT NULL, at INTEGER NOT NULL, place INTEGER NOT NULL,
  entry TEXT NOT NULL, PRIMARY KEY (address, rid, at, place)) WITHOUT ROWID;
CREATE TABLE replies (id TEXT PRIMARY KEY, rid INTEGER NOT NULL, account TEXT NOT NULL, key TEXT NOT NULL,
  at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX replies_key ON replies (key);
CREATE TABLE externals (external_id TEXT NOT NULL, reply TEXT NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (external_id, reply)) WITHOUT ROWID;
CREATE TABLE deliveries (reply TEXT PRIMARY KEY, rid INTEGER NOT NULL, state TEXT NOT NULL, queued_at INTEGER NOT NULL,
  body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX deliveries_state ON deliveries (state, queued_at);
CREATE TABLE refers (name TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (name, rid)) WITHOUT ROWID;
CREATE INDEX refers_rid ON refers (rid);
CREATE TABLE lines (root TEXT NOT NULL, conversation TEXT NOT NULL, status TEXT NOT NULL, assignee TEXT NOT NULL,
  waiting INTEGER, last_at INTEGER NOT NULL, failed INTEGER NOT NULL, uncertain INTEGER NOT NULL, aside TEXT NOT NULL,
  urgency INTEGER NOT NULL, medium TEXT NOT NULL, replied INTEGER NOT NULL, alarm INTEGER,
  woken INTEGER NOT NULL, due INTEGER, tags TEXT NOT NULL, media TEXT NOT NULL, language TEXT NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (root, conversation)) WITHOUT ROWID;
CREATE TABLE concerned (root TEXT NOT NULL, conversation TEXT NOT NULL, agent TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (root, conversation, agent)) WITHOUT ROWID;
CREATE INDEX concerned_newest ON concerned (agent, at DESC, conversation, root);
CREATE INDEX lines_newest ON lines (last_at DESC, conversation, root);
CREATE TABLE parts (root TEXT NOT NULL, conversation TEXT NOT NULL, rid INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (root, conversation, rid)) WITHOUT ROWID;
CREATE TABLE seen (rid INTEGER NOT NULL, agent TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (rid, agent))
  WITHOUT ROWID;
CREATE TABLE changes (number INTEGER NOT NULL, customer TEXT NOT NULL, PRIMARY KEY (number, customer)) WITHOUT ROWID;
CREATE TABLE tallies (status TEXT NOT NULL, assignee TEXT NOT NULL, waiting INTEGER NOT NULL, failed INTEGER NOT NULL,
  uncertain INTEGER NOT NULL, aside INTEGER NOT NULL, due INTEGER NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (status, assignee, waiting, failed, uncertain, aside, due)) WITHOUT ROWID;
"""

_TALLY: Final = """
  INSERT INTO tallies VALUES ({row}.status, {row}.assignee, {row}.waiting IS NOT NULL, {row}.failed > 0,
    {row}.uncertain > 0, {row}.aside <> '', {row}.due IS NOT NULL, {by})
  ON CONFLICT DO UPDATE SET number = number + excluded.number"""

LATER: Final = (
    # Those of the views hold what they are already limited by: else every row that is passed over would be read for it.
    "CREATE INDEX records_filed ON records (record, gen, size, mtime, ino)",
    "CREATE INDEX records_damaged ON records (record, damaged) WHERE damaged <> ''",
    "CREATE INDEX people_newest ON people (at DESC, root)",
    "CREATE INDEX lines_waiting ON lines (urgency, waiting, conversation, root, aside) "
    "WHERE waiting IS NOT NULL AND aside = ''",
    "CREATE INDEX lines_late ON lines (medium, urgency, replied, waiting, conversation, root, aside) "
    "WHERE waiting IS NOT NULL AND aside = ''",
    "CREATE INDEX lines_filter ON lines (language, status, assignee, urgency, medium, replied, waiting, tags, media, "
    "last_at, conversation, root, aside) WHERE aside = ''",
    "CREATE INDEX lines_since ON lines (waiting) WHERE waiting IS NOT NULL",
    "CREATE INDEX lines_snoozed ON lines (woken, conversation, root) WHERE status = 'snoozed' AND aside = ''",
    "CREATE INDEX lines_tasks ON lines (due, conversation, root) WHERE due IS NOT NULL AND aside = ''",
    "CREATE INDEX lines_aside ON lines (last_at DESC, conversation, root) WHERE aside <> ''",
    "CREATE INDEX lines_alarm ON lines (alarm, root, conversation) WHERE alarm IS NOT NULL",
    "CREATE INDEX lines_resolved ON lines (last_at DESC, conversation, root, status, aside) "
    "WHERE status = 'resolved' AND aside = ''",
    "CREATE INDEX lines_active ON lines (last_at DESC, conversation, root, status, aside) "
    "WHERE status <> 'resolved' AND aside = ''",
    "CREATE INDEX lines_assigned ON lines (assignee, last_at DESC, conversation, root, status, aside) "
    "WHERE status <> 'resolved'",
    "CREATE INDEX lines_failed ON lines (last_at DESC, conversation, root) WHERE failed > 0",
    "CREATE INDEX lines_uncertain ON lines (last_at DESC, conversation, root) WHERE uncertain > 0",
    f"CREATE TRIGGER lines_in AFTER INSERT ON lines BEGIN {_TALLY.format(row='new', by=1)}; END",
    f"CREATE TRIGGER lines_out AFTER DELETE ON lines BEGIN {_TALLY.format(row='old', by=-1)}; END",
    f"CREATE TRIGGER lines_turn AFTER UPDATE ON lines BEGIN {_TALLY.format(row='old', by=-1)}; "
    f"{_TALLY.format(row='new', by=1)}; END",
    *(
        f"CREATE TRIGGER {table}_{side} AFTER {event} ON {table} BEGIN "  # noqa: S608
        f"UPDATE state SET value = value {by} WHERE key = '{table}'; END"
        for table in ("entries", "people")
        for side, event, by in (("in", "INSERT", "+ 1"), ("out", "DELETE", "- 1"))
    ),
)
"""What is made after the rows of a new index: numbers that would take a walk through all rows are kept beside them,
so that what is asked all day costs the same at a million messages. Rows of ``lines`` and ``people`` must be written
with ``ON CONFLICT``: ``OR REPLACE`` deletes without telling a trigger."""

TALLIES: Final = (
    "INSERT INTO tallies SELECT status, assignee, waiting IS NOT NULL, failed > 0, uncertain > 0, aside <> '', "
    "due IS NOT NULL, count(*) FROM lines GROUP BY 1, 2, 3, 4, 5, 6, 7",
    "INSERT INTO state SELECT 'entries', count(*) FROM entries",
    "INSERT INTO state SELECT 'people', count(*) FROM people",
)


T = TypeVar("T")


def reads(kind: type[T]) -> Callable[[bytes], T]:
    """Return what reads a value of a row. A row that holds something else means that the file is broken, however well
    SQLite reads it: SQLite keeps no checksums.

    Raises:
        sqlite3.DatabaseError: (the returned function) the bytes are no such value.
    """
    decode = msgspec.msgpack.Decoder(kind).decode

    def read(body: bytes) -> T:
        try:
            return decode(body)
        except (msgspec.DecodeError, TypeError) as error:
            raise sqlite3.DatabaseError(f"a row cannot be read: {error}") from error

    return read


class Useless(Exception):
    """The index is of another version, unfinished or malformed. It is dropped and built anew."""


def boot() -> str:
    """Return what names this run of the system, or an empty text where it has no name.

    What a process wrote before it was killed is whole as long as the system runs; only a crash of the system itself
    is a reason to look through a large file.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def connect(path: Path, *, only_read: bool = False) -> sqlite3.Connection:
    """Open an index file with our settings. A new one is made readable by its owner only, whatever the umask."""
    if not only_read:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    mode = "ro" if only_read else "rw"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10, isolation_level=None)
    if not only_read:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def has_schema(db: sqlite3.Connection, schema: str, later: Iterable[str] = ()) -> bool:
    """Say whether a file has exactly the tables that a schema makes."""
    master = "SELECT name, sql FROM sqlite_master ORDER BY name"
    fresh = sqlite3.connect(":memory:")
    try:
        fresh.executescript(schema)
        for statement in later:
            fresh.execute(statement)
        return db.execute(master).fetchall() == fresh.execute(master).fetchall()
    finally:
        fresh.close()


def compact(db: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Write a file anew without the bytes of what was deleted from it, and return a connection to the new one.

    ``secure_delete`` leaves rests of moved cells in pages, so nothing short of a new file is sure. It is written beside
    the old one, which stays whole until the rename; its log is empty by then, so that it says nothing of the new one.

    Raises:
        sqlite3.Error, OSError: it could not be written; the old file is as it was, and ``db`` is open.
    """
    new = path.with_name(path.name + ".new")
    drop(new)
    os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        db.execute("VACUUM INTO ?", (str(new),))
        with open(new, "rb") as file:
            files.sync(file.fileno(), new)
        busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("a reader holds the log")
        files.move(new, path)
    except BaseException:
        drop(new)
        raise
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            files.unlink(path.with_name(path.name + suffix))
    files.sync_folder(path.parent)
    db.close()
    return connect(path)


def drop(path: Path) -> None:
    """Remove an index file with its log. The caller has closed its own connection."""
    for suffix in ("", "-wal", "-shm", "-journal", ".sum"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
