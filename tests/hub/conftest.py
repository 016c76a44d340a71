"""A hub over paper channels, a memory store and a clock by hand, reached through its real socket."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agentconsole.desk import Agent, Desk
from agentconsole.domain.model import Address, CustomerId
from agentconsole.hub.hub import Hub
from agentconsole.hub.parser import InlineParser
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import Store
from agentconsole.remote import RemoteDesk, as_desk
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.waiting import DEADLINE, until

EMAIL = Address("email", "", "emily@example.com")
PHONE = Address("phone", "", "+442079460182")


@dataclass
class World:
    """Everything that a test of the hub touches."""

    hub: Hub
    desk: Desk
    who: Agent
    store: Store
    clock: HandClock
    socket: Path
    mail: paper.Post
    chat: paper.Post
    done: asyncio.Task[None]
    extra: list[RemoteDesk] = field(default_factory=list)

    async def attach(self, claim: str = "") -> tuple[Desk, Agent]:
        remote = await RemoteDesk.connect(self.socket, claim)
        self.extra.append(remote)
        return as_desk(remote), remote.who

    async def customer(self, address: Address) -> CustomerId:
        async def found() -> CustomerId | None:
            return await self.store.find(address)

        record = await until(found, what=f"a customer with {address}")
        person = await self.store.customer(record)
        assert person is not None
        return person.id


@asynccontextmanager
async def running(
    *,
    store: Store | None = None,
    profile: HubProfile | None = None,
    mail: paper.Post | None = None,
    chat: paper.Post | None = None,
    clock: HandClock | None = None,
    accounts: Sequence[AccountSetup] | None = None,
) -> AsyncIterator[World]:
    clock = clock or HandClock()
    random = CountingRandomness()
    mail, chat = mail or paper.Post(), chat or paper.Post()
    accounts = accounts if accounts is not None else [paper.mail(mail), paper.chat(chat)]
    store = store or MemoryStore(clock, random)
    log = logging.getLogger("test.hub")
    parser = InlineParser({setup.kind.name: setup.kind for setup in accounts})
    hub = Hub(profile or HubProfile(region="GB", free_floor=0), accounts, store, parser, clock, random, log)
    folder = Path(tempfile.mkdtemp(prefix="ac"))
    path = folder / "hub.sock"
    ready = asyncio.Event()
    done = asyncio.create_task(hub.run(path, ready=ready.set))
    async with asyncio.timeout(DEADLINE):
        waiter = asyncio.create_task(ready.wait())
        await asyncio.wait({waiter, done}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
    if done.done():
        await done
    remote = await RemoteDesk.connect(path)
    world = World(hub, as_desk(remote), remote.who, store, clock, path, mail, chat, done)
    try:
        yield world
    finally:
        for desk in (remote, *world.extra):
            await desk.aclose()
        hub.request_stop(at_once=True)
        async with asyncio.timeout(DEADLINE):
            await done
        folder.rmdir()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as found:
        yield found
