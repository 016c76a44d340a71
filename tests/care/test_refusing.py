"""Restores that must not happen, or that fail on the way: hostile backups, two at once, full disks, others' stores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentconsole.domain.model import CustomerId
from agentconsole.errors import StoreBusy, StoreFault, UsageError
from agentconsole.store.care import layout, manifest
from agentconsole.store.care import restore as module
from agentconsole.store.care.check import check
from agentconsole.store.care.writing import NewFiles
from agentconsole.testing.entries import received
from tests.care.places import acting, copied, filled, opt_out, put_back, tree
from tests.folders import quick_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder("acr-") as found:
        yield found


def extended(folder: Path, path: str, data: bytes = b"") -> None:
    """Let a backup's manifest name one more file, as somebody with bad intentions would."""
    import hashlib

    found = manifest.read(folder)
    (folder / manifest.NAME).unlink()
    writer = manifest.Writer(folder, found.start)
    for kept in (*found.files, manifest.Kept(path, len(data), hashlib.sha256(data).hexdigest())):
        writer.add(kept)
    writer.finish(found.whole.ended, len(found.files) + 1, 0, 2, 23)
    writer.close()


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", "a\0b", "", ".", "a//b", "restoring.json", "index.sqlite3", "run/token"]
)
def test_a_manifest_that_names_what_no_backup_holds_is_refused(folder: Path, monkeypatch, path: str):
    store = filled(folder, monkeypatch)
    before = tree(store)
    copied(store, folder / "b")
    extended(folder / "b", path)
    for partial in (False, True):
        with pytest.raises(StoreFault, match="cannot be trusted"):
            put_back(folder / "b", store, partial=partial)
    assert tree(store) == before
    assert sorted(os.listdir(folder)) == ["b", "store"]


def test_a_pipe_or_a_folder_in_the_place_of_a_file_holds_nothing_up(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")
    pipe = next((folder / "b").glob("blobs/*/*/*"))
    inner = next((folder / "b").glob("customers/*/k2.json"))
    pipe.unlink()
    os.mkfifo(pipe)
    inner.unlink()
    inner.mkdir()
    with pytest.raises(module.BackupDamaged):
        put_back(folder / "b", store)
    pipe.unlink()
    found = put_back(folder / "b", store, partial=True)
    assert {why for _, why in found.damaged} == {"it is gone", "it is no file"}


def test_what_changes_after_it_was_verified_is_not_restored(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    before = tree(store)
    copied(store, folder / "b")
    verify = module._verify

    def change(*arguments):
        found = verify(*arguments)
        next((folder / "b").glob("customers/*/k2.json")).write_bytes(b"{}")
        return found

    monkeypatch.setattr(module, "_verify", change)
    with pytest.raises(module.BackupDamaged, match="changed while"):
        put_back(folder / "b", store)
    assert tree(store) == before


def test_a_disk_that_is_full_gets_back_what_a_restore_took(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    before = tree(store)
    copied(store, folder / "b")
    put = NewFiles.put

    def full(self, path: str, data: bytes) -> bool:
        if path.startswith("blobs"):
            raise OSError(28, "No space left on device")
        return put(self, path, data)

    with monkeypatch.context() as patch:
        patch.setattr(NewFiles, "put", full)
        with pytest.raises(StoreFault, match="No space left"):
            put_back(folder / "b", store)
    assert sorted(os.listdir(folder)) == ["b", "store"]
    assert tree(store) == before
    put_back(folder / "b", store)


@pytest.mark.parametrize("there", [False, True])
def test_two_restores_do_not_mix(folder: Path, monkeypatch, there: bool):
    """Into the same place, also where nothing lies yet."""
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")
    target = store if there else folder / "new"
    build = module._Building.run
    second: list[str] = []

    def run(self, *arguments) -> None:
        build(self, *arguments)
        monkeypatch.setattr(module._Building, "run", build)
        with pytest.raises(StoreBusy) as told:
            put_back(folder / "b", target)
        second.append(told.value.message)

    monkeypatch.setattr(module._Building, "run", run)
    put_back(folder / "b", target)
    assert "Another restore" in second[0]
    assert [one for one in check(target).findings if one.harm] == []


def test_a_store_of_other_people_is_not_replaced(folder: Path, monkeypatch):
    store, other = filled(folder, monkeypatch), folder / "other"
    copied(store, folder / "b")

    async def nobody(_) -> None:
        return

    acting(other, nobody)
    put_back(folder / "b", other)  # it was made and holds nobody yet
    shutil.rmtree(other)
    acting(other, lambda found: found.change(CustomerId("kforeign"), lambda _: [received("f1"), opt_out("f2")]))
    before = tree(other)
    with pytest.raises(UsageError, match="another store"):
        put_back(folder / "b", other)
    assert tree(other) == before


def test_a_mount_is_not_replaced(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")
    monkeypatch.setattr(module.os.path, "ismount", lambda path: Path(path) == store)
    with pytest.raises(UsageError, match="mounted"):
        put_back(folder / "b", store)


def test_root_makes_no_files_in_the_store_of_another_account(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")
    if os.geteuid() == 0:
        os.chown(store, 12345, -1)
    monkeypatch.setattr(layout.os, "geteuid", lambda: 0)
    (store / "care.lock").unlink()
    for act in (lambda: copied(store, folder / "b2"), lambda: put_back(folder / "b", store), lambda: check(store)):
        with pytest.raises(UsageError, match="belongs to"):
            act()
    assert not (store / "care.lock").exists()
    assert sorted(os.listdir(folder)) == ["b", "store"]


def test_where_two_folders_cannot_be_exchanged_the_ledgers_are_not_forgotten(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    copied(store, folder / "b")
    monkeypatch.setattr(module.ctypes, "CDLL", lambda *_args, **_named: object())
    with pytest.raises(StoreFault) as told:
        put_back(folder / "b", store)
    assert "--ledger" in told.value.hint
    assert sorted(os.listdir(folder)) == ["b", "store"]


def test_who_may_not_read_a_store_is_told_so(folder: Path, monkeypatch):
    """Another account in place of the hub's, and a single file that somebody else made."""
    store = filled(folder, monkeypatch)
    read = Path.read_bytes
    mine = next(store.glob("customers/*/k2.json"))

    def reading(path: Path) -> bytes:
        if path == mine:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", reading)
        assert ["may not read" in one.what for one in check(store, files_only=True).findings] == [True]
        with pytest.raises(StoreFault, match=r"Permission denied \(.*k2\.json\)"):
            copied(store, folder / "b")

    def refuse(*_arguments: object, **_named: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    for act in (lambda: check(store), lambda: copied(store, folder / "b2")):
        with pytest.raises(UsageError, match="may not read"):
            act()
