"""From the spool into histories: understand, find whose it is, append.

Every step may be done twice: entry ids come from what the provider calls the message, a batch leaves the spool only
when all of it was filed or set aside, and one bad item never holds up the next. What was set aside is tried again at
the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from agentconsole.domain import addresses, consent, conversations, identity
from agentconsole.domain.model import (
    AccountName,
    Address,
    AddressLinked,
    AddressState,
    AnyEntry,
    Attachment,
    BlobId,
    ConsentChanged,
    ConversationId,
    CustomerId,
    Delivery,
    EntryId,
    Medium,
    Receipt,
    Received,
    Reply,
    Snapshot,
    Trust,
    Unreadable,
    derive_id,
)
from agentconsole.errors import ReadOnly, SpoolDamaged, StoreFault, TryLater
from agentconsole.hub import parser
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import (
    AddressEvent,
    Inbound,
    Opaque,
    OwnCopy,
    Parsed,
    RawItem,
    SpoolRecord,
    StatusReport,
    Store,
)
from agentconsole.seams import Clock, Randomness

RETRY_SECONDS = 5.0
"""How long intake rests when the disk or the machine refuses, before it tries the same batches again."""

TRIES = 3
"""How often a batch may fail for a reason that is no disk's before what failed of it is set aside."""

REFUSALS = 5
"""How many items of a batch, or batches, the disk may refuse before intake rests: fewer are the trouble of single
files, and the others go on."""

OWN_ADDRESS = "from our own address"

WORD_MEDIA = frozenset({"sms", "whatsapp"})
"""Media on which the single word STOP is an opt-out by agreement with the carriers."""


