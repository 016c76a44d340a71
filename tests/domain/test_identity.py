"""What suggests that two records are one person, and that a merge joins and an unmerge parts exactly."""

from __future__ import annotations

from agentconsole.domain import conversations, history, identity
from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.domain.person import lines
from tests.domain.make import AGENT, EMAIL, MAIL, NOW, PHONE, WHATSAPP, ago, customer, received, together

EMILY, UNKNOWN = CustomerId("k1"), CustomerId("k2")


def test_a_number_in_a_mail_suggests_its_owner():
    found = identity.suggestions(EMILY, (PHONE,), {PHONE: UNKNOWN}, (), EMAIL, EntryId("e1"), NOW)
    assert [(holder, s.other, s.why, s.evidence) for holder, s in found] == [(EMILY, UNKNOWN, "number_in_text", "e1")]


def test_a_message_from_a_number_that_an_earlier_mail_named_suggests_too():
    found = identity.suggestions(UNKNOWN, (), {}, ((EMILY, EntryId("e1")),), PHONE, EntryId("e2"), NOW)
    assert [(holder, s.other, s.why, s.evidence) for holder, s in found] == [(EMILY, UNKNOWN, "number_in_text", "e1")]


def test_both_directions_make_the_same_suggestion_so_that_a_refusal_holds():
    one = identity.suggestions(EMILY, (PHONE,), {PHONE: UNKNOWN}, (), EMAIL, EntryId("e1"), NOW)
    other = identity.suggestions(UNKNOWN, (), {}, ((EMILY, EntryId("e1")),), PHONE, EntryId("e2"), NOW)
    assert one[0][1].id == other[0][1].id


def test_a_merge_joins_the_open_conversations_and_an_unmerge_parts_them_exactly():
    mail = received("e1", MAIL, EMAIL, ago(minutes=9), "Move my appointment", "ca", subject="Move")
    chat = received("e2", WHATSAPP, PHONE, ago(minutes=1), "any news?", "cb")
    keep, absorb = customer(mail, record="k1"), customer(chat, record="k2")
    edge = identity.merge(EntryId("m1"), keep, absorb, AGENT, NOW)
    joined = together("k1", {"k1": [mail, edge], "k2": [chat]})
    assert [(c.id, c.subject, c.media, c.waiting_since) for c in joined.conversations] == [
        ("ca", "Move", ("email", "whatsapp"), ago(minutes=9))
    ]
    parted = together("k1", {"k1": [mail, edge, identity.unmerge(EntryId("u1"), edge.id, AGENT, NOW)]})
    assert lines(parted) == lines(keep)
    assert lines(customer(chat, record="k2")) == lines(absorb)


def test_a_later_message_of_the_absorbed_record_stays_in_its_own_conversation():
    mail = received("e1", MAIL, EMAIL, ago(minutes=9), conversation="ca")
    chat = received("e2", WHATSAPP, PHONE, ago(minutes=8), conversation="cb")
    edge = identity.merge(EntryId("m1"), customer(mail), customer(chat, record="k2"), AGENT, NOW)
    joined = together("k1", {"k1": [mail, edge], "k2": [chat]})
    whole = conversations.joins(joined, None, EntryId("e3"), NOW, 7)
    assert whole == "ca"
    assert conversations.part_in(joined, history.fold(UNKNOWN, [chat]), whole) == "cb"


def test_an_answer_in_one_part_ends_the_waiting_of_the_whole():
    from agentconsole.domain.entries import Reply

    mail = received("e1", MAIL, EMAIL, ago(minutes=9), conversation="ca")
    chat = received("e2", WHATSAPP, PHONE, ago(minutes=8), conversation="cb")
    edge = identity.merge(EntryId("m1"), customer(mail), customer(chat, record="k2"), AGENT, NOW)
    answer = Reply(
        id=EntryId("r"),
        at=ago(minutes=2),
        agent=AGENT,
        conversation="cb",
        account="wa",
        medium="whatsapp",
        address=PHONE,
        text="11 March it is",
        key="r",
    )
    joined = together("k1", {"k1": [mail, edge], "k2": [chat, answer]})
    assert [c.waiting_since for c in joined.conversations] == [None]
    again = received("e3", WHATSAPP, PHONE, ago(minutes=1), conversation="cb")
    joined = together("k1", {"k1": [mail, edge], "k2": [chat, answer, again]})
    assert [c.waiting_since for c in joined.conversations] == [ago(minutes=1)]


def test_a_conversation_reopens_within_its_days_and_else_a_new_one_starts():
    from agentconsole.domain.entries import StatusChanged
    from agentconsole.domain.model import ConversationStatus

    first = received("e1", MAIL, EMAIL, ago(days=5), conversation="ca")
    closed = StatusChanged(
        id=EntryId("s"), at=ago(days=5), conversation="ca", status=ConversationStatus.RESOLVED, by=AGENT
    )
    person = customer(first, closed)
    assert conversations.current(person) is None
    assert conversations.joins(person, None, EntryId("e2"), NOW, 7) == "ca"
    fresh = conversations.joins(person, None, EntryId("e2"), NOW, 3)
    assert fresh != "ca"
    assert fresh == conversations.joins(person, None, EntryId("e2"), NOW, 3)
    assert conversations.joins(person, "cz", EntryId("e2"), NOW, 7) == "cz"
