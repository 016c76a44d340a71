"""Which channel, and why: the ranked routes of a message, each with the rule that put it there.

The order of rules is data, one for a reply and one for a message that we begin; a profile may give others. Vetoes come
first and are ``domain.permission``'s. A preference that was stated and not followed is named. What answers taught
moves no reply off the medium that the customer wrote on: there it is a proposal that one key takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from agentconsole.domain import beginning, learned, regions
from agentconsole.domain.beginning import NO_RULES, Message, Rules
from agentconsole.domain.learned import Learned
from agentconsole.domain.model import (
    AccountName,
    Address,
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
from agentconsole.domain.permission import NOTHING_TYPED, Reach, Size, answer_after_opt_out, refusal, window_end
from agentconsole.domain.regions import Share
from agentconsole.domain.wishes_rules import purpose_named

LIVE_EXCHANGE: Final = "live_exchange"
STATED: Final = "stated"
LAST_INBOUND: Final = "last_inbound"
LEARNED: Final = "learned"
WROTE_BEFORE: Final = "wrote_before"
REGIONAL: Final = "regional"
DEFAULT: Final = "default"
REACHABLE: Final = "reachable"
OUTRANKED: Final = "outranked"
NO_WAY_THERE: Final = "no_way_there"
"""The customer asked for a medium on which there is no account or no address of theirs."""

ORDER_REPLY: Final = (
    LIVE_EXCHANGE,
    STATED,
    LAST_INBOUND,
    LEARNED,
    WROTE_BEFORE,
    REGIONAL,
    DEFAULT,
    REACHABLE,
)
ORDER_OUTBOUND: Final = (
    LIVE_EXCHANGE,
    STATED,
    LEARNED,
    LAST_INBOUND,
    WROTE_BEFORE,
    REGIONAL,
    DEFAULT,
    REACHABLE,
)
RULES: Final = frozenset(ORDER_REPLY)


class Price(Value, frozen=True):
    """What one part of a message costs: ``amount`` in a currency (ISO 4217)."""

    currency: str
    amount: float

    def of(self, parts: int) -> str:
        """Return what so many parts cost, as an amount with its currency before it."""
        return f"{self.currency} {self.amount * parts:.4f}".rstrip("0").rstrip(".")


class Account(Value, frozen=True):
    """A configured account as far as the choice depends on it."""

    name: AccountName
    medium: Medium
    address_kind: str
    reach: Reach
    live: bool = False
    price: Price | None = None


class Policy(Value, frozen=True):
    """A profile's say in the choice.

    Args:
        order: the rules of a reply, weightiest first; a rule that is left out never decides.
        outbound: the same for a message that we begin.
        exchange_minutes: how long a message on a live medium counts as "writing here now".
        defaults: media in the order to try where nothing is known.
        shares: what people of a country use, for first contacts.
        rules: what is asked of a message that we begin, and of an answer after an opt-out.
    """

    order: tuple[str, ...] = ORDER_REPLY
    outbound: tuple[str, ...] = ORDER_OUTBOUND
    exchange_minutes: int = 15
    defaults: tuple[Medium, ...] = ()
    shares: tuple[Share, ...] = ()
    rules: Rules = NO_RULES


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
    outbound: bool = False,
    sizes: Mapping[Medium, Size] | None = None,
    leaves: datetime | None = None,
) -> Choice:
    """Rank the routes of a message to a customer.

    Args:
        accounts: all configured accounts.
        now: the present, for exchanges and windows.
        size: what is typed so far; a route that cannot carry it is refused with the reason.
        purpose: what the message is about, where a preference may be stated for it.
        outbound: we begin, instead of answering.
        sizes: how big the text becomes on a medium, where it is dressed there; else ``size``.
        leaves: when an answer is to leave, where that is not now.
    """
    by_name = {account.name: account for account in accounts}
    uses = {(use.route.account, str(use.route.address)): use for use in customer.routes}
    known = routes(customer, accounts)
    evidence = _evidence(customer, known, now, policy, purpose)
    order = policy.outbound if outbound else policy.order
    message = Message(outbound, purpose)
    ranked: list[tuple[tuple[int, float, int, str], Ranked]] = []
    refused: list[RefusedRoute] = []
    for route in known:
        account = by_name[route.account]
        use = uses.get((route.account, str(route.address)))
        here = (sizes or {}).get(route.medium, size)
        veto = refusal(customer, route, account.reach, now, here, message, policy.rules, leaves)
        if veto is not None:
            refused.append(veto)
            continue
        rule, facts = _rule(account, use, evidence, order, now, policy)
        end = window_end(account.reach, use)
        if end is not None:
            facts = facts | {"until": end.isoformat()}
        facts = (
            facts | _billed(account, here) | (answer_after_opt_out(customer, route.medium, message, policy.rules) or {})
        )
        since = use.last_in.timestamp() if use is not None and use.last_in is not None else 0.0
        ranked.append(
            (
                (_rank(rule, order), -since, _default_rank(route.medium, policy), route.account),
                Ranked(route, rule, facts),
            )
        )
    ranked.sort(key=lambda pair: pair[0])
    best_first = tuple(entry for _, entry in ranked)
    refused.sort(key=lambda entry: entry.route)
    return Choice(
        best_first,
        tuple(refused),
        _set_aside(evidence.stated, best_first, refused),
        _proposal(evidence.learned, best_first),
    )


def _billed(account: Account, size: Size) -> Facts:
    """Return into how many parts a text falls, where parts are counted, and what they cost."""
    parts = size.sms if account.reach.unit == "sms" else min(size.characters, 1)
    if not parts or (account.reach.unit != "sms" and account.price is None):
        return {}
    facts = {"parts": str(parts)} if account.reach.unit == "sms" else {}
    return facts | ({"cost": account.price.of(parts)} if account.price is not None else {})


class _Evidence(Value, frozen=True):
    """What is known about a customer as far as rules ask for it."""

    stated: Preference | None
    newest: datetime | None
    learned: Learned | None
    share: Share | None


def _evidence(customer: Customer, known: Sequence[Route], now: datetime, policy: Policy, purpose: str) -> _Evidence:
    stated = _stated(customer, purpose)
    newest = max((u.last_in for u in customer.routes if u.last_in is not None), default=None)
    taught = learned.learn(customer.tallies, now)
    share = None
    if stated is None and newest is None and taught is None:
        country = beginning.country_of(customer)
        share = regions.expected(policy.shares, country, [route.medium for route in known], purpose)
    return _Evidence(stated, newest, taught, share)


def _stated(customer: Customer, purpose: str) -> Preference | None:
    by_purpose = {preference.purpose: preference for preference in customer.preferences}
    return by_purpose.get(purpose) or by_purpose.get(purpose_named(purpose)) or by_purpose.get("")


def _rule(
    account: Account, use: RouteUse | None, evidence: _Evidence, order: Sequence[str], now: datetime, policy: Policy
) -> tuple[str, Facts]:
    """Return the weightiest rule that speaks for a route, with its facts."""
    speaking = _speaking(account, use, evidence, now, policy)
    rule = min((name for name in speaking if name in order), key=order.index, default=REACHABLE)
    return rule, speaking.get(rule, {})


def _speaking(
    account: Account, use: RouteUse | None, evidence: _Evidence, now: datetime, policy: Policy
) -> dict[str, Facts]:
    last_in = use.last_in if use is not None else None
    stated, taught = evidence.stated, evidence.learned
    wrote: Facts = {"last_in": last_in.isoformat()} if last_in is not None else {}
    found: dict[str, Facts] = {DEFAULT if account.medium in policy.defaults else REACHABLE: wrote}
    if last_in is not None:
        found[LAST_INBOUND if last_in == evidence.newest else WROTE_BEFORE] = wrote
        exchange = account.live and now - last_in <= timedelta(minutes=policy.exchange_minutes)
        if exchange and (stated is None or last_in > stated.at):
            other = stated is not None and stated.medium != account.medium
            found[LIVE_EXCHANGE] = wrote | (_wanted(stated) if other and stated is not None else {})
    if stated is not None and stated.medium == account.medium:
        found[STATED] = wrote | {
            "at": stated.at.isoformat(),
            "medium_evidence": stated.evidence_medium,
            "by": stated.by,
        }
        if stated.evidence:
            found[STATED]["entry"] = stated.evidence
    if taught is not None and taught.medium == account.medium:
        found[LEARNED] = wrote | _counted(taught)
    share = evidence.share
    if share is not None and share.medium == account.medium:
        percent = str(round(share.share * 100))
        found[REGIONAL] = {"country": share.country, "percent": percent, "of": share.of, "as_of": share.as_of}
    return found


def _wanted(stated: Preference) -> Facts:
    return {"stated": stated.medium, "stated_at": stated.at.isoformat()}


def _counted(taught: Learned) -> Facts:
    best, *others = sorted(taught.tallies, key=lambda tally: (tally.medium != taught.medium, -tally.sent, tally.medium))
    facts: Facts = {"answered": str(best.answered), "sent": str(best.sent)}
    if others:
        facts |= {"than": others[0].medium, "than_answered": str(others[0].answered), "than_sent": str(others[0].sent)}
    return facts


def _proposal(taught: Learned | None, order: Sequence[Ranked]) -> Ranked | None:
    """Return the route that answers speak for, where a weightier rule chose another."""
    if taught is None or not order or order[0].route.medium == taught.medium:
        return None
    if order[0].rule in (LIVE_EXCHANGE, STATED):
        return None
    found = next((ranked for ranked in order if ranked.route.medium == taught.medium), None)
    return Ranked(found.route, LEARNED, _counted(taught)) if found is not None else None


def _rank(rule: str, order: Sequence[str]) -> int:
    return order.index(rule) if rule in order else len(order)


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
    if outranked is not None:
        return RefusedRoute(outranked.route, OUTRANKED, outranked.facts)
    nowhere = Route(AccountName(""), stated.medium, Address("", "", ""))
    facts = {"at": stated.at.isoformat(), "medium_evidence": stated.evidence_medium, "by": stated.by}
    return RefusedRoute(nowhere, NO_WAY_THERE, facts | ({"entry": stated.evidence} if stated.evidence else {}))
