"""The pseudo-terminal of the demo's tests and pictures."""

from __future__ import annotations

from tests.pty import harness


class Terminal(harness.Terminal):
    """A terminal that can be read while half a wide character is drawn over, which pyte's own ``display`` cannot."""

    @property
    def text(self) -> str:
        rows = (self.screen.buffer[y] for y in range(self.screen.lines))
        return "\n".join("".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in rows)
