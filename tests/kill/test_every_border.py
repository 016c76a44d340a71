"""The hub is killed before and after every durable step, started again, and nothing is lost and nothing sent twice.

Three ledgers are compared that share no code with the program: what the world said, what the store holds (its JSON),
and what the world received. All borders of all scenarios are walked by ``python -m proofs.kill``; here all borders of
one, and of the others those of every step that the first does not know.
"""

from __future__ import annotations

import pytest

from agentconsole.seams import Step
from tests.kill import scenarios
from tests.kill.play import playing, walk, walk_steps

SHARES = 2
"""The borders are dealt out to this many tests, so that two workers can walk them at once."""

AT_LEAST = 70
"""Borders of the chat scenario."""

ONLY_ELSEWHERE = {Step.SWEEP, Step.MIGRATE, Step.BACKUP, Step.RESTORE, Step.PRUNE, Step.ADOPT, Step.ACCEPT}
"""Walked in tests/care and tests/store: no hub that runs passes them, or only after such a thing was done."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(1, SHARES + 1))
async def test_killed_at_every_border_by_chat(share: int) -> None:
    walked = await walk(scenarios.CHAT, share, SHARES)
    assert walked.borders >= AT_LEAST
    assert walked.killed >= AT_LEAST // SHARES - 1, "a kill test that kills nothing proves nothing"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", [scenarios.EVERYTHING, scenarios.CARE, scenarios.DAMAGE], ids=lambda s: s.name)
async def test_killed_around_every_other_step(scenario: scenarios.Scenario) -> None:
    """Each kind of step that chat does not pass, before and after its first time."""
    walked = await walk_steps(scenario, scenarios.BY_CHAT, 1)
    assert {step for step, _ in walked.counts} == scenarios.STEPS[scenario.name]
    assert walked.killed >= 2 * len(scenarios.STEPS[scenario.name] - scenarios.BY_CHAT)


def test_every_kind_of_step_is_in_a_scenario() -> None:
    met = set().union(*scenarios.STEPS.values())
    assert met | ONLY_ELSEWHERE == set(Step), "a step that no scenario passes"


async def test_killed_from_outside_while_it_works() -> None:
    """SIGKILL from outside, without the seam's help, while replies are on their way."""
    async with playing(scenarios.EVERYTHING) as play:
        play.kill_after = "Both of you are one."
        assert await play.play()
        await play.check()
