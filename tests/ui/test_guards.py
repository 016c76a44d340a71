"""What is warned of before a send, the one key that helps, what the customer told, and numbers that stay masked."""

from __future__ import annotations

import pytest

from agentconsole.domain.entries import Reply
from agentconsole.domain.model import AgentName, ConversationId, CustomerId, EntryId
from tests.ui.console import LARGE, SMALL, Driver, running
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone

BOTH = pytest.mark.parametrize("language", ["en", "ko"])
CARD = "4111 1111 1111 1111"
MASKED = "•••• •••• •••• 1111"


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


async def begin(console: Driver, name: str = "Emily Rhodes", *, text: str = "") -> None:
    await console.open(name)
    await console.press("r")
    await console.until(lambda: console.app.where == "box" and console.app.writer.now.choice is not None)  # type: ignore[union-attr]
    if text:
        console.box.load_text(text)


@BOTH
@pytest.mark.parametrize(
    ("text", "en", "ko"),
    [
        ("card {CARD} ok".replace("{CARD}", CARD), "number in clear: card", "번호 그대로 있음: 카드번호"),
        ("see {order}", "Not filled in: {order}", "채우지 않은 자리: {order}"),
        ("Hi Peter, done", "Greets Peter, but goes to Emily Rhodes", "호칭 Peter, 받는 고객 Emily Rhodes"),
        ("it is attached", 'No file is attached ("is attached")', '첨부 파일 없음("is attached")'),
        ("확인했습니다. 내일 할게.", "Mixes polite and plain Korean", "존댓말과 반말 섞임"),
    ],
)
async def test_each_warning_is_one_line_under_the_text(
    desk: DeskDouble, language: str, text: str, en: str, ko: str
) -> None:
    async with running(desk, size=SMALL, language=language) as console:
        await begin(console, text=text)
        await console.sees(en if language == "en" else ko)
        assert not desk.called("reply")


@BOTH
async def test_who_wrote_moments_ago_is_named(desk: DeskDouble, language: str) -> None:
    customer = desk.person(CustomerId("emily"))
    route = next(use.route for use in customer.routes if use.route.medium == "email")
    reply = Reply(
        id=EntryId("r-hyun"),
        at=NOW,
        agent=AgentName("hyun"),
        conversation=ConversationId("c-emily"),
        account=route.account,
        medium=route.medium,
        address=route.address,
        text="Done.",
        key="k",
    )
    desk.add("emily", reply)
    desk.received("emily", "mail", email("emily@example.com"), "and?", conversation="c-emily")
    async with running(desk, size=SMALL, language=language) as console:
        await begin(console, text="one moment")
        await console.sees("hyun wrote here 0 min ago (e-mail)" if language == "en" else "hyun 0분 전 발송(메일)")


@BOTH
async def test_what_was_told_by_mail_is_named_on_whatsapp_and_confirmed_with_one_key(
    desk: DeskDouble, language: str
) -> None:
    sender = email("emily@example.com")
    desk.received("emily", "mail", sender, "My ID is 88124821.", minutes=8, conversation="c-emily")
    desk.received("emily", "wa", phone("+447700900123"), "any news?", minutes=1, conversation="c-emily")
    async with running(desk, size=SMALL, language=language) as console:
        await begin(console)
        await console.sees("WhatsApp" if language == "en" else "왓츠앱")
        await console.type("what is your ID number")
        en = language == "en"
        await console.sees("ID ending 4821 (e-mail, 13:54)" if en else "신분증 끝자리 4821", "ctrl+g")
        await console.press("ctrl+g")
        await console.until(lambda: console.box.text == "ID ending 4821, is that right?")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))


async def test_a_number_is_masked_with_one_key_and_sent_as_it_is_only_by_its_own_key(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console, text=f"your card {CARD}")
        await console.press("ctrl+s")
        await console.sees("Not sent yet.", "F8 sends")
        assert not desk.called("reply")
        await console.press("ctrl+g")
        await console.until(lambda: console.box.text == f"your card {MASKED}")
        await console.until(lambda: "Not sent yet." not in console.screen)
        console.box.load_text(f"no, {CARD}")
        await console.press("ctrl+s")
        await console.until(lambda: len(desk.called("warnings")) > 2 and not console.app.writer.now.sending)  # type: ignore[union-attr]
        assert not desk.called("reply"), "another text is asked about again"
        await console.press("ctrl+s")
        await console.until(lambda: not console.app.writer.now.sending)  # type: ignore[union-attr]
        assert not desk.called("reply"), "the same key again confirms nothing"
        await console.press("f8")
        await console.until(lambda: desk.called("reply"))
        assert desk.called("reply")[0][1].text == f"no, {CARD}"


async def test_the_key_goes_to_what_is_not_filled_in(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console, text="Hello,\nyour order {order}")
        await console.sees("Not filled in", "ctrl+g")
        await console.press("ctrl+g")
        assert console.box.cursor_location == (1, 11)


async def test_a_warning_that_is_no_risk_does_not_hold_up_a_send(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console, text="it is attached")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))


async def test_a_draft_that_goes_elsewhere_by_itself_asks_first_one_that_was_walked_does_not(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await begin(console, text="hello")
        await console.sees("on e-mail")
        await console.until(lambda: console.app.writer.now.begun is not None)  # type: ignore[union-attr]
        desk.received("emily", "wa", phone("+447700900123"), "any news?", conversation="c-emily")
        await console.sees("on WhatsApp")
        await console.press("ctrl+s")
        await console.sees("begun for e-mail emily@example.com")
        assert not desk.called("reply")
        await console.press("ctrl+t")
        await console.sees("on e-mail")
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        assert desk.called("reply")[0][1].route.medium == "email"


@BOTH
async def test_facts_stand_on_the_card_and_enter_goes_to_their_message(desk: DeskDouble, language: str) -> None:
    told = desk.received(
        "emily",
        "mail",
        email("emily@example.com"),
        "My order 4455-91, ID 88124821.",
        minutes=60,
        conversation="c-emily",
    )
    for n in range(70):
        desk.received("emily", "mail", email("emily@example.com"), f"line {n}", minutes=50 - n / 2)
    en = language == "en"
    async with running(desk, size=SMALL, language=language) as console:
        await console.open("Emily Rhodes")
        await console.press("3")
        await console.sees("order 4455-91" if en else "주문번호 4455-91", "••••4821", "e-mail" if en else "메일")
        await console.press("enter")
        await console.until(lambda: console.app.timeline.chosen == told)
    async with running(desk, size=LARGE, language=language) as console:
        await console.open("Emily Rhodes")
        await console.sees("order 4455-91" if en else "주문번호 4455-91")


async def test_one_message_is_revealed_with_a_key_and_masked_again_when_left(desk: DeskDouble) -> None:
    entry = desk.received("emily", "mail", email("emily@example.com"), f"card {CARD}", conversation="c-emily")
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.sees(f"card {MASKED}")
        await console.press("V")
        await console.sees(f"card {CARD}", "V masks them again")
        assert desk.called("reveal") == [(entry,)]
        await console.press("V")
        await console.sees(f"card {MASKED}")
        await console.press("V")
        await console.sees(f"card {CARD}")
        await console.press("escape")
        await console.until(lambda: CARD not in console.screen)
        assert len(desk.called("reveal")) == 2


async def test_nothing_to_reveal_is_said(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("V")
        await console.sees("Nothing is masked in this message.")
        assert not desk.called("reveal")
