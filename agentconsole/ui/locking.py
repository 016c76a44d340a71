"""The blanked screen: nothing of customers on it, whatever comes in; a PIN, or any key, takes it away."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

from textual import events

from agentconsole.ui.draw import Row, our, row, wrap
from agentconsole.ui.widgets.bar import Bar

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

LONGEST_PIN: Final = 32
FREE_TRIES: Final = 3
FIRST_PAUSE: Final = 5
LONGEST_PAUSE: Final = 300
"""Seconds without a try after so many wrong ones: 5, 10, 20 … 300."""


class Cover(Bar):
    """Lies over the whole screen: what draws below it never reaches the terminal."""

    DEFAULT_CSS = "Cover { layer: cover; position: absolute; width: 100%; height: 100%; display: none; }"


class Lock:
    """Args:
    app: the console whose screen it blanks.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.on = False
        self.cover = Cover(self._draw, id="cover")
        self.cover.styles.height = "100%"
        self._typed = ""
        self._said = ""
        self._wrong = 0
        self._until = 0.0
        self._checking = False
        self._last = app.settings.clock()

    # -- going on -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Look from now on how long no key came."""
        if self.app.settings.lock_after is not None:
            self._watch()

    def touched(self) -> None:
        self._last = self.app.settings.clock()

    def _watch(self) -> None:
        after = self.app.settings.lock_after
        assert after is not None
        left = (self._last + after - self.app.settings.clock()).total_seconds()
        if left <= 0 and not self.on:
            self.lock()
        # A computer that slept wakes with a clock far ahead and timers where they were.
        self.app.set_timer(min(max(left, 1.0), 15.0), self._watch)

    def lock(self) -> None:
        """Blank the screen."""
        self.on, self._typed, self._said = True, "", ""
        self.app.writer.keep_soon(0.0)
        self.cover.display = True
        self.cover.update()

    def _unlock(self) -> None:
        self.on, self._typed, self._said, self._wrong = False, "", "", 0
        self.touched()
        self.cover.display = False
        self.app.refresh(layout=True)

    # -- keys -----------------------------------------------------------------------------------------------

    async def takes(self, event: events.Event) -> bool:
        """Use up whatever is typed, pasted or clicked while the screen is blanked."""
        if not self.on or not isinstance(event, events.Key | events.Paste | events.MouseEvent):
            return False
        if not isinstance(event, events.Key):
            return True
        if event.key == "ctrl+q":
            await self.app.end()
        elif self.app.settings.pin is None:
            self._unlock()
        else:
            await self._keyed(event)
        return True

    async def _keyed(self, event: events.Key) -> None:
        now = self._seconds()
        if self._checking or now < self._until:
            return
        if event.key == "enter":
            if self._typed:
                self._checking, self._said = True, self.app.say("lock.checking")
                self.app.start(self._check, "pin")
        elif event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.key in ("escape", "ctrl+u"):
            self._typed = ""
        elif event.is_printable and event.character and len(self._typed) < LONGEST_PIN:
            self._typed += event.character
            self._said = ""
        self.cover.update()

    def _seconds(self) -> float:
        now: datetime = self.app.settings.clock()
        return now.timestamp()

    async def _check(self) -> None:
        pin, typed = self.app.settings.pin, self._typed
        assert pin is not None
        self._typed = ""
        try:
            opens = await asyncio.to_thread(pin.opens, typed)
        finally:
            self._checking = False
        if opens:
            self._unlock()
            return
        self._wrong += 1
        self._said = self.app.say("lock.wrong")
        if self._wrong >= FREE_TRIES:
            seconds = min(FIRST_PAUSE * 2 ** (self._wrong - FREE_TRIES), LONGEST_PAUSE)
            self._until = self._seconds() + seconds
            self._said = self.app.say("lock.wait", seconds=str(seconds))
        self.cover.update()

    # -- drawing --------------------------------------------------------------------------------------------

    def _draw(self, width: int) -> list[Row]:
        say = self.app.say
        asked = say("lock.no_pin" if self.app.settings.pin is None else "lock.pin")
        texts = [say("lock.title"), say("lock.kept"), our(""), asked, our("*" * len(self._typed)), our(self._said)]
        lines = [line for text in texts for line in (wrap(text, width - 4) if text else [our("")])]
        above = max((self.app.size.height - len(lines)) // 2, 0)
        return [*[row(our(""))] * above, *(row(our("  "), line) for line in lines)]
