"""Hubs that start fast: forked from a server process that has imported everything already."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from agentconsole.sandbox.fake_telegram import FakeTelegram

_context: ForkServerContext | None = None


def _forkserver() -> ForkServerContext:
    global _context
    if _context is None:
        _context = multiprocessing.get_context("forkserver")
        _context.set_forkserver_preload(["tests.kill.preload"])
    return _context


def run_hub(folder: str, base_url: str, token: str, abort: int) -> None:
    """Run one life of a hub over the embedded store and one Telegram account."""
    os.environ["AGENTCONSOLE_ABORT"] = str(abort) if abort else ""
    os.environ["KILL_TEST_TOKEN"] = token
    logging.basicConfig(filename=f"{folder}/hub.log", level=logging.INFO)
    asyncio.run(_hub(Path(folder), base_url))


async def _hub(folder: Path, base_url: str) -> None:
    from agentconsole.channels.telegram import KIND
    from agentconsole.domain.model import AccountName
    from agentconsole.hub.hub import Hub
    from agentconsole.hub.parser import InlineParser
    from agentconsole.hub.profile import AccountSetup, HubProfile
    from agentconsole.seams import SystemClock, SystemRandomness, steps_from_environment
    from agentconsole.secret import Secret
    from agentconsole.store.embedded import EmbeddedStore

    clock, random = SystemClock(), SystemRandomness()
    options = KIND.options(token=Secret("env", "KILL_TEST_TOKEN"), base_url=base_url)
    accounts = [AccountSetup(AccountName("tg"), KIND, options)]
    store = EmbeddedStore(folder / "store", clock=clock, random=random, steps=steps_from_environment())
    await store.open()
    log = logging.getLogger("hub")
    hub = Hub(HubProfile(free_floor=0), accounts, store, InlineParser({KIND.name: KIND}), clock, random, log)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, hub.request_stop)
    try:
        await hub.run(folder / "hub.sock")
    finally:
        await store.aclose()


class HubProcess:
    """One hub at a time on one folder."""

    def __init__(self, folder: Path, world: FakeTelegram) -> None:
        self._folder = folder
        self._world = world
        self._process: BaseProcess | None = None
        (folder / "store").mkdir(mode=0o700)

    @property
    def socket(self) -> Path:
        return self._folder / "hub.sock"

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def start(self, abort: int) -> None:
        """Start a hub that dies at border ``abort``; 0 means that it lives."""
        self._process = _forkserver().Process(
            target=run_hub, args=(str(self._folder), self._world.url, self._world.token, abort)
        )
        self._process.start()

    async def alive(self) -> bool:
        return self._process is not None and self._process.exitcode is None

    async def ended(self) -> int:
        """Return the exit code once the hub has ended."""
        while await self.alive():
            await asyncio.sleep(0.005)
        assert self._process is not None
        return self._process.exitcode or 0

    async def stop(self) -> None:
        if await self.alive():
            os.kill(self.pid, signal.SIGKILL)
            async with asyncio.timeout(5):
                await self.ended()
        if self._process is not None:
            self._process.join()
            self._process.close()
            self._process = None
