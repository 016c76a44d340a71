"""What only the embedded store promises of care: leftovers, ledgers, damage taken back, its place, a refusing disk."""

from __future__ import annotations

import asyncio
import errno
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from agentconsole.domain.entries import AnyEntry, ConsentChanged
from agentconsole.domain.model import (
    ConversationId,
    CustomerId,
    Draft,
    EntryId,
    Medium,
    Snapshot,
)
from agentconsole.errors import NotFound, ReadOnly, StoreFault, TryLater
from agentconsole.ports import AuditLine
from agentconsole.seams import Steps, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore, care_lock, place
from agentconsole.store.embedded.ledger import (
    ConsentLedger,
    ErasureLedger,
    united_consents,
    united_erasures,
)
from agentconsole.store.erasure import Gone
from agentconsole.testing.entries import EMILY, NOON, minute, note, received, reply
from agentconsole.testing.store_contract import append, batch
from tests.folders import quick_folder
from tests.store import cared, killed
from tests.store.test_embedded import head_of, make, refusing

K1, K2 = CustomerId("k1"), CustomerId("k2")


@pytest.fixture
def root() -> Iterator[Path]:
    with quick_folder("aca-") as folder:
        yield folder / "store"


@pytest.fixture
async def store(root: Path) -> AsyncIterator[EmbeddedStore]:
    async with make(root) as store:
        yield store


def stop(name: str, at: float = 0, *, allowed: bool = False, words: str = "stop") -> ConsentChanged:
    return ConsentChanged(id=EntryId(name), at=minute(at), medium=Medium("email"), allowed=allowed, words=words)


def nothing(_: Snapshot) -> Sequence[AnyEntry]:
    return ()


# -- erasing -----------------------------------------------------------------------------------------------


async def test_rests_of_crashes_and_damage_are_erased_too(root: Path) -> None:
    async with make(root) as store:
        await cared.fill(store)
    [head] = root.glob(f"customers/*/{cared.GONE}.json")
    for rest in (f"{head.name}.tmp", f"{head.name}.damaged-1", f"{head.stem}.m00009.json", f"{head.name}.prev"):
        head.with_name(rest).write_text(cared.SECRET)
    drafts = root / "drafts" / "ana"
    (drafts / "cvanish.json.damaged").write_text(cared.SECRET)
    (drafts / "cvanish.note.json").write_text("{" + cared.SECRET)
    (drafts / "elsewhere.json.damaged").write_text(f'{{"customer":"{cared.GONE}","text":"{cared.SECRET}')
    for folder in ("audit", "spool", "spool/aside", "ledger", "drafts/ben"):
        (root / folder / "rest.tmp").write_text(cared.SECRET)
    [blobs] = root.glob(f"blobs/*/{cared.GONE}")
    (blobs / "half.tmp").write_text(cared.SECRET)
    async with make(root) as store:
        await store.erase(cared.TWIN)
        assert await asyncio.to_thread(cared.remains, root, cared.PERSON) == []


async def test_a_damaged_customer_can_be_erased(root: Path) -> None:
    await cared.edited(root)
    async with make(root) as store:
        await store.history(cared.GONE)
        assert cared.GONE in (await store.health()).read_only
        await store.erase(cared.GONE)
        await store.accept(cared.OTHER, previous=False, decide=nothing)
        await store.rewrite(cared.OTHER, lambda entry: None if entry.id.startswith("other") else entry, nothing)
        assert (await store.health()).read_only == ()
        assert await asyncio.to_thread(cared.remains, root, cared.PERSON) == []
        assert await store.known([EntryId("evanish1")]) == {"evanish1"}


async def test_an_erasure_survives_the_loss_of_everything_derived(root: Path) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"), stop("s1"))
        await store.erase(K1)
        hashes = (root / "ledger" / "erased.jsonl").read_text()
        assert "k1" not in hashes
        assert '"e1"' not in hashes
    shutil.rmtree(root / "customers")
    (root / "customers").mkdir()
    (root / "index.sqlite3").unlink()
    async with make(root) as store:
        assert (await append(store, K2, received("e1"))).count == 0


async def test_nothing_is_removed_while_a_backup_is_under_way(root: Path, store: EmbeddedStore) -> None:
    await append(store, K1, received("e1"))
    with care_lock.keeping(root):
        for act in (store.erase(K1), store.rewrite(K1, lambda entry: entry, nothing)):
            with pytest.raises(TryLater, match="copied"):
                await act
    assert await store.known([EntryId("e1")]) == {"e1"}
    assert (await store.erase(K1)).entries == 1


