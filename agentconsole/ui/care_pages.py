"""Pages about what may be lost or doubled: replies that may have gone out, damaged customers, an erasure. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agentconsole.desk import Away, DamagedRecord, ErasedCustomer, OutboxLine
from agentconsole.domain.model import CustomerId
from agentconsole.ui.draw import Safe, fit, our, row, safe, wrap
from agentconsole.ui.say import Say
from agentconsole.ui.widgets.paper import Item

ROOMY = 110
"""From this width on a row has room for long names."""


@dataclass(frozen=True)
class Takeback:
    """A way to take a damaged customer back into use.

    Args:
        entries: how many entries it has.
    """

    customer: CustomerId
    name: str
    previous: bool
    entries: int


def uncertain(lines: Sequence[OutboxLine], say: Say, now: datetime, width: int) -> list[Item]:
    """Return what may have gone out, longest first: how long ago, by whom, on what, to whom, the first words."""
    found = [Item(row((say("uncertain.title", n=str(len(lines))), "title")))]
    if not lines:
        return [*found, Item(()), Item(row(our("  "), say("uncertain.empty")))]
    name_cells = 26 if width >= ROOMY else 16
    for line in sorted(lines, key=lambda line: line.record.at):
        record = line.record
        left = row(
            (fit(say.ago(now - record.at), 8), "warn"),
            (fit(safe(record.agent, 40), 9), ""),
            (fit(say.medium(record.medium), 10), "out"),
            (fit(safe(line.name, 60), name_cells), "bold"),
            our(" "),
            safe(line.text, 160),
        )
        found.append(Item(left, record.reply))
        why = say.undecided(record)
        found += [Item(row(our("        "), (text, "dim"))) for text in wrap(why, width - 10, 2) if text]
    return found


def away(found: Away, say: Say) -> Safe:
    """Return what became of an agent's replies meanwhile; empty where nothing did."""
    counts = (
        ("away.sent", found.sent),
        ("away.uncertain", found.uncertain),
        ("away.failed", found.failed),
        ("away.answered", found.answered),
    )
    told = [say(key, n=str(count)) for key, count in counts if count]
    return say("away.line", what=", ".join(told)) if told else our("")


def damage_line(record: DamagedRecord, waiting: int, say: Say) -> Safe:
    """Return what an agent has to know of a customer whose file is damaged."""
    arrivals = say("damage.waiting", n=str(waiting)) if waiting > 0 else say("damage.arrivals")
    return our(f"{say('damage.line')} {arrivals} {say('damage.key')}")


def damaged(records: Sequence[DamagedRecord], may: bool, say: Say, width: int) -> list[Item]:
    """Return the damaged customers with what can be taken back.

    Args:
        may: this agent has the right to; else it is only told.
    """
    found = [Item(row((say("damage.title", n=str(len(records))), "title")))]
    if not records:
        return [*found, Item(()), Item(row(our("  "), say("damage.none")))]
    for record in records:
        name = safe(record.name, 80) or safe(record.customer, 40)
        found += [Item(()), Item(row(our(" "), (name, "bold")))]
        found += [Item(row(our("   "), (line, "dim"))) for line in wrap(safe(record.why, 300), width - 5, 2)]
        for previous, entries in ((False, record.entries), (True, record.previous)):
            label = say("damage.previous" if previous else "damage.as_is")
            if entries < 0:
                found.append(Item(row(our("   "), fit(label, 24), our(" "), (say("damage.nothing"), "dim"))))
                continue
            choice = Takeback(record.customer, name, previous, entries) if may else None
            line = row(our("   "), (fit(label, 24), ""), our(" "), (say("damage.entries", n=str(entries)), "key"))
            found.append(Item(line, choice))
        if record.entries < 0 and record.previous < 0:
            lost = say("damage.lost", id=record.customer)
            found += [Item(row(our("   "), (line, "warn"))) for line in wrap(lost, width - 5, 3)]
    some = any(record.entries >= 0 or record.previous >= 0 for record in records)
    if not some:
        return found
    hint = say("damage.hint" if may else "damage.no_right")
    return [*found, Item(()), *(Item(row(our(" "), (line, "note"))) for line in wrap(hint, width - 3, 3))]


def erased(name: str, done: ErasedCustomer, say: Say, width: int) -> list[Item]:
    """Return what an erasure took away and where copies still lie."""
    found = [Item(row((say("erased.title", name=name), "title"))), Item(())]
    counts = say("erased.counts", entries=str(done.entries), files=str(done.files), drafts=str(done.drafts))
    found.append(Item(row(our("  "), counts)))
    if done.left:
        found += [Item(()), Item(row(our("  "), (say("erased.left"), "warn")))]
    for sentence in done.left:
        lines = list(wrap(safe(sentence, 400), width - 6, 4))
        found += [Item(row(our("  - " if number == 0 else "    "), line)) for number, line in enumerate(lines)]
    return found
