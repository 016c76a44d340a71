"""SMS through Twilio (REST API 2010-04-01, checked against twilio/twilio-oai).

Messages and states come by polling the message list, and also by webhook where a public address is set. There is no
idempotency key; our key travels in the address of the status callback, so that a report can prove a send whose answer
got lost, and without a callback the polled list is searched for it.

What an answer to a send proves (``code`` is Twilio's own in the JSON body):

=============================================  ==================================================================
answer                                         failure
=============================================  ==================================================================
201 with a sid                                 none: sent (Twilio has it)
201 with status failed, undelivered, canceled  PermanentFailure, by its error code
2xx without a readable sid                     OutcomeUnknown
401, 403, 404, redirects; ``SENDER_CODES``     SignInFailed: token, account or sender is wrong
429; ``BUSY_CODES``                            TemporaryFailure, after Retry-After where given
400 with 21610                                 PermanentFailure ``opted_out``
400 with 21211, 21614, …; any other 4xx        PermanentFailure
5xx, the line broke after the request began    OutcomeUnknown
no connection                                  TemporaryFailure
=============================================  ==================================================================
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from agentconsole.channels import http, lenient
from agentconsole.channels.twilio_events import (
    OPTED_OUT,
    REASONS,
    STATES,
    TAKEN,
    TwilioWebhook,
    parse,
    reason_of,
    status_identity,
    when,
)
from agentconsole.domain.addresses import PHONE
from agentconsole.domain.model import AccountName, Delivery, Medium
from agentconsole.errors import (
    AgentConsoleError,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    SignInFailed,
    TemporaryFailure,
)
from agentconsole.ports import (
    Batch,
    Capabilities,
    ChannelKind,
    Commit,
    Cursor,
    HttpClient,
    Options,
    Outgoing,
    RawItem,
    Report,
    Secret,
    Tools,
)
from agentconsole.text import sms

if TYPE_CHECKING:
    import httpx

MAX_PARTS: Final = 10
"""Ten parts are at most 1,530 units, so Twilio's other limit of 1,600 characters is never reached."""
PAGE: Final = 50
OVERLAP: Final = 300
"""Seconds before the newest known message that are read again, because the list may show one late."""
WATCHED: Final = 24 * 3600
"""Seconds for which an unfinished message of ours is looked up; Twilio gives up after ten hours at most."""
CLOCKS_APART: Final = timedelta(minutes=2)
LOOK_PAGES: Final = 10
FIRST_LOOK: Final = timedelta(days=1)
BUSY_CODES: Final = frozenset({20429, 14107, 21611, 30001, 30022})
SENDER_CODES: Final = frozenset({20003, 20005, 20006, 20404, 21212, 21603, 21606, 21659, 21660, 30002})
"""The sender is not ours, or the account may not send: no other message would fare better."""

_NUMBER: Final = re.compile(r"\+?[0-9]{3,15}")


class TwilioOptions(Options, frozen=True, kw_only=True):
    account_sid: Annotated[str, msgspec.Meta(pattern="^AC[0-9a-fA-F]{32}$", description="Account SID of the console")]
    auth_token: Annotated[Secret, msgspec.Meta(description="Auth token of that account")]
    sender: Annotated[str, msgspec.Meta(description="Our number, as +15550001111")]
    base_url: Annotated[str, msgspec.Meta(description="Twilio's address; another one for tests and proxies")] = (
        "https://api.twilio.com"
    )
    poll_seconds: Annotated[float, msgspec.Meta(ge=1, le=3600, description="Pause between two looks, in seconds")] = 15


class _Stream(msgspec.Struct):
    """How far one direction of the list was read. Times are seconds since 1970.

    Args:
        newest: the newest creation time of all finished rounds.
        seen: identities handed out that a next look would find again, with their creation times.
        unfinished: messages of ours whose state may still change.
        page: the query of the next page of a round that is under way, newest message first.
        top: the newest creation time of that round.
    """

    newest: int
    seen: dict[str, int] = {}
    unfinished: dict[str, int] = {}
    page: str = ""
    top: int = 0

    @property
    def floor(self) -> int:
        return min([self.newest - OVERLAP, *self.unfinished.values()])


class _Mark(msgspec.Struct):
    inbound: _Stream
    outbound: _Stream


class _Doubt(msgspec.Struct, frozen=True):
    to: str
    text: str
    since: int


