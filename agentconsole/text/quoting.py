"""Where the quoted part of a mail's text starts. Nothing is cut: the text comes back as segments to fold.

The rules are our own because the four published libraries recognise none of 279 Korean Gmail replies. Evidence has
to come in pairs (a date *and* an address, or words *and* a quoted line below), so that "On Monday I wrote:" in a
letter stays a letter. Every rule looks at lines of bounded length, so the work is linear in the text.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

LINE_LIMIT: Final = 500
"""Longer lines are taken for text: no attribution is that long."""
HEADER_WINDOW: Final = 12
"""Lines below the first label in which the rest of a quoted header block must stand."""


class Kind(StrEnum):
    TEXT = "text"
    QUOTE = "quote"
    SIGNATURE = "signature"
    FORWARD = "forward"


class Segment(NamedTuple):
    """A run of whole lines: ``text[start:end]``. The segments of a text cover it without gaps."""

    kind: Kind
    start: int
    end: int


_QUOTED: Final = re.compile(r" {0,3}[>＞]")
_DASHED: Final = re.compile(
    r"\s{0,8}[-=*]{2,}\s*(?:"
    r"(?P<forward>(?:Begin )?forwarded message|전달된 (?:메시지|메세지|메일)|転送されたメッセージ|转发邮件信息)"
    r"|Original (?:Message|Appointment)|Reply message|원본 ?(?:메시지|메세지|메일)|元のメッセージ"
    r"|原始邮件|原始郵件|Ursprüngliche Nachricht|Message d'origine|Mensaje original)\s*[-=*]{2,}\s*",
    re.IGNORECASE,
)
_BEGIN_FORWARD: Final = re.compile(r"(?:Begin forwarded message|전달된 메시지의 시작)\s*:\s*", re.IGNORECASE)
_RULE: Final = re.compile(r"\s{0,8}[_\-=]{20,}\s*")
_SIGNATURE: Final = re.compile(r"-- ?")

_VERB: Final = re.compile(
    r"(?:wrote|writes|schrieb\b.{0,150}|a écrit|escribió|ha scritto|escreveu|đã viết|写道|寫道|書きました"
    r"|님이\s*(?:\d.{1,60}에\s*)?(?:작성|썼습니다|쓰셨습니다|쓴 글|보낸 메시지|작성(?:했|하였|하셨)습니다)"
    r"|작성|작성(?:했|하였|하셨)습니다)\s*[:：]\s*"
)
_OPENING: Final = re.compile(
    r"\s{0,3}(?:On\b|Am\b|Le\b|El\b|Il\b|Em\b|Op\b|Vào\b|于|於|在|\d{4}\s?[년年.\-/]|\d{1,2}[./]\s?\d|.{0,80}님이\s)"
)
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_TIME: Final = re.compile(r"(?<!\d)\d{1,2}[:시時]\s?\d{2}(?!\d)")
_ADDRESS: Final = re.compile(r"<?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?")
_DATE_THEN_ADDRESS: Final = re.compile(
    r"\s{0,3}(?:19|20)\d\d\s?[年./\-].{0,120}<[^\s<>@]{1,64}@[^\s<>@]{1,255}>\s*[:：]\s*"
)


def _labels(*lists: str) -> frozenset[str]:
    return frozenset(label.strip() for text in lists for label in text.split("|"))


_FROM: Final = _labels(
    "from | 보낸 사람 | 보낸사람 | 발신 | 발신자 | 보낸이 | 差出人 | 送信者 | 发件人 | 寄件者 | von | de | từ"
)
_OTHER: Final = _labels(
    "sent | date | to | cc | subject | reply-to | importance",
    "보낸 날짜 | 보낸날짜 | 날짜 | 일시 | 보낸 시간 | 발송일 | 받는 사람 | 받는사람 | 받은 사람 | 수신 | 수신자",
    "받는이 | 참조 | 제목 | 送信日時 | 日時 | 宛先 | 件名 | 发送时间 | 收件人 | 抄送 | 主题 | 寄件日期 | 收件者 | 主旨",
    "gesendet | an | betreff | datum | envoyé | à | objet | enviado | para | asunto | đã gửi | đến | chủ đề",
)
_LABEL: Final = re.compile(r"[ \t>*]{0,4}([^\s:：*][^:：\n]{0,14}?)[ \t*]{0,3}[:：](?=\s|\*|$|\S)")


class _Lines:
    """The lines of a text with their offsets, and what each looks like."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.start: list[int] = []
        self.line: list[str] = []
        at = 0
        for line in text.split("\n"):
            self.start.append(at)
            self.line.append(line.rstrip("\r"))
            at += len(line) + 1
        self.start.append(len(text))

    def __len__(self) -> int:
        return len(self.line)

    def short(self, number: int) -> str:
        """Return a line, or an empty text where it is too long to mean anything."""
        line = self.line[number] if number < len(self.line) else ""
        return line if len(line) <= LINE_LIMIT else ""

    def next_full(self, number: int) -> int:
        """Return the next line at or after ``number`` that is not blank; at most three blanks are skipped."""
        for step in range(number, min(number + 4, len(self.line))):
            if self.line[step].strip():
                return step
        return len(self.line)


