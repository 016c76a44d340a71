"""The one façade over httpx.

httpx 0.28 jams its pool when a request is cancelled while it holds a connection (encode/httpcore#961): after
some cancellations every later call ends in ``PoolTimeout``. So every request runs in a task of its own that a
cancelled caller leaves behind to finish, and a pool that still jams is thrown away.

A request that may deliver gets a line of its own, because a line that was kept open may be closed by the other side in
the moment in which it is used, and its last byte leaves only when the line has taken the rest (``channels.line``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpcore
import httpx

from agentconsole.channels import line
from agentconsole.errors import OutcomeUnknown, TemporaryFailure
from agentconsole.seams import Call, called

DEFAULT_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
HTTPError = httpx.HTTPError
"""What ``Client.request`` raises, for channels, which do not import httpx themselves."""


class Unsent(httpx.TransportError):
    """The line broke before the last byte of the request had left, so nobody can have acted on it."""


PROVABLY_UNSENT = (
    Unsent,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""Errors that are raised before the last byte of a request has left."""


class _Held(httpx.AsyncByteStream):
    """A body whose last byte leaves when the line has taken the rest.

    Args:
        deadline: seconds for the other side to confirm.
    """

    def __init__(self, body: bytes, deadline: float) -> None:
        self._body = body
        self._deadline = deadline
        self._stream: httpcore.AsyncNetworkStream | None = None
        self.whole = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear from httpcore which line was opened for the request."""
        await _note_connects(event, info)
        if event == "connection.connect_tcp.complete":
            self._stream = info["return_value"]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body[:-1]
        opened = self._stream.get_extra_info("socket") if self._stream is not None else None
        try:
            still_open = await line.took(opened, self._deadline)
        except TimeoutError as exc:
            raise httpcore.WriteTimeout("it did not take the request in time") from exc
        if not still_open:
            # httpcore goes on to read, because a server may answer and hang up before it has the whole request.
            raise httpcore.WriteError("the line was closed")
        self.whole = True
        yield self._body[-1:]


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
        self._delivering: httpx.AsyncClient | None = None
        self._running: set[asyncio.Task[httpx.Response]] = set()

    def _open(self, *, delivers: bool) -> httpx.AsyncClient:
        found = self._delivering if delivers else self._client
        if found is None:
            found = httpx.AsyncClient(
                base_url=self._base_url,
                auth=self._auth,
                headers=self._headers,
                transport=self._transport,
                follow_redirects=False,
                limits=httpx.Limits(max_keepalive_connections=0) if delivers else DEFAULT_LIMITS,
            )
            if delivers:
                self._delivering = found
            else:
                self._client = found
        return found

    def _forget(self, client: httpx.AsyncClient) -> None:
        if client is self._delivering:
            self._delivering = None
        if client is self._client:
            self._client = None

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
        delivers: bool = False,
    ) -> httpx.Response:
        """Send one request and read the whole answer. ``deadline`` is in seconds.

        Args:
            delivers: the request, which has a body, may deliver something: see above.

        Raises:
            httpx.HTTPError: as httpx names it, and ``Unsent``; see ``failure``.
        """
        client = self._open(delivers=delivers)
        seconds = deadline if deadline is not None else self._deadline
        request = client.build_request(
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
        held: _Held | None = None
        if delivers and request.content:
            held = _Held(request.content, seconds)
            request.stream = held
            request.extensions = {**request.extensions, "trace": held.trace}
        task = asyncio.ensure_future(client.send(request))
        self._running.add(task)
        task.add_done_callback(self._finished)
        try:
            return await asyncio.shield(task)
        except httpx.PoolTimeout:
            self._forget(client)
            with contextlib.suppress(Exception):
                await client.aclose()
            raise
        except httpx.TransportError as exc:
            if held is not None and not held.whole and not isinstance(exc, PROVABLY_UNSENT):
                raise Unsent(f"{str(exc).rstrip('.') or type(exc).__name__}; the request had not left") from exc
            raise

    def _finished(self, task: asyncio.Task[httpx.Response]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()

    async def aclose(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for client in (self._client, self._delivering):
            if client is not None:
                self._forget(client)
                await client.aclose()


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
