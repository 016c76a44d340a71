"""One or a few fixed lines: header, footer, strips, titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from agentconsole.ui.draw import EMPTY, Row, row, strip, theme_of

Drawer = Callable[[int], Sequence[Row]]


class Bar(Widget):
    """Shows what its drawer returns for the present width; repaints only lines that changed.

    Args:
        lines: the height in lines.
        over: a style over the whole bar.
    """

    DEFAULT_CSS = "Bar { width: 1fr; }"

    def __init__(self, drawer: Drawer, *, lines: int = 1, over: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawer = drawer
        self._over = over
        self._rows: Sequence[Row] = ()
        self._drawn_for = -1
        self.styles.height = lines

    def on_resize(self) -> None:
        self.update()

    def update(self) -> None:
        """Ask the drawer again and repaint what differs."""
        before = self._rows if self._drawn_for == self.size.width else None
        if self._renew():
            self._refresh_changed(before)

    def _refresh_changed(self, before: Sequence[Row] | None) -> None:
        if before is None or len(before) != len(self._rows):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._rows, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    def _renew(self) -> bool:
        width = self.size.width
        if not width:
            self._drawn_for = -1  # between two layouts there is no size: the next frame asks again
            return False
        rows = tuple(self._drawer(width))
        if rows == self._rows and width == self._drawn_for:
            return False
        self._rows, self._drawn_for = rows, width
        return True

    def set_lines(self, lines: int) -> None:
        """Change the height; costs a layout, so callers do it only when a bar appears or goes."""
        current = self.styles.height
        if current is None or current.value != lines:
            self.styles.height = lines

    @property
    def shown(self) -> str:
        """What the bar says, for tests and for screen readers' linear view."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._rows)

    def render_line(self, y: int) -> Strip:
        if self._drawn_for != self.size.width:
            self._renew()  # the first frame comes before the first resize is handled
        line = self._rows[y] if y < len(self._rows) else row(EMPTY)
        return strip(line, self.size.width, theme_of(self.app), self._over)
