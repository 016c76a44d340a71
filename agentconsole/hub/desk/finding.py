"""The part of the Desk that finds: entries by words and filters, customers as one types, the page around an entry."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from agentconsole.desk import Agent, QueuePage, TimelinePage
from agentconsole.domain.finding import Contact, Found
from agentconsole.domain.model import Customer, CustomerId, EntryId, Hit, Line
from agentconsole.errors import NotFound, UsageError
from agentconsole.hub.desk.reading import Reading
from agentconsole.hub.desk.viewing import MAX_PAGE
from agentconsole.text import query, row_filter
from agentconsole.text.query import FROM, Filter, Query

MAX_NAMES: Final = 50
EACH_MOST: Final = 20
FURTHEST: Final = 100_000
FILTERED: Final = 5_000
"""Rows of a view that a filter is asked of."""


class Finding(Reading):
    async def search(self, who: Agent, words: str, limit: int) -> tuple[Hit, ...]:
        return (await self.find_entries(who, words, CustomerId(""), limit, 0, 0)).hits

    async def find_entries(
        self, who: Agent, words: str, customer: CustomerId, limit: int, offset: int, each: int
    ) -> Found:
        self.need(who, "read")
        asked = await self._asked(words)
        if not asked:
            raise UsageError("There is nothing to search for.", "Give one word or more, or a filter such as is:open.")
        if customer:
            asked = msgspec.structs.replace(asked, filters=(*asked.filters, Filter(FROM, customer)))
        await self.audit(who, "search")  # without the words: they name people whom an erasure could not find there
        found = await self.store.find_entries(
            asked,
            who.name,
            limit=min(max(limit, 1), MAX_PAGE),
            offset=min(max(offset, 0), FURTHEST),
            each=min(max(each, 0), EACH_MOST),
        )
        known: dict[CustomerId, Customer | None] = {}
        hits = tuple([await self._shut(who, hit, known) for hit in found.hits])
        return self.masks.value(msgspec.structs.replace(found, hits=hits))

    async def filtered(self, who: Agent, view: str, words: str, offset: int, limit: int) -> QueuePage:
        asked = await self._asked(words)
        query.check_row_filters(asked)
        own = self.profile.views.get(view)
        base = own.now(self.clock.now()) if own is not None else row_filter.VIEWS.get(view)
        only = row_filter.as_filter(asked, base, self.profile.agents) if base is not None else None
        if only is not None:
            return await self.rows_of(who, view, offset, limit, only)
        lines: list[Line] = []
        page = await self.queue(who, view, 0, MAX_PAGE)
        first, at = page, 0
        while page.lines and at < FILTERED:
            lines += await asyncio.to_thread(_matching, asked, page.lines, who)
            at += len(page.lines)
            if at >= page.total:
                break
            page = await self.queue(who, view, at, MAX_PAGE)
        start, most = max(offset, 0), min(max(limit, 1), MAX_PAGE)
        return msgspec.structs.replace(first, lines=tuple(lines[start : start + most]), total=len(lines))

    async def _asked(self, words: str) -> Query:
        place = await asyncio.to_thread(ZoneInfo, self.profile.timezone)
        media = {setup.kind.medium for setup in self.accounts.values()}
        return query.parse(words, self.clock.now(), place, media)

    async def _shut(self, who: Agent, hit: Hit, known: dict[CustomerId, Customer | None]) -> Hit:
        """Return a find without its words where the history is closed: that there is something is no secret."""
        if hit.customer not in known:
            known[hit.customer] = await self.store.customer(hit.customer)
        customer = known[hit.customer]
        if customer is None or self.closing(who, customer) is None:
            return hit
        found = await self.store.entry(hit.entry)
        shut = found is not None and await self.closed_to(who, *found)
        return msgspec.structs.replace(hit, snippet="") if shut else hit

    async def find_people(self, who: Agent, words: str, limit: int) -> tuple[Contact, ...]:
        self.need(who, "read")
        return self.masks.value(tuple(await self.store.find_people(words, limit=min(max(limit, 1), MAX_NAMES))))

    async def around(self, who: Agent, customer: CustomerId, entry: EntryId, limit: int) -> TimelinePage:
        self.need(who, "read")
        position = await self.position()
        history = await self.store.history(customer, around=entry, limit=min(max(limit, 2), MAX_PAGE))
        if history is None:
            raise NotFound(f"There is no customer {customer}.", "See: agentconsole inbox")
        return await self.page_of(who, history, position)


def _matching(asked: Query, lines: Sequence[Line], who: Agent) -> list[Line]:
    return [line for line in lines if query.line_matches(asked, line, who.name)]
