"""The console on a large store, on a pseudo-terminal of 120 x 36, beside neomutt, aerc and a bare Textual app.

``python -m benchmarks.console`` makes a store with 100,000 waiting conversations and one customer of 50,000 entries
(about two minutes, 1 GB), serves it by a real hub, and measures in one run: first paint, bytes and time of a key,
opening a history and scrolling in it, search, memory. ``--customers N`` makes it smaller; ``--keep FOLDER`` leaves the
store there and uses it again. Peers that are not installed are named as absent.

Times run from the write of a key to the last byte that came before a silence of 80 ms; the keys of all programs are
pressed in the same way. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import maker, peers
from benchmarks.peers import Peer
from benchmarks.size import memory
from proofs.report import Report
from tests.pty.harness import PYTHON, ROOT, Terminal

SIZE: Final = (120, 36)
LONG: Final = 4
"""The number of the customer with about 50,000 entries."""

LONG_MESSAGES: Final = 31_000
SILENCE: Final = 0.08
PATIENCE: Final = 60.0
KEYS: Final = 300
ROUNDS: Final = 7

CONFIG: Final = """
default_profile = "bench"
[profiles.bench]
store = "tinydb:{root}"
language = "en"
timezone = "UTC"
"""


class Key(NamedTuple):
    """What one key cost: bytes, and milliseconds until the last of them came."""

    octets: int
    took: float


class Keys(NamedTuple):
    octets: float
    most_octets: int
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.octets:.0f} B (most {self.most_octets}), p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms"


def keys(found: Sequence[Key]) -> Keys:
    took = sorted(key.took for key in found)
    octets = [key.octets for key in found]
    return Keys(statistics.median(octets), max(octets), statistics.median(took), took[int(len(took) * 0.99) - 1])


def press(terminal: Terminal, text: str) -> Key:
    """Press a key and wait for its last byte."""
    began = last = time.perf_counter()
    octets = 0
    terminal.send(text)
    patience = 2.0
    while (count := terminal.pump(patience)) > 0:
        octets += count
        last = terminal.read_at
        patience = SILENCE
    return Key(octets, (last - began) * 1000)


def until(terminal: Terminal, text: str, keys_: str) -> Key:
    """Press keys and wait until a text was written."""
    start = len(terminal.raw)
    began = time.perf_counter()
    terminal.send(keys_)
    terminal.until(lambda: text in terminal.text, PATIENCE, text)
    took = (terminal.read_at - began) * 1000
    terminal.quiet(SILENCE)
    return Key(len(terminal.raw) - start, took)


@contextmanager
def serving(root: Path, home: Path) -> Iterator[tuple[list[str], int]]:
    """Run a hub on a store and yield the console's command and the hub's process id."""
    config = home / "config.toml"
    config.write_text(CONFIG.format(root=root))
    command = [PYTHON, "-m", "agentconsole", "--config", str(config)]
    environ = {**os.environ, "HOME": str(home)}
    with subprocess.Popen([*command, "serve"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) as hub:
        try:
            assert hub.stderr is not None
            while "erving" not in (line := hub.stderr.readline()):
                assert line, "the hub ended"
            yield command, hub.pid
        finally:
            hub.send_signal(signal.SIGTERM)
            hub.wait(PATIENCE)


def make(root: Path, customers: int) -> str:
    """Make the store and build its index, unless it is there."""
    if (root / "customers").exists():
        return "kept from an earlier run"
    began = time.perf_counter()
    plans = [maker.Plan(LONG, LONG_MESSAGES, waits=True)]
    plans += [maker.Plan(10 + number, 1, 1, waits=True) for number in range(customers)]
    entries = maker.make(root, plans)
    return f"{customers:,} customers, {entries:,} entries, {time.perf_counter() - began:.0f} s"


def paints(report: Report, ours: Peer, others: Sequence[Peer], home: str) -> None:
    """Measure first paint of all programs in turns."""
    everybody = [peers.bare(), ours, *others]
    took: dict[str, list[float]] = {one.name: [] for one in everybody}
    for _ in range(ROUNDS):
        for one in everybody:
            with Terminal(one.command, SIZE, {"HOME": home, **one.environ}) as terminal:
                terminal.until(lambda: one.first in terminal.text, PATIENCE, one.first)  # noqa: B023
                took[one.name].append((time.perf_counter() - terminal.started) * 1000)
    floor = statistics.median(took["bare Textual app"])
    for name, some in took.items():
        median = statistics.median(some)
        ratio = median / floor
        ok, wanted = True, "-"
        if name == ours.name:
            wanted, ok = "at most 1.3 x bare", ratio <= 1.3
            if "posting" in took:
                wanted, ok = f"{wanted}, below posting", ok and median < statistics.median(took["posting"])
        report.add(f"first paint, {name}", f"{median:.0f} ms (best {min(some):.0f}), {ratio:.2f} x bare", wanted, ok)


def pressing(report: Report, peer: Peer, box: str, *, goals: bool) -> None:
    """Measure cursor keys, opening and search in one program."""
    with Terminal(peer.command, SIZE, peer.environ) as terminal:
        terminal.until(lambda: peer.first in terminal.text, PATIENCE, peer.first)
        terminal.quiet(0.5)
        down = keys([press(terminal, peer.down) for _ in range(20)])
        report.add(
            f"cursor down in view, {peer.name}",
            down,
            "at most 600 B" if goals else "-",
            not goals or down.octets <= 600,
        )
        moving = keys([press(terminal, peer.down) for _ in range(KEYS)])
        wanted = "p99 at most 30 ms"
        report.add(
            f"{KEYS} cursor keys with scrolling, {peer.name}, {box}",
            moving,
            wanted if goals else "-",
            not goals or moving.p99 <= 30,
        )
        if peer.opened:
            opening = until(terminal, peer.opened, peer.open)
            report.add(f"open a message, {peer.name}", f"{opening.took:.0f} ms, {opening.octets:,} B", "-", True)
            terminal.send(peer.back)
            terminal.quiet(0.3)
        if peer.search:
            found = until(terminal, peer.found, peer.search.format(peer.word))
            report.add(f"search, {peer.name}", f"{found.took:.0f} ms, {found.octets:,} B", "-", True)


def ours_alone(report: Report, command: Sequence[str], first: str, home: str, hub: int, search: str) -> None:
    """Measure what only this console has: a history of 50,000 entries, typing a reply, finding, memory."""
    with Terminal(command, SIZE, {"HOME": home}) as terminal:
        terminal.until(lambda: first in terminal.text, PATIENCE, first)
        terminal.quiet(0.5)
        end = press(terminal, "G")
        report.add("end of the queue (G)", f"{end.took:.0f} ms, {end.octets:,} B", "at most 8 kB", end.octets <= 8000)
        press(terminal, "\x1b[H")
        opening = press(terminal, f":show c{LONG}@example.com\r")
        report.add(
            "open 50,000 entries",
            f"{opening.took:.0f} ms, {opening.octets:,} B",
            "at most 30 kB",
            opening.octets <= 30_000,
        )
        up = keys([press(terminal, "k") for _ in range(100)])
        report.add("line up in 50,000 entries", up, "p99 at most 30 ms", up.p99 <= 30)
        pages = keys([press(terminal, "\x1b[5~") for _ in range(100)])
        report.add("page up in 50,000 entries", pages, "-", True)
        terminal.send("r")
        terminal.quiet(0.8)
        typed = keys([press(terminal, letter) for letter in "abcde fghij klmno pqrst uvwxy z" * 3])
        report.add("letter in the reply box", typed, "at most 2.5 kB", typed.octets <= 2500)
        terminal.send("\x1b")
        terminal.quiet(0.5)
        found = until(terminal, "FOUND", f"/{search}\r")
        report.add(f"search for {search!r}", f"{found.took:.0f} ms, {found.octets:,} B", "-", True)
        used = memory("VmRSS", terminal.pid)
        report.add("memory of the console after all this", f"{used:.0f} MB", "at most 80 MB", used <= 80)
        report.add("memory of the hub", f"{memory('VmRSS', hub):.0f} MB", "-", True)


def measure(folder: Path, customers: int, posting: str) -> Report:
    root, home = folder / "store", folder / "home"
    home.mkdir(exist_ok=True)
    report = Report("The console on a large store", f"python -m benchmarks.console --customers {customers}")
    report.add("store", make(root, customers), "-", True)
    with tempfile.TemporaryDirectory() as box, serving(root, home) as (command, hub):
        first = f"{customers + 1:,}".replace(",", "")
        ours = Peer("agentconsole", list(command), f"{first} waiting", {"HOME": str(home)})
        others = list(peers.peers(Path(box), 10_000, posting))
        for name in {"neomutt", "aerc", "posting"} - {one.name for one in others}:
            report.add(name, "absent", "-", True)
        with Terminal(ours.command, SIZE, ours.environ) as warm:
            warm.until(lambda: ours.first in warm.text, 600, ours.first)
        paints(report, ours, others, str(home))
        pressing(report, ours, f"{customers:,} conversations", goals=True)
        for other in others:
            if other.name != "posting":
                pressing(report, other, "10,000 mails", goals=False)
        ours_alone(report, command, ours.first, str(home), hub, "refund")
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--keep", metavar="FOLDER")
    parser.add_argument("--posting", metavar="PATH", default="", help="the program posting, if it is to be measured")
    args = parser.parse_args(arguments)
    if args.keep:
        folder = Path(args.keep)
        folder.mkdir(parents=True, exist_ok=True)
        return measure(folder, args.customers, args.posting).finish()
    with tempfile.TemporaryDirectory() as temporary:
        return measure(Path(temporary), args.customers, args.posting).finish()


if __name__ == "__main__":
    sys.exit(main())
