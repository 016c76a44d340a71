"""Half an hour of use: what an agent does all day, with real keys on a real terminal, hub and channel, and what stays.

``python -m proofs.soak [--minutes 30] [--seed 1]`` runs a hub on a store of 300 customers, one of them with 3,000
entries, and on a WhatsApp number of the sandbox. Somebody moves, opens, reads back, answers, takes notes, searches,
switches, filters, changes colours and window size, closes and takes back, while customers write. Every few rounds the
console rests and is measured: memory, open files, threads, tasks, objects. After a fifth of the time, in which caches
fill, memory grows by at most 5 %, files, threads and tasks not at all; afterwards it needs no processor. Every reply
was sent once, none twice and none was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from benchmarks import maker
from proofs.report import Report
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import PROFILE, secrets, whatsapp_account
from tests.folders import quick_folder
from tests.ports import free_port
from tests.pty.harness import PYTHON, Terminal

WRITERS: Final = (
    "Anna",
    "Bruno",
    "Clara",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Irene",
    "Jonas",
    "Katya",
    "Luis",
)
"""Customers who write while the console is used."""

WARM: Final = 0.2
"""The part of the time in which caches fill."""

MOST_GROWTH: Final = 0.05
IDLE_SECONDS: Final = 30.0
IDLE_CPU: Final = 0.1
"""Seconds of processor that rest for half a minute may cost: one long poll is renewed in it."""

ROUNDS_OF_REST: Final = 8
"""After so many doings the console rests and is measured."""

SIZES: Final = ((120, 36), (80, 24), (160, 48), (60, 20))
THEMES: Final = ("light", "dark", "ansi", "contrast")
WORDS: Final = ("order", "refund", "배송", "환불", "parcel from:c12@example.com", "is:waiting invoice", "zzzqqq")
ESC, CTRL_S, CTRL_N, PAGE_UP, PAGE_DOWN = "\x1b", "\x13", "\x0e", "\x1b[5~", "\x1b[6~"


class Held(NamedTuple):
    """What the console's process holds at rest. ``private`` is memory of its own, in kB."""

    at: float
    private: int
    files: int
    threads: int
    tasks: int
    objects: int


def phone(number: int) -> str:
    """Return the number of a writer."""
    return f"4420794601{number:02}"


def private_memory(pid: int) -> int:
    """Return the memory in kB that a process shares with none."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))


def processor(pid: int) -> float:
    """Return the seconds for which the threads of a process have run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


