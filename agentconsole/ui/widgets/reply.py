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
MOST_CHOICES: Final = 4
MOST_GLIMPSED: Final = 4


class ReplyPane(Vertical):
    """Args:
    title: draws the line that names person, conversation and address.
    why: draws the two lines that say why the reply goes where it goes.
    foot: draws the counter.
    """

    DEFAULT_CSS = """
    ReplyPane { height: 9; }
    ReplyPane Paper { display: none; }
    ReplyPane #box { min-height: 2; }
    """

    def __init__(self, title: Drawer, why: Drawer, foot: Drawer) -> None:
        super().__init__(id="reply")
        self.title_bar = Bar(title, over="bar", id="reply-title")
        self.why_bar = Bar(why, lines=2, id="reply-why")
        self.foot_bar = Bar(foot, id="reply-foot")
        self.box = Box(id="box")
        self.reasons = Paper(id="reply-reasons")
        self.reasons.can_focus = False
        self.choices = Paper(id="reply-choices")
        self.glimpse = Paper(id="reply-glimpse")
        self.choices.can_focus = self.glimpse.can_focus = False
        self.reasons_lines = 0
        self.list_lines = 0

    def compose(self) -> ComposeResult:
        yield self.title_bar
        yield self.why_bar
        yield self.reasons
        yield self.box
        yield self.choices
        yield self.glimpse
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

    def show_choices(self, items: Sequence[Item], glimpse: Sequence[Item] = (), *, most: int = MOST_CHOICES) -> bool:
        """Show or hide a list under the text, and below it what the chosen one would put in; say whether the pane needs
        another height for it."""
        before = self.list_lines
        for paper, lines, limit in ((self.choices, items, most), (self.glimpse, glimpse, MOST_GLIMPSED)):
            paper.styles.height = min(len(lines), limit)
            paper.display = bool(lines)
        self.choices.show(items, keep=True)
        self.glimpse.show(glimpse)
        self.list_lines = min(len(items), most) + min(len(glimpse), MOST_GLIMPSED)
        return self.list_lines != before

    @property
    def extra_lines(self) -> int:
        """Lines that the pane wants beside those of a bare text."""
        return self.reasons_lines + self.list_lines

    @property
    def reasons_shown(self) -> bool:
        return bool(self.reasons.display)
