"""From safe text to what a line on the screen is made of.

``Safe`` marks text that went through ``text.sanitise`` or comes from our own catalogue; rows are built of it alone,
so that the type checker finds outside text on its way to the terminal. A row is plain data until ``strip`` or
``content`` turns it into what Textual draws; neither knows markup. Frames and marks are ASCII because box characters
and bullets are two cells wide in some Korean terminals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NewType, TypeAlias

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content, Span
from textual.filter import LineFilter
from textual.strip import Strip

from agentconsole.text.sanitise import blunt, holds_control, one_line, sanitise

Safe = NewType("Safe", str)
Run: TypeAlias = tuple[Safe, str]
Row: TypeAlias = tuple[Run, ...]

EMPTY: Final = Safe("")
SHOWN_CHARACTERS: Final = 60_000
"""More than this of one text is never wrapped; the rest is counted."""

STYLES: Final[dict[str, Style]] = {
    "": Style.null(),
    "dim": Style(dim=True),
    "bold": Style(bold=True),
    "title": Style(bold=True),
    "in": Style(color="cyan"),
    "out": Style(color="green"),
    "note": Style(color="yellow"),
    "good": Style(color="green"),
    "warn": Style(color="yellow", bold=True),
    "bad": Style(color="red", bold=True),
    "key": Style(bold=True),
    "cursor": Style(reverse=True),
    "bar": Style(reverse=True),
    "barbad": Style(reverse=True, bold=True),
}


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


@lru_cache(256)
def _plus(base: Style, name: str) -> Style:
    return base + STYLES[name]


@lru_cache(256)
def _over(base: Style, name: str, over: str) -> Style:
    """A colour under reverse video is a coloured block: of what a run has of its own, only weight stays."""
    if over != "cursor":
        return _plus(base, name) + STYLES[over]
    return _plus(base, over) + Style(bold=True) if STYLES[name].bold else _plus(base, over)


def strip(line: Row, width: int, base: Style, over: str = "") -> Strip:
    """Return a row as exactly ``width`` cells.

    Args:
        base: the widget's own style.
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
        segments.append(Segment(text, _over(base, name, over) if over else _plus(base, name)))
        left -= size
    if left > 0:
        segments.append(Segment(" " * left, _plus(base, over)))
    return Strip(segments, width)


def content(rows: Iterable[Row], width: int, over: str = "") -> Content:
    """Return rows as Content for a widget that is not drawn by lines; each is cut to ``width``."""
    text: list[str] = []
    spans: list[Span] = []
    at = 0
    for number, line in enumerate(rows):
        if number:
            text.append("\n")
            at += 1
        start = at
        for piece, name in cut_row(line, width):
            text.append(piece)
            if name:
                spans.append(Span(at, at + len(piece), _textual(name)))
            at += len(piece)
        if over:
            padding = " " * max(width - cell_len("".join(text).rpartition("\n")[2]), 0)
            text.append(padding)
            at += len(padding)
            spans.append(Span(start, at, _textual(over)))
    return Content("".join(text), spans)


_CSS_STYLES = {
    "": "",
    "dim": "dim",
    "bold": "bold",
    "title": "bold",
    "key": "bold",
    "in": "ansi_cyan",
    "out": "ansi_green",
    "note": "ansi_yellow",
    "good": "ansi_green",
    "warn": "bold ansi_yellow",
    "bad": "bold ansi_red",
    "cursor": "reverse",
    "bar": "reverse",
    "barbad": "bold reverse",
}


def _textual(name: str) -> str:
    return _CSS_STYLES[name]


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
    "content",
    "cut_row",
    "fit",
    "our",
    "row",
    "row_width",
    "safe",
    "sides",
    "strip",
    "width_of",
    "wrap",
]
