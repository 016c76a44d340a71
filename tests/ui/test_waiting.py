"""Held and scheduled sends, what was set aside, and other agents at the same customer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from agentconsole.domain.entries import Reply
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    Attachment,
    ConversationId,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
)
from agentconsole.errors import Answered
from agentconsole.ui.drafting import Writing, composing, late_syllable, typed_since
from tests.ui.console import LARGE, Driver, running
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone
from tests.ui.writing_helpers import BOTH_LANGUAGES, a_draft, begin

WHATSAPP = Medium("whatsapp")


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    found.hold = 5.0
    return found


class Time:
    """A clock by hand that ticks the countdown as the seconds would."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    async def pass_(self, console: Driver, seconds: int) -> None:
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            console.app.writer.holding._tick()
            await console.settle()


def reply_of(desk: DeskDouble) -> EntryId:
    return next(reversed(desk.requests.values()))


# -- held --------------------------------------------------------------------------------------------------


@BOTH_LANGUAGES
async def test_the_seconds_count_down_and_f9_brings_the_text_back(desk: DeskDouble, language: str) -> None:
    en, time = language == "en", Time()
    async with running(desk, language=language, clock=time) as console:
        await begin(console)
        await console.type("Dear Emily,\nno")
        await console.press("left")
        await console.press("ctrl+s")
        await console.sees("Sending on e-mail in 5 s. F9 stop" if en else "메일: 5초 뒤 발송. F9 멈춤")
        assert desk.called("reply")[0][1].hold < 0
        await time.pass_(console, 2)
        await console.sees("in 3 s" if en else "3초 뒤")
        await console.press("f9")
        await console.sees(
            "Stopped: nothing was sent to Emily Rhodes. The text is back."
            if en
            else "멈춤: Emily Rhodes 님에게 발송된 것 없음. 글을 되돌림."
        )
        assert console.app.where == "box"
        assert (console.box.text, console.box.cursor_location) == ("Dear Emily,\nno", (1, 1))
        assert desk.entry(reply_of(desk))[2].state == Delivery.CANCELLED
        await console.until(lambda: desk.kept and next(iter(desk.kept.values())).text == "Dear Emily,\nno")
        console.app._guard_until = 0.0
        await console.type("t")
        await console.press("ctrl+s")
        await console.until(lambda: len(desk.called("reply")) == 2)
        first, second = desk.called("reply")
        assert first[0] != second[0]
        assert second[1].text == "Dear Emily,\nnto"


async def test_u_stops_it_in_reading_and_the_channel_comes_back(desk: DeskDouble) -> None:
    desk.received("emily", "sms", phone("+447700900123"), "or text me", minutes=500)
    async with running(desk) as console:
        await begin(console)
        await console.press("ctrl+t")
        await console.sees("on SMS +44 7700 900123")
        await console.type("hello")
        await console.press("ctrl+s")
        await console.sees("Sending on SMS in 5 s.")
        await console.until(lambda: console.app.where == "conversation")
        console.app._guard_until = 0.0
        await console.press("u")
        await console.sees("The text is back.", "on SMS ..7700 900123")
        assert console.box.text.endswith("hello")
        assert console.app.writer.now.medium == "sms"  # type: ignore[union-attr]


async def test_attachments_come_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("see this")
        file = Attachment("a.pdf", "application/pdf", 3)
        console.app.writer.now.attachments = (file,)  # type: ignore[union-attr]
        await console.press("ctrl+s")
        await console.sees("Sending on e-mail in 5 s.")
        await console.press("f9")
        await console.sees("The text is back.")
        assert console.app.writer.now.attachments == (file,)  # type: ignore[union-attr]


async def test_too_late_is_said_and_nothing_comes_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("hello")
        await console.press("ctrl+s")
        await console.sees("Sending on e-mail in 5 s.")
        record = reply_of(desk)
        held = console.app.writer.holding._waiting[record]
        desk.receipt(record, Delivery.SENDING, attempt=1, committed=True)
        console.app.writer.holding._waiting[record] = held
        await console.press("f9")
        await console.sees("Too late to stop: E-mail to Emily Rhodes is on its way or gone.")
        assert console.app.where != "box"


