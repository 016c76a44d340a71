"""How many terminal cells text takes, and cutting, padding and wrapping by that measure.

The measure is the one that the console's toolkit uses (wcwidth's rules, Unicode 17; a test compares them), so that what
is laid out here fits what is drawn there. Text is expected to be sanitised; controls count nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from agentconsole.text import charsets as c

ELLIPSIS: Final = "…"

_PRINTABLE_ASCII = re.compile("[ -~]*")
_WIDENED = re.compile(
    "[#*0-9\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1\u23f2\u23f8-\u23fa"
    "\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc\u2600-\u2604\u260e\u2611\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e"
    "\u262f\u2638-\u263a\u2640\u2642\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u2692\u2694-\u2697\u2699\u269b\u269c"
    "\u26a0\u26a7\u26b0\u26b1\u26c8\u26cf\u26d1\u26d3\u26e9\u26f0\u26f1\u26f4\u26f7-\u26f9\u2702\u2708\u2709\u270c\u270d"
    "\u270f\u2712\u2714\u2716\u271d\u2721\u2733\u2734\u2744\u2747\u2763\u2764\u27a1\u2934\u2935\u2b05-\u2b07"
    "\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f321\U0001f324-\U0001f32c\U0001f336\U0001f37d\U0001f396\U0001f397"
    "\U0001f399-\U0001f39b\U0001f39e\U0001f39f\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df\U0001f3f3\U0001f3f5\U0001f3f7"
    "\U0001f43f\U0001f441\U0001f4fd\U0001f549\U0001f54a\U0001f56f\U0001f570\U0001f573-\U0001f579\U0001f587"
    "\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4"
    "\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3\U0001f5fa\U0001f6cb"
    "\U0001f6cd-\U0001f6cf\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0\U0001f6f3]"
)
"""Narrow characters that variation selector 16 makes wide (emoji-variation-sequences.txt)."""

_ALSO_WIDE = re.compile(
    "[\ufa6e\ufa6f\ufada-\ufaff\U000187f8-\U000187ff\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff\u31e4\u31e5\u31ef\u2ffc-\u2fff\U00016ff2-\U00016ff6\U00018cff"
    "\U00018d09-\U00018d1e\U00018d80-\U00018df2\U0001b132\U0001b155\U0001d300-\U0001d356\U0001d360-\U0001d376"
    "\U0001f6d8\U0001f6dc\U0001fa75-\U0001fa77\U0001fa87-\U0001fa8a\U0001fa8e\U0001fa8f\U0001faad-\U0001faaf"
    "\U0001fabb-\U0001fabf\U0001fac6\U0001fac8\U0001facd-\U0001facf\U0001fada-\U0001fadc\U0001fadf"
    "\U0001fae8-\U0001faea\U0001faef\U0001faf7\U0001faf8]"
)
"""Characters that became wide, or came to be, after Unicode 14: the interpreter's tables may be older than that."""

