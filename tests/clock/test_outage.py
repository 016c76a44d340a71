"""Servers that are away for a day, in seconds."""

from __future__ import annotations

import pytest

from agentconsole.store.memory import MemoryStore
from tests.clock.outage import CATCH_UP, PACE, Dice, Outage, by_hand
from tests.fakes.clock import HandClock


@pytest.mark.parametrize(("hours", "all_away"), [(8.0, True), (4.0, False)])
async def test_an_outage_costs_few_attempts_and_nothing_else(hours: float, all_away: bool) -> None:
    clock = HandClock()
    store = MemoryStore(clock, Dice(1))
    found = await Outage(store, clock, by_hand(clock), hours=hours, all_away=all_away).run()
    assert not found.wrong
    assert max(found.attempts.values()) <= 300 * hours / 24 + 10
    assert min(found.closest.values()) >= PACE
    assert found.caught_up <= CATCH_UP
    assert found.blocked == 1
    assert found.alarms == 0
    assert found.log_lines <= 4 * hours + 4
