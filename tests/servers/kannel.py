"""A real Kannel gateway on loopback: bearerbox and smsbox, with a pretend network behind them.

``with start_kannel(folder, hook_url) as gateway:`` gives an address for sendsms; ``gateway.say(sender, text)`` lets a
phone write, ``gateway.heard()`` lists what the network got from the gateway. The network speaks the line protocol of
Kannel's ``fakesmsc`` (``gw/smsc/smsc_fake.c``) itself, because that program takes its messages on the command line
only: a second message would need a second program and lose what the gateway sends in between.
"""

from __future__ import annotations

import contextlib
import queue
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from tests.ports import free_port, until_listening

OUR_NUMBER = "15550001111"
USER = "tester"
PASSWORD = "open sesame%&1"
RETRY_SECONDS = 1
"""How long the gateway rests before it repeats a callback."""

_START = re.compile(rb"(\S+) (\S+) (text|ucs-2|data|udh) ?(.*)", re.DOTALL)


def missing() -> str:
    """Return why the gateway cannot run here, or an empty text."""
    absent = [name for name in ("bearerbox", "smsbox") if shutil.which(name, path="/usr/sbin:/usr/bin") is None]
    return f"not installed: {', '.join(absent)} (Debian package kannel)" if absent else ""


class Heard(NamedTuple):
    """One message as the network got it; parts are joined. ``kind`` is Kannel's word: text, ucs-2, udh."""

    sender: str
    to: str
    text: str
    kind: str
    parts: int


@dataclass
class Kannel:
    send_url: str
    admin_url: str
    user: str = USER
    password: str = PASSWORD
    sender: str = OUR_NUMBER
    _lines: list[bytes] = field(default_factory=list)
    _said: queue.SimpleQueue[bytes | None] = field(default_factory=queue.SimpleQueue)

    def say(self, sender: str, text: str, to: str = OUR_NUMBER) -> None:
        """Let the phone ``sender`` write ``text`` (one part) to us. Returns at once."""
        data = quote(text.encode("utf-16-be"), safe="")
        self._said.put(f"{sender} {to} ucs2 {data}\n".encode())

    def heard(self) -> list[Heard]:
        """Return what the gateway has sent out so far, oldest first. Half-arrived long texts are left out."""
        found: list[Heard] = []
        long: dict[tuple[bytes, bytes, int], dict[int, bytes]] = {}
        for sender, to, kind, data in self._messages():
            if kind != b"udh":
                raw = unquote_to_bytes(data.replace(b"+", b" ")) if kind != b"text" else data
                text = raw.decode("utf-16-be" if kind == b"ucs-2" else "utf-8", "replace")
                found.append(Heard(sender.decode(), to.decode(), text, kind.decode(), 1))
                continue
            coded, _, body = data.partition(b" data ")
            header, raw = unquote_to_bytes(coded), unquote_to_bytes(body.replace(b"+", b" "))
            pieces = long.setdefault((sender, to, header[3]), {})
            pieces[header[5]] = raw
            if len(pieces) == header[4]:
                whole = b"".join(pieces[number] for number in sorted(pieces))
                found.append(Heard(sender.decode(), to.decode(), _guess(whole), "udh", len(pieces)))
        return found

    def _messages(self) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
        held: tuple[bytes, bytes, bytes, bytes] | None = None
        for line in list(self._lines):
            start = _START.fullmatch(line)
            if start is None and held is not None:
                held = (*held[:3], held[3] + b"\n" + line)
                continue
            if held is not None:
                yield held
            held = (start[1], start[2], start[3], start[4]) if start is not None else None
        if held is not None:
            yield held


def _guess(whole: bytes) -> str:
    """Decode a long text, whose alphabet the line protocol does not tell."""
    with contextlib.suppress(UnicodeDecodeError):
        if b"\0" not in whole:
            return whole.decode("utf-8")
    return whole.decode("utf-16-be", "replace")


@contextlib.contextmanager
def start_kannel(folder: Path, hook_url: str) -> Iterator[Kannel]:
    """Run a gateway that calls ``hook_url`` (with our account and secret word in it) for every message.

    Args:
        folder: an empty folder for configuration and logs.
        hook_url: e.g. ``http://127.0.0.1:8080/hook/sms?secret=word``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    admin, box, network, send = (free_port() for _ in range(4))
    conf = folder / "kannel.conf"
    conf.write_text(_configuration(hook_url, admin, box, network, send), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        bearerbox = _run(stack, folder, "bearerbox")
        until_listening(box, bearerbox, folder / "bearerbox.log").close()
        line = stack.enter_context(until_listening(network, bearerbox, folder / "bearerbox.log"))
        smsbox = _run(stack, folder, "smsbox")
        until_listening(send, smsbox, folder / "smsbox.log").close()
        gateway = Kannel(f"http://127.0.0.1:{send}/cgi-bin/sendsms", f"http://127.0.0.1:{admin}")
        line.settimeout(None)
        threads = [
            threading.Thread(target=_listen, args=(line, gateway._lines), daemon=True),
            threading.Thread(target=_talk, args=(line, gateway._said), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield gateway
        finally:
            gateway._said.put(None)
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)


def _listen(line: socket.socket, lines: list[bytes]) -> None:
    rest = b""
    with contextlib.suppress(OSError):
        while data := line.recv(65536):
            *whole, rest = (rest + data).split(b"\n")
            lines.extend(whole)


def _talk(line: socket.socket, said: queue.SimpleQueue[bytes | None]) -> None:
    with contextlib.suppress(OSError):
        while (words := said.get()) is not None:
            line.sendall(words)


def _run(stack: contextlib.ExitStack, folder: Path, name: str) -> subprocess.Popen[bytes]:
    program = shutil.which(name, path="/usr/sbin:/usr/bin")
    if program is None:
        raise RuntimeError(f"{name} is not installed")
    log = stack.enter_context((folder / f"{name}.log").open("wb"))
    process = subprocess.Popen(
        [program, "-v", "1", "kannel.conf"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _configuration(hook_url: str, admin: int, box: int, network: int, send: int) -> str:
    hook = hook_url.replace("%", "%%") + ("&" if "?" in hook_url else "?")
    return f"""\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin-test
status-password = status-test
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
port = {network}
our-host = 127.0.0.1
connect-allow-ip = 127.0.0.1
denied-prefix = 999

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1
global-sender = {OUR_NUMBER}
mo-recode = true
http-request-retry = 20
http-queue-delay = {RETRY_SECONDS}

group = sendsms-user
username = {USER}
password = "{PASSWORD}"
concatenation = true
max-messages = 5

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{hook}from=%p&to=%P&id=%I&ts=%T&charset=%C&coding=%c&text=%a"
"""
