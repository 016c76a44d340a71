"""Commands run in a thread of their own, as a process would run them, on a real hub over paper channels."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agentconsole.cli.app import run
from agentconsole.cli.context import World
from agentconsole.domain.model import CustomerId
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness
from tests.hub import conftest as hubs
from tests.waiting import until

MAIL_TEXT = "Could it be 11 March, same time? My ID is 4821 and my WhatsApp is +44 20 7946 0182."


@dataclass
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def ran(*words: str, stdin: str = "", environ: dict[str, str] | None = None, **lent: Any) -> Ran:
    """Run one command line in this thread."""
    out, err = io.StringIO(), io.StringIO()
    lent.setdefault("random", CountingRandomness())
    world = World(
        stdin=io.StringIO(stdin), stdout=out, stderr=err, environ=environ if environ is not None else {}, **lent
    )
    code = run(words, world)
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass
class Office:
    """A hub with Emily's mail and chat in it, and the commands on it."""

    hub: hubs.World
    home: Path
    random: CountingRandomness = field(default_factory=CountingRandomness)

    async def run(self, *words: str, stdin: str = "", **lent: Any) -> Ran:
        environ = {"HOME": str(self.home), "AGENTCONSOLE_HUB": str(self.hub.socket), **lent.pop("environ", {})}
        return await asyncio.to_thread(ran, *words, stdin=stdin, environ=environ, random=self.random, **lent)

    async def json(self, *words: str, code: int = 0, **lent: Any) -> Any:
        found = await self.run("--json", *words, **lent)
        assert found.code == code, found
        return found.json

    async def emily(self) -> CustomerId:
        return await self.hub.customer(hubs.EMAIL)

    async def merged(self) -> CustomerId:
        """Make Emily's two records one person."""
        (suggestion,) = (await self.json("suggestion", "list"))["suggestions"]
        await self.json("suggestion", "accept", suggestion["id"])
        return await self.emily()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with hubs.running() as world:
        world.mail.put(
            paper.message("m1", hubs.EMAIL, MAIL_TEXT, sender_name="Emily Rhodes", subject="Move my appointment")
        )
        await world.customer(hubs.EMAIL)
        world.clock.move(minutes=8)
        world.chat.put(paper.message("w1", hubs.PHONE, "any news? I wrote you", world.clock.now(), place="chat-1"))
        await world.customer(hubs.PHONE)

        async def suggested() -> bool:
            return bool(await world.desk.suggestions(world.who, CustomerId("")))

        await until(suggested, what="the suggestion")
        yield Office(world, tmp_path)
