"""Matrix: /sync long poll to come in, idempotent PUT to go out (client-server API v1.11 and later).

The transaction id of a send is our own key, so asking again gives the first answer; that holds per device, which is
why a sign-in by password always names the same device. What an answer proves about a send, by ``errcode``:

=============================================  ==================================================================
answer                                         failure
=============================================  ==================================================================
200 with ``event_id``                          none: sent
M_LIMIT_EXCEEDED, M_RESOURCE_LIMIT_EXCEEDED    TemporaryFailure with ``retry_after_ms``, else ``Retry-After``
M_UNKNOWN_TOKEN, M_MISSING_TOKEN, other 401    SignInFailed (with a password: after one new sign-in)
M_USER_DEACTIVATED, M_CONSENT_NOT_GIVEN …      SignInFailed
M_FORBIDDEN                                    PermanentFailure ``left``: we are not in the room
M_TOO_LARGE                                    PermanentFailure ``too_long``
another 4xx with an errcode                    PermanentFailure
3xx, 4xx without an errcode                    TemporaryFailure: something on the way answered
5xx, a line that broke, 200 without event_id   OutcomeUnknown; the same key may be sent again
no connection                                  TemporaryFailure
=============================================  ==================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

import msgspec

from agentconsole.channels import http, lenient, matrix_events
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
    Parsed,
    RawItem,
    Report,
    Secret,
    Tools,
)

if TYPE_CHECKING:
    import httpx

API: Final = "/_matrix/client/v3"
TEXT_LIMIT: Final = 60_000
"""UTF-8 bytes of one text: an event may have 65,536 with everything around it."""
POLL_SECONDS: Final = 25
POLL_DEADLINE: Final = POLL_SECONDS + 10.0
RETRY_SECONDS: Final = 3.0
TIMELINE: Final = 50
PAGE: Final = 100
MAX_PAGES: Final = 200
"""Pages that one gap is followed back: 20,000 messages of one room while we were away."""
NEW_ROOM_PAGES: Final = 5
"""Pages read of a room that we just joined: what was written before the invitation belongs to the question."""

_MESSAGES: Final = ["m.room.message", "m.room.encrypted", "m.sticker"]
_MEMBERS: Final = {"types": ["m.room.member"], "lazy_load_members": True, "include_redundant_members": True}
_PAGE_FILTER: Final = {**_MEMBERS, "types": _MESSAGES}
_FILTER: Final[dict[str, Any]] = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "account_data": {"types": []},
        "ephemeral": {"types": ["m.receipt"]},
        "state": _MEMBERS,
        "timeline": {**_MEMBERS, "types": [*_MESSAGES, "m.room.member"], "limit": TIMELINE},
    },
}
_SIGN_IN: Final = frozenset(
    ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_SUSPENDED", "M_CONSENT_NOT_GIVEN")
)
_LIMITS: Final = frozenset(("M_LIMIT_EXCEEDED", "M_RESOURCE_LIMIT_EXCEEDED"))


class MatrixOptions(Options, frozen=True, kw_only=True):
    base_url: Annotated[str, msgspec.Meta(description="The homeserver's address, e.g. https://matrix.example.org")]
    user: Annotated[str, msgspec.Meta(pattern=r"^@[^:\s]+:\S+$", description="Our user, e.g. @support:example.org")]
    token: Annotated[Secret | None, msgspec.Meta(description="An access token; or give the password")] = None
    password: Annotated[Secret | None, msgspec.Meta(description="The password; signs in as a device of its own")] = None
    accept_invites: Annotated[bool, msgspec.Meta(description="Join rooms that a customer opens with us")] = True


class MatrixChannel:
    """One Matrix user (implements ``ports.Channel``)."""

    def __init__(self, account: AccountName, options: MatrixOptions, tools: Tools) -> None:
        self._account = account
        self._options = options
        self._tools = tools
        self._client: HttpClient | None = None
        self._token = ""
        self._signing = asyncio.Lock()
        self._newest = ""
        self._found = True
        self._invites: set[str] = set()
        self._new_rooms: set[str] = set()

    async def fetch(self, cursor: Cursor | None) -> Batch:
        """Return what rooms said since ``cursor``. The first time only what follows, or what is not older than the
        account's ``since``."""
        since = cursor.value if cursor is not None else ""
        self._found = True
        told = await self._sync(since, 0)
        joined = await self._accept_invites(told)
        items: list[RawItem] = []
        if since or self._tools.since is not None:
            for room, news in lenient.table(told, "rooms", "join").items():
                items += await self._room(room, news, since)
        self._newest = lenient.text(told, "next_batch") or since
        self._found = bool(items)
        return Batch(tuple(items), Cursor(self._newest) if self._newest else None, more=joined)

    async def wait(self) -> None:
        """Hold a long poll. Asking /sync takes nothing away, so ``fetch`` finds the same again.

        Raises:
            ChannelFailure: the homeserver refuses to be asked.
        """
        if self._found or not self._newest:
            return
        try:
            await self._sync(self._newest, POLL_SECONDS)
        except TemporaryFailure as exc:
            if exc.reason != "unreachable":
                raise
            await self._tools.clock.sleep(RETRY_SECONDS)

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        size = len(outgoing.text.encode("utf-8", "replace"))
        if not outgoing.text.strip():
            raise PermanentFailure("An empty message cannot be sent.", "Write something.", reason="empty")
        if size > TEXT_LIMIT:
            raise PermanentFailure(
                f"The text has {size} bytes; Matrix takes {TEXT_LIMIT}. Nothing was sent.",
                "Shorten it or split it.",
                reason="too_long",
            )
        if outgoing.files:
            raise PermanentFailure("Files cannot go out here yet.", "Send a link.", reason="no_attachments")
        if not outgoing.place.startswith("!"):
            raise PermanentFailure(
                "There is no room with this customer. Nothing was sent.",
                "Ask them to write first.",
                reason="customer_first",
            )
        path = f"/rooms/{quote(outgoing.place, safe='')}/send/m.room.message/{quote(outgoing.key, safe='')}"
        await self._sign_in()
        await commit()
        answer = await self._put(path, outgoing.text)
        if _errcode(answer) == "M_UNKNOWN_TOKEN" and self._options.password is not None:
            # Refused for certain; and with the same key a second request could not double the message anyway.
            self._token = ""
            await self._sign_in()
            answer = await self._put(path, outgoing.text)
        event = lenient.text(_body(answer), "event_id")
        if answer.status_code == 200 and event:
            return Report(external_id=event)
        raise self._refusal(answer)

    async def probe(self) -> str:
        """Sign in and ask who we are."""
        me = lenient.text(await self._ask("GET", "/account/whoami"), "user_id")
        return f"{self._options.base_url} answers as {me}."

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # -- signing in ----------------------------------------------------------------------------------------

    async def _sign_in(self) -> None:
        async with self._signing:
            if self._token:
                return
            if self._options.token is not None:
                token = await self._reveal(self._options.token)
            elif self._options.password is not None:
                token = await self._log_in(await self._reveal(self._options.password))
            else:
                raise SignInFailed(f"{self._account} has neither token nor password.", "Set one.", reason="no_secret")
            if not token.isascii() or not token.isprintable() or " " in token or not token:
                raise SignInFailed(f"The token of {self._account} is empty or has odd characters.", "Copy it again.")
            me = lenient.text(await self._checked("GET", "/account/whoami", token=token), "user_id")
            if me != self._options.user:
                raise SignInFailed(
                    f"The token of {self._account} belongs to {me}, not to {self._options.user}.",
                    "Correct user or token.",
                )
            self._token = token

    async def _reveal(self, secret: Secret) -> str:
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._tools.worker, secret.reveal)
        except AgentConsoleError as exc:
            raise SignInFailed(exc.message, exc.hint, reason="no_secret") from exc
        return found.strip()

    async def _log_in(self, password: str) -> str:
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": self._options.user},
            "password": password,
            "device_id": f"AGENTCONSOLE_{self._account}",
            "initial_device_display_name": "agentconsole",
        }
        try:
            told = await self._checked("POST", "/login", json=body)
        except PermanentFailure as exc:
            raise SignInFailed(
                f"The homeserver refused the password of {self._options.user}. Other accounts go on.",
                "Check user and password.",
            ) from exc
        return lenient.text(told, "access_token")

    # -- requests ------------------------------------------------------------------------------------------

    async def _request(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        params: dict[str, str] | None = None,
        json: object = None,
        deadline: float | None = None,
        delivers: bool = False,
    ) -> httpx.Response:
        if self._client is None:
            self._client = self._tools.http(self._options.base_url.rstrip("/"))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._client.request(
            method, API + path, params=params, json=json, headers=headers, deadline=deadline, delivers=delivers
        )

    async def _put(self, path: str, text: str) -> httpx.Response:
        try:
            body = {"msgtype": "m.text", "body": text}
            return await self._request("PUT", path, token=self._token, json=body, delivers=True)
        except http.HTTPError as exc:
            raise http.failure(exc, "The homeserver") from exc

    async def _checked(self, method: str, path: str, **how: Any) -> lenient.Table:
        """Ask something that changes no conversation.

        Raises:
            ChannelFailure: any but ``OutcomeUnknown``.
        """
        try:
            answer = await self._request(method, path, **how)
        except http.HTTPError as exc:
            raise http.unreachable(exc, "The homeserver") from exc
        body = _body(answer)
        if answer.status_code == 200 and body:
            return body
        failure = self._refusal(answer)
        if isinstance(failure, OutcomeUnknown):
            raise TemporaryFailure(
                f"The homeserver answers {answer.status_code} without a usable body. Nothing was lost.",
                "It is tried again.",
                reason="unreachable",
            )
        raise failure

    async def _ask(self, method: str, path: str, **how: Any) -> lenient.Table:
        await self._sign_in()
        try:
            return await self._checked(method, path, token=self._token, **how)
        except SignInFailed:
            self._token = ""
            if self._options.password is None:
                raise
        await self._sign_in()
        return await self._checked(method, path, token=self._token, **how)

    async def _sync(self, since: str, seconds: int) -> lenient.Table:
        params = {
            "filter": lenient.dump(_FILTER).decode(),
            "timeout": str(seconds * 1000),
            "set_presence": "offline",
        }
        if since:
            params["since"] = since
        return await self._ask("GET", "/sync", params=params, deadline=POLL_DEADLINE)

    # -- rooms ---------------------------------------------------------------------------------------------

    async def _accept_invites(self, told: lenient.Table) -> bool:
        """Join the rooms that customers opened with us, and say whether there were any."""
        if not self._options.accept_invites:
            return False
        for room, invite in lenient.table(told, "rooms", "invite").items():
            if matrix_events.is_direct_invite(invite, self._options.user):
                self._invites.add(room)
        joined = False
        for room in sorted(self._invites):
            try:
                await self._ask("POST", f"/join/{quote(room, safe='')}", json={})
            except TemporaryFailure as exc:
                self._tools.log.warning("%s: an invitation waits: %s", self._account, exc.message)
                continue
            except PermanentFailure as exc:
                self._tools.log.warning("%s: an invitation no longer holds: %s", self._account, exc.message)
            else:
                self._new_rooms.add(room)
                joined = True
            self._invites.discard(room)
        return joined

    async def _room(self, room: str, news: lenient.Table, since: str) -> list[RawItem]:
        me, now = self._options.user, self._tools.clock.now()
        events = lenient.rows(news, "timeline", "events")
        known = [*lenient.rows(news, "state", "events"), *events]
        if lenient.dig(news, "timeline", "limited") is True:
            new = room in self._new_rooms or matrix_events.just_joined(known, me)
            older, states = await self._older(room, lenient.text(news, "timeline", "prev_batch"), since, new)
            # Of a room that was just joined, Synapse gives the start of the page once more in the timeline.
            here = {lenient.text(event, "event_id") for event in events}
            older = [event for event in older if lenient.text(event, "event_id") not in here]
            events, known = [*older, *events], [*states, *known]
        self._new_rooms.discard(room)
        oldest = self._tools.since if not since else None
        names = matrix_events.names(known)
        items = []
        for event in events:
            at = lenient.moment(event, "origin_server_ts", per_second=1000)
            if matrix_events.is_theirs(event, me) and (oldest is None or at is None or at >= oldest):
                meta = {"room": room, "name": names.get(lenient.text(event, "sender"), "")}
                items.append(RawItem(lenient.text(event, "event_id"), lenient.dump(event), now, meta))
        for event in lenient.rows(news, "ephemeral", "events"):
            for identity, receipt in matrix_events.receipts(event, me):
                items.append(RawItem(identity, lenient.dump(receipt), now, {"room": room}))
        return items

    async def _older(
        self, room: str, start: str, since: str, new: bool
    ) -> tuple[list[lenient.Table], list[lenient.Table]]:
        """Follow a room back to where the last sync ended; return its events, oldest first, and its members."""
        path, found, states = f"/rooms/{quote(room, safe='')}/messages", list[lenient.Table](), list[lenient.Table]()
        params = {"dir": "b", "limit": str(PAGE), "filter": lenient.dump(_PAGE_FILTER).decode()}
        if since and not new:
            params["to"] = since
        oldest = self._tools.since if not since else None
        for _page in range(NEW_ROOM_PAGES if new else MAX_PAGES):
            if not start:
                break
            try:
                told = await self._ask("GET", path, params={**params, "from": start})
            except PermanentFailure as exc:
                self._tools.log.warning("%s: older messages of a room are closed to us: %s", self._account, exc.message)
                break
            chunk = lenient.rows(told, "chunk")
            found += chunk
            states += lenient.rows(told, "state")
            following = lenient.text(told, "end")
            at = lenient.moment(chunk[-1], "origin_server_ts", per_second=1000) if chunk else None
            if following == start or (oldest is not None and at is not None and at < oldest):
                break
            start = following
        else:
            if not new:
                self._tools.log.error("%s: a gap in %s is longer than %d pages", self._account, room, MAX_PAGES)
        return found[::-1], states

    def _refusal(self, answer: httpx.Response) -> ChannelFailure:
        """Say what an answer other than "sent" proves; the table stands at the top of this module."""
        body, status, errcode = _body(answer), answer.status_code, _errcode(answer)
        said = f"{errcode} {lenient.text(body, 'error')[:200]}".strip()
        if errcode in _LIMITS or status == 429:
            return TemporaryFailure(
                "The homeserver asks for a pause. Nothing was sent.",
                "It is tried again.",
                reason="rate_limited",
                retry_after=_pause(body, answer.headers.get("retry-after", "")),
            )
        if status >= 500 or status < 300:
            return OutcomeUnknown(
                f"The homeserver answered {status} {said}: it may have sent it.", "Check whether it arrived."
            )
        if errcode in _SIGN_IN or status == 401:
            return SignInFailed(
                f"The homeserver refused the account {self._account}: {said}. Other accounts go on.",
                "Check token or password.",
            )
        if not errcode:
            return TemporaryFailure(
                f"Something on the way to the homeserver answered {status}. Nothing was sent.",
                "It is tried again; check base_url and proxies.",
            )
        reason = {"M_FORBIDDEN": "left", "M_TOO_LARGE": "too_long"}.get(errcode, "refused")
        return PermanentFailure(
            f"The homeserver refused it: {said}. Nothing was sent.", "Use another channel.", reason=reason
        )


