"""Makes docs/pictures/*.svg: plays the demo's story on a pseudo-terminal and draws what stands on its screen.

Run it with ``make pictures`` after the console has changed, look at the pictures, commit them. Times differ from
run to run, because the demo's world is always fresh; everything else is the same.
"""

from __future__ import annotations

import getpass
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.pty.harness import Terminal  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
LARGEST = 100_000
"""Bytes of one picture."""

AGENT = "mina"
"""Stands for the login of whoever makes the pictures."""

CELL = (8.4, 18.0)
FONT = 14
PADDING = 12
PAPER = "#14171c"
INK = "#d5d9e0"
FONTS = "'DejaVu Sans Mono',Menlo,Consolas,monospace"
WIDE_FONTS = "NanumGothicCoding,D2Coding,'Noto Sans Mono CJK KR','Noto Sans CJK KR',IPAGothic,monospace"
NAMED = {
    "black": "#1d2026",
    "red": "#e06c75",
    "green": "#98c379",
    "brown": "#e5c07b",
    "blue": "#61afef",
    "magenta": "#c678dd",
    "cyan": "#56b6c2",
    "white": "#d5d9e0",
    "brightblack": "#7a828e",
    "brightred": "#ff7b86",
    "brightgreen": "#b5e890",
    "brightbrown": "#ffd787",
    "brightblue": "#82c4ff",
    "brightmagenta": "#e19df2",
    "brightcyan": "#7fdbe6",
    "brightwhite": "#ffffff",
}


@dataclass(frozen=True)
class Cell:
    """One character of the screen. ``width`` is 0 for the second half of a wide one."""

    text: str
    width: int
    ink: str
    paper: str
    bold: bool
    underlined: bool


def _colour(name: str, otherwise: str) -> str:
    if name == "default":
        return otherwise
    return NAMED.get(name, f"#{name}")


def _cell(char: Any) -> Cell:
    ink, paper = _colour(char.fg, INK), _colour(char.bg, PAPER)
    if char.reverse:
        ink, paper = paper, ink
    width = 0 if not char.data else 2 if east_asian_width(char.data[0]) in "WF" else 1
    return Cell(char.data, width, ink, paper, char.bold, char.underscore)


