"""The three things that tests must be able to take over: time, randomness and the instant of death.

Every durable step of the program passes ``Steps.durable``. A test that sets ``AGENTCONSOLE_ABORT`` to
``"N"`` (the N-th border of any step) kills the process right there, so that a harness can walk through
every border of a scenario; see ``docs/reliability.md``.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol


class Clock(Protocol):
    """The one source of time. ``now`` is for display and comparison with the world, delays are monotonic."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Randomness(Protocol):
    """The one source of chance: ids and jitter."""

    def token(self) -> str:
        """Return 26 characters that nobody can guess (130 bits, lower-case base 32)."""
        ...

    def fraction(self) -> float:
        """Return a number in [0, 1) for jitter."""
        ...


_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


class SystemRandomness:
    def token(self) -> str:
        return "".join(secrets.choice(_BASE32) for _ in range(26))

    def fraction(self) -> float:
        return secrets.randbelow(1 << 30) / (1 << 30)


class Step(StrEnum):
    """Every durable step. What is not listed here must not touch the disk for keeps."""

    SPOOL_WRITE = "spool_write"
    SPOOL_DONE = "spool_done"
    SPOOL_SET_ASIDE = "spool_set_aside"
    CURSOR_SAVE = "cursor_save"
    BLOB_WRITE = "blob_write"
    HEAD_WRITE = "head_write"
    VOLUME_SEAL = "volume_seal"
    INDEX_UPDATE = "index_update"
    SEARCH_UPDATE = "search_update"
    DRAFT_WRITE = "draft_write"
    DRAFT_DROP = "draft_drop"
    AUDIT_WRITE = "audit_write"
    STORE_CREATE = "store_create"


class Steps:
    """Counts the borders (before and after) of durable steps and tells whoever listens.

    Args:
        listen: called with the step, ``"before"`` or ``"after"``, and the running number of the border.
    """

    def __init__(self, listen: Callable[[Step, str, int], None] | None = None) -> None:
        self._listen = listen
        self.borders = 0

    def _reach(self, step: Step, side: str) -> None:
        self.borders += 1
        if self._listen is not None:
            self._listen(step, side, self.borders)

    @contextmanager
    def durable(self, step: Step) -> Iterator[None]:
        """Mark one durable step. The body must be all of it, up to and including its fsync."""
        self._reach(step, "before")
        yield
        self._reach(step, "after")


def _abort(number: int) -> Callable[[Step, str, int], None]:
    def listen(_step: Step, _side: str, border: int) -> None:
        if border == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return listen


def steps_from_environment() -> Steps:
    """Return the seam of this process; ``AGENTCONSOLE_ABORT=N`` kills it at border N."""
    number = os.environ.get("AGENTCONSOLE_ABORT", "")
    return Steps(_abort(int(number)) if number.isdigit() else None)
