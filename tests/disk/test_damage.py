"""A sample of ``proofs.damage`` and ``proofs.lostwrites``: damaged files, and writes that a power failure took."""

from __future__ import annotations

import os

import pytest

from proofs import damage, lostwrites
from proofs.lostwrites import Disk


async def test_random_damages_are_said_and_stay_one_customers_problem() -> None:
    figures = await damage.trials(32, 11, share=0.25)
    assert figures.wrong == []
    assert figures.read_only > 6
    assert figures.accepted["previous"] > 1


async def test_no_order_of_lost_writes_loses_what_was_acknowledged() -> None:
    figures = await lostwrites.lostwrites(44, 5, acts=10)
    assert figures.wrong == []
    assert figures.states >= 20


async def test_the_model_finds_a_folder_that_is_not_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    from agentconsole.store.embedded import files

    monkeypatch.setattr(files, "sync_folder", lambda path: None)
    figures = await lostwrites.lostwrites(24, 5, acts=0)
    assert any("lost" in what for what in figures.wrong)


def test_the_model_keeps_what_was_synced_and_may_lose_the_rest() -> None:
    import random

    disk = Disk()
    for event in (
        ("create", "/a"),
        ("write", "/a", b"one"),
        ("sync", "/a"),
        ("sync", "/"),
        ("create", "/b"),
        ("write", "/b", b"two"),
        ("replace", "/b", "/a"),
    ):
        disk.apply(event)
    found = {state.get("/a") for _ in range(50) for state in disk.states(random.Random(os.urandom(4)), 9)}
    assert {b"one", b"", b"two"} <= found
