"""Quotations and the editor's file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.text import answering

MAIL = "Where is my order?\nI have waited.\n\nOn 3 Mar 2026, Mina wrote:\n> It was sent today.\n> Mina\n"


def test_a_mail_is_quoted_without_what_it_quotes():
    assert answering.quoted(MAIL, "On 4 Mar, Emily wrote:") == (
        "On 4 Mar, Emily wrote:\n> Where is my order?\n> I have waited."
    )


def test_long_lines_are_folded_and_a_long_mail_is_cut():
    found = answering.quoted("word " * 40, "")
    assert max(len(line) for line in found.split("\n")) <= answering.WIDTH
    many = answering.quoted("\n".join(f"line {n}" for n in range(99)), "")
    assert many.split("\n")[-2:] == ["> line 39", "> […]"]


def test_a_chat_gets_one_short_line():
    assert answering.short_quoted("where is\nmy order?") == "> where is my order?"
    long = answering.short_quoted("word " * 60)
    assert long.endswith(" …")
    assert len(long) <= answering.SHORT + 4


@given(st.text(max_size=300).filter(lambda text: "8<" not in text), st.text(max_size=300))
def test_the_editor_gives_back_what_was_above_the_mark(text: str, answered: str):
    there = answering.for_editor(text, "Nothing below is sent.", answered)
    assert answering.from_editor(there) == text.rstrip()


@pytest.mark.parametrize(
    "written", ["only this", "only this\n\n-------- 8< -------- nothing below\n> x", "only this\n"]
)
def test_a_mark_that_was_taken_away_is_no_harm(written: str):
    assert answering.from_editor(written) == "only this"
