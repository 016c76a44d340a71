"""Real system calls of a hub's process that fail: ``strace`` refuses them, and a disk goes read-only under it.

    python -m proofs.traced [--n 40] [--seed 1]      (strace; the read-only disk needs root and loop devices)

The scenario of ``proofs.faulty`` over the hub's socket. ``strace`` attaches once the hub works, lets the N-th call of a
kind fail, once or from then on, and lets go again: the same life must go on by itself. Every third hub is killed while
the fault lasts and started again after it, as after a crash. The disk that goes read-only is an ext4 whose journal is
aborted (what the kernel does after an error of the disk): the hub must refuse, say so and send nothing; after the disk
is mounted again a second life does what waits.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentconsole.desk import Agent, Compose, Desk
from agentconsole.domain.model import (
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
)
from agentconsole.errors import AgentConsoleError, HubAbsent, StoreFault, TryLater
from agentconsole.remote import RemoteDesk, as_desk
from agentconsole.sandbox.fake_telegram import FakeTelegram, Sent
from proofs import ground
from proofs.faulty import AFTER, BEFORE, DRAFT, NOTE, REPLIES, USERS, prepared, until
from proofs.power import mounted
from proofs.report import Report
from tests.folders import quick_folder

CALLS: Final = (
    ("write", "ENOSPC"),
    ("write", "EDQUOT"),
    ("write", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("fsync", "EIO"),
    ("fdatasync", "EIO"),
    ("openat", "EMFILE"),
    ("openat", "EROFS"),
    ("rename", "EROFS"),
    ("link", "EROFS"),
    ("unlink", "EROFS"),
)
"""Calls and errors; SQLite writes with ``pwrite64`` and syncs with ``fdatasync``, the store with the others."""

PATIENCE: Final = 60.0


class Hub:
    """One hub process at a time on a copy of the prepared store."""

    def __init__(self, folder: Path, root: Path, world: FakeTelegram) -> None:
        self.folder = folder
        self.root = root
        self.world = world
        self.socket = folder / "hub.sock"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        words = [sys.executable, "-m", "proofs.hubprocess", str(self.root), str(self.socket), self.world.url]
        log = os.open(self.folder / "hub.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *words, self.world.token, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        finally:
            os.close(log)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        if self._process is not None and self.alive:
            self._process.kill()
        if self._process is not None:
            await self._process.wait()

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[tuple[Desk, Agent]]:
        async def attach() -> list[RemoteDesk]:
            with suppress(AgentConsoleError):
                return [await RemoteDesk.connect(self.socket)]
            assert self.alive, "the hub ended: " + (self.folder / "hub.log").read_text()[-600:]
            return []

        [remote] = await until(attach, PATIENCE, "a hub that answers")
        try:
            yield as_desk(remote), remote.who
        finally:
            await remote.aclose()


@dataclass
class Play:
    """One play: what is done already, so that it can be gone on with after a second start."""

    hub: Hub
    wrong: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    by_user: dict[int, CustomerId] = field(default_factory=dict)
    """Who is who; asked before they are merged."""

    def judge(self, sent: Sent) -> None:
        try:
            found = ground.committed(self.hub.root, sent.text)
        except (ground.Unreadable, OSError) as exc:
            found = f"while a message left: {exc}"
        if found:
            self.wrong.append(found)

    async def script(self) -> None:
        """Do everything, with patience; what is done already is done again under the same request."""
        async with self.hub.desk() as (desk, who):
            by_user = self.by_user = self.by_user or await self._customers(desk, who)
            for user in USERS:
                await self._insist(desk, who, "reply", f"r-{user}", Compose(by_user[user], REPLIES[user]))
            conversation = (await self._insist(desk, who, "find_conversation", by_user[101]))[1]
            await self._insist(
                desk,
                who,
                "save_draft",
                Draft(who.name, by_user[101], ConversationId(conversation), DRAFT, 1, self.hub.world._clock.now()),
            )
            await self._insist(desk, who, "note", "n-1", by_user[101], conversation, NOTE)
            await self._insist(desk, who, "merge", "m-1", by_user[101], by_user[102])

            async def all_done() -> bool:
                page = await self._insist(desk, who, "timeline", by_user[101], "", 100)
                texts = {getattr(entry, "text", "") for entry in page.entries}
                waiting = await self._insist(desk, who, "outbox", (Delivery.QUEUED, Delivery.SENDING))
                status = await self._insist(desk, who, "status")
                self.told.update([status.banner] if status.banner else [])
                return {AFTER.format(user) for user in USERS} <= texts and not waiting and not status.spool.waiting

            await until(all_done, PATIENCE, "everything done")

    async def _customers(self, desk: Desk, who: Agent) -> dict[int, CustomerId]:
        page = await self._insist(desk, who, "queue", "all", 0, 10)
        return {user: line.customer for line in page.lines for user in USERS if line.name == f"Customer {user}"}

    async def _insist(self, desk: Desk, who: Agent, call: str, *arguments: object) -> Any:
        while True:
            try:
                found = await getattr(desk, call)(who, *arguments)
            except HubAbsent:
                raise
            except (StoreFault, TryLater):
                self.told["caller"] += 1
                await asyncio.sleep(0.02)
            else:
                if call in ("note", "merge"):
                    self.acknowledged.add(found)
                elif call == "reply":
                    self.acknowledged.add(found.id)
                return found

    def check(self, before: dict[str, ground.Plain]) -> None:
        """Compare files, script and world after the end."""
        try:
            found = ground.entries(self.hub.root)
        except ground.Unreadable as exc:
            self.wrong.append(f"unreadable: {exc}")
            return
        self.wrong += [
            f"the older entry {key} is not what it was" for key, one in before.items() if found.get(key) != one
        ]
        self.wrong += [f"the acknowledged entry {key} is lost" for key in self.acknowledged if key not in found]
        left = Counter(sent.text for sent in self.hub.world.sent)
        states = {entry["reply"]: entry["state"] for entry in found.values() if entry["type"] == "receipt"}
        for key, entry in found.items():
            if entry["type"] == "reply" and entry["text"] in REPLIES.values():
                allowed = {"sent", "uncertain"} if left[entry["text"]] else {"uncertain"}
                if left[entry["text"]] > 1 or states.get(key) not in allowed:
                    self.wrong.append(f"a reply left {left[entry['text']]} times and is called {states.get(key)}")
        texts = Counter(entry.get("text") for entry in found.values() if entry["type"] == "received")
        self.wrong += [
            f"{texts[AFTER.format(u)]} times: {AFTER.format(u)}" for u in USERS if texts[AFTER.format(u)] != 1
        ]


@asynccontextmanager
async def playing(template: Path, root: Path | None = None) -> AsyncIterator[tuple[Play, dict[str, ground.Plain]]]:
    """Start a hub over a copy of the prepared store, with messages waiting to come in."""
    with quick_folder("ack-traced-") as folder:
        root = root or folder / "store"
        shutil.copytree(template, root)
        world = FakeTelegram()
        await world.start()
        play = Play(Hub(folder, root, world))
        try:
            for user in USERS:
                world.customer_says(user, BEFORE.format(user), f"Customer {user}")
            world._updates.clear()
            before = ground.entries(root)
            await play.hub.start()
            async with play.hub.desk():
                pass
            world.on_sent = play.judge
            yield play, before
        finally:
            await play.hub.kill()
            await world.stop()


def _is_traced(pid: int) -> bool:
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    return all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks)


@asynccontextmanager
async def injecting(pid: int, call: str, error: str, when: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Let calls of a running process fail for as long as the body runs."""
    words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e"]
    words += [f"inject={call}:error={error}:when={when}", "-p", str(pid)]
    strace = await asyncio.create_subprocess_exec(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:

        async def attached() -> bool:
            assert strace.returncode is None, "strace could not attach"
            return _is_traced(pid)

        await until(attached, 10, "strace")
        yield strace
    finally:
        with suppress(ProcessLookupError):
            strace.send_signal(signal.SIGINT)
        await strace.wait()


async def point(template: Path, call: str, error: str, first: int, lasting: bool, second_life: bool) -> Play:
    """Play once while calls fail."""
    async with playing(template) as (play, before):
        try:
            async with play.hub.desk() as (desk, who):
                play.by_user = await play._customers(desk, who)
            async with injecting(play.hub.pid, call, error, f"{first}{'+' if lasting else ''}"):
                for user in USERS:
                    play.hub.world.customer_says(user, AFTER.format(user), f"Customer {user}")
                script = asyncio.create_task(play.script())
                await asyncio.wait({script}, timeout=0.8 if lasting else PATIENCE)
                if second_life:
                    await play.hub.kill()
            if second_life:
                with suppress(AgentConsoleError, AssertionError, OSError):
                    await script
                await play.hub.start()
                await play.script()
            else:
                await script
        except (AgentConsoleError, AssertionError, TimeoutError) as exc:
            play.wrong.append(f"{type(exc).__name__}: {exc}")
        await play.hub.kill()
        play.check(before)
        return play


def _make_image(image: Path) -> None:
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-qF", str(image)], check=True)


def _abort(live: Path) -> None:
    subprocess.run(["sync", "-f", str(live)], check=True)  # the copy that it began with
    subprocess.run(["mount", "-o", "remount,abort", str(live)], check=False, capture_output=True)


def _mount_again(image: Path, live: Path) -> None:
    subprocess.run(["umount", str(live)], check=True)
    subprocess.run(["e2fsck", "-fy", str(image)], check=False, capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(live)], check=True)


