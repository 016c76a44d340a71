"""Rewriting, erasing, accepting and migrating are killed at every border of every durable step.

What is found afterwards is what was there before or what was wanted, never a mixture; where the act was acknowledged
or had passed its commit point, no byte of what had to go is left; a repeat ends where an undisturbed run ends, and the
index that lived through it equals one built from the files.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agentconsole.domain.model import CustomerId
from agentconsole.ports import Cursor, Store
from agentconsole.seams import SystemClock, SystemRandomness
from agentconsole.store.embedded import place
from agentconsole.store.embedded.migrate import MIGRATIONS
from agentconsole.store.memory import MemoryStore
from tests.store import cared, killed
from tests.store.answers import answers, differences, index_rows
from tests.store.places import quick
from tests.store.test_kill import acknowledged

ROOT = Path(__file__).parents[2]
ALL_OF_IT = 8
"""Of every so many lives the index is compared with one that is built anew, too, and what was done already is asked for
once more."""

NAMES = ("evanish1", "evanish2", "evanish5", "evanish30", "other2", "told1", "held1")
"""Of every kind one: kept, emptied, dropped, of the other record, of somebody else, and what care itself appends."""


@contextmanager
def lives(scene: str) -> Iterator[list[Path]]:
    """One folder for every border; in the last one the act got to its end."""
    with tempfile.TemporaryDirectory(dir=quick()) as folder:
        command = [sys.executable, "-m", "tests.store.cared", folder, scene]
        ended = subprocess.run(command, cwd=ROOT, timeout=120, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        yield sorted(path for path in Path(folder).iterdir() if path.name.isdigit())


async def told(store: Store) -> dict[str, Any]:
    found = await answers(store, cared.RECORDS, NAMES)
    found["drafts"] = [await store.drafts(agent) for agent in (cared.ANA, cared.BEN)]
    found["audit"] = list(await store.audited())
    return found


async def in_memory(*acts: Any) -> dict[str, Any]:
    memory = MemoryStore(SystemClock(), SystemRandomness())
    for act in acts:
        await act(memory)
    return await told(memory)


async def check_end(root: Path, wanted: dict[str, Any]) -> None:
    """The files say what the index says, and nothing of a journal is left."""
    kept = await asyncio.to_thread(index_rows, root)
    for name in ("index.sqlite3", "search.sqlite3"):
        (root / name).unlink()
    async with killed.make(root) as store:
        assert differences(wanted, await told(store)) == {}
    assert differences(await asyncio.to_thread(index_rows, root), kept) == {}
    rests = [path.name for path in root.rglob("*") if path.suffix in (".tmp", ".rewriting", ".new")]
    assert rests == []
    assert not (root / "ledger" / "erasing.json").exists()


def same_customers(root: Path, template: Path) -> bool:
    """Whether the customers' files are byte for byte what they were."""
    one, other = (
        {path.relative_to(where): path.read_bytes() for path in where.glob("customers/*/*")}
        for where in (root, template)
    )
    return one == other


@pytest.mark.parametrize(("scene", "words"), [("rewrite", cared.WORDS), ("erase", cared.PERSON)])
async def test_death_at_every_border_leaves_the_old_or_the_new(scene: str, words: tuple[str, ...]) -> None:
    act = cared.SCENES[scene][1]
    before, after = await in_memory(cared.fill), await in_memory(cared.fill, act)
    with lives(scene) as folders:
        ends = []
        for number, folder in enumerate(folders):
            root = folder / "store"
            async with killed.make(root) as store:
                found = await told(store)
                ends.append(differences(after, found) == {})
                assert ends[-1] or differences(before, found) == {}, folder
                assert ends[-1] or acknowledged(folder) == []
                assert not ends[-1] or cared.remains(root, words) == [], folder
                assert ends[-1] or await asyncio.to_thread(same_customers, root, folders[0].parent / "template")
                if not ends[-1] or number % ALL_OF_IT == 0:
                    await act(store)
                    assert differences(after, await told(store)) == {}, folder
                    assert cared.remains(root, words) == [], folder
            if number % ALL_OF_IT == 0:
                await check_end(root, after)
        assert len(folders) >= 30
        assert True in ends[:-1]
        assert False in ends


