"""What agents do to conversations, and that taking it back leaves everything as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentconsole.domain import redaction, undoing, work
from agentconsole.domain.acts import (
    Act,
    AddTask,
    Assign,
    Block,
    FinishTask,
    Join,
    LogContact,
    Prioritise,
    PutAside,
    SetStatus,
    Split,
    Tag,
    WriteNote,
)
from agentconsole.domain.entries import AnyEntry, Manual, Note
from agentconsole.domain.history import advance, fold
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    EntryId,
    Priority,
    Snapshot,
)
from agentconsole.domain.person import combine, lines
from agentconsole.domain.work import Doing
from agentconsole.errors import NotFound, Refused, UsageError
from agentconsole.testing.entries import minute, received, reply

ANA, BEN = AgentName("ana"), AgentName("ben")
K1 = CustomerId("k1")
C1, C2 = ConversationId("c1"), ConversationId("c2")
NOW = minute(60)
START = (
    received("e1", 0, text="first", subject="Order"),
    reply("r1", 5),
    received("e2", 10, text="another thing"),
    received("e3", 12, text="and more of it"),
    received("e4", 20, conversation="c2"),
)


class Desk:
    """One record, worked on by the domain alone."""

    def __init__(self, *entries: AnyEntry) -> None:
        self.entries: list[AnyEntry] = list(entries)
        self.number = 0

    @property
    def snapshot(self) -> Snapshot:
        return fold(K1, self.entries)

    @property
    def person(self) -> Customer:
        return combine(K1, {K1: self.snapshot})

    def do(self, act: Act, conversation: ConversationId = C1, who: AgentName = ANA) -> list[EntryId]:
        self.number += 1
        doing = Doing(who, NOW + timedelta(minutes=self.number), str(self.number))
        act = work.checked(act, NOW)
        if isinstance(act, Split):
            snapshot = self.snapshot
            page = sorted(self.entries, key=lambda entry: entry.at)
            made: list[AnyEntry] = [
                work.split(snapshot.conversations[conversation], page, act.first, doing, snapshot.moved)
            ]
        else:
            made = [entry for _, entry in work.entries(act, self.person, {K1: self.snapshot}, conversation, doing)]
        self.entries += made
        return [entry.id for entry in made]

    def undo(self, *entries: EntryId) -> None:
        for entry in entries:
            self.entries.append(undoing.undo(self.snapshot, entry, ANA, NOW))


def state(snapshot: Snapshot) -> dict[str, Any]:
    """Everything that work can change, without what is only counted or remembered for undo."""
    conversations = {
        name: {field: getattr(c, field) for field in c.__struct_fields__ if field != "last_at"}
        for name, c in snapshot.conversations.items()
    }
    return {
        "conversations": conversations,
        "tasks": snapshot.tasks,
        "joins": snapshot.joins,
        "moved": snapshot.moved,
        "addresses": snapshot.addresses,
        "complaints": snapshot.complaints,
    }


ACTS = st.one_of(
    st.builds(Assign, st.sampled_from([ANA, BEN, AgentName("")])),
    st.builds(SetStatus, st.sampled_from([ConversationStatus.OPEN, ConversationStatus.RESOLVED])),
    st.just(SetStatus(ConversationStatus.SNOOZED, minute(600))),
    st.builds(Tag, st.sampled_from([("vip",), ("complaint",), ("a", "b")]), st.sampled_from([(), ("vip",)])),
    st.just(Tag((), ("complaint",))),
    st.builds(Prioritise, st.sampled_from(list(Priority))),
    st.builds(PutAside, st.sampled_from(work.ASIDE)),
    st.builds(Block, st.just("emily@example.com"), st.booleans()),
    st.just(AddTask("call back", minute(300))),
    st.builds(LogContact, st.just(work.PHONE), answered=st.booleans()),
    st.just(WriteNote("see @ben and @cho")),
    st.just(Split(EntryId("e2"))),
    st.just(Join(C2)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=8))
def test_undoing_all_of_it_backwards_gives_the_former_state(acts: list[Act]) -> None:
    desk = Desk(*START)
    states = [state(desk.snapshot)]
    done: list[list[EntryId]] = []
    for act in acts:
        try:
            done.append(desk.do(act))
        except (Refused, NotFound, UsageError):
            continue
        states.append(state(desk.snapshot))
    for entries in reversed(done):
        assert state(desk.snapshot) == states.pop()
        desk.undo(*reversed(entries))
    assert state(desk.snapshot) == states.pop()


def test_what_somebody_changed_since_is_not_undone() -> None:
    desk = Desk(*START)
    [first] = desk.do(Assign(ANA))
    [second] = desk.do(Assign(BEN), who=BEN)
    with pytest.raises(Refused, match="ben changed it again"):
        desk.undo(first)
    desk.undo(second)
    desk.undo(first)
    assert desk.snapshot.conversations["c1"].assignee == "ana"  # the reply of ana had it before


def test_other_changes_since_do_not_stand_in_the_way() -> None:
    desk = Desk(*START)
    [tagged] = desk.do(Tag(("vip",)))
    desk.do(Prioritise(Priority.HIGH), who=BEN)
    desk.undo(tagged)
    found = desk.snapshot.conversations["c1"]
    assert (found.tags, found.priority) == ((), Priority.HIGH)


def test_a_message_wakes_what_was_snoozed_and_then_nothing_is_undone() -> None:
    desk = Desk(*START)
    [snoozed] = desk.do(SetStatus(ConversationStatus.SNOOZED, minute(600)))
    assert desk.snapshot.conversations["c1"].waiting_since is None
    desk.entries.append(received("e9", 100))
    woken = desk.snapshot.conversations["c1"]
    assert (woken.status, woken.snoozed_until, woken.waiting_since) == ("open", None, minute(100))
    with pytest.raises(Refused):
        desk.undo(snoozed)


def test_an_entry_is_undone_once_and_nothing_else_can_be() -> None:
    desk = Desk(*START)
    [tagged] = desk.do(Tag(("vip",)))
    desk.undo(tagged)
    for entry in (tagged, EntryId("e1"), EntryId("nothing")):
        with pytest.raises(NotFound):
            desk.undo(entry)


def test_what_is_due_wakes_and_rings_once() -> None:
    desk = Desk(*START)
    desk.do(SetStatus(ConversationStatus.SNOOZED, minute(90)))
    [task] = desk.do(AddTask("send the invoice", minute(90)), C2)
    assert work.due(desk.snapshot, minute(89)) == []
    due = work.due(desk.snapshot, minute(90))
    assert len(due) == 2
    assert advance(desk.snapshot, due).tasks[task].rung
    desk.entries += due
    assert work.due(desk.snapshot, minute(900)) == []
    row = next(line for line in lines(desk.person) if line.conversation == "c2")
    assert row.wanted_since == minute(20)
    desk.do(SetStatus(ConversationStatus.RESOLVED), C2)
    row = next(line for line in lines(desk.person) if line.conversation == "c2")
    assert (row.waiting_since, row.wanted_since) == (None, minute(90))
    desk.do(FinishTask(task))
    assert next(line for line in lines(desk.person) if line.conversation == "c2").wanted_since is None


def test_a_split_moves_what_came_from_an_entry_on_and_leaves_the_entries() -> None:
    desk = Desk(*START)
    [made] = desk.do(Split(EntryId("e2")))
    new = next(c for c in desk.person.conversations if c.id not in ("c1", "c2"))
    assert (new.waiting_since, new.last_in, new.preview) == (minute(10), "e3", "and more of it")
    left = desk.snapshot.conversations["c1"]
    assert (left.waiting_since, left.last_in, left.subject) == (None, "e1", "Order")
    assert desk.person.moved == {"e2": new.id, "e3": new.id}
    placed = work.placed([START[2]], desk.person.moved)
    assert placed[0].conversation == new.id  # type: ignore[union-attr]
    desk.entries.append(received("e8", 30, conversation=str(new.id)))
    with pytest.raises(Refused):
        desk.undo(made)


@pytest.mark.parametrize("first", ["e1", "e4", "nothing"])
def test_a_split_that_leaves_nothing_or_is_elsewhere_is_refused(first: str) -> None:
    with pytest.raises((Refused, NotFound)):
        Desk(*START).do(Split(EntryId(first)))


def test_joined_conversations_are_one_until_it_is_undone() -> None:
    desk = Desk(*START)
    before = desk.person.conversations
    [joined] = desk.do(Join(C2))
    [one] = desk.person.conversations
    assert (one.id, one.waiting_since) == ("c2", minute(10))
    with pytest.raises(Refused, match="same conversation"):
        desk.do(Join(C2))
    desk.undo(joined)
    assert desk.person.conversations == before


def test_a_blocked_sender_has_no_row_and_comes_back_waiting() -> None:
    desk = Desk(*START)
    [blocked] = desk.do(Block())
    assert {line.aside for line in lines(desk.person)} == {"blocked"}
    desk.entries.append(received("e9", 100, conversation="c2"))
    desk.undo(blocked)
    row = next(line for line in lines(desk.person) if line.conversation == "c2")
    assert (row.aside, row.waiting_since) == ("", minute(20))


def test_a_logged_call_ends_the_wait_only_where_it_answered() -> None:
    desk = Desk(*START)
    desk.do(LogContact(work.PHONE, text="nobody there"))
    assert desk.snapshot.conversations["c1"].waiting_since == minute(10)
    desk.do(LogContact(work.PHONE, minutes=4, text="settled", answered=True))
    assert desk.snapshot.conversations["c1"].waiting_since is None
    assert sum(isinstance(entry, Manual) for entry in desk.entries) == 2


def test_whom_a_note_calls_is_called_until_they_do_something_here() -> None:
    desk = Desk(*START)
    desk.do(WriteNote("@ben, @Ben and @cho. mail a@example.com"))
    assert desk.snapshot.conversations["c1"].mentions == ("ben", "Ben", "cho")
    desk.do(Prioritise(Priority.HIGH), who=BEN)
    assert desk.snapshot.conversations["c1"].mentions == ("Ben", "cho")
    assert work.mentions("@BEN @dora", [BEN]) == ("ben",)
    [_, note] = desk.do(Assign(BEN, "have a look"))
    found = next(entry for entry in desk.entries if entry.id == note)
    assert isinstance(found, Note)
    assert found.mentions == ("ben",)


@pytest.mark.parametrize(
    "act",
    [
        WriteNote(" "),
        SetStatus(ConversationStatus.SNOOZED),
        SetStatus(ConversationStatus.SNOOZED, minute(59)),
        SetStatus(ConversationStatus.SNOOZED, minute(70).replace(tzinfo=None)),
        Tag(),
        Tag(("a,b",)),
        PutAside("gone"),
        LogContact(work.PHONE, minutes=-1),
        LogContact(work.PHONE, at=minute(61)),
        LogContact("email"),  # type: ignore[arg-type]
        AddTask("x", minute(3)),
        AddTask("x" * (work.LONGEST + 1), minute(300)),
    ],
)
def test_what_means_nothing_is_refused_before_anything_changes(act: Act) -> None:
    with pytest.raises((Refused, UsageError), match="Nothing was changed"):
        work.checked(act, NOW)


def test_a_redaction_leaves_nothing_in_what_a_split_kept() -> None:
    desk = Desk(*START)
    [made] = desk.do(Split(EntryId("e2")))
    split = next(entry for entry in desk.entries if entry.id == made)
    assert "and more of it" in str(split)
    assert "and more of it" not in str(redaction.without(split, EntryId("e3")))
    assert "Order" in str(redaction.without(split, EntryId("e3")))
    assert "Order" not in str(redaction.without(split, EntryId("e1")))
    [call] = desk.do(LogContact(work.PHONE, text="secret"))
    said = next(entry for entry in desk.entries if entry.id == call)
    assert "secret" not in str(redaction.without(said, call))
