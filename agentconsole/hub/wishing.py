"""From a message that was just understood: where its sender asks to be answered, as entries beside the message."""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec.structs import replace

from agentconsole.domain import consent, identity, wishes, wishes_answers
from agentconsole.domain.entries import AnyEntry, PreferenceStated, Received, Reply, WishSeen
from agentconsole.domain.model import (
    ConversationId,
    Customer,
    EntryId,
    Medium,
    Snapshot,
    Trust,
    derive_id,
)
from agentconsole.domain.wishes import Reading
from agentconsole.ports import Inbound, Store
from agentconsole.text import quoting

SHORT: Final = 60
"""Characters of an answer that may be a bare choice: ``2``, ``email``."""

LONGEST: Final = 60_000
"""Characters of a message that are looked at: nothing leaves while a wish is read, and a text may be of mere lines."""

LOOKED_AT: Final = 20
"""Newest entries among which our question must stand: what is older was not asked just now."""


async def read(
    store: Store, inbound: Inbound, trust: Trust, customer: Customer | None, conversation: ConversationId, *, past: bool
) -> tuple[Reading, ...]:
    """Return what a message asks for. Nobody's wish is read from an archive, an automatic message, the single word
    that opts out, or a sender who may be somebody else. Where nothing vouches for the sender nothing is sure: an agent
    decides."""
    if past or inbound.automatic or trust == Trust.AMBIGUOUS or consent.word(inbound.text) is not None:
        return ()
    found = await _readings(store, inbound, customer, conversation)
    known = customer.addresses if customer is not None else ()
    linked = next((one for one in known if one.address == inbound.sender), None)
    if identity.believed(linked, trust, inbound.signer, checked=inbound.checked):
        return found
    return tuple(replace(one, sure=False) for one in found)


async def _readings(
    store: Store, inbound: Inbound, customer: Customer | None, conversation: ConversationId
) -> tuple[Reading, ...]:
    found = await asyncio.to_thread(_read, inbound.text, inbound.subject)
    if found or customer is None or len(inbound.text) > 4_000:
        return found
    own = _own(inbound.text).strip()
    if not 0 < len(own) <= SHORT:
        return ()
    question = await _asked(store, customer, conversation)
    medium = wishes_answers.answered(question, own) if question else Medium("")
    return (Reading(medium, "", True, own),) if medium else ()


def _read(text: str, subject: str) -> tuple[Reading, ...]:
    return wishes.readings(_own(text[:LONGEST]), subject)


def _own(text: str) -> str:
    """Return what was written now, without quotations, forwarded mail and the signature."""
    return "".join(text[part.start : part.end] for part in quoting.segments(text) if part.kind == quoting.Kind.TEXT)


async def _asked(store: Store, customer: Customer, conversation: ConversationId) -> str:
    """Return our last message of a conversation, where nothing of theirs came since."""
    page = await store.history(customer.id, limit=LOOKED_AT)
    for entry in reversed(page.entries if page is not None else ()):
        if not isinstance(entry, Reply | Received):
            continue
        if customer.joined.get(entry.conversation, entry.conversation) == conversation:
            return entry.text if isinstance(entry, Reply) else ""
    return ""


def entries(message: Received, found: tuple[Reading, ...], snapshot: Snapshot) -> list[AnyEntry]:
    """Return the entries of what was read. Their ids follow from the message, so that filing it again adds nothing;
    what is not sure is not asked where it is known already."""
    made: list[AnyEntry] = []
    for one in found:
        known = snapshot.preferences.get(one.purpose)
        if one.sure:
            made.append(
                PreferenceStated(
                    id=EntryId(derive_id("e", "asked", message.id, one.purpose)),
                    at=message.at,
                    medium=one.medium,
                    purpose=one.purpose,
                    evidence=message.id,
                    evidence_medium=message.medium,
                    words=one.words,
                )
            )
        elif known is None or known.medium != one.medium:
            made.append(
                WishSeen(
                    id=EntryId(derive_id("e", "wish", message.id, one.purpose)),
                    at=message.at,
                    medium=one.medium,
                    evidence=message.id,
                    purpose=one.purpose,
                    evidence_medium=message.medium,
                    words=one.words,
                )
            )
    return made
