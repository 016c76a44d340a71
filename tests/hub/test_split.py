"""One customer turns out to be two people: what came from an address goes with it, and the undo is exact."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agentconsole.desk import Compose
from agentconsole.domain.entries import Received, Reply
from agentconsole.domain.model import ConsentScope, Customer, CustomerId, EntryId, Medium
from agentconsole.domain.wishes_rules import INVOICE
from agentconsole.errors import NotFound, Refused
from agentconsole.hub.profile import HubProfile
from agentconsole.seams import Steps
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

BO = "bo@example.com"


async def says(world: World, identity: str, text: str, *, phone: bool = False) -> None:
    post, sender = (world.chat, PHONE) if phone else (world.mail, EMAIL)
    world.clock.move(seconds=60)
    post.put(paper.message(identity, sender, text, world.clock.now(), place="p" if phone else ""))

    async def filed() -> bool:
        history = await world.store.history(await world.customer(sender))
        return history is not None and text in [e.text for e in history.entries if isinstance(e, Received)]

    await until(filed, what=f"the message {identity}")


async def linked(world: World) -> CustomerId:
    """Return a customer with a mailbox and a number that an agent linked, both of which wrote."""
    await says(world, "m1", "Hello, my order number is 55512345")
    customer = await world.customer(EMAIL)
    await world.desk.link(world.who, "l", customer, PHONE.value)
    await says(world, "w1", "Invoices by e-mail please, my order number is 77788899", phone=True)
    return customer


async def person(world: World, customer: CustomerId) -> Customer:
    found = await world.store.customer(customer)
    assert found is not None
    return found


async def texts(world: World, customer: CustomerId) -> list[str]:
    page = await world.desk.timeline(world.who, customer, EntryId(""), 100)
    return [e.text for e in page.entries if isinstance(e, Received | Reply)]


async def test_messages_words_and_facts_go_with_the_address_that_they_came_from(world: World):
    customer = await linked(world)
    whole = await person(world, customer)
    assert {a.address for a in whole.addresses} == {EMAIL, PHONE}
    await says(world, "w2", "STOP", phone=True)
    other = await world.desk.split(world.who, "s", customer, [PHONE.value], "Bo Lind")
    one, two = await person(world, customer), await person(world, other)
    assert (one.id, two.id, two.name) == (customer, other, "Bo Lind")
    assert [a.address for a in one.addresses] == [EMAIL]
    assert [a.address for a in two.addresses] == [PHONE]
    assert await texts(world, customer) == ["Hello, my order number is 55512345"]
    assert "STOP" in await texts(world, other)
    assert [fact.value for fact in one.facts] == ["55512345"]
    assert [fact.value for fact in two.facts] == ["77788899"]
    assert one.consents == ()
    assert [(c.medium, c.allowed) for c in two.consents] == [("whatsapp", False)]
    assert [line.act for line in await world.store.audited()].count("split") == 1


async def test_an_answer_goes_with_the_address_that_it_went_to(world: World):
    customer = await linked(world)
    await world.desk.reply(world.who, "r", Compose(customer, "to the number", medium=Medium("whatsapp")))
    other = await world.desk.split(world.who, "s", customer, [PHONE.value], "")
    assert "to the number" in await texts(world, other)
    assert "to the number" not in await texts(world, customer)


async def test_later_messages_go_to_their_side_and_the_undo_joins_all_of_it(world: World):
    customer = await linked(world)
    other = await world.desk.split(world.who, "s", customer, [PHONE.value], "Bo Lind")
    await says(world, "w2", "it is me again", phone=True)
    await says(world, "m2", "and me")
    assert "it is me again" in await texts(world, other)
    assert "it is me again" not in await texts(world, customer)
    assert await world.desk.unsplit(world.who, "u", other) == customer
    assert await world.desk.unsplit(world.who, "u", other) == customer
    whole = await person(world, customer)
    assert (whole.name, len(whole.members), whole.partings) == ((await person(world, other)).name, 2, ())
    assert whole.name != "Bo Lind"
    assert {"it is me again", "and me"} <= {*await texts(world, customer)}
    assert (await world.desk.find(world.who, other)) == customer


async def test_a_split_that_is_undone_leaves_the_same_customer(world: World):
    customer = await linked(world)
    third = await world.desk.add_customer(world.who, "a", "", [BO])
    await world.desk.merge(world.who, "m", customer, third)
    before = await person(world, customer)
    for number, named in enumerate(([PHONE.value], [BO], [EMAIL.value], [EMAIL.value, BO])):
        other = await world.desk.split(world.who, f"s{number}", before.id, named, "Somebody else")
        assert await person(world, other) != before
        await world.desk.unsplit(world.who, f"u{number}", other)
        assert await person(world, customer) == before


async def test_an_undone_merge_is_told_from_a_split(world: World):
    customer = await linked(world)
    with pytest.raises(NotFound, match="no such merge"):
        await world.desk.unmerge(world.who, "u", customer, EntryId(""))
    with pytest.raises(NotFound, match="No split"):
        await world.desk.unsplit(world.who, "v", customer)


@pytest.mark.parametrize(
    ("named", "why"), [([EMAIL.value, PHONE.value], "all addresses"), ([BO], "none of this customer"), ([], "none of")]
)
async def test_what_would_leave_nobody_or_move_nothing_is_refused(world: World, named: list[str], why: str):
    customer = await linked(world)
    before = await person(world, customer)
    with pytest.raises(Refused, match=why):
        await world.desk.split(world.who, "s", customer, named, "")
    assert await person(world, customer) == before


async def test_a_split_that_a_later_one_builds_on_is_undone_after_it(world: World):
    customer = await linked(world)
    await world.desk.link(world.who, "l2", customer, BO)
    other = await world.desk.split(world.who, "s1", customer, [PHONE.value, BO], "")
    third = await world.desk.split(world.who, "s2", other, [BO], "")
    with pytest.raises(Refused, match="later split"):
        await world.desk.unsplit(world.who, "u0", customer)
    await world.desk.unsplit(world.who, "u1", third)
    await world.desk.unsplit(world.who, "u2", customer)
    assert {a.address.value for a in (await person(world, customer)).addresses} == {EMAIL.value, PHONE.value, BO}


async def test_nobody_is_asked_again_whether_the_two_are_one(world: World):
    await says(world, "m1", f"call me at {PHONE.value}")
    await says(world, "w1", "hello", phone=True)
    [suggested] = await world.desk.suggestions(world.who, CustomerId(""))
    await world.desk.answer_suggestion(world.who, "y", suggested.id, True)
    customer = await world.customer(EMAIL)
    await world.desk.split(world.who, "s", customer, [PHONE.value], "")
    await says(world, "m2", f"really, call {PHONE.value}")
    assert await world.desk.suggestions(world.who, CustomerId("")) == ()


async def test_what_an_agent_forbade_for_both_stays_forbidden_for_both(world: World):
    customer = await linked(world)
    await world.desk.consent(world.who, "c", customer, Medium(""), ConsentScope.ALL, False)
    other = await world.desk.split(world.who, "s", customer, [PHONE.value], "")
    for one in (customer, other):
        assert [c.allowed for c in (await person(world, one)).consents] == [False]


async def test_a_wish_stays_with_the_message_that_it_was_read_from(world: World):
    customer = await linked(world)
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    message = next(e.id for e in page.entries if isinstance(e, Received) and e.sender == PHONE)
    await world.desk.prefer(world.who, "p", customer, Medium("email"), "invoices", message)
    other = await world.desk.split(world.who, "s", customer, [PHONE.value], "")
    assert (await person(world, customer)).preferences == ()
    assert [p.purpose for p in (await person(world, other)).preferences] == [INVOICE]


@pytest.mark.parametrize("steps", range(1, 4))
async def test_a_split_that_a_death_cut_short_is_finished_by_its_repeat(
    world: World, steps: int, monkeypatch: pytest.MonkeyPatch
):
    customer = await linked(world)
    right, left = world.store.change, [steps]

    async def dies(record, decide):
        if not left[0]:
            raise NotFound("the hub died")
        left[0] -= 1
        return await right(record, decide)

    monkeypatch.setattr(world.store, "change", dies)
    if steps < 3:
        with pytest.raises(NotFound):
            await world.desk.split(world.who, "s", customer, [PHONE.value], "")
    monkeypatch.setattr(world.store, "change", right)
    other = await world.desk.split(world.who, "s", customer, [PHONE.value], "")
    assert [a.address for a in (await person(world, other)).addresses] == [PHONE]
    assert [a.address for a in (await person(world, customer)).addresses] == [EMAIL]


@pytest.mark.parametrize("kind", ["memory", "embedded"])
async def test_both_stores_part_and_join_alike(kind: str, tmp_path: Path):
    clock = HandClock()
    random = CountingRandomness()
    store: MemoryStore | EmbeddedStore = MemoryStore(clock, random)
    if kind == "embedded":
        store = EmbeddedStore(tmp_path / "s", clock=clock, random=random, steps=Steps())
    async with store, running(store=store, clock=clock, profile=HubProfile(region="GB", free_floor=0)) as world:
        customer = await linked(world)
        before = await person(world, customer)
        other = await world.desk.split(world.who, "s", customer, [PHONE.value], "Bo Lind")
        rows = {(line.customer, line.name) for line in await world.store.lines("all", world.who.name)}
        assert (other, "Bo Lind") in rows
        assert customer in {row[0] for row in rows}
        await world.desk.unsplit(world.who, "u", customer)
        assert await person(world, customer) == before
        assert {line.customer for line in await world.store.lines("all", world.who.name)} == {customer}


async def test_an_open_suggestion_is_silent_while_the_two_are_split(world: World):
    await says(world, "m1", f"call me at {PHONE.value}")
    await says(world, "w1", "hello", phone=True)
    one, other = await world.customer(EMAIL), await world.customer(PHONE)
    assert await world.desk.suggestions(world.who, one)
    merged = await world.desk.merge(world.who, "m", one, other)
    await world.desk.split(world.who, "s", one, [PHONE.value], "")
    assert await world.desk.suggestions(world.who, one) == ()
    assert not any(line.suggestions for line in await world.store.lines("all", world.who.name))
    await world.desk.unsplit(world.who, "u", one)
    await world.desk.unmerge(world.who, "v", one, merged)
    assert await world.desk.suggestions(world.who, one)


@pytest.mark.parametrize("gone", [0, 1])
async def test_erasing_one_of_the_two_leaves_nothing_of_them_with_the_other(world: World, gone: int):
    customer = await linked(world)
    both = customer, await world.desk.split(world.who, "s", customer, [PHONE.value], "Bo Lind")
    values = EMAIL.value, PHONE.value
    await world.desk.erase(world.who, "e", both[gone])
    kept = await world.store.history(both[1 - gone], limit=100)
    assert kept is not None
    told = msgspec.json.encode(kept).decode()
    assert both[gone] not in told
    assert values[gone] not in told
    assert values[1 - gone] in told
    if gone == 0:
        assert kept.customer.name == "Bo Lind"
    with pytest.raises((Refused, NotFound)):
        await world.desk.unsplit(world.who, "u", both[1 - gone])
