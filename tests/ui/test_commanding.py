"""Notes, assignment, state, undo, coach and what keys do."""

from __future__ import annotations

import pytest
from textual import events

from agentconsole.errors import AgentConsoleError, Refused
from tests.ui.console import running
from tests.ui.desk_double import DeskDouble, emily
from tests.ui.writing_helpers import BOTH_LANGUAGES, BOTH_SIZES, begin


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


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
        await console.sees("Undone: Assigned to mina" if en else "되돌림: 담당: mina")
        assert all(not line.assignee for _, line in console.app.queue.lines())
        await console.press("c")
        await console.sees("Closed." if en else "종료함.", "3 waiting" if en else "대기 3")
        assert console.coach.events == ["closed"]
        await console.press("u")
        await console.sees("Undone: Closed (" if en else "되돌림: 종료함 (", "4 waiting" if en else "대기 4")
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
        await console.press("=")
        await console.sees("= means nothing here. ? shows what does.")


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_help_is_for_the_context(desk: DeskDouble, size: tuple[int, int], language: str) -> None:
    async with running(desk, size=size, language=language) as console:
        await console.press("?")
        await console.sees("in the list of conversations" if language == "en" else "대화 목록에서")
        page = "".join(text for item in console.app.page.items for text, _ in item.line)
        assert all(console.app.say(f"action.{name}") in page for name in ("uncertain", "previous_row"))
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

        desk.work = refused  # type: ignore[method-assign]
        await console.press("a")
        await console.sees("This agent may only read. Ask for the right.")
