"""The console on a real pseudo-terminal: bytes, hostile text, hang-ups."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pty.harness import PYTHON, Terminal, foreign_controls
from tests.ui.demo_app import HOSTILE

Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start the console on the double; drafts that it keeps are written to ``kept`` in a temporary folder."""
    running: list[Terminal] = []

    def begin(scenario: str = "emily", language: str = "en", size: tuple[int, int] = (80, 24)) -> Terminal:
        environ = {"CONSOLE_KEPT": str(tmp_path / "kept.json"), "HOME": str(tmp_path)}
        terminal = Terminal([PYTHON, "-m", "tests.ui.demo_app", language, scenario], size, environ)
        running.append(terminal)
        terminal.sees("agentconsole", "|")
        terminal.quiet()
        return terminal

    yield begin  # type: ignore[misc]
    for terminal in running:
        terminal.close()


def kept(tmp_path: Path) -> str:
    file = tmp_path / "kept.json"
    return file.read_text() if file.exists() else ""


def test_the_whole_choice_costs_at_most_8000_bytes(start: Start) -> None:
    terminal = start(size=(120, 36))
    terminal.press("r")
    terminal.sees("Reply to")
    terminal.quiet(0.8)
    shown = terminal.press("\x1b[12~", 0.6)
    terminal.sees("WHY THIS CHANNEL")
    assert shown <= 8000


