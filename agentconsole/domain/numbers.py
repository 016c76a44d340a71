"""Numbers that nobody should see without need: card and identity numbers, found and masked in any text.

A card number is recognised by its length and Luhn's checksum (ISO/IEC 7812-1), a Korean resident or foreigner number
by its date and, for those issued before October 2020, its checksum is not asked for: since then the last six digits
are random (주민등록법 시행규칙 제2조). A Brazilian CPF by its two check digits (Receita Federal), a US social security
number by the blocks that were never issued (SSA). Everything else that a profile wants masked is a pattern of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from agentconsole.domain.model import Value

CARD: Final = "card"
RESIDENT: Final = "resident_number"
STATED: Final = "id_number"
CPF: Final = "cpf"
SSN: Final = "ssn"

KEPT: Final = 4
"""Digits at the end that stay: by them the owner knows the number."""

MASK: Final = "•"

_RUN: Final = r"[0-9][0-9 \t\n.\-]{3,}"
"""Where to look closer: digits and what people put between those of one number. A line may break there."""
_WIDEST: Final = 3
_CONTEXT: Final = 40
_RESIDENT: Final = (
    r"(?<![0-9\-•])[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ ]{0,2}-?[ ]{0,2}[1-8][0-9]{6}(?![0-9\-])"
)
_ISSUERS: Final = (
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d)\d{12}|62\d{14,17}"
)
"""Lengths and first digits of cards that circulate: a checksum alone fits every tenth number."""
_CPF: Final = r"(?<![0-9.\-•])[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?![0-9\-])(?!\.[0-9])"
_SSN: Final = r"(?<![0-9\-•])(?!000|666|9[0-9][0-9])[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9\-])"
_NUMBER: Final = r"[0-9][0-9\-]{3,17}[0-9](?![0-9])"
_STATED: Final = (
    r"(?<![A-Za-z])(?<!order )(?<!user )(?<!ticket )(?<!booking )(?<!tracking )(?<!transaction )(?<!product )(?<!case )"
    r"(?:ID|identity|identification|passport)(?:\s{1,3}(?:card|number|no\.?)){0,2}\s{0,3}(?:is|:|=|#)?\s{0,3}$"
    r"|(?:신분증|주민(?:등록)?|외국인(?:등록)?|여권|면허)\s{0,2}번호[는은가이]?\s{0,3}[:=]?\s{0,3}$"
)
"""What stands before a number that somebody calls an ID, whatever its form."""
_ODD: Final = (
    r"[\u00a0\u00ad\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u2000-\u2015\u2028-\u202f\u205f-\u2069\u2212\u3000\ufeff"
    r"\uff0d\uff0e\uff10-\uff19]"
)


class Number(Value, frozen=True):
    """A number to hide: where it stands in the text (``start`` to ``end``) and what it is."""

    kind: str
    start: int
    end: int


@cache
def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)


def _plain(found: re.Match[str]) -> str:
    """Return what an odd character stands for: a digit, a dash, or a gap that shows nothing."""
    odd = found[0]
    digit = unicodedata.digit(odd, None)
    if digit is not None:
        return str(digit)
    if odd == "\uff0e":
        return "."
    return "-" if unicodedata.category(odd) == "Pd" or odd == "\u2212" else " "


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _cpf(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        rest = sum(int(d) * (length + 1 - place) for place, d in enumerate(digits[:length])) * 10 % 11 % 10
        if rest != int(digits[length]):
            return False
    return True


def _found(text: str) -> Iterator[Number]:
    for run in _compiled(_RUN).finditer(text):
        start, end = run.span()
        if end - start >= _SHORTEST_RUN:
            yield from _numbers(text, start, end)
        tail = text[max(start - 12, 0) : start].rstrip(" :=#\n").lower()
        if not tail.endswith(_ENDINGS) or (token := _compiled(_NUMBER).match(text, start)) is None:
            continue
        if _compiled(_STATED, re.IGNORECASE).search(text[max(start - _CONTEXT, 0) : start]):
            yield Number(STATED, start, token.end())


def _numbers(text: str, start: int, end: int) -> Iterator[Number]:
    before = max(start - 1, 0)
    part = text[before : end + 2]
    if end - start >= _SHORTEST:
        for match in _compiled(_RESIDENT).finditer(part):
            yield Number(RESIDENT, before + match.start(), before + match.end())
        yield from _cards(text, start, end)
    if "-" not in part:
        return
    for match in _compiled(_SSN).finditer(part):
        yield Number(SSN, before + match.start(), before + match.end())
    for match in _compiled(_CPF).finditer(part) if "." in part else ():
        if _cpf("".join(c for c in match[0] if c.isdigit())):
            yield Number(CPF, before + match.start(), before + match.end())


_ENDINGS: Final = (
    *("id", "is", "identity", "identification", "passport", "card", "number", "no", "no."),
    *("번호", "번호는", "번호은", "번호가", "번호이"),
)
_LONGEST: Final = 19
_SHORTEST: Final = 13
_SHORTEST_RUN: Final = 11
_GROUPS: Final = 7
"""Groups that people write a card number in; one that is spaced digit by digit is seen where it begins the run."""
_BEFORE: Final = r"[A-Za-z0-9_.+\-•]"
_AFTER: Final = r"-?[A-Za-z0-9_]"


def _cards(text: str, start: int, end: int) -> Iterator[Number]:
    """Yield the cards among the groups of a run of digits: an expiry date or a code may stand before or after."""
    spots = [match.start() for match in _compiled("[0-9]").finditer(text, start, end)]
    if len(spots) < _SHORTEST:
        return
    digits = "".join(text[spot] for spot in spots)
    begins = [n for n, spot in enumerate(spots) if n == 0 or spot - spots[n - 1] > 1]
    ends = [n - 1 for n in begins[1:]] + [len(spots) - 1]
    done = -1
    for place, first in enumerate(begins):
        if first <= done or digits[first] not in "23456" or (place == 0 and _beside(text, start, end=False)):
            continue
        groups = _GROUPS if place else _LONGEST
        for last in reversed(ends[place : place + groups]):
            length = last - first + 1
            if not _SHORTEST <= length <= _LONGEST or not _compiled(_ISSUERS).fullmatch(digits, first, last + 1):
                continue
            if last == len(spots) - 1 and _beside(text, spots[last] + 1, end=True):
                continue
            apart = any(spots[n + 1] - spots[n] > _WIDEST + 1 for n in range(first, last))
            if not apart and _luhn(digits[first : last + 1]):
                yield Number(CARD, spots[first], spots[last] + 1)
                done = last
                break


def _beside(text: str, place: int, *, end: bool) -> bool:
    """Say whether a number goes on beyond a place, as part of a name or an address."""
    if end:
        return _compiled(_AFTER).match(text, place) is not None
    return place > 0 and _compiled(_BEFORE).match(text[place - 1]) is not None


def hidden(text: str, patterns: Sequence[tuple[str, str]] = ()) -> tuple[Number, ...]:
    """Return the numbers of a text that are to be masked, in order, none inside another.

    Args:
        patterns: further kinds of a profile, each a name and a regular expression whose whole match is hidden.
    """
    part = text if text.isascii() else _compiled(_ODD).sub(_plain, text)
    found = [*_found(part)]
    for kind, pattern in patterns:
        found += [Number(kind, m.start(), m.end()) for m in _compiled(pattern).finditer(text) if m.end() > m.start()]
    found.sort(key=lambda n: (n.start, -n.end))
    apart: list[Number] = []
    for number in found:
        if not apart or number.start >= apart[-1].end:
            apart.append(number)
    return tuple(apart)


def masked(text: str, patterns: Sequence[tuple[str, str]] = ()) -> str:
    """Return a text with its hidden numbers masked up to their last digits; as long as before, character by character.

    Spaces and dashes stay, so that a line breaks where it broke and a position in it stays the same.
    """
    parts: list[str] = []
    done = 0
    for number in hidden(text, patterns):
        parts += (text[done : number.start], tail(text[number.start : number.end]))
        done = number.end
    if not done:
        return text
    parts.append(text[done:])
    return "".join(parts)


def tail(number: str) -> str:
    """Return a number with all but its last digits masked, as long as before."""
    left = sum(c.isalnum() for c in number) - KEPT
    shown = []
    for c in number:
        if c.isalnum():
            shown.append(MASK if left > 0 else c)
            left -= 1
        else:
            shown.append(c)
    return "".join(shown)
