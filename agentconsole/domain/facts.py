"""What the customer already told us, so that nobody asks twice.

Facts are found by patterns in what customers wrote, each with the entry that it came from. They are hints beside the
timeline: a wrong one costs a glance, a missed one a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from msgspec.structs import replace

from agentconsole.domain import numbers, when
from agentconsole.domain.entries import AnyEntry, Received
from agentconsole.domain.model import Fact, Value

ID_NUMBER: Final = "id_number"
ORDER_NUMBER: Final = "order_number"
DATE: Final = "date"
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

_NAMED: Final = {ID_NUMBER: ("id", "번호"), ORDER_NUMBER: ("order", "주문")}
"""Without one of these nothing is looked for: every message of every history is folded."""

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
    DATE: (
        r"\b(?:what (?:is|was) the|confirm the|tell me the) (?:date|day) of your\b"
        r"|\bwhen (?:is|was) your (?:appointment|booking|reservation|visit|order)\b"
        rf"|(?:예약|진료|방문)\s*(?:날짜|일자|일시|일)?.{{0,6}}(?:언제|며칠)|(?:예약|진료|방문)\s*(?:날짜|일자|일시).{{0,20}}{_ASK_KO}"
    ),
    EMAIL: rf"{_ASK}\b.{{0,40}}\be-?mail(?:\s+address)?\b|(?:이메일|메일)\s*주소.{{0,20}}{_ASK_KO}",
}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile on first use: the console's first frame does not wait for it."""
    return re.compile(pattern, re.IGNORECASE)


KINDS: Final = (ID_NUMBER, ORDER_NUMBER, DATE, PHONE, EMAIL)
"""The kinds that every profile knows, in the order in which they are shown."""


def known(entries: Iterable[AnyEntry]) -> tuple[Fact, ...]:
    """Return what the customer told us, the newest word of each kind, in the order of kinds."""
    found: dict[str, Fact] = {}
    for entry in entries:
        if isinstance(entry, Received):
            learn(found, told(entry))
    return ordered(found)


def learn(found: dict[str, Fact], facts: Iterable[Fact]) -> None:
    """Take facts into what is known, where they are the later word."""
    for fact in facts:
        earlier = found.get(fact.kind)
        if earlier is None or fact.at >= earlier.at:
            found[fact.kind] = fact


def ordered(found: Mapping[str, Fact]) -> tuple[Fact, ...]:
    """Return facts in the order in which they are shown: the profile's own kinds last."""
    own = sorted(kind for kind in found if kind not in KINDS)
    return tuple(found[kind] for kind in (*KINDS, *own) if kind in found)


def told(entry: Received) -> list[Fact]:
    """Return what one message tells; of several numbers of a kind the last one comes last.

    A date without a year is the nearest one to the message.
    """
    text = _plain(entry.text)
    low = text.lower()
    values = [
        (kind, next(group for group in match.groups() if group))
        for kind, pattern in _STATED.items()
        if any(word in low for word in _NAMED[kind])
        for match in _compiled(pattern).finditer(text)
    ]
    for mention in when.found(text, entry.at) if any(word in low for word in when.NAMED) else ():
        clock = f" {mention.clock:%H:%M}" if mention.clock is not None else ""
        values.append((DATE, f"{mention.day.isoformat()}{clock}"))
    values += [(address.kind, address.value) for address in entry.mentions if address.kind in (PHONE, EMAIL)]
    return [Fact(kind, value, entry.id, entry.at, entry.medium) for kind, value in values]


class Pattern(Value, frozen=True):
    """A kind of fact that a profile made up: what is matched (the group ``value`` where there is one), and its name
    for people."""

    name: str
    pattern: str
    label: str = ""


def told_as(entry: Received, patterns: Sequence[Pattern]) -> list[Fact]:
    """Return what one message tells by a profile's own patterns."""
    text = _plain(entry.text)
    found = []
    for one in patterns:
        for match in _compiled(one.pattern).finditer(text):
            value = match.groupdict().get("value") or match[0]
            found.append(Fact(one.name, value[:200], entry.id, entry.at, entry.medium, one.label))
    return found


def _plain(text: str) -> str:
    """Return a text with single blanks: runs of them would let the patterns look for ever."""
    return " ".join(text[:_SCANNED].split())


def asked_again(text: str, facts: Sequence[Fact]) -> Fact | None:
    """Return a fact that a draft asks for although it is known, if one."""
    plain = _plain(text)
    for fact in facts:
        question = _QUESTION.get(fact.kind)
        if question is not None and _compiled(question).search(plain):
            return fact
    return None


def masked(fact: Fact) -> str:
    """Return the end of a number by which its owner knows it; anything else as it is."""
    if fact.kind not in (ID_NUMBER, ORDER_NUMBER):
        return fact.value
    plain = "".join(c for c in fact.value if c.isalnum())
    return plain[-4:]


def covered(fact: Fact) -> Fact:
    """Return a fact as anybody may see it: of an ID number its end only."""
    if fact.kind != ID_NUMBER:
        return fact
    return replace(fact, value=numbers.tail(fact.value))
