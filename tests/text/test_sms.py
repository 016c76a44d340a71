"""Parts of an SMS: the vendor's table, the borders, and what must never be cut."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.text import sms

ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
UNIT_BITS = {"GSM-7": 7, "UCS-2": 16}


def vendor_cases() -> list[dict[str, object]]:
    shared = Path(os.environ.get("AGENTCONSOLE_SHARED", Path(__file__).parents[3] / "shared"))
    path = shared / "contracts" / "twilio" / "sms-segments.json"
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"the vendor's table is missing in CI: {path}")
        pytest.skip("the vendor's SMS table does not lie beside the checkout (set AGENTCONSOLE_SHARED)")
    cases: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return cases


@pytest.mark.contract
def test_agrees_with_the_vendors_calculator_case_by_case() -> None:
    cases = vendor_cases()
    assert len(cases) >= 10
    for case in cases:
        size = sms.parts(str(case["body"]))
        what = case["testDescription"]
        assert (size.encoding, size.parts) == (case["encoding"], case["segments"]), what
        assert size.units * UNIT_BITS[size.encoding] == case["messageSize"], what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 0, 1, 160)),
        ("Hello", ("GSM-7", 5, 1, 155)),
        ("a" * 160, ("GSM-7", 160, 1, 0)),
        ("a" * 161, ("GSM-7", 161, 2, 145)),
        ("a" * 306, ("GSM-7", 306, 2, 0)),
        ("a" * 307, ("GSM-7", 307, 3, 152)),
        ("€" * 80, ("GSM-7", 160, 1, 0)),
        ("안녕하세요", ("UCS-2", 5, 1, 65)),
        ("가" * 70, ("UCS-2", 70, 1, 0)),
        ("가" * 71, ("UCS-2", 71, 2, 63)),
        ("가" * 134, ("UCS-2", 134, 2, 0)),
        ("가" * 135, ("UCS-2", 135, 3, 66)),
        ("a`", ("UCS-2", 2, 1, 68)),
        ("ç", ("UCS-2", 1, 1, 69)),
        ("Ç", ("GSM-7", 1, 1, 159)),
        ("\x1b", ("UCS-2", 1, 1, 69)),
    ],
)
def test_counts_at_the_borders(text: str, expected: tuple[str, int, int, int]) -> None:
    assert sms.parts(text) == expected


def test_an_escaped_pair_moves_to_the_next_part_whole() -> None:
    # 152 + 2 does not fit into 153, so one septet stays empty and the fifth part begins earlier than the sum says.
    assert sms.parts("a" * 152 + "€" + "a" * 151).parts == 2
    assert sms.parts("a" * 152 + "€" + "a" * 152).parts == 3
    assert sms.parts("€" * 153).parts == 3


def test_a_surrogate_pair_moves_to_the_next_part_whole() -> None:
    assert sms.parts("가" * 66 + "😀" + "가" * 65).parts == 2
    assert sms.parts("가" * 66 + "😀" + "가" * 66).parts == 3


def test_the_default_alphabet_has_exactly_its_127_characters_and_10_escapes() -> None:
    assert len(sms.GSM7_BASIC) == 127
    assert len(sms.GSM7_EXTENSION) == 10
    assert not sms.GSM7_BASIC & sms.GSM7_EXTENSION


@given(st.text(max_size=700) | st.text(alphabet="a€가😀\n", max_size=700))
def test_parts_hold_the_units_and_one_more_letter_never_costs_less(text: str) -> None:
    size = sms.parts(text)
    single, several = ROOM[size.encoding]
    room = single if size.parts == 1 else several * size.parts
    assert size.units + size.left <= room
    assert 0 <= size.left <= single
    assert size.parts == 1 or size.units > single
    if size.encoding == "UCS-2":
        assert size.units == len(text.encode("utf-16-le", "surrogatepass")) // 2
    longer = sms.parts(text + "가")
    assert (longer.parts, longer.units) >= (size.parts if size.encoding == "UCS-2" else 1, 1)