class Use:
    """One console in use.

    Args:
        whatsapp: the provider; what was sent is counted there.
        folder: where the console tells what it holds.
    """

    def __init__(self, terminal: Terminal, whatsapp: FakeWhatsApp, folder: Path, seed: int) -> None:
        self.terminal, self.whatsapp = terminal, whatsapp
        self.chance = random.Random(seed)
        self.replies: list[str] = []
        self.arrived = self.done = 0
        self.held: list[Held] = []
        self.began = time.monotonic()
        self._file = folder / "held.json"
        self._order: list[Callable[[], None]] = []

    # -- what is done ---------------------------------------------------------------------------------------

    def keys(self, *keys: str, silence: float = 0.08) -> None:
        """Press keys one after the other, as fast as they are answered."""
        for key in keys:
            self.terminal.send(key)
            self.terminal.quiet(silence)

    def settle(self) -> None:
        """Go back to the list of those who wait, whatever is open."""
        self.keys(ESC, ESC, ESC, "1", silence=0.15)
        self.keys("g", "i")
        self.terminal.sees("agentconsole")

    def go_to(self, name: str) -> None:
        """Open a customer by name or address."""
        self.keys("f", name, silence=0.3)
        self.terminal.send("\r")
        there = re.compile(rf"{name} +\d+ open" if name in WRITERS else rf"open of(?s:.*){name}")
        # The keyboard is there too: until then keys mean who is chosen in the list.
        here = lambda: "i Note" in self.terminal.text and there.search(self.terminal.text)  # noqa: E731
        self.terminal.until(here, what=there.pattern)

    def move(self) -> None:
        self.keys(*self.chance.choices(["j", "k", "\x04", "\x15", "G", "J", "K"], k=25))
        self.keys("g", "g")

    def read(self) -> None:
        self.keys("j" * self.chance.randrange(9), "\r", silence=0.2)
        self.keys(*[PAGE_UP] * self.chance.randrange(2, 12), "G", "z", "a")

    def read_far_back(self) -> None:
        self.go_to("c4@example.com")
        self.keys(*[PAGE_UP] * 40, *[PAGE_DOWN] * 10)

    def arrival(self) -> None:
        """Let somebody write, as often as somebody answers."""
        number = self.chance.randrange(len(WRITERS))
        self.arrived += 1
        self.whatsapp.customer_says(phone(number), f"Message {self.arrived} about my order", WRITERS[number])
        self.keys("j", "k")

    def reply(self) -> None:
        """Answer one of those who write, and see that it was sent."""
        self.go_to(name := self.chance.choice(WRITERS))
        self.terminal.send("r")
        self.terminal.sees(f"Reply to {name}", "WhatsApp")
        text = f"Answer {len(self.replies)} to you: it comes on Friday."
        self.keys(*text)
        self.terminal.sees(f"Answer {len(self.replies)} to")
        self.replies.append(text)
        self.terminal.send(CTRL_S)
        self.terminal.until(lambda: any(sent.text == text for sent in list(self.whatsapp.sent)), what="sent")
        self.keys(ESC, silence=0.2)

    def draft(self) -> None:
        """Begin a reply, look at why it goes there, and set it aside."""
        self.go_to(self.chance.choice(WRITERS))
        self.keys("r", silence=0.7)
        self.keys(*"Not yet", "\x1b[12~", "\x1b[12~", CTRL_N, silence=0.1)

    def note(self) -> None:
        self.keys("\r", "i", silence=0.5)
        self.keys(*"Called back at noon", CTRL_S, silence=0.15)

    def search(self) -> None:
        self.keys(f"/{self.chance.choice(WORDS)}\r", silence=0.5)
        self.keys("j", "j", "\r", "n", "n", "N", silence=0.2)

    def switch(self) -> None:
        self.keys("f", *self.chance.choice(("hugo", "em", "김", "c1")), "\x1b[B", "\r", silence=0.15)

    def filter(self) -> None:
        self.keys("\\", *self.chance.choice(("greta", "order", "한")), "\r", "j", "j", silence=0.15)
        self.keys("\\", *["\x7f"] * 6, "\r", silence=0.15)

    def views(self) -> None:
        for view in "muafci":
            self.keys("g", view, "j", silence=0.15)

    def pages(self) -> None:
        self.keys("?", PAGE_DOWN, ESC, "!", ESC, "g", "o", ESC, "g", "?", ESC, "\x10", *"the", ESC, silence=0.15)

    def theme(self) -> None:
        self.keys(f":theme {self.chance.choice(THEMES)}\r", silence=0.3)

    def close_and_undo(self) -> None:
        self.keys("c", silence=0.3)
        self.keys("u", silence=0.3)

    def assign(self) -> None:
        self.keys("a", silence=0.3)

    def window(self) -> None:
        self.terminal.resize(*self.chance.choice(SIZES))
        self.terminal.quiet(0.3)

    def one(self) -> None:
        """Do one of everything in an order of its own, again and again: equal shares, so that rests compare."""
        if not self._order:
            doings = [self.move, self.read, self.search, self.switch, self.views, self.pages, self.theme, self.draft]
            doings += [self.filter, self.note, self.close_and_undo, self.assign, self.window, self.read_far_back]
            doings += [*[self.arrival] * 4, *[self.reply] * 3]
            self.chance.shuffle(doings)
            self._order = doings
        self._order.pop()()
        self.settle()
        self.done += 1

    # -- what it holds --------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Open the same list at the same size and measure."""
        self.terminal.resize(*SIZES[0])
        self.settle()
        self.keys("g", "g", silence=0.3)
        self._file.unlink(missing_ok=True)
        os.kill(self.terminal.pid, signal.SIGUSR1)
        self.terminal.until(self._file.exists, what="what the console holds")
        told = json.loads(self._file.read_text())
        process = Path(f"/proc/{self.terminal.pid}")
        files, threads = (len(list((process / name).iterdir())) for name in ("fd", "task"))
        at = time.monotonic() - self.began
        self.held.append(Held(at, private_memory(self.terminal.pid), files, threads, told["tasks"], told["objects"]))

    def go_on(self, minutes: float) -> None:
        """Use the console for so many minutes."""
        self.began = time.monotonic()
        while time.monotonic() - self.began < minutes * 60:
            for _ in range(ROUNDS_OF_REST):
                self.one()
            self.rest()

    def idle(self) -> float:
        """Leave it alone and return the seconds of processor that this cost."""
        self.settle()
        self.terminal.quiet(2.0)
        before, end = processor(self.terminal.pid), time.monotonic() + IDLE_SECONDS
        while time.monotonic() < end:
            self.terminal.pump(1.0)
        return processor(self.terminal.pid) - before


