"""Replies of a record that may be older than what really happened: nobody knows whether they left."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agentconsole.domain.entries import Receipt
from agentconsole.domain.model import (
    Delivery,
    DeliveryRecord,
    EntryId,
    Snapshot,
    derive_id,
)

RESTORED: Final = "restored"
COPIED: Final = "copied"
OLDER_GENERATION: Final = "older_generation"

REASONS: Final = frozenset({RESTORED, COPIED, OLDER_GENERATION})
"""Why a reply is held that no send of ours left open."""

MAY_HAVE_LEFT: Final = (Delivery.QUEUED, Delivery.SENDING)
"""States whose replies may meanwhile have been sent, or taken back, by whoever went on from here."""


def receipt(record: DeliveryRecord, reason: str, at: datetime) -> Receipt:
    """Return what makes a reply ``uncertain``: the same receipt for the same standing, so that a repeat is harmless.

    A medium that takes the same key twice does not help here: providers forget keys after hours or days, and a
    backup is older than that.
    """
    return Receipt(
        id=EntryId(derive_id("e", "held", record.reply, reason, record.state, record.at.isoformat())),
        at=at,
        reply=record.reply,
        state=Delivery.UNCERTAIN,
        attempt=max(record.attempt, 1),  # so that proof of the attempt that we do not know still counts
        reason=reason,
    )


def receipts(snapshot: Snapshot, reason: str, at: datetime) -> list[Receipt]:
    """Return the receipts for everything of one record that may have left."""
    return [receipt(record, reason, at) for record in snapshot.deliveries.values() if record.state in MAY_HAVE_LEFT]
