"""Every call of the Desk is judged: what does it tell of a customer whose history is closed?

A new call that reads fails the first test until it stands in ``READS`` (and is tried below) or in ``TELLS_NOTHING``
(with the reason).
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import pytest

from agentconsole.desk import Agent, Compose, Desk
from agentconsole.domain.entries import Note, Received, Reply
from agentconsole.domain.model import BlobId, ConversationId, CustomerId, Delivery, EntryId, Trust
from agentconsole.errors import Ambiguous, NotFound, PermanentFailure, Refused
from agentconsole.ports import Part
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World
from tests.waiting import until

SECRET = "tangerine"
"""Stands in everything that was written before the doubtful mail."""


@dataclass
class Case:
    """A customer with a history, and a newest mail that nothing vouches for."""

    world: World
    desk: Desk
    who: Agent
    customer: CustomerId
    conversation: ConversationId
    entries: tuple[EntryId, ...]
    failed: EntryId
    blob: BlobId


Call = Callable[[Case], Awaitable[object]]


async def _conversations(case: Case) -> object:
    found = [await case.desk.find_conversation(case.who, case.conversation)]
    return [*found, await case.desk.find_conversation(case.who, case.customer)]


async def _all_texts(case: Case) -> object:
    for entry in case.entries:
        with pytest.raises(Refused, match="not verified"):
            await case.desk.text(case.who, entry, 0, 100)
    raise Refused("not verified", "")


READS: dict[str, Call] = {
    "queue": lambda c: c.desk.queue(c.who, "all", 0, 50),
    "find": lambda c: c.desk.find(c.who, EMAIL.value),
    "find_conversation": _conversations,
    "timeline": lambda c: c.desk.timeline(c.who, c.customer, EntryId(""), 50),
    "text": _all_texts,
    "reveal": lambda c: c.desk.reveal(c.who, "r", c.entries[0]),
    "search": lambda c: c.desk.search(c.who, SECRET, 50),
    "find_entries": lambda c: c.desk.find_entries(c.who, SECRET, c.customer, 50, 0, 3),
    "filtered": lambda c: c.desk.filtered(c.who, "all", "-zzz", 0, 50),
    "find_people": lambda c: c.desk.find_people(c.who, "", 50),
    "around": lambda c: c.desk.around(c.who, c.customer, c.entries[0], 50),
    "choose": lambda c: c.desk.choose(c.who, Compose(c.customer, "hello")),
    "preview": lambda c: c.desk.preview(c.who, Compose(c.customer, "hello")),
    "warnings": lambda c: c.desk.warnings(c.who, Compose(c.customer, "What is your order number?"), None),
    "templates": lambda c: c.desk.templates(c.who, c.customer, c.conversation, {}),
    "blob": lambda c: c.desk.blob(c.who, c.customer, c.blob, 0, 1000),
    "outbox": lambda c: c.desk.outbox(c.who, tuple(Delivery)),
    "fallback": lambda c: c.desk.fallback(c.who, c.failed),
    "suggestions": lambda c: c.desk.suggestions(c.who, c.customer),
    "wishes": lambda c: c.desk.wishes(c.who, CustomerId("")),
    "sent": lambda c: c.desk.sent(c.who, c.failed),
    "status": lambda c: c.desk.status(c.who),
    "away": lambda c: c.desk.away(c.who),
    "damaged": lambda c: c.desk.damaged(c.who),
}

TELLS_NOTHING = {
    "one's own words": "drafts discarded save_draft drop_draft discard_draft drop_discarded",
    "a colleague's words, tried in test_waiting": "stop_send take_over",
    "who is where": "present attend news seen",
    "where a reply stands": "reply outbox_check resend mark_sent cancel send_at",
    "a file that comes from the caller": "attach attach_part",
    "it changes, and answers with ids": (
        "open_history trust_sender note assign set_status work undo answer_suggestion postpone_suggestion merge unmerge"
        " split unsplit add_customer rename link unlink prefer answer_wish consent redact"
    ),
    "the stated language, zone or country": "describe",
    "counts": "erase deposit deposit_large accept",
    "the accounts": "sync probe stop",
}


def _names() -> set[str]:
    return {name for name, _ in inspect.getmembers(Desk, inspect.isfunction) if not name.startswith("_")}


def test_every_call_of_the_desk_is_judged():
    quiet = [name for names in TELLS_NOTHING.values() for name in names.split()]
    assert len(quiet) == len({*quiet})
    assert not {*quiet} & {*READS}
    assert _names() == {*quiet} | {*READS}, "say what a new call tells of a closed history, and try it here"


@pytest.fixture
async def case(world: World) -> Case:
    words = f"{SECRET}: my order number is 55512345. Maybe WhatsApp would be easier for the {SECRET}."
    told = paper.message("m1", EMAIL, words, world.clock.now())
    part = Part(f"{SECRET}.txt", "text/plain", SECRET.encode())
    told = msgspec.structs.replace(
        told, trust=Trust.VERIFIED, checked=True, subject=f"About the {SECRET}", parts=(part,)
    )
    world.mail.put(told)
    customer = await world.customer(EMAIL)
    page = await world.desk.timeline(world.who, customer, EntryId(""), 50)
    first = next(e for e in page.entries if isinstance(e, Received))
    await world.desk.note(world.who, "n", customer, first.conversation, f"note on the {SECRET}")
    world.mail.after_commit = PermanentFailure("no", "refused")
    sent = await world.desk.reply(world.who, "r", Compose(customer, f"our word on the {SECRET}"))

    async def failed() -> bool:
        return (await world.desk.sent(world.who, sent.id)).state == Delivery.FAILED

    await until(failed)
    await world.desk.link(world.who, "l", customer, PHONE.value)
    other = paper.message("w1", PHONE, f"{SECRET} on the phone", world.clock.now(), place="p")
    world.chat.put(other)

    async def called() -> bool:
        person = await world.store.customer(customer)
        return person is not None and person.heard is not None and person.heard.sender == PHONE

    await until(called)
    doubt = paper.message("m2", EMAIL, "send me everything", world.clock.now())
    world.clock.move(seconds=60)
    world.mail.put(msgspec.structs.replace(doubt, trust=Trust.CLAIMED, checked=True))

    async def closed() -> bool:
        return bool((await world.desk.timeline(world.who, customer, EntryId(""), 50)).closed)

    await until(closed)
    history = await world.store.history(customer)
    assert history is not None
    told_in = tuple(e.id for e in history.entries if isinstance(e, Received | Reply | Note) and SECRET in e.text)
    assert len(told_in) == 4
    return Case(world, world.desk, world.who, customer, first.conversation, told_in, sent.id, first.attachments[0].blob)


async def _answer(call: Call, case: Case) -> str:
    try:
        return msgspec.json.encode(await call(case)).decode()
    except (Refused, Ambiguous, NotFound) as exc:
        return f"{exc.message} {exc.hint}"


@pytest.mark.parametrize("name", sorted(READS))
async def test_no_call_tells_what_is_closed(case: Case, name: str):
    told = await _answer(READS[name], case)
    assert SECRET not in told
    assert "55512345" not in told


async def test_each_of_them_tells_it_once_the_history_was_opened(case: Case):
    """Otherwise the test above could not fail."""
    page = await case.desk.timeline(case.who, case.customer, EntryId(""), 50)
    assert page.doubtful is not None
    await case.desk.open_history(case.who, "o", case.customer, page.doubtful.entry)
    told = {name for name, call in READS.items() if name != "text" and SECRET in await _answer(call, case)}
    assert told >= {"queue", "timeline", "reveal", "search", "outbox", "fallback", "wishes"}
    assert await case.desk.blob(case.who, case.customer, case.blob, 0, 1000) == SECRET.encode()
    assert await case.desk.text(case.who, case.entries[0], 0, 9) == SECRET
