"""A sample of ``proofs.faulty`` and ``proofs.arrivals``: a disk that refuses, files damaged under a hub."""

from __future__ import annotations

import pytest

from proofs import faulty
from proofs.arrivals import arrivals
from proofs.refusing import KINDS, Fault


@pytest.mark.timeout(900)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
async def test_a_disk_that_refuses_loses_nothing_and_needs_nobody(lasting: bool) -> None:
    """One call of every kind early and one late in the scenario; the release tier refuses every one."""
    points = 0
    async with faulty.prepared() as template:
        for number, kind in enumerate(KINDS):
            for first in (2 + number, 11 + 2 * number):
                fault = Fault(kind, first, lasting)
                run = await faulty.play(template, fault)
                assert run.wrong == [], f"{fault}: {run.wrong}"
                points += fault.hits > 0
                assert not lasting or not fault.hits or run.told, f"{fault}: nobody was told"
    assert points >= 10


async def test_the_judge_finds_a_message_that_left_too_early() -> None:
    """A hub that forgets to commit is caught by the ledger of the world."""
    async with faulty.prepared() as template:
        from agentconsole.hub.dispatch import Dispatch

        real = Dispatch._mark

        async def careless(self, owner, reply, attempt, *, committed):  # type: ignore[no-untyped-def]
            if not committed:
                await real(self, owner, reply, attempt, committed=committed)

        Dispatch._mark = careless  # type: ignore[method-assign]
        try:
            run = await faulty.play(template, None)
        finally:
            Dispatch._mark = real  # type: ignore[method-assign]
    assert any("not committed on disk" in what for what in run.wrong)


async def test_what_arrives_for_a_damaged_customer_waits_and_is_filed_after_acceptance() -> None:
    figures = await arrivals(3, 20)
    assert figures.wrong == []
    assert figures.trials.total() == 3
