"""What cannot be filed costs only itself, is counted, and is tried again at the next start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agentconsole.desk import Compose
from agentconsole.domain.entries import Received, Reply
from agentconsole.domain.model import (
    AccountName,
    Address,
    CustomerId,
    Delivery,
    EntryId,
    derive_id,
)
from agentconsole.errors import OutcomeUnknown, ReadOnly, StoreFault, TryLater
from agentconsole.hub.parser import InlineParser
from agentconsole.ports import Cursor, Inbound, Parsed, RawItem, SpoolRecord
from agentconsole.seams import Steps
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

OTHER = Address("email", "", "bob@example.com")
THIRD = Address("email", "", "carol@example.com")


class Faulty(MemoryStore):
    """A store that refuses to write some customers."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock, CountingRandomness())
        self.faults: dict[CustomerId, Exception] = {}
        self.tried: list[CustomerId] = []

    async def change(self, record: CustomerId, decide: Callable[..., Any]) -> Any:
        self.tried.append(record)
        if record in self.faults:
            raise self.faults[record]
        return await super().change(record, decide)


def raw(message: Inbound) -> RawItem:
    return RawItem(message.identity, msgspec.msgpack.encode(message), paper.START, {"type": "in"})


def arrive(world: World, *messages: Inbound) -> None:
    """Let messages arrive in one batch."""
    world.mail.box.extend(raw(message) for message in messages)
    world.mail.new.set()


async def aside(world: World, count: int) -> None:
    async def told() -> bool:
        spool = (await world.desk.status(world.who)).spool
        return (spool.waiting, spool.set_aside) == (0, count)

    await until(told, what=f"{count} batches set aside and none waiting")


async def texts(store: MemoryStore | EmbeddedStore, address: Address) -> list[str]:
    record = await store.find(address)
    page = await store.history(record) if record is not None else None
    return [e.text for e in page.entries if isinstance(e, Received)] if page is not None else []


@pytest.mark.parametrize("fault", [ReadOnly("This customer was set aside."), RuntimeError("a bug")])
async def test_one_item_that_cannot_be_filed_is_set_aside_alone_and_filed_at_a_later_start(fault: Exception) -> None:
    clock = HandClock()
    store = Faulty(clock)
    mail = paper.Post()
    async with running(store=store, clock=clock, mail=mail) as world:
        arrive(world, paper.message("m1", EMAIL, "first"))
        damaged = await world.customer(EMAIL)
        store.faults[damaged] = fault
        arrive(world, paper.message("m2", EMAIL, "second"), paper.message("m3", OTHER, "and me?"))
        await world.customer(OTHER)
        await aside(world, 1)
        [kept] = await store.spool_aside()
        assert [item.identity for item in (await store.spool_record(kept)).items] == ["m2"]
        assert await store.cursor(AccountName("mail")) == Cursor("3")
    async with running(store=store, clock=clock, mail=mail) as world:
        await aside(world, 1)
        store.tried.clear()
        arrive(world, paper.message("m4", THIRD, "hello"))
        await world.customer(THIRD)
        assert damaged not in store.tried
    store.faults.clear()
    async with running(store=store, clock=clock, mail=mail) as world:
        await aside(world, 0)
        assert await texts(store, EMAIL) == ["first", "second"]


async def test_a_bug_that_passes_sets_nothing_aside() -> None:
    clock = HandClock()
    store = Faulty(clock)
    async with running(store=store, clock=clock) as world:
        arrive(world, paper.message("m1", EMAIL, "first"))
        record = await world.customer(EMAIL)

        class Once(dict[CustomerId, Exception]):
            def __getitem__(self, key: CustomerId) -> Exception:
                return self.pop(key)

        store.faults = Once({record: RuntimeError("a bug")})
        arrive(world, paper.message("m2", EMAIL, "second"))

        async def filed() -> bool:
            return await texts(store, EMAIL) == ["first", "second"]

        await until(filed)
        await aside(world, 0)


async def test_a_disk_that_refuses_one_customer_holds_up_no_other() -> None:
    clock = HandClock()
    store = Faulty(clock)
    async with running(store=store, clock=clock) as world:
        arrive(world, paper.message("m1", EMAIL, "first"))
        record = await world.customer(EMAIL)
        store.faults[record] = StoreFault("The disk has a bad block.")
        arrive(world, paper.message("m2", EMAIL, "second"), paper.message("m3", OTHER, "and me?"))
        await world.customer(OTHER)
        world.chat.put(paper.message("w1", PHONE, "and me?"))

        async def theirs() -> bool:
            clock.move(seconds=6)
            return await texts(store, PHONE) == ["and me?"]

        await until(theirs)
        assert (await world.desk.status(world.who)).spool.set_aside == 0
        store.faults.clear()

        async def filed() -> bool:
            clock.move(seconds=6)
            return await texts(store, EMAIL) == ["first", "second"]

        await until(filed)


async def test_intake_rests_soon_on_a_disk_that_refuses_everything() -> None:
    clock = HandClock()
    store = Faulty(clock)

    class Full(dict[CustomerId, Exception]):
        def __contains__(self, _key: object) -> bool:
            return True

        def __getitem__(self, _key: CustomerId) -> Exception:
            return StoreFault("The disk is full.")

    store.faults = Full()
    async with running(store=store, clock=clock) as world:
        senders = [Address("email", "", f"c{number}@example.com") for number in range(10)]
        arrive(world, *(paper.message(s.value, s, "hello") for s in senders))

        async def tried() -> bool:
            return len(store.tried) >= 5

        await until(tried)
        await asyncio.sleep(0.05)
        assert len(store.tried) == 5
        store.faults = {}
        clock.move(seconds=6)
        await world.customer(senders[-1])
        await aside(world, 0)


