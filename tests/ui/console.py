"""Driving the console in tests: start it on the double, press keys, wait for what has to appear."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from agentconsole.desk import Agent
from agentconsole.domain.model import AgentName
from agentconsole.ui.app import Console
from agentconsole.ui.settings import UiSettings
from agentconsole.ui.widgets.bar import Bar
from tests.ui.desk_double import NOW, DeskDouble
from tests.waiting import until

UTC = ZoneInfo("UTC")
"""Read here once, so that no test reads it on its loop."""

ALL_RIGHTS = Agent(AgentName("")).rights
SMALL, LARGE = (80, 24), (160, 48)


class Coach:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.line = "Step 1 of 6"

    def text(self, language: str) -> str:
        return self.line

    def note(self, event: str, **facts: str) -> None:
        self.heard.append((event, facts))
        self.line = f"heard {event}"

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.heard]


class Driver:
    """A running console with its desk, and words for what a test does with them."""

    def __init__(self, app: Console, desk: DeskDouble, pilot: Pilot[None], coach: Coach) -> None:
        self.app, self.desk, self.pilot, self.coach = app, desk, pilot, coach

    async def press(self, *keys: str) -> None:
        """Send keys as the terminal's parser would, one after another, without Pilot's 50 ms after each."""
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
            character = key if len(key) == 1 else {"space": " ", "enter": "\r"}.get(key)
            self.app.post_message(events.Key(name, character))
            await self.settle()

    async def type(self, text: str) -> None:
        await self.press(*({" ": "space", "\n": "enter"}.get(character, character) for character in text))

    async def settle(self) -> None:
        """Let every widget handle what it was sent, and the screen draw it."""
        await self.pilot._wait_for_screen()
        self.app.screen._on_timer_update()

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        async def holds() -> Any:
            await self.settle()
            return condition()

        await until(holds, 5, what or f"screen:\n{self.screen}")

    async def sees(self, *texts: str) -> None:
        """Wait until all texts stand on the screen."""

        async def all_there() -> bool:
            await self.settle()
            return all(text in self.everything for text in texts)

        try:
            await until(all_there, 5)
        except AssertionError:
            missing = [text for text in texts if text not in self.everything]
            raise AssertionError(f"not on the screen: {missing}\n{self.screen}") from None

    @property
    def screen(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    @property
    def everything(self) -> str:
        """The screen, and each bar's text unwrapped."""
        bars = [bar.shown.replace("\n ", " ") for bar in self.app.query(Bar) if bar.display]
        return "\n".join([self.screen, self.app.told, *bars])

    @property
    def strip(self) -> str:
        return self.app.told

    @property
    def box(self) -> Any:
        assert self.app.writer.pane is not None
        return self.app.writer.pane.box

    async def answer(self, key: str) -> None:
        """Answer a question, as late as a person would."""
        question = self.app.acting.question
        assert question is not None, self.strip
        self.app.acting.question = (question[0], question[1], -math.inf)
        await self.press(key)

    async def open(self, name: str) -> None:
        """Open the conversation of a customer by going to its row and pressing enter."""
        if self.app.where != "list":
            await self.press("1")
        places = {line.name: place for place, line in self.app.queue.lines()}
        await self.press("home", *["j"] * places[name], "enter")
        await self.until(lambda: self.app.where == "conversation", f"{name} opened")


@asynccontextmanager
async def running(
    desk: DeskDouble,
    *,
    size: tuple[int, int] = SMALL,
    language: str = "en",
    coach: bool = False,
    clock: Callable[[], datetime] = lambda: NOW,
    extra: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (),
    rights: frozenset[str] = ALL_RIGHTS,
    **more: Any,
) -> AsyncIterator[Driver]:
    """Start a console on a desk and wait for its first rows.

    Args:
        more: further ``UiSettings``.
    """
    numbers = itertools.count(1)
    watcher = Coach()
    settings = UiSettings(
        request_ids=lambda: f"request-{next(numbers):04}-of-this-test",
        language=language,
        timezone="UTC",
        profile="demo",
        coach=watcher if coach else None,
        clock=clock,
        extra=extra,
        **more,
    )
    app = Console(desk, Agent(AgentName("mina"), rights), settings)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, desk, pilot, watcher)
        await driver.until(lambda: app.reading.loaded and app.say.numbers_ready, "the first rows")
        if app.queue.total:
            await driver.until(lambda: app.reading.opened is not None, "the first customer")
        yield driver
