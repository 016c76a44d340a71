"""One play, or one day without servers, in a process of its own under libfaketime; started by ``proofs.clock``.

The last line of its output is JSON: what went wrong, or the figures of the day.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from agentconsole.ports import Store
from agentconsole.seams import Clock, Steps, SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore
from tests.clock.outage import Outage
from tests.clock.play import Play
from tests.folders import quick_folder

SCALE = 1 / 60
SLACK = 2.0
"""Seconds that libfaketime may take to follow its file."""

BUSY = 30.0
"""Seconds that a busy computer may be late. A delay that a jump stretched would last an hour or a day."""
RETRY_AFTER, LATER, AFTERWARDS = 17.0, 8.0, 25.0
CPU = 18_000.0
"""Simulated seconds that five seconds of work are; what follows the outage is measured on a clock by hand."""


class RealPlay(Play):
    """A play on the system's clock, which it sets by libfaketime's file, and on the embedded store."""

    folder: Path

    def make_clock(self) -> Clock:
        self._offset = 0.0
        self.set_clock(self.start)
        return SystemClock()

    def make_store(self) -> Store:
        return EmbeddedStore(self.folder, clock=self.clock, random=SystemRandomness(), steps=Steps())

    def set_clock(self, to: datetime) -> None:
        """Write the offset to the real time. The file is replaced: half a line would be a time as well."""
        path = Path(os.environ["FAKETIME_TIMESTAMP_FILE"])
        real = datetime.now(UTC).timestamp() - self._offset
        self._offset = to.timestamp() - real
        new = path.with_suffix(".new")
        new.write_text(f"{self._offset:+.3f}s\n")
        new.replace(path)
        assert abs(datetime.now(UTC).timestamp() - to.timestamp()) < SLACK, "libfaketime does not follow its file"

    async def elapse(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.005))


async def play(jump: str, at: int, back: int) -> list[str]:
    with quick_folder("ac-clock-") as folder:
        RealPlay.folder = folder / "store"
        run = RealPlay(jump, at, back, scale=SCALE, slack=BUSY)
        run.retry_after, run.later, run.afterwards = RETRY_AFTER, LATER, AFTERWARDS / SCALE
        store = run.make_store()
        assert isinstance(store, EmbeddedStore)
        run.make_store = lambda: store  # type: ignore[method-assign]
        async with store:
            return await run.run()


async def slept(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def day(hours: float, seed: int) -> dict[str, object]:
    clock = SystemClock()
    with quick_folder("ac-clock-") as folder:
        async with EmbeddedStore(folder / "store", clock=clock, random=SystemRandomness(), steps=Steps()) as store:
            return asdict(await Outage(store, clock, slept, hours=hours, step=60.0, seed=seed, slack=CPU).run())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.clock_process")
    parser.add_argument("--jump", default="")
    parser.add_argument("--at", type=int, default=0)
    parser.add_argument("--back", type=int, default=0)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = (
        asyncio.run(day(options.hours, options.seed))
        if options.hours
        else asyncio.run(play(options.jump, options.at, options.back))
    )
    print(msgspec.json.encode(found).decode(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