async def test_a_damaged_customer_whose_text_names_an_address_costs_its_owner_nothing() -> None:
    clock = HandClock()
    store = Faulty(clock)
    async with running(store=store, clock=clock) as world:
        arrive(world, paper.message("m1", EMAIL, "call +442079460182"))
        store.faults[await world.customer(EMAIL)] = ReadOnly("This customer was set aside.")
        world.chat.put(paper.message("w1", PHONE, "hello"))
        await world.customer(PHONE)
        await aside(world, 0)
        assert await texts(store, PHONE) == ["hello"]


async def test_an_answer_that_proves_a_reply_of_a_damaged_record_is_filed_with_its_own() -> None:
    """One person of two records, of which one is damaged: what comes to the other goes on."""
    clock = HandClock()
    store = Faulty(clock)
    async with running(store=store, clock=clock) as world:
        arrive(world, paper.message("m1", EMAIL, "hello"))
        world.chat.put(paper.message("w1", PHONE, "hello", place="chat-1"))
        first, second = await world.customer(EMAIL), await world.customer(PHONE)
        world.mail.lost_answer = OutcomeUnknown("cut", reason="line_cut")
        sent = await world.desk.reply(world.who, "r1", Compose(first, "the answer"))

        async def is_uncertain() -> bool:
            return (await world.desk.sent(world.who, sent.id)).state == Delivery.UNCERTAIN

        await until(is_uncertain)
        await world.desk.merge(world.who, "m1", second, first)
        found = await store.entry(sent.id)
        assert found is not None
        assert isinstance(found[1], Reply)
        store.faults[found[0]] = ReadOnly("This customer was set aside.")
        world.chat.put(paper.message("w2", PHONE, "thanks", message_ids=(found[1].key,), place="chat-1"))

        async def filed() -> bool:
            return "thanks" in await texts(store, PHONE)

        await until(filed)
        await aside(world, 0)


async def test_batches_of_an_account_that_is_gone_are_kept_until_it_is_back() -> None:
    clock = HandClock()
    store = Faulty(clock)
    mail = paper.Post()
    item = raw(paper.message("m1", EMAIL, "hello"))
    await store.spool(SpoolRecord("b1", AccountName("mail"), "papermail", (item,)))
    for _ in range(2):
        async with running(store=store, clock=clock, accounts=[paper.chat(paper.Post())]) as world:
            await aside(world, 1)
    async with running(store=store, clock=clock, mail=mail) as world:
        await world.customer(EMAIL)
        await aside(world, 0)


async def test_a_damaged_spool_file_holds_up_nobody_and_is_counted_after_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    root = tmp_path / "store"

    def make() -> EmbeddedStore:
        return EmbeddedStore(root, clock=clock, random=CountingRandomness(), steps=Steps())

    async with make() as store:
        for name, address in (("b1", EMAIL), ("b2", OTHER), ("b3", THIRD)):
            item = raw(paper.message(name, address, "hello"))
            await store.spool(SpoolRecord(name, AccountName("mail"), "papermail", (item,)))

    def damage() -> None:
        first, second, _ = sorted((root / "spool").glob("*.batch"))
        data = bytearray(first.read_bytes())
        data[-1] ^= 1
        first.write_bytes(bytes(data))
        second.write_bytes(b"\x00")

    await asyncio.to_thread(damage)
    async with make() as store, running(store=store, clock=clock) as world:
        await world.customer(THIRD)
        await aside(world, 2)
        gone = root / "spool"
        await store.spool(SpoolRecord("b4", AccountName("gone"), "papermail", (raw(paper.message("b4", PHONE, "x")),)))
        await asyncio.to_thread(lambda: [path.unlink() for path in gone.glob("*.batch")])
        world.chat.put(paper.message("w1", PHONE, "hello"))
        await world.customer(PHONE)
    async with make() as store, running(store=store, clock=clock) as world:
        await aside(world, 2)
        assert await store.find(EMAIL) is None


class Busy(InlineParser):
    """Stands for a machine on which no parse worker starts."""

    refuse = True

    async def parse(self, kind: str, item: RawItem) -> Sequence[Parsed]:
        if self.refuse:
            raise TryLater("No parse worker starts.")
        return await super().parse(kind, item)


async def test_while_no_parse_worker_starts_everything_waits_and_nothing_is_unreadable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.hub.conftest.InlineParser", Busy)
    monkeypatch.setattr(Busy, "refuse", True)
    async with running() as world:
        arrive(world, paper.message("m1", EMAIL, "first"), paper.message("m2", OTHER, "second"))

        async def spooled() -> bool:
            world.clock.move(seconds=6)
            return len(await world.store.spooled()) == 1

        await until(spooled)
        monkeypatch.setattr(Busy, "refuse", False)
        world.clock.move(seconds=6)
        await world.customer(OTHER)
        known = EntryId(derive_id("e", "in", "papermail", "m1"))
        assert await world.store.known([known]) == {known}
        assert (await world.store.health()).customers == 2
