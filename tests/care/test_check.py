"""``store check``: every kind of damage is found, nothing is called damaged that is not, and what to type is said."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from agentconsole.domain.model import AgentName
from agentconsole.errors import StoreFault, TryLater
from agentconsole.ports import AuditLine
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.care import check as module
from agentconsole.store.care import check_index
from agentconsole.store.care.check import check
from agentconsole.store.care.layout import Kind, walk
from agentconsole.store.care.rebuild import rebuild
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.testing.entries import NOON, note
from tests.care.places import K1, K2, acting, append, filled, opened, opt_out
from tests.folders import quick_folder
from tests.store.killed import batch, draft
from tests.waiting import DEADLINE

KINDS = (
    *(Kind.HEAD, Kind.PREVIOUS, Kind.VOLUME, Kind.BLOB, Kind.BATCH, Kind.CURSOR, Kind.DRAFT, Kind.AUDIT, Kind.LEDGER),
    *(Kind.FORMAT, Kind.REASON),
)


@pytest.fixture
def store(monkeypatch):
    with quick_folder("ack-") as folder:
        root = filled(folder, monkeypatch)

        async def more(found: EmbeddedStore) -> None:
            await found.spool(batch("b7", "7"))
            await found.spool(batch("b8", "8"))
            await found.spool_set_aside("b8", "damaged")
            await found.save_draft(draft(9))
            await found.audit(AuditLine(NOON, AgentName("ana"), True, "looked", K1, "at it"))
            await found.change(K1, lambda _: [opt_out("o1")])
            await found.search("appointment")

        acting(root, more)
        yield root


def found(root: Path) -> list[str]:
    return [one.path for one in check(root).findings if one.harm]


def test_nothing_is_wrong_with_a_store_that_is_right(store: Path):
    result = check(store)
    assert result.findings == ()
    assert (result.customers, result.entries) == (2, 24)


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_and_cut_is_found(store: Path, kind: Kind, monkeypatch):
    dice = random.Random(f"{kind}")
    monkeypatch.setattr(module, "_PAUSE", 0)  # nobody writes here
    places = [one for one in walk(store) if one.kind == kind]
    assert places, "no such file to damage"
    for one in places:
        path = store / one.path
        whole = path.read_bytes()
        if not whole:
            continue
        spots = {0, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(4))}
        damages = [whole[:spot] + bytes([whole[spot] ^ 1 << dice.randrange(7)]) + whole[spot + 1 :] for spot in spots]
        damages += [whole[: len(whole) // 2], bytes(len(whole)), b'{"foreign":{"1":{}}}']
        for damage in damages:
            path.write_bytes(damage)
            looked = check(store, files_only=True).findings
            if kind == Kind.FORMAT:
                assert [f for f in looked if f.path == one.path], damage
            else:
                assert any(f.harm and f.path.startswith(one.path[:20]) for f in looked), (one.path, damage[-80:])
        path.write_bytes(whole)
        if kind in (Kind.HEAD, Kind.VOLUME):
            path.write_bytes(damages[0])
            do = [f.do for f in check(store, files_only=True).findings if f.customer == one.customer]
            assert any(f"agentconsole store accept {one.customer}" in told for told in do)
            path.unlink()
            assert any(f.harm and f.customer == one.customer for f in check(store, files_only=True).findings)
            path.write_bytes(whole)


def test_damage_is_told_once_and_what_can_be_done_about_it_is_true(store: Path, monkeypatch, caplog):
    """Full text is not called wrong for holding what a file lost, and nothing is offered that cannot be read."""
    monkeypatch.setattr(module, "_PAUSE", 0)
    monkeypatch.setattr(check_index, "_PAUSE", 0)
    (path,) = store.glob("customers/*/k1.json")
    path.write_bytes(b"\xff" * 100)
    (one,) = check(store).findings
    assert (one.customer, one.do) == (K1, f"agentconsole store accept {K1} --previous (the generation before)")
    path.with_name("k1.json.prev").unlink()
    told = [found.do for found in check(store).findings if found.path.endswith("k1.json")]
    assert told == [f"Nothing of it can be read: restore a backup, or agentconsole customer erase {K1}"]
    assert not [found for found in check(store).findings if found.path == "search.sqlite3"]
    assert not caplog.records


def test_a_snapshot_that_is_not_what_the_entries_make_is_found(store: Path):
    """A head whose checksum is right and whose summary lies."""
    from agentconsole.store.embedded import files

    (path,) = store.glob("customers/*/k1.json")
    tables, gen = files.decoded(path.read_bytes())
    tables["card"]["snapshot"]["snapshot"]["name"] = "Somebody else"
    path.write_bytes(files.encoded(tables, gen))
    assert [one.what for one in check(store, files_only=True).findings] == [
        "what it says of the customer is not what its entries make"
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM entries WHERE id = 'e1'",
        "UPDATE deliveries SET state = 'queued'",
        "UPDATE addresses SET address = 'email:x@example.com'",
        "UPDATE people SET name = 'x'",
        "UPDATE lines SET waiting = 7",
        "UPDATE records SET root = 'k2'",
        "DELETE FROM threads",
    ],
)
def test_rows_that_are_not_what_the_files_make_are_found_and_rebuilt(store: Path, sql: str):
    with closing(sqlite3.connect(store / "index.sqlite3")) as db, db:
        db.execute(sql)
    assert set(found(store)) == {"index.sqlite3"}
    result = rebuild(store, clock=SystemClock(), random=SystemRandomness(), steps=Steps())
    assert (result.customers, result.entries, result.differing) == (2, 24, ())
    assert found(store) == []


def test_words_of_full_text_that_nobody_said_are_found(store: Path):
    with closing(sqlite3.connect(store / "search.sqlite3")) as db, db:
        db.execute("INSERT INTO texts (rowid, text) VALUES (999, 'never said')")
    assert found(store) == ["search.sqlite3"]


def test_a_torn_index_is_found(store: Path):
    path = store / "index.sqlite3"
    path.write_bytes(path.read_bytes()[:5000])
    assert found(store) == ["index.sqlite3"]


def test_leftovers_are_told_but_are_no_damage(store: Path):
    (store / "customers" / "00").mkdir(exist_ok=True)
    (store / "customers" / "00" / "k9.json.tmp").write_bytes(b"half")
    result = check(store)
    assert [(one.path, one.harm) for one in result.findings] == [("customers/00/k9.json.tmp", False)]


async def test_a_store_that_is_written_meanwhile_is_not_called_damaged(store: Path):
    """A check beside a writer that never pauses, several times."""
    async with opened(store) as running:
        done = asyncio.Event()

        async def write() -> int:
            number = 0
            while not done.is_set():
                number += 1
                await append(note(f"w{number}", 30 + number))(running)
                await running.save_draft(draft(10 + number))
            return number

        writing = asyncio.create_task(write())
        try:
            for _ in range(4):
                assert [one for one in (await asyncio.to_thread(check, store)).findings if one.harm] == []
        finally:
            done.set()
        assert await writing > 4


async def test_nothing_is_erased_under_a_check_that_reads_the_index(store: Path, monkeypatch):
    """A reader would keep the index from being written into a new file, in the middle of the erasure."""
    began, done = threading.Event(), threading.Event()
    compare = check_index._Comparison.run

    def slow(self):
        with closing(check_index._open(store / "index.sqlite3")) as db:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM records").fetchone()
            began.set()
            assert done.wait(DEADLINE)
        yield from compare(self)

    async with opened(store) as running:
        with monkeypatch.context() as patch:
            patch.setattr(check_index._Comparison, "run", slow)
            checking = asyncio.create_task(asyncio.to_thread(check, store))
            assert await asyncio.to_thread(began.wait, 20)
            try:
                with pytest.raises(TryLater):
                    await running.erase(K2)
            finally:
                done.set()
            assert [one for one in (await checking).findings if one.harm] == []
        assert (await running.erase(K2)).entries


async def test_who_is_half_erased_is_not_called_unchanged(store: Path, monkeypatch):
    """The disk refuses after the point of no return."""

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    async with opened(store) as running:
        with monkeypatch.context() as patch:
            patch.setattr(running._engine.index, "compact", refuse)
            with pytest.raises(StoreFault) as told:
                await running.erase(K2)
        assert await running.snapshot(K2) is None
        assert "Nothing was changed" not in told.value.message
        await running.erase(K2)
        assert not (store / "ledger" / "erasing.json").exists()
