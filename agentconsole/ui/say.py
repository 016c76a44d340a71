"""Everything the console says: its own catalogue, and ``text.words`` for the words of the trade."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from agentconsole.desk import Fallback, SuggestionView
from agentconsole.domain.about import About
from agentconsole.domain.addresses import shown
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import (
    Address,
    Choice,
    ConversationStatus,
    Delivery,
    DeliveryRecord,
    Fact,
    Line,
    Medium,
    Priority,
    Ranked,
    RefusedRoute,
    Trust,
    Wish,
)
from agentconsole.text import choice_words
from agentconsole.text.words import Words
from agentconsole.ui.draw import Safe, our, safe
from agentconsole.ui.keymap import Keymap
from agentconsole.ui.keys import Action
from agentconsole.ui.look import ASCII, Glyphs
from agentconsole.ui.strings import CATALOGUE


class Say:
    """One language and one time zone; every result is safe to draw.

    Args:
        language: ``en`` or ``ko``; another is answered in English.
        timezone: an IANA name; an unknown one means UTC.
        glyphs: the set of marks and frames.
        keymap: the keys that hold; ``{k.undo}`` in a sentence is the key of undo, ``{kt.send}`` that while typing.
    """

    def __init__(self, language: str, timezone: str, glyphs: Glyphs = ASCII, keymap: Keymap | None = None) -> None:
        self._words = Words(language, timezone)
        self._glyphs = glyphs
        self.language = self._words.language
        self.keymap = keymap or Keymap()
        self._told = {"k": self.keymap.reading, "kt": self.keymap.typing}
        self._texts = CATALOGUE[self.language]
        self.numbers_ready = False
        """Phone numbers are grouped once their metadata was loaded, which start-up does not wait for."""

    def __call__(self, key: str, /, **values: str) -> Safe:
        """Return a sentence of the catalogue with values put in; the values may come from outside."""
        text = self._texts[key]
        if not values and "{k" not in text:
            return our(text)
        return our(text.format(**self._told, **{name: safe(value) for name, value in values.items()}))

    def hint(self, action: Action) -> Safe:
        """Return what an action does in the few words that stand beside its key."""
        return self.short(action.name)

    def short(self, name: str) -> Safe:
        """Return what an action of a name does in few words."""
        return self(f"hint.{name}" if f"hint.{name}" in self._texts else f"action.{name}")

    def glyph(self, name: str) -> Safe:
        """Return the mark or frame of a meaning."""
        return our(self._glyphs[name])

    # -- time -----------------------------------------------------------------------------------------------

    @property
    def zone(self) -> tzinfo:
        return self._words.zone

    def time_of(self, at: datetime) -> Safe:
        """Return day and time as one says them: ``4 Mar 14:02``."""
        return our(self._words.time_of(at))

    def local(self, at: datetime) -> datetime:
        return self._words.local(at)

    def clock(self, at: datetime) -> Safe:
        return our(self._words.clock(at))

    def day(self, at: datetime) -> Safe:
        return our(self._words.day(at))

    def short_day(self, at: datetime) -> Safe:
        return our(self._words.short_day(at))

    def when(self, at: datetime, now: datetime) -> Safe:
        """Return the time for today, else the day."""
        return our(self._words.when(at, now))

    def age(self, span: timedelta) -> Safe:
        return our(self._words.age(span))

    def ago(self, span: timedelta) -> Safe:
        """Return how long ago in one unit, spelt out: 12 min, 2 h, 3 d."""
        minutes = max(int(span.total_seconds() // 60), 0)
        if minutes < 60:
            return self("ago.minutes", n=str(minutes))
        if minutes < 48 * 60:
            return self("ago.hours", n=str(minutes // 60))
        return self("ago.days", n=str(minutes // (24 * 60)))

    # -- words of the trade ---------------------------------------------------------------------------------

    def medium(self, medium: str) -> Safe:
        return our(self._words.medium(medium))

    def title(self, medium: str) -> Safe:
        """Return a medium's name as the first word of a sentence."""
        return our(self._words.title(medium))

    def code(self, medium: Medium) -> Safe:
        """Return the two letters of a medium."""
        return our(self._words.medium_code(medium))

    def state(self, state: Delivery) -> Safe:
        return our(self._words.state(state))

    def status(self, status: ConversationStatus) -> Safe:
        return our(self._words.status(status))

    def priority(self, priority: Priority) -> Safe:
        return our(self._words.priority(priority))

    def moment(self, at: datetime) -> Safe:
        """Return day of the week, date and time: what an agent compares with what was meant."""
        return our(f"{self._words.day(at)} {self._words.clock(at)}")

    def work(self, line: Line, now: datetime) -> Safe:
        """Return what a row says of its work before its newest message: why it is out of the way, when it wakes, what
        is to be done, how it is tagged."""
        told: list[str] = []
        if line.aside:
            told.append(f"({self._words.aside(line.aside)})")
        if line.snoozed_until is not None and line.status == ConversationStatus.SNOOZED:
            told.append(self("row.wakes", time=self._words.time_of(line.snoozed_until)))
        if line.task is not None:
            key = "row.task_due" if line.task.rung else "row.task"
            told.append(self(key, time=self._words.time_of(line.task.due), text=line.task.text))
        told += [f"#{safe(tag, 20)}" for tag in line.tags[:3]]
        return our(" ".join(told))

    def scope(self, scope: str) -> Safe:
        return our(self._words.scope(scope))

    def trust(self, trust: Trust) -> Safe:
        return our(self._words.trust(trust))

    def account_state(self, state: str) -> Safe:
        return our(self._words.account_state(state))

    def event(self, entry: AnyEntry) -> Safe:
        return our(self._words.event(entry))

    def wish(self, wish: Wish) -> Safe:
        """Return what somebody may want, in whose words, and where that stands."""
        key = "wish.line_for" if wish.purpose else "wish.line"
        return self(
            key,
            medium=self.medium(wish.medium),
            purpose=safe(wish.purpose, 20),
            words=safe(wish.words, 160),
            source=self.medium(wish.evidence_medium),
            day=self.short_day(wish.at),
        )

    def suggestion(self, view: SuggestionView, now: datetime) -> Safe:
        """Return the evidence of a suggestion."""
        return our(self._words.evidence(view.why, view.evidence_medium, view.evidence_at, now, doubtful=view.doubtful))

    def guard(self, warned: Warned, now: datetime) -> Safe:
        """Return what a guard warns of."""
        return our(self._words.guard(warned, now))

    def fact(self, fact: Fact, now: datetime) -> tuple[Safe, Safe]:
        """Return what the customer told, and where and when."""
        what, source = self._words.fact(fact, now)
        return our(what), our(source)

    def confirm(self, fact: Fact, draft: str, spoken: str = "") -> Safe:
        """Return the question that lets a customer confirm what is known, in their language, else the draft's."""
        return our(self._words.confirm(fact, draft, spoken))

    def choice(self, choice: Choice, now: datetime) -> list[choice_words.Told]:
        """Return the whole choice in the sentences of ``agentconsole why``."""
        return choice_words.told(choice, self._words, now)

    def proposal(self, ranked: Ranked) -> Safe:
        """Return the sentence that proposes the medium on which answers come."""
        return our(self._words.proposal(ranked))

    def fallback(self, found: Fallback) -> Safe:
        """Return what goes instead of a failed reply and what was done to its text."""
        medium = found.ranked.route.medium
        return our(choice_words.fallback(found.failed, medium, found.changes, found.left_out, self._words))

    def about(self, about: About, now: datetime) -> list[Safe]:
        """Return language, clock, country and best hour, each with its evidence."""
        lines = (
            choice_words.spoken(about, self._words),
            choice_words.clock(about, self._words, now),
            choice_words.country(about, self._words),
            choice_words.best_hour(about, self._words),
        )
        return [our(line) for line in lines if line]

    def why(self, ranked: Ranked, now: datetime) -> Safe:
        """Return why a route stands where it does, and what ends when."""
        return our(self._words.why(ranked, now))

    def refusal(self, refused: RefusedRoute, now: datetime) -> Safe:
        """Return why a route must not be used now."""
        return our(self._words.refusal(refused, now))

    def delivery(self, record: DeliveryRecord) -> Safe:
        """Return what became of a reply and why; with the key where a person has to decide."""
        text = our(self._words.delivery(record))
        if record.state in (Delivery.UNCERTAIN, Delivery.FAILED):
            text = our(f"{text} {self('entry.decide')}")
        return text

    def undecided(self, record: DeliveryRecord) -> Safe:
        """Return why a reply may have gone out, without the key: the page that shows it names them."""
        return our(self._words.delivery(record))

    def banner(self, code: str) -> Safe:
        """Return what concerns the whole hub: what happened, what is not affected, what to do."""
        return our(self._words.banner(code))

    def address(self, address: Address) -> Safe:
        return safe(shown(address) if self.numbers_ready else address.value, 80)

    def size(self, octets: int) -> Safe:
        if octets < 1000:
            return our(f"{octets} B")
        return our(f"{octets / 1000:.0f} kB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB")
