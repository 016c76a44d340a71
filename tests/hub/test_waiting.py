"""Replies that are held or scheduled: what stops them, what sends them now, and that neither makes two of one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from agentconsole.desk import Compose
from agentconsole.desk.waiting import AS_CONFIGURED
from agentconsole.domain.entries import Received
from agentconsole.domain.model import (
    Address,
    AgentName,
    ConsentScope,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
    Medium,
    Trust,
)
from agentconsole.errors import Answered, NotFound, OutcomeUnknown, Refused, StoreFault, TemporaryFailure
from agentconsole.hub.profile import HubProfile
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

OTHER = Address("phone", "", "+447700900999")


async def ready(world: World) -> CustomerId:
    world.chat.put(paper.message("w1", PHONE, "hello", world.clock.now(), place="chat-1"))
    return await world.customer(PHONE)


async def state(world: World, reply: EntryId) -> Delivery:
    return (await world.desk.sent(world.who, reply)).state


async def looked(world: World) -> None:
    """Wait until the outbox of the chat was looked at: a reply of another customer's passes it."""
    world.chat.put(paper.message("other", OTHER, "hi", place="chat-9"))
    other = await world.customer(OTHER)
    before = len(world.chat.delivered)
    await world.desk.reply(world.who, f"pass {before}", Compose(other, f"passes {before}", anyway=True))
    await until(lambda: asyncio.sleep(0, len(world.chat.delivered) > before), what="the outbox went on")


async def test_a_held_reply_leaves_after_its_seconds_and_not_before(world: World) -> None:
    customer = await ready(world)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi", hold=AS_CONFIGURED))
    assert (sent.state, sent.held) == (Delivery.QUEUED, True)
    assert sent.not_before == world.clock.now() + timedelta(seconds=5)
    await looked(world)
    assert await state(world, sent.id) == Delivery.QUEUED
    world.clock.move(seconds=5)
    await until(lambda: asyncio.sleep(0, "hi" in [o.text for o in world.chat.delivered]))


async def test_no_answer_is_scheduled_for_when_its_window_is_closed(world: World) -> None:
    customer = await ready(world)
    late = world.clock.now() + timedelta(hours=25)
    compose = Compose(customer, "hi", not_before=late)
    choice = await world.desk.choose(world.who, compose)
    assert "window_closes_before" in {refused.reason for refused in choice.refused}
    with pytest.raises(Refused, match="before this would leave"):
        await world.desk.reply(world.who, "r1", compose)
    earlier = msgspec.structs.replace(compose, not_before=world.clock.now() + timedelta(hours=23))
    sent = await world.desk.reply(world.who, "r2", earlier)
    with pytest.raises(Refused, match="Nothing was changed"):
        await world.desk.send_at(world.who, "t1", sent.id, late)
    assert (await world.desk.sent(world.who, sent.id)).not_before == earlier.not_before


async def test_a_channel_may_hold_longer_or_not_at_all_and_none_is_held_unless_asked(world: World) -> None:
    customer = await ready(world)
    for hold, waits in ((0.0, False), (30.0, True), (900.0, True)):
        sent = await world.desk.reply(world.who, f"r {hold}", Compose(customer, f"{hold}", hold=hold, anyway=True))
        assert sent.held == waits
        if waits:
            assert sent.not_before == world.clock.now() + timedelta(seconds=min(hold, 60))
    world.hub.desk.accounts = {
        name: type(setup)(**{**{f: getattr(setup, f) for f in setup.__dataclass_fields__}, "hold": 0.0})
        for name, setup in world.hub.desk.accounts.items()
    }
    assert not (await world.desk.reply(world.who, "own", Compose(customer, "own", hold=AS_CONFIGURED))).held


async def test_stopping_gives_the_words_back_and_nothing_is_sent(world: World) -> None:
    world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now(), subject="Lenses"))
    customer = await world.customer(EMAIL)
    blob = await world.desk.attach(world.who, customer, "a.txt", "text/plain", b"a")
    compose = Compose(customer, "two\nlines", hold=5, attachments=(blob,))
    sent = await world.desk.reply(world.who, "r1", compose)
    draft = await world.desk.stop_send(world.who, "s1", sent.id)
    assert (draft.text, draft.caret, draft.attachments, draft.account) == ("two\nlines", (1, 5), (blob,), "mail")
    assert (await world.desk.stop_send(world.who, "s1", sent.id)).text == draft.text
    [kept] = await world.desk.drafts(world.who)
    assert (kept.text, kept.conversation) == ("two\nlines", draft.conversation)
    world.clock.move(seconds=60)
    assert await state(world, sent.id) == Delivery.CANCELLED
    again = await world.desk.reply(world.who, "r2", Compose(customer, "two\nlines, better"))
    await until(lambda: _is(world, again.id, Delivery.SENT))
    assert again.id != sent.id
    assert [o.text for o in world.mail.delivered] == ["two\nlines, better"]


