"""Whether a TCP line has taken what was written to it, so that the end of a message can be held back until then.

A server must not act on a mail whose dot it never got (RFC 5321 section 4.1.1.4), nor on a request without its last
byte (RFC 9112 section 8). What may deliver therefore leaves in two parts: everything but its end, and the end once the
peer's kernel has confirmed the rest. A line that breaks before that proves that nothing was sent; without it, every
line that broke after the first byte would leave a doubt.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any, Final

_ESTABLISHED: Final = 1
_INFO_BYTES: Final = 104
_RTT_AT: Final = 68
"""Where ``struct tcp_info`` holds the smoothed round trip in microseconds (linux/tcp.h)."""
LONGEST_PAUSE: Final = 0.05
SHORTEST_GRACE: Final = 0.02
LONGEST_GRACE: Final = 0.25


async def took(line: Any, deadline: float, pending: Callable[[], int] = lambda: 0) -> bool:
    """Wait until the peer has confirmed every byte, then a round trip more, and say whether the line is still open.

    The round trip lets a hang-up arrive that the last bytes caused at whoever ends the TCP line before the provider
    (a proxy, a load balancer).

    Args:
        line: the socket, or None where there is no line that could be asked: then everything counts as taken.
        deadline: seconds.
        pending: bytes that are not yet the kernel's.

    Raises:
        TimeoutError: the peer did not confirm in time.
    """
    if line is None:
        return True
    pause = 0.001
    async with asyncio.timeout(deadline):
        while pending() or _unconfirmed(line):
            if not is_open(line):
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
    await asyncio.sleep(min(max(2 * _round_trip(line), SHORTEST_GRACE), LONGEST_GRACE))
    return is_open(line)


def is_open(line: Any) -> bool:
    """Say whether neither side has ended the line; True on systems that cannot tell."""
    info = _info(line)
    return not info or info[0] == _ESTABLISHED


def _unconfirmed(line: Any) -> int:
    """Return how many bytes the peer has not confirmed; 0 on systems that cannot tell."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0])
    except (OSError, ValueError):
        return 0


def _round_trip(line: Any) -> float:
    info = _info(line)
    return struct.unpack_from("I", info, _RTT_AT)[0] / 1e6 if len(info) >= _RTT_AT + 4 else 0.0


def _info(line: Any) -> bytes:
    """Return the kernel's words on a line; a single zero for one that is closed, nothing where it does not say."""
    try:
        option = socket.TCP_INFO
    except AttributeError:
        return b""
    try:
        found = line.getsockopt(socket.IPPROTO_TCP, option, _INFO_BYTES)
    except (OSError, ValueError):
        return b"\0"
    return found if isinstance(found, bytes) else b""
