"""Random histories: both stores answer alike, before and after reopening, and with the index lost."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AddressUnlinked,
    AnyEntry,
    Assigned,
    ConsentChanged,
    PreferenceStated,
    Redacted,
    Suggested,
    SuggestionAnswered,
    Tagged,
)
from agentconsole.domain.history import fold
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Snapshot,
    Trust,
)
from agentconsole.ports import Store
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.memory import MemoryStore
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
from tests.store.answers import answers, differences
from tests.store.places import quick

RECORDS = ("k1", "k2", "k3", "k4")
ADDRESSES = st.sampled_from([EMILY, EMILY_PHONE])
TEXTS = st.sampled_from(["appointment on Friday", "배송 언제 와요", "please call back", "Emily here", ""])
KINDS = (
    *("received", "received", "received", "reply", "reply", "receipt", "receipt", "note", "named", "linked"),
    *("unlinked", "dead", "consent", "preference", "assigned", "status", "tagged", "suggested", "answered"),
    *("merged", "merged", "unmerged"),
    *WORK_KINDS,
)


class Writer:
    """Makes entries that refer to those made before."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.made = 0
        self.replies: list[str] = []
        self.merges: list[str] = []
        self.suggestions: list[str] = []

    def redaction(self) -> AnyEntry:
        self.made += 1
        of = EntryId(f"e{max(self.made - 2, 1)}")
        return Redacted(id=EntryId(f"e{self.made}"), at=minute(13), entry=of, by=AgentName("ana"))

    def one(self, record: str) -> AnyEntry:
        draw = self.draw
        self.made += 1
        name, at = f"e{self.made}", draw(st.integers(0, 12))
        conversation = draw(st.sampled_from([f"{record}-a", f"{record}-b", f"c-{name}"]))
        address, account = draw(ADDRESSES), draw(st.sampled_from([MAIL, CHAT]))
        base = {"id": EntryId(name), "at": minute(at)}
        match draw(st.sampled_from(KINDS)):
            case "received":
                return received(
                    name,
                    at,
                    sender=address,
                    conversation=conversation,
                    text=draw(TEXTS),
                    account=account,
                    medium=draw(st.sampled_from(["email", "whatsapp"])),
                    stored=20 + self.made,
                    external_id=draw(st.sampled_from(["", f"{name}@example.com", "e1@example.com", "e2@agentconsole"])),
                    sender_name=draw(st.sampled_from(["", "Emily", "김하나"])),
                    mentions=draw(st.sampled_from([(), (EMILY_PHONE,), (EMILY, EMILY_PHONE)])),
                    trust=draw(st.sampled_from(list(Trust))),
                    automatic=draw(st.booleans()),
                    past=draw(st.booleans()),
                )
            case "reply":
                self.replies.append(name)
                return reply(name, at, conversation=conversation, account=account, address=address, text=draw(TEXTS))
            case "receipt":
                of = draw(st.sampled_from([*self.replies[-3:], "nothing"]))
                external = draw(st.sampled_from(["", f"SM-{of}"]))
                state, by = draw(st.sampled_from(list(Delivery))), draw(st.sampled_from(["", "ana"]))
                return receipt(name, of, state, at, external_id=external, committed=draw(st.booleans()), by=by)
            case kind if kind in WORK_KINDS:
                of = f"{record}-a" if kind == "joined_to" else f"e{draw(st.integers(max(self.made - 5, 1), self.made))}"
                return work(kind, name, at, conversation, of, draw(st.integers(0, 11)))
            case "note":
                return note(name, at, conversation=conversation, text=draw(TEXTS))
            case "named":
                return named(
                    name, draw(st.sampled_from(["Emily", "Em", "Bob"])), at, by=draw(st.sampled_from(["", "ana"]))
                )
            case "linked":
                return AddressLinked(**base, address=address, trust=draw(st.sampled_from(list(Trust))))
            case "unlinked":
                return AddressUnlinked(**base, address=address, by=AgentName("ana"))
            case "dead":
                return AddressState(**base, address=address, dead=draw(st.sampled_from(["", "bounced"])))
            case "consent":
                return ConsentChanged(**base, medium=Medium("email"), allowed=draw(st.booleans()))
            case "preference":
                return PreferenceStated(**base, medium=Medium(draw(st.sampled_from(["", "email", "sms"]))))
            case "assigned":
                who = AgentName(draw(st.sampled_from(["", "ana", "ben"])))
                return Assigned(**base, conversation=ConversationId(conversation), assignee=who)
            case "status":
                return status(name, draw(st.sampled_from(list(ConversationStatus))), at, conversation=conversation)
            case "tagged":
                return Tagged(**base, conversation=ConversationId(conversation), add=("vip",))
            case "suggested":
                self.suggestions.append(name)
                other = CustomerId(draw(st.sampled_from(RECORDS)))
                return Suggested(**base, other=other, address=address, why="mention", evidence=EntryId("e1"))
            case "answered":
                which = EntryId(draw(st.sampled_from([*self.suggestions[-2:], "nothing"])))
                return SuggestionAnswered(**base, suggestion=which, accepted=draw(st.booleans()), by=AgentName("ana"))
            case "merged":
                self.merges.append(name)
                other = draw(st.sampled_from(RECORDS))
                joins = draw(st.sampled_from([{}, {f"{other}-a": f"{record}-a"}]))
                return merged(name, other, at, joins=joins)
            case _:
                return unmerged(name, draw(st.sampled_from([*self.merges[-3:], "nothing"])), at)


