"""A sender that nothing vouches for opens no history, merges nobody and redirects no reply."""

from __future__ import annotations

import msgspec
import pytest

from agentconsole.desk import Compose
from agentconsole.domain.entries import Received, Reply
from agentconsole.domain.model import CustomerId, EntryId, Participant, Trust
from agentconsole.errors import Refused, StoreFault
from agentconsole.ports import AuditLine, Inbound, Outgoing
from agentconsole.text.words import Words
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World
from tests.waiting import until


def mail(identity: str, world: World, trust: Trust, signer: str = "", **more: object) -> Inbound:
    found = paper.message(identity, EMAIL, f"text of {identity}", world.clock.now())
    return msgspec.structs.replace(found, trust=trust, signer=signer, checked=True, **more)  # type: ignore[arg-type]


async def arrives(world: World, *mails: Inbound) -> CustomerId:
    for one in mails:
        world.mail.put(one)
    customer = await world.customer(EMAIL)

    async def filed() -> bool:
        person = await world.store.customer(customer)
        history = await world.store.history(customer)
        assert person is not None
        assert history is not None
        return mails[-1].text in [e.text for e in history.entries if isinstance(e, Received)]

    await until(filed, what="the last mail")
    return customer


async def texts(world: World, customer: CustomerId) -> tuple[list[str], str]:
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    return [e.text for e in page.entries if isinstance(e, Received | Reply)], page.closed


async def test_a_verified_sender_opens_the_history(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED), mail("m2", world, Trust.VERIFIED))
    assert await texts(world, customer) == (["text of m1", "text of m2"], "")


@pytest.mark.parametrize("trust", [Trust.CLAIMED, Trust.AMBIGUOUS])
async def test_below_only_what_that_sender_wrote_is_shown(world: World, trust: Trust):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED), mail("m2", world, trust))
    assert await texts(world, customer) == (["text of m2"], "sender_not_verified")
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    assert not page.more
    assert page.suggestions == ()
    assert page.facts == ()
    assert page.doubtful is not None


async def test_nothing_else_hands_out_what_is_closed(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED))
    await world.desk.reply(world.who, "r", Compose(customer, "our answer of old"))
    await arrives(world, mail("m2", world, Trust.CLAIMED))
    history = await world.store.history(customer)
    assert history is not None
    first, answer = (next(e for e in history.entries if isinstance(e, kind)) for kind in (Received, Reply))
    for entry in (first.id, answer.id):
        with pytest.raises(Refused, match="not verified"):
            await world.desk.text(world.who, entry, 0, 100)
        with pytest.raises(Refused, match="not verified"):
            await world.desk.reveal(world.who, "x", entry)
    assert "reveal" not in [line.act for line in await world.store.audited()]
    hits = {hit.entry: hit.snippet for hit in await world.desk.search(world.who, "text", 9)}
    assert (hits.pop(first.id), [bool(shown) for shown in hits.values()]) == ("", [True])
    doubt = next(entry for entry in hits)
    assert await world.desk.text(world.who, doubt, 0, 100) == "text of m2"
    await world.desk.open_history(world.who, "o", customer, doubt)
    assert await world.desk.text(world.who, first.id, 0, 100) == "text of m1"
    assert all(hit.snippet for hit in await world.desk.search(world.who, "text", 9))


async def test_nothing_that_they_told_stands_in_a_closed_page(world: World):
    words = "Please text me, my order number is 55512345"
    told = msgspec.structs.replace(mail("m1", world, Trust.VERIFIED), text=words)
    customer = await arrives(world, told)
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    assert page.customer.facts
    assert page.customer.preferences[0].words
    await arrives(world, mail("m2", world, Trust.CLAIMED))
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    shown = msgspec.json.encode(page).decode()
    assert (page.closed, "55512345" in shown, "text me" in shown) == ("sender_not_verified", False, False)
    assert [one.medium for one in page.customer.preferences] == ["sms"]


