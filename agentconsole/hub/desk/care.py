"""The part of the Desk that takes care of what is kept: erase, redact, take past messages in, mend what was damaged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Final

from agentconsole.desk import (
    DEPOSIT_BYTES,
    DEPOSIT_MESSAGES,
    LARGEST_MESSAGE,
    Agent,
    DamagedRecord,
    Deposited,
    ErasedCustomer,
)
from agentconsole.domain import holding, redaction
from agentconsole.domain.delivery import UNFINISHED
from agentconsole.domain.entries import AnyEntry, Redacted, Reply
from agentconsole.domain.model import (
    AccountName,
    Customer,
    CustomerId,
    Delivery,
    EntryId,
    Snapshot,
)
from agentconsole.errors import NotFound, Refused, StoreFault, TryLater, UsageError
from agentconsole.hub import hold, leftover
from agentconsole.hub.desk.base import DeskPart, key_of
from agentconsole.hub.filing import unreadable_of
from agentconsole.hub.profile import AccountSetup
from agentconsole.ports import RawItem

BEGUN: Final = "erasing"
"""A customer is being erased. The line names the request and nobody, so that the erasure leaves it as it is."""

ERASED: Final = "erase"
ACCEPT: Final = "accept"
ACTS_READ: Final = 20_000
"""Lines of the audit trail in which an earlier call of the same request is looked for."""

UPLOADS: Final = 2
"""Large messages that the hub holds in memory while their parts come in."""


class Care(DeskPart):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._uploads: dict[str, bytearray] = {}

    # -- erase ---------------------------------------------------------------------------------------------

    async def erase(self, who: Agent, request: str, customer: CustomerId) -> ErasedCustomer:
        self.need(who, "operate")
        key = key_of(request)
        done = await self._asked_before(ERASED, key)
        if done is not None:
            entries, files, drafts = (int(number) for number in done.split()[1:4])
            return ErasedCustomer(customer, entries, files, drafts, await self._unreachable(None, ()))
        damaged = {damage.record for damage in await self.store.damaged()}
        async with AsyncExitStack() as held:
            try:
                filing = await held.enter_async_context(self.operations.drained())
            except StoreFault as exc:
                raise TryLater(
                    f"Something waits in the spool and cannot be filed now: {exc.message} Nothing was erased.",
                    "See: agentconsole status; then try again.",
                ) from exc
            return await self._erase(who, key, customer, damaged, filing)

    async def _erase(
        self, who: Agent, key: str, customer: CustomerId, damaged: set[CustomerId], filing: leftover.Reader
    ) -> ErasedCustomer:
        async with self.people:
            person = await self.store.customer(customer)
            if person is None and customer not in damaged and await self._asked_before(BEGUN, key) is None:
                raise NotFound(
                    f"There is no customer {customer}. Nothing was erased.", "See: agentconsole search WORDS"
                )
            members = frozenset(person.members if person is not None else (customer,))
            await self._refuse_while_sending(members)
            stuck = await leftover.drop(self.store, filing, members, person)
            named = await self._named_elsewhere(members, person)
            # The wish first: who repeats it after a crash in the middle must not be told that nobody is there.
            await self.audit(who, BEGUN, detail=key)
            found = await self.store.erase(customer)
            await self.audit(who, ERASED, customer, f"{key} {found.entries} {found.blobs} {found.drafts}")
        await hold.show(self.store, self.health)
        left = await self._unreachable(person, stuck, named)
        return ErasedCustomer(customer, found.entries, found.blobs, found.drafts, left)

    async def _refuse_while_sending(self, members: frozenset[CustomerId]) -> None:
        """Nothing else can begin to leave: claims are made under ``people``."""
        for due in await self.store.replies((Delivery.SENDING,), limit=None):
            if due.customer in members:
                raise TryLater(
                    "A reply to this customer is being sent at this moment. Nothing was erased.",
                    "Try again in a minute.",
                )

    async def _asked_before(self, act: str, key: str) -> str | None:
        """Return what the audit trail says of an act that this request asked for before."""
        for line in await self.store.audited(ACTS_READ):
            if line.act == act and line.detail.split(" ", 1)[0] == key:
                return line.detail
        return None

    async def _named_elsewhere(self, members: frozenset[CustomerId], person: Customer | None) -> tuple[EntryId, ...]:
        """Return messages of other customers in which an address of this one stands."""
        found: dict[EntryId, None] = {}
        for linked in person.addresses if person is not None else ():
            for record, entry in await self.store.mentioned(linked.address):
                if record not in members:
                    found[entry] = None
        return tuple(found)

    async def _unreachable(
        self, person: Customer | None, stuck: Sequence[str], named: Sequence[EntryId] = ()
    ) -> tuple[str, ...]:
        """Return where copies still lie that no hub can reach, or that are somebody else's."""
        words = await self.words()
        used = (
            {use.route.account for use in person.routes} | {record.account for record in person.deliveries}
            if person is not None
            else set(self.accounts)
        )
        left = []
        for name in sorted(used):
            setup = self.accounts.get(name)
            mail = setup is None or setup.kind.capabilities.address_kind == "email"
            own = setup.own_address if setup is not None else ""
            left.append(words.say("left.mailbox" if mail else "left.provider", account=name, address=own or name))
        left += [words.say("left.backups"), words.say("left.exports"), words.say("left.logs")]
        left += [words.say("left.batch", id=batch) for batch in stuck]
        left += [words.say("left.named", id=entry) for entry in named]
        for name in sorted(used & set(self.accounts)):
            holder = await self.store.find(unreadable_of(name))
            if holder is not None:
                left.append(words.say("left.unreadable", account=name, id=holder))
        return tuple(left)

    # -- redact --------------------------------------------------------------------------------------------

    async def redact(self, who: Agent, request: str, entry: EntryId, why: str) -> None:
        self.need(who, "customer")
        key_of(request)
        found = await self.store.entry(entry)
        if found is None:
            raise NotFound(f"There is no entry {entry}. Nothing was removed.", "See: agentconsole show --json")
        record, original = found
        if not isinstance(original, redaction.SAYING):
            raise Refused(
                "Only what a message, a reply or a note says can be removed. Nothing was removed.",
                "Addresses: agentconsole customer unlink; names: agentconsole customer rename",
            )
        mark = Redacted(
            id=redaction.mark(entry), at=self.clock.now(), entry=entry, by=who.name, why=" ".join(why.split())[:300]
        )

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            delivery = snapshot.deliveries.get(entry)
            if isinstance(original, Reply) and delivery is not None and delivery.state in UNFINISHED:
                raise Refused(
                    "This reply may still be sent, or sent again: it cannot be removed yet. Nothing was removed.",
                    f"First: agentconsole outbox cancel {entry}; or mark-sent, where it arrived.",
                )
            return [mark]

        # Not under ``people``: the decision is made on what the store holds when it writes, and a history of 50,000
        # entries takes ten seconds, in which everybody else's replies go on.
        async with self.operations.quiet():
            await self.store.rewrite(record, lambda one: redaction.without(one, entry), decide)
        await self.audit(who, "redact", record, entry)

    # -- past messages -------------------------------------------------------------------------------------

    async def deposit(self, who: Agent, request: str, account: AccountName, messages: Sequence[bytes]) -> Deposited:
        self.need(who, "operate")
        key_of(request)
        setup = self._archive(account)
        if sum(len(message) for message in messages) > DEPOSIT_BYTES or len(messages) > DEPOSIT_MESSAGES:
            raise UsageError(
                f"One call takes {DEPOSIT_MESSAGES} messages of {DEPOSIT_BYTES // 1024} KiB in all. None was taken.",
                "Cut it into several, or use deposit_large.",
            )
        now = self.clock.now()
        return await self._deposit(setup, [self._past(setup, message, 0, now) for message in messages])

    async def deposit_large(
        self, who: Agent, request: str, account: AccountName, size: int, kept: int, offset: int, data: bytes
    ) -> Deposited:
        self.need(who, "operate")
        key = key_of(request)
        setup = self._archive(account)
        if kept > min(size, LARGEST_MESSAGE) or kept < 1 or len(data) > DEPOSIT_BYTES or offset + len(data) > kept:
            raise UsageError("These parts do not make one message. Nothing was taken.", "Begin again at 0.")
        if offset == 0:
            self._uploads.pop(key, None)
            while len(self._uploads) >= UPLOADS:
                self._uploads.pop(next(iter(self._uploads)))
            self._uploads[key] = bytearray()
        held = self._uploads.get(key)
        if held is None or len(held) < offset:
            raise TryLater("The hub does not hold the parts before this one. Nothing was taken.", "Begin again at 0.")
        held[offset:] = data
        if len(held) < kept:
            return Deposited(0, 0)
        item = self._past(setup, bytes(held), size, self.clock.now())
        done = await self._deposit(setup, [item])
        self._uploads.pop(key, None)
        return done

    def _archive(self, account: AccountName) -> AccountSetup:
        setup = self.accounts.get(account)
        if setup is None:
            raise NotFound(
                f"There is no account {account}. Nothing was taken.", "Configured: " + ", ".join(self.accounts)
            )
        if setup.kind.archived is None:
            able = [name for name, other in self.accounts.items() if other.kind.archived is not None]
            raise UsageError(
                f"{account} is no mail account: past messages are mails. Nothing was taken.",
                "Mail accounts: " + (", ".join(able) or "none"),
            )
        return setup

    @staticmethod
    def _past(setup: AccountSetup, message: bytes, size: int, now: datetime) -> RawItem:
        assert setup.kind.archived is not None
        return setup.kind.archived(setup.options, message, size, now)

    async def _deposit(self, setup: AccountSetup, items: Sequence[RawItem]) -> Deposited:
        filed = await self.operations.deposit(setup, items)
        return Deposited(filed.new, len(items) - filed.new - filed.unreadable - filed.kept, filed.unreadable)

    # -- damage --------------------------------------------------------------------------------------------

    async def damaged(self, who: Agent) -> tuple[DamagedRecord, ...]:
        self.need(who, "read")
        return tuple(
            DamagedRecord(damage.record, self.masks.text(damage.name), damage.why, damage.entries, damage.previous)
            for damage in await self.store.damaged()
        )

    async def accept(self, who: Agent, request: str, customer: CustomerId, previous: bool) -> None:
        self.need(who, "operate")
        key = key_of(request)
        now = self.clock.now()
        async with self.people:
            if not await self._is_damaged(customer) and await self._asked_before(ACCEPT, key) is not None:
                return
            if not await self._is_damaged(customer):
                raise NotFound(
                    f"The file of customer {customer} is not damaged. Nothing was changed.",
                    "See: agentconsole store check",
                )
            await self.audit(who, ACCEPT, customer, f"{key} {'previous' if previous else 'as it is'}")
            await self.store.accept(
                customer,
                previous=previous,
                decide=lambda snapshot: holding.receipts(snapshot, holding.OLDER_GENERATION, now),
            )
        await hold.show(self.store, self.health)
        self.operations.retry_aside()

    async def _is_damaged(self, customer: CustomerId) -> bool:
        return any(damage.record == customer for damage in await self.store.damaged())
