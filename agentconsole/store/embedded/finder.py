"""Finding: entries by their words and filters, customers as one types their names. Questions to the two indexes only;
what an entry says is the reader's to load."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from agentconsole.domain import history
from agentconsole.domain.finding import Contact
from agentconsole.domain.model import AgentName, CustomerId, Line
from agentconsole.store import finding
from agentconsole.store.embedded.schema import reads
from agentconsole.store.embedded.search import AT_ONCE
from agentconsole.store.finding import Picked, Row
from agentconsole.text import naming, query, tokens
from agentconsole.text.query import FROM, IS, TAG, Filter, Query

UNREAD: Final = (
    "EXISTS (SELECT 1 FROM parts p LEFT JOIN seen s ON s.rid = p.rid AND s.agent = :agent "
    "WHERE p.root = lines.root AND p.conversation = lines.conversation AND (s.at IS NULL OR p.last_at > s.at))"
)
MEANT: Final = 200
"""Customers that a filter may mean before it is asked of every find instead of the index."""

BEGUN: Final = 100
"""Words that a beginning of one may mean before FTS5 is left to put them together."""

IN_STATE: Final = 20_000
"""Customers with a conversation in a state that are known before finds are looked at."""

CANDIDATES: Final = 150
RECENT: Final = 1_000
"""How many customers who were active last are looked at whatever their names begin with: a common beginning fits more
than ``CANDIDATES``, and the agent means one of these."""

LOOKED_AT: Final = 40_000
"""Keys that are looked at for letters in order."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = chr(0x10FFFF)
_GLOB: Final = frozenset("[]*?^")

_SMALL: Final[Mapping[str, str]] = {
    "waiting": "waiting IS NOT NULL",
    "mine": "assignee = :agent AND assignee <> '' AND status <> 'resolved'",
    "open": "status <> 'resolved'",
    "failed": "failed > 0",
    "uncertain": "uncertain > 0",
    "snoozed": "(status = 'snoozed' AND aside = '') OR aside <> ''",
    "spam": "aside <> ''",
}
"""States that an index of ``lines`` answers: every conversation in the state is in a row that this finds."""

_TAGGED: Final = """
SELECT root, tags FROM lines INDEXED BY lines_filter WHERE aside = '' AND tags <> ''
  UNION ALL SELECT root, tags FROM lines WHERE aside <> '' AND tags <> ''"""

_BEGINNING: Final = """
SELECT p.root, p.at, p.keys, p.body FROM (SELECT DISTINCT rid FROM named WHERE key >= ? AND key < ? LIMIT ?) n
  JOIN records r ON r.rid = n.rid JOIN people p ON p.root = r.record"""
_BOTH: Final = """
SELECT p.root, p.at, p.keys, p.body FROM (SELECT DISTINCT rid FROM named WHERE key >= ? AND key < ?
  AND rid IN (SELECT rid FROM named WHERE key >= ? AND key < ?) LIMIT ?) n
  JOIN records r ON r.rid = n.rid JOIN people p ON p.root = r.record"""
_ACTIVE: Final = """
SELECT p.root, p.at, p.keys, p.body FROM (SELECT root FROM people ORDER BY at DESC LIMIT ?) n
  JOIN people p USING (root) WHERE instr(p.keys, ?) LIMIT ?"""
_IN_ORDER: Final = """
SELECT p.root, p.at, p.keys, p.body FROM (
  SELECT DISTINCT rid FROM (SELECT key, rid FROM named WHERE key >= ? AND key < ? LIMIT ?) WHERE key GLOB ? LIMIT ?) n
  JOIN records r ON r.rid = n.rid JOIN people p ON p.root = r.record"""

_line = reads(Line)
_contact = reads(Contact)


def time_of(order: int) -> datetime:
    return _EPOCH + timedelta(microseconds=order)


