"""What a console is started with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


class Coach(Protocol):
    """Leads a newcomer. The console tells it what really happened and shows what it says next."""

    def text(self, language: str) -> str:
        """Return the line above the footer; empty where there is nothing to say."""
        ...

    def note(self, event: str, **facts: str) -> None:
        """Hear of an event: ``opened`` ``linked`` ``unlinked`` ``why_seen`` ``route_walked`` ``refused_seen``
        ``sent`` ``closed`` ``draft_restored`` ``searched``."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class UiSettings:
    """Args:
    request_ids: makes the id of a changing call; a repeat with the same id changes nothing more.
    profile: the profile's name, shown in the header.
    mouse: off by default because motion reports cost bytes over SSH.
    coach: leads a newcomer, where given.
    extra: palette entries of whoever starts the console: title and what to do.
    """

    request_ids: Callable[[], str]
    language: str = "en"
    timezone: str = "UTC"
    profile: str = ""
    mouse: bool = False
    coach: Coach | None = None
    clock: Callable[[], datetime] = _now
    extra: Sequence[tuple[str, Callable[[], Awaitable[object]]]] = field(default_factory=tuple)
