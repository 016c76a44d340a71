"""Which delivery state may follow which. One table; nothing else decides it."""

from __future__ import annotations

from typing import Final

from agentconsole.domain.model import Delivery, DeliveryRecord, Receipt

_QUEUED, _SENDING, _SENT, _DELIVERED, _READ, _FAILED, _UNCERTAIN, _CANCELLED = (
    Delivery.QUEUED,
    Delivery.SENDING,
    Delivery.SENT,
    Delivery.DELIVERED,
    Delivery.READ,
    Delivery.FAILED,
    Delivery.UNCERTAIN,
    Delivery.CANCELLED,
)

MAY_FOLLOW: Final[dict[Delivery, frozenset[Delivery]]] = {
    _QUEUED: frozenset({_SENDING, _CANCELLED, _FAILED}),
    _SENDING: frozenset({_QUEUED, _SENT, _DELIVERED, _READ, _FAILED, _UNCERTAIN}),
    _UNCERTAIN: frozenset({_SENT, _DELIVERED, _READ, _FAILED}),
    _SENT: frozenset({_DELIVERED, _READ, _FAILED}),
    _DELIVERED: frozenset({_READ}),
    _READ: frozenset(),
    _FAILED: frozenset({_SENT, _DELIVERED, _READ}),
    _CANCELLED: frozenset(),
}
"""What may follow by itself. A report that comes late or twice changes nothing: ranks only rise."""

ON_WORD: Final[dict[Delivery, frozenset[Delivery]]] = {
    _UNCERTAIN: frozenset({_QUEUED}),
    _FAILED: frozenset({_QUEUED, _CANCELLED}),
}
"""What may follow in addition when an agent says so: send again, or give it up."""

UNFINISHED: Final = frozenset({_QUEUED, _SENDING, _UNCERTAIN, _FAILED})
"""States that somebody still has to look at."""

ARRIVED: Final = frozenset({_SENT, _DELIVERED, _READ})


def follows(record: DeliveryRecord, receipt: Receipt) -> bool:
    """Say whether a receipt changes a reply's state.

    A sending that was committed returns to queued only on the provider's word that it took nothing (the receipt
    then gives the reason) or an agent's: otherwise it may have left.
    """
    if receipt.state == _SENDING and record.state == _SENDING:
        return receipt.committed and not record.committed and receipt.attempt == record.attempt
    if (
        receipt.state == _QUEUED
        and record.state == _SENDING
        and record.committed
        and not (receipt.reason or receipt.by)
    ):
        return False
    if receipt.state in MAY_FOLLOW[record.state]:
        return True
    return bool(receipt.by) and receipt.state in ON_WORD.get(record.state, frozenset())


def backoff(attempt: int, retry_after: float | None, fraction: float) -> float:
    """Return the seconds before the next attempt.

    Doubles from 15 s to at most an hour, spread by a fifth so that accounts do not march in step.

    Args:
        attempt: how many attempts have failed, from 1.
        retry_after: what the provider asked for, in seconds; never undercut.
        fraction: a random number in [0, 1).
    """
    base: float = min(15.0 * 2 ** (max(attempt, 1) - 1), 3600.0)
    return max(base * (0.9 + 0.2 * fraction), retry_after or 0.0)
