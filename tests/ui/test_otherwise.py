"""A failed reply another way, the line that names the question, and what is known of a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentconsole.domain.entries import Described, PreferenceStated
from agentconsole.domain.model import (
    AgentName,
    Delivery,
    EntryId,
    Medium,
    Participant,
)
from tests.ui.console import LARGE, SMALL, Driver, running
from tests.ui.desk_double import NOW, DeskDouble, email, phone

BOTH_SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
BOTH_LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


@pytest.fixture
def desk() -> DeskDouble:
    """Jiwoo asked by mail two days ago, in Korean, with somebody in Cc; and can be reached by SMS."""
    found = DeskDouble()
    found.received(
        "jiwoo",
        "mail",
        email("jiwoo@example.com"),
        "배송은 언제 오나요?",
        minutes=2 * 24 * 60,
        name="Jiwoo Kim",
        subject="배송",
        language="ko",
        participants=(Participant("cc", email("wife@example.com"), "Wife"),),
    )
    found.link("jiwoo", phone("+821012345678"))
    found.add("jiwoo", Described(id=EntryId("d1"), at=NOW, what="country", value="JP", by=AgentName("mina")))
    found.know("jiwoo")
    return found


async def begin(console: Driver) -> None:
    await console.open("Jiwoo Kim")
    await console.press("r")
    await console.until(lambda: console.app.where == "box" and console.app.writer.now.choice is not None)  # type: ignore[union-attr]


async def to(console: Driver, medium: str) -> None:
    for _ in range(4):
        if console.app.writer.now.medium == medium:  # type: ignore[union-attr]
            return
        await console.press("ctrl+t")
    raise AssertionError(console.screen)


async def send_without_cc(console: Driver) -> None:
    """Send on a medium that has no Cc: who will not get it is said first."""
    await console.press("ctrl+s")
    await console.sees("Not sent yet. 1 in Cc" if console.app.settings.language == "en" else "아직 안 보냄. 참조 1명")
    await console.press("f8")


# -- the line that names the question -----------------------------------------------------------------------


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_another_medium_begins_with_the_question_in_the_customers_language(
    desk: DeskDouble, size: tuple[int, int], language: str
) -> None:
    async with running(desk, size=size, language=language) as console:
        await begin(console)
        assert console.box.text == ""
        await to(console, "sms")
        await console.until(lambda: console.box.text == "3월 1일 메일 주셨던 건입니다:\n")
        assert console.box.cursor_location == (1, 0)
        await console.press("ctrl+s")
        await console.sees("Nothing typed" if language == "en" else "쓴 글이 없어")
        await to(console, "email")
        assert console.box.text == ""
        await to(console, "sms")
        await console.type("ok")
        await send_without_cc(console)
        await console.until(lambda: desk.called("reply"))
        (_, compose) = desk.called("reply")[0]
        assert (compose.route.medium, compose.text) == ("sms", "3월 1일 메일 주셨던 건입니다:\nok")


async def test_the_line_stays_away_once_it_was_deleted(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await to(console, "sms")
        await console.press("ctrl+n")
        assert console.box.text == ""
        await console.type("hello")
        await console.press("ctrl+t", "ctrl+t", "ctrl+t")
        assert console.box.text == "hello"


async def test_only_our_own_line_is_no_draft(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await to(console, "sms")
        await console.press("escape")
        await console.until(lambda: console.app.where != "box")
        assert not desk.called("save_draft")


@BOTH_LANGUAGES
async def test_who_was_in_cc_is_named(desk: DeskDouble, language: str) -> None:
    async with running(desk, language=language) as console:
        await begin(console)
        en = language == "en"
        await console.sees("1 in Cc will not get this." if en else "참조 1명은 받지 못함.")
        await console.press("f2")
        await console.until(lambda: console.app.writer.pane.reasons_shown)  # type: ignore[union-attr]
        told = "1 more on that e-mail will not" if en else "그 메일의 다른 1명은 받지"
        assert told in console.app.writer.pane.reasons.shown  # type: ignore[union-attr]
        assert "Wife" in console.app.writer.pane.reasons.shown  # type: ignore[union-attr]


# -- a failed reply -----------------------------------------------------------------------------------------


async def failed(console: Driver, desk: DeskDouble, state: Delivery = Delivery.FAILED) -> EntryId:
    await begin(console)
    await console.type("tomorrow")
    await console.press("ctrl+s")
    await console.until(lambda: desk.requests)
    reply = next(iter(desk.requests.values()))
    desk.receipt(reply, Delivery.SENDING, attempt=1, committed=True)
    desk.receipt(reply, state, attempt=1, reason="no_such_address" if state == "failed" else "line_cut")
    await console.until(
        lambda: (
            console.app.reading.opened.states.get(reply) is not None  # type: ignore[union-attr]
            and console.app.reading.opened.states[reply].state == state
        )  # type: ignore[union-attr]
    )
    await console.until(lambda: console.app.where != "box")
    console.app._guard_until = 0.0
    return reply


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_one_key_opens_the_failed_reply_on_the_next_route_and_sends_it_once(
    desk: DeskDouble, size: tuple[int, int], language: str
) -> None:
    async with running(desk, size=size, language=language) as console:
        reply = await failed(console, desk)
        await console.press("2", "G", "d", "f")
        await console.until(lambda: console.app.where == "box")
        en = language == "en"
        await console.sees("instead of e-mail: shortened" if en else "메일 대신 문자: 줄임")
        assert console.box.text == "tomorrow"
        assert len(desk.called("reply")) == 1
        await send_without_cc(console)
        await console.until(lambda: len(desk.called("reply")) == 2)
        (_, compose) = desk.called("reply")[1]
        assert (compose.instead_of, compose.route.medium, compose.text) == (reply, "sms", "tomorrow")
        desk.receipt(reply, Delivery.CANCELLED, by=AgentName("mina"), reason="sent_otherwise")
        await console.sees("Sent instead of the e-mail of" if en else "메일 대신 보냄.")
        desk.receipt(reply, Delivery.DELIVERED)
        await console.sees("arrived after all" if en else "늦게 도착함")


async def test_from_the_outbox_too_and_never_over_words_of_ones_own(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await failed(console, desk)
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.type("my own words")
        await console.press("escape", "g", "o")
        await console.until(lambda: console.app.page_kind == "outbox")
        await console.press("d", "f")
        await console.sees("A draft of yours is in the way")
        assert console.app.writer.now.text == "my own words"  # type: ignore[union-attr]


async def test_what_may_have_gone_out_goes_no_other_way(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await failed(console, desk, Delivery.UNCERTAIN)
        await console.press("2", "G", "d", "f")
        await console.sees("It may have gone out. Nothing was sent.")
        assert console.app.where != "box"


async def test_the_draft_of_a_fallback_survives_the_console(desk: DeskDouble) -> None:
    async with running(desk) as console:
        reply = await failed(console, desk)
        await console.press("2", "G", "d", "f")
        await console.until(lambda: console.app.where == "box")
        await console.type("!")
        await console.press("escape")
        await console.until(lambda: desk.called("save_draft"))
    async with running(desk) as console:
        await console.until(lambda: console.app.where == "box")
        assert console.app.writer.now.instead_of == reply  # type: ignore[union-attr]


# -- the choice ---------------------------------------------------------------------------------------------


async def test_what_was_chosen_by_hand_is_remembered_only_when_asked(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.press("ctrl+x", "r")
        await console.sees("Nothing to remember")
        await to(console, "sms")
        await console.press("ctrl+backslash")
        await console.sees("Remembered: prefers SMS. u takes it back.")
        (_, customer, medium, *_rest) = desk.called("prefer")[0]
        assert (customer, medium) == ("jiwoo", "sms")
        await console.press("escape", "u")
        await console.until(lambda: len(desk.called("prefer")) == 2)
        assert desk.called("prefer")[1][2] == ""


async def test_enter_on_a_stated_reason_shows_where_it_was_asked_for(desk: DeskDouble) -> None:
    asked = desk.received("jiwoo", "mail", email("jiwoo@example.com"), "문자로 주세요", minutes=90)
    desk.add(
        "jiwoo",
        PreferenceStated(
            id=EntryId("p1"),
            at=NOW - timedelta(minutes=90),
            medium=Medium("sms"),
            evidence=asked,
            evidence_medium=Medium("email"),
        ),
    )
    async with running(desk) as console:
        await console.open("Jiwoo Kim")
        await console.press("w")
        await console.sees("asked for on 12:32 (e-mail)", "enter shows where it was asked for")
        await console.press("enter")
        await console.until(lambda: console.app.timeline.chosen == asked and console.app.where == "conversation")


async def test_the_card_says_language_clock_and_country_with_how_they_are_known(desk: DeskDouble) -> None:
    async with running(desk, size=LARGE) as console:
        await console.open("Jiwoo Kim")
        await console.press("3")
        await console.sees("Korean (1 of 1 messages)", "Asia/Seoul, 23:02 there (from the", "JP (stated)")
