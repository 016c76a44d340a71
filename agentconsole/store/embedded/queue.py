"""How the index answers what the queue asks: its rows, the views as conditions on them, and filters and targets as SQL.

Nothing of a profile's targets is stored: who is late is a comparison with what is there (``domain.queueing.cutoffs``),
so that changed targets need no new index.
"""

# ruff: noqa: S608 - what is put together here are our own words; values are bound

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from agentconsole.domain.model import AgentName, Line
from agentconsole.domain.person import URGENCY
from agentconsole.domain.queueing import ME, NOBODY, Cutoff, Filter
from agentconsole.ports import Counts, View
from agentconsole.store import rules

_ACTIVE: Final = "status <> 'resolved' AND aside = ''"
WAITS: Final = "waiting IS NOT NULL AND aside = ''"

COLUMNS: Final = (
    *("root", "conversation", "status", "assignee", "waiting", "last_at", "failed", "uncertain"),
    *("aside", "urgency", "medium", "replied", "alarm", "woken", "due", "tags", "media", "language", "body"),
)
"""Of the table ``lines``; the order is the schema's."""

READ: Final = f"SELECT {', '.join(COLUMNS)} FROM {{db}}.lines"
WRITE: Final = (
    f"INSERT INTO lines VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (root, conversation) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
)

VIEWS: Final[dict[View, str]] = {
    "waiting": WAITS,
    "mine": "agent = :agent",
    "unassigned": f"assignee = '' AND {_ACTIVE}",
    "open": _ACTIVE,
    "resolved": "status = 'resolved' AND aside = ''",
    "failed": "failed > 0",
    "uncertain": "uncertain > 0",
    "snoozed": "status = 'snoozed' AND aside = ''",
    "tasks": "due IS NOT NULL AND aside = ''",
    "spam": "aside <> ''",
    "all": "1",
}
_ORDER: Final[dict[View, str]] = {
    "waiting": "urgency, waiting, conversation, root",
    "mine": "at DESC, conversation, root",
    "snoozed": "woken, conversation, root",
    "tasks": "due, conversation, root",
}
_NEWEST: Final = "last_at DESC, conversation, root"

_TALLIED: Final[dict[View, str]] = {
    "waiting": "waiting AND NOT aside",
    "unassigned": "assignee = '' AND status <> 'resolved' AND NOT aside",
    "open": "status <> 'resolved' AND NOT aside",
    "resolved": "status = 'resolved' AND NOT aside",
    "failed": "failed",
    "uncertain": "uncertain",
    "snoozed": "status = 'snoozed' AND NOT aside",
    "tasks": "due AND NOT aside",
    "spam": "aside",
}


def row(root: str, line: Line, body: bytes) -> tuple[Any, ...]:
    """Return the values of ``COLUMNS``."""
    woken = line.snoozed_until
    return (
        *(root, line.conversation, line.status, line.assignee, _at(line.wanted_since), _at(line.last_at)),
        *(line.failed, line.uncertain, line.aside, rules.urgency(line), line.medium, line.replied),
        *(_at(line.alarm_at), _at(woken) or rules.FAR, _at(line.task.due) if line.task is not None else None),
        *(_set(line.tags), _set(line.media), line.language, body),
    )


def _at(at: Any) -> int | None:
    return rules.microseconds(at) if at is not None else None


def _set(names: Sequence[str]) -> str:
    return f"|{'|'.join(names)}|" if names else ""


def rows(
    db: sqlite3.Connection,
    view: View | Filter,
    agent: AgentName,
    offset: int,
    limit: int,
    late: Sequence[Cutoff],
    unread: str,
) -> list[tuple[bytes, int]]:
    """Return the bodies of a page of rows, each with whether it holds something unread.

    Args:
        unread: the SQL that tells it.
    """
    if isinstance(view, Filter):
        return _filtered(db, view, agent, offset, limit, late, unread)
    if view == "waiting" and late:
        late_first = islice(_late_first(db, late), offset, offset + limit)
        return _bodies(db, ((root, name) for _, name, root in late_first), agent, unread)
    # Keys only, from an index that holds them in order: rows that are passed over are not read.
    order = _ORDER.get(view, _NEWEST)
    keys = db.execute(
        f"SELECT root, conversation FROM {'concerned' if view == 'mine' else 'lines'} WHERE {VIEWS[view]} "
        f"ORDER BY {order} LIMIT :limit OFFSET :offset",
        {"agent": agent, "limit": limit, "offset": offset},
    ).fetchall()
    return _bodies(db, keys, agent, unread)


