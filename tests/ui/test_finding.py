"""Finding in the console: search over everybody and in a timeline, the quick switcher, the way to the evidence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentconsole.domain.entries import PreferenceStated
from agentconsole.domain.model import CustomerId, EntryId, Medium
from agentconsole.ui import finding
from tests.ui.console import Driver, running
from tests.ui.desk_double import NOW, DeskDouble, email, phone


@pytest.fixture
def desk() -> DeskDouble:
    """Two customers with a long history each and one with a short one."""
    desk = DeskDouble()
    for number in range(250):
        text = f"refund {number:03}" if number % 100 == 7 else f"talk {number:03}"
        desk.received("emily", "mail", email("emily@example.com"), text, minutes=900 - number, name="Emily Park")
    for number in range(5):
        desk.received(
            "minsu", "sms", phone("+821012345678"), f"환불 refund {number}", minutes=50 - number, name="박민수"
        )
    desk.received("bob", "mail", email("bob@example.com"), "hello", minutes=3, name="Bob Stone")
    return desk


async def ask(console: Driver, key: str, words: str) -> None:
    await console.press(key)
    await console.until(lambda: console.app.where == "prompt")
    await console.type(words)


async def search(console: Driver, words: str) -> None:
    await ask(console, "/", words)
    await console.press("enter")


def cursor_text(console: Driver) -> str:
    return str(getattr(console.app.timeline.chosen_entry, "text", ""))


# -- over everybody ----------------------------------------------------------------------------------------


async def test_finds_stand_by_customer_with_their_number(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await search(console, "refund")
        await console.sees("FOUND  refund  8 found", "박민수", "5 found", "Emily Park", "3 found")
        assert console.app.page.shown.count("환불 refund") == 3
        await console.press("n")
        await console.press("N")
        await console.press("n")
        assert console.app.page.chosen.snippet.startswith("환불 refund 3")


async def test_a_find_opens_and_n_goes_on_to_the_next_customer(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await search(console, "refund from:emily")
        await console.sees("FOUND")
        await console.press("enter")
        await console.until(lambda: cursor_text(console) == "refund 207")
        await console.press("n")
        await console.until(lambda: cursor_text(console) == "refund 107")
        await console.sees("2/3")
        await console.press("N", "N")
        await console.sees("newest find")


async def test_a_filter_that_there_is_not_is_said_with_the_nearest(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await search(console, "form:emily")
        await console.sees("no filter form:", "from:?")


async def test_tab_completes_filters(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await ask(console, "/", "refund on:wh")
        prompt = console.app.acting.prompt
        assert prompt is not None
        await console.press("tab")
        assert prompt.typed == "refund on:whatsapp "
        await console.type("is:")
        for state in ("closed", "failed"):
            await console.press("tab")
            assert prompt.typed == f"refund on:whatsapp is:{state} "
        await console.press("shift+tab")
        assert prompt.typed == "refund on:whatsapp is:closed "


# -- in a timeline -----------------------------------------------------------------------------------------


async def test_search_in_a_timeline_counts_marks_and_reaches_what_is_not_loaded(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Park")
        await search(console, "refund")
        await console.sees("1/3", "refund 207")
        assert cursor_text(console) == "refund 207"
        for number, text in ((2, "refund 107"), (3, "refund 007")):
            await console.press("n")
            await console.until(lambda text=text: cursor_text(console) == text)
            await console.sees(f"{number}/3")
        await console.press("n")
        await console.sees("oldest find")
        await console.press("N")
        await console.until(lambda: cursor_text(console) == "refund 107")
        assert {call[0] for call in desk.calls} >= {"find_entries", "around"}
        await console.press("G")
        await console.sees("talk 249")


async def test_an_older_part_grows_both_ways_and_stays_when_news_come(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Park")
        await search(console, "refund 107")
        await console.until(lambda: cursor_text(console) == "refund 107")
        reading = console.app.reading
        assert reading.detached
        desk.received("emily", "mail", email("emily@example.com"), "something new", minutes=0)
        await console.until(
            lambda: reading.opened is not None and "something new" in reading.opened.customer.conversations[0].preview
        )
        assert cursor_text(console) == "refund 107"
        for _ in range(60):
            await console.press("pagedown")
        assert not reading.detached
        await console.press("G")
        await console.sees("something new")


async def test_nothing_found_in_a_timeline_moves_nothing_and_an_empty_search_ends_it(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Bob Stone")
        await search(console, "xyzzy")
        await console.sees("Nothing found for: xyzzy")
        assert cursor_text(console) == "hello"
        await search(console, "")
        await console.sees("search has ended")
        await console.press("n")
        await console.sees("Nothing has been searched")


# -- the filter of the list --------------------------------------------------------------------------------


async def test_the_list_is_filtered_by_the_same_words_until_esc(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.sees("Emily Park")
        await ask(console, "\\", "on:sms 환불")
        await console.press("enter")
        await console.until(lambda: [line.customer for _, line in console.app.queue.lines()] == ["minsu"])
        await console.sees("WAITING \\ on:sms")
        desk.received("bob", "mail", email("bob@example.com"), "again", minutes=0)
        await console.until(lambda: desk.calls[-1][0] != "filtered" and console.app.queue.total == 1)
        await console.press("escape")
        await console.until(lambda: console.app.queue.total == 3)


async def test_a_filter_that_is_none_changes_nothing(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await ask(console, "\\", "foo:bar")
        await console.press("enter")
        await console.sees("no filter foo:")
        assert console.app.queue.total == 3


# -- the quick switcher ------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["박민", "ㅂㅁㅅ", "qkralstn", "5678"])
async def test_a_customer_is_found_as_one_types(desk: DeskDouble, words: str) -> None:
    async with running(desk) as console:
        await ask(console, "f", words)
        await console.until(lambda: console.app.page.chosen == "minsu" and "Emily" not in console.app.page.shown)
        await console.press("enter")
        await console.until(lambda: console.app.where == "conversation")
        assert console.app.reading.opened is not None
        assert console.app.reading.opened.customer.id == "minsu"
        await console.press("escape", "r")  # in the list: the row is that of who was gone to
        await console.until(lambda: console.app.writer.now is not None)
        assert console.app.writer.now is not None
        assert console.app.writer.now.customer == "minsu"


async def test_keys_before_the_chosen_customer_shows_are_for_nobody_else(desk: DeskDouble) -> None:
    async with running(desk) as console:
        asked, held = desk.timeline, asyncio.Event()

        async def slow(*arguments: Any) -> Any:
            await held.wait()
            return await asked(*arguments)

        await ask(console, "f", "박민")
        await console.until(lambda: console.app.page.chosen == "minsu" and "Emily" not in console.app.page.shown)
        desk.timeline = slow  # type: ignore[method-assign]
        await console.press("enter", "r")
        await console.sees("Still opening")
        assert console.app.writer.now is None
        held.set()
        await console.until(lambda: console.app.where == "conversation")
        await console.press("r")
        await console.until(lambda: console.app.writer.now is not None)
        assert console.app.writer.now is not None
        assert console.app.writer.now.customer == "minsu"


async def test_the_switcher_begins_with_who_was_active_last_and_esc_leaves_everything(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("ctrl+k")
        await console.sees("CUSTOMERS", "Bob Stone", "박민수")
        assert console.app.page.chosen == "bob"
        await console.press("down")
        assert console.app.page.chosen == "minsu"
        await console.press("escape")
        assert console.app.where == "list"
        assert not console.app.page_kind


async def test_a_late_answer_of_the_switcher_is_dropped(desk: DeskDouble) -> None:
    async with running(desk) as console:
        asked = desk.find_people
        held = asyncio.Event()

        async def slow(who: Any, words: str, limit: int) -> Any:
            found = await asked(who, words, limit)
            if words == "bo":
                await held.wait()
            return found

        desk.find_people = slow  # type: ignore[method-assign]
        await ask(console, "f", "bo")
        await console.press("backspace", "backspace")
        await console.type("emily")
        await console.until(lambda: console.app.page.chosen == "emily")
        held.set()
        await console.settle()
        assert console.app.page.chosen == "emily"


async def test_enter_takes_what_was_typed_not_what_is_still_listed(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await ask(console, "f", "emily")
        await console.press("enter")
        await console.until(lambda: console.app.where == "conversation")
        assert console.app.reading.opened is not None
        assert console.app.reading.opened.customer.id == "emily"


# -- evidence ----------------------------------------------------------------------------------------------


async def test_evidence_is_reached_however_old_and_esc_goes_back(desk: DeskDouble) -> None:
    oldest = desk.records[CustomerId("emily")][3].id
    desk.records[CustomerId("emily")].append(
        PreferenceStated(
            id=EntryId("p1"),
            at=NOW,
            medium=Medium("email"),
            evidence=oldest,
            evidence_medium=Medium("email"),
            words="x",
        )
    )
    async with running(desk) as console:
        await console.open("Emily Park")
        before = console.app.timeline.chosen
        await console.press("E")
        await console.until(lambda: console.app.timeline.chosen == oldest)
        await console.sees("talk 003", "Evidence")
        await console.press("escape")
        await console.until(lambda: console.app.timeline.chosen == before)
        assert console.app.where == "conversation"
        await console.press("escape")
        assert console.app.where == "list"


async def test_without_evidence_nothing_moves(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Bob Stone")
        await console.press("E")
        await console.sees("No message stands behind")


def test_words_are_marked_and_filters_are_not() -> None:
    found = finding.pattern('Refund "two days" from:emily -x')
    assert found is not None
    assert found.findall("refund of two Days, from emily x") == ["refund", "two", "Days"]
    assert finding.pattern("from:emily") is None
    assert finding.pattern("nofilter:x") is None
