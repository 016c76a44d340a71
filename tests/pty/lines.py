"""What the console sends through what lies between it and a terminal: ``python -m tests.pty.lines``.

Prints the table of docs/ssh.md: for each way the bytes of the first screen, of a cursor key, of a letter typed, of a
idling, and which requests to the terminal get through. Needs tmux.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.pty.harness import PYTHON, ROOT, Terminal

SIZE: Final = (120, 36)
COPY: Final = b"\x1b]52;c;" + base64.b64encode(b"k0@example.com")
NOTICE: Final = b"\x1b]9;agentconsole"

_OSC: Final = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")

_SET_UP: Final = """
set -s escape-time 20
set -g default-terminal "tmux-256color"
set -g status off
"""
_WELL: Final = _SET_UP + "set -s set-clipboard on\nset -s focus-events on\nset -g allow-passthrough on\n"


def measured(command: Sequence[str], environ: Mapping[str, str], pid: Callable[[Terminal], int]) -> list[str]:
    """Return the cells of a row.

    Args:
        pid: finds the console's process.
    """
    with Terminal(command, SIZE, environ) as terminal:
        terminal.sees("agentconsole", "Customer 000", "e-mail+")
        terminal.quiet(1.0)
        first = len(terminal.raw)
        down = statistics.median(terminal.press("j") for _ in range(8))
        terminal.press("gg\r", 0.6)
        terminal.press("1", 0.6)
        before = len(terminal.raw)
        terminal.press("y", 0.6)
        copied = COPY in terminal.raw[before:]
        terminal.press("\x1b[O", 0.4)
        os.kill(pid(terminal), signal.SIGUSR1)
        terminal.quiet(0.8)
        sent = bytes(terminal.raw[before:])
        notice, bell = NOTICE in sent, b"\x07" in _OSC.sub(b"", sent)
        terminal.press("\x1b[I", 0.4)
        terminal.press("r", 0.9)
        terminal.press("abc", 0.9)
        letter = statistics.median(terminal.press(character, 0.2) for character in "defgh")
        terminal.press("\x0e", 0.5)
        idle = terminal.quiet(silence=3.0)
        through = ("yes" if found else "no" for found in (copied, bell, notice))
        return [str(first), f"{down:.0f}", f"{letter:.0f}", str(idle), *through]


def main() -> None:
    app = [PYTHON, "-m", "tests.ui.demo_app", "en", "many"]
    rows = [("plain", measured(app, {}, lambda terminal: terminal.pid))]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("tmux as it comes", "set -g status off\n"), ("tmux set up", _WELL)):
            conf = Path(folder) / "tmux.conf"
            conf.write_text(text)
            label = f"agentconsole-lines-{os.getpid()}"
            command = ["tmux", "-L", label, "-f", str(conf), "new-session", " ".join(app)]
            tmux = ["tmux", "-L", label]

            def inside(_: Terminal, tmux: list[str] = tmux) -> int:
                return int(subprocess.check_output([*tmux, "list-panes", "-F", "#{pane_pid}"]))

            try:
                rows.append((name, measured(command, {"PYTHONPATH": str(ROOT)}, inside)))
            finally:
                subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
    print("| | first screen | cursor key | letter | idle | copy | bell | notice |")
    print("|---|---|---|---|---|---|---|---|")
    for name, cells in rows:
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if shutil.which("tmux") is None:
        sys.exit("tmux is not installed.")
    main()
