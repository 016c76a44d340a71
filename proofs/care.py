"""Backups of a store at work, each restored into a new place and looked at.

    python -m proofs.care [--n 50] [--seed 5]

A hub in a process of its own files messages, sends replies, merges and erases (``care_load``). Meanwhile the store is
backed up again and again; each backup is restored with the ledgers of the store as it is by then, checked, and opened
by a hub whose channels lead to a world that only counts. The script of the load and the world's ledger judge:
everything acknowledged before the backup began is there, what came later is fetched again and is there once, nobody
who was erased is, no reply leaves because of it, and no opt-out is forgotten.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentconsole.desk import Compose
from agentconsole.domain import permission
from agentconsole.domain.entries import Received
from agentconsole.domain.model import CustomerId, Delivery, EntryId, Medium
from agentconsole.errors import Refused, TryLater
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.care.backup import backup
from agentconsole.store.care.check import check
from agentconsole.store.care.restore import restore
from proofs.care_load import STATES, address, message, open_store, text
from proofs.report import Report
from tests.fakes import paper
from tests.fakes.clock import HandClock
from tests.folders import quick_folder
from tests.hub.conftest import World, running
from tests.waiting import until, until_sync

Said = list[dict[str, Any]]
GONE_AHEAD = {Delivery.SENT, Delivery.DELIVERED, Delivery.READ, Delivery.UNCERTAIN}


@dataclass
class Figures:
    backups: int = 0
    messages: int = 0
    replies: int = 0
    held: int = 0
    erased: int = 0
    outs: int = 0
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def fault(self, kind: str, what: str) -> None:
        self.kinds[kind] += 1
        self.faults.append(f"{kind}: {what}")


def said(folder: Path) -> Said:
    """Return what the load wrote down so far."""
    path = folder / "acknowledged"
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def world_of(folder: Path) -> set[str]:
    path = folder / "world"
    return set(path.read_text().splitlines()) if path.exists() else set()


class Trial:
    """One backup, restored and looked at."""

    def __init__(self, folder: Path, number: int, figures: Figures) -> None:
        self._folder = folder
        self._number = number
        self._figures = figures
        self._root = folder / f"restored{number}"
        self._told = figures.fault

    def take(self) -> Said:
        """Back the store up; return what was acknowledged before."""
        before = said(self._folder)
        end = time.monotonic() + 10
        while True:
            try:
                found = backup(
                    self._folder / "store", self._folder / f"backup{self._number}", clock=SystemClock(), steps=Steps()
                )
                break
            except TryLater:
                assert time.monotonic() < end, "an erasure that never ends"
                time.sleep(0.01)
        for kept in found.damaged:
            self._told("a file was called damaged", f"{kept.path}: {kept.damaged}")
        return before

    def put_back(self) -> Said:
        """Restore it with the ledgers of the store as they are now; return what was acknowledged before that."""
        upto = said(self._folder)
        restore(
            self._folder / f"backup{self._number}",
            self._root,
            clock=SystemClock(),
            random=SystemRandomness(),
            steps=Steps(),
            ledgers=[self._folder / "store" / "ledger"],
        )
        self._check("as restored")
        return upto

    def _check(self, when: str) -> None:
        for finding in check(self._root).findings:
            if finding.harm:
                self._told("check finds damage", f"{when}: {finding.path}: {finding.what}")

    def look(self, before: Said, upto: Said) -> None:
        """Open it with a hub, and look through its files afterwards."""
        asyncio.run(self._open(before, upto, said(self._folder), world_of(self._folder)))
        self._check("after its hub")
        for person in sorted({person for one in upto if one["act"] == "erased" for person in one["people"]}):
            self._figures.erased += 1
            canary = f"canary{person:05}x".encode()
            for path in self._root.rglob("*"):
                if path.is_file() and canary in path.read_bytes():
                    self._told("somebody erased is there", f"{person} in {path.relative_to(self._root)}")

    async def _open(self, before: Said, upto: Said, later: Said, out: set[str]) -> None:
        puts = {one["number"]: one["person"] for one in later if one["act"] == "put"}
        going = {person for one in later if one["act"] == "erasing" for person in one["people"]}
        mail = paper.Post(box=[])
        for number, person in sorted(puts.items()):
            mail.put(message(number, person))
        clock = HandClock()
        clock.move(days=1)
        store = open_store(self._root)
        async with store, running(store=store, clock=clock, mail=mail, chat=paper.Post()) as world:
            await self._fetched(world, {n: p for n, p in puts.items() if p not in going})
            await self._replies(world, before, going, out)
            await self._drafts(world, before, going)
            await self._outs(world, upto, going)
            if mail.delivered:
                self._told("a send was caused", mail.delivered[0].text)
            if left := await store.replies(STATES):
                self._told("an unfinished reply is not held", str(left[0]))
            self._figures.held += len(await store.replies((Delivery.UNCERTAIN,), limit=None))

    async def _texts(self, world: World) -> Counter[str]:
        found: Counter[str] = Counter()
        for line in {line.customer for line in await world.store.lines("all", world.who.name, limit=100_000)}:
            page = await world.store.history(line, limit=100_000)
            assert page is not None
            found.update(entry.text for entry in page.entries if isinstance(entry, Received))
        return found

    async def _fetched(self, world: World, puts: dict[int, int]) -> None:
        wanted = {text(number, person) for number, person in puts.items()}

        async def there() -> bool:
            return not await world.store.spooled() and wanted <= (await self._texts(world)).keys()

        try:
            await until(there, 20)
        except AssertionError:
            for lost in sorted(wanted - (await self._texts(world)).keys())[:3]:
                self._told("a message is lost", lost)
        for double, count in (await self._texts(world)).items():
            if count > 1:
                self._told("a message is there twice", double)
        self._figures.messages += len(wanted)

    async def _replies(self, world: World, before: Said, going: set[int], out: set[str]) -> None:
        for one in before:
            if one["act"] != "replied" or one["person"] in going:
                continue
            self._figures.replies += 1
            found = await world.store.entry(EntryId(one["id"]))
            if found is None:
                self._told("an acknowledged reply is lost", one["text"])
                continue
            state = (await world.desk.sent(world.who, EntryId(one["id"]))).state
            if one["text"] in out and state not in GONE_AHEAD:
                self._told("a reply that left is called something else", f"{one['text']}: {state}")
            if one["text"] not in out and state in GONE_AHEAD - {Delivery.UNCERTAIN}:
                self._told("a reply that did not leave is called sent", f"{one['text']}: {state}")

    async def _drafts(self, world: World, before: Said, going: set[int]) -> None:
        kept = {draft.conversation: draft.text for draft in await world.desk.drafts(world.who)}
        last = {one["conversation"]: one for one in before if one["act"] == "draft" and one["person"] not in going}
        for conversation in last.keys() - kept.keys():
            self._told("a draft is lost", last[conversation]["text"])

    async def _outs(self, world: World, upto: Said, going: set[int]) -> None:
        for one in upto:
            if one["act"] != "out" or one["person"] in going:
                continue
            self._figures.outs += 1
            customer: CustomerId = await world.customer(address(one["person"]))
            person = await world.store.customer(customer)
            if person is None or permission.opt_out(person, Medium("email")) is None:
                self._told("an opt-out is forgotten", str(one["person"]))
                continue
            wrote = [use.last_in for use in person.routes if use.last_in is not None]
            if any(at > consent.at for at in wrote for consent in person.consents):
                continue  # whoever wrote again afterwards may be answered once
            try:
                sent = await world.desk.reply(
                    world.who, f"after-{self._number}-{one['person']}", Compose(customer, "may not leave")
                )
            except Refused:
                continue
            self._told("an opt-out is not minded", f"{one['person']}: {sent.state}")


def prove(n: int, seed: int, folder: Path) -> Figures:
    """Take ``n`` backups of a store at work and look at each."""
    figures = Figures()
    began = time.monotonic()
    (folder / "store").mkdir(mode=0o700)
    load = subprocess.Popen([sys.executable, "-m", "proofs.care_load", str(folder), str(seed)])
    try:
        at = 60
        for number in range(n):

            def further(wanted: int = at) -> bool:
                assert load.poll() is None, "the load ended"
                return len(said(folder)) >= wanted

            until_sync(further, 60, "a load that goes on")
            trial = Trial(folder, number, figures)
            before = trial.take()
            until_sync(lambda: further(len(before) + 40), 60, "a load that goes on")  # noqa: B023
            trial.look(before, trial.put_back())
            figures.backups += 1
            at = len(said(folder)) + 5
    finally:
        (folder / "stop").touch()
        try:
            code = load.wait(60)
        except subprocess.TimeoutExpired:
            load.kill()
            code = load.wait()
        if code != 0:
            figures.fault("the load failed", str(code))
    figures.seconds = time.monotonic() - began
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--n", type=int, default=50)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    with quick_folder("acc-") as folder:
        found = prove(args.n, args.seed, folder)
    report = Report("Backups of a store at work", f"python -m proofs.care --n {args.n} --seed {args.seed}")
    report.add("backups taken under load, restored, opened", found.backups, str(args.n), found.backups == args.n)
    report.add("messages looked for in them", found.messages, "each there once", found.messages > 0)
    report.add("acknowledged replies looked for", found.replies, "each there", found.replies > 0)
    report.add("unfinished replies held as uncertain", found.held, "more than none", found.held > 0)
    report.add("erased people looked for in every file", found.erased, "nobody there", found.erased > 0)
    report.add("opt-outs tried", found.outs, "each kept and minded", found.outs > 0)
    report.add("violations", len(found.faults), "0", not found.faults)
    for kind, count in found.kinds.items():
        report.add(kind, count, "0", ok=False)
    report.add("seconds", f"{found.seconds:.0f}", "under an hour", found.seconds < 3600)
    code = report.finish()
    for fault in found.faults[:20]:
        print(fault)
    return code


if __name__ == "__main__":
    sys.exit(main())
