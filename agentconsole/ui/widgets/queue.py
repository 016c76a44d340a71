"""Conversations that wait on us: two lines each, any number of them, read by pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from textual.geometry import Region
from textual.message import Message

from agentconsole.desk import QueuePage
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    Line,
    Priority,
)
from agentconsole.ui.draw import Row, Safe, clip, fit, our, row, safe, sides, width_of
from agentconsole.ui.say import Say
from agentconsole.ui.widgets.lines import Uniform

PAGE: Final = 50
"""Rows asked for at a time."""

WIDE: Final = 34
"""From this width on a row has room for two channel codes, the newest one in full, and the assignee's name."""


STEP_SECONDS: Final = 0.7
"""How long after a step a second press of the same key is taken for one that was meant for the row before."""


class Queue(Uniform):
    """The cursor belongs to a conversation, not to a place: news never puts another row under it.

    Where the chosen conversation leaves the view, no row is marked, and actions still mean that conversation; unless
    the agent closed it: then the row that comes to its place is next.
    """

    ITEM_LINES = 2

    class Need(Message):
        """A page that is not loaded came into view."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, say: Say, now: Callable[[], datetime], me: AgentName, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.say, self.now, self.me = say, now, me
        self.total = 0
        self.chosen: Line | None = None
        self.drafts: Collection[ConversationId] = ()
        self.company: Collection[CustomerId] = ()
        """Customers to whom another agent writes now."""
        self._pages: dict[int, tuple[Line, ...]] = {}
        self._asked: set[int] = set()
        self.place = 0
        self.marks: dict[ConversationId, Line] = {}
        """What is marked, as it was when last seen."""
        self.closing = ConversationId("")
        """The conversation that the agent here closes."""
        self.is_next = False
        """Whether the cursor came to its row by a close, and the agent has not been there yet."""
        self._coming = ConversationId("")
        self._stepped = 0.0
        self._pending: int | None = None

    # -- rows -----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        return self.total

    def line(self, item: int) -> Line | None:
        page = self._pages.get(item // PAGE, ())
        return page[item % PAGE] if item >= 0 and item % PAGE < len(page) else None

    def lines(self) -> list[tuple[int, Line]]:
        """Return all loaded rows with their places."""
        return [(n * PAGE + i, line) for n, page in sorted(self._pages.items()) for i, line in enumerate(page)]

    def visible_pages(self) -> list[int]:
        """Return the pages that the screen shows now; always the first."""
        first = round(self.scroll_y) // self.ITEM_LINES
        last = first + max(self.view.height, 1) // self.ITEM_LINES
        return sorted({0, first // PAGE, min(last, max(self.total - 1, 0)) // PAGE})

    def take(self, pages: dict[int, QueuePage], *, fresh: bool) -> None:
        """Show pages.

        Args:
            fresh: they are the present state, so what is not among them is forgotten; else they are added.
        """
        if fresh:
            self._pages, self._asked = {}, set()
        for number, page in pages.items():
            self._pages[number] = page.lines
            self._asked.discard(number)
            self.total = page.total or (number * PAGE + len(page.lines))
        self.marks |= {line.conversation: line for _, line in self.lines() if line.conversation in self.marks}
        self._follow()
        self.measure()
        self.refresh_changed()

    def toggle(self) -> None:
        """Mark the chosen row, or take its mark off."""
        if self.chosen is None:
            return
        if self.marks.pop(self.chosen.conversation, None) is None:
            self.marks[self.chosen.conversation] = self.chosen
        self.refresh_changed()

    def unmark(self, conversations: Collection[ConversationId]) -> None:
        if self.marks.keys() & conversations:
            self.marks = {name: line for name, line in self.marks.items() if name not in conversations}
            self.refresh_changed()

    def reset(self) -> None:
        """Forget everything: another view is about to come."""
        self._pages, self._asked, self.total, self.cursor, self.chosen, self.place = {}, set(), 0, -1, None, 0
        self._pending, self.closing, self.is_next, self.marks = None, ConversationId(""), False, {}
        self.jump(0)
        self.refresh()

    def come_back(self, conversation: ConversationId) -> None:
        """A row comes back that had left by itself: the cursor goes back with it, unless the agent went on since."""
        if self.is_next:
            self._coming = conversation
            self._meet()

    def _meet(self) -> bool:
        found = [(place, line) for place, line in self.lines() if line.conversation == self._coming]
        if found:
            self.select(found[0][0])
            self.cursor_moved()  # also where another row stood in its place
        return bool(found)

    def _follow(self) -> None:
        if self._coming and self._meet():
            return
        if self._pending is not None:
            self.chosen = self.line(self._pending)
            if self.chosen is not None or self._pending >= self.total:
                self._pending = None
            return
        if self.chosen is None:
            if self.total:
                self.cursor, self.chosen = 0, self.line(0)
            return
        before = self.cursor
        found = [(place, line) for place, line in self.lines() if line.conversation == self.chosen.conversation]
        if not found:
            self.cursor = -1
            if self.chosen.conversation == self.closing and self.total:
                self._step()
            return
        self.cursor, self.chosen = found[0]
        if before >= 0 and before != self.cursor and round(self.scroll_y):
            self.jump(round(self.scroll_y) + (self.cursor - before) * self.ITEM_LINES)
        self.place = self.cursor

    def _step(self) -> None:
        place = min(self.place, self.total - 1)
        line = self.line(place)
        if line is not None:
            self.cursor, self.place, self.chosen = place, place, line
            self.closing, self.is_next = ConversationId(""), True
            self._stepped = time.monotonic()

    @property
    def just_stepped(self) -> bool:
        return self.is_next and time.monotonic() < self._stepped + STEP_SECONDS

    # -- moving ---------------------------------------------------------------------------------------------

    def _refresh_item(self, item: int) -> None:
        """Only the first line of a row shows the cursor."""
        y = self.top(item) - round(self.scroll_y)
        if 0 <= item < self.count and 0 <= y < self.view.height:
            self.refresh(Region(0, y, self.view.width, 1))

    def cursor_moved(self) -> None:
        self.closing, self.is_next, self._coming = ConversationId(""), False, ConversationId("")
        self.place = max(self.cursor, 0)
        self.chosen = self.line(self.cursor)
        self._pending = self.cursor if self.chosen is None else None

    def move(self, by: int) -> None:
        if not self.count:
            return
        if self.cursor < 0:
            self.select(self.place if by > 0 else self.place - 1)
        else:
            self.select(self.cursor + by)

    def choose(self, conversation: ConversationId) -> None:
        """Put the cursor on a conversation where it is among the rows."""
        for place, line in self.lines():
            if line.conversation == conversation:
                self.select(place)
                self.chosen = line
                return

    # -- drawing --------------------------------------------------------------------------------------------

    def blank(self, width: int) -> Row:
        return row(our(" " * (width - 1)), (self.say.glyph("edge"), "dim"))

    def draw(self, item: int, line: int, width: int) -> tuple[Row, str]:
        edge = (self.say.glyph("edge"), "dim")
        shown = self.line(item)
        if shown is None:
            if item // PAGE not in self._asked:
                self._asked.add(item // PAGE)
                # Drawing happens in the screen's name, and a message of the screen's would end there.
                self.call_later(self._need, item // PAGE)
            return row(fit(our("  .."), width - 1), edge), ""
        here = item == self.cursor
        part = self._first(shown, here, width - 1) if line == 0 else self._second(shown, width - 1)
        style = "cursor" if here and line == 0 and self.has_focus else ""
        body, tail = sides(part[0], part[1], width - 1), row(edge)
        padding = width - 1 - sum(width_of(text) for text, _ in body)
        return (*body, (our(" " * max(padding, 0)), ""), *tail), style

    def _need(self, number: int) -> None:
        self.post_message(self.Need(number))

    def _first(self, line: Line, here: bool, width: int) -> tuple[Row, Row]:
        mark, style = our(" "), ""
        if line.failed:
            mark, style = self.say.glyph("failed"), "bad"
        elif line.uncertain:
            mark, style = self.say.glyph("uncertain"), "warn"
        elif line.customer in self.company:
            mark, style = self.say.glyph("company"), "warn"
        elif line.unread:
            mark, style = self.say.glyph("unread"), "good"
        codes = [self.say.code(medium) for medium in line.media]
        kept = codes[-2:] if width >= WIDE else codes[-1:]
        code = our(" ".join(kept) + ("+" if len(codes) > len(kept) else " "))
        age = self.say.age(self.now() - (line.wanted_since or line.last_at))
        if line.assignee == self.me:
            flag = self.say.glyph("mine")
        else:
            flag = self.say.glyph("others") if line.assignee else our(" ")
        whole = safe(line.name, 80)
        room = width - width_of(code) - width_of(age) - 6
        name = clip(whole, max(room, 4))
        left = row(
            (self.say.glyph("here") if here else self._marked(line), "key"),
            (mark, style),
            (code, "in"),
            (name, "bold" if line.unread or line.waiting_since is not None else ""),
        )
        word = our(self.say.medium(line.media[-1]) + " ") if line.media and width >= WIDE else our("")
        if width_of(word) + width_of(whole) >= room:
            word = our("")  # the name is more than what its letters say already
        return left, row((word, ""), (our(age + " "), "bad" if line.late else ""), (flag, "key"))

    def _marked(self, line: Line) -> Safe:
        return self.say.glyph("marked") if line.conversation in self.marks else our(" ")

    def _second(self, line: Line, width: int) -> tuple[Row, Row]:
        suggestion, draft = self.say.glyph("suggestion"), self.say.glyph("draft")
        marks = (suggestion if line.suggestions else "") + (draft if line.conversation in self.drafts else "")
        text: Safe = safe(line.preview or line.subject, 160)
        if line.status == ConversationStatus.RESOLVED:
            text = our(f"({self.say.status(line.status)}) {text}")
        told = self.say.work(line, self.now())
        if told:
            text = our(f"{told}  {text}")
        right: list[tuple[Safe, str]] = []
        if line.late:
            right.append((our(" " + self.say("work.late")), "bad"))
        if line.priority != Priority.NORMAL:
            style = "dim" if line.priority == Priority.LOW else "warn"
            right.append((our(" " + self.say.priority(line.priority)), style))
        if line.assignee and line.assignee != self.me and width >= WIDE:
            right.append((our(" " + safe(line.assignee, 12)), "dim"))
        if marks:
            right.append((our(" " + marks), "note"))
        marked = (self._marked(line), "key")
        return row(marked, our("  "), (text, "dim")), tuple(right)
