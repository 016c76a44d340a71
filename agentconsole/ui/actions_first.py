"""The actions of the first minutes and of health: add an account in the terminal, look at an account now, the page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Final

from textual.app import SuspendNotSupported

from agentconsole.desk import Status
from agentconsole.domain.model import AccountName
from agentconsole.errors import AgentConsoleError
from agentconsole.ui import health_page, outside_screen
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.draw import safe

LOOK_SECONDS: Final = 120.0
PROGRESS_SECONDS: Final = 1.0

_ADDED: Final = {0: ("add.done", "good"), 1: ("add.half", "warn")}
"""What the exit codes of ``init`` mean here; any other: nothing was written."""


class FirstActions(ActingPart):
    def do_health(self) -> None:
        self.app.start(self._health, "page")

    async def _health(self) -> None:
        self.show_health(await self.app.desk.status(self.app.who))

    def show_health(self, status: Status, *, keep: bool = False) -> None:
        say, now = self.app.say, self.app.settings.clock()
        self.app.show_page("health", lambda width: health_page.health(status, say, now, width - 1), keep=keep)

    # -- looking now ----------------------------------------------------------------------------------------

    def look_now(self, account: str) -> None:
        """Fetch from an account at once, and say how many came while it goes on."""
        self.app.start(partial(self._look_now, AccountName(account)), f"look {account}")

    async def _look_now(self, account: AccountName) -> None:
        app, name = self.app, safe(account, 40)
        app.tell("health.looking", account=name)
        before = self._received(await app.desk.status(app.who), account)
        looking = asyncio.create_task(app.desk.sync(app.who, account, LOOK_SECONDS))
        try:
            told = 0
            while not (await asyncio.wait({looking}, timeout=PROGRESS_SECONDS))[0]:
                came = self._received(await app.desk.status(app.who), account) - before
                if came > told:
                    told = came
                    app.tell("health.progress", account=name, n=str(came))
            (result,) = await looking
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        if result.error:
            why, hint = safe(result.error, 300), safe(result.hint, 300)
            app.tell("health.look_failed", "bad", account=name, why=why, hint=hint)
        else:
            app.tell("health.looked", "good", account=name, n=str(result.received))
        if app.page_kind == "health":
            self.show_health(await app.desk.status(app.who), keep=True)

    @staticmethod
    def _received(status: Status, account: AccountName) -> int:
        return next((health.received for health in status.accounts if health.name == account), 0)

    # -- adding one -----------------------------------------------------------------------------------------

    def do_init(self) -> None:
        self.add_account(())

    def add_account(self, words: Sequence[str]) -> None:
        """Ask for an account.

        Args:
            words: options of ``init``, for what it does not ask.
        """
        app = self.app
        if not app.settings.setup.command:
            app.tell(f"add.{app.settings.setup.why}", "warn")
        elif "operate" not in app.who.rights:
            app.tell("add.right", "warn")
        else:
            app.start(partial(self._add_account, words), "add account")

    async def _add_account(self, words: Sequence[str]) -> None:
        """Give the terminal to ``init``, which asks, tries, writes, lets the hub know and shows what came."""
        app = self.app
        with contextlib.suppress(AgentConsoleError):
            await app.writer.keep()
        try:
            code = await outside_screen.run(app, [*app.settings.setup.command, *words], then=app.say("add.enter"))
        except SuspendNotSupported:
            app.tell("add.no_terminal", "warn")
            return
        app.refresh(repaint=True, layout=True)
        key, style = _ADDED.get(code, ("add.nothing", "note"))
        app.tell(key, style)
        await app.reading.catch_up()
