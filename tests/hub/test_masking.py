"""No client sees a card or ID number without asking for it by name, and what was told once is known ever after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from agentconsole import wire
from agentconsole.desk import Agent, Compose, Position
from agentconsole.domain import numbers
from agentconsole.domain.facts import Pattern
from agentconsole.domain.guards import Settings
from agentconsole.domain.model import AccountName, Address, AgentName, Attachment, CustomerId, EntryId, Medium, Route
from agentconsole.domain.templates import Template
from agentconsole.errors import Refused
from agentconsole.hub.desk.reading import _page
from agentconsole.hub.masking import Masks
from agentconsole.hub.profile import HubProfile
from tests.domain import make
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until

CARD = "4111 1111 1111 1111"
RESIDENT = "900101-1234567"
MEMBER = "KR-778899001"
CLEAR = ("4111 1111 11", "4111111111111111", "900101-1234", "KR-7788", "88124821")
LONG = "x" * 15_990 + f" {CARD} " + "y" * 90_000 + f" {RESIDENT} end"
PROFILE = HubProfile(
    region="GB",
    free_floor=0,
    guards=Settings(numbers=(("member", r"KR-\d{6,12}"),)),
    facts=(Pattern("serial", r"SN\d{6}", "serial number"),),
    templates=(Template("all", {"en": "{customer.name}, about {conversation.subject}: {fact.id} {fact.serial}"}),),
)


async def told(world: World) -> CustomerId:
    """A customer who wrote numbers wherever one can."""
    texts = [
        f"my card is {CARD} and my ID is 88124821, member {MEMBER}. Serial SN123456.",
        "주민번호는 900101-1234567입니다 카드번호는4111-1111-1111-1111입니다",
        "word " * 25 + f"cut here {CARD}",
        LONG,
    ]
    for n, text in enumerate(texts):
        world.mail.put(
            paper.message(
                f"m{n}", EMAIL, text, world.clock.now(), sender_name=f"Emily {CARD}", subject=f"Card {CARD} please"
            )
        )
    customer = await world.customer(EMAIL)

    async def all_there() -> bool:
        return (await world.store.health()).entries >= len(texts)

    await until(all_there)
    return customer


def clear_in(value: object) -> list[str]:
    """Return what of the numbers can be read in an answer, wherever it stands."""
    text = msgspec.json.encode(value).decode()
    return [part for part in CLEAR if part in text] + [
        text[n.start - 20 : n.end] for n in numbers.hidden(text) if n.kind != numbers.STATED
    ]


Call = Callable[[], Awaitable[Any]]

NOT_READ = {
    # what an agent wrote and nobody has sent, as it was typed; files as they came
    *("save_draft", "drafts", "drop_draft", "attach", "blob"),
    *("discard_draft", "discarded", "drop_discarded"),
    # a text that is about to be sent, as it would be
    *("preview", "fallback"),
    # nothing of a customer is in their answers
    *("seen", "stop", "sync", "probe", "attend", "present"),
}


@pytest.fixture
async def hub():
    async with running(profile=PROFILE) as world:
        yield world


async def test_no_reading_method_answers_with_a_number_in_clear(hub: World):
    customer = await told(hub)
    desk, who = hub.desk, hub.who
    conversation = (await desk.find_conversation(who, customer))[1]
    await desk.note(who, "n1", customer, conversation, f"{CARD} noted, {RESIDENT}")
    sent = await desk.reply(who, "r1", Compose(customer, f"Your card {CARD}, ID is 88124821.", subject=CARD))
    route = Route(AccountName("mail"), Medium("email"), EMAIL)
    page = await desk.timeline(who, customer, EntryId(""), 500)
    long = next(e for e in page.entries if getattr(e, "text", "").startswith("xxxx"))
    compose = Compose(customer, f"What is your ID? {CARD}")
    calls: dict[str, list[Call]] = {
        "queue": [lambda: desk.queue(who, "all", 0, 50)],
        "find": [lambda: desk.find(who, "emily@example.com")],
        "find_conversation": [lambda: desk.find_conversation(who, customer)],
        "timeline": [
            lambda: desk.timeline(who, customer, EntryId(""), 500),
            lambda: desk.timeline(who, customer, page.entries[2].id, 500),
        ],
        "text": [
            lambda n=n: desk.text(who, long.id, n, 100_000) for n in (0, 10, 15_995, 16_000, 16_005, 100_000, 106_000)
        ],
        "search": [lambda w=w: desk.search(who, w, 50) for w in (CARD, "4111", "cut", "900101", "member", "word")],
        "find_entries": [
            lambda w=w: desk.find_entries(who, w, customer, 50, 0, 3) for w in (CARD, "cut", "in:note", "on:email")
        ],
        "filtered": [lambda: desk.filtered(who, "all", "-zzz", 0, 50)],
        "find_people": [lambda w=w: desk.find_people(who, w, 50) for w in ("", "emily", CARD)],
        "around": [lambda e=e: desk.around(who, customer, e.id, 500) for e in page.entries],
        "choose": [lambda: desk.choose(who, compose)],
        "warnings": [lambda: desk.warnings(who, compose, route)],
        "templates": [lambda: desk.templates(who, customer, conversation, {})],
        "status": [lambda: desk.status(who)],
        "away": [lambda: desk.away(who)],
        "news": [lambda: desk.news(who, Position(), 0.0)],
        "sent": [lambda: desk.sent(who, sent.id)],
        "outbox": [lambda: desk.outbox(who, ())],
        "suggestions": [lambda: desk.suggestions(who, CustomerId(""))],
        "wishes": [lambda: desk.wishes(who, CustomerId(""))],
        "damaged": [lambda: desk.damaged(who)],
    }
    reading = {name for name, method in wire.METHODS.items() if "request" not in method.parameters}
    assert reading - NOT_READ == set(calls), "a method that reads has to be called here"
    for name, made in calls.items():
        for call in made:
            assert clear_in(await call()) == [], name
    assert {e.id for e in page.entries if "•" in getattr(e, "text", "")} <= set(page.masked)
    assert len(page.masked) == 6


def test_a_page_of_masks_fits_the_wire():
    """A mask takes more bytes than the digit under it."""
    entries = [
        make.received(f"e{n}", make.MAIL, EMAIL, make.ago(minutes=n), f"{n} " + f"{CARD} " * 780) for n in range(60)
    ]
    kept, more, masked = _page(entries, Masks())
    assert more
    assert len(msgspec.json.encode(kept)) < wire.MAX_LINE - 200_000
    assert set(masked) == {entry.id for entry in kept}


async def test_the_number_is_found_by_itself_and_only_its_end_is_shown(hub: World):
    await told(hub)
    hits = await hub.desk.search(hub.who, CARD, 10)
    assert hits
    assert all("1111" in hit.snippet and "•" in hit.snippet for hit in hits if "x" not in hit.snippet)


async def test_reveal_needs_its_right_gives_the_text_and_is_audited(hub: World):
    customer = await told(hub)
    page = await hub.desk.timeline(hub.who, customer, EntryId(""), 50)
    first = page.entries[0]
    assert CARD not in first.text
    assert CARD in await hub.desk.reveal(hub.who, "v1", first.id)
    line = next(line for line in await hub.store.audited() if line.act == "reveal")
    assert (line.agent, line.customer, line.detail) == (hub.who.name, customer, first.id)
    reader = Agent(AgentName("reader"), frozenset({"read", "reply"}))
    with pytest.raises(Refused):
        await hub.hub.desk.reveal(reader, "v2", first.id)
    assert sum(line.act == "reveal" for line in await hub.store.audited()) == 1


async def test_what_is_sent_and_kept_stays_as_it_was_written(hub: World):
    customer = await told(hub)
    sent = await hub.desk.reply(hub.who, "r1", Compose(customer, f"card {CARD}"))
    found = await hub.store.entry(sent.id)
    assert found is not None
    assert found[1].text == f"card {CARD}"

    async def delivered():
        return hub.mail.delivered

    assert (await until(delivered))[0].text == f"card {CARD}"


async def test_what_was_told_500_entries_ago_is_known_and_a_redaction_takes_it_out(hub: World):
    hub.mail.put(paper.message("first", EMAIL, "My ID is 88124821, order 4455-91. Serial SN123456.", hub.clock.now()))
    customer = await hub.customer(EMAIL)
    for n in range(500):
        hub.mail.put(paper.message(f"m{n}", EMAIL, f"still waiting {n}", hub.clock.now() + timedelta(seconds=n)))

    async def all_there() -> bool:
        return (await hub.store.health()).entries >= 501

    await until(all_there, 20)
    page = await hub.desk.timeline(hub.who, customer, EntryId(""), 10)
    assert [(f.kind, f.value, f.label) for f in page.facts] == [
        ("id_number", "••••4821", ""),
        ("order_number", "4455-91", ""),
        ("serial", "SN123456", "serial number"),
    ]
    source = page.facts[0].entry
    assert source not in {e.id for e in page.entries}
    (asked,) = await hub.desk.warnings(hub.who, Compose(customer, "Please send me your ID number"), None)
    assert (asked.guard, asked.facts["ending"], asked.facts["entry"]) == ("asked_again", "4821", source)
    await hub.desk.redact(hub.who, "gone", source, "asked for")
    page = await hub.desk.timeline(hub.who, customer, EntryId(""), 10)
    assert page.facts == ()


async def test_an_id_told_by_mail_is_known_on_whatsapp(hub: World):
    """Emily: the question that she answered by e-mail is named before it is asked again on WhatsApp."""
    hub.mail.put(paper.message("m1", EMAIL, f"My ID is 88124821 and my WhatsApp is {PHONE.value}.", hub.clock.now()))
    mail = await hub.customer(EMAIL)
    hub.chat.put(paper.message("w1", PHONE, "any news?", hub.clock.now(), place="chat-1"))
    chat = await hub.customer(PHONE)
    await hub.desk.merge(hub.who, "join", mail, chat)
    compose = Compose(mail, "Could you tell me your ID number?")
    assert (await hub.desk.choose(hub.who, compose)).best.route.medium == "whatsapp"
    (asked,) = await hub.desk.warnings(hub.who, compose, None)
    assert (asked.facts["ending"], asked.facts["medium"]) == ("4821", "email")


async def test_a_draft_for_another_target_and_a_colleague_a_moment_ago_are_told(hub: World):
    hub.mail.put(paper.message("m1", EMAIL, "hello", hub.clock.now(), sender_name="Emily Rhodes"))
    customer = await hub.customer(EMAIL)
    other = Agent(AgentName("hyun"))
    await hub.hub.desk.reply(other, "r1", Compose(customer, "Done."))
    hub.clock.move(minutes=3)
    begun = Route(AccountName("chat"), Medium("whatsapp"), Address("phone", "", "+447700900123"))
    attached = (Attachment("", "", 0),)
    found = await hub.desk.warnings(
        hub.who, Compose(customer, "Hi Peter, it is attached, {date}.", attachments=attached), begun
    )
    assert [w.guard for w in found] == ["other_target", "wrong_name", "unfilled_variable", "just_written"]
    assert found[0].facts["now"] == "email"
    assert found[3].facts == {"agent": "hyun", "medium": "email", "minutes": "3"}


async def test_guards_can_be_switched_off():
    settings = Settings(on=("unfilled_variable",), own_names=("Acme",))
    async with running(profile=HubProfile(region="GB", free_floor=0, guards=settings)) as world:
        world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now(), sender_name="Emily Rhodes"))
        customer = await world.customer(EMAIL)
        found = await world.desk.warnings(world.who, Compose(customer, f"Hi Peter {{x}} {CARD}"), None)
        assert [w.guard for w in found] == ["unfilled_variable"]
