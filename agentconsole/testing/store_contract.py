"""The contract of ``agentconsole.ports.Store`` as tests. Every implementation passes all of them.

Subclass ``StoreContract`` in a test module, and override the fixture ``store`` with one that yields an open, empty
store. Needs pytest and pytest-asyncio in automatic mode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from agentconsole.domain.entries import (
    AddressLinked,
    AddressUnlinked,
    AnyEntry,
    Assigned,
)
from agentconsole.domain.history import fold
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    Attachment,
    BlobId,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
    Snapshot,
    Trust,
)
from agentconsole.domain.person import combine
from agentconsole.errors import NotFound
from agentconsole.ports import AuditLine, Cursor, RawItem, Revision, SpoolRecord, Store, View
from agentconsole.testing.entries import (
    CHAT,
    EMILY,
    EMILY_PHONE,
    MAIL,
    NOON,
    merged,
    minute,
    named,
    note,
    receipt,
    received,
    reply,
    status,
    unmerged,
)
from agentconsole.testing.store_care_contract import CareContract
from agentconsole.testing.store_find_contract import FindContract
from agentconsole.testing.store_queue_contract import QueueContract

K1, K2, K3 = CustomerId("k1"), CustomerId("k2"), CustomerId("k3")
ANA, BEN = AgentName("ana"), AgentName("ben")


async def append(store: Store, record: CustomerId, *entries: AnyEntry) -> Snapshot:
    return await store.change(record, lambda _: entries)


def ids(entries: Sequence[AnyEntry]) -> list[str]:
    return [entry.id for entry in entries]


def batch(name: str, cursor: str | None = None, account: str = "mail", payload: bytes = b"raw\x00\xff") -> SpoolRecord:
    item = RawItem(identity=f"i-{name}", payload=payload, received_at=NOON, meta={"folder": "INBOX"})
    return SpoolRecord(name, MAIL if account == "mail" else CHAT, "email", (item,), Cursor(cursor) if cursor else None)


def draft(text: str, revision: int, *, agent: str = "ana", conversation: str = "c1") -> Draft:
    return Draft(AgentName(agent), K1, ConversationId(conversation), text, revision, NOON, caret=(0, len(text)))


class StoreContract(CareContract, FindContract, QueueContract):
    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError("override the fixture `store`")

    # -- appending -----------------------------------------------------------------------------------------

    async def test_an_empty_store_knows_nobody(self, store: Store) -> None:
        assert await store.snapshot(K1) is None
        assert await store.customer(K1) is None
        assert await store.history(K1) is None
        assert await store.entry(EntryId("e1")) is None
        assert await store.find(EMILY) is None
        assert await store.lines("all", ANA) == []
        assert await store.search("anything") == []
        assert (await store.health()).customers == 0

    async def test_a_change_creates_the_record_and_returns_what_it_adds_up_to(self, store: Store) -> None:
        entries = (received("e1"), note("e2", 1))
        after = await append(store, K1, *entries)
        assert after == fold(K1, entries)
        assert await store.snapshot(K1) == after
        page = await store.history(K1)
        assert page is not None
        assert page.entries == entries
        assert page.customer == combine(K1, {K1: after})
        assert not page.more

    async def test_decide_sees_the_newest_snapshot(self, store: Store) -> None:
        await append(store, K1, received("e1"))
        counts: list[int] = []

        def decide(snapshot: Snapshot) -> Sequence[AnyEntry]:
            counts.append(snapshot.count)
            return (note(f"n{snapshot.count}"),)

        await asyncio.gather(*(store.change(K1, decide) for _ in range(20)))
        assert counts[-20:] == list(range(1, 21))
        after = await store.snapshot(K1)
        assert after is not None
        assert after.count == 21

    async def test_a_known_entry_is_skipped_wherever_it_lies(self, store: Store) -> None:
        first = await append(store, K1, received("e1"), received("e1", text="again in one batch"))
        assert first.count == 1
        assert (await append(store, K1, received("e1", text="again"))).count == 1
        other = await append(store, K2, received("e1"), note("e2"))
        assert other.count == 1
        assert await store.known([EntryId("e1"), EntryId("e2"), EntryId("e3")]) == {"e1", "e2"}
        found = await store.entry(EntryId("e1"))
        assert found == (K1, received("e1"))

    async def test_what_decide_raises_is_passed_on_and_nothing_is_appended(self, store: Store) -> None:
        await append(store, K1, received("e1"))

        def decide(_: Snapshot) -> Sequence[AnyEntry]:
            raise OSError("not the disk's fault")

        with pytest.raises(OSError, match="not the disk's fault"):
            await store.change(K1, decide)
        with pytest.raises(OSError, match="not the disk's fault"):
            await store.change(K2, decide)
        assert (await append(store, K1)).count == 1
        assert await store.snapshot(K2) is None

    async def test_deciding_nothing_creates_nothing(self, store: Store) -> None:
        assert (await append(store, K1)).count == 0
        assert await store.customer(K1) is None
        assert (await store.changed(None)).revision == (await store.changed(None)).revision

    async def test_a_batch_is_all_or_nothing(self, store: Store) -> None:
        broken = msgspec.structs.replace(note("e2"), at=NOON.replace(tzinfo=None))
        with pytest.raises(ValueError, match="zone"):
            await append(store, K1, received("e1"), broken)
        assert await store.snapshot(K1) is None
        assert await store.known([EntryId("e1")]) == frozenset()

    @pytest.mark.parametrize("record", ["", "../k1", "a/b", "a.b", "k" * 200, "k\x00", "-rf"])
    async def test_an_id_that_could_be_no_file_name_is_refused(self, store: Store, record: str) -> None:
        with pytest.raises(ValueError, match="no customer id"):
            await append(store, CustomerId(record), received("e1"))
        assert await store.customer(CustomerId(record)) is None

    async def test_text_that_is_no_unicode_is_made_whole(self, store: Store) -> None:
        await append(store, K1, received("e1", text="half \ud83d emoji \x00", sender_name="\udfff"))
        found = await store.entry(EntryId("e1"))
        assert found is not None
        assert found[1] == received("e1", text="half \ufffd emoji \x00", sender_name="\ufffd")
        assert [hit.entry for hit in await store.search("emoji")] == ["e1"]

    # -- merging -------------------------------------------------------------------------------------------

    async def test_merged_records_are_one_customer_under_every_id(self, store: Store) -> None:
        one = await append(store, K1, received("e1", conversation="c1", sender_name="Emily"))
        other = await append(store, K2, received("e2", 5, sender=EMILY_PHONE, conversation="c2", medium="whatsapp"))
        one = await append(store, K1, merged("m1", K2, 6, joins={"c2": "c1"}))
        expected = combine(K1, {K1: one, K2: other})
        assert await store.customer(K1) == expected
        assert await store.customer(K2) == expected
        lines = await store.lines("all", ANA)
        assert [(line.customer, line.conversation, line.media) for line in lines] == [(K1, "c1", ("email", "whatsapp"))]
        assert await store.find(EMILY_PHONE) == K2
        page = await store.history(K2)
        assert page is not None
        assert ids(page.entries) == ["e1", "e2", "m1"]

    async def test_unmerge_gives_back_exactly_what_was_there(self, store: Store) -> None:
        await append(store, K1, received("e1"), received("e2", 1, conversation="c9"))
        await append(store, K2, received("e3", 2, sender=EMILY_PHONE, conversation="c2"))
        await append(store, K3, received("e4", 3, sender=EMILY_PHONE, conversation="c3"))
        before = await store.customer(K2), await store.customer(K3)
        await append(store, K1, merged("m1", K2, 4, joins={"c2": "c1"}))
        await append(store, K2, merged("m2", K3, 5))
        joined = await store.customer(K3)
        assert joined is not None
        assert joined.id == K1
        assert joined.members == (K1, K2, K3)
        await append(store, K2, unmerged("u2", "m2", 6))
        await append(store, K1, unmerged("u1", "m1", 7))
        assert await store.customer(K3) == before[1]
        again = await store.customer(K2)
        assert before[0] is not None
        assert again is not None
        assert again.conversations == before[0].conversations
        assert again.addresses == before[0].addresses
        assert {(x.customer, x.conversation) for x in await store.lines("all", ANA)} == {
            (K1, "c1"),
            (K1, "c9"),
            (K2, "c2"),
            (K3, "c3"),
        }

    async def test_an_edge_to_nobody_counts_once_there_is_somebody(self, store: Store) -> None:
        await append(store, K1, received("e1"), merged("m1", K2), merged("m2", K1))
        alone = await store.customer(K1)
        assert alone is not None
        assert alone.members == (K1,)
        await append(store, K2, received("e2", conversation="c2"))
        both = await store.customer(K2)
        assert both is not None
        assert both.members == (K1, K2)

    async def test_records_that_absorb_each_other_still_are_one_customer(self, store: Store) -> None:
        await append(store, K2, received("e1"), merged("m1", K1))
        await append(store, K1, received("e2", conversation="c2"), merged("m2", K2))
        both = await store.customer(K2)
        assert both is not None
        assert both.id == K1
        assert both.members == (K1, K2)

    # -- history -------------------------------------------------------------------------------------------

    async def test_pages_of_the_merged_timeline_join_without_gap_or_repeat(self, store: Store) -> None:
        await append(store, K1, *(note(f"a{n}", n // 3) for n in range(30)))
        await append(store, K2, *(note(f"b{n}", n // 2, conversation="c2") for n in range(20)))
        await append(store, K1, merged("m1", K2, 100))
        whole = await store.history(K1)
        assert whole is not None
        assert len(whole.entries) == 51
        assert [e.at for e in whole.entries] == sorted(e.at for e in whole.entries)
        pages: list[str] = []
        before: EntryId | None = None
        for _ in range(20):
            page = await store.history(K2, before=before, limit=7)
            assert page is not None
            pages = ids(page.entries) + pages
            if not page.more:
                break
            assert len(page.entries) == 7
            before = page.entries[0].id
        assert pages == ids(whole.entries)

    async def test_a_late_message_stands_where_its_time_belongs(self, store: Store) -> None:
        await append(store, K1, note("e1", 1), note("e3", 3))
        await append(store, K1, note("e2", 2))
        page = await store.history(K1)
        assert page is not None
        assert ids(page.entries) == ["e1", "e2", "e3"]
        page = await store.history(K1, before=EntryId("e3"))
        assert page is not None
        assert ids(page.entries) == ["e1", "e2"]

    async def test_before_an_entry_that_nobody_knows_is_an_error(self, store: Store) -> None:
        await append(store, K1, note("e1"))
        with pytest.raises(NotFound):
            await store.history(K1, before=EntryId("never"))

    async def test_a_long_history_pages_as_a_short_one(self, store: Store) -> None:
        for start in range(0, 1500, 300):
            await append(
                store, K1, *(note(f"e{n:04}", n, text=f"line {n} " + "x" * 100) for n in range(start, start + 300))
            )
        newest = await store.history(K1, limit=50)
        assert newest is not None
        assert ids(newest.entries) == [f"e{n:04}" for n in range(1450, 1500)]
        oldest = await store.history(K1, before=EntryId("e0050"), limit=100)
        assert oldest is not None
        assert ids(oldest.entries) == [f"e{n:04}" for n in range(50)]
        assert not oldest.more
        assert await store.entry(EntryId("e0700")) == (K1, note("e0700", 700, text="line 700 " + "x" * 100))
        assert (await append(store, K1, note("e0001"))).count == 1500

    # -- finding -------------------------------------------------------------------------------------------

    async def test_an_address_leads_to_its_surest_and_oldest_holder(self, store: Store) -> None:
        await append(store, K3, received("e1", 0))
        await append(store, K2, received("e2", 1))
        assert await store.find(EMILY) == K3
        await append(store, K1, received("e3", 2, trust=Trust.VERIFIED))
        assert await store.find(EMILY) == K1
        await append(store, K1, AddressUnlinked(id=EntryId("x1"), at=minute(3), address=EMILY, by=ANA))
        assert await store.find(EMILY) == K3
        link = AddressLinked(id=EntryId("x2"), at=minute(4), address=EMILY_PHONE, by=ANA, trust=Trust.VERIFIED)
        await append(store, K2, link)
        assert await store.find(EMILY_PHONE) == K2

    async def test_a_conversation_leads_to_its_record(self, store: Store) -> None:
        await append(store, K1, received("e1", conversation="c1"))
        await append(store, K2, received("e2", conversation="c2"))
        await append(store, K1, merged("m1", K2, joins={"c2": "c1"}))
        assert await store.find_conversation(ConversationId("c2")) == K2
        assert await store.find_conversation(ConversationId("c1")) == K1
        assert await store.find_conversation(ConversationId("c3")) is None

    async def test_a_name_is_found_whatever_its_case_and_width(self, store: Store) -> None:
        await append(store, K1, received("e1", sender_name="Emily Straße"))
        await append(store, K2, received("e2", sender_name="ｅｍｉｌｙ 100%"))
        await append(store, K3, received("e3", sender_name="김하나"))
        assert await store.find_named("EMILY") == [(K2, "ｅｍｉｌｙ 100%"), (K1, "Emily Straße")]
        assert await store.find_named("strasse") == [(K1, "Emily Straße")]
        assert await store.find_named("하나") == [(K3, "김하나")]
        assert await store.find_named("0%") == [(K2, "ｅｍｉｌｙ 100%")]
        assert await store.find_named("emily", limit=1) == [(K2, "ｅｍｉｌｙ 100%")]
        assert await store.find_named("  ") == []
        await append(store, K2, named("n1", "Bob"))
        assert await store.find_named("emily") == [(K1, "Emily Straße")]

    async def test_a_mentioned_address_leads_to_the_newest_text_of_each_record(self, store: Store) -> None:
        await append(
            store, K1, received("e1", 1, mentions=(EMILY_PHONE,)), received("e2", 5, mentions=(EMILY_PHONE, EMILY))
        )
        await append(store, K2, received("e3", 3, mentions=(EMILY_PHONE,)), note("e4", 9))
        assert await store.mentioned(EMILY_PHONE) == [(K1, "e2"), (K2, "e3")]
        assert await store.mentioned(EMILY) == [(K1, "e2")]

    async def test_a_thread_key_leads_to_its_message(self, store: Store) -> None:
        await append(store, K1, received("e1", external_id="<a@example.com>"), reply("r1", 1, key="r1@ours"))
        await append(store, K2, received("e2", external_id="42", sender=EMILY_PHONE, medium="sms", conversation="c2"))
        found = await store.thread(["unknown@x", "r1@ours", "a@example.com"])
        assert found is not None
        assert (found.customer, found.conversation, found.entry, found.ours) == (K1, "c1", "r1", True)
        found = await store.thread(["<a@example.com>"])
        assert found is not None
        assert (found.entry, found.ours) == ("e1", False)
        assert await store.thread(["42"]) is None
        assert await store.thread([]) is None
        assert await store.thread([""]) is None

    async def test_a_message_that_claims_a_known_id_takes_over_no_thread(self, store: Store) -> None:
        await append(store, K1, reply("r1", 5, key="r1@ours"), received("e1", 6, external_id="a@example.com"))
        forged = (
            received("f1", -900, stored=7, external_id="r1@ours", conversation="c2"),
            received("f2", -900, stored=7, external_id="a@example.com", conversation="c2"),
        )
        await append(store, K2, *forged)
        for key, expected in (("r1@ours", "r1"), ("a@example.com", "e1")):
            found = await store.thread([key])
            assert found is not None
            assert found.entry == expected

    async def test_a_reply_is_found_by_our_key_and_by_the_providers_id(self, store: Store) -> None:
        await append(store, K1, reply("r1", key="k-1@ours"), receipt("q1", "r1", Delivery.SENDING, 1, committed=True))
        await append(store, K1, receipt("q2", "r1", Delivery.SENT, 2, external_id="SM1"))
        await append(store, K2, reply("r2", account=CHAT, key="k-2", conversation="c2"))
        assert await store.reply_by(MAIL, key="<k-1@ours>") == "r1"
        assert await store.reply_by(MAIL, external_id="SM1") == "r1"
        assert await store.reply_by(CHAT, external_id="SM1") is None
        assert await store.reply_by(MAIL, key="k-2") is None
        assert await store.reply_by(CHAT, key="k-2", external_id="SM1") == "r2"
        assert await store.reply_by(CHAT) is None

    # -- search --------------------------------------------------------------------------------------------

    async def test_search_covers_what_people_wrote(self, store: Store) -> None:
        file = Attachment("invoice-march.pdf", "application/pdf", 10)
        await append(
            store,
            K1,
            received(
                "e1", 1, subject="Delivery question", text="Where is it?", sender_name="Emily", attachments=(file,)
            ),
            reply("r1", 2, text="It left yesterday", subject="Re: delivery"),
            note("n1", 3, text="Customer is upset about the delivery"),
        )
        await append(store, K2, received("e2", 4, text="배송이 아직 안 왔어요", conversation="c2", sender=EMILY_PHONE))
        assert [hit.entry for hit in await store.search("delivery")] == ["n1", "r1", "e1"]
        assert [hit.entry for hit in await store.search("deliv emily")] == ["e1"]
        assert [hit.entry for hit in await store.search("invoice")] == ["e1"]
        assert [hit.entry for hit in await store.search("delivery", limit=1)] == ["n1"]
        [hit] = await store.search("배송")
        assert (hit.customer, hit.entry, hit.at, hit.medium) == (K2, "e2", minute(4), "email")
        assert "배송" in hit.snippet
        assert await store.search("refund") == []

    @pytest.mark.parametrize(
        "words", ['"', "NOT", "body:* AND (", "*", "a OR b", "'; DROP TABLE docs; --", "\x00", "^", " "]
    )
    async def test_no_words_break_the_search(self, store: Store, words: str) -> None:
        await append(store, K1, received("e1", text="hello there"))
        assert [hit.entry for hit in await store.search(words)] in ([], ["e1"])
        assert [hit.entry for hit in await store.search("hello")] == ["e1"]

    async def test_hits_name_the_merged_customer(self, store: Store) -> None:
        await append(store, K1, received("e1", sender_name="Emily"))
        await append(store, K2, received("e2", 1, text="my parcel is late", conversation="c2", sender=EMILY_PHONE))
        await append(store, K1, merged("m1", K2, 2))
        [hit] = await store.search("parcel")
        assert (hit.customer, hit.name) == (K1, "Emily")

    # -- the queue -----------------------------------------------------------------------------------------

    async def test_views_hold_what_they_say_in_their_order(self, store: Store) -> None:
        await append(store, K1, received("e1", 0, conversation="c1"), received("e2", 9, conversation="c1"))
        await append(store, K2, received("e3", 5, conversation="c2", sender=EMILY_PHONE))
        await append(store, K2, received("e4", 7, conversation="c3", sender=EMILY_PHONE))
        await append(
            store, K2, Assigned(id=EntryId("a1"), at=minute(8), conversation=ConversationId("c3"), assignee=ANA)
        )
        await append(store, K3, received("e5", 6, conversation="c4"))
        await append(store, K3, status("s1", ConversationStatus.RESOLVED, 8, conversation="c4"))

        async def shown(view: View, agent: AgentName = ANA) -> list[str]:
            return [line.conversation for line in await store.lines(view, agent)]

        assert await shown("waiting") == ["c1", "c2", "c3"]
        assert await shown("all") == ["c1", "c3", "c4", "c2"]
        assert await shown("open") == ["c1", "c3", "c2"]
        assert await shown("mine") == ["c3"]
        assert await shown("mine", BEN) == []
        assert await shown("mine", AgentName("")) == []
        assert await shown("unassigned") == ["c1", "c2"]
        assert await shown("resolved") == ["c4"]
        assert [x.conversation for x in await store.lines("all", ANA, offset=1, limit=2)] == ["c3", "c4"]
        counts = await store.counts(ANA)
        assert (counts.waiting, counts.mine, counts.unassigned, counts.open, counts.resolved) == (3, 1, 2, 3, 1)

    async def test_failed_and_uncertain_replies_have_their_views(self, store: Store) -> None:
        await append(store, K1, received("e1"), reply("r1", 1), receipt("q1", "r1", Delivery.FAILED, 2))
        sending = receipt("q2", "r2", Delivery.SENDING, 2, committed=True)
        await append(store, K2, reply("r2", 1, conversation="c2"), sending, receipt("q3", "r2", Delivery.UNCERTAIN, 3))
        assert [x.conversation for x in await store.lines("failed", ANA)] == ["c1"]
        assert [x.conversation for x in await store.lines("uncertain", ANA)] == ["c2"]
        counts = await store.counts(ANA)
        assert (counts.failed, counts.uncertain) == (1, 1)

    async def test_unread_is_each_agents_own(self, store: Store) -> None:
        await append(store, K1, received("e1", 1))
        await append(store, K2, received("e2", 2, conversation="c2"))

        async def unread(agent: AgentName) -> set[str]:
            return {line.conversation for line in await store.lines("all", agent) if line.unread}

        await store.seen(K1, ANA, minute(1))
        await store.seen(CustomerId("nobody"), ANA, minute(1))
        assert await unread(ANA) == {"c2"}
        assert await unread(BEN) == {"c1", "c2"}
        await store.seen(K1, ANA, minute(-5))
        assert await unread(ANA) == {"c2"}
        await append(store, K1, received("e3", 3))
        assert await unread(ANA) == {"c1", "c2"}
        await append(store, K1, merged("m1", K2, 4, joins={"c2": "c1"}))
        await store.seen(K2, ANA, minute(10))
        assert await unread(ANA) == set()
        await append(store, K1, unmerged("u1", "m1", 5))
        assert await unread(ANA) == set()

    async def test_replies_by_state_longest_waiting_first(self, store: Store) -> None:
        await append(store, K1, received("e1", sender_name="Emily"), reply("r1", 5))
        await append(store, K2, reply("r2", 3, conversation="c2"), reply("r3", 4, conversation="c2"))
        await append(store, K2, receipt("q1", "r3", Delivery.SENDING, 6))
        due = await store.replies([Delivery.QUEUED, Delivery.SENDING])
        assert [(d.customer, d.record.reply, d.record.state) for d in due] == [
            (K2, "r2", Delivery.QUEUED),
            (K2, "r3", Delivery.SENDING),
            (K1, "r1", Delivery.QUEUED),
        ]
        assert due[-1].name == "Emily"
        assert [d.record.reply for d in await store.replies([Delivery.QUEUED], limit=1)] == ["r2"]
        assert [d.record.reply for d in await store.replies([Delivery.QUEUED], limit=None)] == ["r2", "r1"]
        assert await store.replies([]) == []
        assert await store.replies([Delivery.UNCERTAIN]) == []

    async def test_replies_of_one_account_are_not_hidden_behind_anothers(self, store: Store) -> None:
        other = AccountName("wa")
        await append(store, K1, reply("r1", 1), reply("r2", 2), reply("r3", 3, account=other))
        await append(store, K2, reply("r4", 4, conversation="c2", account=other))
        due = await store.replies([Delivery.QUEUED], account=other, limit=1)
        assert [d.record.reply for d in due] == ["r3"]
        assert [d.record.reply for d in await store.replies([Delivery.QUEUED], account=other)] == ["r3", "r4"]
        assert await store.replies([Delivery.QUEUED], account=AccountName("gone")) == []

    # -- news ----------------------------------------------------------------------------------------------

    async def test_changes_since_a_revision_name_everybody_concerned(self, store: Store) -> None:
        start = (await store.changed(None)).revision
        assert (await store.changed(None)).customers is None
        assert (await store.changed(start)).customers == ()
        await append(store, K2, received("e1"))
        await append(store, K1, received("e2", conversation="c2"))
        middle = await store.changed(start)
        assert middle.customers == (K1, K2)
        assert middle.revision > start
        await append(store, K1, merged("m1", K2))
        assert (await store.changed(middle.revision)).customers == (K1, K2)
        await append(store, K2, note("n1"))
        assert (await store.changed(middle.revision)).customers == (K1, K2)
        assert (await store.changed(Revision("another", 0))).customers is None
        assert (await store.changed(Revision(start.epoch, 1_000_000))).customers is None
        page = await store.history(K1)
        assert page is not None
        assert page.revision == (await store.changed(None)).revision

    async def test_a_skipped_repeat_is_no_change(self, store: Store) -> None:
        await append(store, K1, received("e1"))
        start = (await store.changed(None)).revision
        await append(store, K1, received("e1"))
        assert (await store.changed(start)).customers == ()

    async def test_waiting_ends_with_the_change(self, store: Store) -> None:
        start = (await store.changed(None)).revision
        waiting = asyncio.ensure_future(store.wait_changed(start, 20.0))
        await asyncio.sleep(0)
        assert not waiting.done()
        await append(store, K1, received("e1"))
        changes = await asyncio.wait_for(waiting, 10)
        assert changes.customers == (K1,)
        assert (await store.wait_changed(start, 20.0)).customers == (K1,)

    async def test_waiting_ends_at_the_deadline(self, store: Store) -> None:
        start = (await store.changed(None)).revision
        changes = await asyncio.wait_for(store.wait_changed(start, 0.01), 10)
        assert changes.customers == ()
        assert changes.revision == start

    # -- spool ---------------------------------------------------------------------------------------------

    async def test_batches_wait_in_order_and_leave_when_done(self, store: Store) -> None:
        assert await store.cursor(MAIL) is None
        for name, cursor in (("zz", "1"), ("b/../b", "2"), ("a", None)):
            await store.spool(batch(name, cursor))
        await store.spool(batch("zz", "1"))
        assert await store.spooled() == ["zz", "b/../b", "a"]
        assert await store.spool_record("b/../b") == batch("b/../b", "2")
        assert await store.cursor(MAIL) == Cursor("2")
        assert await store.cursor(CHAT) is None
        await store.spool_done("zz")
        await store.spool_done("zz")
        assert await store.spooled() == ["b/../b", "a"]
        with pytest.raises(NotFound):
            await store.spool_record("zz")
        for name in ("b/../b", "a"):
            await store.spool_done(name)
        assert await store.spooled() == []
        assert await store.cursor(MAIL) == Cursor("2")

    async def test_the_cursor_never_goes_back(self, store: Store) -> None:
        await store.spool(batch("one", "1"))
        await store.spool(batch("two", "2"))
        await store.spool_done("two")
        await store.spool_done("one")
        assert await store.cursor(MAIL) == Cursor("2")
        await store.spool(batch("three", "3", account="chat"))
        assert await store.cursor(MAIL) == Cursor("2")
        assert await store.cursor(CHAT) == Cursor("3")

    async def test_a_batch_set_aside_blocks_nothing_and_can_be_tried_again(self, store: Store) -> None:
        await store.spool(batch("one", "1"))
        await store.spool(batch("two", "2"))
        await store.spool_set_aside("one", "the customer's file is damaged")
        await store.spool_set_aside("one", "again")
        assert await store.spooled() == ["two"]
        assert await store.spool_record("one") == batch("one", "1")
        await store.spool(batch("one", "1"))
        assert await store.spooled() == ["two"]
        await store.spool_set_aside("two", "and this one too")
        assert await store.spool_aside() == ["one", "two"]
        assert (await store.health()).set_aside == 2
        assert await store.cursor(MAIL) == Cursor("2")
        await store.spool_done("one")
        assert await store.spool_aside() == ["two"]
        assert (await store.health()).set_aside == 1
        with pytest.raises(NotFound):
            await store.spool_record("one")
        with pytest.raises(NotFound):
            await store.spool_set_aside("never", "why")

    # -- drafts, blobs, audit ------------------------------------------------------------------------------

    async def test_the_newest_revision_of_a_draft_is_kept(self, store: Store) -> None:
        assert await store.save_draft(draft("Dear Em", 2))
        assert await store.save_draft(draft("Dear Emily", 3))
        assert not await store.save_draft(draft("Dear", 1))
        assert await store.drafts(ANA) == [draft("Dear Emily", 3)]
        await store.drop_draft(ANA, ConversationId("c1"), 2, False)
        assert await store.drafts(ANA) == [draft("Dear Emily", 3)]
        await store.drop_draft(ANA, ConversationId("c1"), 3, False)
        await store.drop_draft(ANA, ConversationId("c1"), 3, False)
        assert await store.drafts(ANA) == []

    async def test_a_note_and_a_reply_are_drafts_of_their_own(self, store: Store) -> None:
        reply = draft("Dear Emily", 1)
        note = msgspec.structs.replace(draft("call her back", 7), note=True)
        assert await store.save_draft(reply)
        assert await store.save_draft(note)
        assert await store.drafts(ANA) == [reply, note]
        await store.drop_draft(ANA, ConversationId("c1"), 7, True)
        assert await store.drafts(ANA) == [reply]

    async def test_drafts_that_were_thrown_away_are_kept_apart_until_they_are_old(self, store: Store) -> None:
        def thrown(text: str, revision: int, days: int, **changes: str) -> Draft:
            gone = NOON - timedelta(days=days)
            return msgspec.structs.replace(draft(text, revision, **changes), discarded_at=gone)

        old, new = thrown("Dear Em", 4, 31), thrown("Dear Emily", 9, 1)
        note = msgspec.structs.replace(thrown("call", 9, 2), note=True)
        theirs = thrown("Hi", 1, 40, agent="ben")
        for one in (old, new, note, theirs, new):
            await store.discard_draft(one)
        assert await store.save_draft(draft("Dear Em and Al", 2))
        assert await store.drafts(ANA) == [draft("Dear Em and Al", 2)]
        assert await store.discarded(ANA) == [new, note, old]
        assert await store.prune_discarded(NOON - timedelta(days=30)) == 2
        assert await store.discarded(BEN) == []
        await store.drop_discarded(note)
        await store.drop_discarded(note)
        assert await store.discarded(ANA) == [new]
        assert await store.drafts(ANA) == [draft("Dear Em and Al", 2)]

    async def test_drafts_are_kept_apart_whatever_their_names(self, store: Store) -> None:
        names = ["..", "../../etc", "a/b", "a%2Fb", "c" * 300, "A", "a", "김", "~x", "nul\x00", ""]
        for name in names:
            assert await store.save_draft(draft(f"in {name}", 1, conversation=name))
            assert await store.save_draft(draft(f"by {name}", 1, agent=f"agent {name}"))
        found = await store.drafts(ANA)
        assert [d.conversation for d in found] == sorted(names)
        assert all(d.text == f"in {d.conversation}" for d in found)
        for name in names:
            [one] = await store.drafts(AgentName(f"agent {name}"))
            assert one.text == f"by {name}"
        assert await store.drafts(BEN) == []

    async def test_a_blob_is_kept_once_and_found_through_the_merged_customer(self, store: Store) -> None:
        data = bytes(range(256)) * 100
        blob = await store.put_blob(K2, data)
        assert await store.put_blob(K2, data) == blob
        assert await store.blob(K2, blob) == data
        with pytest.raises(NotFound):
            await store.blob(K1, blob)
        await append(store, K1, received("e1"), merged("m1", K2))
        await append(store, K2, received("e2", conversation="c2"))
        assert await store.blob(K1, blob) == data
        assert await store.blob(K1, await store.put_blob(K1, b"")) == b""
        for name in ("", "../../hub.lock", "0" * 64):
            with pytest.raises(NotFound):
                await store.blob(K2, BlobId(name))

    async def test_the_audit_trail_is_read_newest_first(self, store: Store) -> None:
        lines = [AuditLine(minute(n * 60 * 24 * 20), ANA, True, f"act {n}\n", K1) for n in range(5)]
        for line in lines:
            await store.audit(line)
        assert await store.audited() == lines[::-1]
        assert await store.audited(limit=2) == lines[:2:-1]

    async def test_a_secret_is_made_once_and_is_nobody_elses(self, store: Store) -> None:
        first = await store.secret("thread")
        assert len(first) >= 40
        assert await store.secret("thread") == first
        assert await store.secret("another") != first

    async def test_health_counts(self, store: Store) -> None:
        await append(store, K1, received("e1"), note("n1"))
        await append(store, K2, received("e2", conversation="c2"))
        await append(store, K1, merged("m1", K2))
        await store.search("settled")
        health = await store.health()
        assert (health.customers, health.entries, health.index_behind, health.read_only) == (1, 4, 0, ())
