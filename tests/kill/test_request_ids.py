"""Either side dies before the answer; the call is repeated with its request id; it is done once."""

from __future__ import annotations

import os
import random

import pytest

from tests.kill.requests import CALLS, client_dies, hub_dies, points
from tests.kill.straced import missing


@pytest.mark.timeout(900)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_a_call_cut_by_the_hubs_death_is_done_once(call: object) -> None:
    """At every fifth border; at every one in ``python -m proofs.kill``."""
    found = await hub_dies(call, 5)  # type: ignore[arg-type]
    assert found.cuts >= 1
    assert found.faults == []


@pytest.mark.timeout(900)
async def test_a_killed_client_that_repeats_itself_sends_one_reply() -> None:
    why = missing()
    if why and not os.environ.get("CI"):
        pytest.skip(why)
    found = await client_dies(points({"sendto": 3}), 0, random.Random(1))
    assert found.cuts >= 2
    assert found.faults == []