async def test_stopping_does_not_overwrite_what_is_being_written(world: World) -> None:
    customer = await ready(world)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "first", hold=5))
    conversation = (await world.desk.timeline(world.who, customer, EntryId(""), 1)).customer.conversations[0].id
    mine = Draft(world.who.name, customer, conversation, "second", 1, world.clock.now())
    await world.desk.save_draft(world.who, mine)
    assert (await world.desk.stop_send(world.who, "s1", sent.id)).text == "first"
    assert [d.text for d in await world.desk.drafts(world.who)] == ["second"]


async def test_too_late_to_stop_is_said_and_changes_nothing(world: World) -> None:
    customer = await ready(world)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: asyncio.sleep(0, bool(world.chat.delivered)))
    await until(lambda: _is(world, sent.id, Delivery.SENT))
    for call in (world.desk.stop_send(world.who, "s1", sent.id), world.desk.send_at(world.who, "s2", sent.id, None)):
        with pytest.raises(Refused, match="too late"):
            await call
    assert await state(world, sent.id) == Delivery.SENT
    assert not await world.desk.drafts(world.who)


async def _is(world: World, reply: EntryId, wanted: Delivery) -> bool:
    return await state(world, reply) == wanted


async def test_a_reply_in_the_adapters_hands_is_not_stopped(world: World) -> None:
    customer = await ready(world)
    world.chat.hold = asyncio.Event()
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _is(world, sent.id, Delivery.SENDING))
    with pytest.raises(Refused, match="too late"):
        await world.desk.stop_send(world.who, "s1", sent.id)
    world.chat.hold.set()
    await until(lambda: _is(world, sent.id, Delivery.SENT))
    assert len(world.chat.delivered) == 1


async def test_send_now_and_another_time(world: World) -> None:
    customer = await ready(world)
    later = world.clock.now() + timedelta(hours=3)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi", not_before=later, hold=5))
    assert (sent.held, sent.not_before) == (False, later)
    earlier = world.clock.now() + timedelta(hours=1)
    moved = await world.desk.send_at(world.who, "t1", sent.id, earlier)
    assert (moved.state, moved.not_before) == (Delivery.QUEUED, earlier)
    world.clock.move(minutes=59)
    await looked(world)
    assert await state(world, sent.id) == Delivery.QUEUED
    await world.desk.send_at(world.who, "t2", sent.id, None)
    await until(lambda: _is(world, sent.id, Delivery.SENT))
    assert [o.text for o in world.chat.delivered].count("hi") == 1


async def test_a_held_reply_survives_the_hub_and_is_sent_once() -> None:
    clock = HandClock()
    store = MemoryStore(clock, CountingRandomness())
    chat = paper.Post()
    async with running(store=store, chat=chat, clock=clock) as first:
        customer = await ready(first)
        sent = await first.desk.reply(first.who, "r1", Compose(customer, "hi", hold=5))
    assert not chat.delivered
    async with running(store=store, chat=chat, clock=clock) as second:
        again = await second.desk.reply(second.who, "r1", Compose(customer, "hi", hold=5))
        assert (again.id, again.held, again.earlier) == (sent.id, True, False)
        clock.move(seconds=5)
        await until(lambda: _is(second, sent.id, Delivery.SENT))
        assert [o.text for o in chat.delivered] == ["hi"]


async def test_other_words_under_an_accepted_request_are_told_apart(world: World) -> None:
    customer = await ready(world)
    first = await world.desk.reply(world.who, "r1", Compose(customer, "hi", hold=5))
    other = await world.desk.reply(world.who, "r1", Compose(customer, "hi, and more", hold=5))
    assert (other.id, first.earlier, other.earlier) == (first.id, False, True)


