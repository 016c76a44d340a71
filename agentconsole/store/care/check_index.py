"""The index and full text compared with what the customers' files would make.

A second index is built from the files, beside the store in the folder for temporary files, and every table is compared
row by row. Numbers that only one build has (row ids, inodes, the running number of changes) are translated or left out.
Where a hub runs, both sides move: a record that differs is compared again alone, against its newest file.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from agentconsole.domain.model import CustomerId
from agentconsole.seams import Steps, SystemRandomness
from agentconsole.store import finding, rules
from agentconsole.store.care.layout import Progress
from agentconsole.store.embedded import files, queue, search
from agentconsole.store.embedded.engine import Engine
from agentconsole.store.embedded.head import head_path, journal_path, previous_path
from agentconsole.store.embedded.index import Index, Reading
from agentconsole.store.embedded.schema import LATER, SCHEMA, connect, has_schema

INDEX: Final = "index.sqlite3"
SEARCH: Final = "search.sqlite3"
_LOOKS: Final = 6
_PAUSE: Final = 0.1

_LOST: Final = "lost"
"""Stands for a table where the file lacks what the index knows."""

_TABLES: Final = {
    "records": "SELECT record, gen, snapshot FROM {db}.records",
    "edges": "SELECT r.record, e.merge, e.other FROM {db}.edges e JOIN {db}.records r USING (rid)",
    "refers": "SELECT r.record, f.name FROM {db}.refers f JOIN {db}.records r USING (rid)",
    "entries": "SELECT r.record, e.id, e.place, e.at FROM {db}.entries e JOIN {db}.records r USING (rid)",
    "addresses": "SELECT r.record, a.address, a.trust, a.since FROM {db}.addresses a JOIN {db}.records r USING (rid)",
    "conversations": "SELECT r.record, c.conversation, c.started FROM {db}.conversations c "
    "JOIN {db}.records r USING (rid)",
    "threads": "SELECT r.record, t.key, t.entry, t.conversation, t.ours, t.since FROM {db}.threads t "
    "JOIN {db}.records r USING (rid)",
    "mentions": "SELECT r.record, m.address, m.at, m.place, m.entry FROM {db}.mentions m "
    "JOIN {db}.records r USING (rid)",
    "replies": "SELECT r.record, p.id, p.account, p.key, p.at FROM {db}.replies p JOIN {db}.records r USING (rid)",
    "externals": "SELECT r.record, x.external_id, x.reply FROM {db}.externals x JOIN {db}.records r USING (rid)",
    "deliveries": "SELECT r.record, d.reply, d.state, d.queued_at, d.body FROM {db}.deliveries d "
    "JOIN {db}.records r USING (rid)",
    "seen": "SELECT r.record, s.agent, s.at FROM {db}.seen s JOIN {db}.records r USING (rid)",
    "joined": "SELECT record, root FROM {db}.records",
    "people": "SELECT root, name, shown, folded FROM {db}.people",
    "lines": queue.READ,
    "concerned": "SELECT root, conversation, agent, at FROM {db}.concerned",
    "parts": "SELECT p.root, p.conversation, r.record, p.last_at FROM {db}.parts p JOIN {db}.records r USING (rid)",
}
"""The first column is the customer whose row it is."""

_COUNTED: Final = (
    "SELECT status, assignee, waiting, failed, uncertain, aside, due, number FROM tallies WHERE number <> 0",
    "SELECT status, assignee, waiting IS NOT NULL, failed > 0, uncertain > 0, aside <> '', due IS NOT NULL, count(*) "
    "FROM lines GROUP BY 1, 2, 3, 4, 5, 6, 7",
)


class _Quiet(Engine):
    """Reads records as the hub does, and writes nothing."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, random=SystemRandomness(), steps=Steps(), news=lambda: None)

    def warn(self, record: CustomerId, reason: str) -> None:
        """Say nothing: damage is a finding of the check, and every look would say it again."""


def compared(root: Path, progress: Progress) -> Iterator[tuple[str, str, CustomerId]]:
    """Yield what differs: the file, what, and the customer where it is one's."""
    if (root / INDEX).exists():
        with tempfile.TemporaryDirectory(prefix="agentconsole-check-") as folder:
            yield from _Comparison(root, Path(folder) / INDEX, progress).run()
    if (root / SEARCH).exists():
        for _ in range(_LOOKS):
            why = _text(root, progress)
            if not why:
                break
            time.sleep(_PAUSE)
        if why:
            yield SEARCH, why, CustomerId("")


