"""How each kind of entry looks in the timeline: entry → rows. Pure, so that every kind is tested without a screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from msgspec.structs import replace

from agentconsole.domain.delivery import ARRIVED
from agentconsole.domain.entries import (
    AddressLinked,
    AddressUnlinked,
    AnyEntry,
    Merged,
    Named,
    Note,
    Parted,
    Receipt,
    Received,
    Redacted,
    Reply,
    Suggested,
    SuggestionAnswered,
    Unmerged,
    Unparted,
    Unreadable,
)
from agentconsole.domain.fallback import INSTEAD_OF
from agentconsole.domain.identity import REPLY_TO, reply_elsewhere
from agentconsole.domain.model import (
    Attachment,
    Delivery,
    DeliveryRecord,
    EntryId,
    Trust,
)
from agentconsole.domain.parting import silent
from agentconsole.domain.telling import once
from agentconsole.text.quoting import fold_at
from agentconsole.ui.draw import Row, Run, Safe, block, clip, cut_row, our, row, safe, sides, width_of, wrap
from agentconsole.ui.say import Say

FOLDED_LINES: Final = 60
"""Lines of one text before the rest has to be asked for: a 400 kB mail must not cost the screen."""

UNFOLDED_LINES: Final = 3000
STATE_LINES: Final = 6
"""Lines of what became of a reply: its end, which names the key, must not be cut off by a provider's long words."""

GAP_DAYS: Final = 3
_IDENTITY = (
    *(Named, AddressLinked, AddressUnlinked, Suggested, SuggestionAnswered, Merged, Unmerged),
    *(Parted, Unparted),
)

_STATE_STYLE = {
    Delivery.FAILED: "bad",
    Delivery.UNCERTAIN: "warn",
    Delivery.QUEUED: "note",
    Delivery.SENDING: "note",
    Delivery.CANCELLED: "dim",
    Delivery.READ: "good",
    Delivery.DELIVERED: "good",
    Delivery.SENT: "",
}


@dataclass(frozen=True)
class Look:
    """What drawing entries depends on besides the entries.

    Args:
        whole: entries whose folded parts are shown.
        fresh: entries that came while the customer was open.
        removed: entries whose content was taken out.
        unproven: messages where nothing vouches for the sender.
        clear: texts whose masked numbers were revealed.
    """

    say: Say
    width: int
    name: str = ""
    states: Mapping[EntryId, DeliveryRecord] = field(default_factory=dict)
    whole: frozenset[EntryId] = frozenset()
    fresh: frozenset[EntryId] = frozenset()
    removed: Mapping[EntryId, Redacted] = field(default_factory=dict)
    clear: Mapping[EntryId, str] = field(default_factory=dict)
    unproven: frozenset[EntryId] = frozenset()


@dataclass(frozen=True)
class Together:
    """What changed within one minute about who somebody is; told in one line."""

    entries: tuple[AnyEntry, ...]

    @property
    def id(self) -> EntryId:
        return self.entries[0].id

    @property
    def at(self) -> datetime:
        return self.entries[0].at


Shown: TypeAlias = AnyEntry | Together


def shown(entries: Iterable[AnyEntry], *, complete: bool = False) -> Iterator[Shown]:
    """Yield what has lines of its own.

    Receipts change the line of their reply instead. What was written to every part of a joined conversation
    is told once. Changes of identity that follow each other within a minute are told together.

    Args:
        complete: nothing older exists, so that the address which began the record is known; the head names it.
    """
    together: list[AnyEntry] = []
    for entry in once(_told(entries, first_address=complete)):
        if together and not (isinstance(entry, _IDENTITY) and _minute(entry.at) == _minute(together[0].at)):
            yield _joined(together)
            together = []
        if isinstance(entry, _IDENTITY):
            together.append(entry)
        else:
            yield entry
    if together:
        yield _joined(together)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _joined(entries: list[AnyEntry]) -> Shown:
    return entries[0] if len(entries) == 1 else Together(tuple(entries))


