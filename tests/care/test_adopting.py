"""A copied store is taken over, half-written files are swept and old rests pruned: killed at every border of each."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agentconsole.domain.model import Delivery
from agentconsole.hub import hold
from agentconsole.seams import Step, Steps, SystemClock, SystemRandomness, steps_from_environment
from agentconsole.store.care.prune import prune, removable
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.testing.entries import receipt, reply
from tests.care.places import acting, append, filled, forked
from tests.store.places import quick

log = logging.getLogger(__name__)
UNFINISHED = (Delivery.QUEUED, Delivery.SENDING)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=quick()) as name:
        yield Path(name)


async def take_over(root: Path, steps: Steps) -> None:
    clock = SystemClock()
    async with EmbeddedStore(root, clock=clock, random=SystemRandomness(), steps=steps) as store:
        await hold.hold(store, clock, log)


async def judged(root: Path) -> tuple[str, list[str], list[tuple[str, str]]]:
    """Return why the store is not adopted yet, what could still be sent, and what is held for which reason."""
    async with EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps()) as store:
        open_ones = [due.record.reply for due in await store.replies(UNFINISHED)]
        held = [(due.record.reply, due.record.reason) for due in await store.replies([Delivery.UNCERTAIN])]
        return await store.origin(), sorted(open_ones), sorted(held)


def test_a_copy_is_held_before_it_is_adopted_whenever_it_dies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = filled(folder, monkeypatch)
    waiting = (reply("w1", 20), reply("w2", 21), receipt("w3", "w2", Delivery.SENDING, 22, committed=True))
    acting(template, append(*waiting))
    rest = next((template / "customers").glob("*/k1.json"))
    wanted = ("", [], [("w1", "copied"), ("w2", "copied")])
    met: set[Step] = set()
    border, killed = 0, 0
    while True:
        border += 1
        root = folder / f"copy-{border}"
        shutil.copytree(template, root)
        (root / rest.relative_to(template)).with_name("k1.json.tmp").write_bytes(b"half")
        ended = forked(lambda root=root: asyncio.run(take_over(root, steps_from_environment())), border)
        origin, open_ones, _ = asyncio.run(judged(root))
        assert origin == "copied" or open_ones == [], border
        asyncio.run(take_over(root, Steps(lambda step, _side, _number: met.add(step))))
        assert asyncio.run(judged(root)) == wanted, border
        assert not list(root.rglob("*.tmp"))
        shutil.rmtree(root)
        if ended == 0:
            break
        assert ended == -9
        killed += 1
    assert killed >= 8
    assert Step.ADOPT in met


def test_pruning_dies_between_any_two_of_its_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = filled(folder, monkeypatch)
    customers = template / "customers"
    for number in (1, 2):
        (next(customers.glob("*/k1.json")).with_name(f"k1.json.damaged-{number}")).write_bytes(b"old")
    later = SystemClock().now() + timedelta(days=99)
    kept = {path.name: path.read_bytes() for path in customers.glob("*/*.json")}
    border = 0
    while True:
        border += 1
        root = folder / f"pruned-{border}"
        shutil.copytree(template, root)

        def act(root: Path = root) -> None:
            prune(root, removable(root, timedelta(days=30), later), steps_from_environment())

        ended = forked(act, border)
        prune(root, removable(root, timedelta(days=30), later), Steps())
        assert removable(root, timedelta(days=30), later) == []
        assert {path.name: path.read_bytes() for path in (root / "customers").glob("*/*.json")} == kept
        shutil.rmtree(root)
        if ended == 0:
            break
        assert ended == -9
    assert border >= 5
