"""The double's part for what waits: held replies, drafts that were thrown away, other agents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from agentconsole.desk import Agent, Sent
from agentconsole.desk.waiting import Present
from agentconsole.domain import delivery
from agentconsole.domain.entries import Reply
from agentconsole.domain.model import (
    AgentName,
    Choice,
    ConversationId,
    CustomerId,
    Delivery,
    DeliveryRecord,
    Draft,
    EntryId,
    Medium,
)
from agentconsole.errors import NotFound, Refused


class WaitingDouble:
    """Args of the script: ``hold`` seconds for which replies are held; ``others`` who else is there; ``theirs`` the
    drafts of other agents."""

    hold = 0.0
    present_changed = False

    def begin_waiting(self) -> None:
        self.thrown: list[Draft] = []
        self.others: dict[AgentName, Present] = {}
        self.theirs: dict[AgentName, Draft] = {}
        self.attended: list[tuple[CustomerId, ConversationId, Medium, bool]] = []

    # What the double gives.

    async def _enter(self, name: str, *arguments: Any) -> None:
        raise NotImplementedError

    def receipt(self, reply: EntryId, state: Delivery, **more: Any) -> None:
        raise NotImplementedError

    def tell(self, customer: str = "", *, health: bool = False) -> None:
        raise NotImplementedError

    def entry(self, reply: EntryId) -> tuple[CustomerId, Reply, DeliveryRecord]:
        raise NotImplementedError

    def _sent(self, reply: EntryId, choice: Choice | None = None) -> Sent:
        raise NotImplementedError

    # -- replies that wait ---------------------------------------------------------------------------------

    async def stop_send(self, who: Agent, request: str, reply: EntryId) -> Draft:
        await self._enter("stop_send", request, reply)
        owner, entry, record = self.entry(reply)
        if record.state != Delivery.QUEUED:
            raise Refused("It is too late.")
        self.receipt(reply, Delivery.CANCELLED, by=who.name)
        lines = entry.text.split("\n")
        return Draft(
            who.name,
            owner,
            entry.conversation,
            entry.text,
            9,
            entry.at,
            account=entry.account,
            address=entry.address,
            caret=(len(lines) - 1, len(lines[-1])),
            attachments=entry.attachments,
        )

    async def send_at(self, who: Agent, request: str, reply: EntryId, at: datetime | None) -> Sent:
        await self._enter("send_at", request, reply, at)
        if self.entry(reply)[2].state != Delivery.QUEUED:
            raise Refused("It is too late.")
        self.receipt(reply, Delivery.QUEUED, by=who.name, reason=delivery.OTHER_TIME, retry_at=at)
        return self._sent(reply)

    # -- drafts --------------------------------------------------------------------------------------------

    async def discard_draft(self, who: Agent, draft: Draft) -> None:
        await self._enter("discard_draft", draft)
        self.thrown.insert(0, replace(draft, discarded_at=draft.at))

    async def discarded(self, who: Agent, conversation: ConversationId) -> tuple[Draft, ...]:
        await self._enter("discarded", conversation)
        return tuple(draft for draft in self.thrown if conversation in ("", draft.conversation))

    async def drop_discarded(self, who: Agent, draft: Draft) -> None:
        await self._enter("drop_discarded", draft)
        self.thrown = [d for d in self.thrown if d.revision != draft.revision]

    # -- others --------------------------------------------------------------------------------------------

    def comes(self, agent: str, customer: str, at: datetime, *, writing: bool = False, **more: Any) -> None:
        """Let another agent come to a customer, or write there."""
        key = at if writing else None
        name = AgentName(agent)
        self.others[name] = Present(name, CustomerId(customer), at, writing=writing, last_key=key, **more)
        self.present_changed = True
        self.tell()

    def goes(self, agent: str) -> None:
        del self.others[AgentName(agent)]
        self.present_changed = True
        self.tell()

    async def attend(
        self, who: Agent, customer: CustomerId, conversation: ConversationId, medium: Medium, writing: bool
    ) -> None:
        await self._enter("attend")
        self.attended.append((customer, conversation, medium, writing))

    async def present(self, who: Agent) -> tuple[Present, ...]:
        await self._enter("present")
        return tuple(self.others.values())

    async def take_over(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, agent: AgentName
    ) -> Draft:
        await self._enter("take_over", customer, conversation, agent)
        if agent not in self.theirs:
            raise NotFound("No draft.")
        return replace(self.theirs[agent], agent=who.name, request="")
