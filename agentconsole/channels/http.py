"""The one façade over httpx.

httpx 0.28 jams its pool when a request is cancelled while it holds a connection (encode/httpcore#961): after
some cancellations every later call ends in ``PoolTimeout``. So every request runs in a task of its own that a
cancelled caller leaves behind to finish, and a pool that still jams is thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import httpx

from agentconsole.errors import OutcomeUnknown, TemporaryFailure
from agentconsole.seams import Call, called

HTTPError = httpx.HTTPError
"""What ``Client.request`` raises, for channels, which do not import httpx themselves."""

PROVABLY_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""Errors that httpx raises before the first byte of a request has left."""


async def _note_connects(event: str, info: Mapping[str, Any]) -> None:
    if event == "connection.connect_tcp.started":
        called(Call.CONNECT, f"{info['host']}:{info['port']}")


class Client:
    """One account's HTTP client (implements ``ports.HttpClient``).

    Args:
        base_url: prefix of every path.
        deadline: seconds for one request, all in all.
        transport: replaces the network in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url
        self._auth = auth
        self._headers = dict(headers or {})
        self._deadline = deadline
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._running: set[asyncio.Task[httpx.Response]] = set()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._base_url,
                auth=self._auth,
                headers=self._headers,
                transport=self._transport,
                follow_redirects=False,
            )
        return self._client

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> httpx.Response:
        """Send one request and read the whole answer. ``deadline`` is in seconds.

        Raises:
            httpx.HTTPError: as httpx names it; see ``failure``.
        """
        client = self._open()
        seconds = deadline if deadline is not None else self._deadline
        task = asyncio.ensure_future(
            client.request(
                method,
                path,
                params=dict(params) if params is not None else None,
                data=dict(form) if form is not None else None,
                json=json,
                content=content,
                headers=dict(headers) if headers is not None else None,
                extensions={"trace": _note_connects},
                timeout=httpx.Timeout(seconds, connect=min(seconds, 10.0)),
            )
        )
        self._running.add(task)
        task.add_done_callback(self._finished)
        try:
            return await asyncio.shield(task)
        except httpx.PoolTimeout:
            self._client = None
            with contextlib.suppress(Exception):
                await client.aclose()
            raise

    def _finished(self, task: asyncio.Task[httpx.Response]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()

    async def aclose(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def failure(exc: httpx.HTTPError, who: str) -> TemporaryFailure | OutcomeUnknown:
    """Turn an httpx error of a *send* into what it proves.

    Args:
        exc: what ``Client.request`` raised.
        who: the provider's name for the sentence.
    """
    what = str(exc).rstrip(".") or type(exc).__name__
    if isinstance(exc, PROVABLY_UNSENT):
        return TemporaryFailure(f"{who} cannot be reached: {what}.", "It is tried again.", reason="unreachable")
    return OutcomeUnknown(
        f"The line to {who} broke while it had the request: {what}.", "Check whether it arrived.", reason="line_cut"
    )


def unreachable(exc: httpx.HTTPError, who: str) -> TemporaryFailure:
    """Turn an httpx error of a call that changes nothing into a failure that is tried again."""
    what = str(exc).rstrip(".") or type(exc).__name__
    return TemporaryFailure(f"{who} cannot be reached: {what}.", "It is tried again.", reason="unreachable")
