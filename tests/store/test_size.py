"""What a customer's size must not change: the cost of an append and the answers."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry, Received, StatusChanged
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
    Medium,
)
from agentconsole.ports import View
from agentconsole.seams import Steps, SystemClock
from agentconsole.store.embedded import EmbeddedStore, queue, schema
from agentconsole.store.embedded.head import head_path
from agentconsole.store.memory import MemoryStore
from tests.fakes.clock import CountingRandomness
from tests.folders import quick_folder
from tests.store.answers import answers, differences

K1 = CustomerId("k1")
START = datetime(2026, 1, 1, tzinfo=UTC)


def resolved(number: int) -> list[AnyEntry]:
    """Return a conversation that came and was resolved."""
    at = START + timedelta(hours=number)
    conversation = ConversationId(f"c-{number}")
    return [
        Received(
            id=EntryId(f"{number}"),
            at=at,
            account=AccountName("mail"),
            medium=Medium("email"),
            sender=Address("email", "", "emily@example.com"),
            conversation=conversation,
            stored_at=at,
            text="Where is my appointment?",
        ),
        StatusChanged(
            id=EntryId(f"s{number}"),
            at=at + timedelta(minutes=5),
            conversation=conversation,
            status=ConversationStatus.RESOLVED,
            by=AgentName("ana"),
        ),
    ]


async def test_a_customer_of_many_conversations_has_a_small_head_and_the_same_answers() -> None:
    with quick_folder("ac-size-") as folder:
        root = folder / "store"
        memory = MemoryStore(SystemClock(), CountingRandomness())
        told: list[AnyEntry] = []
        weights = []

        def opened() -> EmbeddedStore:
            return EmbeddedStore(root, clock=SystemClock(), random=CountingRandomness(), steps=Steps())

        async with opened() as store:
            for start in range(0, 300, 30):
                some = [entry for number in range(start, start + 30) for entry in resolved(number)]
                told += some
                for one in (store, memory):
                    await one.change(K1, lambda _snapshot, some=some: some)  # type: ignore[misc]
                weights.append(_weight(root))
            live = await answers(store, [K1], [entry.id for entry in told[-60:]])
            expected = await answers(memory, [K1], [entry.id for entry in told[-60:]])
        for name in ("index.sqlite3", "search.sqlite3"):
            (root / name).unlink()
        async with opened() as store:
            rebuilt = await answers(store, [K1], [entry.id for entry in told[-60:]])
            snapshot = await store.snapshot(K1)
    assert snapshot is not None
    assert history.KEPT_RESOLVED <= len(snapshot.conversations) <= 2 * history.KEPT_RESOLVED
    assert max(weights[5:]) < 2 * min(weights[5:])
    assert not differences(live, rebuilt)
    assert not differences(live, expected)


def _weight(root: Path) -> int:
    return head_path(root / "customers", K1).stat().st_size


def test_what_is_open_or_waits_for_somebody_is_never_let_go() -> None:
    entries: list[AnyEntry] = [*resolved(0)[:1]]
    for number in range(1, 400):
        entries += resolved(number)
    snapshot = history.fold(K1, entries)
    assert ConversationId("c-0") in snapshot.conversations
    assert ConversationId("c-1") not in snapshot.conversations


def test_folding_in_two_goes_lets_go_of_the_same_conversations() -> None:
    entries = [entry for number in range(300) for entry in resolved(number)]
    whole = history.fold(K1, entries)
    for cut in (1, 239, 240, 241, 599):
        assert history.advance(history.fold(K1, entries[:cut]), entries[cut:]) == whole


@pytest.mark.parametrize("view", ["waiting", "unassigned", "open", "resolved", "mine", "all"])
def test_a_page_far_down_a_view_reads_no_row_that_it_passes_over(view: View) -> None:
    """At a hundred thousand conversations the last page took 780 ms where the index lacked one column, 2 ms with it."""
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(schema.SCHEMA)
        for statement in schema.LATER:
            db.execute(statement)
        asked: list[str] = []
        db.set_trace_callback(asked.append)
        assert queue.rows(db, view, AgentName("mina"), 90_000, 50, (), "0") == []
        db.set_trace_callback(None)
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
        assert [step for step in plan if "COVERING INDEX" not in step] == []
    finally:
        db.close()
