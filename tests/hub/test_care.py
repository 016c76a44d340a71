"""Erase, redact, take in the past, hold what may have left: over both stores, through the hub's socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from agentconsole.desk import Agent, Compose
from agentconsole.domain import facts
from agentconsole.domain.entries import (
    Note,
    Received,
    Redacted,
    Reply,
    Unreadable,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConsentScope,
    ConversationStatus,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
    Medium,
    Trust,
)
from agentconsole.errors import NotFound, OutcomeUnknown, Refused, TemporaryFailure, TryLater, UsageError
from agentconsole.hub.filing import entry_of
from agentconsole.ports import OwnCopy, Part, SpoolRecord
from agentconsole.seams import Steps
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.folders import quick_folder
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

CANARY = "canary-4821-feather"
START = paper.START
MAIL = AccountName("mail")


@asynccontextmanager
async def place(kind: str) -> AsyncIterator[World]:
    clock = HandClock()
    if kind == "memory":
        async with running(store=MemoryStore(clock, CountingRandomness()), clock=clock) as world:
            yield world
        return
    with quick_folder("acc-") as folder:
        store = EmbeddedStore(folder / "store", clock=clock, random=CountingRandomness(), steps=Steps())
        async with store, running(store=store, clock=clock) as world:
            yield world


@pytest.fixture(params=["memory", "embedded"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with place(request.param) as found:
        yield found


async def wrote(world: World, identity: str, sender: Address, text: str, **more: Any) -> Received:
    """Let a message arrive and return its entry."""
    post = world.mail if sender.kind == "email" else world.chat
    post.put(paper.message(identity, sender, text, world.clock.now(), **more))
    kind = "papermail" if sender.kind == "email" else "paperchat"

    async def there() -> Received | None:
        found = await world.store.entry(entry_of(kind, identity))
        return found[1] if found is not None and isinstance(found[1], Received) else None

    return await until(there, what=f"the message {identity}")


async def state_of(world: World, reply: EntryId) -> tuple[Delivery, str]:
    sent = await world.desk.sent(world.who, reply)
    return sent.state, sent.reason


async def becomes(world: World, reply: EntryId, state: Delivery) -> None:
    async def there() -> bool:
        return (await state_of(world, reply))[0] == state

    await until(there, what=f"{reply} {state}")


async def held_up(world: World, request: str, customer: CustomerId, text: str = "soon") -> EntryId:
    """Queue a reply that fails provably and waits."""
    world.mail.before_commit = world.chat.before_commit = TemporaryFailure("down", reason="unreachable")
    sent = await world.desk.reply(world.who, request, Compose(customer, text, anyway=True))

    async def tried() -> bool:
        return (await state_of(world, sent.id)) == (Delivery.QUEUED, "unreachable")

    await until(tried)
    return sent.id


def archive(identity: str, sender: Address, text: str, **more: Any) -> bytes:
    return msgspec.msgpack.encode(paper.message(identity, sender, text, **more))


# -- start after a restore ----------------------------------------------------------------------------------


async def older(mail: paper.Post, chat: paper.Post, **capable: Any) -> tuple[MemoryStore, HandClock, list[EntryId]]:
    """Return a store as a backup holds it: one reply queued, one claimed, one committed."""
    clock = HandClock()
    store = MemoryStore(clock, CountingRandomness())
    accounts = [paper.mail(mail), paper.chat(chat, **capable)]
    async with running(store=store, clock=clock, mail=mail, chat=chat, accounts=accounts) as world:
        await wrote(world, "m1", EMAIL, "hello")
        await wrote(world, "w1", PHONE, "hello", place="chat-1")
        queued = await held_up(world, "r1", await world.customer(EMAIL), "queued")
        chat.before_commit, chat.hold = None, asyncio.Event()
        committed = (await world.desk.reply(world.who, "r2", Compose(await world.customer(PHONE), "committed"))).id

        async def sending() -> bool:
            found = await store.replies([Delivery.SENDING])
            return bool(found) and found[0].record.committed

        await until(sending)
    mail.before_commit, chat.hold = None, None
    return store, clock, [queued, committed]


@pytest.mark.parametrize("why", ["restored", "copied"])
async def test_after_a_restore_nothing_is_sent_and_everything_unfinished_is_held(why: str):
    mail, chat = paper.Post(), paper.Post()
    capable = {"idempotency": "same_answer"}  # also a medium that could repeat: its keys are older than its memory
    store, clock, replies = await older(mail, chat, **capable)
    store.older_because = why
    clock.move(minutes=1)
    accounts = [paper.mail(mail), paper.chat(chat, **capable)]
    async with running(store=store, clock=clock, mail=mail, chat=chat, accounts=accounts) as world:
        for reply in replies:
            assert await state_of(world, reply) == (Delivery.UNCERTAIN, why)
        clock.move(hours=5)
        await world.desk.sync(world.who, AccountName(""), 5.0)
        assert (mail.delivered, chat.delivered) == ([], [])
        assert (await world.desk.status(world.who)).banner == "held_after_restore"
        assert await store.origin() == ""
        await world.desk.resend(world.who, "again", replies[0])
        await becomes(world, replies[0], Delivery.SENT)
        assert [o.text for o in mail.delivered] == ["queued"]
        await world.desk.mark_sent(world.who, "arrived", replies[1])
        assert (await world.desk.status(world.who)).banner == ""
    async with running(store=store, clock=clock, mail=mail, chat=chat, accounts=accounts) as world:
        assert (await world.desk.status(world.who)).outbox.uncertain == 0
        assert len(mail.delivered) == 1


class DiesWhileHolding(MemoryStore):
    """A store whose process dies after the first reply was held."""

    changes = 0

    async def change(self, record: CustomerId, decide: Any) -> Any:
        if self.older_because:
            self.changes += 1
            if self.changes > 1:
                raise RuntimeError("killed")
        return await super().change(record, decide)


async def test_a_crash_while_holding_is_repeated_and_the_store_is_adopted_last():
    mail, chat = paper.Post(), paper.Post()
    store, clock, replies = await older(mail, chat)
    store.__class__ = DiesWhileHolding
    store.older_because = "restored"
    with pytest.raises(RuntimeError):
        async with running(store=store, clock=clock, mail=mail, chat=chat):
            pass
    assert await store.origin() == "restored"
    store.__class__ = MemoryStore
    async with running(store=store, clock=clock, mail=mail, chat=chat) as world:
        assert {await state_of(world, reply) for reply in replies} == {(Delivery.UNCERTAIN, "restored")}
        assert (mail.delivered, chat.delivered) == ([], [])


# -- proof --------------------------------------------------------------------------------------------------


async def uncertain(world: World, sender: Address, request: str = "r1") -> Reply:
    """Return a reply whose line was cut after it had left."""
    await wrote(world, f"first-{request}", sender, "hello", place="chat-1" if sender.kind == "phone" else "")
    post = world.mail if sender.kind == "email" else world.chat
    post.lost_answer = OutcomeUnknown("the line was cut", reason="line_cut")
    sent = await world.desk.reply(world.who, request, Compose(await world.customer(sender), "the answer"))
    await becomes(world, sent.id, Delivery.UNCERTAIN)
    post.lost_answer = None
    found = await world.store.entry(sent.id)
    assert found is not None
    assert isinstance(found[1], Reply)
    return found[1]


@pytest.mark.parametrize("sender", [EMAIL, PHONE], ids=["mail", "chat"])
async def test_an_answer_that_quotes_an_uncertain_reply_proves_it(world: World, sender: Address):
    reply = await uncertain(world, sender)
    await wrote(world, "m2", sender, "thanks", message_ids=("unknown@x", reply.key))
    assert await state_of(world, reply.id) == (Delivery.DELIVERED, "answered")


async def test_a_robot_that_quotes_an_uncertain_reply_proves_nothing(world: World):
    reply = await uncertain(world, EMAIL)
    await wrote(world, "m2", EMAIL, "no such user", message_ids=(reply.key,), automatic=True)
    assert (await state_of(world, reply.id))[0] == Delivery.UNCERTAIN


async def test_a_mail_that_is_said_to_be_forged_proves_nothing(world: World):
    reply = await uncertain(world, EMAIL)
    await wrote(world, "m2", EMAIL, "thanks", message_ids=(reply.key,), trust=Trust.AMBIGUOUS)
    assert (await state_of(world, reply.id))[0] == Delivery.UNCERTAIN


async def test_an_answer_from_another_address_of_the_same_person_proves_it_too(world: World):
    reply = await uncertain(world, EMAIL)
    await world.desk.link(world.who, "l1", await world.customer(EMAIL), str(PHONE))
    await wrote(world, "w2", PHONE, "you wrote me", message_ids=(reply.key,), place="chat-1")
    assert (await state_of(world, reply.id))[0] == Delivery.DELIVERED


@pytest.mark.parametrize("stranger", [Address("email", "", "mallory@example.net"), PHONE], ids=["mail", "chat"])
async def test_a_stranger_who_quotes_an_uncertain_reply_proves_nothing(world: World, stranger: Address):
    """An id is no secret: it stands in exports and forwarded threads."""
    reply = await uncertain(world, EMAIL)
    place = "chat-1" if stranger == PHONE else ""
    await wrote(world, "w2", stranger, "I saw it", message_ids=(reply.key,), place=place)
    assert (await state_of(world, reply.id))[0] == Delivery.UNCERTAIN


async def test_a_report_proves_an_uncertain_reply(world: World):
    reply = await uncertain(world, PHONE)
    world.chat.put(paper.report("d1", Delivery.DELIVERED, key=reply.key))
    await becomes(world, reply.id, Delivery.DELIVERED)


async def test_an_own_copy_proves_an_uncertain_reply(world: World, monkeypatch: pytest.MonkeyPatch):
    reply = await uncertain(world, EMAIL)
    copy = OwnCopy("copy-1", reply.key, world.clock.now())

    def own(_item: Any) -> list[OwnCopy]:
        return [copy]

    parser: Any = world.hub._parser
    monkeypatch.setattr(parser, "_kinds", {"papermail": replace(parser._kinds["papermail"], parse=own)})
    world.mail.put(paper.message("copy-1", EMAIL, ""))
    await becomes(world, reply.id, Delivery.SENT)
    assert (await state_of(world, reply.id))[1] == "own_copy"


async def test_a_failed_reply_that_never_left_is_proven_by_nothing_but_an_attempt(world: World):
    """A scheduled reply that nobody tried cannot have been answered, whatever somebody quotes."""
    await wrote(world, "m1", EMAIL, "hello")
    later = world.clock.now() + timedelta(hours=1)
    sent = await world.desk.reply(world.who, "r1", Compose(await world.customer(EMAIL), "later", not_before=later))
    found = await world.store.entry(sent.id)
    assert found is not None
    assert isinstance(found[1], Reply)
    await wrote(world, "m2", EMAIL, "made up", message_ids=(found[1].key,))
    assert (await state_of(world, sent.id))[0] == Delivery.QUEUED


# -- erase --------------------------------------------------------------------------------------------------


async def test_erasing_takes_everything_and_says_what_it_cannot_reach(world: World):
    desk, who = world.desk, world.who
    first = await wrote(world, "m1", EMAIL, f"my secret is {CANARY}", subject=CANARY, sender_name=f"Emily {CANARY}")
    await wrote(world, "w1", PHONE, "other person", place="chat-1")
    customer = await world.customer(EMAIL)
    await desk.note(who, "n1", customer, first.conversation, f"note {CANARY}")
    draft = Draft(AgentName(who.name), customer, first.conversation, f"draft {CANARY}", 1, world.clock.now())
    assert await desk.save_draft(who, draft)
    await held_up(world, "r1", customer, f"reply {CANARY}")
    await desk.search(who, CANARY, 5)

    erased = await desk.erase(who, "e1", customer)
    assert (erased.customer, erased.drafts) == (customer, 1)
    assert erased.entries >= 4
    assert any("us@example.com" in sentence for sentence in erased.left)
    assert any("ackup" in sentence for sentence in erased.left)
    with pytest.raises(NotFound):
        await desk.timeline(who, customer, EntryId(""), 10)
    assert await desk.search(who, CANARY, 5) == ()
    assert [line for line in await desk.outbox(who, ()) if line.customer == customer] == []
    assert (await desk.drafts(who)) == ()
    assert all(CANARY not in line.detail for line in await world.store.audited(100))
    world.mail.before_commit = None
    world.clock.move(hours=2)
    await desk.sync(who, MAIL, 5.0)
    assert world.mail.delivered == []

    again = await desk.erase(who, "e1", customer)
    assert (again.entries, again.files, again.drafts) == (erased.entries, erased.files, erased.drafts)
    with pytest.raises(NotFound):
        await desk.erase(who, "e2", customer)


async def test_who_was_erased_is_a_new_customer_when_they_write_again_and_old_mail_stays_away(world: World):
    await wrote(world, "m1", EMAIL, "old")
    customer = await world.customer(EMAIL)
    await world.desk.erase(world.who, "e1", customer)
    world.mail.put(paper.message("m1", EMAIL, "old"))  # fetched again
    await wrote(world, "m2", EMAIL, "new")
    later = await world.customer(EMAIL)
    assert later != customer
    page = await world.desk.timeline(world.who, later, EntryId(""), 10)
    assert [entry.text for entry in page.entries if isinstance(entry, Received)] == ["new"]
    assert (await world.desk.deposit(world.who, "d1", MAIL, [archive("m1", EMAIL, "old")])).known == 1
    assert await world.store.customer(customer) is None


async def test_an_erasure_names_the_messages_of_others_that_speak_of_them(world: World):
    await wrote(world, "m1", EMAIL, "hello")
    told = await wrote(world, "w1", PHONE, "ask emily@example.com", place="chat-1")
    world.mail.put_raw(msgspec.structs.replace(world.mail.box[0], identity="torn", payload=b"\xff", meta={}))

    async def torn() -> bool:
        return await world.store.find(Address("unreadable", "", "mail")) is not None

    await until(torn)
    erased = await world.desk.erase(world.who, "e1", await world.customer(EMAIL))
    assert any(f"redact {told.id}" in sentence for sentence in erased.left)
    assert any("could not be read" in sentence for sentence in erased.left)


async def test_nobody_is_erased_while_a_reply_to_them_is_being_sent(world: World):
    await wrote(world, "m1", EMAIL, "hello")
    customer = await world.customer(EMAIL)
    world.mail.hold = asyncio.Event()
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "leaving"))

    async def sending() -> bool:
        return bool(await world.store.replies([Delivery.SENDING]))

    await until(sending)
    with pytest.raises(TryLater, match="being sent"):
        await world.desk.erase(world.who, "e1", customer)
    world.mail.hold.set()
    await becomes(world, sent.id, Delivery.SENT)
    await world.desk.erase(world.who, "e1", customer)


async def test_a_reply_that_vanishes_between_two_steps_of_sending_is_not_sent_and_brings_nobody_back(world: World):
    """The outbox was read, another reply is being sent, and meanwhile the next one's customer is erased."""
    bo = Address("email", "", "bo@example.com")
    await wrote(world, "m1", EMAIL, "hello")
    await wrote(world, "m2", bo, "hello")
    people = [await world.customer(EMAIL), await world.customer(bo)]
    later = world.clock.now() + timedelta(minutes=5)
    replies = {}
    for customer in people:
        compose = Compose(customer, customer, not_before=later)
        replies[customer] = (await world.desk.reply(world.who, f"r-{customer}", compose)).id
    world.mail.hold = asyncio.Event()
    world.clock.move(minutes=10)

    async def sending() -> CustomerId | None:
        world.clock.move(seconds=31)
        found = await world.store.replies([Delivery.SENDING])
        return found[0].customer if found else None

    leaving = await until(sending)
    assert leaving is not None
    (other,) = [customer for customer in people if customer != leaving]
    await world.desk.erase(world.who, "e1", other)
    world.mail.hold.set()
    await becomes(world, replies[leaving], Delivery.SENT)
    world.clock.move(minutes=10)
    await world.desk.sync(world.who, MAIL, 5.0)
    assert [o.text for o in world.mail.delivered] == [leaving]
    assert await world.store.customer(other) is None
    assert await world.store.snapshot(other) is None


