"""Start of a hub on a store that may be older than the world: restored from a backup, or copied.

What was queued or being sent when the backup was made has most likely left since. So nothing of it is sent, and
agents decide, reply by reply.
"""

from __future__ import annotations

import logging

from agentconsole.domain import holding
from agentconsole.domain.model import Delivery
from agentconsole.errors import ReadOnly
from agentconsole.hub.health import Health
from agentconsole.ports import Due, Store
from agentconsole.seams import Clock

BANNER = "held_after_restore"


async def hold(store: Store, clock: Clock, log: logging.Logger) -> int:
    """Make every reply that may have left ``uncertain`` if the store may be older than the world, then adopt it.

    Call before anything is sent or fetched. A crash in between repeats it: the receipts have the same ids, and the
    store is adopted last.

    Returns:
        How many replies were held.

    Raises:
        StoreFault: the disk refused; nothing was sent and nothing adopted.
    """
    reason = await store.origin()
    if not reason:
        return 0
    held = 0
    for due in await store.replies(holding.MAY_HAVE_LEFT, limit=None):
        held += await _hold(store, due, reason, clock, log)
    await store.adopt()
    log.warning("this store was %s: %d replies are held until somebody decides about them", reason, held)
    return held


async def _hold(store: Store, due: Due, reason: str, clock: Clock, log: logging.Logger) -> int:
    receipt = holding.receipt(due.record, reason, clock.now())
    try:
        await store.change(due.customer, lambda _snapshot: [receipt])
    except ReadOnly:
        # Nothing of theirs is sent meanwhile, and taking them back into use holds it: see ``Desk.accept``.
        log.error("a reply of %s stays as it is: that customer was set aside after damage", due.customer)
        return 0
    return 1


async def show(store: Store, health: Health) -> None:
    """Raise the banner while replies are held that nobody has decided about yet, and lower it afterwards."""
    uncertain = await store.replies((Delivery.UNCERTAIN,), limit=None)
    if any(due.record.reason in holding.REASONS for due in uncertain):
        health.raise_banner(BANNER)
    else:
        health.lower_banner(BANNER)
