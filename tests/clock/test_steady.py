"""The hub's time over a clock that jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agentconsole.hub.steady import CONFIRMED, EARLIEST, SteadyClock
from tests.fakes.clock import START, HandClock

SECOND = timedelta(seconds=1)


def test_it_is_the_systems_time_where_that_goes_as_time_does() -> None:
    base = HandClock()
    clock = SteadyClock(base)
    for seconds in (0.0, 0.5, 3600.0, 86_400.0):
        base.move(seconds=seconds)
        assert clock.now() == base.now()
    base.jump(seconds=-1.0)
    before = clock.now()
    base.jump(seconds=0.5)
    assert clock.now() >= before


def test_it_goes_on_where_the_clock_jumps_back_and_meets_it_again() -> None:
    base = HandClock()
    clock = SteadyClock(base)
    before = clock.now()
    base.jump(hours=-1)
    assert clock.now() == before
    base.move(minutes=10)
    assert clock.now() == before + timedelta(minutes=9)
    base.move(hours=12)
    assert clock.now() - base.now() <= 2 * SECOND
    base.move(seconds=30)
    assert clock.now() - base.now() <= 2 * SECOND


def test_a_leap_ahead_is_believed_once_it_has_lasted() -> None:
    base = HandClock()
    clock = SteadyClock(base)
    base.jump(days=1)
    assert clock.now() == START
    base.move(seconds=CONFIRMED - 1)
    assert clock.now() == START + timedelta(seconds=CONFIRMED - 1)
    base.move(seconds=2)
    assert clock.now() == base.now()


def test_a_leap_that_is_taken_back_was_none() -> None:
    base = HandClock()
    clock = SteadyClock(base)
    base.jump(days=1)
    clock.now()
    base.move(seconds=CONFIRMED - 1)
    clock.now()
    base.jump(days=-1)
    assert clock.now() == base.now()
    base.jump(days=1)
    base.move(seconds=60)
    assert clock.now() == START + timedelta(seconds=CONFIRMED + 59)


def test_in_1970_it_takes_the_newest_entrys_word_and_then_the_first_right_clock() -> None:
    base = HandClock(datetime(1970, 1, 1, tzinfo=UTC))
    clock = SteadyClock(base)
    assert clock.now() == EARLIEST
    clock.begin(START)
    assert clock.now() > START
    base.move(seconds=60)
    assert timedelta() <= clock.now() - START - 60 * SECOND <= SECOND
    base.jump(seconds=(START + timedelta(hours=5) - base.now()).total_seconds())
    assert clock.now() == base.now()


def test_an_entry_from_next_year_does_not_set_the_clock() -> None:
    base = HandClock()
    clock = SteadyClock(base)
    clock.begin(START + timedelta(days=365))
    assert clock.now() == START


def test_sleep_of_the_system_is_time_too() -> None:
    base = HandClock()
    slept = [0.0]
    clock = SteadyClock(base, lambda: slept[0])
    clock.now()
    base.jump(hours=8)
    slept[0] = 8 * 3600.0
    assert clock.now() == base.now()