async def test_a_change_that_comes_after_an_erasure_brings_nobody_back(world: World):
    first = await wrote(world, "m1", EMAIL, "hello")
    customer = await world.customer(EMAIL)
    await world.desk.erase(world.who, "e1", customer)
    late = Note(
        id=EntryId("elate"),
        at=world.clock.now(),
        agent=AgentName("ana"),
        conversation=first.conversation,
        text=CANARY,
    )
    with pytest.raises(NotFound, match="was erased"):
        await world.hub.desk.append(customer, late)
    assert await world.store.snapshot(customer) is None


async def test_every_joined_record_is_erased_and_the_old_calls_bring_nobody_back(world: World):
    desk, who = world.desk, world.who
    first = await wrote(world, "m1", EMAIL, "hello")
    await wrote(world, "w1", PHONE, "hello", place="chat-1")
    mail, chat = await world.customer(EMAIL), await world.customer(PHONE)
    await desk.merge(who, "j1", mail, chat)
    await desk.erase(who, "e1", mail)
    for gone in (mail, chat):
        assert await world.store.customer(gone) is None
    draft = Draft(AgentName(who.name), mail, first.conversation, CANARY, 2, world.clock.now())
    for call in (
        desk.note(who, "n1", mail, first.conversation, CANARY),
        desk.save_draft(who, draft),
        desk.attach(who, mail, "f.txt", "text/plain", b"x"),
        desk.rename(who, "n2", chat, CANARY),
        desk.reply(who, "r9", Compose(mail, CANARY)),
    ):
        with pytest.raises(NotFound):
            await call
    assert await world.store.customer(mail) is None
    assert (await world.store.health()).customers == 0


