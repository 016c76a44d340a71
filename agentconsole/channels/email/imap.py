"""imaplib2 made safe; the only module that imports it.

As released, imaplib2 3.6 verifies no certificate, sends CR and LF in arguments as they are (a second command),
waits for ever on a peer that never shakes hands, formats every literal for a debug log that is off, queues one item
per line of a literal (20 s and 600 MB for 8 MB of newlines), and deadlocks on arguments that are not ASCII. The
subclass below mends each. It is synchronous; ``mailbox`` runs it on a thread of its own.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import imaplib2

from agentconsole.channels.email import tls
from agentconsole.channels.email.answers import Message, mailbox_name, messages, number, quoted, words
from agentconsole.channels.email.headers import one_line
from agentconsole.channels.email.options import DEADLINES, Deadlines, ImapServer
from agentconsole.errors import ChannelFailure, TemporaryFailure
from agentconsole.seams import Call, called

LITERAL_LIMIT: Final = 64 * 1024 * 1024
LINE_LIMIT: Final = 16 * 1024 * 1024
_READ: Final = 65_536

_ARGUMENT: Final = re.compile(rb"[\x20-\x7e]*")
_LITERAL: Final = re.compile(rb"\{(\d{1,12})\}\r?\n$")

KEEPALIVE: Final = (("TCP_KEEPIDLE", 120), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 4), ("TCP_USER_TIMEOUT", 240_000))
"""A peer that vanished without a word is noticed after four minutes instead of two hours."""


class _Nowhere:
    """A log file that keeps nothing: imaplib2 writes commands to stderr when a line breaks."""

    def write(self, _text: str) -> int:
        return 0

    def flush(self) -> None:
        return None


class _Client(imaplib2.IMAP4):  # type: ignore[misc]
    sock: socket.socket

    def __init__(self, server: ImapServer, context: ssl.SSLContext, deadlines: Deadlines) -> None:
        self._context = context
        self._deadlines = deadlines
        self._implicit = server.tls == "implicit"
        self.failure: BaseException | None = None
        super().__init__(server.host, server.resolved_port(), debug=0, debug_file=_Nowhere(), timeout=deadlines.command)

    # -- the line --------------------------------------------------------------------------------------------

    def open_socket(self) -> socket.socket:
        called(Call.CONNECT, f"{self.host}:{self.port}")
        line = socket.create_connection((self.host, self.port), timeout=self._deadlines.connect)
        try:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEPALIVE:
                if hasattr(socket, name):
                    line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
            if self._implicit:
                line = self._context.wrap_socket(line, server_hostname=self.host)
            line.settimeout(self._deadlines.command)
        except BaseException:
            line.close()
            raise
        return line

    def ssl_wrap_socket(self) -> None:
        self.sock.settimeout(self._deadlines.connect)
        try:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)
        except BaseException as exc:
            self.failure = exc
            # The reader that imaplib2 starts now must not poll a descriptor that somebody else may hold by then.
            self.Terminate = True
            raise
        self.sock.settimeout(self._deadlines.command)
        self.read_fd = self.sock.fileno()

    def shutdown(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.sock.close()

    def _reader(self) -> None:
        """Read lines, and literals as one piece each, until the line ends."""
        poll = select.poll()
        poll.register(self.read_fd, select.POLLIN)
        buffer = bytearray()
        wanted = scanned = 0
        within = False
        try:
            while not self.Terminate:
                if not poll.poll(1000 * self.read_poll_timeout):
                    continue
                data = self._receive()
                if not data:
                    raise ConnectionError("the server hung up")
                buffer += data
                while buffer:
                    if wanted:
                        piece = bytes(buffer[:wanted])
                        del buffer[:wanted]
                        wanted -= len(piece)
                        self.inq.put(piece)
                        continue
                    stop = buffer.find(b"\n", scanned)
                    if stop < 0:
                        scanned = len(buffer)
                        if scanned > LINE_LIMIT:
                            raise ConnectionError("the server sent a line without end")
                        break
                    line = bytes(buffer[: stop + 1])
                    del buffer[: stop + 1]
                    scanned = 0
                    literal = _LITERAL.search(line) if within or line.startswith(b"* ") else None
                    within = literal is not None
                    if literal:
                        wanted = int(literal.group(1))
                        if wanted > LITERAL_LIMIT:
                            raise ConnectionError("the server sent a part without bounds")
                    self.inq.put(line)
                    if self.TerminateReader:
                        return
        except Exception as exc:
            self.failure = self.failure or exc
            self.inq.put((self.abort, one_line(str(exc), 200)))

    def _receive(self) -> bytes:
        data: bytes = self.sock.recv(1 if self.TerminateReader or self.read_size == 1 else _READ)
        if isinstance(self.sock, ssl.SSLSocket):
            while self.sock.pending():
                data += self.sock.recv(_READ)
        return data

    # -- arguments -------------------------------------------------------------------------------------------

    def _command(self, name: str, *args: Any, **kw: Any) -> Any:
        for arg in args:
            raw = arg.encode("utf-8") if isinstance(arg, str) else arg
            if raw is not None and not _ARGUMENT.fullmatch(raw):
                raise ValueError(f"an argument of {name} is not printable ASCII")
        return super()._command(name, *args, **kw)

    def _command_complete(self, rqb: Any, kw: Any) -> Any:
        # The original puts the command, and so a password, into the message of a BAD answer.
        self._check_bye()
        typ, dat = rqb.get_response(f"{rqb.name}: %s")
        if typ == "BAD":
            raise self.error(f"{rqb.name} was not understood: {words(dat)}")
        if "untagged_response" in kw:
            return self._untagged_response(typ, dat, kw["untagged_response"])
        return typ, dat

    # -- no debug text: formatting it costs more than the work ------------------------------------------------

    def _append_untagged(self, typ: str, dat: Any) -> None:
        dat = b"" if dat is None else dat
        with self.commands_lock:
            if self.untagged_responses and self.untagged_responses[-1][0] == typ:
                self.untagged_responses[-1][1].append(dat)
            else:
                self.untagged_responses.append([typ, [dat]])

    def _get_untagged_response(self, name: str, leave: bool = False) -> Any:
        with self.commands_lock:
            for number, (typ, dat) in enumerate(self.untagged_responses):
                if typ == name:
                    if not leave:
                        del self.untagged_responses[number]
                    return dat
        return None

    def _untagged_response(self, typ: str, dat: Any, name: str) -> Any:
        if typ == "NO":
            return typ, dat
        found: list[Any] = []
        while data := self._get_untagged_response(name):
            found += data
        return typ, found or [None]

    def _log(self, _level: int, _line: str) -> None:
        return None

    def _mesg(self, _text: str, _thread: str | None = None, _seconds: float | None = None) -> None:
        return None

    def _print_log(self) -> None:
        return None


class Selected(NamedTuple):
    uid_validity: int
    uid_next: int
    exists: int


class Connection:
    """A signed-in session on one folder, opened read-only. Every method blocks and has a deadline.

    Raises:
        ChannelFailure: from the constructor: what is wrong, with reason and hint.
    """

    def __init__(
        self, server: ImapServer, context: ssl.SSLContext, password: str, deadlines: Deadlines = DEADLINES
    ) -> None:
        self._server = server
        self._client: _Client | None = None
        try:
            self._client = client = _Client(server, context, deadlines)
            if server.tls == "starttls":
                self._start_tls(client)
            self._sign_in(client, password)
            self.can_idle = "IDLE" in client.capabilities
            self.selected = self._examine(client)
        except ChannelFailure:
            self.close()
            raise
        except Exception as exc:
            failure = self._client.failure if self._client is not None else None
            self.close()
            raise tls.explain(failure or exc, server.host, server.resolved_port()) from exc

    def _start_tls(self, client: _Client) -> None:
        if client.state != "NONAUTH" or "STARTTLS" not in client.capabilities:
            raise tls.no_starttls(self._server.host, self._server.resolved_port())
        client.starttls()
        with client.commands_lock:
            client.untagged_responses = []
        client._get_capabilities()

    def _sign_in(self, client: _Client, password: str) -> None:
        user = self._server.user
        if client.state != "NONAUTH":
            raise TemporaryFailure(
                f"{self._server.host} says that we are signed in already, which is how a line is tampered with.",
                "Check the server's settings.",
                reason="tls_missing",
            )
        try:
            if "AUTH=PLAIN" in client.capabilities or "LOGINDISABLED" in client.capabilities:
                client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                client.login(quoted(user), password)
        except imaplib2.IMAP4.abort:
            raise
        except ValueError:
            raise tls.refused(
                self._server.host, user, "it takes no password with letters outside ASCII (no AUTH=PLAIN)"
            ) from None
        except imaplib2.IMAP4.error as exc:
            answer = words(exc.args[0] if exc.args else "")
            if "[UNAVAILABLE]" in answer or "[INUSE]" in answer or "[LIMIT]" in answer:
                raise TemporaryFailure(
                    f"{self._server.host} does not sign anybody in now: {answer}.", "It is tried again."
                ) from None
            raise tls.refused(self._server.host, user, answer) from None
        client._get_capabilities()

    def _examine(self, client: _Client) -> Selected:
        typ, found = client.examine(mailbox_name(self._server.folder))
        if typ != "OK":
            raise TemporaryFailure(
                f"{self._server.host} does not open the folder {self._server.folder}: {words(found)}.",
                "Check folder; it is the name as the mail program shows it.",
                reason="no_folder",
            )
        validity, following = client.response("UIDVALIDITY")[1], client.response("UIDNEXT")[1]
        return Selected(number(validity), number(following), number(found))

    # -- reading ---------------------------------------------------------------------------------------------

    def search(self, first: int, since: str = "") -> list[int]:
        """Return the UIDs from ``first`` on, in order; ``since`` is a day as IMAP writes it (``5-Mar-2024``)."""
        client = self._live()
        client.noop()
        self.forget()
        terms = ["UID", f"{int(first)}:*"]
        if since:
            terms += ["SINCE", since]
        typ, data = client.uid("SEARCH", *terms)
        if typ != "OK":
            raise ConnectionError(f"SEARCH was refused: {words(data)}")
        found = {int(word) for part in data if part for word in part.split() if word.isdigit()}
        # "N:*" always names the newest message, even where its UID is below N (RFC 3501 section 6.4.8).
        return sorted(uid for uid in found if uid >= first)

    def holds(self, message_id: str) -> bool:
        """Say whether a message of ours with this id (without brackets) lies in the folder.

        Raises:
            ValueError: the id is not printable ASCII.
        """
        typ, data = self._live().uid("SEARCH", "HEADER", "Message-ID", quoted(f"<{message_id}>"))
        if typ != "OK":
            raise ConnectionError(f"SEARCH was refused: {words(data)}")
        return any(word.isdigit() for part in data if part for word in part.split())

    def sizes(self, uids: list[int]) -> dict[int, Message]:
        return self._fetch(uids, "(UID RFC822.SIZE INTERNALDATE)")

    def bodies(self, uids: list[int], limit: int) -> dict[int, Message]:
        return self._fetch(uids, f"(UID INTERNALDATE BODY.PEEK[]<0.{int(limit)}>)")

    def headers(self, uids: list[int], limit: int) -> dict[int, Message]:
        return self._fetch(uids, f"(UID INTERNALDATE BODY.PEEK[HEADER]<0.{int(limit)}>)")

    def _fetch(self, uids: list[int], what: str) -> dict[int, Message]:
        if not uids:
            return {}
        typ, data = self._live().uid("FETCH", ",".join(str(int(uid)) for uid in uids), what)
        if typ != "OK":
            raise FetchRefused(words(data))
        return {message.uid: message for message in messages(data)}

    def arrived(self) -> bool:
        """Say whether the server announced messages that were not asked for yet."""
        return self._live()._get_untagged_response("EXISTS", leave=True) is not None

    def forget(self) -> None:
        client = self._live()
        with client.commands_lock:
            client.untagged_responses = [entry for entry in client.untagged_responses if entry[0] == "BYE"]

    # -- waiting ---------------------------------------------------------------------------------------------

    def idle(self, seconds: float, done: Callable[[], None]) -> None:
        """Begin IDLE; ``done`` is called once, on another thread, when it ended for whatever reason."""
        self._live().idle(seconds, callback=lambda _: done())

    def stop_idle(self) -> None:
        self._live()._end_idle()

    def _live(self) -> _Client:
        if self._client is None or self._client.Terminate:
            raise ConnectionError("the line is closed")
        return self._client

    @property
    def alive(self) -> bool:
        return self._client is not None and not self._client.Terminate

    # -- the end ---------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Make every call that waits on this line fail at once. Safe from any thread."""
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError):
                client.sock.shutdown(socket.SHUT_RDWR)

    def close(self, *, politely: bool = False) -> None:
        """End the session and its three threads."""
        client, self._client = self._client, None
        if client is None:
            return
        if politely and not client.Terminate:
            with contextlib.suppress(Exception):
                client.send(b"ZZZ LOGOUT\r\n")
        client.Terminate = True
        with contextlib.suppress(OSError):
            client.sock.shutdown(socket.SHUT_RDWR)
        client.inq.put((client.abort, "closed"))
        with contextlib.suppress(Exception):
            client.ouq.put_nowait(None)
        for thread in (client.rdth, client.inth, client.wrth):
            if thread is not threading.current_thread():
                thread.join(5)
        client.shutdown()


class FetchRefused(Exception):
    """The server answered a FETCH with NO: something about these messages is broken."""
