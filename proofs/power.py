"""The power goes: images of an ext4 file system under a working store, taken at random moments.

    python -m proofs.power [--n 300] [--seed 3] [--control 20]      (root and loop devices)

A process works on a store in a small loop-mounted ext4 (``commit=300``, so that nothing lasts but by fsync) and tells
what it was told that is durable. At random moments it is stopped, everything that it said is read, and the image as the
block device has it is copied: what only the page cache held is lost, as when the plug is pulled. The copy is mounted
(which replays the journal), opened by a store of its own, and compared with what was said. The control does the same
with an fsync that does nothing, and must find losses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentconsole.errors import AgentConsoleError
from proofs import labour
from proofs.report import Report
from tests.folders import quick_folder

IMAGE_MB: Final = 28
SNAPS_A_LIFE: Final = 25
"""Copies that are taken of one file system before a new one is made."""


def _run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


@contextmanager
def mounted(image: Path, at: Path, options: str = "loop") -> Iterator[Path]:
    at.mkdir(exist_ok=True)
    _run("mount", "-o", options, image, at)
    try:
        yield at
    finally:
        _run("umount", at)


@contextmanager
def file_system(folder: Path, number: int) -> Iterator[tuple[Path, Path]]:
    """Lend a fresh ext4 that syncs nothing by itself: the image and where it is mounted."""
    image = folder / "image"
    image.unlink(missing_ok=True)
    with open(image, "wb") as file:
        file.truncate(IMAGE_MB << 20)
    _run("mkfs.ext4", "-qF", image)
    with mounted(image, folder / "live", "loop,commit=300" + (",nodelalloc" if number % 3 == 0 else "")):
        yield image, folder / "live"


class Worker:
    """A process that works on a store and says line by line what it begins and what was acknowledged."""

    def __init__(self, root: Path, seed: int, *, without_fsync: bool) -> None:
        words = [
            sys.executable,
            "-m",
            "proofs.labour",
            str(root),
            str(seed),
            *(["--no-fsync"] if without_fsync else []),
        ]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdout is not None
        self._pipe = self._process.stdout.fileno()
        os.set_blocking(self._pipe, False)
        self._rest = b""
        self.said: list[list[Any]] = []

    def listen(self, seconds: float, lines: int = 1 << 30) -> None:
        """Read what it says for a while, or until it said so many lines."""
        end = time.monotonic() + seconds
        while len(self.said) < lines and (left := end - time.monotonic()) > 0:
            if select.select([self._pipe], [], [], left)[0] and not self._read():
                return

    def _read(self) -> bool:
        try:
            data = os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.said += [json.loads(line) for line in lines]
        return bool(data)

    def freeze(self) -> None:
        """Stop it between two system calls, and read everything that it said."""
        os.kill(self._process.pid, signal.SIGSTOP)
        end = time.monotonic() + 10
        while not all(self._stopped(task) for task in Path(f"/proc/{self._process.pid}/task").iterdir()):
            assert time.monotonic() < end, "the worker does not stop"
            time.sleep(0.0005)
        while select.select([self._pipe], [], [], 0)[0] and self._read():
            pass

    @staticmethod
    def _stopped(task: Path) -> bool:
        with suppress(FileNotFoundError, ProcessLookupError):
            return (task / "stat").read_text().rpartition(")")[2].split()[0] == "T"
        return True

    def go_on(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> str:
        self._process.kill()
        _, complaint = self._process.communicate()
        return complaint.decode("utf-8", "replace")


@dataclass
class Figures:
    images: int = 0
    promises: int = 0
    wrong: list[str] = field(default_factory=list)
    losing: int = 0
    """Images in which something was lost."""


async def power(count: int, seed: int, *, without_fsync: bool = False) -> Figures:
    """Take ``count`` images and judge each."""
    figures, chance = Figures(), random.Random(seed)
    life = 0
    with quick_folder("ack-power-") as folder:
        while figures.images < count:
            life += 1
            with file_system(folder, life) as (image, live):
                worker = Worker(live / "store", seed * 1000 + life, without_fsync=without_fsync)
                try:
                    worker.listen(5.0, lines=4)
                    for _ in range(min(SNAPS_A_LIFE, count - figures.images)):
                        worker.listen(chance.uniform(0.005, 0.12))
                        if not worker.alive:
                            break
                        worker.freeze()
                        said = list(worker.said)
                        _run("cp", "--sparse=always", image, folder / "copy")
                        figures.images += 1
                        wrong = await _judged(folder, said)
                        worker.go_on()
                        figures.promises += sum(line[0] == "done" for line in said)
                        figures.losing += bool(wrong)
                        figures.wrong += [f"image {figures.images}: {what}" for what in wrong]
                    full = len(worker.said)
                finally:
                    complaint = worker.end()
                if full < 20 or (complaint and "No space left" not in complaint):
                    figures.wrong.append(f"the worker broke down: {complaint[-1500:]}")
                    return figures
    return figures


async def _judged(folder: Path, said: list[list[Any]]) -> list[str]:
    try:
        with mounted(folder / "copy", folder / "check") as check:
            return await labour.judge(check / "store", said)
    except (AgentConsoleError, AssertionError, OSError) as exc:
        return [f"{type(exc).__name__}: {exc}"]
    except subprocess.CalledProcessError as exc:
        return [f"the copy cannot be mounted: {exc.stderr!r}"]


def report(figures: Figures, control: Figures, command: str, wanted: int) -> Report:
    found = Report("The power goes", command)
    found.add("ext4 images of a working store", figures.images, f">= {wanted}", figures.images >= wanted)
    found.add("acknowledgements compared", figures.promises, "> 0", figures.promises > 0)
    found.add("images with a loss, an unreadable file or another index", figures.losing, "0", not figures.wrong)
    if control.images:
        found.add(
            f"control: the same without fsync, losing images of {control.images}",
            control.losing,
            f">= {control.images // 2}",
            control.losing >= control.images // 2,
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--control", type=int, default=20, help="images without fsync")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if os.geteuid() != 0:
        print("The power proof mounts file systems and needs root. Nothing was done.", file=sys.stderr)
        return 2
    figures = asyncio.run(power(given.n, given.seed))
    control = asyncio.run(power(given.control, given.seed + 1, without_fsync=True)) if given.control else Figures()
    for line in figures.wrong[:40]:
        print(line)
    for line in control.wrong[:3]:
        print(f"(control) {line}")
    command = f"python -m proofs.power --n {given.n} --seed {given.seed} --control {given.control}"
    return report(figures, control, command, given.n).finish()


if __name__ == "__main__":
    sys.exit(main())
