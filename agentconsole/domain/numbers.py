"""Numbers that nobody should see without need: card and identity numbers, found and masked in any text.

A card number is recognised by its length and Luhn's checksum (ISO/IEC 7812-1), a Korean resident or foreigner number
by its date and, for those issued before October 2020, its checksum is not asked for: since then the last six digits
are random (주민등록법 시행규칙 제2조). A Brazilian CPF by its two check digits (Receita Federal), a US social security
number by the blocks that were never issued (SSA). Everything else that a profile wants masked is a pattern of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from agentconsole.domain.model import Value

CARD: Final = "card"
RESIDENT: Final = "resident_number"
CPF: Final = "cpf"
SSN: Final = "ssn"

KEPT: Final = 4
"""Digits at the end that stay: by them the owner knows the number."""

MASK: Final = "•"

_SCANNED: Final = 200_000
_DIGITS: Final = r"(?<![\w.+-])(?:\d[ -]?){12,18}\d(?![\w-])"
_RESIDENT: Final = r"(?<![\d-])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ ]?-?[ ]?[1-8]\d{6}(?![\d-])"
_ISSUERS: Final = (
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d)\d{12}|62\d{14,17}"
)
"""Lengths and first digits of cards that circulate: a checksum alone fits every tenth number."""
_CPF: Final = r"(?<![\d.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\d.-])"
_SSN: Final = r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"


class Number(Value, frozen=True):
    """A number to hide: where it stands in the text (``start`` to ``end``) and what it is."""

    kind: str
    start: int
    end: int


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


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
    for match in _compiled(_RESIDENT).finditer(text):
        yield Number(RESIDENT, match.start(), match.end())
    for match in _compiled(_CPF).finditer(text):
        if _cpf("".join(c for c in match[0] if c.isdigit())):
            yield Number(CPF, match.start(), match.end())
    for match in _compiled(_SSN).finditer(text):
        yield Number(SSN, match.start(), match.end())
    for match in _compiled(_DIGITS).finditer(text):
        digits = "".join(c for c in match[0] if c.isdigit())
        if _compiled(_ISSUERS).fullmatch(digits) and _luhn(digits):
            yield Number(CARD, match.start(), match.end())


def hidden(text: str, patterns: Sequence[tuple[str, str]] = ()) -> tuple[Number, ...]:
    """Return the numbers of a text that are to be masked, in order, none inside another.

    Args:
        patterns: further kinds of a profile, each a name and a regular expression whose whole match is hidden.
    """
    part = text[:_SCANNED]
    found = [*_found(part)]
    for kind, pattern in patterns:
        found += [Number(kind, m.start(), m.end()) for m in _compiled(pattern).finditer(part) if m.end() > m.start()]
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
        shown = text[number.start : number.end]
        left = sum(c.isalnum() for c in shown) - KEPT
        parts.append(text[done : number.start])
        for c in shown:
            if c.isalnum():
                parts.append(MASK if left > 0 else c)
                left -= 1
            else:
                parts.append(c)
        done = number.end
    parts.append(text[done:])
    return "".join(parts)
