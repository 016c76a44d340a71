"""The first ten minutes with the demo, as a newcomer at a terminal has them: 80x24, in English and Korean."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pty.harness import Terminal
from tests.waiting import until_sync

DEMO = [sys.executable, "-P", "-m", "agentconsole", "demo"]
SIZE = (80, 24)
HALF = "내일 도착"


WORDS = {
    "en": {
        "begin": "nothing leaves this machine",
        "coach": "Step {} of 6",
        "suggested": "may be Emily Rhodes",
        "linked": "Linked.",
        "undone": "two people again",
        "why": "WhatsApp: writing here now",
        "known": "Already known: ID ending 4821",
        "ours": " ←  ",
        "read": " read",
        "refused": "SMS: opted out",
        "back": "is back, nothing was sent",
        "commands": "The same by commands:",
        "goes_by": "Reply goes by: WhatsApp",
        "closed": "no process left",
    },
    "ko": {
        "begin": "이 컴퓨터 밖으로 나가는 것이 없고",
        "coach": "6단계 중 {}",
        "suggested": "Emily Rhodes 님일 수 있음",
        "linked": "연결됨.",
        "undone": "다시 두 사람",
        "why": "왓츠앱: 지금 여기서 대화 중",
        "known": "이미 아는 정보: 신분증 끝자리 4821",
        "ours": " <  ",  # the arrow may be two cells wide in a Korean terminal
        "read": " 읽음",
        "refused": "수신거부",
        "back": "되살림",
        "commands": "같은 일을 명령으로:",
        "goes_by": "왓츠앱",
        "closed": "남은 프로세스 없음",
    },
}


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    # Sockets need a short path; the folder is the test's own, so that what is left can be seen.
    with tempfile.TemporaryDirectory(prefix="acd") as folder:
        yield {"HOME": str(tmp_path), "TMPDIR": folder}
        for about in Path(folder).glob("*/world.json"):  # only where a test failed
            os.kill(json.loads(about.read_text())["pid"], signal.SIGTERM)
        until_sync(lambda: left({"TMPDIR": folder}) == [], 20, "nothing left")


def left(environment: dict[str, str]) -> list[str]:
    """Return folders and processes of a demo that are still there."""
    folder = environment["TMPDIR"]
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [*os.listdir(folder), *(line for line in running.splitlines() if folder in line)]


def column(terminal: Terminal, row: str) -> str:
    """Return the line of the screen that holds a text."""
    return next((line for line in terminal.text.splitlines() if row in line), "")


def choose(terminal: Terminal, name: str) -> None:
    """Move the list's cursor from its top down to a person."""
    terminal.press("gg")
    for _ in range(5):
        if column(terminal, name).startswith((">", "▸")):
            return
        terminal.press("\x1b[B")
    raise AssertionError(f"{name} was not reached\n{terminal.text}")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_newcomer_walks_through_all_six_steps(environment, language):
    words = WORDS[language]
    environment["LANG"] = {"en": "C.UTF-8", "ko": "ko_KR.UTF-8"}[language]

    def step(number: int) -> str:
        return words["coach"].format(number)

    with Terminal(DEMO, SIZE, environment) as terminal:
        terminal.sees(words["begin"])
        terminal.sees(step(1), "Emily Rhodes", "박민수", "+4420")
        # One: two people are one. The first row is Emily, who waits longest.
        terminal.send("\r")
        terminal.sees(words["suggested"], "Move my appointment")
        terminal.send("I")
        terminal.sees(words["linked"], "any news? I wrote you", step(2))
        # Two: undone and done again.
        terminal.send("u")
        terminal.sees(words["undone"], words["suggested"], step(2))
        terminal.send("I")
        terminal.sees(words["linked"], step(3))
        # Three: the reply goes where she is, says why, and is seen to arrive.
        terminal.send("r")
        terminal.sees(words["why"], "1/3 ctrl+t")
        terminal.press("what is your ID?")
        terminal.sees(words["known"], "ctrl+g")
        terminal.send("\x07")
        terminal.sees("ID ending 4821, is that right?")
        terminal.send("\x13")
        terminal.until(lambda: column(terminal, words["ours"]).endswith(words["read"]), what="the reply read")
        terminal.sees("Yes! 11 March is perfect, thank you")
        terminal.press("\x1b", silence=0.4)
        terminal.send("c")
        terminal.sees(step(4))
        # Four: a Korean customer, and a channel that is refused before anything is typed.
        terminal.press("\x1b", silence=0.4)
        choose(terminal, "박민수")
        terminal.send("\r")
        terminal.sees("배송 언제 오나요?", "minsu.park@example.com")
        terminal.send("r")
        terminal.sees("1/3 ctrl+t")
        terminal.send("\x14")
        terminal.sees("2/3 ctrl+t", words["refused"], step(5))
        # Five: half a sentence, and the window is closed.
        terminal.send("\x14")
        terminal.sees("3/3 ctrl+t")
        terminal.send("\x14")
        terminal.sees("1/3 ctrl+t")
        terminal.press(HALF)
        terminal.sees(HALF)
        found = re.search(r"(/\S+/agentconsole|agentconsole --config /\S+)\s", terminal.text)
        assert found is not None, terminal.text
        terminal.hang_up()
        assert terminal.ended() == 129
    # Six: in a new window the draft is back with the caret behind it, and commands tell the same.
    with Terminal(found.group(1).split(" "), SIZE, environment) as terminal:
        terminal.sees(words["back"], HALF, step(6))
        terminal.quiet(1.0)  # keys that were meant for another view are dropped
        terminal.press(" 예정")
        terminal.sees(HALF + " 예정")
        terminal.press("\x1b", silence=0.4)
        terminal.send("q")
        assert terminal.ended() == 0
        raw = terminal.raw.decode("utf-8", "replace")
        said = raw[raw.rindex("\x1b[?1049l") :]
    assert words["commands"] in said
    assert [line.strip().split(" ")[2] for line in said.splitlines() if line.startswith("$ ")] == [
        "inbox",
        "why",
        "send",
    ]
    assert "박민수" in said
    assert words["goes_by"] in said
    assert "(exit" not in said
    assert words["closed"] in said
    assert left(environment) == []


def test_the_demo_itself_finds_a_sandbox_whose_window_was_closed(environment):
    environment["LANG"] = "C.UTF-8"
    with Terminal(DEMO, SIZE, environment) as terminal:
        terminal.sees("Step 1 of 6", "Emily Rhodes")
        terminal.hang_up()
        assert terminal.ended() == 129
    folders = os.listdir(environment["TMPDIR"])
    assert len(folders) == 1
    with Terminal(DEMO, (160, 48), {**environment, "NO_COLOR": "1", "TERM": "screen-256color"}) as terminal:
        terminal.sees("Step 1 of 6", "Emily Rhodes")
        assert os.listdir(environment["TMPDIR"]) == folders
        terminal.send("q")
        assert terminal.ended() == 0
        assert "no process left" in terminal.raw.decode("utf-8", "replace")
    until_sync(lambda: left(environment) == [], 5, "nothing left")
