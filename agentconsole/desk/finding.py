"""What an agent can ask to find something.

A part of ``desk.Desk``. What is typed is read in one language everywhere (``text.query``).
"""

from __future__ import annotations

from typing import Protocol

from agentconsole.desk.values import Agent, QueuePage, TimelinePage
from agentconsole.domain.finding import Contact, Found
from agentconsole.domain.model import CustomerId, EntryId, Hit


class FindingCalls(Protocol):
    async def search(self, who: Agent, words: str, limit: int) -> tuple[Hit, ...]:
        """Return the newest entries that words and filters ask for.

        Raises:
            UsageError: there is no such filter; the hint names the nearest.
        """
        ...

    async def find_entries(
        self, who: Agent, words: str, customer: CustomerId, limit: int, offset: int, each: int
    ) -> Found:
        """Return the entries that words and filters ask for, newest first, and how many each customer has.

        Args:
            customer: only this one's; everybody's where empty.
            limit, offset: which of them; at most 500 a call.
            each: at most so many of one customer, among the newest thousand; 0: all.

        Raises:
            UsageError: there is no such filter; the hint names the nearest.
        """
        ...

    async def filtered(self, who: Agent, view: str, words: str, offset: int, limit: int) -> QueuePage:
        """Return the rows of a view (``queue``) that words and filters ask for, among its first 5,000 rows. Words stand
        in the name, the subject or the preview.

        Raises:
            UsageError: there is no such filter, or a row does not tell it (``has:``, ``in:``).
        """
        ...

    async def find_people(self, who: Agent, words: str, limit: int) -> tuple[Contact, ...]:
        """Return the customers that somebody who types this may mean, the best first; without words those who were
        active last. Names and addresses, by their beginnings, by first consonants, in either keyboard layout."""
        ...

    async def around(self, who: Agent, customer: CustomerId, entry: EntryId, limit: int) -> TimelinePage:
        """Return the page of a timeline in whose middle an entry stands; ``newer`` says that it is not the newest."""
        ...
