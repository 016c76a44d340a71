"""The reply pane: to whom and about what, why this channel, the text, how long it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from agentconsole.ui.widgets.bar import Bar, Drawer
from agentconsole.ui.widgets.boxes import Box
from agentconsole.ui.widgets.paper import Item, Paper

MOST_REASONS: Final = 8


class ReplyPane(Vertical):
    """Args:
    title: draws the line that names person, conversation and address.
    why: draws the two lines that say why the reply goes where it goes.
    foot: draws the counter.
    """

    DEFAULT_CSS = """
    ReplyPane { height: 9; }
    ReplyPane Paper { display: none; }
    """

    def __init__(self, title: Drawer, why: Drawer, foot: Drawer) -> None:
        super().__init__(id="reply")
        self.title_bar = Bar(title, over="bar", id="reply-title")
        self.why_bar = Bar(why, lines=2, id="reply-why")
        self.foot_bar = Bar(foot, id="reply-foot")
        self.box = Box(id="box")
        self.reasons = Paper(id="reply-reasons")
        self.reasons.can_focus = False
        self.reasons_lines = 0

    def compose(self) -> ComposeResult:
        yield self.title_bar
        yield self.why_bar
        yield self.reasons
        yield self.box
        yield self.foot_bar

    def update(self) -> None:
        for bar in (self.title_bar, self.why_bar, self.foot_bar):
            bar.update()

    def show_reasons(self, items: Sequence[Item]) -> None:
        """Show or hide the whole choice above the text."""
        self.reasons_lines = min(len(items), MOST_REASONS)
        self.reasons.styles.height = self.reasons_lines
        self.reasons.display = bool(items)
        self.reasons.show(items)

    @property
    def reasons_shown(self) -> bool:
        return bool(self.reasons.display)
