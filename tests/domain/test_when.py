"""Dates and times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.domain import when
from tests.effort import costs_at_most

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=SEOUL)
"""A Wednesday morning."""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tomorrow 9", "2026-03-05T09:00"),
        ("tomorrow", "2026-03-05T09:00"),
        ("fri 14:30", "2026-03-06T14:30"),
        ("Friday 2pm", "2026-03-06T14:00"),
        ("wednesday", "2026-03-11T09:00"),
        ("next monday morning", "2026-03-09T09:00"),
        ("next week", "2026-03-09T09:00"),
        ("in 2 hours", "2026-03-04T12:00"),
        ("in 30 min", "2026-03-04T10:30"),
        ("in 3 days", "2026-03-07T10:00"),
        ("3 april", "2026-04-03T09:00"),
        ("April 3rd, 2026 at 8", "2026-04-03T08:00"),
        ("2026-03-20 16:45", "2026-03-20T16:45"),
        ("at 9", "2026-03-05T09:00"),
        ("11am", "2026-03-04T11:00"),
        ("today 12am", ""),
        ("tonight evening", "2026-03-04T18:00"),
        ("금요일 오전", "2026-03-06T09:00"),
        ("내일 오후 3시", "2026-03-05T15:00"),
        ("모레", "2026-03-06T09:00"),
        ("다음 주 화요일 2시 반", "2026-03-10T14:30"),
        ("내일 3시", "2026-03-05T15:00"),
        ("내일 새벽 3시", "2026-03-05T03:00"),
        ("내일 오전 6시", "2026-03-05T06:00"),
        ("내일 7시", "2026-03-05T07:00"),
        ("다음주 월요일 오후 2시 반", "2026-03-09T14:30"),
        ("3월 20일 저녁 7시", "2026-03-20T19:00"),
        ("30분 뒤", "2026-03-04T10:30"),
        ("2시간 후", "2026-03-04T12:00"),
        ("오늘 밤 12시", ""),
        ("yesterday", ""),
        ("", ""),
        ("soon", ""),
        ("2026-03-01", ""),
        ("32 april", ""),
    ],
)
def test_what_an_agent_types(text: str, wanted: str) -> None:
    found = when.later(text, NOW, SEOUL)
    assert found == (datetime.fromisoformat(wanted).replace(tzinfo=SEOUL) if wanted else None)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The appointment is on 3 March at 14:00, right?", [(date(2026, 3, 3), time(14))]),
        ("I ordered it on March 1st and again on 2026-02-11.", [(date(2026, 3, 1), None), (date(2026, 2, 11), None)]),
        ("예약은 3월 20일(금) 오후 2시 반입니다", [(date(2026, 3, 20), time(14, 30))]),
        ("2025년 12월 24일에 주문했어요", [(date(2025, 12, 24), None)]),
        ("since December 20", [(date(2025, 12, 20), None)]),
        ("at 3pm on 7 May", [(date(2026, 5, 7), time(15))]),
        ("order 2026-33-01 for 3/4 of the price", []),
        ("may I ask 3 things", []),
        ("2026. 3. 9. 방문", [(date(2026, 3, 9), None)]),
    ],
)
def test_what_a_customer_told(text: str, wanted: list[tuple[date, time | None]]) -> None:
    assert [(m.day, m.clock) for m in when.found(text, NOW)] == wanted


@given(st.text(max_size=60))
def test_any_text_gives_a_future_time_or_none(text: str) -> None:
    found = when.later(text, NOW, UTC)
    assert found is None or found > NOW
    for mention in when.found(text, NOW):
        assert 0 <= mention.start < mention.end <= len(text)


def test_hours_and_minutes_pass_also_while_the_clocks_change():
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert when.later("in 2 hours", before, ZoneInfo("Europe/London")) == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    autumn = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert when.later("in 90 minutes", autumn, ZoneInfo("Europe/London")) == datetime(2026, 10, 25, 2, tzinfo=UTC)
    assert when.later("in 1 day", before, ZoneInfo("Europe/London")) == datetime(2026, 3, 29, 23, 30, tzinfo=UTC)


def test_a_text_of_nothing_but_dates_holds_nothing_up():
    found = costs_at_most(2, lambda: when.found("3월3일" * 5_000, datetime(2026, 3, 4, tzinfo=UTC)))
    assert len(found) == 5_000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("내일모레 오후 3시", "2026-03-06 15:00"),
        ("글피 오전 9시", "2026-03-07 09:00"),
        ("the day after tomorrow 9am", "2026-03-06 09:00"),
        ("다음 주 화요일 9시", "2026-03-10 09:00"),
        ("다다음 주 화요일 9시", "2026-03-17 09:00"),
        ("다다음주", "2026-03-16 09:00"),
        ("3/15 14:00", ""),
        ("3/4 9am", ""),
    ],
)
def test_no_part_of_a_day_is_taken_for_another_day(text: str, wanted: str) -> None:
    found = when.later(text, datetime(2026, 3, 4, 5, tzinfo=UTC), ZoneInfo("Asia/Seoul"))
    assert (f"{found:%Y-%m-%d %H:%M}" if found is not None else "") == wanted


@pytest.mark.parametrize(
    ("words", "hours"), [("2h", 2), ("2 hours", 2), ("in 2 h", 2), ("2시간 뒤", 2), ("90 min", 1.5), ("tonight", 4)]
)
def test_a_span_needs_no_little_word_and_tonight_is_the_evening(words: str, hours: float) -> None:
    now = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
    assert when.later(words, now, UTC) == now + timedelta(hours=hours)
