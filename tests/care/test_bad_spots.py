"""Files that the disk cannot read any more, and files that no store made: everything else goes on."""

from __future__ import annotations

import asyncio
import builtins
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentconsole.errors import ReadOnly, StoreFault
from agentconsole.store.care.check import check
from agentconsole.store.embedded import accepting, files
from agentconsole.testing.entries import note
from tests.care.places import K1, K2, acting, append, copied, filled, opened, put_back
from tests.folders import quick_folder


@pytest.fixture
def store(monkeypatch) -> Iterator[Path]:
    with quick_folder("acs-") as folder:
        yield filled(folder, monkeypatch)


def spoil(monkeypatch, *paths: Path) -> None:
    """Let the disk refuse to read some files, as one with bad sectors does."""
    read = Path.read_bytes

    def reading(path: Path) -> bytes:
        if path in paths:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return read(path)

    def opening(path, *arguments, **named):
        if path in paths:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return builtins.open(path, *arguments, **named)

    monkeypatch.setattr(Path, "read_bytes", reading)
    monkeypatch.setattr(files, "open", opening, raising=False)


def test_bad_spots_end_neither_a_check_nor_a_backup(store: Path, monkeypatch):
    blob, volume = next(store.glob("blobs/*/*/*")), next(store.glob("customers/*/k1.m00001.json"))
    other = next(store.glob("customers/*/k2.json"))
    lost = {str(path.relative_to(store)) for path in (blob, volume, other)}
    with monkeypatch.context() as patch:
        spoil(patch, blob, volume, other)
        findings = check(store, files_only=True).findings
        backup = copied(store, store.parent / "b")
    assert {one.path for one in findings if one.harm} == lost
    assert all("cannot read" in one.what for one in findings if one.harm)
    assert lost <= {kept.path for kept in backup.damaged}
    put_back(store.parent / "b", store.parent / "new")
    assert {one.customer for one in check(store.parent / "new").findings if one.harm} == {K1, K2}


def test_a_bad_spot_is_one_customers_problem_until_it_can_be_read(store: Path, monkeypatch):
    head = next(store.glob("customers/*/k2.json"))
    (store / "index.sqlite3").unlink()

    async def look() -> None:
        with monkeypatch.context() as patch:
            spoil(patch, head, head.with_name("k2.json.prev"))
            async with opened(store) as found:
                assert (await found.health()).read_only == (K2,)
                assert await found.snapshot(K1) is not None
                assert [damage.record for damage in await found.damaged()] == [K2]
                assert accepting.as_it_is(head, K2) is None
        async with opened(store) as found:
            assert (await found.health()).read_only == ()
            await append(note("n99", 99), record=K2)(found)

    asyncio.run(look())


def test_a_disk_that_refuses_everything_damages_nobody(store: Path, monkeypatch):
    """Too many open files is no damage of the customer whose file was asked for."""
    head = next(store.glob("customers/*/k2.json"))

    def refuse(*_arguments, **_named):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(OSError, match="Too many"):
        accepting.as_it_is(head, K2)


def test_files_that_no_store_made_hinder_nothing(store: Path):
    (store / "customers" / ".DS_Store").write_text("x")
    (store / "customers" / "00").mkdir(exist_ok=True)
    (store / "customers" / "00" / "k1 (copy).json").write_text("{}")
    Path(os.fsdecode(os.fsencode(store) + b"/caf\xe9")).write_text("x")
    (store / "two\nlines").write_text("x")
    told = [one for one in check(store).findings if one.what == "no file of a store"]
    assert len(told) == 4
    assert not any(one.harm for one in told)
    backup = copied(store, store.parent / "b")
    assert sorted(kept.path for kept in backup.damaged) == ["caf\\udce9", "two\\nlines"]
    put_back(store.parent / "b", store.parent / "new")
    for form in (2, 1):

        async def look(found) -> None:
            assert (await found.health()).read_only == ()
            assert (await found.health()).customers == 2

        acting(store, look)
        if form == 2:
            card = store / "store.toml"
            card.write_text("\n".join(card.read_text().replace("format = 2", "format = 1").splitlines()[:2]) + "\n")


async def test_a_bad_spot_that_is_met_while_the_hub_runs_stops_that_customer_only(store: Path, monkeypatch):
    head = next(store.glob("customers/*/k2.json"))
    async with opened(store) as found:
        found._engine.forget_hot(K2)
        with monkeypatch.context() as patch:
            spoil(patch, head)
            with pytest.raises(StoreFault, match="Input/output error") as told:
                await append(note("n98", 98), record=K2)(found)
            assert not isinstance(told.value, ReadOnly)
            await append(note("n97", 97), record=K1)(found)
        await append(note("n98", 98), record=K2)(found)