async def test_after_the_hold_it_says_what_became_of_it(desk: DeskDouble) -> None:
    time = Time()
    async with running(desk, clock=time) as console:
        await begin(console)
        await console.type("hello")
        await console.press("ctrl+s")
        await console.sees("Sending on e-mail in 5 s.")
        await time.pass_(console, 5)
        await console.sees("E-mail to Emily Rhodes: sending.")
        assert console.app.writer.holding._timer is None
        for state in (Delivery.SENDING, Delivery.SENT):
            desk.receipt(reply_of(desk), state, committed=True, attempt=1)
        await console.sees("E-mail to Emily Rhodes: sent.")
        await console.press("f9")
        await console.sees("Nothing waits that could be stopped.")


async def test_a_reply_that_leaves_before_the_last_second_was_drawn_is_told_too(desk: DeskDouble) -> None:
    async with running(desk, clock=Time()) as console:
        await begin(console)
        await console.type("hello")
        await console.press("ctrl+s")
        await console.sees("Sending on e-mail in 5 s.")
        desk.receipt(reply_of(desk), Delivery.SENDING, committed=True, attempt=1)
        await console.sees("E-mail to Emily Rhodes: sending.")
        desk.receipt(reply_of(desk), Delivery.SENT, committed=True, attempt=1)
        await console.sees("E-mail to Emily Rhodes: sent.")


async def test_another_strip_stands_for_a_while_before_the_seconds_come_back(desk: DeskDouble) -> None:
    time = Time()
    async with running(desk, clock=time) as console:
        await begin(console)
        await console.type("hello")
        await console.press("ctrl+s")
        await console.sees("Sending on e-mail in 5 s.")
        console.app.tell("strip.note_kept")
        await time.pass_(console, 1)
        assert "Note kept" in console.strip
        await time.pass_(console, 3)
        await console.sees("Sending on e-mail in 1 s.")


async def test_send_now_has_its_own_key_and_ctrl_s_again_does_nothing(desk: DeskDouble) -> None:
    desk.received("emily", "wa", phone("+442079460182"), "here", minutes=0)
    time = Time()
    async with running(desk, clock=time) as console:
        await begin(console)
        await console.sees("on WhatsApp")
        await console.type("once")
        await console.press("ctrl+s", "ctrl+s")
        await console.sees("Sending on WhatsApp in 5 s.")
        await time.pass_(console, 2)
        await console.press("ctrl+s")
        await console.sees("Already accepted at 14:02.")
        assert len(desk.called("reply")) == 1
        assert console.app.where == "box"
        await console.press("ctrl+x", "n")
        await console.until(lambda: desk.called("send_at"))
        assert desk.called("send_at")[0][2] is None
        await console.sees("WhatsApp to Emily Rhodes: ")


async def test_the_next_sentence_stays_below_what_was_stopped(desk: DeskDouble) -> None:
    desk.received("emily", "wa", phone("+442079460182"), "here", minutes=0)
    async with running(desk) as console:
        await begin(console)
        await console.sees("on WhatsApp")
        await console.type("one")
        await console.press("ctrl+s")
        await console.sees("Sending on WhatsApp in 5 s.")
        await console.type("two")
        await console.press("f9")
        await console.sees("The text is back.")
        assert console.box.text == "one\ntwo"


