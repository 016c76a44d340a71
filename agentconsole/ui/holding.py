"""Replies of this agent that the hub still holds: the seconds that are left, stopping one, letting it go at once.

The hub keeps the time. What stands here is only what the strip says and what comes back into the box: a console that
dies or loses its line changes nothing, and one that attaches again finds the held replies in the outbox.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from agentconsole.desk import Sent
from agentconsole.domain.model import Delivery, DeliveryRecord, Draft, EntryId, Route
from agentconsole.errors import Refused
from agentconsole.ui.drafting import KEPT, NO_ENTRY, Writing, restore
from agentconsole.ui.draw import safe

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

SHOWN: Final = 3
"""Seconds for which another strip is left alone before the countdown stands there again."""


@dataclass
class Held:
    """One reply that waits.

    Args:
        before: the draft as it was when it was sent; None where an earlier console sent it.
        held: it waits only to be stopped; else for a time that somebody chose.
    """

    reply: EntryId
    route: Route
    name: str
    until: datetime
    held: bool
    before: Writing | None = None


class Holding:
    """Args:
    app: the console whose strip counts down.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self._waiting: dict[EntryId, Held] = {}
        self._stopped: set[EntryId] = set()
        self._timer: Timer | None = None
        self._said = ""
        self._left_alone = 0

    # -- what waits -----------------------------------------------------------------------------------------

    def began(self, sent: Sent, name: str, before: Writing) -> bool:
        """Hear that a reply was accepted; say whether it waits, and then tell so."""
        if sent.state != Delivery.QUEUED or sent.not_before is None:
            return False
        found = Held(sent.id, sent.route, name, sent.not_before, sent.held, before)
        self._waiting[sent.id] = found
        self._tell(found)
        return True

    async def resume(self) -> None:
        """Find what an earlier console of this agent left waiting."""
        app = self.app
        for line in await app.desk.outbox(app.who, (Delivery.QUEUED,)):
            record = line.record
            mine = record.agent == app.who.name and record.held and record.not_before is not None
            if mine and record.not_before is not None and record.reply not in self._waiting:
                route = Route(record.account, record.medium, record.address)
                name = line.name or line.customer
                self._waiting[record.reply] = Held(record.reply, route, name, record.not_before, held=True)
        newest = self.newest
        if newest is not None and newest.held and self._left(newest) > 0:
            self._left_alone = 0
            if self.app.told:
                self._count()
            else:
                self._tell(newest)

    @property
    def newest(self) -> Held | None:
        return next(reversed(self._waiting.values()), None)

    def states_changed(self, states: Mapping[EntryId, DeliveryRecord]) -> None:
        """Replies were read again: forget those that wait no more, and take another time over."""
        for reply in [reply for reply in self._waiting if reply in states]:
            record = states[reply]
            if record.state != Delivery.QUEUED:
                found = self._waiting.pop(reply)
                if self.app.told == self._said and record.state != Delivery.CANCELLED:
                    self.app.writer.leaves(reply, found.name, found.route)
            elif record.not_before is not None:
                self._waiting[reply].until = record.not_before

    # -- the strip ------------------------------------------------------------------------------------------

    def _left(self, found: Held) -> int:
        left = (found.until - self.app.settings.clock()).total_seconds()
        return max(math.ceil(left), 0)

    def _tell(self, found: Held) -> None:
        say, app = self.app.say, self.app
        medium = say.title(found.route.medium)
        if found.held:
            left = str(max(self._left(found), 1))
            app.tell("send.held", "note", medium=say.medium(found.route.medium), seconds=left)
            self._count()
        else:
            app.tell("send.scheduled", "good", medium=medium, name=found.name, time=say.time_of(found.until))
        self._said, self._left_alone = app.told, 0

    def _count(self) -> None:
        if self._timer is None:
            self._timer = self.app.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        """Draw the seconds anew: one strip a second, and none once nothing is held."""
        held = [found for found in self._waiting.values() if found.held]
        going = [found for found in held if self._left(found) > 0]
        for found in held:
            if found not in going:
                del self._waiting[found.reply]
        if not going and self._timer is not None:
            self._timer.stop()
            self._timer = None
        app = self.app
        if app.told and app.told != self._said and self._left_alone < SHOWN:
            self._left_alone += 1
        elif going:
            self._tell(going[-1])
        elif held and app.told == self._said:
            app.writer.leaves(held[-1].reply, held[-1].name, held[-1].route)

    # -- deciding -------------------------------------------------------------------------------------------

    def stop(self, reply: EntryId = NO_ENTRY) -> None:
        """Take back what waits, the newest first; its text comes back into the box."""
        found = self._waiting.get(reply) or self.newest
        if found is None:
            self.app.tell("send.nothing_held", "dim")
        else:
            self.app.acting.run(partial(self._stop, found, self.app.settings.request_ids()))

    async def _stop(self, found: Held, request: str) -> None:
        app = self.app
        try:
            draft = await app.desk.stop_send(app.who, request, found.reply)
        except Refused:
            self._waiting.pop(found.reply, None)
            app.tell("send.too_late", "warn", medium=app.say.title(found.route.medium), name=found.name)
            await app.reading.renew()
            return
        self._waiting.pop(found.reply, None)
        self._stopped.add(found.reply)
        await self._back(found, draft)

    async def _back(self, found: Held, draft: Draft) -> None:
        """Put the words back where they were, before whatever was typed since."""
        app, writer = self.app, self.app.writer
        writing = found.before or restore(draft, found.name, "")
        writing = replace(writing, customer=draft.customer, bridged=KEPT, instead_of=NO_ENTRY, sending=False)
        writing.request, writing.answered, writing.accepted_at = app.settings.request_ids(), False, None
        here = await writer.bring_back(writing)
        app.tell("send.stopped" if here else "send.stopped_elsewhere", "good", name=safe(found.name, 40))
        await app.reading.renew()

    async def undo(self, reply: EntryId) -> None:
        """Take back one reply, whether it waits here or only in the outbox."""
        app, found = self.app, self._waiting.get(reply)
        if found is not None:
            await self._stop(found, app.settings.request_ids())
        elif reply in self._stopped:
            app.acting.do_undo()  # it was taken back by its own key: what was done before it is meant
        else:
            await app.acting.take_back(reply)

    def now(self) -> None:
        """Let the newest reply that waits leave at once."""
        found = self.newest
        if found is None:
            self.app.tell("send.nothing_held", "dim")
        else:
            self.app.acting.run(partial(self.move, found.reply, None))

    async def move(self, reply: EntryId, at: datetime | None) -> None:
        """Let a reply that waits leave at another time; None: now."""
        app = self.app
        known = self._waiting.get(reply)
        try:
            sent = await app.desk.send_at(app.who, app.settings.request_ids(), reply, at)
        except Refused:
            app.tell("send.too_late", "warn", medium="", name=known.name if known is not None else "")
            await app.reading.renew()
            return
        name = known.name if known is not None else ""
        if sent.not_before is not None and sent.state == Delivery.QUEUED:
            before = known.before if known is not None else None
            self._waiting[reply] = Held(reply, sent.route, name, sent.not_before, held=False, before=before)
            self._tell(self._waiting[reply])
        else:
            self._waiting.pop(reply, None)
            app.writer.leaves(reply, name, sent.route)
        await app.reading.renew()
