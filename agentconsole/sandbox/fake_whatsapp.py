"""A strict WhatsApp Cloud API on loopback: takes messages, keeps the 24-hour window, and calls the webhook, signed.

Shapes follow Meta's OpenAPI v23.0 and its examples; error codes are those of Meta's "Cloud API error codes" page.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentconsole.channels import http
from agentconsole.sandbox.loopback import Loopback
from agentconsole.seams import Clock, SystemClock

Table: TypeAlias = dict[str, Any]

WINDOW: Final = timedelta(hours=24)
TEXT_LIMIT: Final = 4096
KNOWN: Final = frozenset(
    ("messaging_product", "recipient_type", "to", "recipient", "type", "text", "context", "biz_opaque_callback_data")
)
HOOK_DEADLINE: Final = 10.0
MESSAGES: Final = {
    0: "AuthException",
    4: "Application request limit reached",
    190: "Invalid OAuth access token",
    130429: "Rate limit hit",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131056: "Business account, consumer account pair rate limit hit",
}


class _Refused(Exception):
    def __init__(self, code: int, message: str = "", status: int = 400, subcode: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message or MESSAGES.get(code, "Invalid parameter")
        self.status = status
        self.subcode = subcode


@dataclass
class Sent:
    """What we sent to a customer. ``to`` is digits, a group or a business-scoped user id."""

    wamid: str
    to: str
    text: str
    key: str = ""


class FakeWhatsApp(Loopback):
    """One business number and its customers, in memory.

    Args:
        progress: seconds between taking a message and its states sent, delivered and read; None leaves the reports to
            ``report``.
        closed_window: how a message outside the window is refused: by a failed state, as Meta does, or in the answer.
        retry_seconds: pause before an event that the webhook did not take is sent again.
        on_sent: called with every message that reached a customer.
    """

    def __init__(
        self,
        *,
        phone_number_id: str = "106540352242922",
        number: str = "15550783881",
        access_token: str = "loopback-access-token",  # noqa: S107 - opens nothing but this fake
        app_secret: str = "loopback-app-secret",  # noqa: S107 - the same
        verify_token: str = "loopback-verify-token",  # noqa: S107 - the same
        progress: Sequence[float] | None = None,
        closed_window: str = "report",
        retry_seconds: float = 0.5,
        clock: Clock | None = None,
        on_sent: Callable[[Sent], None] | None = None,
    ) -> None:
        super().__init__()
        self.phone_number_id = phone_number_id
        self.number = number
        self.access_token = access_token
        self.app_secret = app_secret
        self.verify_token = verify_token
        self.hook_url = ""
        self.sent: list[Sent] = []
        self.unreachable: set[str] = set()
        """Receivers whose messages end in a failed state with 131026."""
        self.on_sent = on_sent
        self._progress = progress
        self._closed_window = closed_window
        self._retry_seconds = retry_seconds
        self._clock = clock or SystemClock()
        self._last_in: dict[str, datetime] = {}
        self._numbers = itertools.count(1)
        self._events: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._told = asyncio.Event()
        self._told.set()
        self._online = asyncio.Event()
        self._client = http.Client("", deadline=HOOK_DEADLINE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._drop_next_send = False
        self._refuse: list[_Refused] = []
        self.app = Starlette(
            routes=[
                Route("/{version}/{number}/messages", self._messages, methods=["POST"]),
                Route("/{version}/{number}", self._about, methods=["GET"]),
            ],
            exception_handlers={_Refused: _refusal},
        )

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        self._spawn(self._tell())

    async def cut(self) -> None:
        """Refuse connections and hold back events; they follow when the line heals."""
        self._online.clear()
        await super().cut()

    async def heal(self) -> None:
        await super().heal()
        self._online.set()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()
        await super().stop()

    # -- what customers and Meta do ------------------------------------------------------------------------

    async def connect(self, hook_url: str) -> bool:
        """Set the webhook's address and say whether it confirmed the challenge, as Meta asks when it is saved."""
        query = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={quote(self.verify_token, safe='')}"
        try:
            answer = await self._client.request("GET", f"{hook_url}?{query}")
        except http.HTTPError:
            return False
        self.hook_url = hook_url
        return answer.status_code == 200 and answer.text == "1158201444"

    def customer_says(self, phone: str, text: str, name: str = "Emily", *, user_id: str = "", **content: Any) -> str:
        """Let a customer write.

        Args:
            phone: digits of the number; empty where only the business-scoped ``user_id`` is known.
            content: another type instead of text, e.g. ``image={"id": "1"}``.

        Returns:
            The message's id.
        """
        wamid = self._wamid()
        kind = next(iter(content), "text")
        message: Table = {"id": wamid, "timestamp": self._now(), "type": kind, **(content or {"text": {"body": text}})}
        contact: Table = {"profile": {"name": name}}
        if phone:
            message["from"] = contact["wa_id"] = phone
        if user_id:
            message["from_user_id"] = contact["user_id"] = user_id
        for known in filter(None, (phone, user_id)):
            self._last_in[known] = self._clock.now()
        self._change({"contacts": [contact], "messages": [message]})
        return wamid

    def report(self, wamid: str, status: str, code: int = 0) -> None:
        """Report a state of a message of ours: sent, delivered, read, or failed with an error code."""
        sent = next(sent for sent in self.sent if sent.wamid == wamid)
        told: Table = {"id": wamid, "status": status, "timestamp": self._now(), "recipient_id": sent.to}
        if sent.key:
            told["biz_opaque_callback_data"] = sent.key
        if code:
            title = MESSAGES.get(code, "Message failed to send")
            told["errors"] = [{"code": code, "title": title, "message": title, "error_data": {"details": title}}]
        self._change({"statuses": [told]})

    def deliver(self, payload: Table) -> None:
        """Post any payload to the webhook, signed."""
        self._events.append(json.dumps(payload, ensure_ascii=False).encode())
        self._told.clear()
        self._news.set()

    async def settled(self) -> None:
        """Return when the webhook has taken every event so far. The caller sets the deadline."""
        await self._told.wait()

    # -- what can go wrong ---------------------------------------------------------------------------------

    def cut_mid_send(self) -> None:
        """Take the next message, give it to the customer, and drop the line before answering."""
        self._drop_next_send = True

    def refuse_next(self, code: int, status: int = 400, message: str = "") -> None:
        """Answer the next message with one of Meta's error codes."""
        self._refuse.append(_Refused(code, message, status))

    # -- the API -------------------------------------------------------------------------------------------

    async def _about(self, request: Request) -> Response:
        self._sign_in(request)
        name = {"display_phone_number": f"+{self.number}", "verified_name": "Example Dental"}
        return JSONResponse({**name, "quality_rating": "GREEN", "id": self.phone_number_id})

    async def _messages(self, request: Request) -> Response:
        self._sign_in(request)
        if self._refuse:
            raise self._refuse.pop(0)
        body = await _json(request)
        to, now = _checked(body), self._clock.now()
        closed = to not in self._last_in or now - self._last_in[to] >= WINDOW
        if closed and self._closed_window == "answer":
            raise _Refused(131047)
        sent = Sent(self._wamid(), to, body["text"]["body"], body.get("biz_opaque_callback_data", ""))
        self.sent.append(sent)
        self._follow(sent, closed=closed)
        if self._drop_next_send:
            self._drop_next_send = False
            self.drop(request.scope)
        told = {"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to}]}
        return JSONResponse({**told, "messages": [{"id": sent.wamid}]})

    def _sign_in(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.access_token}":
            raise _Refused(190, status=401)
        if request.path_params["number"] != self.phone_number_id:
            raise _Refused(100, "Unsupported request. Object does not exist", subcode=33)

    def _follow(self, sent: Sent, *, closed: bool) -> None:
        if closed or sent.to in self.unreachable:
            self.report(sent.wamid, "failed", 131047 if closed else 131026)
            return
        if self._progress is not None:
            self._spawn(self._advance(sent.wamid, self._progress))
        if self.on_sent is not None:
            self.on_sent(sent)

    async def _advance(self, wamid: str, progress: Sequence[float]) -> None:
        for seconds, status in zip(progress, ("sent", "delivered", "read"), strict=False):
            await self._clock.sleep(seconds)
            self.report(wamid, status)

    # -- the webhook ---------------------------------------------------------------------------------------

    def _change(self, value: Table) -> None:
        metadata = {"display_phone_number": self.number, "phone_number_id": self.phone_number_id}
        change = {"value": {"messaging_product": "whatsapp", "metadata": metadata, **value}, "field": "messages"}
        self.deliver({"object": "whatsapp_business_account", "entry": [{"id": "419561257915477", "changes": [change]}]})

    async def _tell(self) -> None:
        """Post the events in order, each until the webhook takes it."""
        while True:
            self._news.clear()
            while self._events:
                await self._online.wait()
                if not self.hook_url or not await self._post(self._events[0]):
                    await self._clock.sleep(self._retry_seconds)
                    continue
                self._events.popleft()
            self._told.set()
            await self._news.wait()

    async def _post(self, body: bytes) -> bool:
        signature = hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"}
        try:
            answer = await self._client.request("POST", self.hook_url, content=body, headers=headers)
        except http.HTTPError:
            return False
        return answer.status_code == 200

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _wamid(self) -> str:
        return f"wamid.LOOPBACK{next(self._numbers):08d}{int(self._clock.now().timestamp()):X}"

    def _now(self) -> str:
        return str(int(self._clock.now().timestamp()))


async def _refusal(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, _Refused)
    error: Table = {"message": f"(#{exc.code}) {exc.message}", "type": "OAuthException", "code": exc.code}
    if exc.subcode:
        error["error_subcode"] = exc.subcode
    error["error_data"] = {"messaging_product": "whatsapp", "details": exc.message}
    return JSONResponse({"error": {**error, "fbtrace_id": "loopback"}}, status_code=exc.status)


async def _json(request: Request) -> Table:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise _Refused(100, "The content type is not application/json")
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _Refused(100, "The body is no JSON object")
    return body


def _checked(body: Table) -> str:
    """Refuse whatever Meta's description of a text message does not name, and return the receiver."""
    if unknown := set(body) - KNOWN:
        raise _Refused(100, f"Unexpected key {sorted(unknown)[0]!r}")
    if body.get("messaging_product") != "whatsapp":
        raise _Refused(100, "The parameter messaging_product is required")
    if body.get("recipient_type", "individual") not in ("individual", "group"):
        raise _Refused(100, "recipient_type must be individual or group")
    if body.get("type", "text") != "text":
        raise _Refused(131051, "Message type is not currently supported")
    text = body.get("text")
    if not isinstance(text, dict) or set(text) - {"body", "preview_url"} or not isinstance(text.get("body"), str):
        raise _Refused(100, "The parameter text['body'] is required")
    if not 1 <= len(text["body"]) <= TEXT_LIMIT or not isinstance(text.get("preview_url", False), bool):
        raise _Refused(100, f"Param text['body'] must be at most {TEXT_LIMIT} characters long")
    if len(str(body.get("biz_opaque_callback_data", ""))) > 512:
        raise _Refused(100, "biz_opaque_callback_data is too long")
    to, recipient = body.get("to"), body.get("recipient")
    if (to is None) == (recipient is None):
        raise _Refused(100, "Exactly one of to and recipient is required")
    found = to if isinstance(to, str) else recipient
    if not isinstance(found, str) or not re.fullmatch(r"\+?[A-Za-z0-9._-]{5,128}", found):
        raise _Refused(131009, "Parameter value is not valid")
    return found.removeprefix("+")
