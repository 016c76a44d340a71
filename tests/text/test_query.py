"""What is typed to search is understood, printed and understood again, in English and Korean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentconsole.domain.model import AgentName, ConversationId, ConversationStatus, CustomerId, Line, Medium
from agentconsole.errors import UsageError
from agentconsole.text import query, tokens
from agentconsole.text.query import Filter, Query, Term

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)  # a Tuesday, half past noon in Seoul


def parse(text: str) -> Query:
    return query.parse(text, NOW, SEOUL)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("refund", (Term("refund"),)),
        ("환불 -invoice", (Term("환불"), Term("invoice", no=True))),
        ('"two days" late', (Term("two days", phrase=True), Term("late"))),
        ('-"환불 요청', (Term("환불 요청", phrase=True, no=True),)),
        ("re: order", (Term("re:"), Term("order"))),
        ("https://example.com/a 12:30", (Term("https://example.com/a"), Term("12:30"))),
        ('- -- " "', ()),
    ],
)
def test_words_phrases_and_negations(text: str, terms: tuple[Term, ...]):
    assert parse(text) == Query(terms)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("from:emily@example.com", "from", "emily@example.com"),
        ('from:"Emily Park"', "from", "Emily Park"),
        ("고객:박민수", "from", "박민수"),
        ("on:whatsapp", "on", "whatsapp"),
        ("on:카톡", "on", "kakaotalk"),
        ("채널:왓츠앱", "on", "whatsapp"),
        ("on:E-Mail", "on", "email"),
        ("on:wa", "on", "whatsapp"),
        ("has:attachment", "has", "attachment"),
        ("has:첨부", "has", "attachment"),
        ("is:resolved", "is", "closed"),
        ("상태:대기", "is", "waiting"),
        ("in:메모", "in", "note"),
        ("tag:vip", "tag", "vip"),
        ("by:jisu", "by", "jisu"),
        ("before:2026-03-03", "before", "2026-03-03"),
        ("after:2026-03", "after", "2026-03-01"),
        ("after:yesterday", "after", "2026-11-23"),
        ("after:어제", "after", "2026-11-23"),
        ('after:"3 days ago"', "after", "2026-11-21"),
        ("after:3일전", "after", "2026-11-21"),
        ("after:monday", "after", "2026-11-23"),
        ("after:지난주", "after", "2026-11-17"),
        ("after:2w", "after", "2026-11-10"),
        ("before:3월3일", "before", "2026-03-03"),
        ('before:"3 March 2025"', "before", "2025-03-03"),
        ('after:"2 hours ago"', "after", "2026-11-24T10:30"),
    ],
)
def test_filters(text: str, name: str, value: str):
    [found] = parse(text).filters
    assert (found.name, found.value, found.no) == (name, value, False)
    [refused] = parse(f"-{text}").filters
    assert refused.no


def test_a_day_begins_where_the_agent_is():
    [found] = parse("before:2026-03-03").filters
    assert found.at == datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("form:emily", "no filter form:", "from:?"),
        ("on:watsapp", "no on:watsapp", "on:whatsapp?"),
        ("is:opened", "no is:opened", "is:open?"),
        ("before:whenever", "no day", "yesterday"),
        ("before:2026-02-31", "no day", "yesterday"),
        ("in:zzz", "no in:zzz", "Known: message, note, reply"),
    ],
)
def test_what_there_is_not_is_said_with_the_nearest(text: str, said: str, hint: str):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert said in caught.value.message
    assert hint in caught.value.hint


PIECES = st.sampled_from(
    ["refund", "환불", "from:emily", "on:카톡", "-is:open", '"two days"', "-tag:vip", "before:2026-01-02", "by:jisu",
     "after:yesterday", 'from:"a b"', "has:file", "in:note", '-"환불 요청"', "a-b", "x:", "12:30"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=6).map(" ".join)))
def test_what_is_printed_means_the_same(text: str):
    try:
        found = parse(text)
    except UsageError:
        return
    printed = query.printed(found)
    assert parse(printed) == found
    assert query.printed(parse(printed)) == printed


def test_a_medium_of_somebody_elses_kind_is_known_where_it_is_configured():
    with pytest.raises(UsageError):
        parse("on:fax")
    assert query.parse("on:fax", NOW, UTC, ("fax",)).filters == (Filter("on", "fax"),)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute(
        "CREATE VIRTUAL TABLE t USING fts5 (x, content='', tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")"
    )
    yield db
    db.close()


WORDS = st.text(alphabet="ab환불요 .-", max_size=24)


@settings(max_examples=600, deadline=None)
@given(text=WORDS, words=WORDS, phrase=st.booleans())
def test_the_index_and_the_text_itself_agree(database: sqlite3.Connection, text: str, words: str, phrase: bool):
    wanted = tokens.expression(words, phrase=phrase)
    database.execute("BEGIN")
    try:
        database.execute("INSERT INTO t (rowid, x) VALUES (1, ?)", (tokens.index_tokens(text),))
        found = bool(wanted) and bool(database.execute("SELECT rowid FROM t WHERE t MATCH ?", (wanted,)).fetchall())
    finally:
        database.execute("ROLLBACK")
    assert tokens.holds(text, words, phrase=phrase) == found


@pytest.mark.parametrize(
    ("text", "phrase", "answer"),
    [
        ("환불 요청드립니다", "환불 요청", True),
        ("요청 환불", "환불 요청", False),
        ("refunds only", "refund", False),
        ("two days later", "two days", True),
        ("two hot days", "two days", False),
        ("당일배송 문의", "배송 문의", True),
        ("당일배송이 문의", "배송 문의", False),
    ],
)
def test_a_phrase_stands_side_by_side(text: str, phrase: str, answer: bool):
    assert tokens.holds(text, phrase, phrase=True) is answer


def row(**values: object) -> Line:
    return Line(
        ConversationId("c1"), CustomerId("k1"), "Emily Park", "Refund", ConversationStatus.OPEN,
        (Medium("whatsapp"),), NOW, **values,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("emily", True),
        ("refu -invoice", True),
        ("-emily", False),
        ("is:open on:whatsapp", True),
        ("is:mine", True),
        ("-is:mine", False),
        ("from:park", True),
        ("on:email", False),
        ("after:today", True),
        ("before:today", False),
        ("is:waiting", False),
        ("-is:waiting by:jisu", True),
    ],
)
def test_the_same_words_choose_rows_of_the_queue(text: str, answer: bool):
    assert query.line_matches(parse(text), row(assignee=AgentName("jisu")), "jisu") is answer


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("fr", "from:"),
        ("refund o", "refund on:"),
        ("on:wh", "on:whatsapp "),
        ("on:카", "on:kakaotalk "),
        ("x -is:sn", "x -is:snoozed "),
        ("상", "is:"),
        ("before:y", "before:yesterday "),
    ],
)
def test_what_is_begun_is_completed(text: str, some: str):
    assert some in list(query.completions(text))


def test_values_that_only_the_caller_knows_are_completed():
    assert list(query.completions("tag:v", {"tag": ["vip", "late"]})) == ["tag:vip "]
    assert list(query.completions("refund")) == []
