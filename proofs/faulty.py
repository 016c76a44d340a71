"""A disk that refuses every call of a working hub in turn: once, and for good until it is mended.

    python -m proofs.faulty [--stride 1] [--seed 1]

A scenario (messages in, replies out, a draft, a note, a merge) is played again and again over the real store, the
real hub and a strict Telegram on loopback. In the N-th run the N-th call of a kind fails (``refusing.KINDS``), until a
run meets no fault any more. In every run: what was acknowledged before lies on the disk byte for byte; nothing that is
acknowledged is lost; no message leaves whose reply is not committed on the disk; somebody is told; and once the disk
is mended everything gets done without a hand and without a restart.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from agentconsole.channels.telegram import KIND
from agentconsole.desk import Agent, Compose, Desk
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
)
from agentconsole.errors import AgentConsoleError, StoreFault
from agentconsole.hub.hub import Hub
from agentconsole.hub.parser import InlineParser
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.sandbox.fake_telegram import FakeTelegram, Sent
from agentconsole.seams import Steps, SystemRandomness
from agentconsole.secret import Secret
from agentconsole.store.embedded import EmbeddedStore
from proofs import ground
from proofs.refusing import KINDS, Fault, RefusingDisk
from proofs.report import Report
from tests.folders import quick_folder

T = TypeVar("T")

USERS: Final = (101, 102)
BEFORE: Final = "Hello, it is {} here."
AFTER: Final = "Where is my order, asks {}?"
REPLIES: Final = {101: "It left today.", 102: "오늘 출발했습니다."}
NOTE: Final = "Asked the warehouse."
DRAFT: Final = "half a sente"
TOKEN: Final = "DISK_PROOF_TOKEN"
WHO: Final = Agent(AgentName("ana"))
SPEED: Final = 200.0
PATIENCE: Final = 20.0
"""Seconds that a mended hub gets to do everything that waits."""


class QuickClock:
    """Time that runs ``SPEED`` times as fast, so that what rests for five seconds rests for 25 ms."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._base = datetime.now(UTC)

    def monotonic(self) -> float:
        return (time.monotonic() - self._start) * SPEED

    def now(self) -> datetime:
        return self._base + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


async def until(condition: Callable[[], Awaitable[T]], seconds: float, what: str) -> T:
    """Return the first true answer of a condition.

    Raises:
        AssertionError: none came in time.
    """
    end = time.monotonic() + seconds
    while not (answer := await condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.004)
    return answer


@dataclass
class Run:
    """What one play of the scenario met."""

    fault: Fault | None
    told: Counter[str] = field(default_factory=Counter)
    """Who was told that the disk refuses: banners, an account's state, the caller."""
    acknowledged: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


