"""How long replies wait and lines rest, by the monotonic clock: a jump of the wall clock neither stretches a wait nor
ends all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from agentconsole.domain import delivery
from agentconsole.domain.entries import Reply
from agentconsole.domain.model import DeliveryRecord, EntryId
from agentconsole.seams import Clock, Randomness

FIRST_REST: Final = 15.0
LONGEST_REST: Final = 300.0
"""Seconds that an account's sending rests after the line failed, first and at most (and a tenth more by chance)."""

REST_WHILE_FETCHED: Final = 3600.0
"""Seconds between tries while the account's fetching fails too: it says when the line is back."""

QUICK_TRIES: Final = 3
"""Failures of a line before it is left to fetching."""


def not_before(reply: Reply | DeliveryRecord) -> datetime | None:
    """Return when a reply may leave at the earliest; a time that names no zone is taken as UTC."""
    at = reply.not_before
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


class Waits:
    """When replies may be tried, and for how long they have been."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[EntryId, tuple[datetime, float]] = {}
        self._since: dict[EntryId, tuple[float, float]] = {}

    def left(self, record: DeliveryRecord) -> float:
        """Return the seconds until a reply may be tried; 0 where it may now.

        An agent's wish is a time of day. The pause after a failed attempt is a pause: never longer than it was when
        it began.
        """
        at = not_before(record)
        if at is None:
            return 0.0
        left = (at - self._clock.now()).total_seconds()
        if not record.attempt:
            return max(left, 0.0)
        mono = self._clock.monotonic()
        known = self._until.get(record.reply)
        if known is None or known[0] != at:
            left = max(min(left, (at - record.at).total_seconds()), 0.0)
            known = self._until[record.reply] = at, mono + left
        return max(known[1] - mono, 0.0)

    def tried_for(self, record: DeliveryRecord, wanted_from: datetime) -> float:
        """Return for how many seconds a reply has been due: by the wall clock before this process first saw it, by
        the monotonic one since, and never more than the wall clock says."""
        age = (self._clock.now() - wanted_from).total_seconds()
        if age < 0:
            return 0.0
        mono = self._clock.monotonic()
        first, then = self._since.setdefault(record.reply, (mono, age))
        return min(age, then + mono - first)

    def keep(self, records: Iterable[DeliveryRecord]) -> None:
        """Forget everything about replies that wait no more."""
        waiting = {record.reply for record in records}
        for kept in (self._until, self._since):
            for reply in kept.keys() - waiting:
                del kept[reply]


class Line:
    """Whether an account's sending rests because the provider cannot be reached, and until when.

    A provider that is away for a day is asked at most once in five minutes, not once for every reply that waits.
    """

    def __init__(self, clock: Clock, random: Randomness) -> None:
        self._clock = clock
        self._random = random
        self._failures = 0
        self._failed_at = 0.0
        self._until = 0.0
        self._refused = False

    @property
    def down(self) -> bool:
        return self._failures > 0

    @property
    def left(self) -> float:
        """Seconds until somebody may be tried again."""
        return max(self._until - self._clock.monotonic(), 0.0) if self._failures else 0.0

    def up(self) -> None:
        """Note that the provider answered, whatever it said, or that it may be tried at once."""
        self._failures, self._until = 0, 0.0

    def try_now(self, *, wished: bool) -> None:
        """End a rest without forgetting how often the line failed; one after a refused password only where an agent
        wishes it."""
        if wished or not self._refused:
            self._until = 0.0

    def hasten(self) -> None:
        """Rest no longer than usual, and not at all after few failures: somebody has just written."""
        rest = LONGEST_REST if self._refused or self._failures > QUICK_TRIES else 0.0
        self._until = min(self._until, self._failed_at + rest)

    def failed(self, asked: float | None, *, refused: bool, fetched: bool) -> float:
        """Note one more failure and return the seconds to rest.

        Args:
            asked: what the provider asked for, in seconds.
            refused: whether it was the password: providers lock accounts that hammer.
            fetched: whether fetching from the account fails as well and will tell when the line is back.
        """
        self._failures = max(self._failures, QUICK_TRIES if fetched else 0) + 1
        self._refused = refused
        first = LONGEST_REST if refused else FIRST_REST
        pause = delivery.backoff(self._failures, asked, self._random.fraction(), first=first, most=LONGEST_REST)
        if fetched and self._failures > QUICK_TRIES:
            pause = max(pause, REST_WHILE_FETCHED)
        self._failed_at = self._clock.monotonic()
        self._until = self._failed_at + pause
        return pause
