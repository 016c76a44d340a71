"""What all parts of the Desk ask before they hand out what a history holds: is it closed to this agent?

Whatever answers with words, files or numbers of a customer asks here; ``tests/hub/test_closed.py`` goes through every
call of the Desk.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentconsole.desk import Agent
from agentconsole.domain import gate
from agentconsole.domain.entries import AnyEntry, Received, Reply, Unreadable
from agentconsole.domain.model import BlobId, Customer, CustomerId, EntryId, Line
from agentconsole.errors import NotFound, Refused
from agentconsole.hub.desk.base import DeskPart

LOOKED_THROUGH = 500
"""Newest entries among which a file of a closed history is looked for."""


class Gated(DeskPart):
    async def closed_to(self, who: Agent, record: CustomerId, entry: AnyEntry) -> bool:
        """Say whether an entry lies behind the gate: nothing hands out what the timeline hides."""
        customer = await self.store.customer(record)
        doubt = self.closing(who, customer) if customer is not None else None
        if customer is None or doubt is None:
            return False
        answered = await self.store.entry(entry.answers) if isinstance(entry, Reply) and entry.answers else None
        page = (answered[1], entry) if answered is not None else (entry,)
        return gate.hides((entry,), gate.visible(customer, doubt, page))

    async def open_entry(self, who: Agent, entry: EntryId) -> tuple[CustomerId, AnyEntry]:
        found = await self.store.entry(entry)
        if found is None:
            raise NotFound(f"There is no entry {entry}.", "See: agentconsole show")
        if await self.closed_to(who, *found):
            raise closed(found[0])
        return found

    def shut_lines(self, who: Agent, lines: Iterable[Line]) -> tuple[Line, ...]:
        """Return queue rows without what a closed history would tell: whose they are, and that they wait, is known."""
        return tuple(
            gate.shut(line) if line.shut and (who.name, line.shut) not in self.opened else line for line in lines
        )

    async def open_file(self, who: Agent, customer: Customer, blob: BlobId) -> None:
        """Refuse a file of a closed history unless what may be seen of it holds the file.

        Raises:
            Refused: it does not.
        """
        doubt = self.closing(who, customer)
        page = await self.store.history(customer.id, limit=LOOKED_THROUGH) if doubt is not None else None
        if doubt is None or page is None:
            return
        shown = gate.visible(customer, doubt, page.entries)
        if not (page.more or gate.hides(page.entries, shown)):
            return
        if not any(blob in _files(entry) for entry in shown):
            raise closed(customer.id)


def closed(customer: CustomerId) -> Refused:
    return Refused(
        "The sender of the newest message is not verified, so the history is closed. Nothing was shown.",
        f"To open it, noted in the audit trail: agentconsole show {customer} --open",
    )


def _files(entry: AnyEntry) -> set[BlobId]:
    match entry:
        case Received():
            return {entry.raw, *(part.blob for part in entry.attachments)}
        case Reply():
            return {part.blob for part in entry.attachments}
        case Unreadable():
            return {entry.raw}
        case _:
            return set()