class Intake:
    """Files what the accounts fetched.

    Args:
        people: held while permission may change, shared with dispatch, so that no reply leaves after an opt-out
            was filed.
        settled: waits until a send of the account that is under way has been recorded; a report can overtake it.
    """

    def __init__(
        self,
        store: Store,
        accounts: Mapping[AccountName, AccountSetup],
        profile: HubProfile,
        parse: parser.Parser,
        clock: Clock,
        random: Randomness,
        log: logging.Logger,
        people: asyncio.Lock,
        settled: Callable[[AccountName], Awaitable[None]],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._profile = profile
        self._parser = parse
        self._clock = clock
        self._random = random
        self._log = log
        self._people = people
        self._settled = settled
        self._own = frozenset(
            address
            for setup in accounts.values()
            if (address := addresses.parse(setup.own_address, profile.region)) is not None
        )
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._failures: dict[str, int] = {}
        self._retry_aside = True
        self.opaque = 0

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """File whatever the spool holds, for ever."""
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except (StoreFault, TryLater) as exc:
                self._log.error("intake rests: %s", exc.message)
                await self._clock.sleep(RETRY_SECONDS)
                continue
            await self._wake.wait()

    async def drain(self) -> int:
        """File all waiting batches now and return how many messages were new.

        Raises:
            StoreFault: the disk refused; what could not be filed waits in the spool.
            TryLater: nothing can be read at the moment; everything waits in the spool.
        """
        filed = 0
        async with self._turn:
            refusals: list[StoreFault] = []
            waiting = list(await self._store.spooled())
            if self._retry_aside:
                waiting += await self._store.spool_aside()
            for record_id in waiting:
                try:
                    filed += await self._batch(record_id)
                except StoreFault as exc:
                    refusals.append(exc)
                if len(refusals) >= REFUSALS:
                    break
            if refusals:
                raise refusals[0]
            self._retry_aside = False
        return filed

    async def _batch(self, record_id: str) -> int:
        try:
            record = await self._store.spool_record(record_id)
        except SpoolDamaged as exc:
            await self._put_aside(record_id, exc.message)
            return 0
        setup = self._accounts.get(record.account)
        if setup is None:
            await self._put_aside(record_id, f"the account {record.account} is not configured")
            return 0
        filed, broken = 0, False
        failed: dict[int, str] = {}
        refusals: list[StoreFault] = []
        for number, item in enumerate(record.items):
            try:
                filed += await self._item(setup, item)
            except ReadOnly as exc:
                failed[number] = exc.message
            except StoreFault as exc:
                refusals.append(exc)
                if len(refusals) >= REFUSALS:
                    break
            except TryLater:
                raise
            except Exception as exc:
                broken = True
                failed[number] = f"{type(exc).__name__}: {exc}"
                self._log.error("an item of %s cannot be filed", record.account, exc_info=exc)
        if refusals:
            raise refusals[0]
        if broken:
            failures = self._failures[record_id] = self._failures.get(record_id, 0) + 1
            if failures < TRIES:
                self._wake.set()
                return filed
        self._failures.pop(record_id, None)
        await self._settle(record, failed)
        return filed

    async def _settle(self, record: SpoolRecord, failed: Mapping[int, str]) -> None:
        """Let a batch go, and keep of it what could not be filed."""
        if not failed:
            await self._store.spool_done(record.id)
            return
        why = "; ".join(dict.fromkeys(failed.values()))
        if len(failed) == len(record.items):
            await self._put_aside(record.id, why)
            return
        rest = derive_id("s", record.id, *(str(number) for number in failed))
        items = tuple(record.items[number] for number in failed)
        await self._store.spool(SpoolRecord(rest, record.account, record.kind, items))
        await self._put_aside(rest, why)
        await self._store.spool_done(record.id)

    async def _put_aside(self, record_id: str, why: str) -> None:
        self._log.error("what cannot be filed was set aside: %s", why)
        await self._store.spool_set_aside(record_id, why)

    async def _item(self, setup: AccountSetup, item: RawItem) -> int:
        try:
            found: Sequence[Parsed] = await self._parser.parse(setup.kind.name, item)
        except parser.Unreadable as exc:
            return await self._unreadable(setup, item, exc.reason)
        filed = 0
        reports: list[Reply | None] = []
        events: list[AddressEvent] = []
        for parsed in found:
            match parsed:
                case Inbound():
                    filed += await self._inbound(setup, item, parsed)
                case StatusReport():
                    reports.append(await self._report(setup, parsed))
                case AddressEvent():
                    events.append(parsed)
                case OwnCopy():
                    filed += await self._own_copy(setup, item, parsed)
                case Opaque():
                    self._log.info("%s: nothing to show (%s)", setup.name, parsed.what)
                    self.opaque += 1
        told_of = {reply.address for reply in reports if reply is not None}
        for event in events:
            if reports and event.address not in told_of:
                self._log.warning("%s: a report closes only the address that its reply went to", setup.name)
            else:
                await self._address_event(setup, item, event)
        return filed

    # -- messages ------------------------------------------------------------------------------------------

    async def _inbound(self, setup: AccountSetup, item: RawItem, inbound: Inbound) -> int:
        entry_id = EntryId(derive_id("e", "in", setup.kind.name, inbound.identity))
        if await self._store.known([entry_id]):
            await self._suggest_again(entry_id)
            return 0
        fresh = CustomerId("k" + self._random.token()[:16])
        record = await self._owner(inbound) or fresh
        blobs = await self._keep(record, item, inbound)
        async with self._people:
            owner = await self._owner(inbound) or fresh
            if owner != record:
                record, blobs = owner, await self._keep(owner, item, inbound)
            message = await self._append(setup, item, inbound, entry_id, record, blobs)
        await self._suggest(record, inbound.sender, message.mentions, entry_id, message.at)
        return 1

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
    ) -> Received:
        customer = await self._store.customer(record)
        stored_at = self._clock.now()
        at = min(inbound.sent_at or item.received_at, stored_at)
        thread = await self._store.thread(inbound.message_ids) if inbound.message_ids else None
        thread_customer = await self._store.customer(thread.customer) if thread is not None else None
        same = thread_customer is not None and customer is not None and thread_customer.id == customer.id
        trust = inbound.trust
        if same and thread is not None and thread.ours and trust == Trust.CLAIMED:
            trust = Trust.THREADED
        past = setup.since is not None and at < setup.since
        whole = conversations.joins(
            customer,
            thread.conversation if same and thread is not None else None,
            entry_id,
            at,
            self._profile.reopen_days,
        )
        raw, *files = blobs
        attachments = tuple(
            Attachment(part.name, part.type, len(part.data), blob)
            for part, blob in zip(inbound.parts, files, strict=True)
        )
        mentioned = tuple(
            a
            for a in addresses.mentions(f"{inbound.subject}\n{inbound.text}", self._profile.region)
            if a != inbound.sender and a not in self._own
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
                place=inbound.place,
                automatic=inbound.automatic,
                past=past,
                raw=raw,
            )

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            part = conversations.part_in(customer, snapshot, whole) if customer is not None else whole
            others = _other_names(inbound, entry_id, at)
            return [message(part), *others, *self._words(setup, inbound, entry_id, at)]

        await self._store.change(record, decide)
        return message(whole)

    def _words(self, setup: AccountSetup, inbound: Inbound, entry: EntryId, at: datetime) -> list[AnyEntry]:
        if setup.kind.medium not in WORD_MEDIA:
            return []
        allowed = consent.word(inbound.text)
        if allowed is None:
            return []
        return [
            ConsentChanged(
                id=EntryId(derive_id("e", "word", entry)),
                at=at,
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

    async def _suggest(
        self, record: CustomerId, sender: Address, mentioned: Sequence[Address], evidence: EntryId, at: datetime
    ) -> None:
        customer = await self._store.customer(record)
        if customer is None:
            return
        owners: dict[Address, CustomerId] = {}
        for address in mentioned:
            owner = await self._store.find(address)
            if owner is not None and owner not in customer.members:
                owners[address] = await self._root(owner)
        mentioned_in = [
            (await self._root(holder), entry)
            for holder, entry in await self._store.mentioned(sender)
            if holder not in customer.members
        ]
        for holder, suggested in identity.suggestions(
            customer.id, mentioned, owners, mentioned_in, sender, evidence, at
        ):
            try:
                await self._store.change(holder, lambda _snapshot, entry=suggested: [entry])  # type: ignore[misc]
            except ReadOnly as exc:
                self._log.warning("a suggestion is left out: %s", exc.message)

    async def _suggest_again(self, entry_id: EntryId) -> None:
        """Make the suggestions of a message that was filed just before something failed."""
        found = await self._store.entry(entry_id)
        if found is not None and isinstance(message := found[1], Received):
            await self._suggest(found[0], message.sender, message.mentions, entry_id, message.at)

    async def _root(self, record: CustomerId) -> CustomerId:
        customer = await self._store.customer(record)
        return customer.id if customer is not None else record

    async def _unreadable(self, setup: AccountSetup, item: RawItem, reason: str) -> int:
        entry_id = EntryId(derive_id("e", "unreadable", setup.name, item.identity))
        if await self._store.known([entry_id]):
            return 0
        nobody = Address("unreadable", "", setup.name)
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
        )
        linked = AddressLinked(
            id=EntryId(derive_id("e", "unreadable", setup.name)), at=item.received_at, address=nobody
        )
        await self._store.change(record, lambda _snapshot: [linked, entry])
        self._log.warning("%s: unreadable, raw kept (%s)", setup.name, reason)
        return 1

    async def _own_copy(self, setup: AccountSetup, item: RawItem, copy: OwnCopy) -> int:
        """File the proof that a reply left. A form on a web site writes from our address too: that is shown."""
        proof = StatusReport(copy.identity, Delivery.SENT, copy.external_id, copy.key, copy.at, "own_copy")
        if await self._report(setup, proof) is not None:
            return 0
        if copy.message is None:
            return await self._unreadable(setup, item, OWN_ADDRESS)
        return await self._inbound(setup, item, copy.message)

    # -- reports -------------------------------------------------------------------------------------------

    async def _report(self, setup: AccountSetup, report: StatusReport) -> Reply | None:
        """File what a report says of a reply and return that reply, where it is ours. Anybody can write a bounce."""
        reply = await self._find_reply(setup, report)
        if reply is None:
            await self._settled(setup.name)
            reply = await self._find_reply(setup, report)
        holder, ours = await self._store.entry(reply) or (None, None) if reply is not None else (None, None)
        if reply is None or holder is None or not isinstance(ours, Reply):
            self._log.info("%s: a report (%s) about nothing of ours", setup.name, report.state)
            self.opaque += 1
            return None
        receipt = Receipt(
            id=EntryId(derive_id("e", "report", setup.kind.name, report.identity)),
            at=min(report.at or self._clock.now(), self._clock.now()),
            reply=reply,
            state=report.state,
            external_id=report.external_id,
            reason=report.reason,
            detail=report.detail[:300],
        )
        await self._store.change(holder, lambda _snapshot: [receipt])
        return ours

    async def _find_reply(self, setup: AccountSetup, report: StatusReport) -> EntryId | None:
        return await self._store.reply_by(setup.name, external_id=report.external_id, key=report.key)

    async def _address_event(self, setup: AccountSetup, item: RawItem, event: AddressEvent) -> None:
        record = await self._store.find(event.address)
        if record is None:
            self.opaque += 1
            return
        at = event.at or item.received_at
        entries: list[AnyEntry] = [
            AddressState(
                id=EntryId(derive_id("e", "state", setup.kind.name, event.identity)),
                at=at,
                address=event.address,
                account=setup.name,
                dead=event.dead,
            )
        ]
        if event.opt_out:
            entries.append(
                ConsentChanged(
                    id=EntryId(derive_id("e", "consent", setup.kind.name, event.identity)),
                    at=at,
                    medium=Medium(setup.kind.medium),
                    words="provider",
                )
            )
        async with self._people:
            await self._store.change(record, lambda _snapshot: entries)


def _other_names(inbound: Inbound, entry: EntryId, at: datetime) -> list[AnyEntry]:
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
    ]
