"""Nobody is asked twice: what was told is found, and a question for it is recognised in both languages."""

from __future__ import annotations

import pytest

from agentconsole.domain import facts
from tests.domain.make import EMAIL, MAIL, PHONE, WHATSAPP, ago, received
from tests.effort import costs_at_most

EMILY = received(
    "e1",
    MAIL,
    EMAIL,
    ago(minutes=9),
    "Could it be 11 March? My ID is 83004821 and my WhatsApp is +44 20 7946 0182.",
    mentions=(PHONE,),
)
MINSU = received("e2", WHATSAPP, PHONE, ago(minutes=5), "회원번호는 7719-0042 이고 주문번호 20260304-118 입니다.")


def test_what_emily_told_is_known_with_its_source():
    assert [(f.kind, facts.masked(f), f.entry, f.medium) for f in facts.known([EMILY])] == [
        ("id_number", "4821", "e1", "email"),
        ("date", "2026-03-11", "e1", "email"),
        ("phone", PHONE.value, "e1", "email"),
    ]


def test_what_is_told_in_korean_is_known():
    assert [(f.kind, facts.masked(f)) for f in facts.known([MINSU])] == [
        ("id_number", "0042"),
        ("order_number", "4118"),
    ]


def test_the_newest_word_counts():
    corrected = received("e3", MAIL, EMAIL, ago(minutes=1), "Sorry, my ID number is 11112222.")
    assert facts.masked(facts.known([EMILY, corrected])[0]) == "2222"
    assert facts.masked(facts.known([corrected, EMILY])[0]) == "2222"


@pytest.mark.parametrize(
    ("draft", "kind"),
    [
        ("what is your ID", "id_number"),
        ("Could you please send me your ID number?", "id_number"),
        ("May I have your phone number", "phone"),
        ("회원번호를 알려 주시겠어요?", "id_number"),
        ("연락처 알려주세요", "phone"),
    ],
)
def test_a_question_for_what_is_known_is_recognised(draft: str, kind: str):
    found = facts.asked_again(draft, facts.known([EMILY]))
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "draft",
    [
        "ID ending 4821, is that right?",
        "Your appointment is on 11 March.",
        "What did you decide?",
        "What is your order number?",
        "문의 주셔서 감사합니다.",
        "",
    ],
)
def test_ordinary_drafts_are_left_alone(draft: str):
    assert facts.asked_again(draft, facts.known([EMILY])) is None


def test_a_hostile_text_costs_no_time():
    texts = ("ID " * 7000, "order" + "\n" * 20_000, "주문" + " " * 20_000, "ID" + " \t" * 10_000, "1-" * 9000)
    for number, text in enumerate(texts):
        entry = received(f"h{number}", MAIL, EMAIL, ago(), text)
        costs_at_most(0.5, lambda entry=entry: facts.known([entry]))  # type: ignore[misc]
    costs_at_most(0.5, lambda: facts.asked_again("please " * 4000, facts.known([EMILY])))
