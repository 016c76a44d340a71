"""Waiting for conditions, with a deadline instead of a sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], Awaitable[T]], seconds: float = 10.0, what: str = "") -> T:
    """Return the first true answer of an asynchronous condition.

    Raises:
        AssertionError: none came within ``seconds``; the last answer is in the message.
    """
    end = time.monotonic() + seconds
    while True:
        answer = await condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition} (last: {answer!r})")
        await asyncio.sleep(0.01)


def until_sync(condition: Callable[[], T], seconds: float = 10.0, what: str = "") -> T:
    """Return the first true answer of a condition; see ``until``."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition} (last: {answer!r})")
        time.sleep(0.01)
