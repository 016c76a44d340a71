"""The weakest reason for a channel: what people of a country use. Only for a first contact without any evidence.

The shares are data with a date and a source each (``agentconsole/data/regions.toml``); this module only reads them
off. Anything that the customer did, said or answered outranks them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agentconsole.domain.model import Medium, Value

ANY_PURPOSE: Final = ""


class Share(Value, frozen=True):
    """How much of a country's people use, or want, a medium.

    Args:
        country: two letters (ISO 3166).
        share: 0 to 1, of what ``of`` says: shares of different things are not compared with each other.
        purpose: where it was measured for one purpose only (``status``, ``marketing``), else empty.
        as_of: the year, or year and month, that the figure is of.
        source: who published it.
    """

    country: str
    medium: Medium
    share: float
    of: str
    source: str
    as_of: str
    purpose: str = ANY_PURPOSE


def expected(
    shares: Sequence[Share], country: str, reachable: Mapping[Medium, object] | Sequence[Medium], purpose: str = ""
) -> Share | None:
    """Return the share that speaks for a medium on which the customer can be reached, or None.

    Args:
        country: of the customer's number, or stated; empty where unknown.
        reachable: the media that there is a route for.
        purpose: what the message is about; figures for another purpose do not count.
    """
    fitting = [
        share
        for share in shares
        if share.country == country and share.medium in reachable and share.purpose in (ANY_PURPOSE, purpose)
    ]
    return max(fitting, key=lambda s: (s.purpose == purpose, s.share, s.medium), default=None)