async def test_erasing_needs_the_right(world: World):
    await wrote(world, "m1", EMAIL, "hello")
    customer = await world.customer(EMAIL)
    weak = Agent(AgentName("bo"), frozenset({"read", "reply", "customer"}))
    for call in (
        world.hub.desk.erase(weak, "e1", customer),
        world.hub.desk.accept(weak, "a1", customer, False),
        world.hub.desk.deposit(weak, "d1", MAIL, []),
    ):
        with pytest.raises(Refused, match="right: operate"):
            await call
    reader = Agent(AgentName("bo"), frozenset({"read"}))
    with pytest.raises(Refused, match="right: customer"):
        await world.hub.desk.redact(reader, "x1", EntryId("e"), "")
    assert await world.store.customer(customer) is not None


async def test_what_was_set_aside_of_an_erased_customer_is_dropped_and_the_rest_is_kept(world: World):
    await wrote(world, "m1", EMAIL, "hello")
    await wrote(world, "w1", PHONE, "hello", place="chat-1")
    customer = await world.customer(EMAIL)
    stranger = Address("email", "", "bo@example.com")
    items = [
        world.mail.box[0],
        paper_item("m7", EMAIL, CANARY),
        paper_item("m8", stranger, "somebody else's"),
    ]
    # Of an account that is gone: nothing of it can be filed.
    await world.store.spool(SpoolRecord("s-gone", AccountName("gone"), "papermail", tuple(items)))
    broken = msgspec.structs.replace(items[0], payload=b"\xff", meta={})
    await world.store.spool(SpoolRecord("s-broken", AccountName("gone"), "papermail", (broken,)))
    erased = await world.desk.erase(world.who, "e1", customer)
    assert any("s-broken" in sentence for sentence in erased.left)
    left = [await world.store.spool_record(batch) for batch in await world.store.spool_aside()]
    kept = [item.identity for record in left for item in record.items if item.meta]
    assert kept == ["m8"]
    assert not any(CANARY.encode() in item.payload for record in left for item in record.items)


