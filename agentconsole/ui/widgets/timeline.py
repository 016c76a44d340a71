"""A customer's entries over all channels. Only what is near the screen's width is wrapped once and kept."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from textual.events import Resize
from textual.message import Message

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import EntryId
from agentconsole.ui import entries as look_of
from agentconsole.ui.draw import Row, marked, our, row
from agentconsole.ui.entries import Look
from agentconsole.ui.widgets.lines import Lines

_MORE = EntryId("")
_NEWER = EntryId("~newer")


class Timeline(Lines):
    """Oldest first. New entries follow the view only where it stands at the end; else a mark counts them."""

    class Older(Message):
        """The view came near the oldest entry that is loaded."""

    class Newer(Message):
        """The view came to the end of what is loaded, and there is newer."""

    class Moved(Message):
        """The view moved to or from the end."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = look
        self.entries: list[AnyEntry] = []
        self.more = False
        self.newer = False
        self.loading = False
        self._marks: re.Pattern[str] | None = None
        self._items: list[EntryId] = []
        self._blocks: list[list[Row]] = []
        self._tops: list[int] = [0]
        self._cache: dict[EntryId, tuple[object, list[Row]]] = {}
        self._cache_width = 0
        self._stuck = True

    # -- what it shows --------------------------------------------------------------------------------------

    def show(
        self, entries: Sequence[AnyEntry], look: Look, *, more: bool, newer: bool = False, to: EntryId | None = None
    ) -> None:
        """Show another customer, or one at an entry.

        Args:
            more: the hub has older entries.
            newer: the hub has newer entries than these.
            to: put the cursor here; the newest otherwise.
        """
        self._cache.clear()
        self.entries, self.look, self.more, self.loading = list(entries), look, more, False
        self.newer = newer
        self.cursor = -1
        self._lay_out()
        self.cursor = self._index(to) if to else self.count - 1
        if to:
            self.jump(self.top(self.cursor) - 2)
        else:
            self.jump(self.top(self.count))
        self.refresh()

    def renew(self, entries: Sequence[AnyEntry], look: Look, *, more: bool, newer: bool = False) -> None:
        """Show the same customer after something changed; what stands on the screen stays where it is."""
        at_end = self.at_end
        anchor = self._anchor()
        chosen = self.chosen
        newest_chosen = self.cursor == self.count - 1
        before = round(self.scroll_y)
        at_end = at_end and not newer and not self.newer
        self.entries, self.look, self.more, self.loading = list(entries), look, more, False
        self.newer = newer
        self._lay_out()
        self.cursor = self.count - 1 if at_end and newest_chosen else self._index(chosen)
        if at_end:
            self.jump(self.top(self.count))
        elif anchor is not None:
            self.jump(self.top(self._index(anchor[0])) + anchor[1])
        if round(self.scroll_y) == before:
            self.refresh_changed()
        else:
            self.refresh()

    @property
    def chosen(self) -> EntryId:
        """The entry under the cursor."""
        chosen = self._items[self.cursor] if 0 <= self.cursor < len(self._items) else _MORE
        return chosen if chosen != _NEWER else self._items[-2]

    @property
    def chosen_entry(self) -> AnyEntry | None:
        return next((entry for entry in self.entries if entry.id == self.chosen), None)

    @property
    def at_end(self) -> bool:
        """Whether the view follows what comes: it was last moved to the end."""
        return self._stuck and not self.newer

    def mark(self, found: re.Pattern[str] | None) -> None:
        """Mark what a pattern finds, from now on."""
        if found != self._marks:
            self._marks = found
            self.refresh()

    def to(self, entry: EntryId) -> None:
        """Put the cursor on an entry that is loaded."""
        self.select(self._index(entry))
        self.jump(self.top(self.cursor) - 2)

    def jump(self, line: int) -> None:
        self._stuck = line + self.view.height >= self.top(self.count)
        super().jump(line)

    def _index(self, entry: EntryId) -> int:
        try:
            return self._items.index(entry)
        except ValueError:
            return self.count - 1

    def _anchor(self) -> tuple[EntryId, int] | None:
        line = round(self.scroll_y)
        if not self.count or line >= self.top(self.count):
            return None
        item = self.item_at(line)
        if self._items[item] == _MORE and self.count > 1:
            return self._items[item + 1], line - self.top(item + 1)
        return self._items[item], line - self.top(item)

    def _lay_out(self) -> None:
        look = self.look
        if look.width != self._cache_width:
            self._cache.clear()
            self._cache_width = look.width
        items: list[EntryId] = []
        blocks: list[list[Row]] = []
        if self.more:
            items.append(_MORE)
            blocks.append([row((look.say("timeline.older"), "dim"))])
        before: datetime | None = None
        for entry in look_of.shown(self.entries, complete=not self.more):
            items.append(entry.id)
            blocks.append(self._block(entry, before, look))
            before = entry.at
        if self.newer:
            items.append(_NEWER)
            blocks.append([row((look.say("timeline.newer"), "dim"))])
        self._items, self._blocks = items, blocks
        self._tops = [0]
        for lines in blocks:
            self._tops.append(self._tops[-1] + len(lines))
        self.measure()

    def _block(self, entry: look_of.Shown, before: datetime | None, look: Look) -> list[Row]:
        new_day = not look_of.same_day(before, entry.at, look.say)
        signature = (
            entry,
            new_day and before,
            look.states.get(entry.id),
            look_of.failed_before(entry, look),
            entry.id in look.whole,
            entry.id in look.fresh,
            look.removed.get(entry.id),
            look.clear.get(entry.id),
            look.name,
        )
        known = self._cache.get(entry.id)
        if known is not None and known[0] == signature:
            return known[1]
        lines = look_of.rows(entry, look)
        if new_day:
            lines = [look_of.day_mark(before, entry.at, look), *lines]
        self._cache[entry.id] = (signature, lines)
        return lines

    def on_resize(self, event: Resize) -> None:
        if self._stuck:
            self.jump(self.top(self.count))
        self.post_message(self.Moved())

    # -- drawing and moving ---------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        return len(self._items)

    def top(self, item: int) -> int:
        return self._tops[max(min(item, len(self._tops) - 1), 0)]

    def item_at(self, line: int) -> int:
        return max(min(bisect_right(self._tops, line) - 1, self.count - 1), 0)

    def draw(self, item: int, line: int, width: int) -> tuple[Row, str]:
        here = item == self.cursor and self.has_focus
        drawn = self._blocks[item][line]
        if self._marks is not None:
            drawn = marked(drawn, self._marks)
        return row((self.look.say.glyph("here") if here else our(" "), "key"), *drawn), ""

    def select(self, item: int) -> None:
        super().select(max(item, 1) if self.more and self.count > 1 else item)

    def move(self, by: int) -> None:
        """Go to the next or the one before; through an entry higher than the screen line by line."""
        if not self.count:
            return
        at, height = round(self.scroll_y), self.view.height
        top, bottom = self.top(self.cursor), self.top(self.cursor + 1)
        if by > 0 and bottom > at + height and bottom - top > height:
            self.jump(at + 2)
        elif by < 0 and top < at and bottom - top > height:
            self.jump(at - 2)
        else:
            super().move(by)
        self._near_top()
        self._near_end(by)

    def page(self, pages: float) -> None:
        lines = max(int(self.view.height * abs(pages)) - 1, 1)
        self.jump(round(self.scroll_y) + (lines if pages > 0 else -lines))
        self._into_view()
        self._near_top()
        self._near_end(1 if pages > 0 else -1)

    def end(self) -> None:
        super().end()
        self.jump(self.top(self.count))

    def home(self) -> None:
        super().home()
        self.jump(0)
        self._near_top()

    def _into_view(self) -> None:
        at, height = round(self.scroll_y), self.view.height
        if self.top(self.cursor + 1) <= at or self.top(self.cursor) >= at + height:
            before = self.cursor
            self.cursor = self.item_at(at + (height - 1 if self.top(before) >= at + height else 0))
            self._refresh_item(before)
            self._refresh_item(self.cursor)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def _near_top(self) -> None:
        if self.more and not self.loading and round(self.scroll_y) < self.view.height:
            self.loading = True
            self.post_message(self.Older())

    def _near_end(self, by: int) -> None:
        bottom = round(self.scroll_y) + self.view.height
        if by > 0 and self.newer and not self.loading and bottom + self.view.height > self.top(self.count):
            self.loading = True
            self.post_message(self.Newer())
