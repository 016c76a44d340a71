"""A snapshot opened for writing: what all parts of the fold share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from agentconsole.domain import delivery, numbers
from agentconsole.domain.model import (
    Card,
    Change,
    Consent,
    Conversation,
    ConversationId,
    ConversationStatus,
    DeliveryRecord,
    Fact,
    Heard,
    LinkedAddress,
    Medium,
    MergeEdge,
    Parting,
    Preference,
    Route,
    RouteUse,
    Snapshot,
    Suggestion,
    Tally,
    Task,
    Wish,
)

PREVIEW: Final = 160
NO_MEDIUM: Final = Medium("")
KEPT_DELIVERIES: Final = 40
KEPT_PARTICIPANTS: Final = 50
KEPT_ANSWERS: Final = 50
KEPT_WISHES: Final = 5
KEPT_BEGUN: Final = 20
KEPT_COMPLAINTS: Final = 5

KEPT_RESOLVED: Final = 100
"""Resolved conversations that a snapshot holds at least, the newest; it is written with every entry."""

RESOLVED_SLACK: Final = 20

ACTIVE = (ConversationStatus.OPEN, ConversationStatus.PENDING, ConversationStatus.SNOOZED)

replace = msgspec.structs.replace


def route_key(route: Route) -> str:
    return f"{route.account}|{route.address}"


class State:
    """Mappings are copied once for a whole run of entries."""

    count: int
    name: str
    name_given: bool
    since: datetime | None
    last_at: datetime | None
    addresses: dict[str, LinkedAddress]
    consents: dict[str, Consent]
    preferences: dict[str, Preference]
    routes: dict[str, RouteUse]
    conversations: dict[str, Conversation]
    deliveries: dict[str, DeliveryRecord]
    suggestions: dict[str, Suggestion]
    merges: dict[str, MergeEdge]
    wishes: dict[str, Wish]
    cards: dict[str, Card]
    tallies: dict[str, Tally]
    languages: dict[str, int]
    answers: tuple[datetime, ...]
    facts: dict[str, Fact]
    heard: Heard | None
    begun: tuple[datetime, ...]
    complaints: dict[str, datetime]
    tasks: dict[str, Task]
    joins: dict[str, ConversationId]
    moved: dict[str, ConversationId]
    changes: tuple[Change, ...]
    partings: dict[str, Parting]

    def __init__(self, start: Snapshot) -> None:
        self._start = start
        for field in _FIELDS:
            value = getattr(start, field)
            setattr(self, field, dict(value) if isinstance(value, Mapping) else value)

    def snapshot(self, version: int) -> Snapshot:
        """Return what the entries so far add up to."""
        values: dict[str, Any] = {field: getattr(self, field) for field in _FIELDS}
        return Snapshot(id=self._start.id, version=version, **values)

    # -- conversations -------------------------------------------------------------------------------------

    def _conversation(self, name: ConversationId, at: datetime) -> Conversation:
        return self.conversations.get(name) or Conversation(
            id=name, subject="", status=ConversationStatus.OPEN, started_at=at, last_at=at
        )

    def _touch(
        self,
        name: ConversationId,
        at: datetime,
        *,
        medium: Medium = NO_MEDIUM,
        subject: str = "",
        waiting: bool = False,
        past: bool = False,
    ) -> Conversation:
        fresh = name not in self.conversations
        conversation = self._conversation(name, at)
        status, since = conversation.status, conversation.waiting_since
        if past and fresh:
            status = ConversationStatus.RESOLVED
        if waiting:
            status = ConversationStatus.OPEN
            since = since or at
        media = conversation.media if not medium or medium in conversation.media else (*conversation.media, medium)
        conversation = replace(
            conversation,
            subject=conversation.subject or subject,
            status=status,
            media=media,
            waiting_since=since,
            snoozed_until=None if waiting else conversation.snoozed_until,
            last_at=max(conversation.last_at, at),
        )
        self.conversations[name] = conversation
        self.last_at = at if self.last_at is None else max(self.last_at, at)
        return conversation

    # -- routes and deliveries -----------------------------------------------------------------------------

    def _use(self, route: Route) -> RouteUse:
        return self.routes.get(route_key(route)) or RouteUse(route)

    def _prune_deliveries(self) -> None:
        finished = [d for d in self.deliveries.values() if d.state in delivery.ARRIVED]
        if len(finished) > KEPT_DELIVERIES:
            finished.sort(key=lambda d: d.queued_at)
            for record in finished[: len(finished) - KEPT_DELIVERIES]:
                del self.deliveries[record.reply]

    def _retire_conversations(self) -> None:
        """Let go of what was resolved longest ago and has no reply and no task that somebody must look at. Its entries
        stay in the timeline, and a message to it opens it again."""
        needed = {d.conversation for d in self.deliveries.values() if d.state in delivery.UNFINISHED}
        needed |= {task.conversation for task in self.tasks.values() if not task.done}
        resolved = [
            c
            for c in self.conversations.values()
            if c.status == ConversationStatus.RESOLVED and c.waiting_since is None and c.id not in needed
        ]
        if len(resolved) > KEPT_RESOLVED + RESOLVED_SLACK:
            resolved.sort(key=lambda c: (c.last_at, c.id))
            for gone in resolved[:-KEPT_RESOLVED]:
                del self.conversations[gone.id]


_FIELDS: Final = tuple(field for field in Snapshot.__struct_fields__ if field not in ("id", "version"))


def preview(text: str) -> str:
    """Return the beginning of a text. Masked first: half of a number at its end would not be known as one."""
    return numbers.masked(" ".join(text[: PREVIEW * 4].split()))[:PREVIEW]
