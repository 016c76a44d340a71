"""Watches the room on the store's disk: says when it is short, and sets everything going again once it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agentconsole.errors import StoreFault
from agentconsole.hub.health import Health
from agentconsole.ports import Store
from agentconsole.seams import Clock

CHECK = 15.0
"""Seconds between looks while there is room."""

CHECK_FULL = 2.0
"""Seconds between looks while there is none: nobody should have to wait, or call, once space was freed."""


class Disk:
    """Args:
    floor: bytes that must stay free; below, nothing is fetched. What providers push is taken as long as it fits.
    """

    def __init__(self, store: Store, floor: int, health: Health, clock: Clock) -> None:
        self._store = store
        self._floor = floor
        self._health = health
        self._clock = clock
        self._look = asyncio.Event()

    async def check(self) -> None:
        """Pass where there is room.

        Raises:
            StoreFault: there is not, or the store cannot say.
        """
        free = (await self._store.health()).free_bytes
        if 0 <= free < self._floor:
            self._health.raise_banner("disk_full")
            raise StoreFault(
                f"Only {free // 1_000_000} MB are free on the store's disk: nothing new is fetched. Nothing was lost.",
                f"Free {max((self._floor - free) // 1_000_000, 1)} MB or more; it goes on by itself.",
            )

    def doubt(self) -> None:
        """Look at once: something could not be written."""
        self._look.set()

    async def watch(self, room: Callable[[], None]) -> None:
        """Watch for ever; ``room`` is called when there is room again."""
        while True:
            self._look.clear()
            short = "disk_full" in self._health.banners
            try:
                await self.check()
            except StoreFault:
                pass
            else:
                if short:
                    self._health.lower_banner("disk_full")
                    self._health.lower_banner("audit_rests")
                    room()
            sleep = asyncio.ensure_future(
                self._clock.sleep(CHECK_FULL if "disk_full" in self._health.banners else CHECK)
            )
            look = asyncio.ensure_future(self._look.wait())
            try:
                await asyncio.wait({sleep, look}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleep.cancel()
                look.cancel()
