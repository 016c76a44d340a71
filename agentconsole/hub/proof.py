"""An answer that quotes a reply proves that the reply arrived, whatever its provider said or did not say."""

from __future__ import annotations

import contextlib
from typing import Final

from agentconsole.domain import threads
from agentconsole.domain.addresses import EMAIL
from agentconsole.domain.entries import Receipt, Reply
from agentconsole.domain.model import (
    AccountName,
    CustomerId,
    Delivery,
    EntryId,
    Snapshot,
    Trust,
    derive_id,
)
from agentconsole.errors import ReadOnly
from agentconsole.ports import Inbound, Store
from agentconsole.seams import Clock

OPEN: Final = (Delivery.UNCERTAIN, Delivery.QUEUED, Delivery.FAILED)
"""States of a reply that proof can still change: tried, and nobody knows better."""

QUOTED: Final = 20
"""Ids of one message that are looked up, newest first: a thread's older ones were proven by earlier answers."""


async def settle(store: Store, account: AccountName, inbound: Inbound, entry: EntryId, clock: Clock) -> None:
    """Mark the replies that a message quotes as delivered, where nobody knew whether they left.

    The ids are keys of ours (the Message-ID of a mail) or the provider's names for what we sent. Machines prove
    nothing here: a bounce that is no report quotes what did not arrive. Nor does anybody but the person whom the reply
    went to: ids are short on some media, and stand in exports and forwarded threads.
    """
    if inbound.automatic or not inbound.message_ids or inbound.trust == Trust.AMBIGUOUS:
        return
    if not await store.replies(OPEN, limit=1):
        return
    mail = inbound.sender.kind == EMAIL
    for quoted in inbound.message_ids[:QUOTED]:
        if mail and not threads.OURS.match(quoted.strip("<> ")):
            continue  # a long thread names many mails, and looking each up costs more than filing it
        reply = await _reply(store, account, quoted)
        if reply is not None:
            await _prove(store, reply, inbound, entry, clock)


async def _reply(store: Store, account: AccountName, quoted: str) -> EntryId | None:
    found = await store.reply_by(account, external_id=quoted, key=quoted)
    if found is not None:
        return found
    # The answer to a mail may come in on another account than the one that sent it.
    thread = await store.thread([quoted])
    return thread.entry if thread is not None and thread.ours else None


async def _prove(store: Store, reply: EntryId, inbound: Inbound, entry: EntryId, clock: Clock) -> None:
    found = await store.entry(reply)
    if found is None or not isinstance(found[1], Reply) or found[1].past:
        return
    if not await _from_whom_it_went_to(store, inbound, found[0], found[1]):
        return
    receipt = Receipt(
        id=EntryId(derive_id("e", "answered", reply, entry)),
        at=clock.now(),
        reply=reply,
        state=Delivery.DELIVERED,
        reason="answered",
    )

    def decide(snapshot: Snapshot) -> list[Receipt]:
        record = snapshot.deliveries.get(reply)
        return [receipt] if record is not None and record.attempt and record.state in OPEN else []

    # A record that was set aside after damage must not hold up the message, which is another record's of the person;
    # where it is its own, filing says so.
    with contextlib.suppress(ReadOnly):
        await store.change(found[0], decide)


async def _from_whom_it_went_to(store: Store, inbound: Inbound, owner: CustomerId, reply: Reply) -> bool:
    names = (inbound.sender, *inbound.also_known_as)
    if reply.address in names:
        return True
    customer = await store.customer(owner)
    members = customer.members if customer is not None else (owner,)
    for name in names:
        if await store.find(name) in members:
            return True
    return False
