"""Telegram bots: getUpdates long poll to come in, sendMessage to go out (core.telegram.org/bots/api, Bot API 10.1).

A bot cannot write first, has no receipts and no idempotency key. What an answer proves about a send:

=============================================  ==================================================================
answer (``error_code``)                        failure
=============================================  ==================================================================
200 with ``ok`` and a message                  none: sent
200 with anything else                         OutcomeUnknown
400 with ``migrate_to_chat_id``                none: sent once more to the group's new id
400 otherwise                                  PermanentFailure: chat not found, too long …
401, 404                                       SignInFailed: 404 is what a malformed token gets
403                                            PermanentFailure: blocked, deactivated, the customer never wrote
409                                            second poller: TemporaryFailure; a webhook is set: SignInFailed
429                                            TemporaryFailure with ``retry_after``
3xx, 4xx without Telegram's JSON               TemporaryFailure: something on the way answered
5xx, the line broke after the request began    OutcomeUnknown
no connection                                  TemporaryFailure
=============================================  ==================================================================
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from agentconsole.channels import http, lenient
from agentconsole.domain.model import AccountName, Address, Medium
from agentconsole.errors import (
    AgentConsoleError,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    SignInFailed,
    TemporaryFailure,
)
from agentconsole.ports import (
    AddressEvent,
    Batch,
    Capabilities,
    ChannelKind,
    Commit,
    Cursor,
    HttpClient,
    Inbound,
    Opaque,
    Options,
    Outgoing,
    Parsed,
    Part,
    RawItem,
    Report,
    Secret,
    Tools,
)

if TYPE_CHECKING:
    import httpx

TEXT_LIMIT: Final = 4096
POLL_SECONDS: Final = 25
"""How long one long poll stays open: below the 30 s after which many proxies cut a silent line."""
POLL_DEADLINE: Final = POLL_SECONDS + 10.0
RETRY_SECONDS: Final = 3.0
"""Pause after a long poll that broke, so that a proxy which refuses to hold lines is not hammered."""
BATCH: Final = 100
ALLOWED: Final = ("message", "edited_message", "my_chat_member")

_TOKEN: Final = re.compile(r"([0-9]{1,20}):[A-Za-z0-9_-]{1,100}")


class TelegramOptions(Options, frozen=True, kw_only=True):
    token: Annotated[Secret, msgspec.Meta(description="The bot's token, as @BotFather gave it")]
    username: Annotated[str, msgspec.Meta(description="The bot's public name, e.g. @example_bot, for display")] = ""
    base_url: Annotated[str, msgspec.Meta(description="Another Bot API server: tests, a local server")] = (
        "https://api.telegram.org"
    )


class _NoTokens(logging.Filter):
    """Telegram's token stands in the path, and httpx logs every address at INFO."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "/bot" in (said := record.getMessage()):
            record.msg, record.args = re.sub(r"/bot[^/\s]+", "/bot***", said), ()
        return True


_NO_TOKENS: Final = _NoTokens()


