"""Language, clock, country and best hour, each with how we know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentconsole.domain.about import Spoken, about, language_of
from agentconsole.domain.fallback import SENT_OTHERWISE, Automatic, due, forbidden
from agentconsole.domain.hours import BestHour
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    Card,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    EntryId,
    LinkedAddress,
    Medium,
    Route,
    RouteUse,
    Trust,
)

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


def person(*addresses: Address, **more: Any) -> Customer:
    linked = tuple(LinkedAddress(address, Trust.CLAIMED, NOW) for address in addresses)
    empty: dict[str, Any] = dict.fromkeys(
        ("consents", "preferences", "routes", "conversations", "deliveries", "suggestions", "merges"), ()
    )
    values = {"members": (CustomerId("k1"),), "name": "", "since": None, "last_at": None, "addresses": linked}
    return Customer(CustomerId("k1"), **{**values, **empty, **more})


def said(what: str, value: str) -> dict[str, Card]:
    return {what: Card(what, value, NOW, AgentName("mina"))}


@pytest.mark.parametrize(
    ("counts", "cards", "expected"),
    [
        ({"ko": 9, "en": 1}, {}, Spoken("ko", "detected", 9, 10)),
        ({"ko": 9, "en": 1}, said("language", "en"), Spoken("en", "stated", 1, 10, AgentName("mina"))),
        ({"ko": 5, "en": 5}, {}, Spoken(of=10)),
        ({}, {}, Spoken()),
        ({}, said("language", "pt"), Spoken("pt", "stated", by=AgentName("mina"))),
    ],
)
def test_the_stated_language_counts_else_what_most_messages_are_in(counts, cards, expected):
    assert language_of(person(languages=counts, cards=cards)) == expected


def test_clock_and_country_come_from_the_number_unless_somebody_said_otherwise():
    seoul = Address("phone", "", "+821012345678")
    found = about(person(seoul), "Europe/London", NOW)
    assert (found.zones, found.zones_by, found.country, found.country_by) == (
        ("Asia/Seoul",),
        "number",
        "KR",
        "number",
    )
    cards = said("time_zone", "America/Sao_Paulo") | said("country", "BR")
    told = about(person(seoul, cards=cards), "Europe/London", NOW)
    assert (told.zones, told.zones_by, told.country, told.country_by) == (
        ("America/Sao_Paulo",),
        "stated",
        "BR",
        "stated",
    )
    unknown = about(person(Address("email", "", "a@example.com")), "Europe/London", NOW)
    assert (unknown.zones, unknown.zones_by, unknown.country) == (("Europe/London",), "profile", "")


def test_the_best_hour_is_in_their_own_zone_and_from_eight_answers():
    answers = tuple(datetime(2026, 3, day, 10, 30, tzinfo=UTC) for day in range(1, 9))
    seoul = Address("phone", "", "+821012345678")
    assert about(person(seoul, answers=answers), "UTC", NOW).best_hour == BestHour(18, 3, 8, 8)
    assert about(person(seoul, answers=answers[1:]), "UTC", NOW).best_hour is None


# -- another way --------------------------------------------------------------------------------------------


def record(state: Delivery = Delivery.FAILED, **more: Any) -> DeliveryRecord:
    values: dict[str, Any] = {
        "reply": EntryId("e1"),
        "state": state,
        "at": NOW,
        "account": AccountName("sms"),
        "medium": Medium("sms"),
        "address": Address("phone", "", "+821012345678"),
        "conversation": ConversationId("c1"),
        "agent": AgentName("mina"),
        "queued_at": NOW - timedelta(minutes=1),
    }
    return DeliveryRecord(**{**values, **more})


@pytest.mark.parametrize(
    ("found", "own", "why"),
    [
        *((record(state), False, "not_failed") for state in Delivery if state not in ("failed", "uncertain")),
        (record(Delivery.UNCERTAIN), False, "uncertain"),
        (record(Delivery.CANCELLED, reason=SENT_OTHERWISE), False, "already_otherwise"),
        (record(), False, ""),
        (record(external_id="x1"), True, "own_failover"),
        (record(external_id="x1"), False, ""),
        (record(), True, ""),
    ],
)
def test_only_what_provably_failed_may_go_another_way(found, own, why):
    assert forbidden(found, own_failover=own) == why


MAIL = Route(AccountName("mail"), Medium("email"), Address("email", "", "a@example.com"))
RULE = Automatic((Medium("email"),), 10)


@pytest.mark.parametrize(
    ("after", "changes", "routes", "others", "expected"),
    [
        (9, {}, (), (), False),
        (11, {}, (), (), True),
        (6 * 60 + 1, {}, (), (), False),
        (11, {"reason": "opted_out"}, (), (), False),
        (11, {"reason": "blocked"}, (), (), False),
        (11, {"state": Delivery.UNCERTAIN}, (), (), False),
        (11, {}, (RouteUse(MAIL, last_in=NOW),), (), False),
        (11, {}, (RouteUse(MAIL, last_in=NOW - timedelta(hours=1)),), (), True),
        (11, {}, (), (record(Delivery.SENT, reply=EntryId("e2"), queued_at=NOW),), False),
    ],
)
def test_by_itself_only_soon_after_and_where_nobody_wrote_since(after, changes, routes, others, expected):
    found = record(**changes)
    customer = person(routes=routes, deliveries=(found, *others))
    assert due(found, customer, RULE, NOW + timedelta(minutes=after)) is expected
    assert due(found, customer, Automatic(), NOW + timedelta(minutes=after)) is False
