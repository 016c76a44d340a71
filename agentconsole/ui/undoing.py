"""Taking back: ``u`` takes back what was done last, in this console or by a ``:`` command, else the newest of the agent
that the hub knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from agentconsole.desk import Done
from agentconsole.domain.entries import Note
from agentconsole.domain.model import EntryId
from agentconsole.errors import NotFound
from agentconsole.ui import people
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.draw import EMPTY, Safe, our, safe

NEAR = 4
"""Entries around the one that was taken back, of which it is one."""


class UndoActions(ActingPart):
    def do_undo(self) -> None:
        if self._undo:
            self.run(self._undo.pop().work)
        else:
            self.run(partial(self.undo_work, ()))

    def worked(self, entries: Sequence[EntryId], what: Safe = EMPTY) -> None:
        """Remember what the hub keeps of some work, so that it can be taken back in one go."""
        made = tuple(entries)
        if made:
            self.undo_later(partial(self.undo_work, made, what), made)

    def forget_undo(self, entries: Collection[EntryId]) -> None:
        """These were taken back in another way."""
        self._undo = [back for back in self._undo if not set(back.entries) & set(entries)]

    async def undo_work(self, entries: Sequence[EntryId], what: Safe = EMPTY) -> None:
        """Take work back and say what it was, or who changed it since.

        Args:
            entries: none: the newest work of this agent.
            what: what it was, where it is known here.
        """
        app = self.app
        try:
            done = await app.desk.undo(app.who, self.request(), entries)
        except NotFound:
            if entries:
                raise
            app.tell("strip.nothing_to_undo")
            return
        good = [one for one in done if not one.code]
        if good:
            app.queue.come_back(good[-1].target.conversation)
            said = what or await self._what(good[-1])
            app.tell("work.undone", "good", what=said) if said else app.tell("strip.undone", "good")
            await app.reading.renew()
        for one in done:
            if one.code and (not good or len(done) == 1):
                app.tell("strip.failed", "bad", message=one.message, hint=one.hint)
                return
        if len(good) < len(done):
            first = next(one for one in done if one.code)
            app.tell("work.partly_undone", "warn", n=str(len(good)), of=str(len(done)), message=first.message)

    async def _what(self, done: Done) -> Safe:
        """Return in words what an entry had changed, and of whom."""
        app = self.app
        if not done.entries:
            return EMPTY
        try:
            page = await app.desk.around(app.who, done.target.customer, done.entries[0], NEAR)
        except NotFound:
            return EMPTY
        entry = next((entry for entry in page.entries if entry.id == done.entries[0]), None)
        if entry is None:
            return EMPTY
        text = app.say("entry.note") if isinstance(entry, Note) else app.say.event(entry)
        return our(f"{text} ({safe(people.customer_name(page.customer), 40)})") if text else EMPTY
