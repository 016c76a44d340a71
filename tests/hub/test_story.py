"""Emily's story over paper channels: two records, one key, one timeline, one reply, on the channel she is on."""

from __future__ import annotations

import pytest

from agentconsole.desk import Compose
from agentconsole.domain.entries import Reply
from agentconsole.domain.model import ConsentScope, ConversationStatus, Delivery
from agentconsole.errors import Answered, Refused
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World
from tests.waiting import until

MAIL_TEXT = "Could it be 11 March, same time? My ID is 4821 and my WhatsApp is +44 20 7946 0182."


async def emily_writes(world: World) -> None:
    world.mail.put(paper.message("m1", EMAIL, MAIL_TEXT, sender_name="Emily Rhodes", subject="Move my appointment"))
    await world.customer(EMAIL)
    world.clock.move(minutes=8)
    world.chat.put(paper.message("w1", PHONE, "any news? I wrote you", world.clock.now(), place="chat-1"))
    await world.customer(PHONE)


async def accepted(world: World) -> str:
    await emily_writes(world)

    async def offered():
        return await world.desk.suggestions(world.who, "")

    (suggestion,) = await until(offered)
    assert (suggestion.why, suggestion.customer_name) == ("number_in_text", "Emily Rhodes")
    return await world.desk.answer_suggestion(world.who, "accept", suggestion.id, True)


async def test_a_suggestion_accepted_makes_one_timeline_and_one_row(world: World):
    await accepted(world)
    page = await world.desk.queue(world.who, "waiting", 0, 50)
    assert [(line.name, line.media) for line in page.lines] == [("Emily Rhodes", ("email", "whatsapp"))]
    timeline = await world.desk.timeline(world.who, page.lines[0].customer, "", 50)
    assert [e.text for e in timeline.entries if hasattr(e, "text")] == [MAIL_TEXT, "any news? I wrote you"]


async def test_undo_parts_them_exactly_and_the_suggestion_is_offered_again(world: World):
    await emily_writes(world)

    async def offered():
        return await world.desk.suggestions(world.who, "")

    (suggestion,) = await until(offered)
    before = await world.desk.queue(world.who, "waiting", 0, 50)
    merge = await world.desk.answer_suggestion(world.who, "accept", suggestion.id, True)
    await world.desk.unmerge(world.who, "undo", suggestion.customer, merge)
    after = await world.desk.queue(world.who, "waiting", 0, 50)
    assert after.lines == before.lines
    assert [s.id for s in await world.desk.suggestions(world.who, "")] == [suggestion.id]


async def test_a_refused_suggestion_does_not_come_back(world: World):
    await emily_writes(world)

    async def offered():
        return await world.desk.suggestions(world.who, "")

    (suggestion,) = await until(offered)
    await world.desk.answer_suggestion(world.who, "no", suggestion.id, False)
    world.mail.put(paper.message("m2", EMAIL, f"again: {PHONE.value}", world.clock.now()))

    async def filed():
        return (await world.store.health()).entries >= 4

    await until(filed)
    assert await world.desk.suggestions(world.who, "") == ()


async def test_the_reply_leaves_where_she_is_and_its_receipts_are_shown(world: World):
    await accepted(world)
    customer = await world.customer(EMAIL)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "11 March, 9:00. ID ending 4821?"))
    assert (sent.route.medium, sent.choice.best.rule) == ("whatsapp", "live_exchange")

    async def delivered():
        return world.chat.delivered

    (outgoing,) = await until(delivered)
    assert (outgoing.text, outgoing.place) == ("11 March, 9:00. ID ending 4821?", "chat-1")
    for state in (Delivery.READ, Delivery.DELIVERED):
        world.chat.put(paper.report(f"s-{state}", state, external_id=f"ext-{outgoing.key}-1"))

    async def read():
        return (await world.desk.sent(world.who, sent.id)).state == Delivery.READ

    await until(read)
    page = await world.desk.queue(world.who, "waiting", 0, 50)
    assert page.lines == ()
    assert world.mail.delivered == []


