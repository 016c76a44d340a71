"""The choice, the bridge and what is known of a person in words, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agentconsole.domain.about import About, Spoken
from agentconsole.domain.entries import AddressTrusted, PreferenceStated
from agentconsole.domain.hours import BestHour
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    Choice,
    EntryId,
    Medium,
    Ranked,
    RefusedRoute,
    Route,
)
from agentconsole.text import choice_words
from agentconsole.text.bridge import bridge
from agentconsole.text.words import Words

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
MAIL, SMS, KAKAO = (
    Route(AccountName(medium), Medium(medium), Address("phone", "", "+821012345678"))
    for medium in ("email", "sms", "kakaotalk")
)
WROTE = Ranked(MAIL, "last_inbound", {"last_in": NOW.isoformat()})
LEARNED = Ranked(KAKAO, "learned", {"answered": "4", "sent": "5"})
OUT = RefusedRoute(SMS, "opted_out", {"at": NOW.isoformat(), "words": "STOP"})


@pytest.mark.parametrize(
    ("language", "proposal"),
    [("en", "KakaoTalk: 4 of 5 answered there."), ("ko", "카카오톡: 5번 중 4번 답하심.")],
)
def test_every_route_is_told_once_with_what_it_is(language: str, proposal: str):
    choice = Choice((WROTE, LEARNED), (OUT,), set_aside=OUT, proposal=LEARNED)
    found = choice_words.told(choice, Words(language, "UTC"), NOW)
    assert [(told.kind, told.route.medium) for told in found] == [
        ("chosen", "email"),
        ("proposed", "kakaotalk"),
        ("next", "kakaotalk"),
        ("set_aside", "sms"),
    ]
    assert found[1].text.startswith(proposal)


def test_a_wish_that_was_outranked_is_named_with_its_reason_and_its_source():
    stated = Ranked(SMS, "stated", {"at": NOW.isoformat(), "medium_evidence": "email", "entry": "e1"})
    choice = Choice((WROTE, stated), set_aside=RefusedRoute(SMS, "outranked", stated.facts))
    (_, told) = choice_words.told(choice, Words("en", "UTC"), NOW)
    assert (told.kind, told.entry) == ("set_aside", "e1")
    assert told.text == "SMS: asked for on 14:00 (e-mail). Set aside: writing elsewhere now."


@pytest.mark.parametrize("language", ["en", "ko"])
def test_until_when_is_told_once(language: str):
    until = NOW + timedelta(hours=2)
    facts = {"until": until.isoformat(), "zone": "Asia/Seoul"}
    told = choice_words.refusal(RefusedRoute(SMS, "quiet_hours", facts, until=until), Words(language, "UTC"), NOW)
    assert told.count("16:00") == 1


def test_until_when_a_route_is_refused_is_told():
    refused = RefusedRoute(SMS, "opted_out", {"at": NOW.isoformat()}, until=NOW + timedelta(hours=2))
    (told,) = choice_words.told(Choice((), (refused,)), Words("en", "UTC"), NOW)
    assert told.text.endswith("16:00.")


@pytest.mark.parametrize(
    ("medium", "language", "expected"),
    [
        ("email", "en", "About your e-mail of 4 Mar:"),
        ("email", "ko", "3월 4일 메일 주셨던 건입니다:"),
        ("email", "ja", "3月4日にいただいたメールの件です："),
        ("email", "pt", "Sobre o seu e-mail de 4/3:"),
        ("kakaotalk", "ko", "3월 4일 카카오톡으로 문의 주셨던 건입니다:"),
        ("sms", "ko", "3월 4일 문자로 문의 주셨던 건입니다:"),
        ("newmedium", "ko", "3월 4일 newmedium(으)로 문의 주셨던 건입니다:"),
        ("whatsapp", "es", "Sobre su mensaje por WhatsApp del 4/3:"),
        ("email", "xx", "About your e-mail of 4 Mar:"),
        ("email", "", "About your e-mail of 4 Mar:"),
    ],
)
def test_the_bridge_is_in_the_customers_language(medium: str, language: str, expected: str):
    assert bridge(medium, NOW, language) == expected


def test_what_is_known_of_a_person_is_told_with_how_it_is_known():
    about = About(
        Spoken("ko", "detected", 9, 10), ("Asia/Seoul",), "number", "KR", "stated", BestHour(18, 3, 7, 9), offset=540
    )
    words = Words("en", "UTC")
    assert choice_words.spoken(about, words) == "Korean (9 of 10 messages)"
    assert choice_words.clock(about, words, NOW) == "Asia/Seoul, 23:00 there (from the number)"
    assert choice_words.country(about, words) == "KR (stated)"
    assert choice_words.best_hour(about, words) == "answers most 18-21 (7 of 9)"
    korean = Words("ko", "UTC")
    assert choice_words.spoken(about, korean) == "한국어 (10건 중 9건)"
    assert choice_words.best_hour(about, korean) == "18-21시에 가장 많이 답하심(9번 중 7번)"
    said = About(Spoken("pt", "stated", by=AgentName("mina")))
    assert choice_words.spoken(said, words) == "Portuguese (set by mina)"
    nothing = About(zones=("UTC",), zones_by="profile")
    found = (choice_words.spoken(nothing, words), choice_words.clock(nothing, words, NOW))
    assert (*found, choice_words.best_hour(nothing, words)) == ("", "", "")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "wants e-mail (for invoice): “Invoices by mail”"),
        ("ko", "선호 채널 메일(invoice 용): “Invoices by mail”"),
    ],
)
def test_a_wish_names_what_it_is_for(language: str, told: str):
    wish = PreferenceStated(
        id=EntryId("p"), at=NOW, medium=Medium("email"), purpose="invoice", words="Invoices by mail"
    )
    assert Words(language, "UTC").event(wish) == told


@pytest.mark.parametrize(
    ("language", "taken"), [("en", "bo@x.example: trusted no longer"), ("ko", "bo@x.example: 신뢰를 거둠")]
)
def test_trust_is_told_in_the_timeline(language: str, taken: str):
    words, address = Words(language, "UTC"), Address("email", "", "bo@x.example")
    ended = AddressTrusted(id=EntryId("t"), at=NOW, address=address, signer="x.example")
    assert words.event(ended) == taken
    given = words.event(
        AddressTrusted(id=EntryId("t"), at=NOW, address=address, signer="x.example", by=AgentName("mina"))
    )
    assert "x.example" in given
    assert "mina" in given
