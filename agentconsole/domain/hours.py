"""The customer's clock: their time zone with its evidence, quiet hours and holidays there, and their best hour.

Quiet hours forbid what we begin ourselves; an answer is never held back by them.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agentconsole.domain.addresses import PHONE
from agentconsole.domain.model import Address, Value

STATED: Final = "stated"
FROM_NUMBER: Final = "number"
FROM_PROFILE: Final = "profile"

ENOUGH_ANSWERS: Final = 8
"""From fewer answer times no best hour is told."""

_FOR_NOW: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)

_AHEAD_DAYS: Final = 14
_BAND: Final = 3
"""Hours of a day that count as one time to be reached."""


class Clockwork(Value, frozen=True):
    """Where a customer's clock stands, and how we know.

    Args:
        zones: IANA names; a number may belong to several, and then all of them have to allow a message.
        evidence: ``stated``, ``number`` or ``profile``.
    """

    zones: tuple[str, ...]
    evidence: str


class Quiet(Value, frozen=True):
    """When we may begin ourselves, in the customer's own time.

    Args:
        start: from this hour on it is allowed.
        end: until this hour it is allowed; a night that is allowed (end before start) is possible.
        days: weekdays that are allowed, Monday is 0.
    """

    start: time = time(8)
    end: time = time(21)
    days: frozenset[int] = frozenset(range(7))


class BestHour(Value, frozen=True):
    """The hours in which most answers came: ``answers`` of ``of`` between ``hour`` and ``hour + hours``."""

    hour: int
    hours: int
    answers: int
    of: int


def zones_of(addresses: Sequence[Address], stated: str = "", profile: str = "UTC") -> Clockwork:
    """Return the time zones of a customer.

    Args:
        addresses: theirs; a phone number tells its zones (``phonenumbers`` metadata).
        stated: the zone that the customer named, or an agent on their word.
        profile: where nothing else is known.
    """
    if stated:
        return Clockwork((stated,), STATED)
    for address in addresses:
        if address.kind == PHONE:
            found = _zones_of_number(address.value)
            if found:
                return Clockwork(found, FROM_NUMBER)
    return Clockwork((profile,), FROM_PROFILE)


@lru_cache(4096)
def _zones_of_number(value: str) -> tuple[str, ...]:
    import phonenumbers
    from phonenumbers import timezone as number_zones

    try:
        names = number_zones.time_zones_for_number(phonenumbers.parse(value))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(name for name in names if name != "Etc/Unknown")


@lru_cache(1024)
def zone(name: str) -> tzinfo:
    """Return a time zone; UTC where this computer knows none of this name.

    Raises:
        OSError: it cannot be read at the moment. Nothing is remembered: a night must not end because files ran out.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
    except OSError as exc:
        if exc.errno in _FOR_NOW:
            raise
        return UTC


def quiet_until(
    now: datetime, zones: Sequence[str], quiet: Quiet, holidays: Collection[date] = frozenset()
) -> datetime | None:
    """Return when a message of ours may first leave, or None where it may now.

    It has to be allowed in all of the zones at once. Looks two weeks ahead at most.

    Args:
        holidays: days in the customer's country on which nothing is begun.
    """
    places = [zone(name) for name in zones] or [UTC]
    moment = now
    end = now + timedelta(days=_AHEAD_DAYS)
    while moment < end:
        later = [until for place in places if (until := _until(moment, place, quiet, holidays)) is not None]
        if not later:
            return moment if moment > now else None
        moment = max(later)
    return end


def _until(moment: datetime, place: tzinfo, quiet: Quiet, holidays: Collection[date]) -> datetime | None:
    local = moment.astimezone(place)
    today = local.date()
    if today in holidays or today.weekday() not in quiet.days:
        return _at(today + timedelta(days=1), time(0), place, moment)
    clock = local.time()
    if quiet.start <= quiet.end:
        if clock < quiet.start:
            return _at(today, quiet.start, place, moment)
        return None if clock < quiet.end else _at(today + timedelta(days=1), time(0), place, moment)
    return None if clock >= quiet.start or clock < quiet.end else _at(today, quiet.start, place, moment)


def _at(day: date, clock: time, place: tzinfo, after: datetime) -> datetime:
    """Return that wall-clock time, later than ``after`` also where the clocks are put back or forward."""
    found = datetime.combine(day, clock, place).astimezone(UTC)
    return found if found > after else after + timedelta(minutes=15)


def best_hour(answers: Sequence[datetime], zones: Sequence[str]) -> BestHour | None:
    """Return the hours of the day in which this customer answers most, from eight answers on.

    Args:
        answers: when the customer wrote; of a conversation that they began, only what followed our message.
    """
    if len(answers) < ENOUGH_ANSWERS:
        return None
    place = zone(zones[0]) if zones else UTC
    by_hour = [0] * 24
    for at in answers:
        by_hour[at.astimezone(place).hour] += 1
    bands = [sum(by_hour[(hour + n) % 24] for n in range(_BAND)) for hour in range(24)]
    # Of equally good bands the one around the fullest hour: who answers at eleven answers most from ten to one.
    hour = max(range(24), key=lambda h: (bands[h], by_hour[(h + _BAND // 2) % 24], -h))
    return BestHour(hour, _BAND, bands[hour], len(answers))
