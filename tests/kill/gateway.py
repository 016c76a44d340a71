"""A pretend Kannel on loopback: takes sendsms, calls back with messages and delivery reports until somebody has them.

As the real one does (``gw/smsbox.c``): a callback that meets no listener, or is not answered with 2xx, comes again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from agentconsole.channels import http
from agentconsole.sandbox.loopback import Loopback

AGAIN: Final = 0.02
"""Seconds between two tries of a callback; the real gateway's are 1 and more."""


@dataclass(frozen=True)
class Text:
    to: str
    text: str


class Gateway(Loopback):
    """One account; ``hook`` is where it calls back, with the secret word."""

    def __init__(self, hook: str) -> None:
        super().__init__()
        self.sent: list[Text] = []
        self._hook = hook
        self._calls: deque[str] = deque()
        self._numbers = itertools.count(1)
        self._client = http.Client("", deadline=5)
        self._teller: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.app = Starlette(routes=[Route("/cgi-bin/sendsms", self._send, methods=["POST"])])

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        self._teller = asyncio.create_task(self._tell())

    async def stop(self) -> None:
        if self._teller is not None:
            self._teller.cancel()
            await asyncio.gather(self._teller, return_exceptions=True)
        await self._client.aclose()
        await super().stop()

    @property
    def send_url(self) -> str:
        return f"{self.url}/cgi-bin/sendsms"

    def customer_says(self, sender: str, text: str) -> None:
        number = next(self._numbers)
        fields = {"from": sender, "to": "1555", "id": f"mo-{number}", "ts": "1795510800", "text": text}
        self._call(f"{self._hook}&{urlencode({**fields, 'charset': 'UTF-8', 'coding': '2'})}")

    def _call(self, url: str) -> None:
        self._calls.append(url)
        self._news.set()

    async def _send(self, request: Request) -> Response:
        try:
            text = (await request.body()).decode()
        except ClientDisconnect:
            return Response(status_code=400)
        self.sent.append(Text(request.headers["X-Kannel-To"], text))
        report = request.headers.get("X-Kannel-DLR-Url", "").replace("%%", "%")
        if report:
            for code, words in {"%d": "1", "%A": quote("DELIVRD"), "%I": f"dlr-{next(self._numbers)}"}.items():
                report = report.replace(code, words)
            self._call(report.replace("%T", "1795510801"))
        return Response("0: Accepted for delivery", status_code=202)

    async def _tell(self) -> None:
        while True:
            self._news.clear()
            while self._calls:
                try:
                    answer = await self._client.request("GET", self._calls[0])
                except http.HTTPError:
                    await asyncio.sleep(AGAIN)
                    continue
                if answer.status_code >= 500:
                    await asyncio.sleep(AGAIN)
                    continue
                assert answer.status_code == 200, f"{answer.status_code} {self._calls[0]}"
                self._calls.popleft()
            await self._news.wait()
