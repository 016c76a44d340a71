"""From one raw item into histories: understand, find whose it is, append.

Every step may be done twice: the ids of entries come from what the provider calls the message.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agentconsole.domain import addresses, consent, conversations, threads
from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AnyEntry,
    ConsentChanged,
    Receipt,
    Received,
    Reply,
    Unreadable,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    Attachment,
    BlobId,
    ConversationId,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Snapshot,
    Trust,
    derive_id,
)
from agentconsole.hub import archive, believing, proof, wishing
from agentconsole.hub.parser import Parser
from agentconsole.hub.parser import Unreadable as CannotRead
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.hub.suggesting import Suggesting
from agentconsole.ports import (
    PAST,
    AddressEvent,
    Inbound,
    Opaque,
    OwnCopy,
    Parsed,
    RawItem,
    StatusReport,
    Store,
)
from agentconsole.seams import Clock
from agentconsole.text import language, quoting

OWN_ADDRESS = "from our own address"

SETTLE_DEADLINE = 3.0
"""Seconds that filing waits for a send in hand before it calls a report nothing of ours."""

WORD_MEDIA = frozenset({"sms", "whatsapp"})
"""Media on which the single word STOP is an opt-out by agreement with the carriers."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What came of some items: messages that were new, those that nobody could read, and items that are kept aside."""

    new: int = 0
    unreadable: int = 0
    kept: int = 0

    def __add__(self, other: Filed) -> Filed:
        return Filed(self.new + other.new, self.unreadable + other.unreadable, self.kept + other.kept)


