"""What the desk and its customers wrote to each other before the sandbox opened, as entries of the store.

Providers hand out only what is newer than an account's ``since``; an older history comes from an import. This is
that import: both sides of every conversation, answered and closed, so that nobody old waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from agentconsole.domain import addresses
from agentconsole.domain.entries import (
    AddressLinked,
    AnyEntry,
    ConsentChanged,
    Merged,
    Named,
    PreferenceStated,
    Receipt,
    Received,
    Reply,
    StatusChanged,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Snapshot,
    Trust,
    derive_id,
)
from agentconsole.domain.parting import LINKED
from agentconsole.ports import Store
from agentconsole.sandbox.people import Line, Person

AGENT: Final = AgentName("mina")
NEW_CONVERSATION: Final = timedelta(days=5)
"""A pause this long ends a conversation; the next message starts another."""

_LAST_STATE: Final = {"email": Delivery.SENT, "sms": Delivery.DELIVERED, "telegram": Delivery.SENT}
_RANKS: Final = (Delivery.SENDING, Delivery.SENT, Delivery.DELIVERED, Delivery.READ)


def address(medium: str, value: str, bot: str) -> Address:
    """Return a person's address on a medium.

    Args:
        bot: the scope of Telegram addresses.
    """
    if medium == "email":
        found = addresses.email(value)
    elif medium in ("sms", "whatsapp"):
        found = addresses.phone(value)
    else:
        found = Address("telegram", bot, value)
    if found is None:
        raise ValueError(f"{value} is no address on {medium}")
    return found


def record_of(person: Person) -> CustomerId:
    return CustomerId(derive_id("k", "sandbox", person.name)[:17])


async def write(store: Store, people: tuple[Person, ...], now: datetime, bot: str) -> int:
    """Put everybody's past into an empty store and return the number of customers."""
    written = 0
    for person in people:
        if not person.history:
            continue
        for record, found in _spread(person, tuple(entries(person, now, bot))).items():

            def decide(_snapshot: Snapshot, found: tuple[AnyEntry, ...] = tuple(found)) -> tuple[AnyEntry, ...]:
                return found

            await store.change(record, decide)
        written += 1
    return written


def _spread(person: Person, found: tuple[AnyEntry, ...]) -> dict[CustomerId, list[AnyEntry]]:
    """Give every address its record, as an agent who links one does, joined to the person's first."""
    root = record_of(person)
    homes: dict[Address, CustomerId] = {}
    parts: dict[CustomerId, list[AnyEntry]] = {root: []}
    where: dict[EntryId, CustomerId] = {}
    for entry in found:
        records = [root]
        match entry:
            case AddressLinked(address=there) | Reply(address=there) | Received(sender=there):
                if there not in homes:
                    homes[there] = (
                        CustomerId(derive_id("k", "sandbox", person.name, str(there))[:17]) if homes else root
                    )
                records = [homes[there]]
            case Receipt():
                records = [where[entry.reply]]
            case ConsentChanged() | PreferenceStated() if entry.evidence:
                records = [where[entry.evidence]]
            case StatusChanged():
                records = [one for one, held in parts.items() if any(_of(entry.conversation, e) for e in held)]
        for number, record in enumerate(records):
            name = EntryId(derive_id("e", entry.id, record)) if number else entry.id
            parts.setdefault(record, []).append(replace(entry, id=name))
            where[name] = record
    edges = [_edge(person, root, home, found[0].at) for home in homes.values() if home != root]
    parts[root] += edges
    return parts


def _of(conversation: ConversationId, entry: AnyEntry) -> bool:
    return isinstance(entry, Received | Reply) and entry.conversation == conversation


def _edge(person: Person, root: CustomerId, home: CustomerId, at: datetime) -> Merged:
    return Merged(id=_id("linked-edge", person, home), at=at, other=home, by=AGENT, why=LINKED)


