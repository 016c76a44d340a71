"""Everything that a store can be asked, as one comparable value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Priority,
)
from agentconsole.domain.queueing import ME, NOBODY, Cutoff, Filter
from agentconsole.ports import Store, View
from agentconsole.testing.entries import CHAT, EMILY, EMILY_PHONE, MAIL, NOON, minute
from agentconsole.text.query import parse

LATE = (
    Cutoff(minute(2), Priority.URGENT),
    Cutoff(minute(4), medium=Medium("whatsapp"), first=True),
    Cutoff(minute(6), first=False),
)
FILTERS = (
    Filter(),
    Filter(tags=("a",), without_tags=("b",)),
    Filter(priorities=(Priority.HIGH, Priority.URGENT), media=(Medium("email"), Medium("sms"))),
    Filter(assignees=(ME, AgentName("ben"))),
    Filter(assignees=(NOBODY,), statuses=(ConversationStatus.OPEN, ConversationStatus.RESOLVED)),
    Filter(late=True),
    Filter(late=False, waiting=True),
    Filter(waiting=False),
    Filter(before=minute(5), languages=("",)),
)
WORDS = ("appointment", "em", "배송", "call back")
ASKED = (
    *("is:open em", "is:waiting", "-is:closed in:message", "is:unread", "is:mine", "from:em", "-from:em in:note"),
    *("on:email -appointment", "by:ana", "has:file", "after:2026-03-03T12:02", '"call back"', "-배송"),
)
TYPED = ("", "em", "ㅂ", "qk", "example", "+82", "5678")


async def answers(store: Store, records: Iterable[str], entries: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = sorted(entries)
    for record in map(CustomerId, records):
        found[f"snapshot {record}"] = await store.snapshot(record)
        found[f"customer {record}"] = await store.customer(record)
        found[f"pages {record}"] = await pages(store, record)
    for agent in (AgentName("ana"), AgentName("ben")):
        for view in get_args(View):
            found[f"lines {view} {agent}"] = list(await store.lines(view, agent))
        found[f"counts {agent}"] = await store.counts(agent, late=LATE)
        found[f"late {agent}"] = list(await store.lines("waiting", agent, late=LATE))
        found[f"later {agent}"] = list(await store.lines("waiting", agent, offset=1, limit=2, late=LATE))
        for number, wanted in enumerate(FILTERS):
            found[f"filter {number} {agent}"] = list(await store.lines(wanted, agent, late=LATE))
            found[f"count {number} {agent}"] = await store.count(wanted, agent, late=LATE)
    found["alarms"] = list(await store.alarms(100))
    for address in (EMILY, EMILY_PHONE):
        found[f"find {address}"] = await store.find(address)
        found[f"mentioned {address}"] = list(await store.mentioned(address))
    for words in WORDS:
        found[f"search {words}"] = list(await store.search(words))
        found[f"named {words}"] = list(await store.find_named(words))
    for text in ASKED:
        asked = parse(text, NOON)
        found[f"asked {text}"] = await store.find_entries(asked, AgentName("ana"))
        found[f"asked {text}, one each"] = await store.find_entries(asked, AgentName("ben"), limit=3, each=1)
    for text in TYPED:
        found[f"typed {text}"] = list(await store.find_people(text))
    found["replies"] = list(await store.replies(list(Delivery)))
    found["known"] = await store.known([EntryId(name) for name in names])
    for name in names:
        found[f"entry {name}"] = await store.entry(EntryId(name))
        found[f"thread {name}"] = await store.thread([f"{name}@agentconsole", f"{name}@example.com"])
        for account in (MAIL, CHAT):
            found[f"key {name} {account}"] = await store.reply_by(account, key=f"{name}@agentconsole")
            found[f"external {name} {account}"] = await store.reply_by(account, external_id=f"SM-{name}")
        found[f"conversation {name}"] = await store.find_conversation(ConversationId(f"c-{name}"))
    health = await store.health()
    found["health"] = health.customers, health.entries, health.index_behind, health.read_only
    return found


async def pages(store: Store, record: CustomerId, limit: int = 3) -> list[tuple[EntryId, ...]]:
    found = []
    before: EntryId | None = None
    while (page := await store.history(record, before=before, limit=limit)) is not None:
        found.append(tuple(entry.id for entry in page.entries))
        if not page.more:
            break
        before = page.entries[0].id
    return found


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    assert one.keys() == other.keys()
    return {key: (one[key], other[key]) for key in one if one[key] != other[key]}


_TABLES = ("people", "edges", "entries", "addresses", "conversations", "threads", "mentions", "replies", "externals")


def index_rows(root: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Return what an index says, without what a rebuild may number anew. The store must be closed."""
    db = sqlite3.connect(root / "index.sqlite3")
    records = dict(db.execute("SELECT rid, record FROM records"))
    found = {"records": set(db.execute("SELECT record, root, gen, size, mtime, ino, damaged, snapshot FROM records"))}
    found["lines"] = set(db.execute("SELECT * FROM lines"))
    for table in (*_TABLES, "concerned", "deliveries", "parts", "seen"):
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        place = columns.index("rid") if "rid" in columns else None
        found[table] = {
            tuple(records[value] if at == place else value for at, value in enumerate(row))
            for row in db.execute(f"SELECT * FROM {table}")
        }
    db.close()
    db = sqlite3.connect(root / "search.sqlite3")
    found["texts"] = set(db.execute("SELECT entry, record, place, conversation FROM docs"))
    db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, texts, instance)")
    found["terms"] = {
        (entry, term, offset)
        for entry, term, offset in db.execute(
            "SELECT d.entry, t.term, t.offset FROM temp.terms t JOIN docs d ON d.doc = t.doc"
        )
    }
    db.close()
    return found
