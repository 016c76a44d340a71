"""``text.words`` for commands: one language, one time zone, and the present bound to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agentconsole.cli.phrases import PHRASES
from agentconsole.desk import SuggestionView
from agentconsole.domain.entries import AnyEntry, Receipt
from agentconsole.domain.model import Ranked, RefusedRoute
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
        self.trust = self._words.trust
        self.scope = self._words.scope
        self.reason = self._words.reason
        self.banner = self._words.banner
        self.moment = self._words.moment
        self.day = self._words.short_day
        self.delivery = self._words.delivery

    def say(self, key: str, **values: object) -> str:
        """Return one of the commands' own phrases with values put in. Whoever prints it makes it safe."""
        return self._phrases[key].format(**values)

    def since(self, at: datetime) -> str:
        """Return how long ago a moment was."""
        return self._words.span(self._now() - at)

    def because(self, ranked: Ranked) -> str:
        return self._words.why(ranked, self._now())

    def refusal(self, refused: RefusedRoute) -> str:
        return self._words.refusal(refused, self._now())

    def suggestion(self, view: SuggestionView) -> str:
        return self._words.evidence(view.why, view.evidence_medium, view.evidence_at, self._now())

    def event(self, found: AnyEntry) -> str:
        """Return what an entry says that has no text of its own; empty for messages and notes."""
        if isinstance(found, Receipt):
            return self.state(found.state) + (f": {self.reason(found.reason)}" if found.reason else "")
        return self._words.event(found)
