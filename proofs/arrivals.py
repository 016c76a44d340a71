"""What arrives for a damaged customer waits, and is filed once the customer was taken back into use.

    python -m proofs.arrivals [--n 40] [--seed 2]

A working hub (``proofs.faulty``), one customer's file damaged under it, messages of that customer and of another one:
the other's is filed, the damaged one's waits on the disk, nothing more is sent to them; then somebody accepts what is
readable or the generation before, and what waited is filed by itself, once, without a restart.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agentconsole.desk import Compose
from agentconsole.domain.model import CustomerId
from agentconsole.errors import AgentConsoleError
from proofs import ground
from proofs.damages import Damage, draw
from proofs.faulty import BEFORE, PATIENCE, USERS, WHO, Office, prepared, until
from proofs.report import Report
from tests.folders import quick_folder

LATER: Final = "Still nothing here, says {}."


@dataclass
class Figures:
    trials: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def arrivals(count: int, seed: int) -> Figures:
    figures = Figures()
    async with prepared() as template:
        for number in range(count):
            chance = random.Random(f"{seed}/{number}")
            wrong, kind, accepted = await _trial(template, chance)
            figures.trials[kind] += 1
            figures.accepted[accepted] += 1
            figures.wrong += [f"trial {number}, {kind}, {accepted}: {what}" for what in wrong]
    return figures


async def _trial(template: Path, chance: random.Random) -> tuple[list[str], str, str]:
    wrong: list[str] = []
    kind = accepted = "-"
    with quick_folder("ack-arrive-") as folder:
        shutil.copytree(template, folder / "store")
        office = Office(folder)
        await office.world.start()
        try:
            for user in USERS:
                office.world.customer_says(user, BEFORE.format(user), f"Customer {user}")
            office.world._updates.clear()
            await office.start()
            by_user = await office.customers()
            damage = _drawn(office.root, by_user[101], chance)
            kind = damage.kind
            damage.strike()
            accepted = await _story(office, by_user, damage, chance, wrong)
        except (AgentConsoleError, AssertionError, TimeoutError, OSError) as exc:
            wrong.append(f"{type(exc).__name__}: {exc}")
        finally:
            await office.stop()
            await office.world.stop()
    return wrong, kind, accepted


def _drawn(root: Path, customer: CustomerId, chance: random.Random) -> Damage:
    paths = {path.stem: path for path in ground.heads(root)}
    while True:
        damage = draw("head", paths[customer], [path for name, path in paths.items() if name != customer], chance)
        try:
            if damage.data is not None:
                damage.path.with_suffix(".probe").write_bytes(damage.data)
                ground.document(damage.path.with_suffix(".probe"))
        except ground.Unreadable:
            return damage
        else:
            if damage.data is None:
                return damage
        finally:
            damage.path.with_suffix(".probe").unlink(missing_ok=True)


async def _story(
    office: Office, by_user: dict[int, CustomerId], damage: Damage, chance: random.Random, wrong: list[str]
) -> str:
    desk, customer = office.hub.desk, by_user[101]
    for user in USERS:
        office.world.customer_says(user, LATER.format(user), f"Customer {user}")

    async def aside() -> bool:
        return (await desk.status(WHO)).spool.set_aside == 1 and (await desk.status(WHO)).spool.waiting == 0

    await until(aside, PATIENCE, "the arrival that waits")
    if not damage.untouched():
        wrong.append("the damaged file was touched")
    if not await _says(office, by_user[102], LATER.format(102)):
        wrong.append("the other customer's message was not filed")
    try:
        await desk.reply(WHO, "r-1", Compose(customer, "Are you there?"))
        wrong.append("a reply to a damaged customer was taken")
    except AgentConsoleError:
        pass
    (offered,) = await desk.damaged(WHO)
    previous = offered.previous >= 0 and (offered.entries < 0 or chance.random() < 0.6)
    if not previous and offered.entries < 0:
        return "nothing to accept"
    left = len(office.world.sent)
    await desk.accept(WHO, "a-1", customer, previous)

    async def filed() -> bool:
        status = await desk.status(WHO)
        return await _says(office, customer, LATER.format(101)) and not status.spool.set_aside + status.spool.waiting

    await until(filed, PATIENCE, "the arrival that waited, filed by itself")
    found = Counter(entry.get("text") for entry in ground.entries(office.root).values() if entry["type"] == "received")
    if any(found[LATER.format(user)] != 1 for user in USERS):
        wrong.append(f"filed {found[LATER.format(101)]} and {found[LATER.format(102)]} times")
    if len(office.world.sent) != left:
        wrong.append("accepting sent something")
    if not any(path.read_bytes() == damage.data for path in damage.path.parent.iterdir()) and damage.data is not None:
        wrong.append("the damaged file was not kept")
    await desk.reply(WHO, "r-2", Compose(customer, "Here again."))
    await until(lambda: _left(office, "Here again."), PATIENCE, "a reply after all")
    return "previous" if previous else "as it is"


async def _left(office: Office, text: str) -> bool:
    return any(sent.text == text for sent in office.world.sent)


async def _says(office: Office, customer: CustomerId, text: str) -> bool:
    page = await office.hub.desk.timeline(WHO, customer, "", 50)  # type: ignore[arg-type]
    return text in {getattr(entry, "text", "") for entry in page.entries}


def report(figures: Figures, command: str, wanted: int) -> Report:
    found = Report("Arrivals for a damaged customer", command)
    total = figures.trials.total()
    found.add("customers damaged under a working hub", total, f">= {wanted}", total >= wanted)
    taken = ", ".join(f"{how} {count}" for how, count in figures.accepted.most_common())
    found.add("taken back into use", taken, "-", True)
    found.add("arrivals lost, doubled or not filed, others held up", len(figures.wrong), "0", not figures.wrong)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=40)
    parser.add_argument("--seed", type=int, default=2)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    figures = asyncio.run(arrivals(given.n, given.seed))
    for line in figures.wrong[:40]:
        print(line)
    return report(figures, f"python -m proofs.arrivals --n {given.n} --seed {given.seed}", given.n).finish()


if __name__ == "__main__":
    sys.exit(main())
