"""What is told before a reply leaves, and what is not: a guard that cries all day protects nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentconsole.domain import addresses, guards, history
from agentconsole.domain.entries import Named, Reply
from agentconsole.domain.guards import Cap, Drafted
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConversationId,
    Customer,
    CustomerId,
    EntryId,
    Medium,
    Route,
)
from agentconsole.domain.person import combine
from agentconsole.testing.entries import minute

EMILY = addresses.email("emily@example.com")
OTHER = addresses.email("bob@example.com")
assert EMILY is not None
assert OTHER is not None
MAIL = Route(AccountName("mail"), Medium("email"), EMILY)


def customer(name: str = "Emily Clark", *replies: tuple[str, float]) -> Customer:
    record = CustomerId("c1")
    entries = [Named(id=EntryId("n"), at=minute(0), name=name, by=AgentName("ana"))] if name else []
    written = [
        Reply(
            id=EntryId(f"r{at}"),
            at=minute(at),
            agent=AgentName(agent),
            conversation=ConversationId("x"),
            account=AccountName("sms"),
            medium=Medium("sms"),
            address=EMILY,
            text="Hello",
            key=f"k{at}",
        )
        for agent, at in replies
    ]
    snapshot = history.fold(record, [*entries, *written])
    return combine(record, {record: snapshot})


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("Hi {name}, your order", "{name}"),
        ("Hello {{ customer.first_name }}!", "{{ customer.first_name }}"),
        ("안녕하세요 {고객명}님", "{고객명}"),
        ("[이름] 고객님", "[이름]"),
        ("use the set {1, 2, 3} and {}", ""),
        ('{"json": 1}', ""),
        ("Your code is {4821}", ""),
    ],
)
def test_unfilled_variables(text: str, variable: str) -> None:
    found = guards.unfilled(Drafted(text))
    assert (found.facts["variable"] if found else "") == variable
    if found:
        assert text[found.start : found.end] == variable


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("Please find attached the invoice.", True),
        ("I have attached the label", True),
        ("The invoice is attached.", True),
        ("계산서 첨부드립니다.", True),
        ("첨부파일 확인 부탁드립니다", True),
        ("> I attached the photo\nThank you, it arrived.", False),
        ("The cable attaches to the back.", False),
        ("We are very attached to our customers.", False),
        ("사진 잘 받았습니다.", False),
    ],
)
def test_a_promised_file(text: str, warned: bool) -> None:
    assert (guards.attachment_missing(Drafted(text)) is not None) == warned
    assert guards.attachment_missing(Drafted(text, attachments=1)) is None


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("Emily Clark", "Hi Emily, thanks", ""),
        ("Emily Clark", "Dear Ms Clark,", ""),
        ("Emily Clark", "Hello Bob, thanks", "Bob"),
        ("Emily Clark", "Hi there, thanks", ""),
        ("Emily Clark", "hello again", ""),
        ("Emily Clark", "Good morning! It shipped.", ""),
        ("김지현", "안녕하세요 김지현님, 감사합니다", ""),
        ("김지현", "지현님 안녕하세요", ""),
        ("김지현", "안녕하세요, 박민수 고객님.", "박민수"),
        ("김지현", "안녕하세요 고객님", ""),
        ("", "Hi Bob", ""),
        ("Alexandra Roe", "Hi Alex,", ""),
    ],
)
def test_a_wrong_name(name: str, text: str, wrong: str) -> None:
    found = guards.wrong_name(Drafted(text), customer(name))
    assert (found.facts["name"] if found else "") == wrong


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("안녕하세요. 오늘 출발했습니다.", False),
        ("안녕하세요. 오늘 보냈어. 감사합니다.", True),
        ("오늘 보냈습니다. 확인해줘!", True),
        ("오늘 보냈어. 곧 도착할 거야.", False),
        ("Thanks. It left today.", False),
        ("주문번호: 4455\n배송 출발: 오늘\n감사합니다.", False),
    ],
)
def test_mixed_politeness(text: str, warned: bool) -> None:
    assert (guards.mixed_tone(Drafted(text)) is not None) == warned


def test_somebody_else_wrote_on_another_channel() -> None:
    now = minute(30)
    found = guards.just_written(
        Drafted("x", agent=AgentName("ana")), customer("E", ("hyun", 24)), now, timedelta(minutes=10)
    )
    assert found is not None
    assert found.facts == {"agent": "hyun", "medium": "sms", "minutes": "6"}
    own = guards.just_written(
        Drafted("x", agent=AgentName("hyun")), customer("E", ("hyun", 24)), now, timedelta(minutes=10)
    )
    assert own is None
    old = guards.just_written(
        Drafted("x", agent=AgentName("ana")), customer("E", ("hyun", 5)), now, timedelta(minutes=10)
    )
    assert old is None


def test_a_draft_that_was_begun_for_somebody_else_comes_first() -> None:
    draft = Drafted("Hi {name}", route=MAIL, begun_for=Route(AccountName("mail"), Medium("email"), OTHER))
    found = guards.warnings(draft, customer(), (), minute(0))
    assert [w.guard for w in found] == [guards.OTHER_TARGET, guards.UNFILLED]


def test_each_guard_can_be_switched_off() -> None:
    draft = Drafted("Hi {name}, card 4111 1111 1111 1111", route=MAIL)
    assert [w.guard for w in guards.warnings(draft, customer(), (), minute(0))] == [
        guards.NUMBER_IN_TEXT,
        guards.UNFILLED,
    ]
    assert guards.warnings(draft, customer(), (), minute(0), guards.Settings(on=())) == ()


def test_cap_over_all_channels_and_cooling_off() -> None:
    cap = Cap(messages=2, days=7, cooling_hours=48)
    day = 24 * 60
    sent = [minute(0), minute(day), minute(2 * day)]
    assert guards.too_often(sent, minute(3 * day), cap) == minute(8 * day)
    assert guards.too_often(sent[:1], minute(3 * day), cap) is None
    assert guards.cooling_off([(minute(0), Medium("sms"))], minute(60), cap) == minute(2 * day)
    assert guards.cooling_off([(minute(0), Medium("sms"))], minute(2 * day), cap) is None
