"""The actions that show pages: help, health, why, the card, the outbox and what is decided there."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from agentconsole.desk import Compose, Sent, Status
from agentconsole.domain.model import ConversationId, Delivery, EntryId
from agentconsole.ui import pages
from agentconsole.ui.actions_base import ActingPart, Target

_OUTBOX: Final = (Delivery.UNCERTAIN, Delivery.FAILED, Delivery.QUEUED, Delivery.SENDING)


class PageActions(ActingPart):
    async def why(self, target: Target) -> None:
        app = self.app
        choice = await app.desk.choose(app.who, Compose(target.customer, "", target.conversation))
        best = choice.best
        items = pages.why(choice, best.route if best else None, app.say, app.settings.clock(), app.size.width)
        app.show_page("why", items)
        app.note("why_seen", medium=best.route.medium if best else "")

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
        app.show_page("help", pages.help_page(app.where, app.say, self.page_width()))

    def do_health(self) -> None:
        self.app.start(self._health, "page")

    async def _health(self) -> None:
        app = self.app
        status = await app.desk.status(app.who)
        app.show_page("health", pages.health(status, app.say, app.settings.clock(), self.page_width()))

    def status_changed(self, before: Status | None, status: Status) -> None:
        """Say once that an account went down; renew the page that shows it."""
        app = self.app
        if app.page_kind == "health":
            app.show_page("health", pages.health(status, app.say, app.settings.clock(), self.page_width()), keep=True)
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
        app.show_page("outbox", pages.outbox(lines, app.say, app.settings.clock(), self.page_width()), keep=keep)

    def _on_outbox(self, call: Callable[[EntryId], Coroutine[Any, Any, Sent]]) -> None:
        chosen = self.app.page.chosen
        if self.app.page_kind == "outbox" and isinstance(chosen, str):
            self.run(partial(self._outbox_act, partial(call, EntryId(chosen))))

    async def _outbox_act(self, call: Callable[[], Coroutine[Any, Any, Sent]]) -> None:
        await self.outbox_told(await call())
        if self.app.page_kind == "outbox":
            await self._show_outbox(keep=True)

    async def outbox_told(self, sent: Sent) -> None:
        self.app.tell("strip.checked", "good", state=self.app.say.state(sent.state))
        await self.app.reading.renew()

    def do_check(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.outbox_check(who, self.request(), reply))

    def do_resend(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.resend(who, self.request(), reply))

    def do_mark_sent(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.mark_sent(who, self.request(), reply))

    def do_cancel(self) -> None:
        desk, who = self.app.desk, self.app.who
        self._on_outbox(lambda reply: desk.cancel(who, self.request(), reply))

    async def do_choose(self) -> None:
        app = self.app
        chosen = app.page.chosen if app.focused is app.page else None
        if app.page_kind == "search" and isinstance(chosen, tuple):
            customer, entry = chosen
            self.open(customer, ConversationId(""), entry)