async def read_only_disk(template: Path) -> Play:
    """Abort the journal of the store's ext4 in mid-run, mount it again, and start a second life."""
    with quick_folder("ack-ro-") as folder:
        image = folder / "image"
        _make_image(image)
        with mounted(image, folder / "live") as live:
            async with playing(template, live / "store") as (play, before):
                async with play.hub.desk() as (desk, who):
                    play.by_user = await play._customers(desk, who)
                for user in USERS:
                    play.hub.world.customer_says(user, AFTER.format(user), f"Customer {user}")
                _abort(live)
                script = asyncio.create_task(play.script())
                await asyncio.wait({script}, timeout=2.0)
                if script.done():
                    play.wrong.append("everything was done on a disk that takes nothing")
                if not play.told:
                    play.wrong.append("nobody was told")
                left = [sent.text for sent in play.hub.world.sent]
                await play.hub.kill()
                with suppress(AgentConsoleError, AssertionError, OSError):
                    await script
                if left:
                    play.wrong.append(f"left while nothing could be recorded: {left}")
                _mount_again(image, live)
                try:
                    await play.hub.start()
                    await play.script()
                except (AgentConsoleError, AssertionError, TimeoutError) as exc:
                    play.wrong.append(f"{type(exc).__name__}: {exc}")
                await play.hub.kill()
                play.check(before)
                return play


