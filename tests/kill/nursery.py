"""Hubs that start within a twentieth of a second: forked from a process that has imported everything already.

(``multiprocessing``'s fork server imports the main module again in every child, which costs more than the hub itself.)
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any, Final

from tests.kill.life import Life

ROOT: Final = Path(__file__).parents[2]
DIE_WITH_PARENT: Final = 1
"""``PR_SET_PDEATHSIG`` (linux/prctl.h)."""


class Nursery:
    """The side that asks for hubs. One for a test process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kill.nursery"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._said = threading.Condition()
        self._born = 0
        self._ended: dict[int, int] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        atexit.register(self.close)

    def start(self, life: Life) -> int:
        """Fork a hub and return its process id."""
        data = pickle.dumps(life)
        stdin = self._process.stdin
        assert stdin is not None
        with self._said:
            self._born = 0
            stdin.write(struct.pack(">I", len(data)) + data)
            stdin.flush()
            if not self._said.wait_for(lambda: self._born, 60):
                raise RuntimeError("the nursery does not answer")
            self._ended.pop(self._born, None)
            return self._born

    def code(self, pid: int) -> int | None:
        """Return how a hub ended (``-9``: killed), None while it lives."""
        return self._ended.get(pid)

    def close(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.wait(10)

    def _listen(self) -> None:
        stdout: IO[bytes] | None = self._process.stdout
        assert stdout is not None
        while line := stdout.readline().split():
            with self._said:
                if line[0] == b"born":
                    self._born = int(line[1])
                else:
                    self._ended[int(line[1])] = int(line[2])
                self._said.notify_all()
        with self._said:
            self._said.notify_all()


def _live(life: Life) -> int:
    from tests.kill.hub import run_hub

    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(os.open(life.folder / "hub.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    os.dup2(2, 1)
    try:
        run_hub(life)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Fork a hub for every request on stdin; tell births and ends on stdout."""
    import tests.kill.preload  # noqa: F401

    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    gc.collect()
    gc.freeze()

    def say(*words: Any) -> None:
        os.write(1, (" ".join(map(str, words)) + "\n").encode())

    while True:
        ready = select.select([0, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            say("ended", pid, os.waitstatus_to_exitcode(status))
        if 0 not in ready:
            continue
        head = os.read(0, 4)
        if not head:
            return
        data = b""
        while len(data) < struct.unpack(">I", head)[0]:
            data += os.read(0, struct.unpack(">I", head)[0] - len(data))
        life = pickle.loads(data)
        pid = os.fork()
        if pid == 0:
            os._exit(_live(life))
        say("born", pid)


if __name__ == "__main__":
    main()