def _told(entries: Iterable[AnyEntry], *, first_address: bool) -> Iterator[AnyEntry]:
    entries = list(entries)
    known = {entry.id for entry in entries}
    for entry in entries:
        if first_address and isinstance(entry, AddressLinked | Received):
            first_address = False
            if isinstance(entry, AddressLinked) and not entry.evidence:
                continue
        if isinstance(entry, Receipt) or (isinstance(entry, Redacted) and entry.entry in known) or silent(entry):
            continue
        yield entry


def day_mark(before: datetime | None, at: datetime, look: Look) -> Row:
    """Return the line that stands where a day begins; a long silence is named."""
    say = look.say
    day = say.day(at)
    gap = (say.local(at).date() - say.local(before).date()).days if before is not None else 0
    rule = say.glyph("rule")
    text = our(f"{rule * 2} {day} ")
    if gap >= GAP_DAYS:
        text = our(f"{text}{rule} {say('timeline.gap', days=str(gap))} ")
    return row((our(text + rule * max(look.width - width_of(text) - 4, 0)), "dim"))


def same_day(before: datetime | None, at: datetime, say: Say) -> bool:
    return before is not None and say.local(before).date() == say.local(at).date()


def rows(entry: Shown, look: Look) -> list[Row]:
    """Return the lines of an entry, without day mark and cursor column."""
    return [cut_row(line, look.width) for line in _rows(entry, look)]


def _rows(entry: Shown, look: Look) -> list[Row]:
    if isinstance(entry, Received | Reply | Note) and entry.id in look.clear:
        entry = replace(entry, text=look.clear[entry.id])
    match entry:
        case Together():
            return _together(entry, look)
        case Received():
            return _received(entry, look)
        case Reply():
            return _reply(entry, look)
        case Note():
            head = row(
                (look.say.clock(entry.at), "dim"),
                our(" "),
                (look.say("entry.note"), "note"),
                our(" "),
                safe(entry.agent),
            )
            return [head, *_body(entry.id, entry.text, look, "note", bar=look.say.glyph("inside") + " ")]
        case Unreadable():
            head = _head(
                entry.at,
                look,
                look.say.medium(entry.medium),
                look.say.glyph("in"),
                "in",
                (look.say("entry.unreadable"), "bad"),
            )
            return [head, *_body(entry.id, entry.detail or entry.reason, look, "dim")]
        case _:
            text = look.say.event(entry)
            lines = wrap(text, look.width - 8, 6)
            clock = look.say.clock(entry.at)
            return [
                row(
                    (clock if number == 0 else our(" " * len(clock)), "dim"),
                    our(" "),
                    (our(look.say.glyph("happened") + " " if number == 0 else "  "), "dim"),
                    (line, "dim"),
                )
                for number, line in enumerate(lines)
            ]


def _together(told: Together, look: Look) -> list[Row]:
    """The latest change stands; what led to it is counted and unfolds."""
    if told.id in look.whole:
        return [line for entry in told.entries for line in _rows(entry, look)]
    clock = look.say.clock(told.at)
    more = our("  " + look.say("entry.earlier", count=str(len(told.entries) - 1), key="z a"))
    room = max(look.width - len(clock) - 3 - width_of(more), 4)
    text = clip(look.say.event(told.entries[-1]), room)
    return [row((clock, "dim"), (our(f" {look.say.glyph('happened')} "), "dim"), (text, "dim"), (more, "dim"))]


def _head(at: datetime, look: Look, medium: Safe, arrow: Safe, style: str, *rest: Run) -> Row:
    return row((look.say.clock(at), "dim"), our(" "), (medium, style), our(" "), (arrow, style), our("  "), *rest)


