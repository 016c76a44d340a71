"""Which channel, and why: the ranked routes of a reply, each with the rule that put it there.

The order of rules is data (``ORDER_REPLY``); a profile may give another. Vetoes come first and are
``domain.permission``'s; a preference that was stated and not followed is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from agentconsole.domain.model import (
    AccountName,
    Choice,
    Customer,
    Facts,
    Medium,
    Preference,
    Ranked,
    RefusedRoute,
    Route,
    RouteUse,
    Value,
)
from agentconsole.domain.permission import NOTHING_TYPED, Reach, Size, refusal, window_end

LIVE_EXCHANGE: Final = "live_exchange"
STATED: Final = "stated"
LAST_INBOUND: Final = "last_inbound"
WROTE_BEFORE: Final = "wrote_before"
DEFAULT: Final = "default"
REACHABLE: Final = "reachable"
OUTRANKED: Final = "outranked"

ORDER_REPLY: Final = (LIVE_EXCHANGE, STATED, LAST_INBOUND, WROTE_BEFORE, DEFAULT, REACHABLE)


class Account(Value, frozen=True):
    """A configured account as far as the choice depends on it."""

    name: AccountName
    medium: Medium
    address_kind: str
    reach: Reach
    live: bool = False


class Policy(Value, frozen=True):
    """A profile's say in the choice.

    Args:
        exchange_minutes: how long a message on a live medium counts as "writing here now".
        defaults: media in the order to try where nothing is known.
    """

    order: tuple[str, ...] = ORDER_REPLY
    exchange_minutes: int = 15
    defaults: tuple[Medium, ...] = ()


def routes(customer: Customer, accounts: Sequence[Account]) -> tuple[Route, ...]:
    """Return every route that could reach the customer, used or not.

    An address whose scope is a provider's namespace is reached only by the account that it came by.
    """
    found: dict[tuple[str, str], Route] = {}
    for use in customer.routes:
        found[use.route.account, str(use.route.address)] = use.route
    known = {account.name for account in accounts}
    linked = {str(entry.address) for entry in customer.addresses}
    result = {key: route for key, route in found.items() if route.account in known and key[1] in linked}
    for entry in customer.addresses:
        for account in accounts:
            key = (account.name, str(entry.address))
            if account.address_kind == entry.address.kind and not entry.address.scope and key not in result:
                result[key] = Route(account.name, account.medium, entry.address)
    return tuple(result.values())


def choose(
    customer: Customer,
    accounts: Sequence[Account],
    now: datetime,
    policy: Policy,
    size: Size = NOTHING_TYPED,
    *,
    purpose: str = "",
) -> Choice:
    """Rank the routes of a reply to a customer.

    Args:
        accounts: all configured accounts.
        now: the present, for exchanges and windows.
        size: what is typed so far; a route that cannot carry it is refused with the reason.
        purpose: what the reply is about, where a preference may be stated for it.
    """
    by_name = {account.name: account for account in accounts}
    uses = {(use.route.account, str(use.route.address)): use for use in customer.routes}
    stated = _stated(customer, purpose)
    newest = max((u.last_in for u in customer.routes if u.last_in is not None), default=None)
    ranked: list[tuple[tuple[int, float, int, str], Ranked]] = []
    refused: list[RefusedRoute] = []
    for route in routes(customer, accounts):
        account = by_name[route.account]
        use = uses.get((route.account, str(route.address)))
        veto = refusal(customer, route, account.reach, now, size)
        if veto is not None:
            refused.append(veto)
            continue
        rule, facts = _rule(account, use, stated, newest, now, policy)
        end = window_end(account.reach, use)
        if end is not None:
            facts = facts | {"until": end.isoformat()}
        since = use.last_in.timestamp() if use is not None and use.last_in is not None else 0.0
        ranked.append(
            (
                (_rank(rule, policy), -since, _default_rank(route.medium, policy), route.account),
                Ranked(route, rule, facts),
            )
        )
    ranked.sort(key=lambda pair: pair[0])
    order = tuple(entry for _, entry in ranked)
    refused.sort(key=lambda entry: entry.route)
    return Choice(order, tuple(refused), _set_aside(stated, order, refused))


def _stated(customer: Customer, purpose: str) -> Preference | None:
    by_purpose = {preference.purpose: preference for preference in customer.preferences}
    return by_purpose.get(purpose) or by_purpose.get("")


def _rule(
    account: Account,
    use: RouteUse | None,
    stated: Preference | None,
    newest: datetime | None,
    now: datetime,
    policy: Policy,
) -> tuple[str, Facts]:
    last_in = use.last_in if use is not None else None
    facts: Facts = {"last_in": last_in.isoformat()} if last_in is not None else {}
    if (
        account.live
        and last_in is not None
        and now - last_in <= timedelta(minutes=policy.exchange_minutes)
        and (stated is None or last_in > stated.at)
    ):
        if stated is not None and stated.medium != account.medium:
            facts |= {"stated": stated.medium, "stated_at": stated.at.isoformat()}
        return LIVE_EXCHANGE, facts
    if stated is not None and stated.medium == account.medium:
        facts |= {"at": stated.at.isoformat(), "medium_evidence": stated.evidence_medium, "by": stated.by}
        return STATED, facts
    if last_in is not None:
        return (LAST_INBOUND if last_in == newest else WROTE_BEFORE), facts
    return (DEFAULT if account.medium in policy.defaults else REACHABLE), facts


def _rank(rule: str, policy: Policy) -> int:
    return policy.order.index(rule) if rule in policy.order else len(policy.order)


def _default_rank(medium: Medium, policy: Policy) -> int:
    return policy.defaults.index(medium) if medium in policy.defaults else len(policy.defaults)


def _set_aside(
    stated: Preference | None, order: Sequence[Ranked], refused: Sequence[RefusedRoute]
) -> RefusedRoute | None:
    if stated is None or (order and order[0].route.medium == stated.medium):
        return None
    vetoed = next((r for r in refused if r.route.medium == stated.medium), None)
    if vetoed is not None:
        return vetoed
    outranked = next((r for r in order if r.route.medium == stated.medium), None)
    return RefusedRoute(outranked.route, OUTRANKED, outranked.facts) if outranked is not None else None
