"""Asks the parse worker, and replaces it when a message was too much for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from agentconsole.errors import TryLater
from agentconsole.hub import parse_worker
from agentconsole.ports import ChannelKind, Parsed, RawItem

DEADLINE = 10.0
"""Seconds for one item: no message may hold up the others for longer."""

START_DEADLINE = 60.0
"""Seconds for a worker to start, on a busy machine too."""


class Unreadable(Exception):
    """An item from which nothing could be read. ``reason`` is shown beside the raw bytes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Parser(Protocol):
    async def parse(self, kind: str, item: RawItem) -> Sequence[Parsed]:
        """Understand one item.

        Raises:
            Unreadable: nothing could be read from it, and nothing will be.
            TryLater: nothing can be read at the moment.
        """
        ...

    async def aclose(self) -> None: ...


class InlineParser:
    """Parses in the hub's own process: for tests and for kinds under development.

    Args:
        kinds: the kinds that may appear, by name.
    """

    def __init__(self, kinds: Mapping[str, ChannelKind[Any]]) -> None:
        self._kinds = kinds

    async def parse(self, kind: str, item: RawItem) -> Sequence[Parsed]:
        found = parse_worker.understand(self._kinds[kind].parse, item)
        if found.reason:
            raise Unreadable(found.reason)
        return parse_worker.restore(found)

    async def aclose(self) -> None:
        return


class WorkerParser:
    """Parses in a process of its own with bounded memory and time.

    A worker that died or took too long is replaced and the item tried once more, because what killed it (the
    system's memory guard, a busy machine) need not be the item.

    Args:
        deadline: seconds for one item; starting a worker does not count.
    """

    def __init__(self, log: logging.Logger, deadline: float = DEADLINE) -> None:
        self._log = log
        self._deadline = deadline
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def parse(self, kind: str, item: RawItem) -> Sequence[Parsed]:
        """Raises ``Unreadable``, and ``TryLater`` where no worker starts: that says nothing about the item."""
        async with self._turn:
            found, why = await self._try(kind, item)
            if found is None:
                self._log.warning("the parse worker is replaced, an item %s", why)
                found, why = await self._try(kind, item)
        if found is None:
            raise Unreadable(why)
        if found.reason:
            raise Unreadable(found.reason)
        return parse_worker.restore(found)

    async def _try(self, kind: str, item: RawItem) -> tuple[parse_worker.Found | None, str]:
        """Return what the item holds, or nothing and why."""
        done = False
        try:
            worker = await self._started()
            try:
                async with asyncio.timeout(self._deadline):
                    found = await _ask(worker, kind, item)
            except TimeoutError:
                return None, f"took longer than {self._deadline:.0f} s"
            except (OSError, EOFError, asyncio.IncompleteReadError, msgspec.DecodeError):
                return None, "was too much for the parser"
            done = True
            return found, ""
        finally:
            if not done:
                await self._drop()

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._drop()
        try:
            self._process = worker = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agentconsole.hub.parse_worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            async with asyncio.timeout(START_DEADLINE):
                await _answer(worker)
        except (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError) as exc:
            raise TryLater(
                f"What arrived cannot be read: no parse worker starts ({type(exc).__name__}: {exc}). It is kept.",
                "The machine lacks memory, processes or open files; reading goes on by itself once it has some.",
            ) from exc
        return worker

    async def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def aclose(self) -> None:
        async with self._turn:
            await self._drop()


async def _ask(worker: asyncio.subprocess.Process, kind: str, item: RawItem) -> parse_worker.Found:
    if worker.stdin is None:
        raise EOFError
    worker.stdin.write(parse_worker.frame(msgspec.msgpack.encode((kind, item))))
    await worker.stdin.drain()
    return msgspec.msgpack.decode(await _answer(worker), type=parse_worker.Found)


async def _answer(worker: asyncio.subprocess.Process) -> bytes:
    if worker.stdout is None:
        raise EOFError
    (length,) = struct.unpack(">I", await worker.stdout.readexactly(4))
    return await worker.stdout.readexactly(length)
