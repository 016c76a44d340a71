"""The wire between a sandbox and those who play with it: one JSON object a line over a Unix socket in a 0700 folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

DEADLINE: Final = 10.0
LINE_LIMIT: Final = 65_536

Handle = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def serve(path: Path, handle: Handle, gone: Callable[[bool], None]) -> asyncio.Server:
    """Answer requests.

    Args:
        gone: called when a line that had said ``{"do": "here"}`` ends, with whether it had said ``bye``.
    """

    async def line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = bye = False
        try:
            while data := await reader.readline():
                asked = json.loads(data)
                here = here or asked.get("do") == "here"
                bye = bye or asked.get("do") == "bye"
                writer.write(json.dumps(await handle(asked)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass
        finally:
            writer.close()
            if here:
                gone(bye)

    return await asyncio.start_unix_server(line, path, limit=LINE_LIMIT)


class Line:
    """A line to a sandbox that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._one = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Line:
        """Raises OSError where no sandbox answers."""
        async with asyncio.timeout(DEADLINE):
            return cls(*await asyncio.open_unix_connection(path, limit=LINE_LIMIT))

    async def ask(self, **asked: Any) -> dict[str, Any]:
        """Ask for something and return the answer; an answer that does not come is an OSError."""
        async with self._one, asyncio.timeout(DEADLINE):
            self._writer.write(json.dumps(asked).encode() + b"\n")
            await self._writer.drain()
            data = await self._reader.readline()
        if not data:
            raise ConnectionResetError("the sandbox is gone")
        answer: dict[str, Any] = json.loads(data)
        return answer

    async def aclose(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass
