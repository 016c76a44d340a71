"""What a message asks for becomes a statement or a suggestion as it is filed, once, and nobody else's."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from agentconsole.channels import email
from agentconsole.desk import Compose
from agentconsole.domain import wishes
from agentconsole.domain.entries import PreferenceStated, Received, WishSeen
from agentconsole.domain.model import Customer, CustomerId, EntryId, Medium, Preference, Snapshot, Trust
from agentconsole.errors import NotFound
from agentconsole.hub import wishing
from agentconsole.ports import Inbound, RawItem
from tests.effort import costs_at_most
from tests.fakes import paper
from tests.hub.conftest import EMAIL, World
from tests.waiting import until

MAYBE = "Please send me a text when you have an answer."
"""Asks for one message; whether for all is for an agent to say."""


async def said(world: World, identity: str, text: str, **more: object) -> Customer:
    """Let a mail come in and return the customer once it is filed."""
    world.mail.put(paper.message(identity, EMAIL, text, world.clock.now(), **more))
    await world.customer(EMAIL)

    async def filed() -> Customer | None:
        record = await world.store.find(EMAIL)
        page = await world.store.history(record, limit=50) if record is not None else None
        texts = [e.text for e in page.entries if isinstance(e, Received)] if page is not None else []
        return page.customer if page is not None and text in texts else None

    return await until(filed, what="the message in the history")


def stated(customer: Customer, purpose: str = "") -> Preference | None:
    return next((one for one in customer.preferences if one.purpose == purpose), None)


async def test_a_sure_wish_is_taken_with_its_words_and_where_it_stood(world: World):
    world.clock.move(seconds=60)
    person = await said(
        world, "m1", "Where is it?\nPlease text me, I never read mail.\n\nOn Mon, 2 Mar 2026, We wrote:\n> hi"
    )
    wish = stated(person)
    assert wish is not None
    assert (wish.medium, wish.by, wish.evidence_medium) == ("sms", "", "email")
    assert wish.words.startswith("Please text me")
    source = await world.store.entry(wish.evidence)
    assert source is not None
    assert isinstance(source[1], Received)
    assert wish.at == source[1].at


async def test_what_they_quote_or_sign_with_asks_for_nothing(world: World):
    old = "-----Original Message-----\nFrom: Us <us@example.com>\nSent: Monday\n\nPlease reply by email."
    for n, text in enumerate((f"Thanks!\n\n{old}", "Thanks again!\n-- \nPlease reply by email.")):
        person = await said(world, f"m{n}", text)
        assert person.preferences == ()
        assert person.wishes == ()


@pytest.mark.parametrize("more", [{"automatic": True}, {"trust": Trust.AMBIGUOUS}])
async def test_nobody_speaks_for_the_customer(world: World, more: dict[str, object]):
    person = await said(world, "m1", "Please text me", **more)
    assert person.preferences == ()
    assert person.wishes == ()


@pytest.mark.parametrize("trust", [Trust.CLAIMED, Trust.VERIFIED])
async def test_an_unvouched_sender_only_suggests(world: World, trust: Trust):
    person = await said(world, "m1", "Please text me", trust=trust, checked=True)
    sure = trust == Trust.VERIFIED
    assert [one.medium for one in person.preferences] == (["sms"] if sure else [])
    assert [one.medium for one in person.wishes] == ([] if sure else ["sms"])


async def test_an_address_that_an_agent_trusts_speaks_for_itself_again(world: World):
    known = {"trust": Trust.CLAIMED, "checked": True, "signer": "example.net"}
    person = await said(world, "m1", "Hello", **known)
    await world.desk.trust_sender(world.who, "t1", person.id, "", True)
    assert [one.medium for one in (await said(world, "m2", "Please text me", **known)).preferences] == ["sms"]


async def test_the_same_message_again_changes_nothing(world: World):
    await said(world, "m1", "Please text me")
    world.mail.put(paper.message("m1", EMAIL, "Please text me", world.clock.now()))
    await said(world, "m2", "Hello?")
    record = await world.customer(EMAIL)
    page = await world.store.history(record, limit=50)
    assert page is not None
    (one,) = [e for e in page.entries if isinstance(e, PreferenceStated)]
    source = next(e for e in page.entries if e.id == one.evidence)
    assert isinstance(source, Received)
    again = wishing.entries(source, wishes.readings(source.text), Snapshot(record, 1))
    assert again == [one], "who files it a second time adds nothing"


async def test_an_older_mail_that_comes_late_does_not_undo_a_newer_wish(world: World):
    await said(world, "m1", "Please text me")
    world.mail.put(paper.message("m0", EMAIL, "Please reply by email only", world.clock.now() - timedelta(days=9)))
    person = await said(world, "m2", "Hello?")
    wish = stated(person)
    assert wish is not None
    assert wish.medium == "sms"


async def test_a_wish_for_a_purpose_decides_for_that_purpose_only(world: World):
    person = await said(world, "m1", "Please text me.\nInvoices by email please.")
    assert {(one.purpose, one.medium) for one in person.preferences} == {("", "sms"), ("invoice", "email")}
    for purpose in ("invoice", "invoices"):
        choice = await world.desk.choose(world.who, Compose(person.id, "x", purpose=purpose))
        assert choice.best is not None
        assert (choice.best.route.medium, choice.best.rule) == ("email", "stated")
    general = await world.desk.choose(world.who, Compose(person.id, "x"))
    assert general.best is not None
    assert general.best.rule != "stated", "no account could send an SMS"


async def test_a_maybe_waits_until_an_agent_takes_it(world: World):
    person = await said(world, "m1", MAYBE)
    (wish,) = person.wishes
    assert (wish.medium, person.preferences) == ("sms", ())
    taken = await world.desk.answer_wish(world.who, "r1", wish.id, True)
    assert await world.desk.answer_wish(world.who, "r1", wish.id, True) == taken
    assert await world.desk.answer_wish(world.who, "r2", wish.id, True) == ""
    page = await world.store.history(person.id, limit=50)
    assert page is not None
    known = stated(page.customer)
    assert known is not None
    assert (known.by, known.evidence, known.at) == (world.who.name, wish.evidence, wish.at)
    assert page.customer.wishes == ()
    assert len([e for e in page.entries if isinstance(e, PreferenceStated)]) == 1


async def test_a_refused_one_does_not_come_back(world: World):
    person = await said(world, "m1", MAYBE)
    (wish,) = person.wishes
    assert await world.desk.answer_wish(world.who, "r1", wish.id, False) == ""
    assert await world.desk.answer_wish(world.who, "r2", wish.id, True) == "", "it was decided"
    world.mail.put(paper.message("m1", EMAIL, MAYBE, world.clock.now()))
    person = await said(world, "m2", "Hello?")
    assert (person.wishes, person.preferences) == ((), ())


async def test_what_is_no_wish_cannot_be_answered(world: World):
    with pytest.raises(NotFound):
        await world.desk.answer_wish(world.who, "r1", EntryId("nothing"), True)


async def test_a_maybe_for_what_is_known_is_not_asked(world: World):
    await said(world, "m1", "Please text me")
    person = await said(world, "m2", MAYBE)
    assert person.wishes == ()
    page = await world.store.history(person.id, limit=50)
    assert page is not None
    assert not [e for e in page.entries if isinstance(e, WishSeen)]


async def test_a_bare_answer_to_our_question_is_taken(world: World):
    person = await said(world, "m1", "Where is it?")
    question = "Where shall we answer? 1) e-mail 2) SMS 3) KakaoTalk"
    await world.desk.reply(world.who, "q", Compose(person.id, question, conversation=person.conversations[0].id))
    person = await said(world, "m2", "3")
    wish = stated(person)
    assert wish is not None
    assert (wish.medium, wish.words) == (Medium("kakaotalk"), "3")


async def test_a_bare_answer_to_nothing_is_none(world: World):
    person = await said(world, "m1", "3")
    assert person.preferences == ()


async def test_a_card_number_in_a_wish_is_shown_by_its_end_only(world: World):
    card = "4111 1111 1111 1111"
    person = await said(world, "m1", f"Please send me a text when you have an answer about card {card}.")
    for asked in (person.id, CustomerId("")):
        (found,) = await world.desk.wishes(world.who, asked)
        assert "1111" in found.wish.words
        assert card not in found.wish.words


RAW = b"""From: Emily <emily@example.com>
To: us@example.com
Subject: =?utf-8?B?7KO866y4IDQ0NTU=?=
Message-ID: <w1@example.com>
Date: Mon, 1 Jan 2024 10:00:00 +0000
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

""" + base64.encodebytes("<p>언제 오나요?</p><p>답은 <b>카톡</b>으로 부탁드려요.</p>".encode())


async def test_a_real_mail_as_providers_send_it(world: World):
    [parsed] = email.parse(RawItem("w1", RAW, world.clock.now(), {}))
    assert isinstance(parsed, Inbound)
    world.mail.put(parsed)
    record = await world.customer(EMAIL)
    person = await world.store.customer(record)
    assert person is not None
    wish = stated(person)
    assert wish is not None
    assert (wish.medium, wish.words) == ("kakaotalk", "답은 카톡으로 부탁드려요.")


def test_a_long_text_of_mere_lines_holds_nothing_up():
    (one,) = costs_at_most(1, lambda: wishing._read("Please text me.\n" + "\n" * 400_000, ""))
    assert (one.medium, one.sure) == ("sms", True)
