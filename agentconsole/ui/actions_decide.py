"""What an agent decides about replies: check, send again, mark as sent, give up. From a page or from the timeline.

What cannot be taken back is asked once, and the answer is another key than the one that asked: a key pressed twice
over a slow line decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from agentconsole.desk import OutboxLine, Sent
from agentconsole.domain.entries import Reply
from agentconsole.domain.model import Delivery, DeliveryRecord, EntryId
from agentconsole.text.hangul import in_latin_mode
from agentconsole.ui import care_pages, pages, people
from agentconsole.ui.actions_base import ActingPart, Work
from agentconsole.ui.draw import Safe, our

_OUTBOX: Final = (Delivery.UNCERTAIN, Delivery.FAILED, Delivery.QUEUED, Delivery.SENDING)
_OPEN: Final = frozenset({Delivery.UNCERTAIN, Delivery.FAILED})
PAGES: Final = ("outbox", "uncertain")

TOO_SOON: Final = 0.35
"""Seconds within which an answer came in one read with the key that asked: it was typed for something else."""

YES: Final = "y"


@dataclass(frozen=True)
class Undecided:
    """A reply that the keyboard is on."""

    record: DeliveryRecord
    name: str


class DecideActions(ActingPart):
    question: tuple[Safe, Work, float] | None = None
    """What is asked, what yes does, and when it was asked."""

    lines: Sequence[OutboxLine] = ()

    # -- asking once ----------------------------------------------------------------------------------------

    def ask(self, text: Safe, yes: Work) -> None:
        """Ask in the strip; the next key answers."""
        self.question = (text, yes, time.monotonic())
        self.app.tell_text(text, "warn")

    def answered(self, name: str) -> None:
        """Take a key as the answer to what is asked."""
        assert self.question is not None
        text, yes, since = self.question
        if time.monotonic() < since + TOO_SOON:
            return
        if self.app.told != text:
            self.app.tell_text(text, "warn")  # news stood in its place: nobody says yes to what is not on the screen
            return
        if name != YES and in_latin_mode(name) == YES:
            with_hint = our(f"{self.app.say('strip.hangul')} {text}")
            self.app.tell_text(with_hint, "warn")
            self.question = (with_hint, yes, since)
            return
        self.question = None
        if name == YES:
            self.app.tell_text(our(""))
            self.run(yes)
        else:
            self.app.tell("ask.left", "dim")

    # -- pages ----------------------------------------------------------------------------------------------

    def do_outbox(self) -> None:
        self.app.start(partial(self._show_replies, "outbox"), "page")

    def do_uncertain(self) -> None:
        self.app.tell_text(our(""))
        self.app.start(partial(self._show_replies, "uncertain"), "page")

    async def _show_replies(self, kind: str, *, keep: bool = False) -> None:
        app = self.app
        states = _OUTBOX if kind == "outbox" else (Delivery.UNCERTAIN,)
        lines = await app.desk.outbox(app.who, states)
        if keep and app.page_kind != kind:
            return
        self.lines = lines
        self._draw_replies(kind, keep=keep)

    def _draw_replies(self, kind: str, *, keep: bool) -> None:
        app = self.app
        draw = pages.outbox if kind == "outbox" else care_pages.uncertain
        app.show_page(kind, lambda width: draw(self.lines, app.say, app.settings.clock(), width), keep=keep)

    def renew_replies(self) -> None:
        """Something changed: what was decided or proven meanwhile leaves the page, whoever shows it."""
        if self.app.page_kind in PAGES:
            self.app.start(partial(self._show_replies, self.app.page_kind, keep=True), "page")

    def minute(self) -> None:
        """Let ages on the page go on."""
        if self.app.page_kind == "uncertain":
            self._draw_replies("uncertain", keep=True)

    # -- deciding -------------------------------------------------------------------------------------------

    def _undecided(self, allowed: frozenset[Delivery]) -> Undecided | None:
        """Return the reply that the keyboard is on; say so where there is nothing to decide."""
        app = self.app
        found: Undecided | None = None
        if app.where == "paper":
            chosen = app.page.chosen if app.page_kind in PAGES else None
            found = next(
                (Undecided(line.record, line.name) for line in self.lines if line.record.reply == chosen), None
            )
        elif app.reading.opened is not None and isinstance(app.timeline.chosen_entry, Reply):
            record = app.reading.opened.states.get(app.timeline.chosen_entry.id)
            if record is not None:
                found = Undecided(record, people.customer_name(app.reading.opened.customer))
        if found is None or found.record.state not in allowed:
            failed = found is not None and found.record.state == Delivery.FAILED
            app.tell("decide.known" if failed else "decide.nothing", "dim")
            return None
        return found

    def _asked(self, key: str, found: Undecided, work: Work) -> None:
        say = self.app.say
        text = say(key, name=found.name, medium=say.medium(found.record.medium))
        self.ask(our(f"{text} {say('ask.keys')}"), work)

    async def _decide(
        self, call: Callable[[], Coroutine[Any, Any, Sent]], key: str, found: Undecided, style: str = "good"
    ) -> None:
        try:
            sent = await call()
        finally:
            self.renew_replies()
        self._tell(key, found, sent, style)
        await self.app.reading.renew()

    def _tell(self, key: str, found: Undecided, sent: Sent, style: str = "good") -> None:
        say = self.app.say
        self.app.tell(key, style, name=found.name, medium=say.title(found.record.medium), state=say.state(sent.state))

    async def outbox_told(self, sent: Sent) -> None:
        self.app.tell("strip.checked", "good", state=self.app.say.state(sent.state))
        await self.app.reading.renew()

    def do_check(self) -> None:
        found = self._undecided(frozenset({Delivery.UNCERTAIN}))
        if found is not None:
            self.app.tell("decide.asking", "dim", medium=self.app.say.title(found.record.medium))
            self.run(partial(self._check, found))

    async def _check(self, found: Undecided) -> None:
        app = self.app
        try:
            sent = await app.desk.outbox_check(app.who, self.request(), found.record.reply)
        finally:
            self.renew_replies()
        if sent.state == Delivery.UNCERTAIN:
            self._tell("decide.cannot" if sent.asked == "cannot" else "decide.no_proof", found, sent, "warn")
        else:
            self._tell("decide.proof", found, sent, "bad" if sent.state == Delivery.FAILED else "good")
        await app.reading.renew()

    def do_resend(self) -> None:
        found = self._undecided(_OPEN)
        if found is None:
            return
        desk, who, reply = self.app.desk, self.app.who, found.record.reply
        call = partial(desk.resend, who, self.request(), reply)
        if found.record.state == Delivery.UNCERTAIN:
            self._asked("ask.resend", found, partial(self._decide, call, "decide.resent", found))
        else:
            self.run(partial(self._resend_failed, call, found, reply))

    async def _resend_failed(
        self, call: Callable[[], Coroutine[Any, Any, Sent]], found: Undecided, reply: EntryId
    ) -> None:
        await self._decide(call, "decide.resent", found)
        self.undo_later(partial(self.take_back, reply))

    def do_fallback(self) -> None:
        found = self._undecided(_OPEN)  # of one that may have gone out the hub says why not
        if found is not None:
            self.run(partial(self.app.writer.bridging.begin_instead, found.record.reply))

    def do_mark_sent(self) -> None:
        found = self._undecided(_OPEN)
        if found is not None:
            call = partial(self.app.desk.mark_sent, self.app.who, self.request(), found.record.reply)
            self._asked("ask.mark_sent", found, partial(self._decide, call, "decide.marked", found))

    def do_cancel(self) -> None:
        found = self._undecided(_OPEN | {Delivery.QUEUED})
        if found is not None:
            call = partial(self.app.desk.cancel, self.app.who, self.request(), found.record.reply)
            self._asked("ask.cancel", found, partial(self._decide, call, "decide.given_up", found))

    async def take_back(self, reply: EntryId) -> None:
        """Undo a send that is still queued; the hub refuses where it has left."""
        await self.outbox_told(await self.app.desk.cancel(self.app.who, self.request(), reply))
