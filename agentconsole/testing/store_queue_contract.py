"""What the queue of every store holds beyond who waits: what is snoozed, to be done, put aside, and late."""

from __future__ import annotations

from typing import Final

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import AgentName, ConversationStatus, CustomerId, Priority
from agentconsole.domain.queueing import Cutoff, Filter
from agentconsole.ports import Store, View
from agentconsole.testing.entries import minute, received, status, work

K1, K2, K3, K4 = (CustomerId(f"k{number}") for number in range(1, 5))
ANA: Final = AgentName("ana")


async def append(store: Store, record: CustomerId, *entries: AnyEntry) -> None:
    await store.change(record, lambda _: entries)


class QueueContract:
    async def test_what_is_snoozed_to_be_done_or_put_aside_has_its_views(self, store: Store) -> None:
        await append(store, K1, received("e1", 1), status("s1", ConversationStatus.SNOOZED, 2, until=minute(90)))
        await append(store, K2, received("e2", 2, conversation="c2"), work("set_aside", "x1", 3, "c2", "", 0))
        await append(store, K3, received("e3", 3, conversation="c3"), work("task_set", "t1", 4, "c3", "", 60))
        await append(store, K3, status("s3", ConversationStatus.RESOLVED, 5, conversation="c3"))

        async def shown(view: View) -> list[str]:
            return [line.conversation for line in await store.lines(view, ANA)]

        assert [await shown(view) for view in ("snoozed", "spam", "tasks", "waiting")] == [["c1"], ["c2"], ["c3"], []]
        assert [(line.conversation, line.alarm_at) for line in await store.alarms(9)] == [
            ("c3", minute(60)),
            ("c1", minute(90)),
        ]
        counts = await store.counts(ANA)
        assert (counts.snoozed, counts.spam, counts.tasks, counts.open, counts.mine) == (1, 1, 1, 1, 0)
        await append(store, K3, work("task_due", "d1", 60, "", "t1", 0))
        assert await shown("waiting") == await shown("mine") == ["c3"]
        assert len(await store.alarms(9)) == 1

    async def test_the_late_come_first_then_the_urgent_then_who_waits_longest(self, store: Store) -> None:
        for number, (record, at) in enumerate([(K1, 1), (K2, 2), (K3, 3), (K4, 4)], 1):
            await append(store, record, received(f"e{number}", at, conversation=f"c{number}"))
        await append(store, K3, work("prioritised", "p3", 5, "c3", "", 3))
        await append(store, K4, work("prioritised", "p4", 5, "c4", "", 0))

        async def shown(*late: Cutoff) -> list[str]:
            return [line.conversation for line in await store.lines("waiting", ANA, late=late)]

        assert await shown() == ["c3", "c1", "c2", "c4"]
        late = (Cutoff(minute(9), Priority.LOW), Cutoff(minute(1)))
        assert await shown(*late) == ["c1", "c4", "c3", "c2"]
        assert (await store.counts(ANA, late=late)).late == 2
        pages = [await store.lines("waiting", ANA, offset=at, limit=1, late=late) for at in range(5)]
        assert [line.conversation for page in pages for line in page] == ["c1", "c4", "c3", "c2"]
        assert [line.conversation for line in await store.lines(Filter(late=True), ANA, late=late)] == ["c1", "c4"]
        assert await store.count(Filter(priorities=(Priority.URGENT,)), ANA) == 1