class Finder:
    """One question. Made anew for each, over connections that are in a transaction.

    Args:
        index, texts: the summary index and full text.
    """

    def __init__(self, index: sqlite3.Connection, texts: sqlite3.Connection, agent: AgentName) -> None:
        self._index = index
        self._texts = texts
        self._agent = agent
        self._people: dict[CustomerId, tuple[CustomerId, str, str] | None] = {}
        self._joins: dict[CustomerId, dict[str, str]] = {}
        self._judged: dict[tuple[CustomerId, str], bool] = {}
        self._allowed: set[str] | None = None
        """Records that a state is asked of: the others need no second look."""
        self._members: dict[CustomerId, list[CustomerId]] = {}

    # -- entries -------------------------------------------------------------------------------------------

    def entries(self, asked: Query, limit: int, offset: int, each: int) -> Picked:
        return finding.pick(self._rows(asked), self.whose, limit, offset, each)

    def whose(self, record: CustomerId) -> CustomerId | None:
        person = self._person(record)
        return person[0] if person else None

    def name(self, customer: CustomerId) -> str:
        person = self._person(customer)
        return person[1] if person else ""

    def _person(self, record: CustomerId) -> tuple[CustomerId, str, str] | None:
        if record not in self._people:
            self._people[record] = self._index.execute(
                "SELECT p.root, p.shown, p.keys FROM records r JOIN people p ON p.root = r.root WHERE r.record = ?",
                (record,),
            ).fetchone()
        return self._people[record]

    def _rows(self, asked: Query) -> Iterator[Row]:
        """Yield what matches, newest first; of the same moment as every store orders it."""
        scope = self._scope(asked)
        if scope is None:
            return
        words, later = scope
        start, end = finding.span(asked)
        found = self._texts.execute(
            "SELECT t.rowid, d.entry, d.record, d.place, d.conversation FROM texts t JOIN docs d ON d.doc = t.rowid "
            "WHERE texts MATCH ? AND t.rowid >= ? AND t.rowid < ? ORDER BY t.rowid DESC",
            (words, start << AT_ONCE, (end << AT_ONCE) if end < 1 << 52 else (1 << 63) - 1),
        )
        for at, same in groupby(found, lambda row: row[0] >> AT_ONCE):
            rows = [Row(at, record, place, entry) for _, entry, record, place, conv in same
                    if not later or self._holds(asked, later, record, entry, conv)]  # fmt: skip
            yield from sorted(rows, key=lambda row: (row.record, -row.place)) if len(rows) > 1 else rows

    def _scope(self, asked: Query) -> tuple[str, frozenset[str]] | None:
        """Return the expression that full text answers, and which filters are left to be asked of each find; None
        where nothing can match."""
        wanted: list[str] = []
        unwanted: list[str] = []
        later: set[str] = set()
        for term in asked.terms:
            expression = tokens.expression(term.words, phrase=term.phrase, begun=self._begun)
            if expression:
                (unwanted if term.no else wanted).append(f"({expression})")
            elif not term.no:
                return None
        for one in asked.filters:
            records: list[CustomerId] | None = None
            if fact := finding.fact_of(one):
                (unwanted if one.no else wanted).append(fact)
                continue
            if one.name == FROM:
                records = self._meant(one.value)
                if records is None:
                    later.add(FROM)
                    continue
            elif query.is_about_conversation(one):
                later.add(IS)
                records = self._in_state(one) if not one.no else None
            if records is None:
                continue
            if not records and not one.no:
                return None
            if records:
                some = " OR ".join(finding.of_record(record) for record in records)
                (unwanted if one.no else wanted).append(f"({some})")
        if not asked:
            return None
        every = " AND ".join(wanted) or f"({' OR '.join(finding.any_kind())})"
        return f"({every}) NOT ({' OR '.join(unwanted)})" if unwanted else every, frozenset(later)

    def _begun(self, start: str) -> list[str] | None:
        """Return the words that begin so, or None where they are many."""
        rows = self._texts.execute(
            "SELECT word FROM words WHERE word >= ? AND word < ? LIMIT ?", (start, start + _END, BEGUN + 1)
        ).fetchall()
        return [word for (word,) in rows] if len(rows) <= BEGUN else None

    def _meant(self, words: str) -> list[CustomerId] | None:
        """Return the records of all customers that ``from:`` means, or None where they are many."""
        roots = {root for (root,) in self._index.execute("SELECT root FROM records WHERE record = ?", (words,))}
        driver = _driver(words)
        if any(self._more(way, MEANT * 5) for way in driver):
            return None
        for way in driver:
            for root, keys in self._index.execute(
                "SELECT DISTINCT p.root, p.keys FROM named n JOIN records r ON r.rid = n.rid "
                "JOIN people p ON p.root = r.record WHERE n.key >= ? AND n.key < ? LIMIT ?",
                (way, way + _END, MEANT * 5),
            ):
                if naming.rank(words, _split(keys)) <= naming.WORD:
                    roots.add(root)
                if len(roots) > MEANT:
                    return None
        return [record for root in sorted(roots) for record in self._records(root)]

    def _more(self, way: str, than: int) -> bool:
        return self._count(way, than) >= than

    def _count(self, way: str, most: int) -> int:
        count = "SELECT count(*) FROM (SELECT 1 FROM named WHERE key >= ? AND key < ? LIMIT ?)"
        return int(self._index.execute(count, (way, way + _END, most)).fetchone()[0])

    def _common(self, word: Sequence[str]) -> int:
        """Return how many customers a word may mean, up to those that are looked at when there is no better word."""
        return sum(self._count(way, RECENT) for way in word)

    def _in_state(self, one: Filter) -> list[CustomerId] | None:
        """Return the records of the customers with a conversation in a state, or None where they are many or no index
        tells them."""
        if one.name == TAG:
            records = self._tagged(one.value)
        elif one.value in _SMALL:
            records = [
                record
                for (record,) in self._index.execute(
                    "SELECT r.record FROM records r JOIN (SELECT DISTINCT root FROM lines "  # noqa: S608
                    f"WHERE {_SMALL[one.value]}) USING (root) LIMIT :most",
                    {"agent": self._agent, "most": IN_STATE + 1},
                )
            ]
        else:
            return None
        if len(records) <= MEANT:
            return records
        if len(records) <= IN_STATE:
            self._allowed = {*records} if self._allowed is None else self._allowed & {*records}
        return None

    def _tagged(self, tag: str) -> list[CustomerId]:
        """Return the records of the customers with a conversation that bears a tag, up to one more than counts."""
        known: dict[str, bool] = {}
        roots: set[CustomerId] = set()
        for root, tags in self._index.execute(_TAGGED):
            if tags not in known:
                known[tags] = tokens.fold(tag) in (tokens.fold(one) for one in tags.strip("|").split("|"))
            if known[tags]:
                roots.add(root)
            if len(roots) > IN_STATE:
                break
        rows = self._index.execute(
            "SELECT record FROM records WHERE root IN (SELECT value FROM json_each(?)) LIMIT ?",
            (json.dumps(sorted(roots)), IN_STATE + 1),
        )
        return [record for (record,) in rows]

    def _records(self, root: CustomerId) -> list[CustomerId]:
        if root not in self._members:
            rows = self._index.execute("SELECT record FROM records WHERE root = ? ORDER BY record", (root,))
            self._members[root] = [row[0] for row in rows]
        return self._members[root]

    def _holds(self, asked: Query, later: frozenset[str], record: CustomerId, entry: str, conversation: str) -> bool:
        if self._allowed is not None and record not in self._allowed:
            return False
        person = self._person(record)
        if person is None:
            return False
        root = person[0]
        if IS in later:
            if root not in self._joins:
                rows = self._index.execute("SELECT part, conversation FROM joins WHERE root = ?", (root,))
                self._joins[root] = dict(rows.fetchall())
            joins = self._joins[root]
            name = joins.get(entry, conversation)
            if not self._judge(asked, root, joins.get(name, name)):
                return False
        if FROM not in later:
            return True
        key = (root, "")
        if key not in self._judged:
            self._judged[key] = finding.customer_holds(asked, self._records(root), _split(person[2]))
        return self._judged[key]

    def _judge(self, asked: Query, root: CustomerId, conversation: str) -> bool:
        key = (root, conversation or "-")
        if key not in self._judged:
            unread = UNREAD if any(one.value == "unread" for one in asked.of(IS)) else "0"
            row = self._index.execute(
                f"SELECT body, {unread} FROM lines WHERE root = :root AND conversation = :conversation",  # noqa: S608
                {"agent": self._agent, "root": root, "conversation": conversation},
            ).fetchone()
            line = history.replace(_line(row[0]), unread=bool(row[1])) if row else None
            self._judged[key] = line is not None and query.conversation_holds(asked, line, self._agent)
        return self._judged[key]

    # -- customers -----------------------------------------------------------------------------------------

    def people(self, words: str, limit: int) -> list[Contact]:
        if not naming.ways(words):
            rows = self._index.execute("SELECT body FROM people ORDER BY at DESC, root LIMIT ?", (limit,))
            return [_contact(body) for (body,) in rows]
        driver = _driver(words)
        found: dict[str, tuple[int, int, str, bytes]] = {}

        def look(rows: sqlite3.Cursor) -> None:
            for root, at, keys, body in rows:
                if root not in found:
                    found[root] = naming.rank(words, _split(keys)), -at, root, body

        if len(naming.ways(words)) > 1:
            whole = naming.whole(words)
            look(self._index.execute(_BEGINNING, (whole, whole + _END, CANDIDATES)))
            driver = min(naming.ways(words), key=self._common)
            other = max((one[0] for one in naming.ways(words) if one is not driver), key=len, default="")
            if len(found) < limit and len(other) > 1:  # one letter begins too many names to be put together
                for way in driver:
                    look(self._index.execute(_BOTH, (way, way + _END, other, other + _END, CANDIDATES)))
        for way in driver:
            look(self._index.execute(_BEGINNING, (way, way + _END, CANDIDATES)))
            if self._more(way, CANDIDATES):
                look(self._index.execute(_ACTIVE, (RECENT, "\n" + way, CANDIDATES)))
        if sum(rank < naming.PART for rank, *_ in found.values()) < limit and (pattern := _in_order(driver[0])):
            first = driver[0][0]
            look(self._index.execute(_IN_ORDER, (first, first + _END, LOOKED_AT, pattern, CANDIDATES)))
        best = sorted(row for row in found.values() if row[0] < naming.NOWHERE)
        return [_contact(body) for *_, body in best[:limit]]


def _driver(words: str) -> tuple[str, ...]:
    """Return what the longest word may mean: the fewest customers have it."""
    return max(naming.ways(words), key=lambda one: len(one[0]), default=())


def _split(keys: str) -> list[str]:
    return [key for key in keys.split("\n") if key]


def _in_order(letters: str) -> str:
    return "*".join((*letters, "")) if len(letters) > 2 and not _GLOB & set(letters) else ""
