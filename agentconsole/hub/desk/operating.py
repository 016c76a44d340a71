"""The part of the Desk that looks after the hub itself."""

from __future__ import annotations

import os

from agentconsole import __version__
from agentconsole.desk import (
    Agent,
    OutboxCounts,
    Status,
    StoreStatus,
    SyncResult,
)
from agentconsole.domain.model import AccountName, Delivery
from agentconsole.errors import NotFound
from agentconsole.hub import hold
from agentconsole.hub.desk.base import DeskPart


class Operating(DeskPart):
    async def status(self, who: Agent) -> Status:
        self.need(who, "read")
        store = await self.store.health()
        waiting = await self.store.replies(
            (Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN, Delivery.FAILED), limit=None
        )
        await hold.show(self.store, self.health)
        states = [due.record.state for due in waiting]
        return Status(
            accounts=self.health.all(),
            outbox=OutboxCounts(
                *(states.count(s) for s in (Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN, Delivery.FAILED))
            ),
            store=StoreStatus(
                store.kind,
                store.customers,
                store.entries,
                store.index_behind,
                store.read_only,
                store.free_bytes,
                store.backed_up,
            ),
            spool=await self.operations.spool_status(),
            version=__version__,
            profile=self.profile.name,
            pid=os.getpid(),
            started_at=self.started_at,
            now=self.clock.now(),
            agents=self.operations.attached(),
            banner=self.health.banner,
        )

    async def sync(self, who: Agent, account: AccountName, seconds: float) -> tuple[SyncResult, ...]:
        self.need(who, "operate")
        self._known_account(account)
        return await self.operations.sync(account, min(max(seconds, 1.0), 3600.0))

    async def probe(self, who: Agent, account: AccountName) -> str:
        self.need(who, "operate")
        self._known_account(account)
        return await self.operations.probe(account)

    async def stop(self, who: Agent, now: bool, restart: bool) -> None:
        self.need(who, "operate")
        await self.audit(who, "restart" if restart else "stop")
        self.operations.request_stop(at_once=now, restart=restart)

    def _known_account(self, account: AccountName) -> None:
        if account and account not in self.accounts:
            raise NotFound(f"There is no account {account}.", "Configured: " + ", ".join(self.accounts))
