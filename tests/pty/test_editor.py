"""The agent's own editor on a real terminal: it has the screen, the console goes on, and no way of ending loses text.

The editor is a script; it tells that it has the terminal, waits for a line there, and does what that line says.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pty.harness import PYTHON, Terminal
from tests.waiting import DEADLINE

SCRIPT = f"""#!{PYTHON}
import os, pathlib, sys, time
path = pathlib.Path(sys.argv[-1])
text = path.read_text()
mode = oct(path.stat().st_mode & 0o777) + " " + oct(path.parent.stat().st_mode & 0o777)
print("EDITOR", mode, "BELOW" if "Could it be" in text.split("8<")[-1] else "", flush=True)
word = sys.stdin.readline().strip()
if word == "write":
    drawn = pathlib.Path(os.environ["HOME"], "drawn")
    end = int(drawn.read_text() or 0) + 60  # more than what Textual's stopped writer takes before it blocks the loop
    while int(drawn.read_text() or 0) < end:
        time.sleep(0.02)
    path.write_text("Dear Emily,\\n" + text + "nothing below")
elif word == "evil":
    path.write_text("evil\\x1b]52;c;eA==\\x07 text\\n")
elif word == "empty":
    path.write_text("")
elif word == "fail":
    sys.exit(3)
elif word == "failwrite":
    path.write_text("lost?")
    sys.exit(1)
elif word == "remove":
    path.unlink()
"""

Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    script = tmp_path / "editor"
    script.write_text(SCRIPT)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    running: list[Terminal] = []

    def begin(editor: str = "") -> Terminal:
        environ = {"EDITOR": editor or str(script), "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
        terminal = Terminal([PYTHON, "-m", "tests.pty.editor_app"], environ=environ)
        running.append(terminal)
        terminal.sees("agentconsole", "Emily")
        terminal.send("r")
        terminal.sees("Reply to")
        terminal.send("my words")
        terminal.sees("my words")
        return terminal

    (tmp_path / "run").mkdir()
    yield begin
    for terminal in running:
        terminal.close()


def edited(terminal: Terminal, word: str) -> None:
    """Open the editor with its function key, and tell it what to do once it has the terminal."""
    terminal.send("\x1bOS")
    terminal.sees("EDITOR 0o600 0o700")
    terminal.send(word + "\r")


def left(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "run" / "agentconsole" / "writing").iterdir())


def test_what_is_written_is_taken_over_and_nothing_below_the_mark(start: Start, tmp_path: Path) -> None:
    terminal = start()
    edited(terminal, "write")
    terminal.sees("Taken over from the editor", "Dear Emily,", "my words")
    assert "nothing below" not in terminal.text
    terminal.until(lambda: not left(tmp_path), what="the file goes once the hub has the text")
    terminal.send("!")
    terminal.sees("my words!")


ENDS = {
    "same": "Nothing was changed",
    "empty": "left an empty text",
    "fail": "ended with error 3",
    "remove": "left no file",
    "failwrite": "ended with error 1",
}


def test_however_it_ends_the_text_is_as_before(start: Start, tmp_path: Path) -> None:
    terminal = start()
    for word, said in ENDS.items():
        edited(terminal, word)
        terminal.sees(said, "my words")
    assert [path.read_text() for path in left(tmp_path)] == ["lost?"], "only what might be missed stays"


def test_an_editor_that_is_not_there_is_named(start: Start) -> None:
    terminal = start("/nowhere/editor")
    terminal.send("\x1bOS")
    terminal.sees("/nowhere/editor cannot be started", "my words")


def test_what_an_editor_writes_is_no_control_of_the_terminal(start: Start) -> None:
    terminal = start()
    edited(terminal, "evil")
    terminal.sees("Taken over from the editor", "evil")
    assert b"\x1b]52" not in bytes(terminal.raw)


def test_ctrl_c_in_the_editor_ends_the_editor_and_not_the_console(start: Start) -> None:
    terminal = start()
    terminal.send("\x1bOS")
    terminal.sees("EDITOR 0o600")
    terminal.send("\x03")
    terminal.sees("The editor ended with error", "my words")


def test_a_line_that_drops_while_it_is_open_ends_both(start: Start, tmp_path: Path) -> None:
    terminal = start()
    terminal.send("\x1bOS")
    terminal.sees("EDITOR 0o600")
    terminal.hang_up()
    assert terminal.ended(DEADLINE) is not None