def paper_item(identity: str, sender: Address, text: str) -> Any:
    post = paper.Post()
    post.put(paper.message(identity, sender, text))
    return post.box[0]


# -- redact -------------------------------------------------------------------------------------------------


async def test_redacting_leaves_that_it_was_there_and_nothing_of_what_it_said(world: World):
    desk, who = world.desk, world.who
    parts = (paper_part(f"{CANARY}.pdf", CANARY.encode()),)
    told = f"My ID is {CANARY} 48214821, call +44 20 7946 0199"
    entry = await wrote(world, "m1", EMAIL, told, subject=CANARY, parts=parts)
    await wrote(world, "m2", EMAIL, "and another thing")
    customer = await world.customer(EMAIL)
    world.clock.move(minutes=5)
    await desk.redact(who, "x1", entry.id, "an ID number that nobody needs")
    await desk.redact(who, "x2", entry.id, "said twice")
    page = await desk.timeline(who, customer, EntryId(""), 20)
    emptied = next(one for one in page.entries if one.id == entry.id)
    assert isinstance(emptied, Received)
    assert (emptied.at, emptied.account, emptied.sender, emptied.conversation) == (
        entry.at,
        entry.account,
        entry.sender,
        entry.conversation,
    )
    assert (emptied.text, emptied.subject, emptied.attachments, emptied.mentions, emptied.raw) == ("", "", (), (), "")
    marks = [one for one in page.entries if isinstance(one, Redacted)]
    assert [(mark.entry, mark.by, mark.why) for mark in marks] == [
        (entry.id, who.name, "an ID number that nobody needs")
    ]
    assert page.removed == {entry.id: marks[0]}
    assert CANARY not in str(page)
    assert CANARY not in str(await desk.queue(who, "all", 0, 10))
    assert await desk.search(who, "48214821", 5) == ()
    assert len(await desk.search(who, "another", 5)) == 1
    for blob in (entry.raw, entry.attachments[0].blob):
        with pytest.raises(NotFound):
            await desk.blob(who, customer, blob, 0, 100)
    assert not await world.store.mentioned(Address("phone", "", "+442079460199"))
    assert facts.known(page.entries) == ()


