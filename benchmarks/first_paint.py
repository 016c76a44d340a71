"""First paint of the console on a running hub, against a bare Textual app, in turns in one run.

``python -m benchmarks.first_paint [ROUNDS]`` prints both medians and minima and their ratio; exit code 1 above the
target. Both start a fresh Python on a pseudo-terminal of 120 x 36; the clock runs from fork to the first text of the
app itself on the screen. The hub is real: ``serve`` on an embedded store in a temporary folder.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.pty.harness import PYTHON, ROOT, Terminal

TARGET = 1.5
SIZE = (120, 36)

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("first text of a bare app")
Bare().run(mouse=False)
"""

CONFIG = """
default_profile = "bench"
[profiles.bench]
store = "tinydb:{folder}/store"
language = "en"
timezone = "UTC"
"""


def first_paint(command: Sequence[str], text: str, home: str) -> float:
    """Return the seconds from fork until a text stands on the screen."""
    with Terminal(command, SIZE, {"HOME": home}) as terminal:
        terminal.until(lambda: text in terminal.text, 20, text)
        return time.perf_counter() - terminal.started


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(CONFIG.format(folder=folder))
        command = [PYTHON, "-m", "agentconsole", "--config", str(config)]
        environ = {**os.environ, "HOME": folder}
        with subprocess.Popen([*command, "serve"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) as hub:
            try:
                assert hub.stderr is not None
                hub.stderr.readline()
                bare: list[float] = []
                ours: list[float] = []
                for _ in range(rounds):
                    bare.append(first_paint([PYTHON, "-c", BARE], "first text", folder))
                    ours.append(first_paint(command, "Nobody is waiting", folder))
            finally:
                hub.send_signal(signal.SIGTERM)
    ratio = min(ours) / min(bare)
    print(f"bare Textual app  median {statistics.median(bare) * 1000:4.0f} ms  best {min(bare) * 1000:4.0f} ms")
    print(f"agentconsole      median {statistics.median(ours) * 1000:4.0f} ms  best {min(ours) * 1000:4.0f} ms")
    medians = statistics.median(ours) / statistics.median(bare)
    print(f"ratio of the best {ratio:.2f} (target {TARGET}), of the medians {medians:.2f}")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
