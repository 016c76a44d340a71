"""What answers teach about a medium: counts with decay, and never from too little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agentconsole.domain import learned
from agentconsole.domain.model import Medium, Tally

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def tally(medium: str, outcome: str, start: datetime = START) -> Tally:
    """A tally of one send a day: ``a`` was answered an hour later, ``.`` was not."""
    found = Tally(Medium(medium))
    for day, mark in enumerate(outcome):
        at = start + day * DAY
        found = learned.sent(found, at)
        if mark == "a":
            found = learned.answered(found, at + timedelta(hours=1))
    return found


def test_answered_four_of_five_there_and_none_of_three_here() -> None:
    found = learned.learn([tally("whatsapp", "aaa.a"), tally("email", "...")], START + 10 * DAY)
    assert found is not None
    assert found.medium == "whatsapp"
    assert [(t.medium, t.answered, t.sent) for t in found.tallies] == [("whatsapp", 4, 5), ("email", 0, 3)]


def test_an_answer_counts_for_everything_that_was_open() -> None:
    burst = Tally(Medium("sms"))
    for minute in range(3):
        burst = learned.sent(burst, START + timedelta(minutes=minute))
    assert learned.answered(burst, START + timedelta(hours=1)).answered == 3
    assert tally("sms", "..a").answered == 1


def test_two_sends_teach_nothing() -> None:
    assert learned.learn([tally("sms", "aa")], START + 10 * DAY) is None
    assert learned.learn([tally("sms", "aaa")], START + 10 * DAY) is not None


def test_silence_teaches_nothing_in_favour() -> None:
    assert learned.learn([tally("email", "....")], START + 10 * DAY) is None


def test_media_that_answer_alike_teach_nothing() -> None:
    assert learned.learn([tally("email", "aaaa"), tally("sms", "aaaa")], START + 10 * DAY) is None


def test_a_send_of_this_morning_is_no_silence_yet() -> None:
    found = tally("sms", "aaa.")
    soon, later = START + 3 * DAY + timedelta(hours=2), START + 6 * DAY
    assert learned.settled(found, soon).sent == 3
    assert learned.settled(found, later).sent == 4


def test_a_message_weeks_later_is_no_answer() -> None:
    found = learned.answered(learned.sent(Tally(Medium("email")), START), START + 15 * DAY)
    assert (found.answered, found.open) == (0, 0)


def test_old_silence_fades_behind_new_answers() -> None:
    old = tally("email", "......")
    for day in range(4):
        at = START + timedelta(days=400 + day)
        old = learned.answered(learned.sent(old, at), at + timedelta(hours=1))
    assert old.answered < old.sent / 2
    assert learned.share(old) > 0.7


@given(st.lists(st.tuples(st.sampled_from("so"), st.integers(0, 5000)), max_size=60))
def test_weights_never_exceed_counts_and_shares_stay_shares(events: list[tuple[str, int]]) -> None:
    found = Tally(Medium("sms"))
    for what, hours in sorted(events, key=lambda e: e[1]):
        at = START + timedelta(hours=hours)
        found = learned.sent(found, at) if what == "s" else learned.answered(found, at)
    assert 0 <= found.answered <= found.sent
    assert 0 <= found.answered_weight <= found.sent_weight + 1e-9 <= found.sent + 1e-9
    assert 0 <= learned.share(found) <= 1 + 1e-9


@given(st.text("a.", max_size=12), st.text("a.", max_size=12))
def test_two_records_of_one_person_add_up(one: str, other: str) -> None:
    first, second = tally("sms", one), tally("sms", other, START + 3 * DAY)
    both, swapped = learned.added(first, second), learned.added(second, first)
    assert both.sent == len(one) + len(other)
    assert (both.sent, both.answered, both.open, both.at) == (swapped.sent, swapped.answered, swapped.open, swapped.at)
    assert abs(both.sent_weight - swapped.sent_weight) < 1e-9