async def test_death_while_accepting_forgets_no_file() -> None:
    with lives("accept") as folders:
        async with killed.make(folders[-1] / "store") as store:
            wanted = await told(store)
        assert wanted["health"][3] == ()
        template = folders[0].parent / "template"
        damaged = {path.name: path.read_bytes() for path in template.glob("customers/*/*.json*")}
        for number, folder in enumerate(folders):
            root = folder / "store"
            async with killed.make(root) as store:
                await cared.accept(store)
                assert differences(wanted, await told(store)) == {}, folder
                assert await store.damaged() == []
            if number % ALL_OF_IT == 0:
                await check_end(root, wanted)
            kept = {path.name: path.read_bytes() for path in root.glob("customers/*/*.damaged-*")}
            for name in (f"{cared.GONE}.json", f"{cared.TWIN}.json", f"{cared.OTHER}.json"):
                assert kept[f"{name}.damaged-1"] == damaged[name]
                assert f"{name}.damaged-2" not in kept
        assert len(folders) >= 40


async def test_death_at_every_border_of_a_migration() -> None:
    expected = await asyncio.to_thread(expected_of, cared.SAMPLE)
    with lives("migrate") as folders:
        for folder in folders:
            await check_migrated(folder / "store", expected)
        assert len(folders) >= 7


async def check_migrated(root: Path, expected: dict[str, Any]) -> None:
    names = [key.removeprefix("entry ") for key in expected if key.startswith("entry ")]
    async with killed.make(root) as store:
        found = await answers(store, ("k1", "k2", "k3", "k4"), names)
        now = {key: plain(value) for key, value in found.items()}
        assert [key for key in expected if not still_says(expected[key], now[key])] == []
        assert await store.spooled() == ["b3"]
        assert await store.spool_aside() == ["b2"]
        assert (await store.cursor(killed.MAIL)) == Cursor("3")
        assert [draft.text for draft in await store.drafts(cared.ANA)] == ["Dear Emily"]
        assert [draft.text for draft in await store.drafts(cared.BEN)] == ["ask Bob"]
        assert [line.act for line in await store.audited()] == ["note", "assign"]
        for blob in (root / "blobs").rglob("*"):
            if blob.is_file():
                assert await store.blob(CustomerId("k1"), blob.name) == blob.read_bytes()  # type: ignore[arg-type]
        assert (await asyncio.to_thread(place.read, root)).format == place.FORMAT
        consents = store._engine.consents
        assert {record: [one.id for one in consents.of(record)] for record in consents.records()} == {
            "k1": ["x2"],
            "k2": ["x1"],
            "k4": ["x3", "x4"],
        }
        assert {str(address) for address in consents.addresses(CustomerId("k4"))} == {"email::carol@example.com"}


def still_says(then: Any, now: Any) -> bool:
    """Whether today's answer says all that the earlier one said; a later program may say more."""
    match then:
        case dict():
            return isinstance(now, dict) and all(key in now and still_says(then[key], now[key]) for key in then)
        case list():
            return isinstance(now, list) and len(now) == len(then) and all(map(still_says, then, now))
        case _:
            return bool(then == now)


def plain(value: Any) -> Any:
    """Return an answer as the sample keeps it: plain JSON, without the version of the fold."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items() if key != "version"}
        case set() | frozenset():
            return sorted(value)
        case list() | tuple():
            return [plain(item) for item in value]
        case str() | int() | float() | None:
            return value
        case _:
            return plain(msgspec.to_builtins(value))


async def test_every_earlier_format_has_a_sample_and_a_way(tmp_path: Path) -> None:
    assert sorted(MIGRATIONS) == list(range(1, place.FORMAT))
    for number in MIGRATIONS:
        sample = cared.SAMPLE.with_name(f"v{number}")
        assert (await asyncio.to_thread(place.read, sample / "store")).format == number
        await asyncio.to_thread(shutil.copytree, sample / "store", tmp_path / f"v{number}")
        await check_migrated(tmp_path / f"v{number}", await asyncio.to_thread(expected_of, sample))


def expected_of(sample: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sample / "answers.json").read_text())
    return found
