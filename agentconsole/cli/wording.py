"""``text.words`` for commands: one language, one time zone, and the present bound to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agentconsole.cli.phrases import PHRASES
from agentconsole.desk import Fallback, SuggestionView
from agentconsole.domain.about import About
from agentconsole.domain.entries import AnyEntry, Receipt
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import Choice, Fact, LinkedAddress, Ranked, RefusedRoute, Wish
from agentconsole.text import choice_words
from agentconsole.text.sanitise import one_line
from agentconsole.text.words import Words


class Wording:
    """Args:
    now: the present, for what is told as a distance from it.
    """

    def __init__(self, language: str, timezone: str, now: Callable[[], datetime]) -> None:
        self._words = Words(language, timezone)
        self._phrases = PHRASES[self._words.language]
        self._now = now
        self.medium = self._words.medium
        self.state = self._words.state
        self.account_state = self._words.account_state
        self.status = self._words.status
        self.priority = self._words.priority
        self.aside = self._words.aside
        self.trust = self._words.trust
        self.scope = self._words.scope
        self.reason = self._words.reason
        self.banner = self._words.banner
        self.moment = self._words.moment
        self.day = self._words.short_day
        self.delivery = self._words.delivery
        self.words = self._words

    def say(self, key: str, **values: object) -> str:
        """Return one of the commands' own phrases with values put in. Whoever prints it makes it safe."""
        return self._phrases[key].format(**values)

    def since(self, at: datetime) -> str:
        """Return how long ago a moment was."""
        return self._words.span(self._now() - at)

    def because(self, ranked: Ranked) -> str:
        return self._words.why(ranked, self._now())

    def guard(self, warned: Warned) -> str:
        return self._words.guard(warned, self._now())

    def fact(self, fact: Fact) -> str:
        """Return what the customer told, with its source."""
        return self.say("fact", **dict(zip(("what", "source"), self._words.fact(fact, self._now()), strict=True)))

    def wish(self, wish: Wish) -> dict[str, str]:
        """Return the parts of a suggested wish: what for, in which words, said where and when, and its id."""
        medium = self.medium(wish.medium)
        return {
            "medium": self.say("for_purpose", what=medium, purpose=wish.purpose) if wish.purpose else medium,
            "words": one_line(wish.words, 160),
            "source": self.medium(wish.evidence_medium),
            "day": self.day(wish.at),
            "id": wish.id,
        }

    def refusal(self, refused: RefusedRoute) -> str:
        return self._words.refusal(refused, self._now())

    def choice(self, choice: Choice) -> list[choice_words.Told]:
        """Return the whole choice in the sentences that the console shows too."""
        return choice_words.told(choice, self._words, self._now())

    def about(self, about: About) -> list[tuple[str, str]]:
        """Return what is known of a customer besides addresses and wishes, each under its phrase's key."""
        found = [
            ("language", choice_words.spoken(about, self._words)),
            ("zone", choice_words.clock(about, self._words, self._now())),
            ("country", choice_words.country(about, self._words)),
            ("best_hour", choice_words.best_hour(about, self._words)),
        ]
        return [(key, text) for key, text in found if text]

    def fallback(self, found: Fallback) -> str:
        return choice_words.fallback(
            found.failed, found.ranked.route.medium, found.changes, found.left_out, self._words
        )

    def suggestion(self, view: SuggestionView) -> str:
        return self._words.evidence(
            view.why, view.evidence_medium, view.evidence_at, self._now(), doubtful=view.doubtful
        )

    def provenance(self, linked: LinkedAddress) -> str:
        """Return how an address came to be the customer's: by whom or by what evidence, when, and who trusts it."""
        found = ""
        if linked.by:
            found = self.say("linked_by", agent=linked.by, day=self.day(linked.since))
        elif linked.why:
            why = self.say("linked.provider_ties") if linked.why == "provider_ties" else linked.why
            found = self.say("linked_for", why=why, day=self.day(linked.since))
        if linked.trusted_by:
            found += self.say("linked_trusted", agent=linked.trusted_by, signer=linked.signer)
        return found

    def event(self, found: AnyEntry) -> str:
        """Return what an entry says that has no text of its own; empty for messages and notes."""
        if isinstance(found, Receipt):
            return self.state(found.state) + (f": {self.reason(found.reason)}" if found.reason else "")
        return self._words.event(found)
