"""The actions that show the profile's own views and the drafts of this agent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from agentconsole.domain.model import CustomerId, Draft, EntryId
from agentconsole.errors import NotFound
from agentconsole.ui import people
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.drafting import holds
from agentconsole.ui.draw import EMPTY, Safe, fit, our, row, safe
from agentconsole.ui.keys import Action
from agentconsole.ui.say import Say
from agentconsole.ui.widgets.paper import Item

WHEN = 10
NAME = 20
NAMED = 50
"""Drafts whose customers are looked up."""


def drafts(found: Sequence[tuple[Draft, str]], say: Say, now: datetime) -> list[Item]:
    """Return drafts with the names of their customers, each with its text's beginning."""
    items = [Item(row((say("drafts.title", n=str(len(found))), "title")))]
    if not found:
        items.append(Item(row(our("  "), say("drafts.none"))))
    for draft, name in found:
        kind = say("drafts.note") if draft.note else EMPTY
        text = safe(draft.text, 160) or say("drafts.files", n=str(len(draft.attachments)))
        items.append(
            Item(
                row(
                    our(" "),
                    (fit(say.when(draft.at, now), WHEN), "dim"),
                    (fit(safe(name, 60), NAME), "bold"),
                    our(" "),
                    (our(f"{kind} ") if kind else EMPTY, "note"),
                    text,
                ),
                draft,
            )
        )
    return items


class ViewActions(ActingPart):
    def saved_view(self, number: str) -> str:
        """Return the name of one of the profile's own views, in the profile's order; nothing where there is none."""
        names = list(self.app.reading.counts.saved)
        return names[int(number) - 1] if int(number) <= len(names) else ""

    def chord_hint(self, action: Action) -> Safe:
        """Return what the second key of a chord does now; nothing where it does nothing here."""
        if action.id != "saved":
            return self.app.say.hint(action)
        return safe(self.saved_view(action.argument), 20)

    def do_saved(self, number: str) -> None:
        name = self.saved_view(number)
        if not name:
            self.app.tell("view.no_saved", "dim", n=number)
            return
        self.app.close_page()
        self.app.focus_on(self.app.queue)
        self.app.start(partial(self.app.reading.show_view, name), "view")

    def do_drafts(self) -> None:
        self.app.start(self._show_drafts, "page")

    async def _show_drafts(self) -> None:
        app = self.app
        kept = sorted((d for d in await app.desk.drafts(app.who) if holds(d)), key=lambda d: d.at, reverse=True)
        names = {line.customer: line.name for _, line in app.queue.lines()}
        for draft in kept[:NAMED]:
            if draft.customer not in names:
                names[draft.customer] = await self._name(draft.customer)
        found = [(draft, names.get(draft.customer, draft.customer)) for draft in kept]
        app.show_page("drafts", drafts(found, app.say, app.settings.clock()))

    async def _name(self, customer: CustomerId) -> str:
        try:
            page = await self.app.desk.timeline(self.app.who, customer, EntryId(""), 1)
        except NotFound:
            return customer
        return people.customer_name(page.customer)

    def open_draft(self, draft: Draft) -> None:
        self.app.start(partial(self._open_draft, draft), "open")

    async def _open_draft(self, draft: Draft) -> None:
        app = self.app
        await app.reading.open(draft.customer, draft.conversation)
        app.close_page()
        opened = app.reading.opened
        if opened is not None:
            await app.writer.begin(
                draft.customer, draft.conversation, people.customer_name(opened.customer), note=draft.note
            )
