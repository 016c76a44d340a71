"""Wishes in what customers write: measured on both halves of the labelled sentences, and what no text may do.

Of the half that was held out only totals are told, here and in failures: a rule must not be tuned on it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.domain import wishes, wishes_answers
from agentconsole.domain.wishes_rules import purpose_named
from tests.effort import costs_at_most

FOLDER = Path(__file__).parent / "wishes"
PAGE = Path(__file__).parents[2] / "docs" / "choosing.md"
NAMES = {"call": "phone", "kakao": "kakaotalk"}
"""What the labels of the half that was held out call media that are called otherwise everywhere else."""


def sentences(name: str) -> Iterator[tuple[str, str, str, str]]:
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        language, label, text = line.split("\t")
        medium, _, purpose = label.partition(":")
        yield language, NAMES.get(medium, medium), purpose, text.replace("\\n", "\n")


@dataclass
class Totals:
    of: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    suggested: Counter[str] = field(default_factory=Counter)
    other_medium: int = 0
    false: int = 0
    others: int = 0
    suggested_others: int = 0
    purposes: int = 0
    purposes_right: int = 0

    @property
    def precision(self) -> float:
        right = self.right.total()
        return right / (right + self.other_medium + self.false)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson, 95 %."""
        n, p, z = self.right.total() + self.other_medium + self.false, self.precision, 1.96
        middle, width = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - width) / (1 + z * z / n), (middle + width) / (1 + z * z / n)

    def told(self) -> str:
        low, high = self.interval
        recall = ", ".join(f"{name} {self.right[name]}/{self.of[name]}" for name in sorted(self.of))
        return (
            f"precision {self.precision:.3f} ({low:.3f} to {high:.3f}), other medium {self.other_medium}, "
            f"false {self.false} of {self.others}, recall {recall} ({self.right.total() / self.of.total():.2f}), "
            f"suggested {self.suggested.total()} wishes and {self.suggested_others} others, "
            f"purposes {self.purposes_right}/{self.purposes}"
        )


def measured(half: str) -> Totals:
    totals = Totals()
    for language, medium, purpose, text in sentences(f"{half}_wishes.tsv"):
        found = wishes.read(text)
        totals.of[language] += 1
        if found is None:
            continue
        if not found.sure:
            totals.suggested[language] += 1
        elif found.medium != medium:
            totals.other_medium += 1
        else:
            totals.right[language] += 1
            totals.purposes += bool(purpose)
            totals.purposes_right += bool(purpose) and found.purpose == purpose
    for _, _, _, text in sentences(f"{half}_others.tsv"):
        found = wishes.read(text)
        totals.others += 1
        totals.false += found is not None and found.sure
        totals.suggested_others += found is not None and not found.sure
    return totals


def shown(totals: Totals) -> str:
    """Return the figures as the row of the page tells them."""
    low, high = totals.interval
    recall = " | ".join(f"{totals.right[name]}/{totals.of[name]}" for name in sorted(totals.of))
    return (
        f"| {totals.right.total()} of {totals.of.total()} | {totals.precision:.3f} ({low:.3f} to {high:.3f}) "
        f"| {totals.false} of {totals.others} | {recall} |"
    )


def test_what_was_held_out() -> None:
    totals = measured("held_out")
    told = totals.told()
    print(told)
    assert totals.of.total() >= 200, told
    assert totals.others >= 1000, told
    assert totals.precision >= 0.98, told
    assert totals.false <= 2, told
    assert totals.right.total() / totals.of.total() >= 0.8, told
    assert shown(totals) in PAGE.read_text("utf-8"), told


def test_what_the_rules_were_tuned_on() -> None:
    totals = measured("tuning")
    told = totals.told()
    print(told)
    assert totals.of.total() >= 210, told
    assert totals.others >= 1000, told
    assert totals.false + totals.other_medium == 0, told
    assert totals.right.total() / totals.of.total() >= 0.95, told
    assert shown(totals) in PAGE.read_text("utf-8"), told


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("please text me", "sms"),
        ("카톡으로 주세요", "kakaotalk"),
        ("prefer email", "email"),
        ("Ｐｌｅａｓｅ　ｔｅｘｔ　ｍｅ", "sms"),
        ("please\u200b te\u00adxt me", "sms"),
        ("Preferred contact method: Email", "email"),
        ("Preferred contact\nSMS", "sms"),
        ("Preferred contact: [ ] Email [x] SMS", "sms"),
        ("희망 연락 방법: 문자", "sms"),
        ("ご希望の連絡方法：LINE", "line"),
        ("Preferred contact: email / phone", ""),
        ("She said: “please text me”.", ""),
        ("Do you have WhatsApp?", ""),
        ("Please stop texting me.", ""),
        ("The driver can text me.", ""),
        ("Please send me the tracking number by email.", ""),
        ("문자 그만 보내세요", ""),
        ("", ""),
    ],
)
def test_single_ones(text: str, wanted: str) -> None:
    found = wishes.read(text)
    assert (found.medium if found is not None and found.sure else "") == wanted


