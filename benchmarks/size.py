"""What size costs: a customer with 50,000 entries, and with ``--full`` a store with 50,000 customers and a million
messages.

``python -m benchmarks.size`` takes half a minute with 1,000 customers (``--quick``, the default); ``--full`` takes
about ten minutes and 3 GB of disk. Each figure stands beside its floor or its peer of the same run:

* an append beside replacing a file of the same size durably, which no store with this promise can undercut;
* a question to the large store beside the same question to the small one;
* a start of the hub beside one on an empty store.

Exit code 1 where something grows that must not. ``--keep FOLDER`` leaves the stores there and uses them again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple, ParamSpec, TypeVar

from agentconsole.domain.entries import Received
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
)
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.embedded.head import head_path
from agentconsole.text.query import parse
from benchmarks import maker
from benchmarks.maker import Plan
from proofs.report import Report

SMALL: Final = (1_000, 20_000)
LARGE: Final = (50_000, 1_000_000)
LONG: Final = (Plan(1, 6), Plan(2, 620), Plan(3, 31_000), Plan(4, 31_000, 5_000))
"""Customers with about 10, 1,000 and 50,000 entries, and 50,000 spread over 5,000 conversations."""

ROUNDS: Final = 60
BODY: Final = "배송이 언제 오는지 알려 주세요. Order 55120 was due on Friday. " * 10
FLAT: Final = 2.0
"""How many times the floor's ratio may differ between the smallest and the largest, before something grows."""

WITHIN: Final = {"search": 250.0, "switcher": 30.0}
"""Milliseconds for what takes more than a look at one row."""

START_WITHIN: Final = 1.5
AGENT: Final = AgentName("agent1")
NOW: Final = datetime(2026, 3, 3, tzinfo=UTC)


class Times(NamedTuple):
    """Milliseconds."""

    p50: float
    p95: float
    most: float

    def __str__(self) -> str:
        return f"{self.p50:.2f} / {self.p95:.2f} / {self.most:.2f} ms"


def times(seconds: Sequence[float]) -> Times:
    ordered = sorted(second * 1000 for second in seconds)
    return Times(statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1])


P = ParamSpec("P")
T = TypeVar("T")


def apart(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call something in a process of its own, so that its memory is its own too."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(act, *args, **kwargs).result()


def memory(which: str = "VmRSS", pid: int | str = "self") -> float:
    """Return a process's memory in MB."""
    found = re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def opened(root: Path) -> EmbeddedStore:
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps())


# -- the first start: both derived files from nothing -------------------------------------------------------


class Built(NamedTuple):
    """Seconds until the summary and then the full text were there, and megabytes of memory at most after each."""

    summary: float
    texts: float
    summary_memory: float
    texts_memory: float
    octets: int
    cpu: float


def build(root: Path) -> Built:
    """Build the index and the full text of a store from its customers' files."""

    async def run() -> Built:
        store = opened(root)
        began = time.perf_counter()
        await store.open()
        summary, peak = time.perf_counter() - began, memory("VmHWM")
        await store.search("zzz")
        texts = time.perf_counter() - began - summary
        await store.aclose()
        return Built(summary, texts, peak, memory("VmHWM"), 0, time.process_time())

    for name in root.glob("*.sqlite3*"):
        name.unlink()
    built = asyncio.run(run())
    return built._replace(octets=sum(name.stat().st_size for name in root.glob("*.sqlite3")))


# -- appending ---------------------------------------------------------------------------------------------


class Append(NamedTuple):
    took: Times
    floor: Times
    head: int

    @property
    def ratio(self) -> float:
        return self.took.p50 / self.floor.p50


