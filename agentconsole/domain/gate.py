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
from agentconsole.domain.model import Conversation, Customer, EntryId, Heard, Line

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


def closing(customer: Customer) -> Heard | None:
    """Return the message behind which a customer's history is closed, judged without the entries: not for somebody of
    whom nothing else is known than what the same sender wrote."""
    doubt = identity.doubtful(customer)
    if doubt is None:
        return None
    known = any(use.vouched_in is not None or use.route.address != doubt.sender for use in customer.routes)
    return doubt if known or len(customer.addresses) > 1 else None


def subject_of(customer: Customer, conversation: Conversation, doubt: Heard | None) -> str:
    """Return what may be seen of a conversation's subject: the doubtful message's own."""
    if doubt is None or conversation.last_in != doubt.entry:
        return ""
    uses = [use for use in customer.routes if use.route.address == doubt.sender and use.last_in is not None]
    newest = max(uses, key=lambda use: use.last_in.timestamp() if use.last_in else 0.0, default=None)
    return newest.subject if newest is not None else ""


def preview_of(conversation: Conversation, doubt: Heard | None) -> str:
    """Return the beginning of the conversation's newest message where that is the doubtful one or an answer to it."""
    return conversation.preview if doubt is not None and conversation.last_in == doubt.entry else ""


def shut(line: Line) -> Line:
    """Return a row of the queue as it is shown to whoever did not open the history behind it."""
    return replace(
        line,
        subject=line.shut_subject,
        preview=line.shut_preview,
        tags=(),
        suggestions=0,
        task=replace(line.task, text="") if line.task is not None else None,
    )


def only(customer: Customer, shown: Sequence[AnyEntry]) -> Customer:
    """Return the customer with nothing of other conversations."""
    names = {entry.conversation for entry in shown if isinstance(entry, Received | Reply)}
    whole = {customer.joined.get(name, name) for name in names}
    doubt = customer.heard
    doubted = doubt.sender if doubt is not None else None
    return replace(
        customer,
        conversations=tuple(
            replace(
                c,
                subject=subject_of(customer, c, doubt),
                preview=preview_of(c, doubt),
                tags=(),
                participants=(),
            )
            for c in customer.conversations
            if c.id in whole
        ),
        routes=tuple(u if u.route.address == doubted else replace(u, subject="") for u in customer.routes),
        cards={},
        facts=(),
        preferences=tuple(replace(stated, words="") for stated in customer.preferences),
        consents=tuple(replace(said, words="") for said in customer.consents),
        suggestions=(),
        wishes=(),
        tasks=(),
        changes=(),
    )
