"""A thousand files damaged at random, and what the store makes of each.

    python -m proofs.damage [--n 1000] [--seed 7]

Every trial takes a copy of one store, damages one file of it (``damages``) while the store runs, while it is closed, or
with its index lost as well, and asks for everything. What is served is the truth or is said to be damaged; a damaged
customer is only read, the file stays byte for byte, and everybody else works; the previous generation is offered and
can be taken. A damaged or deleted index gives the same answers. ``store check`` finds what the store finds.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import (
    AgentName,
    BlobId,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
)
from agentconsole.errors import AgentConsoleError, NotFound, ReadOnly, SpoolDamaged, StoreFault
from agentconsole.ports import AuditLine, Cursor, RawItem, SpoolRecord
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.care.check import check
from agentconsole.store.embedded import EmbeddedStore, head
from agentconsole.store.erasure import blobs_of
from agentconsole.testing.entries import CHAT, EMILY_PHONE, MAIL, NOON, merged, minute, note, receipt, received, reply
from proofs import ground
from proofs.damages import OLDER, Damage, draw
from proofs.report import Report
from tests.folders import quick_folder
from tests.store.answers import answers, differences, pages

SEAL_ENTRIES: Final = 8
RECORDS: Final = tuple(CustomerId(f"k{number}") for number in range(1, 7))
JOINED: Final = frozenset({"k1", "k2"})
ANA: Final = AgentName("ana")
AREAS: Final = {
    **{"head": 40, "volume": 14, "previous": 3, "blob": 8, "batch": 8, "cursor": 5, "draft": 6, "audit": 4},
    **{"format": 2, "index": 7, "search": 5},
}
"""How often a file of each area is drawn."""


def make(root: Path) -> EmbeddedStore:
    head.SEAL_ENTRIES = SEAL_ENTRIES  # type: ignore[misc]
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps())


def batch(name: str, account: str = "mail") -> SpoolRecord:
    items = (RawItem(f"raw {name}", f"raw message {name} ".encode() * 40, NOON),)
    return SpoolRecord(name, MAIL if account == "mail" else CHAT, "email", items, Cursor(f"after {name}"))


async def fill(store: EmbeddedStore) -> None:
    """Write a small office into an empty store."""

    async def add(record: str, *entries: AnyEntry) -> None:
        await store.change(CustomerId(record), lambda _: entries)

    await add("k1", received("e1", 1, text="move my appointment", mentions=(EMILY_PHONE,)))
    await add("k2", received("e2", 2, sender=EMILY_PHONE, conversation="c2", medium="whatsapp", text="배송 언제 와요"))
    await add("k1", merged("m1", "k2", 3, joins={"c2": "c1"}))
    for number in range(30):
        await add("k1", note(f"n{number}", 4 + number, text=f"call number {number} about the appointment"))
    for number, state in enumerate((Delivery.SENDING, Delivery.SENT, Delivery.UNCERTAIN)):
        name = f"r{number}"
        await add("k3", reply(name, 10 + number, conversation="c3"))
        await add("k3", receipt(f"{name}a", name, Delivery.SENDING, 11, committed=True))
        if state != Delivery.SENDING:
            await add("k3", receipt(f"{name}b", name, state, 12, external_id=f"SM-{name}"))
    await add("k3", reply("r9", 20, conversation="c3"))
    for number in range(12):
        await add("k4", received(f"x{number}", number, conversation="c4", text=f"letter {number} of em"))
    await add("k5", received("f1", 1, conversation="c5"))
    await add("k5", note("f2", 2, conversation="c5"))
    await add("k6", received("g1", 1, conversation="c6", text="hello"))
    await store.seen(CustomerId("k1"), ANA, minute(3))
    for record, data in BLOBS:
        await store.put_blob(CustomerId(record), data)
    for name in ("old", "b1", "b2", "b3"):
        await store.spool(batch(name))
    for name in ("chat1", "chat2"):
        await store.spool(batch(name, "chat"))
        await store.spool_done(name)
    await store.spool_done("old")
    await store.spool_set_aside("b1", "a customer is damaged")
    for draft in DRAFTS:
        await store.save_draft(draft)
    for line in AUDIT:
        await store.audit(line)
    await store.search("appointment")


GROSS: Final = frozenset({"garbage", "zeroes", "empty", "foreign JSON"})
"""Damage of an index that is noticed while it is in use; finer one is noticed at the next start, by its checksum."""

BLOBS: Final = (("k1", b"raw letter " * 90), ("k5", b"picture " * 300), ("k5", b"a second file"))
DRAFTS: Final = (
    Draft(ANA, CustomerId("k1"), ConversationId("c1"), "half a sente", 3, NOON),
    Draft(ANA, CustomerId("k1"), ConversationId("c1"), "half a note", 1, NOON, note=True),
    Draft(AgentName("ben"), CustomerId("k3"), ConversationId("c3"), "여기", 2, NOON),
)
AUDIT: Final = tuple(AuditLine(minute(number), ANA, True, f"act {number}") for number in range(4))
CURSORS: Final = {
    MAIL: {None, *(Cursor(f"after {name}") for name in ("old", "b1", "b2", "b3"))},
    CHAT: {None, *(Cursor(f"after chat{number}") for number in (1, 2))},
}
"""Cursors that were true at some time: an older one brings messages again, which are known."""


@dataclass
class Truth:
    """What the store says while nothing is damaged."""

    entries: dict[EntryId, AnyEntry] = field(default_factory=dict)
    owners: dict[EntryId, str] = field(default_factory=dict)
    snapshots: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    blobs: dict[tuple[str, BlobId], bytes] = field(default_factory=dict)

    @classmethod
    async def of(cls, store: EmbeddedStore, root: Path) -> Truth:
        truth = cls()
        for path in ground.heads(root):
            for key in ground.record(path):
                found = await store.entry(EntryId(key))
                assert found is not None
                truth.entries[EntryId(key)] = found[1]
                truth.owners[EntryId(key)] = path.stem
        for name in RECORDS:
            truth.snapshots[name] = await store.snapshot(name)
        truth.answers = await answers(store, RECORDS, truth.entries)
        for record, data in BLOBS:
            blob = await store.put_blob(CustomerId(record), data)
            truth.blobs[record, blob] = data
        return truth


@asynccontextmanager
async def filled() -> AsyncIterator[tuple[Path, Truth]]:
    """Lend a closed store and what is true of it."""
    with quick_folder("ack-damage-") as folder:
        root = folder / "store"
        async with make(root) as store:
            await fill(store)
            truth = await Truth.of(store, root)
        yield root, truth


def candidates(root: Path, area: str) -> list[Path]:
    """Return the files of an area."""
    patterns = {
        "previous": "customers/*/*.json.prev",
        "blob": "blobs/*/*/*",
        "batch": "spool/**/*.batch",
        "cursor": "spool/cursors/*.json",
        "draft": "drafts/*/*.json",
        "audit": "audit/*.jsonl",
        "format": "store.toml",
        "index": "index.sqlite3",
        "search": "search.sqlite3",
    }
    if area == "head":
        return list(ground.heads(root))
    if area == "volume":
        return sorted(root.glob("customers/*/*.m*.json"))
    return sorted(root.glob(patterns[area]))


def choose(root: Path, chance: random.Random, area: str = "") -> Damage:
    """Draw a file and its damage; the file is not touched yet."""
    area = area or chance.choices(list(AREAS), list(AREAS.values()))[0]
    found = candidates(root, area)
    path = chance.choice(found)
    others = [other for other in found if other.stem.split(".")[0] != path.stem.split(".")[0]]
    if area == "volume":
        others = [other for other in found if other != path]
    damage = draw(area, path, others, chance)
    if area in ("head", "volume", "previous"):
        damage.record = path.name.split(".")[0]
    elif area == "blob":
        damage.record = path.parent.name
    moments = ["running", "closed"]
    gone_for_good = damage.data is None and not path.with_name(path.name + ".prev").exists()
    if area in ("head", "volume") and damage.kind != OLDER and not gone_for_good:  # of these only the index knows
        moments.append("closed, index lost")
    if area in ("index", "search") and damage.kind not in GROSS:
        moments = ["closed"]
    damage.moment = chance.choice(moments)
    return damage


class Trial:
    """One damage and everything that is asked afterwards; what went wrong is in ``wrong``."""

    def __init__(self, root: Path, truth: Truth, damage: Damage) -> None:
        self.root = root
        self.truth = truth
        self.damage = damage
        self.wrong: list[str] = []
        self.read_only = False
        self.accepted = ""
        self.checked = False

    async def run(self, chance: random.Random, share: float = 1.0) -> None:
        """Damage the file and ask.

        Args:
            share: of trials in which ``store check`` is asked as well.
        """
        damage, store = self.damage, make(self.root)
        await store.open()
        try:
            if damage.moment == "running":
                if chance.random() < 0.7:
                    await answers(store, RECORDS[:3], ["e1"])
                damage.strike()
                if chance.random() < share:
                    self._check()
            else:
                await store.aclose()
                damage.strike()
                if chance.random() < share:
                    self._check()
                if damage.moment == "closed, index lost":
                    for name in ("index.sqlite3", "search.sqlite3"):
                        (self.root / name).unlink()
                store = make(self.root)
                try:
                    await store.open()
                except StoreFault as fault:
                    self._refused(fault)
                    return
            await self._ask(store, "a")
            await store.aclose()
            store = make(self.root)
            try:
                await store.open()
            except StoreFault as fault:
                self._refused(fault)
                return
            await self._ask(store, "b")
            if self.read_only:
                await self._accept(store, chance)
        except (AgentConsoleError, AssertionError, OSError, ValueError, LookupError, TypeError) as exc:
            self.wrong.append(f"{type(exc).__name__}: {exc}")
        finally:
            await store.aclose()

    def _check(self) -> None:
        """``store check`` must name the file, while a hub runs too; of an index, that it is not what the files make."""
        self.checked = True
        area, name = self.damage.area, self.damage.path.relative_to(self.root).as_posix()
        if (
            area == "blob"
            and self.damage.data is None
            and name.rpartition("/")[2] not in blobs_of(self.truth.entries.values())
        ):
            return  # no entry names it: nobody misses it
        only_the_index_knows = area in ("index", "search") or self.damage.kind == OLDER or self.damage.data is None
        found = check(self.root, files_only=not only_the_index_knows)
        named = [finding for finding in found.findings if finding.harm]
        related = [one for one in named if one.path == name or (one.customer and one.customer == self.damage.record)]
        if area in ("index", "search"):
            return  # what a damage of it changes is asked below; a page that nobody reads is none
        if not related:
            self._say(f"store check does not find it (but {[one.path for one in named][:3]})")

    def _say(self, what: str) -> None:
        if what not in self.wrong:
            self.wrong.append(what)

    def _refused(self, fault: StoreFault) -> None:
        """A store that does not open is right only where its format cannot be read."""
        if self.damage.area != "format":
            self._say(f"the store does not open: {fault}")
        elif not self.damage.untouched():
            self._say("store.toml was touched")

    # -- questions -----------------------------------------------------------------------------------------

    async def _ask(self, store: EmbeddedStore, mark: str) -> None:
        if self.damage.area in ("index", "search"):
            found = await answers(store, RECORDS, self.truth.entries)
            if differs := differences(self.truth.answers, found):
                self._say(f"other answers: {sorted(differs)[:4]}")
            return
        missing = await self._missing(store)
        changed = [record for record in RECORDS if await store.snapshot(record) != self.truth.snapshots[record]]
        aside = set((await store.health()).read_only)
        owner = self.damage.record if self.damage.area in ("head", "volume") else ""
        for record in {self.truth.owners[entry] for entry in missing} | set(changed):
            if record != owner:
                self._say(f"customer {record} suffers too")
            elif record not in aside:
                self._say("what is missing or changed is not said to be damaged")
        if stray := aside - {owner} - set(RECORDS):
            self.damage.notes.append(f"a stranger {stray}")
        elif aside - {owner}:
            self._say(f"set aside without damage: {sorted(aside - {owner})}")
        await self._change(store, owner, mark)
        await self._files(store)

    async def _missing(self, store: EmbeddedStore) -> set[EntryId]:
        """Compare everything that is served with the truth, and return what is not served."""
        served: set[EntryId] = set()
        for record in RECORDS:
            before: EntryId | None = None
            while (page := await store.history(record, before=before, limit=7)) is not None:
                for entry in page.entries:
                    served.add(entry.id)
                    if entry.id in self.truth.entries and self.truth.entries[entry.id] != entry:
                        self._say(f"the entry {entry.id} was changed silently")
                if not page.more or not page.entries:
                    break
                before = page.entries[0].id
        for hit in await store.search("appointment"):
            if hit.entry not in self.truth.entries:
                self._say(f"search finds {hit.entry}, which nobody wrote")
        return set(self.truth.entries) - served

    async def _change(self, store: EmbeddedStore, owner: str, mark: str) -> None:
        """Add a note to everybody: the damaged one refuses and stays as it is, all others take it."""
        for record in RECORDS:
            fresh = note(f"{mark}-{record}", 90, conversation=f"c-{record}")
            try:
                await store.change(record, lambda _, fresh=fresh: [fresh])  # type: ignore[misc]
            except ReadOnly as refusal:
                if record != owner:
                    self._say(f"customer {record} refuses: {refusal}")
                    continue
                self.read_only = True
                if not self.damage.untouched():
                    self._say("the damaged file was touched")
            else:
                self.truth.snapshots[record] = await store.snapshot(record)
                if record == owner and self.read_only:
                    self._say("a damaged customer takes changes again by itself")
                elif record == owner:
                    self._healed(mark)

    def _healed(self, mark: str) -> None:
        """A change that was taken on a damaged file must leave everything whole."""
        path = next((path for path in ground.heads(self.root) if path.stem == self.damage.record), None)
        try:
            found = ground.record(path) if path is not None else {}
        except ground.Unreadable as exc:
            if self.damage.area == "head":
                self._say(f"a change was taken on top of damage: {exc}")
            return
        lost = [key for key, owner in self.truth.owners.items() if owner == self.damage.record and key not in found]
        if lost:
            self._say(f"a change was taken and {len(lost)} entries are lost, {mark}")

    # -- what lies beside ----------------------------------------------------------------------------------

    async def _files(self, store: EmbeddedStore) -> None:
        for (record, blob), data in self.truth.blobs.items():
            try:
                if await store.blob(CustomerId(record), blob) != data:
                    self._say("a blob was changed silently")
            except (StoreFault, NotFound) as fault:
                if self.damage.area != "blob":
                    self._say(f"a blob is refused: {fault}")
        await self._spool(store)
        for agent in ("ana", "ben"):
            served = await store.drafts(AgentName(agent))
            wanted = [draft for draft in DRAFTS if draft.agent == agent]
            self._subset("draft", served, wanted)
        self._subset("audit", await store.audited(), AUDIT)

    async def _spool(self, store: EmbeddedStore) -> None:
        said = 0
        served = []
        for name in (*await store.spooled(), *await store.spool_aside()):
            try:
                found = await store.spool_record(name)
            except SpoolDamaged:
                said += 1
                continue
            served.append(found)
        wanted = [batch(name) for name in ("b1", "b2", "b3")]
        self._subset("batch", served, wanted)
        aside = set(await store.spool_aside())
        sound = sum(one.id in aside for one in served)
        lacking = len(wanted) - len(served)
        if lacking > max(said, (await store.health()).set_aside - sound):
            self._say("a batch vanished silently")
        for account, cursors in CURSORS.items():
            cursor = await store.cursor(account)
            if cursor not in cursors:
                self._say(f"a cursor was changed silently: {cursor}")
            if cursor is None:
                self.damage.notes.append("a cursor is lost")

    def _subset(self, area: str, served: Sequence[Any], wanted: Sequence[Any]) -> None:
        """Nothing is served that was not written; only damage of that area explains what is not served."""
        if any(one not in wanted for one in served):
            self._say(f"a {area} was changed silently")
        if len(served) < len(wanted) and self.damage.area != area:
            self._say(f"a {area} is lost")
        if area == "draft" == self.damage.area and len(served) < len(wanted) and not self.kept():
            self._say("a damaged draft was not kept")

    def kept(self) -> bool:
        """Say whether the damaged bytes still lie somewhere in the folder of the file."""
        if self.damage.data is None:
            return True
        near = self.damage.path.parent
        return any(path.read_bytes() == self.damage.data for path in near.rglob("*") if path.is_file())

    # -- back into use -------------------------------------------------------------------------------------

    async def _accept(self, store: EmbeddedStore, chance: random.Random) -> None:
        record = CustomerId(self.damage.record)
        offered = {one.record: one for one in await store.damaged()}
        if record not in offered:
            self._say("a damaged customer is not offered for acceptance")
            return
        before = self.damage.path.with_name(f"{record}.json.prev")
        whole = self._whole(before)
        if self.damage.area == "head" and whole != (offered[record].previous >= 0):
            self._say(f"the generation before is {'not ' * (offered[record].previous < 0)}offered")
        previous = offered[record].previous >= 0 and chance.random() < 0.6
        if not previous and offered[record].entries < 0:
            previous = offered[record].previous >= 0
        fresh = note("accepted", 95)
        try:
            await store.accept(record, previous=previous, decide=lambda _: [fresh])
        except NotFound:
            if offered[record].previous >= 0 or offered[record].entries >= 0:
                self._say("what was offered cannot be taken")
            return
        self.accepted = "previous" if previous else "as it is"
        if not self.kept():
            self._say("the damaged file is gone after it was accepted")
        await store.change(record, lambda _: [note("arrived", 96)])
        if record in (await store.health()).read_only:
            self._say("still only read after it was accepted")
        served = [name for page in await pages(store, record, 50) for name in page]
        if not {"accepted", "arrived"} <= set(served):
            self._say("what was filed after acceptance is not served")
        for name in served if previous else ():
            found = await store.entry(name)
            if name in self.truth.entries and (found is None or found[1] != self.truth.entries[name]):
                self._say(f"the entry {name} was changed by acceptance of the generation before")

    def _whole(self, path: Path) -> bool:
        try:
            ground.document(path)
        except (ground.Unreadable, FileNotFoundError):
            return False
        return True


@dataclass
class Figures:
    trials: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    read_only: int = 0
    checked: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def trials(count: int, seed: int, only: int | None = None, area: str = "", share: float = 1.0) -> Figures:
    """Damage ``count`` files, each in a copy of the same store."""
    figures = Figures()
    async with filled() as (template, truth):
        for number in [only] if only is not None else range(count):
            chance = random.Random(f"{seed}/{number}")
            with quick_folder("ack-damage-") as folder:
                root = folder / "store"
                shutil.copytree(template, root)
                async with make(root):  # the index learns the files that were copied
                    pass
                damage = choose(root, chance, area)
                mine = Truth(truth.entries, truth.owners, dict(truth.snapshots), truth.answers, truth.blobs)
                trial = Trial(root, mine, damage)
                await trial.run(chance, share)
            figures.trials[damage.area] += 1
            figures.kinds[damage.kind] += 1
            figures.read_only += trial.read_only
            figures.checked += trial.checked and damage.area not in ("index", "search")
            figures.accepted[trial.accepted] += 1
            figures.notes.update(set(damage.notes))
            figures.wrong += [f"trial {number}: {damage}: {what}" for what in trial.wrong]
    return figures


def report(figures: Figures, command: str, wanted: int) -> Report:
    found = Report("Damaged files", command)
    total = figures.trials.total()
    found.add("files damaged", total, f">= {wanted}", total >= wanted)
    areas = ", ".join(f"{area} {count}" for area, count in figures.trials.most_common())
    found.add("- of", areas, "-", True)
    found.add("- kinds of damage", len(figures.kinds), "-", True)
    found.add("customers set aside, untouched and only read", figures.read_only, "> 0", figures.read_only > 0)
    found.add("damages that store check was asked for, and found", figures.checked, "> 0", figures.checked > 0)
    taken = figures.accepted
    found.add("- taken back into use: generation before", taken["previous"], "> 0", taken["previous"] > 0)
    found.add("- taken back into use: as it is", taken["as it is"], "> 0", taken["as it is"] > 0)
    rebuilt = figures.trials["index"] + figures.trials["search"]
    found.add("indexes damaged, same answers", rebuilt, f">= {wanted // 10}", rebuilt >= wanted // 10)
    found.add("silent changes, losses, others affected, crashes", len(figures.wrong), "0", not figures.wrong)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", type=int, help="one trial, by its number")
    parser.add_argument("--area", choices=list(AREAS), default="")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    figures = asyncio.run(trials(given.n, given.seed, given.only, given.area))
    for line in figures.wrong[:60]:
        print(line)
    wanted = given.n if given.only is None and not given.area else 1
    return report(figures, f"python -m proofs.damage --n {given.n} --seed {given.seed}", wanted).finish()


if __name__ == "__main__":
    sys.exit(main())
