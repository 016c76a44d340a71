"""Composing, choosing, queueing and deciding about replies: the part of the Desk that can write to customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agentconsole.desk import Agent, Compose, OutboxLine, Sent
from agentconsole.domain import conversations, preference
from agentconsole.domain.addresses import EMAIL
from agentconsole.domain.delivery import follows
from agentconsole.domain.model import (
    AccountName,
    AnyEntry,
    Choice,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Delivery,
    DeliveryRecord,
    EntryId,
    Receipt,
    Received,
    RefusedRoute,
    Reply,
    Route,
    Snapshot,
    derive_id,
)
from agentconsole.domain.permission import Size
from agentconsole.errors import NotFound, Refused
from agentconsole.hub.health import Health
from agentconsole.hub.profile import AccountSetup, HubProfile, for_choice
from agentconsole.ports import Store
from agentconsole.seams import Clock
from agentconsole.text import sms, words

MAX_REFERENCES = 20
"""Thread keys that an answer carries: relays refuse headers over 4 KiB; the newest and the first matter."""


class Replying:
    def __init__(
        self,
        store: Store,
        accounts: Mapping[AccountName, AccountSetup],
        health: Health,
        profile: HubProfile,
        clock: Clock,
        wake: Callable[[AccountName], None],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._health = health
        self._profile = profile
        self._clock = clock
        self._wake = wake

    async def choose(self, compose: Compose) -> Choice:
        return self._choice(await self.customer(compose.customer), compose)

    def _choice(self, customer: Customer, compose: Compose) -> Choice:
        accounts = [
            for_choice(setup.info(signed_in=self._health.signed_in(name))) for name, setup in self._accounts.items()
        ]
        return preference.choose(customer, accounts, self._clock.now(), self._profile.policy, _size(compose))

    async def customer(self, customer: CustomerId) -> Customer:
        found = await self._store.customer(customer)
        if found is None:
            raise NotFound(f"There is no customer {customer}.", "See: agentconsole inbox, agentconsole search WORDS")
        return found

    # -- a new reply ---------------------------------------------------------------------------------------

    async def reply(self, who: Agent, request: str, compose: Compose) -> Sent:
        reply_id = EntryId(derive_id("e", "reply", request))
        earlier = await self._store.entry(reply_id)
        customer = await self.customer(compose.customer)
        choice = self._choice(customer, compose)
        if earlier is not None:
            return await self.sent(reply_id, choice)
        if not compose.text.strip() and not compose.attachments:
            raise Refused("An empty reply is not sent.", "Write something first.")
        ranked = self._route(choice, compose)
        setup = self._accounts[ranked.route.account]
        conversation = self._conversation(customer, compose, reply_id)
        answered = await self._answered(customer, compose, ranked.route)
        capable = setup.kind.capabilities
        expected = await self._store.entry(compose.expected) if compose.expected else None
        owner = customer.owners.get(str(ranked.route.address), customer.id)

        def decide(snapshot: Snapshot) -> Sequence[AnyEntry]:
            if expected is not None and not compose.anyway:
                self._refuse_collision(who, snapshot, expected[1])
            return [
                Reply(
                    id=reply_id,
                    at=self._clock.now(),
                    agent=who.name,
                    conversation=conversations.part_in(customer, snapshot, conversation),
                    account=ranked.route.account,
                    medium=ranked.route.medium,
                    address=ranked.route.address,
                    text=compose.text,
                    key=_key(reply_id, setup, capable.address_kind),
                    subject=_subject(compose, answered, customer, conversation) if capable.subject else "",
                    attachments=compose.attachments,
                    answers=answered.id if answered is not None else EntryId(""),
                    in_reply_to=_references(answered),
                    place=ranked.route.place,
                    rule=ranked.rule,
                    facts=ranked.facts,
                    not_before=compose.not_before,
                )
            ]

        await self._store.change(owner, decide)
        self._wake(ranked.route.account)
        return await self.sent(reply_id, choice)

    def _route(self, choice: Choice, compose: Compose) -> preference.Ranked:
        wanted = [
            ranked
            for ranked in choice.ranked
            if (compose.route is None or _same(ranked.route, compose.route))
            and (not compose.medium or ranked.route.medium == compose.medium)
        ]
        if wanted:
            chosen = wanted[0]
            overridden = (compose.route is not None or bool(compose.medium)) and chosen is not choice.best
            return preference.Ranked(chosen.route, "agent_choice", chosen.facts) if overridden else chosen
        refused = next(
            (
                r
                for r in choice.refused
                if (compose.route is None or _same(r.route, compose.route))
                and (not compose.medium or r.route.medium == compose.medium)
            ),
            None,
        )
        raise self._veto(choice, refused)

    def _veto(self, choice: Choice, refused: RefusedRoute | None) -> Refused:
        language, now = self._profile.language, self._clock.now()
        if refused is None:
            what = words.word(language, "no_route", {}, now=now, tz=self._profile.timezone)
        else:
            medium = words.medium(language, refused.route.medium)
            because = words.word(language, refused.reason, refused.facts, now=now, tz=self._profile.timezone)
            what = f"{medium}: {because}"
        best = choice.best
        hint = f"--via {best.route.medium}" if best is not None and refused is not None else ""
        return Refused(what, hint)

    def _refuse_collision(self, who: Agent, snapshot: Snapshot, seen: AnyEntry) -> None:
        other = next(
            (d for d in snapshot.deliveries.values() if d.agent != who.name and d.queued_at > seen.at),
            None,
        )
        if other is not None:
            raise Refused(
                f"{other.agent} answered in the meantime. Yours was not sent and is kept.", "Read the answer first."
            )

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
            found = await self._store.entry(compose.answers)
            if found is not None and isinstance(found[1], Received):
                return found[1]
        page = await self._store.history(customer.id, limit=200)
        for entry in reversed(page.entries if page is not None else ()):
            if isinstance(entry, Received) and entry.account == route.account and entry.sender == route.address:
                return entry
        return None

    # -- replies under way ---------------------------------------------------------------------------------

    async def sent(self, reply: EntryId, choice: Choice | None = None) -> Sent:
        entry, record = await self.delivery(reply)
        return Sent(
            id=reply,
            state=record.state,
            route=Route(entry.account, entry.medium, entry.address, entry.place),
            choice=choice if choice is not None else Choice(()),
            reason=record.reason,
            detail=record.detail,
        )

    async def _reply_entry(self, reply: EntryId) -> tuple[CustomerId, Reply]:
        found = await self._store.entry(reply)
        if found is None or not isinstance(found[1], Reply):
            raise NotFound(f"There is no reply {reply}.", "See: agentconsole outbox list")
        return found[0], found[1]

    async def delivery(self, reply: EntryId) -> tuple[Reply, DeliveryRecord]:
        owner, entry = await self._reply_entry(reply)
        snapshot = await self._store.snapshot(owner)
        record = snapshot.deliveries.get(reply) if snapshot is not None else None
        if record is None:
            record = DeliveryRecord(
                reply=reply,
                state=Delivery.SENT,
                at=entry.at,
                account=entry.account,
                medium=entry.medium,
                address=entry.address,
                conversation=entry.conversation,
                agent=entry.agent,
                queued_at=entry.at,
            )
        return entry, record

    async def outbox(self, states: Sequence[Delivery]) -> tuple[OutboxLine, ...]:
        lines = []
        for due in await self._store.replies(states or tuple(Delivery)):
            found = await self._store.entry(due.record.reply)
            text = found[1].text if found is not None and isinstance(found[1], Reply) else ""
            lines.append(OutboxLine(due.customer, due.name, due.record, text[:200]))
        return tuple(lines)

    async def decide(self, who: Agent, request: str, reply: EntryId, state: Delivery, reason: str) -> Sent:
        """Change a reply's state on an agent's word.

        Raises:
            Refused: its state does not allow that.
        """
        owner, entry = await self._reply_entry(reply)
        receipt = Receipt(
            id=EntryId(derive_id("e", "word", request, reply)),
            at=self._clock.now(),
            reply=reply,
            state=state,
            reason=reason,
            by=who.name,
        )
        if not await self._store.known([receipt.id]):
            await self._store.change(owner, lambda snapshot: [self._allowed(snapshot, receipt)])
        self._wake(entry.account)
        return await self.sent(reply)

    def _allowed(self, snapshot: Snapshot, receipt: Receipt) -> Receipt:
        record = snapshot.deliveries.get(receipt.reply)
        if record is None or not follows(record, receipt):
            state = record.state if record is not None else Delivery.SENT
            word = words.word(self._profile.language, state, {}, now=self._clock.now(), tz=self._profile.timezone)
            raise Refused(f"This reply is already: {word}. Nothing was changed.", "See: agentconsole outbox list")
        return receipt


def _same(one: Route, other: Route) -> bool:
    return (one.account, one.address) == (other.account, other.address)


def _size(compose: Compose) -> Size:
    text = compose.text
    return Size(
        characters=len(text),
        bytes=len(text.encode("utf-8", "replace")),
        sms=sms.parts(text).parts if text else 0,
        attachments=len(compose.attachments),
    )


def _key(reply: EntryId, setup: AccountSetup, address_kind: str) -> str:
    """Return the key under which a reply is sent in every attempt: a Message-ID for mail, else its own id."""
    domain = setup.own_address.rpartition("@")[2]
    return f"{reply}@{domain}" if address_kind == EMAIL and domain else reply


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
