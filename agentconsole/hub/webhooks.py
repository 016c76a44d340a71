"""The HTTP listener for kinds that are called rather than asked: verify the raw bytes, spool, then answer.

Everything unknown is 404, everything unproven 401 without a word, too much 413, and nothing is ever a 500.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentconsole.domain.model import AccountName
from agentconsole.errors import ConfigError, Forged, StoreFault
from agentconsole.hub.unsubscribing import PATH, Unsubscribe
from agentconsole.ports import Accepted, RawRequest, Webhook
from agentconsole.seams import Clock

MAX_BODY = 1 << 20
"""Bytes of one request: ten times the largest batch that WhatsApp, LINE or Slack send."""

Spool = Callable[[AccountName, Accepted], Awaitable[None]]


class Listener:
    """Serves ``/hook/ACCOUNT`` for every account with a webhook, and ``/unsubscribe/TOKEN``.

    Args:
        unsubscribe: answers who follows the link of a mail that we began.
        spool: writes verified items durably; only then is the provider told that we have them.
        public_url: how providers call us, where a proxy stands before us; signatures cover it.
    """

    def __init__(
        self,
        hooks: Mapping[AccountName, Webhook],
        spool: Spool,
        clock: Clock,
        log: logging.Logger,
        public_url: str,
        unsubscribe: Unsubscribe,
    ) -> None:
        self._hooks = hooks
        self._spool = spool
        self._clock = clock
        self._log = log
        self._public_url = public_url.rstrip("/")
        self._leave = unsubscribe
        self.app = Starlette(
            routes=[
                Route("/hook/{account}", self._hook, methods=["GET", "POST"]),
                Route(f"{PATH}{{token}}", self._unsubscribe, methods=["GET", "POST"]),
            ]
        )

    async def _unsubscribe(self, request: Request) -> Response:
        try:
            await _body(request)
        except ValueError:
            return Response(status_code=413)
        return await self._leave.answer(request.path_params["token"], post=request.method == "POST")

    async def _hook(self, request: Request) -> Response:
        account = AccountName(request.path_params["account"])
        hook = self._hooks.get(account)
        if hook is None:
            return Response(status_code=404)
        try:
            body = await _body(request)
        except ValueError:
            return Response(status_code=413)
        path = request.url.path
        raw = RawRequest(
            method=request.method,
            url=(self._public_url or f"{request.url.scheme}://{request.url.netloc}")
            + path
            + (f"?{request.url.query}" if request.url.query else ""),
            query=request.url.query,
            headers={name.lower(): ", ".join(request.headers.getlist(name)) for name in request.headers},
            body=body,
        )
        try:
            accepted = hook.receive(raw, self._clock.now())
        except Forged:
            self._log.warning("%s: a request was not signed by the provider", account)
            return Response(status_code=401)
        except Exception as exc:
            self._log.error("%s: a request could not be read (%s)", account, type(exc).__name__, exc_info=exc)
            return Response(status_code=400)
        try:
            await self._spool(account, accepted)
        except StoreFault as exc:
            self._log.error("%s: not accepted: %s", account, exc.message)
            return Response(status_code=503, headers={"Retry-After": "30"})
        answer = accepted.answer
        return Response(answer.body, status_code=answer.status, media_type=answer.content_type)

    async def serve(self, listening: socket.socket) -> None:
        """Serve on a bound socket until cancelled."""
        config = uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=15,
            timeout_graceful_shutdown=3,
            limit_concurrency=200,
            h11_max_incomplete_event_size=64 * 1024,
            server_header=False,
        )
        server = _Server(config)
        try:
            await server.serve(sockets=[listening])
        finally:
            server.should_exit = True
            listening.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the hub."""
        yield


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise ValueError("too large")
    return bytes(data)


def bind(host: str, port: int) -> socket.socket:
    """Bind the listener's address.

    Raises:
        ConfigError: it is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as exc:
        listening.close()
        raise ConfigError(
            f"The webhook listener cannot use {host}:{port}: {exc.strerror}. No account was started.",
            "Choose another port under http.port.",
        ) from exc
    listening.listen(128)
    listening.setblocking(False)
    return listening
