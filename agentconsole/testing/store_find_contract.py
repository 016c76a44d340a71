"""The part of the contract of ``agentconsole.ports.Store`` about finding: entries by words and filters, customers by
their names, and the page around an entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import pytest

from agentconsole.domain.entries import AddressLinked, AnyEntry, Manual, SetAside, StatusChanged, Tagged
from agentconsole.domain.finding import Found
from agentconsole.domain.model import (
    AgentName,
    Attachment,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
    Medium,
)
from agentconsole.errors import NotFound
from agentconsole.ports import Store
from agentconsole.testing.entries import EMILY, EMILY_PHONE, NOON, merged, minute, named, note, received, reply, status
from agentconsole.text.query import parse

K1, K2, K3 = CustomerId("k1"), CustomerId("k2"), CustomerId("k3")
ANA = AgentName("ana")
FILE = Attachment("invoice.pdf", "application/pdf", 10)


async def append(store: Store, record: CustomerId, *entries: AnyEntry) -> None:
    await store.change(record, lambda _: entries)


async def search(store: Store, text: str, *, limit: int = 50, offset: int = 0, each: int = 0) -> Found:
    return await store.find_entries(parse(text, NOON, UTC), ANA, limit=limit, offset=offset, each=each)


async def entries(store: Store, text: str) -> list[str]:
    return [hit.entry for hit in (await search(store, text)).hits]


async def some_talk(store: Store) -> None:
    """Two customers, three conversations, e-mail and WhatsApp, a file, a note and a tag."""
    await append(
        store,
        K1,
        received("e1", 0, text="Where is my refund?", sender_name="Emily Park", subject="Refund"),
        reply("r1", 2, text="The refund leaves tomorrow.", agent="ana"),
        note("n1", 3, text="refund checked", agent="ben"),
        status("s1", ConversationStatus.RESOLVED, 4),
        received("e2", 5, text="refund of the second order", conversation="c2", attachments=(FILE,)),
        Tagged(id=EntryId("t1"), at=minute(6), conversation=ConversationId("c2"), add=("VIP",), by=ANA),
    )
    await append(
        store,
        K2,
        named("x1", "박민수", 0),
        received(
            "e3", 1, text="환불 요청드립니다 refund", conversation="c3", sender=EMILY_PHONE, medium=Medium("whatsapp")
        ),
    )


class FindContract:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("refund", ["e2", "n1", "r1", "e3", "e1"]),
            ("refund -order", ["n1", "r1", "e3", "e1"]),
            ('"second order"', ["e2"]),
            ('"order second"', []),
            ('"환불 요청"', ["e3"]),
            ("-refund", []),
            ("-tomorrow", ["e2", "n1", "e3", "e1"]),
            ("on:whatsapp", ["e3"]),
            ("-on:email", ["n1", "e3"]),
            ("has:attachment", ["e2"]),
            ("refund -has:attachment", ["n1", "r1", "e3", "e1"]),
            ("in:note", ["n1"]),
            ("in:reply", ["r1"]),
            ("by:ANA", ["r1"]),
            ("from:emily", ["e2", "n1", "r1", "e1"]),
            ("from:박민수", ["e3"]),
            ("from:+821012345678", ["e3"]),
            ("from:k2 refund", ["e3"]),
            ("-from:k2 refund", ["e2", "n1", "r1", "e1"]),
            ("from:nobody", []),
            ("-from:nobody in:note", ["n1"]),
            ("is:closed", ["n1", "r1", "e1"]),
            ("refund is:open", ["e2", "e3"]),
            ("refund -is:open", ["n1", "r1", "e1"]),
            ("is:waiting on:email", ["e2"]),
            ("is:mine", []),
            ("tag:vip", ["e2"]),
            ("refund -tag:vip", ["n1", "r1", "e3", "e1"]),
            ("is:open is:waiting tag:vip from:emily has:file", ["e2"]),
            ("before:2026-03-03T12:02", ["e3", "e1"]),
            ("after:2026-03-03T12:03", ["e2", "n1"]),
            ("-after:2026-03-03T12:03 after:2026-03-03T12:01", ["r1", "e3"]),
            ("refund from:emily from:박민수", []),
        ],
    )
    async def test_words_and_filters_find_entries(self, store: Store, text: str, expected: Sequence[str]) -> None:
        await some_talk(store)
        assert await entries(store, text) == expected

    async def test_what_agents_put_away_or_wrote_down_is_found_by_its_filter(self, store: Store) -> None:
        await some_talk(store)
        call = Manual(
            id=EntryId("p1"),
            at=minute(7),
            agent=ANA,
            conversation=ConversationId("c2"),
            medium=Medium("phone"),
            text="asked about the refund",
        )
        await append(
            store,
            K1,
            call,
            Tagged(id=EntryId("t2"), at=minute(8), conversation=ConversationId("c2"), add=("\uff21\uff11",), by=ANA),
        )
        asleep = StatusChanged(
            id=EntryId("s3"),
            at=minute(9),
            conversation=ConversationId("c3"),
            status=ConversationStatus.SNOOZED,
            by=ANA,
            until=minute(900),
        )
        await append(store, K2, asleep)
        assert await entries(store, "on:phone") == ["p1"]
        assert await entries(store, "refund tag:a1") == ["p1", "e2"]
        assert await entries(store, "is:snoozed") == ["e3"]
        assert await entries(store, "is:spam") == []
        aside = SetAside(id=EntryId("a1"), at=minute(10), conversation=ConversationId("c3"), how="spam", by=ANA)
        await append(store, K2, aside)
        assert await entries(store, "is:spam") == ["e3"]
        assert await entries(store, "is:snoozed refund") == ["e3"]
        assert await entries(store, "tag:nothing") == []

    async def test_what_changes_later_is_found_as_it_is_now(self, store: Store) -> None:
        await some_talk(store)
        assert await entries(store, "is:unread on:whatsapp") == ["e3"]
        await store.seen(K2, ANA, minute(9))
        assert await entries(store, "is:unread on:whatsapp") == []
        await append(store, K2, status("s2", ConversationStatus.RESOLVED, 9, conversation="c3"))
        assert await entries(store, "is:open refund") == ["e2"]
        await append(store, K2, named("x2", "Kim", 10))
        assert await entries(store, "from:박민수") == []
        assert await entries(store, "from:kim") == ["e3"]

    async def test_a_merged_customer_is_meant_with_all_records_and_joined_conversations(self, store: Store) -> None:
        await some_talk(store)
        await append(store, K1, merged("m1", K2, 7, joins={"c3": "c1"}))
        assert await entries(store, "refund from:emily") == ["e2", "n1", "r1", "e3", "e1"]
        assert await entries(store, "on:whatsapp is:open") == ["e3"]

    async def test_finds_are_counted_by_customer_and_cut_by_customer(self, store: Store) -> None:
        await some_talk(store)
        found = await search(store, "refund")
        assert [(one.customer, one.name, one.count, one.at) for one in found.customers] == [
            (K1, "Emily Park", 4, minute(5)),
            (K2, "박민수", 1, minute(1)),
        ]
        assert (found.total, found.complete) == (5, True)
        assert [hit.entry for hit in (await search(store, "refund", each=1)).hits] == ["e2", "e3"]
        assert [hit.entry for hit in (await search(store, "refund", limit=2, offset=1)).hits] == ["n1", "r1"]
        assert (await search(store, "zzz")) == Found()

    async def test_many_finds_are_counted_up_to_a_thousand(self, store: Store) -> None:
        many = [received(f"e{n:04}", n, text="hello") for n in range(1200)]
        await append(store, K1, *many)
        found = await search(store, "hello", limit=2, offset=1100)
        assert (found.total, found.complete) == (1000, False)
        assert [hit.entry for hit in found.hits] == ["e0099", "e0098"]

    async def test_entries_of_one_moment_have_an_order(self, store: Store) -> None:
        await append(store, K2, *(received(f"b{n}", 1, text="same", conversation="c2") for n in range(3)))
        await append(store, K1, *(received(f"a{n}", 1, text="same") for n in range(3)))
        assert await entries(store, "same") == ["a2", "a1", "a0", "b2", "b1", "b0"]
        assert [hit.entry for hit in (await search(store, "same", limit=2, offset=2)).hits] == ["a0", "b2"]

    async def test_an_old_entry_that_comes_late_stands_where_it_belongs(self, store: Store) -> None:
        await append(store, K1, received("e2", 2, text="hello"))
        assert await entries(store, "hello") == ["e2"]
        await append(store, K2, received("e1", -9_000, text="hello", conversation="c2"))
        await append(store, K2, received("e3", 3, text="hello", conversation="c2"))
        assert await entries(store, "hello") == ["e3", "e2", "e1"]

    # -- customers -----------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("emily", [K1]),
            ("EMI", [K1]),
            ("park e", [K1]),
            ("emlprk", [K1]),
            ("박", [K2]),
            ("박미", [K2]),
            ("민수", [K2]),
            ("ㅂㅁㅅ", [K2]),
            ("qkralstn", [K2]),
            ("드ㅑㅣㅛ", [K1]),
            ("5678", [K2]),
            ("01012345678", [K2]),
            ("example.com", [K1]),
            ("nobody", []),
            ("[x*?", []),
            ("", [K1, K2]),
        ],
    )
    async def test_customers_are_found_as_one_types(
        self, store: Store, words: str, expected: Sequence[CustomerId]
    ) -> None:
        await some_talk(store)
        await append(store, K2, AddressLinked(id=EntryId("l1"), at=minute(2), address=EMILY_PHONE))
        await append(store, K1, AddressLinked(id=EntryId("l2"), at=minute(6), address=EMILY))
        assert [one.customer for one in await store.find_people(words)] == expected

    async def test_the_better_name_and_then_the_latest_customer_come_first(self, store: Store) -> None:
        for record, name, at in ((K1, "Emil", 3), (K2, "Emily Park", 1), (K3, "Emily Stone", 2)):
            await append(
                store, record, received(f"e{record}", at, conversation=f"c{record}"), named(f"x{record}", name, at)
            )
        assert [one.name for one in await store.find_people("emily")] == ["Emily Stone", "Emily Park", "Emil"]
        assert [one.name for one in await store.find_people("emil")] == ["Emil", "Emily Stone", "Emily Park"]
        assert [one.name for one in await store.find_people("emil", limit=1)] == ["Emil"]

    async def test_a_merged_renamed_or_erased_customer_is_found_as_it_is_now(self, store: Store) -> None:
        await some_talk(store)
        await append(store, K1, merged("m1", K2, 7))
        await append(store, K1, named("x9", "Emma Stone", 8))
        assert await store.find_people("박민수") == []
        [found] = await store.find_people("emma")
        assert (found.customer, found.name, found.at) == (K1, "Emma Stone", minute(5))
        assert set(found.media) == {"email", "whatsapp"}
        await store.erase(K1)
        assert await store.find_people("emma") == []
        assert await store.find_people("") == []

    # -- around an entry -----------------------------------------------------------------------------------

    async def test_a_page_around_an_entry(self, store: Store) -> None:
        await append(store, K1, *(received(f"e{n:02}", n) for n in range(20)))
        page = await store.history(K1, around=EntryId("e10"), limit=6)
        assert page is not None
        assert [entry.id for entry in page.entries] == ["e07", "e08", "e09", "e10", "e11", "e12"]
        assert (page.more, page.newer) == (True, True)
        page = await store.history(K1, around=EntryId("e18"), limit=6)
        assert page is not None
        assert [entry.id for entry in page.entries][-1] == "e19"
        assert (page.more, page.newer) == (True, False)
        with pytest.raises(NotFound):
            await store.history(K1, around=EntryId("nothing"))

    async def test_a_page_around_an_entry_of_a_joined_record(self, store: Store) -> None:
        await append(store, K1, *(received(f"a{n}", n * 2) for n in range(5)))
        await append(store, K2, *(received(f"b{n}", n * 2 + 1, conversation="c2") for n in range(5)))
        await append(store, K1, merged("m1", K2, 99))
        page = await store.history(K1, around=EntryId("b2"), limit=4)
        assert page is not None
        assert [entry.id for entry in page.entries] == ["b1", "a2", "b2", "a3"]
