"""Lists drawn one screen line at a time.

A list of any length costs what fits the screen: nothing but the visible lines is ever built, and a cursor key
repaints the two items it touches (measured: about 370 bytes, against 13,000 for an OptionList).
"""

from __future__ import annotations

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agentconsole.ui.draw import Row, strip, theme_of

WHEEL = 3
"""Lines that one step of the wheel scrolls."""


class Lines(ScrollView, can_focus=True):
    """Base of all lists: a cursor over items, each some lines high."""

    DEFAULT_CSS = """
    Lines { overflow: hidden hidden; width: 1fr; height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = -1
        self._drawn: dict[int, Strip] = {}
        self._seen_size = Size(0, 0)

    @property
    def view(self) -> Size:
        """How much is visible. Between two layouts Textual knows no size; then the last one counts."""
        size = self.size
        if size.height:
            self._seen_size = size
        return self._seen_size

    # -- what a list is made of: subclasses say -------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many items there are."""
        raise NotImplementedError

    def top(self, item: int) -> int:
        """Return the first line of an item; ``top(count)`` is the height of all."""
        raise NotImplementedError

    def item_at(self, line: int) -> int:
        """Return the item that a line belongs to."""
        raise NotImplementedError

    def draw(self, item: int, line: int, width: int) -> tuple[Row, str]:
        """Return one line of an item and a style over all of it."""
        raise NotImplementedError

    def blank(self, width: int) -> Row:
        """Return what stands below the last item."""
        return ()

    # -- drawing --------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        drawn = self._build(y)
        self._drawn[y] = drawn
        return drawn

    def _build(self, y: int) -> Strip:
        line = y + round(self.scroll_y)
        width = self.view.width
        theme = theme_of(self.app)
        if not 0 <= line < self.top(self.count):
            return strip(self.blank(width), width, theme)
        item = self.item_at(line)
        drawn, over = self.draw(item, line - self.top(item), width)
        return strip(drawn, width, theme, over)

    def measure(self) -> None:
        """Tell the scroll view how high the whole list is now."""
        size = Size(self.view.width, self.top(self.count))
        if size != self.virtual_size:
            # As a plain assignment it would lay out and repaint everything for one new line; there are no scroll bars.
            self.set_reactive(Lines.virtual_size, size)

    def refresh_changed(self) -> None:
        """Repaint exactly the visible lines that would look different now."""
        for y in range(self.view.height):
            before = self._drawn.get(y)
            if before is None or before != self._build(y):
                self.refresh(Region(0, y, self.view.width, 1))

    def _refresh_item(self, item: int) -> None:
        if 0 <= item < self.count:
            first = self.top(item) - round(self.scroll_y)
            for y in range(max(first, 0), min(first + self.top(item + 1) - self.top(item), self.view.height)):
                self.refresh(Region(0, y, self.view.width, 1))

    def on_focus(self) -> None:
        self._refresh_item(self.cursor)

    def on_blur(self) -> None:
        self._refresh_item(self.cursor)

    # -- the mouse, where it is on --------------------------------------------------------------------------

    def clickable(self, item: int) -> bool:
        """Hook: say whether a click chooses an item."""
        return True

    def on_click(self, event: Click) -> None:
        """Choose what was clicked; opening it is enter's."""
        line = event.y + round(self.scroll_y)
        if 0 <= line < self.top(self.count) and self.clickable(self.item_at(line)):
            self.select(self.item_at(line))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        self.jump(round(self.scroll_y) + WHEEL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        event.prevent_default()
        self.jump(round(self.scroll_y) - WHEEL)

    # -- moving ---------------------------------------------------------------------------------------------

    def select(self, item: int) -> None:
        """Put the cursor on an item and show it, jumping half a page where it would leave the view."""
        item = max(min(item, self.count - 1), 0) if self.count else -1
        if item != self.cursor:
            before, self.cursor = self.cursor, item
            self._refresh_item(before)
            self._refresh_item(item)
            self.cursor_moved()
        self.show_item(item)

    def cursor_moved(self) -> None:
        """Hook: the cursor is on another item."""

    def show_item(self, item: int) -> None:
        if item < 0 or not self.view.height:
            return
        top, bottom, height = self.top(item), self.top(item + 1), self.view.height
        at = round(self.scroll_y)
        if top < at:
            self.jump(min(top, max(top - height // 2, 0)))
        elif bottom > at + height:
            self.jump(min(bottom - height + height // 2, top))

    def jump(self, line: int) -> None:
        """Scroll so that a line is the first on the screen, without animation."""
        self.measure()
        last = max(self.top(self.count) - self.view.height, 0)
        self.scroll_to(y=max(min(line, last), 0), animate=False, immediate=True, force=True)

    def move(self, by: int) -> None:
        if self.count:
            self.select(max(self.cursor, 0) + by if self.cursor >= 0 else 0)

    def page(self, pages: float) -> None:
        """Move by a part of the visible height."""
        if not self.count:
            return
        lines = max(int(self.view.height * abs(pages)), 1)
        line = self.top(max(self.cursor, 0)) + (lines if pages > 0 else -lines)
        self.select(self.item_at(max(min(line, self.top(self.count) - 1), 0)))

    def home(self) -> None:
        self.select(0)

    def end(self) -> None:
        self.select(self.count - 1)


class Uniform(Lines):
    """A list whose items are all equally high."""

    ITEM_LINES = 1

    def top(self, item: int) -> int:
        return item * self.ITEM_LINES

    def item_at(self, line: int) -> int:
        return line // self.ITEM_LINES
