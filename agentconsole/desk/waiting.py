"""What an agent can do about replies that wait, about drafts that were thrown away, and about who else is there.

A part of ``desk.Desk``, with the values that only it needs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from agentconsole.desk.values import Agent, Sent
from agentconsole.domain.model import AgentName, ConversationId, CustomerId, Draft, EntryId, Medium, Value

AS_CONFIGURED: Final = -1.0
"""For ``Compose.hold``: as long as the profile says for the channel."""

LEASE: Final = 45.0
"""Seconds for which ``attend`` holds: a console says it again well before, one that died does not."""

LONGEST_HOLD: Final = 60.0
"""Seconds that a reply can be held at most."""


class Present(Value, frozen=True):
    """Who is at a customer: views it, or writes.

    Args:
        since: when the agent came, or began to write.
        last_key: when the agent typed last, to a few seconds; None where only looking.
        taken_by: who took the draft over; until the agent begins anew it is only read.
    """

    agent: AgentName
    customer: CustomerId
    since: datetime
    conversation: ConversationId = ConversationId("")
    writing: bool = False
    medium: Medium = Medium("")
    last_key: datetime | None = None
    taken_by: AgentName = AgentName("")


class WaitingCalls(Protocol):
    # -- replies that wait ---------------------------------------------------------------------------------

    async def stop_send(self, who: Agent, request: str, reply: EntryId) -> Draft:
        """Take back a reply that waits (is held, or scheduled) and keep its words as the agent's draft. Nothing was
        sent, and a repeat of the call gives the same draft.

        Raises:
            Refused: it is being sent, was, or may have been by an earlier attempt; a colleague's lies in a closed
                history.
        """
        ...

    async def send_at(self, who: Agent, request: str, reply: EntryId, at: datetime | None) -> Sent:
        """Let a reply that waits leave at another time; None: now.

        Raises:
            Refused: it is being sent, or was.
        """
        ...

    # -- drafts --------------------------------------------------------------------------------------------

    async def discard_draft(self, who: Agent, draft: Draft) -> None:
        """Throw a draft away; it can be brought back for 30 days."""
        ...

    async def discarded(self, who: Agent, conversation: ConversationId) -> tuple[Draft, ...]:
        """Return what the agent threw away in a conversation, or anywhere (empty), the newest first."""
        ...

    async def drop_discarded(self, who: Agent, draft: Draft) -> None:
        """Forget a draft that was thrown away, because it is in use again."""
        ...

    # -- who else is there ---------------------------------------------------------------------------------

    async def attend(
        self, who: Agent, customer: CustomerId, conversation: ConversationId, medium: Medium, writing: bool
    ) -> None:
        """Say what the agent has before them; holds for ``LEASE`` seconds. An empty customer: nobody.

        Args:
            writing: a key was typed in a reply just now.
        """
        ...

    async def present(self, who: Agent) -> tuple[Present, ...]:
        """Return where all agents are that said so, the one who asks among them."""
        ...

    async def take_over(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, agent: AgentName
    ) -> Draft:
        """Copy another agent's draft of a reply into one's own; that agent keeps it, to be read only, and is told.

        Raises:
            NotFound: the agent has no draft there.
            Refused: an own draft is there, whose words would be lost, or the history is closed.
        """
        ...