def _bodies(
    db: sqlite3.Connection, keys: Iterable[tuple[str, str]], agent: AgentName, unread: str
) -> list[tuple[bytes, int]]:
    body = f"SELECT body, {unread} FROM lines WHERE root = :root AND conversation = :conversation"
    found = ({"agent": agent, "root": root, "conversation": name} for root, name in keys)
    return [row for values in found if (row := db.execute(body, values).fetchone()) is not None]


def _filtered(
    db: sqlite3.Connection,
    view: Filter,
    agent: AgentName,
    offset: int,
    limit: int,
    late: Sequence[Cutoff],
    unread: str,
) -> list[tuple[bytes, int]]:
    """Sort keys only, from an index that holds what a filter asks of, and then read what the rows say."""
    values: dict[str, Any] = {"agent": agent, "limit": limit, "offset": offset}
    where = _where(view, agent, late, values)
    keys = "-last_at AS a, 0 AS b, 0 AS d"
    if rules.order_of(view) == "waiting":
        keys = f"-{_late(late, values)} AS a, urgency AS b, waiting AS d"
    order = "a, b, d, c, r"
    return list(
        db.execute(
            f"SELECT body, {unread} FROM (SELECT root AS r, conversation AS c, {keys} FROM lines "
            f"INDEXED BY lines_filter WHERE {where} ORDER BY {order} LIMIT :limit OFFSET :offset) "
            f"JOIN lines ON root = r AND conversation = c ORDER BY {order}",
            values,
        )
    )


# -- late ones first ---------------------------------------------------------------------------------------


def _classes(db: sqlite3.Connection, late: Sequence[Cutoff]) -> Iterator[tuple[int, str, int, int]]:
    """Return kinds of rows that the same cutoff holds for: urgency, medium, whether we replied, and that moment."""
    media = db.execute(
        f"WITH RECURSIVE m(name) AS (SELECT min(medium) FROM lines WHERE {WAITS} UNION ALL SELECT (SELECT min(medium) "
        f"FROM lines WHERE {WAITS} AND medium > name) FROM m WHERE name IS NOT NULL) "
        "SELECT name FROM m WHERE name IS NOT NULL"
    ).fetchall()
    for urgency in sorted(-place for place in range(len(URGENCY))):
        for (medium,) in media:
            for replied in (0, 1):
                rule = next((one for one in late if _fits(one, urgency, medium, replied)), None)
                yield urgency, medium, replied, rules.microseconds(rule.before) if rule is not None else -rules.FAR


def _fits(rule: Cutoff, urgency: int, medium: str, replied: int) -> bool:
    return (
        (rule.priority is None or -URGENCY.index(rule.priority) == urgency)
        and rule.medium in ("", medium)
        and (rule.first is None or rule.first != bool(replied))
    )


_CLASS: Final = f"{WAITS} AND medium = ? AND urgency = ? AND replied = ?"


def _late_first(db: sqlite3.Connection, late: Sequence[Cutoff]) -> Iterator[tuple[int, str, str]]:
    """Return keys of what waits: late ones first, then by urgency, then who waits longest. Every class is read in the
    order of an index, as far as somebody asks."""
    classes = list(_classes(db, late))
    for side in ("<=", ">"):
        for urgency in sorted({kind[0] for kind in classes}):
            yield from heapq.merge(
                *(
                    db.execute(
                        f"SELECT waiting, conversation, root FROM lines WHERE {_CLASS} AND waiting {side} ? "
                        "ORDER BY 1, 2, 3",
                        (medium, urgency, replied, at),
                    )
                    for place, medium, replied, at in classes
                    if place == urgency
                )
            )


