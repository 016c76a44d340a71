"""Answers to questions, from the index and the files, in a thread and over connections of their own, so that a
long read never holds up a change."""

from __future__ import annotations

import os
import sqlite3
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.finding import Contact, Found
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    EntryId,
    Hit,
    Line,
    Snapshot,
)
from agentconsole.domain.person import combine
from agentconsole.domain.queueing import Cutoff, Filter
from agentconsole.errors import NotFound
from agentconsole.ports import Changes, Counts, Due, History, Revision, Thread, View
from agentconsole.store import codec, rules
from agentconsole.store import finding as findings
from agentconsole.store.embedded import files, queue
from agentconsole.store.embedded.files import Damaged, Documents
from agentconsole.store.embedded.finder import UNREAD, Finder, time_of
from agentconsole.store.embedded.head import Volume, head_path, previous_path, read_volume, volume_path, volumes
from agentconsole.store.embedded.schema import connect, reads
from agentconsole.text import tokens
from agentconsole.text.query import Query

_CACHE_BYTES: Final = 8 * 1024 * 1024
_END: Final = 1 << 62
_ATTEMPTS: Final = 3
"""How often a record is looked through that is written anew at the same moment."""

_snapshot = reads(Snapshot)
_line = reads(Line)
_delivery = reads(DeliveryRecord)


