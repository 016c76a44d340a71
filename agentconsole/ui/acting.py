"""What every action of the registry does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from textual.containers import Horizontal
from textual.widget import Widget

from agentconsole.desk import Sent, Status
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Delivery,
    EntryId,
)
from agentconsole.errors import AgentConsoleError
from agentconsole.ui import keys, pages, people
from agentconsole.ui.draw import our, row
from agentconsole.ui.widgets.bar import Bar
from agentconsole.ui.widgets.lines import Lines
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.widgets.boxes import Prompt

UNDO_DEPTH: Final = 20
SEARCH_LIMIT: Final = 100
_OUTBOX: Final = (Delivery.UNCERTAIN, Delivery.FAILED, Delivery.QUEUED, Delivery.SENDING)


Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Target:
    """Whom an action means, fixed at the moment of the key."""

    customer: CustomerId
    conversation: ConversationId
    name: str
    assignee: AgentName
    status: ConversationStatus


class Acting:
    """Args:
    app: the console; ``do_<id>`` of this class is what the registry's action of that id does.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.prompt: Prompt | None = None
        self._ask: Widget | None = None
        self._label: Bar | None = None
        self._asking = ""
        self.asked_from: Widget | None = None
        self._undo: list[Work] = []
        self._one_at_a_time = asyncio.Lock()
        self._assigning: Target | None = None
        self._palette_where = "list"

    def method(self, name: str) -> Callable[..., Awaitable[None] | None]:
        found: Callable[..., Awaitable[None] | None] = getattr(self, f"do_{name}")
        return found

    # -- whom it means --------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """Return the conversation that the keyboard is on."""
        app = self.app
        line = app.queue.chosen
        opened = app.reading.opened
        if app.where == "list" and line is not None:
            return Target(line.customer, line.conversation, line.name, line.assignee, line.status)
        if opened is None:
            app.tell("strip.nobody_chosen")
            return None
        here = next((c for c in opened.customer.conversations if c.id == opened.conversation), None)
        return Target(
            opened.customer.id,
            opened.conversation,
            people.customer_name(opened.customer),
            here.assignee if here is not None else AgentName(""),
            here.status if here is not None else ConversationStatus.OPEN,
        )

    def _run(self, work: Work) -> None:
        """Run a change after those that were asked for before."""
        self.app.start(partial(self._in_turn, work), "change", exclusive=False)

    async def _in_turn(self, work: Work) -> None:
        async with self._one_at_a_time:
            await work()

    def undo_later(self, back: Work) -> None:
        self._undo.append(back)
        del self._undo[:-UNDO_DEPTH]

    def _request(self) -> str:
        return self.app.settings.request_ids()

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
            self._close_prompt()
            app.close_page()
        elif app.where == "box":
            app.writer.leave()
        elif app.page_kind:
            app.close_page()
        elif app.where in ("conversation", "paper"):
            app.focus_on(app.queue)
        elif app.settings.coach is not None and not app.coach_hidden:
            app.coach_hidden = True
            app.arrange(app.size)
        else:
            app.tell_text(our(""))

    def do_left(self) -> None:
        self.app.focus_on(self.app.queue)

    def do_redraw(self) -> None:
        self.app.refresh(repaint=True, layout=True)

    def do_suspend(self) -> None:
        self.app.action_suspend_process()

    async def do_quit(self) -> None:
        await self.app.end()

    # -- opening --------------------------------------------------------------------------------------------

    def do_open(self) -> None:
        line = self.app.queue.chosen
        if line is None:
            self.app.tell("strip.nobody_chosen")
            return
        self._open(line.customer, line.conversation)

    def _open(self, customer: CustomerId, conversation: ConversationId, entry: EntryId = EntryId("")) -> None:  # noqa: B008
        self.app.start(partial(self._open_now, customer, conversation, entry), "open")

    async def _open_now(self, customer: CustomerId, conversation: ConversationId, entry: EntryId) -> None:
        app = self.app
        where = app.focused
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
        place = queue.cursor if queue.cursor >= 0 else queue.place - (1 if by > 0 else 0)
        rows = queue.lines() if by > 0 else list(reversed(queue.lines()))
        after = [
            (n, line) for n, line in rows if (n > place if by > 0 else n < place) and line.waiting_since is not None
        ]
        if not after:
            self.app.tell("strip.all_done")
            return
        self._go(after[0][0])

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

    # -- writing --------------------------------------------------------------------------------------------

    async def do_reply(self) -> None:
        await self._write(note=False)

    async def do_note(self) -> None:
        await self._write(note=True)

    async def _write(self, *, note: bool) -> None:
        target = self.target()
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
        await app.writer.begin(target.customer, target.conversation, target.name, note=note)

    def do_send(self) -> None:
        self.app.writer.send()

    def do_send_anyway(self) -> None:
        writing = self.app.writer.now
        if writing is not None and writing.answered:
            self.app.writer.send(anyway=True)

    def do_next_route(self) -> None:
        self.app.writer.next_route()

    async def do_next_conversation(self) -> None:
        await self.app.writer.next_conversation()

    def do_set_aside(self) -> None:
        self.app.writer.set_aside()

    def do_why(self) -> None:
        if self.app.where == "box":
            self.app.writer.toggle_reasons()
            return
        target = self.target()
        if target is not None:
            self.app.start(partial(self._why, target), "page")

    async def _why(self, target: Target) -> None:
        from agentconsole.desk import Compose

        app = self.app
        choice = await app.desk.choose(app.who, Compose(target.customer, "", target.conversation))
        best = choice.best
        items = pages.why(choice, best.route if best else None, app.say, app.settings.clock(), app.size.width)
        app.show_page("why", items)
        app.note("why_seen", medium=best.route.medium if best else "")

    # -- changing -------------------------------------------------------------------------------------------

    def do_assign(self) -> None:
        target = self.target()
        if target is not None:
            me = self.app.who.name
            self._run(partial(self._assign, target, AgentName("") if target.assignee == me else me))

    async def do_assign_to(self) -> None:
        self._assigning = self.target()
        if self._assigning is not None:
            await self._open_prompt("assign")

    async def _assign(self, target: Target, assignee: AgentName) -> None:
        app = self.app
        await app.desk.assign(app.who, self._request(), target.customer, target.conversation, assignee)
        if assignee:
            app.tell("strip.assigned", "good", name=assignee)
        else:
            app.tell("strip.released", "good")

        async def back() -> None:
            await app.desk.assign(app.who, self._request(), target.customer, target.conversation, target.assignee)
            app.tell("strip.undone", "good")

        self.undo_later(back)

    def do_close(self) -> None:
        self._set_status(ConversationStatus.RESOLVED, "strip.closed")

    def do_reopen(self) -> None:
        self._set_status(ConversationStatus.OPEN, "strip.reopened")

    def _set_status(self, status: ConversationStatus, said: str) -> None:
        target = self.target()
        if target is not None and target.status != status:
            self._run(partial(self._status, target, status, said))

    async def _status(self, target: Target, status: ConversationStatus, said: str) -> None:
        app = self.app
        await app.desk.set_status(app.who, self._request(), target.customer, target.conversation, status, None)
        app.tell(said, "good")
        if status == ConversationStatus.RESOLVED:
            app.note("closed", customer=target.customer)

        async def back() -> None:
            before = target.status if target.status != ConversationStatus.SNOOZED else ConversationStatus.OPEN
            await app.desk.set_status(app.who, self._request(), target.customer, target.conversation, before, None)
            app.tell("strip.undone", "good")

        self.undo_later(back)

    def do_link(self) -> None:
        self._answer(accept=True)

    def do_refuse_link(self) -> None:
        self._answer(accept=False)

    def _answer(self, *, accept: bool) -> None:
        found = self.app.reading.suggestion
        if found is None:
            self.app.tell("strip.no_suggestion")
        else:
            self._run(partial(self._answer_now, found.id, found.customer, accept=accept))

    async def _answer_now(self, suggestion: EntryId, customer: CustomerId, *, accept: bool) -> None:
        app = self.app
        merge = await app.desk.answer_suggestion(app.who, self._request(), suggestion, accept)
        if not accept:
            app.tell("strip.not_same", "good")
        else:
            app.tell("strip.linked", "good")
            self.undo_later(lambda: self._unmerge(customer, merge))
            app.note("linked", customer=customer)
        await app.reading.renew()

    async def _unmerge(self, customer: CustomerId, merge: EntryId) -> None:
        app = self.app
        await app.desk.unmerge(app.who, self._request(), customer, merge)
        app.tell("strip.unlinked", "good")
        app.note("unlinked", customer=customer)
        await app.reading.renew()

    async def take_back(self, reply: EntryId) -> None:
        """Undo a send that is still queued; the hub refuses where it has left."""
        await self._outbox_told(await self.app.desk.cancel(self.app.who, self._request(), reply))

    def do_undo(self) -> None:
        if self._undo:
            self._run(self._undo.pop())
        else:
            self.app.tell("strip.nothing_to_undo")

    # -- pages ----------------------------------------------------------------------------------------------

    def _page_width(self) -> int:
        return self.app.size.width - 2

    def do_help(self) -> None:
        app = self.app
        if app.settings.coach is not None and app.coach_hidden:
            app.coach_hidden = False
            app.arrange(app.size)
            app.coach.update()
            return
        app.show_page("help", pages.help_page(app.where, app.say, self._page_width()))

    def do_health(self) -> None:
        self.app.start(self._health, "page")

    async def _health(self) -> None:
        app = self.app
        status = await app.desk.status(app.who)
        app.show_page("health", pages.health(status, app.say, app.settings.clock(), self._page_width()))

    def status_changed(self, before: Status | None, status: Status) -> None:
        """Say once that an account went down; renew the page that shows it."""
        app = self.app
        if app.page_kind == "health":
            app.show_page("health", pages.health(status, app.say, app.settings.clock(), self._page_width()), keep=True)
        was_down = {a.name for a in before.accounts if pages.is_down(a)} if before is not None else set()
        for account in status.accounts:
            if pages.is_down(account) and account.name not in was_down:
                at = account.since or account.last_ok or status.now
                why = account.error or app.say.account_state(account.state)
                app.tell(
                    "strip.down",
                    "bad",
                    medium=app.say.medium(account.medium),
                    time=app.say.clock(at),
                    why=why.rstrip("."),
                )
        if app.page_kind == "outbox":
            app.start(partial(self._show_outbox, keep=True), "page")

    def do_card(self) -> None:
        app = self.app
        if app.reading.opened is None:
            app.tell("strip.nobody_chosen")
        elif app.card.display:
            app.focus_on(app.card)
        else:
            app.show_page("card", ())
            app.reading.draw_card()

    def do_outbox(self) -> None:
        self.app.start(self._show_outbox, "page")

    async def _show_outbox(self, *, keep: bool = False) -> None:
        app = self.app
        lines = await app.desk.outbox(app.who, _OUTBOX)
        app.show_page("outbox", pages.outbox(lines, app.say, app.settings.clock(), self._page_width()), keep=keep)

    def _on_outbox(self, call: Callable[[EntryId], Coroutine[Any, Any, Sent]]) -> None:
        chosen = self.app.page.chosen
        if self.app.page_kind == "outbox" and isinstance(chosen, str):
            self._run(partial(self._outbox_act, partial(call, EntryId(chosen))))

    async def _outbox_act(self, call: Callable[[], Coroutine[Any, Any, Sent]]) -> None:
        await self._outbox_told(await call())
        if self.app.page_kind == "outbox":
            await self._show_outbox(keep=True)

    async def _outbox_told(self, sent: Sent) -> None:
        self.app.tell("strip.checked", "good", state=self.app.say.state(sent.state))
        await self.app.reading.renew()

    def do_check(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.outbox_check(who, self._request(), reply))

    def do_resend(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.resend(who, self._request(), reply))

    def do_mark_sent(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.mark_sent(who, self._request(), reply))

    def do_cancel(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.cancel(who, self._request(), reply))

    async def do_choose(self) -> None:
        app = self.app
        chosen = app.page.chosen if app.focused is app.page else None
        if app.page_kind == "search" and isinstance(chosen, tuple):
            customer, entry = chosen
            self._open(customer, ConversationId(""), entry)

    # -- prompts: search, palette, names --------------------------------------------------------------------

    async def do_search(self) -> None:
        await self._open_prompt("search")

    async def do_palette(self) -> None:
        self._palette_where = self.app.where if self.app.where in keys.READING else "conversation"
        await self._open_prompt("palette")

    async def _open_prompt(self, what: str) -> None:
        app = self.app
        if self.prompt is None:
            await app.boxes_ready.wait()
            from agentconsole.ui.widgets.boxes import Prompt

            self.prompt = Prompt(id="prompt")
            self._label = Bar(lambda _width: [row((our(" " + app.say(f"prompt.{self._asking}")), "bold"))])
            self._ask = Horizontal(self._label, self.prompt, id="ask")
            await app.screen.mount(self._ask, before=app.footer)
        assert self._ask is not None
        assert self._label is not None
        self._asking = what
        if app.focused is not self.prompt:
            self.asked_from = app.focused
        app.writer.prompting = True
        self._ask.display = True
        self._label.update()
        self.prompt.put("", (0, 0))
        app.focus_on(self.prompt)
        if what == "palette":
            app.show_page("palette", self._commands(""))
            app.focus_on(self.prompt)
        elif what == "search":
            app.tell("search.hint", "dim")

    def _close_prompt(self) -> None:
        app = self.app
        app.writer.prompting = False
        if self._ask is not None:
            self._ask.display = False
        back = self.asked_from
        app.focus_on(back if back is not None and back.is_mounted and back.display else app.queue)

    def prompt_changed(self) -> None:
        if self._asking == "palette" and self.prompt is not None and self.app.writer.prompting:
            self.app.page.show(self._commands(self.prompt.typed))

    def do_prompt_down(self) -> None:
        self.app.page.move(1)

    def do_prompt_up(self) -> None:
        self.app.page.move(-1)

    async def do_submit(self) -> None:
        app = self.app
        assert self.prompt is not None
        words = self.prompt.typed.strip()
        asking, chosen = self._asking, app.page.chosen
        self._close_prompt()
        if asking == "palette":
            app.close_page()
            await self._command(chosen)
        elif asking == "search" and words:
            app.start(partial(self._search, words), "page")
        elif asking == "assign" and words and self._assigning is not None:
            self._run(partial(self._assign, self._assigning, AgentName(words)))

    async def _search(self, words: str) -> None:
        app = self.app
        found = await app.desk.search(app.who, words, SEARCH_LIMIT)
        app.tell_text(our(""))
        app.show_page("search", pages.hits(found, words, app.say, app.settings.clock(), self._page_width()))
        app.note("searched", words=words, hits=str(len(found)))

    def _commands(self, words: str) -> list[Item]:
        """Return the actions and extra entries whose titles hold all the letters, in words' order."""
        wanted = words.lower().split()
        found: list[Item] = []
        for number, (title, _) in enumerate(self.app.settings.extra):
            if all(word in title.lower() for word in wanted):
                found.append(Item(row(our(" "), our(title)), number))
        for action in keys.ACTIONS:
            title = self.app.say(action.title)
            if action.palette and all(word in title.lower() for word in wanted):
                shown = " ".join(dict.fromkeys(keys.shown_key(key) for key in action.keys))
                found.append(Item(row(our(" "), our(title), (our("   " + shown), "dim")), action))
        return found or [Item(row(our(" "), (self.app.say("palette.none"), "dim")))]

    async def _command(self, chosen: object) -> None:
        app = self.app
        if isinstance(chosen, keys.Action):
            await app.act(chosen)
        elif isinstance(chosen, int):
            app.start(partial(self._extra, app.settings.extra[chosen][1]), "extra", exclusive=False)

    async def _extra(self, call: Callable[[], Awaitable[object]]) -> None:
        try:
            said = await call()
        except AgentConsoleError as error:
            self.app.tell_error(error)
            return
        if isinstance(said, str) and said:
            self.app.tell("strip.failed", message=said, hint="")
