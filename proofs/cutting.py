"""A TCP proxy that forwards byte for byte and cuts at an exact byte of either direction."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

Direction: TypeAlias = Literal["out", "back"]
Kind: TypeAlias = Literal["close", "reset", "stall"]
KINDS: Final[tuple[Kind, ...]] = ("close", "reset", "stall")
HOST: Final = "127.0.0.1"


class Cut(NamedTuple):
    """Where the line breaks.

    Args:
        direction: ``out`` counts what the client says, ``back`` what the server says.
        at: bytes of that direction that still pass.
        kind: ``close`` sends FIN both ways, ``reset`` sends RST both ways, ``stall`` passes nothing more and says
            nothing. After ``close`` and ``stall`` the proxy goes on to take what the client writes, as a peer's kernel
            would.
    """

    direction: Direction
    at: int
    kind: Kind

    def __str__(self) -> str:
        return f"{self.direction}@{self.at} {self.kind}"


@dataclass
class Line:
    """One connection: what each side gave out, and what of it reached the other one."""

    said: bytearray = field(default_factory=bytearray)
    """What left the client."""
    heard: bytearray = field(default_factory=bytearray)
    """What of that the server got."""
    answered: bytearray = field(default_factory=bytearray)
    told: bytearray = field(default_factory=bytearray)


class _Side(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class CuttingProxy:
    """Cuts once, then refuses nothing: what comes after ``heal`` passes untouched.

    Args:
        port: of the server on loopback behind it.
        cut: where to cut; None lets everything pass.
    """

    def __init__(self, port: int, cut: Cut | None = None) -> None:
        self.port = 0
        self.done = False
        self.lines: list[Line] = []
        self.behind = port
        self._cut = cut
        self._healed = cut is None
        self._passed: dict[Direction, int] = {"out": 0, "back": 0}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: list[tuple[_Side, _Side]] = []

    @property
    def passed(self) -> dict[Direction, int]:
        """Bytes forwarded so far."""
        return dict(self._passed)

    def heal(self) -> list[Line]:
        """Let everything pass from now on, end what was cut, and return the lines so far."""
        self._healed = True
        for near, far in self._open:
            for side in (near, far):
                side.writer.transport.abort()
        lines, self.lines = self.lines, []
        return lines

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line()
        self.lines.append(line)
        near, far = _Side(reader, writer), None
        try:
            far = _Side(*await asyncio.open_connection(HOST, self.behind))
            self._open.append((near, far))
            if self._cut is not None and self._cut.at == 0 and not self._healed and not self.done:
                self._end(near, far)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump("out", near, far, line))
                group.create_task(self._pump("back", near, far, line))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for side in (near, far):
                if side is not None:
                    side.writer.transport.abort()
            if far is not None and (near, far) in self._open:
                self._open.remove((near, far))

    async def _pump(self, direction: Direction, near: _Side, far: _Side, line: Line) -> None:
        source, sink = (near, far) if direction == "out" else (far, near)
        given, got = (line.said, line.heard) if direction == "out" else (line.answered, line.told)
        cut_here = False
        while data := await source.reader.read(65536):
            given += data
            if cut_here or (self.done and not self._healed):
                continue
            cut = self._cut
            if cut is not None and not self._healed and cut.direction == direction:
                rest = cut.at - self._passed[direction]
                if len(data) >= rest:
                    data = data[:rest]
                    cut_here = True
            self._passed[direction] += len(data)
            got += data
            sink.writer.write(data)
            await sink.writer.drain()
            if cut_here:
                self._end(near, far)
        if not (self.done and not self._healed):
            with contextlib.suppress(OSError, RuntimeError):
                sink.writer.write_eof()
        elif direction == "out":
            # The client has given up: so does whoever stood between.
            far.writer.transport.abort()

    def _end(self, near: _Side, far: _Side) -> None:
        assert self._cut is not None
        self.done = True
        if self._cut.kind == "stall":
            return
        for side in (far, near):
            if self._cut.kind == "close":
                with contextlib.suppress(OSError, RuntimeError):
                    side.writer.write_eof()
            else:
                found = side.writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.writer.transport.abort()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def cutting(port: int, cut: Cut | None = None) -> AsyncIterator[CuttingProxy]:
    """Run a proxy before the server at ``port`` of loopback."""
    proxy = CuttingProxy(port, cut)
    server = await asyncio.start_server(proxy.serve, HOST, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()


def cuts(out: int, back: int, step: int, kinds: tuple[Kind, ...] = KINDS) -> Iterator[Cut]:
    """Walk through a dialogue of ``out`` and ``back`` bytes."""
    lengths: tuple[tuple[Direction, int], ...] = (("out", out), ("back", back))
    for (direction, length), kind in itertools.product(lengths, kinds):
        for at in range(0, length, step):
            yield Cut(direction, at, kind)
