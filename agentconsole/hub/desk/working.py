"""The part of the Desk that works on conversations: notes, assignment, status."""

from __future__ import annotations

from datetime import datetime

from agentconsole.desk import (
    Agent,
)
from agentconsole.domain import conversations
from agentconsole.domain.entries import Assigned, Note, StatusChanged
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    CustomerId,
    EntryId,
    derive_id,
)
from agentconsole.errors import Refused
from agentconsole.hub.desk.base import DeskPart, key_of


class Working(DeskPart):
    async def note(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, text: str
    ) -> EntryId:
        self.need(who, "reply")
        if not text.strip():
            raise Refused("An empty note is not kept.", "Write something first.")
        person = await self.person(customer)
        entry = EntryId(derive_id("e", "note", key_of(request)))
        await self.append(
            self.owner_of(person, conversation),
            Note(id=entry, at=self.clock.now(), agent=who.name, conversation=conversation, text=text),
        )
        return entry

    async def assign(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, assignee: AgentName
    ) -> None:
        self.need(who, "reply")
        person = await self.person(customer)
        await self.append(
            self.owner_of(person, conversation),
            Assigned(
                id=EntryId(derive_id("e", "assigned", key_of(request))),
                at=self.clock.now(),
                conversation=conversation,
                assignee=assignee,
                by=who.name,
            ),
        )

    async def set_status(
        self,
        who: Agent,
        request: str,
        customer: CustomerId,
        conversation: ConversationId,
        status: ConversationStatus,
        until: datetime | None,
    ) -> None:
        self.need(who, "reply")
        person = await self.person(customer)
        self.owner_of(person, conversation)
        for part in conversations.parts(person, conversation):
            for member in person.members:
                snapshot = await self.store.snapshot(member)
                if snapshot is not None and part in snapshot.conversations:
                    await self.append(
                        member,
                        StatusChanged(
                            id=EntryId(derive_id("e", "status", key_of(request), part, member)),
                            at=self.clock.now(),
                            conversation=part,
                            status=status,
                            by=who.name,
                            until=until,
                        ),
                    )
