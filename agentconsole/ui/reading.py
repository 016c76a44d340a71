"""What is read: the queue, the opened customer, the health of accounts, and the news that renew them.

News never move the keyboard, the chosen conversation, the place in the timeline or a draft.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from agentconsole.desk import DamagedRecord, Position, QueueCounts, QueuePage, Status, SuggestionView, TimelinePage
from agentconsole.domain import conversations, identity
from agentconsole.domain.about import NOTHING_KNOWN, About
from agentconsole.domain.entries import AnyEntry, Received, Redacted
from agentconsole.domain.model import (
    ConversationId,
    Customer,
    CustomerId,
    DeliveryRecord,
    EntryId,
    Fact,
    Heard,
    Line,
    Wish,
)
from agentconsole.errors import AgentConsoleError, HubAbsent, NotFound, TryLater
from agentconsole.ui import people
from agentconsole.ui.entries import Look
from agentconsole.ui.reaching import Reaching
from agentconsole.ui.widgets.queue import PAGE

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

FIRST_PAGE: Final = 60
OLDER_PAGE: Final = 120
LONGEST: Final = 500
"""The most entries asked for in one call."""

NEWS_SECONDS: Final = 25.0
BACKOFF: Final = (0.3, 0.6, 1.2, 2.5, 5.0)


@dataclass
class Opened:
    """The customer on the screen.

    Args:
        seen: newest entry that was on the screen when the agent last looked.
        masked: entries with a masked number.
        clear: texts of those whose number was revealed, until the agent goes elsewhere.
    """

    customer: Customer
    conversation: ConversationId
    entries: list[AnyEntry]
    states: dict[EntryId, DeliveryRecord]
    more: bool
    suggestions: tuple[SuggestionView, ...] = ()
    closed: str = ""
    doubtful: Heard | None = None
    whole: set[EntryId] = field(default_factory=set)
    fresh: set[EntryId] = field(default_factory=set)
    removed: dict[EntryId, Redacted] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    about: About = NOTHING_KNOWN
    masked: set[EntryId] = field(default_factory=set)
    clear: dict[EntryId, str] = field(default_factory=dict)

    newer: bool = False
    """Newer entries than these exist: an older part is shown."""

    def holds(self, entry: EntryId) -> bool:
        return any(known.id == entry for known in self.entries)

    @property
    def newest(self) -> EntryId:
        return self.entries[-1].id if self.entries else EntryId("")


class Reading(Reaching):
    """Args:
    app: the console whose panes show it.
    """

    FIRST_VIEW: Final = "waiting"

    def __init__(self, app: Console) -> None:
        self.app = app
        self._settled = False
        self._position_known: Position | None = None
        self.view = self.FIRST_VIEW
        self.words = ""
        """What the rows of the view are filtered by."""
        self.loaded = False
        self.counts = QueueCounts()
        self.status: Status | None = None
        self.opened: Opened | None = None
        self.damaged: dict[CustomerId, DamagedRecord] = {}
        """Customers whose files are damaged on disk."""
        self.below = 0
        self._opening: CustomerId | None = None
        self._position: Position | None = None
        self._resize: Timer | None = None

    # -- news -----------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Ask for the queue, then for news, for as long as the console lives."""
        tries = 0
        while True:
            try:
                if self._position is None:
                    await self._first()
                await self._next()
                tries = 0
            except (HubAbsent, TryLater):
                self.app.hub_gone()
                self._position = None
                await asyncio.sleep(BACKOFF[min(tries, len(BACKOFF) - 1)])
                tries += 1
            except AgentConsoleError as error:
                # A disk that cannot be read just now must not make the console deaf for good.
                self.app.tell_error(error)
                self._position = None
                await asyncio.sleep(BACKOFF[min(tries, len(BACKOFF) - 1)])
                tries += 1

    async def _first(self) -> None:
        app = self.app
        again, self._settled = self._settled, True
        if self._position_known is None:
            self._position = await self._queue()
        else:
            self._position, self._position_known = self._position_known, None
        app.hub_back()
        await self._status()
        if again:
            await self.renew()
        elif not await app.writer.restore() and self.opened is None and app.queue.chosen is not None:
            await self.open(app.queue.chosen.customer, app.queue.chosen.conversation, looked=False)
        await app.acting.tell_away()
        await app.writer.holding.resume()
        await app.company.renew()

    async def _next(self) -> None:
        app = self.app
        assert self._position is not None
        news = await app.desk.news(app.who, self._position, NEWS_SECONDS)
        app.hub_back()
        changed = news.position != self._position
        self._position = news.position
        if news.health:
            await self._status()
        if news.customers is None or news.customers:
            await self._queue()
            await app.notices.look(news.customers or ())
            opened = self.opened
            if opened is not None and (
                news.customers is None or set(news.customers) & {opened.customer.id, *opened.customer.members}
            ):
                await self.renew()
            if not news.health:
                await self._status()
        elif not changed:
            await asyncio.sleep(0.05)
        if news.present:
            await app.company.renew()
        # A line that was cut and is back looks like nothing from here.
        await app.acting.tell_away()

    async def catch_up(self) -> None:
        """Ask for everything that the screen shows again: something was changed past the hub's news."""
        await self._status()
        await self._queue()
        await self.renew()

    async def _status(self) -> None:
        before = self.status
        self.status = await self.app.desk.status(self.app.who)
        self.app.header.update()
        self.app.acting.status_changed(before, self.status)
        await self.app.acting.look_for_damage(before, self.status)

    # -- the queue ------------------------------------------------------------------------------------------

    async def _queue(self) -> Position:
        app = self.app
        view = self.view
        pages: dict[int, QueuePage] = {}
        for number in app.queue.visible_pages():
            pages[number] = await self._rows(view, number)
        if view == self.view:
            self.take(pages)
        return pages[0].position

    async def _rows(self, view: str, number: int) -> QueuePage:
        app = self.app
        if self.words:
            return await app.desk.filtered(app.who, view, self.words, number * PAGE, PAGE)
        return await app.desk.queue(app.who, view, number * PAGE, PAGE)

    async def filter(self, words: str) -> None:
        """Show only the rows that words ask for; all of them where there are none."""
        if words:  # what cannot be understood is refused here, before anything changes
            await self.app.desk.filtered(self.app.who, self.view, words, 0, 1)
        self.words, self.loaded = words, False
        self.app.queue.reset()
        self.app.view_bar.update()
        await self._queue()
        self.app.view_bar.update()

    def begin_with(self, page: QueuePage) -> None:
        """Show a page that was asked for before the screen stood."""
        self._position_known = page.position
        self.take({0: page})

    def take(self, pages: dict[int, QueuePage]) -> None:
        """Show rows of the present view; the first page is among them."""
        app = self.app
        self.counts, self.loaded = pages[0].counts, True
        app.queue.take(pages, fresh=True)
        app.header.update()
        app.view_bar.update()
        app.greet()

    async def more_rows(self, number: int) -> None:
        app = self.app
        view = self.view
        page = await self._rows(view, number)
        if view == self.view:
            app.queue.take({number: page}, fresh=False)
            app.view_bar.update()

    async def show_view(self, view: str) -> None:
        self.view, self.words, self.loaded = view, "", False
        self.app.queue.reset()
        self.app.view_bar.update()
        await self._queue()
        if not self.app.queue.total and view != "waiting":
            self.app.tell("queue.empty_view")

    # -- a customer -----------------------------------------------------------------------------------------

    def expect(self, customer: CustomerId | None) -> None:
        """Know who is about to be shown, before the hub was asked; None: nobody after all."""
        self._opening = customer

    @property
    def coming(self) -> CustomerId | None:
        """Who was asked for and is not on the screen yet: until then keys are meant for them, not for who is."""
        here = self.opened.customer if self.opened is not None else None
        return None if here is not None and self._opening in (here.id, *here.members) else self._opening

    async def open(
        self,
        customer: CustomerId,
        conversation: ConversationId = ConversationId(""),  # noqa: B008 - a NewType of a constant
        *,
        entry: EntryId = EntryId(""),  # noqa: B008
        looked: bool = True,
    ) -> None:
        """Show a customer.

        Args:
            conversation: the one that work means; the open one where empty.
            entry: show the timeline there.
            looked: the agent asked for it, so it counts as read.
        """
        app = self.app
        self._opening = customer
        try:
            page = await app.desk.timeline(app.who, customer, EntryId(""), FIRST_PAGE)
        except AgentConsoleError:
            self.expect(None)
            raise
        if self._opening != customer:
            return
        opened = Opened(page.customer, conversation, list(page.entries), dict(page.states), page.more)
        self._adopt(opened, page)
        if entry and opened.more and not opened.holds(entry):
            await self._around(opened, entry)
            if self._opening != customer:
                return
        self.opened = opened
        self._place(opened, conversation)
        app.timeline.show(opened.entries, self._look(), more=opened.more, newer=opened.newer, to=entry or None)
        self.below = 0
        self._draw()
        app.arrange(app.size)
        app.writer.opened(opened)
        app.company.here()
        if looked:
            app.note("opened", customer=opened.customer.id, name=people.customer_name(opened.customer))
            await self.mark_seen()

    def _adopt(self, opened: Opened, page: TimelinePage) -> None:
        opened.customer = page.customer
        opened.suggestions = page.suggestions
        opened.closed, opened.doubtful = page.closed, page.doubtful
        opened.facts = page.facts
        opened.about = page.about
        opened.masked.update(page.masked)
        opened.removed.update(page.removed)
        opened.states.update(page.states)
        opened.states.update({record.reply: record for record in page.customer.deliveries})

    def _place(self, opened: Opened, conversation: ConversationId) -> None:
        customer = opened.customer
        name = customer.joined.get(conversation, conversation)
        if not any(known.id == name for known in customer.conversations):
            current = conversations.current(customer) or next(iter(customer.conversations), None)
            name = current.id if current is not None else name
        opened.conversation = name

    async def renew(self) -> None:
        """Read the opened customer again; the screen stays where it is."""
        opened = self.opened
        if opened is None:
            return
        app = self.app
        members = opened.customer.members
        try:
            page = await app.desk.timeline(app.who, opened.customer.id, EntryId(""), FIRST_PAGE)
        except NotFound:
            name = people.customer_name(opened.customer)
            await app.writer.forget(opened.customer.id)
            self.forget(opened.customer.id)
            app.tell("erase.meanwhile", "warn", name=name)
            return
        if page.customer.members != members:
            limit = min(max(len(opened.entries), FIRST_PAGE), LONGEST)
            page = await app.desk.timeline(app.who, page.customer.id, EntryId(""), limit)
        if self.opened is not opened:
            return
        known = {entry.id for entry in opened.entries}
        if opened.newer and page.customer.members == members and not page.closed:
            pass  # an older part stays as it is; G shows what is new
        elif page.customer.members == members and not page.closed and not opened.closed:
            opened.fresh |= {
                entry.id for entry in page.entries if entry.id not in known and isinstance(entry, Received)
            }
            self._join(opened, page)
        else:
            opened.entries, opened.more, opened.newer = list(page.entries), page.more, False
        at_end = app.timeline.at_end
        self._adopt(opened, page)
        self._place(opened, opened.conversation)
        app.timeline.renew(opened.entries, self._look(), more=opened.more, newer=opened.newer)
        if at_end:
            self.below = 0
            if app.where in ("conversation", "box"):
                await self.mark_seen()
        else:
            self.below += sum(1 for entry in opened.entries if entry.id not in known and isinstance(entry, Received))
        self._draw()
        app.arrange(app.size)
        app.writer.opened(opened, again=True)
        app.writer.states_changed(opened.states)

    def _join(self, opened: Opened, page: TimelinePage) -> None:
        first = page.entries[0].id if page.entries else None
        places = [n for n, entry in enumerate(opened.entries) if entry.id == first]
        if places:
            opened.entries = [*opened.entries[: places[0]], *page.entries]
        else:
            opened.entries, opened.more = list(page.entries), page.more

    async def older(self) -> None:
        """Load what comes before, in answer to the view coming near its top."""
        opened = self.opened
        if opened is None or not opened.more:
            return
        await self._older(opened)
        if self.opened is opened:
            self.app.timeline.renew(opened.entries, self._look(), more=opened.more, newer=opened.newer)

    async def _older(self, opened: Opened) -> None:
        app = self.app
        before = opened.entries[0].id if opened.entries else EntryId("")
        page = await app.desk.timeline(app.who, opened.customer.id, before, OLDER_PAGE)
        known = {entry.id for entry in opened.entries}
        opened.entries = [*(entry for entry in page.entries if entry.id not in known), *opened.entries]
        opened.states = {**page.states, **opened.states}
        opened.removed.update(page.removed)
        opened.masked.update(page.masked)
        opened.more = page.more and bool(page.entries)

    async def mark_seen(self) -> None:
        opened = self.opened
        if opened is not None and opened.entries:
            at = max(entry.at for entry in opened.entries[-10:])
            await self.app.desk.seen(self.app.who, opened.customer.id, at)

    # -- what panes show ------------------------------------------------------------------------------------

    def _look(self) -> Look:
        opened = self.opened
        assert opened is not None
        return Look(
            self.app.say,
            self.app.look_width(),
            opened.customer.name,
            opened.states,
            frozenset(opened.whole),
            frozenset(opened.fresh),
            opened.removed,
            opened.clear,
            frozenset(
                entry.id
                for entry in opened.entries
                if isinstance(entry, Received) and not identity.vouched(opened.customer, entry)
            ),
        )

    def relook(self) -> None:
        """Draw the timeline again for another width or another folding."""
        if self.opened is not None:
            self.app.timeline.renew(self.opened.entries, self._look(), more=self.opened.more, newer=self.opened.newer)

    def scrolled(self) -> None:
        app = self.app
        if self.opened is not None and app.timeline.look.width != app.look_width():
            self.relook()
        if self.below and app.timeline.at_end:
            self.below = 0
        app.below.update()

    def cover(self) -> None:
        """Mask again what was revealed: the agent went elsewhere."""
        if self.opened is not None and self.opened.clear:
            self.opened.clear.clear()
            self.relook()

    def _draw(self) -> None:
        app = self.app
        app.head.update()
        app.suggest.update()
        app.below.update()
        self.draw_card()

    def draw_card(self) -> None:
        """Renew the customer's card where it is shown."""
        app = self.app
        if self.opened is None:
            return
        from agentconsole.ui.widgets.paper import Item

        if app.card.display or app.page_kind == "card":
            paper = app.page if app.page_kind == "card" else app.card
            width = max((paper.view.width or 42) - 3, 20)
            lines = people.card(
                self.opened.customer, self.opened.conversation, app.say, app.settings.clock(), width, self.opened.about
            )
            told = people.told(self.opened.facts, app.say, app.settings.clock(), width)
            wanted = people.wanted(self.opened.customer, app.say, width)
            linked = [Item(line, entry) for line, entry in (*wanted, *told)]
            paper.show([*linked, *(Item(line) for line in lines)], keep=True)

    @property
    def suggestions(self) -> tuple[SuggestionView, ...]:
        return self.opened.suggestions if self.opened is not None else ()

    @property
    def suggestion(self) -> SuggestionView | None:
        return self.suggestions[0] if self.suggestions else None

    @property
    def wish(self) -> Wish | None:
        """The oldest wish that waits for a decision, once nothing is asked about who they are."""
        if self.opened is None or self.opened.closed or self.suggestions or not self.opened.customer.wishes:
            return None
        return self.opened.customer.wishes[0]

    @property
    def damage(self) -> DamagedRecord | None:
        """What is damaged of the opened customer."""
        if self.opened is None:
            return None
        names = (self.opened.customer.id, *self.opened.customer.members)
        return next((self.damaged[name] for name in names if name in self.damaged), None)

    async def look_again(self) -> None:
        """Read the loaded entries of the opened customer anew: what they say has changed."""
        opened = self.opened
        if opened is None:
            return
        limit = min(max(len(opened.entries), FIRST_PAGE), LONGEST)
        page = await self.app.desk.timeline(self.app.who, opened.customer.id, EntryId(""), limit)
        if self.opened is opened:
            opened.entries, opened.more = list(page.entries), page.more
            await self.renew()

    def forget(self, customer: CustomerId) -> None:
        """Take a customer who was erased off the screen."""
        opened = self.opened
        if opened is None or customer not in (opened.customer.id, *opened.customer.members):
            return
        app = self.app
        self.opened, self.below = None, 0
        app.timeline.show((), Look(app.say, app.look_width()), more=False)
        app.card.show(())
        self._draw()
        if app.where == "conversation" or app.focused is None:
            app.focus_on(app.queue)
        app.arrange(app.size)

    def line_of_opened(self) -> Line | None:
        """Return the queue's row of the opened conversation, where it is loaded."""
        if self.opened is None:
            return None
        name = self.opened.conversation
        return next((line for _, line in self.app.queue.lines() if line.conversation == name), None)