def appends(root: Path, numbers: Sequence[int], rounds: int) -> list[Append]:
    """Append to some customers in turns, each time beside the floor for the same file."""

    async def run() -> list[Append]:
        took: list[list[float]] = [[] for _ in numbers]
        floor: list[list[float]] = [[] for _ in numbers]
        sizes = [0] * len(numbers)
        async with opened(root) as store:
            run_ = time.time_ns()
            for turn in range(rounds):
                for place, number in enumerate(numbers):
                    record = maker.record_of(number)
                    snapshot = await store.snapshot(record)
                    assert snapshot is not None
                    conversation = max(snapshot.conversations.values(), key=lambda one: one.last_at).id
                    at = datetime.now(UTC)
                    entry = Received(
                        id=EntryId(f"eb{run_}-{number}-{turn}"),
                        at=at,
                        account=AccountName("mail"),
                        medium=Medium("email"),
                        sender=maker.address_of(number),
                        conversation=conversation,
                        stored_at=at,
                        text=BODY,
                    )
                    began = time.perf_counter()
                    await store.change(record, lambda _snapshot, entry=entry: [entry])  # type: ignore[misc]
                    took[place].append(time.perf_counter() - began)
                    path = head_path(root / "customers", record)
                    sizes[place] = path.stat().st_size
                    floor[place].append(await asyncio.to_thread(replaced, path.parent, sizes[place]))
        return [Append(times(a), times(b), size) for a, b, size in zip(took, floor, sizes, strict=True)]

    return asyncio.run(run())


def replaced(folder: Path, size: int) -> float:
    """Return the seconds that it takes to replace a file of ``size`` bytes in a folder durably."""
    data = os.urandom(size)
    target, temporary = folder / "floor", folder / "floor.tmp"
    began = time.perf_counter()
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, target)
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    took = time.perf_counter() - began
    target.unlink()
    return took


# -- opening a long history --------------------------------------------------------------------------------


class Opening(NamedTuple):
    cold: Times
    warm: Times
    older: Times
    pages: int
    memory: float


def _forget(root: Path, record: CustomerId) -> None:
    """Ask the system to forget what it caches of a customer's files and the index."""
    head = head_path(root / "customers", record)
    for path in (*head.parent.glob(f"{head.stem}.*"), *root.glob("*.sqlite3*")):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def opening(root: Path, number: int, rounds: int) -> Opening:
    """Read a customer's newest page with nothing cached, again, and then every older page."""
    record = maker.record_of(number)

    async def run() -> Opening:
        cold: list[float] = []
        warm: list[float] = []
        older: list[float] = []
        for _ in range(rounds):
            async with opened(root) as store:
                await store.health()
                _forget(root, record)
                for kept in (cold, warm, warm, warm):
                    began = time.perf_counter()
                    page = await store.history(record, limit=200)
                    kept.append(time.perf_counter() - began)
                assert page is not None
        async with opened(root) as store:
            before = memory()
            page = await store.history(record, limit=200)
            while page is not None and page.more:
                began = time.perf_counter()
                page = await store.history(record, before=page.entries[0].id, limit=200)
                older.append(time.perf_counter() - began)
            grown = memory() - before
        return Opening(times(cold), times(warm), times(older or [0.0]), len(older) + 1, grown)

    return asyncio.run(run())


# -- questions ---------------------------------------------------------------------------------------------


def questions(root: Path, customers: int, rounds: int) -> dict[str, Times]:
    """Ask what consoles, intake and dispatch ask all day."""

    async def run() -> dict[str, Times]:
        async with opened(root) as store:
            name = next(iter(await store.find_named("emily", 1)), ("", ""))[1]
            asked: dict[str, Callable[[int], Awaitable[object]]] = {
                "inbox: first page (waiting)": lambda _n: store.lines("waiting", AGENT, limit=100),
                "inbox: newest (open)": lambda _n: store.lines("open", AGENT, limit=100),
                "inbox: resolved": lambda _n: store.lines("resolved", AGENT, limit=100),
                "inbox: mine": lambda _n: store.lines("mine", AGENT, limit=100),
                "inbox: failed (none)": lambda _n: store.lines("failed", AGENT, limit=100),
                "counts": lambda _n: store.counts(AGENT),
                "health": lambda _n: store.health(),
                "search 환불 (2 syllables)": lambda _n: store.search("환불"),
                "search 배송 주문": lambda _n: store.search("배송 주문"),
                "search refu (prefix)": lambda _n: store.search("refu"),
                "search order refund (2 words)": lambda _n: store.search("order refund"),
                "search, by customer": lambda _n: store.find_entries(parse("배송 주문", NOW), AGENT, each=3),
                "search in what waits": lambda _n: store.find_entries(parse("배송 is:waiting", NOW), AGENT),
                "search from: somebody": lambda _n: store.find_entries(parse(f'from:"{name}" 배송', NOW), AGENT),
                "search, nothing found": lambda _n: store.search("zzzqqq"),
                "switcher, one letter": lambda _n: store.find_people("김"),
                "switcher, a name": lambda _n: store.find_people(name),
                "find an address": lambda n: store.find(maker.address_of(10 + n * 7 % (customers - 10))),
                "find a name": lambda _n: store.find_named(name),
                "what is due (outbox of an account)": lambda _n: store.replies(
                    [Delivery.QUEUED], account=AccountName("mail"), limit=None
                ),
                "what changed": lambda _n: store.changed(None),
            }
            await store.search("환불")
            found = {}
            for what, ask in asked.items():
                took = []
                for turn in range(rounds):
                    began = time.perf_counter()
                    await ask(turn)
                    took.append(time.perf_counter() - began)
                found[what] = times(took)
            return found

    return asyncio.run(run())


