"""What an agent wants to be told before a reply leaves: an unfilled variable, a promised file that is missing, a wrong
name. Each guard explains itself by a reason code and facts, can be switched off, and only warns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final, TypeAlias

from agentconsole.domain import facts, numbers
from agentconsole.domain.model import (
    AgentName,
    Customer,
    Delivery,
    Fact,
    Facts,
    Medium,
    Route,
    Value,
)

ASKED_AGAIN: Final = "asked_again"
NUMBER_IN_TEXT: Final = "number_in_text"
JUST_WRITTEN: Final = "just_written"
UNFILLED: Final = "unfilled_variable"
ATTACHMENT_MISSING: Final = "attachment_missing"
WRONG_NAME: Final = "wrong_name"
OTHER_TARGET: Final = "other_target"
MIXED_TONE: Final = "mixed_tone"

_WRITTEN: Final = frozenset({Delivery.QUEUED, Delivery.SENDING, Delivery.SENT, Delivery.DELIVERED, Delivery.READ})
_SCANNED: Final = 20_000


class Drafted(Value, frozen=True):
    """A reply as it stands, and for whom.

    Args:
        begun_for: the route that the draft was begun for; None for a new one.
        own_names: how the team calls itself, which is no wrong name.
    """

    text: str
    attachments: int = 0
    agent: AgentName = AgentName("")
    route: Route | None = None
    begun_for: Route | None = None
    own_names: tuple[str, ...] = ()


class Warned(Value, frozen=True):
    """One warning: its guard, what is behind it, and which part of the text it is about (``start`` to ``end``)."""

    guard: str
    facts: Facts = {}
    start: int = 0
    end: int = 0


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_VARIABLE: Final = r"\{\{?\s*[A-Za-z가-힣_][\w가-힣 .]{0,40}?\s*\}?\}|\[(?:NAME|이름|고객명|DATE|날짜|ORDER|주문번호)\]"
_PROMISED: Final = (
    r"\b(?:i(?:'ve| have)? attach(?:ed)?|attached (?:is|are|you(?:'ll| will) find|please find)|(?:is|are) attached"
    r"|see (?:the )?attach(?:ed|ment)|enclosed (?:is|are|you)|find attached)\b"
    r"|첨부(?:해|하|드|파일|된|를|합니다|했|한)|동봉"
)
_GREETING: Final = (
    r"^\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)),?\s+(?:(?:mr|mrs|ms|miss|dr)\.?\s+)?"
    r"(?P<name>[A-Z][\w'’-]{1,30})(?=[\s,!.:]|$)"
)
_GREETING_KO: Final = r"^\s*(?:안녕하세요[,.!]?\s*)?(?P<name>[가-힣]{2,5})\s?(?:고객)?님"
_NOT_NAMES: Final = frozenset(
    {"there", "all", "team", "everyone", "again", "sir", "madam", "customer", "friend", "friends", "both", "folks"}
    | {"고객", "사장", "선생", "회원", "담당자", "여러분", "대표", "과장", "부장", "팀장", "기사", "점주"}
)
_POLITE: Final = (
    r"(?:니다|니까|세요|셔요|어요|아요|여요|해요|예요|이에요|네요|군요|죠|까요|지요|시오|게요)[\s.!?~)\]…]*$"
)
_PLAIN: Final = r"(?:할게|해줘|줘|이야|거야|몰라|그래|맞아|같아|봐|할래|가자|하자|냐|니)[.!?~)\]…]*\s*$"
_PAST: Final = r"(?P<before>[가-힣])어[.!?~)\]…]*\s*$"
_DOUBLE_S: Final = 20
"""The final consonant ㅆ among the 28 of a Hangul syllable (Unicode 3.12): 했어, 있어, 보냈어."""


def asked_again(draft: Drafted, known: Sequence[Fact]) -> Warned | None:
    """Warn of a question for what the customer told already."""
    fact = facts.asked_again(draft.text, known)
    if fact is None:
        return None
    told = {"kind": fact.kind, "ending": facts.masked(fact), "medium": fact.medium, "at": fact.at.isoformat()}
    return Warned(ASKED_AGAIN, told | {"entry": fact.entry})


def number_in_text(draft: Drafted, patterns: Sequence[tuple[str, str]] = ()) -> Warned | None:
    """Warn of a card or identity number that would leave in clear."""
    found = numbers.hidden(draft.text, patterns)
    if not found:
        return None
    return Warned(NUMBER_IN_TEXT, {"kind": found[0].kind, "count": str(len(found))}, found[0].start, found[0].end)


def just_written(draft: Drafted, customer: Customer, now: datetime, within: timedelta) -> Warned | None:
    """Warn that somebody else wrote to this customer moments ago, on whatever channel."""
    for record in sorted(customer.deliveries, key=lambda d: d.queued_at, reverse=True):
        ago = now - record.queued_at
        if ago > within:
            return None
        if record.agent != draft.agent and record.state in _WRITTEN:
            minutes = str(max(int(ago.total_seconds() // 60), 0))
            return Warned(JUST_WRITTEN, {"agent": record.agent, "medium": record.medium, "minutes": minutes})
    return None


def unfilled(draft: Drafted) -> Warned | None:
    """Warn of a variable that nothing was put in for."""
    match = _compiled(_VARIABLE).search(draft.text[:_SCANNED])
    return Warned(UNFILLED, {"variable": match[0]}, match.start(), match.end()) if match is not None else None


def attachment_missing(draft: Drafted) -> Warned | None:
    """Warn that a text promises a file and none is there. What is quoted promises nothing."""
    if draft.attachments:
        return None
    place = 0
    for line in draft.text[:_SCANNED].splitlines(keepends=True):
        match = _compiled(_PROMISED).search(line) if not line.lstrip().startswith(">") else None
        if match is not None:
            return Warned(ATTACHMENT_MISSING, {"words": match[0]}, place + match.start(), place + match.end())
        place += len(line)
    return None


def wrong_name(draft: Drafted, customer: Customer) -> Warned | None:
    """Warn that a text greets somebody who is not the customer."""
    if not customer.name.strip():
        return None
    names = _words(" ".join((customer.name, *draft.own_names)))
    for pattern in (_GREETING, _GREETING_KO):
        match = re.match(pattern, draft.text[:200], 0 if pattern is _GREETING_KO else re.IGNORECASE)
        if match is None:
            continue
        name = match["name"]
        if not name[0].isupper() and name.isascii():
            continue
        if name.casefold() in _NOT_NAMES or _one_of(name.casefold(), names):
            continue
        return Warned(WRONG_NAME, {"name": name, "customer": customer.name}, match.start("name"), match.end("name"))
    return None


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in re.findall(r"[^\W\d_][\w'’-]*", text))


def _one_of(name: str, names: Collection[str]) -> bool:
    """Say whether a greeting's name is one of these, also as a given name inside a Korean one, or a short form."""
    return any(name == other or (len(name) > 1 and (other.startswith(name) or other.endswith(name))) for other in names)