class TwilioChannel:
    """One number of one Twilio account (implements ``ports.Channel``)."""

    def __init__(self, account: AccountName, options: TwilioOptions, tools: Tools) -> None:
        self._account = account
        self._options = options
        self._tools = tools
        self._client: HttpClient | None = None
        self._set_aside: list[HttpClient] = []
        self._doubts: dict[str, _Doubt] = {}
        self._answered: deque[str] = deque(maxlen=500)
        self._sending = False
        self._messages = f"/2010-04-01/Accounts/{options.account_sid}/Messages.json"

    # -- coming in -----------------------------------------------------------------------------------------

    async def fetch(self, cursor: Cursor | None) -> Batch:
        """Read one page of received messages and one of ours. Without ``since`` the first look goes back a day."""
        mark = self._mark(cursor)
        under_way = bool(mark.inbound.page or mark.outbound.page)
        items: list[RawItem] = []
        if mark.inbound.page or not under_way:
            items += await self._look(mark.inbound, "To")
        if mark.outbound.page or not under_way:
            items += await self._look(mark.outbound, "From")
        more = bool(mark.inbound.page or mark.outbound.page)
        return Batch(tuple(items), Cursor(msgspec.json.encode(mark).decode()), more)

    def _mark(self, cursor: Cursor | None) -> _Mark:
        if cursor is not None:
            try:
                return msgspec.json.decode(cursor.value, type=_Mark)
            except msgspec.DecodeError:
                self._tools.log.warning("%s: the cursor is not readable, reading again", self._account)
        since = int((self._tools.since or self._tools.clock.now() - FIRST_LOOK).timestamp())
        return _Mark(_Stream(since + OVERLAP), _Stream(since + OVERLAP))

    async def _look(self, stream: _Stream, ours: str) -> list[RawItem]:
        """Read the next page of one direction, newest first, down to what an earlier round has read."""
        if stream.page:
            params = dict(parse_qsl(stream.page))
        else:
            stream.top = stream.newest
            params = {ours: self._options.sender, "PageSize": str(PAGE)}
            if ours == "To":
                # The filter knows days only; messages of ours that wait have no time of sending yet.
                day = datetime.fromtimestamp(stream.floor, UTC) - timedelta(days=1)
                params["DateSent>"] = f"{day:%Y-%m-%d}T00:00:00Z"
        answer = await self._get(params)
        if stream.page and answer.status_code in (400, 404):
            self._tools.log.warning("%s: a page of the list has expired, reading again", self._account)
            stream.page = ""
            answer = await self._get({ours: self._options.sender, "PageSize": str(PAGE)})
        page = self._read(answer)
        now, floor, items, reached = self._tools.clock.now(), stream.floor, [], False
        for row in lenient.rows(page, "messages"):
            sid = lenient.text(row, "sid")
            at = when(lenient.text(row, "date_created"))
            created = int((at or now).timestamp())
            if created < floor:
                reached = True
                continue
            stream.top = max(stream.top, min(created, int(now.timestamp())))
            item = self._received(stream, row, sid, now) if ours == "To" else self._ours(stream, row, sid, created, now)
            if item is not None:
                stream.seen[item.identity] = created
                items.append(item)
        stream.page = "" if reached else urlsplit(lenient.text(page, "next_page_uri")).query
        if not stream.page:
            self._finish(stream, int(now.timestamp()))
        return items

    def _received(self, stream: _Stream, row: lenient.Table, sid: str, now: datetime) -> RawItem | None:
        if lenient.text(row, "direction") != "inbound" or not sid or sid in stream.seen:
            return None
        return RawItem(sid, lenient.dump(row), now, {"format": "json"})

    def _ours(self, stream: _Stream, row: lenient.Table, sid: str, created: int, now: datetime) -> RawItem | None:
        status = lenient.text(row, "status")
        if lenient.text(row, "direction") == "inbound" or not sid:
            return None
        if status in TAKEN or status == "sent":
            stream.unfinished[sid] = created
        else:
            stream.unfinished.pop(sid, None)
        identity, key = status_identity(sid, status), self._proves(row, sid, created)
        if not key and (status not in STATES or identity in stream.seen):
            return None
        return RawItem(identity, lenient.dump(row), now, {"format": "json", **({"key": key} if key else {})})

    def _proves(self, row: lenient.Table, sid: str, created: int) -> str:
        """Return the key of a send without an answer that this message can only come from."""
        if self._sending or sid in self._answered:
            # What is being sent now may be this very message: the next look knows.
            return ""
        to, text = lenient.text(row, "to"), lenient.text(row, "body")
        fitting = [
            key
            for key, doubt in self._doubts.items()
            if (to, text) == (doubt.to, doubt.text) and created >= doubt.since
        ]
        if len(fitting) != 1:
            return ""  # of two equal texts nobody knows which one this is
        del self._doubts[fitting[0]]
        self._answered.append(sid)
        return fitting[0]

    @staticmethod
    def _finish(stream: _Stream, now: int) -> None:
        stream.newest = max(stream.newest, stream.top)
        stream.unfinished = {sid: at for sid, at in stream.unfinished.items() if at > now - WATCHED}
        floor = stream.floor
        stream.seen = {identity: at for identity, at in stream.seen.items() if at >= floor}

    async def _get(self, params: Mapping[str, str]) -> httpx.Response:
        client = await self._open()
        try:
            return await client.request("GET", self._messages, params=params)
        except http.HTTPError as exc:
            raise http.unreachable(exc, "Twilio") from exc

    def _read(self, answer: httpx.Response) -> object:
        if answer.status_code == 200:
            try:
                return lenient.load(answer.content)
            except ValueError as exc:
                raise TemporaryFailure("Twilio's list of messages is not readable.", "It is tried again.") from exc
        failure = _refusal(answer)
        if isinstance(failure, SignInFailed):
            self._forget()
            raise failure
        retry = failure.retry_after if isinstance(failure, TemporaryFailure) else None
        raise TemporaryFailure(
            f"Twilio's list of messages answers {answer.status_code}. Nothing was lost.",
            "It is tried again.",
            reason=failure.reason,
            retry_after=retry,
        )

    async def wait(self) -> None:
        await self._tools.clock.sleep(self._options.poll_seconds)

    # -- going out -----------------------------------------------------------------------------------------

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        number, text = outgoing.address.value, outgoing.text.replace("\r\n", "\n")
        if not _NUMBER.fullmatch(number):
            raise PermanentFailure(f"{number!r} is no phone number.", "Correct the address.", reason="bad_address")
        if not text.strip():
            raise PermanentFailure("An SMS without a text cannot be sent.", "Write something.", reason="empty")
        if outgoing.files:
            raise PermanentFailure("An SMS carries no files.", "Use e-mail or send a link.", reason="no_attachments")
        count = sms.parts(text).parts
        if count > MAX_PARTS:
            raise PermanentFailure(
                f"The text needs {count} SMS parts; at most {MAX_PARTS} go in one message. Nothing was sent.",
                "Shorten it or use another channel.",
                reason="too_long",
            )
        form = {"To": number, "From": self._options.sender, "Body": text}
        if self._tools.public_url:
            hook = f"{self._tools.public_url}/hook/{quote(self._account, safe='')}"
            form["StatusCallback"] = f"{hook}?key={quote(outgoing.key, safe='')}"
        client = await self._open()
        await commit()
        # A little earlier than now, because Twilio's clock is not ours and its times have no fractions.
        doubt = _Doubt(number, text, int(self._tools.clock.now().timestamp()) - 120)
        self._sending = True
        try:
            report = _report(await client.request("POST", self._messages, form=form, delivers=True))
        except http.HTTPError as exc:
            failure = http.failure(exc, "Twilio")
            if isinstance(failure, OutcomeUnknown):
                self._doubts[outgoing.key] = doubt
            raise failure from exc
        except OutcomeUnknown:
            self._doubts[outgoing.key] = doubt
            raise
        except SignInFailed:
            self._forget()
            raise
        except asyncio.CancelledError:
            self._doubts[outgoing.key] = doubt
            raise
        finally:
            self._sending = False
        self._doubts.pop(outgoing.key, None)
        self._answered.append(report.external_id)
        return report

    # -- asking --------------------------------------------------------------------------------------------

    @property
    def can_look(self) -> bool:
        return True

    async def look(self, outgoing: Outgoing, since: datetime, known: frozenset[str]) -> Report | None:
        """Search the list of what went to this number (see ``ports.channel.Asked``). Twilio keeps no key of ours, so
        number, text and time have to do; what is known to be another reply is left out, and of several equal ones
        none is a proof."""
        text, earliest = outgoing.text.replace("\r\n", "\n"), since - CLOCKS_APART
        params = {"To": outgoing.address.value, "From": self._options.sender, "PageSize": str(PAGE)}
        fitting: dict[str, lenient.Table] = {}
        for _ in range(LOOK_PAGES):
            page = self._read(await self._get(params))
            rows = lenient.rows(page, "messages")
            times = [when(lenient.text(row, "date_created")) for row in rows]
            for row, at in zip(rows, times, strict=True):
                ours = lenient.text(row, "direction") != "inbound" and lenient.text(row, "sid") not in {"", *known}
                if ours and lenient.text(row, "body") == text and (at is None or at >= earliest):
                    fitting[lenient.text(row, "sid")] = row
            following = urlsplit(lenient.text(page, "next_page_uri")).query
            if not following or any(at is not None and at < earliest for at in times):
                break
            params = dict(parse_qsl(following))
        if len(fitting) != 1:
            return None
        ((sid, row),) = fitting.items()
        status = lenient.text(row, "status")
        return Report(sid, STATES.get(status, Delivery.SENT), detail=status)

    async def probe(self) -> str:
        self._read(await self._get({"PageSize": "1"}))
        return f"Twilio took the token of account {self._options.account_sid}. Sending was not tried."

    async def aclose(self) -> None:
        self._forget()
        while self._set_aside:
            await self._set_aside.pop().aclose()

    async def _open(self) -> HttpClient:
        if self._client is None:
            try:
                token = await asyncio.get_running_loop().run_in_executor(
                    self._tools.worker, self._options.auth_token.reveal
                )
            except AgentConsoleError as exc:
                raise SignInFailed(exc.message, exc.hint, reason="no_secret") from exc
            if self._client is None:
                self._client = self._tools.http(
                    self._options.base_url.rstrip("/"), auth=(self._options.account_sid, token)
                )
        return self._client

    def _forget(self) -> None:
        """Let the next request read the token again. A send may still use the old client: it is closed at the end."""
        if self._client is not None:
            self._set_aside.append(self._client)
            self._client = None


