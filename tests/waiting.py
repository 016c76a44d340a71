"""Waiting for conditions, with a deadline instead of a sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

DEADLINE: Final = 60.0
"""Seconds after which something will never happen. Only a failure waits so long, so it costs nothing to be patient with
a machine that is busy with something else."""


async def until(condition: Callable[[], Awaitable[T]], seconds: float = DEADLINE, what: str = "") -> T:
    """Return the first true answer of an asynchronous condition.

    Args:
        seconds: patience for what takes longer than ``DEADLINE``; less is not possible.

    Raises:
        AssertionError: none came in time; the last answer is in the message.
    """
    seconds = max(seconds, DEADLINE)
    end = time.monotonic() + seconds
    while True:
        answer = await condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition} (last: {answer!r})")
        await asyncio.sleep(0.01)


def until_sync(condition: Callable[[], T], seconds: float = DEADLINE, what: str = "") -> T:
    """Return the first true answer of a condition; see ``until``."""
    seconds = max(seconds, DEADLINE)
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition} (last: {answer!r})")
        time.sleep(0.01)
