"""The wall clock jumps in the middle of an afternoon; ``proofs.clock`` plays 300 of these."""

from __future__ import annotations

import pytest

from tests.clock.play import JUMPS, Play, chosen


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_jump_changes_no_order_no_delay_and_no_reply(jump: str) -> None:
    wrong = []
    for play in chosen(5, seed=1, jump=jump):
        wrong += await play.run()
    assert not wrong


async def test_without_a_jump_the_same_holds() -> None:
    assert not await Play("an hour back", at=99).run()
