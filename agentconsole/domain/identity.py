"""Whose message is this?

The same normalised address with the same scope is the same customer. Anything weaker (a number that stands in a
text, the same name) only *suggests*, with its evidence, and an agent decides with one key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

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
SAME_NAME = "same_name"
SAME_NUMBER = {"order_number": "same_order_number", "id_number": "same_id_number"}
"""Reasons by the kind of a fact (``domain.facts``)."""
NOT_SUGGESTED = EntryId("")

NAME_DAYS = 7
"""A name alone is too weak: the same one is a sign only within so many days of the other's newest entry, or under the
same mail domain where that is not one that everybody can have."""
_WEBMAIL = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.co.jp ymail.com icloud.com"
    " me.com mac.com aol.com gmx.net gmx.de web.de t-online.de mail.ru yandex.ru bk.ru naver.com daum.net hanmail.net"
    " kakao.com nate.com qq.com 163.com 126.com sina.com proton.me protonmail.com fastmail.com zoho.com uol.com.br"
    " bol.com.br terra.com.br orange.fr wanadoo.fr free.fr libero.it"
)
_ANYBODYS = frozenset(_WEBMAIL.split())


REPLY_TO = "reply-to"
"""The role of a participant whom a mail names as the one to answer (RFC 5322, 3.6.2)."""

VOUCHED = (Trust.VERIFIED, Trust.THREADED)
"""Levels of trust that open the history by themselves."""


def vouched(customer: Customer, heard: Heard | Received) -> bool:
    """Say whether a message may be taken for the customer's.

    It may where its kind cannot tell (``checked`` is false: the gate is off), where our own server or a thread token
    vouches for the sender, or where an agent trusts the address as it signs now. A mail that nobody signed is never
    covered by that.
    """
    linked = next((known for known in customer.addresses if known.address == heard.sender), None)
    return believed(linked, heard.trust, heard.signer, checked=heard.checked)


def believed(linked: LinkedAddress | None, trust: Trust, signer: str, *, checked: bool) -> bool:
    """Say the same of a message that is only being filed or folded; ``linked`` is its sender, where known."""
    if not checked or trust in VOUCHED:
        return True
    return linked is not None and bool(linked.trusted_by and signer) and linked.signer == signer


def doubtful(customer: Customer) -> Heard | None:
    """Return the newest message where nothing vouches for its sender: behind it the history stays closed."""
    heard = customer.heard
    return None if heard is None or vouched(customer, heard) else heard


def reply_elsewhere(message: Received) -> tuple[Address, ...]:
    """Return where a mail asks to be answered besides its sender's own domain. It is pointed out and never a route:
    who forges a sender names a mailbox of their own there."""
    domain = message.sender.value.rpartition("@")[2]
    return tuple(
        asked.address
        for asked in message.participants
        if asked.role == REPLY_TO and asked.address.value.rpartition("@")[2] != domain
    )


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


def telling(name: str) -> bool:
    """Say whether a name is of more than one word, or of three letters and more where names have no spaces."""
    name = name.strip()
    return len(name.split()) > 1 or (len(name) >= 3 and not name.isascii())


def same_name(sender: Address, other: Customer, at: datetime) -> Address | None:
    """Return the address of somebody of the sender's name who may well be the sender, or None where nothing else
    speaks for it."""
    domain = sender.value.rpartition("@")[2] if sender.kind == EMAIL else ""
    mails = [linked.address for linked in other.addresses if linked.address.kind == EMAIL]
    if domain and domain not in _ANYBODYS:
        near = next((mail for mail in mails if mail.value.rpartition("@")[2] == domain), None)
        if near is not None:
            return near
    if other.last_at is None or abs(at - other.last_at) > timedelta(days=NAME_DAYS) or not other.addresses:
        return None
    return other.addresses[0].address


def tie(record: CustomerId, owner: CustomerId, one: Customer, other: Customer) -> tuple[CustomerId, Merged]:
    """Make the edge between two records whose addresses a provider ties together, with the record that holds it.

    Nobody decided it, so ``by`` is empty. Its id follows from the two records: where an agent ended it, the next
    message does not bring it back.
    """
    keep, absorb = sorted((one, other), key=lambda c: (c.since.timestamp() if c.since else 0.0, c.id))
    first, second = sorted((record, owner))
    edge = EntryId(derive_id("e", "tied", first, second))
    at = max(at for at in (one.last_at, other.last_at) if at is not None)
    return keep.id, merge(edge, keep, absorb, AgentName(""), at)


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
