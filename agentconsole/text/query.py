"""What is typed to find something: words, "phrases", -words and filters, understood and printed again.

``refund -invoice "two days" from:emily on:whatsapp after:yesterday is:open``. Names and values of filters are known in
English and Korean; the canonical ones are English, so that a saved query reads the same for everybody. Pure: what the
words are compared with is the store's business (``text.tokens``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from agentconsole.domain import when
from agentconsole.domain.model import ConversationStatus, Line, Value
from agentconsole.errors import UsageError
from agentconsole.text import tokens
from agentconsole.text.words_table import CODES, WORDS

MAX_FILTERS: Final = 16
_LONGEST: Final = 1000
"""Characters of a query that count."""

FROM, ON, BEFORE, AFTER, HAS, IS, TAG, BY, IN = "from", "on", "before", "after", "has", "is", "tag", "by", "in"

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    FROM: ("customer", "고객", "누구"),
    ON: ("medium", "channel", "채널"),
    BEFORE: ("until", "전", "이전"),
    AFTER: ("since", "후", "이후", "부터"),
    HAS: ("있음",),
    IS: ("status", "상태"),
    TAG: ("label", "태그"),
    BY: ("agent", "상담원"),
    IN: ("kind", "종류"),
}
"""The filters, each with its other names."""

VALUES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    HAS: {"attachment": ("attachments", "file", "files", "첨부", "파일")},
    IS: {
        "open": ("열림", "진행"),
        "closed": ("resolved", "닫힘", "종료", "완료"),
        "unread": ("new", "안읽음"),
        "mine": ("내것", "나"),
        "unassigned": ("nobody", "담당없음"),
        "waiting": ("대기",),
        "snoozed": ("later", "미룸"),
        "spam": ("스팸",),
        "failed": ("실패",),
        "uncertain": ("불확실",),
    },
    IN: {
        "message": ("received", "incoming", "받음", "받은것"),
        "reply": ("sent", "outgoing", "답장", "보냄"),
        "note": ("notes", "메모"),
    },
}
"""The values of the filters that have a closed list, each with its other names."""

_MEDIA: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("mail", "이메일"),
    "sms": ("text", "text message"),
    "whatsapp": ("왓츠앱", "왓츠", "왓앱"),
    "telegram": ("텔레", "텔레그램"),
    "kakaotalk": ("kakao", "카톡", "카카오", "톡"),
    "matrix": ("element",),
    "phone": ("call", "통화"),
    "in_person": ("visit",),
    "talktalk": ("네이버톡톡", "naver"),
}


class Term(Value, frozen=True):
    """Words that must occur: by their beginnings, or, as a ``phrase``, exactly and side by side."""

    words: str
    phrase: bool = False
    no: bool = False


class Filter(Value, frozen=True):
    """A condition. ``at`` is the moment that ``before`` and ``after`` mean."""

    name: str
    value: str
    no: bool = False
    at: datetime | None = None


class Query(Value, frozen=True):
    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()

    @property
    def words(self) -> str:
        """The words that are looked for, as a plain text: for snippets and marks."""
        return " ".join(term.words for term in self.terms if not term.no)

    def of(self, name: str) -> tuple[Filter, ...]:
        return tuple(one for one in self.filters if one.name == name)

    def __bool__(self) -> bool:
        return bool(self.terms or self.filters)


_PIECE: Final = re.compile(
    r'(?P<no>-)?(?:(?P<name>[^\W\d_]+):(?!//)(?:"(?P<value_quoted>[^"]*)"?|(?P<value>[^\s"]+))'
    r'|"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+))'
)


def plain(words: str) -> Query:
    """Return the query that looks for all of some words, whatever signs are in them."""
    words = words[:_LONGEST].strip()
    return Query((Term(words),)) if tokens.holds_words(words) else Query()


def parse(text: str, now: datetime, place: tzinfo = UTC, media: Collection[str] = ()) -> Query:
    """Understand what was typed.

    Args:
        now: aware; what ``yesterday`` means.
        place: the agent's time zone.
        media: media that are known besides our own list.

    Raises:
        UsageError: a filter, or a value of one, that there is not; the hint names the nearest.
    """
    terms: list[Term] = []
    filters: list[Filter] = []
    for piece in _PIECE.finditer(text[:_LONGEST]):
        no = piece["no"] is not None
        if piece["name"] is not None:
            value = (piece["value_quoted"] if piece["value"] is None else piece["value"]).strip()
            if value:
                filters.append(_filter(piece["name"], value, no, now, place, media))
            continue
        words = " ".join((piece["bare"] if piece["quoted"] is None else piece["quoted"]).split())
        if tokens.holds_words(words):
            terms.append(Term(words, phrase=piece["quoted"] is not None, no=no))
    return Query(tuple(terms[: tokens.MAX_WORDS]), tuple(filters[:MAX_FILTERS]))


def printed(query: Query) -> str:
    """Return the text that means a query: what ``parse`` makes the same query of."""
    found = [f"{'-' * t.no}{_quoted(t.words) if t.phrase else t.words}" for t in query.terms]
    found += [f"{'-' * f.no}{f.name}:{_quoted(f.value) if _needs_quotes(f.value) else f.value}" for f in query.filters]
    return " ".join(found)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _needs_quotes(value: str) -> bool:
    return any(sign.isspace() for sign in value)


def _filter(name: str, value: str, no: bool, now: datetime, place: tzinfo, media: Collection[str]) -> Filter:
    kind = _names().get(name.casefold())
    if kind is None:
        near = _nearest(name.casefold(), _names())
        raise UsageError(
            f"There is no filter {name}:. Nothing was searched.",
            (f"Did you mean {_names()[near]}:? " if near else "")
            + f'Filters: {" ".join(f"{one}:" for one in NAMES)}. To find the text itself: "{name}:{value}"',
        )
    if kind in (BEFORE, AFTER):
        at = moment(value, now, place)
        if at is None:
            raise UsageError(
                f"{value} is no day that {kind}: could mean. Nothing was searched.",
                'For example: 2026-03-31, yesterday, "3 days ago", monday, 어제, 3월3일.',
            )
        return Filter(kind, _day_text(at.astimezone(place)), no, at)
    known = _media(tuple(sorted(media))) if kind == ON else _values(kind)
    if known is None:
        return Filter(kind, value, no)
    found = known.get(_squeezed(value))
    if found is None:
        near = _nearest(_squeezed(value), known)
        raise UsageError(
            f"There is no {kind}:{value}. Nothing was searched.",
            (f"Did you mean {kind}:{known[near]}? " if near else "")
            + f"Known: {', '.join(sorted(set(known.values())))}.",
        )
    return Filter(kind, found, no)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s_-]", "", tokens.fold(text))


def _nearest(word: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(word, list(known), 1, 0.5)), "")


@lru_cache(1)
def _names() -> Mapping[str, str]:
    return {name.casefold(): kind for kind, others in NAMES.items() for name in (kind, *others)}


@lru_cache(16)
def _values(kind: str) -> Mapping[str, str] | None:
    if kind not in VALUES:
        return None
    return {_squeezed(name): value for value, others in VALUES[kind].items() for name in (value, *others)}


@lru_cache(16)
def _media(more: tuple[str, ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for medium in (*CODES, *more):
        named = (table.get(f"medium.{medium}", medium) for table in WORDS.values())
        for name in (medium, CODES.get(medium, medium), *named, *_MEDIA.get(medium, ())):
            found.setdefault(_squeezed(name), medium)
    return found


# -- days in the past --------------------------------------------------------------------------------------

_AGO: Final = re.compile(
    r"(?P<n>\d{1,4})\s*(?P<unit>min(?:ute)?s?|h(?:our)?s?|d(?:ay)?s?|w(?:eek)?s?|months?|y(?:ear)?s?"
    r"|분|시간|일|주일?|개월|달|년)(?:\s*(?:ago|전))?",
    re.IGNORECASE,
)
_DAYS: Final = (
    ("mo", 30),
    ("개월", 30),
    ("달", 30),
    ("y", 365),
    ("년", 365),
    ("w", 7),
    ("주", 7),
    ("d", 1),
    ("일", 1),
)
_NAMED: Final = {
    "today": 0, "오늘": 0, "yesterday": 1, "어제": 1, "그제": 2, "그저께": 2, "엊그제": 2, "lastweek": 7, "지난주": 7,
    "tomorrow": -1, "내일": -1, "모레": -2,
}  # fmt: skip
_HALF_A_YEAR: Final = timedelta(days=182)
_WEEKDAY: Final = re.compile(
    r"(?:last\s*)?(?P<day>mon|tue|wed|thu|fri|sat|sun)[a-z]*|(?:지난\s*)?(?P<day_ko>[월화수목금토일])요일",
    re.IGNORECASE,
)
_MONTH: Final = re.compile(r"(?P<y>(?:19|20)\d\d)(?:-(?P<m>\d\d))?(?:-(?P<d>\d\d))?(?:T(?P<h>\d\d):(?P<min>\d\d))?")


def moment(text: str, now: datetime, place: tzinfo) -> datetime | None:
    """Return the moment that a day in the past begins: "2026-03", "yesterday", "3 days ago", "monday", "지난주".

    Args:
        now: aware.
        place: the zone whose midnight is meant.
    """
    words = " ".join(text.replace("+", " ").split())
    local = now.astimezone(place)
    midnight = datetime.combine(local.date(), time(), place)
    exact = _MONTH.fullmatch(words)
    if exact is not None:
        numbers = [int(exact[name] or least) for name, least in (("y", 0), ("m", 1), ("d", 1), ("h", 0), ("min", 0))]
        try:
            return datetime(*numbers, tzinfo=place)  # type: ignore[arg-type,misc]
        except ValueError:
            return None
    named = _NAMED.get(words.casefold().replace(" ", ""))
    if named is not None:
        return midnight - timedelta(days=named)
    ago = _AGO.fullmatch(words)
    if ago is not None:
        return _ago(int(ago["n"]), ago["unit"].casefold(), now, midnight)
    day = _WEEKDAY.fullmatch(words)
    if day is not None:
        wanted = _weekday(day)
        return midnight - timedelta(days=(local.weekday() - wanted) % 7)
    mention = next(iter(when.found(words, local - _HALF_A_YEAR)), None)  # without a year: the last one that was
    if mention is None or mention.start or mention.end != len(words):
        return None
    return datetime.combine(mention.day, mention.clock or time(), place)


def _weekday(match: re.Match[str]) -> int:
    named = match["day"]
    return when.DAYS.index(named.casefold()) if named else when.DAYS_KO.index(match["day_ko"])


def _ago(number: int, unit: str, now: datetime, midnight: datetime) -> datetime | None:
    if unit[0] in "분시h" or unit.startswith("min"):
        passed = timedelta(hours=number) if unit[0] in "시h" else timedelta(minutes=number)
        return (now - passed).replace(second=0, microsecond=0)
    days = next(size for start, size in _DAYS if unit.startswith(start))
    try:
        return midnight - timedelta(days=number * days)
    except OverflowError:
        return None


def _day_text(at: datetime) -> str:
    return at.strftime("%Y-%m-%d") if at.time() == time() else at.strftime("%Y-%m-%dT%H:%M")


# -- conversations -----------------------------------------------------------------------------------------

_STATES: Final[Mapping[str, Callable[[Line, str], bool]]] = {
    "open": lambda line, _: line.status != ConversationStatus.RESOLVED,
    "closed": lambda line, _: line.status == ConversationStatus.RESOLVED,
    "unread": lambda line, _: line.unread,
    "mine": lambda line, me: bool(me) and line.assignee == me and line.status != ConversationStatus.RESOLVED,
    "unassigned": lambda line, _: not line.assignee,
    "waiting": lambda line, _: line.waiting_since is not None,
    "snoozed": lambda line, _: line.status == ConversationStatus.SNOOZED,
    "failed": lambda line, _: line.failed > 0,
    "uncertain": lambda line, _: line.uncertain > 0,
    "spam": lambda line, _: bool(line.aside),
}


def state_holds(line: Line, state: str, agent: str) -> bool:
    """Say whether a conversation is in a state of ``is:``, as an agent sees it."""
    found = _STATES.get(state)
    if found is None:
        return str(line.status) == state
    return found(line, agent)


def conversation_holds(query: Query, line: Line, agent: str) -> bool:
    """Say whether a conversation has what the filters ask of conversations (``is:``, ``tag:``)."""
    for one in query.filters:
        if one.name == IS and state_holds(line, one.value, agent) == one.no:
            return False
        if one.name == TAG and _tagged(line, one.value) == one.no:
            return False
    return True


def is_about_conversation(one: Filter) -> bool:
    return one.name in (IS, TAG)


def _tagged(line: Line, tag: str) -> bool:
    return tokens.fold(tag) in (tokens.fold(one) for one in line.tags)


def check_row_filters(query: Query) -> None:
    """Refuse what no row of the queue could answer.

    Raises:
        UsageError: a filter that only entries tell.
    """
    for one in query.filters:
        if one.name in (HAS, IN):
            raise UsageError(
                f"{one.name}: is told by messages, not by rows of the list. The list was not changed.",
                "A search finds them: /",
            )


def line_matches(query: Query, line: Line, agent: str) -> bool:
    """Say whether a row of the queue is what a query asks for: the words stand in its name, subject or preview."""
    text = f"{line.name}\n{line.subject}\n{line.preview}"
    return (
        conversation_holds(query, line, agent)
        and all(tokens.holds(text, term.words, phrase=term.phrase) != term.no for term in query.terms)
        and all(_line_has(line, one) != one.no for one in query.filters)
    )


def _line_has(line: Line, one: Filter) -> bool:
    match one.name:
        case "from":
            return tokens.fold(one.value) in tokens.fold(line.name) or one.value == line.customer
        case "on":
            return one.value in line.media
        case "by":
            return tokens.fold(one.value) == tokens.fold(line.assignee)
        case "before":
            return one.at is not None and line.last_at < one.at
        case "after":
            return one.at is not None and line.last_at >= one.at
        case _:
            return not one.no  # of conversations, or told by entries only: nothing that a row could answer


# -- completion --------------------------------------------------------------------------------------------


def completions(text: str, more: Mapping[str, Iterable[str]] | None = None) -> Iterator[str]:
    """Yield what the last piece of a text may become: names of filters, then their values.

    Args:
        more: values that only the caller knows, by filter: tags, agents.
    """
    head, _, last = text.rpartition(" ")
    head = f"{head} " if head else ""
    sign = "-" if last.startswith("-") else ""
    name, colon, value = last[len(sign) :].partition(":")
    if not colon:
        for kind, others in NAMES.items():
            if name and any(one.startswith(name.casefold()) for one in (kind, *others)):
                yield f"{head}{sign}{kind}:"
        return
    known = _names().get(name.casefold())
    if known is None:
        return
    values = _media(()) if known == ON else _values(known) or {}
    found = {whole for short, whole in values.items() if short.startswith(_squeezed(value))}
    found |= {one for one in (more or {}).get(known, ()) if tokens.fold(one).startswith(tokens.fold(value))}
    if known in (BEFORE, AFTER):
        found |= {one for one in ("today", "yesterday", "monday") if one.startswith(value.casefold())}
    for one in sorted(found):
        yield f"{head}{sign}{known}:{_quoted(one) if _needs_quotes(one) else one} "
