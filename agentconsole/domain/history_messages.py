"""What messages, replies and receipts add up to."""

from __future__ import annotations

from agentconsole.domain import delivery, facts, identity, learned
from agentconsole.domain.entries import Receipt, Received, Reply
from agentconsole.domain.history_person import Person
from agentconsole.domain.history_state import (
    ACTIVE,
    KEPT_ANSWERS,
    KEPT_BEGUN,
    KEPT_PARTICIPANTS,
    preview,
    replace,
    route_key,
)
from agentconsole.domain.model import ConversationStatus, Delivery, DeliveryRecord, Heard, Route, Tally


class Messages(Person):
    def _received(self, entry: Received) -> None:
        self._link(entry.sender, entry.trust, entry)
        linked = self.addresses[str(entry.sender)]
        believed = identity.believed(linked, entry.trust, entry.signer, checked=entry.checked)
        if believed:  # what may be somebody else's teaches nothing of the customer
            self._learn(entry)
            facts.learn(self.facts, facts.told(entry))
        if not entry.past:
            self.heard = Heard(entry.id, entry.stored_at, entry.sender, entry.trust, entry.signer, entry.checked)
        if entry.sender_name and not self.name:
            self.name = entry.sender_name
        conversation = self._touch(
            entry.conversation,
            entry.at,
            medium=entry.medium,
            subject=entry.subject,
            waiting=not (entry.automatic or entry.past),
            past=entry.past,
        )
        newest = entry.at >= conversation.last_at
        people = dict.fromkeys((*conversation.participants, *entry.participants))
        self.conversations[entry.conversation] = replace(
            conversation,
            preview=preview(entry.text) if newest else conversation.preview,
            last_in=entry.id if newest else conversation.last_in,
            last_in_at=entry.at if newest and not entry.automatic else conversation.last_in_at,
            participants=tuple(people)[:KEPT_PARTICIPANTS],
            last_medium=entry.medium if newest else conversation.last_medium,
            last_sender=str(entry.sender) if newest else conversation.last_sender,
            language=entry.language if newest and entry.language else conversation.language,
        )
        use = self._use(Route(entry.account, entry.medium, entry.sender, entry.place))
        if use.last_in is None or entry.at >= use.last_in:
            use = replace(
                use,
                last_in=entry.at,
                external_id=entry.external_id,
                subject=entry.subject,
                route=replace(use.route, place=entry.place),
            )
        if believed and (use.vouched_in is None or entry.at >= use.vouched_in):
            use = replace(use, vouched_in=entry.at)
        if believed and use.unanswered and not entry.automatic:
            use = replace(use, answered=use.answered + use.unanswered, unanswered=0)
        self.routes[route_key(use.route)] = use
        if believed and linked.dead and linked.dead_at is not None and entry.at > linked.dead_at:
            self.addresses[str(entry.sender)] = replace(linked, dead="", dead_at=None)

    def _learn(self, entry: Received) -> None:
        """Learn from a message that a person wrote: the language, and that our last ones were answered."""
        if entry.automatic:
            return
        if entry.language:
            self.languages[entry.language] = self.languages.get(entry.language, 0) + 1
        tally = self.tallies.get(entry.medium)
        if tally is None or entry.past:
            return
        after = learned.answered(tally, entry.at)
        self.tallies[entry.medium] = after
        if after.answered > tally.answered:
            self.answers = (*self.answers, entry.at)[-KEPT_ANSWERS:]

    def _reply(self, entry: Reply) -> None:
        if entry.past:
            self._touch(entry.conversation, entry.at, medium=entry.medium, subject=entry.subject, past=True)
            return
        conversation = self._touch(entry.conversation, entry.at, medium=entry.medium, subject=entry.subject)
        self.conversations[entry.conversation] = replace(
            conversation,
            waiting_since=None,
            answered_at=entry.at,
            preview=preview(entry.text),
            assignee=conversation.assignee or entry.agent,
            assigned_at=conversation.assigned_at if conversation.assignee else entry.at,
            status=ConversationStatus.OPEN if conversation.status in ACTIVE else conversation.status,
            snoozed_until=None,
            replied=True,
            mentions=tuple(name for name in conversation.mentions if name != entry.agent),
        )
        self.deliveries[entry.id] = replace(
            delivery.opened(entry), waited=conversation.waiting_since, before=conversation.preview
        )

    def _receipt(self, entry: Receipt) -> None:
        record = self.deliveries.get(entry.reply)
        if record is None or not delivery.follows(record, entry):
            return
        self.deliveries[entry.reply] = delivery.advanced(record, entry)
        arrived_now = entry.state in delivery.ARRIVED and record.state not in delivery.ARRIVED
        if arrived_now:
            use = self._use(Route(record.account, record.medium, record.address))
            self.routes[route_key(use.route)] = replace(use, last_out=entry.at, unanswered=use.unanswered + 1)
            tally = self.tallies.get(record.medium) or Tally(record.medium)
            self.tallies[record.medium] = learned.sent(tally, entry.at)
            if record.proactive:
                self.begun = tuple(sorted((*self.begun, entry.at)))[-KEPT_BEGUN:]
            self.deliveries[entry.reply] = replace(self.deliveries[entry.reply], before="")
        if entry.state in (Delivery.FAILED, Delivery.CANCELLED):
            self._not_answered(record, entry)

    def _not_answered(self, record: DeliveryRecord, entry: Receipt) -> None:
        """The customer waits on, for as long as before the reply; the list shows again what they wait with."""
        conversation = self._conversation(record.conversation, entry.at)
        if conversation.status in ACTIVE:
            waits = [at for at in (conversation.waiting_since, record.waited) if at is not None]
            conversation = replace(conversation, waiting_since=min(waits, default=entry.at))
        if entry.state == Delivery.CANCELLED and record.before and conversation.last_at <= record.queued_at:
            conversation = replace(conversation, preview=record.before)
        self.conversations[record.conversation] = conversation
