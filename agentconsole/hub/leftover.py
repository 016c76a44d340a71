"""What the spool still holds of a customer who is erased: batches that were set aside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from agentconsole.domain.model import (
    Address,
    Customer,
    CustomerId,
    derive_id,
)
from agentconsole.errors import SpoolDamaged, TryLater
from agentconsole.hub.parser import Unreadable
from agentconsole.ports import AddressEvent, Inbound, OwnCopy, Parsed, RawItem, SpoolRecord, StatusReport, Store


class Reader(Protocol):
    async def parse(self, kind: str, item: RawItem) -> Sequence[Parsed]: ...


async def drop(
    store: Store, reader: Reader, members: Collection[CustomerId], person: Customer | None
) -> tuple[str, ...]:
    """Drop the items of a customer from all batches that were set aside. Nothing may be filed meanwhile.

    Returns:
        The ids of batches in which something cannot be understood: only a person can say whether it is theirs.

    Raises:
        TryLater: nothing can be read at the moment.
        StoreFault: the disk refused; what was dropped so far is gone, and a repeat drops the rest.
    """
    own = {linked.address for linked in person.addresses} if person is not None else set()
    stuck = []
    for batch in await store.spool_aside():
        try:
            record = await store.spool_record(batch)
        except SpoolDamaged:
            stuck.append(batch)
            continue
        kept, clear = [], True
        for item in record.items:
            theirs = await _theirs(store, reader, record, item, members, own)
            clear = clear and theirs is not None
            if not theirs:
                kept.append(item)
        if len(kept) < len(record.items):
            batch = await _without(store, record, tuple(kept))
        if not clear:
            stuck.append(batch)
    return tuple(stuck)


async def _without(store: Store, record: SpoolRecord, kept: tuple[RawItem, ...]) -> str:
    """Put a batch of what is kept in the place of one that was set aside, and return its id."""
    rest = derive_id("s", "rest", record.id, *(item.identity for item in kept))
    if kept:
        await store.spool(SpoolRecord(rest, record.account, record.kind, kept))
        await store.spool_set_aside(rest, "the rest of a batch")
    await store.spool_done(record.id)
    return rest


async def _theirs(
    store: Store,
    reader: Reader,
    record: SpoolRecord,
    item: RawItem,
    members: Collection[CustomerId],
    own: Collection[Address],
) -> bool | None:
    """Say whether an item is a customer's; None where nobody can say."""
    try:
        found = await reader.parse(record.kind, item)
    except Unreadable:
        return None
    except TryLater:
        raise
    except Exception:  # a kind that is no longer installed
        return None
    for parsed in found:
        match parsed:
            case Inbound() | OwnCopy(message=Inbound()) | OwnCopy(wrote=Inbound()):
                told = parsed if isinstance(parsed, Inbound) else (parsed.message or parsed.wrote)
                named = [told.sender, *told.also_known_as] if told is not None else []
                if any(address in own for address in named):
                    return True
                for address in named:
                    if await store.find(address) in members:
                        return True
            case AddressEvent() if parsed.address in own or await store.find(parsed.address) in members:
                return True
            case _:
                pass
        if isinstance(parsed, StatusReport | OwnCopy):
            reply = await store.reply_by(record.account, external_id=parsed.external_id, key=parsed.key)
            holder = await store.entry(reply) if reply is not None else None
            if holder is not None and holder[0] in members:
                return True
    return False
