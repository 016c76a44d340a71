import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.text.quoting import Kind, fold_at, segments
from tests.effort import costs_at_most

NEW = "네, 3월 8일이 좋습니다.\n\n감사합니다.\n"

TAILS = {
    "gmail ko": "2024년 3월 5일 (화) 오후 3:15, Shop <help@shop.test>님이 작성:\n\n> 언제가 좋으세요?\n> 답 주세요\n",
    "gmail ko wrapped": "2024년 3월 5일 (화) 오후 3:15, Very Long Shop Name\n<help@shop.test>님이 작성:\n\n> 언제?\n",
    "gmail ko, quote lost its marks": "2024년 3월 5일 (화) 오후 3:15, Shop <help@shop.test>님이 작성:\n\n언제?\n",
    "apple ko": "2024. 3. 5. 오후 3:15, Shop <help@shop.test> 작성:\n\n> 언제?\n",
    "apple ko 2": "Shop <help@shop.test>님이 2024. 3. 5. 오후 3:15에 작성:\n\n> 언제?\n",
    "outlook ko": (
        "________________________________\n보낸 사람: Shop <help@shop.test>\n보낸 날짜: 2024년 3월 5일 화요일\n"
        "받는 사람: Emily\n제목: 예약\n\n언제가 좋으세요?\n"
    ),
    "outlook ko bare": "보낸 사람: Shop <help@shop.test>\n보낸 날짜: 2024년 3월\n받는 사람: E\n제목: 예약\n\n언제?\n",
    "naver": (
        '-----Original Message-----\nFrom: "Shop" <help@shop.test>\nTo: "Emily" <e@naver.test>\nCc:\n'
        "Sent: 2024-03-05 (화) 15:15:00 (GMT+09:00)\nSubject: 예약\n\n언제?\n"
    ),
    "daum": "--------- 원본 메일 ---------\n보낸사람 : Shop <help@shop.test>\n받는사람 : Emily\n날짜 : 2024\n\n언제?\n",
    "ko message": "-----원본 메시지-----\n언제?\n",
    "gmail en": "On Tue, 5 Mar 2024 at 15:15, Shop <help@shop.test> wrote:\n\n> When?\n",
    "gmail en wrapped": "On Tue, Mar 5, 2024 at 3:15 PM Shop and a Long Name <\nhelp@shop.test> wrote:\n\n> When?\n",
    "thunderbird": "Shop wrote:\n> When?\n",
    "outlook en": "From: Shop <help@shop.test>\nSent: Tuesday, March 5, 2024\nTo: Emily\nSubject: Hi\n\nWhen?\n",
    "gmail ja": "2024年3月5日(火) 15:15 Shop <help@shop.test>:\n\n> いつ\n",
    "outlook ja": "差出人: Shop <help@shop.test>\n送信日時: 2024年3月5日\n宛先: Emily\n件名: 予約\n\nいつ\n",
    "gmail zh": "Shop <help@shop.test> 于2024年3月5日周二 15:15写道：\n\n> 何时\n",
    "gmail vi": "Vào Th 3, 5 thg 3, 2024 vào lúc 15:15 Shop <help@shop.test> đã viết:\n\n> Khi nào\n",
    "gmail de": "Am Di., 5. März 2024 um 15:15 Uhr schrieb Shop <\nhelp@shop.test>:\n\n> Wann?\n",
    "marks only": "> When?\n>> earlier\n",
}


@pytest.mark.parametrize("tail", [pytest.param(v, id=k) for k, v in TAILS.items()])
def test_finds_where_the_old_mail_starts(tail: str) -> None:
    text = f"{NEW}\n{tail}"
    assert text[: fold_at(text)].rstrip() == NEW.rstrip()
    assert segments(text)[-1].kind is Kind.QUOTE


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote:\nplease move my appointment. Nobody answered.\n",
        "On 5 March 2024 I wrote:\nplease move it.\n",
        "From: what I see\nthis is broken.\nTo: be honest, I am angry.\n",
        "어제 제가 작성:\n이 글을 봐 주세요.\n",
        "My order list\n----------\n3 apples\n",
        "5 > 3 and\n   that > this\n",
        "To: be\nFrom: or not\n",
        "",
        "\n\n",
    ],
)
def test_a_letter_stays_a_letter(text: str) -> None:
    assert fold_at(text) == len(text)
    assert all(segment.kind is Kind.TEXT for segment in segments(text))


def test_answers_between_quotes_stay_visible() -> None:
    text = "On Tue, 5 Mar 2024 at 15:15, Shop <h@s.test> wrote:\n> Which day?\n\nThe 8th.\n\n> Which time?\n\nTen.\n"
    assert [(s.kind, text[s.start : s.end].strip()[:12]) for s in segments(text)] == [
        (Kind.QUOTE, "On Tue, 5 Ma"),
        (Kind.TEXT, "The 8th."),
        (Kind.QUOTE, "> Which time"),
        (Kind.TEXT, "Ten."),
    ]
    assert fold_at(text) == len(text)


def test_signature_is_its_own_segment() -> None:
    text = "Yes please.\n-- \nEmily\n010-1234\n\n> old\n"
    assert [s.kind for s in segments(text)] == [Kind.TEXT, Kind.SIGNATURE, Kind.QUOTE]
    assert text[: fold_at(text)].strip() == "Yes please."


def test_a_forwarded_mail_is_not_folded() -> None:
    text = (
        "봐 주세요\n\n---------- Forwarded message ---------\nFrom: A <a@b.test>\nDate: x\nTo: y\nSubject: z\n\nbody\n"
    )
    assert [s.kind for s in segments(text)] == [Kind.TEXT, Kind.FORWARD]
    assert fold_at(text) == len(text)


def test_a_mail_of_nothing_but_quotation_keeps_something_visible() -> None:
    assert fold_at("> old\n> older\n") == len("> old\n> older\n")


@given(st.lists(st.sampled_from([*"\n\n> a:", "On ", "2024년", "wrote:", "님이 작성:", "From: ", "-- \n", "<a@b.c>"])))
def test_segments_cover_the_text_without_gaps(parts: list[str]) -> None:
    text = "".join(parts)
    found = segments(text)
    assert "".join(text[s.start : s.end] for s in found) == text
    assert all(a.end == b.start and a.kind is not b.kind for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(
    "bomb",
    [
        "> " * 500_000,
        ">\n" * 200_000,
        "On 2024 15:15 a@b\n" * 40_000,
        "From: x\n" * 60_000,
        "_" * 1_000_000,
        "작성" * 200_000 + ":",
        "\n" * 500_000,
        "-" * 300_000 + "\n",
        "님이 " * 200 + "\n" * 1000,
    ],
    ids=lambda bomb: repr(bomb[:8]),
)
def test_hostile_texts_cost_little(bomb: str) -> None:
    costs_at_most(3.0, lambda: segments(bomb))
