"""The seam tells the truth: strace counts the same calls, and a bypass is found."""

from __future__ import annotations

import os

import pytest

from tests.kill import scenarios
from tests.kill.straced import compare, missing


@pytest.fixture(autouse=True)
def strace() -> None:
    why = missing()
    if why:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)


async def test_the_system_saw_what_the_seam_was_told() -> None:
    seen, told, outside = await compare(scenarios.EVERYTHING)
    assert seen == told
    assert outside == []
    assert min(seen[kind] for kind in ("fsync", "rename", "link", "unlink", "connect")) > 0


@pytest.mark.parametrize(("plant", "kind"), [("sync_unseen", "fsync"), ("rename_unseen", "rename")])
async def test_a_planted_bypass_is_found(plant: str, kind: str) -> None:
    seen, told, _ = await compare(scenarios.DAMAGE, plant)
    assert seen[kind] > told[kind]


async def test_a_lasting_call_in_no_step_is_found() -> None:
    _, _, outside = await compare(scenarios.DAMAGE, "outside_a_step")
    assert outside
