"""What an account itself sent before this program knew of it: history of whom it went to."""

from __future__ import annotations

from datetime import datetime

from agentconsole.domain import conversations
from agentconsole.domain.entries import AddressLinked, AnyEntry, Reply
from agentconsole.domain.model import (
    AgentName,
    Attachment,
    BlobId,
    CustomerId,
    EntryId,
    Snapshot,
    derive_id,
)
from agentconsole.hub.profile import AccountSetup
from agentconsole.ports import Inbound, OwnCopy, Store


def first_of(entry: EntryId) -> CustomerId:
    """Return the id of the customer whose first entry this is. A repeat after a crash finds the same, so that files
    that were kept before the crash are theirs, and are redacted and erased with them."""
    return CustomerId(derive_id("k", "customer", entry)[:17])


async def sent(
    store: Store, setup: AccountSetup, copy: OwnCopy, wrote: Inbound, at: datetime, reopen_days: int
) -> bool:
    """File a message that the account sent by another program, and say whether it is new. Call under ``people``.

    Args:
        wrote: what it says; its sender is whom it went to.
        at: when it was sent.
    """
    entry_id = EntryId(derive_id("e", "sent", setup.kind.name, copy.identity))
    if await store.known([entry_id]):
        return False
    record = await store.find(wrote.sender) or first_of(entry_id)
    customer = await store.customer(record)
    thread = await store.thread(wrote.message_ids) if wrote.message_ids else None
    members = customer.members if customer is not None else ()
    joined = thread.conversation if thread is not None and thread.customer in members else None
    whole = conversations.joins_past(customer, joined, entry_id, at, reopen_days)
    attachments = [
        Attachment(p.name, p.type, len(p.data), await store.put_blob(record, p.data) if p.data else BlobId(""))
        for p in wrote.parts
    ]

    def decide(snapshot: Snapshot) -> list[AnyEntry]:
        reply = Reply(
            id=entry_id,
            at=at,
            agent=AgentName(setup.name),
            conversation=conversations.part_in(customer, snapshot, whole) if customer is not None else whole,
            account=setup.name,
            medium=setup.kind.medium,
            address=wrote.sender,
            text=wrote.text,
            key=copy.key,
            subject=wrote.subject,
            attachments=tuple(attachments),
            in_reply_to=wrote.message_ids,
            past=True,
        )
        linked = AddressLinked(
            id=EntryId(derive_id("e", "linked", entry_id)),
            at=at,
            address=wrote.sender,
            evidence=entry_id,
            why="written_to",
        )
        return [linked, reply] if str(wrote.sender) not in snapshot.addresses else [reply]

    await store.change(record, decide)
    return True