async def test_the_same_request_id_sends_once(world: World):
    await emily_writes(world)
    customer = await world.customer(PHONE)
    first = await world.desk.reply(world.who, "r1", Compose(customer, "hello"))
    again = await world.desk.reply(world.who, "r1", Compose(customer, "hello"))
    assert again.id == first.id

    async def delivered():
        return (await world.desk.sent(world.who, first.id)).state == Delivery.SENT

    await until(delivered)
    assert len(world.chat.delivered) == 1
    timeline = await world.desk.timeline(world.who, customer, "", 50)
    assert sum(isinstance(e, Reply) for e in timeline.entries) == 1


async def test_an_opt_out_refuses_before_sending_and_offers_the_next(world: World):
    await accepted(world)
    customer = await world.customer(EMAIL)
    await world.desk.consent(world.who, "o1", customer, "whatsapp", ConsentScope.ALL, False)
    with pytest.raises(Refused) as refused:
        await world.desk.reply(world.who, "r1", Compose(customer, "hi", medium="whatsapp"))
    assert "--via email" in refused.value.hint
    sent = await world.desk.reply(world.who, "r2", Compose(customer, "hi"))
    assert sent.route.medium == "email"


async def test_a_reply_by_mail_keeps_the_thread(world: World):
    await emily_writes(world)
    customer = await world.customer(EMAIL)
    await world.desk.reply(world.who, "r1", Compose(customer, "Done."))

    async def delivered():
        return world.mail.delivered

    (outgoing,) = await until(delivered)
    assert outgoing.subject == "Re: Move my appointment"
    assert outgoing.message_ids == ("m1@world",)
    assert outgoing.key.endswith("@example.com")
    world.mail.put(paper.message("m3", EMAIL, "thank you", world.clock.now(), message_ids=(outgoing.key, "m1@world")))

    entries = await until(lambda: _with_text(world, customer, "thank you"))
    assert entries[-1].trust == "threaded"
    assert len({e.conversation for e in entries}) == 1


async def _with_text(world: World, customer: str, text: str):
    page = await world.desk.timeline(world.who, customer, "", 50)
    received = [e for e in page.entries if hasattr(e, "trust")]
    return received if any(e.text == text for e in received) else None


async def test_closing_a_merged_conversation_closes_all_of_it(world: World):
    await accepted(world)
    customer, conversation = await world.desk.find_conversation(world.who, "emily@example.com")
    await world.desk.set_status(world.who, "c1", customer, conversation, ConversationStatus.RESOLVED, None)
    assert (await world.desk.queue(world.who, "waiting", 0, 50)).lines == ()
    assert len((await world.desk.queue(world.who, "resolved", 0, 50)).lines) == 1


async def test_a_person_is_found_by_id_address_and_name(world: World):
    await emily_writes(world)
    customer = await world.customer(EMAIL)
    for words in (customer, "Emily@Example.com", "emily rhodes", "Rhodes"):
        assert await world.desk.find(world.who, words) == customer


async def test_a_suggestion_is_seen_from_both_sides_and_accepted_from_either(world: World):
    await emily_writes(world)
    stranger = await world.customer(PHONE)

    async def offered():
        return (await world.desk.timeline(world.who, stranger, "", 10)).suggestions

    (seen,) = await until(offered)
    assert (seen.customer_name, seen.other) == ("Emily Rhodes", stranger)
    await world.desk.answer_suggestion(world.who, "yes", seen.id, True)
    assert await world.customer(PHONE) == await world.customer(EMAIL)
    assert (await world.desk.timeline(world.who, stranger, "", 10)).suggestions == ()


async def test_an_answer_on_another_channel_counts_as_answered(world: World):
    await accepted(world)
    customer = await world.customer(EMAIL)
    seen = (await world.desk.timeline(world.who, customer, "", 50)).entries[-1].id
    world.clock.move(seconds=5)
    other = world.who.__class__("hyun")
    await world.hub.desk.reply(other, "r0", Compose(customer, "by mail", medium="email"))
    with pytest.raises(Answered, match="hyun answered"):
        await world.desk.reply(world.who, "r1", Compose(customer, "here", medium="whatsapp", expected=seen))
