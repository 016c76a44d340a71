"""What all actions share: the app, whom an action means, changes one after another, undo."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from textual.widget import Widget

from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
    Hit,
)
from agentconsole.ui import people

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

UNDO_DEPTH: Final = 20
NO_ENTRY: Final = EntryId("")

Again: TypeAlias = Callable[[], Awaitable[None]]
Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Target:
    """Whom an action means, fixed at the moment of the key."""

    customer: CustomerId
    conversation: ConversationId
    name: str
    assignee: AgentName
    status: ConversationStatus


class ActingPart:
    """Args:
    app: the console; ``do_<id>`` of the parts is what the registry's action of that id does.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.asked_from: Widget | None = None
        self._undo: list[Work] = []
        self._again: Again | None = None
        self._one_at_a_time = asyncio.Lock()

    # -- whom it means --------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """Return the conversation that the keyboard is on."""
        app = self.app
        line = app.queue.chosen
        opened = app.reading.opened
        if app.where == "list" and line is not None:
            return Target(line.customer, line.conversation, line.name, line.assignee, line.status)
        if opened is None:
            app.tell("strip.nobody_chosen")
            return None
        here = next((c for c in opened.customer.conversations if c.id == opened.conversation), None)
        return Target(
            opened.customer.id,
            opened.conversation,
            people.customer_name(opened.customer),
            here.assignee if here is not None else AgentName(""),
            here.status if here is not None else ConversationStatus.OPEN,
        )

    def run(self, work: Work) -> None:
        """Run a change after those that were asked for before."""
        self.app.start(partial(self._in_turn, work), "change", exclusive=False)

    async def _in_turn(self, work: Work) -> None:
        async with self._one_at_a_time:
            await work()

    def undo_later(self, back: Work) -> None:
        self._undo.append(back)
        del self._undo[:-UNDO_DEPTH]

    def repeats(self, again: Again) -> None:
        """Let ``.`` do this again, to what the keyboard is on then."""
        self._again = again

    def request(self) -> str:
        return self.app.settings.request_ids()

    def page_width(self) -> int:
        return self.app.size.width - 2

    # -- what parts need of each other -----------------------------------------------------------------------

    def open(self, customer: CustomerId, conversation: ConversationId, entry: EntryId = NO_ENTRY) -> None:
        raise NotImplementedError

    def open_hit(self, hit: Hit) -> None:
        raise NotImplementedError

    async def open_prompt(self, what: str) -> None:
        raise NotImplementedError

    async def assign(self, target: Target, assignee: AgentName) -> None:
        raise NotImplementedError

    async def redact(self, why: str) -> None:
        raise NotImplementedError

    async def act_on_file(self, chosen: object) -> None:
        raise NotImplementedError

    def schedule_typed(self, words: str) -> None:
        raise NotImplementedError

    def split_typed(self, words: str) -> None:
        raise NotImplementedError

    def erase_typed(self, words: str) -> None:
        raise NotImplementedError
