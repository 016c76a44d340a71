"""The part of the Desk that remembers when an agent was last there, and tells what became of their replies since.

Consoles say in their ``hello`` that they are one; commands do not count. When an agent's last console goes, the place
where the store's changes stand is written to the audit trail, so that it outlives the hub. A hub that was killed left
no such line: then the agent was there for all that it recorded, and away since the next hub started.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from agentconsole.desk import Agent, Away
from agentconsole.domain import delivery
from agentconsole.domain.entries import Received
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    Value,
)
from agentconsole.errors import StoreFault
from agentconsole.hub.desk.base import DeskPart
from agentconsole.ports import AuditLine, Revision

ATTACH: Final = "attach"
"""The agent was told what became of their replies, and has a console."""

DETACH: Final = "detach"
"""The agent's last console went. The detail names the store's revision."""

LINES_READ: Final = 50_000
"""Lines of the audit trail that are looked through, once, for when everybody was last there."""

SLACK: Final = timedelta(milliseconds=250)
"""A change is dated just before it is written; told twice is better than not at all."""

NEWEST: Final = 50
"""Entries of a customer among which an answer is looked for."""

ROWS: Final = 500
"""Conversations that are looked at where the store no longer knows who changed since."""

_log = logging.getLogger(__name__)


class Mark(Value, frozen=True):
    """A moment, and where the store's changes stood then."""

    at: datetime
    revision: Revision


class Attendance(DeskPart):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._there: Counter[AgentName] = Counter()
        self._left: dict[AgentName, Mark] = {}
        self._told: set[AgentName] = set()
        self._turn = asyncio.Lock()
        self._remembering: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Note where the store stands. Call before anything is sent or settled."""
        if self._remembering is None:
            start = await self._now()
            self._remembering = asyncio.create_task(self._remember(start), name="attendance")

    async def end(self) -> None:
        """Give up what is still read."""
        if self._remembering is not None:
            self._remembering.cancel()
            await asyncio.gather(self._remembering, return_exceptions=True)

    async def attended(self, who: Agent, there: bool) -> None:
        """Hear that a console of an agent attached or went. Raises nothing: nobody's line waits for it."""
        self._there[who.name] += 1 if there else -1
        if there:
            return
        if self._there[who.name] <= 0:
            self.presence.leave(who.name)
        try:
            async with self._turn:
                if who.name in self._told and self._there[who.name] <= 0:
                    self._told.discard(who.name)
                    await self._leaves(who, await self._now())
        except StoreFault as exc:
            _log.error("when %s left is not known: %s", who.name, exc.message)

    async def away(self, who: Agent) -> Away:
        self.need(who, "read")
        await self.begin()
        assert self._remembering is not None
        async with self._turn:
            await asyncio.shield(self._remembering)
            mark = self._left.get(who.name)
            found = await self._since(who.name, mark) if mark is not None else Away()
            if not self._there[who.name]:
                await self._leaves(who, await self._now())
                return found
            self._left.pop(who.name, None)
            if mark is not None or who.name not in self._told:
                self._told.add(who.name)
                await self.audit(who, ATTACH)
            return found

    # -- when an agent was there ---------------------------------------------------------------------------

    async def _now(self) -> Mark:
        return Mark(self.clock.now(), (await self.store.changed(None)).revision)

    async def _leaves(self, who: Agent, mark: Mark) -> None:
        self._left[who.name] = mark
        await self._note(who.name, who.proven, mark)

    async def _note(self, agent: AgentName, proven: bool, mark: Mark) -> None:
        place = f"{mark.revision.epoch}:{mark.revision.number}"
        try:
            await self.store.audit(AuditLine(mark.at, agent, proven, DETACH, detail=place))
        except StoreFault as exc:
            _log.error("not in the audit trail: %s, %s: %s", agent, DETACH, exc.message)

    async def _remember(self, start: Mark) -> None:
        """Find when everybody was last there. Whoever was there when an earlier hub was killed is away since then."""
        try:
            lines = await self.store.audited(LINES_READ)
        except StoreFault as exc:
            _log.error("the audit trail cannot be read: %s", exc.message)
            return
        newest: dict[AgentName, AuditLine] = {}
        for line in lines:
            if line.act in (ATTACH, DETACH):
                newest.setdefault(line.agent, line)
        for agent, line in newest.items():
            mark = _read(line)
            if mark is None:
                mark = start
                await self._note(agent, line.proven, start)
            self._left[agent] = mark

    # -- what happened since -------------------------------------------------------------------------------

    async def _since(self, agent: AgentName, mark: Mark) -> Away:
        since = mark.at - SLACK
        counts: Counter[str] = Counter()
        seen: set[CustomerId] = set()
        for name in await self._candidates(agent, mark.revision, since):
            person = await self.store.customer(name)
            if person is None or person.id in seen:
                continue
            seen.add(person.id)
            for record in person.deliveries:
                if record.agent == agent and record.at >= since:
                    counts["sent" if record.state in delivery.ARRIVED else record.state] += 1
            counts["answered"] += await self._was_answered(person, agent, since)
        return Away(
            since=mark.at,
            sent=counts["sent"],
            uncertain=counts[Delivery.UNCERTAIN],
            failed=counts[Delivery.FAILED],
            answered=counts["answered"],
        )

    async def _candidates(self, agent: AgentName, revision: Revision, since: datetime) -> set[CustomerId]:
        changes = await self.store.changed(revision)
        if changes.customers is not None:
            found = set(changes.customers)
        else:
            found = {line.customer for line in await self.store.lines("all", agent, limit=ROWS)}
        # Revisions may go back after a power loss; what needs a decision is asked for by itself.
        for due in await self.store.replies((Delivery.UNCERTAIN, Delivery.FAILED)):
            if due.record.agent == agent and due.record.at >= since:
                found.add(due.customer)
        return found

    async def _was_answered(self, person: Customer, agent: AgentName, since: datetime) -> bool:
        """Say whether a message came in answer to the newest reply of a conversation, where the agent wrote that."""
        newest: dict[ConversationId, DeliveryRecord] = {}
        for record in person.deliveries:
            whole = person.joined.get(record.conversation, record.conversation)
            before = newest.get(whole)
            if before is None or record.queued_at > before.queued_at:
                newest[whole] = record
        mine = {name for name, record in newest.items() if record.agent == agent}
        page = await self.store.history(person.id, limit=NEWEST) if mine else None
        for entry in page.entries if page is not None else ():
            if not isinstance(entry, Received) or entry.automatic or entry.past:
                continue
            whole = person.joined.get(entry.conversation, entry.conversation)
            if whole in mine and entry.stored_at >= max(since, newest[whole].queued_at):
                return True
        return False


def _read(line: AuditLine) -> Mark | None:
    """Return when an agent left, or None where the trail only says that they came."""
    epoch, _, number = line.detail.rpartition(":")
    if line.act != DETACH:
        return None
    return Mark(line.at, Revision(epoch, int(number) if number.isdigit() else 0))
