"""What comes from Twilio: its signature, the cutting of webhook requests into items, and their meaning.

A message has the same identity from the list and from the webhook, so that both may run at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import parse_qsl

from agentconsole.channels import lenient
from agentconsole.domain import addresses
from agentconsole.domain.model import Address, Delivery
from agentconsole.errors import ConfigError, Forged
from agentconsole.ports import (
    Accepted,
    AddressEvent,
    Answer,
    Inbound,
    Opaque,
    Parsed,
    RawItem,
    RawRequest,
    Secret,
    StatusReport,
)

OPTED_OUT: Final = 21610
REASONS: Final = {
    OPTED_OUT: "opted_out",
    21211: "bad_address",
    21214: "bad_address",
    21217: "bad_address",
    21614: "bad_address",
    21408: "not_routable",
    21612: "not_routable",
    21602: "empty",
    21617: "too_long",
    30004: "blocked",
    30005: "bad_address",
    30006: "bad_address",
    30007: "filtered",
    30034: "filtered",
}
"""Twilio's error codes (https://www.twilio.com/docs/api/errors) that say more than "it did not arrive"."""

STATES: Final = {
    "sent": Delivery.SENT,
    "partially_delivered": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "undelivered": Delivery.FAILED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.FAILED,
}
TAKEN: Final = frozenset({"accepted", "scheduled", "queued", "sending"})
"""Twilio has it and tries: news only where the answer to the send got lost."""

_URL: Final = re.compile(r"(https?)://([^/?#]*)(.*)", re.DOTALL | re.IGNORECASE)
_PORT: Final = re.compile(r":\d{1,5}$")
_FORM: Final = "application/x-www-form-urlencoded"
_MAX_FIELDS: Final = 200
_OPT_OUT_WORDS: Final = {"STOP": "opted_out", "START": ""}


def signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return X-Twilio-Signature of a request: HMAC-SHA1 over the address and the sorted form fields.

    Source: https://www.twilio.com/docs/usage/security and twilio-python's RequestValidator (a repeated value counts
    once).
    """
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(token.encode(), signed.encode("utf-8", "replace"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def spellings(url: str) -> tuple[str, ...]:
    """Return ``url`` without and with its port, because Twilio signs either."""
    cut = _URL.fullmatch(url)
    if cut is None:
        return (url, url)
    scheme, host, rest = cut.groups()
    bare = _PORT.sub("", host)
    port = host[len(bare) :] or (":443" if scheme.lower() == "https" else ":80")
    return (f"{scheme}://{bare}{rest}", f"{scheme}://{bare}{port}{rest}")


class TwilioWebhook:
    """Messages and status callbacks of one account. Making it reads the token, which blocks: use a worker thread."""

    def __init__(self, auth_token: Secret) -> None:
        self._token = auth_token.reveal()
        if not self._token:
            raise ConfigError("The auth token of Twilio is empty.", "Set auth_token.")

    def receive(self, request: RawRequest, now: datetime) -> Accepted:
        url = f"{request.url}?{request.query}" if request.query and "?" not in request.url else request.url
        fields = self._vouched(request, url)
        meta = {"format": "form"} if fields else {"format": "other"}
        key = dict(_pairs(request.query) or ()).get("key", "")
        if key:
            meta["key"] = key
        item = RawItem(_identity(dict(fields), request.body), request.body, now, meta)
        return Accepted(items=(item,), answer=Answer(200, b"<Response></Response>", "text/xml"))

    def _vouched(self, request: RawRequest, url: str) -> list[tuple[str, str]]:
        """Return the form fields of a request that the token vouches for; none for another kind of body."""
        given = request.headers.get("x-twilio-signature", "").encode("utf-8", "replace")
        form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
        fields: list[tuple[str, str]] | None = []
        held = request.method == "POST"
        if form:
            fields = _pairs(request.body.decode("utf-8", "replace"))
            held = held and fields is not None
        else:
            digests = [value for name, value in _pairs(request.query) or () if name == "bodySHA256"]
            found = hashlib.sha256(request.body).hexdigest().encode()
            held = (
                hmac.compare_digest(digests[0].encode("utf-8", "replace") if len(digests) == 1 else b"", found) and held
            )
        for spelling in spellings(url):
            # Both are always computed, so that time says nothing about which one was near.
            right = signature(self._token, spelling, fields or ()).encode()
            if hmac.compare_digest(given, right) and held:
                return fields or []
        raise Forged


def _pairs(text: str) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None


def status_identity(sid: str, status: str) -> str:
    return f"{sid}:{status}"


def _identity(fields: dict[str, str], body: bytes) -> str:
    sid, status = fields.get("MessageSid") or fields.get("SmsSid", ""), fields.get("MessageStatus", "")
    if sid and status:
        return status_identity(sid, status)
    if sid and "Body" in fields:
        return sid
    return f"other:{hashlib.sha256(body).hexdigest()}"


# -- meaning ------------------------------------------------------------------------------------------------


def parse(item: RawItem) -> Sequence[Parsed]:
    """Read one message of the list or one webhook request.

    Raises:
        ValueError: it is no JSON where it should be, or names no sender.
    """
    key = item.meta.get("key", "")
    match item.meta.get("format"):
        case "json":
            row = lenient.load(item.payload)
            said = {name: lenient.text(row, name) for name in _LIST_NAMES}
            if said["direction"] != "inbound":
                return _status(item.identity, said, key)
            return _message(item.identity, said)
        case "form":
            fields = dict(_pairs(item.payload.decode("utf-8", "replace")) or ())
            said = {name: fields.get(form, "") for name, form in _FORM_NAMES.items()}
            if said["status"]:
                return _status(item.identity, said, key)
            if "Body" in fields:
                return _message(item.identity, said)
    return (Opaque(identity=item.identity, what="request of Twilio's that is no message"),)


_FORM_NAMES: Final = {
    "sid": "MessageSid",
    "from": "From",
    "to": "To",
    "body": "Body",
    "status": "MessageStatus",
    "error_code": "ErrorCode",
    "error_message": "ErrorMessage",
    "num_media": "NumMedia",
    "opt_out": "OptOutType",
}
_LIST_NAMES: Final = (
    "sid", "from", "to", "body", "status", "error_code", "error_message", "num_media", "opt_out", "direction",
    "date_created", "date_sent", "date_updated",
)  # fmt: skip


def _message(identity: str, said: dict[str, str]) -> Sequence[Parsed]:
    sender = said["from"].strip()
    if not sender:
        raise ValueError("the SMS names no sender")
    if ":" in sender or ":" in said["to"]:
        return (Opaque(identity=identity, what=f"message on {sender.partition(':')[0][:20]}"),)
    address, at = _phone(sender), when(said.get("date_sent", "")) or when(said.get("date_created", ""))
    text, media = said["body"], said["num_media"]
    if media.isdecimal() and int(media) > 0:
        # The files stay at Twilio: say so where the agent reads, rather than show less than was sent.
        text = f"{text}\n[MMS: {int(media)}]".lstrip("\n")
    found: list[Parsed] = [Inbound(identity=identity, sender=address, text=text, sent_at=at, external_id=said["sid"])]
    dead = _OPT_OUT_WORDS.get(said["opt_out"].upper())
    if dead is not None:
        found.append(AddressEvent(f"{identity}:opt", address, dead=dead, opt_out=bool(dead), at=at))
    return found


def _status(identity: str, said: dict[str, str], key: str) -> Sequence[Parsed]:
    status, sid = said["status"], said["sid"]
    if ":" in said["to"]:
        return (Opaque(identity=identity, what=f"state on {said['to'].partition(':')[0][:20]}"),)
    state = Delivery.SENT if status in TAKEN and key else STATES.get(status)
    if state is None or not sid:
        return (Opaque(identity=identity, what=f"state {status[:20]}"),)
    at = when(said.get("date_updated", ""))
    code = int(said["error_code"]) if said["error_code"].isdecimal() else 0
    reason, detail = "", ""
    if state is Delivery.FAILED:
        reason = reason_of(code) if code else ("cancelled" if status == "canceled" else "not_delivered")
        detail = " ".join(part for part in (str(code or ""), said["error_message"][:200]) if part)
    elif status == "partially_delivered":
        reason = "partly_delivered"
    return (StatusReport(identity, state, external_id=sid, key=key, at=at, reason=reason, detail=detail),)


def reason_of(code: int) -> str:
    return REASONS.get(code, "not_delivered")


def when(text: str) -> datetime | None:
    """Read a time as the list gives it (RFC 2822), or None where it is none."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _phone(number: str) -> Address:
    return addresses.phone(number) or Address(addresses.PHONE, "", number[:40])
