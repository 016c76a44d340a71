"""The hub's time: what it stamps and compares with never goes back, and does not follow a clock that was set wrong.

A wall clock jumps: it stands at 1970 until the network is there, somebody sets it by an hour, a virtual machine wakes
up in the past. Timelines are ordered by time, so an entry that is stamped before the one it follows would be shown
before it; and a day that passes in an instant would close every reply window. So the hub goes on by the monotonic
clock, and follows the wall clock where that moves as time does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from agentconsole.seams import Clock

FOLLOWED: Final = timedelta(seconds=2)
"""How far the wall clock may be from where it should be and still be followed: what NTP does."""

CONFIRMED: Final = 600.0
"""Seconds that a wall clock must have stayed ahead before it is believed. Who set it for a moment sets it back."""

MELTING: Final = 0.9
"""The pace of the hub's time while it is ahead of the wall clock, until both agree again."""

BELIEVED_LEAD: Final = timedelta(days=2)
"""How far the newest entry may be ahead of the wall clock at start and still say what time it is at least."""

EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock of a system that runs this program is right before this."""


def suspended() -> float:
    """Return for how many seconds this system has been asleep: the monotonic clock stands still meanwhile, the wall
    clock rightly does not. 0 where the system does not tell."""
    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    except (AttributeError, OSError):
        return 0.0


class SteadyClock:
    """A clock over another one, whose ``now`` never goes back. May be asked from any thread.

    Args:
        base: the system's.
        asleep: for how many seconds the system has been asleep so far.
    """

    def __init__(self, base: Clock, asleep: Callable[[], float] = suspended) -> None:
        self._base = base
        self._asleep = asleep
        self._slept = asleep()
        self._lock = threading.Lock()
        self._mono = base.monotonic()
        wall = base.now()
        self._guessing = wall < EARLIEST
        self._last = max(wall, EARLIEST)
        self._lead: timedelta = timedelta()
        self._lead_since = self._mono

    def begin(self, newest: datetime | None) -> None:
        """Start no earlier than the newest thing that the store knows, unless that is nonsense."""
        now = self.now()
        with self._lock:
            if newest is not None and newest >= now and (self._guessing or newest - now <= BELIEVED_LEAD):
                self._guessing = self._guessing or newest - now > FOLLOWED
                self._last = newest + timedelta(microseconds=1)

    def now(self) -> datetime:
        with self._lock:
            wall, mono = self._base.now(), self._base.monotonic()
            passed = timedelta(seconds=max(mono - self._mono, 0.0) + self._nap())
            expected = self._last + passed
            ahead = wall - expected
            if ahead > FOLLOWED:
                self._last = wall if self._believed(ahead, mono) else expected
            elif ahead >= -FOLLOWED:
                self._last, self._guessing = max(wall, self._last), False
                self._lead = timedelta()
            else:
                self._last += passed if self._guessing else passed * MELTING
                self._lead = timedelta()
            self._mono = mono
            return self._last

    def _nap(self) -> float:
        """Return the seconds that the system has slept since the last look; less than one is an error of reading."""
        slept = self._asleep()
        nap = slept - self._slept
        if nap < 1.0:
            return 0.0
        self._slept = slept
        return nap

    def _believed(self, ahead: timedelta, mono: float) -> bool:
        """Say whether a wall clock that is ahead is right: it is where ours was a guess, and where it stays so."""
        if self._guessing:
            self._guessing = False
            return True
        if abs(ahead - self._lead) > FOLLOWED:
            self._lead, self._lead_since = ahead, mono
        return mono - self._lead_since >= CONFIRMED

    def monotonic(self) -> float:
        return self._base.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._base.sleep(seconds)
