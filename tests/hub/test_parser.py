"""The parse worker: what befalls it is not blamed on a message without need."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from agentconsole.errors import TryLater
from agentconsole.hub import parser
from agentconsole.hub.parser import Unreadable, WorkerParser
from agentconsole.ports import Inbound, RawItem
from tests.waiting import DEADLINE

LOG = logging.getLogger("test.parser")
ITEM = RawItem("i", b"From: emily@example.com\r\nMessage-ID: <x@y>\r\n\r\nhi\r\n", datetime(2026, 3, 4, tzinfo=UTC))


class Workers:
    """Counts the workers that start, and does something to each of the first ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *signals: int) -> None:
        self.started = 0
        self.fault: OSError | None = None
        start = asyncio.create_subprocess_exec

        async def counted(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
            self.started += 1
            if self.fault is not None:
                raise self.fault
            return await start(*arguments, **options)

        monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
        ask = parser._ask

        async def asked(worker: asyncio.subprocess.Process, kind: str, item: RawItem) -> Any:
            if self.started <= len(signals):
                os.kill(worker.pid, signals[self.started - 1])
            return await ask(worker, kind, item)

        monkeypatch.setattr(parser, "_ask", asked)


@pytest.fixture
async def worker() -> AsyncIterator[WorkerParser]:
    found = WorkerParser(LOG, deadline=DEADLINE)
    yield found
    await found.aclose()


async def test_one_worker_reads_item_after_item(worker: WorkerParser, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(monkeypatch)
    for _ in range(3):
        [found] = await worker.parse("email", ITEM)
        assert isinstance(found, Inbound)
    with pytest.raises(Unreadable, match="empty"):
        await worker.parse("email", RawItem("e", b"", ITEM.received_at))
    assert workers.started == 1


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_item_is_tried_on_a_second_worker(
    worker: WorkerParser, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    workers = Workers(monkeypatch, sent)
    ask, worker._deadline = parser._ask, 0.3

    async def patient_from_now_on(*args: Any) -> Any:
        worker._deadline = DEADLINE
        return await ask(*args)

    monkeypatch.setattr(parser, "_ask", patient_from_now_on)
    [found] = await worker.parse("email", ITEM)
    assert isinstance(found, Inbound)
    assert workers.started == 2


async def test_a_worker_killed_between_two_items_costs_neither(worker: WorkerParser) -> None:
    await worker.parse("email", ITEM)
    assert worker._process is not None
    os.kill(worker._process.pid, signal.SIGKILL)
    [found] = await worker.parse("email", ITEM)
    assert isinstance(found, Inbound)


@pytest.mark.parametrize(
    ("sent", "reason"), [(signal.SIGKILL, "too much for the parser"), (signal.SIGSTOP, "longer than 0 s")]
)
async def test_an_item_that_costs_two_workers_is_unreadable_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, reason: str
) -> None:
    workers = Workers(monkeypatch, sent, sent)
    worker = WorkerParser(LOG, deadline=0.3)
    try:
        with pytest.raises(Unreadable, match=reason):
            await worker.parse("email", ITEM)
        assert workers.started == 2
        worker._deadline = 10.0
        assert await worker.parse("email", ITEM)
    finally:
        await worker.aclose()


async def test_a_worker_that_cannot_start_says_nothing_about_the_item(
    worker: WorkerParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = Workers(monkeypatch)
    workers.fault = OSError(24, "Too many open files")
    with pytest.raises(TryLater, match="Too many open files"):
        await worker.parse("email", ITEM)
    workers.fault = None
    assert await worker.parse("email", ITEM)


async def test_starting_does_not_count_towards_the_deadline_and_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = WorkerParser(LOG, deadline=10.0)
    try:
        monkeypatch.setattr(parser, "START_DEADLINE", 0.001)
        with pytest.raises(TryLater, match="TimeoutError"):
            await worker.parse("email", ITEM)
        monkeypatch.setattr(parser, "START_DEADLINE", 60.0)
        assert await worker.parse("email", ITEM)
    finally:
        await worker.aclose()
