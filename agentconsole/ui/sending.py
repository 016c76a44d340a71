"""Sending what is written: one revision once, what the hub answers, and the start of the next text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from agentconsole.desk import Sent
from agentconsole.desk.waiting import AS_CONFIGURED
from agentconsole.domain.model import Choice, Delivery, DeliveryRecord, Draft, EntryId, RefusedRoute, Route
from agentconsole.domain.work import mentions
from agentconsole.errors import AgentConsoleError, Answered, HubAbsent, Refused
from agentconsole.ui.drafting import Writing, composing, late_syllable, restore
from agentconsole.ui.writer_base import WriterPart

SYLLABLE_SECONDS: Final = 0.15
"""How long after the key that sends the last syllable may still come from an input method."""


class Sending(WriterPart):
    def send(self, *, anyway: bool = False, beside: bool = False, at: datetime | None = None) -> None:
        """Send what is typed. One revision is sent once, however often the key is pressed.

        Args:
            anyway: although somebody else answered.
            beside: although somebody else writes to the customer.
            at: not before that.
        """
        self.take()
        writing, app = self.now, self.app
        if writing is None:
            return
        if writing.sending:
            app.tell("strip.sending_still")
        elif writing.empty:
            if writing.accepted_at is not None:
                app.tell("strip.already", time=app.say.clock(writing.accepted_at))
            else:
                app.tell("strip.nothing_typed")
        elif writing.note:
            writing.sending = True
            app.start(partial(self._note, writing, writing.text), "send", exclusive=False)
        elif isinstance(writing.at, RefusedRoute):
            why = app.say.refusal(writing.at, app.settings.clock())
            app.tell("strip.not_sent", "bad", why=why)
            app.note("refused_seen", medium=writing.medium, reason=writing.at.reason)
        elif writing.choice is not None and writing.at is None:
            app.tell("strip.no_route_yet", "bad")
        elif not (anyway or beside) and app.company.warn(writing):
            pass
        else:
            writing.sending = True
            app.start(partial(self._send, writing, writing.text, writing.caret, anyway, at), "send", exclusive=False)

    async def _send(
        self, writing: Writing, text: str, caret: tuple[int, int], anyway: bool, at: datetime | None
    ) -> None:
        app = self.app
        try:
            if composing(text, caret):
                await asyncio.sleep(SYLLABLE_SECONDS)
                if self.now is writing:
                    self.take()
                text = late_syllable(text, caret, writing.text)
            if writing.choice is None:
                await self.choose_for(writing)
            asked = writing.compose(anyway=anyway)
            compose = msgspec.structs.replace(asked, text=text, hold=AS_CONFIGURED, not_before=at)
            if not await self.guarding.may_leave(writing, compose):
                return
            sent = await app.desk.reply(app.who, writing.request, compose)
        except Refused as error:
            await self._refused(writing, error)
            return
        except HubAbsent:
            raise
        except AgentConsoleError as error:
            app.tell("strip.not_sent", "bad", why=f"{error.message} {error.hint}".strip())
            return
        finally:
            writing.sending = False
        if sent.earlier:
            writing.request = app.settings.request_ids()
            app.tell("send.earlier", "warn", state=app.say.state(sent.state))
            await app.reading.renew()
            return
        await self._accepted(writing, text, sent, replace(writing, text=text, caret=caret))

    async def _refused(self, writing: Writing, error: Refused) -> None:
        """Say why. That somebody else answered meanwhile may be overruled."""
        app = self.app
        await self.choose_for(writing)
        writing.answered = isinstance(error, Answered)
        if not writing.answered:
            hint = "" if "--" in error.hint else error.hint  # a shell's option; here the title has the key
            app.tell("strip.not_sent", "bad", why=f"{error.message} {hint}".strip())
        await app.reading.renew()
        if writing.answered:
            app.company.tell_answered(writing, error)

    async def _accepted(self, writing: Writing, text: str, sent: Sent, before: Writing) -> None:
        app, at = self.app, self.app.settings.clock()
        chat = writing.chat
        await self._start_over(writing, text, at)
        if not self.holding.began(sent, writing.name, before):
            self.just_sent = (sent, writing.name, "")
            self.tell_sent(sent.state)
        app.acting.undo_later(lambda: self.holding.undo(sent.id))
        app.note("sent", medium=sent.route.medium, state=sent.state, customer=writing.customer)
        if self.now is writing and self.is_open and not chat and not writing.text:
            app.guard()
            self.leave(told=False)
        await app.reading.renew()
        if app.reading.opened is not None:
            writing.expected = app.reading.opened.newest

    def leaves(self, reply: EntryId, name: str, route: Route) -> None:
        """A reply that waited is on its way."""
        self.just_sent = (Sent(reply, Delivery.SENDING, route, Choice(())), name, "")
        self.tell_sent(Delivery.SENDING)

    def tell_sent(self, state: Delivery) -> None:
        """Say how the newest send stands, unless the strip says something else by now."""
        if self.just_sent is None:
            return
        sent, name, before = self.just_sent
        if before and self.app.told != before:
            self.just_sent = None
            return
        say = self.app.say
        text = say("strip.accepted", medium=say.title(sent.route.medium), name=name, state=say.state(state))
        self.just_sent = (sent, name, text)
        style = {Delivery.FAILED: "bad", Delivery.UNCERTAIN: "warn"}.get(state, "good")
        self.app.tell_text(text, style)

    def states_changed(self, states: Mapping[EntryId, DeliveryRecord]) -> None:
        """The opened customer was read again: renew what the strip says of the newest send."""
        self.holding.states_changed(states)
        if self.just_sent is not None and self.just_sent[0].id in states:
            self.tell_sent(states[self.just_sent[0].id].state)

    async def _note(self, writing: Writing, text: str) -> None:
        app = self.app
        try:
            note = await app.desk.note(app.who, writing.request, writing.customer, writing.conversation, text)
        finally:
            writing.sending = False
        await self._start_over(writing, text, app.settings.clock())
        app.acting.worked((note,), app.say("entry.note"))
        called = mentions(text, app.reading.status.agents) if app.reading.status is not None else ()
        if called:
            app.tell("work.note_calls", "good", names=", ".join(called))
        else:
            app.tell("strip.note_kept", "good")
        if self.now is writing and self.is_open and not writing.text:
            app.guard()
            self.leave(told=False)
        await app.reading.renew()

    async def _start_over(self, writing: Writing, text: str, at: datetime) -> None:
        """The text is the hub's now. What was typed since then begins the next one."""
        app = self.app
        if self.now is writing:
            self.take()
        rest = writing.text.removeprefix(text) if writing.text.startswith(text) else writing.text
        revision = writing.revision
        writing.start_over(app.settings.request_ids(), at)
        self.kept.pop(writing.key, None)
        if self.now is writing and self.pane is not None:
            self.pane.box.put(rest)
            self.take()
            self.update()
        async with self.keeping:
            await app.desk.drop_draft(app.who, writing.conversation, revision, writing.note)
        self.mark()
        if rest:
            self.keep_soon(0.0)

    def set_aside(self) -> None:
        """Empty the box; undo brings the text back."""
        self.take()
        writing = self.now
        if writing is None or self.pane is None:
            return
        draft = writing.draft(self.app.settings.clock())
        if not writing.empty:
            self.app.acting.undo_later(partial(self.recover, draft))
            self.app.tell("strip.draft_dropped")
            self.app.start(partial(self.app.desk.discard_draft, self.app.who, draft), "discard", exclusive=False)
        self.pane.box.put("", (0, 0))
        self.take()
        writing.attachments, writing.bridge = (), ""
        self.keep_soon(0.0)

    async def recover_newest(self) -> None:
        """Bring back what was thrown away last in this conversation."""
        writing, app = self.now, self.app
        if writing is None:
            return
        found = await app.desk.discarded(app.who, writing.conversation)
        newest = next((draft for draft in found if draft.note == writing.note), None)
        if newest is None:
            app.tell("send.none_discarded", "dim")
        else:
            await self.recover(newest)

    async def recover(self, draft: Draft) -> None:
        """Put back what was thrown away, before what was typed since."""
        app = self.app
        name = self.now.name if self.now is not None else draft.customer
        await self.bring_back(restore(draft, name, app.settings.request_ids()))
        at = draft.discarded_at or draft.at
        app.tell("send.recovered", "good", time=app.say.when(at, app.settings.clock()))
        await app.desk.drop_discarded(app.who, draft)

    async def bring_back(self, writing: Writing) -> bool:
        """Put words back that were in the box before, ahead of what was typed since; say whether the box shows them.

        The box of somebody else's reply stays: nobody's words may go to another customer.
        """
        app = self.app
        self.take()
        since = self.known.get(writing.key)
        if since is not None:
            if not since.empty:
                writing.text = f"{writing.text}\n{since.text}"
            writing.attachments = tuple(dict.fromkeys((*writing.attachments, *since.attachments)))
            writing.expected = since.expected or writing.expected
            writing.answers, writing.answers_medium = since.answers, since.answers_medium
        writing.revision = max(writing.revision, since.revision if since is not None else 0) + 1
        writing.kept_revision = 0
        self.known[writing.key] = writing
        elsewhere = self.is_open and self.now is not None and self.now.customer != writing.customer
        if not elsewhere:
            opened = app.reading.opened
            if opened is None or writing.customer not in (opened.customer.id, *opened.customer.members):
                await app.reading.open(writing.customer, writing.conversation)
            app.close_page()
            await self.show(writing)
            if app.reading.opened is not None:
                self.opened(app.reading.opened)
            self.choose()
        await self.keep()
        return not elsewhere
