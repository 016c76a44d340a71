"""What the customer already told us, so that nobody asks twice.

Facts are found by patterns in what customers wrote, each with the entry that it came from. They are hints beside the
timeline: a wrong one costs a glance, a missed one a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from agentconsole.domain.entries import AnyEntry, Received
from agentconsole.domain.model import EntryId, Medium, Value

ID_NUMBER: Final = "id_number"
ORDER_NUMBER: Final = "order_number"
PHONE: Final = "phone"
EMAIL: Final = "email"

_SCANNED: Final = 20_000
"""Characters of one message that are looked at: what people tell us stands at the top."""

_STATED: Final = {
    ID_NUMBER: (
        r"\b(?:my\s+)?(?:ID|identity|identification)(?:\s+(?:card|number|no\.?))*\s*(?:is|:|=|#)?\s*(?P<value>\d[\d-]{2,17}\d)"
        r"|(?:신분증|회원|고객|등록)\s*번호[는은가이]?\s*[:=]?\s*(?P<ko>\d[\d-]{2,17}\d)"
    ),
    ORDER_NUMBER: (
        r"\border(?:\s+(?:number|no\.?))*\s*(?:is|:|=|#)?\s*(?P<value>(?:[A-Z]{1,4}-?)?\d[\d-]{3,19})"
        r"|주문\s*(?:번호)?[는은가이]?\s*[:=]?\s*(?P<ko>(?:[A-Z]{1,4}-?)?\d[\d-]{3,19})"
    ),
}

_ASK: Final = r"(?:what(?:'s| is)|which|(?:may|can) i have|could (?:you|i)|can you|please|send|tell|give|need|confirm)"
_ASK_KO: Final = r"(?:알려|말씀|보내|확인|뭐|무엇|어떻게|몇|주시|주세요)"

_QUESTION: Final = {
    ID_NUMBER: (
        rf"{_ASK}\b.{{0,40}}\b(?:ID|identity|identification)\b"
        rf"|(?:신분증|회원|고객)\s*번호.{{0,20}}{_ASK_KO}"
    ),
    ORDER_NUMBER: rf"{_ASK}\b.{{0,40}}\border\s*(?:number|no\b)|주문\s*번호.{{0,20}}{_ASK_KO}",
    PHONE: (
        rf"{_ASK}\b.{{0,40}}\b(?:phone|mobile|telephone|whatsapp)\s*(?:number|no\b)?"
        rf"|(?:전화|휴대폰|연락처)\s*(?:번호)?.{{0,20}}{_ASK_KO}"
    ),
    EMAIL: rf"{_ASK}\b.{{0,40}}\be-?mail(?:\s+address)?\b|(?:이메일|메일)\s*주소.{{0,20}}{_ASK_KO}",
}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile on first use: the console's first frame does not wait for it."""
    return re.compile(pattern, re.IGNORECASE)


class Fact(Value, frozen=True):
    """Something known, with where it was told."""

    kind: str
    value: str
    entry: EntryId
    at: datetime
    medium: Medium


def known(entries: Iterable[AnyEntry]) -> tuple[Fact, ...]:
    """Return what the customer told us, the newest word of each kind, in the order of kinds."""
    found: dict[str, Fact] = {}
    for entry in entries:
        if not isinstance(entry, Received):
            continue
        for kind, value in _told(entry):
            earlier = found.get(kind)
            if earlier is None or entry.at >= earlier.at:
                found[kind] = Fact(kind, value, entry.id, entry.at, entry.medium)
    return tuple(found[kind] for kind in (ID_NUMBER, ORDER_NUMBER, PHONE, EMAIL) if kind in found)


def _told(entry: Received) -> list[tuple[str, str]]:
    text = _plain(entry.text)
    told = [
        (kind, next(group for group in match.groups() if group))
        for kind, pattern in _STATED.items()
        for match in _compiled(pattern).finditer(text)
    ]
    return told + [(address.kind, address.value) for address in entry.mentions if address.kind in (PHONE, EMAIL)]


def _plain(text: str) -> str:
    """Return a text with single blanks: runs of them would let the patterns look for ever."""
    return " ".join(text[:_SCANNED].split())


def asked_again(text: str, facts: Sequence[Fact]) -> Fact | None:
    """Return a fact that a draft asks for although it is known, if one."""
    plain = _plain(text)
    for fact in facts:
        if _compiled(_QUESTION[fact.kind]).search(plain):
            return fact
    return None


def masked(fact: Fact) -> str:
    """Return the end of a number by which its owner knows it; an address as it is."""
    if fact.kind in (PHONE, EMAIL):
        return fact.value
    plain = "".join(c for c in fact.value if c.isalnum())
    return plain[-4:]