# -- a refusing disk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["rewrite", "erase"])
@pytest.mark.parametrize(("name", "error"), [("write", errno.ENOSPC), ("fsync", errno.EIO), ("replace", errno.EROFS)])
async def test_a_disk_that_refuses_only_delays(root: Path, act: str, name: str, error: int) -> None:
    words = cared.WORDS if act == "rewrite" else cared.PERSON
    refused = 0
    for call in range(1, 60, 3):
        where = root.with_name(f"store{call}")
        async with killed.make(where) as store:
            await cared.fill(store)
            with refusing(name, call, call, error) as calls:
                try:
                    await cared.SCENES[act][1](store)
                except StoreFault:
                    refused += 1
            if calls[0] < call:
                break
            await append(store, cared.OTHER, note("between", 70))
            await cared.SCENES[act][1](store)
            assert await asyncio.to_thread(cared.remains, where, words) == []
            assert (await store.health()).read_only == ()
            assert await store.search("quokkaxqzjw") == []
            assert await store.entry(EntryId("between")) is not None
    assert refused >= 1


async def test_a_consent_that_the_ledger_could_not_keep_is_not_acknowledged(root: Path, store: EmbeddedStore) -> None:
    await append(store, K1, received("e1"), stop("s0", allowed=True))
    before = (root / "ledger" / "consents.jsonl").read_bytes()
    with refusing("fsync", 1, 1, errno.ENOSPC), pytest.raises(StoreFault):
        await append(store, K1, stop("s1", 1))
    assert await store.known([EntryId("s1")]) == frozenset()
    assert (root / "ledger" / "consents.jsonl").read_bytes() == before
    after = await append(store, K1, stop("s1", 1))
    assert not after.consents["email|all"].allowed
    assert (root / "ledger" / "consents.jsonl").read_bytes().count(b"\n") == 2


# -- ledgers -----------------------------------------------------------------------------------------------


def ledger_of(path: Path, *records: str) -> ErasureLedger:
    ledger = ErasureLedger(path)
    for record in records:
        lost = Gone((CustomerId(record),), (EntryId(f"e-{record}"),))
        ledger.add(lost, NOON, SystemRandomness(), Steps())
    return ledger


def test_an_erasure_ledger_forgets_only_the_line_that_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "erased.jsonl"
    ledger_of(path, "k1", "k2")
    with open(path, "ab") as file:
        file.write(b'{"at":"2026-03-0')
    ledger_of(path, "k3", "k1")
    again = ErasureLedger(path)
    assert [again.has_record(CustomerId(f"k{n}")) for n in range(1, 5)] == [True, True, True, False]
    assert [again.has_entry(EntryId(f"e-k{n}")) for n in range(1, 5)] == [True, True, True, False]
    assert path.read_bytes().count(b'"records"') == 3


def test_united_ledgers_know_what_each_knows(tmp_path: Path) -> None:
    one, other, same = tmp_path / "one", tmp_path / "other", tmp_path / "same"
    ledger_of(one, "k1", "k2")
    shutil.copy(one, same)
    ledger_of(same, "k3")
    ledger_of(other, "k4")
    united = tmp_path / "united"
    united.write_bytes(united_erasures(one, other, same, tmp_path / "none"))
    found = ErasureLedger(united)
    assert all(found.has_record(CustomerId(f"k{n}")) and found.has_entry(EntryId(f"e-k{n}")) for n in range(1, 5))
    assert not found.has_record(CustomerId("k5"))
    assert united.read_bytes().count(b"\n") == 4
    assert united_erasures(tmp_path / "none") == b""


def test_united_consents_hold_every_word_once(tmp_path: Path) -> None:
    steps = Steps()
    one, other = ConsentLedger(tmp_path / "one"), ConsentLedger(tmp_path / "other")
    one.note(K1, (stop("s1"), note("n1")), steps)
    one.note(K1, (stop("s1"), stop("s2")), steps)
    other.note(K1, (stop("s2", words="other"), stop("s3")), steps)
    other.note(K2, (stop("s4"),), steps)
    with open(tmp_path / "other", "ab") as file:
        file.write(b'{"record":"k1"')
    (tmp_path / "united").write_bytes(united_consents(tmp_path / "one", tmp_path / "other", tmp_path / "none"))
    united = ConsentLedger(tmp_path / "united")
    assert united.of(K1) == [stop("s1"), stop("s2", words="other"), stop("s3")]
    assert united.of(K2) == [stop("s4")]
    assert (tmp_path / "one").read_bytes().count(b"\n") == 2


# -- damage taken back -------------------------------------------------------------------------------------


