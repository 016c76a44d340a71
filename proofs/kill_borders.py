"""Deaths before and after every durable step, twice in a row, and by strace at the n-th call."""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from collections.abc import Awaitable, Callable

from agentconsole.seams import Step
from proofs.report import Report
from tests.kill import scenarios
from tests.kill.injected import CALLS, kill_at
from tests.kill.play import Scenario, Walked, perform

AT_ONCE = 2
"""Lives at the same time: one for each core."""

DOUBLE_DEATHS = 60
INJECTED = 400

BEFORE_A_CHANGE = tuple(f"head_write:before:{number}" for number in range(3, 13))

MUTATIONS = {
    "acknowledge_unwritten": (scenarios.EVERYTHING, tuple(f"spool_write:before:{n}" for n in range(1, 6))),
    "commit_unwritten": (scenarios.CHAT, BEFORE_A_CHANGE),
    "new_id_each_time": (scenarios.CHAT, tuple(str(number) for number in range(30, 70, 2))),
    "sent_again": (scenarios.CHAT, BEFORE_A_CHANGE),
    "filed_again": (scenarios.CHAT, tuple(str(number) for number in range(10, 40, 2))),
    "erase_only_the_head": (scenarios.CARE, ("",)),
}
"""Faults that are planted on purpose, and the deaths that must show them."""


async def _all(works: list[Callable[[], Awaitable[object]]], what: str) -> list[str]:
    """Do everything, two at a time; return what went wrong."""
    wrong: list[str] = []
    left = list(reversed(works))
    begun = time.monotonic()

    async def worker() -> None:
        while left:
            work = left.pop()
            try:
                await work()
            except Exception as exc:
                wrong.append(f"{exc} {getattr(exc, '__notes__', [''])[0][:300]}")
                traceback.print_exc()
            done = len(works) - len(left)
            if done % 50 == 0:
                print(f"{what}: {done} of {len(works)}, {time.monotonic() - begun:.0f} s", flush=True)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return wrong


async def walk_all(scenario: Scenario, share: int = 1) -> tuple[Walked, list[str]]:
    """Kill at every border of a scenario (every ``share``-th), and return what was found."""
    walked = Walked(scenario.name)
    await perform(scenario, "", walked)
    # The number of borders differs a little from life to life; those beyond the end of a life end nobody.
    numbers = range(1, walked.borders + 6, share)
    works = [lambda n=number: perform(scenario, str(n), walked) for number in numbers]
    return walked, await _all(works, scenario.name)


async def prove_borders(report: Report, share: int) -> None:
    """Add the walks over all scenarios."""
    met: set[str] = set()
    for scenario in scenarios.ALL:
        walked, wrong = await walk_all(scenario, share)
        met |= {step for step, _ in walked.met}
        least = walked.borders // share - 3
        report.add(
            f"killed at every border: {scenario.name}",
            f"{walked.borders} borders, {walked.killed} died, {walked.uncertain} uncertain, {len(wrong)} differences",
            f"at least {least} deaths, 0 differences",
            ok=not wrong and walked.killed >= least,
        )
    elsewhere = {Step.SWEEP, Step.MIGRATE, Step.BACKUP, Step.RESTORE, Step.PRUNE, Step.ADOPT, Step.ACCEPT}
    lacking = set(Step) - met - elsewhere
    report.add(
        "kinds of step that were met",
        f"{len(met)} of {len(Step)}; {len(elsewhere)} in tests/care and tests/store",
        "all",
        ok=not lacking,
    )


async def prove_twice(report: Report, count: int, seed: int) -> None:
    """Add deaths that are followed by a second one."""
    chance = random.Random(seed)
    walked = Walked("twice")
    pairs = [(str(chance.randint(1, 200)), str(chance.randint(1, 60))) for _ in range(count)]
    works = [lambda pair=pair: perform(scenarios.EVERYTHING, pair[0], walked, again=pair[1]) for pair in pairs]
    wrong = await _all(works, "deaths in a row")
    report.add(
        "two deaths in a row, at random borders",
        f"{walked.lives} plays, {len(wrong)} differences",
        "0 differences",
        ok=not wrong and walked.lives == count,
    )


async def prove_injected(report: Report, count: int) -> None:
    """Add deaths at the n-th call of a name, which strace brings about."""
    walked = Walked("strace")
    each = max(count // len(CALLS), 1)
    works: list[Callable[[], Awaitable[object]]] = []
    for name in CALLS:
        works += [lambda n=name, w=when: kill_at(scenarios.EVERYTHING, n, w, walked) for when in range(1, each + 1)]
    wrong = await _all(works, "killed by strace")
    report.add(
        f"killed by strace at the n-th {', '.join(CALLS)}",
        f"{walked.lives} plays, {walked.killed} died, {len(wrong)} differences",
        "0 differences",
        ok=not wrong and walked.killed > walked.lives // 3,
    )


async def prove_mutations(report: Report) -> None:
    """Add what the walk finds where the program is broken on purpose."""
    caught = []
    for plant, (scenario, aborts) in MUTATIONS.items():
        for abort in aborts:
            try:
                await perform(scenario, abort, Walked(plant), plant=plant)
            except Exception as exc:
                caught.append(f"{plant} ({str(exc).splitlines()[0][:60]})")
                break
        else:
            print(f"not caught: {plant}", flush=True)
    report.add(
        "faults planted on purpose that the walk finds",
        f"{len(caught)} of {len(MUTATIONS)}: {'; '.join(caught)}",
        "all",
        ok=len(caught) == len(MUTATIONS),
    )
