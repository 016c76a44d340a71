"""May we write there now? One decision with its reason and its end, before anybody types.

The same function judges when routes are offered, in the transaction that claims a reply, and again just before the
step that cannot be taken back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from agentconsole.domain import beginning
from agentconsole.domain.beginning import ANSWER, NO_RULES, Message, Rules
from agentconsole.domain.model import (
    Consent,
    ConsentScope,
    Customer,
    Delivery,
    EntryId,
    Facts,
    LinkedAddress,
    Medium,
    RefusedRoute,
    Route,
    RouteUse,
    Value,
)

CLOSES_BEFORE: Final = "window_closes_before"
"""The window is open now and closed when the answer is to leave."""

ORDER: Final = (
    "opted_out",
    "opted_out_then_wrote",
    "opted_out_at_provider",
    "address_dead",
    "address_blocked",
    *beginning.REASONS,
    "account_read_only",
    "signed_out",
    "customer_first",
    "template_only",
    "window_closed",
    CLOSES_BEFORE,
    "attachments_unsupported",
    "files_too_large",
    "too_long",
)
"""The reasons that ``refusal`` gives, in the order in which they are asked: what the customer decided comes before what
the law asks, and that before what is broken."""

VETOES: Final = frozenset(ORDER)
"""A reply with one of these reasons was never tried."""

PROVIDER: Final = "provider"
"""What stands in ``Consent.words`` where the provider itself refuses messages to somebody (Twilio's 21610)."""


class Reach(Value, frozen=True):
    """What an account and its medium can do, as far as permission depends on it.

    Args:
        limit: the longest text, counted in ``unit``: ``characters``, ``bytes`` (UTF-8) or ``sms`` (parts).
        window_seconds: how long after the customer's last message free text is allowed; 0 for ever.
        file_bytes: the greatest sum of the files of one message; 0: none is known.
    """

    limit: int
    unit: str
    window_seconds: float = 0
    customer_first: bool = False
    attachments: bool = False
    file_bytes: int = 0
    signed_in: bool = True
    read_only: bool = False


class Size(Value, frozen=True):
    """How big a text is, in every unit that some medium counts, and its files: how many, and how many bytes."""

    characters: int = 0
    bytes: int = 0
    sms: int = 0
    attachments: int = 0
    file_bytes: int = 0

    def of(self, unit: str) -> int:
        return {"characters": self.characters, "bytes": self.bytes, "sms": self.sms}[unit]


NOTHING_TYPED = Size()
_VETOES_IN_A_ROW: Final = 40
_NOT_ANSWERED: Final = frozenset({Delivery.FAILED, Delivery.CANCELLED})


def opt_out(customer: Customer, medium: Medium, message: Message = ANSWER) -> Consent | None:
    """Return the opt-out that forbids a message on a medium, the newest of the widest scope, if one does.

    ``all`` forbids everything, ``service`` every message that we begin, ``marketing`` those that are marketing or do
    not say what they are.
    """
    forbidding = [ConsentScope.ALL]
    if message.proactive:
        forbidding.append(ConsentScope.SERVICE)
        if message.marketing or message.unnamed:
            forbidding.append(ConsentScope.MARKETING)
    found = [
        consent
        for consent in customer.consents
        if not consent.allowed and consent.scope in forbidding and consent.medium in ("", medium)
    ]
    return max(found, key=lambda consent: (-forbidding.index(consent.scope), consent.at), default=None)


def answer_after_opt_out(
    customer: Customer, medium: Medium, message: Message = ANSWER, rules: Rules = NO_RULES
) -> Facts | None:
    """Return the facts of an opt-out after which one answer is allowed now, or None where nothing of that kind is.

    Who opted out and then wrote asked something: their message may be answered there once, by an agent, where the law
    of their country and the provider allow it. They write again, and it may be answered once again. A reply in
    the outbox answers what it was written for: one that waited when they opted out answers nothing.
    """
    consent = opt_out(customer, medium, message)
    wrote = message.answers if message.reply else _last_in(customer, medium)
    if consent is None or wrote is None or wrote <= consent.at or message.proactive or consent.words == PROVIDER:
        return None
    if _answered(customer, medium, wrote, message.reply) or not beginning.law_of(customer, rules).answer_after_opt_out:
        return None
    return {"opted_out": consent.at.isoformat(), "wrote": wrote.isoformat()}


def refusal(
    customer: Customer,
    route: Route,
    reach: Reach,
    now: datetime,
    size: Size = NOTHING_TYPED,
    message: Message = ANSWER,
    rules: Rules = NO_RULES,
    leaves: datetime | None = None,
) -> RefusedRoute | None:
    """Return why a route must not be used, or None where it may. ``until`` is set where that ends by itself.

    Args:
        now: the present; for what we begin, when it is to leave.
        leaves: when an answer is to leave, where that is later: its window must be open then.
    """
    use = next(
        (u for u in customer.routes if u.route.account == route.account and u.route.address == route.address), None
    )
    reason, facts, until = _reason(customer, route, reach, use, now, size, message, rules, leaves)
    return RefusedRoute(route, reason, facts, until) if reason else None


def told(veto: RefusedRoute) -> str:
    """Return a veto as the audit keeps it: where, why, and the facts behind it."""
    facts = "; ".join(f"{name}={value}" for name, value in sorted(veto.facts.items()) if value)
    return f"{veto.route.medium} {veto.route.account} {veto.reason}: {facts}"


def allowed_from(
    customer: Customer, route: Route, reach: Reach, now: datetime, message: Message, rules: Rules
) -> datetime | None:
    """Return the first moment at which nothing that ends by itself forbids a route, or None where something else does.

    One veto may end inside another: the cooling-off at night, the night on a holiday.
    """
    at = now
    for _ in range(_VETOES_IN_A_ROW):
        veto = refusal(customer, route, reach, at, NOTHING_TYPED, message, rules)
        if veto is None:
            return at
        if veto.until is None or veto.until <= at:
            return None
        at = veto.until
    return None


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
    message: Message,
    rules: Rules,
    leaves: datetime | None,
) -> tuple[str, Facts, datetime | None]:
    consent = opt_out(customer, route.medium, message)
    if consent is not None and answer_after_opt_out(customer, route.medium, message, rules) is None:
        facts = {"at": consent.at.isoformat(), "words": consent.words, "scope": consent.scope.value}
        if consent.words == PROVIDER:
            return "opted_out_at_provider", facts, None
        last_in = _last_in(customer, route.medium)
        if last_in is not None and last_in > consent.at and not message.proactive:
            return "opted_out_then_wrote", facts | {"wrote": last_in.isoformat()}, None
        return "opted_out", facts, None
    linked = _linked(customer, route)
    if linked is not None and linked.dead:
        facts = {
            "why": linked.dead,
            "at": linked.dead_at.isoformat() if linked.dead_at is not None else "",
        }
        return "address_dead", facts, None
    if linked is not None and linked.blocked_by:
        return "address_blocked", {"agent": linked.blocked_by}, None
    if message.proactive:
        held = beginning.refused(customer, route.medium, message, now, rules)
        if held is not None:
            return held
    reason, facts = _cannot(route, reach, use, now, size, leaves)
    return reason, facts, None


