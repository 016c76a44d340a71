"""Commands while a Korean input method is on, by the bytes that terminals get from one.

``IBUS`` was recorded from xterm 379 with ibus 1.5.27 and ibus-hangul 1.5.4 (Debian 12, 2-set layout, XIM) under Xvfb:
keys by xdotool, what the terminal's program read in raw mode. What is called an imitation was written from what is
known of that input method and not recorded.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from agentconsole.text.hangul import in_latin_mode
from tests.ui.console import Driver, running
from tests.ui.desk_double import DeskDouble, emily


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


async def feed(console: Driver, data: bytes) -> None:
    """Hand the bytes of a terminal to the console, through Textual's parser."""
    parser = XTermParser()
    found = [*parser.feed(data.decode()), *parser.feed("")]
    for event in found:
        if isinstance(event, events.Key | events.Paste):
            console.app.post_message(event)
        await console.settle()


def test_every_letter_of_the_layout_is_its_key() -> None:
    assert in_latin_mode("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ") == "qwertyuiopasdfghjklzxcvbnm"
    assert in_latin_mode("ㅃㅉㄸㄲㅆㅒㅖ") == "QWERTOP"


IBUS = {
    "j j j": (b"\xe3\x85\x93", b"\xe3\x85\x93"),  # the third is held until the next key
    "r Down": (b"\xe3\x84\xb1\x1b[B",),
    "r j Down": (b"\xea\xb1\xb0", b"\x1b[B"),
    "a a Return": (b"\xe3\x85\x81", b"\xe3\x85\x81", b"\r"),
    "g i ctrl+s": (b"\xed\x96\x90", b"\x13"),
    "g a Escape": (b"\xe3\x85\x8e", b"\x1b\xe3\x85\x81"),  # escape overtakes the letter that was held
}
"""What was pressed, and the reads that came of it."""

MOVES_DOWN_TWICE = {
    "ibus": b"".join(IBUS["j j j"]),
    "imitation, macOS: each vowel is committed by the next key": "ㅓㅓ".encode(),
    "imitation, Windows over ssh: the same": "ㅓㅓ".encode(),
    "imitation, conjoining letters (NFD)": "\u1165\u1165".encode(),
    "imitation, kitty protocol: the code point as CSI u": b"\x1b[12627u\x1b[12627u",
}


@pytest.mark.parametrize("data", MOVES_DOWN_TWICE.values(), ids=MOVES_DOWN_TWICE.keys())
async def test_letters_move(desk: DeskDouble, data: bytes) -> None:
    async with running(desk) as console:
        await console.press("home")
        await feed(console, data)
        await console.until(lambda: console.app.queue.cursor == 2)
        await console.sees("한")


async def test_footer_says_that_hangul_arrives_until_it_does_not(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("home")
        assert "한" not in console.app.footer.shown
        await feed(console, "ㅓ".encode())
        await console.until(lambda: "한" in console.app.footer.shown)
        await console.press("k")
        await console.until(lambda: "한" not in console.app.footer.shown)


async def test_reply_opens_by_its_letter(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await feed(console, "ㄱ".encode())
        await console.until(lambda: console.app.where == "box")
        assert console.box.text == ""


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_chord_that_became_one_syllable_is_still_that_chord(
    desk: DeskDouble, form: Literal["NFC", "NFD"]
) -> None:
    """Of g and m, ㅎ and ㅡ, an input method makes 흐."""
    async with running(desk) as console:
        await feed(console, unicodedata.normalize(form, "흐").encode())
        await console.until(lambda: console.app.reading.view == "mine")


async def test_chord_by_two_letters(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await feed(console, "ㅎ".encode())
        await console.sees("g ..")
        await feed(console, "ㅡ".encode())
        await console.until(lambda: console.app.reading.view == "mine")


@pytest.mark.parametrize("letter", ["ㅁ", "ㅊ", "\u1106"])
async def test_what_changes_something_asks_for_the_key(desk: DeskDouble, letter: str) -> None:
    async with running(desk) as console:
        await console.press("home")
        await feed(console, letter.encode())
        await console.sees("press 한/영")
        assert not desk.called("assign")
        assert not desk.called("set_status")


@pytest.mark.parametrize("syllable", ["거", "마", "치", "각"])
async def test_syllable_is_not_guessed_where_it_would_change_or_open_something(desk: DeskDouble, syllable: str) -> None:
    async with running(desk) as console:
        await console.press("home")
        await feed(console, syllable.encode())
        await console.sees("press 한/영")
        assert console.app.where == "list"
        assert not {name for name, _ in desk.calls} & {"assign", "set_status", "note"}


async def test_pasted_hangul_runs_nothing(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("home")
        await feed(console, b"\x1b[200~" + "ㅓㅓㅁ".encode() + b"\x1b[201~")
        await console.sees("Pasted where nothing is typed")
        assert console.app.queue.cursor == 0


async def test_ibus_letter_that_comes_with_the_next_key_opens_the_reply_first(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        for read in IBUS["r Down"]:
            await feed(console, read)
        await console.until(lambda: console.app.where == "box")
        assert console.box.text == ""


async def test_ibus_chord_as_a_syllable_then_a_control_key(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("g", "m")
        await console.until(lambda: console.app.reading.view == "mine")
        for read in IBUS["g i ctrl+s"]:
            await feed(console, read)
        await console.until(lambda: console.app.reading.view == "waiting")


@pytest.mark.parametrize("pressed", ["r j Down", "a a Return"])
async def test_ibus_what_would_be_guessed_changes_nothing(desk: DeskDouble, pressed: str) -> None:
    async with running(desk) as console:
        await console.press("home")
        for read in IBUS[pressed][:2]:
            await feed(console, read)
            if read != b"\x1b[B":
                await console.sees("press 한/영")
        assert not {name for name, _ in desk.calls} & {"assign", "set_status", "note"}


async def test_ibus_escape_that_overtakes_a_held_letter_is_an_escape(desk: DeskDouble) -> None:
    async with running(desk) as console:
        for read in IBUS["g a Escape"]:
            await feed(console, read)
        assert console.app.reading.view == "waiting"
        assert not desk.called("assign")
        await console.open("Emily Rhodes")
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await feed(console, "감사합니".encode())
        await feed(console, b"\x1b" + "다".encode())
        await console.until(lambda: console.app.where != "box")
        assert console.box.text == "감사합니다"


async def test_a_lone_letter_does_not_end_the_console(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await feed(console, "ㅂ".encode())  # q
        await console.sees("press 한/영")
        assert console.app.is_running


async def test_escape_and_a_letter_in_one_read_are_two_keys(desk: DeskDouble) -> None:
    """Over a slow line both come at once, and Textual takes them as alt and the letter: r would go into the draft, and
    with it what was meant for another customer."""
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.type("Dear Emily")
        await feed(console, b"\x1bk")
        await console.until(lambda: console.app.where == "conversation")
        assert console.box.text == "Dear Emily"
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await feed(console, b"\x1bc")
        await console.until(lambda: console.app.where == "conversation")
        await console.sees("were dropped")
        assert not desk.called("set_status")
