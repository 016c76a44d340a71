"""Every state of the console as text with its styles: what it looks like at four sizes in four themes.

``python -m tests.ui.screens`` draws them all again into ``tests/data/screens``, with a name only that one.
A picture of a screen in SVG is 60 to 100 kB and tells a reviewer's diff nothing; these are some kB each and read.

A file has one part for each size: the lines as they stand on the screen (``~~ 9 more``: as many like the one above),
then for every line its runs, a letter of the
legend with the number of cells (``3x`` before it: so many lines are alike), and at the end the legend: what the letter
is in each theme.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import string
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unittest.mock import patch

from agentconsole.ui import look
from tests.ui import states_asked, states_first, states_written
from tests.ui.console import Driver, running
from tests.ui.desk_double import DeskDouble
from tests.ui.states import STATES

FOLDER: Final = Path(__file__).parents[1] / "data" / "screens"
SIZES: Final = ((80, 24), (60, 20), (100, 30), (160, 48))
THEMES: Final = ("ansi", "dark", "light", "mono")
LETTERS: Final = string.ascii_lowercase + string.ascii_uppercase + string.digits
_DRAWN: Final = (states_first, states_written, states_asked)
_HOME: Final = "/home/mina-kim"
"""What the pictures say instead of the temporary home, which is as long."""


# -- drawing -----------------------------------------------------------------------------------------------


@contextmanager
def _at_home() -> Iterator[str]:
    """Work in a home of one's own, reached over SSH, and yield where it is."""
    with tempfile.TemporaryDirectory(prefix="u", dir="/tmp") as home:
        environ = {"HOME": home, "USER": "mina", "SSH_CONNECTION": "192.0.2.7 51000 198.51.100.4 22"}
        with patch.dict(os.environ, environ):
            yield home


async def draw(name: str) -> str:
    """Return a state as the text that its file holds."""
    with _at_home() as home:
        return (await _draw(name)).replace(home, _HOME)


async def _draw(name: str) -> str:
    wanted = STATES[name]
    desk = DeskDouble()
    wanted.fill(desk)
    legend: dict[tuple[str, ...], str] = {}
    parts = []
    more = {"coach": False, **wanted.more}
    async with running(desk, size=SIZES[0], **more) as console:
        assert wanted.drive is not None
        await wanted.drive(console)
        for size in SIZES:
            await console.pilot.resize_terminal(*size)
            await console.until(lambda size=size: tuple(console.app.size) == size)  # type: ignore[misc]
            await console.settle()
            parts.append(f"== {size[0]}x{size[1]}\n{_part(console, legend)}")
    parts.append("== styles\n" + "".join(f"{letter} {' | '.join(styles)}\n" for styles, letter in legend.items()))
    return "".join(parts)


def _part(console: Driver, legend: dict[tuple[str, ...], str]) -> str:
    seen = [_cells(console, look.THEMES[name]) for name in THEMES]
    lines = [["".join(character for character, _ in line).rstrip() for line in screen] for screen in seen]
    assert all(screen == lines[0] for screen in lines), "a theme changes colours and nothing else"
    runs = []
    for line in zip(*seen, strict=True):
        styles = [tuple(cell[1] for cell in cells) for cells in zip(*line, strict=True)]
        letters = [legend.setdefault(style, LETTERS[len(legend)]) for style in styles]
        runs.append(" ".join(f"{letter}{count}" for letter, count in _counted(letters)))
    return f"{''.join(_folded(lines[0]))}--\n{''.join(_counted_lines(runs))}"


def _folded(lines: Iterable[str]) -> Iterator[str]:
    """Return lines as the file holds them: of more than two that are alike the first, and how many more there are."""
    for line, same in itertools.groupby(lines):
        count = len(list(same))
        yield f"{line}\n" * count if count <= 2 else f"{line}\n~~ {count - 1} more\n"


def _counted_lines(lines: Iterable[str]) -> Iterator[str]:
    for line, same in itertools.groupby(lines):
        count = len(list(same))
        yield f"{count}x {line}\n" if count > 1 else f"{line}\n"


def _cells(console: Driver, theme: look.Theme) -> list[list[tuple[str, str]]]:
    """Return every run of the screen in a theme, split so that all themes have the same runs: letter by letter."""
    app = console.app
    app.look = theme
    for widget in app.screen.walk_children(with_self=True):
        widget._styles_cache.clear()  # type: ignore[attr-defined]
    return [
        [(character, str(segment.style or "")) for segment in line for character in segment.text]
        for line in app.screen._compositor.render_strips()
    ]


def _counted(letters: list[str]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for letter in letters:
        if found and found[-1][0] == letter:
            found[-1] = (letter, found[-1][1] + 1)
        else:
            found.append((letter, 1))
    return found


def kept(name: str) -> Path:
    return FOLDER / f"{name}.txt"


async def _main(names: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or STATES:
        try:
            drawn = await draw(name)
        except AssertionError as error:
            sys.stderr.write(f"{name}: {error}\n")
            continue
        kept(name).write_text(drawn, encoding="utf-8")
    if not names:
        for file in FOLDER.glob("*.txt"):
            if file.stem not in STATES:
                file.unlink()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
