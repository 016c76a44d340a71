"""May we write there now? One decision with its reason and its end, before anybody types.

The same function judges when routes are offered, in the transaction that claims a reply, and again just before the
step that cannot be taken back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from agentconsole.domain.model import (
    Consent,
    ConsentScope,
    Customer,
    Facts,
    LinkedAddress,
    Medium,
    RefusedRoute,
    Route,
    RouteUse,
    Value,
)

VETOES: Final = frozenset(
    {
        "opted_out",
        "opted_out_then_wrote",
        "address_dead",
        "account_read_only",
        "signed_out",
        "customer_first",
        "template_only",
        "window_closed",
        "attachments_unsupported",
        "too_long",
    }
)
"""The reasons that ``refusal`` gives: a reply with one of them was never tried."""


class Reach(Value, frozen=True):
    """What an account and its medium can do, as far as permission depends on it.

    Args:
        limit: the longest text, counted in ``unit``: ``characters``, ``bytes`` (UTF-8) or ``sms`` (parts).
        window_seconds: how long after the customer's last message free text is allowed; 0 for ever.
    """

    limit: int
    unit: str
    window_seconds: float = 0
    customer_first: bool = False
    attachments: bool = False
    signed_in: bool = True
    read_only: bool = False


class Size(Value, frozen=True):
    """How big a text is, in every unit that some medium counts."""

    characters: int = 0
    bytes: int = 0
    sms: int = 0
    attachments: int = 0

    def of(self, unit: str) -> int:
        return {"characters": self.characters, "bytes": self.bytes, "sms": self.sms}[unit]


NOTHING_TYPED = Size()


def opt_out(customer: Customer, medium: Medium, *, proactive: bool = False) -> Consent | None:
    """Return the opt-out that forbids writing on a medium, if one does.

    A marketing opt-out forbids proactive messages only.
    """
    for consent in customer.consents:
        if consent.allowed or consent.medium not in ("", medium):
            continue
        if consent.scope != ConsentScope.MARKETING or proactive:
            return consent
    return None


def refusal(
    customer: Customer,
    route: Route,
    reach: Reach,
    now: datetime,
    size: Size = NOTHING_TYPED,
    *,
    proactive: bool = False,
) -> RefusedRoute | None:
    """Return why a route must not be used now, or None where it may.

    The order is the order of the reasons' weight: what the customer decided comes before what is broken.
    """
    use = next(
        (u for u in customer.routes if u.route.account == route.account and u.route.address == route.address), None
    )
    reason, facts = _reason(customer, route, reach, use, now, size, proactive=proactive)
    return RefusedRoute(route, reason, facts) if reason else None


def window_end(reach: Reach, use: RouteUse | None) -> datetime | None:
    """Return until when free text is allowed, or None where there is no window or it never opened."""
    if not reach.window_seconds or use is None or use.last_in is None:
        return None
    return use.last_in + timedelta(seconds=reach.window_seconds)


def _reason(
    customer: Customer,
    route: Route,
    reach: Reach,
    use: RouteUse | None,
    now: datetime,
    size: Size,
    *,
    proactive: bool,
) -> tuple[str, Facts]:
    consent = opt_out(customer, route.medium, proactive=proactive)
    if consent is not None:
        facts = {"at": consent.at.isoformat(), "words": consent.words}
        last_in = _last_in(customer, route.medium)
        if last_in is not None and last_in > consent.at:
            return "opted_out_then_wrote", facts | {"wrote": last_in.isoformat()}
        return "opted_out", facts
    linked = _linked(customer, route)
    if linked is not None and linked.dead:
        return "address_dead", {
            "why": linked.dead,
            "at": linked.dead_at.isoformat() if linked.dead_at is not None else "",
        }
    if reach.read_only:
        return "account_read_only", {"account": route.account}
    if not reach.signed_in:
        return "signed_out", {"account": route.account}
    if reach.customer_first and (use is None or use.last_in is None):
        return "customer_first", {}
    if reach.window_seconds:
        end = window_end(reach, use)
        if end is None:
            return "template_only", {}
        if now >= end:
            return "window_closed", {"at": end.isoformat()}
    if size.attachments and not reach.attachments:
        return "attachments_unsupported", {"count": str(size.attachments)}
    if size.of(reach.unit) > reach.limit:
        return "too_long", {"size": str(size.of(reach.unit)), "limit": str(reach.limit), "unit": reach.unit}
    return "", {}


def _linked(customer: Customer, route: Route) -> LinkedAddress | None:
    return next((linked for linked in customer.addresses if linked.address == route.address), None)


def _last_in(customer: Customer, medium: Medium) -> datetime | None:
    return max(
        (use.last_in for use in customer.routes if use.route.medium == medium and use.last_in is not None),
        default=None,
    )