def _body(answer: httpx.Response) -> lenient.Table:
    try:
        return lenient.table(lenient.load(answer.content))
    except ValueError:
        return {}


def _errcode(answer: httpx.Response) -> str:
    return lenient.text(_body(answer), "errcode") if answer.status_code != 200 else ""


def _pause(body: lenient.Table, header: str) -> float | None:
    """Return the seconds that the homeserver asked to wait, or None where it named none, or more than a day."""
    asked = lenient.number(body, "retry_after_ms")
    if asked is None:
        asked = 1000 * int(header) if header.isascii() and header.isdigit() and len(header) < 10 else None
    return asked / 1000 if asked is not None and 0 <= asked <= 86_400_000 else None


def parse(item: RawItem) -> Sequence[Parsed]:
    """Read one event; see ``matrix_events.parse``."""
    return matrix_events.parse(item)


def _own_address(options: MatrixOptions) -> str:
    return options.user


KIND: Final = ChannelKind(
    name="matrix",
    title="Matrix",
    medium=Medium("matrix"),
    options=MatrixOptions,
    capabilities=Capabilities(
        address_kind="matrix",
        text_limit=TEXT_LIMIT,
        text_unit="bytes",
        receipts=(Delivery.READ,),
        customer_first=True,
        live=True,
        idempotency="same_answer",
    ),
    open=MatrixChannel,
    parse=parse,
    own_address=_own_address,
    verified_by="real server",
)
