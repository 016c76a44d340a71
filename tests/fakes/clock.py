"""A clock that only moves when a test moves it, and chance that always falls the same way."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

START = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


class HandClock:
    """Time by hand. ``sleep`` returns when ``move`` has passed its end."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        event = asyncio.Event()
        sleeper = (self._monotonic + seconds, event)
        self._sleepers.append(sleeper)
        try:
            await event.wait()
        finally:
            self._sleepers.remove(sleeper)

    def move(self, **by: float) -> None:
        step = timedelta(**by)
        self._now += step
        self._monotonic += step.total_seconds()
        for until, event in self._sleepers:
            if until <= self._monotonic:
                event.set()

    def jump(self, **by: float) -> None:
        """Move the wall clock only, as NTP or a person would."""
        self._now += timedelta(**by)


_work: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Future[Any]]] = WeakKeyDictionary()
"""What each loop gave to its threads and has not come back."""


def _watched(loop: asyncio.AbstractEventLoop) -> set[asyncio.Future[Any]]:
    if loop not in _work:
        waiting = _work[loop] = set()
        give = loop.run_in_executor

        def run_in_executor(*args: Any) -> asyncio.Future[Any]:
            future: asyncio.Future[Any] = give(*args)
            waiting.add(future)
            future.add_done_callback(waiting.discard)
            return future

        loop.run_in_executor = run_in_executor  # type: ignore[method-assign, assignment]
    return _work[loop]


async def settled(turns: int) -> None:
    """Return when the loop did what it could do without time passing, and its threads what it gave them.

    A clock by hand must not move on while a thread that has real work has yet to be given a processor.

    Args:
        turns: of the loop, in which a chain of tasks wakes each other.
    """
    waiting = _watched(asyncio.get_running_loop())
    left = turns
    while left:
        if waiting:
            await asyncio.wait(set(waiting))
            left = turns
        await asyncio.sleep(0)
        left -= 1


class CountingRandomness:
    """Tokens that count up, so that a failing test reads the same every time."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def token(self) -> str:
        return f"{next(self._numbers):016d}" + "x" * 10

    def fraction(self) -> float:
        return 0.5