def test_each_purpose_has_its_own_wish() -> None:
    found = wishes.readings("Please text me.\nBut invoices should go to my e-mail.")
    assert {(one.purpose, one.medium, one.sure) for one in found} == {("", "sms", True), ("invoice", "email", True)}
    assert found[0].words == "Please text me."


def test_two_media_for_one_purpose_are_for_an_agent_to_decide() -> None:
    found = wishes.read("Please text me.\nPlease reply by email.")
    assert found is not None
    assert not found.sure


def test_a_subject_counts_unless_it_answers_ours() -> None:
    assert wishes.read("Where is it?", "Please reply by email") is not None
    assert wishes.read("Where is it?", "Re: please reply by email") is None


ASKED = "How should we answer you? 1) e-mail 2) SMS 3) KakaoTalk"
ASKED_KO = "어떤 방법이 편하세요? 1. 이메일 2. 문자 3. 카톡"


@pytest.mark.parametrize(
    ("question", "answer", "wanted"),
    [
        (ASKED, "2", "sms"),
        (ASKED, "2 please", "sms"),
        (ASKED, "Email", "email"),
        (ASKED, "by e-mail please!", "email"),
        (ASKED, "4", ""),
        (ASKED, "WhatsApp", ""),
        (ASKED, "2 weeks ago", ""),
        (ASKED, "not email", ""),
        (ASKED_KO, "카톡", "kakaotalk"),
        (ASKED_KO, "카톡이요", "kakaotalk"),
        (ASKED_KO, "2번이요", "sms"),
        (ASKED_KO, "네", ""),
        ("We sent you an e-mail and an SMS.", "2", ""),
        ("Is your e-mail right?", "email", ""),
        ("メールとLINE、どちらがよろしいですか?", "LINEでお願いします", "line"),
    ],
)
def test_a_bare_answer_counts_where_we_asked(question: str, answer: str, wanted: str) -> None:
    assert wishes_answers.answered(question, answer) == wanted


@given(st.text(max_size=400), st.text(max_size=60))
def test_no_text_is_too_strange(text: str, subject: str) -> None:
    for one in wishes.readings(text, subject):
        assert one.medium
        assert len(one.words) <= 160
    wishes_answers.answered(text, subject)


@given(
    st.lists(
        st.sampled_from(
            [
                "please",
                "text",
                "me",
                "email",
                "카톡으로",
                "주세요",
                "メールで",
                "お願いします",
                "<",
                ">",
                ":",
                "no",
                "prefer",
                "por",
            ]
        ),
        max_size=60,
    )
)
def test_no_mixture_is_too_strange(words: list[str]) -> None:
    wishes.readings(" ".join(words))


@pytest.mark.parametrize(
    "part",
    ["email ", "no email not ", "카톡으로 ", "電話を希望", "prefiro no zap ", '"', "contact: [x] ", "<", "reply by "],
)
def test_a_hundred_kilobytes_cost_no_more_than_their_beginning_and_end(part: str) -> None:
    wishes.readings(part * 10)
    costs_at_most(0.4, lambda: wishes.readings((part * 100_000)[:100_000]))


def test_purposes_have_one_name() -> None:
    assert purpose_named("Invoices") == purpose_named("청구서") == "invoice"
    assert purpose_named("spare parts") == "spare parts"


@pytest.mark.parametrize(
    "text",
    [
        "Maybe WhatsApp would be easier.",
        "Perhaps WhatsApp is better for me.",
        "WhatsApp might be easier",
        "어쩌면 카톡이 더 편할 것 같아요",
        "Talvez WhatsApp seja melhor para mim.",
        "Quizás WhatsApp sería mejor.",
    ],
)
def test_who_only_wonders_has_not_asked(text: str):
    assert not any(one.sure for one in wishes.readings(text))


def test_a_request_is_one_however_politely_it_is_made():
    found = wishes.read("Could you maybe text me instead?")
    assert found is not None
    assert (found.medium, found.sure) == ("sms", True)
