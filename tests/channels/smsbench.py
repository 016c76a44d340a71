"""What both SMS channels need in their tests: lent tools, a counted commit, a reply on its way."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from datetime import datetime

import httpx

from agentconsole.channels.http import Client
from agentconsole.domain.model import Address, EntryId
from agentconsole.errors import Withdrawn
from agentconsole.ports import Outgoing, Tools
from agentconsole.seams import Clock, SystemRandomness

EMILY = Address("phone", "", "+821012345678")


def lend(
    worker: Executor,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
    public_url: str = "",
    since: datetime | None = None,
) -> Tools:
    def client(base_url: str, **rest: object) -> Client:
        return Client(base_url, **{**rest, "transport": transport})  # type: ignore[arg-type]

    return Tools(logging.getLogger("sms"), client, clock, SystemRandomness(), worker, since, public_url)


def outgoing(text: str, key: str = "key-1", to: str = EMILY.value) -> Outgoing:
    return Outgoing(reply=EntryId("r1"), key=key, attempt=1, address=Address("phone", "", to), text=text)


class Committed:
    """Counts how often it was awaited; with a reason it withdraws the reply."""

    def __init__(self, withdraw: str = "") -> None:
        self.times = 0
        self._withdraw = withdraw

    async def __call__(self) -> None:
        self.times += 1
        if self._withdraw:
            raise Withdrawn(self._withdraw)