async def test_a_stopped_reply_is_no_answer_of_somebody_else() -> None:
    async with running(profile=HubProfile(claims=frozenset({"hyun"}), free_floor=0)) as world:
        customer = await ready(world)
        hyuns, hyun = await world.attach("hyun")
        seen = (await world.desk.timeline(world.who, customer, EntryId(""), 10)).entries
        newest = max((e for e in seen if isinstance(e, Received)), key=lambda e: e.at).id
        world.clock.move(seconds=1)
        sent = await hyuns.reply(hyun, "h1", Compose(customer, "theirs", hold=5))
        with pytest.raises(Answered, match=r"hyun answered at 14:0\d\. Yours was not sent and is kept\."):
            await world.desk.reply(world.who, "m1", Compose(customer, "mine", expected=newest))
        await hyuns.stop_send(hyun, "s1", sent.id)
        assert (await world.desk.reply(world.who, "m1", Compose(customer, "mine", expected=newest))).id


# -- drafts that were thrown away --------------------------------------------------------------------------


async def test_a_discarded_draft_can_be_brought_back_for_thirty_days(world: World) -> None:
    customer = await ready(world)
    conversation = (await world.desk.timeline(world.who, customer, EntryId(""), 1)).customer.conversations[0].id
    draft = Draft(world.who.name, customer, conversation, "Dear Em", 7, world.clock.now(), caret=(0, 4))
    await world.desk.save_draft(world.who, draft)
    await world.desk.discard_draft(world.who, draft)
    assert await world.desk.drafts(world.who) == ()
    [gone] = await world.desk.discarded(world.who, conversation)
    assert (gone.text, gone.caret, gone.discarded_at) == ("Dear Em", (0, 4), world.clock.now())
    assert await world.desk.discarded(world.who, ConversationId("another")) == ()
    assert len(await world.desk.discarded(world.who, ConversationId(""))) == 1
    world.clock.move(days=29)
    assert await world.hub.desk.prune() == 0
    world.clock.move(days=2)
    assert await world.desk.discarded(world.who, conversation) == ()
    await until(lambda: _none_discarded(world), what="pruned by the hub itself")


async def test_what_two_consoles_of_one_agent_write_in_one_draft_is_all_kept(world: World) -> None:
    customer = await ready(world)
    conversation = (await world.desk.timeline(world.who, customer, EntryId(""), 1)).customer.conversations[0].id
    here = Draft(world.who.name, customer, conversation, "Dear", 7, world.clock.now(), console="here")
    assert await world.desk.save_draft(world.who, here)
    world.clock.move(seconds=5)
    there = msgspec.structs.replace(
        here, text="Dear Em", revision=8, at=world.clock.now(), console="there", seen=here.at
    )
    assert await world.desk.save_draft(world.who, there)
    assert await world.desk.discarded(world.who, conversation) == ()
    world.clock.move(seconds=5)
    again = msgspec.structs.replace(here, text="Dear Sir", revision=9, at=world.clock.now(), seen=here.at)
    assert await world.desk.save_draft(world.who, again)
    assert [kept.text for kept in await world.desk.drafts(world.who)] == ["Dear Sir"]
    assert [gone.text for gone in await world.desk.discarded(world.who, conversation)] == ["Dear Em"]
    world.clock.move(seconds=5)
    more = msgspec.structs.replace(again, text="Dear all", revision=10, at=world.clock.now(), seen=again.at)
    assert await world.desk.save_draft(world.who, more)
    assert len(await world.desk.discarded(world.who, conversation)) == 1


async def _none_discarded(world: World) -> bool:
    return not await world.store.discarded(world.who.name)


async def test_a_discarded_draft_goes_with_its_customer(world: World) -> None:
    customer = await ready(world)
    conversation = (await world.desk.timeline(world.who, customer, EntryId(""), 1)).customer.conversations[0].id
    draft = Draft(world.who.name, customer, conversation, "Dear Em", 7, world.clock.now())
    await world.desk.discard_draft(world.who, draft)
    await world.desk.erase(world.who, "e1", customer)
    assert not await world.store.discarded(world.who.name)
    with pytest.raises(NotFound):
        await world.desk.discard_draft(world.who, draft)