def paper_part(name: str, data: bytes) -> Any:
    return Part(name, "application/pdf", data)


async def test_a_reply_and_a_note_can_be_redacted_but_not_one_that_may_still_leave(world: World):
    desk, who = world.desk, world.who
    first = await wrote(world, "m1", EMAIL, "hello")
    customer = await world.customer(EMAIL)
    sent = await desk.reply(who, "r1", Compose(customer, f"wrong words {CANARY}"))
    await becomes(world, sent.id, Delivery.SENT)
    note = await desk.note(who, "n1", customer, first.conversation, CANARY)
    waiting = await held_up(world, "r2", customer, "waits")
    with pytest.raises(Refused, match="may still be sent"):
        await desk.redact(who, "x1", waiting, "")
    await desk.cancel(who, "c1", waiting)
    for number, entry in enumerate((sent.id, note, waiting)):
        await desk.redact(who, f"y{number}", entry, "")
    page = await desk.timeline(who, customer, EntryId(""), 30)
    texts = [one.text for one in page.entries if isinstance(one, Reply | Note)]
    assert texts == ["", "", ""]
    assert page.states[sent.id].state == Delivery.SENT
    assert set(page.removed) == {sent.id, note, waiting}


async def test_what_says_nothing_cannot_be_redacted(world: World):
    await wrote(world, "m1", EMAIL, "hello")
    customer = await world.customer(EMAIL)
    await world.desk.link(world.who, "l1", customer, "bo@example.com")
    page = await world.desk.timeline(world.who, customer, EntryId(""), 10)
    linked = next(one for one in page.entries if not isinstance(one, Received))
    with pytest.raises(Refused, match="what a message"):
        await world.desk.redact(world.who, "x1", linked.id, "")
    with pytest.raises(NotFound):
        await world.desk.redact(world.who, "x2", EntryId("enone"), "")


