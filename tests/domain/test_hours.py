"""The customer's clock: zones, quiet hours, holidays, the best hour."""

from __future__ import annotations

import errno
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.domain import addresses, hours
from agentconsole.domain.hours import Quiet
from agentconsole.domain.model import Address

SEOUL = ("Asia/Seoul",)
START = datetime(2026, 1, 1, tzinfo=UTC)


def number(text: str) -> Address:
    found = addresses.phone(text)
    assert found is not None
    return found


def test_a_number_tells_the_zone_and_a_statement_outranks_it() -> None:
    assert hours.zones_of([number("+82 10 1234 5678")]).zones == SEOUL
    assert hours.zones_of([number("+82 10 1234 5678")], "Europe/Berlin").zones == ("Europe/Berlin",)
    assert hours.zones_of([], profile="America/Sao_Paulo").evidence == "profile"


def test_a_number_of_many_zones_waits_for_the_latest() -> None:
    clockwork = hours.zones_of([number("+1 800 234 5678")])
    assert len(clockwork.zones) > 3
    early_in_new_york = datetime(2026, 3, 3, 13, 30, tzinfo=UTC)
    until = hours.quiet_until(early_in_new_york, ("America/New_York", "America/Los_Angeles"), Quiet())
    assert until == datetime(2026, 3, 3, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-03T20:59", None),
        ("2026-03-03T21:00", "2026-03-04T08:00"),
        ("2026-03-04T07:59", "2026-03-04T08:00"),
        ("2026-03-04T08:00", None),
        ("2026-03-01T12:00", "2026-03-02T08:00"),
    ],
)
def test_korean_quiet_hours(at: str, until: str | None) -> None:
    place = hours.zone("Asia/Seoul")
    now = datetime.fromisoformat(at).replace(tzinfo=place)
    found = hours.quiet_until(now, SEOUL, Quiet(), {date(2026, 3, 1)})
    wanted = None if until is None else datetime.fromisoformat(until).replace(tzinfo=place)
    assert found == wanted


def test_a_week_of_holidays_and_no_sundays() -> None:
    days = frozenset(range(6))
    holidays = {date(2026, 2, 16), date(2026, 2, 17), date(2026, 2, 18)}
    sunday = datetime(2026, 2, 15, 12, tzinfo=hours.zone("Asia/Seoul"))
    found = hours.quiet_until(sunday, SEOUL, Quiet(days=days), holidays)
    assert found == datetime(2026, 2, 19, 8, tzinfo=hours.zone("Asia/Seoul"))


@given(
    st.integers(0, 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Nonsense/Zone"]),
    st.integers(0, 23),
    st.integers(0, 23),
)
def test_what_is_told_is_allowed_and_never_in_the_past(now: datetime, zone: str, start: int, end: int) -> None:
    quiet = Quiet(time(start), time(end) if end != start else time(23, 59))
    until = hours.quiet_until(now, (zone,), quiet)
    assert until is None or until > now
    assert until is None or hours.quiet_until(until, (zone,), quiet) is None or until - now >= timedelta(days=13)


def test_best_hour_needs_eight_answers_and_shows_its_counts() -> None:
    evening = [datetime(2026, 3, day, 10, 30, tzinfo=UTC) for day in range(1, 8)]
    assert hours.best_hour(evening, SEOUL) is None
    found = hours.best_hour([*evening, datetime(2026, 3, 9, 0, 5, tzinfo=UTC)], SEOUL)
    assert found is not None
    assert (found.hour, found.hours) == (18, 3)
    assert (found.answers, found.of) == (7, 8)


def test_a_zone_that_cannot_be_read_now_is_not_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_name: str) -> ZoneInfo:
        raise OSError(errno.EMFILE, "too many open files")

    hours.zone.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(hours, "ZoneInfo", full)
        with pytest.raises(OSError, match="too many"):
            hours.zone("Asia/Seoul")
    assert hours.zone("Asia/Seoul") == ZoneInfo("Asia/Seoul")
