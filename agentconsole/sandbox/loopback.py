"""Serves one of the sandbox's fakes on loopback, with a line that can be cut and healed like a real one.

uvicorn's ``Server`` cannot refuse connections and come back on the same port, so only its protocol is used here.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.server import ServerState

HOST = "127.0.0.1"


class Loopback:
    """A server of ``app`` on loopback (base of the fakes). Needs ``start`` before it has a ``url``."""

    app: ASGIApp

    def __init__(self) -> None:
        self.port = 0
        self._state = ServerState()
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def is_cut(self) -> bool:
        return self._listening is None

    async def start(self, port: int = 0) -> None:
        """Listen on a port of loopback; 0 takes a free one."""
        self.port = port
        await self.heal()

    async def cut(self) -> None:
        """Drop every connection and refuse new ones, like a server that went away."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for connection in list(self._state.connections):
            _abort(connection)
        await asyncio.sleep(0)  # one turn of the loop, in which the handlers learn of it

    async def heal(self) -> None:
        """Listen again on the same port."""
        if self._listening is not None:
            return
        config = uvicorn.Config(self.app, log_config=None, access_log=False, lifespan="off", ws="none", http="h11")
        config.load()
        protocol: Any = config.http_protocol_class
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: protocol(config=config, server_state=self._state, app_state={}), HOST, self.port
        )
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await self.cut()
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def drop(self, scope: Scope) -> None:
        """Cut the line of one request without an answer, as when a server dies with a request in hand."""
        for connection in list(self._state.connections):
            if getattr(connection, "client", None) == tuple(scope["client"] or ()):
                _abort(connection)


def _abort(connection: Any) -> None:
    transport = getattr(connection, "transport", None)
    if transport is not None:
        transport.abort()