class Office:
    """A hub over a copy of a prepared store, with a world of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "store"
        self.disk = RefusingDisk(self.root)
        self.folder = folder
        self.world = FakeTelegram()
        self.hub: Hub
        self.store: EmbeddedStore
        self._task: asyncio.Task[None]

    async def start(self) -> None:
        clock = QuickClock()
        os.environ[TOKEN] = self.world.token
        options = KIND.options(token=Secret("env", TOKEN), base_url=self.world.url)
        accounts = [AccountSetup(AccountName("tg"), KIND, options)]
        self.store = EmbeddedStore(self.root, clock=clock, random=SystemRandomness(), steps=Steps())
        await self.store.open()
        self.hub = Hub(
            HubProfile(free_floor=0),
            accounts,
            self.store,
            InlineParser({KIND.name: KIND}),
            clock,
            SystemRandomness(),
            logging.getLogger("proofs.hub"),
        )
        ready = asyncio.Event()
        self._task = asyncio.create_task(self.hub.run(self.folder / "hub.sock", ready=ready.set))
        async with asyncio.timeout(10):
            await ready.wait()

    async def stop(self) -> None:
        self.hub.request_stop(at_once=True)
        async with asyncio.timeout(20):
            await self._task
        await self.store.aclose()

    async def customers(self) -> dict[int, CustomerId]:
        page = await self.hub.desk.queue(WHO, "all", 0, 10)
        return {user: line.customer for line in page.lines for user in USERS if line.name == f"Customer {user}"}


@asynccontextmanager
async def prepared() -> AsyncIterator[Path]:
    """Lend a folder with a store in which both customers have written and were answered."""
    with quick_folder("ack-disk-") as folder:
        office = Office(folder)
        await office.world.start()
        try:
            await office.start()
            for user in USERS:
                office.world.customer_says(user, BEFORE.format(user), f"Customer {user}")
            desk = office.hub.desk

            async def both() -> dict[int, CustomerId]:
                found = await office.customers()
                return found if len(found) == len(USERS) else {}

            by_user = await until(both, 10, "both customers")
            for user, customer in by_user.items():
                await desk.reply(WHO, f"first-{user}", Compose(customer, f"Hello {user}!"))
            await until(lambda: _idle(desk), 10, "an empty outbox")
            await office.stop()
        finally:
            await office.world.stop()
        yield folder / "store"


async def _idle(desk: Desk) -> bool:
    status = await desk.status(WHO)
    return not await desk.outbox(WHO, (Delivery.QUEUED, Delivery.SENDING)) and status.spool.waiting == 0


async def play(template: Path, fault: Fault | None) -> Run:
    """Play the scenario once over a copy of ``template``; what went wrong is in the answer."""
    run = Run(fault)
    with quick_folder("ack-disk-") as folder:
        shutil.copytree(template, folder / "store")
        office = Office(folder)
        before = ground.entries(office.root)
        await office.world.start()
        try:
            for user in USERS:
                office.world.customer_says(user, BEFORE.format(user), f"Customer {user}")
            office.world._updates.clear()  # the prepared store has them, and its cursor says so
            await office.start()
            office.world.on_sent = lambda sent: _judge(run, office, sent)
            with office.disk.standing():
                office.disk.fault = fault
                mending = asyncio.create_task(_mend(run, office, before))
                try:
                    async with asyncio.timeout(PATIENCE * 3):
                        await _script(run, office)
                    if fault is not None:
                        fault.mend()
                    await mending
                    await until(lambda: _calm(office), PATIENCE, "a hub without a complaint")
                finally:
                    mending.cancel()
                    office.disk.fault = None
                    await office.stop()
            await _check(run, office, before)
        except (AssertionError, AgentConsoleError, TimeoutError, OSError) as exc:
            run.wrong.append(f"{type(exc).__name__}: {exc}")
        finally:
            await office.world.stop()
    return run


def _judge(run: Run, office: Office, sent: Sent) -> None:
    try:
        with office.disk.sparing():
            found = ground.committed(office.root, sent.text)
    except ground.Unreadable as exc:
        found = f"while a message left: {exc}"
    if found:
        run.wrong.append(found)


async def _mend(run: Run, office: Office, before: dict[str, ground.Plain]) -> None:
    """Wait for a lasting fault to be met, look at what is said of it, and mend the disk."""
    fault = run.fault
    if fault is None or not fault.lasting:
        return
    await until(lambda: _true(fault.hits or fault.mended), PATIENCE * 3, "a call that is refused")
    with suppress(AssertionError):
        await until(lambda: _listen(run, office), 1.5, "somebody who is told")
    with suppress(AssertionError):
        await until(lambda: _true(fault.hits > 6 or fault.mended), 0.1, "a few more refusals, as a disk gives them")
    _untouched(run, office, before)
    fault.mend()


async def _true(what: object) -> bool:
    return bool(what)


async def _listen(run: Run, office: Office) -> bool:
    run.told.update(office.hub.health.banners)
    run.told.update(f"account {one.state}" for one in office.hub.health.all() if one.state not in ("ok", "starting"))
    return bool(run.told) or run.fault is None or run.fault.mended


def _untouched(run: Run, office: Office, before: dict[str, ground.Plain]) -> None:
    with office.disk.sparing():
        found = ground.entries(office.root)
    for key, entry in before.items():
        if found.get(key) != entry:
            run.wrong.append(f"the older entry {key} is not what it was")
    run.wrong += [f"the acknowledged entry {key} is not on the disk" for key in run.acknowledged if key not in found]


async def _insist(run: Run, call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call as a patient agent would; every refusal must be one of the store's, with advice."""
    while True:
        try:
            return await call()
        except StoreFault as exc:
            run.told["caller"] += 1
            if not exc.hint:
                run.wrong.append(f"a refusal without advice: {exc}")
            await asyncio.sleep(0.005)


async def _script(run: Run, office: Office) -> None:
    desk = office.hub.desk
    by_user = await _insist(run, office.customers)
    for user in USERS:
        office.world.customer_says(user, AFTER.format(user), f"Customer {user}")
    for user in USERS:
        sent = await _insist(run, lambda user=user: desk.reply(WHO, f"r-{user}", Compose(by_user[user], REPLIES[user])))  # type: ignore[misc]
        run.acknowledged.add(sent.id)
    conversation = (await _insist(run, lambda: desk.find_conversation(WHO, by_user[101])))[1]
    draft = Draft(WHO.name, by_user[101], ConversationId(conversation), DRAFT, 1, datetime.now(UTC))
    await _insist(run, lambda: desk.save_draft(WHO, draft))
    run.acknowledged.add(await _insist(run, lambda: desk.note(WHO, "n-1", by_user[101], conversation, NOTE)))
    await until(lambda: _insist(run, lambda: _idle(desk)), PATIENCE, "everything done")
    run.acknowledged.add(await _insist(run, lambda: desk.merge(WHO, "m-1", by_user[101], by_user[102])))
    texts = {AFTER.format(user) for user in USERS}

    async def all_here() -> bool:
        page = await _insist(run, lambda: desk.timeline(WHO, by_user[101], "", 100))  # type: ignore[arg-type]
        return texts <= {getattr(entry, "text", "") for entry in page.entries}

    await until(all_here, PATIENCE, "both messages")
    await until(lambda: _insist(run, lambda: _idle(desk)), PATIENCE, "everything done")


