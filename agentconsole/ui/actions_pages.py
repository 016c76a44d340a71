"""The actions that show pages: help, health, why, the card, and what enter does on a page."""

from __future__ import annotations

from agentconsole.desk import Compose, Status
from agentconsole.domain.model import ConversationId, CustomerId, Draft, EntryId, Hit
from agentconsole.ui import health_page, pages
from agentconsole.ui.actions_base import Target
from agentconsole.ui.actions_care import CareActions
from agentconsole.ui.actions_decide import PAGES
from agentconsole.ui.actions_first import FirstActions
from agentconsole.ui.care_pages import Takeback
from agentconsole.ui.draw import our, row
from agentconsole.ui.widgets.paper import Item


class PageActions(CareActions, FirstActions):
    _why_of = CustomerId("")
    """Whose choice the page shows."""

    async def why(self, target: Target) -> None:
        app = self.app
        choice = await app.desk.choose(app.who, Compose(target.customer, "", target.conversation))
        best = choice.best
        self._why_of = target.customer
        now = app.settings.clock()

        def items(width: int) -> list[Item]:
            found = pages.why(choice, best.route if best else None, app.say, now, width + 2)
            if any(item.value is not None for item in found):
                found.append(Item(row(our(" "), (app.say("choice.source"), "dim"))))
            return found

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
        media = [account.medium for account in app.reading.status.accounts] if app.reading.status is not None else []
        where = app.where
        app.show_page("help", lambda width: pages.help_page(where, app.say, width, media))

    def status_changed(self, before: Status | None, status: Status) -> None:
        """Say once that an account went down; renew the page that shows it."""
        app = self.app
        if app.page_kind == "health":
            self.show_health(status, keep=True)
        was_down = {a.name for a in before.accounts if health_page.is_down(a)} if before is not None else set()
        for account in status.accounts:
            if health_page.is_down(account) and account.name not in was_down:
                at = account.since or account.last_ok or status.now
                why = account.error or app.say.account_state(account.state)
                app.tell(
                    "strip.down",
                    "bad",
                    medium=app.say.medium(account.medium),
                    time=app.say.clock(at),
                    why=why.rstrip("."),
                )
        self.renew_replies()
        app.show_banner(status.banner)
        app.greet()

    def do_card(self) -> None:
        app = self.app
        if app.reading.opened is None:
            app.tell("strip.nobody_chosen")
        elif app.card.display:
            app.focus_on(app.card)
        else:
            app.show_page("card", ())
            app.reading.draw_card()

    def why_of(self) -> CustomerId:
        return self._why_of

    def _to_fact(self, entry: object) -> None:
        opened = self.app.reading.opened
        if opened is not None and isinstance(entry, str):
            self.open(opened.customer.id, opened.conversation, EntryId(entry))

    async def do_choose(self) -> None:
        app = self.app
        chosen = app.page.chosen if app.focused is app.page else None
        if app.page_kind == "card" or app.focused is app.card:
            self._to_fact(app.card.chosen if app.focused is app.card else chosen)
            return
        if app.page_kind == "why" and isinstance(chosen, str):
            self.open(self._why_of, ConversationId(""), EntryId(chosen))
        elif app.page_kind == "search" and isinstance(chosen, Hit):
            self.open_hit(chosen)
        elif app.page_kind == "drafts" and isinstance(chosen, Draft):
            self.open_draft(chosen)
        elif app.page_kind in PAGES:
            line = next((line for line in self.lines if line.record.reply == chosen), None)
            if line is not None:
                self.open(line.customer, line.record.conversation, line.record.reply)
        elif app.page_kind == "health" and isinstance(chosen, str):
            self.look_now(chosen)
        elif app.page_kind == "files":
            await self.act_on_file(chosen)
        elif isinstance(chosen, Takeback):
            self.take_damaged_back(chosen)
