"""The store's calls about drafts: those in use, and those that their agent threw away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ParamSpec, TypeVar

from agentconsole.domain.model import AgentName, ConversationId, Draft
from agentconsole.store.embedded.drafts import Drafts

P = ParamSpec("P")
T = TypeVar("T")


class Drafted:
    """A part of ``EmbeddedStore``."""

    _drafts: Drafts

    async def _write(self, doing: str, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        raise NotImplementedError

    async def save_draft(self, draft: Draft) -> bool:
        return await self._write("keep a draft", self._drafts.save, draft)

    async def drafts(self, agent: AgentName) -> Sequence[Draft]:
        return await self._write("read the drafts", self._drafts.all, agent)

    async def drop_draft(self, agent: AgentName, conversation: ConversationId, revision: int, note: bool) -> None:
        await self._write("drop a draft", self._drafts.drop, agent, conversation, revision, note)

    async def discard_draft(self, draft: Draft) -> None:
        await self._write("keep a draft", self._drafts.discard, draft)

    async def discarded(self, agent: AgentName) -> Sequence[Draft]:
        return await self._write("read the drafts", self._drafts.discarded, agent)

    async def drop_discarded(self, draft: Draft) -> None:
        await self._write("drop a draft", self._drafts.drop_discarded, draft)

    async def prune_discarded(self, before: datetime) -> int:
        return await self._write("drop old drafts", self._drafts.prune, before)
