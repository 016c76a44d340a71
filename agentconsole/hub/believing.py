"""What a provider's answer to a send or its later report, or a mail's unsubscribe, says of the customer: opt-outs and
addresses that take nothing any more. Kept in the history like a customer's own word."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from agentconsole.domain.entries import AddressState, AnyEntry, ConsentChanged, Reply
from agentconsole.domain.model import (
    ConsentScope,
    EntryId,
    Medium,
    Snapshot,
    derive_id,
)
from agentconsole.domain.permission import PROVIDER
from agentconsole.hub.profile import AccountSetup
from agentconsole.ports import Inbound, Store
from agentconsole.seams import Clock

OPTED_OUT: Final = "opted_out"
STOPPED_MARKETING: Final = "stopped_marketing"
BLOCKED: Final = "blocked"
SAYS_OF_THE_CUSTOMER: Final = frozenset({OPTED_OUT, STOPPED_MARKETING, BLOCKED})
"""Reasons of a failure that hold for the next message too: Twilio's 21610, WhatsApp's 131050, Telegram's "bot was
blocked"."""

UNSUBSCRIBED: Final = "list-unsubscribe"
_SUBJECT: Final = re.compile(r"\s*(?:re:\s*)?unsubscribe (e[0-9a-f]{30})\s*", re.IGNORECASE)


def heard(snapshot: Snapshot, clock: Clock) -> datetime:
    """Return the moment of an opt-out that is heard now: never before what was said of consent so far."""
    return max([clock.now(), *(known.at for known in snapshot.consents.values())])


def subject_of(reply: Reply) -> str:
    """Return the subject of the mail that unsubscribes from what a reply is (RFC 2369)."""
    return f"unsubscribe {reply.id}"


def believed(reply: Reply, reason: str, snapshot: Snapshot, clock: Clock) -> list[AnyEntry]:
    """Return what a provider said of a customer when it refused a reply, at once or in a later report. It is written
    in one step with the refusal: a hub that dies after that has heard it, and one that dies before will be told again.
    Call with ``people`` held.
    """
    name = EntryId(derive_id("e", "said", reason, reply.id))
    if reason == BLOCKED:
        return [
            AddressState(
                id=name, at=clock.now(), address=reply.address, account=reply.account, dead=BLOCKED, evidence=reply.id
            )
        ]
    at = heard(snapshot, clock)
    if reason == STOPPED_MARKETING:
        scope = ConsentScope.MARKETING
        return [ConsentChanged(id=name, at=at, medium=reply.medium, scope=scope, evidence=reply.id)]
    return [ConsentChanged(id=name, at=at, medium=reply.medium, evidence=reply.id, words=PROVIDER)]


async def unsubscribed(store: Store, clock: Clock, setup: AccountSetup, inbound: Inbound, entry: EntryId) -> Inbound:
    """Take an incoming mail that unsubscribes at its word and return it as one that waits for nobody.

    The subject names the mail that we began; whoever holds that mail may end what it belongs to. It ends marketing by
    mail, of the customer to whom that mail went, whatever address the wish comes from. Call with ``people`` held and
    before the message is filed: filing it again finds the same entry.
    """
    match = _SUBJECT.fullmatch(inbound.subject) if setup.kind.capabilities.subject else None
    found = await store.entry(EntryId(match[1].lower())) if match is not None else None
    if found is None or not isinstance(found[1], Reply) or not found[1].proactive:
        return inbound
    medium = Medium(found[1].medium)

    def decide(snapshot: Snapshot) -> list[ConsentChanged]:
        if not snapshot.count:
            return []
        at = heard(snapshot, clock)
        scope = ConsentScope.MARKETING
        name = EntryId(derive_id("e", UNSUBSCRIBED, entry))
        return [ConsentChanged(id=name, at=at, medium=medium, scope=scope, evidence=entry, words=UNSUBSCRIBED)]

    await store.change(found[0], decide)
    return replace(inbound, automatic=True)
