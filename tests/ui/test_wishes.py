"""A wish that is not sure: asked once in the strip, with its words and source, taken or refused by the known keys."""

from __future__ import annotations

import pytest

from agentconsole.domain.entries import ConsentChanged, PreferenceStated, Received, WishSeen
from agentconsole.domain.model import AgentName, ConsentScope, CustomerId, EntryId, Medium
from agentconsole.ui import people
from agentconsole.ui.say import Say
from tests.ui.console import LARGE, SMALL, running
from tests.ui.desk_double import NOW, DeskDouble, emily

BOTH_SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
MINSU = CustomerId("minsu")


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    source = next(e for e in found.records[MINSU] if isinstance(e, Received))
    found.add(
        "minsu",
        WishSeen(
            id=EntryId("wish"),
            at=NOW,
            medium=Medium("sms"),
            evidence=source.id,
            evidence_medium=source.medium,
            words="text me when you \x1b[31mknow",
        ),
    )
    return found


@BOTH_SIZES
async def test_one_key_takes_it(desk: DeskDouble, size: tuple[int, int]) -> None:
    async with running(desk, size=size) as console:
        await console.open("박민수")
        await console.sees("Wants SMS?")
        await console.sees("text me when you")
        await console.press("I")
        await console.sees("Noted: wants SMS.")
        assert "Wants SMS?" not in console.screen
        assert desk.person(MINSU).preferences[0].medium == "sms"
        assert desk.person(MINSU).wishes == ()
        await console.press("u")
        await console.until(lambda: desk.person(MINSU).preferences == ())


async def test_it_is_not_put_off_and_says_so(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("박민수")
        await console.press("P")
        await console.sees("A wish waits by itself.")
    assert desk.person(MINSU).wishes


async def test_one_key_refuses_it(desk: DeskDouble) -> None:
    async with running(desk, language="ko") as console:
        await console.open("박민수")
        await console.sees("문자 원함?")
        await console.press("X")
        await console.sees("요청 아님. 다시 묻지 않음.")
    assert desk.person(MINSU).preferences == ()
    assert desk.person(MINSU).wishes == ()


def test_the_card_links_it_to_the_message_in_which_it_stands(desk: DeskDouble) -> None:
    (line,) = people.wanted(desk.person(MINSU), Say("en", "UTC"), 120)
    source = next(e for e in desk.records[MINSU] if isinstance(e, Received))
    assert line[1] == source.id


@pytest.mark.parametrize(
    ("language", "wish", "consent"),
    [
        ("en", "e-mail for invoice, set 3 Mar by mina", "SMS: opted in 3 Mar, advertising"),
        ("ko", "메일(invoice 용), 3월 3일 설정 (mina)", "문자: 3월 3일 수신동의, 광고"),
    ],
)
def test_the_card_says_what_for_a_wish_and_a_consent_hold(
    desk: DeskDouble, language: str, wish: str, consent: str
) -> None:
    desk.add(
        "minsu",
        PreferenceStated(id=EntryId("p"), at=NOW, medium=Medium("email"), purpose="invoice", by=AgentName("mina")),
    )
    desk.add(
        "minsu",
        ConsentChanged(id=EntryId("c"), at=NOW, medium=Medium("sms"), scope=ConsentScope.MARKETING, allowed=True),
    )
    person = desk.person(MINSU)
    rows = people.card(person, person.conversations[0].id, Say(language, "UTC"), NOW, 80)
    lines = ["".join(text for text, _ in line).strip() for line in rows]
    assert {wish, consent} <= set(lines)
