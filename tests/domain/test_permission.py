"""May we write there now: what an opt-out forbids, the one answer after it, and what we may begin."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from agentconsole.config import facts
from agentconsole.domain import beginning, permission
from agentconsole.domain.beginning import Message, Rules
from agentconsole.domain.entries import (
    AddressLinked,
    AnyEntry,
    ConsentChanged,
    Described,
    Receipt,
    Reply,
    Tagged,
)
from agentconsole.domain.guards import Cap
from agentconsole.domain.laws import Law
from agentconsole.domain.model import (
    AccountName,
    Address,
    ConsentScope,
    ConversationId,
    Delivery,
    EntryId,
    Medium,
    RefusedRoute,
    Route,
    Trust,
)
from agentconsole.domain.permission import Reach
from agentconsole.domain.preference import Account
from tests.domain.make import AGENT, EMAIL, NOW, PHONE, SMS, WHATSAPP, ago, customer, received, together

LAWS = facts.laws().laws
KOREAN = Address("phone", "", "+821027284910")
ROUTE = Route(SMS.name, SMS.medium, PHONE)
MARKETING = Message(proactive=True, purpose="marketing")
SERVICE = Message(proactive=True, purpose="invoices")
UNSAID = Message(proactive=True)
ANSWER = Message()
FREE = Rules(cap=Cap(messages=0))


def out(at: datetime, scope: str = "all", medium: str = "sms", words: str = "STOP", name: str = "") -> ConsentChanged:
    return ConsentChanged(
        id=EntryId(name or f"o{at}{scope}{medium}"),
        at=at,
        medium=Medium(medium),
        scope=ConsentScope(scope),
        words=words,
    )


def opted_in(at: datetime, scope: str = "all", medium: str = "sms") -> ConsentChanged:
    return ConsentChanged(
        id=EntryId(f"i{at}{scope}{medium}"), at=at, medium=Medium(medium), scope=ConsentScope(scope), allowed=True
    )


def reply(
    name: str, at: datetime, *, proactive: bool = False, account: Account = SMS, address: Address = PHONE
) -> Reply:
    return Reply(
        id=EntryId(name),
        at=at,
        agent=AGENT,
        conversation=ConversationId("c1"),
        account=AccountName(account.name),
        medium=account.medium,
        address=address,
        text="hello",
        key=name,
        proactive=proactive,
    )


def became(name: str, at: datetime, state: Delivery, attempt: int = 1) -> tuple[Receipt, Receipt]:
    sending = Receipt(
        id=EntryId(f"{name}c"), at=at, reply=EntryId(name), state=Delivery.SENDING, attempt=attempt, committed=True
    )
    end = Receipt(
        id=EntryId(f"{name}e"), at=at, reply=EntryId(name), state=state, attempt=attempt, reason="undeliverable"
    )
    return sending, end


def judged(
    *entries: AnyEntry, message: Message = ANSWER, rules: Rules = FREE, route: Route = ROUTE, now: datetime = NOW
) -> RefusedRoute | None:
    link = AddressLinked(id=EntryId("l"), at=ago(days=30), address=route.address)
    return permission.refusal(
        customer(link, *entries), route, Reach(5, "sms"), now, permission.NOTHING_TYPED, message, rules
    )


def reason(*entries: AnyEntry, **how: object) -> str:
    found = judged(*entries, **how)  # type: ignore[arg-type]
    return found.reason if found is not None else ""


# -- opt-outs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "answer", "service", "unsaid", "marketing"),
    [
        ("marketing", False, False, True, True),
        ("service", False, True, True, True),
        ("all", True, True, True, True),
    ],
)
def test_what_each_scope_forbids(scope: str, answer: bool, service: bool, unsaid: bool, marketing: bool) -> None:
    asked = zip((ANSWER, SERVICE, UNSAID, MARKETING), (answer, service, unsaid, marketing), strict=True)
    for message, forbidden in asked:
        allowed = opted_in(ago(days=5), "marketing", "")
        found = reason(allowed, out(ago(days=1), scope), message=message)
        assert (found == "opted_out") == forbidden, (scope, message, found)


@pytest.mark.parametrize("purpose", ["marketing", "Marketing", " MARKETING ", "newsletter", "광고", "promotions", " "])
def test_advertising_is_marketing_whatever_it_is_called(purpose: str) -> None:
    message = Message(proactive=True, purpose=purpose)
    assert reason(out(ago(days=1), "marketing"), message=message) == "opted_out"
    assert reason(out(ago(days=1), "marketing"), message=Message(proactive=True, purpose="delivery")) == ""
    assert message.marketing is bool(purpose.strip())


def test_an_opt_out_holds_on_its_medium_or_on_all() -> None:
    assert reason(out(ago(days=1), medium="whatsapp")) == ""
    assert reason(out(ago(days=1), medium="")) == "opted_out"


def test_consent_lifts_what_it_covers_whenever_its_entry_arrives() -> None:
    stop, wide = out(ago(days=3)), opted_in(ago(days=1), medium="")
    assert reason(stop, wide) == reason(wide, stop) == ""
    assert reason(out(ago(days=3), medium=""), opted_in(ago(days=1))) == "opted_out"
    assert reason(out(ago(hours=1)), wide) == reason(wide, out(ago(hours=1))) == "opted_out"
    assert reason(stop, opted_in(ago(days=1), "marketing")) == "opted_out"


def test_joined_records_have_the_union_of_their_opt_outs() -> None:
    mine: list[AnyEntry] = [received("a", SMS, PHONE, ago(days=9)), out(ago(days=3))]
    other: list[AnyEntry] = [received("b", SMS, EMAIL, ago(days=9)), opted_in(ago(days=1), medium="")]
    both = together("k1", {"k1": mine, "k2": other})
    found = permission.refusal(both, ROUTE, Reach(5, "sms"), NOW)
    assert found is not None
    assert found.reason == "opted_out"


# -- the one answer ---------------------------------------------------------------------------------------------

STOP = out(ago(days=3))
ASKED = received("q", SMS, PHONE, ago(days=1), "where is my order?")
FIRST = Message(reply=EntryId("r1"), answers=ago(days=1))


def test_who_may_be_somebody_else_opens_no_way_round_an_opt_out() -> None:
    forged = received("q", SMS, PHONE, ago(days=1), "where is my order?", checked=True)
    assert reason(STOP, forged) == "opted_out"
    known = received("q", SMS, PHONE, ago(days=1), checked=True, trust=Trust.VERIFIED)
    assert reason(STOP, known, received("q2", SMS, PHONE, ago(hours=1), checked=True)) == ""
    assert reason(STOP, forged, known) == reason(STOP, known, forged) == ""


def test_who_opted_out_and_then_wrote_may_be_answered_once_until_they_write_again() -> None:
    assert reason(STOP, ASKED) == ""
    answered = reply("r1", ago(hours=20))
    assert reason(STOP, ASKED, answered) == "opted_out_then_wrote"
    assert reason(STOP, ASKED, answered, *became("r1", ago(hours=19), Delivery.SENT)) == "opted_out_then_wrote"
    again = received("q2", SMS, PHONE, ago(hours=1), "and now?")
    assert reason(STOP, ASKED, answered, *became("r1", ago(hours=19), Delivery.SENT), again) == ""


def test_the_answer_does_not_stand_in_its_own_way_and_a_failed_one_was_none() -> None:
    answered = reply("r1", ago(hours=20))
    assert reason(STOP, ASKED, answered, message=FIRST) == ""
    assert reason(STOP, ASKED, answered, *became("r1", ago(hours=19), Delivery.FAILED)) == ""
    uncertain = became("r1", ago(hours=19), Delivery.UNCERTAIN)
    assert reason(STOP, ASKED, answered, *uncertain) == "opted_out_then_wrote"


def test_two_answers_that_wait_are_not_both_allowed_to_leave() -> None:
    first, second = reply("r1", ago(hours=20)), reply("r2", ago(hours=20))
    assert reason(STOP, ASKED, first, second, message=FIRST) == "opted_out_then_wrote"


def test_a_reply_that_was_waiting_when_they_opted_out_is_no_answer() -> None:
    waiting = reply("r1", ago(days=4))
    assert reason(STOP, ASKED, waiting, message=Message(reply=EntryId("r1"))) == "opted_out_then_wrote"
    assert reason(STOP, ASKED, waiting) == ""
    earlier = Message(reply=EntryId("r1"), answers=ago(days=5))
    assert reason(STOP, ASKED, waiting, message=earlier) == "opted_out_then_wrote"


def test_an_answer_is_not_withdrawn_because_they_wrote_once_more() -> None:
    again = received("q2", SMS, PHONE, ago(hours=1), "and now?")
    assert reason(STOP, ASKED, reply("r1", ago(hours=20)), again, message=FIRST) == ""
    both = (reply("r1", ago(hours=20)), again, reply("r2", ago(minutes=30)))
    assert reason(STOP, ASKED, *both, message=FIRST) == ""
    second = Message(reply=EntryId("r2"), answers=ago(hours=1))
    assert reason(STOP, ASKED, *both, message=second) == ""
    assert reason(STOP, ASKED, *both, out(ago(minutes=10)), message=second) == "opted_out"


def test_a_failed_answer_is_not_sent_again_after_another_one_left() -> None:
    before: tuple[AnyEntry, ...] = (reply("r0", ago(days=9)), *became("r0", ago(days=9), Delivery.SENT))
    failed: tuple[AnyEntry, ...] = (reply("r1", ago(hours=20)), *became("r1", ago(hours=20), Delivery.FAILED))
    other: tuple[AnyEntry, ...] = (reply("r2", ago(hours=10)), *became("r2", ago(hours=10), Delivery.SENT))
    assert reason(*before, STOP, ASKED, *failed, message=FIRST) == ""
    assert reason(*before, STOP, ASKED, *failed, *other, message=FIRST) == "opted_out_then_wrote"


def test_an_answer_on_another_channel_leaves_the_one_answer_here() -> None:
    mailed = reply("r1", ago(hours=20), account=WHATSAPP)
    assert reason(STOP, ASKED, mailed, *became("r1", ago(hours=19), Delivery.SENT)) == ""


def test_records_that_were_forgotten_do_not_give_a_second_answer() -> None:
    answered: tuple[AnyEntry, ...] = (reply("r1", ago(hours=20)), *became("r1", ago(hours=19), Delivery.SENT))
    later: list[AnyEntry] = [
        entry
        for n in range(45)
        for entry in (
            reply(f"x{n}", ago(hours=10), account=WHATSAPP),
            *became(f"x{n}", ago(hours=10), Delivery.SENT),
        )
    ]
    assert reason(STOP, ASKED, *answered, *later) == "opted_out_then_wrote"


def test_no_answer_where_the_provider_the_law_or_the_message_stands_against_it() -> None:
    blocked = out(ago(days=3), words=permission.PROVIDER)
    assert reason(blocked, ASKED) == "opted_out_at_provider"
    strict = Rules(laws={"GB": Law("a strict one", answer_after_opt_out=False)}, cap=Cap(messages=0))
    assert reason(STOP, ASKED, rules=strict) == "opted_out_then_wrote"
    assert reason(STOP, ASKED, message=SERVICE) == "opted_out"
    assert reason(STOP, received("q", SMS, PHONE, ago(days=4))) == "opted_out"


# -- what we begin ----------------------------------------------------------------------------------------------

KR_ROUTE = Route(SMS.name, SMS.medium, KOREAN)
KR_RULES = Rules(laws=LAWS, values={"free_opt_out": "080-123-4567"}, cap=Cap(messages=2, days=7, cooling_hours=48))
CONSENTED = opted_in(ago(days=5), "marketing", "")
NIGHT = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 23, 0, tzinfo=UTC)


def test_quiet_hours_hold_what_we_begin_and_no_answer_and_say_until_when() -> None:
    found = judged(CONSENTED, message=MARKETING, rules=KR_RULES, route=KR_ROUTE, now=NIGHT)
    assert found is not None
    assert (found.reason, found.until) == ("quiet_hours", MORNING)
    assert found.facts["zone"] == "Asia/Seoul"
    assert found.facts["evidence"] == "number"
    assert reason(CONSENTED, rules=KR_RULES, route=KR_ROUTE, now=NIGHT) == ""
    told = Described(id=EntryId("d"), at=ago(days=9), what="time_zone", value="America/New_York")
    assert reason(CONSENTED, told, message=MARKETING, rules=KR_RULES, route=KR_ROUTE, now=NIGHT) == ""
    land = Described(id=EntryId("d"), at=ago(days=9), what="country", value="JP")
    assert reason(CONSENTED, land, message=SERVICE, rules=KR_RULES, route=KR_ROUTE, now=NIGHT) == ""


@pytest.mark.parametrize("laws", [{}, {"GB": Law("one without hours")}])
def test_a_holiday_holds_also_where_no_law_names_hours(laws: dict[str, Law]) -> None:
    rules = Rules(laws=laws, holidays={"GB": (NOW.date(),)}, cap=Cap(messages=0))
    message = Message(proactive=True, purpose="delivery")
    assert reason(received("a", SMS, PHONE, ago(days=1)), message=message, rules=rules) == "quiet_hours"
    tomorrow = Rules(laws=laws, holidays={"GB": (NOW.date() + timedelta(days=1),)}, cap=Cap(messages=0))
    assert reason(received("a", SMS, PHONE, ago(days=1)), message=message, rules=tomorrow) == ""


def test_a_holiday_of_the_customers_country_holds_until_the_next_morning() -> None:
    rules = Rules(laws=LAWS, holidays={"KR": (date(2026, 3, 4),)}, cap=Cap(messages=0))
    noon = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
    found = judged(message=SERVICE, rules=rules, route=KR_ROUTE, now=noon)
    assert found is not None
    assert found.until == datetime(2026, 3, 4, 23, 0, tzinfo=UTC)


def test_marketing_needs_consent_that_is_not_too_old() -> None:
    day = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
    assert reason(message=MARKETING, rules=KR_RULES, route=KR_ROUTE, now=day) == "no_marketing_consent"
    assert reason(CONSENTED, message=MARKETING, rules=KR_RULES, route=KR_ROUTE, now=day) == ""
    assert reason(opted_in(ago(days=5)), message=MARKETING, rules=KR_RULES, route=KR_ROUTE, now=day) != ""
    old = opted_in(ago(days=740), "marketing", "")
    assert reason(old, message=MARKETING, rules=KR_RULES, route=KR_ROUTE, now=day) == "consent_outdated"
    assert reason(message=SERVICE, rules=KR_RULES, route=KR_ROUTE, now=day) == ""
    lax = Rules(laws=LAWS, values=KR_RULES.values, consent=False)
    assert reason(message=MARKETING, rules=lax, route=KR_ROUTE, now=day) == ""


def test_a_footer_without_its_value_names_what_is_missing() -> None:
    bare = Rules(laws=LAWS)
    found = judged(CONSENTED, message=MARKETING, rules=bare, route=KR_ROUTE, now=datetime(2026, 3, 4, 3, tzinfo=UTC))
    assert found is not None
    assert (found.reason, found.facts["name"]) == ("law_text_unfilled", "free_opt_out")


def test_the_cap_counts_every_channel_and_what_waits_but_no_answer_and_no_failure() -> None:
    rules = Rules(cap=Cap(messages=2, days=7))
    first: tuple[AnyEntry, ...] = (reply("p1", ago(days=3), proactive=True), *became("p1", ago(days=3), Delivery.SENT))
    waiting = reply("p2", ago(hours=2), proactive=True, account=WHATSAPP)
    assert reason(*first, waiting, reply("a", ago(hours=1)), message=SERVICE, rules=rules) == "frequency_cap"
    found = judged(*first, waiting, message=SERVICE, rules=rules)
    assert found is not None
    assert found.until == ago(days=3) + timedelta(days=7)
    failed = became("p2", ago(hours=1), Delivery.FAILED)
    assert reason(*first, waiting, *failed, message=SERVICE, rules=rules) == ""
    own = Message(proactive=True, purpose="invoices", reply=EntryId("p2"))
    assert reason(*first, waiting, message=own, rules=rules) == ""
    assert reason(*first, waiting, rules=rules) == ""


def test_nothing_cheerful_after_a_complaint_until_it_cooled_off_or_the_tag_went() -> None:
    bad = Tagged(id=EntryId("t"), at=ago(hours=1), conversation=ConversationId("c1"), add=("complaint",))
    found = judged(bad, message=SERVICE)
    assert found is not None
    assert (found.reason, found.until) == ("cooling_off", ago(hours=1) + timedelta(hours=48))
    assert reason(bad) == ""
    gone = Tagged(id=EntryId("u"), at=NOW, conversation=ConversationId("c1"), remove=("complaint",))
    assert reason(bad, gone, message=SERVICE) == ""


def test_the_first_allowed_moment_lies_behind_every_veto_that_ends_by_itself() -> None:
    bad = Tagged(id=EntryId("t"), at=NIGHT - timedelta(hours=46), conversation=ConversationId("c1"), add=("complaint",))
    person = customer(AddressLinked(id=EntryId("l"), at=ago(days=30), address=KOREAN), CONSENTED, bad)
    asked = (KR_ROUTE, Reach(5, "sms"), NIGHT, MARKETING, KR_RULES)
    assert permission.allowed_from(person, *asked) == MORNING
    stopped = customer(AddressLinked(id=EntryId("l"), at=ago(days=30), address=KOREAN), CONSENTED, out(ago(days=2)))
    assert permission.allowed_from(stopped, *asked) is None


def test_marketing_is_dressed_by_the_law_of_the_customers_country_and_nothing_else_is() -> None:
    person = customer(AddressLinked(id=EntryId("l"), at=ago(days=30), address=KOREAN))
    sms = Medium("sms")
    assert beginning.dressed("봄 할인", person, sms, MARKETING, KR_RULES) == "(광고) 봄 할인\n무료수신거부 080-123-4567"
    assert beginning.dressed("청구서", person, sms, SERVICE, KR_RULES) == "청구서"
    assert beginning.dressed("봄 할인", person, sms, MARKETING, Rules()) == "봄 할인"
