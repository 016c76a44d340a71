"""Work in the console: snooze, tags, tasks, calls, marks, and taking all of it back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentconsole.desk import Agent, SetStatus, Tag, Target, WriteNote
from agentconsole.domain import when
from agentconsole.domain.acts import AddTask, LogContact
from agentconsole.domain.model import AgentName, ConversationId, ConversationStatus, CustomerId, Medium, Priority
from agentconsole.domain.queueing import Cutoff, Filter
from agentconsole.ui import work_asking
from agentconsole.ui.say import Say
from tests.ui.console import Driver, running
from tests.ui.desk_double import NOW, DeskDouble, email, emily

HYUN = Agent(AgentName("hyun"))
MINA = Agent(AgentName("mina"))


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


def acts(desk: DeskDouble) -> list[object]:
    return [act for _, _, act in desk.called("work")]


async def ask(console: Driver, keys: str, words: str) -> None:
    await console.press(*keys)
    await console.until(lambda: console.app.where == "prompt")
    await console.type(words)
    await console.press("enter")


# -- taking back -------------------------------------------------------------------------------------------


async def test_undo_takes_back_what_was_done_in_another_console_and_says_what_it_was(desk: DeskDouble) -> None:
    async with running(desk) as console:
        where = [Target(CustomerId("minsu"), ConversationId("c-minsu"))]
        await desk.work(MINA, "from-a-shell", where, Tag(("vip",)))
        await console.press("u")
        await console.sees("Undone:", "vip", "박민수")
        assert desk.called("undo")[-1][1] == ()
        await console.press("u")
        await console.sees("Nothing to undo.")


async def test_undo_takes_the_cursor_back_to_the_row_that_comes_back(desk: DeskDouble) -> None:
    """What is pressed next is meant for that row: it was the wrong verb, not the wrong person."""
    async with running(desk) as console:
        await console.press("home", "j")
        meant = console.app.queue.chosen
        assert meant is not None
        await console.press("c")
        await console.until(lambda: console.app.queue.is_next)
        assert console.app.queue.chosen is not None
        assert console.app.queue.chosen.conversation != meant.conversation
        await console.press("u")
        await console.until(lambda: console.app.queue.chosen.conversation == meant.conversation)  # type: ignore[union-attr]
        assert console.app.queue.line(console.app.queue.cursor) == console.app.queue.chosen
        await console.press("c")
        await console.until(lambda: console.app.queue.is_next)
        await console.press("j", "k", "u")  # gone on since: the cursor stays
        await console.sees("Undone")
        await console.until(lambda: meant.conversation in {line.conversation for _, line in console.app.queue.lines()})
        assert console.app.queue.chosen.conversation != meant.conversation


def test_a_tag_may_be_typed_with_its_sign() -> None:
    assert work_asking.tags("+vip, late -old - +") == (("vip", "late"), ("old",))


async def test_undo_says_who_changed_it_since_and_changes_nothing(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("home", "a")
        await console.until(lambda: desk.called("work"))
        (target,) = desk.called("work")[0][1]
        await desk.work(HYUN, "another-agent", [target], SetStatus(ConversationStatus.RESOLVED))
        await desk.work(HYUN, "another-agent-2", [target], SetStatus(ConversationStatus.OPEN))
        await console.press("u")
        await console.sees("Undone: Assigned to mina")
        await console.press("t")
        await console.until(lambda: console.app.where == "prompt")
        await console.type("vip")
        await console.press("enter")
        await console.sees("Tags: +vip.")
        await desk.work(HYUN, "another-agent-3", [target], Tag((), ("vip",)))
        await console.press("u")
        await console.sees("hyun changed it again since")


async def test_note_is_taken_back(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("i")
        await console.until(lambda: console.app.where == "box")
        await console.type("vip")
        await console.press("ctrl+s")
        await console.sees("Note kept.")
        console.app._guard_until = 0.0
        note = desk.records[CustomerId("emily")][-1].id
        await console.press("u")
        await console.until(lambda: desk.called("undo"))
        assert desk.called("undo")[0][1] == (note,)


# -- one at a time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "words"), [("en", "tomorrow 9"), ("ko", "내일 오전 9시")])
async def test_snooze_until_a_time_as_people_say_it(desk: DeskDouble, language: str, words: str) -> None:
    async with running(desk, language=language) as console:
        await console.press("home", "s")
        await console.sees(words)
        await console.type(words)
        await console.sees("Wed 4 Mar 2026 09:00" if language == "en" else "2026년 3월 4일 (수) 09:00")
        await console.press("enter")
        await console.sees("Snoozed until 4 Mar 09:00" if language == "en" else "3월 4일 09:00까지 미룸")
        assert acts(desk) == [
            SetStatus(ConversationStatus.SNOOZED, NOW.replace(hour=9, minute=0, second=0) + timedelta(1))
        ]
        await console.press("g", "s")
        await console.sees("wakes 4 Mar 09:00" if language == "en" else "3월 4일 09:00")


async def test_time_that_is_none_keeps_the_prompt_open_and_tab_offers_one(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await ask(console, "s", "soonish")
        await console.sees("No such time ahead: soonish.")
        assert console.app.where == "prompt"
        assert not desk.called("work")
        assert console.app.acting.prompt is not None
        console.app.acting.prompt.put("mo")
        await console.press("tab")
        await console.until(
            lambda: console.app.acting.prompt is not None and console.app.acting.prompt.typed == "mon 9"
        )
        await console.press("enter")
        await console.sees("Snoozed until 9 Mar 09:00")


async def test_tags_are_put_on_completed_and_taken_off(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await ask(console, "t", "vip refund")
        await console.sees("#refund #vip")
        await console.press("t")
        await console.sees("-refund / -vip")
        await console.type("-v")
        await console.press("tab", "enter")
        await console.until(lambda: acts(desk)[-1] == Tag((), ("vip",)))
        await console.press("j", ".")
        await console.until(lambda: len(acts(desk)) == 3)
        assert desk.called("work")[-1][1] != desk.called("work")[-2][1]


async def test_priority_by_the_beginning_of_its_name(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await ask(console, "p", "so-so")
        await console.sees("No such priority: so-so.")
        console.app.acting.prompt.put("urg")  # type: ignore[union-attr]
        await console.press("enter")
        await console.sees("Priority: urgent.", "urgent")
        assert next(line for _, line in console.app.queue.lines()).priority == Priority.URGENT


async def test_task_is_added_with_its_day_shown_in_its_row_and_done(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await ask(console, "bb", "call back")
        await console.until(lambda: console.app.acting.prompt is not None and not console.app.acting.prompt.typed)
        await console.type("in 2 h")
        await console.press("enter")
        await console.sees("To do 3 Mar 16:02: call back.")
        act = acts(desk)[0]
        assert isinstance(act, AddTask)
        assert act.due == NOW + timedelta(hours=2)
        await console.press("g", "t")
        await console.sees("16:02 to do")
        await console.press("b", "d")
        await console.sees("Task done.")
        await console.until(lambda: not console.app.queue.total)
        await console.press("u")
        await console.until(lambda: console.app.queue.total == 1)


async def test_call_is_written_down_with_its_minutes(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await ask(console, "L", "call ca")
        await console.sees("What came of it")
        await console.type("12 min: agreed on the 11th")
        await console.press("enter")
        await console.sees("Written down: call came in.", "mina, 12 min: agreed")
        assert acts(desk) == [LogContact(Medium("phone"), True, 12, "agreed on the 11th", answered=True)]


async def test_spam_leaves_the_list_and_comes_back_with_the_same_keys(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("B")
        await console.sees("s spam", "b block", "m mute")
        await console.press("s")
        await console.sees("3 waiting", "Spam:")
        await console.press("g", "x")
        await console.until(lambda: console.app.queue.total == 1)
        await console.press("B", "s")
        await console.sees("Back in the list.", "4 waiting")


async def test_blocked_sender_is_unblocked_by_the_same_keys(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("B", "b")
        await console.sees("Blocked:", "3 waiting")
        await console.press("g", "x")
        await console.sees("sender blocked")
        await console.press("B", "b")
        await console.sees("No longer blocked.", "4 waiting")


async def test_conversation_is_split_at_the_cursor_and_joined_again(desk: DeskDouble) -> None:
    desk.received("emily", "mail", email("emily@example.com"), "And another thing", minutes=2, name="Emily Rhodes")
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("end", "k", "C", "s")
        await console.sees("A conversation of its own from here on.")
        await console.until(lambda: len(desk.person(CustomerId("emily")).conversations) == 2)
        await console.until(
            lambda: (
                console.app.reading.opened is not None and len(console.app.reading.opened.customer.conversations) == 2
            )
        )
        await ask(console, "Cj", "1")
        await console.sees("One conversation with: 1")
        await console.until(lambda: len(desk.person(CustomerId("emily")).conversations) == 1)


# -- many at once ------------------------------------------------------------------------------------------


async def test_marked_rows_are_worked_on_in_one_call_and_undone_in_one(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("home", "v", "v")
        await console.sees("2 marked")
        assert console.app.queue.cursor == 2
        await ask(console, "t", "vip")
        await console.sees("2 conversations: Tags: +vip. u undoes")
        assert len(desk.called("work")) == 1
        assert len(desk.called("work")[0][1]) == 2
        assert not console.app.queue.marks
        await console.press("u")
        await console.sees("Undone: 2 conversations: Tags: +vip.")
        await console.until(lambda: not any(line.tags for _, line in console.app.queue.lines()))


async def test_each_that_failed_is_told_by_name_and_stays_marked(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("home", "v", "v", "v")
        gone = list(console.app.queue.marks.values())[:2]
        for line in gone:
            desk.records[line.customer] = desk.records[line.customer][:0]
            desk._folded.pop(line.customer, None)
        await console.press("a")
        await console.until(lambda: console.app.page_kind == "told")
        await console.sees("NOT DONE  2", gone[0].name, gone[1].name)
        assert set(console.app.queue.marks) == {line.conversation for line in gone}
        assert "1 of 3 done" in console.strip


async def test_escape_takes_marks_off_and_v_twice_too(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("home", "v", "escape")
        assert not console.app.queue.marks
        await console.press("home", "v", "k", "v")
        assert not console.app.queue.marks
        await console.press("a")
        await console.until(lambda: len(desk.called("work")) == 1)
        assert len(desk.called("work")[0][1]) == 1


async def test_note_says_whom_it_calls(desk: DeskDouble) -> None:
    desk.agents = (AgentName("mina"), AgentName("hyun"))
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("i")
        await console.until(lambda: console.app.where == "box")
        await console.type("@hyun can this wait, @nobody?")
        await console.press("ctrl+s")
        await console.sees("Note kept. It calls hyun.")


async def test_note_on_all_that_are_marked(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press("home", "v", "v")
        await ask(console, "i", "see @hyun")
        await console.sees("2 conversations: Note kept.")
        assert acts(desk) == [WriteNote("see @hyun")]


# -- what is typed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_time_that_is_offered_is_one(language: str) -> None:
    say = Say(language, "UTC")
    offered = say("work.times").split("|")
    assert len(offered) >= 5
    assert all(when.later(words, NOW, say.zone) is not None for words in offered)
    assert work_asking.times(say, NOW) == offered


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("call made", "called"),
        ("전화 받음", "called_in"),
        ("visit", "visited"),
        ("letter s", "letter_sent"),
        ("zzz", ""),
    ],
)
def test_contacts_are_known_by_their_names(words: str, name: str) -> None:
    assert work_asking.contact(words, Say("en", "UTC")) == name


def test_tags_and_minutes_are_read_as_typed() -> None:
    assert work_asking.tags("vip, -refund  new -") == (("vip", "new"), ("refund",))
    assert work_asking.minutes("12 min: agreed") == (12, "agreed")
    assert work_asking.minutes("5분 통화") == (5, "통화")
    assert work_asking.minutes("about 12 things") == (0, "about 12 things")


# -- views -------------------------------------------------------------------------------------------------


async def test_saved_views_stand_with_their_counts_and_open_by_number(desk: DeskDouble) -> None:
    desk.saved = {"vip": Filter(tags=("vip",)), "chats": Filter(media=(Medium("whatsapp"),))}
    async with running(desk, size=(160, 48)) as console:
        await console.press("g")
        await console.sees("1 vip", "2 chats")
        await console.press("2")
        await console.until(lambda: console.app.queue.total == 1)
        await console.sees("CHATS", "1 vip 0  2 chats 1")
        await console.press("g", "3")
        await console.sees("There is no saved view 3.")


async def test_drafts_are_listed_with_names_and_gone_on_with(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.type("half a sen")
        await console.press("escape")
        await console.until(lambda: desk.kept)
        await console.press("g", "d")
        await console.sees("DRAFTS  1", "Emily Rhodes", "half a sen")
        await console.press("enter")
        await console.until(lambda: console.app.where == "box")
        assert console.box.text == "half a sen"


async def test_late_ones_are_counted_and_said_in_their_rows(desk: DeskDouble) -> None:
    desk.late = (Cutoff(NOW - timedelta(minutes=20)),)
    async with running(desk) as console:
        await console.sees("1 late", " late")
        assert [line.late for _, line in console.app.queue.lines()] == [True, False, False, False]


# -- writing first -----------------------------------------------------------------------------------------


async def test_message_that_answers_nobody_names_what_it_is_about_and_is_judged_by_it(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await ask(console, "m", "invoice")
        await console.sees("New message to Emily Rhodes about invoice")
        await console.until(lambda: any(compose.proactive for (compose,) in desk.called("choose")))
        await console.type("Your invoice is ready")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        ((_, compose),) = desk.called("reply")
        assert (compose.proactive, compose.purpose, compose.answers) == (True, "invoice", "")


async def test_half_a_first_message_is_kept_as_one_and_a_half_reply_is_not_taken_for_it(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await ask(console, "m", "")
        await console.sees("New message to Emily Rhodes")
        await console.type("Your inv")
        await console.press("escape")
        await console.until(lambda: desk.kept)
        assert next(iter(desk.kept.values())).proactive
        await console.press("r")
        await console.sees("New message to Emily Rhodes", "Your inv")
    async with running(desk) as console:
        await console.sees("New message to Emily Rhodes", "Your inv")
        console.app._guard_until = 0.0
        await console.press("ctrl+n", "escape", "r")
        await console.sees("Reply to Emily Rhodes")
        await console.type("Dear")
        await console.press("escape", "m")
        await console.sees("A reply to this customer is half written.")
        assert console.app.where == "conversation"
