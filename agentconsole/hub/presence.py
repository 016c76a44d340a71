"""Who is at which customer now, and who writes: in memory, and each word of it lapses by itself.

A console says where its agent is and repeats it; what is not repeated ends with its lease, and at once when the
agent's last console goes. Nothing of it is kept: after a restart the consoles say it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from agentconsole.desk.waiting import LEASE, Present
from agentconsole.domain.model import AgentName, ConversationId, CustomerId, Medium
from agentconsole.seams import Clock

STILL_WRITING: Final = 60.0
"""Seconds after the last key for which an agent counts as writing, so that a thought does not end it."""

NOBODY: Final = AgentName("")


@dataclass(slots=True)
class _Held:
    present: Present
    until: float
    typed: float


class Presence:
    """Args:
    clock: its monotonic time ends leases.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[AgentName, _Held] = {}
        self._changed = asyncio.Event()
        self.revision = 0

    def attend(
        self, agent: AgentName, customer: CustomerId, conversation: ConversationId, medium: Medium, *, writing: bool
    ) -> None:
        """Note where an agent is; an empty customer: nowhere. News only where others would see something new."""
        now, mono = self._clock.now(), self._clock.monotonic()
        self._lapse()
        known = self._held.get(agent)
        if not customer:
            self.leave(agent)
            return
        before = known.present if known is not None and known.present.customer == customer else None
        typed = mono if writing else known.typed if known is not None and before is not None else -STILL_WRITING
        goes_on = mono - typed < STILL_WRITING
        found = Present(agent, customer, now, conversation)
        if before is not None and before.writing == goes_on and before.conversation == conversation:
            found = replace(found, since=before.since)
        if goes_on:
            last_key = now if writing or before is None else before.last_key
            taken = before.taken_by if before is not None else NOBODY
            found = replace(found, writing=True, medium=medium, last_key=last_key, taken_by=taken)
        self._held[agent] = _Held(found, mono + LEASE, typed)
        others = any(name != agent and held.present.customer == customer for name, held in self._held.items())
        news = before is None or replace(found, last_key=before.last_key) != before
        if news or (others and before != found):
            self._announce()

    def leave(self, agent: AgentName) -> None:
        """Note that an agent is nowhere any more."""
        if self._held.pop(agent, None) is not None:
            self._announce()

    def took(self, agent: AgentName, customer: CustomerId, by: AgentName) -> None:
        """Note that an agent's draft was taken over by another."""
        held = self._held.get(agent)
        if held is not None and held.present.customer == customer:
            held.present = replace(held.present, taken_by=by)
            self._announce()

    def all(self) -> tuple[Present, ...]:
        """Return where everybody is, by name."""
        self._lapse()
        return tuple(self._held[agent].present for agent in sorted(self._held))

    async def wait_changed(self, since: int) -> int:
        """Return the revision once it is another than ``since``."""
        while self.revision == since:
            event = self._changed
            ends = min((self._ends(held) for held in self._held.values()), default=None)
            waiting = asyncio.ensure_future(event.wait())
            sleeping = None
            if ends is not None:
                sleeping = asyncio.ensure_future(self._clock.sleep(max(ends - self._clock.monotonic(), 0.05)))
            try:
                await asyncio.wait([t for t in (waiting, sleeping) if t], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (waiting, sleeping):
                    if task is not None:
                        task.cancel()
                        with contextlib.suppress(asyncio.CancelledError):
                            await task
            self._lapse()
        return self.revision

    def _ends(self, held: _Held) -> float:
        """Return when something of this ends: the lease, or the writing."""
        return min(held.until, held.typed + STILL_WRITING) if held.present.writing else held.until

    def _lapse(self) -> None:
        mono, changed = self._clock.monotonic(), False
        for agent, held in list(self._held.items()):
            if held.until <= mono:
                del self._held[agent]
                changed = True
            elif held.present.writing and held.typed + STILL_WRITING <= mono:
                held.present = replace(held.present, writing=False, since=self._clock.now(), taken_by=NOBODY)
                changed = True
        if changed:
            self._announce()

    def _announce(self) -> None:
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()
