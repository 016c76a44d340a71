"""No control comes through, nothing is dropped unseen, and honest text stays as it is."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentconsole.text import sanitise as sanitise_module
from agentconsole.text.sanitise import (
    ascii_json_escape,
    blunt,
    flags,
    holds_control,
    one_line,
    safe_filename,
    sanitise,
)
from tests.effort import costs_at_most

HOSTILE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "hostile-strings.json").read_text(encoding="utf-8")
)["strings"]


def payload(record: dict[str, Any]) -> str:
    if "expand" in record:
        return "".join(text * count for text, count in record["expand"])
    return record["payload"]


def by_name(record: dict[str, Any]) -> str:
    return str(record["name"])


@pytest.mark.parametrize("record", HOSTILE, ids=by_name)
def test_no_hostile_string_keeps_a_control(record: dict[str, Any]):
    for text in (payload(record), record.get("pair", "")):
        for safe in (sanitise(text), one_line(text), blunt(text)):
            assert not holds_control(safe)
            assert all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") for c in safe)


@pytest.mark.parametrize("record", [r for r in HOSTILE if r["class"] == "benign"], ids=by_name)
def test_honest_text_stays_as_it_is(record: dict[str, Any]):
    text = payload(record)
    assert sanitise(text) == unicodedata.normalize("NFC", text).replace("\t", " " * 4).replace("\r\n", "\n") or (
        sanitise(text) == unicodedata.normalize("NFC", text)
    )


@pytest.mark.parametrize(
    "record", [r for r in HOSTILE if "visible" in r["expect"] and "no_control" in r["expect"]], ids=by_name
)
def test_what_is_taken_out_leaves_something_to_see(record: dict[str, Any]):
    text = payload(record)
    plain = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf"))
    assert sanitise(text) != unicodedata.normalize("NFC", plain)


@pytest.mark.parametrize("record", [r for r in HOSTILE if "flag" in r["expect"]], ids=by_name)
def test_a_look_alike_is_flagged(record: dict[str, Any]):
    assert flags(payload(record)) or flags(record.get("pair", ""))


@settings(max_examples=3000, deadline=None)
@given(st.text(max_size=80))
def test_no_text_keeps_a_control_and_a_second_pass_changes_nothing(text: str):
    safe = sanitise(text)
    assert not holds_control(safe)
    assert sanitise(safe) == safe
    safe.encode("utf-8")
    assert "\n" not in one_line(text)


def test_a_megabyte_takes_no_time_and_gives_a_bounded_text():
    for text in ("plain text \x1b[2J 한글 " * 60_000, "e\u0301" * 400_000, "\u202e" * 800_000):
        assert len(costs_at_most(2.0, lambda text=text: sanitise(text))) < 3_000_000  # type: ignore[misc]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\x\\y.exe", "-rf", ".bashrc", "CON.txt. ", "a\x00b", "", "x" * 999, "가" * 200]
)
def test_a_file_name_names_a_file_here(name: str):
    safe = safe_filename(name)
    assert safe not in ("", ".", "..")
    assert not safe.startswith(("-", "."))
    assert not set(safe) & set("/\\\x00")
    assert len(safe.encode()) <= 255


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_escaped_json_is_the_same_value_and_safe_on_a_terminal(text: str):
    escaped = ascii_json_escape(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(escaped) == {"text": text}
    assert not holds_control(escaped)


def test_what_is_taken_for_honest_at_first_sight_is_what_the_patterns_would_leave() -> None:
    """Every character that skips the patterns is one that they find nothing odd in, and is in NFC before and after any
    other of them."""
    honest = [char for char in map(chr, range(0x110000)) if sanitise_module._HONEST.fullmatch(char)]
    assert len(honest) > 30_000
    patterns = sanitise_module._patterns("가")
    assert [hex(ord(char)) for char in honest if char not in "\t\n" and patterns.odd.match(char)] == []
    assert [char for char in honest if unicodedata.normalize("NFC", char) != char] == []
    assert {unicodedata.combining(char) for char in honest} == {0}
    both = "".join(honest) + "".join(reversed(honest))
    assert unicodedata.normalize("NFC", both) == both
