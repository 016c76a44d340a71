"""What an agent decides about senders that nothing vouches for, and about suggestions that can wait."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.draw import safe

POSTPONED: Final = timedelta(days=7)


class TrustActions(ActingPart):
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
        await app.reading.renew()
