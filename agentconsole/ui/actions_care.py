"""The actions of care: what happened while away, damaged customers, taking a text or a whole customer out for good."""

from __future__ import annotations

from functools import partial
from typing import Final

from agentconsole.desk import Status
from agentconsole.domain.entries import Note, Received, Reply
from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.errors import AgentConsoleError, HubAbsent, TryLater
from agentconsole.ui import care_pages
from agentconsole.ui.actions_decide import DecideActions
from agentconsole.ui.draw import our

TOGETHER: Final = ("strip.draft_back", "strip.hub_back")
"""What stays in the strip beside what happened meanwhile."""


class CareActions(DecideActions):
    _redacting: EntryId = EntryId("")
    _erasing: tuple[CustomerId, str] = (CustomerId(""), "")

    # -- while away -----------------------------------------------------------------------------------------

    async def tell_away(self) -> None:
        """Say what became of the agent's replies while no console of theirs was attached."""
        app, say = self.app, self.app.say
        try:
            found = await app.desk.away(app.who)
        except (HubAbsent, TryLater):
            raise
        except AgentConsoleError:
            return  # a hub that does not know the question: nothing is lost by not asking
        text = care_pages.away(found, say)
        if not text:
            return
        if found.uncertain:
            text = our(f"{text} {say('away.shows_typing' if app.where == 'box' else 'away.shows')}")
        if app.told and app.told_key in TOGETHER:
            text = our(f"{text} {app.told}")
        app.tell_text(text, "warn" if found.uncertain or found.failed else "good")

    # -- damaged customers ----------------------------------------------------------------------------------

    async def look_for_damage(self, before: Status | None, status: Status) -> None:
        """Ask what is damaged when that changed."""
        app = self.app
        known = before.store.read_only if before is not None else ()
        if status.store.read_only == known and not (known and app.page_kind == "damaged"):
            return
        damaged = await app.desk.damaged(app.who) if status.store.read_only else ()
        app.reading.damaged = {record.customer: record for record in damaged}
        if app.page_kind == "damaged":
            self._draw_damaged(keep=True)
        app.arrange(app.size)
        app.damage.update()

    async def do_damaged(self) -> None:
        self.app.start(self._show_damaged, "page")

    async def _show_damaged(self) -> None:
        app = self.app
        damaged = await app.desk.damaged(app.who)
        app.reading.damaged = {record.customer: record for record in damaged}
        self._draw_damaged(keep=False)

    def _draw_damaged(self, *, keep: bool) -> None:
        app = self.app
        here = {app.reading.opened.customer.id, *app.reading.opened.customer.members} if app.reading.opened else set()
        records = sorted(app.reading.damaged.values(), key=lambda record: record.customer not in here)
        may = "operate" in app.who.rights
        app.show_page("damaged", lambda width: care_pages.damaged(records, may, app.say, width), keep=keep)

    def take_damaged_back(self, choice: care_pages.Takeback) -> None:
        """Ask, then take a damaged customer back into use."""
        say = self.app.say
        which = say("damage.previous" if choice.previous else "damage.as_is")
        text = say("ask.accept", name=choice.name, which=which, n=str(choice.entries))
        self.ask(our(f"{text} {say('ask.keys')}"), partial(self._accept, choice))

    async def _accept(self, choice: care_pages.Takeback) -> None:
        app = self.app
        await app.desk.accept(app.who, self.request(), choice.customer, choice.previous)
        app.tell("damage.accepted", "good", name=choice.name)
        await self._show_damaged()
        await app.reading.look_again()

    # -- taking out for good --------------------------------------------------------------------------------

    async def do_redact(self) -> None:
        app = self.app
        entry = app.timeline.chosen_entry
        if "customer" not in app.who.rights:
            app.tell("care.no_right", "warn", right="customer")
        elif not isinstance(entry, Received | Reply | Note) or entry.id in app.timeline.look.removed:
            app.tell("redact.nothing", "dim")
        else:
            self._redacting = entry.id
            app.tell("redact.ask", "warn")
            await self.open_prompt("redact")

    async def redact(self, why: str) -> None:
        app = self.app
        await app.desk.redact(app.who, self.request(), self._redacting, why)
        app.tell("redact.done", "good")
        await app.reading.look_again()

    async def do_erase(self) -> None:
        app, target = self.app, self.target()
        if target is None:
            return
        if "operate" not in app.who.rights:
            app.tell("care.no_right", "warn", right="operate")
            return
        self._erasing = (target.customer, target.name)
        app.tell("erase.ask", "bad", name=target.name)
        await self.open_prompt("erase")

    def erase_typed(self, words: str) -> None:
        """The name was typed: begin only where it is the one that is asked for."""
        customer, name = self._erasing
        if " ".join(words.split()).casefold() == " ".join(name.split()).casefold():
            self.run(partial(self._erase, customer, name))
        else:
            self.app.tell("erase.other_name", "warn", name=name)

    async def _erase(self, customer: CustomerId, name: str) -> None:
        app = self.app
        app.tell("erase.doing", "dim", name=name)
        done = await app.desk.erase(app.who, self.request(), customer)
        await app.writer.forget(customer)
        app.reading.forget(customer)
        app.tell("erase.done", "good", name=name)
        app.show_page("erased", lambda width: care_pages.erased(name, done, app.say, width))
