"""Which conversation an arriving message belongs to."""

from __future__ import annotations

from datetime import datetime, timedelta

from agentconsole.domain.model import (
    Conversation,
    ConversationId,
    ConversationStatus,
    Customer,
    EntryId,
    Snapshot,
    derive_id,
)


def current(customer: Customer) -> Conversation | None:
    """Return the conversation that work on a customer means when none is named: the open one written to last."""
    active = [c for c in customer.conversations if c.status != ConversationStatus.RESOLVED]
    return max(active, key=lambda c: c.last_at, default=None)


def joins(
    customer: Customer | None,
    thread: ConversationId | None,
    entry: EntryId,
    at: datetime,
    reopen_days: int,
) -> ConversationId:
    """Return the conversation of an inbound message.

    By its thread where that is the same customer's; else the open conversation; else one that was written to at
    most ``reopen_days`` before and is resolved, which reopens; else a new one.

    Args:
        thread: where the message's thread keys lead, already restricted to this customer.
        at: when the message was sent.
    """
    if thread:
        return customer.joined.get(thread, thread) if customer is not None else thread
    if customer is not None:
        open_one = current(customer)
        if open_one is not None:
            return open_one.id
        recent = [c for c in customer.conversations if at - c.last_at <= timedelta(days=reopen_days)]
        if recent:
            return max(recent, key=lambda c: c.last_at).id
    return ConversationId(derive_id("c", entry))


def joins_past(
    customer: Customer | None,
    thread: ConversationId | None,
    entry: EntryId,
    at: datetime,
    reopen_days: int,
) -> ConversationId:
    """Return the conversation of a message from an archive: by its thread, else the one that was going on at its
    time, else one of its own. What is open today is not where an old message belongs.

    Args:
        thread, reopen_days: see ``joins``.
    """
    if thread:
        return joins(customer, thread, entry, at, reopen_days)
    leeway = timedelta(days=reopen_days)
    near = [
        c
        for c in (customer.conversations if customer is not None else ())
        if c.started_at - leeway <= at <= c.last_at + leeway
    ]
    if near:
        return min(near, key=lambda c: (abs(c.last_at - at), c.id)).id
    return ConversationId(derive_id("c", entry))


def parts(customer: Customer, conversation: ConversationId) -> tuple[ConversationId, ...]:
    """Return a conversation and those that a merge shows as part of it."""
    return (conversation, *sorted(part for part, whole in customer.joined.items() if whole == conversation))


def part_in(customer: Customer, snapshot: Snapshot, conversation: ConversationId) -> ConversationId:
    """Return under which id one record keeps a conversation that the customer sees as ``conversation``.

    A record that a merge joined keeps its own, so that ending the merge leaves later messages where they belong.
    """
    own = [part for part in parts(customer, conversation) if part in snapshot.conversations]
    return own[-1] if own else conversation