async def test_what_cannot_be_noted_is_not_shown(world: World, monkeypatch: pytest.MonkeyPatch):
    async def full(_line: AuditLine) -> None:
        raise StoreFault("the disk is full")

    customer = await arrives(world, mail("m1", world, Trust.VERIFIED), mail("m2", world, Trust.CLAIMED))
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    monkeypatch.setattr(world.store, "audit", full)
    with pytest.raises(StoreFault):
        await world.desk.open_history(world.who, "o", customer, EntryId(""))
    assert (await texts(world, customer))[1] == "sender_not_verified"
    with pytest.raises(StoreFault):
        await world.desk.reveal(world.who, "r", page.entries[0].id)


async def test_a_warning_tells_nothing_of_what_is_closed(world: World):
    told = msgspec.structs.replace(mail("m1", world, Trust.VERIFIED), text="my order number is 55512345")
    customer = await arrives(world, told)
    asks = Compose(customer, "What is your order number?")
    assert [one.guard for one in await world.desk.warnings(world.who, asks, None)] == ["asked_again"]
    await arrives(world, mail("m2", world, Trust.CLAIMED))
    assert await world.desk.warnings(world.who, asks, None) == ()


async def test_a_newcomer_with_nothing_to_hide_raises_no_warning(world: World):
    customer = await arrives(world, mail("m1", world, Trust.CLAIMED), mail("m2", world, Trust.CLAIMED))
    assert await texts(world, customer) == (["text of m1", "text of m2"], "")


async def test_where_nobody_checks_the_gate_is_off(world: World):
    unchecked = msgspec.structs.replace(mail("m2", world, Trust.CLAIMED), checked=False)
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED), unchecked)
    assert (await texts(world, customer))[1] == ""


async def test_opening_it_knowingly_is_audited_and_lasts_until_the_next_doubtful_mail(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED), mail("m2", world, Trust.CLAIMED))
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    assert page.doubtful is not None
    for _ in range(2):
        await world.desk.open_history(world.who, "o", customer, page.doubtful.entry)
    assert (await texts(world, customer))[1] == ""
    assert [line.act for line in await world.store.audited()].count("open_history") == 1
    await arrives(world, mail("m3", world, Trust.CLAIMED))
    assert await texts(world, customer) == (["text of m2", "text of m3"], "sender_not_verified")
    with pytest.raises(Refused, match="newer message"):
        await world.desk.open_history(world.who, "p", customer, page.doubtful.entry)


async def test_an_address_is_trusted_as_it_signs_now_and_no_further(world: World):
    customer = await arrives(
        world, mail("m1", world, Trust.VERIFIED), mail("m2", world, Trust.CLAIMED, "post-service.example")
    )
    linked = await world.desk.trust_sender(world.who, "t", customer, "", True)
    assert (linked.trusted_by, linked.signer) == (world.who.name, "post-service.example")
    assert (await texts(world, customer))[1] == ""
    await arrives(world, mail("m3", world, Trust.CLAIMED, "post-service.example"))
    assert (await texts(world, customer))[1] == ""
    await arrives(world, mail("m4", world, Trust.CLAIMED))
    assert (await texts(world, customer))[1] == "sender_not_verified", "an unsigned mail is not covered"
    await arrives(world, mail("m5", world, Trust.CLAIMED, "post-service.example"))
    assert (await texts(world, customer))[1] == ""
    await arrives(world, mail("m6", world, Trust.CLAIMED, "evil.example"))
    await arrives(world, mail("m7", world, Trust.CLAIMED, "post-service.example"))
    assert (await texts(world, customer))[1] == "sender_not_verified", "another signer ends it"


async def test_trust_can_be_taken_back_and_is_audited(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED), mail("m2", world, Trust.CLAIMED, "a.example"))
    await world.desk.trust_sender(world.who, "t", customer, EMAIL.value, True)
    await world.desk.trust_sender(world.who, "e", customer, EMAIL.value, False)
    assert (await texts(world, customer))[1] == "sender_not_verified"
    assert {"trust", "trust-end"} <= {line.act for line in await world.store.audited()}