def other_target(draft: Drafted) -> Warned | None:
    """Warn that a draft was begun for another address or channel than it would go to now."""
    begun, now = draft.begun_for, draft.route
    if begun is None or now is None or (begun.account, begun.address) == (now.account, now.address):
        return None
    return Warned(
        OTHER_TARGET,
        {"medium": begun.medium, "address": begun.address.value, "now": now.medium, "now_address": now.address.value},
    )


def mixed_tone(draft: Drafted) -> Warned | None:
    """Warn of Korean that is polite in one sentence and plain in another."""
    polite: str = ""
    plain: tuple[int, int] | None = None
    for match in _compiled(r"[^.!?~\n…]+[.!?~…]*").finditer(draft.text[:_SCANNED]):
        sentence = match[0].rstrip()
        if not re.search(r"[가-힣]", sentence) or sentence.lstrip().startswith(">"):
            continue
        if re.search(_POLITE, sentence):
            polite = polite or sentence.strip()
        elif _is_plain(sentence):
            plain = plain or (match.start(), match.start() + len(sentence))
    if not polite or plain is None:
        return None
    return Warned(MIXED_TONE, {"words": draft.text[plain[0] : plain[1]].strip()[-20:]}, *plain)


def _is_plain(sentence: str) -> bool:
    past = re.search(_PAST, sentence)
    if past is not None and (ord(past["before"]) - 0xAC00) % 28 == _DOUBLE_S:
        return True
    return re.search(_PLAIN, sentence) is not None


