"""What is written: drafts, the walk over routes, sends and notes.

A draft belongs to a conversation, keeps its own request id, and is kept by the hub half a second after the last key,
when the keyboard leaves it, and when the console ends. While the hub is gone it is kept here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from agentconsole.desk import Sent
from agentconsole.domain.entries import Received
from agentconsole.domain.model import (
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    DeliveryRecord,
    Draft,
    EntryId,
    RefusedRoute,
)
from agentconsole.errors import AgentConsoleError, Answered, HubAbsent, NotFound, Refused, StoreFault, TryLater
from agentconsole.ui import pages, people
from agentconsole.ui.bridging import Bridging, others
from agentconsole.ui.drafting import Writing, restore
from agentconsole.ui.draw import our
from agentconsole.ui.guarding import Guarding
from agentconsole.ui.reply_bars import ReplyBars

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.reading import Opened
    from agentconsole.ui.widgets.paper import Item
    from agentconsole.ui.widgets.reply import ReplyPane

KEEP_SECONDS: Final = 0.5
KEEP_AGAIN: Final = 5.0
"""Seconds after which a draft that the hub could not keep is offered again."""


class Writer:
    """Args:
    app: the console whose reply pane shows it.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.pane: ReplyPane | None = None
        self.now: Writing | None = None
        self.prompting = False
        self._known: dict[tuple[ConversationId, bool], Writing] = {}
        self._kept: dict[tuple[ConversationId, bool], Draft] = {}
        self._timer: Timer | None = None
        self._keeping = asyncio.Lock()
        self._told: tuple[Sent, str, str] | None = None
        self.guarding = Guarding(app)
        self.bridging = Bridging(app)

    # -- opening and leaving --------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return self.pane is not None and bool(self.pane.display) and self.now is not None

    async def begin(self, customer: CustomerId, conversation: ConversationId, name: str, *, note: bool = False) -> None:
        """Open the box on a conversation, with the draft that is kept for it."""
        key = (conversation, note)
        writing = self._known.get(key)
        restored = False
        kept = self._kept.get(key)
        if writing is None and kept is not None and kept.text:
            writing, restored = restore(kept, name, self.app.settings.request_ids()), True
        if writing is None:
            writing = Writing(self.app.who.name, customer, conversation, name, self.app.settings.request_ids(), note)
        self._known[key] = writing
        await self._show(writing)
        if restored:
            self._tell_back(writing)
        opened = self.app.reading.opened
        if opened is not None and opened.conversation == conversation:
            self.opened(opened)
        self.choose()

    async def take_over(self, writing: Writing) -> bool:
        """Open the box on a draft made elsewhere; say no where the agent's own words would be lost."""
        for own in (self._known.get(writing.key), self._kept.get(writing.key)):
            mine = own is not None and (not own.empty if isinstance(own, Writing) else bool(own.text.strip()))
            if own is not None and mine and own.instead_of != writing.instead_of:
                return False
        self._known[writing.key] = writing
        await self._show(writing)
        opened = self.app.reading.opened
        if opened is not None:
            self.opened(opened)
        self.keep_soon(0.0)
        return True

    async def _show(self, writing: Writing) -> None:
        if self.pane is None:
            await self.app.boxes_ready.wait()
            from agentconsole.ui.widgets.reply import ReplyPane

            bars = ReplyBars(self.app)
            self.pane = ReplyPane(bars.title, bars.why, bars.foot)
            await self.app.query_one("#main").mount(self.pane)
        self.now = writing
        self.pane.display = True
        self.pane.show_reasons(())
        self.pane.box.put(writing.text, writing.caret)
        self.app.focus_on(self.pane.box)
        self.update()

    def leave(self, *, told: bool = True) -> None:
        """Close the box; the draft stays."""
        if not self.is_open or self.pane is None or self.now is None:
            return
        self.take()
        writing = self.now
        self.keep_soon(0.0)
        self.pane.display = False
        self.app.focus_on(self.app.timeline if self.app.reading.opened is not None else self.app.queue)
        if told:
            if not writing.empty:
                self.app.tell("strip.draft_kept")
            else:
                self.app.tell_text(our(""))

    def opened(self, opened: Opened, *, again: bool = False) -> None:
        """The customer's page arrived: fill in what the reply answers; after a change choose again."""
        writing = self.now
        if writing is None or writing.customer not in (opened.customer.id, *opened.customer.members):
            return
        writing.name = people.customer_name(opened.customer)
        joined = opened.customer.joined.get(writing.conversation, writing.conversation)
        here = next((c for c in opened.customer.conversations if c.id == joined), None)
        if here is not None:
            writing.answers = here.last_in
            answered = next((entry for entry in opened.entries if entry.id == here.last_in), None)
            writing.answers_medium = answered.medium if isinstance(answered, Received) else writing.answers_medium
            writing.subject = writing.subject or here.subject
        if not again or not writing.expected:
            writing.expected = opened.newest
        if again and self.is_open:
            self.choose()
        self.update()

    async def restore(self) -> bool:
        """Bring back the newest draft after a start; say whether the box was opened."""
        app = self.app
        drafts = [draft for draft in await app.desk.drafts(app.who) if draft.text.strip()]
        self._kept = {(draft.conversation, draft.note): draft for draft in drafts}
        self._mark()
        if not drafts or app.touched:
            return False
        newest = max(drafts, key=lambda draft: draft.at)
        try:
            await app.reading.open(newest.customer, newest.conversation, looked=False)
        except NotFound:
            return False
        opened = app.reading.opened
        if opened is None or app.touched:
            return False
        app.guard()
        app.queue.choose(opened.conversation)
        app.view_bar.update()
        await self.begin(newest.customer, newest.conversation, people.customer_name(opened.customer), note=newest.note)
        return True

    def _tell_back(self, writing: Writing) -> None:
        at = writing.kept_at or self.app.settings.clock()
        self.app.tell("strip.draft_back", "good", time=self.app.say.when(at, self.app.settings.clock()))
        self.app.note("draft_restored", conversation=writing.conversation)

    # -- keeping --------------------------------------------------------------------------------------------

    def take(self) -> bool:
        """Take what the box holds into the draft; say whether the text changed."""
        if self.now is None or self.pane is None:
            return False
        box = self.pane.box
        changed = self.now.typed(box.typed, box.cursor_location)
        if self.now.unsaved:
            # Counting in milliseconds lets whoever typed last win over an older session of the same agent.
            self.now.revision = max(self.now.revision, int(self.app.settings.clock().timestamp() * 1000))
        return changed

    def changed(self) -> None:
        """The box changed: count, and keep it soon."""
        if self.take() and self.pane is not None:
            self.pane.foot_bar.update()
            self.pane.title_bar.update()
            self.keep_soon(KEEP_SECONDS)

    def keep_soon(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if seconds:
            self._timer = self.app.set_timer(seconds, lambda: self.keep_soon(0.0))
        else:
            self.app.start(self._keep_and_choose, "keep", exclusive=False)

    async def _keep_and_choose(self) -> None:
        self.take()
        writing = self.now
        await self.keep()
        if writing is not None and self.is_open and self.now is writing and not writing.note:
            await self._choose(writing)
            await self.guarding.ask(writing)
            if self.now is writing and self.pane is not None:
                self.pane.foot_bar.update()

    def keep_all(self) -> None:
        """The hub is back: keep what could not be kept."""
        self.app.start(self.keep, "keep", exclusive=False)

    async def keep(self) -> None:
        """Keep every draft that the hub does not have yet."""
        async with self._keeping:
            for writing in list(self._known.values()):
                if writing.unsaved:
                    try:
                        await self._keep_one(writing)
                    except (StoreFault, TryLater):
                        # Nobody may type again, and a disk that was full has room again some time.
                        self.keep_soon(KEEP_AGAIN)
                        raise

    async def _keep_one(self, writing: Writing) -> None:
        app = self.app
        now = app.settings.clock()
        draft = writing.draft(now)
        if writing.empty:
            if writing.key in self._kept:
                await app.desk.drop_draft(app.who, draft.conversation, draft.revision, draft.note)
            self._kept.pop(writing.key, None)
            writing.kept_revision = draft.revision
        elif await app.desk.save_draft(app.who, draft):
            writing.kept_revision, writing.kept_at = draft.revision, now
            self._kept[writing.key] = draft
        else:
            app.tell("strip.newer_draft", "warn")
        self._mark()
        if self.is_open and self.now is writing and self.pane is not None:
            self.pane.title_bar.update()

    def _mark(self) -> None:
        drafts = frozenset(name for (name, _), draft in self._kept.items() if draft.text.strip())
        if drafts != self.app.queue.drafts:
            self.app.queue.drafts = drafts
            self.app.queue.refresh_changed()

    async def forget(self, customer: CustomerId) -> None:
        """Let go of the drafts of a customer who was erased: nothing of them may be kept again."""
        async with self._keeping:
            for key in [key for key, writing in self._known.items() if writing.customer == customer]:
                writing = self._known.pop(key)
                self._kept.pop(key, None)
                if self.now is writing:
                    self.now = None
                    if self.pane is not None:
                        self.pane.display = False
            self._kept = {key: draft for key, draft in self._kept.items() if draft.customer != customer}
        self._mark()

    async def flush(self) -> None:
        """Keep everything now: the console ends."""
        if self.is_open:
            self.take()
        await self.keep()

    # -- the channel ----------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Ask which route the reply takes, and why."""
        if self.now is not None and not self.now.note:
            self.app.start(partial(self._choose, self.now), "choose")

    async def _choose(self, writing: Writing) -> None:
        app = self.app
        choice = await app.desk.choose(app.who, writing.compose(asking=True))
        before = writing.at
        writing.choice = choice
        if writing.begun is None and writing.text.strip():
            writing.begin_here()
        if writing.pinned is not None and writing.at is not None:
            writing.pinned = writing.at.route if writing.at is not writing.steps()[0] else None
        self.bridging.adjust(writing)
        if self.now is writing:
            self.update()
            if isinstance(writing.at, RefusedRoute) and before != writing.at:
                app.note("refused_seen", medium=writing.medium, reason=writing.at.reason)

    def next_route(self) -> None:
        writing = self.now
        if writing is None or writing.note:
            return
        step = writing.walk()
        if step is None:
            return
        if isinstance(step, RefusedRoute):
            self.app.note("refused_seen", medium=step.route.medium, reason=step.reason)
        else:
            self.app.note("route_walked", medium=step.route.medium)
        self.bridging.adjust(writing)
        self.update()
        if not writing.empty:
            self.keep_soon(KEEP_SECONDS)

    async def next_conversation(self) -> None:
        """Go to another open conversation of the same customer, each with its own draft."""
        opened, writing = self.app.reading.opened, self.now
        if opened is None or writing is None:
            return
        names = [c.id for c in opened.customer.conversations if c.status != ConversationStatus.RESOLVED]
        if len(names) < 2:
            return
        self.take()
        self.keep_soon(0.0)
        here = opened.customer.joined.get(writing.conversation, writing.conversation)
        place = (names.index(here) + 1) % len(names) if here in names else 0
        opened.conversation = names[place]
        await self.begin(opened.customer.id, names[place], writing.name, note=writing.note)
        self.app.head.update()

    def toggle_reasons(self) -> None:
        """Show or hide the whole choice above the text."""
        if self.pane is None or self.now is None:
            return
        if self.pane.reasons_shown or self.now.choice is None:
            self.pane.show_reasons(())
            self.app.arrange(self.app.size)
            return
        self.pane.show_reasons(self.reasons(self.pane.size.width))
        self.app.arrange(self.app.size)
        self.app.note("why_seen", medium=self.now.medium)

    def reasons(self, width: int) -> list[Item]:
        assert self.now is not None
        assert self.now.choice is not None
        at = self.now.at
        more = others(self.now, self.app.reading.opened)
        return pages.why(
            self.now.choice, at.route if at else None, self.app.say, self.app.settings.clock(), width, more
        )

    # -- sending --------------------------------------------------------------------------------------------

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
                await self._choose(writing)
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
        await self._choose(writing)
        writing.answered = isinstance(error, Answered)
        hint = "" if error.hint.startswith("--") else error.hint
        offer = app.say("strip.offer_anyway") if writing.answered else ""
        app.tell("strip.not_sent", "bad", why=f"{error.message} {hint} {offer}".strip())
        await app.reading.renew()

    async def _accepted(self, writing: Writing, text: str, sent: Sent) -> None:
        app, at = self.app, self.app.settings.clock()
        chat = writing.chat
        await self._start_over(writing, text, at)
        self._told = (sent, writing.name, "")
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
        if self._told is None:
            return
        sent, name, before = self._told
        if before and self.app.told != before:
            self._told = None
            return
        say = self.app.say
        text = say("strip.accepted", medium=say.title(sent.route.medium), name=name, state=say.state(state))
        self._told = (sent, name, text)
        style = {Delivery.FAILED: "bad", Delivery.UNCERTAIN: "warn"}.get(state, "good")
        self.app.tell_text(text, style)

    def states_changed(self, states: Mapping[EntryId, DeliveryRecord]) -> None:
        """The opened customer was read again: renew what the strip says of the newest send."""
        if self._told is not None and self._told[0].id in states:
            self.tell_sent(states[self._told[0].id].state)

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
        self._kept.pop(writing.key, None)
        if self.now is writing and self.pane is not None:
            self.pane.box.put(rest)
            self.take()
            self.update()
        async with self._keeping:
            await app.desk.drop_draft(app.who, writing.conversation, revision, writing.note)
        self._mark()
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
        await self._show(writing)
        assert self.pane is not None
        self.pane.box.put(text, caret)
        self.changed()

    # -- drawing --------------------------------------------------------------------------------------------

    def update(self) -> None:
        if self.pane is not None and self.is_open:
            self.pane.update()
            if self.pane.reasons_shown and self.now is not None and self.now.choice is not None:
                self.pane.show_reasons(self.reasons(self.pane.size.width))
