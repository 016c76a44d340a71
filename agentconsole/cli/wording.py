"""Sentences for people, from the codes that the Desk gives."""

from __future__ import annotations

from datetime import datetime, tzinfo

from agentconsole.desk import SuggestionView
from agentconsole.domain.model import (
    AnyEntry,
    Delivery,
    Ranked,
    RefusedRoute,
)


class Wording:
    """Words in one language and one time zone."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language = language
        self.zone = zone

    def moment(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def day(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%Y-%m-%d")

    def span(self, seconds: float) -> str:
        minutes = max(int(seconds // 60), 0)
        if minutes < 60:
            return f"{minutes} min"
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d"

    def medium(self, medium: str) -> str:
        return medium

    def state(self, state: Delivery) -> str:
        return str(state)

    def reason(self, code: str) -> str:
        return code.replace("_", " ")

    def because(self, ranked: Ranked) -> str:
        return f"{self.medium(ranked.route.medium)}: {self.reason(ranked.rule)}."

    def refusal(self, refused: RefusedRoute) -> str:
        return f"{self.medium(refused.route.medium)}: {self.reason(refused.reason)}."

    def suggestion(self, view: SuggestionView) -> str:
        return self.reason(view.why)

    def event(self, found: AnyEntry) -> str:
        return type(found).__name__
