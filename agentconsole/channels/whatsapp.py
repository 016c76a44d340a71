"""WhatsApp through Meta's Cloud API: a signed webhook to come in, POST messages to go out (Graph API v23.0).

Free text is allowed for 24 hours after the customer's last message; there is no idempotency key, but our own key
travels as ``biz_opaque_callback_data`` and comes back with every status, which proves what a cut line left open.

What an answer proves about a send, by ``error.code`` first (``_CODES``), because Meta's HTTP statuses vary:

=============================================  ==================================================================
answer                                         failure
=============================================  ==================================================================
200 with ``messages[0].id``                    none: sent
code 131047                                    PermanentFailure ``window_closed``
code 131026                                    PermanentFailure ``undeliverable``
code 131050                                    PermanentFailure ``stopped_marketing``
codes 4, 80007, 130429, 131048, 131056         TemporaryFailure: pace limits
codes 0, 3, 10, 190, 200 to 299, 33, 368 …     SignInFailed: token, right, number or account
another code with a 4xx                        PermanentFailure
4xx or 3xx without Graph's JSON                TemporaryFailure: something on the way answered
5xx, codes 1, 2, 131000, 131016,               OutcomeUnknown
200 with another body, a line that broke
no connection                                  TemporaryFailure
=============================================  ==================================================================
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import parse_qsl

import msgspec

from agentconsole.channels import http, lenient, whatsapp_events
from agentconsole.domain.model import AccountName, Delivery, Medium
from agentconsole.errors import (
    AgentConsoleError,
    ChannelFailure,
    Forged,
    OutcomeUnknown,
    PermanentFailure,
    SignInFailed,
    TemporaryFailure,
)
from agentconsole.ports import (
    Accepted,
    Answer,
    Batch,
    Capabilities,
    ChannelKind,
    Commit,
    Cursor,
    HttpClient,
    Options,
    Outgoing,
    Parsed,
    RawItem,
    RawRequest,
    Report,
    Secret,
    Tools,
)

if TYPE_CHECKING:
    import httpx

TEXT_LIMIT: Final = 4096
WINDOW: Final = timedelta(hours=24)
HEALTH_SECONDS: Final = 300.0
"""How often the token is tried, so that an expired one shows before somebody writes a reply."""
KEY_LIMIT: Final = 512
PAIR_PAUSE: Final = 6.0
"""Seconds between two messages to one customer that Meta's pair limit allows."""

_CODES: Final[dict[int, tuple[type[ChannelFailure], str]]] = {
    0: (SignInFailed, "sign_in_refused"),
    1: (OutcomeUnknown, "provider_error"),
    2: (OutcomeUnknown, "provider_error"),
    3: (SignInFailed, "no_right"),
    4: (TemporaryFailure, "rate_limited"),
    10: (SignInFailed, "no_right"),
    33: (SignInFailed, "bad_number_id"),
    190: (SignInFailed, "sign_in_refused"),
    368: (SignInFailed, "account_locked"),
    80007: (TemporaryFailure, "rate_limited"),
    130429: (TemporaryFailure, "rate_limited"),
    131000: (OutcomeUnknown, "provider_error"),
    131005: (SignInFailed, "no_right"),
    131016: (OutcomeUnknown, "provider_error"),
    131021: (PermanentFailure, "bad_address"),
    131026: (PermanentFailure, "undeliverable"),
    131030: (PermanentFailure, "not_allowed"),
    131031: (SignInFailed, "account_locked"),
    131042: (SignInFailed, "payment"),
    131045: (SignInFailed, "not_registered"),
    131047: (PermanentFailure, "window_closed"),
    131048: (TemporaryFailure, "rate_limited"),
    131050: (PermanentFailure, "stopped_marketing"),
    131056: (TemporaryFailure, "rate_limited"),
    131057: (TemporaryFailure, "maintenance"),
    133010: (SignInFailed, "not_registered"),
}


