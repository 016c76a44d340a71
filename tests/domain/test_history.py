"""What entries add up to: folding in parts, seeing merged records as one, and taking that back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentconsole.domain import delivery
from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AddressUnlinked,
    AnyEntry,
    Assigned,
    ConsentChanged,
    PreferenceStated,
    StatusChanged,
    Suggested,
    SuggestionAnswered,
    Tagged,
)
from agentconsole.domain.history import KEPT_DELIVERIES, advance, empty, fold
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    EntryId,
    Medium,
    Trust,
)
from agentconsole.domain.person import combine, lines
from agentconsole.testing.entries import (
    CHAT,
    EMILY,
    EMILY_PHONE,
    MAIL,
    WORK_KINDS,
    merged,
    minute,
    named,
    note,
    receipt,
    received,
    reply,
    status,
    unmerged,
    work,
)
from tests.domain import make

K1, K2, K3 = CustomerId("k1"), CustomerId("k2"), CustomerId("k3")
KINDS = (
    *("received", "received", "reply", "reply", "receipt", "receipt", "receipt", "note", "named", "linked"),
    *("unlinked", "dead", "consent", "preference", "assigned", "status", "tagged", "suggested", "answered"),
    *("merged", "unmerged"),
    *WORK_KINDS,
)


@st.composite
def entries(draw: Any, prefix: str = "e") -> tuple[AnyEntry, ...]:
    """Entries of one record that refer to each other."""
    made: list[AnyEntry] = []
    for number in range(draw(st.integers(0, 25))):
        made.append(_one(draw, f"{prefix}{number}", [entry.id for entry in made], prefix))
    return tuple(made)


def _one(draw: Any, name: str, before: list[EntryId], prefix: str) -> AnyEntry:
    at = draw(st.integers(0, 20))
    base = {"id": EntryId(name), "at": minute(at)}
    earlier = draw(st.sampled_from([*before[-6:], EntryId("nothing")]))
    conversation = f"{prefix}-{draw(st.sampled_from('ab'))}"
    address, account = draw(st.sampled_from([EMILY, EMILY_PHONE])), draw(st.sampled_from([MAIL, CHAT]))
    who = AgentName(draw(st.sampled_from(["", "ana"])))
    match draw(st.sampled_from(KINDS)):
        case "received":
            text, trust = draw(st.sampled_from(["", "hello", "안녕"])), draw(st.sampled_from(list(Trust)))
            automatic, past = draw(st.booleans()), draw(st.booleans())
            return received(
                name,
                at,
                sender=address,
                account=account,
                conversation=conversation,
                text=text,
                trust=trust,
                automatic=automatic,
                past=past,
                sender_name=draw(st.sampled_from(["", "Emily"])),
            )
        case "reply":
            return reply(name, at, conversation=conversation, account=account, address=address)
        case "receipt":
            state = draw(st.sampled_from(list(Delivery)))
            return receipt(name, earlier, state, at, committed=draw(st.booleans()), by=who)
        case "note":
            return note(name, at, conversation=conversation)
        case "named":
            return named(name, draw(st.sampled_from(["Em", "Bob"])), at, by=who)
        case "linked":
            return AddressLinked(**base, address=address, trust=draw(st.sampled_from(list(Trust))), by=who)
        case "unlinked":
            return AddressUnlinked(**base, address=address, by=who)
        case "dead":
            return AddressState(**base, address=address, dead=draw(st.sampled_from(["", "bounced"])))
        case "consent":
            return ConsentChanged(**base, medium=Medium("email"), allowed=draw(st.booleans()))
        case "preference":
            return PreferenceStated(**base, medium=Medium(draw(st.sampled_from(["", "email"]))), by=who)
        case "assigned":
            return Assigned(**base, conversation=ConversationId(conversation), assignee=who)
        case "status":
            return status(name, draw(st.sampled_from(list(ConversationStatus))), at, conversation=conversation)
        case "tagged":
            add, remove = draw(st.sampled_from([(("a",), ()), (("b", "a"), ()), ((), ("a",))]))
            return Tagged(**base, conversation=ConversationId(conversation), add=add, remove=remove)
        case "suggested":
            return Suggested(**base, other=K3, address=address, why="mention", evidence=earlier)
        case "answered":
            return SuggestionAnswered(**base, suggestion=earlier, accepted=draw(st.booleans()), by=who)
        case kind if kind in WORK_KINDS:
            of = f"{prefix}-a" if kind == "joined_to" else earlier
            return work(kind, name, at, conversation, of, draw(st.integers(0, 11)))
        case "merged":
            return merged(name, draw(st.sampled_from(["k2", "k3"])), at)
        case _:
            return unmerged(name, earlier, at)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries(), st.data())
def test_folding_in_parts_equals_folding_at_once(whole: tuple[AnyEntry, ...], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(whole)))
    first = advance(empty(K1), whole[:cut])
    kept = advance(empty(K1), whole[:cut])
    assert advance(first, whole[cut:]) == fold(K1, whole)
    assert first == kept, "folding on must not change the snapshot before"
    assert fold(K1, whole).count == len(whole)


def _finished(count: int) -> list[AnyEntry]:
    made: list[AnyEntry] = []
    for number in range(count):
        name = f"r{number:03}"
        made += [
            reply(name, number),
            receipt(f"{name}s", name, Delivery.SENDING, number, committed=True),
            receipt(f"{name}d", name, Delivery.SENT, number),
        ]
    return made


@pytest.mark.parametrize("cut", [1, 5, 100, 130, 149, 150, 152])
def test_finished_deliveries_leave_at_the_same_entry_however_it_is_cut(cut: int) -> None:
    late = [
        receipt("late", "r001", Delivery.FAILED, 90),
        received("answer", 91),
        receipt("later", "r049", Delivery.DELIVERED, 92),
    ]
    whole = [*_finished(50), *late]
    assert len(fold(K1, whole).deliveries) == KEPT_DELIVERIES
    assert advance(fold(K1, whole[:cut]), whole[cut:]) == fold(K1, whole)


def test_an_unfinished_reply_is_kept_however_many_follow() -> None:
    whole = [reply("waiting", -1), *_finished(KEPT_DELIVERIES * 2)]
    assert fold(K1, whole).deliveries["waiting"].state == Delivery.QUEUED


def _person(root: CustomerId, **records: Sequence[AnyEntry]) -> Customer:
    return combine(root, {CustomerId(name): fold(CustomerId(name), made) for name, made in records.items()})


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries("x"), entries("y"))
def test_seeing_records_as_one_loses_nothing_and_changes_none(
    one: tuple[AnyEntry, ...], other: tuple[AnyEntry, ...]
) -> None:
    snapshots = {K1: fold(K1, one), K2: fold(K2, other)}
    alone = {record: combine(record, {record: snapshot}) for record, snapshot in snapshots.items()}
    both = combine(K1, snapshots)
    assert {a.address for a in both.addresses} == {a.address for c in alone.values() for a in c.addresses}
    assert {c.id for c in both.conversations} == {c.id for p in alone.values() for c in p.conversations}
    assert len(both.deliveries) == sum(len(c.deliveries) for c in alone.values())
    refused = {k for p in alone.values() for k in p.consents if not k.allowed}
    assert {(k.medium, k.scope) for k in refused} == {(k.medium, k.scope) for k in both.consents if not k.allowed}
    assert combine(K1, dict(reversed(snapshots.items()))) == both
    assert {record: combine(record, {record: snapshot}) for record, snapshot in snapshots.items()} == alone
    assert len(lines(both)) == len(both.conversations)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries("x"))
def test_an_edge_that_ended_leaves_no_trace_but_itself(made: tuple[AnyEntry, ...]) -> None:
    edge = (merged("m", "k2", 30, joins={"c2": "x-a"}), unmerged("u", "m", 31))
    before, after = fold(K1, made), fold(K1, (*made, *edge))
    assert after.count == before.count + 2
    for field in ("addresses", "conversations", "deliveries", "consents", "preferences", "routes", "merges", "name"):
        assert getattr(after, field) == getattr(before, field)


def test_joined_conversations_are_one_row_that_waits_since_the_first() -> None:
    mine = [received("e1", 5, conversation="c1", subject="Appointment"), merged("m", "k2", 9, joins={"c2": "c1"})]
    theirs = [received("e2", 3, conversation="c2", sender=EMILY_PHONE, medium="whatsapp", subject="")]
    person = _person(K1, k1=mine, k2=theirs)
    [line] = lines(person)
    assert (line.conversation, line.subject, line.waiting_since) == ("c1", "Appointment", minute(3))
    assert set(line.media) == {"email", "whatsapp"}
    assert person.owners["c2"] == K2


def test_what_is_reopened_waits_again() -> None:
    def status(name: str, at: int, to: ConversationStatus) -> StatusChanged:
        return StatusChanged(id=EntryId(name), at=minute(at), conversation=ConversationId("c1"), status=to)

    closed = [received("e1", 5, conversation="c1"), status("s1", 6, ConversationStatus.RESOLVED)]
    assert [line.waiting_since for line in lines(_person(K1, k1=closed))] == [None]
    again = [*closed, status("s2", 8, ConversationStatus.OPEN)]
    assert [line.waiting_since for line in lines(_person(K1, k1=again))] == [minute(8)]
    asked_twice = [received("e1", 5, conversation="c1"), status("s1", 6, ConversationStatus.OPEN)]
    assert [line.waiting_since for line in lines(_person(K1, k1=asked_twice))] == [minute(5)]


@pytest.mark.parametrize("state", [Delivery.CANCELLED, Delivery.FAILED])
def test_who_was_not_answered_waits_for_as_long_as_before(state: Delivery) -> None:
    asked = [received("e1", 5, text="Where is it?"), reply("r1", 20, text="On its way")]
    [line] = lines(_person(K1, k1=[*asked, receipt("q1", "r1", state, 21)]))
    assert line.waiting_since == minute(5)
    meanwhile = [*asked, received("e2", 21, text="Hello?"), receipt("q1", "r1", state, 22)]
    [line] = lines(_person(K1, k1=meanwhile))
    assert (line.waiting_since, line.preview) == (minute(5), "Hello?")
    [line] = lines(_person(K1, k1=[reply("r1", 20), receipt("q1", "r1", state, 21)]))
    assert line.waiting_since == minute(21)


def test_the_list_shows_what_a_customer_wrote_once_the_reply_is_stopped() -> None:
    asked = [received("e1", 5, text="Where is it?"), reply("r1", 20, text="On its way")]
    [line] = lines(_person(K1, k1=[*asked, receipt("q1", "r1", Delivery.CANCELLED, 21)]))
    assert line.preview == "Where is it?"
    [line] = lines(_person(K1, k1=[*asked, receipt("q1", "r1", Delivery.SENT, 21, attempt=1)]))
    assert line.preview == "On its way"


def test_a_chain_of_joins_ends_at_its_last_conversation() -> None:
    person = _person(
        K1,
        k1=[received("e1", conversation="c1"), merged("m1", "k2", joins={"c2": "c1"})],
        k2=[received("e2", conversation="c2"), merged("m2", "k3", joins={"c3": "c2"})],
        k3=[received("e3", conversation="c3")],
    )
    assert person.joined == {"c2": "c1", "c3": "c1"}
    assert len(person.conversations) == 1


def test_joins_in_a_circle_end() -> None:
    person = _person(
        K1,
        k1=[received("e1", conversation="c1"), merged("m1", "k2", joins={"c2": "c1"})],
        k2=[received("e2", conversation="c2"), merged("m2", "k1", joins={"c1": "c2"})],
    )
    assert sum(line.waiting_since is not None for line in lines(person)) >= 1


def test_an_opt_out_of_any_record_holds_for_the_person() -> None:
    out = ConsentChanged(id=EntryId("x1"), at=minute(1), medium=Medium("sms"), allowed=False)
    opted_in = ConsentChanged(id=EntryId("x2"), at=minute(9), medium=Medium("sms"), allowed=True)
    person = _person(K1, k1=[opted_in, merged("m", "k2")], k2=[out])
    [consent] = person.consents
    assert not consent.allowed


# -- the delivery table ------------------------------------------------------------------------------------

_BY_ITSELF = {
    "queued": "sending cancelled failed uncertain",
    "sending": "queued sent delivered read failed uncertain",
    "uncertain": "sent delivered read failed",
    "sent": "delivered read failed",
    "delivered": "read",
    "read": "",
    "failed": "sent delivered read",
    "cancelled": "",
}
_ON_WORD = {"uncertain": "queued cancelled", "failed": "queued cancelled"}


@pytest.mark.parametrize("by", ["", "ana"])
@pytest.mark.parametrize("after", list(Delivery))
@pytest.mark.parametrize("before", list(Delivery))
def test_which_state_may_follow_which(before: Delivery, after: Delivery, by: str) -> None:
    record = DeliveryRecord(
        reply=EntryId("r1"),
        state=before,
        at=minute(0),
        account=MAIL,
        medium=Medium("email"),
        address=EMILY,
        conversation=ConversationId("c1"),
        agent=AgentName("ana"),
        queued_at=minute(0),
    )
    allowed = set(_BY_ITSELF[before].split()) | (set(_ON_WORD.get(before, "").split()) if by else set())
    assert delivery.follows(record, receipt("q1", "r1", after, by=by)) == (after in allowed)


def _after(*receipts: AnyEntry) -> Delivery:
    return fold(K1, [reply("r1"), *receipts]).deliveries["r1"].state


def test_what_was_committed_never_queues_again_without_a_word() -> None:
    committed = receipt("q1", "r1", Delivery.SENDING, 1, committed=True)
    assert _after(committed, receipt("q2", "r1", Delivery.QUEUED, 2)) == Delivery.SENDING
    assert _after(receipt("q1", "r1", Delivery.SENDING, 1), receipt("q2", "r1", Delivery.QUEUED, 2)) == Delivery.QUEUED
    uncertain = receipt("q2", "r1", Delivery.UNCERTAIN, 2)
    assert _after(committed, uncertain, receipt("q3", "r1", Delivery.QUEUED, 3)) == Delivery.UNCERTAIN
    assert _after(committed, uncertain, receipt("q3", "r1", Delivery.QUEUED, 3, by="ana")) == Delivery.QUEUED


@pytest.mark.parametrize("proof", ["sent", "delivered", "read"])
@pytest.mark.parametrize("state", ["queued", "cancelled"])
def test_proof_of_an_earlier_attempt_ends_what_waits_or_was_given_up(state: str, proof: str) -> None:
    attempt = [
        receipt("q1", "r1", Delivery.SENDING, 1, attempt=1, committed=True),
        receipt("q2", "r1", Delivery.UNCERTAIN, 2, attempt=1),
    ]
    word = receipt("q3", "r1", Delivery(state), 3, by="ana")
    assert _after(*attempt, word, receipt("q4", "r1", Delivery(proof), 4)) == proof
    assert _after(*attempt, word) == state


def test_a_commit_belongs_to_its_attempt() -> None:
    first = receipt("q1", "r1", Delivery.SENDING, 1, attempt=1)
    other = receipt("q2", "r1", Delivery.SENDING, 2, attempt=2, committed=True)
    same = receipt("q3", "r1", Delivery.SENDING, 2, attempt=1, committed=True)
    assert not fold(K1, [reply("r1"), first, other]).deliveries["r1"].committed
    assert fold(K1, [reply("r1"), first, same]).deliveries["r1"].committed


def test_ranks_only_rise_whatever_order_reports_come_in() -> None:
    sending = receipt("q1", "r1", Delivery.SENDING, 1, committed=True)
    read, sent = receipt("q2", "r1", Delivery.READ, 2), receipt("q3", "r1", Delivery.SENT, 3)
    assert _after(sending, read, sent, receipt("q4", "r1", Delivery.DELIVERED, 4)) == Delivery.READ


def test_pauses_double_from_a_quarter_minute_to_an_hour() -> None:
    assert [round(delivery.backoff(n, None, 0.5)) for n in (1, 2, 3, 10, 200)] == [15, 30, 60, 3960, 3960]
    assert delivery.backoff(1, 300.0, 0.0) == 300.0
    asked = [float("inf"), 1e300, 10**400, -5.0, float("nan"), float("-inf")]
    assert [round(delivery.backoff(1, seconds, 0.5)) for seconds in asked] == [86_400] * 3 + [15] * 3
    spread = [delivery.backoff(3, None, fraction) for fraction in (0.0, 0.999)]
    assert spread[0] == pytest.approx(54)
    assert spread[1] == pytest.approx(66, abs=0.1)


@pytest.mark.parametrize("trust", [Trust.CLAIMED, Trust.AMBIGUOUS, Trust.VERIFIED])
def test_who_may_be_somebody_else_teaches_nothing_of_the_customer(trust: Trust) -> None:
    def mail(name: str, days: float, text: str, language: str, trust: Trust) -> AnyEntry:
        return make.received(
            name, make.MAIL, make.EMAIL, make.ago(days=days), text, checked=True, trust=trust, language=language
        )

    first = mail("a", 9, "my order number is 11112222", "en", Trust.VERIFIED)
    dead = AddressState(id=EntryId("d"), at=make.ago(days=8), address=make.EMAIL, dead="bounced")
    second = mail("b", 1, "my order number is 66667777", "ko", trust)
    person = fold(CustomerId("k"), [first, dead, second])
    believed = trust == Trust.VERIFIED
    assert [fact.value for fact in person.facts.values()] == ["66667777" if believed else "11112222"]
    assert person.languages == ({"en": 1, "ko": 1} if believed else {"en": 1})
    assert bool(person.addresses[str(make.EMAIL)].dead) is not believed