class TelegramChannel:
    """One bot (implements ``ports.Channel``)."""

    def __init__(self, account: AccountName, options: TelegramOptions, tools: Tools) -> None:
        self._account = account
        self._options = options
        self._tools = tools
        self._client: HttpClient | None = None
        self._token = ""
        self._asked: Cursor | None = None
        self._found = True
        logging.getLogger("httpx").addFilter(_NO_TOKENS)

    async def fetch(self, cursor: Cursor | None) -> Batch:
        """Return waiting updates. Telegram forgets those below ``cursor``, which the caller has spooled."""
        self._asked, self._found = cursor, True
        updates = lenient.rows(await self._poll(cursor, 0), "result")
        bot, now = self._bot(), self._tools.clock.now()
        items: list[RawItem] = []
        newest: int | None = None
        for update in updates:
            number = lenient.number(update, "update_id")
            if number is None:
                continue
            newest = number if newest is None else max(newest, number)
            items.append(RawItem(_identity(bot, number, update), lenient.dump(update), now, {"bot": bot}))
        self._found = bool(items)
        return Batch(tuple(items), cursor if newest is None else Cursor(str(newest + 1)), more=len(updates) >= BATCH)

    async def wait(self) -> None:
        """Hold a long poll that confirms no more than the newest ``fetch`` did.

        Raises:
            ChannelFailure: Telegram refuses to be asked.
        """
        if self._found:
            return
        try:
            await self._poll(self._asked, POLL_SECONDS)
        except TemporaryFailure as exc:
            if exc.reason != "unreachable":
                raise
            await self._tools.clock.sleep(RETRY_SECONDS)

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        text, chat = outgoing.text, outgoing.place or outgoing.address.value
        if not text.strip():
            raise PermanentFailure("An empty message cannot be sent.", "Write something.", reason="empty")
        if len(text) > TEXT_LIMIT:
            raise PermanentFailure(
                f"The text has {len(text)} characters; Telegram takes {TEXT_LIMIT}. Nothing was sent.",
                "Shorten it or split it.",
                reason="too_long",
            )
        if outgoing.files:
            raise PermanentFailure("Files cannot go out here yet.", "Send a link.", reason="no_attachments")
        if not re.fullmatch(r"-?[0-9]{1,20}", chat):
            raise PermanentFailure(f"{chat!r} is no Telegram chat.", "Correct the address.", reason="bad_address")
        await self._sign_in()
        await commit()
        answer = await self._send(chat, text)
        moved = lenient.number(_body(answer), "parameters", "migrate_to_chat_id")
        if answer.status_code == 400 and moved is not None:
            # Refused for certain, so a second request cannot double the message.
            answer = await self._send(str(moved), text)
        body = _body(answer)
        message = lenient.table(body, "result")
        if answer.status_code == 200 and body.get("ok") is True and message:
            return Report(external_id=_message_id(message))
        raise self._refusal(answer)

    async def probe(self) -> str:
        """Ask who we are and whether a webhook stands in the way of polling."""
        me = lenient.table(await self._ask("getMe", {}), "result")
        hook = lenient.text(await self._ask("getWebhookInfo", {}), "result", "url")
        if hook:
            raise _webhook_set()
        return f"Telegram answers as @{lenient.text(me, 'username')} (bot {lenient.text(me, 'id')})."

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _bot(self) -> str:
        return self._token.partition(":")[0]

    async def _sign_in(self) -> None:
        if self._token:
            return
        try:
            secret = self._options.token
            token = await asyncio.get_running_loop().run_in_executor(self._tools.worker, secret.reveal)
        except AgentConsoleError as exc:
            raise SignInFailed(exc.message, exc.hint, reason="no_secret") from exc
        token = token.strip()
        if not _TOKEN.fullmatch(token):
            raise SignInFailed(
                f"The token of {self._account} does not look like a bot's token. Other accounts go on.",
                "Copy it again from @BotFather.",
            )
        self._token = token

    async def _request(self, method: str, fields: dict[str, object], deadline: float | None = None) -> httpx.Response:
        if self._client is None:
            self._client = self._tools.http(self._options.base_url)
        return await self._client.request(
            "POST", f"/bot{self._token}/{method}", json=fields, deadline=deadline, delivers=method == "sendMessage"
        )

    async def _send(self, chat: str, text: str) -> httpx.Response:
        try:
            return await self._request("sendMessage", {"chat_id": int(chat), "text": text})
        except http.HTTPError as exc:
            raise http.failure(exc, "Telegram") from exc

    async def _ask(self, method: str, fields: dict[str, object], deadline: float | None = None) -> lenient.Table:
        await self._sign_in()
        try:
            answer = await self._request(method, fields, deadline)
        except http.HTTPError as exc:
            raise http.unreachable(exc, "Telegram") from exc
        body = _body(answer)
        if answer.status_code == 200 and body.get("ok") is True:
            return body
        failure = self._refusal(answer)
        if isinstance(failure, OutcomeUnknown):
            raise TemporaryFailure(
                f"Telegram answers {answer.status_code} without a usable body. Nothing was lost.",
                "It is tried again.",
                reason="unreachable",
            )
        raise failure

    async def _poll(self, cursor: Cursor | None, seconds: int) -> lenient.Table:
        fields: dict[str, object] = {"timeout": seconds, "limit": BATCH, "allowed_updates": list(ALLOWED)}
        if cursor is not None:
            fields["offset"] = int(cursor.value)
        return await self._ask("getUpdates", fields, POLL_DEADLINE)

    def _refusal(self, answer: httpx.Response) -> ChannelFailure:
        """Say what an answer other than "sent" proves; the table stands at the top of this module."""
        body = _body(answer)
        code = lenient.number(body, "error_code") or answer.status_code
        said = lenient.text(body, "description")[:200]
        if answer.status_code >= 500 or answer.status_code < 300:
            return OutcomeUnknown(
                f"Telegram answered {answer.status_code} {said}: it may have sent it.",
                "Check whether it arrived.",
            )
        if not said:
            return TemporaryFailure(
                f"Something on the way to Telegram answered {answer.status_code}. Nothing was sent.",
                "It is tried again; check base_url and proxies.",
            )
        match code:
            case 401 | 404:
                self._token = ""
                return SignInFailed(
                    f"Telegram refused the token of {self._account}. Other accounts go on.",
                    "Ask @BotFather for the token.",
                )
            case 403:
                return PermanentFailure(
                    f"Telegram refused it: {said}. Nothing was sent.", "Use another channel.", reason=_forbidden(said)
                )
            case 409 if "webhook" in said.lower():
                return _webhook_set()
            case 409:
                return TemporaryFailure(
                    "Another program fetches this bot's messages, so some may go there. Sending still works.",
                    "Stop the other program or take a new token from @BotFather.",
                    reason="second_poller",
                )
            case 429:
                pause = lenient.seconds(body, "parameters", "retry_after")
                return TemporaryFailure(
                    "Telegram asks for a pause. Nothing was sent.",
                    "It is tried again.",
                    reason="rate_limited",
                    retry_after=pause,
                )
            case _:
                return PermanentFailure(
                    f"Telegram refused it: {said}. Nothing was sent.", "Check the text and the chat.", reason=_bad(said)
                )


