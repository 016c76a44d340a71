"""Ending a merge or undoing a split gives back exactly what was, in random lives (``python -m proofs.identity`` runs
5,000)."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from agentconsole.domain import parting
from agentconsole.domain.entries import Merged, Unparted
from agentconsole.domain.history_edges import Edges
from agentconsole.domain.model import Parting
from agentconsole.hub.filing import Filing
from agentconsole.ports import Inbound
from proofs import identity


async def test_two_hundred_random_lives_differ_nowhere():
    found = await identity.prove(200, steps=10)
    assert found.differences == []
    assert found.merges >= 200
    assert found.after_merges >= 60
    assert found.splits >= 40
    assert found.after_splits >= 10


async def test_a_message_that_moves_with_a_merge_is_noticed(monkeypatch: pytest.MonkeyPatch):
    right = Filing._owner

    async def moved(self: Filing, inbound: Inbound):
        record = await right(self, inbound)
        person = await self._store.customer(record) if record is not None else None
        return person.id if person is not None else record

    monkeypatch.setattr(Filing, "_owner", moved)
    found = await identity.prove(40)
    assert any("a message of" in line for line in found.differences)


async def test_a_merge_that_is_not_taken_up_as_it_was_is_noticed(monkeypatch: pytest.MonkeyPatch):
    right = parting.again

    def newly(split: Parting, edge: Merged, at: datetime) -> Merged:
        return replace(right(split, edge, at), since=None)

    monkeypatch.setattr(parting, "again", newly)
    found = await identity.prove(60)
    assert any("undone at once" in line for line in found.differences)


async def test_a_name_that_outlives_its_split_is_noticed(monkeypatch: pytest.MonkeyPatch):
    right = Edges._unparted

    def keeps(self: Edges, entry: Unparted) -> None:
        split = self.partings.get(entry.parting)
        right(self, entry)
        if split is not None and split.of:
            self.name, self.name_given = split.name, True

    monkeypatch.setattr(Edges, "_unparted", keeps)
    found = await identity.prove(60)
    assert any("undone at once" in line for line in found.differences)