def _open(path: Path) -> sqlite3.Connection:
    """Open for reading. Where no log lies beside it, no hub has it open, and nothing may be made beside it either."""
    if path.with_name(path.name + "-wal").exists():
        return connect(path, only_read=True)
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None)


class _Comparison:
    def __init__(self, root: Path, expected: Path, progress: Progress) -> None:
        self._root = root
        self._customers = root / "customers"
        self._path = expected
        self._progress = progress
        self._engine = _Quiet(root)

    def run(self) -> Iterator[tuple[str, str, CustomerId]]:
        if why := self._whole():
            yield INDEX, why, CustomerId("")
            return
        heads = self._heads()
        Index.build(self._path, "check", self._readings(heads)).close(clean=True)
        differing = self._differing()
        for _ in range(_LOOKS):
            if not differing:
                return
            time.sleep(_PAUSE)
            self._catch_up()
            found = self._differing()
            differing = {key: table for key, table in differing.items() if key in found}
        for customer, table in sorted(differing.items()):
            if table == _LOST:
                path = head_path(self._customers, customer).relative_to(self._root)
                yield str(path), "it lacks what the index knows: it is gone, or an older one", customer
            else:
                yield INDEX, f"its rows ({table}) are not what the customer's file makes", customer

    def _whole(self) -> str:
        for look in range(_LOOKS):
            try:
                with closing(_open(self._root / INDEX)) as db:
                    if (found := db.execute("PRAGMA integrity_check(1)").fetchone()) != ("ok",):
                        return f"it is malformed ({found[0]})"
                    state = dict(db.execute("SELECT key, value FROM state"))
                    if state.get("version") != rules.INDEX_VERSION or not has_schema(db, SCHEMA, LATER):
                        return "it is of another version"
                    db.execute("BEGIN")
                    counted = sorted(map(repr, db.execute(_COUNTED[0]))) == sorted(map(repr, db.execute(_COUNTED[1])))
                    numbers = db.execute("SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM people)")
                    state = dict(db.execute("SELECT key, value FROM state"))
                    if counted and numbers.fetchone() == (state.get("entries"), state.get("people")):
                        return ""
                    return "its numbers are not those of its rows"
            except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
                if look == _LOOKS - 1:
                    return f"it is malformed ({error})"
                time.sleep(_PAUSE)
        return ""

    def _heads(self) -> list[CustomerId]:
        found = set()
        for path in self._customers.glob("*/*"):
            stem, _, rest = path.name.partition(".")
            if rest in ("json", "json.prev") and rules.CUSTOMER_ID.fullmatch(stem):
                found.add(CustomerId(stem))
        return sorted(found)

    def _readings(self, heads: list[CustomerId]) -> Iterator[Reading]:
        for number, record in enumerate(heads, 1):
            if number % 100 == 0 or number == len(heads):
                self._progress("compared with the index", number, len(heads))
            yield self._engine.reading(record)

    def _catch_up(self) -> None:
        """File what changed since in the second index too."""
        expected = Index.open(self._path)
        try:
            known = expected.filed()
            for record in self._heads():
                before = known.pop(record, None)
                try:
                    same = before is not None and before.same_file(head_path(self._customers, record).stat())
                except FileNotFoundError:
                    same = before is not None and not before.ino
                if not same:
                    expected.replace(self._engine.reading(record))
            expected.remove(list(known))
        finally:
            expected.close(clean=True)

    def _differing(self) -> dict[CustomerId, str]:
        found: dict[CustomerId, str] = {}
        with closing(_open(self._root / INDEX)) as db:
            db.execute("ATTACH ? AS expected", (f"{self._path.absolute().as_uri()}?mode=ro",))
            db.execute("BEGIN")
            for table, query in _TABLES.items():
                ours, theirs = query.format(db="main"), query.format(db="expected")
                for one, other in ((ours, theirs), (theirs, ours)):
                    for row in db.execute(f"{one} EXCEPT {other}"):
                        found.setdefault(CustomerId(str(row[0])), table)
            if not found:
                return found
            lost = self._lost(db)
            excused = self._excused(db)
            return {key: table for key, table in found.items() if key not in excused} | dict.fromkeys(lost, _LOST)

    def _lost(self, db: sqlite3.Connection) -> set[CustomerId]:
        """Return whose sound file is gone, or of an earlier generation than the index knows. A write comes to the file
        first, so none in hand looks like that; whoever is written anew has a journal that says so."""
        ahead = db.execute(
            "SELECT ours.record, ours.gen FROM main.records ours LEFT JOIN expected.records theirs USING (record) "
            "WHERE ours.damaged = '' AND (theirs.record IS NULL OR theirs.damaged = '' AND theirs.gen < ours.gen)"
        )
        lost = set()
        for record, gen in ahead.fetchall():
            head = head_path(self._customers, record)
            try:
                older = files.read(head)[1].gen < gen
            except FileNotFoundError:
                older = not previous_path(head).exists()
            except files.Damaged:
                older = False
            if older and not journal_path(head).exists():
                lost.add(CustomerId(record))
        return lost

    def _excused(self, db: sqlite3.Connection) -> set[CustomerId]:
        """Return who may differ: damaged customers, those whose newest file the next start of the hub files anyway, and
        whoever is joined with them."""
        excused: set[str] = set()
        rows = db.execute("SELECT record, size, mtime, ino, damaged FROM main.records").fetchall()
        known = set()
        for record, size, mtime, ino, damaged in rows:
            known.add(record)
            try:
                now = head_path(self._customers, record).stat()
                same = (size, mtime, ino) == (now.st_size, now.st_mtime_ns, now.st_ino)
            except FileNotFoundError:
                same = False
            if damaged or not same:
                excused.add(record)
        excused.update(record for record in self._heads() if record not in known)
        excused.update(row[0] for row in db.execute("SELECT record FROM expected.records WHERE damaged <> ''"))
        for name in ("main", "expected"):
            pairs = db.execute(f"SELECT record, root FROM {name}.records").fetchall()  # noqa: S608
            roots = {root for record, root in pairs if record in excused}
            excused |= roots | {record for record, root in pairs if root in roots}
        return {CustomerId(one) for one in excused}


