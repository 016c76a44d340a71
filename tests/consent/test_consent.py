"""Nothing leaves after an opt-out was acknowledged: a share of ``python -m proofs.consent``, and that it bites."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentconsole.domain import permission, person
from agentconsole.hub import dispatch
from proofs import consent

PLAYS = 300


def test_no_commit_after_an_acknowledged_opt_out() -> None:
    figures = consent.proof(PLAYS, 7)
    assert figures.wrong == []
    for what in ("opt-outs", "opt-ins", "merges", "unmerges", "deaths", "commits", "one answer after an opt-out"):
        assert figures.counts[what] > 0, what


def _only_when_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch.permission, "refusal", lambda *_args: None)


def _without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dispatch.Dispatch.__init__

    def alone(self: dispatch.Dispatch, *args: Any) -> None:
        made(self, *args)
        self._people = asyncio.Lock()

    monkeypatch.setattr(dispatch.Dispatch, "__init__", alone)


def _without_the_union(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "_stricter", lambda one, other: max(one, other, key=lambda consent: consent.at))


def _answers_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_answered", lambda *_args: False)


@pytest.mark.parametrize("fault", [_only_when_queued, _without_the_lock, _without_the_union, _answers_without_end])
def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch, fault: Any) -> None:
    fault(monkeypatch)
    assert any(model.wrong for model in consent.plays(600, 7))
