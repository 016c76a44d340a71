"""``store prune`` takes what nobody needs, and no message that could not be filed yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agentconsole.seams import Steps
from agentconsole.store.care.prune import prune, removable
from tests.care.places import acting, filled
from tests.folders import quick_folder
from tests.store.killed import batch


def test_of_the_batches_that_were_set_aside_only_damaged_ones_go(monkeypatch):
    with quick_folder("acp-") as folder:
        store = filled(folder, monkeypatch)

        async def more(found) -> None:
            for name in ("b7", "b8"):
                await found.spool(batch(name, name))
                await found.spool_set_aside(name, "their customer is damaged")

        acting(store, more)
        (damaged,) = store.glob("spool/aside/*-b8.batch")
        damaged.write_bytes(damaged.read_bytes()[:-9])
        whole = list(store.glob("spool/aside/*-b7.*"))
        found = removable(store, timedelta(0), datetime.now(UTC) + timedelta(days=1))
        assert {one.path for one in found} == {str(damaged), str(damaged.with_suffix(".why"))}
        prune(store, found, Steps())
        assert all(path.exists() for path in whole)
        assert len(whole) == 2
