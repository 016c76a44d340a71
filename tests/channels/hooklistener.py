"""A tiny listener in a thread of its own that hands requests to one Webhook, for tests with real gateways."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentconsole.errors import Forged
from agentconsole.ports import RawItem, RawRequest, Webhook


@dataclass
class Hook:
    """What came. ``refuse`` answers that many more requests with 503, as a hub with a full disk does."""

    port: int
    webhook: Webhook | None = None
    items: list[RawItem] = field(default_factory=list)
    refused: list[RawItem] = field(default_factory=list)
    forged: int = 0
    refuse: int = 0

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def take(self, request: Request) -> Response:
        assert self.webhook is not None
        raw = RawRequest(
            method=request.method,
            url=str(request.url),
            query=request.url.query,
            headers={name.lower(): ", ".join(request.headers.getlist(name)) for name in request.headers},
            body=await request.body(),
        )
        try:
            accepted = self.webhook.receive(raw, datetime.now(UTC))
        except Forged:
            self.forged += 1
            return Response(status_code=401)
        if self.refuse:
            self.refuse -= 1
            self.refused.extend(accepted.items)
            return Response(status_code=503)
        self.items.extend(accepted.items)
        answer = accepted.answer
        return Response(answer.body, answer.status, media_type=answer.content_type)


@contextlib.contextmanager
def listen() -> Iterator[Hook]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        hook = Hook(port=int(bound.getsockname()[1]))
        app = Starlette(routes=[Route("/hook/{account}", hook.take, methods=["GET", "POST"])])
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        config.timeout_graceful_shutdown = 1
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        try:
            yield hook
        finally:
            server.should_exit = True
            thread.join(10)
