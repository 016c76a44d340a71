"""What happens at a moment that somebody chose: a conversation wakes, a task is due. Both are entries, so that the
queue needs no clock, and a hub that starts later finds what it missed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from agentconsole.domain import work
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import CustomerId, Snapshot
from agentconsole.errors import AgentConsoleError, ReadOnly, StoreFault
from agentconsole.ports import Store
from agentconsole.seams import Clock

LONGEST: Final = 60.0
"""Seconds after which is looked again, whatever is known: the clock may have been set."""

RESTS: Final = 600.0
"""Seconds that a customer rests whose file takes nothing."""

AT_ONCE: Final = 200


class Alarms:
    def __init__(self, store: Store, clock: Clock, log: logging.Logger) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._resting: dict[CustomerId, float] = {}

    async def run(self) -> None:
        """Wait for the next moment for ever; one customer's trouble stops nobody else's."""
        while True:
            revision = (await self._store.changed(None)).revision
            try:
                left = await self.ring()
            except StoreFault as exc:
                self._log.error("what was to wake rests: %s", exc.message)
                left = LONGEST
            await self._store.wait_changed(revision, left)

    async def ring(self) -> float:
        """Do everything whose moment has come, and return the seconds until the next."""
        most = AT_ONCE
        while True:
            now = self._clock.now()
            mono = self._clock.monotonic()
            self._resting = {name: until for name, until in self._resting.items() if until > mono}
            lines = await self._store.alarms(most)
            due = [line for line in lines if line.alarm_at is not None and line.alarm_at <= now]
            awake = [line.customer for line in due if line.customer not in self._resting]
            if not awake and len(due) == most:
                most *= 2  # those who rest stand before the others
                continue
            if not awake:
                later = [line.alarm_at for line in lines if line.alarm_at is not None and line.alarm_at > now]
                left = min(((at - now).total_seconds() for at in later), default=LONGEST)
                return min(left, LONGEST)
            for customer in dict.fromkeys(awake):
                await self._ring(customer, now)

    async def _ring(self, customer: CustomerId, now: datetime) -> None:
        """Append what is due in each record of a customer; rest where that comes to nothing."""
        rang = False
        try:
            person = await self._store.customer(customer)
            for member in person.members if person is not None else ():
                rang |= await self._ring_one(member, now)
        except AgentConsoleError as exc:
            if isinstance(exc, StoreFault) and not isinstance(exc, ReadOnly):
                raise
            self._log.warning("what was to wake of %s rests: %s", customer, exc.code)
            rang = False
        if not rang:
            self._resting[customer] = self._clock.monotonic() + RESTS

    async def _ring_one(self, member: CustomerId, now: datetime) -> bool:
        snapshot = await self._store.snapshot(member)
        if snapshot is None or not work.due(snapshot, now):
            return False

        def decide(newest: Snapshot) -> Sequence[AnyEntry]:
            return work.due(newest, now)

        await self._store.change(member, decide)
        return True
