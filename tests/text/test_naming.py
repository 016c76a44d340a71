"""Customers are found as one types, whichever layout is on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.text import hangul, naming

MINSU = naming.keys("박민수", ["+821012345678", "minsu.park@example.kr"])
EMILY = naming.keys("Emily Park", ["emily@example.com"])


@pytest.mark.parametrize(
    ("words", "known", "rank"),
    [
        ("박민수", MINSU, naming.EXACT),
        ("박", MINSU, naming.NAME),
        ("박ㅁ", MINSU, naming.NAME),
        ("박미", MINSU, naming.NAME),
        ("민수", MINSU, naming.WORD),
        ("ㅂㅁㅅ", MINSU, naming.WORD),
        ("ㅁㅅ", MINSU, naming.WORD),
        ("qkralstn", MINSU, naming.NAME),
        ("qkralst", MINSU, naming.NAME),
        ("qat", MINSU, naming.WORD),
        ("5678", MINSU, naming.WORD),
        ("01012345678", MINSU, naming.WORD),
        ("minsu", MINSU, naming.WORD),
        ("이", MINSU, naming.NOWHERE),
        ("emily park", EMILY, naming.EXACT),
        ("EMI", EMILY, naming.NAME),
        ("park em", EMILY, naming.WORD),
        ("드ㅑㅣㅛ", EMILY, naming.NAME),
        ("ㄷㅡㅑㅣㅛ", EMILY, naming.NAME),
        ("example", EMILY, naming.WORD),
        ("emlprk", EMILY, naming.PART),
        ("bob", EMILY, naming.NOWHERE),
        ("emily bob", EMILY, naming.NOWHERE),
        ("", EMILY, naming.NOWHERE),
    ],
)
def test_how_good_a_find_is(words: str, known: tuple[str, ...], rank: int):
    assert naming.rank(words, known) == rank


def test_korean_typed_in_latin_mode_and_back():
    assert hangul.in_hangul_mode("gksrnr") == hangul.letters("한국")
    assert hangul.in_latin_mode("한국") == "gksrnr"
    assert hangul.in_hangul_mode("emily") == ""
    assert hangul.firsts("박민수 Park") == "ㅂㅁㅅ"


SYLLABLES = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=6)


@given(name=SYLLABLES)
def test_every_name_is_found_by_its_keys_and_by_each_of_its_beginnings(name: str):
    known = naming.keys(name, [])
    assert hangul.in_hangul_mode(hangul.in_latin_mode(name)) == hangul.letters(name)
    assert naming.rank(name, known) == naming.EXACT
    assert naming.rank(hangul.in_latin_mode(name), known) <= naming.NAME
    for end in range(1, len(name)):
        assert naming.rank(name[:end], known) <= naming.WORD


@given(text=st.text(max_size=80), name=st.text(max_size=80))
def test_anything_may_be_typed_and_be_a_name(text: str, name: str):
    assert 0 <= naming.rank(text, naming.keys(name, [text])) <= naming.NOWHERE