class Reader:
    """Used in the store's reading thread only.

    Args:
        generations: which build of the index and of full text is current; a change means that the files are new.
        distrust: told of a record whose head was found damaged.
    """

    def __init__(
        self, root: Path, generations: Callable[[], tuple[int, int]], distrust: Callable[[CustomerId, str], None]
    ) -> None:
        self._root = root
        self._customers = root / "customers"
        self._generations = generations
        self._distrust = distrust
        self._open_generations: tuple[int, int] | None = None
        self._index: sqlite3.Connection
        self._search: sqlite3.Connection
        self._files: OrderedDict[Path, tuple[files.Filed, Documents]] = OrderedDict()
        self._file_bytes = 0

    def close(self) -> None:
        if self._open_generations is not None:
            self._open_generations = None
            self._index.close()
            self._search.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent look at the index."""
        now = self._generations()
        if self._open_generations != now:
            self.close()
            self._index = connect(self._root / "index.sqlite3", only_read=True)
            self._search = connect(self._root / "search.sqlite3", only_read=True)
            self._files.clear()
            self._file_bytes = 0
            self._open_generations = now
        self._index.execute("BEGIN")
        try:
            yield self._index
        finally:
            with suppress(sqlite3.Error):
                self._index.execute("COMMIT")

    # -- people --------------------------------------------------------------------------------------------

    def snapshot(self, record: CustomerId) -> Snapshot | None:
        with self._reading() as db:
            row = db.execute("SELECT snapshot FROM records WHERE record = ?", (record,)).fetchone()
            return _snapshot(row[0]) if row else None

    def customer(self, customer: CustomerId) -> Customer | None:
        with self._reading() as db:
            return self._customer(db, customer)

    def _customer(self, db: sqlite3.Connection, customer: CustomerId) -> Customer | None:
        rows = db.execute(
            "SELECT r.root, m.record, m.snapshot FROM records r JOIN records m ON m.root = r.root WHERE r.record = ?",
            (customer,),
        ).fetchall()
        if not rows:
            return None
        return combine(rows[0][0], {CustomerId(record): _snapshot(body) for _, record, body in rows})

    def members(self, customer: CustomerId) -> list[CustomerId]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT m.record FROM records r JOIN records m ON m.root = r.root WHERE r.record = ? ORDER BY 1",
                (customer,),
            )
            return [row[0] for row in rows]

    def find(self, address: Address) -> CustomerId | None:
        with self._reading() as db:
            row = db.execute(
                "SELECT r.record FROM addresses a JOIN records r USING (rid) WHERE a.address = ? "
                "ORDER BY a.trust, a.since, r.record LIMIT 1",
                (str(address),),
            ).fetchone()
            return row[0] if row else None

    def find_conversation(self, conversation: ConversationId) -> CustomerId | None:
        with self._reading() as db:
            row = db.execute(
                "SELECT r.record FROM conversations c JOIN records r USING (rid) WHERE c.conversation = ? "
                "ORDER BY c.started, r.record LIMIT 1",
                (conversation,),
            ).fetchone()
            return row[0] if row else None

    def find_named(self, words: str, limit: int) -> list[tuple[CustomerId, str]]:
        wanted = rules.folded(words)
        if not wanted:
            return []
        with self._reading() as db:
            rows = db.execute(
                "SELECT root, name FROM people WHERE instr(folded, ?) > 0 ORDER BY folded, root LIMIT ?",
                (wanted, limit),
            )
            return [(root, name) for root, name in rows]

    def mentioned(self, address: Address) -> list[tuple[CustomerId, EntryId]]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT r.record, m.entry FROM mentions m JOIN records r USING (rid) "
                "WHERE m.address = ?1 AND NOT EXISTS (SELECT 1 FROM mentions n WHERE n.address = ?1 AND n.rid = m.rid "
                "AND (n.at, n.place) > (m.at, m.place)) ORDER BY m.at DESC, r.record LIMIT ?2",
                (str(address), rules.MENTIONED_LIMIT),
            )
            return [(record, entry) for record, entry in rows]

    def thread(self, message_ids: Sequence[str]) -> Thread | None:
        with self._reading() as db:
            for key in message_ids:
                row = db.execute(
                    "SELECT r.record, t.conversation, t.entry, t.ours FROM threads t JOIN records r USING (rid) "
                    "WHERE t.key = ? ORDER BY t.ours DESC, t.since, t.entry LIMIT 1",
                    (rules.message_key(key),),
                ).fetchone()
                if row:
                    return Thread(row[0], row[1], row[2], bool(row[3]))
        return None

    def reply_by(self, account: AccountName, external_id: str, key: str) -> EntryId | None:
        with self._reading() as db:
            row = None
            if wanted := rules.message_key(key):
                row = db.execute(
                    "SELECT id FROM replies WHERE key = ? AND account = ? ORDER BY at, id LIMIT 1", (wanted, account)
                ).fetchone()
            if row is None and external_id:
                row = db.execute(
                    "SELECT r.id FROM externals e JOIN replies r ON r.id = e.reply "
                    "WHERE e.external_id = ? AND r.account = ? ORDER BY r.at, r.id LIMIT 1",
                    (external_id, account),
                ).fetchone()
            return row[0] if row else None

    # -- entries -------------------------------------------------------------------------------------------

    def known(self, entries: Sequence[EntryId]) -> frozenset[EntryId]:
        with self._reading() as db:
            return frozenset(
                entry for entry in entries if db.execute("SELECT 1 FROM entries WHERE id = ?", (entry,)).fetchone()
            )

    def entry(self, entry: EntryId) -> tuple[CustomerId, AnyEntry] | None:
        with self._reading() as db:
            row = db.execute(
                "SELECT r.record, e.place FROM entries e JOIN records r USING (rid) WHERE e.id = ?", (entry,)
            ).fetchone()
        if row is None:
            return None
        found = self._load({row[0]: [(row[1], entry)]}).get(entry)
        return (row[0], found) if found is not None else None

    def history(
        self, customer: CustomerId, before: EntryId | None, limit: int, around: EntryId | None = None
    ) -> History | None:
        with self._reading() as db:
            person = self._customer(db, customer)
            if person is None:
                return None
            bound, newer = self._bound(db, before), False
            if around is not None:
                bound, newer = self._after(db, person, self._bound(db, around), limit // 2)
            revision = self._revision(db)
            page, more = self._page(db, person, bound, limit)
            found = self._load_page(page)
            while more and not found:  # a whole page that a damaged file lost must not hide what is before it
                at, member, place, _ = page[0]
                page, more = self._page(db, person, (at, member, place), limit)
                found = self._load_page(page)
        return History(person, tuple(found[row[3]] for row in page if row[3] in found), more, revision, newer)

    def _after(
        self, db: sqlite3.Connection, person: Customer, bound: tuple[int, CustomerId, int], limit: int
    ) -> tuple[tuple[int, CustomerId, int], bool]:
        """Return the place that lies some entries after another, and whether there are newer ones behind it."""
        rows: list[tuple[int, CustomerId, int]] = []
        for member in person.members:
            rows.extend(
                (at, member, place)
                for at, place in db.execute(
                    "SELECT e.at, e.place FROM entries e WHERE e.rid = (SELECT rid FROM records WHERE record = ?) "
                    "AND (e.at, e.place) >= (?, ?) ORDER BY e.at, e.place LIMIT ?",
                    (member, *_just_before(bound, member), limit + 1),
                )
            )
        rows.sort()
        return (rows[limit], True) if len(rows) > limit else ((_END, CustomerId(""), 0), False)

    def _page(
        self, db: sqlite3.Connection, person: Customer, bound: tuple[int, CustomerId, int], limit: int
    ) -> tuple[list[tuple[int, CustomerId, int, EntryId]], bool]:
        """Return where the newest entries before a place lie, oldest first, and whether there are older ones."""
        rows: list[tuple[int, CustomerId, int, EntryId]] = []
        for member in person.members:
            rows.extend(
                (at, member, place, entry)
                for at, place, entry in db.execute(
                    "SELECT e.at, e.place, e.id FROM entries e WHERE e.rid = (SELECT rid FROM records WHERE "
                    "record = ?) AND (e.at, e.place) < (?, ?) ORDER BY e.at DESC, e.place DESC LIMIT ?",
                    (member, *_just_before(bound, member), limit + 1),
                )
            )
        rows.sort(reverse=True)
        return rows[:limit][::-1], len(rows) > limit

    def _load_page(self, page: Sequence[tuple[int, CustomerId, int, EntryId]]) -> dict[EntryId, AnyEntry]:
        wanted: dict[CustomerId, list[tuple[int, EntryId]]] = {}
        for _, member, place, entry in page:
            wanted.setdefault(member, []).append((place, entry))
        return self._load(wanted)

    def _bound(self, db: sqlite3.Connection, before: EntryId | None) -> tuple[int, CustomerId, int]:
        if before is None:
            return _END, CustomerId(""), 0
        row = db.execute(
            "SELECT e.at, r.record, e.place FROM entries e JOIN records r USING (rid) WHERE e.id = ?", (before,)
        ).fetchone()
        if row is None:
            raise NotFound(f"There is no entry {before}.")
        return row[0], row[1], row[2]

    def _load(
        self, wanted: dict[CustomerId, list[tuple[int, EntryId]]], *, sure: bool = True
    ) -> dict[EntryId, AnyEntry]:
        """Read entries by record and place. What a damaged file lost is left out.

        Args:
            sure: the index says that they are there, so that one that is not tells of damage.
        """
        found: dict[EntryId, AnyEntry] = {}
        for record, places in wanted.items():
            path = head_path(self._customers, record)
            try:
                for documents, keys in self._sources(path, record, places):
                    forms = documents.some("entries", keys)
                    found.update((entry.id, entry) for entry in codec.entries(list(forms.values())))
            except (Damaged, ValueError) as why:
                self._distrust(record, str(why))
            lacking = [entry for _, entry in places if entry not in found]
            if sure and lacking and not self._looked_through(path, record, lacking, found):
                self._distrust(record, "it lacks entries that it had")
        return found

    def _looked_through(
        self, path: Path, record: CustomerId, lacking: Sequence[EntryId], found: dict[EntryId, AnyEntry]
    ) -> bool:
        """Look for entries in every file of a record, and say whether all were found: it may have been written anew
        after the index was asked, so that they lie elsewhere now."""
        for _ in range(_ATTEMPTS):
            with suppress(Damaged, ValueError):
                head = self._document(path, record)
                if head is None:
                    return False
                for documents in (head, *(self._volume(path, volume) for volume in volumes(head))):
                    forms = documents.some("entries", list(lacking))
                    found.update((entry.id, entry) for entry in codec.entries(list(forms.values())))
                break
        return all(entry in found for entry in lacking)

    def _sources(
        self, path: Path, record: CustomerId, places: Iterable[tuple[int, EntryId]]
    ) -> Iterator[tuple[Documents, list[str]]]:
        head = self._document(path, record)
        if head is None:
            return
        sealed = volumes(head)
        starts = [volume.first for volume in sealed]
        end = sealed[-1].first + sealed[-1].count if sealed else 0
        groups: dict[int, list[str]] = {}
        for place, entry in places:
            groups.setdefault(0 if place >= end else bisect_right(starts, place), []).append(entry)
        for number, keys in groups.items():
            if number == 0:
                yield head, keys
                continue
            with suppress(Damaged):
                yield self._volume(path, sealed[number - 1]), keys

    def _document(self, path: Path, record: CustomerId) -> Documents | None:
        for source in (path, previous_path(path)):
            try:
                return self._cached(source, lambda: Documents(files.read(source)[0]))  # noqa: B023
            except Damaged as why:
                if source == path:
                    self._distrust(record, why.reason)
            except FileNotFoundError:
                continue
        return None

    def _volume(self, head: Path, volume: Volume) -> Documents:
        number = volume.number
        return self._cached(volume_path(head, number), lambda: read_volume(head, number, volume))

    def _cached(self, path: Path, read: Callable[[], Documents]) -> Documents:
        found = None
        with suppress(FileNotFoundError):
            found = os.stat(path)
        before = self._files.pop(path, None)
        if before is not None:
            self._file_bytes -= before[0].size
            if found is not None and before[0].same_file(found):
                self._remember(path, *before)
                return before[1]
        documents = read()
        if found is not None:
            self._remember(path, files.filed(0, found), documents)
        return documents

    def _remember(self, path: Path, found: files.Filed, documents: Documents) -> None:
        self._files[path] = found, documents
        self._file_bytes += found.size
        while self._file_bytes > _CACHE_BYTES:
            _, (gone, _) = self._files.popitem(last=False)
            self._file_bytes -= gone.size

    # -- the queue -----------------------------------------------------------------------------------------

    def lines(
        self, view: View | Filter, agent: AgentName, offset: int, limit: int, late: Sequence[Cutoff]
    ) -> list[Line]:
        with self._reading() as db:
            rows = queue.rows(db, view, agent, offset, limit, late, UNREAD)
            return [history.replace(_line(body), unread=bool(unread)) for body, unread in rows]

    def counts(self, agent: AgentName, late: Sequence[Cutoff]) -> Counts:
        with self._reading() as db:
            return queue.counts(db, agent, late)

    def count(self, wanted: Filter, agent: AgentName, late: Sequence[Cutoff]) -> int:
        with self._reading() as db:
            return queue.count(db, wanted, agent, late)

    def alarms(self, limit: int) -> list[Line]:
        with self._reading() as db:
            order = "ORDER BY alarm, root, conversation LIMIT ?"
            rows = db.execute(f"SELECT body FROM lines WHERE alarm IS NOT NULL {order}", (limit,))  # noqa: S608
            return [_line(body) for (body,) in rows]

    def replies(self, states: Sequence[Delivery], account: AccountName | None, limit: int | None) -> list[Due]:
        marks = ",".join("?" * len(states))
        with self._reading() as db:
            rows = db.execute(
                "SELECT r.record, d.body, p.shown FROM deliveries d JOIN records r USING (rid) "  # noqa: S608
                f"JOIN people p ON p.root = r.root WHERE d.state IN ({marks}) ORDER BY d.queued_at, d.reply",
                states,
            )
            due = (Due(record, _delivery(body), shown) for record, body, shown in rows)
            return list(islice((one for one in due if account in (None, one.record.account)), limit))

    def find_entries(self, asked: Query, agent: AgentName, limit: int, offset: int, each: int) -> Found:
        with self._reading() as db:
            finder = Finder(db, self._search, agent)
            picked = finder.entries(asked, limit, offset, each)
            people = {row.record: (finder.whose(row.record), finder.name(row.record)) for row in picked.rows}
            counts = tuple(findings.customers(picked, finder.name, time_of))
        places: dict[CustomerId, list[tuple[int, EntryId]]] = {}
        for row in picked.rows:
            places.setdefault(row.record, []).append((row.place, EntryId(row.entry)))
        entries = self._load(places, sure=False)
        hits = []
        for row in picked.rows:
            entry = entries.get(EntryId(row.entry))
            root, shown = people[row.record]
            if entry is None or root is None:
                continue
            snippet = tokens.snippet(rules.searchable(entry) or "", asked.words)
            hits.append(Hit(root, shown, entry.id, entry.at, rules.medium_of(entry), snippet))
        return Found(tuple(hits), counts, picked.total, picked.complete)

    def find_people(self, words: str, limit: int) -> list[Contact]:
        with self._reading() as db:
            return Finder(db, self._search, AgentName("")).people(words, limit)

    # -- news ----------------------------------------------------------------------------------------------

    def _revision(self, db: sqlite3.Connection) -> Revision:
        state = dict(db.execute("SELECT key, value FROM state WHERE key IN ('epoch', 'number')"))
        return Revision(str(state["epoch"]), int(state["number"]))

    def changed(self, since: Revision | None) -> Changes:
        with self._reading() as db:
            now = self._revision(db)
            if since is None or since.epoch != now.epoch or since.number > now.number:
                return Changes(now, None)
            if since.number == now.number:
                return Changes(now, ())
            oldest = db.execute("SELECT min(number) FROM changes").fetchone()[0]
            if oldest is None or oldest > since.number + 1:
                return Changes(now, None)
            rows = db.execute(
                "SELECT DISTINCT customer FROM changes WHERE number > ? ORDER BY customer LIMIT ?",
                (since.number, rules.CHANGES_LIMIT + 1),
            )
            names = tuple(row[0] for row in rows)
            return Changes(now, names if len(names) <= rules.CHANGES_LIMIT else None)

    def totals(self) -> tuple[int, int]:
        """Return how many customers and how many entries there are."""
        with self._reading() as db:
            found = dict(db.execute("SELECT key, value FROM state WHERE key IN ('people', 'entries')"))
            return int(found["people"]), int(found["entries"])


def _just_before(bound: tuple[int, CustomerId, int], member: CustomerId) -> tuple[int, int]:
    """Return the (at, place) that every entry of a member lies below, given a bound in (at, record, place)."""
    at, record, place = bound
    if member == record:
        return at, place
    return (at, _END) if member < record else (at, -1)
