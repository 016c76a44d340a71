"""Targets and views of a profile: what they come to, and what a mistake says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from agentconsole import bootstrap, config
from agentconsole.config import queueing
from agentconsole.domain.hours import Quiet
from agentconsole.domain.model import AgentName, Medium, Priority
from agentconsole.domain.queueing import Filter, Goal, Saved
from agentconsole.errors import ConfigError

FILE = Path("/nowhere/config.toml")
MAIL = """
[profiles.p]
store = "tinydb:/nowhere/store"
[profiles.p.channels.mail]
kind = "email"
address = "us@example.com"
imap = { host = "imap.example.com", user = "us", password = { env = "P" } }
smtp = { host = "smtp.example.com", user = "us", password = { env = "P" } }
"""


def accounts(more: str) -> config.Config:
    found = config.parse(MAIL + more, FILE)
    bootstrap.accounts(found, found.profile("p"), datetime(2026, 3, 4, tzinfo=UTC))
    return found


def test_targets_and_views_are_read_as_the_domain_needs_them() -> None:
    profile = accounts(
        """
[profiles.p.targets]
goals = [{ minutes = 30, priority = "urgent" }, { minutes = 60, first = true, medium = "email" }]
opens = "09:00"
closes = "18:00"
days = ["mon", "fri"]
holidays = [2026-09-24]
[profiles.p.views.vip]
tags = ["VIP "]
assignees = ["me"]
late = true
older_than = "2h"
"""
    ).profile("p")
    targets = queueing.targets(profile, "Asia/Seoul", date(2026, 1, 1))
    assert targets.goals == (Goal(30, Priority.URGENT), Goal(60, None, Medium("email"), True))
    assert targets.opening == Quiet(time(9), time(18), frozenset({0, 4}))
    assert (targets.zone, targets.holidays) == ("Asia/Seoul", frozenset({date(2026, 9, 24)}))
    assert queueing.views(profile) == {
        "vip": Saved(Filter(tags=("vip",), assignees=(AgentName("me"),), late=True), 7200.0)
    }


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[profiles.p.views.x]\ntag = ["vip"]', "tags"),
        ('[profiles.p.views.x]\nmedia = ["emial"]', "nearest: email"),
        ("[profiles.p.views.waiting]\nlate = true", "already"),
        ('[profiles.p.views.x]\nolder_than = "soon"', "older_than"),
        ('[profiles.p.views.x]\npriorities = ["hgh"]', "nearest: high"),
        ('[profiles.p.targets]\ngoals = [{ minutes = 5, medium = "sms" }]', "no account is on the medium sms"),
        ("[profiles.p.targets]\ngoals = [{ minute = 5 }]", "minutes"),
        ('[profiles.p.targets]\nopens = "9"', "opens"),
    ],
)
def test_a_mistake_is_named_with_what_was_nearest(more: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        accounts(more)
    assert says in f"{told.value.message} {told.value.hint}"