@dataclass
class Figures:
    points: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def take(self, name: str, play: Play) -> None:
        self.told.update(dict.fromkeys(play.told, 1))
        self.wrong += [f"{name}: {what}" for what in play.wrong]


async def traced(count: int, seed: int) -> Figures:
    figures, chance = Figures(), random.Random(seed)
    async with prepared() as template:
        for number in range(count):
            call, error = CALLS[number % len(CALLS)]
            lasting, second = number // len(CALLS) % 2 == 1, number % 3 == 2
            first = chance.randint(1, 8 if call in ("pwrite64", "write", "link") else 14)
            name = f"{error} on {call} {first}{'+' if lasting else ''}{', second life' if second else ''}"
            figures.take(name, await point(template, call, error, first, lasting, second))
            figures.points[f"{error} on {call}"] += 1
        if os.geteuid() == 0:
            figures.take("a disk that goes read-only", await read_only_disk(template))
            figures.points["ext4 that went read-only"] += 1
    return figures


def report(figures: Figures, command: str, wanted: int) -> Report:
    found = Report("System calls that fail", command)
    total = figures.points.total()
    found.add("plays with a failing system call", total, f">= {wanted}", total >= wanted)
    found.add("- of", ", ".join(f"{what} {count}" for what, count in sorted(figures.points.items())), "-", True)
    found.add(
        "something lost, changed, sent early or twice, or left undone", len(figures.wrong), "0", not figures.wrong
    )
    found.add("told by", ", ".join(f"{who} {count}" for who, count in sorted(figures.told.items())), "-", True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    figures = asyncio.run(traced(given.n, given.seed))
    for line in figures.wrong[:40]:
        print(line)
    return report(figures, f"python -m proofs.traced --n {given.n} --seed {given.seed}", given.n).finish()


if __name__ == "__main__":
    sys.exit(main())
