"""What the profile's own patterns find is looked up once, and never kept older than the history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from agentconsole.domain.entries import Received
from agentconsole.domain.facts import Pattern
from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.hub.factbook import FactBook
from agentconsole.ports import History
from agentconsole.store.memory import MemoryStore
from tests.domain import make
from tests.fakes.clock import CountingRandomness, HandClock

RECORD = CustomerId("k1")
PATTERN = Pattern("serial", r"SN\d+")


def wrote(name: str, at: datetime, text: str) -> Received:
    return make.received(name, make.MAIL, make.EMAIL, at, text)


class Slow(MemoryStore):
    """A store in which something happens right after a page was read."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def history(self, customer: CustomerId, *, before: EntryId | None = None, limit: int) -> History | None:
        page = await super().history(customer, before=before, limit=limit)
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            await act()
        return page


async def test_what_comes_in_while_a_history_is_read_is_not_missed() -> None:
    store = Slow(HandClock(make.NOW), CountingRandomness())
    await store.change(RECORD, lambda _snapshot: [wrote("a", make.ago(days=2), "SN1")])
    stranger = make.received("x", make.SMS, make.PHONE, make.ago(days=2), "hello")
    await store.change(CustomerId("k2"), lambda _snapshot: [stranger])
    one, other = await store.customer(RECORD), await store.customer(CustomerId("k2"))
    assert one is not None
    assert other is not None
    book = FactBook(store, [PATTERN])
    await book.of(other)

    async def another() -> None:
        await store.change(RECORD, lambda _snapshot: [wrote("b", make.ago(days=1), "SN2")])
        await book.of(other)  # somebody else's look takes the news first

    store.meanwhile = another
    await book.of(one)
    assert [fact.value for fact in await book.of(one)] == ["SN2"]


async def test_a_mail_that_may_be_somebody_elses_tells_nothing() -> None:
    store = Slow(HandClock(make.NOW), CountingRandomness())
    forged = make.received("b", make.MAIL, make.EMAIL, make.ago(days=1), "SN2", checked=True)
    await store.change(RECORD, lambda _snapshot: [wrote("a", make.ago(days=2), "SN1"), forged])
    one = await store.customer(RECORD)
    assert one is not None
    assert [fact.value for fact in await FactBook(store, [PATTERN]).of(one)] == ["SN1"]