async def test_only_mail_addresses_are_trusted_and_what_was_not_trusted_is_not_taken_back(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED))
    await world.desk.link(world.who, "l", customer, "+442079460182")
    with pytest.raises(Refused, match="no mail address"):
        await world.desk.trust_sender(world.who, "t", customer, "+442079460182", True)
    await world.desk.trust_sender(world.who, "e", customer, EMAIL.value, False)
    assert "trust-end" not in {line.act for line in await world.store.audited()}


async def test_what_nobody_signs_cannot_be_trusted(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED, "a.example"), mail("m2", world, Trust.CLAIMED))
    with pytest.raises(Refused, match="Nothing signs"):
        await world.desk.trust_sender(world.who, "t", customer, "", True)


async def test_an_answer_with_our_token_from_the_address_it_went_to_opens_the_history(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED))
    await world.desk.reply(world.who, "r", Compose(customer, "your number is 4821"))

    async def left() -> list[Outgoing]:
        return world.mail.delivered

    sent = await until(left, what="the reply")
    await arrives(world, mail("m2", world, Trust.CLAIMED, message_ids=(sent[0].key,)))
    assert (await texts(world, customer))[1] == ""
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    assert [e.trust for e in page.entries if isinstance(e, Received)] == [Trust.VERIFIED, Trust.THREADED]
    bare = f"{sent[0].key.partition('.')[0]}@example.com"
    await arrives(world, mail("m3", world, Trust.CLAIMED, message_ids=(bare,)))
    assert (await texts(world, customer))[1] == "sender_not_verified"
    await arrives(world, mail("m4", world, Trust.AMBIGUOUS, message_ids=(sent[0].key,)))
    assert (await texts(world, customer))[1] == "sender_not_verified", "no token mends what was said to be forged"


async def test_a_message_on_another_medium_opens_it_again(world: World):
    customer = await arrives(world, mail("m1", world, Trust.VERIFIED), mail("m2", world, Trust.CLAIMED))
    world.chat.put(paper.message("w1", PHONE, "it is me", world.clock.now(), place="private"))
    other = await world.customer(PHONE)
    await world.desk.merge(world.who, "m", customer, other)
    world.clock.move(seconds=5)
    world.chat.put(paper.message("w2", PHONE, "again", world.clock.now(), place="private"))

    async def again() -> bool:
        person = await world.store.customer(customer)
        return person is not None and person.heard is not None and person.heard.sender == PHONE

    await until(again, what="the chat message")
    assert (await texts(world, customer))[1] == ""


async def test_a_reply_goes_to_the_address_on_record_whatever_reply_to_says(world: World):
    elsewhere = Participant("reply-to", EMAIL.__class__("email", "", "emily@evil.example"))
    customer = await arrives(
        world, mail("m1", world, Trust.VERIFIED), mail("m2", world, Trust.CLAIMED, participants=(elsewhere,))
    )
    sent = await world.desk.reply(world.who, "r", Compose(customer, "hello"))
    assert sent.route.address == EMAIL
    person = await world.store.customer(customer)
    assert person is not None
    assert [linked.address for linked in person.addresses] == [EMAIL]


async def test_what_a_forged_mail_suggests_says_that_its_sender_is_doubtful(world: World):
    world.chat.put(paper.message("w1", PHONE, "hello", world.clock.now(), place="private"))
    await world.customer(PHONE)
    names = f"I am Emily, my number is {PHONE.value} now"
    customer = await arrives(world, msgspec.structs.replace(mail("m1", world, Trust.CLAIMED), text=names))
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    assert page.doubtful is not None
    await world.desk.open_history(world.who, "o", customer, page.doubtful.entry)

    async def suggested():
        return await world.desk.suggestions(world.who, customer)

    (view,) = await until(suggested)
    assert view.doubtful
    words = Words("en", "UTC")
    told = words.evidence(view.why, view.evidence_medium, view.evidence_at, world.clock.now(), doubtful=view.doubtful)
    assert told.endswith("; sender not proven")
