"""What we know of a customer besides addresses and wishes, each with how: language, clock, country, best hour."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from agentconsole.domain import addresses, hours
from agentconsole.domain.hours import BestHour
from agentconsole.domain.model import AgentName, Customer, Value

LANGUAGE: Final = "language"
TIME_ZONE: Final = "time_zone"
COUNTRY: Final = "country"
DESCRIBED: Final = (LANGUAGE, TIME_ZONE, COUNTRY)

STATED: Final = "stated"
DETECTED: Final = "detected"
NUMBER: Final = "number"


class Spoken(Value, frozen=True):
    """The language that a customer is written to in.

    Args:
        language: two letters (ISO 639-1); empty where nothing tells.
        evidence: ``stated``, ``detected`` or empty.
        messages: how many of theirs were in it, of ``of`` whose language could be told.
        by: the agent who set a stated one.
    """

    language: str = ""
    evidence: str = ""
    messages: int = 0
    of: int = 0
    by: AgentName = AgentName("")


class About(Value, frozen=True):
    """Everything of this module for one customer. ``zones_by`` and ``country_by``: ``stated``, ``number``, ``profile``
    or empty."""

    spoken: Spoken = Spoken()
    zones: tuple[str, ...] = ()
    zones_by: str = ""
    country: str = ""
    country_by: str = ""
    best_hour: BestHour | None = None
    offset: int = 0
    """Minutes by which the first zone was ahead of UTC when this was asked."""

    def local(self, at: datetime) -> datetime:
        """Return a moment by the customer's clock."""
        return at.astimezone(timezone(timedelta(minutes=self.offset)))


NOTHING_KNOWN: Final = About()


def language_of(customer: Customer) -> Spoken:
    """Return the stated language, else the one that more than half of the customer's messages are in."""
    counted = customer.languages
    total = sum(counted.values())
    told = customer.cards.get(LANGUAGE)
    if told is not None and told.value:
        return Spoken(told.value, STATED, counted.get(told.value, 0), total, told.by)
    most = max(sorted(counted), key=lambda language: counted[language], default="")
    if not most or counted[most] * 2 <= total:
        return Spoken(of=total)
    return Spoken(most, DETECTED, counted[most], total)


def about(customer: Customer, profile_zone: str, now: datetime) -> About:
    """Return what is known. Loads the metadata of phone numbers and zones: not for an event loop.

    Args:
        profile_zone: the IANA name that holds where the customer's own zone is not known.
    """
    told = customer.cards.get(TIME_ZONE)
    known = [linked.address for linked in customer.addresses]
    clock = hours.zones_of(known, told.value if told is not None else "", profile_zone)
    stated = customer.cards.get(COUNTRY)
    country, country_by = (stated.value, STATED) if stated is not None and stated.value else ("", "")
    if not country:
        country = next((region for region in map(addresses.region_of, known) if region), "")
        country_by = NUMBER if country else ""
    return About(
        spoken=language_of(customer),
        zones=clock.zones,
        zones_by=clock.evidence,
        country=country,
        country_by=country_by,
        best_hour=hours.best_hour(customer.answers, clock.zones),
        offset=_offset(clock.zones, now),
    )


def _offset(zones: tuple[str, ...], now: datetime) -> int:
    ahead = now.astimezone(hours.zone(zones[0])).utcoffset() if zones else None
    return int(ahead.total_seconds() // 60) if ahead is not None else 0
