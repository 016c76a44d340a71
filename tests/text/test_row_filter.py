"""A filter that an index answers lets through what the words let through, row by row."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import cast

import pytest

from agentconsole.domain.model import AgentName, ConversationId, ConversationStatus, CustomerId, Line, Medium
from agentconsole.domain.queueing import Filter, shown
from agentconsole.ports import View
from agentconsole.store.rules import in_view
from agentconsole.text.query import line_matches, parse
from agentconsole.text.row_filter import VIEWS, as_filter

NOW = datetime(2026, 3, 3, 14, tzinfo=UTC)
MINA, HYUN = AgentName("mina"), AgentName("hyun")

ROWS = [
    Line(
        ConversationId(f"c{number}"),
        CustomerId("x"),
        "Emily",
        "",
        status,
        (Medium(medium),),
        NOW,
        assignee=assignee,
        tags=tags,
        waiting_since=waiting,
        aside=aside,
    )
    for number, (status, medium, assignee, tags, waiting, aside) in enumerate(
        itertools.product(
            ConversationStatus,
            ("email", "sms"),
            (MINA, HYUN, AgentName("")),
            ((), ("vip",), ("vip", "refund")),
            (None, NOW),
            ("", "spam"),
        )
    )
]
SAID = [
    "tag:vip",
    "-tag:vip",
    "tag:vip tag:refund",
    "on:sms",
    "by:HYUN tag:VIP",
    "is:mine",
    "is:unassigned on:email",
    "is:open",
    "is:snoozed -tag:refund",
    "is:closed tag:vip",
]
UNSAID = [
    "Emily",
    "-is:open",
    "-on:sms",
    "from:emily",
    "after:yesterday",
    "is:waiting",
    "on:sms on:email",
    "by:nobody-here",
]


LEFT = {
    *((words, "resolved") for words in ("is:open", "is:mine", "is:snoozed -tag:refund")),
    *(("is:closed tag:vip", view) for view in ("open", "unassigned")),
    *((words, "unassigned") for words in ("by:HYUN tag:VIP", "is:mine", "is:unassigned on:email")),
}
"""What nothing can be, or what names an agent twice: the rows are looked at."""


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_the_filters_that_stand_for_them(view: str) -> None:
    for row in ROWS:
        assert shown(row, VIEWS[view], MINA) == in_view(row, cast("View", view), MINA), row


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("words", SAID)
def test_filter_and_words_agree_on_every_row(words: str, view: str) -> None:
    asked, base = parse(words, NOW), VIEWS[view]
    found = as_filter(asked, base, (MINA, HYUN))
    assert (found is None) == ((words, view) in LEFT)
    if found is None:
        return
    for row in ROWS:
        assert shown(row, found, MINA) == (shown(row, base, MINA) and line_matches(asked, row, MINA)), row


@pytest.mark.parametrize("words", UNSAID)
def test_what_an_index_cannot_say_is_left_to_a_look_at_the_rows(words: str) -> None:
    assert as_filter(parse(words, NOW), Filter(), (MINA, HYUN)) is None


def test_view_of_one_tag_stays_what_it_is_under_more_words() -> None:
    found = as_filter(parse("on:sms", NOW), Filter(tags=("vip",)), ())
    assert found == Filter(tags=("vip",), media=(Medium("sms"),))
