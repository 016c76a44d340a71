"""What a pattern of a profile costs is bounded whatever text it meets."""

from __future__ import annotations

import re
from functools import partial

import pytest

from agentconsole.domain import patterns
from tests.effort import costs_at_most

TAKEN = (
    r"KR-\d{6,12}",
    r"\b[A-Z]{1,4}-?\d{3,19}\b",
    r"(?:SN|S/N) ?(?P<value>\d{4,20})",
    r"[^\]]{1,20}-\d{4}",
    r"\d{3}\.\d{2}",
)


@pytest.mark.parametrize("pattern", TAKEN)
def test_taken_patterns_are_quick_on_hostile_texts(pattern: str) -> None:
    assert patterns.fault(pattern) == ""
    for text in ("1" * 20_000, "A" * 20_000, "AAAA-" * 4_000, "SN 1" * 5_000):
        costs_at_most(0.5, partial(re.compile(pattern, re.IGNORECASE).findall, text))


@pytest.mark.parametrize(
    "pattern", [r"\d+", r"(\d{1,4}){3}", r"a{5,}", r"(a|b)\1", r"(?!x)y", r"(?i)a", r"a{0,99}b{0,99}", r"x?"]
)
def test_refused(pattern: str) -> None:
    assert patterns.fault(pattern)
