"""What we learned about a customer's media: how often what we sent there was answered.

Counts fade, so that last year's silence does not outweigh this month's answers. Nothing is learned from fewer than
three sends, and a send that nobody had time to answer counts for neither side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from agentconsole.domain.model import Medium, Tally, Value

HALF_LIFE: Final = timedelta(days=120)
"""After this long a send counts half."""

ANSWERED_WITHIN: Final = timedelta(days=14)
"""A message that comes later than this is no answer to what we sent."""

PATIENCE: Final = timedelta(hours=24)
"""So long a send may stay unanswered without counting as such; whoever writes again later was not answered before."""

ENOUGH: Final = 3
"""Fewer sends than this teach nothing."""

CONVINCING: Final = 0.5
"""The share of answered sends from which a medium is proposed."""

AHEAD: Final = 0.2
"""How far its share must be above that of every other medium that taught something."""


class Learned(Value, frozen=True):
    """The medium that the counts speak for, with the counts of all media that were tried."""

    medium: Medium
    tallies: tuple[Tally, ...]


def _faded(tally: Tally, now: datetime) -> Tally:
    if tally.at is None or now <= tally.at:
        return tally if tally.at is not None else replace(tally, at=now)
    fade: float = 0.5 ** ((now - tally.at) / HALF_LIFE)
    return replace(tally, sent_weight=tally.sent_weight * fade, answered_weight=tally.answered_weight * fade, at=now)


def sent(tally: Tally, at: datetime) -> Tally:
    """Return the tally after one more reply of ours arrived at ``at``."""
    known = _faded(tally, at)
    newest = at if known.last_out is None else max(known.last_out, at)
    waited = known.last_out is not None and at - known.last_out >= PATIENCE
    still_open = 0 if waited else known.open
    return replace(known, sent=known.sent + 1, sent_weight=known.sent_weight + 1, open=still_open + 1, last_out=newest)


def answered(tally: Tally, at: datetime) -> Tally:
    """Return the tally after the customer wrote on its medium at ``at``: what was open counts as answered."""
    if not tally.open or tally.last_out is None or at < tally.last_out:
        return tally
    known = _faded(tally, at)
    if at - tally.last_out > ANSWERED_WITHIN:
        return replace(known, open=0)
    weight = min(known.answered_weight + known.open, known.sent_weight)
    return replace(known, answered=known.answered + known.open, answered_weight=weight, open=0)


def added(one: Tally, other: Tally) -> Tally:
    """Return the tally of one medium over two records of the same person."""
    times = [at for at in (one.at, other.at) if at is not None]
    if not times:
        return one
    one, other = _faded(one, max(times)), _faded(other, max(times))
    outs = [at for at in (one.last_out, other.last_out) if at is not None]
    return Tally(
        one.medium,
        one.sent + other.sent,
        one.answered + other.answered,
        one.sent_weight + other.sent_weight,
        one.answered_weight + other.answered_weight,
        one.open + other.open,
        max(outs, default=None),
        max(times),
    )


def settled(tally: Tally, now: datetime) -> Tally:
    """Return the tally without the newest send where there was no time to answer it yet."""
    if tally.open and tally.last_out is not None and now - tally.last_out < PATIENCE:
        known = _faded(tally, now)
        return replace(known, sent=known.sent - 1, sent_weight=max(known.sent_weight - 1, 0.0), open=known.open - 1)
    return tally


def share(tally: Tally) -> float:
    """Return the faded share of sends that were answered, 0 to 1."""
    return tally.answered_weight / tally.sent_weight if tally.sent_weight > 0 else 0.0


def learn(tallies: Iterable[Tally] | Mapping[str, Tally], now: datetime) -> Learned | None:
    """Return the medium that answers come on, or None where the counts say too little or contradict each other."""
    every = tallies.values() if isinstance(tallies, Mapping) else tallies
    tried = sorted((settled(tally, now) for tally in every), key=lambda t: (-share(t), t.medium))
    tried = [tally for tally in tried if tally.sent > 0]
    taught = [tally for tally in tried if tally.sent >= ENOUGH]
    if not taught or share(taught[0]) < CONVINCING:
        return None
    if any(share(taught[0]) - share(other) < AHEAD for other in taught[1:]):
        return None
    return Learned(taught[0].medium, tuple(tried))
