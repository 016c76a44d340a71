"""Sending what is written: one revision once, what the hub answers, and the start of the next text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from agentconsole.desk import Sent
from agentconsole.domain.model import Delivery, DeliveryRecord, EntryId, RefusedRoute
from agentconsole.errors import AgentConsoleError, Answered, HubAbsent, Refused
from agentconsole.ui.drafting import Writing
from agentconsole.ui.writer_base import WriterPart


class Sending(WriterPart):
    def send(self, *, anyway: bool = False) -> None:
        """Send what is typed. One revision is sent once, however often the key is pressed."""
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
        else:
            writing.sending = True
            app.start(partial(self._send, writing, writing.text, anyway=anyway), "send", exclusive=False)

    async def _send(self, writing: Writing, text: str, *, anyway: bool) -> None:
        app = self.app
        try:
            if writing.choice is None:
                await self.choose_for(writing)
            compose = writing.compose(anyway=anyway)
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
        await self._accepted(writing, text, sent)

    async def _refused(self, writing: Writing, error: Refused) -> None:
        """Say why. That somebody else answered meanwhile may be overruled."""
        app = self.app
        await self.choose_for(writing)
        writing.answered = isinstance(error, Answered)
        hint = "" if error.hint.startswith("--") else error.hint
        offer = app.say("strip.offer_anyway") if writing.answered else ""
        app.tell("strip.not_sent", "bad", why=f"{error.message} {hint} {offer}".strip())
        await app.reading.renew()

    async def _accepted(self, writing: Writing, text: str, sent: Sent) -> None:
        app, at = self.app, self.app.settings.clock()
        chat = writing.chat
        await self._start_over(writing, text, at)
        self.just_sent = (sent, writing.name, "")
        self.tell_sent(sent.state)
        app.acting.undo_later(lambda: app.acting.take_back(sent.id))
        app.note("sent", medium=sent.route.medium, state=sent.state, customer=writing.customer)
        if self.now is writing and self.is_open and not chat and not writing.text:
            app.guard()
            self.leave(told=False)
        await app.reading.renew()
        if app.reading.opened is not None:
            writing.expected = app.reading.opened.newest

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
        if self.just_sent is not None and self.just_sent[0].id in states:
            self.tell_sent(states[self.just_sent[0].id].state)

    async def _note(self, writing: Writing, text: str) -> None:
        app = self.app
        try:
            await app.desk.note(app.who, writing.request, writing.customer, writing.conversation, text)
        finally:
            writing.sending = False
        await self._start_over(writing, text, app.settings.clock())
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
        text, caret = writing.text, writing.caret
        if text.strip():
            self.app.acting.undo_later(lambda: self._bring_back(writing, text, caret))
            self.app.tell("strip.draft_dropped")
        self.pane.box.put("", (0, 0))
        self.take()
        self.keep_soon(0.0)

    async def _bring_back(self, writing: Writing, text: str, caret: tuple[int, int]) -> None:
        await self.show(writing)
        assert self.pane is not None
        self.pane.box.put(text, caret)
        self.changed()
