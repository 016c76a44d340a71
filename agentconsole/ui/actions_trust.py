"""What an agent decides about senders that nothing vouches for, suggestions that can wait, and one customer who is two
people."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Final

from agentconsole.domain.entries import Received
from agentconsole.domain.identity import reply_elsewhere
from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.draw import safe

POSTPONED: Final = timedelta(days=7)


class TrustActions(ActingPart):
    _splitting = CustomerId("")

    def do_open_history(self) -> None:
        opened = self.app.reading.opened
        if opened is None or not opened.closed or opened.doubtful is None:
            self.app.tell("gate.nothing")
        else:
            self.run(partial(self._open_history, opened.customer.id, opened.doubtful.entry))

    async def _open_history(self, customer: CustomerId, message: EntryId) -> None:
        app = self.app
        await app.desk.open_history(app.who, self.request(), customer, message)
        app.tell("gate.opened", "warn")
        await app.reading.renew()

    def do_trust_sender(self) -> None:
        opened = self.app.reading.opened
        if opened is None or opened.doubtful is None:
            self.app.tell("gate.nothing")
        elif not opened.doubtful.signer:
            self.app.tell("gate.unsigned", "warn")
        else:
            self.run(partial(self._trust_sender, opened.customer.id, opened.doubtful.sender.value))

    async def _trust_sender(self, customer: CustomerId, address: str) -> None:
        app = self.app
        linked = await app.desk.trust_sender(app.who, self.request(), customer, address, True)
        app.tell("gate.trusted", "good", address=safe(address, 60), signer=safe(linked.signer, 60))

        async def back() -> None:
            await app.desk.trust_sender(app.who, self.request(), customer, address, False)
            app.tell("strip.undone", "good")
            await app.reading.renew()

        self.undo_later(back)
        await app.reading.renew()

    # -- an address that a mail asks to be answered at -------------------------------------------------------

    def link_asked(self) -> bool:
        """Link the address of another domain that the chosen mail wants its answer at, knowingly; say whether there is
        one. Nothing goes there by itself: the next reply offers it among its routes."""
        entry, opened = self.app.timeline.chosen_entry, self.app.reading.opened
        if opened is None or not isinstance(entry, Received):
            return False
        known = {linked.address for linked in opened.customer.addresses}
        asked = next((address for address in reply_elsewhere(entry) if address not in known), None)
        if asked is not None:
            self.run(partial(self._link_asked, opened.customer.id, asked.value))
        return asked is not None

    async def _link_asked(self, customer: CustomerId, address: str) -> None:
        app = self.app
        await app.desk.link(app.who, self.request(), customer, address)
        app.tell("asked.linked", "warn", address=safe(address, 80))

        async def back() -> None:
            await app.desk.unlink(app.who, self.request(), customer, address)
            app.tell("strip.undone", "good")
            await app.reading.renew()

        self.undo_later(back)
        await app.reading.renew()

    # -- one customer who is two people ----------------------------------------------------------------------

    async def do_split_customer(self) -> None:
        opened = self.app.reading.opened
        if opened is None or len(opened.customer.addresses) < 2:
            self.app.tell("split.one_address")
            return
        self._splitting = opened.customer.id
        await self.open_prompt("split")
        known = ", ".join(linked.address.value for linked in opened.customer.addresses)
        self.app.tell("split.ask", addresses=safe(known, 200))

    def split_typed(self, words: str) -> None:
        named = [word for word in re.split(r"[\s,]+", words) if word]
        if named:
            self.run(partial(self._split, self._splitting, named))
        else:
            self.app.tell("split.none", "warn")

    async def _split(self, customer: CustomerId, named: list[str]) -> None:
        app = self.app
        other = await app.desk.split(app.who, self.request(), customer, named, "")
        app.tell("split.done", "good", addresses=safe(", ".join(named), 80))
        self.undo_later(partial(self._unsplit, other))
        await app.reading.renew()

    def do_unsplit_customer(self) -> None:
        opened = self.app.reading.opened
        if opened is None or not opened.customer.partings:
            self.app.tell("split.nothing")
        else:
            self.run(partial(self._unsplit, opened.customer.id))

    async def _unsplit(self, customer: CustomerId) -> None:
        app = self.app
        await app.desk.unsplit(app.who, self.request(), customer)
        app.tell("split.undone", "good")
        await app.reading.renew()

    def do_postpone_link(self) -> None:
        found = self.app.reading.suggestion
        if found is None:
            self.app.tell("strip.no_suggestion" if self.app.reading.wish is None else "wish.waits")
        else:
            self.run(partial(self._postpone, found.id))

    async def _postpone(self, suggestion: EntryId) -> None:
        app = self.app
        until = app.settings.clock() + POSTPONED
        await app.desk.postpone_suggestion(app.who, self.request(), suggestion, until)
        app.tell("gate.postponed", "good", day=app.say.short_day(until))

        async def back() -> None:
            await app.desk.postpone_suggestion(app.who, self.request(), suggestion, app.settings.clock())
            app.tell("strip.undone", "good")
            await app.reading.renew()

        self.undo_later(back)
        await app.reading.renew()
