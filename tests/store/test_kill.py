"""The store is killed at every border of every durable step. Nothing acknowledged is lost, a repeat of the whole
script leaves everything exactly once, and the index that lived through it equals one built from the files."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentconsole.domain.model import BlobId, CustomerId
from agentconsole.ports import Cursor
from agentconsole.seams import SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.memory import MemoryStore
from tests.store import killed
from tests.store.answers import answers, differences, index_rows
from tests.store.places import quick

ROOT = Path(__file__).parents[2]
NAMES = [entry.id for entry in killed.ENTRIES]
AT_LEAST = 80


@pytest.fixture(scope="module")
def lives() -> Iterator[list[Path]]:
    """One folder for every border; in the last one the script got to its end."""
    with tempfile.TemporaryDirectory(dir=quick()) as folder:
        command = [sys.executable, "-m", "tests.store.killed", folder]
        ended = subprocess.run(command, cwd=ROOT, timeout=120, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        yield sorted(Path(folder).iterdir())


def acknowledged(folder: Path) -> list[str]:
    path = folder / "acknowledged"
    return path.read_text().splitlines() if path.exists() else []


async def expected() -> dict[str, Any]:
    memory = MemoryStore(SystemClock(), SystemRandomness())
    await killed.play(memory)
    return await answers(memory, killed.RECORDS, NAMES)


def on_disk(root: Path) -> set[str]:
    """Return the ids of all entries in the customers' files, read by nothing of ours."""
    found: set[str] = set()
    for path in root.glob("customers/*/k?.json"):
        head = json.loads(path.read_bytes())
        volumes = [path.with_name(f"{path.stem}.m{number}.json") for number in head.get("volumes", {})]
        for tables in (head, *(json.loads(volume.read_bytes()) for volume in volumes)):
            found.update(tables.get("entries", {}))
    return found


async def check_nothing_is_lost(store: EmbeddedStore, root: Path, done: list[str]) -> None:
    known = await store.known(NAMES)
    assert known == await asyncio.to_thread(on_disk, root), "the index is not in step with the files"
    promised = {line.removeprefix("entry ") for line in done if line.startswith("entry ")}
    assert promised <= known
    for _, entries in killed.CHANGES:
        there = known & {entry.id for entry in entries}
        assert there in (set(), {entry.id for entry in entries}), "half of a change is there"
    for line in done:
        if line.startswith("blob "):
            assert await store.blob(CustomerId("k1"), BlobId(line.removeprefix("blob "))) == b"raw"
    waiting = await store.spooled()
    if "spooled b1" in done and "seen" not in done:
        assert waiting == ["b1"]
    if waiting == ["b1"]:
        assert await store.spool_record("b1") == killed.batch("b1", "1")
    cursor = await store.cursor(killed.MAIL)
    if "spooled b2" in done:
        assert cursor == Cursor("2")
    elif "spooled b1" in done:
        assert cursor in (Cursor("1"), Cursor("2"))
    if "draft 1" in done and "filed b2" not in done:
        [draft] = await store.drafts(killed.ANA)
        assert draft.revision >= (2 if "draft 2" in done else 1)
    if "dropped" in done:
        assert await store.drafts(killed.ANA) == []
    if "audit" in done:
        assert len(await store.audited()) == 1
    assert (await store.health()).read_only == ()


async def test_death_at_every_border_loses_and_doubles_nothing(lives: list[Path]) -> None:
    assert len(lives) >= AT_LEAST
    wanted = await expected()
    for folder in lives:
        root = folder / "store"
        done = acknowledged(folder)
        async with killed.make(root) as store:
            await check_nothing_is_lost(store, root, done)
            await killed.play(store)
            assert differences(wanted, await answers(store, killed.RECORDS, NAMES)) == {}, folder
            assert await store.spooled() == []
        kept = await asyncio.to_thread(index_rows, root)
        for name in ("index.sqlite3", "search.sqlite3"):
            (root / name).unlink()
        async with killed.make(root) as store:
            await store.search("settled")
        assert differences(await asyncio.to_thread(index_rows, root), kept) == {}, folder
        assert list(root.rglob("*.tmp")) == []
