"""Keeps every account fetching: one task an account, so that none waits for another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from agentconsole.domain import delivery
from agentconsole.domain.model import AccountName
from agentconsole.errors import AgentConsoleError, SignInFailed, TemporaryFailure
from agentconsole.hub.disk import Disk
from agentconsole.hub.health import Health
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import Channel, SpoolRecord, Store
from agentconsole.seams import Clock, Randomness

FETCH_DEADLINE = 300.0
"""Seconds for one fetch: a bounded batch over a slow line."""

WAIT_DEADLINE = 600.0
"""Seconds after which a wait that never returns is given up and the account asked again."""

FIRST_PAUSE = 3.0
LONGEST_PAUSE = 300.0
"""Seconds between tries of an account that fails, first and once it has failed for a while (then a little more by
chance, never less). A refused password starts with the longest, because providers lock accounts that hammer."""

TOLD_EVERY = 12
"""Failures of the same kind of which one is logged: about one line an hour."""

SPOOL_LIMIT = 200
"""Waiting batches above which fetching pauses until intake has caught up."""


class Supervisor:
    """Fetches from one account, for ever, and says how it is."""

    def __init__(
        self,
        setup: AccountSetup,
        channel: Channel,
        store: Store,
        health: Health,
        profile: HubProfile,
        clock: Clock,
        random: Randomness,
        log: logging.Logger,
        arrived: Callable[[], None],
        healed: Callable[[AccountName], None],
        disk: Disk,
    ) -> None:
        self.setup = setup
        self._channel = channel
        self._store = store
        self._health = health
        self._profile = profile
        self._clock = clock
        self._random = random
        self._log = log
        self._arrived = arrived
        self._healed = healed
        self._disk = disk
        self._kick = asyncio.Event()
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Future[None] | None = None
        self._told = ""

    async def run(self) -> None:
        failures = 0
        while True:
            self._kick.clear()
            try:
                more = await self.fetch()
                failures = 0
                if not more:
                    await self._rest_until_something_is_new()
            except AgentConsoleError as exc:
                failures += 1
                await self._after(exc, failures)
            except Exception as exc:
                failures += 1
                self._log.error("%s: unexpected %s", self.setup.name, type(exc).__name__, exc_info=exc)
                await self._after(
                    TemporaryFailure(
                        f"{self.setup.name} failed in an unexpected way ({type(exc).__name__}).",
                        "See hub.log; it is tried again.",
                    ),
                    failures,
                )

    async def fetch(self) -> bool:
        """Fetch and spool one batch and return whether more is there.

        Raises:
            ChannelFailure: from the channel, or a deadline that passed.
            StoreFault: the disk refused; the provider was not told that anything arrived.
        """
        async with self._turn:
            return await self._fetch()

    async def _fetch(self) -> bool:
        await self._wait_for_room()
        cursor = await self._store.cursor(self.setup.name)
        try:
            async with asyncio.timeout(FETCH_DEADLINE):
                batch = await self._channel.fetch(cursor)
        except TimeoutError:
            raise TemporaryFailure(
                f"{self.setup.name} did not answer within {FETCH_DEADLINE:.0f} s.",
                "It is tried again.",
                reason="unreachable",
            ) from None
        if batch.items or batch.cursor != cursor:
            await self._store.spool(
                SpoolRecord(self._random.token(), self.setup.name, self.setup.kind.name, batch.items, batch.cursor)
            )
            self._health.count(self.setup.name, received=len(batch.items))
            self._arrived()
        if self._health.worked(self.setup.name):
            self._healed(self.setup.name)
        return batch.more

    def kick(self) -> None:
        """Try again at once where the account rests after a failure."""
        self._kick.set()

    async def fetch_now(self) -> bool:
        """Like ``fetch``, on somebody's wish: ends a wait or a rest first, because a channel is asked one thing at
        a time."""
        self.kick()
        async with self._turn:
            if self._waiting is not None:
                self._waiting.cancel()
                await asyncio.wait({self._waiting})
            return await self._fetch()

    async def _rest_until_something_is_new(self) -> None:
        async with self._turn:
            waiting = self._waiting = asyncio.ensure_future(self._channel.wait())
        try:
            done, _ = await asyncio.wait({waiting}, timeout=WAIT_DEADLINE)
            if not done:
                self._log.warning("%s: a wait did not end by itself", self.setup.name)
            elif not waiting.cancelled():
                waiting.result()
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            self._waiting = None

    async def _wait_for_room(self) -> None:
        while True:
            await self._disk.check()
            if len(await self._store.spooled()) < SPOOL_LIMIT:
                return
            self._arrived()
            await self._clock.sleep(0.2)

    async def _after(self, exc: AgentConsoleError, failures: int) -> None:
        if isinstance(exc, SignInFailed):
            pause = LONGEST_PAUSE
        else:
            asked = exc.retry_after if isinstance(exc, TemporaryFailure) else None
            pause = delivery.backoff(failures, asked, self._random.fraction(), first=FIRST_PAUSE, most=LONGEST_PAUSE)
        told = exc.message != self._told or failures % TOLD_EVERY == 1
        self._told = exc.message
        self._log.log(logging.WARNING if told else logging.DEBUG, "%s: %s", self.setup.name, exc.message)
        self._health.failed(self.setup.name, exc, pause)
        sleep = asyncio.ensure_future(self._clock.sleep(pause))
        kick = asyncio.ensure_future(self._kick.wait())
        try:
            await asyncio.wait({sleep, kick}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            kick.cancel()
