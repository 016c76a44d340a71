"""Every order in which a file system may lose what was not synced: a model that needs neither root nor a disk.

    python -m proofs.lostwrites [--n 3000] [--seed 5]

The store works while every call that changes its files is recorded. Then states are made that a power failure may leave
after each call: a file's data is what was last synced, or any part of what was written since; of the changes of a
folder since it was synced any may be there and any may be lost, in any order that keeps single renames whole (weaker
than ext4, which keeps them in order; after Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014). Each
state is opened by a store and compared with what was acknowledged until then. SQLite's files are never there: they are
derived, and built anew.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from agentconsole.errors import AgentConsoleError
from proofs import labour
from proofs.report import Report
from tests.folders import quick_folder

Event: TypeAlias = tuple[Any, ...]
_APART: Final = ("sqlite3", "hub.lock", "care.lock")


class Recorder:
    """Notes every call of ``os`` that changes a file below ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self.events: list[Event] = []
        self._handles: dict[int, str] = {}

    def say(self, *line: Any) -> None:
        self.events.append(("said", list(line)))

    def _mine(self, path: object) -> str:
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        if not isinstance(name, str) or not name.startswith(self._root) or any(part in name for part in _APART):
            return ""
        return name[len(self._root) :] or "/"

    @contextmanager
    def standing(self) -> Iterator[None]:
        real = {name: getattr(os, name) for name in ("open", "write", "close", "fsync", "ftruncate", "mkdir", "rmdir")}
        real |= {name: getattr(os, name) for name in ("replace", "rename", "link", "unlink")}

        def opening(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            mine = self._mine(path)
            fresh = mine and flags & os.O_CREAT and not os.path.exists(path)
            handle: int = real["open"](path, flags, *rest, **more)
            if mine:
                self._handles[handle] = mine
                if fresh:
                    self.events.append(("create", mine))
                elif flags & os.O_TRUNC:
                    self.events.append(("cut", mine, 0))
            return handle

        def closing(handle: int) -> None:
            self._handles.pop(handle, None)
            real["close"](handle)

        def writing(handle: int, data: Any) -> int:
            count: int = real["write"](handle, data)
            if mine := self._handles.get(handle, ""):
                self.events.append(("write", mine, bytes(data[:count])))
            return count

        def syncing(handle: int) -> None:
            real["fsync"](handle)
            if mine := self._handles.get(handle, ""):
                self.events.append(("sync", mine))

        def cutting(handle: int, size: int) -> None:
            real["ftruncate"](handle, size)
            if mine := self._handles.get(handle, ""):
                self.events.append(("cut", mine, size))

        def named(name: str) -> Callable[..., Any]:
            def call(*paths: Any, **more: Any) -> Any:
                found = real[name](*paths, **more)
                mine = [self._mine(path) for path in paths if isinstance(path, str | os.PathLike)]
                if all(mine):
                    self.events.append(("replace" if name == "rename" else name, *mine))
                return found

            return call

        shims = {"open": opening, "close": closing, "write": writing, "fsync": syncing, "ftruncate": cutting}
        shims |= {name: named(name) for name in ("mkdir", "rmdir", "replace", "rename", "link", "unlink")}
        for name, shim in shims.items():
            setattr(os, name, shim)
        try:
            yield
        finally:
            for name, call in real.items():
                setattr(os, name, call)


@dataclass(eq=False)
class Inode:
    data: bytes = b""
    durable: bytes = b""


@dataclass
class Disk:
    """What the page cache holds, and what is on the platter."""

    seen: dict[str, Inode] = field(default_factory=dict)
    kept: dict[str, Inode] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: {"/"})
    pending: list[tuple[str, str, str, Inode | None]] = field(default_factory=list)
    """Changes of folders that are not synced: what, source, target, and the file."""

    def apply(self, event: Event) -> None:
        match event:
            case "create", path:
                inode = self.seen[path] = Inode()
                self.pending.append(("put", "", path, inode))
            case "write", path, data:
                self.seen[path].data += data
            case "cut", path, size:
                self.seen[path].data = self.seen[path].data[:size]
            case "replace", source, target:
                inode = self.seen[target] = self.seen.pop(source)
                self.pending.append(("move", source, target, inode))
            case "link", source, target:
                inode = self.seen[target] = self.seen[source]
                self.pending.append(("put", "", target, inode))
            case "unlink", path:
                self.seen.pop(path, None)
                self.pending.append(("gone", "", path, None))
            case "mkdir", path:
                self.pending.append(("folder", "", path, None))
            case "sync", path if path in self.seen:
                self.seen[path].durable = self.seen[path].data
            case "sync", folder:
                mine = [change for change in self.pending if os.path.dirname(change[2]) == folder]
                self.pending = [change for change in self.pending if change not in mine]
                self._make(mine, self.kept, self.folders)

    @staticmethod
    def _make(changes: list[tuple[str, str, str, Inode | None]], kept: dict[str, Inode], folders: set[str]) -> None:
        for what, source, target, inode in changes:
            match what:
                case "put" | "move":
                    assert inode is not None
                    if what == "move" and kept.get(source) is inode:
                        del kept[source]
                    kept[target] = inode
                case "gone":
                    kept.pop(target, None)
                case _:
                    folders.add(target)

    def states(self, chance: random.Random, most: int) -> Iterator[dict[str, bytes | None]]:
        """Yield some of the states that a power failure may leave now: files by path, folders with None."""
        count = len(self.pending)
        subsets = (
            list(itertools.product((0, 1), repeat=count))
            if count <= 4
            else [(0,) * count, (1,) * count, *(tuple(chance.randint(0, 1) for _ in range(count)) for _ in range(20))]
        )
        chance.shuffle(subsets)
        for subset in subsets[:most]:
            kept, folders = dict(self.kept), set(self.folders)
            self._make([c for c, chosen in zip(self.pending, subset, strict=True) if chosen], kept, folders)
            how = chance.choice(("lost", "lost", "part", "zeroes", "all"))
            state: dict[str, bytes | None] = {f: None for f in folders if _reachable(f, folders)}
            for path, inode in kept.items():
                if _reachable(path, folders):
                    state[path] = self._data(inode, how, chance)
            yield state

    @staticmethod
    def _data(inode: Inode, how: str, chance: random.Random) -> bytes:
        if inode.data == inode.durable or how == "all":
            return inode.data
        if how == "lost":
            return inode.durable
        if how == "zeroes":
            return inode.durable + bytes(max(0, len(inode.data) - len(inode.durable)))
        return inode.data[: chance.randrange(len(inode.data) + 1)]


