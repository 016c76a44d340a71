"""Both languages say the same, nobody is guessed at, and nothing from outside gets through unsafe."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from agentconsole.domain.entries import Named
from agentconsole.domain.facts import Fact
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    Delivery,
    DeliveryRecord,
    EntryId,
    Medium,
    Ranked,
    RefusedRoute,
    Route,
)
from agentconsole.text.sanitise import holds_control
from agentconsole.text.words import Words
from agentconsole.text.words_table import CODES, WORDS

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
WHATSAPP = Route(AccountName("wa"), Medium("whatsapp"), Address("phone", "", "+442079460182"))
EN, KO = Words("en", "Europe/London"), Words("ko", "Asia/Seoul")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_places():
    assert WORDS["en"].keys() == WORDS["ko"].keys()
    assert {k: places(v) for k, v in WORDS["en"].items()} == {k: places(v) for k, v in WORDS["ko"].items()}


def test_nobody_is_he_or_she():
    pronoun = re.compile(
        r"\b(he|she|him|her|his|hers|they|their)\b|그녀|그는|그의|그가 |그를|당신|너의|제가 |저희|저는", re.IGNORECASE
    )
    assert [v for table in WORDS.values() for v in table.values() if pronoun.search(v)] == []


def test_every_medium_has_its_own_two_letters():
    assert len(set(CODES.values())) == len(CODES)
    assert all(len(code) == 2 for code in CODES.values())
    assert all(code.isascii() and code.isalpha() and code.islower() for code in CODES.values())


def test_media_of_third_parties_get_two_letters_of_their_own():
    words = Words("en", "UTC")
    names = ["mailgun", "matter", "carrier_pigeon", "carousel", "car", "cab", "\x1b[2J", "편지", "", "line2"]
    codes = [words.medium_code(name) for name in names]
    assert codes[2:6] == ["ca", "cr", "cb", "cc"]
    assert len({*codes, *CODES.values()}) == len(CODES) + len(names)
    assert all(re.fullmatch("[a-z]{2}", code) for code in codes)
    assert [words.medium_code(name) for name in names] == codes, "and keep them"


@pytest.mark.parametrize("state", list(Delivery))
def test_every_delivery_state_is_worded(state: Delivery):
    assert EN.state(state) != ""
    assert f"state.{state}" in WORDS["en"]


def test_a_reply_that_waits_for_a_line_is_not_said_to_wait_for_an_hour():
    held = DeliveryRecord(
        reply=EntryId("e1"),
        state=Delivery.QUEUED,
        at=NOW,
        account=WHATSAPP.account,
        medium=WHATSAPP.medium,
        address=WHATSAPP.address,
        conversation=ConversationId("c1"),
        agent=AgentName("mina"),
        queued_at=NOW,
        attempt=1,
        reason="unreachable",
        not_before=NOW + timedelta(hours=1),
    )
    assert EN.delivery(held) == "Tried again once the line is back, or at 15:00. unreachable"
    wished = replace(held, attempt=0, reason="")
    assert EN.delivery(wished) == "Scheduled for 4 Mar 15:00."
    assert EN.delivery(replace(wished, held=True)) == "Leaves at 15:00:00; until then it can be stopped."
    assert EN.delivery(replace(held, reason="")) == "Waits until 15:00."
    taken = replace(held, state=Delivery.CANCELLED, reason="cancelled")
    assert (EN.delivery(taken), KO.delivery(taken)) == ("Taken back.", "취소함.")


def test_the_reason_stands_in_one_line_with_what_ends_when():
    facts = {
        "at": "2026-03-03T09:00:00+00:00",
        "medium_evidence": "email",
        "until": (NOW + timedelta(hours=5, minutes=12)).isoformat(),
    }
    ranked = Ranked(WHATSAPP, "stated", facts)
    assert EN.why(ranked, NOW) == "WhatsApp: asked for on 3 Mar (e-mail). Free to write for 5 h 12 m."
    assert KO.why(ranked, NOW) == "왓츠앱: 3월 3일 메일 요청하심. 5시간 12분 더 자유롭게 보낼 수 있음."


def test_a_preference_that_was_set_aside_is_named():
    facts = {
        "last_in": (NOW - timedelta(minutes=1)).isoformat(),
        "stated": "email",
        "stated_at": "2026-03-03T09:00:00+00:00",
    }
    said = EN.why(Ranked(WHATSAPP, "live_exchange", facts), NOW)
    assert said == "WhatsApp: writing here now (13:59). (Asked for e-mail on 3 Mar.)"


def test_a_refusal_says_since_when():
    refused = RefusedRoute(WHATSAPP, "opted_out", {"at": "2025-09-30T09:03:00+00:00", "words": "STOP"})
    assert EN.refusal(refused, NOW) == "WhatsApp: opted out 30 Sep (STOP)."
    assert KO.refusal(refused, NOW) == "왓츠앱: 9월 30일 수신거부(STOP)."


def test_a_missing_fact_leaves_no_hole():
    assert EN.refusal(RefusedRoute(WHATSAPP, "opted_out", {}), NOW) == "WhatsApp: opted out."
    nowhere = EN.refusal(RefusedRoute(WHATSAPP, "no_marketing_consent", {"country": ""}), NOW)
    assert nowhere.startswith("WhatsApp: no consent to marketing; ask first")


def test_a_code_of_a_third_party_is_shown_as_words():
    assert EN.reason("carrier_on_strike") == "carrier on strike"
    assert EN.refusal(RefusedRoute(WHATSAPP, "not_today", {}), NOW) == "WhatsApp: not today"


def test_what_comes_from_outside_is_made_safe():
    named = Named(id="e", at=NOW, name="x\x1b]52;c;aGk=\x07{n}[/]")
    assert not holds_control(EN.event(named))
    refused = RefusedRoute(WHATSAPP, "opted_out", {"words": "\x1b[2J{0}"})
    assert not holds_control(EN.refusal(refused, NOW))


@pytest.mark.parametrize(
    ("minutes", "en", "ko"), [(0, "0m", "0분"), (59, "59m", "59분"), (60, "1h", "1시간"), (2880, "2d", "2일")]
)
def test_ages_have_one_unit(minutes: int, en: str, ko: str):
    assert (EN.age(timedelta(minutes=minutes)), KO.age(timedelta(minutes=minutes))) == (en, ko)


def test_times_are_in_the_readers_zone():
    assert (EN.clock(NOW), KO.clock(NOW)) == ("14:00", "23:00")
    assert KO.day(NOW) == "2026년 3월 4일 (수)"
    assert Words("en", "Mars/Olympus").clock(NOW) == "14:00"


def test_what_is_known_is_told_with_its_source_and_put_as_a_question():
    fact = Fact("id_number", "83004821", EntryId("e1"), NOW - timedelta(minutes=9), Medium("email"))
    assert EN.known(fact, NOW) == "ID ending 4821 (e-mail, 13:51)"
    assert KO.confirm(fact, "what is your ID?") == "ID ending 4821, is that right?"
    assert EN.confirm(fact, "회원번호를 알려 주세요") == "신분증 끝자리 4821, 맞으신가요?"
    assert KO.known(fact, NOW) == "신분증 끝자리 4821 (22:51 메일)"
