"""Ports for servers that must be told where to listen, and waiting until they do.

A port that the kernel chose and we gave back belongs to whoever asks next: another worker of the tests, or the near
end of any connection. These come from outside of what the kernel gives out, a block at a time for each process, and no
process is given one twice.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
BLOCK: Final = 100
LOWEST: Final = 10_000
HIGHEST: Final = 65_000
START_SECONDS: Final = 60.0
"""How long a server may take to listen. Only one that never does takes so long."""

_lock = threading.Lock()
_given: dict[int, Iterator[int]] = {}
"""By process: a child that was forked must not go on where its parent was."""


def free_port() -> int:
    """Return a port of loopback that nobody listens on and nobody else is told of.

    Raises:
        RuntimeError: all are taken.
    """
    with _lock:
        for port in _given.setdefault(os.getpid(), _own_ports()):
            with socket.socket() as found:
                try:
                    found.bind((HOST, port))
                except OSError:
                    continue
            return port
    raise RuntimeError("every port outside the range of the kernel is taken")


def until_listening(
    port: int, process: subprocess.Popen[bytes], log: Path, *, greets: bool = False, seconds: float = START_SECONDS
) -> socket.socket:
    """Return a connection to a server that is starting.

    Args:
        log: what it said; the end of it is in the error.
        greets: whether it speaks first. The greeting is read then.

    Raises:
        RuntimeError: it ended, or did not listen within ``seconds``.
    """
    end = time.monotonic() + seconds
    while True:
        ended = process.poll()
        try:
            line = socket.create_connection((HOST, port), timeout=5)
        except OSError as exc:
            why = str(exc)
        else:
            try:
                if not greets or line.recv(3):
                    return line
                why = "it hung up"
            except OSError as exc:
                why = str(exc)
            line.close()
        if ended is not None or time.monotonic() > end:
            said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            state = "still runs" if ended is None else f"ended with {ended}"
            raise RuntimeError(f"nothing listens on port {port} ({why}); {process.args!r} {state} and said: {said}")
        time.sleep(0.02)


def _own_ports() -> Iterator[int]:
    """Give the ports of one block after the other, each of which no other process on this network holds."""
    lowest, highest = _range()
    for start in range(lowest, highest - BLOCK, BLOCK):
        held = socket.socket(socket.AF_UNIX)
        try:
            # An abstract name is one for the same network as the port is, and goes with the process.
            held.bind(f"\0agentconsole-test-ports-{start}")
        except OSError:
            held.close()
            continue
        held.detach()
        yield from range(start, start + BLOCK)


def _range() -> tuple[int, int]:
    """Return the larger part of the ports that the kernel does not give out by itself."""
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
        low, high = (int(number) for number in re.findall(r"\d+", text))
    except (OSError, ValueError):
        return LOWEST, 32_000
    below, above = (LOWEST, low), (high + 1, HIGHEST)
    best = max(below, above, key=lambda part: part[1] - part[0])
    return best if best[1] - best[0] >= 20 * BLOCK else (LOWEST, HIGHEST)
