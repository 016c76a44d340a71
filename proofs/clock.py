"""Clocks that jump, and a day without servers (``make prove-clock``).

300 plays of an afternoon on a clock by hand, and some more in processes of their own on the system's clock under
libfaketime with the embedded store; then a day of outage on both. See ``tests/clock/play.py`` and ``outage.py`` for
what is done and what must hold.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from agentconsole.store.memory import MemoryStore
from proofs.report import Report
from tests.clock.outage import CATCH_UP, PACE, Dice, Figures, Outage, by_hand
from tests.clock.play import JUMPS, chosen
from tests.fakes.clock import HandClock

AT_ONCE = 8
"""Real plays at a time: they mostly wait."""

_LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1")


def library() -> str:
    """Return libfaketime's path, or an empty text where it is not installed."""
    return next((str(path) for pattern in _LIBRARIES for path in sorted(Path("/").glob(pattern[1:]))), "")


def by_hand_plays(number: int, seed: int, part: int, parts: int) -> list[str]:
    """Play one part of the plays and return what went wrong."""

    async def run() -> list[str]:
        wrong: list[str] = []
        for play in chosen(number, seed=seed)[part::parts]:
            wrong += await play.run()
        return wrong

    return asyncio.run(run())


def process(arguments: Sequence[str], **environ: str) -> str:
    """Run ``proofs.clock_process`` and return the last line of what it says."""
    ran = subprocess.run(
        [sys.executable, "-m", "proofs.clock_process", *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    lines = ran.stdout.strip().splitlines()
    if ran.returncode or not lines:
        raise RuntimeError(f"{' '.join(arguments)}: {ran.stderr[-800:]}")
    return lines[-1]


def real_play(jump: str, at: int, back: int) -> list[str]:
    """Play one afternoon in a process of its own under libfaketime."""
    with tempfile.TemporaryDirectory(prefix="ac-ft-") as folder:
        file = Path(folder) / "time"
        file.write_text("+0s\n")
        try:
            said = process(
                ["--jump", jump, "--at", str(at), "--back", str(back)],
                LD_PRELOAD=library(),
                FAKETIME_TIMESTAMP_FILE=str(file),
                FAKETIME_NO_CACHE="1",
                FAKETIME_DONT_FAKE_MONOTONIC="1",
            )
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return [f"{jump}, before act {at}: {error}"]
    return msgspec.json.decode(said, type=list[str])


def day_by_hand(hours: float, seed: int, *, all_away: bool) -> Figures:
    async def run() -> Figures:
        clock = HandClock()
        store = MemoryStore(clock, Dice(seed + 1))
        return await Outage(store, clock, by_hand(clock), hours=hours, seed=seed, all_away=all_away).run()

    return asyncio.run(run())


def jumps(report: Report, runs: int, processes: int, seed: int) -> None:
    parts = max(os.cpu_count() or 1, 1)
    began = time.monotonic()
    with ProcessPoolExecutor(parts, get_context("spawn")) as pool:
        work = [pool.submit(by_hand_plays, runs, seed, part, parts) for part in range(parts)]
        wrong = [what for one in work for what in one.result()]
    for what in wrong:
        print(what, flush=True)
    kinds = Counter(play.jump for play in chosen(runs, seed=seed))
    report.add(
        f"{runs} afternoons with a jump ({', '.join(f'{number} × {kind}' for kind, number in kinds.items())})",
        f"{len(wrong)} violations in {time.monotonic() - began:.0f} s",
        "0: order, delays, replies, drafts, windows",
        not wrong,
    )
    if not processes:
        return
    plays = chosen(processes, seed=seed + 1)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(lambda play: real_play(play.jump, play.at, play.back), plays))
    wrong = [what for one in found for what in one]
    for what in wrong:
        print(what, flush=True)
    report.add(
        f"{processes} of them in a process under libfaketime, embedded store, {len(JUMPS)} kinds",
        f"{len(wrong)} violations",
        "0",
        not wrong,
    )


def outage(report: Report, hours: float, seed: int) -> None:
    for all_away, what in ((True, "two of three accounts"), (False, "one of three accounts")):
        found = day_by_hand(hours, seed, all_away=all_away)
        report.add(f"{what} away for {hours:.0f} h, clock by hand", _told(found), _WANTED, _holds(found, hours))
    if shutil.which("faketime"):
        said = process(["--hours", str(hours), "--seed", str(seed)], **_faketime())
        found = msgspec.json.decode(said, type=Figures)
        report.add(
            f"two of three accounts away for {hours:.0f} h in {hours:.0f} s (libfaketime × 3600), embedded store",
            _told(found) + f"; memory {found.memory:+.1f} %, open files {found.files:+d}",
            "the same; memory at most 5 % more, no more open files",
            _holds(found, hours) and found.memory <= 5.0 and found.files <= 0,
        )


_WANTED = f"at most 300 attempts an account and day, {PACE:.0f} s apart; caught up within {CATCH_UP:.0f} s"


def _faketime() -> dict[str, str]:
    return {"LD_PRELOAD": library(), "FAKETIME": "+0 x3600"}


def _told(found: Figures) -> str:
    attempts = " / ".join(f"{number} ({name})" for name, number in found.attempts.items())
    return (
        f"attempts {attempts}, closest {min(found.closest.values()):.0f} s, spread {found.spread:.0f} s; noticed "
        f"after {found.noticed:.0f} s, caught up {found.caught_up:.0f} s after that; {found.messages} messages, "
        f"{found.replies} replies: {found.expired} expired, {found.blocked} stopped by an opt-out, "
        f"{len(found.wrong)} wrong{': ' + '; '.join(found.wrong) if found.wrong else ''}; {found.log_lines} lines of "
        f"log, {found.alarms} alarms; the other account at most {found.slowest_other:.0f} s late"
    )


def _holds(found: Figures, hours: float) -> bool:
    return not found.wrong and max(found.attempts.values()) <= 300 * max(hours, 1.0) / 24 + 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit code 1 where a figure fails."""
    parser = argparse.ArgumentParser(prog="python -m proofs.clock", description="Clocks that jump.")
    parser.add_argument("--runs", "--n", type=int, default=300, help="plays on a clock by hand")
    parser.add_argument("--processes", type=int, default=60, help="plays in processes under libfaketime")
    parser.add_argument("--hours", type=float, default=24.0, help="length of the outage")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    command = (
        f"python -m proofs.clock --runs {options.runs} --processes {options.processes} --hours {options.hours:.0f} "
        f"--seed {options.seed}"
    )
    report = Report("Clocks that jump, and a day without servers", command)
    began = time.monotonic()
    if not library():
        report.add("libfaketime", "not installed (apt-get install faketime)", "installed", False)
    jumps(report, options.runs, options.processes if library() else 0, options.seed)
    outage(report, options.hours, options.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    report.add("time and memory of the proof", f"{time.monotonic() - began:.0f} s, {peak:.0f} MB", "-", True)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
