"""What all actions share: the app, whom an action means, changes one after another, undo."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from textual.widget import Widget

from agentconsole.domain import acts
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Draft,
    EntryId,
    Hit,
    Line,
    Priority,
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
    tags: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL
    aside: str = ""
    task: EntryId = NO_ENTRY
    """Its next task."""

    @property
    def place(self) -> acts.Target:
        """What the hub is told to work on."""
        return acts.Target(self.customer, self.conversation)


def of_line(line: Line) -> Target:
    return Target(
        line.customer,
        line.conversation,
        line.name,
        line.assignee,
        line.status,
        line.tags,
        line.priority,
        line.aside,
        line.task.id if line.task is not None else NO_ENTRY,
    )


@dataclass(frozen=True)
class Back:
    """One thing that can be taken back.

    Args:
        work: what takes it back.
        entries: what the hub keeps of it.
    """

    work: Work
    entries: tuple[EntryId, ...] = ()


class ActingPart:
    """Args:
    app: the console; ``do_<id>`` of the parts is what the registry's action of that id does.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.asked_from: Widget | None = None
        self._undo: list[Back] = []
        self._again: Again | None = None
        self._one_at_a_time = asyncio.Lock()

    # -- whom it means --------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """Return the conversation that the keyboard is on."""
        app = self.app
        line = app.queue.chosen
        opened, coming = app.reading.opened, app.reading.coming
        listed = of_line(line) if app.where == "list" and line is not None else None
        if coming is not None and (listed is None or listed.customer != coming):
            app.tell("strip.still_opening")
            return None
        if listed is not None:
            return listed
        if opened is None:
            app.tell("strip.nobody_chosen")
            return None
        customer, name = opened.customer, opened.conversation
        here = next((c for c in customer.conversations if c.id == name), None)
        title = people.customer_name(customer)
        if here is None:
            return Target(customer.id, name, title, AgentName(""), ConversationStatus.OPEN)
        tasks = [
            task
            for task in customer.tasks
            if not task.done and customer.joined.get(task.conversation, task.conversation) == name
        ]
        blocked = any(str(a.address) == here.last_sender and a.blocked_by for a in customer.addresses)
        return Target(
            customer.id,
            name,
            title,
            here.assignee,
            here.status,
            here.tags,
            here.priority,
            here.aside or ("blocked" if blocked else ""),
            min(tasks, key=lambda task: task.due).id if tasks else NO_ENTRY,
        )

    def targets(self) -> tuple[Target, ...]:
        """Return what work is for: in the list everything that is marked, else the conversation the keyboard is on."""
        app = self.app
        if app.where == "list" and app.queue.marks:
            return tuple(of_line(line) for line in app.queue.marks.values())
        target = self.target()
        return (target,) if target is not None else ()

    def run(self, work: Work) -> None:
        """Run a change after those that were asked for before."""
        self.app.start(partial(self._in_turn, work), "change", exclusive=False)

    async def _in_turn(self, work: Work) -> None:
        async with self._one_at_a_time:
            await work()

    def undo_later(self, back: Work, entries: tuple[EntryId, ...] = ()) -> None:
        self._undo.append(Back(back, entries))
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

    def open_draft(self, draft: Draft) -> None:
        raise NotImplementedError

    async def open_prompt(self, what: str) -> None:
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
