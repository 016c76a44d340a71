"""What a store in memory keeps beside the histories: spool, cursors, drafts and the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConversationId,
    Draft,
)
from agentconsole.errors import NotFound
from agentconsole.ports import AuditLine, Cursor, SpoolRecord
from agentconsole.store import codec, erasure, rules


class Shelves:
    """The part of ``MemoryStore`` that knows no customer."""

    def __init__(self) -> None:
        self._spool: dict[str, SpoolRecord] = {}
        self._aside: dict[str, SpoolRecord] = {}
        self._order: dict[str, int] = {}
        self._batches = 0
        self._cursors: dict[AccountName, tuple[int, Cursor]] = {}
        self._drafts: dict[tuple[AgentName, ConversationId, bool], Draft] = {}
        self._discarded: dict[tuple[AgentName, ConversationId, bool, int], Draft] = {}
        self._audit: list[AuditLine] = []

    # -- spool ---------------------------------------------------------------------------------------------

    async def spool(self, record: SpoolRecord) -> None:
        if record.id not in self._spool and record.id not in self._aside:
            self._batches += 1
            self._order[record.id] = self._batches
            self._spool[record.id] = codec.whole(record)

    async def spooled(self) -> Sequence[str]:
        return list(self._spool)

    async def spool_record(self, record_id: str) -> SpoolRecord:
        found = self._spool.get(record_id) or self._aside.get(record_id)
        if found is None:
            raise NotFound(f"No batch {record_id} waits in the spool.")
        return found

    def _save_cursor(self, record: SpoolRecord) -> None:
        order = self._order[record.id]
        if record.cursor is not None and order > self._cursors.get(record.account, (0, record.cursor))[0]:
            self._cursors[record.account] = (order, record.cursor)

    async def spool_done(self, record_id: str) -> None:
        found = self._spool.pop(record_id, None)
        if found is not None:
            self._save_cursor(found)
        self._aside.pop(record_id, None)
        self._order.pop(record_id, None)

    async def spool_set_aside(self, record_id: str, why: str) -> None:
        found = self._spool.pop(record_id, None)
        if found is None:
            if record_id in self._aside:
                return
            raise NotFound(f"No batch {record_id} waits in the spool.")
        self._save_cursor(found)
        self._aside[record_id] = found

    async def spool_aside(self) -> Sequence[str]:
        return sorted(self._aside, key=self._order.__getitem__)

    async def cursor(self, account: AccountName) -> Cursor | None:
        waiting = [r.cursor for r in self._spool.values() if r.account == account and r.cursor is not None]
        saved = self._cursors.get(account)
        return waiting[-1] if waiting else saved[1] if saved else None

    # -- drafts and audit ------------------------------------------------------------------------------

    async def save_draft(self, draft: Draft) -> bool:
        kept = self._drafts.get((draft.agent, draft.conversation, draft.note))
        if kept is not None and kept.revision > draft.revision:
            return False
        if kept is not None and draft.displaces(kept):
            await self.discard_draft(msgspec.structs.replace(kept, discarded_at=draft.at))
        self._drafts[draft.agent, draft.conversation, draft.note] = codec.whole(draft)
        return True

    async def drafts(self, agent: AgentName) -> Sequence[Draft]:
        found = [draft for (owner, _, _), draft in self._drafts.items() if owner == agent]
        return sorted(found, key=lambda draft: (draft.conversation, draft.note))

    async def drop_draft(self, agent: AgentName, conversation: ConversationId, revision: int, note: bool) -> None:
        kept = self._drafts.get((agent, conversation, note))
        if kept is not None and kept.revision <= revision:
            del self._drafts[agent, conversation, note]

    async def discard_draft(self, draft: Draft) -> None:
        self._discarded[draft.agent, draft.conversation, draft.note, draft.revision] = codec.whole(draft)

    async def discarded(self, agent: AgentName) -> Sequence[Draft]:
        found = [draft for (owner, *_), draft in self._discarded.items() if owner == agent]
        return sorted(found, key=rules.thrown_away, reverse=True)

    async def drop_discarded(self, draft: Draft) -> None:
        self._discarded.pop((draft.agent, draft.conversation, draft.note, draft.revision), None)

    async def prune_discarded(self, before: datetime) -> int:
        old = [key for key, draft in self._discarded.items() if rules.thrown_away(draft) < before]
        for key in old:
            del self._discarded[key]
        return len(old)

    def _forget_drafts(self, lost: erasure.Gone) -> int:
        kept = {key: draft for key, draft in self._drafts.items() if not erasure.drafted_for(draft, lost)}
        count = len(self._drafts) - len(kept)
        left = {key: draft for key, draft in self._discarded.items() if not erasure.drafted_for(draft, lost)}
        count += len(self._discarded) - len(left)
        self._drafts, self._discarded = kept, left
        return count

    async def audit(self, line: AuditLine) -> None:
        self._audit.append(codec.whole(line))

    async def audited(self, limit: int = 200) -> Sequence[AuditLine]:
        return self._audit[::-1][:limit]
