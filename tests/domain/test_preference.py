"""Section 6 of the design as a table: which channel, by which rule, and what was refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentconsole.domain import preference
from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    ConsentChanged,
    PreferenceStated,
    Receipt,
    Reply,
)
from agentconsole.domain.model import (
    Address,
    ConsentScope,
    ConversationId,
    Delivery,
    EntryId,
    Medium,
)
from agentconsole.domain.permission import NOTHING_TYPED, Size
from agentconsole.domain.regions import Share
from tests.domain.make import ACCOUNTS, AGENT, EMAIL, MAIL, NOW, PHONE, SMS, TELEGRAM, WHATSAPP, ago, customer, received

YESTERDAY = ago(days=1)
POLICY = preference.Policy(defaults=(Medium("email"), Medium("sms")))


def stated(medium: str, at=YESTERDAY, purpose: str = "", name: str = "p1") -> PreferenceStated:
    return PreferenceStated(id=EntryId(name), at=at, medium=Medium(medium), purpose=purpose)


def choose(*entries, size=NOTHING_TYPED, purpose="", policy=POLICY, accounts=ACCOUNTS, outbound=False):
    return preference.choose(customer(*entries), accounts, NOW, policy, size, purpose=purpose, outbound=outbound)


def ranking(choice):
    return [(ranked.route.medium, ranked.rule) for ranked in choice.ranked]


def test_emily_is_answered_where_she_is_writing_now():
    """She asked by e-mail, then wrote on WhatsApp a minute ago: the answer goes to WhatsApp."""
    choice = choose(
        received("e1", MAIL, EMAIL, ago(minutes=9)),
        received("e2", WHATSAPP, PHONE, ago(minutes=1)),
    )
    assert ranking(choice)[:2] == [("whatsapp", "live_exchange"), ("email", "wrote_before")]
    assert choice.best.facts["until"] == (ago(minutes=1) + timedelta(hours=24)).isoformat()


def test_a_live_exchange_outranks_an_earlier_statement_and_names_it():
    choice = choose(
        received("e1", MAIL, EMAIL, ago(days=2)),
        stated("email"),
        received("e2", WHATSAPP, PHONE, ago(minutes=3)),
    )
    assert choice.best.rule == "live_exchange"
    assert choice.best.facts["stated"] == "email"
    assert choice.set_aside.route.medium == "email"


def test_a_statement_made_after_the_live_message_wins():
    choice = choose(
        received("e1", MAIL, EMAIL, ago(days=2)),
        received("e2", WHATSAPP, PHONE, ago(minutes=3)),
        stated("email", ago(minutes=1)),
    )
    assert ranking(choice)[0] == ("email", "stated")


def test_an_exchange_ends_after_its_minutes():
    entries = (received("e1", WHATSAPP, PHONE, ago(minutes=16)), received("e2", MAIL, EMAIL, ago(days=1)))
    assert choose(*entries, stated("email")).best.rule == "stated"
    longer = preference.Policy(exchange_minutes=30)
    assert choose(*entries, policy=longer).best.rule == "live_exchange"


def test_without_a_statement_the_answer_goes_where_they_last_wrote():
    choice = choose(
        received("e1", WHATSAPP, PHONE, ago(hours=5)),
        received("e2", MAIL, EMAIL, ago(hours=1)),
    )
    assert ranking(choice)[:2] == [("email", "last_inbound"), ("whatsapp", "wrote_before")]


def test_a_purpose_has_its_own_preference():
    entries = (
        received("e1", MAIL, EMAIL, ago(days=3)),
        received("e2", WHATSAPP, PHONE, ago(hours=3)),
        stated("whatsapp"),
        stated("email", purpose="invoice", name="p2"),
    )
    assert choose(*entries).best.route.medium == "whatsapp"
    assert choose(*entries, purpose="invoice").best.route.medium == "email"


def test_a_statement_that_a_veto_hits_is_named_as_refused():
    choice = choose(
        received("e1", MAIL, EMAIL, ago(days=2)),
        received("e2", WHATSAPP, PHONE, ago(days=3)),
        stated("whatsapp"),
    )
    assert choice.best.route.medium == "email"
    assert choice.set_aside.reason == "window_closed"


def test_a_statement_for_a_channel_without_a_way_there_is_named():
    choice = choose(received("e1", MAIL, EMAIL, ago(days=2)), stated("kakaotalk"))
    assert choice.best.route.medium == "email"
    assert (choice.set_aside.reason, choice.set_aside.route.medium) == ("no_way_there", "kakaotalk")
    assert choice.set_aside not in choice.refused


@pytest.mark.parametrize(
    ("entries", "size", "medium", "reason"),
    [
        ((ConsentChanged(id="o", at=ago(days=1), medium="sms", words="STOP"),), Size(), "sms", "opted_out"),
        ((ConsentChanged(id="o", at=ago(hours=1), medium="", words=""),), Size(), "email", "opted_out"),
        (
            (ConsentChanged(id="o", at=ago(days=9), medium="email", words="provider"),),
            Size(),
            "email",
            "opted_out_at_provider",
        ),
        ((AddressState(id="s", at=NOW, address=EMAIL, dead="bounced"),), Size(), "email", "address_dead"),
        ((), Size(sms=6, characters=400), "sms", "too_long"),
        ((), Size(attachments=1), "sms", "attachments_unsupported"),
        ((), Size(), "whatsapp", "template_only"),
    ],
)
def test_vetoes_give_their_reason(entries, size, medium, reason):
    link = AddressLinked(id=EntryId("l"), at=ago(days=9), address=PHONE)
    choice = choose(received("e1", MAIL, EMAIL, ago(hours=2)), link, *entries, size=size)
    refused = {r.route.medium: r.reason for r in choice.refused}
    assert refused[medium] == reason
    assert medium not in [r.route.medium for r in choice.ranked]


def test_a_marketing_opt_out_does_not_stop_an_answer():
    marketing = ConsentChanged(id=EntryId("o"), at=ago(days=1), medium=Medium("email"), scope=ConsentScope.MARKETING)
    assert choose(received("e1", MAIL, EMAIL, ago(days=2)), marketing).best.route.medium == "email"


def test_an_opt_in_takes_an_opt_out_back():
    out = ConsentChanged(id=EntryId("o"), at=ago(days=2), medium=Medium("email"))
    back = ConsentChanged(id=EntryId("b"), at=ago(days=1), medium=Medium("email"), allowed=True)
    first = received("e1", MAIL, EMAIL, ago(days=3))
    assert choose(first, out).best is None
    assert choose(first, out, back).best.route.medium == "email"


def test_a_scoped_address_is_reached_only_by_the_account_it_came_by():
    other_bot = TELEGRAM.__class__("tg2", TELEGRAM.medium, TELEGRAM.address_kind, TELEGRAM.reach, TELEGRAM.live)
    sender = Address("telegram", "bot1", "42")
    choice = choose(received("e1", TELEGRAM, sender, ago(hours=1), place="42"), accounts=(*ACCOUNTS, other_bot))
    assert [(r.route.account, r.route.place) for r in choice.ranked] == [("tg", "42")]


def test_a_signed_out_account_is_refused_and_says_which():
    down = SMS.__class__(SMS.name, SMS.medium, SMS.address_kind, SMS.reach.__class__(5, "sms", signed_in=False))
    choice = choose(received("e1", SMS, PHONE, ago(hours=1)), accounts=(MAIL, down))
    assert [(r.reason, r.facts["account"]) for r in choice.refused] == [("signed_out", "sms")]


def test_nothing_known_gives_the_default_and_the_merely_reachable():
    choice = choose(
        AddressLinked(id=EntryId("a"), at=ago(days=1), address=EMAIL),
        AddressLinked(id=EntryId("b"), at=ago(days=1), address=PHONE),
    )
    assert ranking(choice) == [("email", "default"), ("sms", "default")]
    assert [r.reason for r in choice.refused] == ["template_only"]


# -- what answers taught -----------------------------------------------------------------------------------


def exchanges(account, address, answered: int, sent: int, *, days: int = 60):
    """Sends of ours on an account, a day apart, the first ``answered`` of them answered there."""
    entries = []
    for number in range(sent):
        at = ago(days=days - number)
        name = f"{account.name}{number}"
        entries.append(written(f"r{name}", account, address, at))
        entries += sent_out(f"r{name}", at)
        if number < answered:
            entries.append(received(f"a{name}", account, address, at + timedelta(hours=1)))
    return entries


def written(name, account, address, at):
    return Reply(
        id=EntryId(name),
        at=at,
        agent=AGENT,
        conversation=ConversationId("c1"),
        account=account.name,
        medium=account.medium,
        address=address,
        text="x",
        key=name,
    )


def sent_out(name, at):
    for state in (Delivery.SENDING, Delivery.SENT):
        yield Receipt(id=EntryId(f"{name}{state}"), at=at, reply=EntryId(name), state=state, attempt=1, committed=True)


def test_answers_propose_and_do_not_move_a_reply():
    entries = [
        *exchanges(WHATSAPP, PHONE, 4, 5),
        *exchanges(MAIL, EMAIL, 0, 3, days=40),
        received("complaint", MAIL, EMAIL, ago(hours=2)),
        received("wa", WHATSAPP, PHONE, ago(hours=3)),
    ]
    choice = choose(*entries)
    assert ranking(choice)[0] == ("email", "last_inbound")
    assert choice.proposal.route.medium == "whatsapp"
    facts = choice.proposal.facts
    assert (facts["answered"], facts["sent"], facts["than"], facts["than_answered"], facts["than_sent"]) == (
        "4",
        "5",
        "email",
        "0",
        "3",
    )
    outbound = choose(*entries, outbound=True)
    assert ranking(outbound)[0] == ("whatsapp", "learned")
    assert outbound.proposal is None


def test_a_statement_outranks_what_answers_taught():
    entries = [*exchanges(WHATSAPP, PHONE, 4, 5), received("wa", WHATSAPP, PHONE, ago(hours=3)), stated("email")]
    entries.append(received("m", MAIL, EMAIL, ago(days=90)))
    for outbound in (False, True):
        choice = choose(*entries, outbound=outbound)
        assert ranking(choice)[0] == ("email", "stated")
        assert choice.proposal is None


# -- a first contact ---------------------------------------------------------------------------------------

BRAZIL = Address("phone", "", "+5511912345678")
SHARES = preference.Policy(
    defaults=(Medium("sms"),),
    shares=(Share("BR", Medium("sms"), 0.1, "x", "s", "2023"), Share("BR", Medium("whatsapp"), 0.7, "x", "s", "2023")),
)
OPEN_WHATSAPP = replace(WHATSAPP, reach=replace(WHATSAPP.reach, window_seconds=0))


def test_a_country_decides_only_a_first_contact():
    linked = AddressLinked(id=EntryId("l"), at=ago(days=1), address=BRAZIL)
    accounts = (SMS, OPEN_WHATSAPP)
    first = choose(linked, policy=SHARES, accounts=accounts, outbound=True)
    assert ranking(first)[0] == ("whatsapp", "regional")
    assert first.best.facts["percent"] == "70"
    wrote = choose(linked, received("m", SMS, BRAZIL, ago(days=300)), policy=SHARES, accounts=accounts, outbound=True)
    assert ranking(wrote)[0] == ("sms", "last_inbound")
    assert all(ranked.rule != "regional" for ranked in wrote.ranked)


def test_a_profile_can_leave_a_rule_out():
    linked = AddressLinked(id=EntryId("l"), at=ago(days=1), address=BRAZIL)
    without = replace(SHARES, outbound=tuple(r for r in preference.ORDER_OUTBOUND if r != "regional"))
    choice = choose(linked, policy=without, accounts=(SMS, OPEN_WHATSAPP), outbound=True)
    assert ranking(choice)[0] == ("sms", "default")


@given(
    st.lists(st.tuples(st.sampled_from((MAIL, SMS, WHATSAPP)), st.integers(0, 200), st.booleans()), max_size=25),
    st.sampled_from(["", "email", "sms", "whatsapp"]),
    st.booleans(),
)
def test_whatever_happened_every_route_is_ranked_or_refused_once(events, wish, outbound):
    entries = []
    for number, (account, hours, ours) in enumerate(events):
        address = EMAIL if account is MAIL else PHONE
        at = ago(hours=hours)
        if ours:
            entries += [written(f"r{number}", account, address, at), *sent_out(f"r{number}", at)]
        else:
            entries.append(received(f"m{number}", account, address, at))
    if wish:
        entries.append(stated(wish))
    person = customer(*sorted(entries, key=lambda e: e.at))
    choice = preference.choose(person, ACCOUNTS, NOW, POLICY, outbound=outbound)
    routes = [r.route for r in choice.ranked] + [r.route for r in choice.refused]
    assert sorted(routes) == sorted(preference.routes(person, ACCOUNTS))
    ranks = [(POLICY.outbound if outbound else POLICY.order).index(r.rule) for r in choice.ranked]
    assert ranks == sorted(ranks)
    if choice.proposal is not None:
        assert choice.proposal.route in [r.route for r in choice.ranked[1:]]
