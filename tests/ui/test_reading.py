"""What is read: the queue, the timeline over all channels, the card, search, news."""

from __future__ import annotations

import pytest

from agentconsole.desk import AccountHealth
from agentconsole.domain.entries import Note
from agentconsole.domain.model import (
    AccountName,
    Delivery,
    EntryId,
    Medium,
)
from tests.ui.console import LARGE, SMALL, running
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone

BOTH_SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
BOTH_LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_first_screen_shows_who_waits_longest_first(
    desk: DeskDouble, size: tuple[int, int], language: str
) -> None:
    async with running(desk, size=size, language=language) as console:
        rows = [line.name for _, line in console.app.queue.lines()]
        assert rows == ["田中ゆき", "Emily Rhodes", "박민수", "+442079460182"]
        await console.sees("田中ゆき", "Emily Rhodes", "박민수")
        await console.sees("4 waiting" if language == "en" else "대기 4")
        await console.sees("22m" if language == "en" else "22분")
        await console.sees("ma Emily" if size == SMALL else "ma Emily Rhodes")


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_open_shows_all_channels_in_one_timeline(desk: DeskDouble, size: tuple[int, int], language: str) -> None:
    async with running(desk, size=size, language=language) as console:
        await console.open("박민수")
        medium = {"en": ("e-mail >", "SMS >"), "ko": ("메일 >", "문자 >")}[language]
        await console.sees(*medium, "배송 언제 오나요?", "주문 확인 부탁드립니다")
        assert desk.called("seen")


async def test_cursor_alone_opens_nothing(desk: DeskDouble) -> None:
    async with running(desk) as console:
        opened = console.app.reading.opened
        await console.press("j", "j", "k")
        assert console.app.reading.opened is opened
        assert console.app.where == "list"