def _received(entry: Received, look: Look) -> list[Row]:
    say = look.say
    rest: list[Run] = []
    if entry.subject:
        rest.append((safe(entry.subject), "bold"))
    if entry.sender_name and entry.sender_name != look.name:
        rest.append((our(("  " if rest else "") + say("entry.from", name=entry.sender_name)), "dim"))
    right: list[Run] = []
    if entry.trust == Trust.AMBIGUOUS:
        right.append((say("entry.sender_unclear"), "warn"))
    elif entry.id in look.unproven:
        right.append((say("entry.sender_unproven"), "warn"))
    if entry.automatic:
        right.append((say("entry.automatic"), "dim"))
    if entry.id in look.fresh:
        right.append((our(" " + say("entry.new")), "good"))
    head = sides(
        _head(entry.at, look, say.medium(entry.medium), say.glyph("in"), "in", *rest), tuple(right), look.width
    )
    people = []
    others = [p for p in entry.participants if p.role != REPLY_TO]
    if others:
        names = ", ".join(p.name or p.address.value for p in others[:5])
        people = [row(our("   "), (say("entry.also", names=names), "dim"))]
    for asked in reply_elsewhere(entry):
        told = wrap(say("entry.reply_to", address=asked.value), look.width - 3, 4)
        people += [row(our("   "), (line, "warn")) for line in told]
    return [head, *people, *_body(entry.id, entry.text, look, ""), *_attachments(entry.attachments, look)]


def _reply(entry: Reply, look: Look) -> list[Row]:
    say = look.say
    record = look.states.get(entry.id)
    rest: list[Run] = [(safe(entry.agent), "bold")]
    if entry.subject:
        rest.append((our("  " + safe(entry.subject)), ""))
    right: list[Run] = []
    below: list[Row] = []
    if record is not None:
        right.append((say.state(record.state), _STATE_STYLE[record.state]))
        if record.state in (Delivery.FAILED, Delivery.UNCERTAIN, Delivery.CANCELLED) or (
            record.state == Delivery.QUEUED and (record.reason or record.not_before)
        ):
            below = [
                row(our("   "), (line, _STATE_STYLE[record.state]))
                for line in wrap(say.delivery(record), look.width - 3, STATE_LINES)
            ]
    head = sides(
        _head(entry.at, look, say.medium(entry.medium), say.glyph("out"), "out", *rest), tuple(right), look.width
    )
    below += _instead(entry, look)
    return [head, *_body(entry.id, entry.text, look, ""), *_attachments(entry.attachments, look), *below]


def failed_before(entry: Shown, look: Look) -> DeliveryRecord | None:
    """Return where the failed reply stands in whose place this one went."""
    return look.states.get(EntryId(entry.facts.get(INSTEAD_OF, ""))) if isinstance(entry, Reply) else None


def _instead(entry: Reply, look: Look) -> list[Row]:
    """Return for which failed reply this one went, and whether that one came in late after all."""
    failed = failed_before(entry, look)
    if failed is None:
        return []
    say, medium = look.say, look.say.medium(failed.medium)
    text = say("entry.instead", medium=medium, time=say.clock(failed.queued_at))
    if failed.state not in ARRIVED:
        return [row(our("   "), (text, "dim"))]
    late = say("entry.arrived_late", medium=say.title(failed.medium))
    return [row(our("   "), (text, "dim")), row(our("   "), (late, "warn"))]


def _body(entry: EntryId, text: str, look: Look, style: str, bar: str = "") -> list[Row]:
    mark = look.removed.get(entry)
    if mark is not None:
        return [
            row(our("   " + bar), (line, "note")) for line in wrap(look.say.event(mark), look.width - 3 - len(bar), 3)
        ]
    if not text.strip():
        return []
    indent = our("   " + bar)
    whole = entry in look.whole
    clean = block(text)
    end = len(clean) if whole else fold_at(clean)
    limit = UNFOLDED_LINES if whole else FOLDED_LINES
    wrapped = list(wrap(Safe(clean[:end].rstrip("\n")), look.width - len(indent), limit + 1))
    found = [row((indent, style), (line, style)) for line in wrapped[:limit]]
    if len(wrapped) > limit:
        found.append(row(our("   "), (look.say("entry.longer", key="z a"), "dim")))
    elif end < len(clean):
        lines = clean[end:].strip("\n").count("\n") + 1
        found.append(row(our("   "), (look.say("entry.quoted", lines=str(lines), key="z a"), "dim")))
    return found


def _attachments(attachments: tuple[Attachment, ...], look: Look) -> list[Row]:
    return [
        row(
            our("   "),
            (our("[" + look.say("entry.file") + " "), "dim"),
            safe(a.name or "?", 120),
            (our(f" {look.say.size(a.size)}]"), "dim"),
        )
        for a in attachments
    ]
