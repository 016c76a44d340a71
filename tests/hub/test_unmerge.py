"""Ending a merge gives back exactly what was, in random lives (``python -m proofs.identity`` runs 5,000)."""

from __future__ import annotations

import pytest

from agentconsole.hub.filing import Filing
from agentconsole.ports import Inbound
from proofs import identity


async def test_three_hundred_random_lives_differ_nowhere():
    found = await identity.prove(300, steps=10)
    assert found.differences == []
    assert found.merges >= 300
    assert found.after_merges >= 100


async def test_a_message_that_moves_with_a_merge_is_noticed(monkeypatch: pytest.MonkeyPatch):
    right = Filing._owner

    async def moved(self: Filing, inbound: Inbound):
        record = await right(self, inbound)
        person = await self._store.customer(record) if record is not None else None
        return person.id if person is not None else record

    monkeypatch.setattr(Filing, "_owner", moved)
    found = await identity.prove(40)
    assert any("a message of" in line for line in found.differences)
