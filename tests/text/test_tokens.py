"""Search finds what a person sees: Korean by any two syllables, Latin by beginnings, and syntax is never run."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentconsole.text import tokens
from tests.effort import costs_at_most


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE VIRTUAL TABLE t USING fts5 (x, content='', tokenize=\"unicode61 remove_diacritics 0\")")
    yield db
    db.close()


def found(db: sqlite3.Connection, text: str, words: str) -> bool:
    query = tokens.query(words)
    if not query:
        return False
    db.execute("BEGIN")
    try:
        db.execute("INSERT INTO t (rowid, x) VALUES (1, ?)", (tokens.index_tokens(text),))
        return bool(db.execute("SELECT rowid FROM t WHERE t MATCH ?", (query,)).fetchall())
    finally:
        db.execute("ROLLBACK")


SYLLABLES = st.text(alphabet="가나다라마배송환불요", min_size=1, max_size=4)
KOREAN = st.text(alphabet="가나다라마배송환불요 .,", max_size=40)


@settings(max_examples=400, deadline=None)
@given(text=KOREAN, needle=SYLLABLES)
def test_korean_is_found_as_a_substring_is(database: sqlite3.Connection, text: str, needle: str):
    assert tokens.matches(text, needle) == (needle in text)
    assert found(database, text, needle) == (needle in text)


@settings(max_examples=400, deadline=None)
@given(text=st.text(max_size=60), words=st.text(max_size=30))
def test_nothing_a_person_types_is_syntax_and_both_ways_agree_on_what_is_found(
    database: sqlite3.Connection, text: str, words: str
):
    indexed = found(database, text, words)
    if all(unicodedata.category(c) in {"Lu", "Ll", "Lo", "Nd", "Zs", "Po", "Pd"} for c in text + words):
        assert indexed == tokens.matches(text, words)


@pytest.mark.parametrize(
    ("text", "words", "answer"),
    [
        ("환불해주세요", "환불", True),
        ("당일배송 되나요", "배송", True),
        ("Order ORD-2024-000123", "ord 0001", True),
        ("Café", "café", True),
        ("Ｏｒｄｅｒ", "order", True),
        ("배송", unicodedata.normalize("NFD", "배송"), True),
        ("iPhone케이스", "케이스 iph", True),
        ("pass\u00adword", "password", True),
        ("배\u200b송", "배송", True),
        ("hello world", "ello", False),
        ("anything", "", False),
        ("anything", '" OR * NEAR(', False),
    ],
)
def test_examples(database: sqlite3.Connection, text: str, words: str, answer: bool):
    assert tokens.matches(text, words) is answer
    assert found(database, text, words) is answer


def test_a_snippet_shows_the_match_in_one_safe_line():
    shown = tokens.snippet("앞" * 100 + "\n당일배송\x1b[2J 문의" + "뒤" * 100, "배송")
    assert "당일배송" in shown
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert len(shown) <= tokens.SNIPPET + 2


def test_piled_up_marks_cost_little():
    costs_at_most(1, lambda: tokens.index_tokens("a" + "\u0301\u0316" * 100_000))
