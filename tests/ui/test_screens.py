"""Every state looks as it was last looked at; ``tests/ui/screens.py`` says how to draw them again."""

from __future__ import annotations

import difflib

import pytest

from tests.ui import screens
from tests.ui.screens import FOLDER, kept
from tests.ui.states import STATES

MOST_KEPT = 1 << 20
"""Octets of all pictures together."""


@pytest.mark.parametrize("name", STATES)
async def test_state_looks_as_it_did(name: str) -> None:
    drawn, before = await screens.draw(name), kept(name).read_text(encoding="utf-8")
    difference = difflib.unified_diff(before.splitlines(), drawn.splitlines(), "kept", "drawn now", lineterm="")
    assert drawn == before, "\n".join(["python -m tests.ui.screens draws it again", *difference])


def test_every_picture_has_its_state_and_all_are_small() -> None:
    files = list(FOLDER.glob("*.txt"))
    assert {file.stem for file in files} == set(STATES)
    assert sum(file.stat().st_size for file in files) < MOST_KEPT
