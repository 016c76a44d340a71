"""Failed replies that go another way without being asked, where the profile says so. Off unless it does.

Every check is the one of an agent's fallback, permission included; the reply stays its agent's, and the audit says that
nobody pressed a key.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, Protocol

from agentconsole.desk import Agent, Compose, Fallback, Sent
from agentconsole.domain import fallback
from agentconsole.domain.fallback import Automatic
from agentconsole.domain.model import AgentName, CustomerId, Delivery, EntryId
from agentconsole.errors import AgentConsoleError, StoreFault
from agentconsole.ports import Due, Store
from agentconsole.seams import Clock

PAUSE: Final = 15.0
"""Seconds between two looks at what failed."""


class Sender(Protocol):
    """The part of the Desk that this needs."""

    async def fallback(self, who: Agent, reply: EntryId) -> Fallback | None: ...
    async def reply(self, who: Agent, request: str, compose: Compose) -> Sent: ...
    async def audit(self, who: Agent, act: str, customer: CustomerId, detail: str) -> None: ...


class Fallbacks:
    """Args:
    rule: the media that a reply may go to, and how long people have first.
    """

    def __init__(self, rule: Automatic, desk: Sender, store: Store, clock: Clock, log: logging.Logger) -> None:
        self._rule = rule
        self._desk = desk
        self._store = store
        self._clock = clock
        self._log = log
        self._refused: set[EntryId] = set()

    async def run(self) -> None:
        """Look for ever; one customer's trouble stops nobody else's."""
        while True:
            try:
                await self.look()
            except StoreFault as exc:
                self._log.error("failed replies rest: %s", exc.message)
            await self._clock.sleep(PAUSE)

    async def look(self) -> None:
        """Send every failed reply another way for which the time has come."""
        for due in await self._failed():
            await self._try(due)

    async def _failed(self) -> Sequence[Due]:
        found = await self._store.replies([Delivery.FAILED], limit=None)
        self._refused &= {due.record.reply for due in found}
        return [due for due in found if due.record.reply not in self._refused]

    async def _try(self, due: Due) -> None:
        reply, now = due.record.reply, self._clock.now()
        try:
            customer = await self._store.customer(due.customer)
            if customer is None or not fallback.due(due.record, customer, self._rule, now):
                return
            if any(
                c.aside and c.id == customer.joined.get(due.record.conversation, due.record.conversation)
                for c in customer.conversations
            ):
                return  # nothing happens by itself in what was put aside
            who = Agent(AgentName(due.record.agent), proven=False)
            found = await self._desk.fallback(who, reply)
            if found is None or found.left_out or found.ranked.route.medium not in self._rule.media:
                return
            if "opted_out" in found.ranked.facts:
                return  # the one answer after an opt-out is an agent's to give
            sent = await self._desk.reply(who, f"automatic {reply}", found.compose)
            await self._desk.audit(who, "automatic fallback", found.customer, f"{reply} {sent.id}")
        except StoreFault:
            raise
        except AgentConsoleError as exc:
            self._refused.add(reply)
            self._log.warning("the failed reply %s of %s waits for a person: %s", reply, due.customer, exc.code)
        except Exception as exc:
            # An end of this task would end the hub. It is tried again: files may only have run out.
            self._log.error("the failed reply %s of %s rests", reply, due.customer, exc_info=exc)
