"""What was found, as rows, and what is asked for while words are typed: a search, a customer. Rows are pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from agentconsole.domain.finding import Contact, Found
from agentconsole.domain.model import CustomerId, Hit
from agentconsole.ui.asking import Asker
from agentconsole.ui.draw import Row, clip, fit, our, row, safe, sides
from agentconsole.ui.say import Say
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from agentconsole.ui.actions_find import FindActions
    from agentconsole.ui.app import Console

WHEN: Final = 10
"""Cells of a time or a day, in Korean the wider one."""

SHOWN: Final = 30
"""Customers that the quick switcher lists."""


def hits(found: Found, words: str, say: Say, now: datetime, width: int) -> list[Item]:
    """Return what was found by customer: a line that names one and counts, then the newest entries of that one."""
    total = say("search.of", n=str(found.total)) if found.complete else say("search.more", n=str(found.total))
    items = [Item(row((say("search.title", words=words, n=total), "title")))]
    if not found.hits:
        return [*items, Item(row(our("  "), say("search.none", words=words)))]
    counts = {one.customer: one for one in found.customers}
    for customer in dict.fromkeys(hit.customer for hit in found.hits):
        mine = [hit for hit in found.hits if hit.customer == customer]
        count = counts[customer].count if customer in counts else len(mine)
        right = row((say("search.of", n=str(count)), "dim"))
        name = row(our("  "), (clip(safe(mine[0].name or customer, 80), max(width - 16, 8)), "bold"))
        items.append(Item(sides(name, right, width - 2)))
        items += [Item(_hit(hit, say, now), hit) for hit in mine]
    return items


def _hit(hit: Hit, say: Say, now: datetime) -> Row:
    return row(
        our("   "),
        (fit(say.when(hit.at, now), WHEN), "dim"),
        (say.code(hit.medium) if hit.medium else our("  "), "in"),
        our(" "),
        safe(hit.snippet.replace("⏎", "  "), 240) or say("search.closed"),
    )


def contacts(found: Sequence[Contact], say: Say, now: datetime, width: int) -> list[Item]:
    items = [Item(row((say("switch.title"), "title")))]
    if not found:
        items.append(Item(row(our("  "), (say("switch.none"), "dim"))))
    for one in found:
        media = our(" ".join(say.code(medium) for medium in one.media))
        age = say.age(now - one.at) if one.at is not None else our("")
        left = row(
            our(" "),
            (fit(safe(one.name or one.customer, 80), 24 if width < 100 else 34), "bold"),
            our("  "),
            (safe(", ".join(one.addresses), 200), "dim"),
        )
        items.append(Item(sides(left, row((media, "in"), our(" "), (fit(age, 6), "dim")), width - 2), one.customer))
    return items


def pattern(words: str) -> re.Pattern[str] | None:
    """Return what marks the words of a search where they stand."""
    from agentconsole.errors import UsageError
    from agentconsole.text import query

    try:
        asked = query.parse(words, datetime.now().astimezone())
    except UsageError:
        return None
    parts = sorted(set(re.findall(r"\w+", asked.words)), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, parts)), re.IGNORECASE) if parts else None


class SearchAsker(Asker):
    """Words and filters; tab completes what a filter may be."""

    name = "search"

    def __init__(self, app: Console, finder: FindActions, customer: CustomerId = CustomerId("")) -> None:  # noqa: B008
        super().__init__(app)
        self._finder = finder
        self._customer = customer
        self._offered: list[str] = []
        self._put = ""
        if customer:
            self.name = "search_here"

    async def begin(self) -> None:
        self.app.tell("search.here_hint" if self._customer else "search.filters", "dim")

    def changed(self, words: str) -> None:
        if words != self._put.strip():
            self._offered = []

    def move(self, by: int) -> None:
        prompt = self._finder.prompt
        if prompt is None:
            return
        if not self._offered:
            from agentconsole.text import query

            agents = {one.assignee for _, one in self.app.queue.lines() if one.assignee}
            tags = {tag for _, one in self.app.queue.lines() for tag in one.tags}
            self._offered = list(query.completions(prompt.typed, {query.BY: agents, query.TAG: tags}))
        elif self._put in self._offered:
            self._offered = self._offered[by:] + self._offered[:by]
        if self._offered:
            self._put = self._offered[0]
            prompt.put(self._put)

    async def submit(self, words: str) -> bool:
        self._finder.search_for(words, self._customer)
        return True


class FilterAsker(SearchAsker):
    """The same words, for the rows of the list; none show all rows again."""

    name = "filter"

    async def begin(self) -> None:
        words = self.app.reading.words
        if words and self._finder.prompt is not None:
            self._finder.prompt.put(words)
        self.app.tell("filter.hint", "dim")

    async def submit(self, words: str) -> bool:
        self._finder.filter_by(words)
        return True


class SwitchAsker(Asker):
    """The beginning of a name or address; the list follows each key by one question, and a late answer is dropped."""

    name = "switch"

    def __init__(self, app: Console, finder: FindActions) -> None:
        super().__init__(app)
        self._finder = finder
        self._words: str | None = None
        self._answered = ""

    async def begin(self) -> None:
        self.app.show_page("switch", contacts((), self.app.say, self.app.settings.clock(), self._width)[:1])
        if self._finder.prompt is not None:
            self.app.focus_on(self._finder.prompt)
        self.changed("")

    @property
    def _width(self) -> int:
        return self._finder.page_width()

    def changed(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self.app.start(partial(self._ask, words), "switch")

    async def _ask(self, words: str) -> None:
        app = self.app
        found = await app.desk.find_people(app.who, words, SHOWN)
        if words == self._words and app.page_kind == "switch":
            self._answered = words
            app.page.show(contacts(found, app.say, app.settings.clock(), self._width))

    def move(self, by: int) -> None:
        self.app.page.move(by)

    async def submit(self, words: str) -> bool:
        if self._answered != words:  # enter came before the answer: what it lists now is of other words
            await self._ask(words)
        chosen = self.app.page.chosen
        if not isinstance(chosen, str):
            self.app.tell("switch.none", "dim")
            return False
        self._finder.go(CustomerId(chosen))
        return True

    def end(self) -> None:
        self._words = None
        if self.app.page_kind == "switch":
            self.app.close_page()
