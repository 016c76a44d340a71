"""Whose message is this?

The same normalised address with the same scope is the same customer. Anything weaker (a number that stands in a
text, the same name) only *suggests*, with its evidence, and an agent decides with one key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from agentconsole.domain import conversations
from agentconsole.domain.addresses import EMAIL, PHONE
from agentconsole.domain.entries import (
    Merged,
    Received,
    Suggested,
    SuggestionAnswered,
    Unmerged,
)
from agentconsole.domain.model import (
    Address,
    AgentName,
    Customer,
    CustomerId,
    EntryId,
    Heard,
    LinkedAddress,
    Trust,
    derive_id,
)

NUMBER_IN_TEXT = "number_in_text"
EMAIL_IN_TEXT = "email_in_text"
NOT_SUGGESTED = EntryId("")


VOUCHED = (Trust.VERIFIED, Trust.THREADED)
"""Levels of trust that open the history by themselves."""


def vouched(customer: Customer, heard: Heard | Received) -> bool:
    """Say whether a message may be taken for the customer's.

    It may where its kind cannot tell (``checked`` is false: the gate is off), where our own server or a thread token
    vouches for the sender, or where an agent trusts the address as it signs now. A mail that nobody signed is never
    covered by that.
    """
    if not heard.checked or heard.trust in VOUCHED:
        return True
    linked = next((known for known in customer.addresses if known.address == heard.sender), None)
    return linked is not None and bool(linked.trusted_by and heard.signer) and linked.signer == heard.signer


def doubtful(customer: Customer) -> Heard | None:
    """Return the newest message where nothing vouches for its sender: behind it the history stays closed."""
    heard = customer.heard
    return None if heard is None or vouched(customer, heard) else heard


def known_by(customer: Customer, linked: LinkedAddress) -> str:
    """Return by what an address would be known again now: who signed its newest mail; empty where nobody did."""
    heard = customer.heard
    if heard is not None and heard.sender == linked.address:
        return heard.signer
    return linked.signer


def why_mentioned(address: Address) -> str:
    return {PHONE: NUMBER_IN_TEXT, EMAIL: EMAIL_IN_TEXT}.get(address.kind, "address_in_text")


def suggestion(
    holder: CustomerId, other: CustomerId, address: Address, why: str, evidence: EntryId, at: datetime
) -> Suggested:
    """Make the suggestion that ``other``, who owns ``address``, is the same person as ``holder``.

    Its id depends on the two records and the address only: a refused suggestion does not come back with the next
    message that holds the same number.
    """
    return Suggested(
        id=EntryId(derive_id("e", "suggested", holder, other, str(address))),
        at=at,
        other=other,
        address=address,
        why=why,
        evidence=evidence,
    )


def suggestions(
    holder: CustomerId,
    mentioned: Iterable[Address],
    owners: Mapping[Address, CustomerId],
    mentioned_in: Sequence[tuple[CustomerId, EntryId]],
    sender: Address,
    evidence: EntryId,
    at: datetime,
) -> tuple[tuple[CustomerId, Suggested], ...]:
    """Return what a new message suggests, each with the record that the suggestion belongs to.

    Two directions: the message names an address that somebody else owns, or its sender's address stands in an
    earlier message of somebody else.

    Args:
        holder: the record that the message was filed under.
        mentioned: addresses in the message's text.
        owners: who owns those of them that are known.
        mentioned_in: records and entries whose text names the sender's address.
    """
    found: dict[CustomerId, tuple[CustomerId, Suggested]] = {}
    for address in mentioned:
        other = owners.get(address)
        if other is not None and other != holder and other not in found:
            found[other] = (holder, suggestion(holder, other, address, why_mentioned(address), evidence, at))
    for other, entry in mentioned_in:
        if other != holder and other not in found:
            found[other] = (other, suggestion(other, holder, sender, why_mentioned(sender), entry, at))
    return tuple(found.values())


def merge(
    edge: EntryId, keep: Customer, absorb: Customer, by: AgentName, at: datetime, accepted: EntryId = NOT_SUGGESTED
) -> Merged:
    """Make the edge that joins two customers; their open conversations are shown as one.

    Args:
        edge: the id of the entry; the same wish made twice has the same id.
        accepted: the suggestion that this answers, if one.
    """
    ours, theirs = conversations.current(keep), conversations.current(absorb)
    return Merged(
        id=edge,
        at=at,
        other=absorb.id,
        by=by,
        suggestion=accepted,
        joins={theirs.id: ours.id} if ours is not None and theirs is not None else {},
    )


def unmerge(end: EntryId, edge: EntryId, by: AgentName, at: datetime) -> Unmerged:
    """Make the entry (of id ``end``) that ends a merge."""
    return Unmerged(id=end, at=at, merge=edge, by=by)


def refuse(suggested: EntryId, by: AgentName, request: str, at: datetime) -> SuggestionAnswered:
    return SuggestionAnswered(
        id=EntryId(derive_id("e", "refused", request, suggested)), at=at, suggestion=suggested, accepted=False, by=by
    )


def postpone(suggested: EntryId, by: AgentName, request: str, until: datetime, at: datetime) -> SuggestionAnswered:
    """Make the entry that leaves a suggestion undecided until a moment."""
    return SuggestionAnswered(
        id=EntryId(derive_id("e", "postponed", request, suggested)),
        at=at,
        suggestion=suggested,
        accepted=False,
        by=by,
        until=until,
    )
