"""The rows of the index that are about whole customers: which records are one person, what they are found by, and the
rows of the queue. They follow from the snapshots of the records and the edges between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from agentconsole.domain.model import CustomerId, Line, Snapshot
from agentconsole.domain.person import combine, lines
from agentconsole.store import finding, rules
from agentconsole.store.embedded import queue
from agentconsole.store.embedded.schema import reads

_encode = msgspec.msgpack.Encoder().encode
_snapshot = reads(Snapshot)


class CustomerRows:
    """A part of ``Index``."""

    _db: sqlite3.Connection

    def _neighbours(self, record: CustomerId) -> list[CustomerId]:
        rows = self._db.execute(
            "SELECT o.record FROM records r JOIN edges e USING (rid) JOIN records o ON o.record = e.other "
            "WHERE r.record = ?1 AND e.other <> ?1 "
            "UNION SELECT r.record FROM edges e JOIN records r USING (rid) WHERE e.other = ?1 AND r.record <> ?1",
            (record,),
        )
        return [row[0] for row in rows]

    def _absorbed(self, members: Iterable[CustomerId]) -> list[CustomerId]:
        found = []
        for member in members:
            row = self._db.execute(
                "SELECT 1 FROM edges e JOIN records r USING (rid) WHERE e.other = ?1 AND r.record <> ?1 LIMIT 1",
                (member,),
            ).fetchone()
            if row:
                found.append(member)
        return found

    def _regroup(self, touched: set[CustomerId], *, moved: bool) -> set[CustomerId]:
        """Work out the clusters and queue rows of the touched records anew; return all members."""
        if not moved:
            self._refresh({root for (root,) in self._roots(touched)})
            return touched
        old_roots = {root for (root,) in self._roots(touched)}
        everybody = rules.cluster(touched, self._neighbours)
        old_roots |= {root for (root,) in self._roots(everybody)}
        new_roots = set()
        left = set(everybody)
        while left:
            members = rules.cluster((left.pop(),), self._neighbours)
            left -= members
            root = rules.root(members, self._absorbed(members))
            new_roots.add(root)
            self._db.executemany("UPDATE records SET root = ? WHERE record = ?", ((root, one) for one in members))
        for gone in old_roots - new_roots:
            self._forget(gone)
        self._refresh(new_roots)
        return set(everybody)

    def _write_concerned(self, root: CustomerId, found: Iterable[Line]) -> None:
        """Write in which agents' own views the rows of a customer are."""
        wanted = {
            (line.conversation, agent): rules.microseconds(line.last_at)
            for line in found
            for agent in rules.concerned(line)
            if rules.in_view(line, "mine", agent)
        }
        rows = self._db.execute("SELECT conversation, agent, at FROM concerned WHERE root = ?", (root,))
        kept = {(name, agent): at for name, agent, at in rows}
        for key in kept.keys() - wanted.keys():
            self._db.execute("DELETE FROM concerned WHERE root = ? AND conversation = ? AND agent = ?", (root, *key))
        for key, at in wanted.items():
            if kept.get(key) != at:
                self._db.execute("INSERT OR REPLACE INTO concerned VALUES (?, ?, ?, ?)", (root, *key, at))

    def _forget(self, root: CustomerId) -> None:
        """Take out the rows of a customer."""
        self._name(root, 0, "")
        for table in ("people", "lines", "concerned", "parts", "joins"):
            self._db.execute(f"DELETE FROM {table} WHERE root = ?", (root,))  # noqa: S608

    def _name(self, root: CustomerId, rid: int, keys: str) -> None:
        """Write by what a customer is found as one types, before the row that remembers it."""
        row = self._db.execute("SELECT rid, keys FROM people WHERE root = ?", (root,)).fetchone()
        before = {(key, row[0]) for key in row[1].split("\n") if key} if row else set()
        after = {(key, rid) for key in keys.split("\n") if key}
        self._db.executemany("DELETE FROM named WHERE key = ? AND rid = ?", before - after)
        self._db.executemany("INSERT OR IGNORE INTO named VALUES (?, ?)", sorted(after - before))

    def _roots(self, records: Iterable[CustomerId]) -> Iterator[tuple[CustomerId]]:
        for record in records:
            yield from self._db.execute("SELECT root FROM records WHERE record = ?", (record,))

    def _build_people(self) -> None:
        joined = {row[0] for row in self._db.execute("SELECT r.record FROM edges e JOIN records r USING (rid)")}
        for record in sorted(joined):
            members = rules.cluster((record,), self._neighbours)
            root = rules.root(members, self._absorbed(members))
            self._db.executemany("UPDATE records SET root = ? WHERE record = ?", ((root, one) for one in members))
        roots = [row[0] for row in self._db.execute("SELECT DISTINCT root FROM records")]
        self._refresh(roots)

    def _refresh(self, roots: Iterable[CustomerId]) -> None:
        for root in roots:
            rows = self._db.execute("SELECT record, rid, snapshot FROM records WHERE root = ?", (root,)).fetchall()
            snapshots = {CustomerId(record): _snapshot(body) for record, _, body in rows}
            self._refresh_one(root, snapshots, {record: rid for record, rid, _ in rows})

    def _refresh_one(
        self, root: CustomerId, snapshots: Mapping[CustomerId, Snapshot], rids: Mapping[CustomerId, int]
    ) -> None:
        person = combine(root, snapshots)
        shown = rules.shown_name(person)
        keys = "\n".join(("", *finding.keys(person), ""))
        self._name(root, rids[root], keys)
        newest = rules.microseconds(person.last_at) if person.last_at is not None else 0
        contact = _encode(finding.contact(person))
        row = (root, person.name, shown, rules.folded(person.name), rids[root], newest, keys, contact)
        self._db.execute(
            "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (root) DO UPDATE SET name = excluded.name, "
            "shown = excluded.shown, folded = excluded.folded, rid = excluded.rid, at = excluded.at, "
            "keys = excluded.keys, body = excluded.body",
            row,
        )
        self._write_joins(root, {**person.moved, **{str(part): whole for part, whole in person.joined.items()}})
        wanted = {line.conversation: line for line in lines(person)}
        kept = dict(self._db.execute("SELECT conversation, body FROM lines WHERE root = ?", (root,)))
        for name in kept.keys() - wanted.keys():
            self._db.execute("DELETE FROM lines WHERE root = ? AND conversation = ?", (root, name))
        for name, line in wanted.items():
            body = _encode(line)
            if kept.get(name) != body:
                self._db.execute(queue.WRITE, queue.row(root, line, body))
        self._write_concerned(root, wanted.values())
        parts: dict[tuple[str, int], int] = {}
        for name, found in rules.conversation_parts(person, snapshots).items():
            for member, at in found:
                parts[name, rids[member]] = max(at, parts.get((name, rids[member]), at))
        rows = self._db.execute("SELECT conversation, rid, last_at FROM parts WHERE root = ?", (root,))
        old_parts = {(name, rid): at for name, rid, at in rows}
        for key in old_parts.keys() - parts.keys():
            self._db.execute("DELETE FROM parts WHERE root = ? AND conversation = ? AND rid = ?", (root, *key))
        for key, at in parts.items():
            if old_parts.get(key) != at:
                self._db.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)", (root, *key, at))

    def _write_joins(self, root: CustomerId, wanted: Mapping[str, str]) -> None:
        """Write in which conversation entries and other conversations are shown that name another one."""
        kept = dict(self._db.execute("SELECT part, conversation FROM joins WHERE root = ?", (root,)))
        if kept != wanted:
            self._db.execute("DELETE FROM joins WHERE root = ?", (root,))
            self._db.executemany("INSERT INTO joins VALUES (?, ?, ?)", ((root, *row) for row in wanted.items()))
