"""What is sent: once, with what was seen, and what follows a send."""

from __future__ import annotations

import pytest
from textual import events
from textual.css.query import NoMatches

from agentconsole.errors import Answered
from tests.ui.console import LARGE, running
from tests.ui.desk_double import DeskDouble, email, emily, phone
from tests.ui.writing_helpers import begin


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


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


async def test_keys_that_edit_count_although_the_send_comes_right_behind(desk: DeskDouble) -> None:
    """Over a slow line they come in one read: what was deleted before ctrl+s is not sent."""
    async with running(desk) as console:
        await begin(console)
        await console.type("Dear Emilyy")
        for key in ("backspace", "ctrl+s"):
            console.app.post_message(events.Key(key, None))
        await console.until(lambda: desk.called("reply"))
        assert desk.called("reply")[0][1].text == "Dear Emily"


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
