"""SMS through a Kannel gateway: sendsms to go out, callbacks to come in (Kannel user guide 1.4.5).

In the gateway's configuration, with the same secret word as ``hook_secret`` and ``max-messages = 0``::

    get-url = "https://CONSOLE/hook/ACCOUNT?secret=WORD&from=%p&to=%P&id=%I&ts=%T&charset=%C&coding=%c&text=%a"

What an answer of sendsms proves:

=============================================  ==================================================================
answer                                         failure
=============================================  ==================================================================
202 ``0: Accepted``, ``3: Queued``             none: sent (the gateway has it)
200 to 299 with another body                   OutcomeUnknown
400                                            PermanentFailure
403 ``Authorization failed``                   SignInFailed
403 otherwise (``Not routable``)               PermanentFailure
401, 404, 405, redirects                       SignInFailed: this is not the gateway that the account names
429                                            TemporaryFailure
5xx, the line broke after the request began    OutcomeUnknown: there is no idempotency key
no connection                                  TemporaryFailure
=============================================  ==================================================================
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qsl, quote

import msgspec

from agentconsole.channels import http
from agentconsole.domain import addresses
from agentconsole.domain.model import (
    AccountName,
    Address,
    Delivery,
    Medium,
)
from agentconsole.errors import (
    AgentConsoleError,
    ChannelFailure,
    ConfigError,
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
    Inbound,
    Opaque,
    Options,
    Outgoing,
    Parsed,
    RawItem,
    RawRequest,
    Report,
    Secret,
    StatusReport,
    Tools,
)
from agentconsole.text import sms

if TYPE_CHECKING:
    import httpx

MAX_PARTS: Final = 5
IDLE_SECONDS: Final = 3600.0
DEADLINE: Final = 20.0
"""Seconds for one sendsms: the gateway answers when its bearerbox has the message."""

_NUMBER: Final = re.compile(r"\+?[0-9]{3,20}")
_REPORTED: Final = {
    "1": (Delivery.DELIVERED, ""),
    "2": (Delivery.FAILED, "not_delivered"),
    "8": (Delivery.SENT, ""),
    "16": (Delivery.FAILED, "rejected"),
}
"""``%d`` of a delivery report; 4 (buffered by the network) says nothing new."""


class KannelOptions(Options, frozen=True, kw_only=True):
    send_url: Annotated[
        str, msgspec.Meta(description="Address of sendsms, e.g. http://127.0.0.1:13013/cgi-bin/sendsms")
    ]
    user: Annotated[str, msgspec.Meta(description="username of the gateway's group sendsms-user")]
    password: Annotated[Secret, msgspec.Meta(description="its password")]
    sender: Annotated[str, msgspec.Meta(description="Our number as customers see it")]
    hook_secret: Annotated[Secret, msgspec.Meta(description="The secret word in the gateway's get-url")]
    max_parts: Annotated[
        int, msgspec.Meta(ge=1, le=MAX_PARTS, description="Most parts of one text; the gateway's max-messages, or less")
    ] = MAX_PARTS
    dlr: Annotated[bool, msgspec.Meta(description="Ask the gateway for delivery reports")] = True
    region: Annotated[
        str, msgspec.Meta(description="Two letters of the country of numbers that arrive without country code")
    ] = ""


class KannelChannel:
    """One sendsms account (implements ``ports.Channel``)."""

    def __init__(self, account: AccountName, options: KannelOptions, tools: Tools) -> None:
        self._account = account
        self._options = options
        self._tools = tools
        self._client: HttpClient | None = None

    async def fetch(self, cursor: Cursor | None) -> Batch:
        """Return nothing: messages and reports come by callback."""
        return Batch(items=(), cursor=cursor)

    async def wait(self) -> None:
        await self._tools.clock.sleep(IDLE_SECONDS)

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        number, text = outgoing.address.value, outgoing.text.replace("\r\n", "\n")
        if not _NUMBER.fullmatch(number):
            raise PermanentFailure(f"{number!r} is no phone number.", "Correct the address.", reason="bad_address")
        if not text.strip():
            raise PermanentFailure("An SMS without a text cannot be sent.", "Write something.", reason="empty")
        if outgoing.files:
            raise PermanentFailure("An SMS carries no files.", "Use e-mail or send a link.", reason="no_attachments")
        size = sms.parts(text)
        if size.parts > self._options.max_parts:
            raise PermanentFailure(
                f"The text needs {size.parts} SMS parts; this account sends at most {self._options.max_parts}."
                " Nothing was sent.",
                "Shorten it or use another channel.",
                reason="too_long",
            )
        headers = {**await self._sign_in(), "X-Kannel-To": number, "X-Kannel-From": self._options.sender}
        headers["X-Kannel-Coding"] = "2" if size.encoding == "UCS-2" else "0"
        if self._options.dlr and self._tools.public_url:
            word = await self._reveal(self._options.hook_secret)
            headers["X-Kannel-DLR-Mask"] = "31"
            headers["X-Kannel-DLR-Url"] = self._report_url(word, outgoing.key)
        client = self._open()
        await commit()
        try:
            answer = await client.request(
                "POST",
                self._options.send_url,
                headers=headers,
                content=text.encode("utf-8", "replace"),
                delivers=True,
            )
        except http.HTTPError as exc:
            raise http.failure(exc, "The SMS gateway") from exc
        return _report(answer)

    async def probe(self) -> str:
        """Call sendsms without a receiver, which the gateway refuses after it has looked at the password."""
        headers = {**await self._sign_in(), "X-Kannel-To": ""}
        try:
            answer = await self._open().request("POST", self._options.send_url, headers=headers, content=b"x")
        except http.HTTPError as exc:
            raise http.unreachable(exc, "The SMS gateway") from exc
        if answer.status_code == 400 and "receiver" in answer.text.lower():
            return f"The SMS gateway took the password of {self._options.user}. Callbacks were not tried."
        raise _refusal(answer)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open(self) -> HttpClient:
        if self._client is None:
            self._client = self._tools.http("", deadline=DEADLINE)
        return self._client

    async def _reveal(self, secret: Secret) -> str:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._tools.worker, secret.reveal)
        except AgentConsoleError as exc:
            raise SignInFailed(exc.message, exc.hint, reason="no_secret") from exc

    async def _sign_in(self) -> dict[str, str]:
        # As headers, because a password in the address would stand in every log on the way.
        user, password = self._options.user, await self._reveal(self._options.password)
        for value in (user, password, self._options.sender):
            if not (value.isascii() and value.isprintable()):
                raise SignInFailed(
                    "User, password and sender of an SMS gateway must be printable ASCII; one of them is not.",
                    "Choose others in the gateway's configuration.",
                    reason="bad_secret",
                )
        return {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": user,
            "X-Kannel-Password": password,
        }

    def _report_url(self, word: str, key: str) -> str:
        fixed = f"{self._tools.public_url}/hook/{quote(self._account, safe='')}?secret={_word(word)}&key={_word(key)}"
        # The gateway reads '%' as the start of its own codes: '%D0' would lose its '%D'.
        return fixed.replace("%", "%%") + "&type=%d&answer=%A&id=%I&ts=%T"


def _word(text: str) -> str:
    return quote(text, safe="")


def _report(answer: httpx.Response) -> Report:
    said = " ".join(answer.text.split())[:200]
    if answer.status_code == 202 and said[:2] in ("0:", "3:"):
        return Report(external_id="", state=Delivery.SENT, detail=said)
    raise _refusal(answer)


def _refusal(answer: httpx.Response) -> ChannelFailure:
    """Say what an answer other than "accepted" proves; the table stands at the top of this module."""
    status, said = answer.status_code, " ".join(answer.text.split())[:200]
    if status == 400:
        return PermanentFailure(f"The SMS gateway refused it: {said}", "Check number and text.", reason="refused")
    if status == 403 and "authorization" not in said.lower():
        return PermanentFailure(f"The SMS gateway has no way there: {said}", "Check the number.", reason="not_routable")
    if status in (401, 403):
        return SignInFailed(
            "The SMS gateway refused user or password. Other accounts go on.", "Check user and password."
        )
    if status == 429:
        return TemporaryFailure("The SMS gateway is busy.", "It is tried again.", reason="rate_limited")
    if 300 <= status < 500:
        return SignInFailed(
            f"The address of sendsms answers {status}, so it is no SMS gateway. Nothing was sent.",
            "Check send_url.",
            reason="bad_url",
        )
    return OutcomeUnknown(
        f"The SMS gateway answered {status} {said}: it may have sent it.",
        "Check whether it arrived.",
        reason="provider_error",
    )


# -- coming in ----------------------------------------------------------------------------------------------


class KannelWebhook:
    """Callbacks of one account. Making it reads the secret, which blocks: make it on a worker thread."""

    def __init__(self, account: AccountName, options: KannelOptions) -> None:
        self._account = account
        self._secret = options.hook_secret.reveal().encode()
        if not self._secret:
            raise ConfigError("The secret word of the SMS callback is empty.", "Set hook_secret.")
        self._meta = {"region": options.region} if options.region else {}

    def receive(self, request: RawRequest, now: datetime) -> Accepted:
        fields = _fields(request.query)
        words = [value for name, value in fields if name == "secret"]
        # Compared always and once, so that a missing word takes as long as a wrong one.
        held = hmac.compare_digest(words[0] if len(words) == 1 else b"", self._secret)
        if not held or request.method not in ("GET", "POST"):
            raise Forged
        clean = [(name, value) for name, value in fields if name != "secret"]
        payload = b"&".join(
            quote(name, safe="").encode() + b"=" + quote(value, safe="").encode() for name, value in clean
        )
        item = RawItem(identity=_identity(dict(clean), now), payload=payload, received_at=now, meta=self._meta)
        # A body would go back to the customer as an SMS.
        return Accepted(items=(item,), answer=Answer(status=200, body=b""))


def _fields(query: str) -> list[tuple[str, bytes]]:
    """Cut a query into names and raw bytes, because the encoding of the text stands beside it."""
    try:
        found = parse_qsl(query, keep_blank_values=True, encoding="latin-1", max_num_fields=50)
    except ValueError:
        return []
    return [(name, value.encode("latin-1", "replace")) for name, value in found]


def _identity(fields: dict[str, bytes], now: datetime) -> str:
    if "type" in fields:
        return f"dlr:{_say(fields, 'key')}:{_say(fields, 'type')}:{_say(fields, 'id')}"
    if fields.get("id"):
        return f"sms:{_say(fields, 'id')}"
    digest = hashlib.sha256(b"\x1f".join(fields.get(name, b"") for name in ("from", "to", "ts", "text")))
    return f"sms:{digest.hexdigest()}" if fields.get("ts") else f"sms:{digest.hexdigest()}:{now:%Y%m%dT%H%M}"


def _say(fields: dict[str, bytes], name: str) -> str:
    return fields.get(name, b"").decode("utf-8", "replace")


def parse(item: RawItem) -> Sequence[Parsed]:
    """Read one callback.

    Raises:
        ValueError: it is binary, its encoding is unknown, or it names no sender.
    """
    fields = dict(_fields(item.payload.decode("latin-1")))
    if "type" in fields:
        return _parse_report(item.identity, fields)
    sender = _say(fields, "from").strip()
    if not sender:
        if "text" in fields:
            raise ValueError("the SMS names no sender")
        return (Opaque(identity=item.identity, what="callback without sender and text"),)
    if _say(fields, "coding") == "1":
        raise ValueError("the SMS is binary")
    return (
        Inbound(
            identity=item.identity,
            sender=_address(sender, item.meta.get("region", "")),
            text=_text(fields),
            sent_at=_time(_say(fields, "ts")),
            external_id=_say(fields, "id"),
        ),
    )


def _parse_report(identity: str, fields: dict[str, bytes]) -> Sequence[Parsed]:
    kind, key, said = _say(fields, "type"), _say(fields, "key"), _say(fields, "answer")[:200]
    known = _REPORTED.get(kind)
    if known is None or not key:
        return (Opaque(identity=identity, what=f"delivery report {kind[:10]}"),)
    state, reason = known
    at = _time(_say(fields, "ts"))
    return (StatusReport(identity=identity, state=state, key=key, at=at, reason=reason, detail=said),)


def _address(sender: str, region: str) -> Address:
    found = addresses.phone(sender, region)
    if found is None and sender.isdecimal() and len(sender) > 8:
        # SMSCs often give international numbers without their plus.
        found = addresses.phone("+" + sender)
    return found or Address(addresses.PHONE, "", sender[:40])


def _text(fields: dict[str, bytes]) -> str:
    charset, raw = _say(fields, "charset") or "utf-8", fields.get("text", b"")
    try:
        return raw.decode(charset)
    except LookupError as exc:
        raise ValueError(f"the SMS has the unknown encoding {charset[:40]!r}") from exc
    except UnicodeDecodeError:
        return raw.decode(charset, "replace")


def _time(text: str) -> datetime | None:
    """Read ``%T`` (seconds since 1970) or ``%t`` (minutes, in UTC)."""
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        return datetime.strptime(text[:16], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _own_address(options: KannelOptions) -> str:
    return options.sender


KIND: Final = ChannelKind(
    name="kannel",
    title="SMS (Kannel gateway)",
    medium=Medium("sms"),
    options=KannelOptions,
    capabilities=Capabilities(
        address_kind=addresses.PHONE,
        text_limit=MAX_PARTS,
        text_unit="sms",
        receipts=(Delivery.DELIVERED, Delivery.FAILED),
        live=True,
        idempotency="none",
    ),
    open=KannelChannel,
    parse=parse,
    own_address=_own_address,
    webhook=KannelWebhook,
    verified_by="real server",
)
