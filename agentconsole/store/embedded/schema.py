"""The index's tables, and how its files are opened, judged and dropped."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

SMALL: Final = 64 * 1024 * 1024
"""Up to this many bytes a file is looked through at every start; a larger one only where it was not closed."""

SCHEMA: Final = """
CREATE TABLE state (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE records (rid INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE, root TEXT NOT NULL, gen INTEGER NOT NULL,
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ino INTEGER NOT NULL, damaged TEXT NOT NULL, snapshot BLOB NOT NULL);
CREATE INDEX records_root ON records (root);
CREATE TABLE people (root TEXT PRIMARY KEY, name TEXT NOT NULL, shown TEXT NOT NULL, folded TEXT NOT NULL)
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
CREATE TABLE lines (root TEXT NOT NULL, conversation TEXT NOT NULL, status TEXT NOT NULL, assignee TEXT NOT NULL,
  waiting INTEGER, last_at INTEGER NOT NULL, failed INTEGER NOT NULL, uncertain INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (root, conversation)) WITHOUT ROWID;
CREATE INDEX lines_waiting ON lines (waiting, conversation, root) WHERE waiting IS NOT NULL;
CREATE INDEX lines_newest ON lines (last_at DESC, conversation, root);
CREATE TABLE parts (root TEXT NOT NULL, conversation TEXT NOT NULL, rid INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (root, conversation, rid)) WITHOUT ROWID;
CREATE TABLE seen (rid INTEGER NOT NULL, agent TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (rid, agent))
  WITHOUT ROWID;
CREATE TABLE changes (number INTEGER NOT NULL, customer TEXT NOT NULL, PRIMARY KEY (number, customer)) WITHOUT ROWID;
"""


class Useless(Exception):
    """The index is of another version, unfinished or malformed. It is dropped and built anew."""


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


def has_schema(db: sqlite3.Connection, schema: str) -> bool:
    """Say whether a file has exactly the tables that a schema makes."""
    master = "SELECT name, sql FROM sqlite_master ORDER BY name"
    fresh = sqlite3.connect(":memory:")
    try:
        fresh.executescript(schema)
        return db.execute(master).fetchall() == fresh.execute(master).fetchall()
    finally:
        fresh.close()


def drop(path: Path) -> None:
    """Remove an index file with its log. The caller has closed its own connection."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
