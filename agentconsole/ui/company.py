"""Who else is at a customer: told to the others while the agent looks or writes, and shown where they are."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from agentconsole.desk.waiting import LEASE, Present
from agentconsole.domain.model import ConversationId, CustomerId, Delivery, Medium
from agentconsole.errors import AgentConsoleError, NotFound, Refused
from agentconsole.ui import people
from agentconsole.ui.drafting import NO_AGENT, NO_MEDIUM, Writing, restore
from agentconsole.ui.draw import Row, Safe, our, row, safe, width_of

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

TOLD_AGAIN: Final = LEASE / 3
"""Seconds after which a console says again where its agent is."""

KEYS_TOLD: Final = 4.0
"""Seconds between two words of keys that are typed: nobody needs to know each."""

JUST_NOW: Final = 60.0
"""Seconds after the last key for which somebody counts as writing."""

_Place = tuple[CustomerId, ConversationId, Medium]
_NOWHERE: Final[_Place] = (CustomerId(""), ConversationId(""), NO_MEDIUM)


class Company:
    """Args:
    app: the console whose agent is somewhere, and that shows who else is.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.all: tuple[Present, ...] = ()
        self._told: _Place = _NOWHERE
        self._keys_told = -KEYS_TOLD

    # -- telling the others ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """Say again and again where the agent is, because what is not repeated lapses."""
        self.app.set_interval(TOLD_AGAIN, partial(self.here, again=True))

    def here(self, *, again: bool = False, typed: bool = False) -> None:
        """Say where the agent is, where that is news or ``again``; ``typed``: and writes there."""
        app = self.app
        opened = app.reading.opened
        place = _NOWHERE
        if opened is not None:
            writer = app.writer
            medium = writer.now.medium if writer.is_open and writer.now is not None else NO_MEDIUM
            place = (opened.customer.id, opened.conversation, medium)
        if place != self._told or typed or (again and place != _NOWHERE):
            self._told = place
            app.start(partial(self._tell, place, typed), "here", exclusive=False)

    def typed(self) -> None:
        """A key was typed in a reply."""
        writing = self.app.writer.now
        if writing is not None and not writing.note and time.monotonic() >= self._keys_told + KEYS_TOLD:
            self._keys_told = time.monotonic()
            self.here(typed=True)

    async def _tell(self, place: _Place, typed: bool) -> None:
        await self.app.desk.attend(self.app.who, *place, typed)

    # -- hearing of the others ------------------------------------------------------------------------------

    async def renew(self) -> None:
        """Somebody came, went or wrote."""
        app = self.app
        self.all = await app.desk.present(app.who)
        self._look_whether_taken()
        app.below.update()
        writing = frozenset(p.customer for p in self.all if p.agent != app.who.name and p.writing)
        if writing != app.queue.company:
            app.queue.company = writing
            app.queue.refresh_changed()

    def at(self, members: tuple[CustomerId, ...]) -> Present | None:
        """Return who else is at a customer, who writes before who looks."""
        found = [p for p in self.all if p.agent != self.app.who.name and p.customer in members]
        return max(found, key=lambda p: (p.writing, p.last_key or p.since), default=None)

    def line(self, width: int) -> Row:
        """Return what stands under the timeline, in so many cells: who else is at this customer."""
        opened = self.app.reading.opened
        found = self.at((opened.customer.id, *opened.customer.members)) if opened is not None else None
        if found is None:
            return ()
        text = self._words(found)
        if width_of(text) > width:
            text = self._words(found, short=".short")
        return row((text, "warn" if found.writing else "dim"))

    def _words(self, found: Present, short: str = "") -> Safe:
        app = self.app
        say, name = app.say, safe(found.agent, 20)
        if not found.writing:
            return say("company.looks", name=name)
        seconds = max(int((app.settings.clock() - (found.last_key or found.since)).total_seconds()), 0)
        medium = say.medium(found.medium) if found.medium else ""
        key = ("company.writes" if medium else "company.writes_somewhere") + short
        mine = app.writer.is_open and app.writer.now is not None and not app.writer.now.empty
        hint = say("company.yours_waits" + short if mine else "company.take_over")
        return our(f"{say(key, name=name, n=str(seconds), medium=medium)} {hint}")

    # -- before a send --------------------------------------------------------------------------------------

    def warn(self, writing: Writing) -> bool:
        """Say once that somebody else writes to this customer; say whether the send has to wait for that."""
        app, opened = self.app, self.app.reading.opened
        members = (writing.customer,) if opened is None else (opened.customer.id, *opened.customer.members)
        found = self.at(members if writing.customer in members else (writing.customer,))
        if found is None or not found.writing or found.last_key is None:
            return False
        seconds = (app.settings.clock() - found.last_key).total_seconds()
        if seconds > JUST_NOW:
            return False
        writing.crowded = True
        app.tell("company.not_sent", "warn", name=found.agent, n=str(max(int(seconds), 0)))
        return True

    def tell_answered(self, writing: Writing, error: AgentConsoleError) -> None:
        """Say who answered meanwhile, and that nothing was sent."""
        app, opened = self.app, self.app.reading.opened
        others = [
            record
            for record in (opened.customer.deliveries if opened is not None else ())
            if record.agent != app.who.name and record.state != Delivery.CANCELLED
        ]
        newest = max(others, key=lambda record: record.queued_at, default=None)
        if newest is None:
            offer = app.say("strip.offer_anyway")
            app.tell("strip.not_sent", "bad", why=f"{error.message} {offer}")
        else:
            app.tell("company.answered", "bad", name=newest.agent, time=app.say.clock(newest.queued_at))

    # -- taking over ----------------------------------------------------------------------------------------

    def take_over(self) -> None:
        """Copy the draft of whoever writes to this customer; or write on where one's own was taken over."""
        app, opened, writing = self.app, self.app.reading.opened, self.app.writer.now
        if writing is not None and writing.taken_by:
            app.acting.run(partial(self._write_on, writing))
            return
        found = self.at((opened.customer.id, *opened.customer.members)) if opened is not None else None
        if opened is None or found is None or not found.writing:
            app.tell("company.nobody", "dim")
        else:
            app.acting.run(partial(self._take_over, found, people.customer_name(opened.customer)))

    async def _take_over(self, found: Present, name: str) -> None:
        app = self.app
        app.writer.take()
        await app.writer.keep()
        conversation = found.conversation
        try:
            draft = await app.desk.take_over(
                app.who, app.settings.request_ids(), found.customer, conversation, found.agent
            )
        except NotFound:
            app.tell("company.no_draft", "warn", name=found.agent)
            return
        except Refused:
            app.tell("company.own_draft", "warn")
            return
        app.writer.known.pop((draft.conversation, False), None)
        await app.writer.bring_back(restore(draft, name, app.settings.request_ids()))
        app.tell("company.taken_over", "good", name=found.agent)
        self.here(typed=True)

    async def _write_on(self, writing: Writing) -> None:
        """Make a draft that somebody took over one's own again, to be written on."""
        app = self.app
        await app.desk.attend(app.who, *_NOWHERE, False)
        writing.taken_by = NO_AGENT
        if app.writer.pane is not None and app.writer.now is writing:
            app.writer.pane.box.read_only = False
        app.tell("company.writes_on", "good")
        self.here(typed=True)

    def _look_whether_taken(self) -> None:
        app = self.app
        writing = app.writer.now
        mine = next((p for p in self.all if p.agent == app.who.name), None)
        if writing is None or mine is None or not mine.taken_by or writing.note or writing.empty:
            return
        opened = app.reading.opened
        if opened is None or mine.customer not in (opened.customer.id, *opened.customer.members):
            return
        if writing.taken_by != mine.taken_by:
            writing.taken_by = mine.taken_by
            if app.writer.pane is not None:
                app.writer.pane.box.read_only = True
            app.tell("company.taken", "warn", name=mine.taken_by)
