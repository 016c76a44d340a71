"""The part of the Desk that can write to customers: compose, choose, queue, and decide about what went out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeGuard

import msgspec

from agentconsole.desk import FILE_PART_BYTES, Agent, Compose, OutboxLine, Sent
from agentconsole.desk.waiting import LONGEST_HOLD
from agentconsole.domain import conversations, delivery, fallback, permission, redaction, threads
from agentconsole.domain.addresses import EMAIL
from agentconsole.domain.entries import (
    AnyEntry,
    Receipt,
    Received,
    Reply,
)
from agentconsole.domain.model import (
    AccountName,
    Attachment,
    Choice,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    Draft,
    EntryId,
    Facts,
    Ranked,
    RefusedRoute,
    Route,
    Snapshot,
    derive_id,
)
from agentconsole.errors import Answered, NotFound, Refused, UsageError
from agentconsole.hub import hold
from agentconsole.hub.desk.base import key_of
from agentconsole.hub.desk.choosing import Choosing, leaves_at
from agentconsole.hub.desk.reading import ENTRY_BYTES, PAGE_BYTES
from agentconsole.hub.profile import AccountSetup
from agentconsole.text.words import Words

MAX_REFERENCES = 20
"""Thread keys that an answer carries: relays refuse headers over 4 KiB; the newest and the first matter."""


class Replying(Choosing):
    # -- a new reply ---------------------------------------------------------------------------------------

    async def reply(self, who: Agent, request: str, compose: Compose) -> Sent:
        self.need(who, "reply")
        reply_id = EntryId(derive_id("e", "reply", key_of(request)))
        if compose.instead_of:
            reply_id = fallback.reply_id(compose.instead_of)
        if await self.store.known([reply_id]):
            await self.settle_failed(who, compose.instead_of, key_of(request))
            standing = await self.standing(reply_id, await self.choose(who, compose))
            return msgspec.structs.replace(standing, earlier=await self._says_otherwise(reply_id, compose))
        if not compose.text.strip() and not compose.attachments:
            raise Refused("An empty reply is not sent.", "Write something first.")
        if compose.not_before is not None and compose.not_before.tzinfo is None:
            raise UsageError("The time of a later reply names no time zone. Nothing was sent.", "Add one: +00:00 or Z.")
        words = await self.words()
        async with self.people:
            customer = await self.person(compose.customer)
            facts = await self.may_replace(who, customer, compose.instead_of, key_of(request))
            await self.warm(customer, compose)
            choice = self.judged(customer, compose)
            try:
                ranked = self._route(choice, compose, words)
            except Refused:
                await self._audit_refused(who, customer, choice, compose)
                raise
            if facts:
                ranked = Ranked(ranked.route, fallback.FALLBACK, ranked.facts | facts)
            await self._refuse_collision(who, customer, compose)
            reply = await self._composed(who, reply_id, customer, compose, ranked)
            owner = customer.owners.get(str(ranked.route.address), customer.id)
            await self.carry_files(compose, owner)
            try:
                await self.store.change(owner, lambda snapshot: [_in_part(reply, customer, snapshot)])
                await self.settle_failed(who, compose.instead_of, key_of(request))
            finally:
                self.wake(ranked.route.account)  # also where the client's line was cut while it was written
        await self.audit(who, "reply", customer.id, f"{reply_id} {ranked.route.medium}")
        return await self.standing(reply_id, choice)

    async def _says_otherwise(self, reply: EntryId, compose: Compose) -> bool:
        """Say whether what was accepted under a request is not what is asked for now."""
        _, known = await self.reply_entry(reply)
        text = known.text
        if compose.proactive:
            text = self.dressed(await self.person(compose.customer), compose, known.medium)
            return known.text != text
        return not redaction.is_emptied(known) and (text, known.attachments) != (compose.text, compose.attachments)

    def held_for(self, compose: Compose, account: AccountName) -> float:
        """Return the seconds for which a reply waits so that its agent can stop it."""
        if compose.hold >= 0:
            return min(compose.hold, LONGEST_HOLD)
        own = self.accounts[account].hold
        return self.profile.hold if own is None else own

    # What a reply in place of a failed one needs besides (``otherwise``).

    async def may_replace(self, who: Agent, customer: Customer, failed: EntryId, key: str) -> Facts:
        raise NotImplementedError

    async def carry_files(self, compose: Compose, owner: CustomerId) -> None:
        raise NotImplementedError

    async def settle_failed(self, who: Agent, failed: EntryId, key: str) -> None:
        raise NotImplementedError

    async def _composed(
        self, who: Agent, reply_id: EntryId, customer: Customer, compose: Compose, ranked: Ranked
    ) -> Reply:
        setup = self.accounts[ranked.route.account]
        capable = setup.kind.capabilities
        conversation = self._conversation(customer, compose, reply_id)
        answered = None if compose.proactive else await self._answered(customer, compose, ranked.route)
        now, seconds = self.clock.now(), self.held_for(compose, ranked.route.account)
        held = now + timedelta(seconds=seconds) if seconds > 0 else None
        wished = [at for at in (compose.not_before, leaves_at(ranked)) if at is not None and at > (held or now)]
        return Reply(
            id=reply_id,
            at=now,
            agent=who.name,
            conversation=conversation,
            account=ranked.route.account,
            medium=ranked.route.medium,
            address=ranked.route.address,
            text=self.dressed(customer, compose, ranked.route.medium),
            key=await self._sending_key(reply_id, setup, ranked.route),
            subject=_subject(compose, answered, customer, conversation) if capable.subject else "",
            attachments=compose.attachments,
            answers=answered.id if answered is not None else EntryId(""),
            in_reply_to=_references(answered),
            place=ranked.route.place,
            rule=ranked.rule,
            facts=ranked.facts,
            not_before=max(wished, default=held),
            held=held is not None and not wished,
            purpose=compose.purpose,
            proactive=compose.proactive,
        )

    async def _sending_key(self, reply: EntryId, setup: AccountSetup, route: Route) -> str:
        """Return the key under which a reply is sent in every attempt: a Message-ID for mail, else its own id."""
        domain = setup.own_address.rpartition("@")[2]
        if setup.kind.capabilities.address_kind != EMAIL or not domain:
            return reply
        return threads.message_id(reply, route.address, domain, await self.store.secret(threads.KEY))

    def _route(self, choice: Choice, compose: Compose, words: Words) -> Ranked:
        wanted = self.wanted(choice.ranked, compose)
        if wanted:
            chosen = wanted[0]
            if compose.route is not None and compose.route.place not in ("", chosen.route.place):
                raise Refused(
                    "The customer has written in another chat meanwhile. Yours was not sent and is kept.",
                    "Look at the newest message, then choose the channel again.",
                )
            overridden = (compose.route is not None or bool(compose.medium)) and chosen is not choice.best
            return Ranked(chosen.route, "agent_choice", chosen.facts) if overridden else chosen
        raise self._veto(choice, next(iter(self.wanted(choice.refused, compose)), None), words)

    async def _audit_refused(self, who: Agent, customer: Customer, choice: Choice, compose: Compose) -> None:
        """Note what was refused and why, so that it can be told from the log later."""
        for at in self.wanted(choice.refused, compose):
            await self.audit(who, "refused", customer.id, permission.told(at))

    def _veto(self, choice: Choice, refused: RefusedRoute | None, words: Words) -> Refused:
        best = choice.best
        hint = f"What can be used: --via {best.route.medium}" if best is not None else ""
        if refused is not None:
            return Refused(words.refusal(refused, self.clock.now()), hint)
        return Refused(words.no_route() if best is None else words.not_that_way(), hint)

    async def _refuse_collision(self, who: Agent, customer: Customer, compose: Compose) -> None:
        """Refuse where somebody else has replied, on whatever channel, since what the agent had seen."""
        seen = await self.store.entry(compose.expected) if compose.expected and not compose.anyway else None
        if seen is None:
            return
        since = seen[1].at
        answers = [
            d
            for d in customer.deliveries
            if d.agent != who.name and d.queued_at > since and d.state != Delivery.CANCELLED
        ]
        if answers:
            other = max(answers, key=lambda d: d.queued_at)
            at = (await self.words()).clock(other.queued_at)
            raise Answered(f"{other.agent} answered at {at}. Yours was not sent and is kept.", "Read the answer first.")

    def _conversation(self, customer: Customer, compose: Compose, reply: EntryId) -> ConversationId:
        if compose.conversation:
            whole = customer.joined.get(compose.conversation, compose.conversation)
            if any(c.id == whole for c in customer.conversations):
                return whole
            raise NotFound(f"This customer has no conversation {compose.conversation}.", "See: agentconsole show")
        open_one = conversations.current(customer)
        return open_one.id if open_one is not None else ConversationId(derive_id("c", reply))

    async def _answered(self, customer: Customer, compose: Compose, route: Route) -> Received | None:
        """Return the message that a reply answers: the named one, else the newest that came by this route."""
        if compose.answers:
            found = await self.store.entry(compose.answers)
            if found is not None and found[0] in customer.members and _came_by(found[1], route):
                return found[1]
        page = await self.store.history(customer.id, limit=200)
        for entry in reversed(page.entries if page is not None else ()):
            if _came_by(entry, route):
                return entry
        return None

    # -- replies under way ---------------------------------------------------------------------------------

    async def standing(self, reply: EntryId, choice: Choice | None = None) -> Sent:
        entry, record = await self.delivery(reply)
        return Sent(
            id=reply,
            state=record.state,
            route=Route(entry.account, entry.medium, entry.address, entry.place),
            choice=choice if choice is not None else Choice(()),
            reason=record.reason,
            detail=record.detail,
            not_before=record.not_before if record.state == Delivery.QUEUED else None,
            held=record.held and record.state == Delivery.QUEUED,
        )

    async def reply_entry(self, reply: EntryId) -> tuple[CustomerId, Reply]:
        found = await self.store.entry(reply)
        if found is None or not isinstance(found[1], Reply):
            raise NotFound(f"There is no reply {reply}.", "See: agentconsole outbox list")
        return found[0], found[1]

    async def delivery(self, reply: EntryId) -> tuple[Reply, DeliveryRecord]:
        owner, entry = await self.reply_entry(reply)
        snapshot = await self.store.snapshot(owner)
        record = snapshot.deliveries.get(reply) if snapshot is not None else None
        if record is None:
            record = delivery.standing(entry, ())
        return entry, record

    async def outbox(self, who: Agent, states: Sequence[Delivery]) -> tuple[OutboxLine, ...]:
        self.need(who, "read")
        lines = []
        for due in await self.store.replies(states or tuple(Delivery)):
            found = await self.store.entry(due.record.reply)
            text = found[1].text if found is not None and isinstance(found[1], Reply) else ""
            if found is not None and await self.closed_to(who, *found):
                text = ""
            lines.append(OutboxLine(due.customer, due.name, delivery.told(due.record), self.masks.part(text, 0, 200)))
        return self.masks.value(tuple(lines))

    async def _decide(self, who: Agent, request: str, reply: EntryId, state: Delivery, reason: str) -> Sent:
        """Change a reply's state on an agent's word, where its state allows that."""
        self.need(who, "reply")
        owner, entry = await self.reply_entry(reply)
        receipt = Receipt(
            id=EntryId(derive_id("e", "word", key_of(request), reply)),
            at=self.clock.now(),
            reply=reply,
            state=state,
            reason=reason,
            by=who.name,
        )
        words = await self.words()
        if not await self.store.known([receipt.id]):
            await self.store.change(owner, lambda snapshot: [_allowed(snapshot, receipt, words)])
        self.wake(entry.account)
        await hold.show(self.store, self.health)
        await self.audit(who, reason, owner, reply)
        return await self.standing(reply)

    # -- what agents decide ------------------------------------------------------------------------------

    async def sent(self, who: Agent, reply: EntryId) -> Sent:
        self.need(who, "read")
        return await self.standing(reply)

    async def attach(self, who: Agent, customer: CustomerId, name: str, type: str, data: bytes) -> Attachment:
        self.need(who, "reply")
        if len(data) > FILE_PART_BYTES:
            raise UsageError(
                f"{name} is larger than {FILE_PART_BYTES // 1024} KiB. Nothing was attached.", "Use attach_part."
            )
        return await self.keep_file(customer, name, type, data)

    async def keep_file(self, customer: CustomerId, name: str, type: str, data: bytes) -> Attachment:
        raise NotImplementedError

    async def outbox_check(self, who: Agent, request: str, reply: EntryId) -> Sent:
        self.need(who, "reply")
        before = await self.standing(reply)
        await self.operations.sync(before.route.account, 20.0)
        now = await self.standing(reply)
        if now.state != Delivery.UNCERTAIN:
            return msgspec.structs.replace(now, asked="found")
        if not self.operations.can_look(now.route.account):
            return msgspec.structs.replace(now, asked="cannot")
        found = await self._look(reply)
        return msgspec.structs.replace(await self.standing(reply), asked="found" if found else "nothing")

    async def _look(self, reply: EntryId) -> bool:
        """Ask the provider about an uncertain reply, record its proof, and say whether there was any."""
        owner, entry = await self.reply_entry(reply)
        customer = await self.person(owner)
        known = frozenset(d.external_id for d in customer.deliveries if d.external_id and d.reply != reply)
        proof = await self.operations.look(owner, entry, known)
        if proof is None or (proof.external_id != entry.key and await self._has_twin(customer, entry)):
            return False
        receipt = Receipt(
            id=EntryId(derive_id("e", "looked", reply, proof.external_id, proof.state)),
            at=self.clock.now(),
            reply=reply,
            state=proof.state,
            external_id=proof.external_id,
            reason="not_delivered" if proof.state == Delivery.FAILED else "",
            detail=proof.detail[:300],
        )

        def decide(snapshot: Snapshot) -> list[Receipt]:
            record = snapshot.deliveries.get(reply)
            return [receipt] if record is not None and delivery.follows(record, receipt) else []

        await self.store.change(owner, decide)
        await hold.show(self.store, self.health)
        return True

    async def _has_twin(self, customer: Customer, reply: Reply) -> bool:
        """Say whether a proof that names no key of ours may be that of another reply of the same words, of which not
        every attempt is known by the provider's id."""
        for record in customer.deliveries:
            if record.reply == reply.id or not record.attempt or (record.external_id and record.attempt == 1):
                continue
            found = await self.store.entry(record.reply)
            other = found[1] if found is not None else None
            if isinstance(other, Reply) and (other.account, other.address, other.text) == (
                reply.account,
                reply.address,
                reply.text,
            ):
                return True
        return False

    async def resend(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide(who, request, reply, Delivery.QUEUED, "sent_again")

    async def mark_sent(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide(who, request, reply, Delivery.SENT, "marked_sent")

    async def cancel(self, who: Agent, request: str, reply: EntryId) -> Sent:
        return await self._decide(who, request, reply, Delivery.CANCELLED, "cancelled")

    async def save_draft(self, who: Agent, draft: Draft) -> bool:
        self.need(who, "reply")
        if draft.agent != who.name:
            raise Refused("A draft belongs to the agent who writes it.", "")
        async with self.people:  # so that no console's next save brings back words about somebody who was erased
            await self.person(draft.customer)
            return await self.store.save_draft(draft)

    async def drafts(self, who: Agent) -> tuple[Draft, ...]:
        self.need(who, "read")
        kept: list[Draft] = []
        room = PAGE_BYTES
        for draft in sorted(await self.store.drafts(who.name), key=lambda d: d.at, reverse=True):
            room -= ENTRY_BYTES + len(draft.text.encode("utf-8", "replace"))
            if room < 0 and kept:
                break
            kept.append(draft)
        return tuple(kept)

    async def drop_draft(self, who: Agent, conversation: ConversationId, revision: int, note: bool) -> None:
        self.need(who, "reply")
        await self.store.drop_draft(who.name, conversation, revision, note)


def _allowed(snapshot: Snapshot, receipt: Receipt, words: Words) -> Receipt:
    record = snapshot.deliveries.get(receipt.reply)
    if record is None or not delivery.follows(record, receipt):
        state = record.state if record is not None else Delivery.SENT
        raise Refused(
            f"This reply is already: {words.state(state)}. Nothing was changed.", "See: agentconsole outbox list"
        )
    return receipt


def _in_part(reply: Reply, customer: Customer, snapshot: Snapshot) -> Reply:
    """Return the reply under the conversation id that its record keeps."""
    return msgspec.structs.replace(reply, conversation=conversations.part_in(customer, snapshot, reply.conversation))


def _came_by(entry: AnyEntry, route: Route) -> TypeGuard[Received]:
    """Say whether a message came by a route: only its thread may be continued there."""
    return isinstance(entry, Received) and (entry.account, entry.sender) == (route.account, route.address)


def _subject(compose: Compose, answered: Received | None, customer: Customer, conversation: ConversationId) -> str:
    if compose.subject:
        return compose.subject
    subject = answered.subject if answered is not None else ""
    if not subject:
        found: Conversation | None = next((c for c in customer.conversations if c.id == conversation), None)
        subject = found.subject if found is not None else ""
    if not subject:
        return ""
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def _references(answered: Received | None) -> tuple[str, ...]:
    """Return the thread keys of an answer, newest first."""
    if answered is None or not answered.external_id:
        return ()
    keys = tuple(dict.fromkeys((answered.external_id, *answered.in_reply_to)))
    return keys if len(keys) <= MAX_REFERENCES else (*keys[: MAX_REFERENCES - 1], keys[-1])
