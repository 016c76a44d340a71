"""Any text as Markdown that shows exactly this text: nothing from outside may become markup. Pure."""

from __future__ import annotations

import re
from typing import Final

from agentconsole.text.sanitise import one_line, sanitise

MAX_TEXT: Final = 10_000_000
"""Characters of one text: whole histories are written, and nothing is left out."""

_MARKS: Final = re.compile(
    r"[\\`*_\[\]<>#&|~@$]"  # code, stress, links, HTML, headings, entities, tables, strikes, bare mailboxes, formulas
    r"|:(?=//)|:(?=[\w+-]+:)|\.(?<=\bwww\.)"  # bare links, emoji by name
)
_LINE_START: Final = re.compile(r"^(?:(\d{1,9})([.)])|([-+=]))")
"""What makes a list, a rule or a heading only where a line begins (CommonMark 0.31, 4.1, 4.3, 5.2)."""


def inline(text: str, limit: int = 2000) -> str:
    """Return one line of text for use within a line of Markdown."""
    return _escaped(one_line(text, limit))


def quoted(text: str) -> str:
    """Return a text of several lines as a quotation that keeps its lines, its blanks and its characters."""
    lines = sanitise(text, limit=MAX_TEXT).strip("\n").split("\n")
    made = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        bare = line.strip()
        if not bare:
            made.append(">")
            continue
        blanks = "&nbsp;" * (len(line) - len(line.lstrip(" ")))
        made.append(f"> {blanks}{_escaped(bare)}" + ("\\" if following.strip() else ""))
    return "\n".join(made)


def _escaped(text: str) -> str:
    plain = _MARKS.sub(lambda match: f"\\{match[0]}", text)
    return _LINE_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", plain)