# -- the past -----------------------------------------------------------------------------------------------


async def test_past_messages_are_history_that_opens_nothing_and_each_is_there_once(world: World):
    desk, who = world.desk, world.who
    await wrote(world, "m1", EMAIL, "came by itself")
    customer = await world.customer(EMAIL)
    before = await desk.queue(who, "waiting", 0, 10)
    years = START - timedelta(days=900)
    batch = [archive(f"p{n}", EMAIL, f"old {n}", at=years + timedelta(hours=n)) for n in range(5)]
    batch += [archive("m1", EMAIL, "came by itself"), b"\xc1 no message"]
    found = await desk.deposit(who, "d1", MAIL, batch)
    assert (found.new, found.known, found.unreadable) == (5, 1, 1)
    found = await desk.deposit(who, "d2", MAIL, batch)
    assert (found.new, found.known, found.unreadable) == (0, 7, 0)
    world.mail.put(paper.message("p3", EMAIL, "old 3", years))  # now the mailbox has it too
    await wrote(world, "m2", EMAIL, "news")
    page = await desk.timeline(who, customer, EntryId(""), 50)
    texts = [one.text for one in page.entries if isinstance(one, Received)]
    assert texts == [*(f"old {n}" for n in range(5)), "came by itself", "news"]
    old = [one for one in page.entries if isinstance(one, Received) and one.past]
    assert len(old) == 5
    assert len({one.conversation for one in old}) == 1, "one conversation for what was written in one week"
    assert old[0].conversation != next(c.id for c in page.customer.conversations if c.status == ConversationStatus.OPEN)
    after = await desk.queue(who, "waiting", 0, 10)
    assert [line.conversation for line in after.lines] == [line.conversation for line in before.lines]
    assert (await desk.queue(who, "open", 0, 10)).total == 1


