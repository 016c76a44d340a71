"""The hub is killed at every border of every durable step of a whole scenario, started again, and nothing is lost and
nothing sent twice.

Three ledgers are compared that share no code with the program: what the world sent (the script below), what the store
holds (read back through the socket), and what the world received (the fake provider's own list).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentconsole.desk import Agent, Compose, Desk
from agentconsole.domain.model import AgentName, ConversationId, Delivery, Draft, Received, Reply
from agentconsole.errors import AgentConsoleError, HubAbsent
from agentconsole.remote import RemoteDesk, as_desk
from agentconsole.sandbox.fake_telegram import FakeTelegram
from tests.folders import quick_folder
from tests.kill.forked import HubProcess
from tests.waiting import until

CUSTOMERS = {101: "Where is my order?", 102: "배송 언제 오나요?"}
REPLIES = {101: "It left today.", 102: "오늘 출발했습니다."}
DRAFT = "half a sente"
SHARES = 2
"""The borders are dealt out to this many tests, so that two workers can walk them at once."""


class Scenario:
    """The script that is played again and again until it is through, whatever dies meanwhile."""

    def __init__(self, folder: Path, world: FakeTelegram) -> None:
        self.world = world
        self.hub = HubProcess(folder, world)
        self.acknowledged_draft = False
        self.acknowledged: dict[int, str] = {}

    async def play(self, abort: int) -> bool:
        """Play it with a hub that dies at border ``abort``; say whether it died."""
        self.hub.start(abort)
        died = False
        for user, text in CUSTOMERS.items():
            self.world.customer_says(user, text, f"Customer {user}")
        for _ in range(3):
            try:
                await self._script()
                break
            except HubAbsent:
                died = True
                await self.hub.ended()
                self.hub.start(0)
        else:
            raise AssertionError("the script did not get through in three lives")
        return died or not await self.hub.alive()

    async def _script(self) -> None:
        async with self._attached() as (desk, who):
            by_user = await self._customers(desk, who)
            for user, text in REPLIES.items():
                sent = await self._lasting(desk.reply(who, f"reply-{user}", Compose(by_user[user], text)))
                self.acknowledged[user] = sent.id
            conversation = (await desk.find_conversation(who, by_user[101]))[1]
            draft = Draft(AgentName(who.name), by_user[101], ConversationId(conversation), DRAFT, 1, datetime.now(UTC))
            await self._lasting(desk.save_draft(who, draft))
            self.acknowledged_draft = True
            await self._settled(desk, who)

    async def _lasting(self, call):
        """Await one call; a hub that died meanwhile is an absent one, at once."""
        task = asyncio.ensure_future(call)
        ended = asyncio.ensure_future(self.hub.ended())
        try:
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise HubAbsent("The hub was killed.")
            return task.result()
        finally:
            task.cancel()
            ended.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    @asynccontextmanager
    async def _attached(self) -> AsyncIterator[tuple[Desk, Agent]]:
        async def attach() -> RemoteDesk | None:
            if not await self.hub.alive():
                raise HubAbsent("The hub was killed.")
            try:
                return await RemoteDesk.connect(self.hub.socket)
            except AgentConsoleError:
                return None

        remote = await until(attach, 20, "a hub that answers")
        try:
            yield as_desk(remote), remote.who
        finally:
            await remote.aclose()

    async def _customers(self, desk: Desk, who: Agent) -> dict[int, str]:
        async def both() -> dict[int, str] | None:
            page = await self._lasting(desk.queue(who, "all", 0, 10))
            found = {}
            for line in page.lines:
                for user in CUSTOMERS:
                    if line.name == f"Customer {user}":
                        found[user] = line.customer
            return found if len(found) == len(CUSTOMERS) else None

        return await until(both, 20, "both customers")

    async def _settled(self, desk: Desk, who: Agent) -> None:
        async def nothing_waits() -> bool:
            return not await self._lasting(desk.outbox(who, (Delivery.QUEUED, Delivery.SENDING)))

        await until(nothing_waits, 30, "an empty outbox")

    async def check(self) -> None:
        """Compare the three ledgers."""
        received = Counter(sent.text for sent in self.world.sent)
        assert all(count == 1 for count in received.values()), f"sent twice: {received}"
        async with self._attached() as (desk, who):
            by_user = await self._customers(desk, who)
            assert len(set(by_user.values())) == len(CUSTOMERS)
            for user, customer in by_user.items():
                page = await desk.timeline(who, customer, "", 100)
                texts = [e.text for e in page.entries if isinstance(e, Received)]
                assert texts == [CUSTOMERS[user]], f"lost or doubled: {texts}"
                replies = [e for e in page.entries if isinstance(e, Reply)]
                assert [r.text for r in replies] == [REPLIES[user]]
                assert replies[0].id == self.acknowledged[user]
                state = page.states[replies[0].id].state
                left = received[REPLIES[user]]
                allowed = {Delivery.SENT, Delivery.UNCERTAIN} if left else {Delivery.UNCERTAIN}
                assert state in allowed, f"{state} although the world received {left}"
            drafts = await desk.drafts(who)
            assert [d.text for d in drafts] == [DRAFT]
            assert self.acknowledged_draft


@asynccontextmanager
async def playing() -> AsyncIterator[Scenario]:
    with quick_folder("ack-") as folder:
        world = FakeTelegram()
        await world.start()
        scenario = Scenario(folder, world)
        try:
            yield scenario
        finally:
            await scenario.hub.stop()
            await world.stop()


async def walk(start: int, step: int) -> tuple[int, int]:
    """Kill at every ``step``-th border from ``start``; return how many lives ended and where the borders end."""
    killed, border = 0, start
    while True:
        async with playing() as scenario:
            try:
                died = await scenario.play(border)
                await scenario.check()
            except BaseException as exc:
                exc.add_note(f"border {border}")
                raise
        if not died:
            return killed, border
        killed += 1
        border += step


@pytest.mark.timeout(240)
@pytest.mark.parametrize("share", range(1, SHARES + 1))
async def test_killed_at_every_border(share: int) -> None:
    killed, end = await walk(share, SHARES)
    print(f"killed {killed} times, borders end at {end}")
    assert killed >= 15, "a kill test that kills nothing proves nothing"


async def test_killed_from_outside_while_it_works() -> None:
    """SIGKILL from outside, without the seam's help, right after the replies were acknowledged."""
    async with playing() as scenario:
        scenario.hub.start(0)
        for user, text in CUSTOMERS.items():
            scenario.world.customer_says(user, text, f"Customer {user}")
        async with scenario._attached() as (desk, who):
            by_user = await scenario._customers(desk, who)
            for user, text in REPLIES.items():
                sent = await desk.reply(who, f"reply-{user}", Compose(by_user[user], text))
                scenario.acknowledged[user] = sent.id
        os.kill(scenario.hub.pid, signal.SIGKILL)
        await scenario.hub.ended()
        scenario.hub.start(0)
        await scenario._script()
        await scenario.check()
