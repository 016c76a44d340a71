"""Card and identity numbers are found by their checks and masked in place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.domain import numbers
from tests.effort import costs_at_most


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("카드번호는4111111111111111입니다", "카드번호는••••••••••••1111입니다"),
        ("4111 1111 1111 1111 123 and 12/27", "•••• •••• •••• 1111 123 and 12/27"),
        ("exp 12 27, 5555 5555 5555 4444", "exp 12 27, •••• •••• •••• 4444"),
        ("４１１１－１１１１－１１１１－１１１１", "••••－••••－••••－１１１１"),
        ("4111\u200b1111\u00a01111\u20111111", "••••\u200b••••\u00a0••••\u20111111"),
        ("4111.1111.1111.1111", "••••.••••.••••.1111"),
        ("card 4111 1111\n1111 1111.", "card •••• ••••\n•••• 1111."),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "• • • • • • • • • • • • 1 1 1 1"),
        ("4111111111111111\n5555555555554444", "••••••••••••1111\n••••••••••••4444"),
        ("3782 822463 10005", "•••• •••••• •0005"),
        ("주민번호는 900101-1234567입니다", "주민번호는 ••••••-•••4567입니다"),
        ("My ID is 88124821, thanks", "My ID is ••••4821, thanks"),
        ("passport number: 123456789", "passport number: •••••6789"),
        ("신분증 번호는 7719-0042 이고", "신분증 번호는 ••••-0042 이고"),
    ],
)
def test_numbers_are_found_however_they_are_written(text: str, shown: str) -> None:
    assert numbers.masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "order ID is 88124821",
        "my id 4821",
        "ID ending 4821, is that right?",
        "주문번호 20260304-118",
        "call 010-1234-5678 or 010-9876-5432",
        "+4111111111111111",
        "4111111111111111-abc",
        "IBAN DE89370400440532013000",
        "1 234 567.89 and 9 876 543.21",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert numbers.masked(text) == text


_SPACED = st.sampled_from(["", " ", "-", ".", "\n", "\u00a0", "\u200b"])


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Nd", "Nl", "No", "Cs"], exclude_characters="+-._/•"),
        max_size=20,
    ).filter(lambda t: not t[-1:].isascii() or t[-1:].isspace() or not t),
    st.integers(0, 10**14 - 1),
    _SPACED,
)
def test_a_valid_card_is_never_left_in_clear(before: str, body: int, between: str) -> None:
    digits = f"4{body:014d}"
    check = next(n for n in "0123456789" if numbers._luhn(digits + n))
    card = digits + check
    written = between.join(card[n : n + 4] for n in range(0, 16, 4))
    assert "".join(c for c in numbers.masked(f"{before}{written}") if c.isdigit()) == card[-4:]


def test_a_megabyte_is_masked_at_once() -> None:
    text = ("Dear all, the order 2026-1234 came on 3 March at 9:00, thanks. 배송 감사합니다. " * 20_000)[:1_000_000]
    costs_at_most(0.05, lambda: numbers.masked(text))


@pytest.mark.parametrize("piece", ["1 ", "4", "4 ", "4111 1111 1111 1111 ", "11.11-", "ID 12345 ", "주민번호 1234"])
def test_hostile_texts_take_no_longer_than_they_are_long(piece: str) -> None:
    costs_at_most(1, lambda: numbers.masked((piece * 100_000)[:100_000]))
