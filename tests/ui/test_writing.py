"""What is written: drafts that survive, the walk over routes, sends that happen once, undo, coach, keys."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from textual import events
from textual.css.query import NoMatches

from agentconsole.desk import Agent
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
)
from agentconsole.errors import AgentConsoleError, Answered, Refused, StoreFault
from agentconsole.ui import writing
from tests.ui.console import LARGE, SMALL, Driver, running
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone

BOTH_SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
BOTH_LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


def a_draft(text: str = "half a sentence", **changes: object) -> Draft:
    values: dict[str, object] = {
        "agent": AgentName("mina"),
        "customer": CustomerId("emily"),
        "conversation": ConversationId("c-emily"),
        "text": text,
        "revision": 5,
        "at": NOW - timedelta(minutes=22),
        "caret": (0, 4),
        "request": "request-of-the-draft-1",
    }
    return Draft(**{**values, **changes})  # type: ignore[arg-type]


async def begin(console: Driver, name: str = "Emily Rhodes") -> None:
    await console.open(name)
    await console.press("r")
    await console.until(lambda: console.app.where == "box" and console.app.writer.now.choice is not None)  # type: ignore[union-attr]


# -- Emily's story -----------------------------------------------------------------------------------------


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


# -- the channel -------------------------------------------------------------------------------------------


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


# -- sending once ------------------------------------------------------------------------------------------


async def test_an_answer_after_the_end_is_no_fault(desk: DeskDouble) -> None:
    async def late() -> None:
        console.app.query_one("#rail-that-is-gone")

    async with running(desk) as console:
        with pytest.raises(NoMatches):
            await console.app._guarded(late)
    await console.app._guarded(late)
    assert not console.app.is_running


async def test_second_send_of_an_accepted_revision_does_nothing(desk: DeskDouble) -> None:
    desk.received("emily", "wa", phone("+442079460182"), "here", minutes=0)
    desk.slow = 0.05
    async with running(desk) as console:
        await begin(console)
        await console.sees("on WhatsApp")
        await console.type("once")
        await console.press("ctrl+s", "ctrl+s")
        await console.until(lambda: console.strip.startswith("WhatsApp to Emily"))
        await console.press("ctrl+s")
        await console.sees("Already accepted at 14:02. Nothing is sent twice.")
        assert len(desk.called("reply")) == 1


async def test_chat_keeps_the_box_open_and_mail_closes_it(desk: DeskDouble) -> None:
    desk.received("emily", "wa", phone("+442079460182"), "here", minutes=0)
    async with running(desk) as console:
        await begin(console)
        await console.type("one")
        await console.press("ctrl+s")
        await console.until(lambda: console.box.text == "")
        assert console.app.where == "box"
        await console.type("two")
        await console.press("ctrl+s")
        await console.until(lambda: len(desk.called("reply")) == 2)
        first, second = (call[0] for call in desk.called("reply"))
        assert first != second
        await console.press("escape")
        await begin(console, "田中ゆき")
        await console.type("mail")
        await console.press("ctrl+s")
        await console.until(lambda: console.app.where == "conversation")


async def test_keys_typed_into_a_view_that_changed_by_itself_are_dropped(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("done")
        await console.press("ctrl+s")
        await console.until(lambda: console.app.where == "conversation")
        assert console.app._guard_until
        console.app.guard()
        await console.press("a", "c")
        await console.sees("Keys typed while the view changed were dropped.")
        assert not desk.called("assign")
        assert not desk.called("set_status")
        console.app._guard_until = 0.0
        await console.press("a")
        await console.until(lambda: desk.called("assign"))


async def test_text_typed_while_the_send_is_under_way_begins_the_next_reply(desk: DeskDouble) -> None:
    desk.received("emily", "wa", phone("+442079460182"), "here", minutes=0)
    async with running(desk) as console:
        await begin(console)
        await console.type("first")
        desk.slow = 0.3
        await console.press("ctrl+s")
        await console.type(" and")
        await console.until(lambda: console.box.text == " and", "the rest stays")
        assert [call[1].text for call in desk.called("reply")] == ["first"]


async def test_refused_send_keeps_the_text_and_can_be_overruled_where_somebody_answered(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("mine")
        desk.refuse = Answered(
            "hyun answered in the meantime. Yours was not sent and is kept.", "Read the answer first."
        )
        await console.press("ctrl+s")
        await console.sees("Not sent, text kept. hyun answered in the meantime.", "ctrl+] sends anyway")
        assert console.box.text == "mine"
        await console.press("ctrl+right_square_bracket")
        await console.until(lambda: len(desk.called("reply")) == 2)
        first, second = desk.called("reply")
        assert first[0] == second[0]
        assert second[1].anyway


async def test_send_names_what_was_seen(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        newest = console.app.reading.opened.newest  # type: ignore[union-attr]
        await console.type("x")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        assert desk.called("reply")[0][1].expected == newest


async def test_send_key_outside_the_box_says_that_nothing_was_sent(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("ctrl+s")
        await console.sees("ctrl+s means nothing here.")
        await begin(console)
        await console.type("thanks")
        await console.press("tab", "ctrl+s")
        await console.sees("Nothing sent: the keyboard is not in the reply. 4 goes there.")
        assert "E-mail to" not in console.strip
        await console.press("4", "ctrl+s")
        await console.sees("E-mail to Emily Rhodes: queued.")


async def test_title_says_re_once(desk: DeskDouble) -> None:
    desk.received(
        "ann", "mail", email("ann@example.com"), "and?", name="Ann", subject="Re: Lenses", conversation="c-ann"
    )
    async with running(desk, size=LARGE) as console:
        await begin(console, "Ann")
        await console.sees("ann@example.com  Re: Lenses")


async def test_nothing_typed_is_not_sent(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.press("ctrl+s")
        await console.sees("Nothing typed, nothing sent.")


async def test_undo_takes_back_a_queued_send(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("oops")
        await console.press("ctrl+s")
        await console.until(lambda: console.app.where == "conversation")
        console.app._guard_until = 0.0
        await console.press("u")
        await console.sees("cancelled")


# -- drafts ------------------------------------------------------------------------------------------------


async def test_draft_is_kept_half_a_second_after_the_last_key_and_on_leaving(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("Dear Emi")
        await console.until(lambda: desk.kept.get(ConversationId("c-emily")), "kept while typing")
        kept = desk.kept[ConversationId("c-emily")]
        assert (kept.text, kept.caret) == ("Dear Emi", (0, 8))
        await console.sees("kept 14:02")
        await console.type("ly")
        await console.press("escape")
        await console.sees("Draft kept, nothing was sent. r brings it back.")
        await console.until(lambda: desk.kept[ConversationId("c-emily")].text == "Dear Emily")
        await console.press("r")
        await console.until(lambda: console.box.text == "Dear Emily")
        assert console.box.cursor_location == (0, 10)
        await console.press("ctrl+s")
        await console.until(lambda: not desk.kept, "dropped once accepted")
        assert desk.called("reply")[0][0] == kept.request


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_draft_is_back_after_a_restart(desk: DeskDouble, size: tuple[int, int], language: str) -> None:
    address = email("emily@example.com")
    desk.kept[ConversationId("c-emily")] = a_draft(account="mail", address=address)
    async with running(desk, size=size, language=language, coach=True) as console:
        await console.until(lambda: console.app.where == "box")
        await console.sees("half a sentence", "13:40")
        await console.sees("nothing was sent" if language == "en" else "발송된 것 없음")
        assert console.box.cursor_location == (0, 4)
        assert console.coach.events == ["draft_restored"]
        assert console.app.queue.chosen is not None
        assert console.app.queue.chosen.conversation == "c-emily", "the list means whom the box means"
        assert console.app._guard_until
        console.app.guard()
        await console.press("x")
        assert console.box.text == "half a sentence", "a key that was meant for the list"
        console.app._guard_until = 0.0
        await console.until(lambda: console.app.writer.now.choice is not None)  # type: ignore[union-attr]
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        request, compose = desk.called("reply")[0]
        assert (request, compose.route.address) == ("request-of-the-draft-1", address)


async def test_draft_of_a_note_comes_back_as_a_note(desk: DeskDouble) -> None:
    desk.kept[ConversationId("c-emily")] = a_draft("call her", note=True)
    async with running(desk) as console:
        await console.sees("Note on Emily Rhodes, only for us", "call her")


async def test_each_conversation_has_its_own_draft(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("for emily")
        await console.press("escape")
        await begin(console, "田中ゆき")
        assert console.box.text == ""
        await console.type("for tanaka")
        await console.press("escape")
        await begin(console)
        assert console.box.text == "for emily"
        await console.until(lambda: len(desk.kept) == 2)
        await console.press("escape")
        await console.sees("d|")


async def test_draft_that_a_full_disk_refused_is_kept_later_without_another_key(
    desk: DeskDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "KEEP_AGAIN", 0.2)
    save = desk.save_draft
    refused = []

    async def full(who: Agent, draft: Draft) -> bool:
        refused.append(draft)
        if len(refused) < 3:
            raise StoreFault("The disk is full.", "Free some space.")
        return await save(who, draft)

    desk.save_draft = full  # type: ignore[method-assign]
    async with running(desk) as console:
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.type("half a sentence")
        await console.sees("The disk is full.", "not kept yet")
        await console.until(lambda: desk.kept and next(iter(desk.kept.values())).text == "half a sentence")
        assert len(refused) == 3


async def test_hub_gone_keeps_the_draft_here_and_saves_it_when_it_is_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        desk.gone = True
        desk.tell()
        await console.sees("Hub not answering", "Draft kept here; sending paused.", "HUB OFF")
        assert console.app.hub_gone_since is not None
        console.app.hub_gone_since -= 10
        console.app.hub_gone()
        await console.sees("Hub gone for 1", "Draft kept here", "agentconsole status")
        await console.type("typed in the dark")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("warnings"))
        assert console.box.text == "typed in the dark"
        assert not desk.kept
        request = console.app.writer.now.request  # type: ignore[union-attr]
        desk.gone = False
        await console.until(lambda: desk.kept, "kept on reconnect")
        assert desk.kept[ConversationId("c-emily")].text == "typed in the dark"
        await console.until(lambda: "HUB OFF" not in console.screen)
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        assert [call[0] for call in desk.called("reply")] == [request], "the same request: one reply at most"


async def test_set_aside_empties_the_box_and_undo_brings_it_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("not now")
        await console.until(lambda: desk.kept)
        await console.press("ctrl+n")
        await console.until(lambda: not desk.kept)
        assert console.box.text == ""
        await console.press("escape", "u")
        await console.until(lambda: console.app.where == "box" and console.box.text == "not now")


async def test_ending_keeps_what_was_typed_a_moment_ago(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("last wor")
        await console.app.end()
        assert desk.kept[ConversationId("c-emily")].text == "last wor"


async def test_ending_does_not_wait_for_a_hub_that_is_silent(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("last")
        desk.slow = 30
        async with asyncio.timeout(1.0):
            await console.app.end()
        assert console.app.writer.now.text == "last"  # type: ignore[union-attr]


async def test_korean_is_sent_composed(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        console.box.load_text("\u1112\u1161\u11ab\u1100\u1173\u11af")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        assert desk.called("reply")[0][1].text == "한글"


# -- notes, assignment, state ------------------------------------------------------------------------------


async def test_note(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("i")
        await console.sees("Nobody outside sees this.")
        await console.type("vip")
        await console.press("ctrl+s")
        await console.sees("Note kept.", "note, only for us mina", "# vip")
        assert not desk.called("reply")


@BOTH_LANGUAGES
async def test_assign_close_reopen_and_undo(desk: DeskDouble, language: str) -> None:
    en = language == "en"
    async with running(desk, language=language, coach=True) as console:
        await console.press("j", "a")
        await console.sees("Assigned to mina" if en else "담당: mina", "@")
        await console.press("u")
        await console.until(lambda: [call[1] for call in desk.called("assign")] == ["mina", ""])
        await console.press("c")
        await console.sees("Closed." if en else "종료함.", "3 waiting" if en else "대기 3")
        assert console.coach.events == ["closed"]
        await console.press("u")
        await console.until(lambda: [call[1] for call in desk.called("set_status")] == ["resolved", "open"])
        await console.sees("Undone." if en else "되돌림.")
        await console.press("g", "a")
        await console.until(lambda: console.app.queue.total == 4)
        await console.press("c")
        await console.until(lambda: console.app.queue.total == 3)
        await console.press("g", "c")
        await console.until(lambda: console.app.queue.total == 1)
        await console.press("o")
        await console.sees("Open again." if en else "다시 열림.")


async def test_assign_to_somebody(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("A")
        await console.type("hyun")
        await console.press("enter")
        await console.until(lambda: desk.called("assign") == [("c-emily", "hyun")])
        assert console.app.where == "conversation"


async def test_changes_arrive_in_the_order_of_the_keys(desk: DeskDouble) -> None:
    desk.slow = 0.05
    async with running(desk) as console:
        await console.press("a", "c")
        await console.until(lambda: desk.called("set_status"))
        names = [name for name, _ in desk.calls if name in ("assign", "set_status")]
        assert names == ["assign", "set_status"]


# -- keys --------------------------------------------------------------------------------------------------


async def test_hangul_keys_do_what_harmless_letters_do_and_never_change_state(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("ㅓ")
        assert console.app.queue.cursor == 1
        await console.press("ㅏ")
        assert console.app.queue.cursor == 0
        for letter in "ㅁㅊㅐ":
            await console.press(letter)
            assert "press 한/영" in console.strip
            console.app.tell("strip.undone")
        assert not desk.called("assign")
        assert not desk.called("set_status")
        await console.press("ㅎ", "ㅡ")
        await console.until(lambda: console.app.reading.view == "mine")
        await console.press("ㅎ", "ㅑ")
        await console.until(lambda: console.app.queue.total == 4)
        await console.press("ㄱ")
        await console.until(lambda: console.app.where == "box")


async def test_letters_in_the_box_never_command(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("acouIXqj")
        assert console.box.text == "acouIXqj"
        names = {name for name, _ in desk.calls}
        assert not names & {"assign", "set_status", "answer_suggestion"}


async def test_paste_into_a_list_runs_nothing_and_into_the_box_is_sanitised(desk: DeskDouble) -> None:
    async with running(desk) as console:
        console.app.post_message(events.Paste("acr\n"))
        await console.pilot.pause()
        assert console.app.where == "list"
        assert not desk.called("assign")
        await begin(console)
        console.app.post_message(events.Paste("two\nlines\x1b]52;c;eA==\x07"))
        await console.until(lambda: "lines" in console.box.text)
        assert console.box.text == "two\nlines\u241b]52;c;eA==\u2407"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_pasted_lines_stay_lines_however_the_terminal_ends_them(desk: DeskDouble, end: str) -> None:
    async with running(desk) as console:
        await begin(console)
        console.app.post_message(events.Paste(f"one{end}two{end}{end}three"))
        await console.until(lambda: "three" in console.box.text)
        assert console.box.text == "one\ntwo\n\nthree"


async def test_unknown_key_is_told(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("y")
        await console.sees("y means nothing here. ? shows what does.")


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_help_is_for_the_context(desk: DeskDouble, size: tuple[int, int], language: str) -> None:
    async with running(desk, size=size, language=language) as console:
        await console.press("?")
        await console.sees("in the list of conversations" if language == "en" else "대화 목록에서")
        await console.sees(*(console.app.say(f"action.{name}") for name in ("view.uncertain", "previous_row")))
        await console.press("escape")
        await begin(console)
        await console.press("f1")
        await console.sees("while typing" if language == "en" else "글을 쓸 때", "ctrl+s")
        await console.press("escape")
        await console.until(lambda: console.app.where == "box")


async def test_palette_runs_actions_and_extra_entries(desk: DeskDouble) -> None:
    ran: list[str] = []

    async def cut() -> str:
        ran.append("cut")
        return "The SMS gateway is cut."

    async def broken() -> None:
        raise AgentConsoleError("That did not work.", "Try again.")

    extra = (("Demo: cut the SMS gateway", cut), ("Demo: broken", broken))
    async with running(desk, extra=extra) as console:
        await console.press("ctrl+p")
        await console.sees("Demo: cut the SMS gateway", "Assign to me")
        await console.type("cut sms")
        await console.until(lambda: "Assign to me" not in console.screen)
        await console.press("enter")
        await console.sees("The SMS gateway is cut.")
        assert ran == ["cut"]
        await console.press("ctrl+p")
        await console.type("broken")
        await console.press("enter")
        await console.sees("That did not work. Try again.")
        await console.press("ctrl+p")
        await console.type("view: mine")
        await console.press("enter")
        await console.until(lambda: console.app.reading.view == "mine")


async def test_palette_from_the_box_returns_to_the_box(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console)
        await console.type("text")
        await console.press("ctrl+p", "escape")
        await console.until(lambda: console.app.where == "box")
        assert console.box.text == "text"


async def test_coach_line_hides_and_comes_back(desk: DeskDouble) -> None:
    async with running(desk, coach=True) as console:
        await console.sees("Step 1 of 6")
        await console.press("escape")
        await console.until(lambda: "Step 1 of 6" not in console.screen)
        await console.press("?")
        await console.sees("Step 1 of 6")
        await console.open("Emily Rhodes")
        await console.sees("heard opened")


async def test_quit(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("q")
        await console.until(lambda: console.app._exit)
        assert (console.app.return_code or 0) == 0


async def test_mistake_of_one_call_does_not_end_the_console(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        desk.refuse = Refused("This agent may only read.")

        async def refused(*_: object) -> None:
            raise Refused("This agent may only read.", "Ask for the right.")

        desk.assign = refused  # type: ignore[method-assign]
        await console.press("a")
        await console.sees("This agent may only read. Ask for the right.")
