"""A reply made to fit another medium: shortened with a mark, subject dropped or added, never split inside a letter."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from agentconsole.text import sms

SHORTENED: Final = "shortened"
SUBJECT_DROPPED: Final = "subject_dropped"
SUBJECT_ADDED: Final = "subject_added"

MARK: Final = "…"
PLAIN_MARK: Final = "..."
"""In an SMS of the small alphabet one ellipsis would turn the whole message to 70 letters a part."""
SUBJECT_WIDTH: Final = 60
"""Characters of a subject that is made from a text's first line."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What would be sent, and what had to be done to it, as codes."""

    text: str
    subject: str = ""
    changes: tuple[str, ...] = ()


def size(text: str, unit: str) -> int:
    """Return how big a text is in a medium's unit: ``characters``, ``bytes`` (UTF-8) or ``sms`` (parts)."""
    match unit:
        case "sms":
            return sms.parts(text).parts if text else 0
        case "bytes":
            return len(text.encode("utf-8", "replace"))
        case _:
            return len(text)


def fitted(text: str, *, limit: int, unit: str, takes_subject: bool, subject: str = "") -> Fitted | None:
    """Return a text as a medium can carry it, or None where not even the mark fits.

    Args:
        limit: the most that the medium takes, counted in ``unit``.
        subject: what the reply had as subject, or its conversation has.
    """
    changes: list[str] = []
    if takes_subject and not subject:
        subject = _first_line(text)
        changes += [SUBJECT_ADDED] if subject else []
    elif not takes_subject and subject:
        subject = ""
        changes.append(SUBJECT_DROPPED)
    if size(text, unit) > limit:
        small = unit == "sms" and sms.encoding(text) == "GSM-7"
        cut = _cut(text, limit, unit, PLAIN_MARK if small else MARK)
        if cut is None:
            return None
        text = cut
        changes.append(SHORTENED)
    return Fitted(text, subject if takes_subject else "", tuple(changes))


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if len(line) <= SUBJECT_WIDTH:
        return line
    return line[: _whole(line, SUBJECT_WIDTH - 1)].rstrip() + MARK


def _cut(text: str, limit: int, unit: str, mark: str) -> str | None:
    """Return the longest beginning that fits together with the mark, ended between words where there are words."""
    if size(mark, unit) > limit:
        return None
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if size(text[:middle] + mark, unit) <= limit:
            low = middle
        else:
            high = middle - 1
    end = _whole(text, low)
    between = max((m.end() for m in re.finditer(r"\s", text[:end])), default=0)
    if between > end * 2 // 3:
        end = between
    return text[:end].rstrip() + mark


def _whole(text: str, end: int) -> int:
    """Return the nearest place before ``end`` that splits no letter from its marks, and no joined emoji."""
    while 0 < end < len(text) and (
        unicodedata.category(text[end]) in ("Mn", "Me", "Mc", "Cf")
        or text[end - 1] == "\u200d"
        or 0x1F3FB <= ord(text[end]) <= 0x1F3FF
        or 0x1160 <= ord(text[end]) <= 0x11FF
    ):
        end -= 1
    return end