class WhatsAppOptions(Options, frozen=True, kw_only=True):
    phone_number_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,32}$", description="Meta's id of our number")]
    number: Annotated[str, msgspec.Meta(pattern=r"^\+[0-9]{5,15}$", description="Our number, e.g. +15550783881")]
    access_token: Annotated[Secret, msgspec.Meta(description="A system user's token with whatsapp_business_messaging")]
    app_secret: Annotated[Secret, msgspec.Meta(description="The app's secret; it signs what Meta sends us")]
    verify_token: Annotated[Secret, msgspec.Meta(description="The word that Meta's webhook set-up asks for")]
    base_url: Annotated[str, msgspec.Meta(description="Another Graph server, for tests and proxies")] = (
        "https://graph.facebook.com"
    )
    version: Annotated[str, msgspec.Meta(pattern=r"^v[0-9]{1,3}\.[0-9]$", description="Graph API version")] = "v23.0"


class WhatsAppChannel:
    """One business number (implements ``ports.Channel``)."""

    def __init__(self, account: AccountName, options: WhatsAppOptions, tools: Tools) -> None:
        self._account = account
        self._options = options
        self._tools = tools
        self._client: HttpClient | None = None
        self._path = f"/{options.version}/{options.phone_number_id}"

    async def fetch(self, cursor: Cursor | None) -> Batch:
        """Try the token; messages come by webhook."""
        await self._number()
        return Batch(items=(), cursor=cursor)

    async def wait(self) -> None:
        await self._tools.clock.sleep(HEALTH_SECONDS)

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        if not outgoing.text.strip():
            raise PermanentFailure("An empty message cannot be sent.", "Write something.", reason="empty")
        if len(outgoing.text) > TEXT_LIMIT:
            raise PermanentFailure(
                f"The text has {len(outgoing.text)} characters; WhatsApp takes {TEXT_LIMIT}. Nothing was sent.",
                "Shorten it or split it.",
                reason="too_long",
            )
        if outgoing.files:
            raise PermanentFailure("Files cannot go out here yet.", "Send a link.", reason="no_attachments")
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            **_recipient(outgoing),
            "type": "text",
            "text": {"body": outgoing.text, "preview_url": False},
        }
        if len(outgoing.key) <= KEY_LIMIT:
            body["biz_opaque_callback_data"] = outgoing.key
        headers = await self._sign_in()
        client = self._open()
        await commit()
        try:
            answer = await client.request("POST", f"{self._path}/messages", json=body, headers=headers, delivers=True)
        except http.HTTPError as exc:
            raise http.failure(exc, "WhatsApp") from exc
        taken = lenient.rows(_body(answer), "messages")
        if answer.status_code == 200 and taken and (wamid := lenient.text(taken[0], "id")):
            return Report(external_id=wamid, detail=lenient.text(taken[0], "message_status"))
        raise self._refusal(answer)

    async def probe(self) -> str:
        """Ask for our number's name with the token. Whether Meta reaches the webhook shows with the first message."""
        told = await self._number()
        number, name = lenient.text(told, "display_phone_number"), lenient.text(told, "verified_name")
        differs = re.sub(r"\D", "", number) != self._options.number.removeprefix("+")
        note = f", not the configured {self._options.number}" if differs else ""
        return f"WhatsApp answers for {number} ({name}){note}. The webhook was not tried."

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open(self) -> HttpClient:
        if self._client is None:
            self._client = self._tools.http(self._options.base_url)
        return self._client

    async def _sign_in(self) -> dict[str, str]:
        try:
            secret = self._options.access_token
            token = await asyncio.get_running_loop().run_in_executor(self._tools.worker, secret.reveal)
        except AgentConsoleError as exc:
            raise SignInFailed(exc.message, exc.hint, reason="no_secret") from exc
        if not re.fullmatch(r"[!-~]{1,4096}", token.strip()):
            raise SignInFailed(
                f"The access token of {self._account} is empty or has odd characters. Other accounts go on.",
                "Copy it again from Meta's developer pages.",
            )
        return {"Authorization": f"Bearer {token.strip()}"}

    async def _number(self) -> lenient.Table:
        headers = await self._sign_in()
        fields = {"fields": "display_phone_number,verified_name,quality_rating"}
        try:
            answer = await self._open().request("GET", self._path, params=fields, headers=headers)
        except http.HTTPError as exc:
            raise http.unreachable(exc, "WhatsApp") from exc
        body = _body(answer)
        if answer.status_code == 200 and "error" not in body:
            return body
        failure = self._refusal(answer)
        if isinstance(failure, OutcomeUnknown):
            raise TemporaryFailure(
                f"WhatsApp answers {answer.status_code}. Nothing was lost: Meta keeps what customers write.",
                "It is tried again.",
                reason="unreachable",
            )
        if isinstance(failure, PermanentFailure):
            raise SignInFailed(failure.message, "Check phone_number_id and version.", reason="bad_number_id")
        raise failure

    def _refusal(self, answer: httpx.Response) -> ChannelFailure:
        """Say what an answer other than "sent" proves; the table stands at the top of this module."""
        error = lenient.table(_body(answer), "error")
        code, status = lenient.number(error, "code"), answer.status_code
        said = (lenient.text(error, "error_data", "details") or lenient.text(error, "message"))[:200]
        known = _CODES.get(code) if code is not None else None
        if code is not None and 200 <= code <= 299:
            known = (SignInFailed, "no_right")
        if code == 100 and lenient.number(error, "error_subcode") == 33:
            known = (SignInFailed, "bad_number_id")
        if known is None and (status >= 500 or status < 300):
            known = (OutcomeUnknown, "provider_error")
        if known is None and (not error or status == 429):
            known = (TemporaryFailure, "rate_limited" if status == 429 else "provider_error")
        if known is None:
            known = (SignInFailed, "sign_in_refused") if status == 401 else (PermanentFailure, "refused")
        kind, reason = known
        what = f"{status} {code or ''} {said}".strip()
        if kind is TemporaryFailure:
            pause = PAIR_PAUSE if code == 131056 else None
            return TemporaryFailure(
                f"WhatsApp does not take it now: {what}. Nothing was sent.",
                "It is tried again.",
                reason=reason,
                retry_after=pause,
            )
        if kind is SignInFailed:
            return SignInFailed(
                f"WhatsApp refused the account {self._account}: {what}. Other accounts go on.",
                "Check token, rights and number on Meta's developer pages.",
                reason=reason,
            )
        if kind is OutcomeUnknown:
            return OutcomeUnknown(
                f"WhatsApp answered {what}: it may have sent it.", "Check whether it arrived.", reason=reason
            )
        return PermanentFailure(
            f"WhatsApp refused it: {what}. Nothing was sent.", "Use another channel.", reason=reason
        )