def test_hostile_strings_never_reach_the_terminal_as_controls(start: Start) -> None:
    """All 136 strings through every pane: as name, subject, text, file name, participant, note, opt-out word, as an
    account's error and hint, and as the text and the reason of a reply that failed."""
    terminal = start("hostile", size=(150, 40))
    count = len(json.loads(HOSTILE.read_text())["strings"])
    terminal.sees(f"{count} waiting")
    for number in range(count):
        terminal.send("]" if number else "\r")
        terminal.quiet(0.015)
        if number % 17 == 0:
            terminal.send("r")
            terminal.quiet(0.05)
            terminal.send("x\x1b[12~")
            terminal.quiet(0.05)
            for key in ("\x0e", "\x1b", "\x1b", "y"):
                terminal.send(key)
                terminal.quiet(0.15)
    terminal.send("1/e\r")
    terminal.sees("FOUND")
    for _ in range(12):
        terminal.send("\x1b[6~")
        terminal.quiet(0.03)
    terminal.send("\r")
    terminal.quiet(0.2)
    terminal.send("1g?")
    terminal.quiet()
    for page, title in (("!", "ACCOUNTS"), ("go", "OUTBOX")):
        terminal.send(f"1{page}")
        terminal.sees(title)
        for _ in range(2 * count // 30):
            terminal.send("\x1b[6~")
            terminal.quiet(0.03)
        terminal.send("\x1b")
        terminal.quiet(0.3)
    assert terminal.ended(0.0) is None, "it lives"
    assert foreign_controls(bytes(terminal.raw)) == []
    assert len(terminal.raw) > 100_000, "it really drew them"
    terminal.send("q")
    assert terminal.ended() == 0


def test_text_and_send_in_one_read_send_all_of_the_text(start: Start, tmp_path: Path) -> None:
    terminal = start()
    terminal.press("\r")
    terminal.press("r")
    terminal.sees("Reply to")
    terminal.send("every letter of it\x13")
    terminal.sees("queued", "every letter of it")
    terminal.quiet(0.75)
    terminal.send("1/every letter\r")
    terminal.sees("FOUND", "1 found")


def test_markup_is_drawn_as_it_stands(start: Start) -> None:
    terminal = start("markup")
    terminal.press("\r")
    terminal.sees("[bold]not bold[/bold] [/] [@click=app.quit]x[/]")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_signal_keeps_the_draft_and_ends(start: Start, tmp_path: Path, number: int) -> None:
    terminal = start()
    terminal.press("r")
    terminal.sees("Reply to")
    terminal.send("half a sent")
    terminal.sees("half a sent")
    os.kill(terminal.pid, number)
    assert terminal.ended() == 128 + number
    assert "half a sent" in kept(tmp_path)


def test_dropped_line_keeps_the_draft_and_ends(start: Start, tmp_path: Path) -> None:
    terminal = start()
    terminal.press("r")
    terminal.sees("Reply to")
    terminal.send("typed over ssh")
    terminal.sees("typed over ssh")
    terminal.hang_up()
    assert terminal.ended() is not None
    assert "typed over ssh" in kept(tmp_path)


def test_it_ends_whatever_still_waits(tmp_path: Path) -> None:
    """How soon is ``ending.LAST_SECONDS``."""
    environ = {"CONSOLE_STUCK": "1", "HOME": str(tmp_path)}
    with Terminal([PYTHON, "-m", "tests.ui.demo_app"], environ=environ) as terminal:
        terminal.sees("Emily")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.ended() == 128 + signal.SIGTERM


def test_end_of_input_where_hang_up_is_ignored(start: Start, tmp_path: Path) -> None:
    """``nohup`` and some session managers ignore SIGHUP; the dead terminal itself has to be noticed."""
    environ = {"CONSOLE_KEPT": str(tmp_path / "kept.json"), "CONSOLE_NO_HUP": "1", "HOME": str(tmp_path)}
    with Terminal([PYTHON, "-m", "tests.ui.demo_app"], environ=environ) as terminal:
        terminal.sees("Emily")
        terminal.press("r")
        terminal.sees("Reply to")
        terminal.send("nobody hangs up")
        terminal.sees("nobody hangs up")
        terminal.hang_up()
        assert terminal.ended() is not None
        assert "nobody hangs up" in kept(tmp_path)


def test_korean_on_a_real_terminal(start: Start) -> None:
    terminal = start(language="ko")
    terminal.sees("대기")
    terminal.press("ㅓㅓ")
    terminal.press("r")
    terminal.sees("박민수 님에게 답장")
    terminal.send("안녕하세요")
    terminal.sees("문자로 문의 주셨던 건입니다:", "안녕하세요", "28자")


def state(pid: int) -> str:
    """Return a process's state as Linux tells it: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("launched", ["{}", "sh -c '{}; exit'"], ids=["alone", "by a program that waits"])
def test_suspended_and_resumed_by_a_shell(start: Start, tmp_path: Path, launched: str) -> None:
    """A shell with job control, as people have it: ``ctrl+z`` gives the terminal back, ``fg`` the console."""
    environ = {"HOME": str(tmp_path), "PS1": "shell> ", "PYTHON": PYTHON}
    with Terminal(["sh", "-i"], environ=environ) as terminal:
        terminal.sees("shell>")
        terminal.send(launched.format("$PYTHON -m tests.ui.demo_app en emily") + "\r")
        terminal.sees("Emily Rhodes", "e-mail+")
        terminal.quiet()
        job = int(Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split()[0])
        terminal.send("\x1a")
        terminal.until(lambda: state(job) == "T", what="stopped")
        terminal.until(lambda: bytes(terminal.raw).endswith(b"shell> "), what="the shell's prompt")
        assert b"\x1b[?1049l" in terminal.raw, "the shell's screen is back"
        before = len(terminal.raw)
        terminal.send("fg\r")
        terminal.until(lambda: state(job) != "T", what="running again")
        terminal.until(lambda: terminal.raw.count(b"\x1b[?1049h") == 2, what="the console's screen")
        terminal.until(lambda: b"Emily Rhodes" in terminal.raw[before:], what="all of the screen drawn again")
        terminal.quiet()
        terminal.send("q")
        terminal.until(lambda: bytes(terminal.raw).endswith(b"shell> "), what="the shell's prompt")
        assert terminal.raw.count(b"\x1b[?1049l") == 2
        assert not Path(f"/proc/{job}").exists(), "nothing is left behind"
        terminal.send("exit\r")
        assert terminal.ended() == 0