async def test_a_file_changed_by_hand_is_taken_as_it_is(root: Path) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1", text="move my appointment"), note("n1", 1, text="her word"))
        await append(store, K1, note("n2", 2))
        await store.seen(K1, cared.ANA, minute(1))
        assert [hit.entry for hit in await store.search("appointment")] == ["e1"]
    path = head_of(root, "k1")
    edited = (
        path.read_bytes().replace(b"move my appointment", b"move my engagement!!").replace(b'"note"', b'"nonsense"', 1)
    )
    path.write_bytes(edited)
    async with make(root) as store:
        [damage] = await store.damaged()
        assert (damage.record, damage.entries, damage.previous) == (K1, 2, 3)
        assert "checksum" in damage.why
        with pytest.raises(ReadOnly):
            await append(store, K1, note("n3"))
        seen: list[int] = []

        def decide(snapshot: Snapshot) -> Sequence[AnyEntry]:
            seen.append(snapshot.count)
            return (note("n4", 4), note("n1", 1))

        after = await store.accept(K1, previous=False, decide=decide)
        assert seen == [2]
        page = await store.history(K1)
        assert page is not None
        assert {entry.id for entry in page.entries} == {"e1", "n2", "n4", "n1"}
        assert page.customer.conversations[0].preview == "move my engagement!!"
        assert after.count == 4
        assert await store.search("appointment") == []
        assert [hit.entry for hit in await store.search("engagement")] == ["e1"]
        assert list(await store.damaged()) == []
        assert (await append(store, K1, note("n5", 5))).count == 5
        assert path.with_name(f"{path.name}.damaged-1").read_bytes() == edited
        with pytest.raises(NotFound, match="not damaged"):
            await store.accept(K1, previous=False, decide=nothing)
        await store.erase(K1)
        assert list(path.parent.glob("k1*")) == []


async def test_the_generation_before_forgets_no_opt_out(root: Path) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"), stop("s0", allowed=True))
        await append(store, K1, reply("r1", 1))
        await append(store, K1, stop("s1", 2))
    path = head_of(root, "k1")
    path.write_bytes(path.read_bytes()[:100])
    async with make(root) as store:
        [damage] = await store.damaged()
        assert (damage.entries, damage.previous) == (-1, 3)
        with pytest.raises(NotFound, match="can be read"):
            await store.accept(K1, previous=False, decide=nothing)

        def decide(snapshot: Snapshot) -> Sequence[AnyEntry]:
            assert not snapshot.consents["email|all"].allowed
            return (note("n1", 3), stop("s9", 4))

        after = await store.accept(K1, previous=True, decide=decide)
        assert after.count == 6
        assert await store.known([EntryId(name) for name in ("e1", "r1", "s0", "s1", "n1", "s9")]) == {
            *("e1", "r1", "s0", "s1", "n1", "s9")
        }
    assert path.with_name(f"{path.name}.damaged-1").stat().st_size == 100
    (root / "index.sqlite3").unlink()
    async with make(root) as store:
        assert await store.snapshot(K1) == after


async def test_a_file_of_somebody_else_or_of_a_newer_version_is_not_taken(root: Path) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
        await append(store, K2, received("e2", conversation="c2"))
    one, two = head_of(root, "k1"), head_of(root, "k2")
    one.write_bytes(two.read_bytes())
    two.write_bytes(two.read_bytes().replace(b'"schema":1', b'"schema":9'))
    async with make(root) as store:
        for damage in await store.damaged():
            assert (damage.entries, damage.previous) == (-1, -1)
            for previous in (True, False):
                with pytest.raises(NotFound):
                    await store.accept(damage.record, previous=previous, decide=nothing)
        assert (await store.health()).read_only == (K1, K2)


async def test_what_decide_raises_leaves_the_damage_as_it_was(root: Path) -> None:
    await cared.edited(root)
    before = {path: path.read_bytes() for path in root.glob("customers/*/*")}

    def refuse(_: Snapshot) -> Sequence[AnyEntry]:
        raise ValueError("not now")

    async with killed.make(root) as store:
        with pytest.raises(ValueError, match="not now"):
            await store.accept(cared.GONE, previous=False, decide=refuse)
        assert cared.GONE in (await store.health()).read_only
    assert {path: path.read_bytes() for path in root.glob("customers/*/*")} == before


# -- the place ---------------------------------------------------------------------------------------------


async def origin_of(root: Path) -> str:
    async with make(root) as store:
        return await store.origin()


def _tarred(source: Path, target: Path) -> None:
    packed = target.with_suffix(".tar")
    with tarfile.open(packed, "w") as file:
        file.add(source, target.name)
    with tarfile.open(packed) as file:
        file.extractall(target.parent, filter="tar")


COPIES: dict[str, Callable[[Path, Path], object]] = {
    "cp -a": lambda source, target: subprocess.run(["cp", "-a", str(source), str(target)], check=True),
    "copytree": shutil.copytree,
    "tar": _tarred,
}


