"""Card and identity numbers are found by their checks and masked in place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.domain import numbers


@pytest.mark.parametrize(
    ("text", "kinds", "shown"),
    [
        ("my card 4111 1111 1111 1111 expires", ["card"], "my card •••• •••• •••• 1111 expires"),
        ("5555555555554444", ["card"], "••••••••••••4444"),
        ("주민번호 900101-1234567 입니다", ["resident_number"], "주민번호 ••••••-•••4567 입니다"),
        ("외국인 880229 - 5123456", ["resident_number"], "외국인 •••••• - •••3456"),
        ("CPF 529.982.247-25", ["cpf"], "CPF •••.•••.•47-25"),
        ("SSN 123-45-6789.", ["ssn"], "SSN •••-••-6789."),
    ],
)
def test_found_and_masked(text: str, kinds: list[str], shown: str) -> None:
    assert [n.kind for n in numbers.hidden(text)] == kinds
    assert numbers.masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "order 4111 1111 1111 1112",
        "call +82 10 1234 5678 or 010-1234-5678",
        "주문번호 20260303-1234567",
        "tracking 1234567890123456",
        "CPF 529.982.247-26",
        "000-12-3456 and 666-12-3456",
        "2026-11-24 09:00:00",
        "https://example.com/4111111111111111x",
        "0000 0000 0000 0000",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert numbers.masked(text) == text


def test_a_profile_may_hide_more() -> None:
    assert numbers.masked("member KR-778899", [("member", r"KR-\d{6}")]) == "member ••-••8899"


@given(st.text(st.sampled_from("0123456789 -.a가"), max_size=80))
def test_masking_keeps_length_and_is_stable(text: str) -> None:
    once = numbers.masked(text)
    assert len(once) == len(text)
    assert numbers.masked(once) == once
    assert all(a == b or (b == numbers.MASK and a.isalnum()) for a, b in zip(text, once, strict=True))
