"""Everything that a disk can do to the store: it refuses, it loses, it damages. One table.

    python -m proofs.disk [--quick] [--seed 1]      (root for ext4 images and real system calls)

Parts, each also alone: ``proofs.faulty``, ``proofs.traced``, ``proofs.power``, ``proofs.lostwrites``,
``proofs.damage``, ``proofs.arrivals``. About 25 minutes on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from proofs import arrivals, damage, faulty, lostwrites, power, traced
from proofs.report import Report

T = TypeVar("T")


def _timed(name: str, act: Callable[[], Coroutine[Any, Any, T]]) -> T:
    start = time.monotonic()
    found = asyncio.run(act())
    print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    share, seed = (10 if given.quick else 1), given.seed
    whole = Report("Disks", f"python -m proofs.disk --seed {seed}{' --quick' if given.quick else ''}")
    wrong: list[str] = []

    def take(part: Report, found: list[str]) -> None:
        wrong.extend(found)
        for what, figure, wanted, ok in part.rows:
            whole.add(f"{part.title}: {what}", figure, wanted, ok)

    refused = _timed("faulty", lambda: faulty.countdown(share, seed))
    take(faulty.report(refused, "", 400 // share), refused.wrong + refused.silent)
    if shutil.which("strace"):
        calls = _timed("traced", lambda: traced.traced(72 // share, seed))
        take(traced.report(calls, "", 72 // share), calls.wrong)
    else:
        wrong.append("strace is not installed: no real system call was refused")
    if os.geteuid() == 0:
        images = _timed("power", lambda: power.power(300 // share, seed))
        control = _timed("power without fsync", lambda: power.power(20 // share, seed, without_fsync=True))
        take(power.report(images, control, "", 300 // share), images.wrong)
    else:
        wrong.append("not root: no ext4 image was taken")
    states = _timed("lostwrites", lambda: lostwrites.lostwrites(3000 // share, seed))
    take(lostwrites.report(states, "", 600 // share), states.wrong)
    damaged = _timed("damage", lambda: damage.trials(1000 // share, seed))
    take(damage.report(damaged, "", 1000 // share), damaged.wrong)
    filed = _timed("arrivals", lambda: arrivals.arrivals(40 // share, seed))
    take(arrivals.report(filed, "", 40 // share), filed.wrong)
    for line in wrong[:80]:
        print(line)
    if wrong:
        whole.add("everything ran, and nothing went wrong", len(wrong), "0", False)
    return whole.finish()


if __name__ == "__main__":
    sys.exit(main())