def cells(terminal: Terminal) -> list[list[Cell]]:
    """Return what stands on the screen, the caret as a cell in reverse."""
    screen = terminal.screen
    rows = [[_cell(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]
    if not screen.cursor.hidden:
        y, x = screen.cursor.y, min(screen.cursor.x, screen.columns - 1)
        under = rows[y][x]
        rows[y][x] = Cell(under.text, under.width, under.paper, under.ink, under.bold, under.underlined)
    return [_renamed(row) for row in rows]


def _renamed(row: list[Cell]) -> list[Cell]:
    login = getpass.getuser()
    letters = "".join(cell.text or "\0" for cell in row)
    if len(letters) != len(row) or len(login) < len(AGENT):
        return row
    for at in range(len(row) - len(login) + 1):
        if (
            letters.startswith(login, at)
            and not (letters[max(at - 1, 0) : at] + letters[at + len(login) :])[:1].isalpha()
        ):
            for offset, letter in enumerate(AGENT.ljust(len(login))):
                was = row[at + offset]
                row[at + offset] = Cell(letter, 1, was.ink, was.paper, was.bold, was.underlined)
    return row


def _runs(row: list[Cell], same: Callable[[Cell], object]) -> Iterator[tuple[int, list[Cell]]]:
    at = 0
    for _, group in groupby((cell for cell in row if cell.width), key=same):
        found = list(group)
        yield at, found
        at += sum(cell.width for cell in found)


def _backgrounds(row: list[Cell], y: float) -> Iterator[str]:
    wide, high = CELL
    for at, run in _runs(row, lambda cell: cell.paper):
        if run[0].paper != PAPER:
            columns = sum(cell.width for cell in run)
            yield (
                f'<rect x="{PADDING + at * wide:.1f}" y="{y:.1f}" width="{columns * wide:.1f}" height="{high:.1f}" '
                f'fill="{run[0].paper}"/>'
            )


def _words(row: list[Cell], y: float) -> Iterator[str]:
    """Text in runs of one look and one width, each held to its columns, whatever font the reader has."""
    wide, high = CELL

    def look(cell: Cell) -> tuple[object, ...]:
        return cell.ink, cell.bold, cell.underlined, cell.width

    for at, run in _runs(row, look):
        first = run[0]
        more = ' class="w"' if first.width > 1 else ""
        more += ' font-weight="bold"' if first.bold else ""
        more += ' text-decoration="underline"' if first.underlined else ""
        more += f' fill="{first.ink}"' if first.ink != INK else ""
        for piece in re.finditer(r"\S+(?: \S+)*", "".join(cell.text for cell in run)):
            x = PADDING + (at + piece.start() * first.width) * wide
            columns = len(piece.group()) * first.width
            held = f' textLength="{columns * wide:.1f}" lengthAdjust="spacingAndGlyphs"' if columns > 1 else ""
            yield f'<text x="{x:.1f}" y="{y + high * 0.74:.1f}"{more}{held}>{escape(piece.group())}</text>'


def svg(rows: list[list[Cell]], title: str) -> str:
    """Return a screen as an SVG document.

    Args:
        title: read aloud in place of the picture.
    """
    wide, high = CELL
    width, height = len(rows[0]) * wide + 2 * PADDING, len(rows) * high + 2 * PADDING
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="{FONTS}" font-size="{FONT}" fill="{INK}">',
        f"<title>{escape(title)}</title>",
        f"<style>.w{{font-family:{WIDE_FONTS}}}</style>",
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
    ]
    for number, row in enumerate(rows):
        y = PADDING + number * high
        lines += [*_backgrounds(row, y), *_words(row, y)]
    return "\n".join([*lines, "</svg>"]) + "\n"


@dataclass(frozen=True)
class Scene:
    """Keys, what is seen then (in English and Korean), and under which name it is drawn, if it is."""

    keys: str
    sees: tuple[tuple[str, ...], tuple[str, ...]]
    picture: str = ""
    title: str = ""


REPLY = "ID ending 4821, is that right? 11 March, 9:00 is free."
STORY = (
    Scene(
        "",
        (("Step 1 of 6", "Emily Rhodes", "+4420"), ("6단계 중 1", "Emily Rhodes", "+4420")),
        "queue",
        "Four customers wait; Emily's e-mail is open beside them.",
    ),
    Scene("\r", (("may be Emily Rhodes",), ("Emily Rhodes 님일 수 있음",))),
    Scene(
        "I",
        (("Linked.", "any news?", "3 waiting"), ("연결됨.", "any news?", "대기 3")),
        "timeline",
        "E-mail and WhatsApp of one person in one timeline.",
    ),
    Scene("u", (("Undone", "4 waiting"), ("되돌림", "대기 4"))),
    Scene("I", (("Linked.", "3 waiting"), ("연결됨.", "대기 3"))),
    Scene("r", (("writing here now", "1/3 ctrl+t"), ("대화 중", "1/3 ctrl+t"))),
    Scene(
        REPLY,
        (("54 characters", "kept"), ("54자", "보관됨")),
        "reply",
        "A reply on WhatsApp, with the reason for that channel.",
    ),
    Scene("\x13", ((" read", "perfect, thank you"), (" 읽음", "perfect, thank you"))),
    Scene("\x1b", (("esc Back", "r Reply"), ("r 답장",)), "answered", "The reply was read and answered."),
    Scene("c", (("Closed.",), ("종료함.",))),
    Scene("\x1b", (("enter Open",), ("enter 열기",))),
    Scene("gg\r", (("minsu.park@example.com", "r Reply"), ("minsu.park@example.com", "r 답장"))),
    Scene("r", (("1/3 ctrl+t",), ("1/3 ctrl+t",))),
    Scene(
        "\x14",
        (("2/3 ctrl+t", "opted out 30"), ("2/3 ctrl+t", "수신거부")),
        "refused",
        "SMS is refused before anything is typed, with the reason.",
    ),
)
DRAWN = {
    (80, 24): ("queue", "timeline", "reply", "answered", "refused"),
    (160, 48): ("reply", "refused"),
}


def play(language: str, size: tuple[int, int]) -> None:
    """Play the story and write its pictures as ``NAME-LANGUAGE-COLUMNSxLINES.svg``."""
    with tempfile.TemporaryDirectory(prefix="acpic") as folder:
        environ = {"HOME": folder, "TMPDIR": folder, "LANG": {"en": "C.UTF-8", "ko": "ko_KR.UTF-8"}[language]}
        command = [sys.executable, "-P", "-m", "agentconsole", "demo"]
        with Terminal(command, size, environ) as terminal:
            try:
                for scene in STORY:
                    terminal.send(scene.keys)
                    terminal.sees(*scene.sees[language == "ko"])
                    terminal.quiet(0.8)
                    if scene.picture in DRAWN[size]:
                        _write(terminal, scene, f"{scene.picture}-{language}-{size[0]}x{size[1]}.svg")
            finally:
                terminal.send("\x11")
                if terminal.ended(20) is None:
                    raise RuntimeError(f"the demo did not end:\n{terminal.text}")


def _write(terminal: Terminal, scene: Scene, name: str) -> None:
    document = svg(cells(terminal), scene.title)
    if len(document.encode()) > LARGEST:
        raise RuntimeError(f"{name} has {len(document.encode())} bytes, more than {LARGEST}")
    (PICTURES / name).write_text(document, encoding="utf-8")
    print(f"docs/pictures/{name}  {len(document.encode()) // 1000} kB")


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for size in DRAWN:
        for language in ("en", "ko"):
            play(language, size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
