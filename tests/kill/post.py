"""A mailbox (IMAP) and a way out (SMTP) on loopback, as small and fast as a thousand lives of a hub need.

Only what RFC 3501 and RFC 5321 ask of a server that one client of ours uses. The real ones (Dovecot, Postfix) serve in
the release tier.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any, Final

from agentconsole.sandbox.loopback import HOST

ADDRESS: Final = "support@shop.example"
PASSWORD: Final = "loopback"

_FETCH: Final = re.compile(r"UID FETCH (\S+) \((.+)\)")


@dataclass(frozen=True)
class Delivered:
    """A mail as its receiver got it."""

    to: str
    text: str
    message_id: str


class Post:
    """Both servers with one mailbox."""

    def __init__(self) -> None:
        self.box: list[bytes] = []
        self.sent: list[Delivered] = []
        self.imap_port = 0
        self.smtp_port = 0
        self._servers: list[asyncio.Server] = []
        self._lines: set[asyncio.Task[Any]] = set()
        self._news = asyncio.Event()

    async def start(self) -> None:
        imap = await asyncio.start_server(self._kept(self._imap), HOST, 0)
        smtp = await asyncio.start_server(self._kept(self._smtp), HOST, 0)
        self._servers = [imap, smtp]
        self.imap_port, self.smtp_port = (server.sockets[0].getsockname()[1] for server in self._servers)

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def deliver(self, sender: str, name: str, subject: str, text: str, identity: str) -> None:
        """Let a mail arrive."""
        self.box.append(letter(sender, name, subject, text, identity))
        self._news.set()

    def _kept(
        self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._lines.add(task)
            try:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    await serve(reader, writer)
            finally:
                self._lines.discard(task)
                writer.close()

        return run

    # -- IMAP ----------------------------------------------------------------------------------------------

    async def _imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            tag, _, rest = line.partition(" ")
            word = rest.upper().partition(" ")[0]
            match word:
                case "CAPABILITY":
                    writer.write(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN IDLE\r\n")
                case "AUTHENTICATE":
                    writer.write(b"+ \r\n")
                    await reader.readline()
                case "EXAMINE":
                    count = len(self.box)
                    writer.write(f"* {count} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] .\r\n".encode())
                    writer.write(f"* OK [UIDNEXT {count + 1}] .\r\n* FLAGS ()\r\n".encode())
                case "IDLE":
                    await self._idle(reader, writer)
                case "UID":
                    self._uid(rest, writer)
                case "LOGOUT":
                    writer.write(f"* BYE\r\n{tag} OK\r\n".encode())
                    return
                case _:
                    pass
            writer.write(f"{tag} OK {word} done\r\n".encode())
            await writer.drain()

    async def _idle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known = len(self.box)
        writer.write(b"+ idling\r\n")
        done = asyncio.ensure_future(reader.readline())
        try:
            while not done.done():
                if len(self.box) > known:
                    known = len(self.box)
                    writer.write(f"* {known} EXISTS\r\n".encode())
                self._news.clear()
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait({done, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
            if not done.result():
                raise ConnectionResetError
        finally:
            done.cancel()

    def _uid(self, rest: str, writer: asyncio.StreamWriter) -> None:
        if rest.upper().startswith("UID SEARCH"):
            found = re.search(r"UID (\d+):", rest[10:])
            first = int(found[1]) if found else 1
            uids = [str(uid) for uid in range(1, len(self.box) + 1) if uid >= first]
            writer.write(f"* SEARCH {' '.join(uids)}\r\n".encode())
            return
        asked = _FETCH.match(rest)
        assert asked is not None, rest
        for uid in _uids(asked[1], len(self.box)):
            raw = self.box[uid - 1]
            head = f'* {uid} FETCH (UID {uid} INTERNALDATE "24-Nov-2026 09:00:00 +0000"'
            if "RFC822.SIZE" in asked[2]:
                writer.write(f"{head} RFC822.SIZE {len(raw)})\r\n".encode())
            else:
                name = "BODY[HEADER]<0>" if "HEADER" in asked[2] else "BODY[]<0>"
                writer.write(f"{head} {name} {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")

    # -- SMTP ----------------------------------------------------------------------------------------------

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to: list[str] = []
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            word = line.upper()
            if word.startswith("EHLO"):
                writer.write(b"250-localhost\r\n250-AUTH PLAIN LOGIN\r\n250 SMTPUTF8\r\n")
            elif word.startswith("AUTH"):
                writer.write(b"235 2.7.0 ok\r\n")
            elif word.startswith("RCPT"):
                to.append(line.partition("<")[2].partition(">")[0])
                writer.write(b"250 2.1.5 ok\r\n")
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                await writer.drain()
                raw = await reader.readuntil(b"\r\n.\r\n")
                self._take(to, raw[:-3])
                to = []
                writer.write(b"250 2.0.0 taken\r\n")
            elif word == "QUIT":
                writer.write(b"221 2.0.0 bye\r\n")
                return
            else:
                writer.write(b"250 2.0.0 ok\r\n")
            await writer.drain()

    def _take(self, to: list[str], raw: bytes) -> None:
        mail = message_from_bytes(raw.replace(b"\r\n..", b"\r\n."), policy=SMTP_POLICY)
        assert isinstance(mail, EmailMessage)
        body = mail.get_body(("plain",))
        text = str(body.get_content()) if body is not None else ""
        self.sent.extend(Delivered(receiver, text.strip(), str(mail["Message-ID"])) for receiver in to)


def letter(sender: str, name: str, subject: str, text: str, identity: str) -> bytes:
    """Return a mail as it travels."""
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = f"{name} <{sender}>"
    mail["To"] = ADDRESS
    mail["Subject"] = subject
    mail["Date"] = "Tue, 24 Nov 2026 09:00:00 +0000"
    mail["Message-ID"] = f"<{identity}@{sender.partition('@')[2]}>"
    mail.set_content(text + "\n")
    return mail.as_bytes()


def _uids(words: str, last: int) -> list[int]:
    found: list[int] = []
    for part in words.split(","):
        first, _, end = part.partition(":")
        found += range(int(first), int(end or first) + 1)
    return [uid for uid in found if uid <= last]
