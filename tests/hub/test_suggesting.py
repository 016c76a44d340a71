"""Strong evidence joins by itself, weak evidence suggests, and what does not last is no evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from agentconsole.domain.model import Address, CustomerId, EntryId, Hit
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World
from tests.waiting import until

BUSINESS = Address("whatsapp", "15550001111", "US.1234")
WORK = Address("email", "", "emily@firm.example")
OTHER = Address("email", "", "e.rhodes@firm.example")
VIRTUAL = Address("phone", "", "+8250712345678")


async def arrives(world: World, identity: str, sender: Address, text: str, **more: object) -> CustomerId:
    post = world.mail if sender.kind == "email" else world.chat
    post.put(paper.message(identity, sender, text, world.clock.now(), place="p", **more))

    async def filed() -> bool:
        from agentconsole.hub.filing import entry_of

        kind = "papermail" if sender.kind == "email" else "paperchat"
        return bool(await world.store.known([entry_of(kind, identity)]))

    await until(filed, what=identity)
    return await world.customer(sender)


async def members(world: World, customer: CustomerId) -> int:
    person = await world.store.customer(customer)
    assert person is not None
    return len(person.members)


async def suggested(world: World, customer: CustomerId) -> list[tuple[str, CustomerId]]:
    # Suggestions come just after the message: the next message of the account is filed only after them.
    await arrives(world, f"tick {world.clock.now()}", Address("phone", "", "+442079460999"), "tick")
    await arrives(world, f"tick2 {world.clock.now()}", Address("email", "", "tick@tick.example"), "tick")
    return [(view.why, view.other) for view in await world.desk.suggestions(world.who, customer)]


async def test_what_a_provider_ties_together_is_one_person(world: World):
    phone = await arrives(world, "w1", PHONE, "hello")
    alone = await arrives(world, "w2", BUSINESS, "hello")
    assert phone != alone
    both = await arrives(world, "w3", BUSINESS, "again", also_known_as=(PHONE,))
    assert await members(world, both) == 2
    person = await world.store.customer(phone)
    assert person is not None
    assert {linked.address for linked in person.addresses} == {PHONE, BUSINESS}


async def test_a_tie_that_an_agent_ended_does_not_come_back(world: World):
    phone = await arrives(world, "w1", PHONE, "hello")
    await arrives(world, "w2", BUSINESS, "hello")
    await arrives(world, "w3", BUSINESS, "again", also_known_as=(PHONE,))
    await world.desk.unmerge(world.who, "u", phone, EntryId(""))
    await arrives(world, "w4", BUSINESS, "and again", also_known_as=(PHONE,))
    assert await members(world, phone) == 1


async def test_an_id_without_a_number_is_somebody(world: World):
    customer = await arrives(world, "w1", BUSINESS, "hello")
    await arrives(world, "w2", BUSINESS, "my number is known now", also_known_as=(PHONE,))
    assert await world.customer(PHONE) == customer


async def test_a_virtual_number_neither_merges_nor_suggests(world: World):
    one = await arrives(world, "w1", VIRTUAL, "hello, +44 20 7946 0182 here")
    await arrives(world, "w2", BUSINESS, "hello")
    tied = await arrives(world, "w3", BUSINESS, "again", also_known_as=(VIRTUAL,))
    assert await members(world, tied) == 1
    await arrives(world, "w4", PHONE, "hello")
    mail = await arrives(world, "m1", EMAIL, "call +82 507 1234 5678")
    assert await suggested(world, one) == []
    assert await suggested(world, mail) == []


async def test_the_same_order_number_suggests_and_a_refusal_stays(world: World):
    first = await arrives(world, "m1", EMAIL, "Order number 48213377 has not come.")
    second = await arrives(world, "w1", PHONE, "where is order number 48213377?")
    assert await suggested(world, second) == [("same_order_number", first)]
    (view,) = await world.desk.suggestions(world.who, second)
    await world.desk.answer_suggestion(world.who, "no", view.id, False)
    await arrives(world, "w2", PHONE, "order number 48213377, please")
    assert await suggested(world, second) == []


async def test_a_postponed_suggestion_comes_back_then(world: World):
    first = await arrives(world, "m1", EMAIL, "hello")
    second = await arrives(world, "w1", PHONE, "I am emily@example.com")
    (why,) = await suggested(world, second)
    assert why == ("email_in_text", first)
    (view,) = await world.desk.suggestions(world.who, second)
    until_then = world.clock.now() + timedelta(days=7)
    for _ in range(2):
        await world.desk.postpone_suggestion(world.who, "p", view.id, until_then)
    assert await world.desk.suggestions(world.who, second) == ()
    world.clock.move(seconds=8 * 86_400)
    assert [one.id for one in await world.desk.suggestions(world.who, second)] == [view.id]


async def test_a_name_suggests_only_with_another_sign(world: World):
    first = await arrives(world, "m1", WORK, "hello", sender_name="Emily Rhodes")
    world.clock.move(seconds=30 * 86_400)
    late = await arrives(world, "m2", EMAIL, "hello", sender_name="Emily Rhodes")
    assert await suggested(world, late) == [], "a month later, elsewhere: nothing speaks for it"
    near = await arrives(world, "m3", OTHER, "hello", sender_name="Emily Rhodes")
    assert ("same_name", first) in await suggested(world, near), "the same firm"


async def test_participants_never_become_customers(world: World):
    from agentconsole.domain.model import Participant

    supplier = Address("email", "", "supplier@example.com")
    copied = (Participant("cc", supplier),)
    await arrives(world, "m1", EMAIL, "hello", participants=copied)
    assert await world.store.find(supplier) is None


async def test_a_list_of_orders_costs_few_searches(world: World, monkeypatch: pytest.MonkeyPatch):
    searched: list[str] = []
    search = world.store.search

    async def counted(words: str, *, limit: int = 50) -> Sequence[Hit]:
        searched.append(words)
        return await search(words, limit=limit)

    monkeypatch.setattr(world.store, "search", counted)
    customer = await arrives(world, "m1", EMAIL, " ".join(f"order {n}" for n in range(50_000, 50_300)))
    await suggested(world, customer)
    assert searched == [str(n) for n in range(50_000, 50_005)]
