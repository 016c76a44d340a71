"""A customer whose file was damaged, as agents see it: only read, named, taken back, or erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentconsole.desk import Compose
from agentconsole.domain.entries import Received
from agentconsole.domain.model import CustomerId, Delivery, EntryId
from agentconsole.errors import NotFound, ReadOnly, TemporaryFailure
from agentconsole.seams import Steps
from agentconsole.store.embedded import EmbeddedStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.folders import quick_folder
from tests.hub.conftest import EMAIL, PHONE, running
from tests.waiting import until


def opened(folder: Path, clock: HandClock) -> EmbeddedStore:
    return EmbeddedStore(folder / "store", clock=clock, random=CountingRandomness(), steps=Steps())


def damage(folder: Path, customer: CustomerId) -> Path:
    """Flip one bit in the middle of a customer's file."""
    (head,) = (folder / "store" / "customers").glob(f"*/{customer}.json")
    data = bytearray(head.read_bytes())
    data[len(data) // 2] ^= 1
    head.write_bytes(data)
    return head


@pytest.mark.parametrize("previous", [True, False], ids=["previous", "as it is"])
async def test_a_damaged_customer_is_taken_back_with_everything_unfinished_held(previous: bool):
    clock, mail, chat = HandClock(), paper.Post(), paper.Post()
    with quick_folder("acd-") as folder:
        store = opened(folder, clock)
        async with store, running(store=store, clock=clock, mail=mail, chat=chat) as world:
            mail.put(paper.message("m1", EMAIL, "hello"))
            chat.put(paper.message("w1", PHONE, "hello", place="chat-1"))
            customer, other = await world.customer(EMAIL), await world.customer(PHONE)
            mail.before_commit = TemporaryFailure("down", reason="unreachable")
            sent = await world.desk.reply(world.who, "r1", Compose(customer, "soon"))

            async def tried() -> bool:
                return (await world.desk.sent(world.who, sent.id)).reason == "unreachable"

            await until(tried)
            await world.desk.rename(world.who, "n1", customer, "Emily")
        damage(folder, customer)
        store = opened(folder, clock)
        mail.before_commit = None
        clock.move(hours=1)
        async with store, running(store=store, clock=clock, mail=mail, chat=chat) as world:
            desk, who = world.desk, world.who
            (found,) = await desk.damaged(who)
            assert found.customer == customer
            assert found.previous > 0
            mail.put(paper.message("m2", EMAIL, "are you there?"))

            async def aside() -> bool:
                return (await desk.status(who)).spool.set_aside == 1

            await until(aside)
            with pytest.raises(ReadOnly):
                await desk.note(who, "n2", customer, (await desk.find_conversation(who, customer))[1], "x")
            await desk.reply(who, "r2", Compose(other, "others are not affected"))
            if not previous and found.entries < 0:
                with pytest.raises(NotFound):
                    await desk.accept(who, "a1", customer, False)
                return
            await desk.accept(who, "a1", customer, previous)
            await desk.accept(who, "a1", customer, previous)
            with pytest.raises(NotFound):
                await desk.accept(who, "a2", customer, previous)
            state = await desk.sent(who, sent.id)
            assert (state.state, state.reason) == (Delivery.UNCERTAIN, "older_generation")
            assert (await desk.status(who)).banner == "held_after_restore"

            async def filed() -> bool:
                page = await desk.timeline(who, customer, EntryId(""), 20)
                return any(isinstance(e, Received) and e.text == "are you there?" for e in page.entries)

            await until(filed, what="what waited for the customer")
            assert (await desk.status(who)).spool.set_aside == 0
            assert await desk.damaged(who) == ()
            clock.move(hours=1)
            assert mail.delivered == []


async def test_a_damaged_customer_can_be_erased_with_what_waits_for_it():
    clock, mail = HandClock(), paper.Post()
    with quick_folder("acd-") as folder:
        store = opened(folder, clock)
        async with store, running(store=store, clock=clock, mail=mail) as world:
            mail.put(paper.message("m1", EMAIL, "canary-one"))
            customer = await world.customer(EMAIL)
            await world.desk.rename(world.who, "n1", customer, "canary-two")
        damage(folder, customer)
        store = opened(folder, clock)
        async with store, running(store=store, clock=clock, mail=mail) as world:
            mail.put(paper.message("m2", EMAIL, "canary-three"))

            async def aside() -> bool:
                return (await world.desk.status(world.who)).spool.set_aside == 1

            await until(aside)
            await world.desk.erase(world.who, "e1", customer)
            assert await world.desk.damaged(world.who) == ()
            assert (await world.desk.status(world.who)).spool.set_aside == 0
        left = [p for p in (folder / "store").rglob("*") if p.is_file() and b"canary-" in p.read_bytes()]
        assert left == []