def counts(db: sqlite3.Connection, agent: AgentName, late: Sequence[Cutoff]) -> Counts:
    sums = ", ".join(f"coalesce(sum(number * ({condition})), 0)" for condition in _TALLIED.values())
    numbers = dict(zip(_TALLIED, db.execute(f"SELECT {sums} FROM tallies").fetchone(), strict=True))
    [mine] = db.execute("SELECT count(*) FROM concerned WHERE agent = ?", (agent,)).fetchone()
    return Counts(**numbers, mine=mine, late=_late_ones(db, late))


def _late_ones(db: sqlite3.Connection, late: Sequence[Cutoff]) -> int:
    if not late:
        return 0
    question = f"SELECT count(*) FROM lines WHERE {_CLASS} AND waiting <= ?"
    kinds = _classes(db, late)
    return sum(db.execute(question, (medium, place, replied, at)).fetchone()[0] for place, medium, replied, at in kinds)


def count(db: sqlite3.Connection, wanted: Filter, agent: AgentName, late: Sequence[Cutoff]) -> int:
    values: dict[str, Any] = {"agent": agent}
    where = _where(wanted, agent, late, values)
    return int(db.execute(f"SELECT count(*) FROM lines INDEXED BY lines_filter WHERE {where}", values).fetchone()[0])


def _late(late: Sequence[Cutoff], values: dict[str, Any]) -> str:
    """Return SQL that says 1 of a late row (``domain.queueing.is_late``)."""
    cases = []
    for number, rule in enumerate(late):
        fits = ["1"]
        if rule.priority is not None:
            fits.append(f"urgency = :late_p{number}")
            values[f"late_p{number}"] = -URGENCY.index(rule.priority)
        if rule.medium:
            fits.append(f"medium = :late_m{number}")
            values[f"late_m{number}"] = rule.medium
        if rule.first is not None:
            fits.append(f"replied = {int(not rule.first)}")
        values[f"late_at{number}"] = rules.microseconds(rule.before)
        cases.append(f"WHEN {' AND '.join(fits)} THEN waiting <= :late_at{number}")
    return f"(waiting IS NOT NULL AND CASE {' '.join(cases)} ELSE 0 END)" if cases else "0"


def _where(wanted: Filter, agent: AgentName, late: Sequence[Cutoff], values: dict[str, Any]) -> str:
    """Return SQL that says what ``domain.queueing.shown`` says."""
    terms = ["aside = ''"]

    def named(value: Any) -> str:
        name = f"v{len(values)}"
        values[name] = value
        return f":{name}"

    def one_of(column: str, found: Sequence[Any]) -> None:
        if found:
            terms.append(f"{column} IN ({', '.join(named(value) for value in found)})")

    terms += [f"instr(tags, {named(f'|{tag}|')})" for tag in wanted.tags]
    terms += [f"NOT instr(tags, {named(f'|{tag}|')})" for tag in wanted.without_tags]
    one_of("urgency", [-URGENCY.index(priority) for priority in wanted.priorities])
    if wanted.media:
        marks = [named(f"|{medium}|") for medium in wanted.media]
        terms.append(f"({' OR '.join(f'instr(media, {mark})' for mark in marks)})")
    one_of("assignee", [agent if name == ME else "" if name == NOBODY else name for name in wanted.assignees])
    if wanted.statuses:
        one_of("status", wanted.statuses)
    else:
        terms.append("status <> 'resolved'")
    one_of("language", wanted.languages)
    if wanted.late is not None:
        terms.append(f"{'' if wanted.late else 'NOT '}{_late(late, values)}")
    if wanted.waiting is not None:
        terms.append(f"waiting IS {'NOT ' if wanted.waiting else ''}NULL")
    if wanted.before is not None:
        terms.append(f"waiting <= {named(rules.microseconds(wanted.before))}")
    return " AND ".join(terms)
