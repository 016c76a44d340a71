"""Telling an agent who looks elsewhere that a message came: which ones, how, and how often at most."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agentconsole.domain.model import AgentName, Conversation, CustomerId, EntryId
from agentconsole.ui import outside, people

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

PAUSE: Final = 10.0
"""Seconds between two notices; what comes meanwhile is counted into the next."""

AWAY_SECONDS: Final = 60.0
"""Without a key for so long somebody counts as away where the terminal does not tell (mode 1004)."""

RECENT: Final = timedelta(minutes=15)
"""Older messages are no news: an import, a mailbox that was just connected."""

MOST_LOOKED_AT: Final = 8
REMEMBERED: Final = 500


class Notices:
    """Args:
    app: the console that tells.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.level = app.settings.notify_level
        self.focused: bool | None = None
        """What the terminal said of its window last; None: nothing yet."""
        self._since = app.settings.clock()
        """Until when everything counts as seen: somebody was there."""
        self._told: dict[EntryId, None] = {}
        self._waiting: list[str] = []
        self._resting = False
        self._titled = False

    @property
    def away(self) -> bool:
        if self.focused is not None:
            return not self.focused
        return time.monotonic() - self.app.last_key > AWAY_SECONDS

    def focus(self, focused: bool) -> None:
        """Note what the terminal says of its window."""
        self.focused = focused
        if focused:
            self.back()

    def back(self) -> None:
        """Somebody looks again."""
        self._since = self.app.settings.clock()
        self._waiting.clear()
        if self._titled:
            self._titled = False
            self.app.write(outside.title("agentconsole"))

    def means(self, assignee: AgentName) -> bool:
        """Say whether the level asks for a conversation of somebody's."""
        me = self.app.who.name
        return {"all": True, "queue": assignee in (me, ""), "mine": assignee == me}.get(self.level, False)

    async def look(self, customers: Sequence[CustomerId]) -> None:
        """Look whether news hold messages that a notice is for."""
        app = self.app
        if not app.settings.notify or self.level == "none" or not self.away:
            return
        for customer in customers[:MOST_LOOKED_AT]:
            page = await app.desk.timeline(app.who, customer, EntryId(""), 1)
            for conversation in page.customer.conversations:
                if self._is_news(conversation) and self.means(conversation.assignee):
                    self.tell(people.customer_name(page.customer))

    def _is_news(self, conversation: Conversation) -> bool:
        entry, at = conversation.last_in, conversation.last_in_at
        if not entry or at is None or conversation.waiting_since is None or entry in self._told:
            return False
        self._told[entry] = None
        for old in list(self._told)[:-REMEMBERED]:
            del self._told[old]
        return at > self._since and self.app.settings.clock() - at < RECENT

    def tell(self, name: str) -> None:
        """Tell of one message, at once or with others when the pause is over."""
        self._waiting.append(name)
        if not self._resting:
            self._emit()

    def _emit(self) -> None:
        self._resting = False
        if not self._waiting:
            return
        app, say = self.app, self.app.say
        count, name = len(self._waiting), self._waiting[0]
        if count > 1:
            text = say("notice.many", n=str(count))
        elif app.settings.notify_name:
            text = say("notice.named", name=name)
        else:
            text = say("notice.one")
        self._waiting.clear()
        for way in app.settings.notify:
            app.write(outside.notice(way, text, in_tmux=app.settings.in_tmux))
            self._titled |= way == "title"
        self._resting = True
        app.set_timer(PAUSE, self._emit)
