"""What entries teach about a person: wishes that wait, answers per medium, language, who vouches for an address."""

from __future__ import annotations

from msgspec.structs import replace

from agentconsole.domain import history
from agentconsole.domain.entries import (
    AddressTrusted,
    AnyEntry,
    Described,
    PreferenceStated,
    WishRefused,
    WishSeen,
)
from agentconsole.domain.model import (
    AgentName,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Snapshot,
)
from agentconsole.domain.person import combine
from agentconsole.testing.entries import EMILY, minute, receipt, received, reply

ANA = AgentName("ana")
DAY = 24 * 60


def fold(*entries: AnyEntry) -> Snapshot:
    whole = history.fold(CustomerId("k1"), entries)
    parts = history.empty(CustomerId("k1"))
    for entry in entries:
        parts = history.advance(parts, [entry])
    assert parts == whole, "folding in many goes is folding in one"
    return whole


def wish(name: str, at: float, medium: str = "sms") -> WishSeen:
    return WishSeen(id=EntryId(name), at=minute(at), medium=Medium(medium), evidence=EntryId("m1"), words="text me")


def test_a_wish_waits_until_it_is_taken_or_refused() -> None:
    assert list(fold(wish("w1", 0)).wishes) == ["w1"]
    refused = WishRefused(id=EntryId("r"), at=minute(1), wish=EntryId("w1"), by=ANA)
    assert fold(wish("w1", 0), refused).wishes == {}
    taken = PreferenceStated(id=EntryId("p"), at=minute(1), medium=Medium("sms"), by=ANA, wish=EntryId("w1"), words="x")
    after = fold(wish("w1", 0), taken)
    assert after.wishes == {}
    assert after.preferences[""].words == "x"


def test_only_the_newest_wishes_are_kept() -> None:
    assert list(fold(*(wish(f"w{n}", n) for n in range(9))).wishes) == [f"w{n}" for n in range(4, 9)]


def test_answers_are_counted_per_medium_and_automatic_ones_are_none() -> None:
    entries: list[AnyEntry] = []
    for day in range(4):
        entries.append(reply(f"r{day}", day * DAY))
        entries.append(receipt(f"s{day}", f"r{day}", Delivery.SENDING, day * DAY, committed=True))
        entries.append(receipt(f"t{day}", f"r{day}", Delivery.SENT, day * DAY + 1))
        entries.append(received(f"a{day}", day * DAY + 60, automatic=day == 2))
    snapshot = fold(*entries)
    tally = snapshot.tallies["email"]
    assert (tally.sent, tally.answered) == (4, 3)
    assert snapshot.answers == (minute(60), minute(DAY + 60), minute(3 * DAY + 60))
    both = combine(
        CustomerId("k1"), {CustomerId("k1"): snapshot, CustomerId("k2"): replace(snapshot, id=CustomerId("k2"))}
    )
    assert (both.tallies[0].sent, both.tallies[0].answered) == (8, 6)


def test_the_later_word_describes_a_person_and_an_empty_one_takes_it_back() -> None:
    def say(name: str, at: float, value: str) -> Described:
        return Described(id=EntryId(name), at=minute(at), what="language", value=value, by=ANA)

    later_first = fold(say("d2", 5, "ko"), say("d1", 0, "en"))
    assert later_first.cards["language"].value == "ko"
    gone = fold(say("d1", 0, "en"), say("d2", 5, ""))
    assert combine(CustomerId("k1"), {CustomerId("k1"): gone}).cards == {}


def test_languages_of_messages_are_counted() -> None:
    korean = replace(received("m1"), language="ko")
    snapshot = fold(korean, replace(korean, id=EntryId("m2")), replace(korean, id=EntryId("m3"), language="en"))
    assert snapshot.languages == {"ko": 2, "en": 1}


def test_an_agents_word_for_an_address_lapses_when_its_signer_changes() -> None:
    first = replace(received("m1"), signer="example.com")
    vouched = AddressTrusted(id=EntryId("t"), at=minute(1), address=EMILY, signer="example.com", by=ANA)
    again = replace(received("m2", 2), signer="example.com")
    other = replace(received("m3", 3), signer="evil.example")
    assert fold(first, vouched, again).addresses[str(EMILY)].trusted_by == ANA
    lapsed = fold(first, vouched, again, other).addresses[str(EMILY)]
    assert (lapsed.trusted_by, lapsed.signer) == ("", "evil.example")
    ended = AddressTrusted(id=EntryId("u"), at=minute(4), address=EMILY, signer="")
    assert fold(first, vouched, ended).addresses[str(EMILY)].trusted_by == ""