@asynccontextmanager
async def in_use(folder: Path, customers: int, seed: int) -> AsyncIterator[tuple[Use, Installation]]:
    """Run the hub, the channel and a console; everybody who will write has written once."""
    whatsapp = FakeWhatsApp(retry_seconds=0.2)
    await whatsapp.start()
    try:
        plans = [
            maker.Plan(4, 2_000, 2_000, waits=True),
            *(maker.Plan(10 + n, 4, 4, waits=True) for n in range(customers)),
        ]
        await asyncio.to_thread(maker.make, folder / "store", plans, 1)
        port = free_port()
        text = PROFILE + f'http = {{ host = "127.0.0.1", port = {port} }}\n' + whatsapp_account(whatsapp)
        async with installed(folder, text, secrets(fake=whatsapp)) as here:
            assert await whatsapp.connect(f"http://127.0.0.1:{port}/hook/whatsapp")
            for number, name in enumerate(WRITERS):
                whatsapp.customer_says(phone(number), "hello?", name)
            environ = {**here.env(), "SOAK_FILE": str(folder / "held.json")}
            command = [PYTHON, "-m", "proofs.soak_console", "--config", str(here.config), "console"]
            with Terminal(command, SIZES[0], environ) as terminal:
                await asyncio.to_thread(terminal.sees, "agentconsole", f"{customers + 1 + len(WRITERS)} waiting")
                yield Use(terminal, whatsapp, folder, seed), here
    finally:
        await whatsapp.stop()


def judge(report: Report, use: Use) -> None:
    """Compare what was held after warming up with what was held at the end."""
    whole = use.held[-1].at
    after = [held for held in use.held if held.at >= WARM * whole] or use.held
    share = max(len(after) // 4, 1)
    first, last = after[:share], after[-share:]
    for name, most, unit in (
        ("private", MOST_GROWTH, "kB"),
        ("objects", None, ""),
        ("files", 0.0, ""),
        ("threads", 0.0, ""),
        ("tasks", 0.0, ""),
    ):
        before = statistics.median(getattr(held, name) for held in first)
        then = statistics.median(getattr(held, name) for held in last)
        growth = then / before - 1
        report.add(
            f"{name} of the console",
            f"{before:,.0f} → {then:,.0f} {unit} ({growth:+.1%})",
            "-" if most is None else f"at most {most:+.0%} after the first {WARM:.0%} of the time",
            most is None or growth <= most,
        )


async def measure(minutes: float, customers: int, seed: int) -> Report:
    report = Report("Use for a long time", f"python -m proofs.soak --minutes {minutes:g} --seed {seed}")
    with quick_folder("acs-") as folder:
        async with in_use(folder, customers, seed) as (use, here):
            assert here.hub is not None
            hub = private_memory(here.hub.pid)
            await asyncio.to_thread(use.go_on, minutes)
            report.add("doings", f"{use.done} in {use.held[-1].at / 60:.1f} min, {len(use.held)} rests", "-", True)
            judge(report, use)
            report.add("memory of the hub", f"{hub:,} → {private_memory(here.hub.pid):,} kB", "-", True)
            sent = [sent.text for sent in use.whatsapp.sent]
            report.add("replies", f"{len(use.replies)} written, {len(sent)} sent", "each once", sent == use.replies)
            idle = await asyncio.to_thread(use.idle)
            report.add(
                f"processor in {IDLE_SECONDS:.0f} s of rest",
                f"{idle * 1000:.0f} ms",
                "at most 100 ms",
                idle <= IDLE_CPU,
            )
            use.terminal.send("q")
            code = await asyncio.to_thread(use.terminal.ended)
            report.add("exit code", code, "0", code == 0)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.soak", description="Half an hour of use.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    return asyncio.run(measure(args.minutes, args.customers, args.seed)).finish()


if __name__ == "__main__":
    sys.exit(main())