# -- starting the hub --------------------------------------------------------------------------------------


class Start(NamedTuple):
    """Seconds until it serves, bytes that it read by then (through the system, cached or not), memory in MB, and
    how many customers' files it opened (-1: strace is not there)."""

    seconds: float
    octets: int
    memory: float
    heads: int
    stats: int


_CONFIG: Final = """
default_profile = "bench"
[profiles.bench]
store = "tinydb:{root}"
language = "en"
timezone = "UTC"
"""


def start(root: Path) -> Start:
    """Start a hub on a store three times and once more under strace."""
    seconds, octets, used = [], 0, 0.0
    for _ in range(3):
        took, octets, used = _serve(root, [])
        seconds.append(took)
    heads = stats = -1
    if shutil.which("strace"):
        with tempfile.NamedTemporaryFile("r") as calls:
            _serve(root, ["strace", "-f", "-o", calls.name, "-e", "trace=open,openat,newfstatat,statx"])
            lines = calls.read().splitlines()
        files = [line for line in lines if ".json" in line and "/customers/" in line]
        heads = sum("open" in line for line in files)
        stats = sum("stat" in line for line in lines if ".json" in line)
    return Start(statistics.median(seconds), octets, used, heads, stats)


def _serve(root: Path, before: Sequence[str]) -> tuple[float, int, float]:
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "config.toml"
        config.write_text(_CONFIG.format(root=root))
        command = [*before, sys.executable, "-m", "agentconsole", "--config", str(config), "serve"]
        began = time.perf_counter()
        with subprocess.Popen(command, env={**os.environ, "HOME": home}, stderr=subprocess.PIPE, text=True) as hub:
            assert hub.stderr is not None
            pid: int | str = hub.pid
            said = hub.stderr.readline()
            while said and "erving" not in said:
                said = hub.stderr.readline()
            took = time.perf_counter() - began
            if before:
                pid = next(iter(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()), pid)
            counted = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
            used = memory("VmRSS", pid)
            os.kill(int(pid), signal.SIGTERM)
            hub.wait(60)
    return took, int(counted["rchar"]), used


# -- everything --------------------------------------------------------------------------------------------


def _plans(customers: int, messages: int) -> list[Plan]:
    first = 10
    found = maker.sizes(customers, messages)
    return [*LONG, *(Plan(first + place, size) for place, size in enumerate(found))]


def _typical(plans: Sequence[Plan]) -> int:
    """Return an ordinary customer: one with ten messages or a few more."""
    return next(plan.number for plan in plans[len(LONG) :] if 10 <= plan.messages <= 15)


