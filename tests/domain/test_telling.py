"""One act on several parts is told once, and nothing else is left out."""

from __future__ import annotations

from datetime import timedelta

from agentconsole.domain.entries import AnyEntry, Note, Tagged, Undone
from agentconsole.domain.model import AgentName, ConversationId, EntryId
from agentconsole.domain.telling import ONE_ACT, once
from tests.domain.make import NOW


def tagged(id: str, conversation: str, tag: str = "vip", *, seconds: float = 0.0, by: str = "mina") -> Tagged:
    return Tagged(
        id=EntryId(id),
        at=NOW + timedelta(seconds=seconds),
        conversation=ConversationId(conversation),
        add=(tag,),
        by=AgentName(by),
    )


def told(*entries: AnyEntry) -> list[str]:
    return [entry.id for entry in once(entries)]


def test_the_parts_of_one_act_are_told_once() -> None:
    assert told(tagged("a", "c1"), tagged("b", "c2"), tagged("c", "c3", seconds=1)) == ["a"]
    undone = [Undone(id=EntryId(id), at=NOW, entry=EntryId(f"of {id}"), by=AgentName("mina")) for id in "ab"]
    assert told(*undone) == ["a"]


def test_what_differs_or_comes_later_is_told() -> None:
    late = ONE_ACT.total_seconds() + 0.1
    assert told(tagged("a", "c1"), tagged("b", "c2", "late")) == ["a", "b"]
    assert told(tagged("a", "c1"), tagged("b", "c2", by="hyun")) == ["a", "b"]
    assert told(tagged("a", "c1"), tagged("b", "c2", seconds=late)) == ["a", "b"]
    notes = [
        Note(id=EntryId(id), at=NOW, agent=AgentName("mina"), conversation=ConversationId(id), text="x") for id in "ab"
    ]
    assert told(*notes) == ["a", "b"], "two notes with the same words are two notes"
