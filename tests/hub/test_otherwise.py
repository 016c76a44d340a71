"""A failed reply another way: proposed with the text fitted, sent once, never from doubt."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from agentconsole.desk import Agent, Compose, Fallback, Sent
from agentconsole.domain.entries import Receipt, Reply
from agentconsole.domain.fallback import Automatic
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConsentScope,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
)
from agentconsole.errors import OutcomeUnknown, PermanentFailure, Refused, StoreFault
from agentconsole.hub.fallbacks import Fallbacks
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import AddressEvent, RawItem
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

LONG = "Your parcel left Busan this morning and arrives tomorrow before noon. " * 12


def sms(post: paper.Post, **capable: object) -> AccountSetup:
    kind = paper.kind("papersms", "sms", "phone", post, text_unit="sms", text_limit=2, **capable)
    return AccountSetup(AccountName("sms"), kind, paper.PaperOptions(own="+15550002222"))


@asynccontextmanager
async def office(**more: object) -> AsyncIterator[tuple[World, paper.Post]]:
    """A hub with mail and SMS, and Emily on both as one person."""
    mail, post = paper.Post(), paper.Post()
    async with running(mail=mail, accounts=[paper.mail(mail), sms(post)], **more) as world:  # type: ignore[arg-type]
        mail.put(paper.message("m1", EMAIL, "Where is my parcel?", sender_name="Emily", subject="Parcel 55"))
        customer = await world.customer(EMAIL)
        if await world.store.find(PHONE) is None:
            await world.desk.link(world.who, "link", customer, PHONE.value)
        yield world, post


async def failed(world: World, post: paper.Post, text: str = "On its way", **more: object) -> EntryId:
    """Send by SMS to a number that is dead."""
    post.after_commit = PermanentFailure("no such number", reason="no_such_address")
    customer = await world.customer(EMAIL)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, text, medium=Medium("sms"), **more))  # type: ignore[arg-type]
    await standing(world, sent.id, Delivery.FAILED)
    post.after_commit = None
    return sent.id


async def standing(world: World, reply: EntryId, state: Delivery) -> Sent:
    async def so() -> Sent | None:
        found = await world.desk.sent(world.who, reply)
        return found if found.state == state else None

    return await until(so, what=f"{reply} {state}")


async def replies(world: World) -> list[Reply]:
    page = await world.desk.timeline(world.who, await world.customer(EMAIL), EntryId(""), 50)
    return [entry for entry in page.entries if isinstance(entry, Reply)]


async def test_a_dead_number_is_answered_by_mail_and_leaves_the_failed_view():
    async with office() as (world, post):
        first = await failed(world, post)
        assert (await world.desk.queue(world.who, "failed", 0, 10)).counts.failed == 1
        found = await world.desk.fallback(world.who, first)
        assert found is not None
        assert (found.failed, found.ranked.route.medium, found.subject) == ("sms", "email", "Parcel 55")
        sent = await world.desk.reply(world.who, "f1", found.compose)
        await standing(world, sent.id, Delivery.SENT)
        (outgoing,) = world.mail.delivered
        assert (outgoing.text, outgoing.subject) == ("On its way", "Parcel 55")
        assert (await world.desk.sent(world.who, first)).state == Delivery.CANCELLED
        assert (await world.desk.queue(world.who, "failed", 0, 10)).counts.failed == 0
        one, other = await replies(world)
        assert (one.id, other.rule, other.facts["instead_of"], other.facts["instead"]) == (
            first,
            "fallback",
            first,
            "sms",
        )


async def test_a_long_mail_is_shortened_for_sms_and_what_is_left_out_is_named():
    async with office() as (world, post):
        customer = await world.customer(EMAIL)
        blob = await world.desk.attach(world.who, customer, "slip.pdf", "application/pdf", b"%PDF")
        world.mail.after_commit = PermanentFailure("no such mailbox", reason="no_such_address")
        sent = await world.desk.reply(
            world.who, "r1", Compose(customer, LONG, medium=Medium("email"), subject="Slip", attachments=(blob,))
        )
        await standing(world, sent.id, Delivery.FAILED)
        found = await world.desk.fallback(world.who, sent.id)
        assert found is not None
        assert found.changes == ("subject_dropped", "shortened")
        assert (found.left_out, found.attachments, found.subject) == (("slip.pdf",), (), "")
        assert found.text.endswith("...")
        await world.desk.reply(world.who, "f1", found.compose)

        async def out() -> list[object]:
            return list(post.delivered)

        assert [o.text for o in await until(out)] == [found.text]  # type: ignore[attr-defined]


async def test_never_from_a_reply_that_may_have_gone_out():
    async with office() as (world, post):
        post.after_commit = OutcomeUnknown("line cut", reason="line_cut")
        customer = await world.customer(EMAIL)
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "On its way", medium=Medium("sms")))
        await standing(world, sent.id, Delivery.UNCERTAIN)
        with pytest.raises(Refused, match="may have gone out"):
            await world.desk.fallback(world.who, sent.id)
        with pytest.raises(Refused, match="may have gone out"):
            await world.desk.reply(world.who, "f1", Compose(customer, "On its way", instead_of=sent.id))
        assert world.mail.delivered == []


async def test_never_where_the_provider_goes_on_by_itself_with_what_it_took():
    async with running() as world:
        world.mail.put(paper.message("m1", EMAIL, "Hello"))
        world.chat.put(paper.message("w1", PHONE, "Hello"))
        chat = await world.customer(PHONE)
        await world.desk.merge(world.who, "one", await world.customer(EMAIL), chat)
        setup = world.hub.desk.accounts[AccountName("wa")]
        own = dataclasses.replace(setup.kind, capabilities=_with_failover(setup.kind.capabilities))
        world.hub.desk.accounts[AccountName("wa")] = dataclasses.replace(setup, kind=own)  # type: ignore[index]
        sent = await world.desk.reply(world.who, "r1", Compose(chat, "Hi", medium=Medium("whatsapp")))
        found = await standing(world, sent.id, Delivery.SENT)
        world.chat.put(paper.report("s1", Delivery.FAILED, external_id=f"ext-{found.id}-1"))
        await standing(world, sent.id, Delivery.FAILED)
        with pytest.raises(Refused, match="provider itself goes on"):
            await world.desk.fallback(world.who, sent.id)


def _with_failover(can: object) -> object:
    from msgspec.structs import replace

    return replace(can, own_failover=True)  # type: ignore[type-var]


async def test_twice_asked_is_once_sent_and_a_second_wish_is_refused():
    async with office() as (world, post):
        found = await world.desk.fallback(world.who, await failed(world, post))
        assert found is not None
        first = await world.desk.reply(world.who, "f1", found.compose)
        again = await world.desk.reply(world.who, "f1", found.compose)
        assert again.id == first.id
        for call in (
            lambda: world.desk.reply(world.who, "f2", found.compose),
            lambda: world.desk.fallback(world.who, found.reply),
            lambda: world.desk.resend(world.who, "again", found.reply),
        ):
            with pytest.raises(Refused, match="another way already"):
                await call()
        await standing(world, first.id, Delivery.SENT)
        assert len(world.mail.delivered) == 1
        assert len(await replies(world)) == 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda world, found: world.desk.resend(world.who, "again", found.reply),
        lambda world, found: world.desk.fallback(world.who, found.reply),
        lambda world, found: world.desk.reply(world.who, "f2", found.compose),
    ],
    ids=["resend", "fallback", "another wish"],
)
async def test_a_death_between_the_second_reply_and_settling_the_first_makes_no_third(
    ask: Callable[[World, Fallback], Awaitable[object]],
):
    clock, random = HandClock(), CountingRandomness()
    store = DyingStore(clock, random)
    async with office(store=store, clock=clock) as (world, post):
        found = await world.desk.fallback(world.who, await failed(world, post))
        assert found is not None
        store.dies_at = lambda entry: isinstance(entry, Receipt) and entry.reason == "sent_otherwise"
        with pytest.raises(StoreFault):
            await world.desk.reply(world.who, "f1", found.compose)
        store.dies_at = None
        assert (await world.desk.sent(world.who, found.reply)).state == Delivery.FAILED
        with pytest.raises(Refused, match="another way already"):
            await ask(world, found)
        assert (await world.desk.sent(world.who, found.reply)).state == Delivery.CANCELLED
        assert len(await replies(world)) == 2


class DyingStore(MemoryStore):
    """Refuses to write what ``dies_at`` says yes to."""

    dies_at: Callable[[object], bool] | None = None

    async def change(self, record, decide):  # type: ignore[no-untyped-def]
        def dying(snapshot):  # type: ignore[no-untyped-def]
            entries = decide(snapshot)
            if self.dies_at is not None and any(self.dies_at(entry) for entry in entries):
                raise StoreFault("the disk is gone")
            return entries

        return await super().change(record, dying)


async def test_where_the_next_route_was_opted_out_of_nothing_is_proposed_nor_sent():
    async with office() as (world, post):
        first = await failed(world, post)
        found = await world.desk.fallback(world.who, first)
        assert found is not None
        await world.desk.consent(world.who, "out", found.customer, Medium("email"), ConsentScope.ALL, False)
        assert await world.desk.fallback(world.who, first) is None
        with pytest.raises(Refused, match="opted out"):
            await world.desk.reply(world.who, "f1", found.compose)
        assert (await world.desk.sent(world.who, first)).state == Delivery.FAILED


async def test_of_joined_records_each_keeps_its_own_and_unmerging_changes_nothing_sent():
    mail, post = paper.Post(), paper.Post()
    async with running(mail=mail, accounts=[paper.mail(mail), sms(post)]) as world:
        post.put(paper.message("s1", PHONE, "Where is my parcel?"))
        phone = await world.customer(PHONE)
        mail.put(paper.message("m1", EMAIL, "Hello", subject="Parcel"))
        record = await world.customer(EMAIL)
        merge = await world.desk.merge(world.who, "one", phone, record)
        blob = await world.desk.attach(world.who, phone, "a.pdf", "application/pdf", b"%PDF")
        first = await failed(world, post)
        found = await world.desk.fallback(world.who, first)
        assert found is not None
        sent = await world.desk.reply(world.who, "f1", found.compose)
        await standing(world, sent.id, Delivery.SENT)
        await world.desk.unmerge(world.who, "two", phone, merge)
        assert (await world.store.entry(first))[0] == phone  # type: ignore[index]
        assert (await world.store.entry(sent.id))[0] == record  # type: ignore[index]
        assert (await world.desk.sent(world.who, first)).state == Delivery.CANCELLED
        assert blob.size == 4


async def test_a_receipt_that_comes_late_is_told_and_undoes_nothing():
    async with office() as (world, post):
        customer = await world.customer(EMAIL)
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "On its way", medium=Medium("sms")))
        await standing(world, sent.id, Delivery.SENT)
        external = f"ext-{sent.id}-1"
        post.put(paper.report("s1", Delivery.FAILED, external_id=external))
        await standing(world, sent.id, Delivery.FAILED)
        found = await world.desk.fallback(world.who, sent.id)
        assert found is not None
        other = await world.desk.reply(world.who, "f1", found.compose)
        await standing(world, other.id, Delivery.SENT)
        post.put(paper.report("s2", Delivery.DELIVERED, external_id=external))
        await standing(world, sent.id, Delivery.DELIVERED)
        assert (await world.desk.sent(world.who, other.id)).state == Delivery.SENT
        assert len(world.mail.delivered) == 1


async def test_a_fallback_that_fails_too_goes_back_to_no_route_that_was_tried():
    async with office() as (world, post):
        first = await failed(world, post)
        found = await world.desk.fallback(world.who, first)
        assert found is not None
        world.mail.after_commit = PermanentFailure("no such mailbox", reason="no_such_address")
        second = await world.desk.reply(world.who, "f1", found.compose)
        await standing(world, second.id, Delivery.FAILED)
        assert await world.desk.fallback(world.who, second.id) is None


async def test_of_somebody_elses_failed_reply_nothing_is_sent():
    async with office() as (world, post):
        first = await failed(world, post)
        other = await world.desk.add_customer(world.who, "new", "Bob", ["bob@example.com"])
        with pytest.raises(Refused, match="another customer"):
            await world.desk.reply(world.who, "f1", Compose(CustomerId(other), "hi", instead_of=first))


# -- by itself ----------------------------------------------------------------------------------------------


async def test_by_itself_only_where_the_profile_says_so_and_only_after_its_minutes():
    rule = Automatic((Medium("email"),), minutes=10)
    async with office(profile=HubProfile(region="GB", free_floor=0, fallback=rule)) as (world, post):
        first = await failed(world, post)
        world.clock.move(minutes=9)
        assert world.mail.delivered == []
        world.clock.move(minutes=2)

        async def out() -> list[object]:
            return list(world.mail.delivered)

        (outgoing,) = await until(out)
        assert outgoing.text == "On its way"  # type: ignore[attr-defined]
        _, other = await replies(world)
        assert (other.rule, other.facts["instead_of"], other.agent) == ("fallback", first, world.who.name)


@pytest.mark.parametrize("case", ["other medium", "opted out", "wrote since", "too old"])
async def test_by_itself_never(case: str):
    async with office() as (world, post):
        first = await failed(world, post)
        customer = await world.customer(EMAIL)
        if case == "opted out":
            await world.desk.consent(world.who, "out", customer, Medium("email"), ConsentScope.ALL, False)
        if case == "wrote since":
            world.clock.move(minutes=1)
            post.put(paper.message("s9", PHONE, "Hello?", world.clock.now()))

            async def came() -> bool:
                page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
                return any(getattr(entry, "text", "") == "Hello?" for entry in page.entries)

            await until(came)
        world.clock.move(minutes=7 * 60 if case == "too old" else 11)
        rule = Automatic((Medium("whatsapp" if case == "other medium" else "email"),), minutes=10)
        log = logging.getLogger("test.hub")
        await Fallbacks(rule, world.hub.desk, world.store, world.hub.clock, log).look()
        assert world.mail.delivered == []
        assert (await world.desk.sent(world.who, first)).state == Delivery.FAILED


async def test_by_itself_goes_on_after_a_trouble_that_nobody_expected(monkeypatch: pytest.MonkeyPatch):
    async with office() as (world, post):
        await failed(world, post)
        world.clock.move(minutes=11)
        log = logging.getLogger("test.hub")
        fallbacks = Fallbacks(Automatic((Medium("email"),)), world.hub.desk, world.store, world.hub.clock, log)

        async def full(_who: Agent, _reply: EntryId) -> Fallback | None:
            raise OSError("too many open files")

        with monkeypatch.context() as patch:
            patch.setattr(world.hub.desk, "fallback", full)
            await fallbacks.look()
        await fallbacks.look()

        async def out() -> list[object]:
            return list(world.mail.delivered)

        await until(out)


# -- the whole story ----------------------------------------------------------------------------------------


async def test_asked_for_by_mail_dead_by_sms_sent_by_mail_with_one_call():
    async with office() as (world, post):
        world.clock.move(minutes=5)
        customer = await world.customer(EMAIL)
        asked = paper.message("m2", EMAIL, "Please text me instead of e-mailing.", world.clock.now())
        world.mail.put(asked)

        async def stated() -> bool:
            person = await world.store.customer(customer)
            return person is not None and [p.medium for p in person.preferences] == ["sms"]

        await until(stated, what="the wish that the mail says")
        choice = await world.desk.choose(world.who, Compose(customer, ""))
        assert choice.best is not None
        assert (choice.best.route.medium, choice.best.rule, choice.set_aside) == ("sms", "stated", None)
        source = await world.store.entry(EntryId(choice.best.facts["entry"]))
        assert source is not None
        assert source[1].text.startswith("Please text me")  # type: ignore[union-attr]

        sent = await world.desk.reply(world.who, "r1", Compose(customer, "It comes on Friday."))
        await standing(world, sent.id, Delivery.SENT)
        dead = AddressEvent("a1", PHONE, "no_such_address", at=world.clock.now())
        post.put(paper.report("s1", Delivery.FAILED, external_id=f"ext-{sent.id}-1", reason="no_such_address"))
        post.put_raw(RawItem(dead.identity, msgspec.msgpack.encode(dead), world.clock.now(), {"type": "address"}))
        await standing(world, sent.id, Delivery.FAILED)

        async def known_dead() -> bool:
            person = await world.store.customer(customer)
            return person is not None and any(linked.dead for linked in person.addresses)

        await until(known_dead)
        choice = await world.desk.choose(world.who, Compose(customer, ""))
        assert choice.best is not None
        assert choice.set_aside is not None
        assert (choice.best.route.medium, choice.set_aside.route.medium, choice.set_aside.reason) == (
            "email",
            "sms",
            "address_dead",
        )
        found = await world.desk.fallback(world.who, sent.id)
        assert found is not None
        assert (found.ranked.route.medium, found.text, found.subject) == ("email", "It comes on Friday.", "Parcel 55")
        other = await world.desk.reply(world.who, "f1", found.compose)
        await standing(world, other.id, Delivery.SENT)
        page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
        assert [(e.medium, page.states[e.id].state) for e in page.entries if isinstance(e, Reply)] == [
            ("sms", Delivery.CANCELLED),
            ("email", Delivery.SENT),
        ]
        assert page.about.spoken.language == "en"


async def test_a_number_that_another_agent_wrote_is_proposed_only_as_a_noted_reveal() -> None:
    async with office() as (world, post):
        reply = await failed(world, post, "your card 4111 1111 1111 1111 was charged")
        mine = await world.hub.desk.fallback(world.who, reply)
        assert mine is not None
        assert "4111 1111" in mine.text
        reader = Agent(AgentName("bo"), frozenset({"read"}))
        with pytest.raises(Refused, match="right: customer"):
            await world.hub.desk.fallback(reader, reply)
        assert "reveal" not in [line.act for line in await world.store.audited()]
        other = Agent(AgentName("bo"), frozenset({"read", "customer"}))
        assert await world.hub.desk.fallback(other, reply) == mine
        (line,) = [line for line in await world.store.audited() if line.act == "reveal"]
        assert (line.agent, line.detail) == ("bo", reply)


async def test_a_reply_without_numbers_is_proposed_to_who_may_read() -> None:
    async with office() as (world, post):
        reply = await failed(world, post)
        reader = Agent(AgentName("bo"), frozenset({"read"}))
        assert await world.hub.desk.fallback(reader, reply) is not None