async def test_stopping_while_writing_to_somebody_else_leaves_that_box_alone(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("for Emily")
        await console.press("ctrl+s")
        await console.sees("Sending on e-mail in 5 s.")
        console.app._guard_until = 0.0
        await begin(console, "田中ゆき")
        await console.type("for Tanaka")
        await console.press("f9")
        await console.sees("The text is kept there as a draft.")
        assert console.box.text.endswith("for Tanaka")
        await console.until(lambda: {d.text for d in desk.kept.values()} >= {"for Emily"})
        await console.press("escape")
        await begin(console)
        assert console.box.text == "for Emily"


async def test_a_console_that_attaches_again_finds_what_is_held(desk: DeskDouble) -> None:
    at = NOW - timedelta(seconds=1)
    entry = Reply(
        id=EntryId("e-held"),
        at=at,
        agent=AgentName("mina"),
        conversation=ConversationId("c-emily"),
        account=AccountName("mail"),
        medium=Medium("email"),
        address=email("emily@example.com"),
        text="written before",
        key="k",
        not_before=at + timedelta(seconds=5),
        held=True,
    )
    desk.add("emily", entry)
    async with running(desk) as console:
        await console.sees("Sending on e-mail in 4 s. F9 stop")
        await console.press("f9")
        await console.sees("The text is back.")
        assert console.box.text == "written before"


async def test_an_earlier_text_under_the_same_request_is_told_apart(desk: DeskDouble) -> None:
    """The hub accepted a text, its answer was lost, and the agent wrote on: nothing of that is thrown away."""
    async with running(desk) as console:
        await begin(console)
        await console.type("short")
        writing = console.app.writer.now
        assert writing is not None
        await desk.reply(console.app.who, writing.request, writing.compose())
        await console.type(" and more")
        await console.press("ctrl+s")
        await console.sees("An earlier text of this reply was accepted")
        assert console.box.text == "short and more"
        assert writing.request not in desk.requests


# -- the last syllable -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "caret", "now", "typed", "sent"),
    [
        ("감사합니", (0, 4), "감사합니다", "다", "감사합니다"),
        ("감사합니", (0, 4), "감사합니", "", "감사합니"),
        ("감사합니", (0, 4), "감사합니다 네", "다 네", "감사합니다"),
        ("hello", (0, 5), "hello and", " and", "hello"),
        ("감사합니\nMina", (0, 4), "감사합니다\nMina", "다", "감사합니다\nMina"),
        ("가", (0, 1), "다른 글", None, "가"),
        ("가가", (0, 1), "가가가", "가", "가가가"),
    ],
)
def test_what_was_typed_since_and_the_syllable_of_it(
    before: str, caret: tuple[int, int], now: str, typed: str | None, sent: str
) -> None:
    assert typed_since(before, caret, now) == typed
    assert late_syllable(before, caret, now) == sent


def test_only_behind_hangul_there_may_be_a_syllable_to_come() -> None:
    assert composing("감사합니", (0, 4))
    assert not composing("감사합니다.", (0, 6))
    assert not composing("hello", (0, 5))
    assert not composing("", (0, 0))


async def test_the_syllable_that_comes_after_ctrl_s_belongs_to_the_reply(desk: DeskDouble) -> None:
    async with running(desk, language="ko") as console:
        await begin(console)
        await console.type("감사합니")
        await console.press("ctrl+s", "다")
        await console.until(lambda: desk.called("reply"))
        assert [call[1].text for call in desk.called("reply")] == ["감사합니다"]
        await console.sees("5초 뒤 발송")
        assert not console.app.writer.known[ConversationId("c-emily"), False].text


# -- scheduled ---------------------------------------------------------------------------------------------


@BOTH_LANGUAGES
async def test_a_reply_is_scheduled_with_words_and_taken_back(desk: DeskDouble, language: str) -> None:
    en = language == "en"
    async with running(desk, language=language) as console:
        await begin(console)
        await console.type("good morning")
        await console.press("f10")
        await console.sees("Send when:" if en else "발송 시각:")
        await console.type("tomorrow 9" if en else "내일 9시")
        await console.press("enter")
        await console.sees("leaves 4 Mar 09:00. F9 takes it back." if en else "3월 4일 09:00 발송 예약. F9 되돌림")
        assert desk.called("reply")[0][1].not_before == datetime(2026, 3, 4, 9, tzinfo=NOW.tzinfo)
        await console.sees("Scheduled for 4 Mar 09:00." if en else "3월 4일 09:00 발송 예약.")
        assert console.app.writer.holding._timer is None
        await console.press("f9")
        await console.sees("The text is back." if en else "글을 되돌림.")
        assert console.box.text == "good morning"


