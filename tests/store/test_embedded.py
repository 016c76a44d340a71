"""What only the embedded store promises: its files, its lock, damage, a full disk, a lost index."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import sqlite3
import stat
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import AgentName, CustomerId, EntryId
from agentconsole.errors import ReadOnly, StoreBusy, StoreFault
from agentconsole.ports import AuditLine
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store import rules
from agentconsole.store.embedded import EmbeddedStore, lock
from agentconsole.store.memory import MemoryStore
from agentconsole.testing.entries import EMILY_PHONE, NOON, merged, minute, note, received, reply
from agentconsole.testing.store_contract import append, batch, draft, ids
from tests.store import killed
from tests.store.answers import answers, differences, pages
from tests.waiting import DEADLINE

K1, K2, ANA = CustomerId("k1"), CustomerId("k2"), AgentName("ana")
NAMES = [entry.id for entry in killed.ENTRIES]


def make(root: Path) -> EmbeddedStore:
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def store(root: Path) -> AsyncIterator[EmbeddedStore]:
    async with make(root) as store:
        yield store


def head_of(root: Path, record: str) -> Path:
    [path] = root.glob(f"customers/*/{record}.json")
    return path


async def everything(store: Any) -> dict[str, Any]:
    return await answers(store, killed.RECORDS, NAMES)


# -- files -------------------------------------------------------------------------------------------------


async def test_only_the_owner_may_read_whatever_the_umask(root: Path) -> None:
    before = os.umask(0)
    try:
        async with make(root) as store:
            await killed.play(store)
            await store.save_draft(draft("x", 1))
            await store.spool(batch("b9", "9"))
            found = [root, *root.rglob("*")]
            wrong = [path for path in found if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)]
    finally:
        os.umask(before)
    assert wrong == []
    assert len(found) > 20


async def test_a_head_is_plain_tinydb_json_with_its_checksum_last(store: EmbeddedStore, root: Path) -> None:
    await append(store, K1, received("e1", text='tricky ,"_meta":{"1":{ text'), note("e2", 1))
    await store.seen(K1, ANA, NOON)
    data = head_of(root, "k1").read_bytes()
    tables = json.loads(data)
    assert list(tables)[-1] == "_meta"
    assert tables["_meta"]["1"]["crc32"] == zlib.crc32(data[: data.rindex(b',"_meta"')])
    assert list(tables["entries"]) == ["e1", "e2"]
    with TinyDB(head_of(root, "k1"), access_mode="r") as plain:
        assert plain.tables() == {"entries", "card", "seen", "_meta"}
    shown = await store.entry(EntryId("e1"))
    assert shown is not None
    assert shown[1] == received("e1", text='tricky ,"_meta":{"1":{ text')


async def test_a_head_stays_small_and_volumes_never_change(store: EmbeddedStore, root: Path) -> None:
    sealed: dict[Path, bytes] = {}
    for start in range(0, 1300, 13):
        await append(store, K1, *(note(f"e{n}", n, text="x" * 300) for n in range(start, start + 13)))
        if start % 130 == 0:
            assert head_of(root, "k1").stat().st_size < 300_000
            for path, data in sealed.items():
                assert path.read_bytes() == data
            sealed = {path: path.read_bytes() for path in root.glob("customers/*/k1.m*.json")}
    assert 3 <= len(sealed) <= 7
    assert [n for page in reversed(await pages(store, K1, 300)) for n in page] == [f"e{n}" for n in range(1300)]


async def test_a_batch_of_large_texts_is_cut_into_volumes(store: EmbeddedStore, root: Path) -> None:
    entries = [note(f"e{number}", number, text=chr(97 + number) * 100_000) for number in range(12)]
    await append(store, K1, *entries)
    await append(store, K1, note("huge", 20, text="h" * 2_000_000))
    await append(store, K1, note("after", 21))
    assert head_of(root, "k1").stat().st_size < 2_300_000
    sizes = sorted(path.stat().st_size for path in root.glob("customers/*/k1.m*.json"))
    assert sizes[-2] < 400_000
    assert sizes[-1] < 2_300_000
    page = await store.history(K1)
    assert page is not None
    assert ids(page.entries) == [*(f"e{n}" for n in range(12)), "huge", "after"]
    assert page.entries[3] == entries[3]


async def test_a_snapshot_of_another_fold_is_computed_anew(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with make(root) as store:
        await killed.play(store)
        before = await store.snapshot(K1)
    assert before is not None
    monkeypatch.setattr(history, "FOLD_VERSION", 999)
    monkeypatch.setattr(rules, "INDEX_VERSION", "other")
    async with make(root) as store:
        assert await store.snapshot(K1) == history.replace(before, version=999)
        assert (await append(store, K1, note("later", 30))).version == 999


# -- who may open it ---------------------------------------------------------------------------------------


async def test_a_second_hub_is_told_who_holds_the_store(root: Path, store: EmbeddedStore) -> None:
    with pytest.raises(StoreBusy, match=str(os.getpid())):
        await make(root).open()
    await append(store, K1, received("e1"))
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreFault, match="closed"):
        await append(store, K1, note("e2"))
    async with make(root) as again:
        assert await again.known([EntryId("e1")]) == {"e1"}


async def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(StoreFault, match=r"letters\.txt"):
        await make(tmp_path).open()
    assert {path.name for path in tmp_path.iterdir()} <= {"letters.txt", "hub.lock"}


@pytest.mark.parametrize(
    ("text", "message"), [("format = 3\n", "format 3"), ("garbage", "cannot be read"), ("", "cannot")]
)
async def test_a_store_of_another_format_is_left_alone(root: Path, text: str, message: str) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
    (root / "store.toml").write_text(text)
    with pytest.raises(StoreFault, match=message):
        await make(root).open()
    assert (root / "store.toml").read_text() == text


def test_network_file_systems_are_told_from_mounts() -> None:
    mounts = (
        "21 1 254:1 / / rw - ext4 /dev/vda rw\n"
        "40 21 0:40 / /srv/team\\040share rw shared:9 - nfs4 server:/x rw\n"
        "41 40 0:41 / /srv/team\\040share/local rw - xfs /dev/vdb rw\n"
        "torn line\n"
    )
    kinds = ["/var/lib/x", "/srv/team share", "/srv/team share/deep/er", "/srv/team share/local/x", "/srv/team sharet"]
    assert [lock.file_system(Path(path), mounts) for path in kinds] == ["ext4", "nfs4", "nfs4", "xfs", "ext4"]


async def test_a_store_on_a_network_file_system_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("21 1 254:1 / / rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(lock, "_MOUNTS", mounts)
    with pytest.raises(StoreFault, match="network file system"):
        await make(root).open()


# -- damage ------------------------------------------------------------------------------------------------


def _flip(data: bytes) -> bytes:
    place = data.index(b"appointment")
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "one bit": _flip,
    "truncated": lambda data: data[: len(data) // 2],
    "its last line torn": lambda data: data[:-5],
    "zeroes": lambda data: bytes(len(data)),
    "empty": lambda _: b"",
    "foreign JSON": lambda _: b'{"_default": {"1": {"a": 1}}}',
    "edited by hand": lambda data: data.replace(b"appointment", b"disappointment"),
    "written by stock TinyDB": lambda data: json.dumps(json.loads(data)).encode(),
    "doubled": lambda data: data + data[:-1],
    "garbage": lambda data: bytes(byte ^ 0xA5 for byte in data),
}


@pytest.mark.parametrize("moment", ["running", "closed", "index lost"])
@pytest.mark.parametrize("kind", DAMAGES)
async def test_a_damaged_file_stays_one_customers_problem(root: Path, kind: str, moment: str) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1", text="my appointment"))
        await append(store, K1, note("e2", 1))
        await append(store, K2, received("e3", 2, conversation="c2", sender=EMILY_PHONE, text="hello"))
        path = head_of(root, "k1")
        damaged = DAMAGES[kind](path.read_bytes())
        if moment == "running":
            path.write_bytes(damaged)
            await check_damaged(store, path, damaged)
            return
    path.write_bytes(damaged)
    if moment == "index lost":
        (root / "index.sqlite3").unlink()
        (root / "search.sqlite3").unlink()
    async with make(root) as store:
        assert (await store.health()).read_only == ("k1",)
        await check_damaged(store, path, damaged)
    async with make(root) as store:
        await check_damaged(store, path, damaged, fresh="e9")


async def check_damaged(store: EmbeddedStore, path: Path, damaged: bytes, fresh: str = "e8") -> None:
    for name in ("e5", "e6"):
        with pytest.raises(ReadOnly, match="k1") as caught:
            await append(store, K1, note(name, 5))
        assert "store check" in caught.value.hint
    assert (await store.health()).read_only == ("k1",)
    assert path.read_bytes() == damaged
    page = await store.history(K1)
    assert page is not None
    assert "e1" in ids(page.entries)
    assert page.customer.addresses
    assert [hit.entry for hit in await store.search("appointment")] == ["e1"]
    await store.seen(K1, ANA, minute(3))
    assert path.read_bytes() == damaged
    await append(store, K2, note(fresh, 6, conversation="c2"))
    assert await store.known([EntryId(fresh), EntryId("e1"), EntryId("e5")]) == {fresh, "e1"}
    assert {line.customer for line in await store.lines("all", ANA)} == {"k1", "k2"}


async def test_a_mended_file_is_taken_without_a_restart(store: EmbeddedStore, root: Path) -> None:
    await append(store, K1, received("e1", text="appointment"))
    path = head_of(root, "k1")
    good = path.read_bytes()
    path.write_bytes(DAMAGES["one bit"](good))
    with pytest.raises(ReadOnly):
        await append(store, K1, note("e2"))
    path.write_bytes(good)
    assert (await append(store, K1, note("e2"))).count == 2
    assert (await store.health()).read_only == ()


@pytest.mark.parametrize("moment", ["running", "closed", "index lost"])
async def test_a_head_that_is_gone_is_never_forgotten_silently(root: Path, moment: str) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
        await append(store, K1, note("e2", 1))
        path = head_of(root, "k1")
        if moment == "running":
            path.unlink()
            with pytest.raises(ReadOnly, match="gone"):
                await append(store, K1, note("e5", 5))
    path.unlink(missing_ok=True)
    if moment == "index lost":
        (root / "index.sqlite3").unlink()
    for _ in range(2):
        async with make(root) as store:
            assert (await store.health()).read_only == ("k1",)
            with pytest.raises(ReadOnly, match="gone"):
                await append(store, K1, note("e5", 5))
            assert not path.exists()
            assert await store.known([EntryId("e1"), EntryId("e5")]) == {"e1"}


@pytest.mark.parametrize("how", ["gone", "zeroes", "another"])
async def test_a_damaged_volume_leaves_the_rest_readable(root: Path, how: str) -> None:
    async with make(root) as store:
        for start in (0, 400, 800):
            await append(store, K1, *(note(f"e{n}", n) for n in range(start, start + 400)))
        first, second, *_ = sorted(root.glob("customers/*/k1.m*.json"))
    match how:
        case "gone":
            first.unlink()
        case "zeroes":
            first.write_bytes(bytes(first.stat().st_size))
        case _:
            shutil.copy(second, first)
    for lost_index in (False, True):
        if lost_index:
            (root / "index.sqlite3").unlink()
        async with make(root) as store:
            page = await store.history(K1, limit=1200)
            assert page is not None
            assert ids(page.entries) == [f"e{n}" for n in range(200, 1200)]
            assert (await store.health()).read_only == ("k1",)
            with pytest.raises(ReadOnly, match="volume 1"):
                await append(store, K1, note("e0"))


@pytest.mark.parametrize("moment", ["running", "closed"])
async def test_an_older_head_put_back_is_set_aside(root: Path, moment: str) -> None:
    """It does not know what was sent since, so nothing may be sent for it."""
    async with make(root) as store:
        await append(store, K1, received("e1"))
        old = head_of(root, "k1").read_bytes()
        await append(store, K1, reply("r1", 1))
        assert await store.reply_by(reply("r1").account, key="r1@agentconsole") == "r1"
        path = head_of(root, "k1")
        if moment == "running":
            path.write_bytes(old)
            with pytest.raises(ReadOnly, match="older generation"):
                await append(store, K1, note("e5", 5))
    path.write_bytes(old)
    for name in ("e6", "e7"):
        async with make(root) as store:
            assert (await store.health()).read_only == ("k1",)
            with pytest.raises(ReadOnly, match="older generation"):
                await append(store, K1, note(name, 5))
            assert path.read_bytes() == old
            assert await store.known([EntryId("e1"), EntryId("r1")]) == {"e1", "r1"}
    async with make(root) as store:
        after = await store.accept(K1, previous=False, decide=lambda _: [note("n1", 7)])
        assert after.count == 2
        assert (await append(store, K1, note("e8", 8))).count == 3
    async with make(root) as store:
        assert (await store.health()).read_only == ()


async def test_damage_beside_the_heads_blocks_nothing(root: Path) -> None:
    async with make(root) as store:
        await store.spool(batch("one", "1"))
        await store.spool(batch("two", "2"))
        await store.spool(batch("three", "3"))
        await store.save_draft(draft("kept", 1))
        await store.save_draft(draft("torn", 1, conversation="c2"))
        await store.audit(AuditLine(NOON, ANA, True, "first"))
        blob = await store.put_blob(K1, b"abc")
    one, two, _ = sorted((root / "spool").glob("*.batch"))
    one.write_bytes(b"\x00" * 10)
    two.write_bytes(two.read_bytes()[:-3])
    (root / "drafts" / "ana" / "c2.json").write_text('{"agent"')
    with open(next((root / "audit").iterdir()), "ab") as file:
        file.write(b'{"at": "2026-03-0')
    next((root / "blobs").rglob(blob)).write_bytes(b"abd")
    async with make(root) as store:
        assert await store.spooled() == ["two", "three"]
        with pytest.raises(StoreFault, match="two"):
            await store.spool_record("two")
        await store.spool_set_aside("two", "torn")
        assert await store.spool_record("three") == batch("three", "3")
        assert [d.text for d in await store.drafts(ANA)] == ["kept"]
        assert await store.save_draft(draft("again", 1, conversation="c2"))
        await store.audit(AuditLine(NOON, ANA, True, "second"))
        assert [line.act for line in await store.audited()] == ["second", "first"]
        with pytest.raises(StoreFault, match="damaged"):
            await store.blob(K1, blob)
    assert len(list((root / "spool" / "aside").glob("*.batch"))) == 2


# -- the index may be lost at any time ---------------------------------------------------------------------


def _garbage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(byte ^ 0x5A for byte in data[4096:]))


def _version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE state SET value = 'other' WHERE key = 'version'")
    db.close()


def _rows(path: Path) -> None:
    with sqlite3.connect(path) as db:
        for table in ("records", "docs"):
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                db.execute(f"DROP TABLE {table}")
    db.close()


LOSSES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "malformed": _garbage,
    "no database": lambda path: path.write_bytes(b"hello" * 1000),
    "another version": _version,
    "without a table": _rows,
}


@pytest.mark.parametrize("which", ["index.sqlite3", "search.sqlite3"])
@pytest.mark.parametrize("kind", LOSSES)
async def test_a_lost_index_is_built_anew_with_the_same_answers(root: Path, kind: str, which: str) -> None:
    async with make(root) as store:
        await killed.play(store)
        expected = await everything(store)
        revision = (await store.changed(None)).revision
    LOSSES[kind](root / which)
    async with make(root) as store:
        assert differences(expected, await everything(store)) == {}
        if which == "index.sqlite3":
            assert (await store.changed(revision)).customers is None
        await append(store, K1, note("later", 30, text="appointment again"))
        assert (await store.search("appointment again"))[0].entry == "later"


@pytest.mark.parametrize("which", ["index.sqlite3", "search.sqlite3"])
async def test_an_index_that_breaks_while_in_use_is_mended(root: Path, which: str) -> None:
    async with make(root) as store:
        await killed.play(store)
        expected = await everything(store)
    async with make(root) as store:
        _garbage(root / which)
        assert differences(expected, await everything(store)) == {}
        await append(store, K1, note("later", 30, text="appointment again"))
        assert (await store.search("appointment again"))[0].entry == "later"
        assert await store.known([EntryId("later")]) == {"later"}


@pytest.mark.parametrize("table", ["records", "lines", "deliveries"])
async def test_a_row_that_means_nothing_is_mended_while_in_use(root: Path, table: str) -> None:
    """SQLite keeps no checksums: a page can be damaged and still be read well."""
    async with make(root) as store:
        await killed.play(store)
        expected = await everything(store)
        column = "snapshot" if table == "records" else "body"
        with closing(sqlite3.connect(root / "index.sqlite3")) as db, db:
            assert db.execute(f"UPDATE {table} SET {column} = x'c1ff'").rowcount
        assert differences(expected, await everything(store)) == {}


async def test_revisions_go_on_after_a_restart(root: Path) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
        revision = (await store.changed(None)).revision
        await append(store, K2, received("e2", conversation="c2"))
    async with make(root) as store:
        assert (await store.changed(revision)).customers == (K2,)


# -- the disk refuses --------------------------------------------------------------------------------------


@contextmanager
def refusing(name: str, first: int, last: int, error: int) -> Iterator[list[int]]:
    """Let the ``first`` to ``last`` call of one function of ``os`` fail."""
    real = getattr(os, name)
    calls = [0]

    def refuse(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if first <= calls[0] <= last:
            raise OSError(error, os.strerror(error))
        return real(*args, **kwargs)

    setattr(os, name, refuse)
    try:
        yield calls
    finally:
        setattr(os, name, real)


async def refused(store: EmbeddedStore, record: CustomerId, entry: AnyEntry) -> StoreFault | None:
    try:
        await append(store, record, entry)
    except StoreFault as fault:
        assert await store.known([entry.id]) == frozenset()
        return fault
    return None


@pytest.mark.parametrize(("name", "error"), [("write", errno.ENOSPC), ("fsync", errno.EIO), ("replace", errno.EROFS)])
@pytest.mark.parametrize("lasting", [False, True])
async def test_a_refusing_disk_changes_nothing(root: Path, name: str, error: int, lasting: bool) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
        met = 0
        for number in range(1, 20):
            fresh = note(f"n{number}", number)
            with refusing(name, number, 10_000 if lasting else number, error) as calls:
                faults = [
                    fault
                    for record, entry in ((K1, fresh), (K2, received(f"x{number}", conversation="c2")))
                    for fault in [await refused(store, record, entry)]
                    if fault is not None
                ]
                if not faults:
                    assert calls[0] < number
                    break
                met += 1
                assert all(fault.hint for fault in faults)
            assert (await append(store, K1, fresh)).count == number + 1
            await append(store, K2, received(f"x{number}", conversation="c2"))
        assert met >= 1
        expected = await answers(store, killed.RECORDS, NAMES)
    for lost in ("index.sqlite3", "search.sqlite3"):
        (root / lost).unlink()
    async with make(root) as store:
        assert differences(expected, await answers(store, killed.RECORDS, NAMES)) == {}


async def test_an_index_that_cannot_grow_loses_nothing(store: EmbeddedStore) -> None:
    memory = MemoryStore(SystemClock(), SystemRandomness())
    texts = [note(f"e{number}", number, conversation=f"c{number}", text="x" * 2000) for number in range(60)]

    def pages_allowed(count: int) -> None:
        store._engine.index._db.execute(f"PRAGMA max_page_count = {count}")

    await append(memory, K1, texts[0])
    await append(store, K1, texts[0])
    await store._write("limit the index", pages_allowed, 1)
    for entry in texts[1:]:
        await append(memory, K1, entry)
        try:
            await append(store, K1, entry)
        except StoreFault:
            break
    else:
        raise AssertionError("the index could grow")
    with pytest.raises(StoreFault, match="No space left"):
        await append(store, K2, received("other"))
    assert len(await store.lines("all", ANA, limit=1000)) >= 1
    assert (await store.health()).index_behind >= 1
    await store._write("free the index", pages_allowed, 1_000_000)
    for entry in texts[1:]:
        await append(memory, K1, entry)
        await append(store, K1, entry)
    names = [entry.id for entry in texts]
    expected = await answers(memory, ("k1",), names)
    assert differences(expected, await answers(store, ("k1",), names)) == {}


async def test_nothing_is_acknowledged_that_the_disk_refused(store: EmbeddedStore) -> None:
    for name in ("write", "fsync", "replace"):
        with refusing(name, 1, 100, errno.ENOSPC):
            for call in (
                store.spool(batch(f"b{name}", "1")),
                store.save_draft(draft("x", 1)),
                store.put_blob(K1, name.encode()),
                *([] if name == "replace" else [store.audit(AuditLine(NOON, ANA, True, "x"))]),
            ):
                with pytest.raises(StoreFault, match="Nothing was changed") as caught:
                    await call
                assert "space" in caught.value.hint
    assert await store.spooled() == []
    assert await store.cursor(batch("x").account) is None
    assert await store.audited() == []
    await store.spool(batch("b", "1"))
    assert await store.spooled() == ["b"]


# -- threads -----------------------------------------------------------------------------------------------


async def test_a_caller_that_gives_up_leaves_the_store_whole(store: EmbeddedStore) -> None:
    memory = MemoryStore(SystemClock(), SystemRandomness())
    for number in range(30):
        task = asyncio.ensure_future(append(store, K1, note(f"e{number}", number)))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for number in range(30):
        await append(store, K1, note(f"e{number}", number))
        await append(memory, K1, note(f"e{number}", number))
    page, expected = await store.history(K1), await memory.history(K1)
    assert page is not None
    assert expected is not None
    assert ids(page.entries) == ids(expected.entries)
    assert page.customer.conversations[0].last_at == expected.customer.conversations[0].last_at


async def test_closing_ends_a_wait(root: Path) -> None:
    store = make(root)
    await store.open()
    await append(store, K1, received("e1"), merged("m1", K2))
    revision = (await store.changed(None)).revision
    waiting = asyncio.ensure_future(store.wait_changed(revision, 60))
    while not store._waiters._waiting:
        await asyncio.sleep(0.001)
    await store.aclose()
    assert (await asyncio.wait_for(waiting, DEADLINE)).customers == ()