def _webhook_set() -> SignInFailed:
    return SignInFailed(
        "A webhook is set for this bot, so its messages go there and cannot be fetched. Sending still works.",
        "Remove it with deleteWebhook.",
        reason="webhook_set",
    )


def _forbidden(said: str) -> str:
    said = said.lower()
    if "blocked" in said:
        return "blocked"
    if "deactivated" in said:
        return "deactivated"
    if "initiate" in said:
        return "customer_first"
    return "left" if "kicked" in said or "not a member" in said else "refused"


def _bad(said: str) -> str:
    said = said.lower()
    if "too long" in said:
        return "too_long"
    return "bad_address" if "chat not found" in said else "refused"


def _body(answer: httpx.Response) -> lenient.Table:
    try:
        return lenient.table(lenient.load(answer.content))
    except ValueError:
        return {}


# -- coming in ----------------------------------------------------------------------------------------------

_MEDIA: Final = {
    "photo": "image/jpeg",
    "animation": "video/mp4",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "sticker": "image/webp",
    "document": "application/octet-stream",
}
"""Files and the type that they have where the provider names none; an animation carries a document too."""

_SILENT: Final = frozenset(
    (
        *("pinned_message", "message_auto_delete_timer_changed", "write_access_allowed", "chat_background_set"),
        *("connected_website", "boost_added", "chat_shared", "users_shared", "refunded_payment"),
    )
)
"""What happens in a private chat without anybody saying something. Anything else unknown is shown."""


def _message_id(message: object) -> str:
    """Return chat and number, because Telegram numbers messages per chat."""
    return f"{lenient.text(message, 'chat', 'id')}:{lenient.text(message, 'message_id')}"


def _identity(bot: str, number: int, update: lenient.Table) -> str:
    for kind in ("message", "edited_message"):
        message = lenient.table(update, kind)
        if message:
            edited = lenient.text(message, "edit_date")
            return f"{bot}:{_message_id(message)}" + (f":edit:{edited}" if kind == "edited_message" else "")
    return f"{bot}:update:{number}"