def _recipient(outgoing: Outgoing) -> dict[str, str]:
    """Name the receiver: a group, a number, or a business-scoped user id, which has a field of its own."""
    value = outgoing.address.value
    if outgoing.place:
        return {"recipient_type": "group", "to": outgoing.place}
    if outgoing.address.kind == "phone" and re.fullmatch(r"\+[0-9]{5,15}", value):
        return {"recipient_type": "individual", "to": value.removeprefix("+")}
    if outgoing.address.kind == "whatsapp" and re.fullmatch(r"[A-Za-z0-9._-]{1,200}", value):
        return {"recipient_type": "individual", "recipient": value}
    raise PermanentFailure(f"{value!r} is no WhatsApp number.", "Correct the address.", reason="bad_address")


def _body(answer: httpx.Response) -> lenient.Table:
    try:
        return lenient.table(lenient.load(answer.content))
    except ValueError:
        return {}


# -- coming in ----------------------------------------------------------------------------------------------


class WhatsAppWebhook:
    """Requests of Meta for one account. Making it reads two secrets, which blocks: make it on a worker thread.

    Source: Meta, "Webhooks: getting started" (verification request, event notifications, payload signatures).
    """

    def __init__(self, account: AccountName, options: WhatsAppOptions) -> None:
        self._app_secret = options.app_secret.reveal().encode()
        self._verify_token = options.verify_token.reveal().encode()
        if not self._app_secret or not self._verify_token:
            raise SignInFailed(
                f"A secret of the webhook of {account} is empty.",
                "Set app_secret and verify_token.",
                reason="no_secret",
            )
        self._meta = {"number": options.phone_number_id}

    def receive(self, request: RawRequest, now: datetime) -> Accepted:
        if request.method == "GET":
            return self._challenge(request.query)
        given = request.headers.get("x-hub-signature-256", "").encode("utf-8", "replace")
        right = b"sha256=" + hmac.new(self._app_secret, request.body, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(given, right) or request.method != "POST":
            raise Forged
        items = tuple(RawItem(identity, payload, now, self._meta) for identity, payload in _cut(request.body))
        return Accepted(items=items, answer=Answer(200))

    def _challenge(self, query: str) -> Accepted:
        try:
            asked = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=20))
        except ValueError:
            raise Forged from None
        token = asked.get("hub.verify_token", "").encode("utf-8", "replace")
        challenge = asked.get("hub.challenge", "")
        held = hmac.compare_digest(token, self._verify_token)
        # What comes back is nothing that a browser could read as more than a word.
        if not held or asked.get("hub.mode") != "subscribe" or not re.fullmatch(r"[A-Za-z0-9._-]{1,256}", challenge):
            raise Forged
        return Accepted(items=(), answer=Answer(200, challenge.encode()))