def _report(answer: httpx.Response) -> Report:
    if not 200 <= answer.status_code < 300:
        raise _refusal(answer)
    try:
        row = lenient.load(answer.content)
    except ValueError:
        row = None
    sid, status = lenient.text(row, "sid"), lenient.text(row, "status")
    if not sid:
        raise OutcomeUnknown(
            f"Twilio answered {answer.status_code} without naming the message: it may have been sent.",
            "Check whether it arrived.",
        )
    if STATES.get(status) is Delivery.FAILED:
        raise _permanent(lenient.number(row, "error_code") or 0, lenient.text(row, "error_message"))
    return Report(external_id=sid, state=Delivery.SENT, detail=status)


def _refusal(answer: httpx.Response) -> ChannelFailure:
    """Say what an answer other than success proves; the table stands at the top of this module."""
    status = answer.status_code
    try:
        row = lenient.load(answer.content)
    except ValueError:
        row = None
    code, said = lenient.number(row, "code") or 0, lenient.text(row, "message")[:200]
    if status >= 500:
        return OutcomeUnknown(f"Twilio answered {status} {said}: it may have been sent.", "Check whether it arrived.")
    if status == 429 or code in BUSY_CODES:
        wait = answer.headers.get("Retry-After", "")
        retry = min(float(wait), 3600.0) if wait.isascii() and wait.isdecimal() and len(wait) < 10 else None
        return TemporaryFailure("Twilio is busy.", "It is tried again.", reason="rate_limited", retry_after=retry)
    if code in REASONS:
        return _permanent(code, said)
    if code in SENDER_CODES or status in (401, 403, 404) or status < 400:
        return SignInFailed(
            f"Twilio refused the account or its sender ({status}, {code or 'no code'}): {said} Other accounts go on.",
            "Check account_sid, auth_token, sender and base_url.",
        )
    return _permanent(code, said)


def _permanent(code: int, said: str) -> PermanentFailure:
    reason = reason_of(code)
    if code == OPTED_OUT:
        return PermanentFailure(
            "The customer has opted out of SMS from this number. Nothing was sent.",
            "Use another channel.",
            reason=reason,
        )
    what = f"Twilio refused it ({code or 'no code'}): {said}"
    return PermanentFailure(what, "Check number and text.", reason=reason if reason != "not_delivered" else "refused")


def _webhook(_account: AccountName, options: TwilioOptions) -> TwilioWebhook:
    return TwilioWebhook(options.auth_token)


def _own_address(options: TwilioOptions) -> str:
    return options.sender


KIND: Final = ChannelKind(
    name="twilio",
    title="SMS (Twilio)",
    medium=Medium("sms"),
    options=TwilioOptions,
    capabilities=Capabilities(
        address_kind=PHONE,
        text_limit=MAX_PARTS,
        text_unit="sms",
        receipts=(Delivery.DELIVERED, Delivery.FAILED),
        live=True,
        idempotency="none",
    ),
    open=TwilioChannel,
    parse=parse,
    own_address=_own_address,
    webhook=_webhook,
    verified_by="vendor schema",
)
