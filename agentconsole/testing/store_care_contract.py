"""The contract of the Store's verbs of care as tests: ``StoreContract`` inherits all of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from agentconsole.domain.entries import (
    AnyEntry,
    ConsentChanged,
    Redacted,
    Suggested,
    SuggestionAnswered,
)
from agentconsole.domain.history import fold
from agentconsole.domain.model import (
    AgentName,
    Attachment,
    BlobId,
    ConversationId,
    CustomerId,
    Draft,
    EntryId,
    Medium,
    Snapshot,
)
from agentconsole.errors import NotFound
from agentconsole.ports import AuditLine, Erased, Store
from agentconsole.testing.entries import (
    EMILY,
    EMILY_PHONE,
    NOON,
    merged,
    minute,
    named,
    note,
    received,
    reply,
    unmerged,
)

K1, K2, K3 = CustomerId("k1"), CustomerId("k2"), CustomerId("k3")
ANA, BEN = AgentName("ana"), AgentName("ben")


async def append(store: Store, record: CustomerId, *entries: AnyEntry) -> Snapshot:
    return await store.change(record, lambda _: entries)


def emptied(entry: AnyEntry) -> AnyEntry:
    """Take out what messages and notes say."""
    return msgspec.structs.replace(entry, text="") if hasattr(entry, "text") else entry


def suggested(name: str, other: CustomerId, at: float = 0) -> Suggested:
    return Suggested(id=EntryId(name), at=minute(at), other=other, address=EMILY, why="mention", evidence=EntryId("e1"))


def redacted(name: str, entry: str, at: float = 0) -> Redacted:
    return Redacted(id=EntryId(name), at=minute(at), entry=EntryId(entry), by=ANA, why="asked for")


class CareContract:
    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError("override the fixture `store`")

    # -- rewriting -----------------------------------------------------------------------------------------

    async def test_a_rewritten_record_says_only_what_is_left(self, store: Store) -> None:
        before = (received("e1", text="my secret appointment", sender_name="Emily"), note("n1", 1, text="secret too"))
        await append(store, K1, *before)
        await append(store, K2, received("e2", conversation="c2", text="appointment"))
        assert {hit.entry for hit in await store.search("secret")} == {"e1", "n1"}
        start = (await store.changed(None)).revision
        mark = redacted("x1", "e1", 2)
        after = await store.rewrite(K1, emptied, lambda _: (mark,))
        left = (*(emptied(entry) for entry in before), mark)
        assert after == fold(K1, left)
        assert await store.snapshot(K1) == after
        page = await store.history(K1)
        assert page is not None
        assert page.entries == left
        assert await store.entry(EntryId("e1")) == (K1, left[0])
        assert await store.search("secret") == []
        assert [hit.entry for hit in await store.search("emily")] == ["e1"]
        assert [hit.entry for hit in await store.search("appointment")] == ["e2"]
        assert [line.preview for line in await store.lines("all", ANA) if line.customer == K1] == [""]
        assert (await store.changed(start)).customers == (K1,)
        again = await store.rewrite(K1, emptied, lambda _: (mark,))
        assert again == after
        assert (await append(store, K1, note("n2", 3))).count == 4

    async def test_what_is_rewritten_to_nothing_goes(self, store: Store) -> None:
        await append(store, K1, received("e1"), *(note(f"n{n}", n) for n in range(1, 6)), reply("r1", 7))
        drop = ("n2", "r1")
        after = await store.rewrite(K1, lambda e: None if e.id in drop else e, lambda _: ())
        assert after.count == 5
        assert after.deliveries == {}
        assert await store.entry(EntryId("n2")) is None
        assert await store.known([EntryId("n2"), EntryId("n3")]) == {"n3"}
        assert await store.reply_by(reply("r1").account, key="r1@agentconsole") is None
        page = await store.history(K1)
        assert page is not None
        assert [entry.id for entry in page.entries] == ["e1", "n1", "n3", "n4", "n5"]
        assert (await append(store, K1, note("n2", 9))).count == 6
        assert [e.id for e in (await self.timeline(store, K1, before="n2"))] == ["e1", "n1", "n3", "n4", "n5"]

    async def timeline(self, store: Store, record: CustomerId, before: str) -> Sequence[AnyEntry]:
        page = await store.history(record, before=EntryId(before))
        assert page is not None
        return page.entries

    async def test_decide_sees_what_is_left_and_may_refuse(self, store: Store) -> None:
        await append(store, K1, received("e1"), named("nm", "Emily"))
        start = await store.snapshot(K1), (await store.changed(None)).revision

        def refuse(snapshot: Snapshot) -> Sequence[AnyEntry]:
            assert snapshot.name == ""
            raise OSError("not the disk's fault")

        with pytest.raises(OSError, match="not the disk's fault"):
            await store.rewrite(K1, lambda e: None if e.id == "nm" else e, refuse)
        with pytest.raises(ValueError, match="cannot become"):
            await store.rewrite(K1, lambda e: msgspec.structs.replace(e, id="other"), lambda _: ())
        with pytest.raises(ValueError, match="zone"):
            await store.rewrite(K1, lambda e: msgspec.structs.replace(e, at=NOON.replace(tzinfo=None)), lambda _: ())
        assert (await store.snapshot(K1), (await store.changed(None)).revision) == start
        assert (await append(store, K1, note("n1", 1))).count == 3

    async def test_files_that_nothing_names_any_more_go(self, store: Store) -> None:
        one, two, three, other = [await store.put_blob(K1, data) for data in (b"one", b"two", b"three", b"other")]
        attached = tuple(Attachment(f"{n}.txt", "text/plain", 3, blob) for n, blob in enumerate((one, two)))
        mail = msgspec.structs.replace(received("e1", attachments=attached), raw=three)
        await append(store, K1, mail)
        draft = Draft(ANA, K1, ConversationId("c1"), "see this", 1, NOON, attachments=attached[1:])
        await store.save_draft(draft)
        await store.rewrite(K1, lambda e: msgspec.structs.replace(e, attachments=(), raw=BlobId("")), lambda _: ())
        for blob in (one, three):
            with pytest.raises(NotFound):
                await store.blob(K1, blob)
        assert await store.blob(K1, two) == b"two"
        assert await store.blob(K1, other) == b"other", "a file that is not named yet may be in the making"

    async def test_rewriting_nobody_is_a_change(self, store: Store) -> None:
        assert (await store.rewrite(K1, emptied, lambda _: ())).count == 0
        assert await store.customer(K1) is None
        assert (await store.rewrite(K1, emptied, lambda _: (note("n1"),))).count == 1
        assert await store.known([EntryId("n1")]) == {"n1"}

    async def test_one_of_several_records_is_rewritten_alone(self, store: Store) -> None:
        await append(store, K1, received("e1", text="one"), named("nm", "Emily"))
        await append(store, K2, received("e2", 1, sender=EMILY_PHONE, conversation="c2", text="two"))
        await append(store, K1, merged("m1", K2, 2, joins={"c2": "c1"}))
        await store.rewrite(K2, emptied, lambda _: ())
        person = await store.customer(K2)
        assert person is not None
        assert (person.id, person.members, person.name) == (K1, (K1, K2), "Emily")
        texts = [getattr(entry, "text", None) for entry in await self.all_of(store, K1)]
        assert texts == ["one", None, "", None]

    async def all_of(self, store: Store, record: CustomerId) -> Sequence[AnyEntry]:
        page = await store.history(record)
        assert page is not None
        return sorted(page.entries, key=lambda entry: entry.at)

    # -- erasing -------------------------------------------------------------------------------------------

    async def erased(self, store: Store) -> Erased:
        """Fill a store with three people of whom two are one, and erase that one."""
        await append(store, K1, received("e1", text="my secret", sender_name="Emily"), reply("r1", 1))
        await append(store, K2, received("e2", 2, sender=EMILY_PHONE, conversation="c2", text="secret too"))
        await append(store, K1, merged("m1", K2, 3))
        other = received("e3", 4, sender=msgspec.structs.replace(EMILY, value="bob@example.com"), conversation="c3")
        answer = SuggestionAnswered(id=EntryId("a1"), at=minute(6), suggestion=EntryId("s1"), accepted=False, by=BEN)
        await append(store, K3, other, suggested("s1", K1, 5), answer, suggested("s2", K2, 6))
        await append(store, K3, merged("m3", K1, 7), unmerged("u3", "m3", 8), note("n3", 9, conversation="c3"))
        await store.put_blob(K2, b"secret file")
        for agent, conversation in ((ANA, "c1"), (BEN, "c2"), (BEN, "c3")):
            customer = K3 if conversation == "c3" else K1
            await store.save_draft(Draft(agent, customer, ConversationId(conversation), "dear", 1, NOON))
            await store.discard_draft(Draft(agent, customer, ConversationId(conversation), "gone", 2, NOON))
        await store.seen(K1, ANA, minute(9))
        await store.audit(AuditLine(NOON, ANA, True, "assign", K1, "secret"))
        await store.audit(AuditLine(minute(1), BEN, True, "note", K3, "about a bill"))
        return await store.erase(K2)

    async def test_an_erased_customer_is_known_to_nobody(self, store: Store) -> None:
        assert await self.erased(store) == Erased(entries=4, blobs=1, drafts=4)
        for record in (K1, K2):
            assert await store.customer(record) is None
            assert await store.snapshot(record) is None
            assert await store.history(record) is None
        assert await store.entry(EntryId("e1")) is None
        assert await store.find(EMILY) is None
        assert await store.find_conversation(ConversationId("c2")) is None
        assert await store.thread(["r1@agentconsole"]) is None
        assert await store.reply_by(reply("r1").account, key="r1@agentconsole") is None
        assert await store.search("secret") == []
        assert await store.find_named("emily") == []
        assert [line.customer for line in await store.lines("all", ANA)] == [K3]
        assert (await store.counts(ANA)).waiting == 1
        assert await store.replies(["queued", "sending", "sent"]) == []  # type: ignore[list-item]
        health = await store.health()
        assert (health.customers, health.entries) == (1, 2)

    async def test_what_others_say_of_who_was_erased_goes_too(self, store: Store) -> None:
        await self.erased(store)
        page = await store.history(K3)
        assert page is not None
        assert [entry.id for entry in page.entries] == ["e3", "n3"]
        assert page.customer.suggestions == ()
        for kept in (await store.drafts(BEN), await store.discarded(BEN)):
            assert [draft.conversation for draft in kept] == ["c3"]
        assert await store.discarded(ANA) == []
        assert await store.drafts(ANA) == []
        lines = await store.audited()
        assert lines == [
            AuditLine(minute(1), BEN, True, "note", K3, "about a bill"),
            AuditLine(NOON, ANA, True, "assign"),
        ]

    async def test_what_was_erased_is_never_filed_again(self, store: Store) -> None:
        await self.erased(store)
        assert await store.known([EntryId("e1"), EntryId("r1"), EntryId("e9")]) == {"e1", "r1"}
        assert (await append(store, CustomerId("k9"), received("e1", text="my secret"))).count == 0
        assert await store.customer(CustomerId("k9")) is None
        assert (await append(store, K1, received("e1"), received("e9", 20))).count == 1
        assert await store.find(EMILY) == K1
        assert [e.id for e in await self.all_of(store, K1)] == ["e9"]
        assert (await store.rewrite(K1, emptied, lambda _: (received("e2", 21),))).count == 1

    async def test_an_erasure_is_told_as_ask_again_for_all(self, store: Store) -> None:
        await append(store, K1, received("e1"))
        start = (await store.changed(None)).revision
        await store.erase(K1)
        told = await store.changed(start)
        assert told.customers is None
        assert (await store.changed(told.revision)).customers == ()
        await append(store, K2, received("e2"))
        assert (await store.changed(told.revision)).customers == (K2,)

    async def test_erasing_twice_or_nobody_is_harmless(self, store: Store) -> None:
        assert await store.erase(K1) == Erased()
        await self.erased(store)
        before = await store.audited(), await store.customer(K3), (await store.changed(None)).revision
        assert await store.erase(K1) == Erased()
        assert await store.erase(CustomerId("../k1")) == Erased()
        assert (await store.audited(), await store.customer(K3), (await store.changed(None)).revision) == before

    async def test_everybody_may_be_erased(self, store: Store) -> None:
        for number in range(4):
            stop = ConsentChanged(id=EntryId(f"s{number}"), at=NOON, medium=Medium("email"), words="stop")
            await append(store, CustomerId(f"p{number}"), received(f"e{number}", conversation=f"c{number}"), stop)
        for number in range(4):
            assert (await store.erase(CustomerId(f"p{number}"))).entries == 2
        assert (await store.health()).entries == 0
        assert await store.lines("all", ANA) == []
        assert (await append(store, K1, received("new"))).count == 1

    # -- damage and origin ---------------------------------------------------------------------------------

    async def test_only_what_is_damaged_can_be_accepted(self, store: Store) -> None:
        await append(store, K1, received("e1"))
        assert list(await store.damaged()) == []
        for record in (K1, K2):
            with pytest.raises(NotFound):
                await store.accept(record, previous=False, decide=lambda _: (note("n1"),))
        assert await store.known([EntryId("n1")]) == frozenset()

    async def test_a_store_in_its_place_is_nothing_old(self, store: Store) -> None:
        assert await store.origin() == ""
        await store.adopt()
        assert await store.origin() == ""