class Filing:
    """Files one item after the other.

    Args:
        people: held while permission may change and while it is looked up whose a message is, shared with dispatch
            and the agents' changes: no reply leaves after an opt-out was filed, and no message goes to a customer
            who gave up its address meanwhile.
        settled: waits until a send of the account that is under way has been recorded; a report can overtake it.
    """

    def __init__(
        self,
        store: Store,
        accounts: Mapping[AccountName, AccountSetup],
        profile: HubProfile,
        parse: Parser,
        clock: Clock,
        log: logging.Logger,
        people: asyncio.Lock,
        settled: Callable[[AccountName], Awaitable[None]],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._profile = profile
        self._parser = parse
        self._clock = clock
        self._log = log
        self._people = people
        self._settled = settled
        self._suggesting = Suggesting(store, log)
        self._own = frozenset(
            address
            for setup in accounts.values()
            if (address := addresses.parse(setup.own_address, profile.region)) is not None
        )

    async def file(self, setup: AccountSetup, item: RawItem) -> Filed:
        """File one item and return what came of it.

        Raises:
            ReadOnly: it belongs to a customer that was set aside after damage.
            StoreFault: the disk refused.
            TryLater: nothing can be read at the moment.
        """
        try:
            found: Sequence[Parsed] = await self._parser.parse(setup.kind.name, item)
        except CannotRead as exc:
            return await self._unreadable(setup, item, exc.reason)
        past = PAST in item.meta
        filed = Filed()
        reports: list[Reply | None] = []
        for parsed in sorted(found, key=lambda one: not isinstance(one, StatusReport)):
            match parsed:
                case Inbound():
                    filed += await self._inbound(setup, item, parsed, past=past)
                case StatusReport():
                    reports.append(await self._report(setup, parsed))
                case AddressEvent() if reports and parsed.address not in [r.address for r in reports if r is not None]:
                    self._log.warning("%s: a report closes only the address that its reply went to", setup.name)
                case AddressEvent() if past:
                    pass  # what was so years ago says nothing about the address today
                case AddressEvent():
                    await self._address_event(setup, item, parsed)
                case OwnCopy():
                    filed += await self._own_copy(setup, item, parsed)
                case Opaque():
                    self._log.info("%s: nothing to show (%s)", setup.name, parsed.what)
        return filed

    # -- messages ------------------------------------------------------------------------------------------

    async def _inbound(self, setup: AccountSetup, item: RawItem, inbound: Inbound, *, past: bool) -> Filed:
        entry_id = entry_of(setup.kind.name, inbound.identity)
        await proof.settle(self._store, setup.name, inbound, entry_id, self._clock)
        if await self._store.known([entry_id]):
            if not past:
                await self._suggest_again(entry_id)
            return Filed()
        fresh = archive.first_of(entry_id)
        record = await self._owner(inbound) or fresh
        blobs = await self._keep(record, item, inbound)
        async with self._people:
            owner = await self._owner(inbound) or fresh
            if owner != record:
                record, blobs = owner, await self._keep(owner, item, inbound)
            if not past:
                inbound = await believing.unsubscribed(self._store, self._clock, setup, inbound, entry_id)
            foreign = await self._suggesting.foreign(record, inbound)
            message = await self._append(setup, item, inbound, entry_id, record, blobs, foreign, archived=past)
            if foreign and not past:
                await self._suggesting.tie(record, inbound, foreign)
        if not past:
            await self._suggesting.after(record, message)
        return Filed(new=1)

    async def _keep(self, record: CustomerId, item: RawItem, inbound: Inbound) -> tuple[BlobId, ...]:
        """Keep the raw item and then the attachments with the record that they will belong to."""
        files = [await self._store.put_blob(record, p.data) if p.data else BlobId("") for p in inbound.parts]
        return await self._store.put_blob(record, item.payload), *files

    async def _append(
        self,
        setup: AccountSetup,
        item: RawItem,
        inbound: Inbound,
        entry_id: EntryId,
        record: CustomerId,
        blobs: Sequence[BlobId],
        foreign: Mapping[Address, CustomerId],
        *,
        archived: bool,
    ) -> Received:
        customer = await self._store.customer(record)
        stored_at = self._clock.now()
        at = min(inbound.sent_at or item.received_at, stored_at)
        thread = await self._store.thread(inbound.message_ids) if inbound.message_ids else None
        thread_customer = await self._store.customer(thread.customer) if thread is not None else None
        same = thread_customer is not None and customer is not None and thread_customer.id == customer.id
        trust = await self._trust(inbound)
        past = archived or (setup.since is not None and at < setup.since)
        join = conversations.joins_past if archived else conversations.joins
        whole = join(
            customer,
            thread_customer.moved.get(thread.entry, thread.conversation)
            if same and thread is not None and thread_customer is not None
            else None,
            entry_id,
            at,
            self._profile.reopen_days,
        )
        wished = await wishing.read(self._store, inbound, trust, customer, whole, past=past)
        raw, *files = blobs
        attachments = tuple(
            Attachment(part.name, part.type, len(part.data), blob)
            for part, blob in zip(inbound.parts, files, strict=True)
        )
        mentioned = tuple(
            a
            for a in addresses.mentions(f"{inbound.subject}\n{inbound.text}", self._profile.region)
            if a != inbound.sender and a not in self._own and addresses.lasting(a) and addresses.lasting(inbound.sender)
        )

        def message(part: ConversationId) -> Received:
            return Received(
                id=entry_id,
                at=at,
                account=setup.name,
                medium=setup.kind.medium,
                sender=inbound.sender,
                conversation=part,
                stored_at=stored_at,
                external_id=inbound.external_id,
                sender_name=inbound.sender_name,
                subject=inbound.subject,
                text=inbound.text,
                attachments=attachments,
                in_reply_to=inbound.message_ids,
                participants=tuple(p for p in inbound.participants if p.address not in self._own),
                mentions=mentioned,
                trust=trust,
                signer=inbound.signer,
                checked=inbound.checked,
                language=_language(inbound.text),
                place=inbound.place,
                automatic=inbound.automatic,
                past=past,
                raw=raw,
            )

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            part = conversations.part_in(customer, snapshot, whole) if customer is not None else whole
            others = _other_names(inbound, entry_id, at, foreign)
            said = self._words(setup, inbound, entry_id, at, snapshot, archived=archived)
            return [message(part), *others, *said, *wishing.entries(message(part), wished, snapshot)]

        await self._store.change(record, decide)
        return message(whole)

    async def _trust(self, inbound: Inbound) -> Trust:
        """Return how sure it is who wrote: an answer to a mail that went to this address and bears our token is more
        than a claim, whatever signs it."""
        if inbound.trust != Trust.CLAIMED or inbound.sender.kind != addresses.EMAIL or not inbound.message_ids:
            return inbound.trust
        secret = await self._store.secret(threads.KEY)
        return Trust.THREADED if threads.answered(inbound.message_ids, inbound.sender, secret) else Trust.CLAIMED

    def _words(
        self,
        setup: AccountSetup,
        inbound: Inbound,
        entry: EntryId,
        at: datetime,
        snapshot: Snapshot,
        *,
        archived: bool,
    ) -> list[AnyEntry]:
        """Return the opt-out or opt-in that a single word is.

        An opt-out counts from when it was heard: providers' times are whole seconds, and it must not look older than
        an opt-in of that second. An opt-in counts from when it was written, so that a late one lifts nothing newer;
        so does an opt-out from an archive, which the customer may have taken back long ago.
        """
        if setup.kind.medium not in WORD_MEDIA:
            return []
        allowed = consent.word(inbound.text)
        if allowed is None:
            return []
        return [
            ConsentChanged(
                id=EntryId(derive_id("e", "word", entry)),
                at=at if allowed or archived else believing.heard(snapshot, self._clock),
                medium=setup.kind.medium,
                allowed=allowed,
                evidence=entry,
                words=inbound.text.strip()[:40],
            )
        ]

    async def _owner(self, inbound: Inbound) -> CustomerId | None:
        for address in (inbound.sender, *inbound.also_known_as):
            record = await self._store.find(address)
            if record is not None:
                return record
        return None

    async def _suggest_again(self, entry_id: EntryId) -> None:
        """Make the suggestions of a message that was filed just before something failed."""
        found = await self._store.entry(entry_id)
        if found is not None and isinstance(message := found[1], Received):
            await self._suggesting.after(found[0], message)

    async def _unreadable(self, setup: AccountSetup, item: RawItem, reason: str) -> Filed:
        entry_id = EntryId(derive_id("e", "unreadable", setup.name, item.identity))
        if await self._store.known([entry_id]):
            return Filed()
        nobody = unreadable_of(setup.name)
        record = await self._store.find(nobody) or CustomerId(derive_id("k", "unreadable", setup.name)[:17])
        raw = await self._store.put_blob(record, item.payload)
        entry = Unreadable(
            id=entry_id,
            at=item.received_at,
            account=setup.name,
            medium=setup.kind.medium,
            conversation=conversations.joins(None, None, EntryId(f"unreadable {setup.name}"), item.received_at, 0),
            reason="unreadable",
            detail=reason,
            raw=raw,
            past=PAST in item.meta,
        )
        linked = AddressLinked(
            id=EntryId(derive_id("e", "unreadable", setup.name)), at=item.received_at, address=nobody
        )
        await self._store.change(record, lambda _snapshot: [linked, entry])
        self._log.warning("%s: unreadable, raw kept; see the entry %s", setup.name, entry_id)
        return Filed(unreadable=1)

    async def _own_copy(self, setup: AccountSetup, item: RawItem, copy: OwnCopy) -> Filed:
        """File the proof that a reply left. A form on a web site writes from our address too: that is shown."""
        proof = StatusReport(copy.identity, Delivery.SENT, copy.external_id, copy.key, copy.at, "own_copy")
        if await self._report(setup, proof) is not None:
            return Filed()
        if copy.message is not None:
            return await self._inbound(setup, item, copy.message, past=PAST in item.meta)
        if copy.wrote is not None:
            async with self._people:
                at = min(copy.wrote.sent_at or item.received_at, self._clock.now())
                sent = await archive.sent(self._store, setup, copy, copy.wrote, at, self._profile.reopen_days)
            return Filed(new=int(sent))
        return await self._unreadable(setup, item, OWN_ADDRESS)

    # -- reports -------------------------------------------------------------------------------------------

    async def _report(self, setup: AccountSetup, report: StatusReport) -> Reply | None:
        """File what a report says of a reply and return that reply, where it is ours. Anybody can write a bounce."""
        reply = await self._find_reply(setup, report)
        if reply is None and not report.key:
            # Our key is on disk before a send begins; a provider's id only once its answer has been recorded.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_DEADLINE):
                    await self._settled(setup.name)
            reply = await self._find_reply(setup, report)
        holder, ours = await self._store.entry(reply) or (None, None) if reply is not None else (None, None)
        if reply is None or holder is None or not isinstance(ours, Reply):
            self._log.info("%s: a report (%s) about nothing of ours", setup.name, report.state)
            return None
        if ours.past:
            return ours  # history has no fate that could change
        receipt = Receipt(
            id=EntryId(derive_id("e", "report", setup.kind.name, report.identity)),
            at=min(report.at or self._clock.now(), self._clock.now()),
            reply=reply,
            state=report.state,
            external_id=report.external_id,
            reason=report.reason,
            detail=report.detail[:300],
        )
        speaks = report.state == Delivery.FAILED and report.reason in believing.SAYS_OF_THE_CUSTOMER

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            told = believing.believed(ours, report.reason, snapshot, self._clock) if speaks else []
            return [receipt, *told]

        async with self._people if speaks else contextlib.nullcontext():
            await self._store.change(holder, decide)
        return ours

    async def _find_reply(self, setup: AccountSetup, report: StatusReport) -> EntryId | None:
        return await self._store.reply_by(setup.name, external_id=report.external_id, key=report.key)

    async def _address_event(self, setup: AccountSetup, item: RawItem, event: AddressEvent) -> None:
        record = await self._store.find(event.address)
        if record is None:
            return
        state = AddressState(
            id=EntryId(derive_id("e", "state", setup.kind.name, event.identity)),
            at=min(event.at or item.received_at, self._clock.now()),
            address=event.address,
            account=setup.name,
            dead=event.dead,
        )

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            if not event.opt_out:
                return [state]
            opt_out = ConsentChanged(
                id=EntryId(derive_id("e", "consent", setup.kind.name, event.identity)),
                at=believing.heard(snapshot, self._clock),
                medium=Medium(setup.kind.medium),
                words="provider",
            )
            return [state, opt_out]

        async with self._people:
            await self._store.change(record, decide)


def unreadable_of(account: AccountName) -> Address:
    """Return whose everything is that came in on an account and that nobody could read."""
    return Address("unreadable", "", account)


def entry_of(kind: str, identity: str) -> EntryId:
    """Return the id of the entry that a message becomes, whenever and from wherever it comes."""
    return EntryId(derive_id("e", "in", kind, identity))


def _language(text: str) -> str:
    """Return the language of what somebody wrote themselves; what they quote may be ours."""
    start = text[:4000]
    own = " ".join(start[part.start : part.end] for part in quoting.segments(start) if part.kind == quoting.Kind.TEXT)
    found = language.guess(own[:1000])
    return found.language if found is not None else ""


def _other_names(
    inbound: Inbound, entry: EntryId, at: datetime, foreign: Mapping[Address, CustomerId]
) -> list[AnyEntry]:
    return [
        AddressLinked(
            id=EntryId(derive_id("e", "linked", str(address), str(inbound.sender))),
            at=at,
            address=address,
            trust=inbound.trust,
            evidence=entry,
            why="provider_ties",
        )
        for address in inbound.also_known_as
        if address not in foreign
    ]
