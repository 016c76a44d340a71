"""The customer as rows: two folded lines for narrow screens, a whole card for wide ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agentconsole.domain.about import NOTHING_KNOWN, About
from agentconsole.domain.model import (
    AgentName,
    ConsentScope,
    ConversationId,
    ConversationStatus,
    Customer,
    EntryId,
    Fact,
    LinkedAddress,
    Preference,
    Trust,
)
from agentconsole.domain.permission import PROVIDER
from agentconsole.ui.draw import EMPTY, Row, Run, Safe, clip, cut_row, fit, our, row, safe, sides, wrap
from agentconsole.ui.say import Say

_TRUST_STYLE = {Trust.VERIFIED: "good", Trust.THREADED: "good", Trust.CLAIMED: "dim", Trust.AMBIGUOUS: "warn"}


def customer_name(customer: Customer) -> str:
    """Return the name, else the first address."""
    if customer.name:
        return customer.name
    return customer.addresses[0].address.value if customer.addresses else customer.id


def folded(customer: Customer, conversation: ConversationId, me: AgentName, say: Say, width: int) -> list[Row]:
    """Return the customer in two lines: who, and where to write."""
    active = [c for c in customer.conversations if c.status != ConversationStatus.RESOLVED]
    counts = say("card.open_of", open=str(len(active)), all=str(len(customer.conversations)))
    here = next((c for c in customer.conversations if c.id == conversation), None)
    right: list[Run] = []
    if here is not None:
        right.append((say.status(here.status), "good" if here.status == ConversationStatus.OPEN else "dim"))
        right.append((our(" @" + safe(here.assignee, 12)) if here.assignee else EMPTY, "key"))
    first = sides(row((safe(customer_name(customer), 80), "title"), our("  "), (counts, "dim")), tuple(right), width)
    second: list[Run] = []
    preference = _preference(customer)
    if preference is not None:
        text = say("head.prefers", medium=say.medium(preference.medium), day=say.short_day(preference.at))
        second += [(text, "good"), (our("  "), "")]
    for consent in customer.consents:
        if not consent.allowed:
            medium = say.medium(consent.medium) if consent.medium else say("card.everywhere")
            second += [(say("head.opt_out", medium=medium), "bad"), (our("  "), "")]
    for linked in customer.addresses:
        second += [(say.address(linked.address), "bad" if linked.dead else ""), (our("  "), "")]
    if customer.addresses:
        second.pop()
    return [first, cut_row(tuple(second), width)]


def _preference(customer: Customer) -> Preference | None:
    return next((p for p in customer.preferences if not p.purpose), None)


def card(
    customer: Customer, conversation: ConversationId, say: Say, now: datetime, width: int, about: About = NOTHING_KNOWN
) -> list[Row]:
    """Return everything known about a customer."""
    found: list[Row] = [row((clip(safe(customer_name(customer), 120), width), "title"))]
    if customer.since is not None:
        found.append(row((say("card.since", day=say.day(customer.since)), "dim")))
    described = say.about(about, now)
    if described:
        found += [(), row((say("card.person"), "dim"))]
    for line in described:
        found += _lines(line, width, "")
    found += [(), row((say("card.addresses"), "dim"))]
    for linked in customer.addresses:
        trust = (
            row((say("card.dead"), "bad"))
            if linked.dead
            else row((say.trust(linked.trust), _TRUST_STYLE[linked.trust]))
        )
        kind = fit(say.medium(linked.address.kind), 10)
        found.append(sides(row(our(" "), (kind, "in"), our(" "), say.address(linked.address)), trust, width))
        found += _provenance(linked, say, width)
    found += [(), row((say("card.preference"), "dim"))]
    if not customer.preferences:
        found.append(row(our(" "), say("card.no_preference")))
    for preference in customer.preferences:
        found += _lines(_worded(preference, say), width, "good")
    found += [(), row((say("card.consents"), "dim"))]
    if not customer.consents:
        found.append(row(our(" "), say("card.no_consents")))
    for consent in customer.consents:
        medium = say.medium(consent.medium) if consent.medium else say("card.everywhere")
        text = say("card.opt_in" if consent.allowed else "card.opt_out", medium=medium, day=say.short_day(consent.at))
        if consent.scope != ConsentScope.ALL:
            text = our(f"{text}, {say.scope(consent.scope)}")
        if consent.words:
            source = say("card.provider") if consent.words == PROVIDER else safe(consent.words, 40)
            text = our(f"{text} ({source})")
        found += _lines(text, width, "" if consent.allowed else "bad")
    found += [(), row((say("card.conversations"), "dim"))]
    for known in customer.conversations[:20]:
        mark = say.glyph("here") if known.id == conversation else our(" ")
        right = row((our(" " + (safe(known.assignee, 10) or say("card.nobody"))), "dim"))
        what = safe(known.subject or known.preview, 120)
        media = our(" ".join(say.code(medium) for medium in known.media))
        left = row(
            (mark, "key"),
            (say.status(known.status), "good" if known.waiting_since else "dim"),
            our(" "),
            (media, "in"),
            our(" "),
            what,
        )
        found.append(sides(left, right, width))
    return found


def told(facts: Sequence[Fact], say: Say, now: datetime, width: int) -> list[tuple[Row, EntryId | None]]:
    """Return what the customer told us, each line with the entry that enter goes to."""
    if not facts:
        return []
    found: list[tuple[Row, EntryId | None]] = [(row((say("card.facts"), "dim")), None)]
    for fact in facts:
        what, source = say.fact(fact, now)
        found.append((sides(row(our(" "), what), row((source, "dim")), width), fact.entry))
    return [*found, ((), None)]


def _provenance(linked: LinkedAddress, say: Say, width: int) -> list[Row]:
    """Return by whom or by what evidence an address was linked, and who trusts it as it signs."""
    found: list[Row] = []
    why = say("why.provider_ties") if linked.why == "provider_ties" else safe(linked.why, 60)
    if linked.by or linked.why:
        text = say("card.linked", by=safe(linked.by, 40) or why, day=say.short_day(linked.since))
        found += [row(our("   "), (line, "dim")) for line in wrap(text, width - 4, 2)]
    if linked.trusted_by:
        text = say("card.trusted", agent=safe(linked.trusted_by, 40), signer=safe(linked.signer, 60))
        found += [row(our("   "), (line, "note")) for line in wrap(text, width - 4, 2)]
    return found


def _worded(preference: Preference, say: Say) -> Safe:
    day = say.short_day(preference.at)
    medium = say.medium(preference.medium)
    if preference.purpose:
        medium = say("card.wanted_for", medium=medium, purpose=preference.purpose)
    if preference.evidence_medium or not preference.by:
        source = say.medium(preference.evidence_medium) if preference.evidence_medium else our("?")
        return say("card.prefers", medium=medium, day=day, source=source)
    return say("card.prefers_set", medium=medium, day=day, source=preference.by)


def wanted(customer: Customer, say: Say, width: int) -> list[tuple[Row, EntryId]]:
    """Return the wishes that wait for a decision, each line with the message in which it stands."""
    return [(line, wish.evidence) for wish in customer.wishes for line in _lines(say.wish(wish), width, "note")]


def _lines(text: Safe, width: int, style: str) -> list[Row]:
    return [row(our(" "), (line, style)) for line in wrap(text, width - 2, 4)]
