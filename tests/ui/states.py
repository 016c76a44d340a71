"""The states of the console that are pictured: how each is reached; ``screens`` draws them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from agentconsole.domain.model import ConversationId, CustomerId
from tests.ui.console import Driver
from tests.ui.desk_double import DeskDouble, emily

Fill = Callable[[DeskDouble], None]
Drive = Callable[[Driver], Awaitable[None]]


@dataclass(frozen=True)
class State:
    """Args:
    fill: what the desk knows.
    drive: what is done until the state is reached.
    more: further ``UiSettings``, and ``language``.
    """

    fill: Fill = emily
    drive: Drive | None = None
    more: dict[str, Any] = field(default_factory=dict)


STATES: Final[dict[str, State]] = {}


def state(name: str, fill: Fill = emily, **more: Any) -> Callable[[Drive], Drive]:
    def add(drive: Drive) -> Drive:
        STATES[name] = State(fill, drive, more)
        return drive

    return add


async def replying(console: Driver, name: str, text: str = "") -> None:
    await console.open(name)
    await console.press("r")
    await console.until(lambda: console.app.where == "box")
    if text:
        await console.type(text)
    writer = console.app.writer
    await console.until(lambda: writer.now is not None and writer.now.choice is not None and not writer.now.unsaved)


async def opened(console: Driver, customer: str) -> None:
    """Open a conversation that waits for nobody."""
    console.app.acting.open(CustomerId(customer), ConversationId(f"c-{customer}"))
    await console.until(lambda: console.app.where == "conversation")
