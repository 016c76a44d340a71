"""The part of the Desk that decides about wishes which were read in a message and not sure enough to be taken."""

from __future__ import annotations

from datetime import datetime

from agentconsole.desk import Agent, WishView
from agentconsole.domain.entries import AnyEntry, PreferenceStated, WishRefused, WishSeen
from agentconsole.domain.model import Customer, CustomerId, EntryId, Snapshot, derive_id
from agentconsole.errors import NotFound
from agentconsole.hub.desk.base import DeskPart, key_of


class Wishing(DeskPart):
    async def wishes(self, who: Agent, customer: CustomerId) -> tuple[WishView, ...]:
        self.need(who, "read")
        if customer:
            return self.masks.value(self._open_views(who, await self.person(customer)))
        lines = await self.store.lines("all", who.name, limit=10_000)
        found: list[WishView] = []
        for one in dict.fromkeys(line.customer for line in lines if line.suggestions):
            found.extend(self._open_views(who, await self.person(one)))
        return self.masks.value(tuple(sorted(found, key=lambda view: view.wish.at)))

    def _open_views(self, who: Agent, person: Customer) -> tuple[WishView, ...]:
        """Return the wishes of a customer whose history is open to an agent: they hold words out of it."""
        return _views(person) if self.closing(who, person) is None else ()

    async def answer_wish(self, who: Agent, request: str, wish: EntryId, accept: bool) -> EntryId:
        self.need(who, "customer")
        key = key_of(request)
        found = await self.store.entry(wish)
        record, seen = found if found is not None else (CustomerId(""), None)
        if not isinstance(seen, WishSeen):
            raise NotFound(f"There is no suggestion {wish}. Nothing was changed.", "See: agentconsole suggestion list")
        answer = _taken(seen, who, key) if accept else _refused(seen, who, key, self.clock.now())

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            return [answer] if wish in snapshot.wishes else []  # decided before, or newer ones took its place

        await self.store.change(record, decide)
        kept = bool(await self.store.known([answer.id]))
        if kept:
            await self.audit(who, "wish-take" if accept else "wish-refuse", record, wish)
        return answer.id if accept and kept else EntryId("")


def _views(person: Customer) -> tuple[WishView, ...]:
    return tuple(WishView(person.id, person.name, wish) for wish in person.wishes)


def _taken(seen: WishSeen, who: Agent, key: str) -> PreferenceStated:
    """Return the statement as of when the customer wrote it: what they said since counts more."""
    return PreferenceStated(
        id=EntryId(derive_id("e", "wish taken", key, seen.id)),
        at=seen.at,
        medium=seen.medium,
        purpose=seen.purpose,
        by=who.name,
        evidence=seen.evidence,
        evidence_medium=seen.evidence_medium,
        words=seen.words,
        wish=seen.id,
    )


def _refused(seen: WishSeen, who: Agent, key: str, now: datetime) -> WishRefused:
    return WishRefused(id=EntryId(derive_id("e", "wish refused", key, seen.id)), at=now, wish=seen.id, by=who.name)