def parse(item: RawItem) -> Sequence[Parsed]:
    """Read one update.

    Raises:
        ValueError: it is no JSON object.
    """
    update = lenient.load(item.payload)
    if not isinstance(update, dict):
        raise ValueError("the update is no JSON object")
    bot = item.meta.get("bot", "")
    for kind in ("message", "edited_message"):
        if isinstance(update.get(kind), dict):
            return (_message(item.identity, bot, update[kind]),)
    if isinstance(update.get("my_chat_member"), dict):
        return (_membership(item.identity, bot, update["my_chat_member"]),)
    known = [key for key in update if key != "update_id"]
    return (Opaque(item.identity, f"update {known[0][:40] if known else 'without content'}"),)


def _message(identity: str, bot: str, message: lenient.Table) -> Parsed:
    sender, chat = lenient.table(message, "from"), lenient.table(message, "chat")
    user = lenient.text(sender, "id")
    text, parts = _content(message)
    if not user or not text:
        return Opaque(identity, "service message")
    answered = lenient.table(message, "reply_to_message")
    earlier = [_message_id(message)] if "edit_date" in message else []
    if answered:
        earlier.append(_message_id({"chat": chat} | answered))
    return Inbound(
        identity=identity,
        sender=Address("telegram", bot, user),
        text=text,
        sent_at=lenient.moment(message, "edit_date") or lenient.moment(message, "date"),
        external_id=_message_id(message),
        sender_name=_name(sender),
        subject=lenient.text(chat, "title"),
        parts=parts,
        message_ids=tuple(earlier),
        place=lenient.text(chat, "id"),
        automatic=sender.get("is_bot") is True,
    )


def _membership(identity: str, bot: str, change: lenient.Table) -> Parsed:
    status = lenient.text(change, "new_chat_member", "status")
    if lenient.text(change, "chat", "type") != "private" or status not in ("kicked", "member"):
        return Opaque(identity, f"membership {status[:40]}")
    user = Address("telegram", bot, lenient.text(change, "chat", "id"))
    dead = "blocked" if status == "kicked" else ""
    return AddressEvent(identity, user, dead=dead, at=lenient.moment(change, "date"))


def _name(person: lenient.Table) -> str:
    return " ".join(filter(None, (lenient.text(person, "first_name"), lenient.text(person, "last_name"))))


def _content(message: lenient.Table) -> tuple[str, tuple[Part, ...]]:
    """Return the text and the files that were not fetched; an empty text where nothing was said."""
    if text := lenient.text(message, "text"):
        return text, ()
    caption = lenient.text(message, "caption")
    for kind, usual in _MEDIA.items():
        if kind in message:
            file = lenient.table(message, kind)
            said = caption or lenient.text(file, "emoji") or lenient.text(file, "file_name")
            name = lenient.text(file, "file_name") or kind
            return f"[{kind}] {said}".strip(), (Part(name, lenient.text(file, "mime_type") or usual, b""),)
    return _placeholder(message), ()


def _placeholder(message: lenient.Table) -> str:
    if "contact" in message:
        contact = lenient.table(message, "contact")
        return f"[contact] {_name(contact)} {lenient.text(contact, 'phone_number')}"
    if "venue" in message:
        venue = lenient.table(message, "venue")
        return f"[location] {lenient.text(venue, 'title')}, {lenient.text(venue, 'address')}"
    if "location" in message:
        place = lenient.table(message, "location")
        return f"[location] {lenient.text(place, 'latitude')}, {lenient.text(place, 'longitude')}"
    if "poll" in message:
        return f"[poll] {lenient.text(message, 'poll', 'question')}"
    if "dice" in message:
        return f"[dice] {lenient.text(message, 'dice', 'emoji')} {lenient.text(message, 'dice', 'value')}"
    if lenient.text(message, "chat", "type") == "private" and not _SILENT.intersection(message):
        return "[unsupported message]"
    return ""


def _own_address(options: TelegramOptions) -> str:
    return options.username


KIND: Final = ChannelKind(
    name="telegram",
    title="Telegram bot",
    medium=Medium("telegram"),
    options=TelegramOptions,
    capabilities=Capabilities(
        address_kind="telegram", text_limit=TEXT_LIMIT, customer_first=True, live=True, idempotency="none"
    ),
    open=TelegramChannel,
    parse=parse,
    own_address=_own_address,
    verified_by="vendor schema",
)
