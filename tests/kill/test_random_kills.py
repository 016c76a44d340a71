"""Fifty kills at random times under load; a thousand with real servers are ``python -m proofs.kill``."""

from __future__ import annotations

import random

import pytest

from tests.folders import quick_folder
from tests.kill.scenarios import ADA, BO, EMILY, MINSU
from tests.kill.storm import Storm
from tests.kill.world import running_world

KILLS = 50
SEED = 20261124


@pytest.mark.timeout(900)
async def test_fifty_random_kills_lose_and_double_nothing() -> None:
    with quick_folder("aks-") as folder:
        async with running_world() as world:
            storm = Storm(folder, world, (ADA, BO, EMILY, MINSU), random.Random(SEED))
            found = await storm.rage(KILLS, 0.25)
    assert found.lives == KILLS
    assert found.replies == KILLS - 1
    assert found.faults == {}