def _label(line: str) -> str:
    match = _LABEL.match(line)
    return " ".join(match.group(1).lower().split()) if match else ""


def _header_block(lines: _Lines, number: int) -> bool:
    """Say whether a sender's label stands here with at least two more labels close below."""
    if _label(lines.short(number)) not in _FROM:
        return False
    found: set[str] = set()
    for below in range(number + 1, min(number + HEADER_WINDOW, len(lines))):
        label = _label(lines.short(below))
        if label in _OTHER:
            found.add(label)
    return len(found) >= 2


def _attribution(lines: _Lines, number: int) -> int:
    """Return how many lines from here on introduce a quotation: 0 for none, up to 3 for a wrapped one."""
    first = lines.short(number)
    if not first.strip() or _QUOTED.match(first):
        return 0
    joined = ""
    for count in range(1, 4):
        part = lines.short(number + count - 1)
        if not part.strip():
            return 0
        joined = f"{joined} {part.strip()}" if joined else part
        if len(joined) > LINE_LIMIT:
            return 0
        if joined.rstrip()[-1:] not in ":：":
            continue
        if _introduces(lines, joined, number + count):
            return count
    return 0


def _introduces(lines: _Lines, joined: str, after: int) -> bool:
    below = lines.next_full(after)
    quoted_below = below < len(lines) and bool(_QUOTED.match(lines.line[below]))
    if _DATE_THEN_ADDRESS.fullmatch(joined):
        return True
    verb = next((found for found in _VERB.finditer(joined) if found.end() == len(joined)), None)
    if verb is None:
        return False
    if quoted_below:
        return True
    if below >= len(lines) or not _OPENING.match(joined):
        return False
    evidence = sum(bool(rule.search(joined)) for rule in (_YEAR, _TIME, _ADDRESS))
    return evidence >= 2


def segments(text: str) -> tuple[Segment, ...]:
    """Cut a text into what was written now, what was quoted, forwarded, or is a signature.

    Args:
        text: plain text with ``\\n`` between lines.

    Returns:
        Segments in order that cover the whole text; neighbours differ in kind.
    """
    lines = _Lines(text)
    kinds: list[Kind] = []
    number = 0
    while number < len(lines):
        tail = _tail(lines, number)
        if tail is not None:
            kinds.extend([tail] * (len(lines) - number))
            break
        if _QUOTED.match(lines.line[number]):
            kinds.append(Kind.QUOTE)
            number += 1
            continue
        count = _attribution(lines, number)
        if count:
            below = lines.next_full(number + count)
            if below < len(lines) and _QUOTED.match(lines.line[below]):
                kinds.extend([Kind.QUOTE] * (below - number))
                number = below
                continue
            kinds.extend([Kind.QUOTE] * (len(lines) - number))
            break
        kinds.append(Kind.TEXT)
        number += 1
    _mark_signature(lines, kinds)
    _close_gaps(lines, kinds)
    return _runs(lines, kinds)


def _tail(lines: _Lines, number: int) -> Kind | None:
    """Return the kind of everything from here on where this line starts an old or a forwarded message."""
    line = lines.short(number)
    dashed = _DASHED.fullmatch(line)
    if dashed:
        return Kind.FORWARD if dashed.group("forward") else Kind.QUOTE
    if _BEGIN_FORWARD.fullmatch(line):
        return Kind.FORWARD
    if _RULE.fullmatch(line):
        below = lines.next_full(number + 1)
        return Kind.QUOTE if below < len(lines) and _header_block(lines, below) else None
    if line[:1] not in ("", " ", "\t") and _header_block(lines, number):
        return Kind.QUOTE
    return None


def _mark_signature(lines: _Lines, kinds: list[Kind]) -> None:
    for number in range(len(kinds)):
        if kinds[number] is Kind.TEXT and _SIGNATURE.fullmatch(lines.line[number]):
            while number < len(kinds) and kinds[number] is Kind.TEXT:
                kinds[number] = Kind.SIGNATURE
                number += 1
            return


def _close_gaps(lines: _Lines, kinds: list[Kind]) -> None:
    """Give blank lines between two quoted lines to the quotation."""
    gap: int | None = None
    for number, kind in enumerate(kinds):
        if kind is Kind.TEXT and not lines.line[number].strip():
            gap = number if gap is None and number and kinds[number - 1] is Kind.QUOTE else gap
            continue
        if kind is Kind.QUOTE and gap is not None:
            kinds[gap:number] = [Kind.QUOTE] * (number - gap)
        gap = None


def _runs(lines: _Lines, kinds: list[Kind]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    for number, kind in enumerate(kinds):
        start, end = lines.start[number], lines.start[number + 1]
        if found and found[-1].kind is kind:
            found[-1] = Segment(kind, found[-1].start, end)
        elif end > start:
            found.append(Segment(kind, start, end))
    return tuple(found)


def fold_at(text: str) -> int:
    """Return the offset from which on nothing new was written (quotation or signature), or ``len(text)``.

    A text that is all quotation folds nowhere: something has to stay visible.
    """
    end = len(text)
    for segment in reversed(segments(text)):
        if segment.kind in (Kind.TEXT, Kind.FORWARD) and text[segment.start : segment.end].strip():
            break
        end = segment.start
    return end if text[:end].strip() else len(text)
