"""The same person typed twice compares equal; what only looks alike does not."""

from __future__ import annotations

import pytest

from agentconsole.domain import addresses, consent
from agentconsole.domain.model import Address


@pytest.mark.parametrize(
    ("region", "value", "written"),
    [
        (
            "KR",
            "+821012345678",
            "010-1234-5678|010 1234 5678|01012345678|010.1234.5678|+82 10 1234 5678|+82-10-1234-5678|+82 010-1234-5678"
            "|+82 (0)10-1234-5678|+8201012345678|82-10-1234-5678|821012345678|0082 10 1234 5678|0082-10-1234-5678"
            "|whatsapp:+821012345678|WhatsApp:+82 10-1234-5678|tel:010-1234-5678|sms:+821012345678"
            "|０１０－１２３４－５６７８|＋８２ １０ １２３４ ５６７８|010-1234-5678 ext. 5|(010) 1234-5678",
        ),
        ("", "+821012345678", "+82 10 1234 5678|0082 10 1234 5678|0082 010 1234 5678|whatsapp:+821012345678"),
        (
            "AR",
            "+5491123456789",
            "+54 9 11 2345-6789|+54 11 2345-6789|+54 11 15 2345-6789|011 15-2345-6789|11 2345-6789|011 2345-6789"
            "|(011) 15 2345 6789|0054 9 11 2345 6789|whatsapp:+5491123456789|54 9 11 2345 6789",
        ),
        ("", "+5493512345678", "+54 9 351 234-5678|+54 351 234-5678|+54 351 15 234-5678|0054 351 234 5678"),
        ("", "+548005551234", "+54 800 555 1234"),
        (
            "BR",
            "+5531987654321",
            "+55 31 98765-4321|+55 31 8765-4321|+553187654321|(31) 98765-4321|(31) 8765-4321|031 98765-4321"
            "|0 31 8765-4321|015 31 98765-4321|0055 31 98765-4321|0055 31 8765 4321|whatsapp:+553187654321|31987654321",
        ),
        ("BR", "+553133334444", "(31) 3333-4444|+55 31 3333-4444"),
        (
            "MX",
            "+525512345678",
            "+52 55 1234 5678|+52 1 55 1234 5678|+5215512345678|55 1234 5678|01 55 1234 5678|044 55 1234 5678"
            "|045 55 1234 5678|0052 1 55 1234 5678|whatsapp:+5215512345678|52 55 1234 5678",
        ),
        (
            "GB",
            "+442079460182",
            "(020) 7946 0182|020 7946 0182|+44 20 7946 0182|+44 (0)20 7946 0182|0044 20 7946 0182|00442079460182"
            "|tel:+44-20-7946-0182|+44 20 7946 0182 x12",
        ),
        ("US", "+12125552368", "(212) 555-2368|212.555.2368|1-212-555-2368|+1 212 555 2368|+1 212-555-2368 ext. 5"),
        ("DE", "+4930123456", "030 123456|+49 30 123456|+49 (0)30 123456|0049 30 123456|030/123456"),
        ("RU", "+74951234567", "8 (495) 123-45-67|+7 495 123-45-67|007 495 1234567"),
        ("IT", "+390669812345", "06 698 12345|+39 06 698 12345|0039 06 69812345"),
        ("JP", "+819012345678", "090-1234-5678|+81 90 1234 5678|+81 (0)90-1234-5678|０９０－１２３４－５６７８"),
    ],
)
def test_a_number_has_one_form(region: str, value: str, written: str):
    assert {text: addresses.phone(text, region) for text in written.split("|")} == dict.fromkeys(
        written.split("|"), Address("phone", "", value)
    )


@pytest.mark.parametrize("text", ["0505-123-4567", "0507-1234-5678", "050-7123-4567", "+82 507 1234 5678"])
def test_a_virtual_number_does_not_last(text: str):
    found = addresses.phone(text, "KR")
    assert found is not None
    assert not addresses.lasting(found)


def test_a_persons_number_lasts():
    assert addresses.lasting(Address("phone", "", "+821012345678"))
    assert addresses.lasting(Address("email", "", "emily@example.com"))
    assert not addresses.lasting(Address("phone", "", "12345"))


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
