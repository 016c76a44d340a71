"""Which delivery state may follow which. One table; nothing else decides it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from agentconsole.domain.entries import Receipt, Reply
from agentconsole.domain.model import Delivery, DeliveryRecord

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
    _QUEUED: frozenset({_SENDING, _CANCELLED, _FAILED, _UNCERTAIN}),
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
    _UNCERTAIN: frozenset({_QUEUED, _CANCELLED}),
    _FAILED: frozenset({_QUEUED, _CANCELLED}),
}
"""What may follow in addition when an agent says so: send again, or give it up."""

OTHER_TIME: Final = "other_time"
"""Why a reply that waits is queued anew: an agent lets it leave at another time."""

UNFINISHED: Final = frozenset({_QUEUED, _SENDING, _UNCERTAIN, _FAILED})
"""States that somebody still has to look at."""

ARRIVED: Final = frozenset({_SENT, _DELIVERED, _READ})

PROVEN_LATE: Final = frozenset({_QUEUED, _CANCELLED})
"""States in which proof can still come in for an attempt that was made before: it stops a further one."""


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
    if receipt.state == _QUEUED and record.state == _QUEUED:
        return bool(receipt.by) and receipt.reason == OTHER_TIME
    if receipt.state in MAY_FOLLOW[record.state]:
        return True
    if record.attempt and record.state in PROVEN_LATE and receipt.state in ARRIVED:
        return True
    return bool(receipt.by) and receipt.state in ON_WORD.get(record.state, frozenset())


def opened(reply: Reply) -> DeliveryRecord:
    """Return the record of a reply that was just written."""
    return DeliveryRecord(
        reply=reply.id,
        state=Delivery.QUEUED,
        at=reply.at,
        account=reply.account,
        medium=reply.medium,
        address=reply.address,
        conversation=reply.conversation,
        agent=reply.agent,
        queued_at=reply.at,
        not_before=reply.not_before,
        proactive=reply.proactive,
        held=reply.held,
    )


def told(record: DeliveryRecord) -> DeliveryRecord:
    """Return a record without what a customer said before the reply: that is for the fold alone."""
    return msgspec.structs.replace(record, before="") if record.before else record


def scheduled(record: DeliveryRecord) -> bool:
    """Say whether a reply waits for a time that an agent chose, or a rule for them, and was not tried yet."""
    return record.state == Delivery.QUEUED and not record.attempt and record.not_before is not None and not record.held


def advanced(record: DeliveryRecord, receipt: Receipt) -> DeliveryRecord:
    """Return the record after a receipt; the same one where the receipt may not follow."""
    if not follows(record, receipt):
        return record
    return msgspec.structs.replace(
        record,
        state=receipt.state,
        at=receipt.at,
        attempt=max(record.attempt, receipt.attempt),
        committed=receipt.committed,
        external_id=receipt.external_id or record.external_id,
        reason=receipt.reason,
        detail=receipt.detail,
        queued_at=receipt.at if receipt.state == Delivery.QUEUED and receipt.by else record.queued_at,
        not_before=receipt.retry_at if receipt.state == Delivery.QUEUED else record.not_before,
        held=record.held and receipt.state != Delivery.QUEUED,
    )


def standing(reply: Reply, receipts: Iterable[Receipt]) -> DeliveryRecord:
    """Return where a finished reply stands by the receipts at hand; without any it counts as sent.

    Only replies that the snapshot has forgotten are asked about here, and it forgets none that is unfinished.
    """
    record = opened(reply)
    for receipt in receipts:
        if receipt.reply == reply.id:
            record = advanced(record, receipt)
    return record if record.state not in UNFINISHED else msgspec.structs.replace(record, state=Delivery.SENT)


LONGEST_WAIT: Final = 86_400.0
"""Seconds that a provider can make us wait; what it asks beyond a day is a mistake of its, or an attack."""


def bounded(seconds: float | None) -> float:
    """Return a pause within 0 and ``LONGEST_WAIT`` seconds, whatever number (or none) a provider named."""
    if seconds is None or not seconds > 0:
        return 0.0
    return float(seconds) if seconds <= LONGEST_WAIT else LONGEST_WAIT


def backoff(
    attempt: int, retry_after: float | None, fraction: float, *, first: float = 15.0, most: float = 3600.0
) -> float:
    """Return the seconds before the next attempt: doubling, spread by a fifth so that accounts do not march in step.

    The longest pause is spread upwards only: it is a promise to the provider.

    Args:
        attempt: how many attempts have failed, from 1.
        retry_after: what the provider asked for, in seconds; never undercut, up to ``LONGEST_WAIT``.
        fraction: a random number in [0, 1).
        first: seconds after the first failure.
        most: seconds at which the pause stops growing, and which it then is at least.
    """
    base: float = min(first * 2 ** (min(max(attempt, 1), 32) - 1), most)
    spread = 1.0 + 0.2 * fraction if base == most else 0.9 + 0.2 * fraction
    return max(base * spread, bounded(retry_after))