def entries(person: Person, now: datetime, bot: str) -> Iterator[AnyEntry]:
    """Yield a person's past, oldest first within each conversation."""
    start = now - max((line.ago for line in person.history), default=timedelta())
    yield Named(id=_id("named", person), at=start, name=person.name, by=AGENT)
    for medium, value in person.addresses.items():
        if medium not in person.strangers:
            here = address(medium, value, bot)
            yield AddressLinked(
                id=_id("linked", person, medium), at=start, address=here, trust=Trust.VERIFIED, by=AGENT, why="told_us"
            )
    conversation, subject, last, evidence = ConversationId(""), "", None, {}
    for number, line in enumerate(person.history):
        at = now - line.ago
        if last is None or at - last > NEW_CONVERSATION:
            if last is not None:
                yield _closed(person, conversation, last)
            conversation, subject = ConversationId(derive_id("c", "sandbox", person.name, str(number))), line.subject
        if line.ours:
            yield from _reply(person, number, line, at, conversation, subject, bot)
        else:
            entry = _received(person, number, line, at, conversation, bot)
            evidence[line.medium] = entry.id
            yield entry
        last = at
    if last is not None:
        yield _closed(person, conversation, last)
    for word in person.opted_out:
        yield ConsentChanged(
            id=_id("consent", person, word.medium),
            at=now - word.ago,
            medium=Medium(word.medium),
            words=word.words,
            evidence=evidence.get(word.medium, EntryId("")),
        )
    if person.prefers is not None:
        medium = Medium(person.prefers.medium)
        yield PreferenceStated(
            id=_id("prefers", person),
            at=now - person.prefers.ago,
            medium=medium,
            by=AGENT,
            evidence=evidence.get(medium, EntryId("")),
            evidence_medium=medium,
        )


def _received(
    person: Person, number: int, line: Line, at: datetime, conversation: ConversationId, bot: str
) -> Received:
    return Received(
        id=_id("in", person, str(number)),
        at=at,
        stored_at=at,
        account=AccountName(line.medium),
        medium=Medium(line.medium),
        sender=address(line.medium, person.addresses[line.medium], bot),
        sender_name=person.name if line.medium != "sms" else "",
        conversation=conversation,
        external_id=f"<{number}.{record_of(person)}@sandbox.example>" if line.medium == "email" else "",
        subject=line.subject,
        text=line.text,
        trust=Trust.VERIFIED,
        place=person.addresses[line.medium] if line.medium == "telegram" else "",
        past=True,
    )


def _reply(
    person: Person, number: int, line: Line, at: datetime, conversation: ConversationId, subject: str, bot: str
) -> Iterator[AnyEntry]:
    reply = _id("out", person, str(number))
    yield Reply(
        id=reply,
        at=at,
        agent=AGENT,
        conversation=conversation,
        account=AccountName(line.medium),
        medium=Medium(line.medium),
        address=address(line.medium, person.addresses[line.medium], bot),
        text=line.text,
        key=f"{reply}@sandbox.example",
        subject=line.subject or (f"Re: {subject.removeprefix('Re: ')}" if line.medium == "email" and subject else ""),
        place=person.addresses[line.medium] if line.medium == "telegram" else "",
        rule="last_inbound",
    )
    last = _LAST_STATE.get(line.medium, Delivery.READ)
    for state in _RANKS[: _RANKS.index(last) + 1]:
        yield Receipt(
            id=_id("receipt", person, str(number), state),
            at=at + timedelta(seconds=_RANKS.index(state)),
            reply=reply,
            state=state,
            attempt=1,
            committed=state == Delivery.SENDING,
        )


def _closed(person: Person, conversation: ConversationId, at: datetime) -> StatusChanged:
    return StatusChanged(
        id=_id("closed", person, conversation),
        at=at + timedelta(minutes=2),
        conversation=conversation,
        status=ConversationStatus.RESOLVED,
        by=AGENT,
    )


def _id(kind: str, person: Person, *more: str) -> EntryId:
    return EntryId(derive_id("e", "sandbox", kind, person.name, *more))
