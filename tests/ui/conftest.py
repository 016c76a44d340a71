"""What a person would be too quick for is decided by the test, not by how quick this machine is."""

from __future__ import annotations

import math

import pytest

from agentconsole.ui import actions_decide, app
from agentconsole.ui.widgets import queue


@pytest.fixture(autouse=True)
def moments_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no guard end by itself: a test ends it (``_guard_until``, ``Driver.answer``) where a person would wait."""
    monkeypatch.setattr(app, "GUARD_SECONDS", math.inf)
    monkeypatch.setattr(queue, "STEP_SECONDS", math.inf)
    monkeypatch.setattr(actions_decide, "TOO_SOON", math.inf)
