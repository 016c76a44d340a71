"""The part of the Desk that records what somebody said of a person: language, time zone, country."""

from __future__ import annotations

import asyncio
import difflib
import zoneinfo
from typing import Final

from agentconsole.desk import Agent
from agentconsole.domain.about import COUNTRY, DESCRIBED, LANGUAGE, TIME_ZONE
from agentconsole.domain.entries import Described
from agentconsole.domain.model import CustomerId, EntryId, derive_id
from agentconsole.errors import UsageError
from agentconsole.hub.desk.base import DeskPart, key_of

_ISO_639_1: Final = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el
en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu
ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na
nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so
sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""

_LOOKED_AT: Final = 500
"""Entries among which a repeated call looks for what was recorded before."""

LANGUAGES: Final = frozenset(_ISO_639_1.split())


class Describing(DeskPart):
    async def describe(self, who: Agent, request: str, customer: CustomerId, what: str, value: str) -> str:
        self.need(who, "customer")
        checked = await asyncio.to_thread(_checked, what, value.strip()) if value.strip() else ""
        entry = EntryId(derive_id("e", "described", key_of(request)))
        async with self.people:  # the clock and the country decide about permission
            person = await self.person(customer)
            if await self.store.known([entry]):
                return await self._before(person.id, entry, what)
            before = person.cards.get(what)
            # Of joined records the newest card counts, also where it takes one back.
            said = Described(id=entry, at=self.clock.now(), what=what, value=checked, by=who.name)
            await self.append(person.id, said)
            await self.audit(who, f"describe {what}", person.id, checked)
        return before.value if before is not None else ""

    async def _before(self, customer: CustomerId, entry: EntryId, what: str) -> str:
        """Return what was recorded before an entry: a repeat of the call gets the same answer as the first."""
        page = await self.store.history(customer, before=entry, limit=_LOOKED_AT)
        earlier = [e for e in page.entries if isinstance(e, Described) and e.what == what] if page is not None else []
        return earlier[-1].value if earlier else ""


def _checked(what: str, value: str) -> str:
    """Return a value as it is kept.

    Raises:
        UsageError: it means nothing.
    """
    match what:
        case "language":
            known, found, asked = LANGUAGES, value.lower(), "two letters (ISO 639-1), e.g. ko"
        case "time_zone":
            known, found, asked = frozenset(zoneinfo.available_timezones()), value, "an IANA name, e.g. Asia/Seoul"
        case "country":
            import phonenumbers

            known = frozenset(phonenumbers.SUPPORTED_REGIONS)
            found, asked = value.upper(), "two letters (ISO 3166), e.g. KR"
        case _:
            raise UsageError(
                f"Nothing called {what} is recorded. Nothing was changed.", "One of: " + ", ".join(DESCRIBED)
            )
    if found not in known:
        near = difflib.get_close_matches(found, sorted(known), n=1, cutoff=0.7)
        hint = f"Did you mean {near[0]}? It takes {asked}." if near else f"It takes {asked}."
        raise UsageError(f"{value} is no {_NAMES[what]}. Nothing was changed.", hint)
    return found


_NAMES: Final = {LANGUAGE: "language", TIME_ZONE: "time zone", COUNTRY: "country"}
