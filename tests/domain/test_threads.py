"""A token in our Message-IDs proves to whom a mail went, and nothing else does."""

from __future__ import annotations

import pytest

from agentconsole.domain import threads
from agentconsole.domain.model import Address, EntryId, derive_id

EMILY = Address("email", "", "emily@example.com")
REPLY = EntryId(derive_id("e", "reply", "one"))
OURS = threads.message_id(REPLY, EMILY, "shop.test", "secret")


def test_an_answer_from_the_address_that_it_went_to_is_known():
    assert threads.answered(["other@example.com", f"<{OURS}>"], EMILY, "secret")


@pytest.mark.parametrize(
    ("quoted", "sender", "secret"),
    [
        (OURS, Address("email", "", "mallory@example.com"), "secret"),
        (OURS, EMILY, "another store's"),
        (f"{REPLY}@shop.test", EMILY, "secret"),
        (OURS.replace("@", "a@"), EMILY, "secret"),
        (OURS.replace(OURS[35], "b" if OURS[35] == "a" else "a"), EMILY, "secret"),
        (f"{REPLY}.{'a' * 24}@shop.test", EMILY, "secret"),
        (OURS.upper(), EMILY, "secret"),
        (f"x{OURS}", EMILY, "secret"),
    ],
)
def test_nothing_else_is(quoted: str, sender: Address, secret: str):
    assert not threads.answered([quoted], sender, secret)


def test_only_the_newest_ids_are_looked_at():
    many = [f"{n}@example.com" for n in range(threads.LOOKED_AT)]
    assert not threads.answered([*many, OURS], EMILY, "secret")
    assert threads.answered([*many[1:], OURS], EMILY, "secret")


def test_ours_are_recognised_with_and_without_a_token():
    assert threads.OURS.match(OURS)
    assert threads.OURS.match(f"{REPLY}@shop.test")
    assert not threads.OURS.match("CAF123@mail.example.com")
