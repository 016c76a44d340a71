"""Finding through the Desk: one language of words and filters, customers as one types, the page around an entry."""

from __future__ import annotations

import threading

import pytest

from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.errors import NotFound, UsageError
from agentconsole.text import query
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World

NOBODY = CustomerId("")


async def told(world: World) -> CustomerId:
    for number in range(6):
        world.mail.put(paper.message(f"m{number}", EMAIL, f"the refund number {number}"))
    world.mail.put(paper.message("p1", PHONE, "refund by phone"))
    await world.customer(PHONE)
    return await world.customer(EMAIL)


async def test_filters_are_answered_and_counted_by_customer(world: World):
    customer = await told(world)
    found = await world.desk.find_entries(world.who, "refund after:2020-01-01", NOBODY, 50, 0, 2)
    assert {one.customer: one.count for one in found.customers}[customer] == 6
    assert sum(hit.customer == customer for hit in found.hits) == 2
    only = await world.desk.find_entries(world.who, "refund", customer, 50, 0, 0)
    assert {hit.customer for hit in only.hits} == {customer}
    assert only.total == 6
    assert await world.desk.search(world.who, "refund has:attachment", 50) == ()


@pytest.mark.parametrize(
    ("words", "said"), [("form:emily", "no filter form:"), ("", "nothing to search"), ('"" -', "nothing to search")]
)
async def test_what_cannot_be_searched_is_said(world: World, words: str, said: str):
    with pytest.raises(UsageError, match=said):
        await world.desk.find_entries(world.who, words, NOBODY, 50, 0, 0)


async def test_rows_of_the_queue_are_filtered_by_the_same_words(world: World):
    customer = await told(world)
    page = await world.desk.filtered(world.who, "all", "refund from:emily", 0, 50)
    assert {line.customer for line in page.lines} == {customer}
    assert page.total == 1
    assert not (await world.desk.filtered(world.who, "all", "is:closed", 0, 50)).lines
    with pytest.raises(UsageError, match="told by messages"):
        await world.desk.filtered(world.who, "all", "has:attachment", 0, 50)


async def test_rows_behind_the_first_page_are_filtered_too(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agentconsole.hub.desk.finding.MAX_PAGE", 1)
    customer = await told(world)
    await world.customer(PHONE)
    for view in ("all", "open"):
        page = await world.desk.filtered(world.who, view, "from:emily", 0, 1)
        assert [line.customer for line in page.lines] == [customer], view
        page = await world.desk.filtered(world.who, view, "-from:emily", 0, 1)
        assert ([line.customer == customer for line in page.lines], page.total) == ([False], 1), view


async def test_rows_are_compared_beside_the_loop_that_everybody_waits_for(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    await told(world)
    where = set()

    def looked(*_: object) -> bool:
        where.add(threading.current_thread())
        return True

    monkeypatch.setattr(query, "line_matches", looked)
    assert (await world.desk.filtered(world.who, "all", "refund", 0, 50)).lines
    assert where
    assert threading.current_thread() not in where


async def test_a_customer_is_found_as_one_types(world: World):
    customer = await told(world)
    assert customer in [one.customer for one in await world.desk.find_people(world.who, "emi", 9)]
    assert {one.customer for one in await world.desk.find_people(world.who, "", 9)} > {customer}
    assert await world.desk.find_people(world.who, "zzz", 9) == ()


async def test_a_page_stands_around_an_entry(world: World):
    customer = await told(world)
    everything = await world.desk.timeline(world.who, customer, EntryId(""), 100)
    page = await world.desk.around(world.who, customer, everything.entries[3].id, 4)
    assert [entry.id for entry in page.entries] == [entry.id for entry in everything.entries[1:5]]
    assert (page.more, page.newer) == (True, True)
    with pytest.raises(NotFound):
        await world.desk.around(world.who, customer, EntryId("nothing"), 4)
