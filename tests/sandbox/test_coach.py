"""The coach: six steps, each left only when it really happened."""

from __future__ import annotations

import pytest

from agentconsole.sandbox.coach import STAGES, Coach
from agentconsole.text.width import wrap
from agentconsole.ui.keymap import Keymap

STORY = [
    ("opened", {"customer": "k1", "name": "Emily Rhodes"}, 1),
    ("linked", {}, 2),
    ("unlinked", {}, 2),
    ("linked", {}, 3),
    ("known_seen", {"kind": "id_number"}, 3),
    ("sent", {"medium": "whatsapp", "state": "queued"}, 3),
    ("closed", {}, 4),
    ("refused_seen", {"medium": "sms", "reason": "opted_out"}, 5),
    ("draft_restored", {}, 6),
]


def test_the_story_leads_through_all_six_steps():
    kept: list[int] = []
    coach = Coach(keep=kept.append)
    assert coach.text("en").startswith("Step 1 of 6")
    for event, facts, step in STORY:
        coach.note(event, **facts)
        assert coach.step == step, event
    assert kept == list(range(1, len(STAGES)))


def test_what_did_not_happen_in_order_advances_nothing():
    coach = Coach()
    for event in ("sent", "closed", "refused_seen", "draft_restored", "unlinked", "anything"):
        coach.note(event)
    coach.note("opened", name="田中ゆき")
    assert coach.at == 0


def test_it_goes_on_where_it_was_and_forgives_nonsense():
    assert Coach(at=8).step == 5
    assert Coach(at=99).step == Coach(at=-1).step == 1


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("stage", range(len(STAGES)))
def test_every_text_fits_two_lines_of_eighty_columns(language: str, stage: int):
    coach = Coach(stage, {"console": "agentconsole --config /tmp/acdemo-abcdefgh/demo.toml"})
    text = coach.text(language)
    assert "{" not in text
    assert len(wrap(text, 78)) <= 2


def test_it_names_the_keys_that_hold_for_this_agent():
    coach = Coach(1, keymap=Keymap({"conversation": {"link": ["ctrl+y"]}, "list": {"link": ["ctrl+y"]}}))
    assert "ctrl+y links the two." in coach.text("en")
