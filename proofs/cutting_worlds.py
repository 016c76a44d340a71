"""The receiving worlds: each keeps a ledger of its own of what it accepted, and shares no code with the channels.

``SmtpSink`` is Postfix's smtp-sink, whose dump files are the ledger. ``StrictHttp`` is a gateway and a homeserver that
write down what they accept in the instant of acceptance, before a byte of the answer leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from proofs.cutting import HOST
from tests.folders import quick_folder
from tests.ports import free_port, until_listening
from tests.waiting import DEADLINE

_MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s*<([^>\s]+)>", re.IGNORECASE | re.MULTILINE)


def no_smtp_sink() -> str:
    """Return why smtp-sink cannot run here, or an empty text."""
    return "" if shutil.which("smtp-sink", path="/usr/sbin:/usr/bin") else "not installed: smtp-sink (Debian: postfix)"


@dataclass
class SmtpSink:
    """A running smtp-sink. It removes the dump of a mail whose dot it never got."""

    port: int
    folder: Path

    def settle(self) -> None:
        """Return when it has read what came before: it serves its lines in turn, and a new one is the last."""
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), DEADLINE) as line:
            line.recv(1)

    def ledger(self) -> Counter[str]:
        """Return how often each Message-ID was taken as a whole."""
        return message_ids(self.folder.glob("mail.*"))


def message_ids(paths: Iterable[Path]) -> Counter[str]:
    """Count the Message-IDs of mails that lie in files, one in each."""
    found: Counter[str] = Counter()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            if match := _MESSAGE_ID.search(path.read_bytes()):
                found[match.group(1).decode()] += 1
    return found


@contextmanager
def smtp_sink(*modes: str) -> Iterator[SmtpSink]:
    """Run smtp-sink on loopback with further options."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
    assert program is not None
    with quick_folder("sink") as folder:
        port = free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        folder.chmod(0o777)
        log = folder / "sink.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [program, *user, *modes, "-d", "mail.", f"{HOST}:{port}", "128"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        try:
            until_listening(port, process, log).close()
            yield SmtpSink(port, folder)
        finally:
            process.kill()
            process.wait()


class _Request(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class StrictHttp:
    """Kannel's sendsms and a homeserver's send, as strict as a test can be.

    Args:
        manner: how it answers: ``plain``; ``chunked``; ``to the end`` (no length, the line ends with the answer);
            ``dies`` (it accepts and hangs up without a word); ``resets``; ``silent`` (it accepts and never answers);
            ``refuses N`` (status N, nothing is accepted); ``accepts N`` (status N although it accepted);
            ``garbles`` (it accepts and answers what is no HTTP); ``empty`` (it accepts, 200 without a body).
    """

    manner: str = "plain"
    port: int = 0
    accepted: list[str] = field(default_factory=list)
    requests: int = 0
    _known: dict[str, str] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def ledger(self) -> Counter[str]:
        """Return how often each text was accepted."""
        return Counter(self.accepted)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                self.requests += 1
                if not await self._answer(request, reader, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            if self.manner == "resets":
                writer.transport.abort()
            else:
                writer.close()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if request.target.endswith("/account/whoami"):
            _write(writer, 200, b'{"user_id":"@us:example.org"}', "application/json")
            await writer.drain()
            return True
        manner, _, status = self.manner.partition(" ")
        if manner == "refuses":
            _write(writer, int(status), b"no", "text/plain")
            await writer.drain()
            return True
        body, kind = self._accept(request)
        match manner:
            case "dies" | "resets":
                return False
            case "silent":
                await reader.read()
                return False
            case "accepts":
                _write(writer, int(status), b"accepted, but", "text/plain")
            case "garbles":
                writer.write(b"\x00\x01what\r\n\r\n")
            case "empty":
                _write(writer, 200, b"", kind)
            case "chunked":
                head = (
                    f"HTTP/1.1 {self._status(request)} OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                writer.write(head.encode())
                for at in range(0, len(body), 7):
                    piece = body[at : at + 7]
                    writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                writer.write(b"0\r\n\r\n")
            case "to":
                writer.write(f"HTTP/1.0 {self._status(request)} OK\r\nContent-Type: {kind}\r\n\r\n".encode() + body)
            case _:
                _write(writer, self._status(request), body, kind)
        await writer.drain()
        return manner != "to"

    @staticmethod
    def _status(request: _Request) -> int:
        return 200 if request.method == "PUT" else 202

    def _accept(self, request: _Request) -> tuple[bytes, str]:
        if request.method == "PUT":
            key = unquote(request.target.split("/")[8])
            if key not in self._known:
                self._known[key] = f"$event{len(self._known)}"
                self.accepted.append(json.loads(request.body)["body"])
            return json.dumps({"event_id": self._known[key]}).encode(), "application/json"
        if request.method != "POST" or not request.headers.get("x-kannel-to") or not request.body:
            raise ValueError("no message")
        self.accepted.append(request.body.decode())
        return b"0: Accepted for delivery", "text/html"


def _write(writer: asyncio.StreamWriter, status: int, body: bytes, kind: str) -> None:
    head = f"HTTP/1.1 {status} Said\r\nServer: strict\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    """Read one request to its last byte; None where the line ended before a further one began."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as exc:
        if exc.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if "transfer-encoding" in headers:
        raise ValueError("a gateway may not take chunks")
    return _Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@asynccontextmanager
async def strict_http(manner: str = "plain") -> AsyncIterator[StrictHttp]:
    world = StrictHttp(manner)
    server = await asyncio.start_server(world.serve, HOST, 0)
    world.port = server.sockets[0].getsockname()[1]
    try:
        yield world
    finally:
        server.close()
        await world.stop()


SMTP_COMMANDS: Final = ("EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT")


def smtp_modes() -> Sequence[tuple[str, tuple[str, ...], bool]]:
    """Return name, options of smtp-sink, and whether a whole mail in its ledger was accepted: it also keeps what it
    refused after the dot."""
    words = {"-q": "hangs up after", "-Q": "421 and hangs up after", "-r": "4xx to", "-f": "5xx to"}
    found = []
    for option, said in words.items():
        for command in SMTP_COMMANDS:
            accepted = command != "." or option == "-q"
            found.append((f"{said} {command}", (option, command), accepted))
    found += [(f"late answer to {command}", ("-W", f"{command}:3600"), True) for command in SMTP_COMMANDS]
    found.append(("hangs up within the content", ("-A", "0"), False))
    return found
