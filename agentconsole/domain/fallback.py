"""May a reply that failed be sent another way? Only where it provably did not arrive, and only once.

What the provider, or the end of the line, left open is ``uncertain`` and stays with a person: a second way could bring
the same words twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from agentconsole.domain.entries import Reply
from agentconsole.domain.model import (
    Choice,
    Customer,
    Delivery,
    DeliveryRecord,
    EntryId,
    Medium,
    Ranked,
    Route,
    Value,
    derive_id,
)

FALLBACK: Final = "fallback"
"""The rule of a reply that was sent instead of one that failed."""

SENT_OTHERWISE: Final = "sent_otherwise"
"""Why a failed reply is settled: another one went out in its place."""

INSTEAD_OF: Final = "instead_of"
"""The fact of a reply that names the one it was sent for."""

NOT_FAILED: Final = "not_failed"
UNCERTAIN: Final = "uncertain"
ALREADY: Final = "already_otherwise"
OWN_FAILOVER: Final = "own_failover"

NOT_LATER: Final = timedelta(hours=6)
"""An older failure is not answered by itself any more: what it said may not be true by now."""


_THEIR_WORD: Final = frozenset(
    {"opted_out", "opted_out_then_wrote", "opted_out_at_provider", "stopped_marketing", "blocked"}
)
"""Failures that are the customer's own decision: nothing goes round them by itself."""


class Automatic(Value, frozen=True):
    """When a profile lets a failed reply go another way without being asked.

    Args:
        media: the media that it may go to; empty: never by itself.
        minutes: how long an agent has to decide first.
    """

    media: tuple[Medium, ...] = ()
    minutes: float = 10.0


def reply_id(failed: EntryId) -> EntryId:
    """Return the id of the reply in place of a failed one: the same whoever asks and however often."""
    return EntryId(derive_id("e", "reply", "instead", failed))


def forbidden(record: DeliveryRecord, *, own_failover: bool) -> str:
    """Return why a reply must not be sent another way, or nothing where it may.

    Args:
        own_failover: the provider itself goes on to another medium after a failure.
    """
    if record.state == Delivery.UNCERTAIN:
        return UNCERTAIN
    if record.state == Delivery.CANCELLED and record.reason == SENT_OTHERWISE:
        return ALREADY
    if record.state != Delivery.FAILED:
        return NOT_FAILED
    # Without the provider's id it never took the message, so it has nothing to go on with.
    return OWN_FAILOVER if own_failover and record.external_id else ""


def tried(reply: Reply, earlier: Mapping[EntryId, Reply]) -> list[Route]:
    """Return the routes that a text was tried on: this reply's and those of the replies that it was sent for."""
    found: list[Route] = []
    at: Reply | None = reply
    while at is not None and len(found) < 20:
        found.append(Route(at.account, at.medium, at.address, at.place))
        at = earlier.get(EntryId(at.facts.get(INSTEAD_OF, "")))
    return found


def left(choice: Choice, tried_on: Sequence[Route]) -> list[Ranked]:
    """Return the allowed routes that were not tried yet, best first."""
    gone = {(route.account, route.address) for route in tried_on}
    return [r for r in choice.ranked if (r.route.account, r.route.address) not in gone]


def due(record: DeliveryRecord, customer: Customer, rule: Automatic, now: datetime) -> bool:
    """Say whether a failed reply may go another way by itself now.

    Not where somebody has written since, the customer or one of us: then a person looks.
    """
    if not rule.media or record.state != Delivery.FAILED or record.reason in _THEIR_WORD:
        return False
    if not timedelta(minutes=rule.minutes) <= now - record.at <= NOT_LATER:
        return False
    if any(use.last_in is not None and use.last_in > record.queued_at for use in customer.routes):
        return False
    return not _answered_since(record, customer.deliveries)


def _answered_since(record: DeliveryRecord, deliveries: Iterable[DeliveryRecord]) -> bool:
    return any(other.reply != record.reply and other.queued_at > record.queued_at for other in deliveries)
