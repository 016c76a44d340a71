"""What is written: drafts, the walk over routes, sends and notes.

A draft belongs to a conversation, keeps its own request id, and is kept by the hub half a second after the last key,
when the keyboard leaves it, and when the console ends. While the hub is gone it is kept here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentconsole.domain.entries import Received
from agentconsole.domain.model import ConversationId, ConversationStatus, CustomerId, EntryId, RefusedRoute
from agentconsole.errors import NotFound
from agentconsole.ui import pages, people
from agentconsole.ui.bridging import others
from agentconsole.ui.drafting import Writing, holds, restore
from agentconsole.ui.draw import our
from agentconsole.ui.keeping import KEEP_SECONDS, Keeping
from agentconsole.ui.reply_bars import ReplyBars
from agentconsole.ui.sending import Sending

if TYPE_CHECKING:
    from agentconsole.ui.reading import Opened
    from agentconsole.ui.widgets.paper import Item


class Writer(Keeping, Sending):
    """Opens and leaves the box, and walks over routes and conversations; the parts keep and send."""

    # -- opening and leaving --------------------------------------------------------------------------------

    async def begin(
        self,
        customer: CustomerId,
        conversation: ConversationId,
        name: str,
        *,
        note: bool = False,
        purpose: str | None = None,
    ) -> None:
        """Open the box on a conversation, with the draft that is kept for it.

        Args:
            purpose: not None: where nothing is written yet, a message that answers nobody, about this.
        """
        key = (conversation, note)
        writing = self.known.get(key)
        restored = False
        kept = self.kept.get(key)
        if writing is None and kept is not None and holds(kept):
            writing, restored = restore(kept, name, self.app.settings.request_ids()), True
        if writing is None:
            writing = Writing(self.app.who.name, customer, conversation, name, self.app.settings.request_ids(), note)
        self.known[key] = writing
        if writing.empty and not note:
            writing.begin_first(purpose)
        await self.show(writing)
        if restored:
            self._tell_back(writing)
        opened = self.app.reading.opened
        if opened is not None and opened.conversation == conversation:
            self.opened(opened)
        self.choose()

    async def take_over(self, writing: Writing) -> bool:
        """Open the box on a draft made elsewhere; say no where the agent's own words would be lost."""
        for own in (self.known.get(writing.key), self.kept.get(writing.key)):
            mine = own is not None and (not own.empty if isinstance(own, Writing) else holds(own))
            if own is not None and mine and own.instead_of != writing.instead_of:
                return False
        self.known[writing.key] = writing
        await self.show(writing)
        opened = self.app.reading.opened
        if opened is not None:
            self.opened(opened)
        self.keep_soon(0.0)
        return True

    async def show(self, writing: Writing) -> None:
        if self.pane is None:
            await self.app.boxes()
            from agentconsole.ui.widgets.reply import ReplyPane

            bars = ReplyBars(self.app)
            self.pane = ReplyPane(bars.title, bars.why, bars.foot)
            await self.app.query_one("#main").mount(self.pane)
        self.now = writing
        self.pane.display = True
        self.pane.show_reasons(())
        self.pane.box.put(writing.text, writing.caret)
        self.pane.box.read_only = bool(writing.taken_by)
        self.app.focus_on(self.pane.box)
        self.update()
        self.app.company.here()

    def leave(self, *, told: bool = True) -> None:
        """Close the box; the draft stays."""
        if not self.is_open or self.pane is None or self.now is None:
            return
        self.take()
        writing = self.now
        self.keep_soon(0.0)
        self.pane.display = False
        self.app.company.here()
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
            writing.answers = here.last_in if not writing.proactive else EntryId("")
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
        drafts = [draft for draft in await app.desk.drafts(app.who) if holds(draft)]
        self.kept = {(draft.conversation, draft.note): draft for draft in drafts}
        self.mark()
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

    # -- the channel ----------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Ask which route the reply takes, and why."""
        if self.now is not None and not self.now.note:
            self.app.start(partial(self.choose_for, self.now), "choose")

    async def choose_for(self, writing: Writing) -> None:
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

    # -- drawing --------------------------------------------------------------------------------------------

    def update(self) -> None:
        if self.pane is not None and self.is_open:
            self.pane.update()
            if self.pane.reasons_shown and self.now is not None and self.now.choice is not None:
                self.pane.show_reasons(self.reasons(self.pane.size.width))
