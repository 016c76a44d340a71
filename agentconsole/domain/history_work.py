"""What agents decided on conversations: assignment, status, tags."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agentconsole.domain.entries import StatusChanged, Tagged
from agentconsole.domain.history_state import KEPT_COMPLAINTS, State, replace
from agentconsole.domain.model import ConversationId, ConversationStatus

COMPLAINT: Final = "complaint"
"""The tag of a conversation after which nothing cheerful is begun for a while."""


class Work(State):
    def _set(self, name: ConversationId, at: datetime, *, assignee: str) -> None:
        self.conversations[name] = replace(self._conversation(name, at), assignee=assignee, assigned_at=at)

    def _status(self, entry: StatusChanged) -> None:
        conversation = self._conversation(entry.conversation, entry.at)
        quiet = entry.status in (ConversationStatus.RESOLVED, ConversationStatus.SNOOZED)
        was_quiet = conversation.status in (ConversationStatus.RESOLVED, ConversationStatus.SNOOZED)
        # Who reopens wants something done: it must not stay out of sight because closing had ended the wait.
        reopened = was_quiet and entry.status == ConversationStatus.OPEN
        since = conversation.waiting_since or (entry.at if reopened else None)
        self.conversations[entry.conversation] = replace(
            conversation,
            status=entry.status,
            waiting_since=None if quiet else since,
            answered_at=entry.at if quiet else conversation.answered_at,
            snoozed_until=entry.until if entry.status == ConversationStatus.SNOOZED else None,
        )

    def _tag(self, entry: Tagged) -> None:
        conversation = self._conversation(entry.conversation, entry.at)
        tags = tuple(sorted((set(conversation.tags) | set(entry.add)) - set(entry.remove)))
        self.conversations[entry.conversation] = replace(conversation, tags=tags)
        self._complaint(entry)

    def _complaint(self, entry: Tagged) -> None:
        if COMPLAINT in entry.remove:
            self.complaints.pop(entry.conversation, None)
        elif COMPLAINT in entry.add:
            self.complaints[entry.conversation] = entry.at
            for oldest in sorted(self.complaints, key=lambda name: self.complaints[name])[:-KEPT_COMPLAINTS]:
                del self.complaints[oldest]
