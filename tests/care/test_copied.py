"""A store whose files were copied over it in their own folder (``rsync -a OLD/ STORE/``) says that it was copied."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from agentconsole.testing.entries import note
from tests.care.places import K1, K2, acting, append, filled, forked, opened
from tests.folders import quick_folder


def synchronised(old: Path, store: Path) -> None:
    """Do what ``rsync -a --delete`` does: replace what differs, by a file beside it and a rename; keep the folders."""
    for path in sorted(store.rglob("*"), reverse=True):
        if path.is_file() and not (old / path.relative_to(store)).exists():
            path.unlink()
    for source in old.rglob("*"):
        target = store / source.relative_to(old)
        if source.is_dir():
            target.mkdir(exist_ok=True)
        elif not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copy2(source, target.with_name(f".{target.name}.rsync"))
            target.with_name(f".{target.name}.rsync").rename(target)


def origin(store: Path) -> str:
    async def ask() -> str:
        async with opened(store) as found:
            return await found.origin()

    return asyncio.run(ask())


def test_a_store_that_was_put_back_in_its_own_folder_says_so_until_it_is_adopted(monkeypatch):
    with quick_folder("acc-") as folder:
        store = filled(folder, monkeypatch)
        assert origin(store) == ""
        shutil.copytree(store, folder / "old")
        acting(store, append(note("n90", 90)))
        assert origin(store) == ""
        synchronised(folder / "old", store)
        for _ in range(2):
            assert origin(store) == "copied"
        acting(store, lambda found: found.adopt())
        assert origin(store) == ""


def test_a_hub_that_died_between_head_and_index_was_not_copied(monkeypatch):
    with quick_folder("acc-") as folder:
        store = filled(folder, monkeypatch)

        async def change(found) -> None:
            for number in range(3):
                for record in (K1, K2):
                    await append(note(f"n{record}{number}", 90 + number), record=record)(found)

        for border in range(1, 60):
            code = forked(lambda: acting(store, change, killable=True), border)
            assert origin(store) == "", border
            if code == 0:
                break
        assert code == 0
