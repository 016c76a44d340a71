"""What a one-line prompt can ask for beside a bare word: something is picked or completed while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentconsole.ui.app import Console


class Asker:
    """Args:
    app: the console whose prompt asks. ``name`` tells the prompt's label: ``prompt.NAME`` of the catalogue.
    """

    name = ""

    def __init__(self, app: Console) -> None:
        self.app = app

    async def begin(self) -> None:
        """The prompt is open and empty."""

    def changed(self, words: str) -> None:
        """Other words stand in the prompt."""

    def move(self, by: int) -> None:
        """Another choice is wanted."""

    def complete(self) -> None:
        """The rest of a word is wanted."""
        self.move(1)

    async def submit(self, words: str) -> bool:
        """Take the words; say whether the prompt may close."""
        return True

    def end(self) -> None:
        """The prompt closes, whether it was answered or given up."""
