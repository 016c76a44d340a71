"""Kills at random times with real Dovecot, Postfix and Kannel."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from proofs.report import Report
from tests.folders import quick_folder
from tests.kill.realworld import missing, real_world
from tests.kill.storm import Outcome, Storm

LONGEST = 1.1
"""Seconds that a hub lives at most."""


async def storm(kills: int, seed: int) -> Outcome:
    """Kill so many hubs on one store, with the servers up all the time."""
    with quick_folder("aks-") as folder, tempfile.TemporaryDirectory(prefix="akk-") as servers:
        async with real_world(Path(servers)) as world:
            return await Storm(folder, world, world.people(), random.Random(seed)).rage(kills, LONGEST)


async def prove(report: Report, kills: int, seed: int) -> None:
    """Add the figures of the random kills."""
    why = missing()
    if why:
        report.add("random kills with real servers", why, f"{kills} kills", ok=False)
        return
    found = await storm(kills, seed)
    add(report, found, kills, "Dovecot, Postfix, Kannel")


def add(report: Report, found: Outcome, kills: int, where: str) -> None:
    """Add one storm's figures."""
    report.add(
        f"kill -9 at random times ({where})",
        f"{found.lives} in {found.seconds:.0f} s; {found.said} messages in, {found.replies} replies out",
        f"{kills} kills",
        ok=found.lives >= kills,
    )
    for name in ("lost", "doubled", "sent_twice", "lost_replies", "failed_but_taken", "sent_but_not_taken"):
        value = getattr(found, name)
        report.add(name.replace("_", " "), f"{len(value)} {value[:2] or ''}".strip(), "0", ok=not value)
    report.add(
        "unfinished at the end", f"{len(found.unfinished)} {found.unfinished[:1] or ''}", "0", not found.unfinished
    )
    report.add("uncertain", found.uncertain, "counted", ok=True)
