"""The hub: accounts, store, outbox, listener and socket in one process, started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agentconsole.channels.http import Client
from agentconsole.desk import SpoolStatus, SyncResult
from agentconsole.domain.entries import Reply
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    CustomerId,
    Delivery,
)
from agentconsole.errors import AgentConsoleError, SignInFailed, StoreFault, TemporaryFailure, UsageError
from agentconsole.hub.alarms import Alarms
from agentconsole.hub.desk.composing import FORGOTTEN
from agentconsole.hub.desk_over_store import DeskOverStore
from agentconsole.hub.disk import Disk
from agentconsole.hub.dispatch import Dispatch
from agentconsole.hub.fallbacks import Fallbacks
from agentconsole.hub.filing import Filed, entry_of
from agentconsole.hub.health import Health
from agentconsole.hub.intake import Intake
from agentconsole.hub.parser import Parser
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.hub.server import Server
from agentconsole.hub.steady import SteadyClock
from agentconsole.hub.supervise import Supervisor
from agentconsole.hub.unsubscribing import Unsubscribe
from agentconsole.hub.webhooks import Listener, bind
from agentconsole.ports import Accepted, Asked, Channel, RawItem, Report, SpoolRecord, Store, Tools
from agentconsole.seams import Clock, Randomness

STOP_GRACE = 30.0
"""Seconds that sends in hand get when the hub is asked to stop."""

PROBE_DEADLINE = 30.0

PRUNE_PAUSE = 6 * 3600.0
"""Seconds between two looks for drafts that were thrown away too long ago."""


class Hub:
    """Everything that goes on while nobody is logged in.

    Args:
        store: opened, and locked for this process.
    """

    def __init__(
        self,
        profile: HubProfile,
        accounts: Sequence[AccountSetup],
        store: Store,
        parser: Parser,
        clock: Clock,
        random: Randomness,
        log: logging.Logger,
    ) -> None:
        self._profile = profile
        self._accounts = {setup.name: setup for setup in accounts}
        self._store = store
        self._parser = parser
        clock = self._clock = self.clock = SteadyClock(clock)
        self._random = random
        self._log = log
        self._people = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._at_once = asyncio.Event()
        self.restart_wanted = False
        self.broken = ""
        """Which task ended that never should; the hub then stops and its process must not exit with 0."""
        self.port = 0
        self.health = Health(accounts, clock)
        self._disk = Disk(store, profile.free_floor, self.health, clock)
        self._workers: list[ThreadPoolExecutor] = []
        self._channels: dict[AccountName, Channel] = {}
        self._supervisors: dict[AccountName, Supervisor] = {}
        self._dispatch = Dispatch(
            store,
            self._accounts,
            self._channels,
            self.health,
            profile,
            clock,
            random,
            log,
            self._people,
            self._answers,
        )
        self._intake = Intake(
            store,
            self._accounts,
            profile,
            parser,
            clock,
            random,
            log,
            self._people,
            self._dispatch.settled,
        )
        self.desk = DeskOverStore(
            store, self._accounts, self.health, profile, clock, self._dispatch.wake, self._people, self
        )
        self._server = Server(self.desk, profile, log, self._clients_changed, self.desk.attended)
        self._clients = 0
        self._idle_since = clock.monotonic()

    async def run(
        self,
        socket_path: Path,
        *,
        group: str = "",
        ready: Callable[[], None] | None = None,
    ) -> None:
        """Serve until somebody asks to stop, or, in solo mode, until nobody needs the hub any more.

        Args:
            socket_path: where clients attach.
            group: the Unix group that may attach.
            ready: called when the socket accepts clients.
        """
        tasks: list[asyncio.Task[None]] = []
        senders: list[asyncio.Task[None]] = []
        try:
            listening = self._bind()
            await asyncio.to_thread(self._open_channels)
            await self.desk.begin()
            newest = await self._store.lines("all", AgentName(""), limit=1)
            self.clock.begin(newest[0].last_at if newest else None)
            await self._dispatch.recover()
            tasks.append(asyncio.create_task(self._intake.run(), name="intake"))
            if listening is not None:
                listener = await asyncio.to_thread(self._listener)
                tasks.append(asyncio.create_task(listener.serve(listening), name="listener"))
            tasks += [
                asyncio.create_task(supervisor.run(), name=f"fetch {name}")
                for name, supervisor in self._supervisors.items()
            ]
            tasks.append(asyncio.create_task(self._disk.watch(self._there_is_room), name="disk"))
            if self._profile.fallback.media:
                fallbacks = Fallbacks(self._profile.fallback, self.desk, self._store, self._clock, self._log)
                tasks.append(asyncio.create_task(fallbacks.run(), name="fallbacks"))
            tasks.append(asyncio.create_task(self._forget_old_drafts(), name="old drafts"))
            tasks.append(asyncio.create_task(self._forget_uploads(), name="uploads"))
            alarms = Alarms(self._store, self._clock, self._log)
            tasks.append(asyncio.create_task(alarms.run(), name="alarms"))
            if self._profile.solo:
                tasks.append(asyncio.create_task(self._leave_when_idle(), name="linger"))
            await self._server.start(socket_path, group)
            senders += [
                asyncio.create_task(self._dispatch.run(name), name=f"send {name}")
                for name in self._channels
                if not self._accounts[name].read_only
            ]
            if ready is not None:
                ready()
            for task in (*tasks, *senders):
                task.add_done_callback(self._ended)
            await self._stopped.wait()
            await self._finish(senders)
        finally:
            await self._close([*senders, *tasks], socket_path)

    def _bind(self) -> socket.socket | None:
        hooks = any(setup.kind.webhook is not None for setup in self._accounts.values())
        if not hooks and not self._profile.listen_port:
            return None
        listening = bind(self._profile.listen_host, self._profile.listen_port)
        self.port = listening.getsockname()[1]
        return listening

    def _listener(self) -> Listener:
        hooks = {}
        for name, setup in self._accounts.items():
            if setup.kind.webhook is not None and name in self._channels:
                try:
                    hooks[name] = setup.kind.webhook(name, setup.options)
                except Exception as exc:
                    self._cannot_start(name, exc)
                    self._supervisors.pop(name, None)
        leave = Unsubscribe(self._store, self._people, self._clock)
        return Listener(hooks, self._accept, self._clock, self._log, self._profile.public_url, leave)

    async def _accept(self, account: AccountName, accepted: Accepted) -> None:
        if not accepted.items:
            return
        setup = self._accounts[account]
        try:
            await self._store.spool(SpoolRecord(self._random.token(), account, setup.kind.name, accepted.items))
        except StoreFault:
            self._disk.doubt()
            raise
        self.health.count(account, received=len(accepted.items))
        self._intake.wake()

    def _open_channels(self) -> None:
        public = self._profile.public_url or (f"http://{self._profile.listen_host}:{self.port}" if self.port else "")
        for name, setup in self._accounts.items():
            worker = ThreadPoolExecutor(1, thread_name_prefix=f"account-{name}")
            self._workers.append(worker)
            tools = Tools(
                log=self._log.getChild(name),
                http=Client,
                clock=self._clock,
                random=self._random,
                worker=worker,
                since=setup.since,
                public_url=public,
            )
            try:
                channel = setup.kind.open(name, setup.options, tools)
            except Exception as exc:
                self._cannot_start(name, exc)
                continue
            self._channels[name] = channel
            self._supervisors[name] = Supervisor(
                setup,
                channel,
                self._store,
                self.health,
                self._profile,
                self._clock,
                self._random,
                self._log,
                self._intake.wake,
                self._dispatch.retry,
                self._disk,
            )

    def _answers(self, account: AccountName) -> None:
        """Fetch again from an account that just took a reply."""
        if account in self._supervisors:
            self._supervisors[account].kick()

    def _there_is_room(self) -> None:
        for name, supervisor in self._supervisors.items():
            supervisor.kick()
            self._dispatch.retry(name)
        self._intake.wake()

    def _cannot_start(self, account: AccountName, exc: Exception) -> None:
        """Leave one account out and let the others go on."""
        self._log.error("%s cannot start (%s)", account, type(exc).__name__, exc_info=exc)
        known = exc if isinstance(exc, AgentConsoleError) else None
        message = known.message if known is not None else f"{account} cannot start ({type(exc).__name__})."
        hint = known.hint if known is not None else "See hub.log."
        self.health.failed(account, SignInFailed(message, hint or "Mend it, then: agentconsole restart"), 0.0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """No task of the hub ends by itself; one that does takes the hub down loudly rather than half alive."""
        if task.cancelled() or self._stopped.is_set():
            return
        exc = task.exception()
        self._log.critical("%s ended: %s", task.get_name(), type(exc).__name__, exc_info=exc)
        self.broken = task.get_name()
        self._stopped.set()

    async def _finish(self, senders: list[asyncio.Task[None]]) -> None:
        self._dispatch.finish()
        if senders and not self._at_once.is_set():
            at_once = asyncio.create_task(self._at_once.wait())
            in_hand = asyncio.create_task(asyncio.wait(senders))
            await asyncio.wait({in_hand, at_once}, timeout=STOP_GRACE, return_when=asyncio.FIRST_COMPLETED)
            for waiting in (in_hand, at_once):
                waiting.cancel()
        for task in senders:
            task.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def _close(self, tasks: list[asyncio.Task[None]], socket_path: Path) -> None:
        await self._server.aclose()
        await self.desk.end()
        with contextlib.suppress(OSError):
            await asyncio.to_thread(socket_path.unlink)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for channel in self._channels.values():
            with contextlib.suppress(Exception):
                async with asyncio.timeout(5):
                    await channel.aclose()
        for worker in self._workers:
            worker.shutdown(wait=False, cancel_futures=True)
        await self._parser.aclose()

    # -- what the desk asks of the running hub -------------------------------------------------------------

    async def sync(self, account: AccountName, seconds: float) -> tuple[SyncResult, ...]:
        names = [account] if account else list(self._supervisors)
        return tuple(await asyncio.gather(*(self._sync_one(name, seconds) for name in names)))

    async def _sync_one(self, name: AccountName, seconds: float) -> SyncResult:
        supervisor = self._supervisors.get(name)
        if supervisor is None:
            found = self.health.of(name)
            return SyncResult(name, 0, found.error, found.hint)
        self._dispatch.retry(name, wished=True)
        before = self.health.of(name).received
        error = hint = ""
        try:
            async with asyncio.timeout(seconds):
                while await supervisor.fetch_now():
                    pass
                await self._intake.drain()
        except TimeoutError:
            error, hint = f"Not finished within {seconds:.0f} s.", "It goes on by itself; see: agentconsole status"
        except AgentConsoleError as exc:
            error, hint = exc.message, exc.hint
        return SyncResult(name, self.health.of(name).received - before, error, hint)

    async def probe(self, account: AccountName) -> str:
        if account not in self._channels:
            raise UsageError("Name an account that runs.", "Running: " + ", ".join(self._channels))
        try:
            async with asyncio.timeout(PROBE_DEADLINE):
                return await self._channels[account].probe()
        except TimeoutError:
            raise TemporaryFailure(f"{account} did not answer within {PROBE_DEADLINE:.0f} s.", "Try again.") from None

    def can_look(self, account: AccountName) -> bool:
        """Say whether the account's provider can be asked about one reply."""
        channel: object = self._channels.get(account)
        return isinstance(channel, Asked) and channel.can_look

    async def look(self, owner: CustomerId, reply: Reply, known: frozenset[str]) -> Report | None:
        """Ask the provider for a reply; see ``ports.channel.Asked``.

        Raises:
            ChannelFailure: it could not be asked.
        """
        channel: object = self._channels.get(reply.account)
        if not isinstance(channel, Asked):
            return None
        outgoing = await self._dispatch.outgoing(owner, reply, 1)
        try:
            async with asyncio.timeout(PROBE_DEADLINE):
                return await channel.look(outgoing, reply.at, known)
        except TimeoutError:
            raise TemporaryFailure(
                f"{reply.account} did not answer within {PROBE_DEADLINE:.0f} s.", "Try again."
            ) from None

    def request_stop(self, *, at_once: bool = False, restart: bool = False) -> None:
        """Begin to stop; ``run`` returns soon. ``at_once`` gives up sends in hand (they become uncertain)."""
        if at_once:
            self._at_once.set()
        self.restart_wanted = restart
        asyncio.get_running_loop().call_later(0.05, self._stopped.set)

    async def spool_status(self) -> SpoolStatus:
        health = await self._store.health()
        return SpoolStatus(waiting=len(await self._store.spooled()), set_aside=health.set_aside)

    def attached(self) -> tuple[AgentName, ...]:
        return self._server.agents

    async def deposit(self, setup: AccountSetup, items: Sequence[RawItem]) -> Filed:
        """File past messages of an account at once; those that are known already do not pass the spool again."""
        await self._disk.check()
        ids = {item.identity: entry_of(setup.kind.name, item.identity) for item in items}
        known = await self._store.known(list(ids.values()))
        fresh = {item.identity: item for item in items if ids[item.identity] not in known}
        if not fresh:
            return Filed()
        return await self._intake.take(
            SpoolRecord(self._random.token(), setup.name, setup.kind.name, tuple(fresh.values()))
        )

    @contextlib.asynccontextmanager
    async def drained(self) -> AsyncIterator[Parser]:
        async with self._intake.drained():
            yield self._parser

    def quiet(self) -> contextlib.AbstractAsyncContextManager[None]:
        return self._intake.quiet()

    def retry_aside(self) -> None:
        self._intake.retry_aside()

    async def _forget_old_drafts(self) -> None:
        while True:
            try:
                await self.desk.prune()
            except StoreFault as exc:
                self._log.error("drafts that were thrown away long ago stay: %s", exc.message)
            await self._clock.sleep(PRUNE_PAUSE)

    async def _forget_uploads(self) -> None:
        while True:
            await self._clock.sleep(FORGOTTEN)
            self.desk.let_go(self._clock.monotonic())

    # -- solo ----------------------------------------------------------------------------------------------

    async def waits(self) -> bool:
        """Say whether something still has to be done or decided: a reply, or what is to wake."""
        replies = await self._store.replies((Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN))
        return bool(replies or await self._store.alarms(1))

    def _clients_changed(self, count: int) -> None:
        self._clients = count
        self._idle_since = self._clock.monotonic()

    async def _leave_when_idle(self) -> None:
        """Leave some time after the last client, unless something still has to be done or decided."""
        while True:
            await self._clock.sleep(min(self._profile.linger_seconds, 5.0))
            idle = self._clock.monotonic() - self._idle_since
            if self._clients or idle < self._profile.linger_seconds:
                continue
            if not await self.waits():
                self.request_stop()
                await self._stopped.wait()
                return
