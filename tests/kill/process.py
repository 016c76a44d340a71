"""A hub as a process that can be started, killed, traced and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.kill.life import Life
from tests.kill.nursery import Nursery
from tests.waiting import DEADLINE

_nursery: Nursery | None = None


def nursery() -> Nursery:
    global _nursery
    if _nursery is None:
        _nursery = Nursery()
    return _nursery


class HubProcess:
    """One hub at a time on one folder."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self._pid = 0
        self._strace: subprocess.Popen[bytes] | None = None
        life.store.mkdir(mode=0o700, exist_ok=True)

    @property
    def socket(self) -> Path:
        return self.life.socket

    @property
    def pid(self) -> int:
        assert self._pid
        return self._pid

    def start(self, abort: str = "", *, strace: Sequence[str] = (), **other: Any) -> None:
        """Start a hub that dies at border ``abort``; empty means that it lives.

        Args:
            strace: options of the strace that attaches before the hub does anything.
            other: further fields of its ``Life``.
        """
        life = replace(self.life, abort=abort, traced=bool(strace), **other)
        self._strace = None
        self._pid = nursery().start(life)
        if strace:
            program = shutil.which("strace")
            assert program is not None
            self._strace = subprocess.Popen([program, "-f", "-qq", *strace, "-p", str(self.pid)])

    async def alive(self) -> bool:
        return bool(self._pid) and nursery().code(self._pid) is None

    async def ended(self, seconds: float = DEADLINE) -> int:
        """Return the exit code once the hub has ended."""
        try:
            async with asyncio.timeout(seconds):
                while await self.alive():
                    await asyncio.sleep(0.003)
                while self._strace is not None and self._strace.poll() is None:
                    await asyncio.sleep(0.003)
        except TimeoutError as exc:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGUSR1)
            await asyncio.sleep(0.2)
            raise AssertionError(f"the hub does not end: {self.said()}") from exc
        return nursery().code(self._pid) or 0

    def said(self) -> str:
        """Return what it printed, with the stacks of its threads where it was asked for them."""
        path = self.life.folder / "hub.err"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    async def kill(self) -> None:
        """As ``kill -9`` does."""
        if await self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            await self.ended()

    async def leave(self) -> int:
        """Ask it to stop, and return how it ended."""
        if await self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        return await self.ended()

    async def stop(self) -> None:
        await self.kill()
