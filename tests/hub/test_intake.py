"""What arrives is filed once, whatever it is, and one bad item never holds up the next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from agentconsole.channels.email import mime
from agentconsole.desk import Compose
from agentconsole.domain.entries import Received, Unreadable
from agentconsole.domain.model import (
    Address,
    BlobId,
    CustomerId,
    Delivery,
    EntryId,
)
from agentconsole.errors import StoreFault
from agentconsole.ports import AddressEvent, Parsed, RawItem
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until


async def entries(world: World, address: Address):
    page = await world.store.history(await world.customer(address))
    assert page is not None
    return page.entries


async def test_the_same_message_fetched_twice_is_one_entry(world: World):
    for _ in range(3):
        world.mail.put(paper.message("m1", EMAIL, "hello"))
    world.mail.put(paper.message("m2", PHONE, "later"))
    await world.customer(PHONE)
    assert len(await entries(world, EMAIL)) == 1


async def test_an_unreadable_item_is_shown_and_the_next_is_filed(world: World):
    world.mail.put_raw(RawItem("bad", b"\xff\x00 nonsense", paper.START, {}))
    world.mail.put(paper.message("m1", EMAIL, "hello"))
    await world.customer(EMAIL)
    page = await world.store.history(await world.customer(Address("unreadable", "", "mail")))
    assert page is not None
    (found,) = [e for e in page.entries if isinstance(e, Unreadable)]
    assert "no paper" in found.detail
    assert await world.store.blob(page.customer.id, found.raw) == b"\xff\x00 nonsense"
    line = (await world.desk.queue(world.who, "waiting", 0, 10)).lines
    assert len(line) == 2


async def test_an_adapter_that_breaks_while_parsing_makes_an_unreadable_entry(world: World):
    world.mail.put_raw(RawItem("bad", b"\xc1", paper.START, {"type": "in"}))
    await world.customer(Address("unreadable", "", "mail"))
    world.mail.put(paper.message("m1", EMAIL, "hello"))
    await world.customer(EMAIL)


async def test_a_message_from_the_future_is_dated_now(world: World):
    world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now() + timedelta(days=400)))
    (found,) = await entries(world, EMAIL)
    assert found.at == world.clock.now()


async def test_old_mail_is_history_and_does_not_wait():
    post = paper.Post()
    setup = paper.mail(post)

    old = replace(setup, since=paper.START - timedelta(days=30))
    async with running(mail=post, accounts=[old]) as world:
        post.put(paper.message("m1", EMAIL, "from 2017", paper.START - timedelta(days=3000)))
        await world.customer(EMAIL)
        assert (await world.desk.queue(world.who, "waiting", 0, 10)).lines == ()
        assert len((await world.desk.queue(world.who, "resolved", 0, 10)).lines) == 1


async def test_automatic_mail_is_recorded_and_does_not_wait(world: World):
    world.mail.put(paper.message("m1", EMAIL, "I am out of office", automatic=True))
    await world.customer(EMAIL)
    assert (await world.desk.queue(world.who, "waiting", 0, 10)).lines == ()


async def test_two_addresses_that_the_provider_ties_are_one_customer(world: World):
    scoped = Address("whatsapp", "page", "user-7")
    world.chat.put(paper.message("w1", PHONE, "hello", also_known_as=(scoped,)))
    customer = await world.customer(PHONE)
    world.chat.put(paper.message("w2", scoped, "no number this time"))

    async def two():
        return len(await entries(world, PHONE)) >= 3

    await until(two)
    assert await world.customer(scoped) == customer


async def test_a_thread_of_somebody_else_does_not_open_their_history(world: World):
    world.mail.put(paper.message("m1", EMAIL, "my question", subject="secret"))
    await world.customer(EMAIL)
    stranger = Address("email", "", "mallory@example.net")
    world.mail.put(paper.message("m2", stranger, "me too", message_ids=("m1@world",)))
    assert await world.customer(stranger) != await world.customer(EMAIL)
    (found,) = await entries(world, stranger)
    assert found.trust == "claimed"


async def test_a_report_about_nothing_known_changes_nothing(world: World):
    world.chat.put(paper.report("s1", Delivery.READ, external_id="never-sent"))
    world.chat.put(paper.message("w1", PHONE, "hello"))
    await world.customer(PHONE)
    assert len(await entries(world, PHONE)) == 1


async def test_a_provider_event_marks_the_address_dead_and_a_message_revives_it():
    post = paper.Post()
    setup = paper.chat(post)

    def parse(item: RawItem) -> Sequence[Parsed]:
        if item.meta["type"] == "gone":
            return [msgspec.msgpack.decode(item.payload, type=AddressEvent)]
        return paper.parse(item)

    setup = replace(setup, kind=replace(setup.kind, parse=parse))
    async with running(chat=post, accounts=[setup]) as world:
        post.put(paper.message("w1", PHONE, "hello"))
        customer = await world.customer(PHONE)
        gone = AddressEvent("g1", PHONE, dead="blocked", at=paper.START + timedelta(minutes=1))
        post.put_raw(RawItem("g1", msgspec.msgpack.encode(gone), paper.START, {"type": "gone"}))

        async def dead():
            person = await world.store.customer(customer)
            return person is not None and person.addresses[0].dead

        assert await until(dead) == "blocked"
        world.clock.move(minutes=5)
        post.put(paper.message("w2", PHONE, "back again", world.clock.now()))

        async def alive():
            person = await world.store.customer(customer)
            return person is not None and not person.addresses[0].dead

        assert await until(alive)


async def test_a_bounce_that_names_no_reply_of_ours_closes_no_address():
    post = paper.Post()
    setup = paper.mail(post)

    def parse(item: RawItem) -> Sequence[Parsed]:
        if item.meta["type"] != "bounce":
            return paper.parse(item)
        return [
            paper.report("b1", Delivery.FAILED, key="never-sent@example.com", reason="bounced"),
            AddressEvent("b1", EMAIL, dead="bounced"),
        ]

    setup = replace(setup, kind=replace(setup.kind, parse=parse))
    async with running(mail=post, accounts=[setup]) as world:
        post.put(paper.message("m1", EMAIL, "hello"))
        post.put_raw(RawItem("b1", b"", paper.START, {"type": "bounce"}))
        post.put(paper.message("m2", PHONE, "later"))
        customer = await world.store.customer(await world.customer(EMAIL))
        await world.customer(PHONE)
        assert customer is not None
        assert [a.dead for a in customer.addresses] == [""]
        assert [type(e).__name__ for e in await entries(world, EMAIL)] == ["Received"]


OTHER = Address("email", "", "bob@example.com")


@pytest.mark.parametrize(("bounced", "dead"), [(OTHER, {OTHER}), (EMAIL, set())])
async def test_a_bounce_closes_only_the_address_that_its_reply_went_to(bounced: Address, dead: set[Address]) -> None:
    post = paper.Post()
    setup = paper.mail(post)
    key = ""

    def parse(item: RawItem) -> Sequence[Parsed]:
        if item.meta["type"] != "bounce":
            return paper.parse(item)
        event = AddressEvent("b1", bounced, dead="bounced")
        return [event, paper.report("b1", Delivery.FAILED, key=key, reason="bounced")]

    setup = replace(setup, kind=replace(setup.kind, parse=parse))
    async with running(mail=post, accounts=[setup]) as world:
        post.put(paper.message("m1", EMAIL, "hello"))
        post.put(paper.message("m2", OTHER, "hello"))
        sent = await world.desk.reply(world.who, "r1", Compose(await world.customer(OTHER), "hi"))

        async def state(wanted: Delivery) -> bool:
            return (await world.desk.sent(world.who, sent.id)).state == wanted

        await until(lambda: state(Delivery.SENT))
        key = post.delivered[0].key
        post.put_raw(RawItem("b1", b"", paper.START, {"type": "bounce"}))
        post.put(paper.message("m3", PHONE, "later"))
        await world.customer(PHONE)
        assert await state(Delivery.FAILED)
        people = [await world.store.customer(await world.customer(address)) for address in (EMAIL, OTHER)]
        assert {a.address for p in people if p is not None for a in p.addresses if a.dead} == dead


async def test_mail_from_our_own_address_that_is_no_copy_of_a_reply_is_shown() -> None:
    post = paper.Post()
    base = paper.mail(post)
    setup = replace(base, kind=replace(base.kind, parse=mime.parse))

    def put(name: str, head: str) -> bytes:
        data = f"From: us@example.com\r\n{head}Message-ID: <{name}@web>\r\n\r\nPlease call me\r\n".encode()
        post.put_raw(RawItem(name, data, paper.START, {"own_address": "us@example.com"}))
        return data

    async with running(mail=post, accounts=[setup]) as world:
        form = put("form", "Reply-To: emily@example.com\r\nSubject: contact\r\n")
        bare = put("bare", "")
        (asked,) = await entries(world, EMAIL)
        assert isinstance(asked, Received)
        assert (asked.text.strip(), asked.subject, asked.trust) == ("Please call me", "contact", "ambiguous")
        assert await world.store.blob(await world.customer(EMAIL), asked.raw) == form
        nobody = Address("unreadable", "", "mail")
        [lost] = [e for e in await entries(world, nobody) if isinstance(e, Unreadable)]
        assert lost.detail == "from our own address"
        assert await world.store.blob(await world.customer(nobody), lost.raw) == bare


async def test_a_message_filed_just_before_a_fault_still_makes_its_suggestions() -> None:
    clock = HandClock()

    class Once(MemoryStore):
        broken = True

        async def mentioned(self, address: Address) -> Sequence[tuple[CustomerId, EntryId]]:
            if self.broken and address == PHONE:
                self.broken = False
                raise StoreFault("The disk refused.")
            return await super().mentioned(address)

    async with running(store=Once(clock, CountingRandomness()), clock=clock) as world:
        world.mail.put(paper.message("m1", EMAIL, f"my number is {PHONE.value}"))
        customer = await world.customer(EMAIL)
        world.chat.put(paper.message("w1", PHONE, "hello"))

        async def suggested() -> bool:
            clock.move(seconds=6)
            person = await world.store.customer(customer)
            return person is not None and len(person.suggestions) == 1

        await until(suggested)


async def test_a_message_goes_to_whoever_holds_the_address_when_it_is_filed() -> None:
    clock = HandClock()
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(MemoryStore):
        slow = False

        async def put_blob(self, record: CustomerId, data: bytes) -> BlobId:
            if self.slow:
                reached.set()
                await go_on.wait()
            return await super().put_blob(record, data)

    store = Slow(clock, CountingRandomness())
    async with running(store=store, clock=clock) as world:
        world.mail.put(paper.message("m1", EMAIL, "hello"))
        customer = await world.customer(EMAIL)
        store.slow = True
        world.chat.put(paper.message("w1", PHONE, "hello"))
        await reached.wait()
        await world.desk.link(world.who, "l1", customer, PHONE.value)
        go_on.set()

        async def filed() -> Sequence[Received]:
            page = await store.history(customer)
            assert page is not None
            return [e for e in page.entries if isinstance(e, Received) and e.account == "wa"]

        [message] = await until(filed)
        assert await store.blob(customer, message.raw)
        assert (await store.health()).customers == 1
