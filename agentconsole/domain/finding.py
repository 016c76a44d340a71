"""What a search answers: entries with their customers, and customers by their names."""

from __future__ import annotations

from datetime import datetime

from agentconsole.domain.model import CustomerId, Hit, Medium, Value


class CustomerHits(Value, frozen=True):
    """How many of the looked-at entries are one customer's; ``at`` is the newest of them."""

    customer: CustomerId
    name: str
    count: int
    at: datetime


class Found(Value, frozen=True):
    """Entries that match, newest first.

    Args:
        customers: who they are of, by the newest entry of each.
        total: how many match, as far as was counted.
        complete: whether all were counted; else there are more than ``total``.
    """

    hits: tuple[Hit, ...] = ()
    customers: tuple[CustomerHits, ...] = ()
    total: int = 0
    complete: bool = True


class Contact(Value, frozen=True):
    """A customer as the quick switcher shows one. ``at`` is when anything happened last; ``media`` are newest first."""

    customer: CustomerId
    name: str
    addresses: tuple[str, ...] = ()
    at: datetime | None = None
    media: tuple[Medium, ...] = ()
