"""What the hub lets leave: the one answer after an opt-out, and messages that we begin ourselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from agentconsole.desk import Compose
from agentconsole.domain.beginning import Rules
from agentconsole.domain.entries import AddressState, ConsentChanged, Reply
from agentconsole.domain.guards import Cap
from agentconsole.domain.laws import Law
from agentconsole.domain.model import ConsentScope, ConversationId, CustomerId, Delivery, EntryId, Medium
from agentconsole.domain.preference import Policy
from agentconsole.errors import PermanentFailure, Refused, StoreFault, TemporaryFailure
from agentconsole.hub.profile import HubProfile
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

BRITISH = Law(
    "a law for tests",
    proactive_from="08:00",
    proactive_until="15:00",
    any_hour=(Medium("email"),),
    marketing_label="[ad]",
    marketing_footer="Stop: {opt_out_link}",
)
RULES = Rules(laws={"GB": BRITISH}, values={"opt_out_link": "https://example.com/stop"}, cap=Cap(messages=2))
PROFILE = HubProfile(region="GB", free_floor=0, policy=Policy(rules=RULES))
CHAT, ALL = Medium("whatsapp"), ConsentScope.ALL


@pytest.fixture
async def office() -> AsyncIterator[World]:
    async with running(profile=PROFILE) as world:
        yield world


async def wrote(world: World, identity: str = "w1") -> CustomerId:
    world.chat.put(paper.message(identity, PHONE, "where is my order?", world.clock.now(), place="chat-1"))
    return await world.customer(PHONE)


async def becomes(world: World, reply: EntryId, state: Delivery, minutes: float = 0):
    """Wait for a state, moving the clock on so many minutes with every look."""

    async def there():
        world.clock.move(minutes=minutes)
        sent = await world.desk.sent(world.who, reply)
        return sent if sent.state == state else None

    return await until(there, what=f"{reply} {state}")


async def audited(world: World, act: str) -> str:
    async def found():
        return next((line for line in reversed(await world.store.audited(100)) if line.act == act), None)

    return (await until(found, what=f"the audit of {act}")).detail


async def test_the_one_answer_after_an_opt_out(office: World):
    customer = await wrote(office)
    await office.desk.consent(office.who, "o", customer, CHAT, ALL, False)
    office.clock.move(minutes=5)
    with pytest.raises(Refused, match="opted out"):
        await office.desk.reply(office.who, "r0", Compose(customer, "hi", medium=CHAT))
    assert "whatsapp wa opted_out: " in await audited(office, "refused")
    await wrote(office, "w2")

    async def allowed():
        return (await office.desk.choose(office.who, Compose(customer, "hi"))).ranked

    (ranked,) = await until(allowed, what="the question")
    assert {"opted_out", "wrote"} <= set(ranked.facts)
    sent = await office.desk.reply(office.who, "r1", Compose(customer, "On its way."))
    await becomes(office, sent.id, Delivery.SENT)
    with pytest.raises(Refused, match="no further answer"):
        await office.desk.reply(office.who, "r2", Compose(customer, "And a coupon."))
    assert [o.text for o in office.chat.delivered] == ["On its way."]


async def test_what_we_begin_at_night_is_refused_or_held_until_the_morning(office: World):
    customer = await wrote(office)
    office.clock.move(minutes=90)
    begin = Compose(customer, "Your parcel is here.", purpose="delivery", proactive=True)
    with pytest.raises(Refused, match=r"Europe/London.*5 Mar 08:00"):
        await office.desk.reply(office.who, "r0", begin)
    held = Compose(customer, "Your parcel is here.", purpose="delivery", proactive=True, when_allowed=True)
    sent = await office.desk.reply(office.who, "r1", held)
    assert sent.state == Delivery.QUEUED
    _, reply = await _entry(office, sent.id)
    assert reply.not_before == datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
    assert (reply.proactive, reply.purpose) == (True, "delivery")
    office.clock.move(minutes=16 * 60)
    await becomes(office, sent.id, Delivery.SENT, minutes=1)
    assert [o.text for o in office.chat.delivered] == ["Your parcel is here."]


async def test_what_waited_into_the_night_is_judged_again_before_it_leaves(office: World):
    customer = await wrote(office)
    office.chat.before_commit = TemporaryFailure("down", reason="unreachable")
    begin = Compose(customer, "Your parcel is here.", purpose="delivery", proactive=True)
    sent = await office.desk.reply(office.who, "r1", begin)

    async def tried():
        return (await office.desk.sent(office.who, sent.id)).reason

    await until(tried)
    office.chat.before_commit = None
    office.clock.move(minutes=90)
    assert (await becomes(office, sent.id, Delivery.FAILED, minutes=1)).reason == "quiet_hours"
    assert office.chat.delivered == []
    assert f"{sent.id} whatsapp wa quiet_hours: " in await audited(office, "withdrawn")


async def test_marketing_needs_consent_and_leaves_with_label_and_footer(office: World):
    customer = await wrote(office)
    begin = Compose(customer, "Spring sale", purpose="marketing", proactive=True)
    with pytest.raises(Refused, match="no consent to marketing"):
        await office.desk.reply(office.who, "r0", begin)
    await office.desk.consent(office.who, "c", customer, Medium(""), ConsentScope.MARKETING, True)
    dressed = "[ad] Spring sale\nStop: https://example.com/stop"
    assert await office.desk.preview(office.who, begin) == dressed
    sent = await office.desk.reply(office.who, "r1", begin)
    await becomes(office, sent.id, Delivery.SENT)
    assert [o.text for o in office.chat.delivered] == [dressed]


async def test_the_cap_counts_both_channels_and_says_from_when_on(office: World):
    customer = await wrote(office)
    office.mail.put(paper.message("m1", EMAIL, "hello", office.clock.now()))
    other = await office.customer(EMAIL)
    merged = await office.desk.merge(office.who, "m", customer, other)
    assert merged
    begin = Compose(customer, "Your invoice", purpose="invoices", proactive=True)
    for name, medium in (("r1", CHAT), ("r2", Medium("email"))):
        sent = await office.desk.reply(
            office.who, name, Compose(customer, "Your invoice", medium=medium, purpose="invoices", proactive=True)
        )
        await becomes(office, sent.id, Delivery.SENT)
    with pytest.raises(Refused, match=r"begun 2 times in 7 days.*11 Mar 14:00"):
        await office.desk.reply(office.who, "r3", begin)
    choice = await office.desk.choose(office.who, begin)
    assert {r.until for r in choice.refused} == {office.clock.now() + timedelta(days=7)}
    answer = await office.desk.reply(office.who, "r4", Compose(customer, "An answer is no such message."))
    await becomes(office, answer.id, Delivery.SENT)


async def test_a_provider_that_says_opted_out_is_believed_from_then_on(office: World):
    customer = await wrote(office)
    office.chat.before_commit = PermanentFailure("STOP", reason="opted_out")
    sent = await office.desk.reply(office.who, "r1", Compose(customer, "hi"))
    await becomes(office, sent.id, Delivery.FAILED)
    person = await office.store.customer(customer)
    assert person is not None
    assert [(c.medium, c.allowed, c.words) for c in person.consents] == [(CHAT, False, "provider")]
    office.clock.move(minutes=5)
    await wrote(office, "w2")
    choice = await office.desk.choose(office.who, Compose(customer, "hi"))
    assert [r.reason for r in choice.refused] == ["opted_out_at_provider"]


@pytest.mark.parametrize(
    ("reason", "answer", "sale"),
    [
        ("opted_out", "opted_out_at_provider", "opted_out_at_provider"),
        ("stopped_marketing", "", "opted_out"),
        ("blocked", "address_dead", "address_dead"),
    ],
)
async def test_what_a_report_says_of_the_customer_is_believed_as_a_refused_send_is(
    office: World, reason: str, answer: str, sale: str
):
    customer = await wrote(office)
    sent = await office.desk.reply(office.who, "r1", Compose(customer, "hi"))
    await becomes(office, sent.id, Delivery.SENT)
    found = (await _entry(office, sent.id))[1]
    office.chat.put(paper.report("s1", Delivery.FAILED, key=found.key, reason=reason))
    await becomes(office, sent.id, Delivery.FAILED)
    begin = Compose(customer, "Spring sale", proactive=True, purpose="marketing")
    assert [r.reason for r in (await office.desk.choose(office.who, begin)).refused] == [sale]
    assert [r.reason for r in (await office.desk.choose(office.who, Compose(customer, "hi"))).refused] == (
        [answer] if answer else []
    )


async def test_a_block_that_a_send_runs_into_closes_the_address(office: World):
    customer = await wrote(office)
    office.chat.before_commit = PermanentFailure("blocked", reason="blocked")
    sent = await office.desk.reply(office.who, "r1", Compose(customer, "hi"))
    await becomes(office, sent.id, Delivery.FAILED)
    choice = await office.desk.choose(office.who, Compose(customer, "hi"))
    assert [(r.reason, r.facts["why"]) for r in choice.refused] == [("address_dead", "blocked")]


async def test_a_wish_to_be_left_alone_by_mail_needs_nobody_to_read_it(office: World):
    office.mail.put(paper.message("m1", EMAIL, "hello", office.clock.now()))
    customer = await office.customer(EMAIL)
    await office.desk.consent(office.who, "c", customer, Medium(""), ConsentScope.MARKETING, True)
    begin = Compose(customer, "Spring sale", purpose="marketing", proactive=True)
    sent = await office.desk.reply(office.who, "r1", begin)
    await becomes(office, sent.id, Delivery.SENT)
    (mail,) = office.mail.delivered
    assert mail.unsubscribe == f"unsubscribe {sent.id}"
    office.mail.put(paper.message("m2", EMAIL, "", office.clock.now(), subject=f"Unsubscribe {sent.id}"))

    async def left():
        person = await office.store.customer(customer)
        assert person is not None
        return [c for c in person.consents if not c.allowed]

    (consent,) = await until(left, what="the opt-out")
    assert (consent.medium, consent.scope, consent.words) == ("email", "marketing", "list-unsubscribe")
    with pytest.raises(Refused, match="opted out"):
        await office.desk.reply(office.who, "r2", begin)
    answer = await office.desk.reply(office.who, "r3", Compose(customer, "An answer still goes."))
    await becomes(office, answer.id, Delivery.SENT)
    assert office.mail.delivered[1].unsubscribe == ""
    assert (await office.desk.queue(office.who, "waiting", 0, 10)).lines == ()


async def _entry(world: World, reply: EntryId) -> tuple[CustomerId, Reply]:
    found = await world.store.entry(reply)
    assert found is not None
    assert isinstance(found[1], Reply)
    return found[0], found[1]


@pytest.mark.parametrize(("reason", "said"), [("opted_out", ConsentChanged), ("blocked", AddressState)])
async def test_a_hub_that_dies_after_the_refusal_has_heard_what_the_provider_said(
    office: World, monkeypatch: pytest.MonkeyPatch, reason: str, said: type
):
    """The refusal and what it says of the customer are one step: nothing lies between them that a death could cut."""
    customer = await wrote(office)
    right, died = office.store.change, []

    async def until_the_refusal(record, decide):
        if died:
            raise StoreFault("the hub is dead")
        after = await right(record, decide)
        if any(d.state == Delivery.FAILED for d in after.deliveries.values()):
            died.append(after)
        return after

    office.chat.before_commit = PermanentFailure("no", reason=reason)
    monkeypatch.setattr(office.store, "change", until_the_refusal)
    await office.desk.reply(office.who, "r", Compose(customer, "hi", medium=CHAT))

    async def refused() -> bool:
        return bool(died)

    await until(refused)
    history = await office.store.history(customer)
    assert history is not None
    assert said in [type(entry) for entry in history.entries]


@pytest.mark.parametrize(
    ("text", "offered"), [("Help.", True), ("ＩＮＦＯ", True), ("I need help with my order", False)]
)
async def test_a_help_word_is_answered_with_the_text_that_the_law_asks_for(text: str, offered: bool):
    law = Law("a law for tests", help_words=("HELP", "INFO"), help_text="Help: {contact}. Reply STOP to opt out")
    rules = Rules(laws={"GB": law}, values={"contact": "+44 20 7946 0000"})
    profile = HubProfile(region="GB", free_floor=0, policy=Policy(rules=rules))
    async with running(profile=profile) as world:
        world.chat.put(paper.message("w1", PHONE, text, world.clock.now(), place="chat-1"))
        customer = await world.customer(PHONE)
        found = await world.desk.templates(world.who, customer, ConversationId(""), {})
        told = [(one.name, one.text, one.media) for one in found if one.name == "help"]
        assert told == ([("help", "Help: +44 20 7946 0000. Reply STOP to opt out", (CHAT,))] if offered else [])
