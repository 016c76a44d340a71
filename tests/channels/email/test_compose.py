"""Writing mail: nothing outside can add a header, and what was written can be read back."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentconsole.channels.email.compose import compose, references
from agentconsole.channels.email.headers import one_line
from agentconsole.channels.email.mime import identity, parse
from agentconsole.channels.email.smtp import wire_form
from agentconsole.domain.model import Address, EntryId
from agentconsole.errors import PermanentFailure
from agentconsole.ports import File, Inbound, Outgoing, RawItem

NOW = datetime(2024, 3, 5, 6, 15, tzinfo=UTC)
FIELDS = ["From", "To", "Subject", "Date", "Message-ID"]
HOSTILE = [
    "a\r\nBcc: victim@x.test",
    "a\nX: y",
    "a\rX: y",
    "a\x0bX: y",
    "a\x0cX: y",
    "a\x1cX: y",
    "a\x85X: y",
    "a\u2028X: y",
    "a\u2029X: y",
    "a\x00b\x1b[2Jc",
    "\ud800x",
    "x" * 5_000,
    "=?utf-8?q?x=0D=0AY:_z?=",
    "",
    "가" * 600,
]


def outgoing(**more: object) -> Outgoing:
    given = {
        "reply": EntryId("e1"),
        "key": "k1@example.test",
        "attempt": 1,
        "address": Address("email", "", "emily@example.com"),
        "text": "hello",
    }
    return Outgoing(**(given | more))  # type: ignore[arg-type]


def back(letter: bytes) -> Inbound:
    [found] = parse(RawItem(identity(letter), letter, NOW, {}))
    assert isinstance(found, Inbound)
    return found


def fields(content: bytes) -> list[str]:
    return message_from_bytes(content, policy=policy.compat32).keys()


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize("place", ["subject", "to_name", "name", "file"])
def test_no_header_is_injected(place: str, value: str) -> None:
    name = value if place == "name" else "Shop"
    more: dict[str, object] = {place: value} if place in ("subject", "to_name") else {}
    if place == "file":
        more["files"] = (File(value, "text/plain\r\nX: y", b"data"),)
    letter = compose(outgoing(**more), "support@example.test", name, NOW)
    found = fields(letter.content)
    extra = {"MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
    assert [field for field in found if field not in extra] == FIELDS
    assert all(len(line) <= 998 for line in letter.content.split(b"\r\n"))
    assert back(letter.content).text == "hello"


@settings(max_examples=200, deadline=None)
@given(subject=st.text(max_size=80), name=st.text(max_size=40), to_name=st.text(max_size=40))
def test_any_words_come_back_clean(subject: str, name: str, to_name: str) -> None:
    letter = compose(outgoing(subject=subject, to_name=to_name), "support@example.test", name, NOW)
    assert set(fields(letter.content)) <= {*FIELDS, "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
    found = back(letter.content)
    assert found.sender.value == "support@example.test"
    if "=?" not in subject:
        assert found.subject == one_line(subject, 400)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\ufeff"), max_size=300))
def test_any_text_comes_back_word_for_word(text: str) -> None:
    letter = compose(outgoing(text=text), "support@example.test", "", NOW)
    assert back(letter.content).text == (text.strip("\n") if text.strip() else "")


@given(st.text(max_size=200))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert line == one_line(line)
    assert len(line.splitlines()) <= 1
    assert not any(ord(mark) < 32 or 127 <= ord(mark) < 160 or 0xD800 <= ord(mark) < 0xE000 for mark in line)


def test_threading_headers_survive_long_ids() -> None:
    ids = tuple(f"{'x' * 120}{number}@mail.example.com" for number in range(3))
    letter = compose(outgoing(message_ids=ids), "support@example.test", "", NOW)
    assert back(letter.content).message_ids == ids
    assert b"=?" not in letter.content


@pytest.mark.parametrize("bad", ["a@b>\r\nX: y", "a b@c", "<a@b>", "가@b", "", "x" * 900])
def test_unusable_thread_ids_are_left_out(bad: str) -> None:
    letter = compose(outgoing(message_ids=(bad, "good@x.test")), "support@example.test", "", NOW)
    assert back(letter.content).message_ids == ("good@x.test",)


def test_long_chains_keep_the_first_and_the_newest() -> None:
    ids = [f"{number:03}@mail.example.com" for number in range(200)]
    found = references(ids).split()
    assert (found[0], found[-1]) == ("<199@mail.example.com>", "<000@mail.example.com>")
    assert len(" ".join(found)) <= 900


@pytest.mark.parametrize("key", ["", "no-at-sign", "a@b>\r\nX: y", "a b@c", "가@x"])
def test_a_key_that_is_no_message_id_is_refused(key: str) -> None:
    with pytest.raises(PermanentFailure):
        compose(outgoing(key=key), "support@example.test", "", NOW)


def test_a_wide_address_and_a_wide_domain() -> None:
    letter = compose(outgoing(address=Address("email", "", "민수@한국.test")), "support@example.test", "", NOW)
    assert letter.wide
    assert letter.recipient == "민수@xn--3e0b707e.test"
    narrow = compose(outgoing(address=Address("email", "", "m@한국.test")), "support@example.test", "", NOW)
    assert (narrow.wide, narrow.recipient) == (False, "m@xn--3e0b707e.test")


def test_too_much_is_refused() -> None:
    with pytest.raises(PermanentFailure) as caught:
        compose(outgoing(files=(File("x", "a/b", b"x" * 26_000_000),)), "support@example.test", "", NOW)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"a\nb", b"a\r\nb\r\n.\r\n"),
        (b".\r\n..\r\n", b"..\r\n...\r\n.\r\n"),
        (b"a\r.\rb\n.\n", b"a\r\n..\r\nb\r\n..\r\n.\r\n"),
        (b"a\r\n.\r\nMAIL FROM:<x>\r\n", b"a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"),
    ],
)
def test_no_dot_ends_the_mail_early(content: bytes, wire: bytes) -> None:
    assert wire_form(content) == wire


def test_a_mail_that_we_begin_says_how_to_end_it_and_an_answer_does_not() -> None:
    begun = compose(outgoing(unsubscribe="unsubscribe e1?x\r\nBcc: y"), "us@example.com", "Us", NOW)
    header = message_from_bytes(begun.content, policy=policy.default)["List-Unsubscribe"]
    assert header == "<mailto:us@example.com?subject=unsubscribe%20e1%3Fx%0D%0ABcc%3A%20y>"
    assert b"List-Unsubscribe" not in compose(outgoing(), "us@example.com", "Us", NOW).content


def test_one_click_stands_before_the_mail_that_ends_it_by_hand() -> None:
    link = "https://example.com/unsubscribe/e1.abc"
    begun = compose(outgoing(unsubscribe="unsubscribe e1", unsubscribe_url=link), "us@example.com", "Us", NOW)
    found = message_from_bytes(begun.content, policy=policy.default)
    assert found["List-Unsubscribe"] == f"<{link}>, <mailto:us@example.com?subject=unsubscribe%20e1>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
