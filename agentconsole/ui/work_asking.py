"""What work is asked for in one line: times, tags, a priority, a task, a call. Reading and completing are pure."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from agentconsole.domain import when
from agentconsole.domain.acts import LogContact
from agentconsole.domain.model import Priority
from agentconsole.domain.work import IN_PERSON, PHONE, POST
from agentconsole.ui import fuzzy
from agentconsole.ui.asking import Asker
from agentconsole.ui.draw import EMPTY, Safe
from agentconsole.ui.strings import CATALOGUE

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.say import Say

CONTACTS: Final[dict[str, LogContact]] = {
    "called": LogContact(PHONE, answered=True),
    "called_in": LogContact(PHONE, inbound=True, answered=True),
    "not_reached": LogContact(PHONE),
    "visited": LogContact(IN_PERSON, inbound=True, answered=True),
    "letter_sent": LogContact(POST, answered=True),
    "letter_came": LogContact(POST, inbound=True),
}
"""What can have happened outside of all accounts, as the catalogue calls it (``contact.NAME``)."""

_MINUTES: Final = re.compile(r"(\d{1,4})\s*(?:m|min|mins|minutes?|분)\b[\s:,.]*", re.IGNORECASE)
SEPARATOR: Final = "|"
"""Between the examples of one sentence of the catalogue."""


def completed(words: str, offers: Iterable[str]) -> list[str]:
    """Return the offers that begin with what is typed, in their order; all where nothing is."""
    typed = words.casefold()
    return [offer for offer in offers if offer.casefold().startswith(typed) and offer.casefold() != typed]


def last_word(words: str, offers: Iterable[str]) -> list[str]:
    """Return the lines in which an offer stands in place of the last word."""
    head, _, last = words.rpartition(" ")
    return [f"{head} {offer}".strip() for offer in completed(last, offers)]


def times(say: Say, now: datetime) -> list[str]:
    """Return the times that people put things off to, as they would type them, without those that are over."""
    return [words for words in say("work.times").split(SEPARATOR) if when.later(words, now, say.zone) is not None]


def tags(words: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which tags a line puts on, with a plus or without, and which, after a minus, it takes off."""
    found = words.replace(",", " ").split()
    off = tuple(word[1:] for word in found if word.startswith("-") and len(word) > 1)
    return tuple(word.removeprefix("+") for word in found if word[0] != "-" and word != "+"), off


def offered_tags(known: Collection[str], here: Collection[str]) -> list[str]:
    """Return what may be typed: known tags that are not here, and those here with a minus."""
    return [*sorted(set(known) - set(here)), *(f"-{tag}" for tag in sorted(here))]


def priority(words: str, say: Say) -> Priority | None:
    """Return the priority of a name, or of its beginning, in either language."""
    typed = words.casefold()
    for one in Priority:
        if typed and any(name.casefold().startswith(typed) for name in (one.value, say.priority(one))):
            return one
    return None


def contact(words: str, say: Say) -> str:
    """Return which of ``CONTACTS`` words name; nothing where they name none."""
    names = (((*(texts[f"contact.{name}"] for texts in CATALOGUE.values()), name), name) for name in CONTACTS)
    found = fuzzy.ranked(words, list(names)) if words else []
    return found[0] if found else ""


def minutes(words: str) -> tuple[int, str]:
    """Return how many minutes a line begins or ends with, and what else it says."""
    match = _MINUTES.match(words)
    if match is not None:
        return int(match[1]), words[match.end() :].strip()
    return 0, words


class LineAsker(Asker):
    """One line with completion, and what it means said while it is typed.

    Args:
        name: of the prompt's label.
        take: what to do with the line; says whether the prompt may close.
        offers: what the line may become; tab goes through it.
        told: what the strip says of a line.
        first: what stands in the line at first.
    """

    def __init__(
        self,
        app: Console,
        name: str,
        take: Callable[[str], Awaitable[bool]],
        offers: Callable[[str], Sequence[str]] = lambda _: (),
        told: Callable[[str], Safe] = lambda _: EMPTY,
        first: str = "",
    ) -> None:
        super().__init__(app)
        self.name = name
        self._take, self._offers, self._told, self._first = take, offers, told, first
        self._round: list[str] = []
        self._put = ""

    async def begin(self) -> None:
        if self._first and self.app.acting.prompt is not None:
            self.app.acting.prompt.put(self._first)
        self.app.tell_text(self._told(self._first), "dim")

    def changed(self, words: str) -> None:
        if words != self._put.strip():
            self._round = []
        self.app.tell_text(self._told(words), "dim")

    def move(self, by: int) -> None:
        prompt = self.app.acting.prompt
        if prompt is None:
            return
        if not self._round:
            self._round = list(self._offers(prompt.typed))
        elif self._put in self._round:
            self._round = self._round[by:] + self._round[:by]
        if self._round:
            self._put = self._round[0]
            prompt.put(self._put)

    async def submit(self, words: str) -> bool:
        return await self._take(words)


class WhenAsker(LineAsker):
    """A time to come.

    Args:
        take: what to do with it.
    """

    def __init__(self, app: Console, name: str, take: Callable[[datetime], None]) -> None:
        super().__init__(app, name, self._read, self._times, self._at)
        self._taken = take

    def _times(self, words: str) -> Sequence[str]:
        return completed(words, times(self.app.say, self.app.settings.clock()))

    def _later(self, words: str) -> datetime | None:
        return when.later(words, self.app.settings.clock(), self.app.say.zone) if words else None

    def _at(self, words: str) -> Safe:
        say, at = self.app.say, self._later(words)
        if at is not None:
            return say("work.at", time=say.moment(at))
        return say("work.when", times=" / ".join(times(say, self.app.settings.clock())[:4]))

    async def _read(self, words: str) -> bool:
        at = self._later(words)
        if at is None:
            self.app.tell("send.no_time", "warn", words=words)
            return False
        self._taken(at)
        return True
