"""What agents change of a person: once however often it is asked, and never a way round an opt-out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentconsole.desk import Compose, Position
from agentconsole.domain.entries import ConsentChanged, Received
from agentconsole.domain.model import (
    Address,
    ConsentScope,
    CustomerId,
    EntryId,
    Medium,
)
from agentconsole.errors import Ambiguous, NotFound, Refused
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

OTHER = EMAIL.__class__("email", "", "other@example.com")


async def two(world: World) -> tuple[CustomerId, CustomerId]:
    world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now(), sender_name="Emily"))
    world.chat.put(paper.message("w1", PHONE, "hi", world.clock.now(), place="private"))
    return await world.customer(EMAIL), await world.customer(PHONE)


async def test_a_repeated_unmerge_ends_no_second_merge(world: World):
    keep, absorb = await two(world)
    world.mail.put(paper.message("m2", OTHER, "me too", world.clock.now()))
    third = await world.customer(OTHER)
    await world.desk.merge(world.who, "a", keep, absorb)
    world.clock.move(seconds=1)
    await world.desk.merge(world.who, "b", keep, third)
    for _ in range(2):
        await world.desk.unmerge(world.who, "undo", keep, EntryId(""))
    person = await world.store.customer(keep)
    assert person is not None
    assert set(person.members) == {keep, absorb}


async def test_repeats_of_merge_and_unlink_change_nothing_more_and_do_not_fail(world: World):
    keep, absorb = await two(world)
    first = await world.desk.merge(world.who, "a", keep, absorb)
    assert await world.desk.merge(world.who, "a", keep, absorb) == first
    for _ in range(2):
        await world.desk.unlink(world.who, "u", keep, PHONE.value)
    person = await world.store.customer(keep)
    assert person is not None
    assert [a.address for a in person.addresses] == [EMAIL]


async def test_an_opt_out_of_a_merged_customer_holds_after_the_merge_has_ended(world: World):
    keep, absorb = await two(world)
    merge = await world.desk.merge(world.who, "a", keep, absorb)
    await world.desk.consent(world.who, "o", keep, Medium("whatsapp"), ConsentScope.ALL, False)
    await world.desk.unmerge(world.who, "u", keep, merge)
    with pytest.raises(Refused, match="opted out"):
        await world.desk.reply(world.who, "r", Compose(absorb, "hi", medium=Medium("whatsapp")))


async def test_an_opt_in_to_everything_ends_a_stop_and_a_narrow_one_does_not_pretend(world: World):
    _, customer = await two(world)
    world.chat.put(paper.message("w2", PHONE, "STOP", world.clock.now()))

    async def stopped():
        person = await world.store.customer(customer)
        return person is not None and person.consents

    await until(stopped)
    world.clock.move(seconds=1)
    await world.desk.consent(world.who, "in", customer, Medium(""), ConsentScope.ALL, True)
    assert (await world.desk.choose(world.who, Compose(customer, "hi"))).best is not None
    world.clock.move(seconds=1)
    await world.desk.consent(world.who, "out", customer, Medium(""), ConsentScope.ALL, False)
    with pytest.raises(Refused, match="every channel"):
        await world.desk.consent(world.who, "in2", customer, Medium("whatsapp"), ConsentScope.ALL, True)
    assert (await world.desk.choose(world.who, Compose(customer, "hi"))).best is None


async def test_an_older_start_that_arrives_late_lifts_no_newer_stop(world: World):
    _, customer = await two(world)
    now = world.clock.now()
    stop = ConsentChanged(id=EntryId("stop"), at=now, medium=Medium("whatsapp"))
    start = ConsentChanged(id=EntryId("start"), at=now - timedelta(hours=1), medium=Medium("whatsapp"), allowed=True)
    await world.store.change(customer, lambda _snapshot: [stop])
    await world.store.change(customer, lambda _snapshot: [start])
    assert (await world.desk.choose(world.who, Compose(customer, "hi"))).best is None


async def test_a_joined_conversation_can_be_taken_from_its_agent(world: World):
    keep, absorb = await two(world)
    theirs = (await world.desk.find_conversation(world.who, absorb))[1]
    await world.desk.assign(world.who, "1", absorb, theirs, "bob")
    await world.desk.merge(world.who, "m", keep, absorb)
    world.clock.move(seconds=1)
    _, whole = await world.desk.find_conversation(world.who, keep)
    await world.desk.assign(world.who, "2", keep, whole, "")
    assert [line.assignee for line in (await world.desk.queue(world.who, "all", 0, 5)).lines] == [""]


async def test_a_private_answer_does_not_go_into_another_chat(world: World):
    _, customer = await two(world)
    route = (await world.desk.choose(world.who, Compose(customer, "x"))).best.route
    world.clock.move(seconds=2)
    world.chat.put(paper.message("w2", PHONE, "hi all", world.clock.now(), place="group"))

    async def moved():
        found = (await world.desk.choose(world.who, Compose(customer, "x"))).best
        return found is not None and found.route.place == "group"

    await until(moved)
    with pytest.raises(Refused, match="another chat"):
        await world.desk.reply(world.who, "r", Compose(customer, "your balance is 7", route=route))


async def test_an_answer_continues_no_thread_of_somebody_else(world: World):
    await two(world)
    world.mail.put(paper.message("m2", OTHER, "hi", world.clock.now(), subject="My test result"))
    secret = await world.store.history(await world.customer(OTHER))
    assert secret is not None
    received = next(e for e in secret.entries if isinstance(e, Received))
    await world.desk.reply(world.who, "r", Compose(await world.customer(EMAIL), "hi", answers=received.id))

    async def delivered():
        return world.mail.delivered

    (outgoing,) = await until(delivered)
    assert "result" not in outgoing.subject
    assert outgoing.message_ids == ("m1@world",)


async def test_a_mail_of_any_length_leaves_the_timeline_open(world: World):
    customer, _ = await two(world)
    for number in range(60):
        world.mail.put(paper.message(f"long{number}", EMAIL, "가" * 20_000, world.clock.now()))
    world.mail.put(paper.message("longest", EMAIL, "가" * 400_000, world.clock.now()))

    async def all_there():
        return (await world.store.health()).entries >= 63

    await until(all_there)
    page = await world.desk.timeline(world.who, customer, "", 200)
    assert page.more
    assert page.entries
    older = await world.desk.timeline(world.who, customer, page.entries[0].id, 200)
    assert older.entries[-1].id not in {e.id for e in page.entries}


async def test_news_never_skip_what_happened_while_they_were_told(world: World):
    customer, _ = await two(world)
    position = (await world.desk.queue(world.who, "all", 0, 5)).position
    world.hub.health.raise_banner("disk_full")
    await world.desk.rename(world.who, "n", customer, "New")
    news = await world.desk.news(world.who, position, 1)
    assert news.customers is None or customer in news.customers
    assert isinstance(news.position, Position)


async def test_syncing_an_account_that_could_not_start_says_why():
    from dataclasses import replace

    from agentconsole.errors import SignInFailed

    chat, mail = paper.Post(), paper.Post()
    setup = paper.chat(chat, webhook=True)

    def refuse(_name: object, _options: object) -> object:
        raise SignInFailed("The secret word is missing.")

    setup = replace(setup, kind=replace(setup.kind, webhook=refuse))  # type: ignore[arg-type]
    async with running(chat=chat, mail=mail, accounts=[paper.mail(mail), setup]) as world:
        (told,) = await world.desk.sync(world.who, "wa", 5)
        assert told.error == "The secret word is missing."
        states = {a.name: a.state for a in (await world.desk.status(world.who)).accounts}
        assert states["wa"] == "signed_out"
        mail.put(paper.message("m1", EMAIL, "hello", world.clock.now()))
        await world.customer(EMAIL)


async def test_a_repeated_opt_in_takes_back_no_stop_that_came_in_between(world: World):
    _, customer = await two(world)
    await world.desk.consent(world.who, "in", customer, Medium(""), ConsentScope.ALL, True)
    world.chat.put(paper.message("w2", PHONE, "STOP", world.clock.now()))

    async def stopped():
        person = await world.store.customer(customer)
        return person is not None and [c for c in person.consents if not c.allowed]

    await until(stopped)
    await world.desk.consent(world.who, "in", customer, Medium(""), ConsentScope.ALL, True)
    with pytest.raises(Refused, match="opted out"):
        await world.desk.reply(world.who, "r", Compose(customer, "hi", medium=Medium("whatsapp")))


async def test_an_unlinked_address_is_gone_wherever_it_stood(world: World):
    keep, absorb = await two(world)
    await world.desk.merge(world.who, "m", keep, absorb)
    await world.desk.link(world.who, "l", keep, PHONE.value)
    await world.desk.unlink(world.who, "u", keep, PHONE.value)
    person = await world.store.customer(keep)
    assert person is not None
    assert [a.address for a in person.addresses] == [EMAIL]
    assert await world.store.find(PHONE) is None


async def test_a_repeated_description_answers_as_the_first_did(world: World):
    customer = await world.desk.add_customer(world.who, "a", "Emily Rhodes", [EMAIL.value])
    assert await world.desk.describe(world.who, "d1", customer, "language", "en") == ""
    assert await world.desk.describe(world.who, "d2", customer, "language", "ko") == "en"
    assert await world.desk.describe(world.who, "d2", customer, "language", "ko") == "en"
    assert await world.desk.describe(world.who, "d1", customer, "language", "en") == ""
    person = await world.store.customer(customer)
    assert person is not None
    assert person.cards["language"].value == "ko"


async def test_nobody_elses_message_is_evidence_of_a_preference(world: World):
    world.mail.put(paper.message("m1", EMAIL, "text me", world.clock.now()))
    theirs = await world.store.history(await world.customer(EMAIL), limit=5)
    assert theirs is not None
    message = next(e.id for e in theirs.entries if isinstance(e, Received))
    other = await world.desk.add_customer(world.who, "a", "Bo Lind", ["bo@example.com"])
    for evidence in (message, EntryId("nothing")):
        with pytest.raises(NotFound, match="no message of this customer"):
            await world.desk.prefer(world.who, "p", other, Medium("sms"), "", evidence)
    await world.desk.prefer(world.who, "p", theirs.customer.id, Medium("sms"), "", message)
    await world.desk.prefer(world.who, "p", theirs.customer.id, Medium("sms"), "", message)
    assert [line.act for line in await world.store.audited()].count("prefer") == 1


async def test_an_address_of_a_provider_is_found_without_its_namespace(world: World):
    here, there = Address("telegram", "4711", "61270005"), Address("telegram", "815", "61270005")
    world.chat.put(paper.message("t1", here, "hello"))
    customer = await world.customer(here)
    assert await world.desk.find(world.who, "telegram:61270005") == customer
    assert await world.desk.find(world.who, "telegram:4711:61270005") == customer
    with pytest.raises(NotFound):
        await world.desk.find(world.who, "telegram:6127000")
    world.chat.put(paper.message("t2", there, "hello"))
    other = await world.customer(there)
    with pytest.raises(Ambiguous, match="telegram:815:61270005"):
        await world.desk.find(world.who, "telegram:61270005")
    assert await world.desk.find(world.who, "telegram:815:61270005") == other
