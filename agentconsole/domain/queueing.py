"""Which rows of the queue somebody wants to see, and which of them are late by the profile's targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from msgspec.structs import replace

from agentconsole.domain.hours import Quiet, zone
from agentconsole.domain.model import AgentName, ConversationStatus, Line, Medium, Priority, Value

ME: Final = AgentName("me")
NOBODY: Final = AgentName("nobody")
"""What stands for whoever asks, and for no agent at all, in ``Filter.assignees``."""

_DAYS: Final = 400
"""Days that working time is looked for, ahead or back; where a profile opens on no day at all there is none."""


class Filter(Value, frozen=True):
    """Rows that somebody wants. Every field that is not empty has to hold; of several values one is enough.

    Args:
        tags: all of them have to be there.
        before: something has been to do since then, or longer.
    """

    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    media: tuple[Medium, ...] = ()
    assignees: tuple[AgentName, ...] = ()
    statuses: tuple[ConversationStatus, ...] = ()
    languages: tuple[str, ...] = ()
    late: bool | None = None
    waiting: bool | None = None
    before: datetime | None = None


class Saved(Value, frozen=True):
    """A view of a profile's own. ``older_than`` is in seconds; 0: any age."""

    filter: Filter
    older_than: float = 0

    def now(self, now: datetime) -> Filter:
        """Return the filter as it is at a moment."""
        if not self.older_than:
            return self.filter
        return replace(self.filter, before=now - timedelta(seconds=self.older_than))


class Cutoff(Value, frozen=True):
    """Who has waited since ``before`` or longer is late. An empty field fits every row; the first that fits holds.

    Args:
        first: whether we have not answered yet.
    """

    before: datetime
    priority: Priority | None = None
    medium: Medium = Medium("")
    first: bool | None = None


class Goal(Value, frozen=True):
    """Within how many minutes of working time a message is to be answered; see ``Cutoff`` for which."""

    minutes: float
    priority: Priority | None = None
    medium: Medium = Medium("")
    first: bool | None = None


class Targets(Value, frozen=True):
    """What a profile promises: its goals, the first that fits holds, and when it works.

    Args:
        opening: hours and days; equal start and end: all day.
        holidays: days without work.
    """

    goals: tuple[Goal, ...] = ()
    zone: str = "UTC"
    opening: Quiet = Quiet(time(0), time(0))
    holidays: frozenset[date] = frozenset()


def fits(line: Line, rule: Cutoff | Goal) -> bool:
    return (
        rule.priority in (None, line.priority)
        and rule.medium in ("", line.medium)
        and rule.first in (None, not line.replied)
    )


def is_late(line: Line, cutoffs: Sequence[Cutoff]) -> bool:
    """Say whether something has been to do for too long."""
    since = line.wanted_since
    rule = next((one for one in cutoffs if fits(line, one)), None)
    return rule is not None and since is not None and since <= rule.before


def cutoffs(targets: Targets, now: datetime) -> tuple[Cutoff, ...]:
    """Return since when somebody must have waited to be late now: a store compares it with what it keeps anyway, so
    that changed targets hold at once."""
    return tuple(
        Cutoff(_back(now, goal.minutes, targets), goal.priority, goal.medium, goal.first) for goal in targets.goals
    )


def due_at(line: Line, targets: Targets) -> datetime | None:
    """Return until when a row is to be answered, or None where nothing is to do or no goal fits."""
    goal = next((one for one in targets.goals if fits(line, one)), None)
    since = line.wanted_since
    return _ahead(since, goal.minutes, targets) if goal is not None and since is not None else None


def shown(line: Line, wanted: Filter, agent: AgentName, late: Sequence[Cutoff] = ()) -> bool:
    """Say whether a filter lets a row through. What was put aside is in no filter."""
    assignees = {agent if name == ME else AgentName("") if name == NOBODY else name for name in wanted.assignees}
    since = line.wanted_since
    return (
        not line.aside
        and all(tag in line.tags for tag in wanted.tags)
        and not any(tag in line.tags for tag in wanted.without_tags)
        and (not wanted.priorities or line.priority in wanted.priorities)
        and (not wanted.media or any(medium in line.media for medium in wanted.media))
        and (not assignees or line.assignee in assignees)
        and (line.status in wanted.statuses if wanted.statuses else line.status != ConversationStatus.RESOLVED)
        and (not wanted.languages or line.language in wanted.languages)
        and wanted.late in (None, is_late(line, late))
        and wanted.waiting in (None, since is not None)
        and (wanted.before is None or (since is not None and since <= wanted.before))
    )


# -- working time ------------------------------------------------------------------------------------------


def _span(day: date, targets: Targets) -> tuple[datetime, datetime] | None:
    """Return when work begins and ends on a day, or None where there is none."""
    opening = targets.opening
    if day in targets.holidays or day.weekday() not in opening.days:
        return None
    place = zone(targets.zone)
    last = day if opening.start < opening.end else day + timedelta(days=1)
    return datetime.combine(day, opening.start, place), datetime.combine(last, opening.end, place)


def _ahead(start: datetime, minutes: float, targets: Targets) -> datetime:
    left = timedelta(minutes=minutes)
    day = start.astimezone(zone(targets.zone)).date() - timedelta(days=1)
    at = start
    for _ in range(_DAYS):
        span = _span(day, targets)
        if span is not None and span[1] > at:
            begin = max(at, span[0])
            length = _passed(begin, span[1])
            if length >= left:
                return _plus(begin, left)
            left -= length
            at = span[1]
        day += timedelta(days=1)
    return start + timedelta(days=_DAYS)


def _back(end: datetime, minutes: float, targets: Targets) -> datetime:
    left = timedelta(minutes=minutes)
    day = end.astimezone(zone(targets.zone)).date()
    at = end
    for _ in range(_DAYS):
        span = _span(day, targets)
        if span is not None and span[0] < at:
            stop = min(at, span[1])
            length = _passed(span[0], stop)
            if length >= left:
                return _plus(stop, -left)
            left -= length
            at = span[0]
        day -= timedelta(days=1)
    return end - timedelta(days=_DAYS)


def _passed(start: datetime, end: datetime) -> timedelta:
    """Return the time that passes between two moments, whatever the clocks do meanwhile."""
    return timedelta(seconds=end.timestamp() - start.timestamp())


def _plus(at: datetime, span: timedelta) -> datetime:
    return datetime.fromtimestamp(at.timestamp() + span.total_seconds(), at.tzinfo)
