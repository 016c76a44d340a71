"""The part of the Desk that says where a message may go, why, and from when on, before typing ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

from msgspec.structs import replace

from agentconsole.desk import Agent, Compose
from agentconsole.domain import beginning, permission, preference
from agentconsole.domain.beginning import Message
from agentconsole.domain.model import Choice, Customer, Facts, Medium, Ranked, RefusedRoute, Route
from agentconsole.domain.permission import Size
from agentconsole.domain.preference import Account
from agentconsole.hub.desk.gating import Gated
from agentconsole.hub.profile import for_choice
from agentconsole.text import sms

LEAVES: Final = "leaves"
"""The fact of a route that is allowed only from a later time on, and is taken then."""


AnyRoute = TypeVar("AnyRoute", Ranked, RefusedRoute)


class Choosing(Gated):
    async def choose(self, who: Agent, compose: Compose) -> Choice:
        self.need(who, "read")
        customer = await self.person(compose.customer)
        await self.warm(customer, compose)
        return self.judged(customer, compose)

    async def preview(self, who: Agent, compose: Compose) -> str:
        """Return the text as it would leave: marketing with what the law of the customer's country adds."""
        self.need(who, "read")
        customer = await self.person(compose.customer)
        await self.warm(customer, compose)
        best = next(iter(self.wanted(self.judged(customer, compose).ranked, compose)), None)
        return self.dressed(customer, compose, best.route.medium if best is not None else compose.medium)

    async def warm(self, customer: Customer, compose: Compose) -> None:
        """Load what is known of phone numbers off the loop, where the judgement will ask for it."""
        if compose.proactive or any(not consent.allowed for consent in customer.consents):
            await asyncio.to_thread(beginning.warm, customer, self.profile.policy.rules)

    def judged(self, customer: Customer, compose: Compose) -> Choice:
        """Return the choice for now, or for the time at which the message is to leave.

        With ``when_allowed`` and no way now it is the choice of the first moment at which there is one; the route's
        fact ``leaves`` names it.
        """
        now = self.clock.now()
        wanted = max(now, compose.not_before or now) if compose.proactive else now
        choice = self._choice(customer, compose, wanted)
        if not (compose.proactive and compose.when_allowed) or self.wanted(choice.ranked, compose):
            return choice
        reaches = {account.name: account.reach for account in self.choosable()}
        moments = [
            moment
            for refused in self.wanted(choice.refused, compose)
            if (
                moment := permission.allowed_from(
                    customer,
                    refused.route,
                    reaches[refused.route.account],
                    wanted,
                    Message(proactive=True, purpose=compose.purpose),
                    self.profile.policy.rules,
                )
            )
            is not None
        ]
        if not moments:
            return choice
        later = self._choice(customer, compose, min(moments))
        leaves: Facts = {LEAVES: min(moments).isoformat()}
        return replace(later, ranked=tuple(Ranked(r.route, r.rule, r.facts | leaves) for r in later.ranked))

    def choosable(self) -> list[Account]:
        """Return the accounts as the choice sees them now."""
        return [
            for_choice(setup.info(signed_in=self.health.signed_in(name)), setup.price)
            for name, setup in self.accounts.items()
        ]

    def _choice(self, customer: Customer, compose: Compose, at: datetime) -> Choice:
        accounts = self.choosable()
        sizes = {}
        if compose.proactive and compose.text:
            media = {account.medium for account in accounts}
            sizes = {medium: size_of(self.dressed(customer, compose, medium), compose) for medium in media}
        return preference.choose(
            customer,
            accounts,
            at,
            self.profile.policy,
            size_of(compose.text, compose),
            purpose=compose.purpose,
            outbound=compose.proactive,
            sizes=sizes,
            leaves=compose.not_before,
        )

    def dressed(self, customer: Customer, compose: Compose, medium: Medium) -> str:
        message = Message(compose.proactive, compose.purpose)
        return beginning.dressed(compose.text, customer, medium, message, self.profile.policy.rules)

    def wanted(self, routes: Sequence[AnyRoute], compose: Compose) -> list[AnyRoute]:
        """Return those of some routes that an agent's wish leaves open."""
        return [
            at
            for at in routes
            if (compose.route is None or same(at.route, compose.route))
            and (not compose.medium or at.route.medium == compose.medium)
        ]


def leaves_at(ranked: Ranked) -> datetime | None:
    """Return from when on a route is allowed, where that is later than now."""
    at = ranked.facts.get(LEAVES, "")
    return datetime.fromisoformat(at) if at else None


def same(one: Route, other: Route) -> bool:
    return (one.account, one.address) == (other.account, other.address)


def size_of(text: str, compose: Compose) -> Size:
    return Size(
        characters=len(text),
        bytes=len(text.encode("utf-8", "replace")),
        sms=sms.parts(text).parts if text else 0,
        attachments=len(compose.attachments),
        file_bytes=sum(part.size for part in compose.attachments),
    )
