"""From the spool to ``Filing``: batches in order, each let go only when all of it was filed or set aside.

One bad item never holds up the next. What was set aside is tried again at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from agentconsole.domain.model import AccountName, derive_id
from agentconsole.errors import ReadOnly, SpoolDamaged, StoreFault, TryLater
from agentconsole.hub.filing import Filed, Filing
from agentconsole.hub.parser import Parser
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import SpoolRecord, Store
from agentconsole.seams import Clock, Randomness

RETRY_SECONDS = 5.0
"""How long intake rests when the disk or the machine refuses, before it tries the same batches again."""

TOLD_EVERY = 720
"""Rests for the same reason of which one is logged: about one line an hour."""

TRIES = 3
"""How often a batch may fail for a reason that is no disk's before what failed of it is set aside."""

REFUSALS = 5
"""How many items of a batch, or batches, the disk may refuse before intake rests: fewer are the trouble of single
files, and the others go on."""


class Intake:
    """Takes batches out of the spool in order; see ``Filing`` for the arguments."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[AccountName, AccountSetup],
        profile: HubProfile,
        parse: Parser,
        clock: Clock,
        random: Randomness,
        log: logging.Logger,
        people: asyncio.Lock,
        settled: Callable[[AccountName], Awaitable[None]],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self.filing = Filing(store, accounts, profile, parse, clock, log, people, settled)
        self._clock = clock
        self._log = log
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._failures: dict[str, int] = {}
        self._retry_aside = True

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """File whatever the spool holds, for ever."""
        told, rests = "", 0
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except (StoreFault, TryLater) as exc:
                if exc.message != told or rests % TOLD_EVERY == 0:
                    self._log.error("intake rests: %s", exc.message)
                told, rests = exc.message, rests + 1
                await self._clock.sleep(RETRY_SECONDS)
                continue
            told, rests = "", 0
            await self._wake.wait()

    async def drain(self) -> int:
        """File all waiting batches now and return how many messages were new.

        Raises:
            StoreFault: the disk refused; what could not be filed waits in the spool.
            TryLater: nothing can be read at the moment; everything waits in the spool.
        """
        async with self._turn:
            return await self._drain()

    async def _drain(self) -> int:
        filed = 0
        refusals: list[StoreFault] = []
        waiting = list(await self._store.spooled())
        if self._retry_aside:
            waiting += await self._store.spool_aside()
        for record_id in waiting:
            try:
                filed += (await self._batch(record_id)).new
            except StoreFault as exc:
                refusals.append(exc)
            if len(refusals) >= REFUSALS:
                break
        if refusals:
            raise refusals[0]
        self._retry_aside = False
        return filed

    def retry_aside(self) -> None:
        """Try what was set aside once more, soon."""
        self._retry_aside = True
        self._wake.set()

    @asynccontextmanager
    async def drained(self) -> AsyncIterator[None]:
        """File everything that waits, also what was set aside and can be filed now, and file nothing until the block
        ends. Do not enter it while holding ``people``.

        Raises:
            StoreFault, TryLater: as ``drain`` does.
        """
        async with self._turn:
            self._retry_aside = True
            await self._drain()
            yield

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """File nothing until the block ends: no file is kept meanwhile that no entry names yet."""
        async with self._turn:
            yield

    async def take(self, record: SpoolRecord) -> Filed:
        """Spool a batch and file it at once, and return what came of it.

        Raises:
            StoreFault, TryLater: it may wait in the spool now, and is filed from there.
        """
        async with self._turn:
            await self._store.spool(record)
            try:
                return await self._batch(record.id)
            finally:
                self._wake.set()

    async def _batch(self, record_id: str) -> Filed:
        try:
            record = await self._store.spool_record(record_id)
        except SpoolDamaged as exc:
            await self._put_aside(record_id, exc.message)
            return Filed()
        setup = self._accounts.get(record.account)
        if setup is None:
            await self._put_aside(record_id, f"the account {record.account} is not configured")
            return Filed()
        filed, broken = Filed(), False
        failed: dict[int, str] = {}
        refusals: list[StoreFault] = []
        for number, item in enumerate(record.items):
            try:
                filed += await self.filing.file(setup, item)
            except ReadOnly as exc:
                failed[number] = exc.message
            except StoreFault as exc:
                refusals.append(exc)
                if len(refusals) >= REFUSALS:
                    break
            except TryLater:
                raise
            except Exception as exc:
                broken = True
                failed[number] = type(exc).__name__  # its text may quote the message
                self._log.error("an item of %s cannot be filed", record.account, exc_info=exc)
        if refusals:
            raise refusals[0]
        if broken:
            failures = self._failures[record_id] = self._failures.get(record_id, 0) + 1
            if failures < TRIES:
                self._wake.set()
                return filed + Filed(kept=len(failed))
        self._failures.pop(record_id, None)
        await self._settle(record, failed)
        return filed + Filed(kept=len(failed))

    async def _settle(self, record: SpoolRecord, failed: Mapping[int, str]) -> None:
        """Let a batch go, and keep of it what could not be filed."""
        if not failed:
            await self._store.spool_done(record.id)
            return
        why = "; ".join(dict.fromkeys(failed.values()))
        if len(failed) == len(record.items):
            await self._put_aside(record.id, why)
            return
        rest = derive_id("s", record.id, *(str(number) for number in failed))
        items = tuple(record.items[number] for number in failed)
        await self._store.spool(SpoolRecord(rest, record.account, record.kind, items))
        await self._put_aside(rest, why)
        await self._store.spool_done(record.id)

    async def _put_aside(self, record_id: str, why: str) -> None:
        self._log.error("what cannot be filed was set aside: %s", why)
        await self._store.spool_set_aside(record_id, why)
