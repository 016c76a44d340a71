"""The three things that tests must be able to take over: time, randomness and the instant of death.

Every durable step of the program passes ``Steps.durable``. A test that sets ``AGENTCONSOLE_ABORT`` to
``"N"`` (the N-th border of any step) or ``"STEP:SIDE:N"`` (the N-th border ``before`` or ``after`` that step) kills
the process right there, so that a harness can walk through every border of a scenario.

The calls that make something last, or that reach a provider, are noted by whoever makes them (``called``). A test that
sets ``AGENTCONSOLE_TALLY`` to a file finds every border and every such call there, one a line, also after a kill, and
compares them with what ``strace`` saw: a call that passed no seam is one too many. See ``docs/reliability.md``.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import threading
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
    KEY_WRITE = "key_write"
    SWEEP = "sweep"
    """What a crash left half-written is removed."""
    BACKUP = "backup"
    RESTORE = "restore"
    PRUNE = "prune"
    BLOB_FORGET = "blob_forget"
    REWRITE_BEGIN = "rewrite_begin"
    REWRITE_CLEAN = "rewrite_clean"
    REWRITE_END = "rewrite_end"
    ERASE_BEGIN = "erase_begin"
    ERASE_FILES = "erase_files"
    ERASE_END = "erase_end"
    COMPACT = "compact"
    LEDGER_WRITE = "ledger_write"
    ACCEPT = "accept"
    ADOPT = "adopt"
    MIGRATE = "migrate"


class Call(StrEnum):
    """The calls to the system after which something is so for good, or somebody else knows of it."""

    FSYNC = "fsync"
    RENAME = "rename"
    LINK = "link"
    UNLINK = "unlink"
    CONNECT = "connect"


class _Tally:
    """Writes down borders and calls where a test asked for it; a line is there as soon as its call returns."""

    def __init__(self) -> None:
        self._sink: int | None = None
        self._within = threading.local()

    def open(self, path: str) -> None:
        self._sink = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, *words: object) -> None:
        if self._sink is not None:
            os.write(self._sink, (" ".join(str(word) for word in words) + "\n").encode("utf-8", "surrogateescape"))

    @property
    def step(self) -> str:
        """The step that this thread is in; a dash where it is in none."""
        return getattr(self._within, "step", "") or "-"

    @contextmanager
    def within(self, step: Step) -> Iterator[None]:
        before = getattr(self._within, "step", "")
        self._within.step = before or step
        try:
            yield
        finally:
            self._within.step = before


_tally = _Tally()


def called(call: Call, what: object = "") -> None:
    """Note a call that is about to be made; only primitives say so, right before they make it.

    Args:
        what: the file, or the host and port.
    """
    _tally.note("call", call, _tally.step, what)


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
        _tally.note("border", step, side, self.borders)
        if self._listen is not None:
            self._listen(step, side, self.borders)

    @contextmanager
    def durable(self, step: Step) -> Iterator[None]:
        """Mark one durable step. The body must be all of it, up to and including its fsync."""
        self._reach(step, "before")
        with _tally.within(step):
            yield
        self._reach(step, "after")


def _abort(wanted: str) -> Callable[[Step, str, int], None] | None:
    """Return what kills this process at a border: ``N`` or ``STEP:SIDE:N``."""
    *named, number = wanted.split(":")
    if not number.isdigit() or len(named) not in (0, 2):
        return None
    left = int(number)

    def listen(step: Step, side: str, _border: int) -> None:
        nonlocal left
        if not named or [step, side] == named:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return listen


def steps_from_environment() -> Steps:
    """Return the seam of this process, as ``AGENTCONSOLE_ABORT`` and ``AGENTCONSOLE_TALLY`` want it."""
    if tally := os.environ.get("AGENTCONSOLE_TALLY"):
        _tally.open(tally)
    return Steps(_abort(os.environ.get("AGENTCONSOLE_ABORT", "")))
