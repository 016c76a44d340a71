"""The part of the Desk that shows the queue: the rows of a view, and how many every view has."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from agentconsole.desk import Agent, QueueCounts, QueuePage
from agentconsole.domain import queueing
from agentconsole.domain.model import AgentName
from agentconsole.domain.queueing import ME, Cutoff, Filter
from agentconsole.errors import UsageError
from agentconsole.hub.desk.gating import Gated
from agentconsole.ports import VIEWS, Counts, Revision, View

MAX_PAGE: Final = 500
KEPT: Final = 200
"""Counts that are remembered, over all agents and views."""


class Viewing(Gated):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._counted: dict[tuple[Filter, AgentName, Sequence[Cutoff], Revision], int] = {}

    async def queue(self, who: Agent, view: str, offset: int, limit: int) -> QueuePage:
        return await self.rows_of(who, view, offset, limit)

    async def rows_of(self, who: Agent, view: str, offset: int, limit: int, only: Filter | None = None) -> QueuePage:
        """Return rows of a view.

        Args:
            only: those of this filter instead of the view's.
        """
        self.need(who, "read")
        now, saved = self.clock.now(), self.profile.views
        if view not in VIEWS and view not in saved:
            near = difflib.get_close_matches(view, (*VIEWS, *saved), n=1, cutoff=0.5)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise UsageError(f"There is no view {view}.", meant + "Views: " + ", ".join((*VIEWS, *saved)))
        revision = (await self.store.changed(None)).revision
        targets = self.profile.targets
        late = await asyncio.to_thread(queueing.cutoffs, targets, now) if targets.goals else ()
        counts = await self.store.counts(who.name, late=late)
        own = {name: await self._count(who, one.now(now), late, revision) for name, one in saved.items()}
        wanted = only or (saved[view].now(now) if view in saved else cast("View", view))
        lines = await self.store.lines(
            wanted, who.name, offset=max(offset, 0), limit=min(max(limit, 1), MAX_PAGE), late=late
        )
        everything = counts.open + counts.resolved + counts.spam
        if only is not None:
            total = await self._count(who, only, late, revision)
        else:
            total = own[view] if view in own else getattr(counts, view, everything)
        timed = tuple(
            msgspec.structs.replace(line, due_at=queueing.due_at(line, targets), late=queueing.is_late(line, late))
            for line in lines
        )
        return QueuePage(
            self.masks.value(self.shut_lines(who, timed)),
            QueueCounts(**{name: getattr(counts, name) for name in Counts.__struct_fields__}, saved=own),
            self._position_of(revision),
            total,
        )

    async def _count(self, who: Agent, wanted: Filter, late: Sequence[Cutoff], revision: Revision) -> int:
        """Return how many rows a filter lets through: asked once for all consoles, as long as nothing changes."""
        agent = who.name if ME in wanted.assignees else AgentName("")
        key = (wanted, agent, late if wanted.late is not None else (), revision)
        if key not in self._counted:
            found = await self.store.count(wanted, who.name, late=late)
            while len(self._counted) >= KEPT:
                self._counted.pop(next(iter(self._counted)))
            self._counted[key] = found
        return self._counted[key]
