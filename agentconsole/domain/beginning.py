"""May we begin? What is asked of a message that answers nobody: the law of the customer's country, their own hours,
consent, and how often and how soon after trouble somebody is written to.

A reply is not touched by any of this. What a country asks is data (``domain.laws``); this module only reads it off.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Final

from agentconsole.domain import addresses, guards, hours, laws
from agentconsole.domain.entries import Reply
from agentconsole.domain.guards import Cap
from agentconsole.domain.hours import Clockwork
from agentconsole.domain.laws import MARKETING, NO_CONSENT, NO_LAW, OLD_CONSENT, QUIET_HOURS, UNFILLED_FOOTER, Law
from agentconsole.domain.model import (
    Address,
    Consent,
    ConsentScope,
    Customer,
    Delivery,
    EntryId,
    Facts,
    Medium,
    Value,
)
from agentconsole.domain.wishes_rules import purpose_named

FREQUENCY_CAP: Final = "frequency_cap"
COOLING_OFF: Final = "cooling_off"

REASONS: Final = (NO_CONSENT, OLD_CONSENT, COOLING_OFF, FREQUENCY_CAP, QUIET_HOURS, UNFILLED_FOOTER)
"""The vetoes of messages that we begin, in the order in which they are asked."""

_COUNTS: Final = frozenset({Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN})
"""States of a message that is not known to have arrived and still counts: it may."""


class Message(Value, frozen=True):
    """What is to be sent, as far as permission depends on it beyond its size.

    Args:
        proactive: we begin; else it answers.
        purpose: what it is about; ``marketing`` is the one that laws name, and whatever else people call it
            (``wishes_rules.purpose_named``). A proactive message without a purpose is withheld from whom opted out of
            marketing.
        reply: the reply itself where it is already in the history, so that it does not count against itself.
        answers: when the message was written that such a reply was allowed to answer after an opt-out.
    """

    proactive: bool = False
    purpose: str = ""
    reply: EntryId = EntryId("")
    answers: datetime | None = None

    @property
    def marketing(self) -> bool:
        return self.proactive and purpose_named(self.purpose) == MARKETING

    @property
    def unnamed(self) -> bool:
        return not self.purpose.strip()


ANSWER: Final = Message()


def of_reply(reply: Reply) -> Message:
    """Return what a reply in the history has to be judged as."""
    wrote = reply.facts.get("wrote", "")
    return Message(reply.proactive, reply.purpose, reply.id, datetime.fromisoformat(wrote) if wrote else None)


class Rules(Value, frozen=True):
    """A profile's rules for what we begin.

    Args:
        laws: by country (ISO 3166); empty where the profile switched them off.
        values: what a footer's names stand for: ``free_opt_out``, ``opt_out_link`` …
        holidays: days on which nothing is begun, by country.
        zone: the time zone of a customer of whom nothing else is known.
        country: the country of such a customer.
        consent: whether marketing needs consent where the law asks for it.
    """

    laws: dict[str, Law] = {}
    values: dict[str, str] = {}
    holidays: dict[str, tuple[date, ...]] = {}
    zone: str = "UTC"
    country: str = ""
    consent: bool = True
    cap: Cap = Cap()


NO_RULES: Final = Rules()


def country_of(customer: Customer, otherwise: str = "") -> str:
    """Return the customer's country: told, else of a phone number of theirs, else ``otherwise``."""
    told = customer.cards.get("country")
    if told is not None:
        return told.value
    numbers = (_region(linked.address) for linked in customer.addresses)
    return next((region for region in numbers if region), otherwise)


@lru_cache(4096)
def _region(address: Address) -> str:
    return addresses.region_of(address)


def zones_of(customer: Customer, rules: Rules) -> Clockwork:
    """Return the customer's time zones: told, else of a number, else the profile's."""
    told = customer.cards.get("time_zone")
    known = [linked.address for linked in customer.addresses]
    return hours.zones_of(known, told.value if told is not None else "", rules.zone)


def warm(customer: Customer, rules: Rules) -> None:
    """Load what the judgement of a customer reads of numbers and zones. It reads files: call it off the event loop."""
    for name in zones_of(customer, rules).zones:
        hours.zone(name)
    country_of(customer)


def law_of(customer: Customer, rules: Rules) -> Law:
    return rules.laws.get(country_of(customer, rules.country), NO_LAW)


def refused(
    customer: Customer, medium: Medium, message: Message, now: datetime, rules: Rules
) -> tuple[str, Facts, datetime | None] | None:
    """Return why a message must not be begun now: reason, facts and until when (None: not by itself)."""
    law = law_of(customer, rules)
    country = country_of(customer, rules.country)
    if message.marketing and rules.consent and law.marketing_needs_consent:
        given = consent_to_marketing(customer, medium)
        if given is None:
            return NO_CONSENT, {"country": country}, None
        if laws.consent_due(law, given.at, now):
            facts = {"country": country, "at": given.at.isoformat(), "years": str(law.consent_years)}
            return OLD_CONSENT, facts, None
    until = guards.cooling_off([(at, medium) for at in customer.complaints], now, rules.cap)
    if until is not None:
        return COOLING_OFF, {"at": max(customer.complaints).isoformat(), "until": until.isoformat()}, until
    begun = sorted(_begun(customer, message.reply))
    until = guards.too_often(begun, now, rules.cap)
    if until is not None:
        facts = {"count": str(rules.cap.messages), "days": str(rules.cap.days), "until": until.isoformat()}
        return FREQUENCY_CAP, facts | {"at": begun[-1].isoformat()}, until
    zones = zones_of(customer, rules)
    held = laws.begin_refused(law, medium, now, zones.zones, rules.holidays.get(country, ()))
    if held is not None:
        reason, facts, end = held
        return reason, facts | {"evidence": zones.evidence, "country": country}, end
    if message.marketing:
        missing = laws.unfilled(law, medium, rules.values)
        if missing:
            return UNFILLED_FOOTER, {"name": missing, "country": country}, None
    return None


def dressed(text: str, customer: Customer, medium: Medium, message: Message, rules: Rules) -> str:
    """Return a text as the law wants it: a marketing message with label and footer, any other as it is.

    A footer that cannot be filled is left out: such a route is refused (``UNFILLED_FOOTER``).
    """
    law = law_of(customer, rules)
    if not message.marketing or laws.unfilled(law, medium, rules.values):
        return text
    return laws.dressed(text, law, medium, rules.values)


def consent_to_marketing(customer: Customer, medium: Medium) -> Consent | None:
    """Return the newest consent to marketing that holds for a medium."""
    given = [
        consent
        for consent in customer.consents
        if consent.allowed and consent.scope == ConsentScope.MARKETING and consent.medium in ("", medium)
    ]
    return max(given, key=lambda consent: consent.at, default=None)


def _begun(customer: Customer, itself: EntryId) -> list[datetime]:
    waiting = [
        max(record.queued_at, record.not_before or record.queued_at)
        for record in customer.deliveries
        if record.proactive and record.state in _COUNTS and record.reply != itself
    ]
    return [*customer.begun, *waiting]
