"""A strict Telegram on loopback: the part of the Bot API that a support bot uses, with its refusals.

Behaviour follows the public documentation of the Bot API 10.1 and its open server: ``offset`` confirms, a newer
getUpdates ends an older one with 409, parameters are read from query, form and JSON alike.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentconsole.sandbox.loopback import Loopback
from agentconsole.seams import Clock, SystemClock

Table: TypeAlias = dict[str, Any]

METHODS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "getMe": {},
    "getWebhookInfo": {},
    "deleteWebhook": {"drop_pending_updates": ("Boolean",)},
    "setWebhook": {
        "url": ("String", "required"),
        "secret_token": ("String",),
        "allowed_updates": ("Array of String",),
        "max_connections": ("Integer",),
        "ip_address": ("String",),
        "drop_pending_updates": ("Boolean",),
    },
    "getUpdates": {
        "offset": ("Integer",),
        "limit": ("Integer",),
        "timeout": ("Integer",),
        "allowed_updates": ("Array of String",),
    },
    "sendMessage": {
        "chat_id": ("Integer", "String", "required"),
        "text": ("String", "required"),
        "parse_mode": ("String",),
        "disable_notification": ("Boolean",),
        "protect_content": ("Boolean",),
        "reply_parameters": ("ReplyParameters",),
        "link_preview_options": ("LinkPreviewOptions",),
    },
    "sendChatAction": {"chat_id": ("Integer", "String", "required"), "action": ("String", "required")},
}
"""Methods and parameters that it knows, with the types that the documentation names."""

TEXT_LIMIT: Final = 4096
MAX_POLL: Final = 50


class _Refused(Exception):
    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass
class Sent:
    """What the bot sent to a customer."""

    chat: int
    message_id: int
    text: str


@dataclass
class _Chat:
    id: int
    first_name: str
    blocked: bool = False
    last_message: int = 0
    moved_to: int = 0
    kind: str = "private"

    def shown(self) -> Table:
        named = {"first_name": self.first_name} if self.kind == "private" else {"title": self.first_name}
        return {"id": self.id, "type": self.kind, **named}


@dataclass
class _Poll:
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class FakeTelegram(Loopback):
    """One bot and its customers, in memory.

    Args:
        token: what the bot signs in with.
        on_sent: called with every message that reached a customer.
    """

    def __init__(
        self,
        token: str = "4711:loopback-token",  # noqa: S107 - opens nothing but this fake
        username: str = "example_bot",
        *,
        clock: Clock | None = None,
        on_sent: Callable[[Sent], None] | None = None,
    ) -> None:
        super().__init__()
        self.token = token
        self.bot = int(token.partition(":")[0])
        self.username = username
        self.sent: list[Sent] = []
        self.requests: list[tuple[str, Table]] = []
        """Every request that was understood: method and parameters."""
        self.on_sent = on_sent
        self._clock = clock or SystemClock()
        self._chats: dict[int, _Chat] = {}
        self._updates: deque[Table] = deque()
        self._next_update = 870_001
        self._allowed: tuple[str, ...] = ()
        self._webhook = ""
        self._poll: _Poll | None = None
        self._news = asyncio.Event()
        self._drop_next_send = False
        self._pause = 0
        self.app = Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["GET", "POST"])])

    # -- what customers do ---------------------------------------------------------------------------------

    def customer_says(
        self, user: int, text: str, name: str = "Emily", *, chat: int = 0, title: str = "", **content: Any
    ) -> Table:
        """Let a customer write to the bot, or to a group (``chat`` below zero) where the bot is.

        Args:
            content: further fields of the message, e.g. ``photo=[…]``; then ``text`` is its caption.
        """
        place = self._chat(chat or user, title or name, "group" if chat < 0 else "private")
        place.last_message += 1
        message: Table = {
            "message_id": place.last_message,
            "from": {"id": user, "is_bot": False, "first_name": name},
            "chat": place.shown(),
            "date": self._now(),
        }
        if text:
            message["caption" if content else "text"] = text
        message.update(content)
        self._add("message", message)
        return message

    def knows(self, user: int, name: str) -> None:
        """Let a customer have written to the bot before, so that it may write to them."""
        self._chat(user, name)

    def customer_edits(self, message: Table, text: str) -> None:
        self._add("edited_message", {**message, "text": text, "edit_date": self._now()})

    def customer_blocks(self, user: int) -> None:
        self._membership(user, "member", "kicked")

    def customer_returns(self, user: int) -> None:
        self._membership(user, "kicked", "member")

    def group_moves(self, chat: int, to: int) -> None:
        """Turn a group into a supergroup: the old id refuses and names the new one."""
        self._chats[chat].moved_to = to
        self._chats[to] = _Chat(to, self._chats[chat].first_name, kind="supergroup")

    def add_update(self, kind: str, content: Table) -> None:
        """Queue an update of any kind, as it stands."""
        self._add(kind, content)

    # -- what can go wrong ---------------------------------------------------------------------------------

    def cut_mid_send(self) -> None:
        """Take the next message, give it to the customer, and drop the line before answering."""
        self._drop_next_send = True

    def ask_for_pause(self, seconds: int) -> None:
        """Refuse the next request with 429."""
        self._pause = seconds

    # -- the API -------------------------------------------------------------------------------------------

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        try:
            if request.path_params["token"] != self.token:
                well_formed = ":" in request.path_params["token"]
                raise _Refused(401, "Unauthorized") if well_formed else _Refused(404, "Not Found")
            if method not in METHODS:
                raise _Refused(404, "Not Found: method not found")
            fields = _checked(method, await _fields(request))
            self.requests.append((method, fields))
            if self._pause:
                pause, self._pause = self._pause, 0
                raise _Refused(429, f"Too Many Requests: retry after {pause}", retry_after=pause)
            result = await self._answer(method, fields, request)
        except _Refused as exc:
            body: Table = {"ok": False, "error_code": exc.code, "description": exc.description}
            if exc.parameters:
                body["parameters"] = exc.parameters
            return JSONResponse(body, status_code=exc.code)
        return JSONResponse({"ok": True, "result": result})

    async def _answer(self, method: str, fields: Table, request: Request) -> object:
        match method:
            case "getMe":
                return {
                    "id": self.bot,
                    "is_bot": True,
                    "first_name": "Support",
                    "username": self.username,
                    "can_join_groups": True,
                    "can_read_all_group_messages": False,
                    "supports_inline_queries": False,
                }
            case "getWebhookInfo":
                return {
                    "url": self._webhook,
                    "has_custom_certificate": False,
                    "pending_update_count": len(self._updates),
                }
            case "setWebhook":
                self._webhook = fields["url"]
                return True
            case "deleteWebhook":
                self._webhook = ""
                return True
            case "getUpdates":
                return await self._get_updates(fields, request)
            case "sendMessage":
                return self._send(fields, request)
            case _:
                self._reachable(fields["chat_id"])
                return True

    async def _get_updates(self, fields: Table, request: Request) -> list[Table]:
        if self._webhook:
            raise _Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        if self._poll is not None:
            self._poll.ended.set()
        mine = self._poll = _Poll()
        if "allowed_updates" in fields:
            self._allowed = tuple(fields["allowed_updates"])
        offset = fields.get("offset", 0)
        while self._updates and 0 < self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        if offset < 0:
            while len(self._updates) > -offset:
                self._updates.popleft()
        limit = min(max(fields.get("limit", 100), 1), 100)
        deadline = self._clock.monotonic() + min(max(fields.get("timeout", 0), 0), MAX_POLL)
        try:
            while not self._updates and (left := deadline - self._clock.monotonic()) > 0:
                self._news.clear()
                await self._either(mine, left, request)
                if mine.ended.is_set():
                    raise _Refused(
                        409,
                        "Conflict: terminated by other getUpdates request; "
                        "make sure that only one bot instance is running",
                    )
            return list(self._updates)[:limit]
        finally:
            if self._poll is mine:
                self._poll = None

    async def _either(self, poll: _Poll, seconds: float, request: Request) -> None:
        waits = [
            asyncio.ensure_future(wait)
            for wait in (self._news.wait(), poll.ended.wait(), _gone(request), self._clock.sleep(seconds))
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if waits[2].done():
                poll.ended.set()
        finally:
            for wait in waits:
                wait.cancel()

    def _send(self, fields: Table, request: Request) -> Table:
        chat, text = self._reachable(fields["chat_id"]), fields["text"]
        if not text.strip():
            raise _Refused(400, "Bad Request: message text is empty")
        if len(text) > TEXT_LIMIT:
            raise _Refused(400, "Bad Request: message is too long")
        chat.last_message += 1
        sent = Sent(chat.id, chat.last_message, text)
        self.sent.append(sent)
        if self.on_sent is not None:
            self.on_sent(sent)
        if self._drop_next_send:
            self._drop_next_send = False
            self.drop(request.scope)
        return {
            "message_id": sent.message_id,
            "from": {"id": self.bot, "is_bot": True, "first_name": "Support", "username": self.username},
            "chat": chat.shown(),
            "date": self._now(),
            "text": text,
        }

    def _reachable(self, chat_id: object) -> _Chat:
        try:
            chat = self._chats.get(int(str(chat_id)))
        except ValueError:
            chat = None
        if chat is None:
            raise _Refused(400, "Bad Request: chat not found")
        if chat.moved_to:
            raise _Refused(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to
            )
        if chat.blocked:
            raise _Refused(403, "Forbidden: bot was blocked by the user")
        return chat

    # -- helpers -------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _chat(self, chat: int, name: str, kind: str = "private") -> _Chat:
        return self._chats.setdefault(chat, _Chat(chat, name, kind=kind))

    def _membership(self, user: int, old: str, new: str) -> None:
        chat = self._chat(user, "Emily")
        chat.blocked = new == "kicked"
        bot = {"id": self.bot, "is_bot": True, "first_name": "Support", "username": self.username}
        change: Table = {
            "chat": chat.shown(),
            "from": {"id": user, "is_bot": False, "first_name": chat.first_name},
            "date": self._now(),
        }
        for side, status in (("old_chat_member", old), ("new_chat_member", new)):
            until = {"until_date": 0} if status == "kicked" else {}
            change[side] = {"status": status, "user": bot, **until}
        self._add("my_chat_member", change)

    def _add(self, kind: str, content: Table) -> None:
        if not self._allowed or kind in self._allowed:
            self._updates.append({"update_id": self._next_update, kind: content})
            self._next_update += 1
            self._news.set()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _fields(request: Request) -> Table:
    found: Table = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    body = await request.body()
    if not body:
        return found
    if kind == "application/json":
        try:
            read = json.loads(body)
        except ValueError:
            raise _Refused(400, "Bad Request: can't parse request JSON object") from None
        if not isinstance(read, dict):
            raise _Refused(400, "Bad Request: object expected as JSON")
        return found | read
    if kind == "application/x-www-form-urlencoded":
        return found | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    raise _Refused(400, f"Bad Request: content type {kind or 'none'} is not taken here")


def _checked(method: str, fields: Table) -> Table:
    """Refuse unknown, missing and mistyped parameters; the real server is laxer about the first."""
    known = METHODS[method]
    for name in fields:
        if name not in known:
            raise _Refused(400, f"Bad Request: {method} has no parameter {name}")
    for name, types in known.items():
        if "required" in types and name not in fields:
            raise _Refused(400, f"Bad Request: parameter {name} is required")
    return {name: _typed(name, value, known[name]) for name, value in fields.items()}


def _typed(name: str, value: object, types: tuple[str, ...]) -> object:
    if "Integer" in types and (number := _integer(value)) is not None:
        return number
    if "String" in types and isinstance(value, str):
        return value
    if "Boolean" in types and str(value).lower() in ("true", "false", "1", "0"):
        return str(value).lower() in ("true", "1")
    if not {"Integer", "String", "Boolean"}.intersection(types):
        try:
            read = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            read = None
        wanted = list if types[0].startswith("Array") else dict
        if isinstance(read, wanted):
            return read
    raise _Refused(400, f"Bad Request: parameter {name} must be {' or '.join(types)}")


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.removeprefix("-").isdecimal() else None