def _cut(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Cut a batch into its messages and statuses, each with what it needs of its surroundings."""
    try:
        told = lenient.load(body)
    except ValueError:
        yield _digest(body), body
        return
    entries = told.get("entry") if isinstance(told, dict) else None
    changes = [
        (entry.get("id"), change)
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("changes"), list)
        for change in entry["changes"]
    ]
    if not changes:
        yield _digest(body), body
    for owner, change in changes:
        value = lenient.table(change, "value")
        around = {key: value[key] for key in ("metadata", "contacts") if key in value}
        found = False
        for kind in ("messages", "statuses"):
            for one in value[kind] if isinstance(value.get(kind), list) else []:
                found = True
                payload = lenient.dump({"field": change.get("field"), "value": {**around, kind: [one]}})
                name = lenient.text(one, "id") or _digest(payload)
                yield (f"{name}:{lenient.text(one, 'status')}" if kind == "statuses" else name), payload
        if not found:
            payload = lenient.dump(change)
            yield _digest(payload + str(owner).encode("utf-8", "replace")), payload


def _digest(data: bytes) -> str:
    return f"change:{hashlib.sha256(data).hexdigest()}"


def reason_of(code: int | None) -> str:
    """Return the reason behind an error code, for the states of ``whatsapp_events``."""
    return _CODES[code][1] if code in _CODES else "refused"


def parse(item: RawItem) -> Sequence[Parsed]:
    """Read one message, one status or another event; see ``whatsapp_events.parse``."""
    return whatsapp_events.parse(item, reason_of)


def _own_address(options: WhatsAppOptions) -> str:
    return options.number


KIND: Final = ChannelKind(
    name="whatsapp",
    title="WhatsApp (Cloud API)",
    medium=Medium("whatsapp"),
    options=WhatsAppOptions,
    capabilities=Capabilities(
        address_kind="phone",
        text_limit=TEXT_LIMIT,
        receipts=(Delivery.SENT, Delivery.DELIVERED, Delivery.READ, Delivery.FAILED),
        reply_window=WINDOW,
        live=True,
        idempotency="none",
    ),
    open=WhatsAppChannel,
    parse=parse,
    own_address=_own_address,
    webhook=WhatsAppWebhook,
    verified_by="vendor vectors",
)
