"""The part of the Desk that warns before a reply leaves."""

from __future__ import annotations

from agentconsole.desk import Agent, Compose
from agentconsole.domain import guards
from agentconsole.domain.guards import Drafted, Warned
from agentconsole.domain.model import Choice, Route
from agentconsole.hub.desk.replying import Replying


class Guarding(Replying):
    async def warnings(self, who: Agent, compose: Compose, begun: Route | None) -> tuple[Warned, ...]:
        self.need(who, "read")
        settings = self.profile.guards
        if not settings.on or not compose.text.strip():
            return ()
        customer = await self.person(compose.customer)
        route = compose.route
        if route is None and begun is not None:
            route = _taken(await self.choose(who, compose), compose)
        draft = Drafted(
            text=compose.text,
            attachments=len(compose.attachments),
            agent=who.name,
            route=route,
            begun_for=begun,
            own_names=settings.own_names,
        )
        # What the timeline hides behind an unverified sender is not told by a warning either.
        known = () if self.closing(who, customer) is not None else await self.facts_of(customer)
        found = guards.warnings(draft, customer, known, self.clock.now(), settings)
        return self.masks.value(found)


def _taken(choice: Choice, compose: Compose) -> Route | None:
    """Return the route that a reply without one would take."""
    return next((r.route for r in choice.ranked if not compose.medium or r.route.medium == compose.medium), None)
