"""The actions about replies that wait, drafts that were set aside, and agents who write to the same customer."""

from __future__ import annotations

from functools import partial

from agentconsole.domain import when
from agentconsole.domain.entries import Reply
from agentconsole.domain.model import Delivery, DeliveryRecord, EntryId
from agentconsole.ui.actions_base import NO_ENTRY, ActingPart


class SendingActions(ActingPart):
    _scheduling: EntryId = NO_ENTRY
    """The waiting reply that another time is asked for; none: what is typed in the box."""

    def do_stop_send(self) -> None:
        record = self._waiting()
        self.app.writer.holding.stop(record.reply if record is not None else NO_ENTRY)

    def do_send_now(self) -> None:
        record = self._waiting()
        if record is None:
            self.app.writer.holding.now()
        else:
            self.run(partial(self.app.writer.holding.move, record.reply, None))

    def _waiting(self) -> DeliveryRecord | None:
        """Return the waiting reply that the keyboard is on, in the timeline or in the outbox."""
        app = self.app
        if app.where == "paper" and app.page_kind == "outbox":
            records = (line.record for line in app.acting.lines if line.record.reply == app.page.chosen)
            return next((record for record in records if record.state == Delivery.QUEUED), None)
        chosen = app.timeline.chosen_entry if app.where == "conversation" else None
        if app.reading.opened is None or not isinstance(chosen, Reply):
            return None
        record = app.reading.opened.states.get(chosen.id)
        return record if record is not None and record.state == Delivery.QUEUED else None

    async def do_schedule(self) -> None:
        app = self.app
        record = self._waiting()
        if app.where == "box":
            app.writer.take()
        typing = app.where == "box" and app.writer.now is not None and not app.writer.now.note
        if record is None and not (typing and app.writer.now is not None and not app.writer.now.empty):
            app.tell("send.not_scheduled", "dim")
            return
        self._scheduling = record.reply if record is not None else NO_ENTRY
        await self.open_prompt("schedule")
        app.tell("send.when", "dim")

    def schedule_typed(self, words: str) -> None:
        """Take the time that was typed; what names none changes nothing."""
        app = self.app
        now = app.settings.clock()
        at = when.later(words, now, app.say.zone)
        if at is None:
            app.tell("send.no_time", "warn", words=words)
        elif self._scheduling:
            self.run(partial(app.writer.holding.move, self._scheduling, at))
        else:
            app.writer.send(at=at)

    def do_take_over(self) -> None:
        self.app.company.take_over()

    def do_recover(self) -> None:
        self.app.start(self.app.writer.recover_newest, "recover")
