"""Keeping drafts: the hub has what was typed half a second after the last key; while it is gone it is kept here."""

from __future__ import annotations

import time
from typing import Final

from msgspec.structs import replace

from agentconsole.domain.model import CustomerId
from agentconsole.errors import StoreFault, TryLater
from agentconsole.ui.drafting import Writing, holds
from agentconsole.ui.writer_base import WriterPart

KEEP_SECONDS: Final = 0.5
KEEP_LATEST: Final = 0.5
"""Seconds of typing without a pause after which the end of the half second is no longer put off."""

KEEP_AGAIN: Final = 5.0
"""Seconds after which a draft that the hub could not keep is offered again."""


class Keeping(WriterPart):
    typing_since = 0.0

    def changed(self) -> None:
        """The box changed: count, and keep it soon."""
        if self.take() and self.pane is not None:
            self.pane.foot_bar.update()
            self.pane.title_bar.update()
            if self.timer is None:
                self.typing_since = time.monotonic()
            if self.timer is None or time.monotonic() < self.typing_since + KEEP_LATEST:
                self.keep_soon(KEEP_SECONDS)
            self.app.company.typed()

    def keep_soon(self, seconds: float) -> None:
        if self.timer is not None:
            self.timer.stop()
            self.timer = None
        if seconds:
            self.timer = self.app.set_timer(seconds, lambda: self.keep_soon(0.0))
        else:
            self.app.start(self._keep_and_choose, "keep", exclusive=False)

    async def _keep_and_choose(self) -> None:
        self.take()
        writing = self.now
        await self.keep()
        if writing is not None and self.is_open and self.now is writing and not writing.note:
            await self.choose_for(writing)
            await self.guarding.ask(writing)
            if self.now is writing and self.pane is not None:
                self.pane.foot_bar.update()

    def keep_all(self) -> None:
        """The hub is back: keep what could not be kept."""
        self.app.start(self.keep, "keep", exclusive=False)

    async def keep(self) -> None:
        """Keep every draft that the hub does not have yet."""
        async with self.keeping:
            for writing in list(self.known.values()):
                if writing.unsaved:
                    try:
                        await self._keep_one(writing)
                    except (StoreFault, TryLater):
                        # Nobody may type again, and a disk that was full has room again some time.
                        self.keep_soon(KEEP_AGAIN)
                        raise

    async def _keep_one(self, writing: Writing) -> None:
        app = self.app
        now = app.settings.clock()
        draft = replace(writing.draft(now), console=self.console)
        if writing.empty:
            if writing.key in self.kept:
                await app.desk.drop_draft(app.who, draft.conversation, draft.revision, draft.note)
            self.kept.pop(writing.key, None)
            writing.kept_revision = draft.revision
        elif await app.desk.save_draft(app.who, draft):
            writing.kept_revision, writing.kept_at = draft.revision, now
            self.kept[writing.key] = draft
        else:
            app.tell("strip.newer_draft", "warn")
        self.mark()
        if self.is_open and self.now is writing and self.pane is not None:
            self.pane.title_bar.update()

    def mark(self) -> None:
        drafts = frozenset(name for (name, _), draft in self.kept.items() if holds(draft))
        if drafts != self.app.queue.drafts:
            self.app.queue.drafts = drafts
            self.app.queue.refresh_changed()

    async def forget(self, customer: CustomerId) -> None:
        """Let go of the drafts of a customer who was erased: nothing of them may be kept again."""
        async with self.keeping:
            for key in [key for key, writing in self.known.items() if writing.customer == customer]:
                writing = self.known.pop(key)
                self.kept.pop(key, None)
                if self.now is writing:
                    self.now = None
                    if self.pane is not None:
                        self.pane.display = False
            self.kept = {key: draft for key, draft in self.kept.items() if draft.customer != customer}
        self.mark()

    async def flush(self) -> None:
        """Keep everything now: the console ends."""
        if self.is_open:
            self.take()
        await self.keep()