async def test_a_stop_from_the_past_counts_at_its_time_and_a_later_word_wins():
    clock = HandClock()
    chat = paper.Post()
    async with running(store=MemoryStore(clock, CountingRandomness()), clock=clock, chat=chat) as world:
        desk, who = world.desk, world.who
        await wrote(world, "w1", PHONE, "hello", place="chat-1")
        customer = await world.customer(PHONE)
        await desk.consent(who, "c1", customer, Medium("whatsapp"), ConsentScope.ALL, True)
        stop = archive("w0", PHONE, "STOP", at=START - timedelta(days=30), place="chat-1")
        assert (await desk.deposit(who, "d1", AccountName("wa"), [stop])).new == 1
        person = await world.store.customer(customer)
        assert person is not None
        assert all(consent.allowed for consent in person.consents)
        other = Address("phone", "", "+442079460188")
        stop = archive("w9", other, "STOP", at=START - timedelta(days=30), place="chat-2")
        await desk.deposit(who, "d2", AccountName("wa"), [stop])
        person = await world.store.customer(await world.customer(other))
        assert person is not None
        assert [(c.allowed, c.at) for c in person.consents] == [(False, START - timedelta(days=30))]


async def test_a_large_message_comes_in_parts_and_a_lost_one_begins_again(world: World):
    desk, who = world.desk, world.who
    data = archive("big", EMAIL, "x" * 1_200_000)
    step = 500_000
    with pytest.raises(TryLater, match="parts before"):
        await desk.deposit_large(who, "d1", MAIL, len(data), len(data), step, data[step : 2 * step])
    for _ in range(2):
        for offset in range(0, len(data), step):
            part = data[offset : offset + step]
            found = await desk.deposit_large(who, "d1", MAIL, len(data), len(data), offset, part)
        assert found.new + found.known == 1
    customer = await world.customer(EMAIL)
    page = await desk.timeline(who, customer, EntryId(""), 10)
    (entry,) = [one for one in page.entries if isinstance(one, Received)]
    assert len(entry.text) < 20_000
    whole = ""
    while part_of := await desk.text(who, entry.id, len(whole), 100_000):
        whole += part_of
    assert whole == "x" * 1_200_000
    with pytest.raises(UsageError):
        await desk.deposit_large(who, "d2", MAIL, 30_000_000, 26_000_000, 0, b"x")
    with pytest.raises(UsageError):
        await desk.deposit(who, "d3", MAIL, [b"x" * 300_000, b"y" * 300_000])


async def test_what_nobody_can_read_of_the_past_waits_for_nobody(world: World):
    await world.desk.deposit(world.who, "d1", MAIL, [b"\xc1 no message"])
    assert (await world.desk.queue(world.who, "waiting", 0, 10)).lines == ()
    page = await world.desk.queue(world.who, "all", 0, 10)
    entries = (await world.desk.timeline(world.who, page.lines[0].customer, EntryId(""), 10)).entries
    assert [one.past for one in entries if isinstance(one, Unreadable)] == [True]
