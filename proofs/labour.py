"""A store at work that says what it begins and what was acknowledged, and the judge of what is left of it.

    python -m proofs.labour ROOT SEED [--no-fsync]      (works until it is killed)

Lines are JSON: ``["begin", act, …]`` before a call and ``["done", act, …]`` after it returned. What was begun and not
done may be there or not; everything else is known.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agentconsole.domain.entries import AnyEntry, Note
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConversationId,
    CustomerId,
    Draft,
    EntryId,
)
from agentconsole.errors import NotFound
from agentconsole.ports import AuditLine, Cursor, RawItem, SpoolRecord
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore, head
from agentconsole.testing.entries import EMILY_PHONE, MAIL, NOON, note, received, reply
from proofs import ground
from tests.store.answers import answers, differences

RECORDS: Final = tuple(CustomerId(f"k{number}") for number in range(1, 6))
ANA: Final = AgentName("ana")
SAMPLE: Final = 40
"""Entries about which everything is asked, of all that are known to be there."""

Say = Callable[..., None]


def make(root: Path) -> EmbeddedStore:
    head.SEAL_ENTRIES = 8  # type: ignore[misc]
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps())


class Labour:
    """Random acts, each announced before and acknowledged after."""

    def __init__(self, store: EmbeddedStore, seed: int, say: Say) -> None:
        self._store = store
        self._chance = random.Random(seed)
        self._say = say
        self._number = 0
        self._waiting: list[str] = []
        self._revisions: dict[str, int] = {}
        self._notes: dict[str, list[str]] = {}
        self._people: list[CustomerId] = []

    async def act(self) -> None:
        """Do one thing."""
        self._number += 1
        acts = [self._append, self._append, self._append, self._spool, self._spool_done, self._aside, self._draft]
        acts += [self._drop, self._blob, self._audit, self._rewrite, self._erase]
        await self._chance.choice(acts)()

    async def everything(self) -> None:
        """Do every kind of act in one order, for models that walk through all of them."""
        acts = [self._append] * 6 + [self._spool, self._spool, self._draft, self._draft, self._blob, self._append]
        acts += [self._spool_done, self._aside, self._audit, self._drop, *[self._append] * 14]
        acts += [self._rewrite, self._append, self._erase, self._spool, self._spool_done, self._append]
        for act in acts:
            self._number += 1
            await act()

    async def _append(self) -> None:
        record = self._chance.choice(RECORDS)
        fresh: list[AnyEntry] = []
        for part in range(self._chance.randint(1, 3)):
            name = f"e{self._number}-{part}"
            fresh.append(
                self._chance.choice(
                    (
                        received(name, self._number, conversation=f"c-{record}", text=f"appointment {name}"),
                        note(name, self._number, conversation=f"c-{record}", text=f"note {name} " + "x" * 300),
                        reply(name, self._number, conversation=f"c-{record}"),
                    )
                )
            )
        names = [entry.id for entry in fresh]
        self._say("begin", "append", record, names)
        await self._store.change(record, lambda _: fresh)
        self._notes.setdefault(record, []).extend(entry.id for entry in fresh if isinstance(entry, Note))
        self._say("done", "append", record, names)

    async def _spool(self) -> None:
        name = f"b{self._number}"
        items = (RawItem(name, name.encode() * 200, NOON),)
        self._say("begin", "spool", name, self._number)
        await self._store.spool(SpoolRecord(name, MAIL, "email", items, Cursor(str(self._number))))
        self._waiting.append(name)
        self._say("done", "spool", name, self._number)

    async def _spool_done(self) -> None:
        if self._waiting:
            name = self._waiting.pop(0)
            self._say("begin", "filed", name)
            await self._store.spool_done(name)
            self._say("done", "filed", name)

    async def _aside(self) -> None:
        if self._waiting:
            name = self._waiting.pop(0)
            self._say("begin", "aside", name)
            await self._store.spool_set_aside(name, "a test")
            self._say("done", "aside", name)

    async def _draft(self) -> None:
        conversation = f"c{self._chance.randint(1, 3)}"
        revision = self._revisions[conversation] = self._revisions.get(conversation, 0) + 1
        self._say("begin", "draft", conversation, revision)
        text = f"draft {revision} " * 20
        await self._store.save_draft(Draft(ANA, CustomerId("k1"), ConversationId(conversation), text, revision, NOON))
        self._say("done", "draft", conversation, revision)

    async def _drop(self) -> None:
        conversation = f"c{self._chance.randint(1, 3)}"
        if revision := self._revisions.get(conversation, 0):
            self._say("begin", "drop", conversation, revision)
            await self._store.drop_draft(ANA, ConversationId(conversation), revision, False)
            self._say("done", "drop", conversation, revision)

    async def _blob(self) -> None:
        data = f"file {self._number} ".encode() * 500
        self._say("begin", "blob", self._number)
        blob = await self._store.put_blob(CustomerId("k1"), data)
        self._say("done", "blob", self._number, blob)

    async def _audit(self) -> None:
        self._say("begin", "audit", f"act {self._number}")
        await self._store.audit(AuditLine(NOON, ANA, True, f"act {self._number}"))
        self._say("done", "audit", f"act {self._number}")

    async def _rewrite(self) -> None:
        """Take the text of one note out for good."""
        record = self._chance.choice([record for record in RECORDS if self._notes.get(record)] or [None])
        if record is None:
            return
        name = self._notes[record].pop(self._chance.randrange(len(self._notes[record])))

        def emptied(entry: AnyEntry) -> AnyEntry:
            if entry.id == name and isinstance(entry, Note):
                return note(name, 0, conversation=f"c-{record}", text="(taken out)")
            return entry

        self._say("begin", "rewrite", record, name)
        await self._store.rewrite(record, emptied, lambda _: [])
        self._say("done", "rewrite", record, name)

    async def _erase(self) -> None:
        """Make somebody, and erase somebody made before."""
        person = CustomerId(f"p{self._number}")
        self._people.append(person)
        entry = received(f"canary-{person}", 1, sender=EMILY_PHONE, conversation=f"c-{person}", text=f"canary {person}")
        self._say("begin", "append", person, [entry.id])
        await self._store.change(person, lambda _: [entry])
        await self._store.put_blob(person, f"canary {person}".encode() * 50)
        self._say("done", "append", person, [entry.id])
        if len(self._people) > 1 or self._chance.random() < 0.5:
            gone = self._people.pop(0)
            self._say("begin", "erase", gone)
            await self._store.erase(gone)
            self._say("done", "erase", gone)


class Said:
    """What is certain, and what may be, from the lines that were said."""

    def __init__(self, said: list[list[Any]]) -> None:
        self.entries: dict[str, str] = {}
        self.batches: dict[str, str] = {}
        self.cursor = 0
        self.drafts: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.blobs: dict[str, int] = {}
        self.audit: list[str] = []
        self.rewritten: set[str] = set()
        self.erased: set[str] = set()
        self.open: list[Any] = []
        """The act that was begun and not acknowledged."""
        for kind, *act in said:
            if kind == "begin":
                self.open = act
                self._begin(*act)
            else:
                self.open = []
                self._done(*act)

    def _begin(self, act: str, *what: Any) -> None:
        match act, what:
            case "filed" | "aside", (name,):
                self.batches.pop(name, None)
            case "draft", (conversation, revision):
                self.most[conversation] = revision
            case "drop", (conversation, _):
                self.drafts.pop(conversation, None)
            case "erase", (person,):
                self.entries = {entry: owner for entry, owner in self.entries.items() if owner != person}

    def _done(self, act: str, *what: Any) -> None:
        match act, what:
            case "append", (record, names):
                self.entries.update(dict.fromkeys(names, record))
            case "spool", (name, cursor):
                self.batches[name] = "waiting"
                self.cursor = cursor
            case "aside", (name,):
                self.batches[name] = "aside"
            case "draft", (conversation, revision):
                self.drafts[conversation] = revision
            case "drop", (conversation, _):
                self.most.pop(conversation, None)
            case "blob", (number, blob):
                self.blobs[blob] = number
            case "audit", (line,):
                self.audit.append(line)
            case "rewrite", (_, name):
                self.rewritten.add(name)
            case "erase", (person,):
                self.erased.add(person)


async def judge(root: Path, said: list[list[Any]]) -> list[str]:
    """Open what is left of a store and compare it with what was said.

    Returns:
        What is wrong: losses, unreadable files, an index that is not what a rebuild makes.
    """
    sure = Said(said)
    wrong: list[str] = []
    if not (root / "store.toml").exists() and not any(line[0] == "done" for line in said):
        return wrong
    async with make(root) as store:
        wrong += await _beside(store, sure)
        health = await store.health()
        if health.read_only:
            wrong.append(f"set aside: {[(one.record, one.why) for one in await store.damaged()]}")
        if health.set_aside > sum(place == "aside" for place in sure.batches.values()) + (sure.open[:1] == ["aside"]):
            wrong.append("a batch cannot be read")
        names = sorted(sure.entries)
        records = sorted({*RECORDS, *sure.entries.values()})
        asked = names[:: len(names) // SAMPLE + 1]
        found = await answers(store, records, asked)
        known = await store.known([EntryId(name) for name in names])
        if lost := set(names) - known:
            wrong.append(f"{len(lost)} acknowledged entries are lost: {sorted(lost)[:3]}")
    try:
        on_disk = ground.entries(root)
        if unfiled := [name for name in names if name not in on_disk]:
            wrong.append(f"{len(unfiled)} acknowledged entries are in no file: {unfiled[:3]}")
        wrong += [
            f"{n} says again what was taken out"
            for n in sure.rewritten
            if n in on_disk and on_disk[n].get("text") != "(taken out)"
        ]
    except ground.Unreadable as exc:
        wrong.append(f"unreadable: {exc}")
    wrong += _canaries(root, sure)
    for name in ("index.sqlite3", "search.sqlite3"):
        (root / name).unlink()
    async with make(root) as store:
        if differs := differences(found, await answers(store, records, asked)):
            wrong.append(f"the index said something else than one that is built anew: {sorted(differs)[:3]}")
    return wrong


def _canaries(root: Path, sure: Said) -> list[str]:
    """An acknowledged erasure leaves no byte behind."""
    found = []
    texts = [f"canary {person}".encode() + end for person in sure.erased for end in (b'"', b"canary")]
    for path in root.rglob("*") if texts else ():
        if path.is_file() and path.suffix != ".sqlite3-shm":
            data = path.read_bytes()
            found += [f"{text.decode()} was erased and stands in {path.name}" for text in texts if text in data]
    return found


async def _beside(store: EmbeddedStore, sure: Said) -> list[str]:
    wrong = []
    places = dict.fromkeys(await store.spooled(), "waiting") | dict.fromkeys(await store.spool_aside(), "aside")
    for name, place in sure.batches.items():
        if places.get(name) != place:
            wrong.append(f"batch {name} is {places.get(name, 'lost')} instead of {place}")
    for name in places:
        await store.spool_record(name)
    cursor = await store.cursor(AccountName(MAIL))
    if sure.cursor > int(cursor.value if cursor is not None else "0"):
        wrong.append(f"the cursor went back from {sure.cursor} to {cursor}")
    drafts = {draft.conversation: draft.revision for draft in await store.drafts(ANA)}
    for conversation, revision in sure.drafts.items():
        if not revision <= drafts.get(ConversationId(conversation), 0) <= sure.most[conversation]:
            wrong.append(f"draft {conversation} is {drafts.get(ConversationId(conversation))} instead of {revision}")
    for blob, number in sure.blobs.items():
        try:
            if await store.blob(CustomerId("k1"), blob) != f"file {number} ".encode() * 500:  # type: ignore[arg-type]
                wrong.append("a blob is another")
        except NotFound:
            wrong.append("a blob is lost")
    acts = {line.act for line in await store.audited(10_000)}
    if lost := [act for act in sure.audit if act not in acts]:
        wrong.append(f"{len(lost)} audit lines are lost")
    return wrong


async def work(root: Path, seed: int) -> None:
    def say(*line: object) -> None:
        os.write(1, json.dumps(line).encode() + b"\n")

    async with make(root) as store:
        labour = Labour(store, seed, say)
        while True:
            await labour.act()


def main() -> None:
    root, seed, *flags = sys.argv[1:]
    if flags == ["--no-fsync"]:
        os.fsync = lambda fd: None
    asyncio.run(work(Path(root), int(seed)))


if __name__ == "__main__":
    main()
