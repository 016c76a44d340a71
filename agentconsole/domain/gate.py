"""What is shown of a customer whose newest message may be somebody else's.

Whoever forges a sender sees nothing of ours; the danger is an agent who answers him with what the history holds. So
behind such a message only what the same unverified sender wrote is shown, and what was answered to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from agentconsole.domain import identity
from agentconsole.domain.entries import AnyEntry, Note, Receipt, Received, Reply
from agentconsole.domain.model import Customer, EntryId, Heard

NOT_VERIFIED: Final = "sender_not_verified"


def visible(customer: Customer, doubt: Heard, entries: Sequence[AnyEntry]) -> tuple[AnyEntry, ...]:
    """Return the entries that may be seen while nothing vouches for the sender of ``doubt``, in their order."""
    shown: set[EntryId] = set()
    kept: list[AnyEntry] = []
    for entry in entries:
        match entry:
            case Received():
                seen = entry.sender == doubt.sender and not identity.vouched(customer, entry)
            case Reply():
                seen = entry.answers in shown
            case Receipt():
                seen = entry.reply in shown
            case _:
                seen = False
        if seen:
            shown.add(entry.id)
            kept.append(entry)
    return tuple(kept)


def hides(entries: Sequence[AnyEntry], shown: Sequence[AnyEntry]) -> bool:
    """Say whether anything that somebody wrote is not among the shown: a warning with nothing behind it is none."""
    ids = {entry.id for entry in shown}
    return any(isinstance(entry, Received | Reply | Note) and entry.id not in ids for entry in entries)


def only(customer: Customer, shown: Sequence[AnyEntry]) -> Customer:
    """Return the customer with nothing of other conversations."""
    names = {entry.conversation for entry in shown if isinstance(entry, Received | Reply)}
    whole = {customer.joined.get(name, name) for name in names}
    doubted = customer.heard.sender if customer.heard is not None else None
    return replace(
        customer,
        conversations=tuple(c for c in customer.conversations if c.id in whole),
        routes=tuple(u if u.route.address == doubted else replace(u, subject="") for u in customer.routes),
        cards={},
        facts=(),
        preferences=tuple(replace(stated, words="") for stated in customer.preferences),
        suggestions=(),
        wishes=(),
    )