def measure(folder: Path, *, full: bool) -> Report:
    """Make the stores, measure everything, and say what grows."""
    report = Report("What size costs", f"python -m benchmarks.size{' --full' if full else ''}")
    scales = {"1k": SMALL, **({"50k": LARGE} if full else {})}
    stores: dict[str, tuple[Path, list[Plan]]] = {}
    for name, (customers, messages) in scales.items():
        root, plans = folder / name, _plans(customers, messages)
        stores[name] = root, plans
        if not (root / "customers").exists():
            began = time.perf_counter()
            made = maker.make(root, plans)
            took = time.perf_counter() - began
            size = f"{customers:,} customers and four long ones, {made:,} entries"
            report.add(f"store {name}: made", f"{size}: {took:.0f} s", "-", True)
            built = apart(build, root)
            report.add(
                f"store {name}: index from nothing",
                f"{built.summary:.1f} s, {built.summary_memory:.0f} MB at most; full text {built.texts:.0f} s, "
                f"{built.texts_memory:.0f} MB; {built.cpu:.0f} s of CPU; {built.octets / 1e6:.0f} MB on disk",
                "memory does not grow",
                built.texts_memory < 250,
            )
    _starts(report, {"empty": folder / "empty", **{name: root for name, (root, _) in stores.items()}})
    _appends(report, stores)
    _openings(report, stores)
    _questions(report, stores)
    return report


def _starts(report: Report, roots: dict[str, Path]) -> None:
    floor = 0.0
    for name, root in roots.items():
        found = start(root)
        floor = floor or found.seconds
        report.add(
            f"hub start, store {name}",
            f"{found.seconds:.2f} s ({found.seconds / floor:.1f} of an empty one), {found.octets / 1e6:.0f} MB read, "
            f"{found.heads} customers' files opened, {found.stats:,} looked at, {found.memory:.0f} MB of memory",
            f"serves within {START_WITHIN} s more than on an empty store, opens none",
            found.seconds - floor <= START_WITHIN and found.heads <= 0,
        )


def _appends(report: Report, stores: dict[str, tuple[Path, list[Plan]]]) -> None:
    names = ("10 entries", "1,000 entries", "50,000 entries", "50,000 in 5,000 conversations", "an ordinary customer")
    ratios: list[float] = []
    for name, (root, plans) in stores.items():
        numbers = [*(plan.number for plan in LONG), _typical(plans)]
        for what, found in zip(names, apart(appends, root, numbers, ROUNDS), strict=True):
            ratios.append(found.ratio)
            report.add(
                f"append, {what}, store {name}",
                f"{found.took}; head {found.head // 1000} kB; floor {found.floor}; ratio {found.ratio:.1f}",
                f"the ratio stays within {FLAT} times that of the least",
                found.ratio <= FLAT * min(ratios),
            )


def _openings(report: Report, stores: dict[str, tuple[Path, list[Plan]]]) -> None:
    for name, (root, _) in stores.items():
        for number, what in ((2, "1,000"), (3, "50,000"), (4, "50,000 in 5,000 conversations")):
            found = apart(opening, root, number, 5)
            report.add(
                f"open a customer with {what} entries, store {name}",
                f"cold {found.cold}; warm {found.warm}; each of {found.pages - 1} older pages {found.older}; "
                f"{found.memory:.0f} MB more for all",
                "newest page within 100 ms, an older one within 100 ms",
                found.cold.p50 <= 100 and found.older.p95 <= 100,
            )


def _questions(report: Report, stores: dict[str, tuple[Path, list[Plan]]]) -> None:
    peers: dict[str, Times] = {}
    for name, (root, plans) in stores.items():
        for what, found in apart(questions, root, len(plans), 30).items():
            peer = peers.setdefault(what, found)
            within = next((limit for start, limit in WITHIN.items() if what.startswith(start)), 10.0)
            report.add(
                f"{what}, store {name}",
                f"{found}; {found.p50 / peer.p50:.1f} of store 1k",
                f"p50 within {within:.0f} ms",
                found.p50 <= within,
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit code 1 where something grows that must not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.size", description="What size costs.")
    parser.add_argument("--full", action="store_true", help="50,000 customers and a million messages as well")
    parser.add_argument("--quick", action="store_true", help="1,000 customers only (the default)")
    parser.add_argument("--keep", type=Path, help="leave the stores in this folder and use them again")
    options = parser.parse_args(arguments)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        return measure(options.keep.absolute(), full=options.full).finish()
    with tempfile.TemporaryDirectory(prefix="agentconsole-size-", dir="/var/tmp") as folder:
        return measure(Path(folder), full=options.full).finish()


if __name__ == "__main__":
    raise SystemExit(main())
