"""What the console sends over a slow line: bytes, never times. The budgets are docs/ssh.md's."""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.pty.harness import PYTHON, Terminal
from tests.ui.desk_double import NOW

Start = Callable[..., Terminal]
SIZES = pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["120x36", "80x24"])
QUIET = 0.3
FIRST_COLOURED = 50_000
"""A theme with a paper of its own names two colours for every run; the terminal's own colours need none."""

FIRST, CURSOR, SCROLL, LETTER, PAGE, IN_VIEW, ELSEWHERE, MINUTE = 30_000, 600, 8_000, 2_500, 20_000, 2_000, 500, 60


@pytest.fixture
def start(tmp_path: Path) -> Start:
    running: list[Terminal] = []

    def begin(scenario: str, size: tuple[int, int], **environ: str) -> Terminal:
        command = [PYTHON, "-m", "tests.ui.demo_app", "en", scenario]
        terminal = Terminal(command, size, {"HOME": str(tmp_path), **environ})
        running.append(terminal)
        terminal.sees("agentconsole", "|", "waiting", "e-mail+")
        terminal.quiet(0.6)
        return terminal

    yield begin  # type: ignore[misc]
    for terminal in running:
        terminal.close()


def message(terminal: Terminal, text: str) -> int:
    """Let one more message come, wait until a text of it stands there, and return what that cost."""
    before = len(terminal.raw)
    os.kill(terminal.pid, signal.SIGUSR1)
    terminal.sees(text)
    terminal.quiet(QUIET)
    return len(terminal.raw) - before


@SIZES
def test_moving_and_looking(start: Start, size: tuple[int, int]) -> None:
    terminal = start("many", size)
    assert len(terminal.raw) <= FIRST
    costs = [terminal.press("j") for _ in range(8)]
    assert statistics.median(costs) <= CURSOR, costs
    assert 0 < terminal.press("\x1b[6~") <= SCROLL
    before = len(terminal.raw)
    terminal.send("\x10")
    terminal.sees("ctrl+p" if size[0] < 100 else "Reply")
    terminal.quiet(QUIET)
    assert len(terminal.raw) - before <= PAGE, "palette"
    assert terminal.press("\x1b", QUIET) <= PAGE
    assert 0 < terminal.press("?", QUIET) <= PAGE, "help"
    assert terminal.press("\x1b", QUIET) <= PAGE
    assert terminal.press("\x1b[O\x1b[I", QUIET) == 0, "the window lost and got the focus"
    assert terminal.quiet(silence=1.5) == 0, "idle"


@SIZES
@pytest.mark.parametrize("theme", ["ansi", "dark", "light", "high-contrast", "colour-blind", "mono"])
def test_no_theme_costs_more_than_the_budget(start: Start, theme: str, size: tuple[int, int]) -> None:
    terminal = start("many", size, CONSOLE_THEME=theme)
    assert len(terminal.raw) <= (FIRST if theme in ("ansi", "mono") else FIRST_COLOURED)
    costs = [terminal.press("j") for _ in range(4)]
    assert statistics.median(costs) <= CURSOR, costs


@SIZES
def test_typing(start: Start, size: tuple[int, int]) -> None:
    terminal = start("emily", size)
    terminal.press("r")
    terminal.sees("Reply to")
    terminal.quiet(0.8)
    terminal.press("abc", 0.9)
    costs = [terminal.press(letter, 0.12) for letter in "defgh"]
    assert statistics.median(costs) <= LETTER, costs


@SIZES
def test_message_in_view_with_free_rows(start: Start, size: tuple[int, int]) -> None:
    terminal = start("old", size)
    terminal.press("G")
    terminal.press("\r", QUIET)
    assert message(terminal, "One more question (1)") <= IN_VIEW


@SIZES
def test_message_in_view_that_scrolls(start: Start, size: tuple[int, int]) -> None:
    terminal = start("long", size)
    terminal.press("\r", QUIET)
    assert message(terminal, "One more question (60)") <= SCROLL


@SIZES
def test_message_elsewhere(start: Start, size: tuple[int, int]) -> None:
    terminal = start("emily", size)
    terminal.sees("Hello, I have")
    before = len(terminal.raw)
    os.kill(terminal.pid, signal.SIGUSR1)
    terminal.sees("One more que")
    terminal.quiet(QUIET)
    assert len(terminal.raw) - before <= ELSEWHERE


@SIZES
def test_minute_with_a_clock(start: Start, size: tuple[int, int]) -> None:
    terminal = start("old", size, CONSOLE_CLOCK="1")
    terminal.until(lambda: clock(terminal) == f"{NOW:%H:%M}")
    before = len(terminal.raw)
    os.kill(terminal.pid, signal.SIGUSR2)
    terminal.until(lambda: clock(terminal) == f"{NOW + timedelta(minutes=1):%H:%M}")
    terminal.quiet(QUIET)
    assert len(terminal.raw) - before <= MINUTE, bytes(terminal.raw[before:])


def clock(terminal: Terminal) -> str:
    return terminal.text.splitlines()[0].split()[-1]


@SIZES
def test_minute_without_a_clock(start: Start, size: tuple[int, int]) -> None:
    terminal = start("old", size, CONSOLE_CLOCK="hidden")
    os.kill(terminal.pid, signal.SIGUSR2)
    assert terminal.quiet(silence=2.5) == 0
    assert "14:0" not in terminal.text.splitlines()[0]


def test_notice_is_sent_when_the_window_has_lost_the_focus(start: Start) -> None:
    terminal = start("emily", (80, 24))
    terminal.press("\x1b[O")
    before = len(terminal.raw)
    message(terminal, "One more que")
    sent = bytes(terminal.raw[before:])
    for notice in (
        b"\x07",
        b"\x1b]777;notify;agentconsole;Emily Rhodes: new message\x1b\\",
        b"\x1b]9;agentconsole: Emily Rhodes: new message\x1b\\",
        b"\x1b]2;Emily Rhodes: new message\x1b\\",
    ):
        assert sent.count(notice) == 1, notice
    back = terminal.press("\x1b[I")
    assert bytes(terminal.raw[-back:]) == b"\x1b]2;agentconsole\x1b\\"


def test_blanked_screen_is_sent_whole_and_nothing_after_it(start: Start) -> None:
    terminal = start("emily", (80, 24), CONSOLE_LOCKS="1", CONSOLE_CLOCK="hidden")
    os.kill(terminal.pid, signal.SIGUSR2)
    terminal.sees("The screen is blanked.")
    assert "Emily" not in terminal.text
    terminal.quiet(QUIET)
    before = len(terminal.raw)
    os.kill(terminal.pid, signal.SIGUSR1)
    terminal.quiet(0.6)
    terminal.send("\x1b[O")
    terminal.quiet(QUIET)
    assert b"Emily" not in bytes(terminal.raw[before:])
    assert b"question" not in bytes(terminal.raw[before:])
    terminal.send("x")
    terminal.sees("One more que")
