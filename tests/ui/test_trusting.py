"""The strip before a closed history: what it says, one key to open it knowingly, one to trust, and undo."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from agentconsole.desk import AccountHealth, Agent
from agentconsole.domain.entries import Received
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConversationId,
    CustomerId,
    EntryId,
    LinkedAddress,
    Medium,
    Participant,
    Trust,
)
from agentconsole.ui import people
from agentconsole.ui.entries import Look, rows
from agentconsole.ui.say import Say
from tests.ui.console import LARGE, SMALL, running
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone

BOTH_SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
BOTH_LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


def forged(desk: DeskDouble, signer: str = "") -> None:
    found = [e for e in desk.records[CustomerId("minsu")] if isinstance(e, Received)]
    first = next(e for e in found if e.sender == email("minsu@example.com"))
    desk.add(
        "minsu",
        Received(
            id=EntryId("forged"),
            at=NOW,
            account=first.account,
            medium=first.medium,
            sender=first.sender,
            conversation=first.conversation,
            stored_at=NOW,
            text="please tell me my ID number",
            trust=Trust.CLAIMED,
            checked=True,
            signer=signer,
        ),
    )


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


@BOTH_SIZES
@BOTH_LANGUAGES
async def test_behind_an_unverified_sender_the_history_is_closed(
    desk: DeskDouble, size: tuple[int, int], language: str
) -> None:
    forged(desk)
    async with running(desk, size=size, language=language) as console:
        await console.open("박민수")
        await console.sees("please tell me my ID number")
        await console.sees("Sender not verified" if language == "en" else "발신자 확인 안 됨")
        assert "배송 언제 오나요?" not in console.screen
        await console.press("O")
        await console.sees("배송 언제 오나요?")
        assert desk.called("open_history")


async def test_a_mail_that_nobody_signed_cannot_be_trusted(desk: DeskDouble) -> None:
    forged(desk)
    async with running(desk) as console:
        await console.open("박민수")
        await console.press("T")
        await console.sees("Nothing signs this mail")
        assert not desk.called("trust_sender")


async def test_trust_opens_it_and_undo_closes_it_again(desk: DeskDouble) -> None:
    forged(desk, "post-service.example")
    async with running(desk, size=LARGE) as console:
        await console.open("박민수")
        await console.sees("signed by post-service.example")
        await console.press("T")
        await console.sees("배송 언제 오나요?", "trusted by")
        await console.press("u")
        await console.sees("Sender not verified")
        assert "배송 언제 오나요?" not in console.screen


async def test_a_history_that_is_open_closes_when_such_a_mail_arrives(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("박민수")
        await console.sees("배송 언제 오나요?")
        forged(desk)
        await console.sees("Sender not verified")
        assert "배송 언제 오나요?" not in console.screen


async def test_a_suggestion_can_wait(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.sees("I link")
        await console.press("P")
        await console.sees("Asked again on")
        assert "I link" not in console.screen
        assert desk.called("postpone_suggestion")
        await console.press("u")
        await console.sees("Undone", "I link")


async def test_accounts_say_whose_senders_nobody_checks(desk: DeskDouble) -> None:
    desk.health = [AccountHealth(AccountName("mail"), "email", Medium("email"), "ok", last_ok=NOW, unchecked=True)]
    async with running(desk) as console:
        await console.press("!")
        await console.sees("set authserv_id")


def test_the_card_says_why_an_address_is_theirs(desk: DeskDouble) -> None:
    person = desk.person("minsu")
    linked = LinkedAddress(email("x@example.com"), Trust.CLAIMED, NOW, AgentName("mina"), why="agent")
    lines = people.card(replace(person, addresses=(linked,)), person.conversations[0].id, Say("en", "UTC"), NOW, 60)
    assert any("mina, 3 Mar" in "".join(text for text, _ in line) for line in lines)


@BOTH_LANGUAGES
async def test_a_customer_is_split_by_naming_addresses_and_undone_with_one_key(desk: DeskDouble, language: str) -> None:
    desk.link("minsu", phone("+821012345678"))
    async with running(desk, language=language) as console:
        await console.open("박민수")
        await console.press("ctrl+p")
        await console.type("Split: some" if language == "en" else "나누기:")
        await console.press("enter")
        await console.sees("minsu@example.com")
        await console.type("+821012345678")
        await console.press("enter")
        await console.sees("another person now" if language == "en" else "다른 사람으로 나눔")
        assert desk.called("split") == [("minsu", ("+821012345678",), "")]
        await console.press("u")
        await console.sees("as before" if language == "en" else "이전 그대로")
        assert desk.called("unsplit") == [("other",)]


async def test_a_message_that_nothing_vouches_for_bears_a_mark_once_it_is_seen(desk: DeskDouble) -> None:
    forged(desk)
    async with running(desk, size=LARGE) as console:
        await console.open("박민수")
        await console.press("O")
        await console.sees("배송 언제 오나요?", "sender not proven")
        assert console.screen.count("sender not proven") == 1


@pytest.mark.parametrize(
    ("language", "mark", "asked"),
    [
        ("en", "sender not proven", "wants the answer at minsu@evil.example, another domain"),
        ("ko", "발신자 확인 안 됨", "다른 도메인 minsu@evil.example 주소로 답장 요청함"),
    ],
)
def test_an_answer_that_is_wanted_elsewhere_is_pointed_out(language: str, mark: str, asked: str) -> None:
    def mailed(reply_to: str) -> Received:
        return Received(
            id=EntryId("m"),
            at=NOW,
            account=AccountName("mail"),
            medium=Medium("email"),
            sender=email("minsu@example.com"),
            conversation=ConversationId("c"),
            stored_at=NOW,
            text="hello",
            participants=(Participant("reply-to", email(reply_to)),),
        )

    def told(entry: Received) -> str:
        look = Look(Say(language, "UTC"), 140, unproven=frozenset({EntryId("m")}))
        return "\n".join("".join(text for text, _ in line) for line in rows(entry, look))

    assert mark in told(mailed("minsu@evil.example"))
    assert asked in told(mailed("minsu@evil.example"))
    assert "minsu@" not in told(mailed("other@example.com"))


async def test_the_address_that_an_answer_is_wanted_at_is_linked_with_one_key_and_undone(
    desk: DeskDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    links: list[tuple[str, ...]] = []

    async def linked(_who: Agent, _request: str, customer: CustomerId, address: str) -> None:
        links.append(("link", customer, address))

    async def unlinked(_who: Agent, _request: str, customer: CustomerId, address: str) -> None:
        links.append(("unlink", customer, address))

    forged(desk)
    last = desk.records[CustomerId("minsu")][-1]
    assert isinstance(last, Received)
    elsewhere = Participant("reply-to", email("minsu@work.example"))
    desk.records[CustomerId("minsu")][-1] = replace(last, trust=Trust.VERIFIED, participants=(elsewhere,))
    monkeypatch.setattr(desk, "link", linked)
    monkeypatch.setattr(desk, "unlink", unlinked, raising=False)
    async with running(desk, size=LARGE) as console:
        await console.open("박민수")
        await console.sees("wants the answer at minsu@work.example", "I links")
        await console.press("I")
        await console.sees("is one of theirs now")
        await console.press("u")
        await console.sees("Undone")
        assert links == [("link", "minsu", "minsu@work.example"), ("unlink", "minsu", "minsu@work.example")]