def blank(entry: AnyEntry) -> AnyEntry:
    return msgspec.structs.replace(entry, text="") if hasattr(entry, "text") else entry


def drop(entry: AnyEntry) -> AnyEntry | None:
    return None if int(entry.id[1:]) % 3 == 0 else entry


async def play(store: Store, act: str, record: CustomerId, what: Any) -> Any:
    match act:
        case "seen":
            await store.seen(record, AgentName("ana"), minute(what))
        case "erase":
            return await store.erase(record)
        case "blank" | "drop":
            return await store.rewrite(record, blank if act == "blank" else drop, lambda _: what)
        case _:
            return await store.change(record, lambda _: what)


@st.composite
def histories(draw: Any) -> list[tuple[str, str, tuple[AnyEntry, ...] | int]]:
    """Appends to some records, with repeats of what was appended before, agents reading, and now and then a record
    that is rewritten or a customer who is erased."""
    writer = Writer(draw)
    acts: list[tuple[str, str, tuple[AnyEntry, ...] | int]] = []
    before: list[AnyEntry] = []
    for _ in range(draw(st.integers(1, 14))):
        record = draw(st.sampled_from(RECORDS))
        if draw(st.integers(0, 6)) == 0:
            acts.append(("seen", record, draw(st.integers(0, 12))))
            continue
        if draw(st.integers(0, 8)) == 0:
            acts.append((draw(st.sampled_from(["blank", "drop", "erase"])), record, (writer.redaction(),)))
            continue
        fresh = [writer.one(record) for _ in range(draw(st.integers(1, 4)))]
        if before and draw(st.integers(0, 3)) == 0:
            fresh.append(draw(st.sampled_from(before)))
        before.extend(fresh)
        acts.append(("append", record, tuple(fresh)))
    return acts


@settings(max_examples=35, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_both_stores_answer_alike(acts: list[tuple[str, str, Any]]) -> None:
    with tempfile.TemporaryDirectory(dir=quick()) as folder:
        asyncio.run(_agree(Path(folder) / "store", acts))


def _open(root: Path) -> EmbeddedStore:
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps())


async def _agree(root: Path, acts: list[tuple[str, str, Any]]) -> None:
    entries = {entry.id for act, _, made in acts if act != "seen" for entry in made}
    memory = MemoryStore(SystemClock(), SystemRandomness())
    async with _open(root) as store:
        for act, name, what in acts:
            record = CustomerId(name)
            told = []
            for one in (memory, store):
                start = (await one.changed(None)).revision
                found = await play(one, act, record, what)
                told.append((found, (await one.changed(start)).customers))
            assert told[0] == told[1]
        expected = await answers(memory, RECORDS, entries)
        assert differences(expected, await answers(store, RECORDS, entries)) == {}
    event(f"cared: {sorted({act for act, _, _ in acts} - {'seen', 'append'})}")
    event(f"merged: {sum(1 for r in RECORDS if (p := expected[f'customer {r}']) and len(p.members) > 1)}")
    async with _open(root) as store:
        assert differences(expected, await answers(store, RECORDS, entries)) == {}
        for record in map(CustomerId, RECORDS):
            assert await store.snapshot(record) == (memory._snapshots.get(record) and fold_of(memory, record))
    for name in ("index.sqlite3", "search.sqlite3"):
        (root / name).unlink()
    async with _open(root) as store:
        assert differences(expected, await answers(store, RECORDS, entries)) == {}


def fold_of(memory: MemoryStore, record: CustomerId) -> Snapshot:
    """The snapshot that was carried on from change to change is what all entries add up to."""
    return fold(record, memory._entries[record])
