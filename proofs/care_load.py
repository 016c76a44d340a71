"""A hub at work, for backups to be taken of: customers write, replies leave, people are merged and erased.

    python -m proofs.care_load FOLDER SEED

It runs a real hub over an embedded store in ``FOLDER/store`` and paper channels until ``FOLDER/stop`` is there, and
writes down what was acknowledged (``FOLDER/acknowledged``, a JSON object a line) and what reached the world
(``FOLDER/world``, the text of one reply a line). Neither shares anything with the store.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from agentconsole.desk import Compose
from agentconsole.domain.model import (
    Address,
    AgentName,
    ConsentScope,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
    Medium,
)
from agentconsole.errors import AgentConsoleError, OutcomeUnknown, TemporaryFailure, TryLater
from agentconsole.ports import Outgoing
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore, head
from tests.fakes import paper
from tests.fakes.clock import HandClock
from tests.hub.conftest import World, running
from tests.waiting import until

SEAL_ENTRIES = 12


def address(number: int) -> Address:
    return Address("email", "", f"person{number}@example.com")


def text(number: int, person: int) -> str:
    """What the ``number``-th message says; ``canary…`` is in nothing of anybody else's."""
    return f"message {number} of canary{person:05}x, please answer"


def message(number: int, person: int) -> Any:
    at = paper.START + timedelta(minutes=number)
    return paper.message(f"m{number:06}", address(person), text(number, person), at)


def open_store(root: Path) -> EmbeddedStore:
    head.SEAL_ENTRIES = SEAL_ENTRIES  # type: ignore[misc]
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps())


class Journal:
    """A file of lines that are there, whole, once ``add`` returns."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, line: str) -> None:
        os.write(self._handle, line.encode() + b"\n")


class Delivered(list[Outgoing]):
    """What reached the world, also on disk."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def append(self, outgoing: Outgoing) -> None:
        self._journal.add(outgoing.text)
        super().append(outgoing)


class Load:
    def __init__(self, folder: Path, world: World, seed: int) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._said = Journal(folder / "acknowledged")
        self._group: dict[int, int] = {}
        self._erased: set[int] = set()
        self._out: set[int] = set()
        self._messages = 0
        self._acts = 0

    def _tell(self, **what: Any) -> None:
        self._said.add(json.dumps(what))

    def _people(self) -> list[int]:
        return [one for one in self._group if one not in self._erased][-30:]

    async def go(self) -> None:
        """Do one thing, and write down that it was acknowledged."""
        self._acts += 1
        await self._message()
        draw = self._random.random()
        try:
            if draw < 0.45:
                await self._reply()
            elif draw < 0.55:
                await self._opt_out()
            elif draw < 0.63:
                await self._merge()
            elif draw < 0.68:
                await self._erase()
            elif draw < 0.8:
                await self._draft()
        except TryLater:
            return  # a backup is under way, or a send of theirs: nothing was done
        self._world.mail.before_commit = TemporaryFailure("down") if self._random.random() < 0.7 else None
        self._world.mail.after_commit = OutcomeUnknown("lost") if self._random.random() < 0.1 else None
        self._world.clock.move(minutes=1)

    async def _message(self) -> None:
        self._messages += 1
        people = self._people()
        person = self._random.choice(people) if people and self._random.random() < 0.8 else len(self._group)
        self._group.setdefault(person, person)
        said = text(self._messages, person)
        self._tell(act="put", number=self._messages, person=person)
        self._world.mail.put(message(self._messages, person))

        async def filed() -> bool:
            record = await self._world.store.find(address(person))
            page = await self._world.store.history(record, limit=60) if record is not None else None
            return page is not None and any(getattr(entry, "text", "") == said for entry in page.entries)

        await until(filed, 20, f"message {self._messages}")
        self._tell(act="filed", number=self._messages, person=person)

    async def _whom(self) -> tuple[int, CustomerId]:
        person = self._random.choice(self._people())
        return person, await self._world.customer(address(person))

    async def _reply(self) -> None:
        person, customer = await self._whom()
        said = f"reply {self._acts} to canary{person:05}x"
        if self._group[person] in self._out:
            return
        self._tell(act="replying", person=person, text=said)
        try:
            sent = await self._world.desk.reply(self._world.who, f"r{self._acts}", Compose(customer, said))
        except TryLater:
            raise
        except AgentConsoleError:
            return  # somebody opted out meanwhile
        self._tell(act="replied", person=person, text=said, id=sent.id)

    async def _opt_out(self) -> None:
        person, customer = await self._whom()
        await self._world.desk.consent(self._world.who, f"o{self._acts}", customer, Medium(""), ConsentScope.ALL, False)
        self._out.add(self._group[person])
        self._tell(act="out", person=person)

    async def _merge(self) -> None:
        one, keep = await self._whom()
        other, absorb = await self._whom()
        if self._group[one] == self._group[other]:
            return
        await self._world.desk.merge(self._world.who, f"j{self._acts}", keep, absorb)
        into, gone = self._group[one], self._group[other]
        if gone in self._out:
            self._out.add(into)
        for person, group in self._group.items():
            if group == gone:
                self._group[person] = into
        self._tell(act="merged", one=one, other=other)

    async def _erase(self) -> None:
        person, customer = await self._whom()
        doomed = [one for one, group in self._group.items() if group == self._group[person]]
        self._tell(act="erasing", people=doomed)
        await self._world.desk.erase(self._world.who, f"e{self._acts}", customer)
        self._erased.update(doomed)
        self._tell(act="erased", people=doomed)

    async def _draft(self) -> None:
        person, customer = await self._whom()
        _, conversation = await self._world.desk.find_conversation(self._world.who, customer)
        agent = AgentName(self._world.who.name)
        said = f"draft {self._acts} for canary{person:05}x"
        await self._world.desk.save_draft(
            self._world.who,
            Draft(agent, customer, ConversationId(conversation), said, self._acts, self._world.clock.now()),
        )
        self._tell(act="draft", person=person, conversation=conversation, text=said)


async def live(folder: Path, seed: int) -> None:
    clock = HandClock()
    mail = paper.Post(delivered=Delivered(Journal(folder / "world")))
    store = open_store(folder / "store")
    async with store, running(store=store, clock=clock, mail=mail, chat=paper.Post()) as world:
        load = Load(folder, world, seed)
        while not (folder / "stop").exists():
            await load.go()


STATES = (Delivery.QUEUED, Delivery.SENDING)

if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
