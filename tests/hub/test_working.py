"""Work through the hub: many at once, taking it back, what wakes by itself, and what is kept out of the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentconsole.desk import (
    AddTask,
    Assign,
    Block,
    Compose,
    Done,
    FinishTask,
    Join,
    LogContact,
    Prioritise,
    PutAside,
    SetStatus,
    Split,
    Tag,
    Target,
    WriteNote,
)
from agentconsole.domain.entries import Note, Received, StatusChanged
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
    Line,
    Medium,
    Priority,
)
from agentconsole.domain.queueing import ME, Filter, Goal, Saved, Targets
from agentconsole.domain.work import MOST_TASKS
from agentconsole.domain.work import PHONE as CALL
from agentconsole.errors import NotFound, ReadOnly, Refused, StoreFault, UsageError
from agentconsole.hub.profile import HubProfile
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until


async def two(world: World) -> tuple[Target, Target]:
    """Emily by mail, and somebody else by chat."""
    world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now()))
    world.chat.put(paper.message("w1", PHONE, "hi there", world.clock.now(), place="p"))
    found = []
    for address in (EMAIL, PHONE):
        customer = await world.customer(address)
        person = await world.store.customer(customer)
        assert person is not None
        found.append(Target(customer, person.conversations[0].id))
    return found[0], found[1]


async def rows(world: World, view: str) -> dict[CustomerId, Line]:
    return {line.customer: line for line in (await world.desk.queue(world.who, view, 0, 50)).lines}


async def do(world: World, key: str, target: Target, act: object) -> Done:
    [done] = await world.desk.work(world.who, key, [target], act)  # type: ignore[arg-type]
    assert not done.code, done.message
    return done


async def test_one_call_does_it_to_many_and_tells_each_failure(world: World):
    one, other = await two(world)
    nobody = Target(CustomerId("nobody"), ConversationId("c"))
    done = await world.desk.work(world.who, "k", [one, nobody, other], Prioritise(Priority.URGENT))
    assert [one.code for one in done] == ["", "not_found", ""]
    assert "nobody" in done[1].message
    assert {line.priority for line in (await rows(world, "waiting")).values()} == {Priority.URGENT}
    again = await world.desk.work(world.who, "k", [one, nobody, other], Prioritise(Priority.URGENT))
    assert again == done
    taken = await world.desk.undo(world.who, "u", [entry for each in done for entry in each.entries])
    assert [one.code for one in taken] == ["", ""]
    assert {line.priority for line in (await rows(world, "waiting")).values()} == {Priority.NORMAL}


async def test_without_an_entry_the_newest_call_of_this_agent_is_undone_whole(world: World):
    one, other = await two(world)
    await do(world, "a", one, Tag(("vip",)))
    await world.desk.work(world.who, "b", [one, other], SetStatus(ConversationStatus.RESOLVED))
    assert await rows(world, "waiting") == {}
    await world.desk.undo(world.who, "u1", [])
    assert len(await rows(world, "waiting")) == 2
    assert (await rows(world, "waiting"))[one.customer].tags == ("vip",)
    await world.desk.undo(world.who, "u2", [])
    assert (await rows(world, "waiting"))[one.customer].tags == ()
    with pytest.raises(NotFound, match="Nothing of yours"):
        await world.desk.undo(world.who, "u3", [])


async def test_what_was_changed_since_is_refused_and_told(world: World):
    one, _ = await two(world)
    first = await do(world, "a", one, Assign(AgentName("ben")))
    await do(world, "b", one, Assign(AgentName("cho")))
    [told] = await world.desk.undo(world.who, "u", first.entries)
    assert (told.code, told.target.customer) == ("refused", one.customer)
    assert "changed it again since" in told.message


async def test_the_timeline_tells_what_was_taken_back(world: World):
    one, _ = await two(world)
    note = await do(world, "n", one, WriteNote("see @ben"))
    await world.desk.undo(world.who, "u", note.entries)
    page = await world.desk.timeline(world.who, one.customer, EntryId(""), 50)
    assert page.undone[note.entries[0]].by == world.who.name
    assert any(isinstance(entry, Note) for entry in page.entries)
    assert page.customer.conversations[0].mentions == ()


async def test_a_snoozed_conversation_wakes_at_its_time(world: World):
    one, _ = await two(world)
    until_ = world.clock.now() + timedelta(hours=2)
    await do(world, "s", one, SetStatus(ConversationStatus.SNOOZED, until_))
    assert (await rows(world, "snoozed"))[one.customer].snoozed_until == until_
    assert one.customer not in await rows(world, "waiting")
    world.clock.move(seconds=2 * 3600 + 1)

    async def woken() -> bool:
        return one.customer in await rows(world, "waiting")

    await until(woken)
    page = await world.desk.timeline(world.who, one.customer, EntryId(""), 50)
    last = page.entries[-1]
    assert isinstance(last, StatusChanged)
    assert (last.by, last.status) == ("", ConversationStatus.OPEN)


async def test_whose_file_takes_nothing_keeps_nobody_else_asleep(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agentconsole.hub.alarms.AT_ONCE", 1)
    one, other = await two(world)
    for hours, target in enumerate((one, other), 1):
        at = world.clock.now() + timedelta(hours=hours)
        await do(world, f"s{hours}", target, SetStatus(ConversationStatus.SNOOZED, at))
    change = world.store.change

    async def damaged(record: CustomerId, decide: object) -> object:
        if record == one.customer:
            raise ReadOnly("The customer's file is damaged.", "")
        return await change(record, decide)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "change", damaged)
    world.clock.move(seconds=2 * 3600 + 1)

    async def woken() -> bool:
        return other.customer in await rows(world, "waiting")

    await until(woken)
    assert one.customer not in await rows(world, "waiting")


async def test_a_message_wakes_it_at_once(world: World):
    one, _ = await two(world)
    later = world.clock.now() + timedelta(days=2)
    await do(world, "s", one, SetStatus(ConversationStatus.SNOOZED, later))
    world.mail.put(paper.message("m2", EMAIL, "are you there?", world.clock.now()))
    world.clock.move(seconds=60)

    async def woken() -> bool:
        return one.customer in await rows(world, "waiting")

    await until(woken)


async def test_what_came_due_while_no_hub_ran_happens_at_the_next_start():
    clock = HandClock()
    store = MemoryStore(clock, CountingRandomness())
    async with running(store=store, clock=clock) as world:
        one, other = await two(world)
        later = clock.now() + timedelta(hours=1)
        await do(world, "s", one, SetStatus(ConversationStatus.SNOOZED, later))
        await do(world, "c", other, SetStatus(ConversationStatus.RESOLVED))
        task = await do(world, "t", other, AddTask("send the invoice", later))
    clock.move(seconds=7200)
    async with running(store=store, clock=clock) as world:

        async def both() -> bool:
            return set(await rows(world, "waiting")) == {one.customer, other.customer}

        await until(both)
        row = (await rows(world, "mine"))[other.customer]
        assert row.task is not None
        assert (row.task.text, row.task.rung, row.tasks) == ("send the invoice", True, 1)
        await do(world, "d", Target(CustomerId("")), FinishTask(task.entries[0]))
        assert other.customer not in await rows(world, "waiting")
        assert await rows(world, "tasks") == {}


async def test_a_solo_hub_stays_while_something_is_to_wake():
    clock = HandClock()
    profile = HubProfile(region="GB", free_floor=0, solo=True, linger_seconds=5)
    async with running(profile=profile, clock=clock) as world:
        one, _ = await two(world)
        await do(world, "s", one, SetStatus(ConversationStatus.SNOOZED, clock.now() + timedelta(hours=1)))
        assert await world.hub.waits()
        await do(world, "o", one, SetStatus(ConversationStatus.OPEN))
        assert not await world.hub.waits()


async def test_spam_has_no_row_and_comes_back_as_it_was(world: World):
    one, _ = await two(world)
    before = (await rows(world, "waiting"))[one.customer]
    done = await do(world, "p", one, PutAside("spam"))
    for view in ("waiting", "mine", "unassigned", "open", "snoozed", "tasks"):
        assert one.customer not in await rows(world, view)
    counts = (await world.desk.queue(world.who, "spam", 0, 10)).counts
    assert (counts.spam, counts.waiting) == (1, 1)
    world.mail.put(paper.message("m2", EMAIL, "buy!", world.clock.now()))
    world.clock.move(seconds=60)

    async def recorded() -> bool:
        page = await world.desk.timeline(world.who, one.customer, EntryId(""), 50)
        return sum(isinstance(entry, Received) for entry in page.entries) == 2

    await until(recorded)
    assert one.customer not in await rows(world, "waiting")
    await world.desk.undo(world.who, "u", done.entries)
    after = (await rows(world, "waiting"))[one.customer]
    assert after.waiting_since == before.waiting_since


async def test_nothing_is_sent_to_a_blocked_address_until_it_is_unblocked(world: World):
    one, _ = await two(world)
    done = await do(world, "b", Target(one.customer), Block(EMAIL.value))
    assert (await rows(world, "spam"))[one.customer].aside == "blocked"
    with pytest.raises(Refused, match="blocked"):
        await world.desk.reply(world.who, "r", Compose(one.customer, "hello"))
    await world.desk.undo(world.who, "u", done.entries)
    sent = await world.desk.reply(world.who, "r2", Compose(one.customer, "hello"))
    assert sent.id


async def test_blocking_needs_the_right_to_change_a_person():
    profile = HubProfile(
        region="GB", free_floor=0, agents={AgentName("cho"): frozenset({"read", "reply"})}, claims=frozenset({"cho"})
    )
    async with running(profile=profile) as world:
        desk, who = await world.attach("cho")
        with pytest.raises(Refused, match="customer"):
            await desk.work(who, "b", [Target(CustomerId("k"))], Block("x"))


async def test_a_part_of_a_conversation_becomes_one_of_its_own_and_they_are_joined_again(world: World):
    one, _ = await two(world)
    for number in (2, 3):
        world.mail.put(paper.message(f"m{number}", EMAIL, f"message {number}", world.clock.now()))
        world.clock.move(seconds=60)

        async def arrived(number: int = number) -> bool:
            page = await world.desk.timeline(world.who, one.customer, EntryId(""), 50)
            return sum(isinstance(entry, Received) for entry in page.entries) == number

        await until(arrived)
    page = await world.desk.timeline(world.who, one.customer, EntryId(""), 50)
    second = [entry for entry in page.entries if isinstance(entry, Received)][1]
    done = await do(world, "s", one, Split(second.id))
    assert done.conversation != one.conversation
    assert await do(world, "s", one, Split(second.id)) == done
    page = await world.desk.timeline(world.who, one.customer, EntryId(""), 50)
    placed = [entry.conversation for entry in page.entries if isinstance(entry, Received)]
    assert placed == [one.conversation, done.conversation, done.conversation]
    joined = await do(world, "j", Target(one.customer, done.conversation), Join(one.conversation))
    assert await do(world, "j", Target(one.customer, done.conversation), Join(one.conversation)) == joined
    assert len(await rows(world, "open")) == 2
    await world.desk.undo(world.who, "u", joined.entries)
    assert (await world.desk.queue(world.who, "open", 0, 50)).total == 3
    await world.desk.undo(world.who, "u", done.entries)
    person = await world.store.customer(one.customer)
    assert person is not None
    assert [c.id for c in person.conversations] == [one.conversation]


async def test_a_call_that_was_logged_ends_the_wait(world: World):
    one, _ = await two(world)
    await do(world, "l", one, LogContact(CALL, inbound=True, minutes=3, text="settled", answered=True))
    assert one.customer not in await rows(world, "waiting")


async def test_late_ones_come_first_and_saved_views_hold_what_they_say():
    profile = HubProfile(
        region="GB",
        free_floor=0,
        targets=Targets((Goal(60, medium=Medium("email")),)),
        views={"urgent": Saved(Filter(priorities=(Priority.URGENT,))), "old": Saved(Filter(), 7200)},
    )
    async with running(profile=profile) as world:
        one, other = await two(world)
        await do(world, "p", other, Prioritise(Priority.URGENT))
        page = await world.desk.queue(world.who, "waiting", 0, 10)
        assert [line.customer for line in page.lines] == [other.customer, one.customer]
        assert (page.counts.late, page.counts.saved) == (0, {"urgent": 1, "old": 0})
        world.clock.move(seconds=3 * 3600)
        page = await world.desk.queue(world.who, "waiting", 0, 10)
        assert [(line.customer, line.late) for line in page.lines] == [(one.customer, True), (other.customer, False)]
        assert (page.counts.late, page.counts.saved) == (1, {"urgent": 1, "old": 2})
        assert list(await rows(world, "urgent")) == [other.customer]
        assert page.lines[0].due_at is not None
        with pytest.raises(UsageError, match="There is no view"):
            await world.desk.queue(world.who, "nothing", 0, 10)


async def test_the_newest_call_is_undone_once_however_often_it_is_asked(world: World):
    """A hub that died before it answered is asked again: the call before must not go too."""
    one, other = await two(world)
    await do(world, "a", one, Tag(("vip",)))
    await world.desk.work(world.who, "b", [one, other], Prioritise(Priority.URGENT))
    told = await world.desk.undo(world.who, "u", [])
    assert await world.desk.undo(world.who, "u", []) == told
    assert (await rows(world, "waiting"))[one.customer].tags == ("vip",)


async def test_an_undo_that_died_halfway_is_finished_by_its_repeat(world: World, monkeypatch: pytest.MonkeyPatch):
    one, other = await two(world)
    await do(world, "a", one, Tag(("vip",)))
    await world.desk.work(world.who, "b", [one, other], Prioritise(Priority.URGENT))
    change, done = world.store.change, 0

    async def dies(record: CustomerId, decide: object) -> object:
        nonlocal done
        done += 1
        if done == 2:
            raise StoreFault("The disk is full.", "Free some space.")
        return await change(record, decide)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "change", dies)
    assert [told.code for told in await world.desk.undo(world.who, "u", [])] == ["", "store"]
    monkeypatch.setattr(world.store, "change", change)
    assert [told.code for told in await world.desk.undo(world.who, "u", [])] == ["", ""]
    left = await rows(world, "waiting")
    assert {line.priority for line in left.values()} == {Priority.NORMAL}
    assert left[one.customer].tags == ("vip",)


async def test_the_newest_call_is_found_behind_those_of_whom_was_erased(world: World):
    one, other = await two(world)
    await do(world, "a", one, Tag(("vip",)))
    await do(world, "b", other, Tag(("vip",)))
    await world.desk.erase(world.who, "e", other.customer)
    await world.desk.undo(world.who, "u", [])
    assert (await rows(world, "waiting"))[one.customer].tags == ()


async def test_taking_a_block_back_needs_the_right_to_block():
    profile = HubProfile(
        region="GB", free_floor=0, agents={AgentName("cho"): frozenset({"read", "reply"})}, claims=frozenset({"cho"})
    )
    async with running(profile=profile) as world:
        one, _ = await two(world)
        done = await do(world, "b", Target(one.customer), Block(EMAIL.value))
        desk, who = await world.attach("cho")
        [told] = await desk.undo(who, "u", done.entries)
        assert (told.code, "customer" in told.message) == ("refused", True)
        assert (await rows(world, "spam"))[one.customer].aside == "blocked"


async def test_who_sleeps_until_a_moment_twice_wakes_twice(world: World):
    """The clock was ahead, everybody woke, and was put to sleep again until the same moment."""
    one, _ = await two(world)
    at = world.clock.now() + timedelta(hours=2)
    await do(world, "s1", one, SetStatus(ConversationStatus.SNOOZED, at))
    world.clock.move(seconds=2 * 3600 + 1)

    async def woken() -> bool:
        return one.customer in await rows(world, "waiting")

    await until(woken)
    person = await world.store.customer(one.customer)
    assert person is not None
    snapshot = await world.store.snapshot(person.members[0])
    assert snapshot is not None
    again = StatusChanged(
        id=EntryId("e" + "1" * 30),
        at=world.clock.now(),
        conversation=one.conversation,
        status=ConversationStatus.SNOOZED,
        by=world.who.name,
        until=at,
    )
    await world.store.change(person.members[0], lambda _: [again])
    await until(woken)


async def test_the_last_task_that_there_is_room_for_is_added_once_however_often_it_is_asked(world: World):
    one, _ = await two(world)
    due = world.clock.now() + timedelta(hours=1)
    for number in range(MOST_TASKS):
        last = await do(world, f"t{number}", one, AddTask(f"call {number}", due))
    assert await do(world, f"t{MOST_TASKS - 1}", one, AddTask(f"call {MOST_TASKS - 1}", due)) == last
    [told] = await world.desk.work(world.who, "more", [one], AddTask("one more", due))
    assert told.code == "refused"


async def test_saved_views_are_counted_once_until_something_changes(monkeypatch: pytest.MonkeyPatch):
    views = {"urgent": Saved(Filter(priorities=(Priority.URGENT,))), "my": Saved(Filter(assignees=(ME,)))}
    profile = HubProfile(
        region="GB",
        free_floor=0,
        views=views,
        agents={AgentName("cho"): frozenset({"read", "reply"})},
        claims=frozenset({"cho"}),
    )
    async with running(profile=profile) as world:
        one, _ = await two(world)
        count, asked = world.store.count, []

        async def counted(wanted: Filter, agent: AgentName, *, late: object = ()) -> int:
            asked.append((wanted, agent))
            return await count(wanted, agent, late=late)  # type: ignore[arg-type]

        monkeypatch.setattr(world.store, "count", counted)
        desk, cho = await world.attach("cho")

        async def not_again() -> bool:
            await world.desk.queue(world.who, "open", 0, 10)
            before = (await world.store.changed(None)).revision
            mine = len(asked)
            await world.desk.queue(world.who, "open", 0, 10)
            await desk.queue(cho, "open", 0, 10)
            same = (await world.store.changed(None)).revision == before
            return same and {agent for wanted, agent in asked[mine:] if not wanted.assignees} == set()

        await until(not_again)
        assert {agent for wanted, agent in asked if wanted.assignees} == {world.who.name, cho.name}
        await do(world, "p", one, Prioritise(Priority.URGENT))
        assert (await world.desk.queue(world.who, "open", 0, 10)).counts.saved == {"urgent": 1, "my": 0}
