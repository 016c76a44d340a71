"""What is written: Emily's story, the walk over routes, the reasons."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from agentconsole.desk import Compose
from agentconsole.domain.model import (
    Choice,
    Delivery,
)
from tests.ui.console import running
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone
from tests.ui.writing_helpers import BOTH_LANGUAGES, BOTH_SIZES, begin


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_story_of_emily(desk: DeskDouble, size: tuple[int, int], language: str) -> None:
    """Two are one with one key, undone exactly, linked again, answered on WhatsApp with the reason shown."""
    en = language == "en"
    async with running(desk, size=size, language=language, coach=True) as console:
        await console.open("Emily Rhodes")
        await console.sees("+44 20 7946 0182", "I link, X" if en else "I 연결, X")
        assert "any news?" not in console.screen.split("|", 60)[-1]
        await console.press("I")
        await console.sees(
            "Linked. u undoes it exactly." if en else "연결됨. u로 정확히 되돌림.", "any news? I wrote you"
        )
        await console.sees("3 waiting" if en else "대기 3")
        await console.press("u")
        await console.sees(
            "Undone: two people again" if en else "되돌림: 다시 두 사람", "4 waiting" if en else "대기 4"
        )
        await console.press("I")
        await console.sees("3 waiting" if en else "대기 3")
        await console.press("r")
        await console.sees("writing here now" if en else "지금 여기서 대화 중", "+44 20 7946 0182")
        await console.type("11 March it is")
        await console.press("ctrl+s")
        await console.sees("queued" if en else "보낼 예정")
        (_, compose) = desk.called("reply")[0]
        assert (compose.route.medium, compose.text) == ("whatsapp", "11 March it is")
        reply = next(iter(desk.requests.values()))
        for state in (Delivery.SENDING, Delivery.SENT, Delivery.DELIVERED, Delivery.READ):
            desk.receipt(reply, state, committed=True, attempt=1)
        await console.sees("WhatsApp to Emily Rhodes: read." if en else "Emily Rhodes 님에게 왓츠앱: 읽음.")
        assert console.coach.events[:4] == ["opened", "linked", "unlinked", "linked"]
        assert console.coach.events[-1] == "sent"


async def test_not_the_same_person(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("X")
        await console.sees("Not the same person.")
        await console.until(lambda: console.app.reading.suggestion is None)
        assert len(desk.people()) == 4
        await console.press("I")
        await console.sees("Nothing is suggested here.")


async def test_walk_passes_refused_routes_with_their_reasons_and_returns(desk: DeskDouble) -> None:
    async with running(desk, coach=True) as console:
        await begin(console, "박민수")
        await console.sees("Reply to 박민수 on e-mail minsu@example.com", "1/3 ctrl+t")
        await console.sees("SMS: opted out 1 Mar; the provider")
        await console.press("ctrl+t")
        await console.sees("on SMS", "2/3 ctrl+t")
        assert "refused_seen" in console.coach.events
        await console.type("hi")
        await console.press("ctrl+s")
        await console.sees("Not sent, text kept. SMS: opted out 1 Mar; the provider")
        assert not desk.called("reply")
        await console.press("ctrl+t", "ctrl+t")
        await console.sees("1/3 ctrl+t")
        assert console.box.text == "3월 3일 문자로 문의 주셨던 건입니다:\nhi"
        assert console.app.writer.now.pinned is None  # type: ignore[union-attr]


async def test_what_answers_speak_for_is_proposed_with_its_counts_and_taken_with_one_key(
    desk: DeskDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.received("emily", "wa", phone("+447700900123"), "or here", minutes=0)
    judged = desk._choice

    def taught(compose: Compose) -> Choice:
        choice = judged(compose)
        other = next(r for r in choice.ranked if r.route.medium == "email")
        facts = {"answered": "3", "sent": "4", "than": "whatsapp", "than_answered": "0", "than_sent": "5"}
        return replace(choice, proposal=replace(other, facts=facts))

    monkeypatch.setattr(desk, "_choice", taught)
    async with running(desk) as console:
        await begin(console)
        await console.sees("Reply to Emily Rhodes on WhatsApp", "E-mail: 3 of 4 answered there.", "1/3 ctrl+t")
        await console.press("ctrl+t")
        await console.sees("Reply to Emily Rhodes on e-mail emily@example.com")


async def test_a_window_that_closes_while_one_types_is_told_within_the_minute(desk: DeskDouble) -> None:
    desk.received("emily", "wa", phone("+447700900123"), "or here", minutes=0)
    moment = [NOW]
    async with running(desk, clock=lambda: moment[0]) as console:
        await begin(console)
        await console.sees("Free to write for", "1 d 0 h.")
        asked = len(desk.called("choose"))
        moment[0] += timedelta(hours=1)
        console.app._minute()
        await console.sees("23 h 0 m.")
        assert len(desk.called("choose")) == asked
        moment[0] += timedelta(hours=24)
        console.app._minute()
        await console.until(lambda: len(desk.called("choose")) > asked)


async def test_walked_route_is_the_one_that_is_sent(desk: DeskDouble) -> None:
    desk.received("emily", "sms", phone("+447700900123"), "or text me", minutes=500)
    async with running(desk, coach=True) as console:
        await begin(console)
        await console.sees("on e-mail emily@example.com")
        await console.press("ctrl+t")
        await console.sees("on SMS +44 7700 900123")
        await console.type("hello")
        await console.sees("33 characters, 1 SMS, 127 left")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        assert desk.called("reply")[0][1].route.address == phone("+447700900123")
        assert "route_walked" in console.coach.events


@pytest.mark.parametrize("key", ["f2", "ctrl+underscore"])
async def test_whole_reason_inline_with_two_keys(desk: DeskDouble, key: str) -> None:
    async with running(desk, coach=True) as console:
        await begin(console, "박민수")
        await console.press(key)
        await console.sees("WHY THIS CHANNEL", "chosen", "refused", "no message from there yet")
        assert console.app.where == "box"
        assert console.coach.events[-1] == "why_seen"
        await console.press(key)
        await console.until(lambda: "WHY THIS CHANNEL" not in console.screen)
        await console.press(key)
        await console.sees("WHY THIS CHANNEL")
        await console.press("escape")
        await console.until(lambda: "WHY THIS CHANNEL" not in console.screen)
        assert console.app.where == "box", "what lies above the text is left first"
        await console.press("escape")
        assert console.app.where == "conversation"


async def test_why_outside_the_box(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("w")
        await console.sees("WHY THIS CHANNEL", "E-mail: last wrote here (13:53).")
        await console.press("escape")
        assert console.app.where == "conversation"


async def test_text_that_grows_too_long_is_told_while_typing(desk: DeskDouble) -> None:
    desk.received("texter", "sms", phone("+821099998888"), "hi", minutes=500, name="Texter")
    async with running(desk) as console:
        await begin(console, "Texter")
        console.box.load_text("x" * 700)
        await console.sees("700 characters, 5 SMS", "SMS: too long: 5 of 4 SMS.")
        await console.press("ctrl+s")
        await console.sees("Not sent, text kept. SMS: too long")
        assert not desk.called("reply")


async def test_asking_for_what_is_known_is_told_and_answered_with_one_key(desk: DeskDouble) -> None:
    sender = email("emily@example.com")
    desk.received("emily", "mail", sender, "My ID is 88124821.", minutes=8, conversation="c-emily")
    async with running(desk) as console:
        await begin(console)
        await console.type("what is your ID number")
        await console.sees("Already known: ID ending 4821 (e-mail, 13:54)", "ctrl+g")
        assert "88124821 " not in console.app.writer.pane.foot_bar.shown  # type: ignore[union-attr]
        await console.press("ctrl+g")
        await console.until(lambda: "4821" in console.box.text)
        await console.until(lambda: console.app.writer.guarding.shown is None)
