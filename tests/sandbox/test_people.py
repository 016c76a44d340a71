"""Who lives in the sandbox, and what was written with them before."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from agentconsole.domain import history
from agentconsole.domain.entries import Received, Reply
from agentconsole.domain.model import ConversationStatus, Delivery, Medium
from agentconsole.sandbox import past, people

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
EVERYBODY = people.everybody()


def test_about_forty_people_in_four_languages_with_more_than_one_medium():
    assert 35 <= len(EVERYBODY) <= 45
    assert set(Counter(person.language for person in EVERYBODY)) == {"en", "ko", "pt", "ja"}
    assert sum(len(person.addresses) > 1 for person in EVERYBODY) > len(EVERYBODY) / 2
    assert len({person.name for person in EVERYBODY}) == len(EVERYBODY)


def test_the_same_seed_gives_the_same_world_and_another_seed_other_times():
    assert people.everybody() == EVERYBODY
    other = people.everybody(seed=7)
    assert [p.name for p in other] == [p.name for p in EVERYBODY]
    assert [p.history for p in other] != [p.history for p in EVERYBODY]


def test_every_address_is_one_and_belongs_to_one_person():
    found = Counter(
        past.address(medium, value, "4711") for person in EVERYBODY for medium, value in person.addresses.items()
    )
    assert max(found.values()) == 1


def test_the_four_who_wait_are_those_of_the_script_and_emily_is_first():
    lines = [(person.name, line.medium, line.ago) for person in EVERYBODY for line in person.now]
    assert sorted(lines, key=lambda line: line[2]) == [
        ("Emily Rhodes", "whatsapp", timedelta(minutes=1)),
        ("田中ゆき", "telegram", timedelta(minutes=3)),
        ("박민수", "email", timedelta(minutes=4)),
        ("Emily Rhodes", "email", timedelta(minutes=9)),
    ]


def test_the_past_is_answered_closed_and_waits_for_nobody():
    for person in EVERYBODY:
        entries = tuple(past.entries(person, NOW, "4711"))
        snapshot = history.fold(past.record_of(person), entries)
        assert all(c.status == ConversationStatus.RESOLVED for c in snapshot.conversations.values()), person.name
        assert not any(c.waiting_since for c in snapshot.conversations.values()), person.name
        arrived = {Delivery.SENT, Delivery.DELIVERED, Delivery.READ}
        assert all(record.state in arrived for record in snapshot.deliveries.values()), person.name
        texts = [entry.at for entry in entries if isinstance(entry, Received | Reply)]
        assert texts == sorted(texts), person.name
        assert all(NOW - at > timedelta(days=2) for at in texts), person.name


def test_park_minsu_opted_out_of_sms_and_the_word_delivery_is_in_three_histories():
    park = next(person for person in EVERYBODY if person.name == "박민수")
    snapshot = history.fold(past.record_of(park), past.entries(park, NOW, "4711"))
    assert [(c.medium, c.allowed, c.words) for c in snapshot.consents.values()] == [(Medium("sms"), False, "수신거부")]
    with_word = [p.name for p in EVERYBODY if any("배송" in line.text for line in (*p.history, *p.now))]
    assert len(with_word) >= 3


def test_an_answer_fits_what_was_said():
    emily = next(person for person in EVERYBODY if person.name == "Emily Rhodes")
    assert emily.reply_to("ID ending 4821, is that right?").startswith("Yes! 11 March")
    assert emily.reply_to("Hello?") == emily.answer
