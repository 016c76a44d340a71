"""Waiting for a change without asking again and again."""

from __future__ import annotations

import asyncio

from agentconsole.seams import Clock


class Waiters:
    """Those who wait for the next change. Used on one event loop only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def ticket(self) -> asyncio.Future[None]:
        """Return what the next ``wake`` completes. Taken before looking, so that no change falls between."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    async def wait(self, ticket: asyncio.Future[None], deadline: float) -> bool:
        """Wait for a ticket for at most ``deadline`` seconds and say whether it was called."""
        sleeper = asyncio.ensure_future(self._clock.sleep(max(deadline, 0.0)))
        try:
            await asyncio.wait({ticket, sleeper}, return_when=asyncio.FIRST_COMPLETED)
            return ticket.done()
        finally:
            sleeper.cancel()
            ticket.cancel()
