"""What customers told us by a profile's own patterns. The fold knows no profile, so this is looked up and kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from agentconsole.domain import facts, identity
from agentconsole.domain.entries import Received
from agentconsole.domain.facts import Pattern
from agentconsole.domain.model import Customer, CustomerId, EntryId, Fact
from agentconsole.ports import Revision, Store

_PAGE: Final = 500
_DEEPEST: Final = 40
"""Pages of a history that are looked through, newest first: 20,000 entries."""
_KEPT: Final = 200


class FactBook:
    """Args:
    patterns: the profile's own kinds; without any, nothing is looked up.
    """

    def __init__(self, store: Store, patterns: Sequence[Pattern]) -> None:
        self._store = store
        self._patterns = tuple(patterns)
        self._known: OrderedDict[tuple[CustomerId, ...], tuple[Fact, ...]] = OrderedDict()
        self._at: Revision | None = None
        self._looking: set[tuple[CustomerId, ...]] = set()

    async def of(self, customer: Customer) -> tuple[Fact, ...]:
        """Return the newest word of each of the profile's kinds, from the whole history."""
        await self._forget_changed()
        found = self._known.get(customer.members)
        if found is None:
            self._looking.add(customer.members)
            found = await self._look(customer)
            await self._forget_changed()
            if customer.members in self._looking:  # else a message came in behind the page that was read
                self._known[customer.members] = found
            self._looking.discard(customer.members)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    async def _forget_changed(self) -> None:
        changes = await self._store.changed(self._at)
        self._at = changes.revision
        if changes.customers is None:
            self._known.clear()
            self._looking.clear()
            return
        gone = set(changes.customers)
        for members in [members for members in (*self._known, *self._looking) if gone & set(members)]:
            self._known.pop(members, None)
            self._looking.discard(members)

    async def _look(self, customer: Customer) -> tuple[Fact, ...]:
        found: dict[str, Fact] = {}
        before: EntryId | None = None
        for _ in range(_DEEPEST):
            page = await self._store.history(customer.id, before=before, limit=_PAGE)
            if page is None or not page.entries:
                break
            received = [e for e in page.entries if isinstance(e, Received) and identity.vouched(customer, e)]
            told = await asyncio.to_thread(self._told, received)
            facts.learn(found, told)
            if not page.more or len(found) == len(self._patterns):
                break
            before = page.entries[0].id
        return facts.ordered(found)

    def _told(self, entries: Sequence[Received]) -> list[Fact]:
        return [fact for entry in entries for fact in facts.told_as(entry, self._patterns)]
