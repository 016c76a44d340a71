"""A fake Twilio with the vendor's schema before it, for the tests of both ways in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import pytest

from agentconsole.channels.twilio import KIND, TwilioChannel, TwilioOptions
from agentconsole.channels.twilio_events import parse
from agentconsole.domain.model import AccountName
from agentconsole.ports import (
    Cursor,
    Inbound,
    Parsed,
    RawItem,
    Secret,
)
from agentconsole.sandbox.fake_twilio import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER, FakeTwilio
from tests.channels.smsbench import lend
from tests.fakes.clock import HandClock
from tests.fakes.twilio import Checked

ACCOUNT = AccountName("sms main")
MINSU = "+821087654321"


@pytest.fixture
def twilio_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_TOKEN", AUTH_TOKEN)


def options(**changed: object) -> TwilioOptions:
    given: dict[str, object] = {
        "account_sid": ACCOUNT_SID,
        "auth_token": Secret("env", "TWILIO_TOKEN"),
        "sender": OUR_NUMBER,
    }
    return TwilioOptions(**{**given, **changed})  # type: ignore[arg-type]


@dataclass
class World:
    """A fake Twilio and a channel to it, with the schema between them."""

    worker: ThreadPoolExecutor
    clock: HandClock = field(default_factory=HandClock)
    made: list[TwilioChannel] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fake = FakeTwilio(self.clock)
        self.checked = Checked(httpx.ASGITransport(app=self.fake.app))

    def open(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        public_url: str = "",
        since: datetime | None = None,
        **changed: object,
    ) -> TwilioChannel:
        tools = lend(self.worker, self.clock, transport or self.checked, public_url, since)
        channel = KIND.open(ACCOUNT, options(**changed), tools)
        assert isinstance(channel, TwilioChannel)
        self.made.append(channel)
        return channel


@pytest.fixture
async def world(twilio_token: None) -> AsyncIterator[World]:
    with ThreadPoolExecutor(1) as worker:
        world = World(worker)
        yield world
        for channel in world.made:
            await channel.aclose()


async def look(channel: TwilioChannel, cursor: Cursor | None) -> tuple[list[RawItem], Cursor]:
    """Fetch until there is no more."""
    items: list[RawItem] = []
    for _ in range(50):
        batch = await channel.fetch(cursor)
        items += batch.items
        cursor = batch.cursor
        if not batch.more:
            assert cursor is not None
            return items, cursor
    raise AssertionError("the list does not end")


def meaning(items: Sequence[RawItem]) -> list[Parsed]:
    return [one for item in items for one in parse(item)]


def texts(items: Sequence[RawItem]) -> list[str]:
    return [one.text for one in meaning(items) if isinstance(one, Inbound)]
