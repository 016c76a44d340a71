"""A program on a pseudo-terminal, with this process as the terminal: bytes are counted, pyte draws, queries answered.

What Pilot cannot see is seen here: the bytes that leave, signals, hang-ups, real keys.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyte

from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[2]

_ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}


class Terminal:
    """A running program and the screen that it draws.

    Args:
        command: program and arguments.
        size: columns and lines.
        environ: added to a clean environment; ``TERM`` is xterm-256color in true colour.
        draw: feed pyte; off where only the raw bytes matter, because pyte is slow.
    """

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int] = (80, 24),
        environ: Mapping[str, str] | None = None,
        *,
        draw: bool = True,
    ) -> None:
        self.raw = bytearray()
        self.size = size
        self.started = self.read_at = time.perf_counter()
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen) if draw else None
        self._asked = b""
        self._undrawn: bytearray | None = None
        self._status: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            self._become(command, environ or {})
        self.resize(*size)

    def _become(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        try:
            self._set_size(0, *self.size)
            kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            base = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
            os.chdir(ROOT)
            os.execvpe(command[0], list(command), {**kept, **base, **environ})
        finally:
            os._exit(127)

    @staticmethod
    def _set_size(fd: int, columns: int, lines: int) -> None:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns: int, lines: int) -> None:
        self._set_size(self._fd, columns, lines)
        if self._stream is not None and (columns, lines) != (self.screen.columns, self.screen.lines):
            self.screen.resize(lines, columns)

    # -- in and out -----------------------------------------------------------------------------------------

    def pump(self, seconds: float) -> int:
        """Read once, waiting for at most ``seconds``; return how many bytes came (0: none, -1: the end)."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return 0
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return -1
        if not data:
            return -1
        self.read_at = time.perf_counter()
        self.raw += data
        self._answer(data)
        if self._undrawn is not None:
            self._undrawn += data
        else:
            self._draw(data)
        return len(data)

    def _draw(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.feed(_NOT_FOR_PYTE.sub(b"", data))

    @contextlib.contextmanager
    def undrawn(self) -> Iterator[None]:
        """Draw what comes in this block at its end: pyte would take part of the time that is measured."""
        self._undrawn = bytearray()
        try:
            yield
        finally:
            data, self._undrawn = bytes(self._undrawn), None
            self._draw(data)

    def _answer(self, data: bytes) -> None:
        seen = self._asked + data
        for question, answer in _ANSWERS.items():
            for _ in range(seen.count(question)):
                os.write(self._fd, answer)
        # A question may be cut in two by a read: keep what could be the start of one.
        start = seen.rfind(b"\x1b")
        tail = seen[start:] if start >= 0 else b""
        self._asked = tail if any(question.startswith(tail) and question != tail for question in _ANSWERS) else b""

    def until(self, condition: Callable[[], object], seconds: float = DEADLINE, what: str = "") -> None:
        """Read until a condition holds.

        Raises:
            AssertionError: it does not within ``seconds``, or the program ended; with the screen.
        """
        end = time.monotonic() + seconds
        while not condition():
            if self.pump(0.05) < 0 or time.monotonic() > end:
                if condition():
                    return
                raise AssertionError(f"never seen: {what or condition}\n{self.text}")

    def sees(self, *texts: str) -> None:
        """Wait until all texts stand on the screen. Wide characters are compared without their second cells."""
        self.until(lambda: all(text in self.text for text in texts), what=repr(texts))

    def quiet(self, silence: float = 0.25, seconds: float = DEADLINE) -> int:
        """Read until nothing came for ``silence`` seconds and return how many bytes came before.

        Time in which the program worked, or waited for a processor that others had, is no silence, unless so little is
        asked for that it is but a pause between two keys.
        """
        end, total = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            before, _ = self._work()
            count = self.pump(silence)
            if count < 0:
                return total
            total += count
            worked, waits = self._work()
            if not count and (silence < 0.1 or (not waits and worked - before <= max(0.1 * silence, 0.01))):
                return total
        return total

    def _work(self) -> tuple[float, bool]:
        """Return the seconds for which the program's threads ran so far, and whether one of them could run now."""
        running, waits = 0, False
        for task in Path(f"/proc/{self.pid}/task").glob("*"):
            with contextlib.suppress(OSError, ValueError):
                waits = waits or (task / "stat").read_text().rpartition(") ")[2][0] == "R"
                running += int((task / "schedstat").read_text().split()[0])
        return running / 1e9, waits

    def send(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def press(self, text: str, silence: float = 0.25) -> int:
        """Send keys and return how many bytes they made the program write."""
        self.send(text)
        return self.quiet(silence)

    @property
    def text(self) -> str:
        """The screen as lines; a wide character's second cell, which pyte leaves empty, is left out.

        Not pyte's ``display``: that fails while half of a wide character is drawn over.
        """
        rows = (self.screen.buffer[y] for y in range(self.screen.lines))
        return "\n".join("".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in rows)

    # -- the end --------------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """Close the terminal, as a dropped SSH line does."""
        os.close(self._fd)
        self._fd = -1

    def ended(self, seconds: float = DEADLINE) -> int | None:
        """Wait for the end and return the exit code (negative: the signal), or None if it lives on."""
        end = time.monotonic() + seconds
        while self._status is None and time.monotonic() < end:
            if self._fd >= 0 and self.pump(0.02) < 0:
                os.close(self._fd)
                self._fd = -1
            elif self._fd < 0:
                select.select([], [], [], 0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def close(self) -> None:
        """End the program whatever it does."""
        if self._status is None and self.ended(0.0) is None:
            os.kill(self.pid, signal.SIGKILL)
            self.ended()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_NOT_FOR_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")
"""Private sequences (kitty keys, mode queries) that pyte would print."""

PYTHON = sys.executable

SEQUENCES = re.compile(
    rb"\x1b\[[0-9;]*[mHJK]"  # colours, cursor, erasing
    rb"|\x1b\[\?[0-9;]+[hl]"  # modes
    rb"|\x1b\[\?[0-9;]+\$p"  # mode queries
    rb"|\x1b\[[<>=][0-9;]*u"  # kitty keyboard
    rb"|\x1b\[(?:6n|c)"
    rb"|\x1b\]22;[a-z]*(?:\x07|\x1b\\)"  # pointer shape
    rb"|\x1b\]52;c;[A-Za-z0-9+/=]*\x1b\\"  # a copy
)
"""Every escape sequence that the console itself writes for plain text."""


def foreign_controls(raw: bytes) -> list[bytes]:
    """Return every control in a terminal's input that the console does not write itself, with what surrounds it."""
    text = SEQUENCES.sub(b"", raw).decode("utf-8", "replace")
    bad = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
    return [text[max(m.start() - 12, 0) : m.end() + 12].encode() for m in bad.finditer(text)]