async def test_a_stop_that_died_halfway_is_finished_by_its_repeat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken back on disk, and dead before the draft was: the same request again gives the words, and sends nothing."""
    customer = await ready(world)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi", hold=5))
    save = world.store.save_draft

    async def full(_draft: Draft) -> bool:
        raise StoreFault("The disk is full.", "Free some space.")

    monkeypatch.setattr(world.store, "save_draft", full)
    with pytest.raises(StoreFault):
        await world.desk.stop_send(world.who, "s1", sent.id)
    assert await state(world, sent.id) == Delivery.CANCELLED
    monkeypatch.setattr(world.store, "save_draft", save)
    assert (await world.desk.stop_send(world.who, "s1", sent.id)).text == "hi"
    assert [d.text for d in await world.desk.drafts(world.who)] == ["hi"]
    world.clock.move(seconds=60)
    await looked(world)
    assert "hi" not in [o.text for o in world.chat.delivered]


TEAM = HubProfile(
    region="GB", free_floor=0, agents={AgentName("cho"): frozenset({"read", "reply"})}, claims=frozenset({"cho"})
)


async def doubtful(world: World) -> None:
    """The newest mail is one that nothing vouches for, so that the history is closed to whoever does not open it."""
    world.clock.move(seconds=1)
    forged = paper.message("m2", EMAIL, "send me everything", world.clock.now())
    world.mail.put(msgspec.structs.replace(forged, trust=Trust.CLAIMED, checked=True))
    customer = await world.customer(EMAIL)

    async def closed() -> bool:
        return bool((await world.desk.timeline(world.who, customer, EntryId(""), 50)).closed)

    await until(closed)


async def known(world: World) -> CustomerId:
    told = paper.message("m1", EMAIL, "hello", world.clock.now())
    world.mail.put(msgspec.structs.replace(told, trust=Trust.VERIFIED, checked=True))
    return await world.customer(EMAIL)


async def test_a_colleagues_words_behind_a_closed_history_are_not_stopped_into_sight() -> None:
    async with running(profile=TEAM) as world:
        customer = await known(world)
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "the tangerine", hold=60))
        await doubtful(world)
        desk, cho = await world.attach("cho")
        with pytest.raises(Refused, match="not verified"):
            await desk.stop_send(cho, "s1", sent.id)
        assert await state(world, sent.id) == Delivery.QUEUED
        assert (await world.desk.stop_send(world.who, "s2", sent.id)).text == "the tangerine"


async def test_a_draft_is_taken_over_with_no_more_than_one_may_see() -> None:
    async with running(profile=TEAM) as world:
        customer = await known(world)
        desk, cho = await world.attach("cho")
        theirs = Draft(world.who.name, customer, ConversationId("k"), "card 4111 1111 1111 1111", 1, world.clock.now())
        await world.desk.save_draft(world.who, theirs)
        with pytest.raises(Refused, match="customer"):
            await desk.take_over(cho, "t1", customer, theirs.conversation, world.who.name)
        await world.desk.save_draft(world.who, msgspec.structs.replace(theirs, text="the tangerine", revision=2))
        await doubtful(world)
        with pytest.raises(Refused, match="not verified"):
            await desk.take_over(cho, "t2", customer, theirs.conversation, world.who.name)
        assert not await desk.drafts(cho)


async def test_what_may_have_gone_out_before_is_not_given_back_as_if_it_had_not() -> None:
    mail = paper.Post()
    async with running(mail=mail) as world:
        customer = await known(world)
        mail.after_commit = OutcomeUnknown("the line ended")
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "once"))
        await until(lambda: _is(world, sent.id, Delivery.UNCERTAIN))
        mail.before_commit = TemporaryFailure("busy")
        await world.desk.resend(world.who, "again", sent.id)
        await until(lambda: _is(world, sent.id, Delivery.QUEUED))
        with pytest.raises(Refused, match="may have gone out"):
            await world.desk.stop_send(world.who, "s1", sent.id)
        assert (await world.desk.cancel(world.who, "x", sent.id)).state == Delivery.CANCELLED
        assert not await world.desk.drafts(world.who)


async def test_advertising_that_is_stopped_stays_advertising(world: World) -> None:
    """As an answer no law on advertising would apply to it."""
    customer = await known(world)
    await world.desk.consent(world.who, "c", customer, Medium(""), ConsentScope.MARKETING, True)
    sale = Compose(customer, "Sale", medium=Medium("email"), purpose="marketing", proactive=True, hold=60)
    sent = await world.desk.reply(world.who, "r1", sale)
    assert "Sale" in (await world.desk.stop_send(world.who, "s1", sent.id)).text
    [kept] = await world.desk.drafts(world.who)
    assert (kept.proactive, kept.purpose) == (True, "marketing")
