"""Cells are counted as the console's toolkit counts them; nothing cut, padded or wrapped is ever wider than asked."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from agentconsole.text.sanitise import one_line
from agentconsole.text.width import cell_width, clip, graphemes, pad, wrap

SAMPLES = [
    "hello",
    "안녕하세요",
    unicodedata.normalize("NFD", "안녕하세요 한글"),
    "ᄒᆞᆫ",
    "東京都「一丁目」です。",
    "👨‍👩‍👧 ok ❤️ 🇰🇷🇯🇵 1️⃣ 👍🏽 🏳️‍🌈 ⛹🏽‍♂️",
    "e\u0301\u0316x\u0334",
    "नमस्ते क्‍ष",
    "สวัสดี",
    "שָׁלוֹם",
    "\U0001fae8\U0001fadc",
    "①②±—…␛⟨RLO⟩⏎\ufffd",
    "",
]


def test_every_character_is_as_wide_as_the_toolkit_says():
    # The toolkit's tables are Unicode 17's, whatever the interpreter's are.
    codes = (*range(0xD800), *range(0xE000, 0x33500), *range(0x33500, 0xDFF00, 251), *range(0xDFF00, 0xE1100))
    differ = [hex(code) for code in codes if cell_width(chr(code)) != cell_len(chr(code))]
    assert differ == []


@pytest.mark.parametrize("text", SAMPLES)
def test_samples_are_as_wide_as_the_toolkit_says(text: str):
    assert cell_width(text) == cell_len(text)
    assert sum(g.width for g in graphemes(text)) == cell_len(text)
    assert "".join(g.text for g in graphemes(text)) == text


_MIXED = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "가한글각ㅏ\u1100\u1161\u11a8あ漢、。「」 ab-"
            "\u0301\u0316\u200d\ufe0f❤1#\u20e3👨👩👍\U0001f3fb\U0001f1f0\U0001f1f7☃"
        ),
        st.characters(exclude_categories=["Cs", "Cc"]),
    ),
    max_size=40,
)


@settings(max_examples=3000, deadline=None)
@given(_MIXED)
def test_any_text_is_as_wide_as_the_toolkit_says(text: str):
    assert cell_width(text) == cell_len(text)
    assert "".join(g.text for g in graphemes(text)) == text


@settings(max_examples=1500, deadline=None)
@given(_MIXED, st.integers(0, 30))
def test_clip_and_pad_keep_to_their_room(text: str, cells: int):
    text = one_line(text)
    clipped = clip(text, cells)
    assert cell_len(clipped) <= cells
    if cell_len(text) <= cells and len(text) <= cells:
        assert clipped == text
    padded = pad(text, cells)
    assert cell_len(padded) == cells
    assert cell_len(pad(text, cells, right=True)) == cells


@settings(max_examples=1500, deadline=None)
@given(_MIXED, st.integers(2, 20))
def test_wrap_keeps_to_its_room_and_loses_only_spaces(text: str, cells: int):
    lines = wrap(text, cells)
    assert all(cell_len(line) <= cells for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


@pytest.mark.parametrize(
    ("text", "cells", "clipped"),
    [
        ("hello world", 11, "hello world"),
        ("hello world", 7, "hello…"),
        ("안녕하세요", 10, "안녕하세요"),
        ("안녕하세요", 9, "안녕하세…"),
        ("안녕하세요", 8, "안녕하…"),
        ("👨‍👩‍👧👨‍👩‍👧", 3, "👨‍👩‍👧…"),
        ("한", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_clip_cuts_between_characters(text: str, cells: int, clipped: str):
    assert clip(text, cells) == clipped


@pytest.mark.parametrize(
    ("text", "cells", "lines"),
    [
        ("hello world this is", 10, ["hello", "world this", "is"]),
        ("a\n\nb", 10, ["a", "", "b"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("가나다 라마바사아자차카", 10, ["가나다", "라마바사아", "자차카"]),
        ("東京都千代田区、霞が", 14, ["東京都千代田", "区、霞が"]),
        ("부탁드려요, 네", 10, ["부탁드려", "요, 네"]),
        ("", 10, [""]),
    ],
)
def test_wrap_breaks_where_people_do(text: str, cells: int, lines: list[str]):
    assert wrap(text, cells) == lines


def test_wrap_can_stop_early_and_needs_two_cells():
    assert len(wrap("x\n" * 200_000, 40, max_lines=200)) == 200
    with pytest.raises(ValueError, match="2 cells"):
        wrap("한", 1)
