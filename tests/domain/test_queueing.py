"""Targets: who is late, counted in working time, the same from both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentconsole.domain import queueing
from agentconsole.domain.hours import Quiet
from agentconsole.domain.model import (
    ConversationId,
    ConversationStatus,
    CustomerId,
    Line,
    Medium,
    Priority,
)
from agentconsole.domain.queueing import Filter, Goal, Saved, Targets

OFFICE = Quiet(time(9), time(18), frozenset(range(5)))
HOLIDAY = date(2026, 3, 4)
FRIDAY = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)


def line(since: datetime | None, **more: object) -> Line:
    values: dict[str, object] = {"medium": Medium("email"), "last_at": FRIDAY} | more
    return Line(
        conversation=ConversationId("c"),
        customer=CustomerId("k"),
        name="",
        subject="",
        status=ConversationStatus.OPEN,
        media=(Medium("email"),),
        waiting_since=since,
        **values,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 3, 12, tzinfo=UTC)),
        (datetime(2026, 3, 3, 17, tzinfo=UTC), datetime(2026, 3, 5, 10, tzinfo=UTC)),  # over the holiday
        (FRIDAY, datetime(2026, 3, 9, 10, 30, tzinfo=UTC)),  # over the weekend
        (datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 3, 9, 11, tzinfo=UTC)),
        (datetime(2026, 3, 3, 6, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC)),
    ],
)
def test_two_hours_of_work_are_counted_over_nights_weekends_and_holidays(since: datetime, due: datetime) -> None:
    targets = Targets((Goal(120),), "UTC", OFFICE, frozenset({HOLIDAY}))
    row = line(since)
    assert queueing.due_at(row, targets) == due
    assert not queueing.is_late(row, queueing.cutoffs(targets, due - timedelta(seconds=1)))
    assert queueing.is_late(row, queueing.cutoffs(targets, due + timedelta(seconds=1)))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60 * 24 * 30), st.integers(1, 3_000), st.integers(0, 60 * 24 * 40), st.booleans())
def test_late_says_the_same_as_the_time_that_is_shown(start: int, goal: int, later: int, office: bool) -> None:
    opening = OFFICE if office else Quiet(time(22), time(6))
    targets = Targets((Goal(goal),), "Asia/Seoul", opening, frozenset({HOLIDAY}))
    since = datetime(2026, 2, 20, tzinfo=UTC) + timedelta(minutes=start)
    now = since + timedelta(minutes=later, seconds=30)
    row = line(since)
    due = queueing.due_at(row, targets)
    assert due is not None
    if abs((due - now).total_seconds()) > 60 and queueing.cutoffs(targets, now):
        worked = _worked(since, now, targets)
        assert queueing.is_late(row, queueing.cutoffs(targets, now)) == (worked >= goal)
        assert (due <= now) == (worked >= goal)


def _worked(since: datetime, now: datetime, targets: Targets) -> float:
    """Minutes of work between two moments, counted one by one."""
    place = queueing.zone(targets.zone)
    total, opening = 0.0, targets.opening
    at = since
    while at < now:
        local = at.astimezone(place)
        clock = local.time()
        if opening.start < opening.end:
            day, inside = local.date(), opening.start <= clock < opening.end
        else:
            inside = clock >= opening.start or clock < opening.end
            day = local.date() if clock >= opening.start else local.date() - timedelta(days=1)
        if inside and day not in targets.holidays and day.weekday() in opening.days:
            total += min(1.0, (now - at).total_seconds() / 60)
        at += timedelta(minutes=1)
    return total


def test_the_first_goal_that_fits_holds() -> None:
    targets = Targets((Goal(10, Priority.URGENT), Goal(20, medium=Medium("sms"), first=True), Goal(60)))
    since = FRIDAY
    for row, minutes in (
        (line(since, priority=Priority.URGENT), 10),
        (line(since, medium=Medium("sms")), 20),
        (line(since, medium=Medium("sms"), replied=True), 60),
        (line(since), 60),
    ):
        assert queueing.due_at(row, targets) == since + timedelta(minutes=minutes)
    assert queueing.due_at(line(None), targets) is None
    assert queueing.due_at(line(since), Targets()) is None


def test_days_of_no_work_at_all_end() -> None:
    never = Targets((Goal(10),), "UTC", Quiet(time(9), time(18), frozenset()))
    assert queueing.due_at(line(FRIDAY), never) is not None
    assert not queueing.is_late(line(FRIDAY), queueing.cutoffs(never, FRIDAY + timedelta(days=30)))


def test_a_saved_view_counts_its_age_from_now() -> None:
    assert Saved(Filter(), 3600).now(FRIDAY).before == FRIDAY - timedelta(hours=1)
    assert Saved(Filter(late=True)).now(FRIDAY) == Filter(late=True)
