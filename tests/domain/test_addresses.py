"""The same person typed twice compares equal; what only looks alike does not."""

from __future__ import annotations

import pytest

from agentconsole.domain import addresses, consent
from agentconsole.domain.model import Address


@pytest.mark.parametrize(
    ("text", "region", "value"),
    [
        ("010-1234-5678", "KR", "+821012345678"),
        ("+82 10 1234 5678", "", "+821012345678"),
        ("whatsapp:+821012345678", "", "+821012345678"),
        ("tel:+44 20 7946 0182", "KR", "+442079460182"),
        ("(020) 7946 0182", "GB", "+442079460182"),
    ],
)
def test_a_number_has_one_form(text, region, value):
    assert addresses.phone(text, region) == Address("phone", "", value)


@pytest.mark.parametrize("text", ["12345", "", "hello", "+999999999999999999", "9" * 60])
def test_what_is_no_number_is_none(text):
    assert addresses.phone(text, "KR") is None


def test_mailboxes_lower_in_ascii_only():
    assert addresses.email("Emily@Example.COM") == Address("email", "", "emily@example.com")
    kelvin = addresses.email("\u212aim@example.com")
    assert kelvin is not None
    assert kelvin.value == "\u212aim@example.com"


@pytest.mark.parametrize("text", ["a@b@c", "a b@c.d", "no at", "a@", "@b", "x\x1b@y.z", "x\r\nBcc:a@b"])
def test_what_is_no_mailbox_is_none(text):
    assert addresses.email(text) is None


def test_references_as_agents_write_them():
    assert addresses.parse("telegram:123") == Address("telegram", "", "123")
    assert addresses.parse("line:U1:abc") == Address("line", "U1", "abc")
    assert addresses.parse("matrix:@kim:example.org") == Address("matrix", "", "@kim:example.org")
    assert addresses.parse("01012345678", "KR") == Address("phone", "", "+821012345678")
    assert addresses.parse("Kim") is None


def test_mentions_are_found_in_order_and_bounded():
    text = "내 번호는 010-1234-5678 이고 메일은 kim@example.com 입니다. Order 123456789."
    assert addresses.mentions(text, "KR") == (
        Address("email", "", "kim@example.com"),
        Address("phone", "", "+821012345678"),
    )
    many = " ".join(f"a{i}@example.com" for i in range(500))
    assert len(addresses.mentions(many)) == 20


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", False),
        (" stop. ", False),
        ("Ｓ\u200bＴＯＰ", False),
        ("수신거부", False),
        ("start", True),
        ("please stop", None),
        ("Stop by the shop tomorrow", None),
        ("", None),
    ],
)
def test_only_the_single_word_stops(text, word):
    assert consent.word(text) is word
