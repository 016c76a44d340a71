"""The actions that find: search, the next find, the quick switcher, the way to the evidence and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from agentconsole.domain.finding import Found
from agentconsole.domain.model import ConversationId, CustomerId, EntryId, Hit
from agentconsole.ui import finding
from agentconsole.ui.actions_base import NO_ENTRY, ActingPart
from agentconsole.ui.draw import our, safe
from agentconsole.ui.finding import FilterAsker, SearchAsker, SwitchAsker

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.asking import Asker
    from agentconsole.ui.widgets.boxes import Prompt

LIMIT: Final = 60
"""Finds over everybody that are shown: each may be in another file."""

LIMIT_HERE: Final = 300
EACH: Final = 3
"""Finds of one customer in a search over everybody: the rest is told as a number."""


@dataclass(frozen=True)
class Place:
    """Where the agent was before evidence was looked at."""

    customer: CustomerId
    conversation: ConversationId
    entry: EntryId


class FindActions(ActingPart):
    prompt: Prompt | None

    def __init__(self, app: Console) -> None:
        super().__init__(app)
        self._found = Found()
        self._words = ""
        self._at = -1
        self._here = CustomerId("")
        """Whose timeline alone was searched."""
        self._back: Place | None = None
        self._shown_evidence = NO_ENTRY

    async def ask_words(self, asker: Asker) -> None:
        raise NotImplementedError

    # -- search ---------------------------------------------------------------------------------------------

    async def do_search(self) -> None:
        app = self.app
        opened = app.reading.opened
        here = app.where == "conversation" and opened is not None and not app.page_kind
        customer = opened.customer.id if here and opened is not None else CustomerId("")
        await self.ask_words(SearchAsker(app, self, customer))

    def search_for(self, words: str, customer: CustomerId) -> None:
        if words:
            self.app.start(partial(self._search, words, customer), "page")
        elif customer:
            self.end_search()

    def end_search(self) -> None:
        """Take the marks off the timeline."""
        self._found, self._at, self._here = Found(), -1, CustomerId("")
        self.app.timeline.mark(None)
        self.app.tell("search.ended", "dim")

    async def _search(self, words: str, customer: CustomerId) -> None:
        app = self.app
        found = await app.desk.find_entries(
            app.who, words, customer, LIMIT_HERE if customer else LIMIT, 0, 0 if customer else EACH
        )
        app.tell_text(our(""))
        self._found, self._words, self._here, self._at = found, words, customer, -1
        app.timeline.mark(finding.pattern(words))
        app.note("searched", words=words, hits=str(found.total))
        if not customer:
            now = app.settings.clock()
            app.show_page("search", lambda width: finding.hits(found, words, app.say, now, width))
        elif not found.hits:
            app.tell("search.none", "warn", words=words)
        else:
            self._step_to(self._nearest())

    def _nearest(self) -> int:
        """Return the find at the cursor or the next older one, as a reader goes from the newest to the oldest."""
        chosen = self.app.timeline.chosen_entry
        if chosen is None:
            return 0
        older = (n for n, hit in enumerate(self._found.hits) if hit.at <= chosen.at)
        return next(older, 0)

    def do_next_hit(self) -> None:
        self._step(1)

    def do_previous_hit(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        app = self.app
        if app.page_kind == "search":
            app.page.move(by)
        elif not self._found.hits:
            app.tell("search.no_list", "dim")
        elif self._here and (app.reading.opened is None or app.reading.opened.customer.id != self._here):
            self._found = Found()
            app.tell("search.no_list", "dim")
        elif 0 <= self._at + by < len(self._found.hits):
            self._step_to(self._at + by)
        else:
            app.tell("search.last" if by > 0 else "search.first", "dim")

    def _step_to(self, place: int) -> None:
        self._at = place
        hit = self._found.hits[place]
        app = self.app
        self._tell_place(hit)
        if app.reading.opened is not None and hit.customer == app.reading.opened.customer.id:
            app.start(partial(self._show, hit.entry), "open")
        else:
            self.open(hit.customer, ConversationId(""), hit.entry)

    async def _show(self, entry: EntryId) -> None:
        await self.app.reading.show_entry(entry)
        self.app.focus_on(self.app.timeline)

    def _tell_place(self, hit: Hit) -> None:
        of = self._found.total if self._here else len(self._found.hits)
        known = f"{of}" if self._found.complete else f"{of}+"
        self.app.tell("search.at", "dim", at=str(self._at + 1), of=known, words=safe(self._words, 40))

    def open_hit(self, hit: Hit) -> None:
        """Open a find from the page; ``n`` and ``N`` go on from there."""
        self._at = self._found.hits.index(hit) if hit in self._found.hits else -1
        self.open(hit.customer, ConversationId(""), hit.entry)

    # -- the filter of the list -----------------------------------------------------------------------------

    async def do_filter(self) -> None:
        await self.ask_words(FilterAsker(self.app, self))

    def filter_by(self, words: str) -> None:
        self.app.tell_text(our(""))
        self.app.start(partial(self.app.reading.filter, words), "view")

    # -- the quick switcher ---------------------------------------------------------------------------------

    async def do_switch(self) -> None:
        await self.ask_words(SwitchAsker(self.app, self))

    def go(self, customer: CustomerId) -> None:
        self.app.close_page()
        self.app.reading.expect(customer)
        self.app.start(partial(self._go_to, customer), "open")

    async def _go_to(self, customer: CustomerId) -> None:
        app = self.app
        await app.reading.open(customer)
        if app.reading.opened is not None:
            app.queue.choose(app.reading.opened.conversation)  # else the list's keys would still mean another customer
            app.view_bar.update()
        app.focus_on(app.timeline)

    # -- evidence -------------------------------------------------------------------------------------------

    def do_evidence(self) -> None:
        """Go to the message behind what is under the cursor, or behind what is known of the customer, one after
        another."""
        app, opened = self.app, self.app.reading.opened
        chosen = app.page.chosen if app.focused is app.page else app.card.chosen if app.focused is app.card else None
        if app.where == "paper" and app.page_kind not in ("", "card", "why"):
            return
        if isinstance(chosen, str):
            customer = self.why_of() if app.page_kind == "why" else opened.customer.id if opened is not None else None
            if customer:
                self._go_to_evidence(customer, EntryId(chosen), "evidence.one")
            return
        if opened is None:
            app.tell("strip.nobody_chosen")
            return
        known = self._evidence()
        if not known:
            app.tell("evidence.none", "dim")
            return
        entries = [entry for _, entry in known]
        before = entries.index(self._shown_evidence) if self._shown_evidence in entries else -1
        place = (before + 1) % len(known)
        self._go_to_evidence(*known[place], "evidence.at", at=str(place + 1), of=str(len(known)))

    def _evidence(self) -> list[tuple[CustomerId, EntryId]]:
        """Return the messages behind a suggestion, a wish, a preference, a fact, a consent: the most asked first."""
        opened = self.app.reading.opened
        if opened is None or opened.closed:
            return []
        me = opened.customer.id
        found = [(one.customer, one.evidence) for one in opened.suggestions]
        found += [(me, one.evidence) for one in opened.customer.wishes]
        found += [(me, one.evidence) for one in opened.customer.preferences]
        found += [(me, one.entry) for one in opened.facts]
        found += [(me, one.evidence) for one in opened.customer.consents]
        return [one for one in dict.fromkeys(found) if one[1]]

    def why_of(self) -> CustomerId:
        raise NotImplementedError

    def _go_to_evidence(self, customer: CustomerId, entry: EntryId, said: str, **values: str) -> None:
        app, opened = self.app, self.app.reading.opened
        if self._back is None and opened is not None:
            self._back = Place(opened.customer.id, opened.conversation, app.timeline.chosen)
        self._shown_evidence = entry
        app.close_page()
        app.start(partial(self._look_at, customer, entry, said, values), "open")

    async def _look_at(self, customer: CustomerId, entry: EntryId, said: str, values: dict[str, str]) -> None:
        app, opened = self.app, self.app.reading.opened
        if opened is not None and customer in (opened.customer.id, *opened.customer.members):
            await app.reading.show_entry(entry)
        else:
            await app.reading.open(customer, entry=entry)
        app.focus_on(app.timeline)
        app.tell(said, "dim", **values)

    def back_from_evidence(self) -> bool:
        """Go back to where the agent was before; say whether there is such a place."""
        place, self._back, self._shown_evidence = self._back, None, NO_ENTRY
        opened = self.app.reading.opened
        if place is None or opened is None:
            return False
        self.app.tell_text(our(""))
        self.app.start(partial(self._return, place), "open")
        return True

    async def _return(self, place: Place) -> None:
        app, opened = self.app, self.app.reading.opened
        if opened is not None and opened.customer.id == place.customer:
            await app.reading.show_entry(place.entry)
        else:
            await app.reading.open(place.customer, place.conversation, entry=place.entry)
        app.focus_on(app.timeline)
