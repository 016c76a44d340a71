"""Who may be whom: what a new message says of other records. Strong evidence joins by itself, weak evidence suggests.

Strong is only what a provider itself ties together (``Inbound.also_known_as``); the same address is one record anyway,
whatever medium it came by. Weak is a number or mailbox in a text, the same order or ID number, or the same name
together with another sign. Addresses that do not last (virtual numbers) are no evidence of anything.
"""

from __future__ import annotations

import logging

from agentconsole.domain import addresses, facts, identity, parting
from agentconsole.domain.entries import Received, Suggested
from agentconsole.domain.model import Address, Customer, CustomerId
from agentconsole.errors import ReadOnly
from agentconsole.ports import Inbound, Store

LOOKED_AT = 6
"""Records that are looked at for one number or one name."""

NUMBERS = 5
"""Numbers of one message that are looked for: each costs a search, and a list of orders is no sign of a person."""


class Suggesting:
    """Makes suggestions and ties, each once: what was refused or ended does not come back."""

    def __init__(self, store: Store, log: logging.Logger) -> None:
        self._store = store
        self._log = log

    async def foreign(self, record: CustomerId, inbound: Inbound) -> dict[Address, CustomerId]:
        """Return which other names of the sender belong to another record."""
        found = {}
        for address in (inbound.sender, *inbound.also_known_as):
            owner = await self._store.find(address)
            if owner is not None and owner != record:
                found[address] = owner
        return found

    async def tie(self, record: CustomerId, inbound: Inbound, foreign: dict[Address, CustomerId]) -> None:
        """Join the records whose addresses the provider says are one person. Called under the lock ``people``."""
        for address, owner in foreign.items():
            one, other = await self._store.customer(record), await self._store.customer(owner)
            if one is None or other is None or one.id == other.id:
                continue
            if not (addresses.lasting(address) and addresses.lasting(inbound.sender)):
                continue
            tied = identity.tie(record, owner, one, other)
            try:
                await self._store.change(tied[0], lambda _snapshot, edge=tied[1]: [edge])  # type: ignore[misc]
            except ReadOnly as exc:
                self._log.warning("two records of one person stay apart: %s", exc.message)

    async def after(self, record: CustomerId, message: Received) -> None:
        """Make the suggestions that a message gives rise to."""
        customer = await self._store.customer(record)
        if customer is None or not addresses.lasting(message.sender):
            return
        await self._mentions(customer, message)
        await self._numbers(customer, message)
        await self._name(customer, message)

    async def _mentions(self, customer: Customer, message: Received) -> None:
        owners: dict[Address, CustomerId] = {}
        for address in message.mentions:
            owner = await self._store.find(address)
            if owner is not None and owner not in customer.members and addresses.lasting(address):
                owners[address] = await self._root(owner)
        mentioned_in = [
            (await self._root(holder), entry)
            for holder, entry in await self._store.mentioned(message.sender)
            if holder not in customer.members
        ]
        for holder, suggested in identity.suggestions(
            customer.id, message.mentions, owners, mentioned_in, message.sender, message.id, message.at
        ):
            await self._make(holder, suggested)

    async def _numbers(self, customer: Customer, message: Received) -> None:
        told = {(f.kind, f.value): f for f in facts.told(message) if f.kind in identity.SAME_NUMBER}
        for fact in list(told.values())[:NUMBERS]:
            for hit in await self._store.search(fact.value, limit=LOOKED_AT):
                found = await self._store.entry(hit.entry) if hit.customer not in customer.members else None
                if found is None or not isinstance(found[1], Received) or found[0] in customer.members:
                    continue
                if any((other.kind, other.value) == (fact.kind, fact.value) for other in facts.told(found[1])):
                    why = identity.SAME_NUMBER[fact.kind]
                    await self._suggest(customer, await self._root(found[0]), found[1].sender, why, message)

    async def _name(self, customer: Customer, message: Received) -> None:
        if not identity.telling(message.sender_name) or len(customer.routes) > 1:
            return
        for record, name in await self._store.find_named(message.sender_name, LOOKED_AT):
            if name.casefold() != message.sender_name.casefold() or record in customer.members:
                continue
            other = await self._store.customer(record)
            if other is not None and other.id != customer.id:
                address = identity.same_name(message.sender, other, message.at)
                if address is not None:
                    await self._suggest(customer, other.id, address, identity.SAME_NAME, message)

    async def _suggest(
        self, customer: Customer, other: CustomerId, address: Address, why: str, message: Received
    ) -> None:
        if not addresses.lasting(address):
            return
        known = [s for s in customer.suggestions if s.other == other]
        if not known:  # whatever else speaks for it: one question about two people is enough
            await self._make(customer.id, identity.suggestion(customer.id, other, address, why, message.id, message.at))

    async def _make(self, holder: CustomerId, suggested: Suggested) -> None:
        one, other = await self._store.customer(holder), await self._store.customer(suggested.other)
        if one is not None and other is not None and parting.apart(one, other):
            return
        try:
            await self._store.change(holder, lambda _snapshot: [suggested])
        except ReadOnly as exc:
            self._log.warning("a suggestion is left out: %s", exc.message)

    async def _root(self, record: CustomerId) -> CustomerId:
        customer = await self._store.customer(record)
        return customer.id if customer is not None else record
