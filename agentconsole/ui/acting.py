"""What every action of the registry does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from agentconsole.domain.model import (
    ConversationId,
    CustomerId,
    EntryId,
    Medium,
    Wish,
)
from agentconsole.ui import outside_screen
from agentconsole.ui.actions_base import NO_ENTRY, Target
from agentconsole.ui.actions_compose import ComposeActions
from agentconsole.ui.actions_find import FindActions
from agentconsole.ui.actions_look import LookActions
from agentconsole.ui.actions_pages import PageActions
from agentconsole.ui.actions_prompts import PromptActions
from agentconsole.ui.actions_sending import SendingActions
from agentconsole.ui.actions_trust import TrustActions
from agentconsole.ui.actions_views import ViewActions
from agentconsole.ui.beginning import BeginActions
from agentconsole.ui.draw import our
from agentconsole.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from agentconsole.ui.reading import Opened


class Acting(
    PageActions,
    PromptActions,
    FindActions,
    ComposeActions,
    TrustActions,
    LookActions,
    SendingActions,
    BeginActions,
    ViewActions,
):
    """Moving, opening, writing, changing; the parts add pages and prompts."""

    def method(self, name: str) -> Callable[..., Awaitable[None] | None]:
        found: Callable[..., Awaitable[None] | None] = getattr(self, f"do_{name}")
        return found

    # -- moving ---------------------------------------------------------------------------------------------

    def _list(self) -> Lines:
        focused = self.app.focused
        return focused if isinstance(focused, Lines) else self.app.queue

    def _moved(self) -> None:
        if self._list() is self.app.queue:
            self.app.view_bar.update()

    def do_down(self) -> None:
        self._list().move(1)
        self._moved()

    def do_up(self) -> None:
        self._list().move(-1)
        self._moved()

    def do_page_down(self) -> None:
        self._list().page(0.5)
        self._moved()

    def do_page_up(self) -> None:
        self._list().page(-0.5)
        self._moved()

    def do_home(self) -> None:
        self._list().home()
        self._moved()

    def do_end(self) -> None:
        if self._list() is self.app.timeline and self.app.reading.detached:
            self.app.start(self.app.reading.to_newest, "open")
            return
        self._list().end()
        self._moved()

    def do_pane(self, name: str) -> None:
        app = self.app
        app.close_page()
        if name == "queue":
            app.focus_on(app.queue)
        elif name == "timeline" and app.reading.opened is not None:
            app.focus_on(app.timeline)
        elif name == "reply" and app.writer.is_open and app.writer.pane is not None:
            app.focus_on(app.writer.pane.box)

    def _panes(self) -> list[Widget]:
        app = self.app
        found: list[Widget] = [app.queue]
        if app.reading.opened is not None:
            found.append(app.timeline)
        if app.writer.is_open and app.writer.pane is not None:
            found.append(app.writer.pane.box)
        if app.card.display:
            found.append(app.card)
        return found

    def _step_pane(self, by: int) -> None:
        panes = self._panes()
        focused = self.app.focused
        if self.app.page_kind or focused is None or focused not in panes:
            return
        self.app.focus_on(panes[(panes.index(focused) + by) % len(panes)])

    def do_next_pane(self) -> None:
        self._step_pane(1)

    def do_previous_pane(self) -> None:
        self._step_pane(-1)

    def do_back(self) -> None:
        app = self.app
        if app.writer.prompting:
            self.close_prompt()
            app.close_page()
        elif app.where == "box" and app.writer.pane is not None and app.writer.pane.reasons_shown:
            app.writer.toggle_reasons()
        elif app.where == "box":
            app.writer.leave()
        elif app.page_kind:
            app.close_page()
        elif app.where == "conversation" and self.back_from_evidence():
            pass
        elif app.where in ("conversation", "paper"):
            app.focus_on(app.queue)
        elif self.unmark():
            app.tell_text(our(""))
        elif app.reading.words:
            self.filter_by("")
        elif app.settings.coach is not None and not app.coach_hidden:
            app.coach_hidden = True
            app.arrange(app.size)
        else:
            app.tell_text(our(""))

    def do_zoom(self) -> None:
        """Let the pane with the keyboard have the whole window, or give the others their place back."""
        self.app.zoomed = not self.app.zoomed
        self.app.arrange(self.app.size)

    def do_left(self) -> None:
        self.app.focus_on(self.app.queue)

    def do_redraw(self) -> None:
        self.app.refresh(repaint=True, layout=True)

    def do_suspend(self) -> None:
        outside_screen.suspend(self.app)

    async def do_quit(self) -> None:
        await self.app.end()

    # -- opening --------------------------------------------------------------------------------------------

    def do_open(self) -> None:
        line = self.app.queue.chosen
        if line is None:
            self.app.tell("strip.nobody_chosen")
            return
        self.open(line.customer, line.conversation)

    def open(self, customer: CustomerId, conversation: ConversationId, entry: EntryId = NO_ENTRY) -> None:
        self.app.reading.expect(customer)
        self.app.start(partial(self._open_now, customer, conversation, entry), "open")

    async def _open_now(self, customer: CustomerId, conversation: ConversationId, entry: EntryId) -> None:
        app = self.app
        where = app.focused
        app.queue.is_next = False
        if app.reading.opened is not None and app.reading.opened.customer.id != customer:
            app.tell_text(our(""))
        await app.reading.open(customer, conversation, entry=entry)
        if app.focused is where or entry:
            app.close_page()
            app.focus_on(app.timeline)

    def do_next_waiting(self) -> None:
        self._next_waiting(1)

    def do_previous_waiting(self) -> None:
        self._next_waiting(-1)

    def _next_waiting(self, by: int) -> None:
        queue = self.app.queue
        here = -1 if queue.is_next else queue.cursor
        place = here if here >= 0 else queue.place - (1 if by > 0 else 0)
        waiting = [n for n, line in queue.lines() if line.waiting_since is not None and n != here]
        if not waiting:
            self.app.tell("strip.all_done")
            return
        ahead = [n for n in waiting if (n > place if by > 0 else n < place)] or waiting
        self._go(min(ahead) if by > 0 else max(ahead))

    def do_next_row(self) -> None:
        self._go((self.app.queue.cursor if self.app.queue.cursor >= 0 else self.app.queue.place - 1) + 1)

    def do_previous_row(self) -> None:
        self._go((self.app.queue.cursor if self.app.queue.cursor >= 0 else self.app.queue.place) - 1)

    def _go(self, place: int) -> None:
        queue = self.app.queue
        if 0 <= place < queue.count:
            queue.select(place)
            self.app.view_bar.update()
            self.do_open()

    def do_view(self, view: str) -> None:
        self.app.close_page()
        self.app.focus_on(self.app.queue)
        self.app.start(partial(self.app.reading.show_view, view), "view")

    def do_unfold(self) -> None:
        opened = self.app.reading.opened
        chosen = self.app.timeline.chosen
        if opened is not None and chosen:
            opened.whole ^= {chosen}
            self.app.reading.relook()

    def do_reveal(self) -> None:
        """Show the numbers of one message, or mask them again."""
        opened, chosen = self.app.reading.opened, self.app.timeline.chosen
        if opened is None or not chosen:
            return
        if chosen in opened.clear:
            del opened.clear[chosen]
            self.app.reading.relook()
        elif chosen in opened.masked:
            self.app.start(partial(self._reveal, opened, chosen), "page")
        else:
            self.app.tell("strip.nothing_masked")

    async def _reveal(self, opened: Opened, entry: EntryId) -> None:
        text = await self.app.desk.reveal(self.app.who, self.request(), entry)
        if self.app.reading.opened is opened:
            opened.clear[entry] = text
            self.app.reading.relook()
            self.app.tell("strip.revealed", "warn")

    # -- writing --------------------------------------------------------------------------------------------

    async def do_reply(self) -> None:
        await self.write(note=False)

    async def do_note(self) -> None:
        if self.app.where == "list" and self.app.queue.marks:
            await self.note_on_all()
        else:
            await self.write(note=True)

    async def write(self, *, note: bool, target: Target | None = None, purpose: str | None = None) -> None:
        """Open the box.

        Args:
            target: for whom; whom the keyboard is on where None.
            purpose: not None: a message that answers nobody, about this.
        """
        target = target or self.target()
        if target is None:
            return
        app = self.app
        app.tell_text(our(""))
        opened = app.reading.opened
        if opened is None or target.customer not in (opened.customer.id, *opened.customer.members):
            app.start(partial(app.reading.open, target.customer, target.conversation), "open")
        elif opened.conversation != target.conversation:
            opened.conversation = opened.customer.joined.get(target.conversation, target.conversation)
            app.head.update()
        await app.writer.begin(target.customer, target.conversation, target.name, note=note, purpose=purpose)

    def do_send(self) -> None:
        self.app.writer.send()

    def do_send_anyway(self) -> None:
        writing = self.app.writer.now
        if writing is None:
            return
        confirmed = self.app.writer.guarding.confirm(writing)
        if confirmed or writing.answered or writing.crowded:
            self.app.writer.send(anyway=writing.answered, beside=writing.crowded)

    def do_next_route(self) -> None:
        self.app.writer.next_route()

    async def do_next_conversation(self) -> None:
        await self.app.writer.next_conversation()

    def do_put_known(self) -> None:
        self.app.writer.guarding.act()

    def do_remember(self) -> None:
        self.app.writer.bridging.remember()

    def do_set_aside(self) -> None:
        self.app.writer.set_aside()

    def do_why(self) -> None:
        if self.app.where == "box":
            self.app.writer.toggle_reasons()
            return
        target = self.target()
        if target is not None:
            self.app.start(partial(self.why, target), "page")

    # -- changing -------------------------------------------------------------------------------------------

    def do_link(self) -> None:
        self._answer(accept=True)

    def do_refuse_link(self) -> None:
        self._answer(accept=False)

    def _answer(self, *, accept: bool) -> None:
        found, wish = self.app.reading.suggestion, self.app.reading.wish
        if found is not None:
            self.run(partial(self._answer_now, found.id, found.customer, accept=accept))
        elif wish is not None:
            self.run(partial(self._answer_wish, wish, accept=accept))
        elif not accept or not self.link_asked():
            self.app.tell("strip.no_suggestion")

    async def _answer_wish(self, wish: Wish, *, accept: bool) -> None:
        app, opened = self.app, self.app.reading.opened
        await app.desk.answer_wish(app.who, self.request(), wish.id, accept)
        app.tell("wish.taken" if accept else "wish.refused", "good", medium=app.say.medium(wish.medium))
        # Where another wish stood before, taking it back would not bring that one with its date and message.
        if accept and opened is not None and all(p.purpose != wish.purpose for p in opened.customer.preferences):
            self.undo_later(partial(self._forget_wish, opened.customer.id, wish.purpose))
        await app.reading.renew()

    async def _forget_wish(self, customer: CustomerId, purpose: str) -> None:
        app = self.app
        await app.desk.prefer(app.who, self.request(), customer, Medium(""), purpose, EntryId(""))
        app.tell("strip.undone", "good")
        await app.reading.renew()

    async def _answer_now(self, suggestion: EntryId, customer: CustomerId, *, accept: bool) -> None:
        app = self.app
        merge = await app.desk.answer_suggestion(app.who, self.request(), suggestion, accept)
        if not accept:
            app.tell("strip.not_same", "good")
        else:
            app.tell("strip.linked", "good")
            self.undo_later(lambda: self._unmerge(customer, merge))
            app.note("linked", customer=customer)
        await app.reading.renew()

    async def _unmerge(self, customer: CustomerId, merge: EntryId) -> None:
        app = self.app
        await app.desk.unmerge(app.who, self.request(), customer, merge)
        app.tell("strip.unlinked", "good")
        app.note("unlinked", customer=customer)
        await app.reading.renew()

    async def do_repeat(self) -> None:
        if self._again is None:
            self.app.tell("strip.nothing_to_repeat", "dim")
        else:
            await self._again()
