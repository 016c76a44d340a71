"""The part of the Desk about what waits: replies that are held or scheduled, drafts that were thrown away, and who
else is at a customer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from agentconsole.desk import Agent, Sent
from agentconsole.desk.waiting import Present
from agentconsole.domain import delivery, permission
from agentconsole.domain.beginning import Message
from agentconsole.domain.entries import Receipt, Reply
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
    Medium,
    Route,
    Snapshot,
    derive_id,
)
from agentconsole.errors import NotFound, Refused, UsageError
from agentconsole.hub.desk.base import key_of
from agentconsole.hub.desk.gating import closed
from agentconsole.hub.desk.reading import ENTRY_BYTES, PAGE_BYTES
from agentconsole.hub.desk.replying import Replying
from agentconsole.hub.desk.viewing import MAX_PAGE

STOPPED: Final = "stopped"
"""In the audit trail: a reply that waited was taken back, and its words became a draft again."""

LONGEST_NAME: Final = 64
"""Characters of what names a conversation or a medium."""

KEPT_DAYS: Final = 30
"""Days for which a draft that was thrown away can be brought back."""


class Waiting(Replying):
    # -- replies that wait ---------------------------------------------------------------------------------

    async def stop_send(self, who: Agent, request: str, reply: EntryId) -> Draft:
        self.need(who, "reply")
        owner, entry = await self.reply_entry(reply)
        draft = await self._draft_of(who, owner, entry)
        if entry.agent != who.name:
            if await self.closed_to(who, owner, entry):
                raise closed(owner)
            await self._reveal_draft(who, draft, reply)
        if await self._may_have_left(owner, entry):
            raise Refused(
                "This reply may have gone out before, so its words do not become a draft again. Nothing was changed.",
                f"To send it no further: agentconsole outbox cancel {reply}",
            )
        await self._while_it_waits(who, request, owner, reply, Delivery.CANCELLED, "cancelled", None)
        await self.audit(who, STOPPED, owner, reply)
        kept = [d for d in await self.store.drafts(who.name) if (d.conversation, d.note) == (draft.conversation, False)]
        if not any(d.text.strip() for d in kept):
            await self.save_draft(who, draft)
        return draft

    async def send_at(self, who: Agent, request: str, reply: EntryId, at: datetime | None) -> Sent:
        self.need(who, "reply")
        if at is not None and at.tzinfo is None:
            raise UsageError("The time of a later reply names no time zone. Nothing was changed.", "Add one: Z.")
        owner, entry = await self.reply_entry(reply)
        if at is not None:
            await self._open_then(owner, entry, at)
        await self._while_it_waits(who, request, owner, reply, Delivery.QUEUED, delivery.OTHER_TIME, at)
        self.wake(entry.account)
        await self.audit(who, delivery.OTHER_TIME, owner, reply)
        return await self.standing(reply)

    async def _open_then(self, owner: CustomerId, entry: Reply, at: datetime) -> None:
        """Raise ``Refused`` where the window of a reply's route would be closed at another time."""
        reach = next((account.reach for account in self.choosable() if account.name == entry.account), None)
        if reach is None:
            return
        now, customer = self.clock.now(), await self.person(owner)
        route = Route(entry.account, entry.medium, entry.address, entry.place)
        message = Message(entry.proactive, entry.purpose)
        veto = permission.refusal(customer, route, reach, now, message=message, leaves=at)
        if veto is not None and veto.reason == permission.CLOSES_BEFORE:
            told = (await self.words()).refusal(veto, now)
            raise Refused(
                f"{told} Nothing was changed.", "Name an earlier time, or stop it and choose another channel."
            )

    async def _while_it_waits(
        self,
        who: Agent,
        request: str,
        owner: CustomerId,
        reply: EntryId,
        state: Delivery,
        reason: str,
        at: datetime | None,
    ) -> None:
        """Change a reply that waits; one that is on its way is left alone."""
        receipt = Receipt(
            id=EntryId(derive_id("e", "word", key_of(request), reply)),
            at=self.clock.now(),
            reply=reply,
            state=state,
            reason=reason,
            retry_at=at,
            by=who.name,
        )
        words = await self.words()

        def decide(snapshot: Snapshot) -> list[Receipt]:
            record = snapshot.deliveries.get(reply)
            if record is None or record.state != Delivery.QUEUED:
                told = words.state(record.state if record is not None else Delivery.SENT)
                raise Refused(f"It is too late: this reply is {told}. Nothing was changed.", "See: agentconsole show")
            return [receipt]

        if not await self.store.known([receipt.id]):
            await self.store.change(owner, decide)

    async def _may_have_left(self, owner: CustomerId, entry: Reply) -> bool:
        """Say whether an earlier attempt of a reply was ever uncertain."""
        _, record = await self.delivery(entry.id)
        before: EntryId | None = None
        while record.attempt:
            page = await self.store.history(owner, before=before, limit=MAX_PAGE)
            for told in page.entries if page is not None else ():
                if isinstance(told, Receipt) and told.reply == entry.id and told.state == Delivery.UNCERTAIN:
                    return True
            if page is None or not page.more or page.entries[0].at < entry.at:
                break
            before = page.entries[0].id
        return False

    async def _reveal_draft(self, who: Agent, draft: Draft, about: str) -> None:
        """Note that somebody is shown a number that another agent wrote: a draft holds it in clear.

        Raises:
            Refused: they may not see it.
            StoreFault: it could not be noted.
        """
        if self.masks.value(draft) != draft:
            self.need(who, "customer")
            await self.audit_first(who, "reveal", draft.customer, about)

    async def _draft_of(self, who: Agent, owner: CustomerId, entry: Reply) -> Draft:
        customer = await self.person(owner)
        now = self.clock.now()
        lines = entry.text.split("\n")
        return Draft(
            agent=who.name,
            customer=customer.id,
            conversation=customer.joined.get(entry.conversation, entry.conversation),
            text=entry.text,
            revision=int(now.timestamp() * 1000),
            at=now,
            subject=entry.subject,
            account=entry.account,
            address=entry.address,
            caret=(len(lines) - 1, len(lines[-1])),
            attachments=entry.attachments,
            begun=Route(entry.account, entry.medium, entry.address, entry.place),
            proactive=entry.proactive,
            purpose=entry.purpose,
        )

    # -- drafts that were thrown away ----------------------------------------------------------------------

    async def discard_draft(self, who: Agent, draft: Draft) -> None:
        self.need(who, "reply")
        if draft.agent != who.name:
            raise Refused("A draft belongs to the agent who writes it.", "")
        gone = msgspec.structs.replace(draft, discarded_at=self.clock.now())
        async with self.people:  # so that an erasure in between leaves no word behind
            await self.person(draft.customer)
            await self.store.discard_draft(gone)
        await self.store.drop_draft(who.name, draft.conversation, draft.revision, draft.note)

    async def discarded(self, who: Agent, conversation: ConversationId) -> tuple[Draft, ...]:
        self.need(who, "read")
        oldest = self.clock.now() - timedelta(days=KEPT_DAYS)
        found: list[Draft] = []
        room = PAGE_BYTES
        for draft in await self.store.discarded(who.name):
            if (conversation and draft.conversation != conversation) or (draft.discarded_at or draft.at) < oldest:
                continue
            room -= ENTRY_BYTES + len(draft.text.encode("utf-8", "replace"))
            if room < 0 and found:
                break
            found.append(draft)
        return tuple(found)

    async def drop_discarded(self, who: Agent, draft: Draft) -> None:
        self.need(who, "reply")
        await self.store.drop_discarded(msgspec.structs.replace(draft, agent=who.name))

    async def prune(self) -> int:
        """Forget what was thrown away too long ago, whoever it was; say how many drafts that were."""
        return await self.store.prune_discarded(self.clock.now() - timedelta(days=KEPT_DAYS))

    # -- who else is there ---------------------------------------------------------------------------------

    async def attend(
        self, who: Agent, customer: CustomerId, conversation: ConversationId, medium: Medium, writing: bool
    ) -> None:
        self.need(who, "read")
        if max(len(conversation), len(medium)) > LONGEST_NAME:  # everybody is told
            raise UsageError("There is no such conversation or medium. Nothing was changed.", "")
        if customer:
            found = await self.store.customer(customer)
            customer = found.id if found is not None else CustomerId("")
        self.presence.attend(who.name, customer, conversation, medium, writing=writing)

    async def present(self, who: Agent) -> tuple[Present, ...]:
        self.need(who, "read")
        return self.presence.all()

    async def take_over(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, agent: AgentName
    ) -> Draft:
        self.need(who, "reply")
        key_of(request)
        if agent == who.name:
            raise UsageError("This draft is your own already. Nothing was changed.", "Name another agent.")
        person = await self.person(customer)
        whole = person.joined.get(conversation, conversation)
        theirs = await self._newest(agent, person.members, whole)
        if theirs is None:
            raise NotFound(f"{agent} has no draft for this customer. Nothing was changed.", "")
        mine = await self._newest(who.name, person.members, theirs.conversation)
        if mine is not None and mine.text.strip() and mine.text != theirs.text:
            raise Refused("A draft of your own is there. Nothing was changed.", "Set it aside first.")
        now = self.clock.now()
        copy = msgspec.structs.replace(
            theirs, agent=who.name, at=now, request="", revision=int(now.timestamp() * 1000), instead_of=EntryId("")
        )
        if self.closing(who, person) is not None:
            raise closed(person.id)
        await self._reveal_draft(who, copy, theirs.conversation)
        await self.audit_first(who, "take_over", person.id, f"{agent} {theirs.conversation}")
        await self.save_draft(who, copy)
        self.presence.took(agent, person.id, who.name)
        return copy

    async def _newest(
        self, agent: AgentName, members: tuple[CustomerId, ...], conversation: ConversationId
    ) -> Draft | None:
        """Return an agent's draft of a reply: that of the conversation, else the newest of the customer."""
        found = [d for d in await self.store.drafts(agent) if d.customer in members and not d.note]
        return max(found, key=lambda d: (d.conversation == conversation, d.at), default=None)
