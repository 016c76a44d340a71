"""Full text: an FTS5 table of our own tokens. Derived, so it may be deleted at any time.

FTS5's tokenisers miss two-syllable Korean words; ``text.tokens`` cuts them into pairs, and ``unicode61`` only
splits at spaces. What filters ask of an entry itself (its medium, its customer, a file) are tokens too. A document's
number is its time, so that the newest finds come first without looking at the others; and all words stand in a table,
because FTS5 puts the documents of all words together before it answers a beginning. It is a file of its own because it
is large and may lag behind: it follows the index by revision and is brought up to date before a search is answered.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.seams import Step, Steps
from agentconsole.store import finding, rules
from agentconsole.store.embedded import fingerprint
from agentconsole.store.embedded.schema import SMALL, Useless, compact, connect, drop, has_schema

SCHEMA: Final = """
CREATE TABLE state (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE docs (doc INTEGER PRIMARY KEY, entry TEXT NOT NULL UNIQUE, record TEXT NOT NULL, place INTEGER NOT NULL,
  conversation TEXT NOT NULL, crc32 INTEGER NOT NULL);
CREATE INDEX docs_record ON docs (record);
CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5 (text, content='', columnsize=0,
  tokenize="unicode61 remove_diacritics 0 tokenchars '_'");
"""
AT_ONCE: Final = 10
"""Bits of a document's number that tell entries of one microsecond apart."""

UNFINISHED: Final = -1
_RECORDS_AT_ONCE: Final = 50
_ENTRIES_AT_ONCE: Final = 20_000
_WORDS_KNOWN: Final = 200_000
_CROWDED: Final = 1 << 30

Entries: TypeAlias = Callable[[CustomerId], Iterable[tuple[int, AnyEntry]]]


class Lacking(NamedTuple):
    record: CustomerId
    place: int
    entry: AnyEntry


class Search:
    """The writer's side of full text. Used in the store's worker thread only.

    Args:
        read_all: yields all entries of a record that can be read, with their places.
    """

    def __init__(self, path: Path, steps: Steps, read_all: Entries) -> None:
        self._path = path
        self._steps = steps
        self._read_all = read_all
        self._db: sqlite3.Connection | None = None
        self._fresh: deque[tuple[CustomerId, int, AnyEntry]] = deque()
        self._backlog: deque[CustomerId] = deque()
        self._epoch = ""
        self._number = 0
        self._known: set[str] = set()
        """Words that are in the table."""
        self.generation = 0

    @property
    def behind(self) -> int:
        """How many entries and whole records are not searchable yet."""
        return len(self._fresh) + len(self._backlog)

    def open(
        self,
        epoch: str,
        number: int,
        changed_since: Callable[[int], list[CustomerId] | None],
        everybody: Callable[[], list[CustomerId]],
    ) -> None:
        """Open the file and see what it lacks."""
        self._fresh.clear()
        self._backlog.clear()
        self._known.clear()
        self._epoch, self._number = epoch, number
        try:
            at = self._open_existing(epoch)
        except Useless:
            self._create(epoch)
            at = UNFINISHED
        lacking = changed_since(at) if at != UNFINISHED else None
        if lacking is None:
            lacking = everybody()
            self._state("number", UNFINISHED)
        self._backlog.extend(lacking)

    def _open_existing(self, epoch: str) -> int:
        if not self._path.exists():
            raise Useless("there is none")
        db: sqlite3.Connection | None = None
        try:
            if fingerprint.differs(self._path):
                raise Useless("not the one that was closed")
            db = connect(self._path)
            state = dict(db.execute("SELECT key, value FROM state"))
            if state.get("version") != rules.INDEX_VERSION or state.get("epoch") != epoch:
                raise Useless("it belongs to another index")
            if not has_schema(db, SCHEMA):
                raise Useless("another version")
            if state["stale"]:
                raise Useless("it holds words that nobody can take out singly")
            if self._path.stat().st_size <= SMALL:
                db.execute("INSERT INTO texts (texts) VALUES ('integrity-check')")
            self._db = db
            return int(state["number"])
        except (sqlite3.Error, ValueError, KeyError, Useless) as error:
            if db is not None:
                db.close()
            raise Useless(str(error)) from error

    def _create(self, epoch: str) -> None:
        self.close()
        drop(self._path)
        self.generation += 1
        self._db = connect(self._path)
        with self._transaction() as db:
            for statement in SCHEMA.strip().split(";\n"):
                db.execute(statement)
            state = {"version": rules.INDEX_VERSION, "epoch": epoch, "number": UNFINISHED, "stale": 0}
            db.executemany("INSERT INTO state VALUES (?, ?)", state.items())

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
            fingerprint.keep(self._path)

    def note(self, record: CustomerId, entries: Iterable[tuple[int, AnyEntry]], number: int) -> None:
        """Take note of what was appended; ``catch_up`` writes it."""
        self._fresh.extend((record, place, entry) for place, entry in entries)
        self._number = number

    def note_record(self, record: CustomerId, number: int) -> None:
        """Take note of a record that has to be looked through."""
        self._backlog.append(record)
        self._number = number

    def catch_up(self) -> int:
        """Write what was noted, and some of the records that lie behind; return how much is left."""
        if not self.behind:
            return 0
        fresh = list(self._fresh)
        records = [self._backlog[place] for place in range(min(_RECORDS_AT_ONCE, len(self._backlog)))]
        try:
            with self._steps.durable(Step.SEARCH_UPDATE), self._transaction() as db:
                lacking = [Lacking(*row) for row in fresh]
                for record in records:
                    known = dict(db.execute("SELECT entry, place FROM docs WHERE record = ?", (record,)))
                    for place, entry in self._read_all(record):
                        if entry.id not in known:
                            lacking.append(Lacking(record, place, entry))
                        elif known[entry.id] != place:
                            db.execute("UPDATE docs SET place = ? WHERE entry = ?", (place, entry.id))
                    if len(lacking) > _ENTRIES_AT_ONCE:
                        self._add(db, lacking)
                        lacking = []
                self._add(db, lacking)
                if len(records) == len(self._backlog):
                    self._state("number", self._number)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._epoch, number = self._epoch, self._number
            raise Useless(f"malformed at {number}") from None
        for _ in fresh:
            self._fresh.popleft()
        for _ in records:
            self._backlog.popleft()
        return self.behind

    def _add(self, db: sqlite3.Connection, lacking: list[Lacking]) -> None:
        """Write entries in the order of time: FTS5 begins a segment of its own with each number below the last one."""
        lacking.sort(key=lambda one: (finding.order(one.entry.at), one.record, one.place))
        for record, place, entry in lacking:
            words = finding.indexed(record, entry)
            if words is None:
                continue
            doc = _free(db, finding.order(entry.at) << AT_ONCE)
            row = (doc, entry.id, record, place, getattr(entry, "conversation", ""), _crc(words))
            added = db.execute("INSERT OR IGNORE INTO docs VALUES (?, ?, ?, ?, ?, ?)", row)
            if added.rowcount == 1:
                db.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (doc, words))
                fresh = {word for word in words.split() if not word.startswith("_")} - self._known
                db.executemany("INSERT OR IGNORE INTO words VALUES (?)", [(word,) for word in sorted(fresh)])
                self._known |= fresh
        if len(self._known) > _WORDS_KNOWN:
            self._known.clear()

    def forget(
        self,
        record: CustomerId,
        written: Iterable[AnyEntry],
        kept: Iterable[AnyEntry] = (),
        same: Set[EntryId] = frozenset(),
    ) -> bool:
        """Take out of full text what a record will not say any more, and say whether there was anything.

        A contentless table only deletes what it is told word by word. Where nobody knows the words that were written
        (a damaged file, one that was changed by hand, a crash in between) all of full text becomes stale, and
        ``compact`` begins it anew.

        Args:
            written: what the record said; several versions of an entry may be among them.
            kept: what it will say.
            same: entries that are known to stay as they are.
        """
        stay = {entry.id: _words(record, entry) for entry in kept if entry.id not in same}
        was: dict[EntryId, list[str]] = {}
        for entry in written:
            if entry.id not in same:
                was.setdefault(entry.id, []).append(_words(record, entry))
        self._fresh = deque(row for row in self._fresh if row[0] != record)
        gone = False
        lost: set[str] = set()
        with self._steps.durable(Step.SEARCH_UPDATE), self._transaction() as db:
            for doc, entry, crc in db.execute(
                "SELECT doc, entry, crc32 FROM docs WHERE record = ?", (record,)
            ).fetchall():
                if entry in same or (entry in stay and _crc(stay[entry]) == crc):
                    continue
                gone = True
                words = next((words for words in was.get(entry, ()) if _crc(words) == crc), None)
                if words is None:
                    self._state("stale", 1)
                else:
                    db.execute("INSERT INTO texts (texts, rowid, text) VALUES ('delete', ?, ?)", (doc, words))
                    lost.update(words.split())
                db.execute("DELETE FROM docs WHERE doc = ?", (doc,))
            for word in sorted(lost):
                if not db.execute("SELECT 1 FROM texts WHERE texts MATCH ? LIMIT 1", (f'"{word}"',)).fetchone():
                    db.execute("DELETE FROM words WHERE word = ?", (word,))
            self._known -= lost
        return gone

    @property
    def stale(self) -> bool:
        """Whether it holds words that nobody can take out one by one."""
        assert self._db is not None
        return bool(self._db.execute("SELECT value FROM state WHERE key = 'stale'").fetchone()[0])

    def compact(self) -> bool:
        """Get rid of the bytes of what was deleted; say whether the file has to be opened anew, empty.

        Deleted words stay in FTS5's segments until they are merged into one.
        """
        assert self._db is not None
        if self.stale:
            self.close()
            drop(self._path)
            drop(self._path.with_name(self._path.name + ".new"))
            return True
        self._db.execute("INSERT INTO texts (texts) VALUES ('optimize')")
        self._db = compact(self._db, self._path)
        self.generation += 1
        return False

    def _state(self, key: str, value: int) -> None:
        assert self._db is not None
        self._db.execute("UPDATE state SET value = ? WHERE key = ?", (value, key))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        assert self._db is not None
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            self._known.clear()
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise


def _words(record: CustomerId, entry: AnyEntry) -> str:
    return finding.indexed(record, entry) or ""


def _crc(words: str) -> int:
    return zlib.crc32(words.encode())


def _free(db: sqlite3.Connection, first: int) -> int:
    """Return a number that no document has, the first one or one after it.

    More entries of one microsecond than there are numbers (an import without times) run on into the time after it.
    """
    for room in (1 << AT_ONCE, _CROWDED):
        last = db.execute("SELECT max(doc) FROM docs WHERE doc >= ? AND doc < ?", (first, first + room)).fetchone()[0]
        if last is None:
            return first
        if last + 1 < first + room:
            return int(last) + 1
    raise sqlite3.DatabaseError("no number is left for a document")
