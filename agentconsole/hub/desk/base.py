"""What all parts of the Desk share: the store, the accounts, rights, the audit and how to name things."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from agentconsole.desk import (
    Agent,
    Position,
    SpoolStatus,
    SyncResult,
)
from agentconsole.domain import addresses, facts, identity
from agentconsole.domain.entries import AnyEntry, Reply
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    Customer,
    CustomerId,
    EntryId,
    Fact,
    Heard,
    Snapshot,
)
from agentconsole.errors import Ambiguous, NotFound, Refused, StoreFault, UsageError
from agentconsole.hub.factbook import FactBook
from agentconsole.hub.filing import Filed
from agentconsole.hub.health import Health
from agentconsole.hub.masking import Masks
from agentconsole.hub.parser import Parser
from agentconsole.hub.presence import Presence
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import AuditLine, RawItem, Report, Revision, Store
from agentconsole.seams import Clock
from agentconsole.text.words import Words

NOBODY = CustomerId("")

_log = logging.getLogger(__name__)


class Operations(Protocol):
    """What the Desk asks of the running hub beyond the store."""

    async def sync(self, account: AccountName, seconds: float) -> tuple[SyncResult, ...]: ...
    async def probe(self, account: AccountName) -> str: ...
    def can_look(self, account: AccountName) -> bool: ...
    async def look(self, owner: CustomerId, reply: Reply, known: frozenset[str]) -> Report | None: ...
    def request_stop(self, *, at_once: bool = False, restart: bool = False) -> None: ...
    async def spool_status(self) -> SpoolStatus: ...
    def attached(self) -> tuple[AgentName, ...]: ...

    async def deposit(self, setup: AccountSetup, items: Sequence[RawItem]) -> Filed:
        """Spool and file past messages of an account."""
        ...

    def drained(self) -> AbstractAsyncContextManager[Parser]:
        """File everything that waits, then nothing until the block ends; lend what understands raw items."""
        ...

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """File nothing until the block ends."""
        ...

    def retry_aside(self) -> None:
        """Try soon what was set aside because it could not be filed."""
        ...


class DeskPart:
    """The common ground of the Desk's parts.

    Args:
        wake: told that an account has something to send.
        people: held while permission or identity changes; see ``Intake`` and ``Dispatch``.
    """

    def __init__(
        self,
        store: Store,
        accounts: Mapping[AccountName, AccountSetup],
        health: Health,
        profile: HubProfile,
        clock: Clock,
        wake: Callable[[AccountName], None],
        people: asyncio.Lock,
        operations: Operations,
    ) -> None:
        self.store = store
        self.accounts = accounts
        self.health = health
        self.profile = profile
        self.clock = clock
        self.wake = wake
        self.people = people
        self.operations = operations
        self.started_at = clock.now()
        self.masks = Masks(profile.guards.numbers)
        self.facts = FactBook(store, profile.facts)
        self.presence = Presence(clock)
        self.opened: set[tuple[AgentName, EntryId]] = set()
        """Whose closed history an agent opened knowingly, by the message that closes it."""
        self._words: Words | None = None

    async def words(self) -> Words:
        """Return the profile's words; the time zone's file is read off the loop."""
        if self._words is None:
            self._words = await asyncio.to_thread(Words, self.profile.language, self.profile.timezone)
        return self._words

    async def facts_of(self, customer: Customer) -> tuple[Fact, ...]:
        """Return what a customer told us: the kinds that are kept, and those of the profile, looked up."""
        if not self.profile.facts:
            return customer.facts
        own = await self.facts.of(customer)
        return facts.ordered({fact.kind: fact for fact in (*customer.facts, *own)})

    def closing(self, who: Agent, customer: Customer) -> Heard | None:
        """Return the message behind which a customer's history is closed to an agent, if one."""
        doubt = identity.doubtful(customer)
        return None if doubt is None or (who.name, doubt.entry) in self.opened else doubt

    def need(self, who: Agent, right: str) -> None:
        """Raise ``Refused`` unless the agent has a right."""
        if right not in who.rights:
            raise Refused(f"{who.name} may not do this (right: {right}). Nothing was changed.", "Ask an operator.")

    async def person(self, customer: CustomerId) -> Customer:
        found = await self.store.customer(customer)
        if found is None:
            raise NotFound(f"There is no customer {customer}.", "See: agentconsole inbox, agentconsole search WORDS")
        return found

    async def address(self, words: str) -> Address | None:
        """Return the address that somebody who types this means. Nobody types a provider's namespace: ``telegram:123``
        is the one that is known, of whichever account.

        Raises:
            Ambiguous: it is known in several.
        """
        address = await asyncio.to_thread(addresses.parse, words, self.profile.region)
        if address is None or address.scope or address.kind in (addresses.EMAIL, addresses.PHONE):
            return address
        for setup in self.accounts.values():
            capable = setup.kind.capabilities
            if capable.address_kind == address.kind:
                scoped = Address(address.kind, setup.own_address, address.value)
                if await self.store.find(scoped) is not None:
                    return scoped
        known = await self._known_as(address)
        if len(known) > 1:
            raise Ambiguous(f"{words} is known to several accounts: {', '.join(known)}.", "Name the one that is meant.")
        return next(iter(known.values()), address)

    async def _known_as(self, address: Address) -> dict[str, Address]:
        """Return the addresses of customers that are this one in some namespace."""
        known: dict[str, Address] = {}
        for contact in await self.store.find_people(address.value):
            customer = await self.store.customer(contact.customer)
            for linked in customer.addresses if customer is not None else ():
                if (linked.address.kind, linked.address.value) == (address.kind, address.value):
                    known[str(linked.address)] = linked.address
        return known

    async def parse(self, text: str) -> Address:
        found = await self.address(text)
        if found is None:
            raise UsageError(
                f"{text} is no address that could be used.",
                "An e-mail, a number (from abroad with its +), or kind:value.",
            )
        return found

    def owner_of(self, customer: Customer, conversation: ConversationId) -> CustomerId:
        owner = customer.owners.get(conversation)
        if owner is None:
            raise NotFound(f"This customer has no conversation {conversation}.", "See: agentconsole show")
        return owner

    async def position(self) -> Position:
        """Return where the news stand now."""
        return self._position_of((await self.store.changed(None)).revision)

    def _position_of(self, revision: Revision) -> Position:
        return Position(f"{revision.epoch}:{self.health.revision}:{self.presence.revision}", revision.number)

    async def append(self, record: CustomerId, entry: AnyEntry) -> None:
        """Append to a record that is there; one that was erased meanwhile does not come back.

        Raises:
            NotFound: it was erased.
        """

        def decide(snapshot: Snapshot) -> list[AnyEntry]:
            if not snapshot.count:
                raise NotFound(f"Customer {record} was erased. Nothing was changed.")
            return [entry]

        await self.store.change(record, decide)

    async def audit_first(self, who: Agent, act: str, customer: CustomerId, detail: str) -> None:
        """Note what somebody is about to be shown.

        Raises:
            StoreFault: it could not be noted, so it must not be shown.
        """
        await self.store.audit(AuditLine(self.clock.now(), who.name, who.proven, act, customer, detail))

    async def audit(self, who: Agent, act: str, customer: CustomerId = NOBODY, detail: str = "") -> None:
        """Note who did what. What was done stays done where this fails: the log and the banner say so instead."""
        try:
            await self.audit_first(who, act, customer, detail)
        except StoreFault as exc:
            _log.error("not in the audit trail: %s, %s, %s: %s", who.name, act, customer, exc.message)
            self.health.raise_banner("audit_rests")
        else:
            self.health.lower_banner("audit_rests")


def key_of(request: str) -> str:
    """Return what entry ids are derived from for a request of a client.

    Raises:
        UsageError: the client gave none, so that a repeat could not be told from a second wish.
    """
    if not request:
        raise UsageError("A changing call needs a request id.", "Give one with --key, or leave it to the program.")
    return hashlib.blake2b(request.encode(), digest_size=16).hexdigest()