def _text(root: Path, progress: Progress) -> str:
    """Compare full text with the entries: every document, and every word of it at its place."""
    try:
        with closing(_open(root / SEARCH)) as db:
            if (found := db.execute("PRAGMA integrity_check(1)").fetchone()) != ("ok",):
                return f"it is malformed ({found[0]})"
            if not has_schema(db, search.SCHEMA):
                return "it is of another version"
            db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, texts, instance)")
            db.execute("BEGIN")
            docs = {
                entry: (doc, record, place, conversation, crc)
                for doc, entry, record, place, conversation, crc in db.execute(
                    "SELECT doc, entry, record, place, conversation, crc32 FROM docs"
                )
            }
            number, words = 0, 0
            before, listed = "", 0
            for term, doc, offset in db.execute("SELECT term, doc, offset FROM temp.terms"):
                if term != before and not term.startswith("_"):
                    listed += zlib.crc32(term.encode())
                before = term
                words += _weight(term, doc, offset)
                number += 1
            stale = bool(dict(db.execute("SELECT key, value FROM state")).get("stale"))
            if not stale and listed != sum(
                zlib.crc32(word.encode()) for (word,) in db.execute("SELECT word FROM words")
            ):
                return "its list of words is not that of its texts"
    except (sqlite3.Error, UnicodeDecodeError, TypeError, ValueError, OSError) as error:
        return f"it is malformed ({error})"
    engine = _Quiet(root)
    for done, record in enumerate(sorted({row[1] for row in docs.values()}), 1):
        if done % 100 == 0:
            progress("compared with full text", done, 0)
        reading = engine.reading(CustomerId(record))
        if reading.damaged:
            # What the file does not tell any more cannot be compared; the file itself has been found damaged.
            docs = {entry: row for entry, row in docs.items() if row[1] != record}
            stale = True
            continue
        for place, entry in reading.entries:
            row = docs.pop(entry.id, None)
            if row is None:
                continue
            told = finding.indexed(CustomerId(record), entry) or ""
            conversation = getattr(entry, "conversation", "")
            if row[1:] != (record, place, conversation, zlib.crc32(told.encode())):
                return f"its row of entry {entry.id} is not what the entry makes"
            for offset, term in enumerate(told.split()):
                words -= _weight(term, row[0], offset)
                number -= 1
    if docs:
        return f"it holds entries that are gone ({next(iter(docs))})"
    return "" if stale or not (number or words) else "its words are not those of the entries"


def _weight(term: str, doc: int, offset: int) -> int:
    return zlib.crc32(f"{term}/{doc}/{offset}".encode())