Guard: TypeAlias = Callable[[], Warned | None]

ALL: Final = (
    OTHER_TARGET,
    WRONG_NAME,
    NUMBER_IN_TEXT,
    UNFILLED,
    ASKED_AGAIN,
    ATTACHMENT_MISSING,
    JUST_WRITTEN,
    MIXED_TONE,
)
"""The guards in the order of their weight: what would reach the wrong person comes first."""

RISKY: Final = frozenset({OTHER_TARGET, WRONG_NAME, NUMBER_IN_TEXT, UNFILLED})
"""What cannot be taken back once somebody has read it: a send asks twice."""


class Settings(Value, frozen=True):
    """What a profile says about guards.

    Args:
        on: the guards that are switched on.
        minutes: how long ago somebody else's message still counts as "just now".
        own_names: how the team calls itself, which is no wrong name.
        numbers: further kinds of numbers that nobody should see, each a name and a regular expression.
    """

    on: tuple[str, ...] = ALL
    minutes: int = 10
    own_names: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()


def warnings(
    draft: Drafted,
    customer: Customer,
    known: Sequence[Fact],
    now: datetime,
    settings: Settings | None = None,
) -> tuple[Warned, ...]:
    """Return what there is to warn of before a reply leaves, the weightiest first.

    Args:
        known: what the customer told already (``facts.known``).
    """
    settings = settings or Settings()
    judged: dict[str, Guard] = {
        OTHER_TARGET: lambda: other_target(draft),
        WRONG_NAME: lambda: wrong_name(draft, customer),
        NUMBER_IN_TEXT: lambda: number_in_text(draft, settings.numbers),
        UNFILLED: lambda: unfilled(draft),
        ASKED_AGAIN: lambda: asked_again(draft, known),
        ATTACHMENT_MISSING: lambda: attachment_missing(draft),
        JUST_WRITTEN: lambda: just_written(draft, customer, now, timedelta(minutes=settings.minutes)),
        MIXED_TONE: lambda: mixed_tone(draft),
    }
    found = (judged[name]() for name in ALL if name in settings.on)
    return tuple(warning for warning in found if warning is not None)


# -- only for what we begin ourselves -----------------------------------------------------------------------


class Cap(Value, frozen=True):
    """How often and how soon we may begin ourselves: over all channels and agents together."""

    messages: int = 2
    days: int = 7
    cooling_hours: int = 48


def too_often(sent: Sequence[datetime], now: datetime, cap: Cap) -> datetime | None:
    """Return when the next message of ours may be begun where the cap is reached, else None.

    Args:
        sent: when we began ourselves, on any channel.
    """
    window = timedelta(days=cap.days)
    recent = sorted(at for at in sent if now - at < window)
    return recent[-cap.messages] + window if cap.messages > 0 and len(recent) >= cap.messages else None


def cooling_off(bad: Sequence[tuple[datetime, Medium]], now: datetime, cap: Cap) -> datetime | None:
    """Return until when nothing cheerful is begun after a complaint or a low rating, else None."""
    newest = max((at for at, _ in bad), default=None)
    if newest is None:
        return None
    end = newest + timedelta(hours=cap.cooling_hours)
    return end if now < end else None