_RESERVED_WIDE = re.compile("[\U00020000-\U0002fffd\U00030000-\U0003fffd]")
_SHOWN_FORMATS = re.compile("[\u00ad\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
_NOTHING = re.compile(
    f"[{c.HANGUL_FOLLOWING}\ud7fc-\ud7ff{c.SKIN}{c.NEWER_MARKS}\U00013439-\U0001343f\u1160\u2065\u3164\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_REGIONAL = re.compile(f"[{c.REGIONAL}]")


@lru_cache(maxsize=8192)
def _char_width(char: str) -> int:
    category = unicodedata.category(char)
    if category in ("Cc", "Mn", "Me", "Mc", "Zl", "Zp") or _NOTHING.match(char):
        return 0
    if category == "Cf":
        return 1 if _SHOWN_FORMATS.match(char) else 0
    if _ALSO_WIDE.match(char):
        return 2
    if category == "Cn" and not _RESERVED_WIDE.match(char):
        return 1
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class Grapheme(NamedTuple):
    """What a person sees as one character, and its cells."""

    text: str
    width: int


def graphemes(text: str) -> Iterator[Grapheme]:
    """Split text into what must not be torn apart."""
    start = 0
    width = 0
    base = ""
    regional = False
    index = 0
    while index < len(text):
        char = text[index]
        if char == c.ZWJ and index > start:
            index += 2
            continue
        if char == c.VS16 and index > start:
            width += bool(base and _WIDENED.match(base))
            base = ""
            index += 1
            continue
        cells = _char_width(char)
        is_regional = bool(_REGIONAL.match(char))
        if is_regional and regional:
            width += cells
            regional = False
            index += 1
            continue
        if cells or (char < " " or "\x7f" <= char < "\xa0"):
            if index > start:
                yield Grapheme(text[start:index], width)
            start, width, base, regional = index, cells, char, is_regional
        index += 1
    if start < len(text):
        yield Grapheme(text[start:], width)


def cell_width(text: str) -> int:
    """Return the cells that text takes on one line."""
    if _PRINTABLE_ASCII.fullmatch(text):
        return len(text)
    if c.ZWJ not in text and c.VS16 not in text:
        return sum(map(_char_width, text))
    return sum(grapheme.width for grapheme in graphemes(text))


def _fitting(text: str, cells: int) -> tuple[str, int]:
    """Return the longest start of text that takes at most ``cells``, and what it takes."""
    used = 0
    end = 0
    for grapheme in graphemes(text):
        if used + grapheme.width > cells:
            break
        used += grapheme.width
        end += len(grapheme.text)
    return text[:end], used


def clip(text: str, cells: int, ellipsis: str = ELLIPSIS) -> str:
    """Return text cut to at most ``cells`` cells, ending in ``ellipsis`` where something was cut."""
    if cells <= 0:
        return ""
    if len(text) <= cells * 2 and cell_width(text) <= cells:
        return text
    # A grapheme may hold any number of characters of no width, but sanitised text bounds them.
    head = text[: cells * 40 + 40]
    if len(head) == len(text) and cell_width(text) <= cells:
        return text
    room = cells - cell_width(ellipsis)
    return _fitting(head, cells)[0] if room < 0 else _fitting(head, room)[0].rstrip() + ellipsis


def pad(text: str, cells: int, *, right: bool = False, ellipsis: str = ELLIPSIS) -> str:
    """Return text that takes exactly ``cells`` cells: clipped or filled with spaces.

    Args:
        right: text stands at the right end.
    """
    text = clip(text, cells, ellipsis)
    space = " " * (cells - cell_width(text))
    return space + text if right else text + space


_NEVER_FIRST = re.compile(
    "[!),.:;?\\]}…\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3015\u30fc\uff01\uff09\uff0c\uff1a\uff1b\uff1f、。]"
)
_NEVER_LAST = re.compile("[(\\[{\u3008\u300a\u300c\u300e\u3010\u3014\uff08]")
_IDEOGRAPHIC = re.compile(f"[{c.HAN}{c.KANA}\u3000-\u303f\uff01-\uff60{c.SOUTH_EAST_ASIAN}]")


def wrap(text: str, cells: int, *, max_lines: int | None = None) -> list[str]:
    """Break text into lines of at most ``cells`` cells.

    Lines break at spaces, between Han and kana characters (with their line-start and line-end rules), and inside a
    word only where it is longer than a line. Spaces at a break are dropped.

    Args:
        max_lines: stop after so many lines.
    Raises:
        ValueError: ``cells`` is below 2, where no wide character fits.
    """
    if cells < 2:
        raise ValueError("a line must be at least 2 cells wide")
    lines: list[str] = []
    for paragraph in _paragraphs(text):
        for line in _wrapped(paragraph, cells):
            lines.append(line)
            if max_lines is not None and len(lines) >= max_lines:
                return lines
    return lines


def _paragraphs(text: str) -> Iterator[str]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _wrapped(paragraph: str, cells: int) -> Iterator[str]:
    if len(paragraph) * 2 <= cells or (len(paragraph) <= cells and paragraph.isascii()):
        yield paragraph
        return
    if _PRINTABLE_ASCII.fullmatch(paragraph):
        yield from _wrapped_ascii(paragraph, cells)
        return
    line: list[Grapheme] = []
    used = 0
    for grapheme in graphemes(paragraph):
        if used + grapheme.width > cells:
            if grapheme.text == " ":
                yield _joined(line)
                line, used = [_BREAK], 0
                continue
            cut = _break_point(line, grapheme)
            yield _joined(line[:cut])
            line = [part for part in line[cut:] if part is not _BREAK]
            while line and line[0].text == " ":
                line.pop(0)
            used = sum(part.width for part in line)
        elif line and line[0] is _BREAK:
            if grapheme.text == " ":
                continue
            line = []
        line.append(grapheme)
        used += grapheme.width
    rest = _joined(line)
    if rest or not paragraph:
        yield rest


_BREAK = Grapheme("", 0)


def _joined(line: list[Grapheme]) -> str:
    return "".join(part.text for part in line).rstrip(" ")


def _break_point(line: list[Grapheme], following: Grapheme) -> int:
    """Return the index in ``line`` at which it is best broken before ``following`` would overflow it."""
    parts = [*line, following]
    for index, (before, after) in reversed(list(enumerate(pairwise(parts), 1))):
        if before.text == " " and index > 1 and any(part.text != " " for part in parts[:index]):
            return index
        if (
            (_IDEOGRAPHIC.match(before.text) or _IDEOGRAPHIC.match(after.text))
            and not _NEVER_FIRST.match(after.text)
            and not _NEVER_LAST.match(before.text)
            and after.text != " "
        ):
            return index
    return len(line) - 1 if len(line) > 1 and _NEVER_FIRST.match(following.text) else len(line)


def _wrapped_ascii(paragraph: str, cells: int) -> Iterator[str]:
    start = 0
    indent = len(paragraph) - len(paragraph.lstrip(" "))
    while len(paragraph) - start > cells:
        space = paragraph.rfind(" ", max(start, indent) + 1, start + cells + 1)
        end = space if space > start else start + cells
        yield paragraph[start:end].rstrip(" ")
        start = end
        while start < len(paragraph) and paragraph[start] == " ":
            start += 1
    if start < len(paragraph):
        yield paragraph[start:].rstrip(" ")