async def test_quotes_are_folded_and_unfold(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.sees("(3 quoted lines, z a shows them)", "[file letter.pdf 12 kB]")
        await console.press("g", "g", "z", "a")
        await console.sees("> Dear Emily")


async def test_delivery_state_and_reason_stand_on_the_reply(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("r")
        await console.type("ok")
        await console.press("ctrl+s")
        await console.sees("queued")
        reply = next(iter(desk.requests.values()))
        for state in (Delivery.SENDING, Delivery.FAILED):
            desk.receipt(reply, state, reason="bounced", detail="550 5.1.1", committed=False)
        await console.sees("failed", "Not delivered: bounced (550 5.1.1)")


async def test_note_is_visibly_internal(desk: DeskDouble) -> None:
    note = Note(id=EntryId("n1"), at=NOW, agent="hyun", conversation="c-emily", text="depot called")  # type: ignore[arg-type]
    desk.add("emily", note)
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.sees("note, only for us hyun", "# depot called")


async def test_day_mark_names_a_long_silence(desk: DeskDouble) -> None:
    desk.received("minsu", "sms", phone("+821012345678"), "long ago", minutes=60 * 24 * 40, name="박민수")
    async with running(desk, size=LARGE) as console:
        await console.open("박민수")
        await console.sees("days later", "Tue 3 Mar 2026")


async def test_one_pane_at_a_time_below_80_columns(desk: DeskDouble) -> None:
    async with running(desk, size=(60, 20)) as console:
        await console.sees("WAITING")
        assert "Move my appointment" not in console.screen.replace("Hello", "")
        await console.open("Emily Rhodes")
        await console.sees("13:53 e-mail >")
        assert "WAITING" not in console.screen
        await console.press("escape")
        await console.sees("WAITING")


async def test_wide_screen_has_the_card_narrow_one_opens_it(desk: DeskDouble) -> None:
    async with running(desk, size=LARGE) as console:
        await console.open("田中ゆき")
        await console.sees(
            "Addresses", "tanaka@example.com", "verified", "e-mail, asked 2 Mar (e-mail)", "Conversations"
        )
    async with running(desk) as console:
        await console.open("박민수")
        assert "Addresses" not in console.screen
        await console.press("3")
        await console.sees("Addresses", "SMS: opted out 1 Mar (by provider)", "Conversations")
        await console.press("escape")
        assert console.app.where == "conversation"


@BOTH_SIZES
async def test_news_never_move_focus_choice_or_place(desk: DeskDouble, size: tuple[int, int]) -> None:
    for number in range(60):
        desk.received("emily", "mail", email("emily@example.com"), f"line {number}", minutes=200 - number)
    async with running(desk, size=size) as console:
        await console.open("Emily Rhodes")
        await console.press("pageup", "pageup")
        top = console.app.timeline.scroll_y
        chosen, shown = console.app.timeline.chosen, console.screen.splitlines()[8].split("|")[1]
        desk.received("emily", "wa", phone("+442079460182"), "one more", minutes=0)
        desk.received("newcomer", "mail", email("new@example.com"), "hello", minutes=300, name="Newcomer")
        await console.sees("v 1 new below: G", "Newcomer")
        assert (console.app.timeline.scroll_y, console.app.timeline.chosen) == (top, chosen)
        assert console.screen.splitlines()[8].split("|")[1] == shown
        assert console.app.where == "conversation"
        line = console.app.queue.chosen
        assert line is not None
        assert line.name == "Emily Rhodes"
        assert console.app.queue.cursor == 1 + 1  # the newcomer waits longest and stands above
        await console.press("G")
        await console.sees("one more")
        await console.until(lambda: console.app.reading.below == 0)


async def test_view_at_the_end_follows_what_comes(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        for number in range(12):
            desk.received("emily", "mail", email("emily@example.com"), f"and {number}", minutes=-number)
        await console.sees("and 11", "new")


async def test_chosen_conversation_that_leaves_the_view_stays_the_one_that_is_meant(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("j")
        line = console.app.queue.chosen
        assert line is not None
        assert line.name == "Emily Rhodes"
        desk.add("emily", Note(id=EntryId("n"), at=NOW, agent="x", conversation="c-emily", text=""))  # type: ignore[arg-type]
        await desk.set_status(console.app.who, "r", "emily", "c-emily", "resolved", None)  # type: ignore[arg-type]
        await console.until(lambda: console.app.queue.total == 3)
        assert console.app.queue.cursor == -1
        await console.press("a")
        await console.until(lambda: desk.called("assign"))
        assert desk.called("assign")[0][0] == "c-emily"


async def test_head_keeps_the_end_of_a_number_that_does_not_fit(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("I")
        await console.sees("emily@example.com  +44 20 7946 0182")
        await console.pilot.resize_terminal(34, 20)
        await console.sees("emily@example.com  ..", "7946 0182")


async def test_after_a_close_the_cursor_is_on_who_waits_next(desk: DeskDouble) -> None:
    async with running(desk) as console:
        queue = console.app.queue
        names = [line.name for _, line in queue.lines()]
        await console.open(names[1])
        await console.press("c")
        await console.until(lambda: queue.total == 3)
        assert queue.chosen is not None
        assert (queue.cursor, queue.chosen.name) == (1, names[2])
        assert console.app.reading.opened.customer.name == names[1]  # type: ignore[union-attr]
        await console.press("]")
        await console.until(lambda: console.app.reading.opened.customer.name == names[2])  # type: ignore[union-attr]
        assert "Closed" not in console.strip


async def test_second_press_of_close_spares_who_came_under_the_cursor(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("j", "c")
        await console.until(lambda: console.app.queue.total == 3)
        await console.press("c")
        await console.sees("Keys typed while the view changed were dropped.")
        assert len(desk.called("set_status")) == 1
        await console.press("G", "c")
        await console.until(lambda: console.app.queue.total == 2)
        assert console.app.queue.cursor == 1


async def test_linking_back_and_forth_is_one_line_that_unfolds(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("I")
        await console.sees("joined with another record by mina")
        await console.press("u")
        await console.sees("parted again by mina  (+")
        await console.press("G", "z", "a")
        await console.sees("joined with another record by mina", "parted again by mina")
        assert ": z)" not in console.screen


async def test_older_messages_load_on_the_way_up(desk: DeskDouble) -> None:
    for number in range(500):
        desk.received("emily", "mail", email("emily@example.com"), f"old {number:03}", minutes=5000 - number)
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        assert len(desk.called("timeline")[-1]) == 3
        assert desk.called("timeline")[-1][2] <= 100
        await console.press("home")
        await console.until(lambda: len(console.app.timeline.entries) > 150, "an older page")
        anchor = console.app.timeline.chosen
        await console.press("home")
        await console.until(lambda: len(console.app.timeline.entries) > 280)
        assert anchor in {entry.id for entry in console.app.timeline.entries}
        for _ in range(8):
            await console.press("home")
        await console.sees("old 000")


async def test_search_opens_the_customer_at_the_entry(desk: DeskDouble) -> None:
    for number in range(300):
        desk.received("minsu", "sms", phone("+821012345678"), f"문의 {number:03}", minutes=5000 - number, name="박민수")
    async with running(desk, coach=True) as console:
        await console.press("/")
        await console.type("문의 007")
        await console.press("enter")
        await console.sees("FOUND", "박민수")
        await console.press("enter")
        await console.until(lambda: console.app.where == "conversation")
        await console.sees("문의 007")
        entry = console.app.timeline.chosen_entry
        assert entry is not None
        assert entry.text == "문의 007"
        assert console.coach.events[-2:] == ["searched", "opened"]


async def test_search_that_finds_nothing_says_so(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("/")
        await console.type("xyzzy")
        await console.press("enter")
        await console.sees("Nothing found for: xyzzy")
        await console.press("escape")
        assert console.app.where == "list"


@pytest.mark.parametrize(
    ("key", "view", "rows"),
    [("m", "MINE", 0), ("u", "UNASSIGNED", 4), ("a", "OPEN", 4), ("c", "CLOSED", 0), ("f", "FAILED", 0)],
)
async def test_views(desk: DeskDouble, key: str, view: str, rows: int) -> None:
    async with running(desk) as console:
        await console.press("g")
        await console.sees("i waiting")
        await console.press(key)
        await console.sees(view)
        assert console.app.queue.total == rows
        await console.press("g", "i")
        await console.until(lambda: console.app.reading.view == "waiting" and console.app.queue.total == 4)


async def test_next_and_previous_waiting(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("]")
        await console.until(lambda: console.app.reading.opened.customer.name == "Emily Rhodes")  # type: ignore[union-attr]
        await console.press("]")
        await console.until(lambda: console.app.reading.opened.customer.name == "박민수")  # type: ignore[union-attr]
        await console.press("[")
        await console.until(lambda: console.app.reading.opened.customer.name == "Emily Rhodes")  # type: ignore[union-attr]


async def test_next_waiting_goes_round_until_nobody_else_waits(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("G", "enter")
        last = console.app.queue.cursor
        await console.press("]")
        await console.until(lambda: 0 <= console.app.queue.cursor < last)


async def test_queue_of_many_asks_for_pages_that_come_into_view(desk: DeskDouble) -> None:
    for number in range(400):
        sender = email(f"k{number}@example.com")
        desk.received(
            f"k{number:03}", "mail", sender, f"q {number}", minutes=999 - number, name=f"Customer {number:03}"
        )
    async with running(desk) as console:
        assert {call[1] for call in desk.called("queue")} == {0}
        await console.press("G")
        await console.sees("+442079460182", "404/404")
        assert console.app.queue.total == 404
        assert len(console.app.queue.lines()) <= 150


async def test_health_screen_and_header_name_a_broken_account(desk: DeskDouble) -> None:
    async with running(desk, size=LARGE) as console:
        await console.sees("SMS+")
        desk.health[1] = AccountHealth(
            AccountName("sms"), "kannel", Medium("sms"), "unreachable", NOW, error="Gateway does not answer.", since=NOW
        )
        desk.tell(health=True)
        await console.sees("SMS OFF 0m", "SMS down since 14:02: Gateway does not answer. Others work. ! details")
        await console.press("!")
        await console.sees("unreachable", "Gateway does not answer.", "mail")
        desk.health[1] = AccountHealth(AccountName("sms"), "kannel", Medium("sms"), "ok", NOW)
        desk.tell(health=True)
        await console.sees("SMS+")


async def test_outbox_decides_on_uncertain_and_failed(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        for text in ("one", "two"):
            await console.press("r")
            await console.type(text)
            await console.press("ctrl+s")
            await console.until(lambda: console.app.where == "conversation")
            console.app._guard_until = 0.0
        first, second = desk.requests.values()
        for state in (Delivery.SENDING, Delivery.UNCERTAIN):
            desk.receipt(first, state, committed=True, attempt=1)
        for state in (Delivery.SENDING, Delivery.FAILED):
            desk.receipt(second, state, reason="bounced", attempt=1)
        await console.sees("may have gone out", "failed")
        await console.press("g", "o")
        await console.sees("OUTBOX", "one", "two")
        await console.until(lambda: console.app.page.chosen == first)
        await console.press("d", "c")
        await console.until(lambda: desk.called("outbox_check"))
        await console.sees("has no proof yet")
        await console.press("d", "m")
        await console.answer("y")
        await console.until(lambda: desk.called("mark_sent") == [(first,)])
        await console.until(lambda: console.app.page.chosen == second)
        await console.press("d", "s")
        await console.until(lambda: desk.called("resend") == [(second,)])
        await console.until(lambda: console.app.acting.lines[0].record.state == Delivery.QUEUED)
        await console.press("d", "x")
        await console.answer("y")
        await console.until(lambda: desk.called("cancel") == [(second,)])
        await console.sees("Nothing waits, nothing failed, nothing is unsure.")


async def test_resize_keeps_caret_draft_and_place(desk: DeskDouble) -> None:
    for number in range(40):
        desk.received(
            "emily", "mail", email("emily@example.com"), f"line {number} " + "word " * 30, minutes=200 - number
        )
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("pageup", "pageup")
        chosen = console.app.timeline.chosen
        await console.press("r")
        await console.type("half a")
        await console.press("left")
        for width, height in ((160, 48), (60, 16), (100, 30), (80, 24)):
            await console.pilot.resize_terminal(width, height)
            await console.pilot.pause()
            assert (console.box.text, console.box.cursor_location) == ("half a", (0, 5))
            assert console.app.timeline.chosen == chosen
            assert console.app.where == "box"


async def test_empty_queue_says_so() -> None:
    desk = DeskDouble()
    async with running(desk) as console:
        await console.sees("Nobody is waiting.")
        for key in ("enter", "r", "a", "c", "I", "u", "]", "w", "3"):
            await console.press(key)
        assert console.app.where == "list"
