"""What the tests of the chat channels share: tools to lend, a commit that counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from agentconsole.channels.http import Client
from agentconsole.domain.model import Address, EntryId
from agentconsole.errors import Withdrawn
from agentconsole.ports import Channel, Outgoing, Secret, Tools
from agentconsole.seams import SystemClock, SystemRandomness


class HeldClock(SystemClock):
    """Real delays, a date that the test moves; sleeps are remembered and cut short."""

    def __init__(self, now: datetime = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)) -> None:
        self.date = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.date

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@contextmanager
def lent(clock: SystemClock | None = None, since: datetime | None = None) -> Iterator[Tools]:
    with ThreadPoolExecutor(1) as worker:
        yield Tools(
            log=logging.getLogger("test"),
            http=Client,
            clock=clock or SystemClock(),
            random=SystemRandomness(),
            worker=worker,
            since=since,
        )


@asynccontextmanager
async def opened(make: Callable[[Tools], Channel], **how: object) -> AsyncIterator[Channel]:
    with lent(**how) as tools:  # type: ignore[arg-type]
        channel = make(tools)
        try:
            yield channel
        finally:
            await channel.aclose()


class Commits:
    """Counts how often it was awaited, and what had left by then."""

    def __init__(self, left: Callable[[], int] = lambda: 0, *, withdraw: bool = False) -> None:
        self.count = 0
        self.left_before: list[int] = []
        self._left = left
        self._withdraw = withdraw

    async def __call__(self) -> None:
        self.count += 1
        self.left_before.append(self._left())
        if self._withdraw:
            raise Withdrawn("opted_out")


def outgoing(address: Address, text: str = "Good morning", *, key: str = "key-1", place: str = "") -> Outgoing:
    return Outgoing(reply=EntryId("e1"), key=key, attempt=1, address=address, text=text, place=place)


def secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> Secret:
    monkeypatch.setenv(name, value)
    return Secret("env", name)


def answering(tools: Tools, status: int, body: str, headers: dict[str, str] | None = None) -> Tools:
    """Return tools whose HTTP client gets the same answer to everything."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=body, headers=headers)

    def lend(base_url: str, **_how: Any) -> Client:
        return Client(base_url, transport=httpx.MockTransport(answer))

    return replace(tools, http=lend)
