"""What the parts of the writer share: the console, its reply pane, the drafts, and what each needs of the others."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from textual.timer import Timer

from agentconsole.desk import Sent
from agentconsole.domain.model import ConversationId, Draft
from agentconsole.ui.bridging import Bridging
from agentconsole.ui.drafting import Writing
from agentconsole.ui.guarding import Guarding
from agentconsole.ui.holding import Holding

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.reading import Opened
    from agentconsole.ui.widgets.reply import ReplyPane


class WriterPart:
    """Args:
    app: the console whose reply pane shows what is written.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.pane: ReplyPane | None = None
        self.now: Writing | None = None
        self.prompting = False
        self.known: dict[tuple[ConversationId, bool], Writing] = {}
        self.kept: dict[tuple[ConversationId, bool], Draft] = {}
        self.timer: Timer | None = None
        self.console = secrets.token_hex(8)
        """Tells this console's drafts from those that another one of the same agent keeps."""
        self.keeping = asyncio.Lock()
        self.just_sent: tuple[Sent, str, str] | None = None
        self.guarding = Guarding(app)
        self.bridging = Bridging(app)
        self.holding = Holding(app)

    @property
    def is_open(self) -> bool:
        return self.pane is not None and bool(self.pane.display) and self.now is not None

    def take(self) -> bool:
        """Take what the box holds into the draft; say whether the text changed."""
        if self.now is None or self.pane is None:
            return False
        box = self.pane.box
        changed = self.now.typed(box.typed, box.cursor_location)
        if self.now.unsaved:
            # Counting in milliseconds lets whoever typed last win over an older session of the same agent.
            self.now.revision = max(self.now.revision, int(self.app.settings.clock().timestamp() * 1000))
        return changed

    # -- what parts need of each other ----------------------------------------------------------------------

    async def show(self, writing: Writing) -> None:
        raise NotImplementedError

    def leave(self, *, told: bool = True) -> None:
        raise NotImplementedError

    def changed(self) -> None:
        raise NotImplementedError

    def keep_soon(self, seconds: float) -> None:
        raise NotImplementedError

    def mark(self) -> None:
        raise NotImplementedError

    async def choose_for(self, writing: Writing) -> None:
        raise NotImplementedError

    def opened(self, opened: Opened, *, again: bool = False) -> None:
        raise NotImplementedError

    def choose(self) -> None:
        raise NotImplementedError

    async def keep(self) -> None:
        raise NotImplementedError

    def update(self) -> None:
        raise NotImplementedError