async def test_words_that_name_no_time_schedule_nothing(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.press("f10")
        await console.sees("Nothing to schedule here")
        await console.type("hi")
        await console.press("ctrl+x", "s")
        await console.type("whenever")
        await console.press("enter")
        await console.sees("No such time ahead: whenever. Nothing was scheduled.")
        assert console.app.where == "box"
        assert console.box.text == "hi"
        assert not desk.called("reply")


async def test_the_time_of_a_scheduled_reply_is_edited_where_it_stands(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("good morning")
        await console.press("f10")
        await console.type("tomorrow 9")
        await console.press("enter")
        await console.sees("leaves 4 Mar 09:00")
        await console.until(lambda: console.app.where == "conversation")
        console.app._guard_until = 0.0
        await console.press("G")
        await console.until(lambda: isinstance(console.app.timeline.chosen_entry, Reply))
        await console.press("f10")
        await console.type("5 Mar 10:30")
        await console.press("enter")
        await console.sees("leaves 5 Mar 10:30")
        await console.sees("Scheduled for 5 Mar 10:30.")


async def test_undo_goes_past_a_reply_that_was_stopped(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("a")
        await console.sees("Assigned to")
        await begin(console)
        await console.type("not yet")
        await console.press("ctrl+s")
        await console.sees("F9 stop")
        await console.press("f9")
        await console.sees("The text is back.")
        console.app._guard_until = 0.0
        await console.press("escape", "u")
        await console.until(lambda: "ndone" in console.strip)
        assert not desk.called("cancel")


async def test_in_the_outbox_the_chosen_reply_is_stopped_not_the_newest(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        for text, day in (("first", "4 Mar 09:00"), ("second", "5 Mar 09:00")):
            if console.app.where != "box":
                console.app._guard_until = 0.0
                await console.press("r")
                await console.until(lambda: console.app.where == "box")
            await console.type(text)
            await console.press("f10")
            await console.type(day)
            await console.press("enter")
            await console.sees(f"leaves {day}")
            await console.until(lambda: console.app.where == "conversation")
        first, _ = (call[1] for call in desk.called("reply"))
        console.app._guard_until = 0.0
        await console.press("g", "o")
        await console.until(lambda: console.app.page_kind == "outbox")
        place = next(
            n
            for n, item in enumerate(console.app.page.items)
            if any(line.record.reply == item.value and line.text == first.text for line in console.app.acting.lines)
        )
        console.app.page.select(place)
        await console.press("f9")
        await console.sees("The text is back.")
        assert console.box.text == "first"


# -- set aside ---------------------------------------------------------------------------------------------


async def test_a_draft_that_was_set_aside_is_kept_by_the_hub_and_comes_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("half a thought")
        await console.press("left", "ctrl+n")
        await console.sees("ctrl+x z brings it back.")
        await console.until(lambda: desk.thrown)
        assert desk.thrown[0].text == "half a thought"
    async with running(desk) as later:
        await begin(later)
        assert later.box.text == ""
        await later.type("new")
        await later.press("ctrl+x", "z")
        await later.sees("Back: the text set aside 14:02. Nothing was sent.")
        assert later.box.text == "half a thought\nnew"
        assert later.box.cursor_location == (0, 13)
        await later.until(lambda: not desk.thrown)
        await later.press("ctrl+x", "z")
        await later.sees("Nothing was set aside in this conversation")


# -- other agents ------------------------------------------------------------------------------------------


@BOTH_LANGUAGES
async def test_who_writes_to_the_same_customer_is_shown_with_age_and_channel(desk: DeskDouble, language: str) -> None:
    en = language == "en"
    async with running(desk, language=language, size=LARGE) as console:
        await console.open("Emily Rhodes")
        desk.comes("hyun", "emily", NOW - timedelta(seconds=4), writing=True, medium=WHATSAPP)
        await console.sees(
            "hyun is writing to this customer (4 s ago, WhatsApp). F3 take over"
            if en
            else "hyun 님이 이 고객에게 작성 중(4초 전, 왓츠앱). F3 넘겨받기"
        )
        await console.until(lambda: ">~ma Emily" in console.screen)
        desk.goes("hyun")
        await console.until(lambda: "writing to this" not in console.screen and "작성 중(" not in console.screen)


async def test_another_conversation_of_the_customer_counts_too_and_another_customer_does_not(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        desk.comes("hyun", "emily", NOW, conversation=ConversationId("another"))
        await console.sees("hyun looks at this customer.")
        desk.comes("hyun", "tanaka", NOW, writing=True)
        await console.until(lambda: "looks at this customer" not in console.screen)


async def test_a_send_waits_while_somebody_else_writes_and_f8_overrules_that(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("mine")
        desk.comes("hyun", "emily", NOW - timedelta(seconds=4), writing=True, medium=WHATSAPP)
        await console.sees("hyun writes here (4 s ago, WhatsApp). Yours waits. F3")
        await console.press("ctrl+s")
        await console.sees("Not sent, text kept: hyun is writing here (4 s ago). F8 sends, F3 takes over")
        assert not desk.called("reply")
        await console.press("f8")
        await console.until(lambda: desk.called("reply"))
        assert not desk.called("reply")[0][1].anyway


async def test_taking_over_brings_the_others_text(desk: DeskDouble) -> None:
    desk.theirs[AgentName("hyun")] = a_draft("Dear Emily, we", agent=AgentName("hyun"), caret=(0, 14), revision=9)
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        desk.comes("hyun", "emily", NOW, writing=True, conversation=ConversationId("c-emily"))
        await console.sees("F3 take over")
        await console.press("f3")
        await console.sees("Taken over from hyun, who keeps the text and is told.")
        assert (console.box.text, console.box.cursor_location) == ("Dear Emily, we", (0, 14))
        assert console.app.where == "box"


async def test_what_is_taken_over_bears_the_name_of_its_customer(desk: DeskDouble) -> None:
    desk.theirs[AgentName("hyun")] = a_draft("Dear Emily, we", agent=AgentName("hyun"), caret=(0, 14), revision=9)
    async with running(desk) as console:
        await console.open("박민수")
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.press("escape")
        await console.open("Emily Rhodes")
        desk.comes("hyun", "emily", NOW, writing=True, conversation=ConversationId("c-emily"))
        await console.sees("F3 take over")
        names = []
        show = console.app.writer.show

        async def shown(writing: Writing) -> None:
            names.append(writing.name)
            await show(writing)

        console.app.writer.show = shown  # type: ignore[method-assign]
        await console.press("f3")
        await console.sees("Taken over from hyun")
        assert names == ["Emily Rhodes"]


async def test_a_text_that_was_taken_over_is_only_read_until_one_writes_on(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("half")
        await console.until(lambda: desk.kept)
        desk.comes("mina", "emily", NOW, writing=True, taken_by=AgentName("hyun"))
        await console.sees("hyun took this over. The text stays here, to be read only. F3 writes on")
        await console.type(" more")
        assert console.box.text == "half"
        del desk.others[AgentName("mina")]
        await console.press("f3")
        await console.sees("The text can be written on.")
        await console.type(" more")
        assert console.box.text == "half more"


@BOTH_LANGUAGES
async def test_who_answered_meanwhile_and_when_is_said(desk: DeskDouble, language: str) -> None:
    async with running(desk, language=language) as console:
        await begin(console)
        await console.type("mine")
        desk.add("emily", other_reply())
        desk.refuse = Answered("hyun answered at 14:01. Yours was not sent and is kept.", "")
        await console.press("ctrl+s")
        await console.sees(
            "hyun answered at 14:01. Yours was not sent and is kept. esc reads it, F8 sends"
            if language == "en"
            else "14:01 hyun 님이 답장함. 내 글은 발송 안 됨, 보관됨. esc 읽기, F8 발송"
        )
        assert console.box.text == "mine"
        await console.press("f8")
        await console.until(lambda: len(desk.called("reply")) == 2)
        assert desk.called("reply")[1][1].anyway


def other_reply(**changes: Any) -> Reply:
    values: dict[str, Any] = {
        "id": EntryId("e-hyun"),
        "at": NOW - timedelta(minutes=1),
        "agent": AgentName("hyun"),
        "conversation": ConversationId("c-emily"),
        "account": AccountName("mail"),
        "medium": Medium("email"),
        "address": email("emily@example.com"),
        "text": "theirs",
        "key": "k",
    }
    return Reply(**(values | changes))


async def test_the_others_are_told_where_one_is_and_that_one_writes(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.until(lambda: desk.attended and desk.attended[-1][:2] == ("emily", "c-emily"))
        assert not desk.attended[-1][3]
        await console.type("some words at once")
        await console.until(lambda: any(writing for *_, writing in desk.attended))
        assert sum(writing for *_, writing in desk.attended) == 1
        assert CustomerId("emily") in {customer for customer, *_ in desk.attended}
