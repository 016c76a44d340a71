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

from agentconsole.hub import parse_worker
from agentconsole.ports import ChannelKind, Parsed, RawItem

DEADLINE = 10.0
"""Seconds for one item (the bound of ``docs/architecture.md``, promise 10)."""


class Unreadable(Exception):
    """An item from which nothing could be read. ``reason`` is shown beside the raw bytes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Parser(Protocol):
    async def parse(self, kind: str, item: RawItem) -> Sequence[Parsed]:
        """Raises ``Unreadable``."""
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
    """Parses in a process of its own with bounded memory and time."""

    def __init__(self, log: logging.Logger, deadline: float = DEADLINE) -> None:
        self._log = log
        self._deadline = deadline
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def parse(self, kind: str, item: RawItem) -> Sequence[Parsed]:
        async with self._turn:
            try:
                async with asyncio.timeout(self._deadline):
                    found = await self._ask(kind, item)
            except TimeoutError:
                await self._drop()
                raise Unreadable(f"took longer than {self._deadline:.0f} s") from None
            except (OSError, EOFError, asyncio.IncompleteReadError) as exc:
                await self._drop()
                self._log.warning("the parse worker died of one item: %s", type(exc).__name__)
                raise Unreadable("was too much for the parser") from None
            except asyncio.CancelledError:
                await self._drop()
                raise
        if found.reason:
            raise Unreadable(found.reason)
        return parse_worker.restore(found)

    async def _ask(self, kind: str, item: RawItem) -> parse_worker.Found:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agentconsole.hub.parse_worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        sink, source = self._process.stdin, self._process.stdout
        if sink is None or source is None:
            raise EOFError
        sink.write(parse_worker.frame(msgspec.msgpack.encode((kind, item))))
        await sink.drain()
        (length,) = struct.unpack(">I", await source.readexactly(4))
        return msgspec.msgpack.decode(await source.readexactly(length), type=parse_worker.Found)

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
