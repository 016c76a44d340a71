"""What heals by itself: a line that comes back, a disk that gets room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from agentconsole.desk import Compose, Sent
from agentconsole.domain.entries import Reply
from agentconsole.domain.model import (
    AccountName,
    Address,
    CustomerId,
    Delivery,
    EntryId,
)
from agentconsole.errors import ReadOnly, StoreFault, TemporaryFailure, UsageError
from agentconsole.hub import filing
from agentconsole.hub.disk import Disk
from agentconsole.hub.health import Health
from agentconsole.hub.profile import HubProfile
from agentconsole.ports import StoreHealth
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import DEADLINE, until


async def waiting_reply(world: World, reason: str) -> EntryId:
    """Queue a reply whose first attempt failed."""
    world.chat.put(paper.message("w1", PHONE, "hello", world.clock.now(), place="chat-1"))
    customer = await world.customer(PHONE)
    world.chat.before_commit = TemporaryFailure("down", reason=reason)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))

    async def tried() -> bool:
        return (await world.desk.sent(world.who, sent.id)).reason == reason

    await until(tried)
    world.chat.before_commit = None
    return sent.id


async def left(world: World, reply: EntryId) -> Sent:
    async def there() -> Sent | None:
        sent = await world.desk.sent(world.who, reply)
        return sent if sent.state == Delivery.SENT else None

    return await until(there, what="a reply that left")


async def test_a_reply_leaves_as_soon_as_the_account_answers_again(world: World) -> None:
    reply = await waiting_reply(world, "unreachable")
    world.chat.fetch_failure = TemporaryFailure("down", reason="unreachable")
    world.chat.new.set()

    async def state(wanted: str) -> bool:
        found = (await world.desk.status(world.who)).accounts
        return any(a.name == "wa" and a.state == wanted for a in found)

    await until(lambda: state("unreachable"))
    world.chat.fetch_failure = None
    assert world.chat.delivered == []
    world.clock.move(seconds=4)
    await left(world, reply)
    assert len(world.chat.delivered) == 1


async def test_sync_tries_at_once_what_the_line_held_up_and_never_what_a_provider_asked_to_wait(world: World) -> None:
    reply = await waiting_reply(world, "unreachable")
    await world.desk.sync(world.who, AccountName("wa"), 5.0)
    await left(world, reply)

    world.chat.before_commit = TemporaryFailure("slow down", reason="rate_limited", retry_after=60)
    customer = await world.customer(PHONE)
    slow = await world.desk.reply(world.who, "r2", Compose(customer, "more"))

    async def tried() -> bool:
        return (await world.desk.sent(world.who, slow.id)).reason == "rate_limited"

    await until(tried)
    world.chat.before_commit = None
    await world.desk.sync(world.who, AccountName("wa"), 5.0)
    await asyncio.sleep(0.05)
    assert (await world.desk.sent(world.who, slow.id)).state == Delivery.QUEUED
    assert len(world.chat.delivered) == 1


async def test_the_first_retry_comes_when_it_is_due(world: World) -> None:
    reply = await waiting_reply(world, "provider_busy")
    world.clock.move(seconds=13)
    await asyncio.sleep(0.05)
    assert world.chat.delivered == []
    world.clock.move(seconds=4)
    await left(world, reply)


class OneDamaged(MemoryStore):
    """A store in which one customer was set aside after damage."""

    damaged: CustomerId | None = None

    async def change(self, record: CustomerId, decide: Callable[..., Any]) -> Any:
        if record == self.damaged:
            raise ReadOnly("This customer was set aside.")
        return await super().change(record, decide)


async def test_a_damaged_customer_holds_up_nobody_else() -> None:
    clock = HandClock()
    store = OneDamaged(clock, CountingRandomness())
    async with running(store=store, clock=clock) as world:
        reply = await waiting_reply(world, "unreachable")
        store.damaged = await world.customer(PHONE)
        other = Address("phone", "", "+442079460199")
        world.chat.put(paper.message("w2", other, "and me?", clock.now(), place="chat-2"))
        customer = await world.customer(other)
        clock.move(seconds=20)
        sent = await world.desk.reply(world.who, "r2", Compose(customer, "you too"))
        await left(world, sent.id)
        assert [o.text for o in world.chat.delivered] == ["you too"]
        assert (await world.desk.sent(world.who, reply)).state == Delivery.QUEUED
        assert (await world.desk.status(world.who)).banner == ""


async def test_a_long_queue_of_one_account_hides_no_others(world: World) -> None:
    reply = await waiting_reply(world, "unreachable")
    world.mail.before_commit = TemporaryFailure("down", reason="unreachable")
    world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now()))
    customer = await world.customer(EMAIL)
    for number in range(501):
        await world.desk.reply(world.who, f"q{number}", Compose(customer, str(number)))
    assert (await world.desk.status(world.who)).outbox.queued == 502
    person = await world.customer(PHONE)
    world.clock.move(seconds=1)
    late = await world.desk.reply(world.who, "late", Compose(person, "you too"))
    await left(world, late.id)
    await left(world, reply)  # the line was seen to be up


class OneLost(MemoryStore):
    """A store in which one entry is in the outbox but not in the history."""

    lost: EntryId | None = None

    async def entry(self, entry: EntryId) -> Any:
        return None if entry == self.lost else await super().entry(entry)


async def test_a_reply_that_cannot_be_read_holds_up_nobody_else() -> None:
    clock = HandClock()
    store = OneLost(clock, CountingRandomness())
    async with running(store=store, clock=clock) as world:
        reply = await waiting_reply(world, "unreachable")
        store.lost = reply
        clock.move(seconds=20)
        customer = await world.customer(PHONE)
        other = await world.desk.reply(world.who, "r2", Compose(customer, "and more"))
        await left(world, other.id)
        assert [o.text for o in world.chat.delivered] == ["and more"]
        assert world.hub.health.banner == ""


async def test_a_time_without_a_zone_is_refused_and_one_on_disk_holds_up_nobody_else(world: World) -> None:
    reply = await waiting_reply(world, "unreachable")
    customer = await world.customer(PHONE)
    naive = datetime(2026, 3, 5)  # noqa: DTZ001
    with pytest.raises(UsageError, match="no time zone"):
        await world.desk.reply(world.who, "r2", Compose(customer, "later", not_before=naive))
    found = await world.store.entry(reply)
    assert found is not None
    assert isinstance(found[1], Reply)
    old = msgspec.structs.replace(found[1], id=EntryId("eold"), key="eold", not_before=naive)
    await world.store.change(found[0], lambda _snapshot: [old])
    sent = await world.desk.reply(world.who, "r3", Compose(customer, "now"))
    await left(world, sent.id)
    assert (await world.desk.sent(world.who, EntryId("eold"))).state == Delivery.QUEUED
    world.clock.move(hours=11)
    await left(world, EntryId("eold"))


async def test_what_waits_for_an_account_that_left_the_configuration_fails_and_lets_a_solo_hub_leave() -> None:
    clock = HandClock()
    store = MemoryStore(clock, CountingRandomness())
    async with running(store=store, clock=clock) as world:
        reply = await waiting_reply(world, "unreachable")
    solo = HubProfile(region="GB", free_floor=0, solo=True, linger_seconds=1)
    async with running(store=store, clock=clock, profile=solo, accounts=[paper.mail(paper.Post())]) as world:
        sent = await world.desk.sent(world.who, reply)
        assert (sent.state, sent.reason, sent.detail) == (Delivery.FAILED, "no_account", "wa")
        assert not await store.replies([Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN])


class SmallDisk(MemoryStore):
    free = 0

    async def health(self) -> StoreHealth:
        return msgspec.structs.replace(await super().health(), free_bytes=self.free)


async def test_a_full_disk_is_told_and_what_rested_is_called_once_it_has_room() -> None:
    clock = HandClock()
    store = SmallDisk(clock, CountingRandomness())
    health = Health([], clock)
    disk = Disk(store, 10_000_000, health, clock)
    with pytest.raises(StoreFault) as caught:
        await disk.check()
    assert (caught.value.message[:32], caught.value.hint[:10]) == ("Only 0 MB are free on the store'", "Free 10 MB")
    calls: list[str] = []
    watching = asyncio.ensure_future(disk.watch(lambda: calls.append(health.banner)))

    async def passed(wanted: list[str]) -> bool:
        clock.move(seconds=3)
        return calls == wanted

    health.raise_banner("sending_rests")
    health.raise_banner("audit_rests")
    assert health.banner == "sending_rests"
    health.lower_banner("sending_rests")
    assert health.banner == "disk_full"
    store.free = 10_000_000
    await until(lambda: passed([""]))
    store.free = 0
    disk.doubt()

    async def full() -> bool:
        return health.banner == "disk_full"

    await until(full)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert calls == [""]


async def test_a_bounce_of_nobody_waits_for_no_send_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that names a key needs no send to be recorded first, so it holds up no other account."""
    monkeypatch.setattr(filing, "SETTLE_DEADLINE", 100 * DEADLINE)
    mail, chat = paper.Post(), paper.Post()
    mail.hold = asyncio.Event()
    async with running(mail=mail, chat=chat) as world:
        mail.put(paper.message("m1", EMAIL, "hello", world.clock.now()))
        customer = await world.customer(EMAIL)
        await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
        mail.put(paper.report("b1", Delivery.FAILED, key="somebody-elses@example.com"))
        chat.put(paper.message("w1", PHONE, "are you there?", world.clock.now()))
        async with asyncio.timeout(DEADLINE):
            await world.customer(PHONE)
        assert mail.delivered == [], "the send is still in hand"
        mail.hold.set()


async def test_a_second_wish_to_stop_gives_up_what_is_in_hand() -> None:
    mail = paper.Post()
    mail.hold = asyncio.Event()
    async with running(mail=mail) as world:
        mail.put(paper.message("m1", EMAIL, "hello", world.clock.now()))
        customer = await world.customer(EMAIL)
        await world.desk.reply(world.who, "r1", Compose(customer, "hi"))

        async def sending() -> bool:
            return bool(await world.store.replies((Delivery.SENDING,)))

        await until(sending)
        world.hub.request_stop()
        await asyncio.sleep(0.1)
        assert not world.done.done()
        world.hub.request_stop(at_once=True)
        async with asyncio.timeout(DEADLINE):
            await world.done
        assert mail.delivered == []
