"""Backup and restore of a closed store: what is copied, refused, applied again, and death on the way."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from pathlib import Path

import pytest

from agentconsole.domain.entries import Redacted
from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.errors import NotFound, StoreBusy, StoreFault, TryLater, UsageError
from agentconsole.store.care import manifest
from agentconsole.store.care.check import check
from agentconsole.store.care.restore import BackupDamaged
from agentconsole.store.embedded.care_lock import keeping, removing
from agentconsole.testing.entries import NOON, merged, note, received, reply
from tests.care.places import K1, K2, acting, append, copied, filled, forked, opened, opt_out, put_back, tree
from tests.folders import quick_folder


@pytest.fixture
def folder():
    with quick_folder("acb-") as found:
        yield found


def harm(root: Path) -> list[str]:
    return [f"{one.path}: {one.what}" for one in check(root).findings if one.harm]


def test_a_backup_holds_every_byte_that_a_restore_needs(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    found = copied(store, folder / "backup")
    assert (found.customers, found.entries, found.damaged) == (2, 23, ())
    kept = {path: data for path, data in tree(folder / "backup").items() if path != manifest.NAME}
    assert kept == {path: data for path, data in tree(store).items() if not path.endswith(".prev")}
    for path in (folder / "backup").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    put_back(folder / "backup", folder / "new")
    assert harm(folder / "new") == []

    async def look() -> None:
        async with opened(folder / "new") as new, opened(store) as old:
            assert await new.origin() == "restored"
            assert await new.history(K1) is not None
            assert (await new.history(K1)).entries == (await old.history(K1)).entries  # type: ignore[union-attr]
            assert await new.find_conversation("c2") == await old.find_conversation("c2")  # type: ignore[arg-type]

    asyncio.run(look())


def test_a_folder_that_is_in_use_is_refused(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    for target in (store / "backup", folder):
        with pytest.raises(UsageError):
            copied(store, target)
    copied(store, folder / "b")
    with pytest.raises(UsageError, match="not empty"):
        copied(store, folder / "b")
    with pytest.raises(NotFound):
        copied(folder / "nothing", folder / "c")
    (folder / "other").mkdir()
    (folder / "other" / "letter").write_text("mine")
    with pytest.raises(UsageError, match="no store"):
        put_back(folder / "b", folder / "other")


def test_a_backup_and_an_erasure_exclude_each_other(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    with removing(store), pytest.raises(TryLater):
        copied(store, folder / "b")
    with keeping(store):
        copied(store, folder / "b")

        async def erase() -> None:
            async with opened(store) as found:
                with pytest.raises(TryLater):
                    await found.erase(K2)
                assert await found.snapshot(K2) is not None

        asyncio.run(erase())


def test_no_restore_while_a_hub_runs(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")

    async def run() -> None:
        async with opened(store):
            with pytest.raises(StoreBusy):
                await asyncio.to_thread(put_back, folder / "b", store)

    asyncio.run(run())


def test_a_backup_that_was_broken_off_or_damaged_restores_nothing(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    before = tree(store)
    copied(store, folder / "b")
    shutil.copytree(folder / "b", folder / "cut")
    (folder / "cut" / manifest.NAME).unlink()
    with pytest.raises(StoreFault, match="no whole backup"):
        put_back(folder / "cut", store)
    (victim,) = (folder / "b").glob("customers/*/k2.json")
    data = bytearray(victim.read_bytes())
    data[40] ^= 4
    victim.write_bytes(data)
    with pytest.raises(BackupDamaged, match="k2"):
        put_back(folder / "b", store)
    assert tree(store) == before
    found = put_back(folder / "b", store, partial=True)
    assert [kept.customer for kept, _ in found.damaged] == ["k2"]
    assert any("k2" in told for told in harm(store))

    async def look() -> None:
        async with opened(store) as new:
            assert (await new.health()).read_only == (K2,)
            assert await new.snapshot(K1) is not None

    asyncio.run(look())
    manifest_file = folder / "b" / manifest.NAME
    manifest_file.write_bytes(manifest_file.read_bytes().replace(b'"size":', b'"size": ', 1))
    with pytest.raises(StoreFault, match="cannot be trusted"):
        put_back(folder / "b", store, partial=True)


@pytest.mark.parametrize("lost", [False, True], ids=["store there", "only its ledgers"])
def test_what_was_erased_stays_erased_and_later_opt_outs_hold(folder: Path, monkeypatch, lost: bool):
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")
    k3, somebody = CustomerId("k3"), received("e9", 20, text="new here")

    async def later(found) -> None:
        await found.erase(K2)
        await found.change(K1, lambda _: [opt_out("o1"), note("n77", 9, text="forget this")])
        await found.change(k3, lambda _: [somebody, opt_out("o3")])

    acting(store, later)
    if lost:
        shutil.copytree(store / "ledger", folder / "ledger")
        shutil.rmtree(store)
    found = put_back(folder / "b", store, ledgers=(folder / "ledger",) if lost else ())
    assert (found.reapplied.erased, found.reapplied.consents) == (1, 2)
    assert harm(store) == []
    assert not list(store.glob("*/*/k2*"))

    async def look() -> None:
        async with opened(store) as new:
            assert await new.snapshot(K2) is None
            assert await new.known([EntryId("e2")]) == {"e2"}
            assert await new.entry(EntryId("n77")) is None
            for record in (K1, k3):
                snapshot = await new.snapshot(record)
                assert snapshot is not None
                assert any(not consent.allowed for consent in snapshot.consents.values())
            assert await new.find(somebody.sender) in (K1, k3)

    asyncio.run(look())


def test_what_was_redacted_after_the_backup_is_redacted_again(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    acting(store, append(note("secret", 10, text="her number is 4111111111111111")))
    copied(store, folder / "b")

    async def redact(found) -> None:
        clean = note("secret", 10, text="")
        told = Redacted(id=EntryId("x1"), at=NOON, entry=EntryId("secret"), by="ana")  # type: ignore[arg-type]
        await found.rewrite(K1, lambda entry: clean if entry.id == "secret" else entry, lambda _: [told])

    acting(store, redact)
    assert put_back(folder / "b", store).reapplied.redacted == 1
    assert not [path for path, data in tree(store).items() if b"4111111111111111" in data]
    assert harm(store) == []


def test_an_opt_out_of_people_who_were_joined_later_holds_for_both(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    acting(store, append(reply("r9", 11)))
    copied(store, folder / "b")

    async def later(found) -> None:
        await found.change(K1, lambda _: [merged("m9", "k2", 12)])
        await found.change(K1, lambda _: [opt_out("o1")])

    acting(store, later)
    put_back(folder / "b", store)

    async def look() -> None:
        async with opened(store) as new:
            person = await new.customer(K2)
            assert person is not None
            assert set(person.members) == {K1, K2}

    asyncio.run(look())


def test_killed_at_every_border_a_backup_is_whole_or_visibly_not(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    before, killed = tree(store), 0
    for border in range(1, 100):
        target = folder / f"b{border}"

        def act(target: Path = target) -> None:
            from agentconsole.seams import SystemClock, steps_from_environment
            from agentconsole.store.care.backup import backup

            backup(store, target, clock=SystemClock(), steps=steps_from_environment())

        code = forked(act, border)
        if (target / manifest.NAME).exists():
            assert list(manifest.damaged(target, manifest.read(target))) == []
        elif target.exists():
            with pytest.raises(StoreFault):
                manifest.read(target)
        assert tree(store) == before
        if code == 0:
            break
        assert code == -9
        killed += 1
    assert killed >= 8


def test_killed_at_every_border_a_whole_store_lies_there_and_a_repeat_finishes(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")

    async def later(found) -> None:
        await found.erase(K2)
        await found.change(K1, lambda _: [opt_out("o1")])

    acting(store, later)
    shutil.copytree(store, folder / "spare")
    old = tree(store)
    killed = 0
    for border in range(1, 200):
        here = folder / f"{border:03}"
        shutil.copytree(folder / "spare", here / "store")
        code = forked(lambda: put_back(folder / "b", here / "store"), border)  # noqa: B023
        assert code in (0, -9)
        killed += code == -9
        if (here / "store" / "restoring.json").exists() or code == 0:
            assert harm(here / "store") == []
        else:
            assert tree(here / "store") in (old, final(here))
        found = put_back(folder / "b", here / "store")
        assert harm(here / "store") == []
        assert final(here).keys() >= {"ledger/consents.jsonl", "store.toml"}
        assert not list(here.glob("*.restoring"))
        assert not (here / "store" / "restoring.json").exists()
        kept = [path for path in here.iterdir() if ".before-restore-" in path.name]
        assert any(tree(path) == old for path in kept)
        assert found.reapplied.erased == 1
        assert b'"o1"' in b"".join(data for path, data in final(here).items() if path.endswith("/k1.json"))
        shutil.rmtree(here)
        if code == 0:
            break
    assert killed >= 20


def final(here: Path) -> dict[str, bytes]:
    return tree(here / "store")


def test_a_batch_that_comes_while_names_are_read_hides_no_earlier_one(folder: Path, monkeypatch):
    """The folder shows a later batch and not the one before: only what an earlier look saw is copied."""
    from agentconsole.store.care import backup as module
    from tests.store.killed import batch

    store = filled(folder, monkeypatch)

    async def more(found) -> None:
        for number in range(3, 6):
            await found.spool(batch(f"b{number}", str(number)))

    acting(store, more)
    names = sorted(path.name for path in (store / "spool").glob("*.batch"))
    looks = iter([names[:1], [names[0], names[2]]])
    monkeypatch.setattr(module._Backup, "_names", lambda _self, _folder: next(looks))
    copied(store, folder / "b")
    assert [path.name for path in (folder / "b" / "spool").glob("*.batch")] == names[:1]


def test_a_backup_of_a_damaged_store_says_so_and_keeps_the_generation_before(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    (victim,) = store.glob("customers/*/k1.json")
    victim.write_bytes(victim.read_bytes()[:-20])
    found = copied(store, folder / "b")
    assert [kept.customer for kept in found.damaged] == ["k1"]
    assert os.path.exists(folder / "b" / victim.parent.relative_to(store) / "k1.json.prev")
    put_back(folder / "b", folder / "new")
    assert (folder / "new" / victim.relative_to(store)).read_bytes() == victim.read_bytes()
