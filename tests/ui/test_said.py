"""Times, days and channels as the screen says them, in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from agentconsole.domain.model import AgentName, ConversationId, ConversationStatus, CustomerId, Line, Medium
from agentconsole.ui.say import Say
from agentconsole.ui.widgets.queue import Queue
from tests.ui.desk_double import NOW


@pytest.mark.parametrize(
    ("minutes", "en", "ko"),
    [
        (0, ("0m", "0 min", "14:02"), ("0분", "0분", "14:02")),
        (59, ("59m", "59 min", "13:03"), ("59분", "59분", "13:03")),
        (60, ("1h", "1 h", "13:02"), ("1시간", "1시간", "13:02")),
        (14 * 60 + 3, ("14h", "14 h", "2 Mar"), ("14시간", "14시간", "3월 2일")),
        (48 * 60, ("2d", "2 d", "1 Mar"), ("2일", "2일", "3월 1일")),
    ],
)
def test_times_and_ages_are_said_in_the_language(minutes: int, en: tuple[str, ...], ko: tuple[str, ...]) -> None:
    for language, told in (("en", en), ("ko", ko)):
        say, ago = Say(language, "UTC"), timedelta(minutes=minutes)
        assert (say.age(ago), say.ago(ago), say.when(NOW - ago, NOW)) == told


def test_days_and_moments_are_said_in_the_language() -> None:
    english, korean = Say("en", "Asia/Seoul"), Say("ko", "Asia/Seoul")
    assert (english.day(NOW), korean.day(NOW)) == ("Tue 3 Mar 2026", "2026년 3월 3일 (화)")
    assert (english.time_of(NOW), korean.time_of(NOW)) == ("3 Mar 23:02", "3월 3일 23:02")
    assert {korean.day(NOW + timedelta(days=more))[-2] for more in range(7)} == set("월화수목금토일")


@pytest.mark.parametrize(("language", "word"), [("en", "WhatsApp 5m"), ("ko", "왓츠앱 5분")])
def test_a_wide_row_says_the_channel_in_full_unless_the_name_needs_the_room(language: str, word: str) -> None:
    at, media = NOW - timedelta(minutes=5), (Medium("email"), Medium("whatsapp"))
    line = Line(ConversationId("v"), CustomerId("c"), "Emily", "", ConversationStatus.OPEN, media, at)
    queue = Queue(Say(language, "UTC"), lambda: NOW, AgentName("mina"))

    def first(line: Line, width: int) -> str:
        left, right = queue._first(line, False, width)
        return "".join(text for text, _ in (*left, *right))

    assert word in first(line, 37)
    assert word not in first(line, 24)
    assert word not in first(replace(line, name="A name of thirty letters and m"), 37)