def _reachable(path: str, folders: set[str]) -> bool:
    return all(str(parent) in folders for parent in Path(path).parents)


@dataclass
class Figures:
    calls: int = 0
    states: int = 0
    wrong: list[str] = field(default_factory=list)


async def recorded(seed: int, acts: int) -> list[Event]:
    """Let a store work from nothing and return every call and every acknowledgement in order."""
    with quick_folder("ack-lost-") as folder:
        recorder = Recorder(folder / "store")
        with recorder.standing():
            async with labour.make(folder / "store") as store:
                working = labour.Labour(store, seed, recorder.say)
                await working.everything()
                for _ in range(acts):
                    await working.act()
        return recorder.events


async def lostwrites(count: int, seed: int, acts: int = 60) -> Figures:
    """Judge ``count`` different states of one history."""
    chance = random.Random(seed)
    events = await recorded(seed, acts)
    figures = Figures(calls=sum(event[0] != "said" for event in events))
    points = sorted(chance.sample(range(1, len(events) + 1), min(len(events), max(count // 2, 1))))
    disk, said, done = Disk(), [], 0
    known: set[int] = set()
    most = max(1, -(-count // len(points)))
    for point in points:
        for event in events[done:point]:
            if event[0] == "said":
                said.append(event[1])
            else:
                disk.apply(event)
        done = point
        for state in disk.states(chance, most):
            mark = hash((len(said), frozenset(state.items())))
            if mark in known:
                continue
            known.add(mark)
            figures.states += 1
            last = next(event for event in reversed(events[:point]) if event[0] != "said")
            figures.wrong += [
                f"after call {point} ({last[0]} {last[1]}): {what}" for what in await _judged(state, said)
            ]
    return figures


async def _judged(state: dict[str, bytes | None], said: list[list[Any]]) -> list[str]:
    with quick_folder("ack-lost-") as folder:
        root = folder / "store"
        for path, data in state.items():
            target = root / path.lstrip("/")
            (target if data is None else target.parent).mkdir(parents=True, exist_ok=True, mode=0o700)
            if data is not None:
                target.write_bytes(data)
        try:
            return await labour.judge(root, said)
        except (AgentConsoleError, AssertionError, OSError) as exc:
            return [f"{type(exc).__name__}: {exc}"]


def report(figures: Figures, command: str, wanted: int) -> Report:
    found = Report("Lost and reordered writes", command)
    found.add("calls recorded", figures.calls, "> 300", figures.calls > 300)
    found.add("states after a power failure", figures.states, f">= {wanted}", figures.states >= wanted)
    found.add("acknowledged and lost, unreadable, or not erased", len(figures.wrong), "0", not figures.wrong)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    figures = asyncio.run(lostwrites(given.n, given.seed))
    for line in figures.wrong[:40]:
        print(line)
    command = f"python -m proofs.lostwrites --n {given.n} --seed {given.seed}"
    return report(figures, command, given.n // 5).finish()


if __name__ == "__main__":
    sys.exit(main())
