"""From safe text to what a line on the screen is made of.

``Safe`` marks text that went through ``text.sanitise`` or comes from our own catalogue; rows are built of it alone,
so that the type checker finds outside text on its way to the terminal. A row is plain data, text with the names of
roles, until ``strip`` turns it into what Textual draws in the colours of a theme (``look``); neither knows markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NewType, TypeAlias

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from agentconsole.text.sanitise import blunt, holds_control, one_line, sanitise
from agentconsole.ui.look import ASCII, DEFAULT, Theme

Safe = NewType("Safe", str)
Run: TypeAlias = tuple[Safe, str]
Row: TypeAlias = tuple[Run, ...]

EMPTY: Final = Safe("")
SHOWN_CHARACTERS: Final = 60_000
"""More than this of one text is never wrapped; the rest is counted."""


def safe(text: str, limit: int = 300) -> Safe:
    """Return one safe line of outside text."""
    return Safe(one_line(text, limit))


def block(text: str) -> Safe:
    """Return safe text of several lines."""
    return Safe(sanitise(text, limit=SHOWN_CHARACTERS))


def our(text: str) -> Safe:
    """Mark text that this program wrote itself: glyphs, numbers, times."""
    return Safe(text)


def row(*runs: Run | Safe) -> Row:
    return tuple((run, "") if isinstance(run, str) else run for run in runs)


def width_of(text: str) -> int:
    return cell_len(text)


_NUMBER_AT_END = re.compile(r"\+\d[\d ()-]{5,}\Z")
_DIGITS_KEPT = 4
"""Of a number that is cut: fewer last digits tell nobody apart."""


def fit(text: Safe, width: int, *, cut: str = "..") -> Safe:
    """Return the text in exactly ``width`` cells, padded, or cut with a visible end.

    A phone number at its end loses its first digits instead of its last: countries are alike, subscribers are not.
    """
    if width <= 0:
        return EMPTY
    if cell_len(text) <= width:
        return Safe(set_cell_size(text, width))
    if width <= len(cut) + 1:
        return Safe(set_cell_size(text, width))
    number = _NUMBER_AT_END.search(text) if text[-1].isdecimal() else None
    if number is not None:
        room = width - cell_len(text[: number.start()]) - len(cut)
        if room >= _DIGITS_KEPT:
            kept = number[0][-room:].lstrip(" -()")
            return Safe(set_cell_size(text[: number.start()] + cut + kept, width))
    return Safe(set_cell_size(text, width - len(cut)) + cut)


def clip(text: Safe, width: int) -> Safe:
    """Return the text in at most ``width`` cells, cut with a visible end."""
    return text if cell_len(text) <= width else fit(text, width)


def row_width(line: Row) -> int:
    return sum(cell_len(text) for text, _ in line)


def sides(left: Row, right: Row, width: int) -> Row:
    """Put two rows on one line, the right one at the edge; the left one gives way."""
    room = width - row_width(right)
    if not right or room < 4:
        return cut_row(left, width)
    left = cut_row(left, room - 1)
    return (*left, (Safe(" " * (room - row_width(left))), ""), *right)


def cut_row(line: Row, width: int) -> Row:
    kept: list[Run] = []
    left = width
    for text, style in line:
        if left <= 0:
            break
        size = cell_len(text)
        if size > left:
            kept.append((fit(text, left), style))
            break
        kept.append((text, style))
        left -= size
    return tuple(kept)


def marked(line: Row, found: re.Pattern[str]) -> Row:
    """Return a line with what a pattern finds in it standing out."""
    runs: list[Run] = []
    for text, style in line:
        end = 0
        for match in found.finditer(text):
            runs += [(Safe(text[end : match.start()]), style), (Safe(match.group()), "found")]
            end = match.end()
        runs.append((Safe(text[end:]), style))
    return tuple(run for run in runs if run[0])


_WORDS = re.compile(r"\s*\S+|\s+")


def wrap(text: Safe, width: int, limit: int = 1_000_000) -> Iterator[Safe]:
    """Break text into lines of at most ``width`` cells, at most ``limit`` of them."""
    width = max(width, 2)
    count = 0
    for line in text.split("\n"):
        for piece in _wrap_line(line, width):
            if count >= limit:
                return
            count += 1
            yield Safe(piece)


def _wrap_line(line: str, width: int) -> Iterator[str]:
    if len(line) * 2 <= width or cell_len(line) <= width:
        yield line.rstrip()
        return
    current, used = "", 0
    for word in _WORDS.findall(line):
        size = cell_len(word)
        if used + size <= width:
            current, used = current + word, used + size
            continue
        if current.strip():
            yield current.rstrip()
        word = word.lstrip()
        size = cell_len(word)
        if size > width:
            *whole, word = chop_cells(word, width)
            yield from whole
            size = cell_len(word)
        current, used = word, size
    if current:
        yield current.rstrip()


def theme_of(app: object) -> Theme:
    """Return the theme that an app draws with."""
    found = getattr(app, "look", DEFAULT)
    return found if isinstance(found, Theme) else DEFAULT


def glyph_of(app: object, name: str) -> Safe:
    """Return the mark or frame of a meaning in the set that an app draws with."""
    return Safe(getattr(getattr(app, "settings", None), "glyphs", ASCII)[name])


@lru_cache(512)
def _style(theme: Theme, name: str, over: str) -> Style:
    """A colour under the cursor is a coloured block: of what a run has of its own, only weight stays."""
    own = theme.styles[name]
    if over == "cursor":
        return theme.base + theme.styles[over] + (Style(bold=True) if own.bold else Style.null())
    return theme.base + own + theme.styles[over]


def strip(line: Row, width: int, theme: Theme = DEFAULT, over: str = "") -> Strip:
    """Return a row as exactly ``width`` cells. Neighbours that look alike become one run: each costs a sequence.

    Args:
        over: a style on top of every run: the cursor's.
    """
    segments: list[Segment] = []
    left = width
    for text, name in line:
        if left <= 0:
            break
        size = cell_len(text)
        if size > left:
            text, size = Safe(set_cell_size(text, left)), left
        _join(segments, text, _style(theme, name, over))
        left -= size
    if left > 0:
        _join(segments, " " * left, _style(theme, "", over))
    return Strip(segments, width)


def _join(segments: list[Segment], text: str, style: Style) -> None:
    if segments and segments[-1].style == style:
        segments[-1] = Segment(segments[-1].text + text, style)
    elif text:
        segments.append(Segment(text, style))


class Tripwire(LineFilter):
    """The last resort: no control reaches the terminal even where a widget forgot to ask for safe text."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(holds_control(segment.text) for segment in segments):
            return segments
        return [
            Segment(blunt(segment.text), segment.style, segment.control) if not segment.control else segment
            for segment in segments
        ]


__all__ = [
    "EMPTY",
    "Row",
    "Run",
    "Safe",
    "Tripwire",
    "block",
    "clip",
    "cut_row",
    "fit",
    "glyph_of",
    "our",
    "row",
    "row_width",
    "safe",
    "sides",
    "strip",
    "theme_of",
    "width_of",
    "wrap",
]
