"""Pages as rows: why, outbox, found entries, help. Pure: values in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from agentconsole.desk import OutboxLine
from agentconsole.domain.model import (
    Choice,
    Delivery,
    Medium,
    Participant,
    Route,
)
from agentconsole.text.choice_words import PROPOSED, REFUSED
from agentconsole.text.words_table import CODES
from agentconsole.ui import keys
from agentconsole.ui.draw import Row, Safe, fit, our, row, safe, sides, width_of, wrap
from agentconsole.ui.say import Say
from agentconsole.ui.widgets.paper import Item

WHEN = 10
"""Cells of a time or a day, in Korean the wider one."""

BLANK = our(" ")


def why(
    choice: Choice, at: Route | None, say: Say, now: datetime, width: int, others: Sequence[Participant] = ()
) -> list[Item]:
    """Return the whole choice: what is chosen, what answers speak for, what comes next, what is refused, each with its
    reason, in the words of ``agentconsole why``. Enter on a stated reason shows the message that it came from.

    Args:
        at: the route that the draft takes now.
        others: people on the conversation whom the reply does not reach.
    """
    found: list[Item] = [Item(row((say("why.title"), "title")))]
    for told in say.choice(choice, now):
        style = {REFUSED: "bad", PROPOSED: "note"}.get(told.kind, "")
        mark = say.glyph("here") if told.route == at and told.kind != PROPOSED else BLANK
        address = f" {say.address(told.route.address)}" if told.route.account else ""
        lines = wrap(our(f"{safe(told.text)}{address}"), width - _LABEL - 4, 3)
        found += _labelled(say(f"why.{told.kind}"), lines, style, mark=mark, value=told.entry or None)
    if others:
        names = ", ".join(p.name or p.address.value for p in others)
        text = say("choice.not_cc", n=str(len(others)), names=names)
        found += _labelled(say("why.not_cc"), wrap(text, width - _LABEL - 4, 2), "warn")
    return found


_LABEL = 9
"""Cells of the word that says what a route is in the choice."""


def _labelled(
    label: Safe, lines: Iterable[Safe], style: str, *, mark: Safe = BLANK, value: object = None
) -> list[Item]:
    return [
        Item(
            row(
                (our(" ") if number else mark, "key"),
                (fit(label if not number else our(""), _LABEL), "dim"),
                our(" "),
                (line, style),
            ),
            None if number else value,
        )
        for number, line in enumerate(lines)
    ]


def outbox(lines: Sequence[OutboxLine], say: Say, now: datetime, width: int) -> list[Item]:
    found = [Item(row((say("outbox.title"), "title")))]
    if not lines:
        found += [Item(()), Item(row(our("  "), say("outbox.empty")))]
    for line in lines:
        record = line.record
        style = {Delivery.FAILED: "bad", Delivery.UNCERTAIN: "warn"}.get(record.state, "note")
        left = row(
            (fit(say.when(record.queued_at, now), WHEN), "dim"),
            (fit(safe(line.name, 60), 18), "bold"),
            our(" "),
            (fit(say.medium(record.medium), 10), "out"),
            our(" "),
            safe(line.text, 120),
        )
        found.append(Item(sides(left, row((say.state(record.state), style)), width - 1), record.reply))
        found += [
            Item(row(our("        "), (text, style))) for text in wrap(say.delivery(record), width - 10, 2) if text
        ]
    return found


_EXPLAINED: Final = (
    *("unread", "failed", "uncertain", "company", "suggestion", "draft"),
    *("mine", "others", "in", "out"),
)
"""The marks whose meaning the help tells."""


def help_page(where: str, say: Say, width: int, media: Sequence[Medium] = ()) -> list[Item]:
    """Return what every key does here, then what the marks mean.

    Args:
        media: those that there are accounts for; none known: all.
    """
    found = [Item(row((say("help.title", where=say(f"help.{where}")), "title"))), Item(())]
    columns = max(width // 38, 1)
    title_cells = max(width // columns - 16, 4)
    cells = [
        (_that_fit(names), _title(title, say, title_cells)) for title, names in say.keymap.in_context(where).items()
    ]
    height = -(-len(cells) // columns)
    for number in range(height):
        line: list[tuple[Safe, str]] = []
        for names, title in cells[number::height]:
            line += [(our(" "), ""), (fit(our(names), _NAMES), "key"), (our(" "), ""), (fit(title, title_cells), "")]
        found.append(Item(tuple(line)))
    marks = {name: say.glyph(name) for name in _EXPLAINED}
    known = dict.fromkeys(media or map(Medium, CODES))
    codes = " ".join(f"{say.code(medium)} {say.medium(medium)}" for medium in known)
    found += [Item(()), *(Item(row(our("  "), line)) for line in wrap(say("help.marks", **marks), width - 4, 6))]
    found += [Item(row(our("  "), line)) for line in wrap(say("help.codes", codes=codes), width - 4, 4)]
    return found


_NAMES = 14
"""Cells for the keys of one action."""


def _that_fit(names: Sequence[str]) -> str:
    """Return the keys that there is room for, never a part of one."""
    shown = list(names)
    while len(shown) > 1 and width_of(our(" ".join(shown))) > _NAMES:
        shown.pop()
    return " ".join(shown)


def _title(title: str, say: Say, width: int) -> Safe:
    """Return what an action does, in fewer words where the whole would be cut."""
    whole = say(title)
    return whole if width_of(whole) <= width else say.short(title.removeprefix("action."))


def footer(where: str, say: Say, width: int, page: str = "", *, hangul: bool = False) -> Row:
    """Return the hints that fit.

    Args:
        hangul: Hangul arrives where keys command: said first.
    """
    found: list[tuple[Safe, str]] = [(our(" 한 "), "warn")] if hangul else []
    used = sum(width_of(text) for text, _ in found)
    for name in keys.FOOTER.get(page, keys.FOOTER[where]):
        names = say.keymap.keys_of(name, where)
        if not names:
            continue
        title = say.short(name)
        size = width_of(names[0]) + width_of(title) + 3
        if used + size > width:
            break
        found += [(our(" " + names[0]), "key"), (our(" " + title + " "), "")]
        used += size
    return tuple(found)