def _cannot(
    route: Route, reach: Reach, use: RouteUse | None, now: datetime, size: Size, leaves: datetime | None
) -> tuple[str, Facts]:
    """Return why an account cannot carry a message there, apart from what customer and law say."""
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
        if leaves is not None and leaves >= end:
            return CLOSES_BEFORE, {"until": end.isoformat()}
    if size.attachments and not reach.attachments:
        return "attachments_unsupported", {"count": str(size.attachments)}
    if 0 < reach.file_bytes < size.file_bytes:
        return "files_too_large", {"size": _megabytes(size.file_bytes), "limit": _megabytes(reach.file_bytes)}
    if size.of(reach.unit) > reach.limit:
        return "too_long", {"size": str(size.of(reach.unit)), "limit": str(reach.limit), "unit": reach.unit}
    return "", {}


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}".removesuffix(".0")


def _answered(customer: Customer, medium: Medium, wrote: datetime, itself: EntryId) -> bool:
    """Say whether a message has had its answer on its medium, or may have: only a failure and a word prove it has not.

    Of two that wait the earlier is the answer; one that has left, or is leaving, is it whenever it was written.
    Records of finished replies are forgotten by and by; then the route still knows when something left last.
    """
    own = next((record.queued_at for record in customer.deliveries if record.reply == itself), None)
    ours = [
        record
        for record in customer.deliveries
        if record.medium == medium
        and record.reply != itself
        and (own is None or record.queued_at <= own or record.state != Delivery.QUEUED)
    ]
    if any(record.queued_at >= wrote and record.state not in _NOT_ANSWERED for record in ours):
        return True
    left = [use.last_out for use in customer.routes if use.route.medium == medium and use.last_out is not None]
    return not ours and any(at > wrote for at in left)


def _linked(customer: Customer, route: Route) -> LinkedAddress | None:
    return next((linked for linked in customer.addresses if linked.address == route.address), None)


def _last_in(customer: Customer, medium: Medium) -> datetime | None:
    """Return when the customer last wrote on a medium. What may be somebody else's opens no way round an opt-out."""
    return max(
        (use.vouched_in for use in customer.routes if use.route.medium == medium and use.vouched_in is not None),
        default=None,
    )
