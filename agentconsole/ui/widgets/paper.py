"""A list of ready lines: help, health, why, the card, found entries, the outbox, the palette."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agentconsole.ui.draw import Row, glyph_of, our, row
from agentconsole.ui.widgets.lines import Uniform


class Item(NamedTuple):
    """A line. ``value`` is what enter acts on; a line without one is only read."""

    line: Row
    value: object = None


class Paper(Uniform):
    """Moves over lines that can be chosen; scrolls where none can."""

    def __init__(self, *, id: str | None = None, edge: bool = False) -> None:
        super().__init__(id=id)
        self.items: Sequence[Item] = ()
        self._edge = edge

    def show(self, items: Sequence[Item], *, keep: bool = False) -> None:
        """Show other lines.

        Args:
            keep: it is the same list after a change: cursor and place stay.
        """
        before = self.chosen
        self.items = items
        choosable = [n for n, item in enumerate(items) if item.value is not None]
        if keep and before is not None:
            same = [n for n in choosable if items[n].value == before]
            self.cursor = same[0] if same else min(self.cursor, len(items) - 1)
            self.measure()
            self.refresh_changed()
            return
        self.cursor = choosable[0] if choosable else -1
        self.measure()
        if not keep:
            self.jump(0)
        self.refresh_changed()

    @property
    def chosen(self) -> object:
        return self.items[self.cursor].value if 0 <= self.cursor < len(self.items) else None

    @property
    def chosen_text(self) -> str:
        """The line under the cursor as text; where none can be chosen, the first one that is seen."""
        at = self.cursor if self.cursor >= 0 else round(self.scroll_y)
        return "".join(text for text, _ in self.items[at].line).strip() if at < len(self.items) else ""

    @property
    def shown(self) -> str:
        """All lines as text, for tests and for screen readers' linear view."""
        return "\n".join("".join(text for text, _ in item.line) for item in self.items)

    @property
    def count(self) -> int:
        return len(self.items)

    def blank(self, width: int) -> Row:
        return row((glyph_of(self.app, "edge"), "dim")) if self._edge else ()

    def draw(self, item: int, line: int, width: int) -> tuple[Row, str]:
        here = item == self.cursor and self.has_focus
        chosen = item == self.cursor and self.items[item].value is not None
        mark = glyph_of(self.app, "here") if chosen else our(" ")
        lead = row((glyph_of(self.app, "edge"), "dim"), mark) if self._edge else row((mark, "key"))
        return (*lead, *self.items[item].line), "cursor" if here and self.items[item].value is not None else ""

    def clickable(self, item: int) -> bool:
        return self.items[item].value is not None

    def move(self, by: int) -> None:
        places = [n for n, item in enumerate(self.items) if item.value is not None]
        if not places:
            self.jump(round(self.scroll_y) + by)
            return
        after = [n for n in places if n > self.cursor] if by > 0 else [n for n in reversed(places) if n < self.cursor]
        if after:
            self.select(after[min(abs(by), len(after)) - 1])
        elif by < 0:
            self.jump(0)
        else:
            self.jump(round(self.scroll_y) + by)

    def page(self, pages: float) -> None:
        lines = max(int(self.view.height * abs(pages)), 1)
        if any(item.value is not None for item in self.items):
            self.move(lines if pages > 0 else -lines)
        else:
            self.jump(round(self.scroll_y) + (lines if pages > 0 else -lines))

    def home(self) -> None:
        self._choose_end(0)
        self.jump(0)

    def end(self) -> None:
        self._choose_end(-1)
        self.jump(self.count)

    def _choose_end(self, which: int) -> None:
        """Choose the first or last line that can be: enter never means one that is out of sight."""
        places = [n for n, item in enumerate(self.items) if item.value is not None]
        if places:
            self.select(places[which])
