"""What an agent can do to conversations, one or many at a time, and how it is taken back. A part of ``desk.Desk``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agentconsole.desk.values import Agent
from agentconsole.domain.acts import Act, Done, Target
from agentconsole.domain.model import EntryId


class WorkingCalls(Protocol):
    async def work(self, who: Agent, request: str, targets: Sequence[Target], act: Act) -> tuple[Done, ...]:
        """Do the same to one conversation or to many (at most 500), each for itself: what became of each is told in
        the order of ``targets``, and a failure of one stops no other."""
        ...

    async def undo(self, who: Agent, request: str, entries: Sequence[EntryId]) -> tuple[Done, ...]:
        """Take back what entries of ``work`` changed: all is exactly as it was before. Those that somebody changed
        again since are refused, each for itself. No entry at all means the newest of this agent that can be."""
        ...
