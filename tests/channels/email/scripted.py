"""Servers that misbehave on purpose, where a real one cannot be told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Heard:
    """What a scripted server was told, and when a client left."""

    port: int = 0
    commands: list[str] = field(default_factory=list)
    content: bytes = b""
    whole: bool = False
    left: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def smtp_server(
    *, ending: str = "250 2.0.0 queued", answers: dict[str, str] | None = None, ehlo: str = "AUTH PLAIN"
) -> AsyncIterator[Heard]:
    """Speak SMTP in clear on loopback.

    Args:
        ending: the answer to the dot; or ``die mid-body``, ``die after dot``, ``reset after dot``, ``silent``.
        answers: instead of the usual answer to a command, by its first word.
        ehlo: extensions, one a line.
    """
    heard = Heard()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 scripted\r\n")
            while line := await reader.readline():
                command = line.decode("latin-1").rstrip("\r\n")
                heard.commands.append(command)
                word = command.partition(" ")[0].upper()
                if answers and word in answers:
                    said = answers[word]
                    if said == "die":
                        return
                    writer.write(f"{said}\r\n".encode())
                    if word != "DATA" or not said.startswith("354"):
                        continue
                elif word == "EHLO":
                    offered = ["scripted", *ehlo.splitlines()]
                    for number, name in enumerate(offered, 1):
                        writer.write(f"250{' ' if number == len(offered) else '-'}{name}\r\n".encode())
                elif word == "AUTH":
                    writer.write(b"235 2.7.0 welcome\r\n")
                elif word == "QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                elif word == "DATA":
                    writer.write(b"354 go on\r\n")
                else:
                    writer.write(b"250 2.0.0 fine\r\n")
                if word == "DATA":
                    await _content(reader, writer, heard, ending)
        except ConnectionError:
            pass
        finally:
            heard.left.set()
            with contextlib.suppress(Exception):
                writer.close()

    async with _served(serve, heard):
        yield heard


async def _content(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Heard, ending: str) -> None:
    while True:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            heard.content += line
            raise ConnectionError
        if line == b".\r\n":
            heard.whole = True
            break
        heard.content += line
        if ending == "die mid-body":
            raise ConnectionError
        if ending.startswith("early "):
            writer.write(ending.removeprefix("early ").encode() + b"\r\n")
            await writer.drain()
            await reader.read()
            raise ConnectionError
    if ending == "reset after dot":
        line_socket = writer.get_extra_info("socket")
        line_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        raise ConnectionError
    if ending == "die after dot":
        raise ConnectionError
    if ending == "silent":
        await reader.read()
        raise ConnectionError
    writer.write(ending.encode() + b"\r\n")


@asynccontextmanager
async def imap_server(greeting: str, answers: dict[str, str] | None = None) -> AsyncIterator[Heard]:
    """Speak just enough IMAP in clear.

    Args:
        answers: lines by command, ``{tag}`` is filled in; ``die once`` hangs up when it comes the first time.
    """
    heard = Heard()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(greeting.encode() + b"\r\n")
            while line := await reader.readline():
                tag, _, command = line.decode("latin-1").rstrip("\r\n").partition(" ")
                heard.commands.append(command)
                word = command.partition(" ")[0].upper()
                said = (answers or {}).get(word, "{tag} OK done")
                if said == "die once" and heard.commands.count(command) == 1:
                    return
                writer.write(
                    said.replace("die once", "{tag} OK done").replace("{tag}", tag).encode("latin-1") + b"\r\n"
                )
        except ConnectionError:
            pass
        finally:
            heard.left.set()
            with contextlib.suppress(Exception):
                writer.close()

    async with _served(serve, heard):
        yield heard


@asynccontextmanager
async def silent_server() -> AsyncIterator[Heard]:
    """Accept connections and never say a word."""
    heard = Heard()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.commands.append((await reader.read(100)).decode("latin-1"))
        with contextlib.suppress(ConnectionError):
            await reader.read()
        heard.left.set()
        writer.close()

    async with _served(serve, heard):
        yield heard


@asynccontextmanager
async def _served(serve: object, heard: Heard) -> AsyncIterator[None]:
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)  # type: ignore[operator]
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
