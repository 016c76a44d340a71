"""The double's part that finds: the store in memory over the scripted entries."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from agentconsole.desk import Agent, QueuePage, TimelinePage
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.finding import Contact, Found
from agentconsole.domain.model import CustomerId, EntryId, Hit
from agentconsole.seams import SystemClock, SystemRandomness
from agentconsole.store.memory import MemoryStore
from agentconsole.text.query import FROM, Filter, line_matches, parse


class FindingDouble:
    records: dict[CustomerId, list[AnyEntry]]

    async def _enter(self, name: str, *args: Any) -> None:
        raise NotImplementedError

    async def timeline(self, who: Agent, customer: CustomerId, before: EntryId, limit: int) -> TimelinePage:
        raise NotImplementedError

    async def _store(self) -> MemoryStore:
        store = MemoryStore(SystemClock(), SystemRandomness())
        for record, entries in self.records.items():
            await store.change(record, lambda _, entries=entries: entries)  # type: ignore[misc]
        return store

    async def search(self, who: Agent, words: str, limit: int) -> tuple[Hit, ...]:
        return (await self.find_entries(who, words, CustomerId(""), limit, 0, 0)).hits

    async def find_entries(
        self, who: Agent, words: str, customer: CustomerId, limit: int, offset: int, each: int
    ) -> Found:
        await self._enter("find_entries", words, customer)
        from tests.ui.desk_double import NOW

        asked = parse(words, NOW)
        if customer:
            asked = replace(asked, filters=(*asked.filters, Filter(FROM, customer)))
        return await (await self._store()).find_entries(asked, who.name, limit=limit, offset=offset, each=each)

    async def filtered(self, who: Agent, view: str, words: str, offset: int, limit: int) -> QueuePage:
        await self._enter("filtered", view, words)
        from tests.ui.desk_double import NOW

        page = await self.queue(who, view, 0, 500)
        lines = [line for line in page.lines if line_matches(parse(words, NOW), line, who.name)]
        return replace(page, lines=tuple(lines[offset : offset + limit]), total=len(lines))

    async def queue(self, who: Agent, view: str, offset: int, limit: int) -> QueuePage:
        raise NotImplementedError

    async def find_people(self, who: Agent, words: str, limit: int) -> tuple[Contact, ...]:
        await self._enter("find_people", words)
        return tuple(await (await self._store()).find_people(words, limit=limit))

    async def around(self, who: Agent, customer: CustomerId, entry: EntryId, limit: int) -> TimelinePage:
        await self._enter("around", entry)
        found = await (await self._store()).history(customer, around=entry, limit=limit)
        assert found is not None
        page = await self.timeline(who, customer, EntryId(""), 1)
        return replace(page, entries=found.entries, more=found.more, newer=found.newer)
