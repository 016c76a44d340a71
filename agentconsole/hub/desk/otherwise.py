"""The part of the Desk that sends a failed reply another way: one in place of one, only where it did not arrive.

The id of the second reply follows from that of the first, so that nobody, however often and wherever a hub died,
makes two of them. It is written before the first is settled: a death in between leaves the failed reply in sight, and
whatever looks at it next settles it.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentconsole.desk import Agent, Compose, Fallback, Sent
from agentconsole.domain import delivery, fallback
from agentconsole.domain.entries import Receipt, Reply
from agentconsole.domain.model import (
    Attachment,
    Customer,
    CustomerId,
    Delivery,
    EntryId,
    Facts,
    Ranked,
    Snapshot,
    derive_id,
)
from agentconsole.errors import NotFound, Refused
from agentconsole.hub.desk.replying import Replying
from agentconsole.text import fitting

_REQUEST = "request"
"""The fact that tells a repeat of the call from a second wish."""


class Otherwise(Replying):
    async def fallback(self, who: Agent, reply: EntryId) -> Fallback | None:
        self.need(who, "read")
        owner, entry = await self.reply_entry(reply)
        await self.open_entry(who, reply)
        await self._refuse(who, owner, entry)
        customer = await self.person(owner)
        asked = Compose(customer.id, "", purpose=entry.purpose, proactive=entry.proactive)
        await self.warm(customer, asked)
        choice = self._choice(customer, asked, self.clock.now())
        earlier = await self._earlier(entry)
        for ranked in fallback.left(choice, fallback.tried(entry, earlier)):
            found = self._fitted(customer, entry, ranked)
            if found is not None:
                await self._reveal(who, entry, found)
                return found
        return None

    async def _reveal(self, who: Agent, entry: Reply, found: Fallback) -> None:
        """Note that somebody is shown a number that another agent wrote: the text is in clear, since it is to be sent.

        Raises:
            Refused: they may not see it.
            StoreFault: it could not be noted.
        """
        if entry.agent != who.name and self.masks.value(found) != found:
            self.need(who, "customer")
            await self.audit_first(who, "reveal", found.customer, entry.id)

    def _fitted(self, customer: Customer, entry: Reply, ranked: Ranked) -> Fallback | None:
        can = self.accounts[ranked.route.account].kind.capabilities
        whole = customer.joined.get(entry.conversation, entry.conversation)
        about = next((c.subject for c in customer.conversations if c.id == whole), "")
        made = fitting.fitted(
            entry.text,
            limit=can.text_limit,
            unit=can.text_unit,
            takes_subject=can.subject,
            subject=entry.subject or (about if can.subject else ""),
        )
        if made is None or not (made.text.strip() or (entry.attachments and can.attachments)):
            return None
        return Fallback(
            reply=entry.id,
            customer=customer.id,
            conversation=whole,
            failed=entry.medium,
            ranked=ranked,
            text=made.text,
            subject=made.subject,
            changes=made.changes,
            attachments=entry.attachments if can.attachments else (),
            left_out=() if can.attachments else tuple(part.name for part in entry.attachments),
            purpose=entry.purpose,
            proactive=entry.proactive,
        )

    async def _earlier(self, entry: Reply) -> dict[EntryId, Reply]:
        """Return the replies in whose place this one went, and theirs."""
        found: dict[EntryId, Reply] = {}
        at: Reply | None = entry
        while at is not None:
            before = EntryId(at.facts.get(fallback.INSTEAD_OF, ""))
            known = await self.store.entry(before) if before and before not in found else None
            at = known[1] if known is not None and isinstance(known[1], Reply) else None
            if at is not None:
                found[at.id] = at
        return found

    async def _refuse(self, who: Agent, owner: CustomerId, entry: Reply) -> None:
        """Settle what a death left unsettled, and refuse what must not be sent another way.

        Raises:
            Refused: it must not be sent another way.
        """
        setup = self.accounts.get(entry.account)
        own = setup is not None and setup.kind.capabilities.own_failover
        _, record = await self.delivery(entry.id)
        why = fallback.forbidden(record, own_failover=own)
        if not why and await self.store.known([fallback.reply_id(entry.id)]):
            why = fallback.ALREADY
            await self._settle(who, owner, entry.id)
        if why:
            words = await self.words()
            told = words.say(f"instead.{why}", state=words.state(record.state))
            raise Refused(told, "See: agentconsole outbox list")

    # -- what ``reply`` asks --------------------------------------------------------------------------------

    async def may_replace(self, who: Agent, customer: Customer, failed: EntryId, key: str) -> Facts:
        """Return the facts of a reply in place of ``failed``; none where it is in no other's place."""
        if not failed:
            return {}
        owner, entry = await self.reply_entry(failed)
        if owner not in customer.members:
            raise Refused("The failed reply is another customer's. Nothing was sent.", "See: agentconsole outbox list")
        await self._refuse(who, owner, entry)
        return {fallback.INSTEAD_OF: failed, "instead": entry.medium, _REQUEST: key}

    async def carry_files(self, compose: Compose, owner: CustomerId) -> None:
        """See that the record a reply is written in has its files. They may have come for another record of the person,
        before a merge or a split, or with the failed reply in whose place this one goes.

        Raises:
            Refused: one is kept nowhere any more.
        """
        files = [part for part in compose.attachments if part.blob]
        if not files:
            return
        places = [owner, *(await self.person(compose.customer)).members]
        if compose.instead_of:
            places.append((await self.reply_entry(compose.instead_of))[0])
        for part in files:
            found = await self._kept(part, places)
            if found is None:
                raise Refused(f"The file {part.name} is not kept any more. Nothing was sent.", "Attach it again.")
            if found[0] != owner:
                await self.store.put_blob(owner, found[1])

    async def _kept(self, part: Attachment, places: Sequence[CustomerId]) -> tuple[CustomerId, bytes] | None:
        for place in dict.fromkeys(places):
            try:
                return place, await self.store.blob(place, part.blob)
            except NotFound:
                continue
        return None

    async def settle_failed(self, who: Agent, failed: EntryId, key: str) -> None:
        """Give a failed reply up, now that another stands in its place.

        Raises:
            Refused: the one in its place was made by another call: what this call wanted to send was not sent.
        """
        if not failed:
            return
        owner, _ = await self.reply_entry(failed)
        await self._settle(who, owner, failed)
        _, made = await self.reply_entry(fallback.reply_id(failed))
        if made.facts.get(_REQUEST) != key:
            words = await self.words()
            raise Refused(words.say(f"instead.{fallback.ALREADY}"), "See: agentconsole outbox list")

    async def _settle(self, who: Agent, owner: CustomerId, failed: EntryId) -> None:
        receipt = Receipt(
            id=EntryId(derive_id("e", fallback.SENT_OTHERWISE, failed)),
            at=self.clock.now(),
            reply=failed,
            state=Delivery.CANCELLED,
            reason=fallback.SENT_OTHERWISE,
            by=who.name,
        )

        def decide(snapshot: Snapshot) -> list[Receipt]:
            record = snapshot.deliveries.get(failed)
            return [receipt] if record is not None and delivery.follows(record, receipt) else []

        if not await self.store.known([receipt.id]):
            await self.store.change(owner, decide)

    async def resend(self, who: Agent, request: str, reply: EntryId) -> Sent:
        async with self.people:  # so that it never leaves both ways
            if await self.store.known([fallback.reply_id(reply)]):
                await self._settle(who, (await self.reply_entry(reply))[0], reply)
                words = await self.words()
                raise Refused(words.say(f"instead.{fallback.ALREADY}"), "See: agentconsole outbox list")
            return await super().resend(who, request, reply)
