"""What an answer takes over from the message that it answers: a quotation, and what stands below it in an editor."""

from __future__ import annotations

import re
import textwrap
from typing import Final

from agentconsole.text import quoting

MOST_LINES: Final = 40
"""Lines of a quotation in a mail; more of it is what the customer has at home."""

WIDTH: Final = 72
"""Cells of a quoted line, as mail has them."""

SHORT: Final = 120
"""Characters of a quotation in a chat."""

CUT: Final = "-------- 8< --------"
"""The mark in an editor's file below which nothing is sent."""

_CUT_LINE: Final = re.compile(r"^-{4,} ?8< ?-{4,}.*$", re.MULTILINE)


def own_words(text: str) -> str:
    """Return what somebody wrote themselves, without quotations, forwarded mail and signature."""
    parts = (text[part.start : part.end] for part in quoting.segments(text) if part.kind == quoting.Kind.TEXT)
    return "".join(parts).strip()


def quoted(text: str, attribution: str) -> str:
    """Return a quotation as mail has it: who wrote when, then the words behind ``>``, folded at 72 cells.

    Args:
        text: the message; what it quotes itself is left out.
        attribution: the line above it; empty for none.
    """
    lines: list[str] = []
    for line in (own_words(text) or text.strip()).split("\n"):
        folded = textwrap.wrap(line, WIDTH - 2, break_long_words=False, break_on_hyphens=False) or [""]
        lines += folded
        if len(lines) > MOST_LINES:
            lines = [*lines[:MOST_LINES], "[…]"]
            break
    shown = [f"> {line}".rstrip() for line in lines]
    return "\n".join([attribution, *shown] if attribution else shown)


def short_quoted(text: str) -> str:
    """Return a quotation as chats have it: one line of the beginning."""
    plain = " ".join((own_words(text) or text).split())
    if len(plain) > SHORT:
        plain = plain[:SHORT].rsplit(" ", 1)[0] + " …"
    return f"> {plain}"


def for_editor(text: str, told: str, answered: str) -> str:
    """Return the file that an editor opens: the draft, a mark, and for reading the message that it answers.

    Args:
        told: what stands beside the mark: that nothing below it is sent.
    """
    below = quoted(answered, "") if answered.strip() else ""
    return f"{text}\n\n{CUT} {told}\n{below}\n"


def from_editor(written: str) -> str:
    """Return what was written above the mark."""
    match = _CUT_LINE.search(written)
    return (written[: match.start()] if match is not None else written).rstrip()