@pytest.mark.parametrize("how", COPIES)
async def test_a_copy_says_so_until_somebody_adopts_it(root: Path, how: str) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
        assert await store.origin() == ""
    copy = root.with_name("copy")
    await asyncio.to_thread(COPIES[how], root, copy)
    assert await origin_of(root) == ""
    assert await origin_of(copy) == "copied"
    async with make(copy) as store:
        assert await store.origin() == "copied"
        await store.adopt()
        assert await store.origin() == ""
    assert await origin_of(copy) == ""


async def test_a_folder_that_was_moved_is_the_same_store(root: Path) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
    moved = root.with_name("moved")
    root.rename(moved)
    for _ in range(2):
        assert await origin_of(moved) == ""


async def test_another_machine_is_another_place(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = tmp_path / "machine-id"
    monkeypatch.setattr(place, "_MACHINE_IDS", (tmp_path / "none", machine))
    assert await origin_of(root) == ""
    machine.write_text("one\n")
    assert await origin_of(root) == "", "a store that was made where machines have no id"
    async with make(root) as store:
        await store.adopt()
    assert await origin_of(root) == ""
    machine.write_text("other\n")
    assert await origin_of(root) == "copied"
    machine.write_text("")
    assert await origin_of(root) == "", "a machine without an id is no reason for alarm"
    assert "one" not in (root / "store.toml").read_text()


async def test_a_restored_store_says_so(root: Path) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
    await asyncio.to_thread(place.mark_restored, root)
    for _ in range(2):
        assert await origin_of(root) == "restored"
    async with make(root) as store:
        await store.adopt()
    assert await origin_of(root) == ""


async def test_a_restored_store_of_an_old_format_says_so(root: Path) -> None:
    await cared.old(root)
    await asyncio.to_thread(place.mark_restored, root)
    assert (await asyncio.to_thread(place.read, root)).format == 1
    assert await origin_of(root) == "restored"
    assert (await asyncio.to_thread(place.read, root)).format == place.FORMAT


@pytest.mark.parametrize("text", ["format = 0\nuuid = 'x'\n", "format = 'two'\n", "uuid = 'x'\n", "\x00"])
async def test_a_card_that_makes_no_sense_is_left_alone(root: Path, text: str) -> None:
    async with make(root) as store:
        await append(store, K1, received("e1"))
    (root / "store.toml").write_text(text)
    with pytest.raises(StoreFault) as caught:
        await make(root).open()
    assert caught.value.hint
    assert (root / "store.toml").read_text() == text


# -- beside changes ----------------------------------------------------------------------------------------


async def test_reading_goes_on_while_records_are_rewritten(store: EmbeddedStore) -> None:
    await append(store, K1, *(note(f"n{n}", n, text=f"word {n}") for n in range(60)))
    await append(store, K2, received("e2", conversation="c2", text="appointment"))
    ended = asyncio.Event()

    async def read() -> int:
        count = 0
        while not ended.is_set():
            page = await store.history(K1)
            assert page is not None
            assert all(getattr(entry, "text", "").startswith(("word", "gone")) for entry in page.entries)
            assert len(page.entries) >= 50
            assert [hit.entry for hit in await store.search("appointment")] == ["e2"]
            count += 1
        return count

    reader = asyncio.ensure_future(read())
    for number in range(10):

        def rewrite(entry: AnyEntry, gone: str = f"n{number}") -> AnyEntry | None:
            return None if entry.id == gone else msgspec.structs.replace(entry, text=f"gone {gone}")

        await store.rewrite(K1, rewrite, nothing)
    ended.set()
    assert await reader >= 1
    assert (await store.health()).read_only == ()


async def test_what_waits_in_the_spool_is_the_callers(store: EmbeddedStore) -> None:
    await append(store, K1, received("e1"))
    await store.spool(batch("one", "1"))
    await store.save_draft(Draft(cared.ANA, K2, ConversationId("c9"), "other", 1, NOON))
    await store.audit(AuditLine(NOON, cared.ANA, True, "found", K2, f"by {EMILY.value}"))
    await store.erase(K1)
    assert await store.spooled() == ["one"]
    assert len(await store.drafts(cared.ANA)) == 1
    [line] = await store.audited()
    assert (line.customer, line.detail) == ("", "")


async def test_a_migration_reads_the_opt_outs_of_damaged_records_too(root: Path) -> None:
    await cared.old(root)
    one, two = head_of(root, "k1"), head_of(root, "k2")
    one.write_bytes(one.read_bytes()[:500])
    two.unlink()
    async with make(root) as store:
        consents = store._engine.consents
        assert [entry.id for entry in consents.of(K1)] == ["x2"]
        assert [entry.id for entry in consents.of(K2)] == ["x1"]
        assert sorted(consents.records()) == ["k1", "k2", "k4"]
        assert {damage.record for damage in await store.damaged()} == {K1, K2}
