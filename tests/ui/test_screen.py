"""The screen itself: colours that change while it stands, copies, notices, and the blanked screen."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime, timedelta

import pytest
from textual import events

from agentconsole.domain.model import AgentName, ConversationId, CustomerId
from agentconsole.ui import look, outside
from tests.ui.console import Driver, running
from tests.ui.desk_double import NOW, DeskDouble, email, emily


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


def written(console: Driver, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(console.app, "write", found.append)
    return found


def colours(console: Driver) -> set[str]:
    lines = console.app.screen._compositor.render_strips()
    styles = (segment.style for line in lines for segment in line)
    return {colour.name for s in styles if s for colour in (s.color, s.bgcolor) if colour is not None}


# -- colours -----------------------------------------------------------------------------------------------


async def test_theme_changes_while_the_console_stands(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        before = console.screen
        for name, paper in (("light", "color(231)"), ("dark", "color(234)"), ("ansi", "")):
            console.app.acting.do_theme(name)
            await console.settle()
            found = colours(console)
            assert (paper or "cyan") in found, found
            assert paper or not any(colour.startswith(("color", "#")) for colour in found)
        console.app.tell_text(look.ASCII["edge"][:0])  # type: ignore[arg-type]
        await console.settle()
        assert console.screen == before


async def test_no_color_stays(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(desk, theme="dark") as console:
        assert console.app.look.name == "mono"
        console.app.acting.do_theme("light")
        assert console.app.look.name == "mono"
        assert console.app.told_key == "theme.no_color"
        assert {c for c in colours(console) if c != "default"} == set()


async def test_unicode_glyphs_frame_the_same_screen(desk: DeskDouble) -> None:
    async with running(desk) as console:
        plain = console.screen
    async with running(desk, glyphs=look.UNICODE) as console:
        framed = console.screen
    assert "│" in framed
    assert "→" in framed
    assert len(plain.splitlines()) == len(framed.splitlines())
    back = str.maketrans({glyph: look.ASCII[name] for name, glyph in look.UNICODE.items() if not glyph.isascii()})
    assert framed.translate(back) == plain


# -- copying -----------------------------------------------------------------------------------------------


async def test_copy_takes_the_chosen_message_and_says_how(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(desk, in_tmux=True) as console:
        sent = written(console, monkeypatch)
        await console.open("박민수")
        console.app.acting.do_copy()
        assert sent == [outside.copy("배송 언제 오나요?", in_tmux=True)]
        assert "set-clipboard" in console.strip


async def test_copy_in_the_list_takes_the_address(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(desk) as console:
        sent = written(console, monkeypatch)
        console.app.acting.do_copy()
        assert base64.b64decode(sent[0][7:-2]) == b"tanaka@example.com"
        assert "docs/ssh.md" in console.strip


async def test_masked_number_is_copied_masked(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.received("card", "mail", email("c@example.com"), "my card 4111 1111 1111 1111", name="Cara")
    async with running(desk) as console:
        sent = written(console, monkeypatch)
        await console.open("Cara")
        console.app.acting.do_copy()
        assert b"4111 1111" not in base64.b64decode(sent[0][7:-2])


async def test_too_long_a_text_is_not_copied_in_part(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.received("long", "mail", email("l@example.com"), "long " * 16_000, name="Longo")
    async with running(desk) as console:
        sent = written(console, monkeypatch)
        await console.open("Longo")
        console.app.acting.do_copy()
        assert sent == []
        assert "80 kB" in console.strip


# -- notices -----------------------------------------------------------------------------------------------


def away(console: Driver) -> None:
    console.app.post_message(events.AppBlur())


async def comes(console: Driver, number: int, *, name: str = "박민수", customer: str = "minsu") -> None:
    """Let a message come in and wait until the console has looked at it."""
    before = len(console.desk.called("timeline"))
    console.desk.received(customer, "sms", email("x@example.com"), f"question {number}", minutes=-number, name=name)
    await console.until(lambda: len(console.desk.called("timeline")) > before or console.app.notices.level == "none")


async def test_notice_only_while_somebody_looks_elsewhere(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(desk, notify=("bell", "osc9"), notify_level="all") as console:
        sent = written(console, monkeypatch)
        box = console.app.focused
        away(console)
        await console.until(lambda: console.app.notices.away)
        assert console.app.focused is box, "the keyboard stays where it is"
        await comes(console, 1)
        await console.until(lambda: sent)
        assert sent == ["\x07", "\x1b]9;agentconsole: 1 new message\x1b\\"], "no name, no word of it"
        console.app.post_message(events.AppFocus())
        await console.until(lambda: not console.app.notices.away)
        console.app.notices._resting = False
        desk.received("new", "mail", email("new@example.com"), "hello", minutes=-2, name="Newman")
        await console.until(lambda: console.app.queue.total == 5)
        assert len(sent) == 2


async def test_notices_come_one_at_a_time_and_count(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(desk, notify=("title",), notify_level="all", notify_name=True) as console:
        sent = written(console, monkeypatch)
        away(console)
        await console.until(lambda: console.app.notices.away)
        for number in range(1, 4):
            await comes(console, number)
        await console.until(lambda: len(console.app.notices._waiting) == 2)
        assert sent == ["\x1b]2;박민수: new message\x1b\\"]
        console.app.notices._emit()
        assert sent[1:] == ["\x1b]2;2 new messages\x1b\\"]
        await console.press("j")
        assert sent[2:] == ["\x1b]2;agentconsole\x1b\\"]


@pytest.mark.parametrize(
    ("level", "assignee", "told"),
    [
        ("none", "mina", False),
        ("mine", "mina", True),
        ("mine", "", False),
        ("mine", "hyun", False),
        ("queue", "", True),
        ("queue", "mina", True),
        ("queue", "hyun", False),
        ("all", "hyun", True),
    ],
)
async def test_level_says_whose_messages(desk: DeskDouble, level: str, assignee: str, told: bool) -> None:
    async with running(desk) as console:
        console.app.acting.do_notify(level)
        assert console.app.notices.means(AgentName(assignee)) is told


async def test_old_messages_are_no_news(desk: DeskDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(desk, notify_level="all") as console:
        sent = written(console, monkeypatch)
        away(console)
        await console.until(lambda: console.app.notices.away)
        await comes(console, -120, customer="older", name="Old")
        await comes(console, 1)
        await console.until(lambda: sent)
        assert (sent, console.app.notices._waiting) == (["\x07"], [])


# -- the blanked screen ------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Pin:
    def __init__(self, right: str) -> None:
        self.right, self.asked = right, 0

    def opens(self, typed: str) -> bool:
        self.asked += 1
        return typed == self.right


def shows_nobody(console: Driver) -> bool:
    words = (
        "Emily",
        "박민수",
        "tanaka",
        "田中",
        "배송",
        "appointment",
        "half a",
        "example.com",
        "WAITING",
        "mina@demo",
    )
    return not any(word in console.screen for word in words)


async def test_blanked_screen_shows_nobody_whatever_comes(desk: DeskDouble) -> None:
    async with running(desk, size=(160, 48), coach=True) as console:
        await console.open("박민수")
        await console.press("r")
        await console.type("half a sentence")
        console.app.acting.do_lock()
        await console.until(lambda: "The screen is blanked." in console.screen)
        assert shows_nobody(console), console.screen
        desk.received("new", "mail", email("new@example.com"), "배송", name="Newman")
        await console.until(lambda: console.app.queue.total == 5)
        console.app.show_banner("sending_rests")
        console.app.tell("strip.linked")
        console.app.note("opened", name="Emily")
        await console.pilot.resize_terminal(80, 24)
        await console.settle()
        assert shows_nobody(console), console.screen
        assert [line for line in console.screen.splitlines() if line.strip()] != []
        await console.until(lambda: "half a sentence" in console.desk.kept[ConversationId("c-minsu")].text)
        await console.press("x")
        await console.sees("half a sentence")
        assert console.box.text.endswith("half a sentence"), "the key that opened it was typed nowhere"


async def test_screen_blanks_itself_after_the_time_without_a_key(desk: DeskDouble) -> None:
    clock = Clock()
    async with running(desk, clock=clock, lock_after=timedelta(minutes=10)) as console:
        clock.now += timedelta(minutes=9)
        await console.press("j")
        clock.now += timedelta(minutes=9)
        console.app.lock._watch()
        assert not console.app.lock.on
        clock.now += timedelta(minutes=2)
        console.app.lock._watch()
        assert console.app.lock.on


async def test_pin_opens_and_wrong_ones_have_to_wait(desk: DeskDouble) -> None:
    clock, pin = Clock(), Pin("2580")
    async with running(desk, clock=clock, pin=pin) as console:

        async def tried(text: str) -> None:
            before = pin.asked
            await console.type(text)
            await console.press("enter")
            await console.until(lambda: pin.asked > before and not console.app.lock._checking)

        console.app.acting.do_lock()
        await console.press("j", "enter")
        await console.until(lambda: pin.asked == 1 and not console.app.lock._checking)
        await tried("0000")
        assert "0000" not in console.screen
        assert "Not the PIN." in console.screen
        await tried("1111")
        await console.sees("Next try in 5 s.")
        await console.type("2580")
        await console.press("enter")
        assert (pin.asked, console.app.lock.on) == (3, True), "what is typed meanwhile is no try"
        clock.now += timedelta(seconds=6)
        await console.type("25")
        await console.sees("**")
        await console.press("backspace", "backspace")
        await tried("2580")
        await console.until(lambda: not console.app.lock.on)
        await console.sees("WAITING")


async def test_paste_reaches_nothing_below_the_blanked_screen(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("박민수")
        await console.press("r")
        before = console.box.text
        console.app.acting.do_lock()
        console.app.post_message(events.Paste("secret"))
        await console.settle()
        await console.press("j")
        assert (console.app.lock.on, console.box.text) == (False, before)


async def test_blanked_screen_can_be_left(desk: DeskDouble) -> None:
    async with running(desk, pin=Pin("2580")) as console:
        console.app.acting.do_lock()
        await console.press("ctrl+q")
        await console.until(lambda: console.app.return_code is not None)


async def test_without_a_clock_nothing_is_drawn_until_somebody_is_there(desk: DeskDouble) -> None:
    clock = Clock()
    async with running(desk, clock=clock, show_clock=False) as console:
        assert "14:02" not in console.screen.splitlines()[0]
        before = console.screen
        clock.now += timedelta(minutes=30)
        console.app._minute()
        await asyncio.sleep(0)
        await console.settle()
        assert console.screen == before
        await console.press("j")
        assert "52m" in console.screen
        assert CustomerId("tanaka") in desk.records
