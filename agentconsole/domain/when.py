"""Dates and times as people write them, in English and Korean: "Friday 9am", "3월 3일 오후 2시 반", "tomorrow".

Used two ways: to find the dates that a customer told us (``found``), and to read what an agent types for a later time
(``later``). What is ambiguous is left alone: 3/4 means two days, and "at 9" is the next nine o'clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Final

_SCANNED: Final = 20_000
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMED: Final = (*_MONTHS, "월", "20")
"""No date that is found stands in a text without one of these, in small letters."""
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_KO: Final = "월화수목금토일"
_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_PATTERNS: Final = (
    r"(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)",
    r"(?:(?P<y>20\d\d)\s*년\s*)?(?P<m>\d{1,2})\s*월\s*(?P<d>\d{1,2})\s*일",
    r"(?P<y>20\d\d)\s?[./]\s?(?P<m>\d{1,2})\s?[./]\s?(?P<d>\d{1,2})\b\.?",
    rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}(?:,?\s+(?P<y>20\d\d))?\b",
    rf"\b{_MONTH}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y>20\d\d))?",
)
_RELATIVE: Final = (
    r"\b(?P<after_en>day\s+after\s+tomorrow)\b|\b(?P<tomorrow>tomorrow|tmrw)\b|\b(?P<today>today|tonight)\b"
    r"|(?P<third>글피)|(?P<after>(?:내일\s*)?모레)|(?P<tomorrow_ko>내일)|(?P<today_ko>오늘)",
    r"\b(?P<next>next\s+)?(?P<day>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b",
    r"(?P<next>다?다음\s*주\s*)?(?P<day>[월화수목금토일])요일",
    r"\b(?P<week>next\s+week)\b|(?P<week_ko>다?다음\s*주)(?!\s*[월화수목금토일]요일)",
    r"(?:\bin\s+)?(?P<n>\d{1,3})\s*(?P<unit>min(?:ute)?s?|h(?:our)?s?|days?|weeks?)\b|(?P<n_ko>\d{1,3})\s*(?P<unit_ko>분|시간|일|주)\s*(?:뒤|후)",
)
_TIME: Final = (
    r"(?P<half>오전|오후|새벽|아침|점심|저녁|밤|낮)?\s*(?P<h>\d{1,2})\s*시(?:\s*(?P<min>\d{1,2})\s*분|\s*(?P<ban>반))?"
    r"|(?P<part_ko>오전|오후|아침|점심|저녁)"
    r"|\b(?:at\s+)?(?P<h2>\d{1,2})(?::(?P<min2>\d\d))?\s*(?P<ap>[ap]\.?m\.?)(?!\w)"
    r"|\b(?:at\s+)?(?P<h3>\d{1,2}):(?P<min3>\d\d)\b"
    r"|\bat\s+(?P<h4>\d{1,2})\b"
    r"|\b(?:in the\s+)?(?P<part>morning|noon|afternoon|evening)\b"
)
_PARTS: Final = {
    "morning": time(9), "noon": time(12), "afternoon": time(14), "evening": time(18),
    "오전": time(9), "아침": time(9), "점심": time(12), "오후": time(14), "저녁": time(18),
}  # fmt: skip
_AFTERNOON: Final = 6
"""Up to this hour "3시" without 오전, 오후 or 새벽 is one of the afternoon: who writes to a shop means no night."""
_TWO_DAYS: Final = r"(?<![\d:./])\d{1,2}\s?/\s?\d{1,2}(?![\d:])"
"""A date that may mean two days: what stands beside it must not be taken for the whole."""
_BARE_HOUR: Final = r"(?<![\d:.])(?P<h5>\d{1,2})(?::(?P<min5>\d\d))?$"


@dataclass(frozen=True, slots=True)
class Mention:
    """A date (with a time where one stands beside it) in a text, from ``start`` to ``end``."""

    start: int
    end: int
    day: date
    clock: time | None = None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _number(match: re.Match[str], *names: str) -> int | None:
    groups = match.groupdict()
    return next((int(groups[name]) for name in names if groups.get(name)), None)


def _day(match: re.Match[str], now: datetime) -> date | None:
    """Return the day of an absolute date; without a year the nearest one that is not half a year ago."""
    named = match.groupdict().get("month")
    month = _MONTHS.index(named[:3].lower()) + 1 if named else _number(match, "m")
    day, year = _number(match, "d"), _number(match, "y")
    assert month is not None
    assert day is not None
    try:
        if year is not None:
            return date(year, month, day)
        found = date(now.year, month, day)
        if found < now.date() - timedelta(days=182):
            return date(now.year + 1, month, day)
        return date(now.year - 1, month, day) if found > now.date() + timedelta(days=182) else found
    except ValueError:
        return None


def _clock(match: re.Match[str]) -> time | None:
    groups = match.groupdict()
    part = groups.get("part") or groups.get("part_ko")
    if part:
        return _PARTS[part.lower()]
    hour = _number(match, "h", "h2", "h3", "h4", "h5")
    minute = 30 if groups.get("ban") else _number(match, "min", "min2", "min3", "min5") or 0
    half = (groups.get("half") or groups.get("ap") or "").lower()
    if hour is None or minute > 59:
        return None
    if half[:1] == "p" or half in ("오후", "점심", "저녁", "밤", "낮"):
        if half == "밤" and hour == 12:
            return None
        hour += 12 if hour < 12 else 0
    elif (half[:1] == "a" or half in ("오전", "아침", "새벽")) and hour == 12:
        hour = 0
    elif not half and groups.get("h") and 1 <= hour <= _AFTERNOON:
        hour += 12
    return time(hour, minute) if hour < 24 else None


def _beside(text: str, start: int, end: int) -> tuple[time, int, int] | None:
    """Return a time that stands directly after (or before) a date, and where."""
    after = re.compile(r"[\s,]*(?:\([^)]{1,4}\)\s*)?(?:" + _TIME + ")", re.IGNORECASE).match(text, end)
    if after is not None and (clock := _clock(after)) is not None:
        return clock, start, after.end()
    before = re.compile(r"(?:" + _TIME + r")[\s,]*(?:on\s+)?$", re.IGNORECASE).search(text[max(0, start - 24) : start])
    if before is not None and (clock := _clock(before)) is not None:
        return clock, max(0, start - 24) + before.start(), end
    return None


def found(text: str, now: datetime) -> tuple[Mention, ...]:
    """Return the dates of a text in order, none inside another.

    Args:
        now: aware, in the zone of whoever wrote it, when it was written: dates without a year are near it.
    """
    part = text[:_SCANNED]
    marks: list[Mention] = []
    taken = bytearray(len(part))
    for pattern in _PATTERNS:
        for match in _compiled(pattern).finditer(part):
            day = _day(match, now)
            if day is None or any(taken[match.start() : match.end()]):
                continue
            beside = _beside(part, match.start(), match.end())
            clock, start, end = beside if beside is not None else (None, match.start(), match.end())
            marks.append(Mention(start, end, day, clock))
            taken[start:end] = b"\x01" * (end - start)
    return tuple(sorted(marks, key=lambda m: m.start))


def later(text: str, now: datetime, place: tzinfo, *, hour: int = 9) -> datetime | None:
    """Return the future moment that an agent means: "tomorrow 9", "fri 14:30", "in 2 hours", "금요일 오전".

    Args:
        now: aware.
        place: the agent's time zone.
        hour: the time of day where only a day was named.

    Returns:
        An aware time after ``now``, or None where the words say no such time.
    """
    words = text.strip()
    local = now.astimezone(place)
    span = next(iter(_spans(words, local)), None)
    if span is not None:
        return span
    day, rest = _named_day(words, local)
    if _compiled(_TWO_DAYS).search(rest):
        return None
    clock = _time_in(rest)
    if clock is None and "tonight" in words.lower():
        clock = _PARTS["evening"]
    if day is None and clock is None:
        return None
    moment = datetime.combine(day or local.date(), clock or time(hour), place)
    if moment > now:
        return moment
    return moment + timedelta(days=1) if day is None else None


def _spans(words: str, local: datetime) -> Iterator[datetime]:
    match = _compiled(_RELATIVE[4]).fullmatch(words)
    if match is not None:
        number = _number(match, "n", "n_ko") or 0
        unit = (match["unit"] or match["unit_ko"]).lower()
        sizes = {"m": "minutes", "분": "minutes", "h": "hours", "시": "hours", "d": "days", "일": "days"}
        size = sizes.get(unit[0], "weeks")
        span = timedelta(**{size: number})
        if number and size in ("minutes", "hours"):  # time that passes, whatever the clocks do meanwhile
            yield (local.astimezone(UTC) + span).astimezone(local.tzinfo)
        elif number:
            yield local + span


def _named_day(words: str, local: datetime) -> tuple[date | None, str]:
    """Return the day that words name, and what is left of them."""
    for pattern in _PATTERNS:
        match = _compiled(pattern).search(words)
        if match is not None and (day := _day(match, local)) is not None:
            return day, _without(words, match)
    match = _compiled(_RELATIVE[0]).search(words)
    if match is not None:
        names = {"third": 3, "after_en": 2, "after": 2, "tomorrow": 1, "tomorrow_ko": 1}
        ahead = next((n for name, n in names.items() if match[name]), 0)
        return local.date() + timedelta(days=ahead), _without(words, match)
    for pattern in _RELATIVE[1:3]:
        match = _compiled(pattern).search(words)
        if match is not None:
            named = match["day"].lower()
            wanted = DAYS_KO.index(named) if named in DAYS_KO else DAYS.index(named[:3])
            ahead = (wanted - local.weekday()) % 7 or 7
            if match["next"]:
                ahead = 7 - local.weekday() + wanted + _second_week(match["next"])
            return local.date() + timedelta(days=ahead), _without(words, match)
    match = _compiled(_RELATIVE[3]).search(words)
    if match is not None:
        ahead = 7 - local.weekday() + _second_week(match["week_ko"] or "")
        return local.date() + timedelta(days=ahead), _without(words, match)
    return None, words


def _second_week(words: str) -> int:
    """Return the further days of the week after next (다다음 주)."""
    return 7 if words.startswith("다다음") else 0


def _without(words: str, match: re.Match[str]) -> str:
    return f"{words[: match.start()]} {words[match.end() :]}".strip()


def _time_in(words: str) -> time | None:
    match = _compiled(_TIME).search(words) or _compiled(_BARE_HOUR).search(words)
    return _clock(match) if match is not None else None
