"""A strict Twilio on loopback: the message part of the REST API 2010-04-01, with its refusals.

Shapes follow twilio/twilio-oai; the tests check every answer against that file. Error codes follow
https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import itertools
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentconsole.domain import addresses
from agentconsole.sandbox.loopback import Loopback
from agentconsole.seams import Clock, SystemClock
from agentconsole.text import sms

ACCOUNT_SID: Final = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN: Final = "a-token-of-the-sandbox"  # noqa: S105 -- opens nothing but the sandbox
OUR_NUMBER: Final = "+15550001111"
BODY_LIMIT: Final = 1600

_LIST_PARAMETERS: Final = frozenset(
    {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"}
)
_SEND_PARAMETERS: Final = frozenset({"To", "From", "Body", "StatusCallback"})
_NEXT: Final = {"queued": "sending", "sending": "sent", "sent": "delivered"}


class _Refused(Exception):
    def __init__(self, status: int, code: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


@dataclass
class Sms:
    """One message as Twilio keeps it."""

    sid: str
    direction: str
    sender: str
    to: str
    text: str
    status: str
    created: datetime
    updated: datetime
    sent: datetime | None = None
    error_code: int | None = None
    callback: str = ""
    media: int = 0


@dataclass
class Callback:
    """A status callback that Twilio would make now."""

    url: str
    fields: dict[str, str] = field(default_factory=dict)


class FakeTwilio(Loopback):
    """One account with one number.

    Args:
        by_itself: every look at the list moves messages of ours one state on, as time does at the real one.
    """

    def __init__(self, clock: Clock | None = None, *, number: str = OUR_NUMBER, by_itself: bool = False) -> None:
        super().__init__()
        self.number = number
        self.messages: list[Sms] = []
        self.callbacks: list[Callback] = []
        self.opted_out: set[str] = set()
        self.lose_next_answer = False
        self.requests = 0
        self._clock = clock or SystemClock()
        self._by_itself = by_itself
        self._refusals: list[_Refused] = []
        self._numbers = itertools.count(1)
        path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
        self._path = path
        self.app = Starlette(
            routes=[
                Route(path, self._list, methods=["GET"]),
                Route(path, self._send, methods=["POST"]),
                Route("/{rest:path}", self._nothing, methods=["GET", "POST"]),
            ],
            exception_handlers={_Refused: _refusal},
        )

    # -- the world -----------------------------------------------------------------------------------------

    def customer_says(self, sender: str, text: str, *, to: str = "", media: int = 0) -> str:
        """Let a customer write to us and return the message's sid."""
        now = self._clock.now()
        sid = self._sid("MM" if media else "SM")
        self.messages.append(
            Sms(sid, "inbound", sender, to or self.number, text, "received", now, now, sent=now, media=media)
        )
        return sid

    @property
    def sent(self) -> list[Sms]:
        """Return what we sent, oldest first."""
        return [one for one in self.messages if one.direction != "inbound"]

    def set_state(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Move a message of ours to a state, and note the callback that follows."""
        one = next(one for one in self.messages if one.sid == sid)
        one.status, one.error_code, one.updated = status, error_code, self._clock.now()
        if status in ("sent", "delivered", "undelivered"):
            one.sent = one.sent or one.updated
        if one.callback:
            fields = {
                "AccountSid": ACCOUNT_SID,
                "ApiVersion": "2010-04-01",
                "From": one.sender,
                "MessageSid": sid,
                "MessageStatus": status,
                "SmsSid": sid,
                "SmsStatus": status,
                "To": one.to,
            }
            if error_code is not None:
                fields["ErrorCode"] = str(error_code)
            self.callbacks.append(Callback(one.callback, fields))

    def progress(self) -> None:
        """Move every unfinished message of ours one state on."""
        for one in self.sent:
            if one.status in _NEXT:
                self.set_state(one.sid, _NEXT[one.status])

    def refuse_next(self, status: int, code: int, message: str = "", retry_after: int | None = None) -> None:
        """Answer the next request with an error."""
        self._refusals.append(_Refused(status, code, message or f"Error {code}", retry_after))

    def _sid(self, kind: str) -> str:
        return f"{kind}{next(self._numbers):032x}"

    # -- the API -------------------------------------------------------------------------------------------

    async def _nothing(self, request: Request) -> Response:
        self._admit(request)
        raise _Refused(404, 20404, f"The requested resource {request.url.path} was not found")

    def _admit(self, request: Request) -> None:
        self.requests += 1
        right = f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()
        scheme, _, coded = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(coded, validate=True) if scheme.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        if not hmac.compare_digest(given, right):
            raise _Refused(401, 20003, "Authenticate")
        if self._refusals:
            raise self._refusals.pop(0)

    async def _send(self, request: Request) -> Response:
        self._admit(request)
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            raise _Refused(415, 20415, "Unsupported Media Type")
        pairs = parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True, strict_parsing=True)
        form = dict(pairs)
        if len(form) != len(pairs) or not form.keys() <= _SEND_PARAMETERS:
            raise _Refused(400, 20001, f"Unknown or repeated parameter among {sorted(form)}")
        self._judge(form)
        now = self._clock.now()
        one = Sms(self._sid("SM"), "outbound-api", form["From"], form["To"], form["Body"], "queued", now, now)
        one.callback = form.get("StatusCallback", "")
        self.messages.append(one)
        if self.lose_next_answer:
            self.lose_next_answer = False
            self.drop(request.scope)
        return JSONResponse(_row(one), status_code=201)

    def _judge(self, form: dict[str, str]) -> None:
        to, text = form.get("To", ""), form.get("Body", "")
        if not to:
            raise _Refused(400, 21604, "A 'To' phone number is required.")
        if addresses.phone(to) is None:
            raise _Refused(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if form.get("From") != self.number:
            raise _Refused(400, 21660, f"Mismatch between the 'From' number {form.get('From')} and the account")
        if not text:
            raise _Refused(400, 21602, "Message body is required.")
        if len(text) > BODY_LIMIT:
            raise _Refused(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        if to in self.opted_out:
            raise _Refused(400, 21610, "Attempt to send to unsubscribed recipient")
        callback = form.get("StatusCallback", "")
        if callback and not callback.startswith(("http://", "https://")):
            raise _Refused(400, 21609, f"The 'StatusCallback' URL {callback} is not a valid URL.")

    async def _list(self, request: Request) -> Response:
        self._admit(request)
        query = dict(request.query_params)
        if not query.keys() <= _LIST_PARAMETERS:
            raise _Refused(400, 20001, f"Unknown parameter among {sorted(query)}")
        if self._by_itself:
            self.progress()
        size = _whole(query.get("PageSize", "50"))
        if not 1 <= size <= 1000:
            raise _Refused(400, 20001, "PageSize is between 1 and 1000")
        number = _whole(query.get("Page", "0"))
        found = [one for one in reversed(self.messages) if _fits(one, query)]
        found.sort(key=lambda one: one.created, reverse=True)
        start = 0
        if token := query.get("PageToken", ""):
            # The token holds the last message that was shown, so that newer ones do not shift the pages.
            places = [place for place, one in enumerate(found) if "PA" + one.sid == token]
            if not places:
                raise _Refused(400, 20001, "Invalid PageToken")
            start = places[0] + 1
        page = found[start : start + size]
        filters = {name: value for name, value in query.items() if name not in ("Page", "PageToken")}
        here = f"{self._path}?{urlencode({**filters, 'PageSize': size})}"
        further = start + size < len(found)
        return JSONResponse(
            {
                "end": start + len(page) - 1 if page else 0,
                "first_page_uri": f"{here}&Page=0",
                "messages": [_row(one) for one in page],
                "next_page_uri": f"{here}&Page={number + 1}&PageToken=PA{page[-1].sid}" if further else None,
                "page": number,
                "page_size": size,
                "previous_page_uri": None,
                "start": start,
                "uri": f"{here}&Page={number}",
            }
        )


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise _Refused(400, 20001, f"{text} is no number")
    return int(text)


def _fits(one: Sms, query: dict[str, str]) -> bool:
    if query.get("To", one.to) != one.to or query.get("From", one.sender) != one.sender:
        return False
    for name, value in query.items():
        if name.startswith("DateSent"):
            day, sent = value[:10], f"{one.sent:%Y-%m-%d}" if one.sent else ""
            wanted = {"DateSent": sent == day, "DateSent<": sent <= day, "DateSent>": sent >= day}
            if not sent or not wanted[name]:
                return False
    return True


def _row(one: Sms) -> dict[str, Any]:
    def when(at: datetime | None) -> str | None:
        return format_datetime(at) if at is not None else None

    uri = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{one.sid}"
    return {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": one.text,
        "date_created": when(one.created),
        "date_sent": when(one.sent),
        "date_updated": when(one.updated),
        "direction": one.direction,
        "error_code": one.error_code,
        "error_message": f"Error {one.error_code}" if one.error_code else None,
        "from": one.sender,
        "messaging_service_sid": None,
        "num_media": str(one.media),
        "num_segments": str(sms.parts(one.text).parts),
        "price": None,
        "price_unit": "USD",
        "sid": one.sid,
        "status": one.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": one.to,
        "uri": f"{uri}.json",
    }


async def _refusal(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, _Refused)
    more = f"https://www.twilio.com/docs/errors/{exc.code}"
    body = {"code": exc.code, "message": exc.message, "more_info": more, "status": exc.status}
    headers = {"Retry-After": str(exc.retry_after)} if exc.retry_after is not None else {}
    return JSONResponse(body, status_code=exc.status, headers=headers)