async def _calm(office: Office) -> bool:
    """Say whether nothing waits and nobody complains any more."""
    status = await office.hub.desk.status(WHO)
    await office.hub.desk.audit(WHO, "look")
    return not status.banner and all(one.state == "ok" for one in status.accounts) and await _idle(office.hub.desk)


async def _check(run: Run, office: Office, before: dict[str, ground.Plain]) -> None:
    """Compare the script, the files and what the world received."""
    _untouched(run, office, before)
    found = ground.entries(office.root)
    kinds = Counter((entry["type"], entry.get("text", "")) for entry in found.values())
    wanted = [("received", AFTER.format(user)) for user in USERS]
    wanted += [("reply", text) for text in REPLIES.values()] + [("note", NOTE)]
    run.wrong += [f"{kinds[one]} times on disk: {one}" for one in wanted if kinds[one] != 1]
    if kinds["merged", ""] != 1:
        run.wrong.append(f"{kinds['merged', '']} merges on disk")
    left = Counter(sent.text for sent in office.world.sent)
    states = {entry["reply"]: entry["state"] for entry in found.values() if entry["type"] == "receipt"}
    for key, entry in found.items():
        if entry["type"] != "reply" or entry["text"] not in REPLIES.values():
            continue
        if left[entry["text"]] != 1 or states.get(key) != "sent":
            run.wrong.append(f"a reply left {left[entry['text']]} times and is called {states.get(key)}")
    store = EmbeddedStore(office.root, clock=QuickClock(), random=SystemRandomness(), steps=Steps())
    async with store:
        if [draft.text for draft in await store.drafts(WHO.name)] != [DRAFT]:
            run.wrong.append("the draft is lost")
        health = await store.health()
        if health.read_only or health.set_aside:
            run.wrong.append(f"set aside without damage: {health.read_only}, {health.set_aside} batches")


@dataclass
class Figures:
    points: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def take(self, run: Run) -> None:
        fault = run.fault
        assert fault is not None
        name = f"{fault.kind}, call {fault.first} ({fault.where}), {'lasting' if fault.lasting else 'once'}"
        self.points[f"{fault.kind}, {'lasting' if fault.lasting else 'once'}"] += 1
        self.told.update(dict.fromkeys(run.told, 1))
        self.wrong += [f"{name}: {what}" for what in run.wrong]
        if fault.lasting and not run.told:
            self.silent.append(name)


async def countdown(stride: int = 1, seed: int = 1, kinds: list[str] | None = None) -> Figures:
    """Refuse the N-th call for every N (every ``stride``-th from a random start) until a run meets no fault."""
    figures, chance = Figures(), random.Random(seed)
    async with prepared() as template:
        for kind in kinds or KINDS:
            for lasting in (False, True):
                number = chance.randint(1, stride)
                while True:
                    fault = Fault(kind, number, lasting)
                    run = await play(template, fault)
                    if not fault.hits:
                        figures.wrong += [f"without a fault: {what}" for what in run.wrong]
                        break
                    figures.take(run)
                    number += stride
    return figures


def report(figures: Figures, command: str, wanted: int) -> Report:
    found = Report("A disk that refuses", command)
    total = figures.points.total()
    found.add("calls refused", total, f">= {wanted}", total >= wanted)
    for kind, count in sorted(figures.points.items()):
        found.add(f"- {kind}", count, "> 0", count > 0)
    found.add(
        "runs in which something was lost, changed, sent early or left undone",
        len(figures.wrong),
        "0",
        not figures.wrong,
    )
    found.add("lasting faults of which nobody was told", len(figures.silent), "0", not figures.silent)
    found.add("told by", ", ".join(f"{who} {count}" for who, count in sorted(figures.told.items())), "-", True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stride", type=int, default=1, help="refuse only every such call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    figures = asyncio.run(countdown(given.stride, given.seed, given.kind))
    for line in (*figures.wrong[:40], *(f"nobody was told: {name}" for name in figures.silent[:40])):
        print(line)
    wanted = 400 if given.stride == 1 and not given.kind else 1
    return report(figures, f"python -m proofs.faulty --stride {given.stride} --seed {given.seed}", wanted).finish()


if __name__ == "__main__":
    sys.exit(main())
