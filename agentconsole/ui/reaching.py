"""The way to an older part of a timeline and back: it is shown by itself, however many entries lie between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentconsole.desk import TimelinePage
from agentconsole.domain.model import EntryId
from agentconsole.ui.entries import Look

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.reading import Opened

AROUND: Final = 120
"""Entries of a page around an older one, and of each that is added to it."""

NEWEST: Final = 60


class Reaching:
    app: Console
    opened: Opened | None

    def _look(self) -> Look:
        raise NotImplementedError

    def _draw(self) -> None:
        raise NotImplementedError

    def _adopt(self, opened: Opened, page: TimelinePage) -> None:
        raise NotImplementedError

    async def mark_seen(self) -> None:
        raise NotImplementedError

    async def _around(self, opened: Opened, entry: EntryId) -> None:
        """Show the part of the timeline in which an entry stands in place of the newest."""
        page = await self.app.desk.around(self.app.who, opened.customer.id, entry, AROUND)
        if any(known.id == entry for known in page.entries):
            opened.entries, opened.more, opened.newer = list(page.entries), page.more, page.newer
            self._adopt(opened, page)

    async def show_entry(self, entry: EntryId) -> None:
        """Move the timeline to an entry of the opened customer, wherever it is."""
        opened = self.opened
        if opened is None:
            return
        if not opened.holds(entry):
            await self._around(opened, entry)
            if self.opened is not opened:
                return
            self.app.timeline.show(opened.entries, self._look(), more=opened.more, newer=opened.newer, to=entry)
        else:
            self.app.timeline.to(entry)
        self._draw()

    @property
    def detached(self) -> bool:
        """Whether the timeline shows an older part, without the newest entries."""
        return self.opened is not None and self.opened.newer

    async def to_newest(self) -> None:
        """Show the newest part of the timeline again."""
        opened = self.opened
        if opened is None:
            return
        page = await self.app.desk.timeline(self.app.who, opened.customer.id, EntryId(""), NEWEST)
        if self.opened is not opened:
            return
        opened.entries, opened.more, opened.newer = list(page.entries), page.more, False
        self._adopt(opened, page)
        self.app.timeline.show(opened.entries, self._look(), more=opened.more)
        self._draw()
        await self.mark_seen()

    async def newer(self) -> None:
        """Load what comes after, in answer to the view coming to the end of an older part."""
        opened = self.opened
        if opened is None or not opened.newer:
            return
        page = await self.app.desk.around(self.app.who, opened.customer.id, opened.newest, 2 * AROUND)
        if self.opened is not opened or not opened.newer:
            return
        known = {entry.id for entry in opened.entries}
        last = next((n for n, entry in enumerate(page.entries) if entry.id == opened.newest), -1)
        opened.entries += [entry for entry in page.entries[last + 1 :] if entry.id not in known]
        opened.newer = page.newer
        self._adopt(opened, page)
        self.app.timeline.renew(opened.entries, self._look(), more=opened.more, newer=opened.newer)
