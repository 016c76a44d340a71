"""The receiving side: catches up by UID, waits with IDLE, survives broken lines. IMAP runs on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple, TypeVar

import msgspec

from agentconsole.channels.email import headers, mime, tls
from agentconsole.channels.email.answers import Message
from agentconsole.channels.email.imap import Connection, FetchRefused
from agentconsole.channels.email.options import DEADLINES, Deadlines, EmailOptions, ImapServer
from agentconsole.errors import ChannelFailure, TemporaryFailure
from agentconsole.ports import Batch, Cursor, RawItem, Tools

BATCH_MESSAGES: Final = 50
BATCH_BYTES: Final = 8_000_000
MESSAGE_LIMIT: Final = 25_000_000
"""Bytes of one mail that are fetched; of a larger one only the headers, with a notice."""
IDLE_SECONDS: Final = 540.0
"""Many routers forget a silent line after ten minutes."""
POLL_SECONDS: Final = 60.0
CLOSE_DEADLINE: Final = 20.0

T = TypeVar("T")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STAMP: Final = re.compile(r" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")


class Position(NamedTuple):
    """What a cursor holds: all up to ``uid`` is taken. Up to ``scan``, the first look at the folder, only mail since
    the account's ``since`` counts; what arrives (or is moved here) later counts whatever its date."""

    validity: int
    uid: int
    scan: int

    @classmethod
    def read(cls, cursor: Cursor | None) -> Position | None:
        if cursor is None:
            return None
        try:
            held = json.loads(cursor.value)
            return cls(int(held["validity"]), int(held["uid"]), int(held.get("scan", 0)))
        except (ValueError, KeyError, TypeError):
            return None

    def cursor(self) -> Cursor:
        return Cursor(json.dumps(self._asdict()))


class Mailbox:
    """One folder of one account.

    Args:
        options: the account's keys.
        tools: clock, randomness, ``since`` and log of the account.
        deadlines: how long the server may take.
    """

    def __init__(self, options: EmailOptions, tools: Tools, deadlines: Deadlines = DEADLINES) -> None:
        self._deadlines = deadlines
        self._options = options
        self._tools = tools
        self._thread: ThreadPoolExecutor | None = None
        self._session: Connection | None = None
        self._taken: Position | None = None
        self._rest: tuple[tuple[Connection, Position], list[int]] | None = None
        """What a catch-up still has before it: NOOP and SEARCH took 0.13 s a batch on a large Maildir."""
        self._failures = 0

    # -- running on the thread -------------------------------------------------------------------------------

    def _executor(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        return self._thread

    async def _run(self, work: Callable[[], T], deadline: float) -> T:
        """Run ``work`` on the mailbox's thread. When the caller leaves or time is up, the line is cut, so that the
        thread comes free and nothing half-read is used again."""
        future = asyncio.get_running_loop().run_in_executor(self._executor(), work)
        try:
            # wait_for of Python 3.11 swallows a cancellation that comes as the future ends: a hub then never stopped.
            async with asyncio.timeout(deadline):
                return await asyncio.shield(future)
        except TimeoutError as exc:
            self._cut(future)
            raise TemporaryFailure(
                f"{self._options.imap.host} took longer than {deadline:.0f} seconds.",
                "It is tried again.",
                reason="unreachable",
            ) from exc
        except asyncio.CancelledError:
            self._cut(future)
            raise

    def _cut(self, future: asyncio.Future[T]) -> None:
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._session is not None:
            self._session.cut()

    def _connect(self, server: ImapServer | None = None) -> Connection:
        server = server or self._options.imap
        return Connection(server, tls.context(self._options.ca_file), tls.reveal(server.password), self._deadlines)

    def _ready(self) -> Connection:
        if self._session is not None and not self._session.alive:
            self._drop()
        if self._session is None:
            self._session = self._connect()
        return self._session

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _guarded(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` on a live session; a line that broke since it was last used is opened again once."""
        reused = self._session is not None
        try:
            return work(self._ready())
        except ChannelFailure:
            self._drop()
            raise
        except Exception as exc:
            self._drop()
            if not reused:
                raise tls.explain(exc, self._options.imap.host, self._options.imap.resolved_port()) from exc
        return self._guarded(work)

    # -- fetch -----------------------------------------------------------------------------------------------

    async def fetch(self, cursor: Cursor | None) -> Batch:
        """See ``ports.Channel.fetch``."""
        position, batch = await self._run(
            lambda: self._guarded(lambda session: self._catch_up(session, Position.read(cursor))), self._deadlines.fetch
        )
        self._taken = position
        return batch

    def _catch_up(self, session: Connection, position: Position | None) -> tuple[Position, Batch]:
        selected = session.selected
        if position is None or position.validity != selected.uid_validity:
            scan = selected.uid_next - 1 if self._tools.since is not None else 0
            position = Position(selected.uid_validity, 0, max(scan, 0))
        expected, uids = self._rest if self._rest is not None else (None, [])
        self._rest = None
        if expected != (session, position):
            position, uids = self._look(session, position)
        if not uids:
            return position, Batch((), position.cursor())
        sizes = self._sizes(session, uids[:BATCH_MESSAGES])
        chosen: list[int] = []
        total = 0
        for uid in uids[:BATCH_MESSAGES]:
            cost = min(sizes[uid].size, MESSAGE_LIMIT) if uid in sizes else 0
            if chosen and total + cost > BATCH_BYTES:
                break
            chosen.append(uid)
            total += cost
        items = self._items(session, [sizes[uid] for uid in chosen if uid in sizes])
        position = position._replace(uid=chosen[-1])
        if len(chosen) < len(uids):
            self._rest = ((session, position), uids[len(chosen) :])
        more = self._rest is not None or position.uid < position.scan
        return position, Batch(tuple(items), position.cursor(), more=more)

    def _look(self, session: Connection, position: Position) -> tuple[Position, list[int]]:
        """Return the UIDs after ``position``, in order, and the position to count from."""
        uids: list[int] = []
        if position.uid < position.scan and self._tools.since is not None:
            found = session.search(position.uid + 1, _day(self._tools.since - timedelta(days=1)))
            uids = [uid for uid in found if uid <= position.scan]
            if not uids:
                position = position._replace(uid=position.scan)
        if not uids:
            uids = session.search(position.uid + 1)
        return position, uids

    @staticmethod
    def _sizes(session: Connection, uids: list[int]) -> dict[int, Message]:
        try:
            return session.sizes(uids)
        except FetchRefused:
            found: dict[int, Message] = {}
            for uid in uids:
                try:
                    found.update(session.sizes([uid]))
                except FetchRefused:
                    found[uid] = Message(uid, 0, "", None)
            return found

    def _items(self, session: Connection, listed: list[Message]) -> list[RawItem]:
        small = [message.uid for message in listed if message.size <= MESSAGE_LIMIT]
        try:
            whole = session.bodies(small, MESSAGE_LIMIT + 1)
        except FetchRefused:
            whole = {}
            for uid in small:
                with contextlib.suppress(FetchRefused):
                    whole.update(session.bodies([uid], MESSAGE_LIMIT + 1))
        found: list[RawItem] = []
        for message in listed:
            got = whole.get(message.uid)
            if got is not None and got.payload is not None and len(got.payload) <= MESSAGE_LIMIT:
                found.append(self._item(message, got.payload))
            else:
                found.append(self._only_headers(session, message))
        return found

    def _only_headers(self, session: Connection, message: Message) -> RawItem:
        """Return what can be had of a mail that is too large or that the server does not hand out."""
        try:
            got = session.headers([message.uid], headers.BLOCK_LIMIT).get(message.uid)
            payload = got.payload if got is not None else None
            why = "it sent nothing"
        except FetchRefused as exc:
            payload, why = None, str(exc)
        if payload:
            return self._item(message, payload, {mime.META_CUT: str(message.size)})
        stand_in = f"{self._taken_name()}:{message.uid}".encode()
        return self._item(message, stand_in, {mime.META_BROKEN: why or "refused"})

    def _taken_name(self) -> str:
        session = self._session
        return f"{self._options.own}:{session.selected.uid_validity if session is not None else 0}"

    def _item(self, message: Message, payload: bytes, extra: dict[str, str] | None = None) -> RawItem:
        meta = {
            "folder": self._options.imap.folder,
            "uid": str(message.uid),
            mime.META_OWN: self._options.own,
            **(extra or {}),
        }
        if self._options.authserv_id.strip():
            meta[mime.META_SERVER] = self._options.authserv_id
        taken = _stamp(message.internal_date)
        if taken is not None:
            meta[mime.META_DATE] = taken.isoformat()
        return RawItem(mime.identity(payload), payload, self._tools.clock.now(), meta)

    # -- wait ------------------------------------------------------------------------------------------------

    async def wait(self) -> None:
        """See ``ports.Channel.wait``. Returns at once where nothing was fetched yet.

        A cancelled wait leaves the session in IDLE; the next command ends it (imaplib2 sends DONE first).
        """
        if self._taken is None:
            return
        clock = self._tools.clock
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def done() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        try:
            state = await self._run(
                lambda: self._guarded(lambda session: self._begin(session, done)), self._deadlines.fetch
            )
        except ChannelFailure as exc:
            self._tools.log.info("waiting failed: %s", exc.message)
            await self._pause()
            return
        if state == "poll":
            await clock.sleep(POLL_SECONDS)
        if state != "idle":
            return
        started = clock.monotonic()
        try:
            async with asyncio.timeout(IDLE_SECONDS + 30):
                await ended.wait()
        except TimeoutError:
            if self._session is not None:
                self._session.cut()
        if self._session is not None and self._session.alive:
            self._failures = 0
        elif clock.monotonic() - started < POLL_SECONDS:
            await self._pause()

    def _begin(self, session: Connection, done: Callable[[], None]) -> str:
        """Begin IDLE unless something is there already. Whatever arrives between the look and IDLE is announced."""
        taken = self._taken
        if taken is None or taken.validity != session.selected.uid_validity or session.search(taken.uid + 1):
            return "now"
        if session.arrived():
            return "now"
        if not session.can_idle:
            return "poll"
        session.idle(IDLE_SECONDS, done)
        if session.arrived():
            session.stop_idle()
            return "now"
        return "idle"

    async def _pause(self) -> None:
        """Hold back after a line that broke at once, longer each time, so that a broken server is not hammered."""
        self._failures = min(self._failures + 1, 6)
        await self._tools.clock.sleep((2**self._failures) * (0.5 + self._tools.random.fraction() / 2))

    # -- asking ----------------------------------------------------------------------------------------------

    async def sent(self, message_id: str) -> bool:
        """Look, on a line of its own, whether the provider kept a copy of a mail of ours in ``sent_folder``."""
        server = self._options.imap
        server = msgspec.structs.replace(server, folder=server.sent_folder)

        def search() -> bool:
            session = self._connect(server)
            try:
                return session.holds(message_id)
            except ChannelFailure:
                raise
            except Exception as exc:
                raise tls.explain(exc, server.host, server.resolved_port()) from exc
            finally:
                session.close(politely=True)

        return await self._run(search, self._deadlines.fetch)

    # -- others ----------------------------------------------------------------------------------------------

    async def probe(self) -> str:
        """Sign in on a line of its own and say what is there."""

        def look() -> str:
            session = self._connect()
            try:
                push = "new mail is announced" if session.can_idle else "asked every minute: no IDLE"
                return f"{self._options.imap.folder} holds {session.selected.exists} messages ({push})"
            finally:
                session.close(politely=True)

        return await self._run(look, self._deadlines.fetch)

    async def aclose(self) -> None:
        """End session and thread. A thread that hangs in a connection attempt is left to its deadline."""
        thread, self._thread = self._thread, None
        if thread is None:
            return

        def leave() -> None:
            session, self._session = self._session, None
            if session is not None:
                session.close(politely=True)

        future = asyncio.get_running_loop().run_in_executor(thread, leave)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_DEADLINE):
                await asyncio.shield(future)
        thread.shutdown(wait=False)


def _day(when: datetime) -> str:
    """Write a day as SEARCH wants it. The server compares without time zones, so the caller gives a day more."""
    when = when.astimezone(UTC)
    return f"{when.day}-{_MONTHS[when.month - 1]}-{when.year}"


def _stamp(text: str) -> datetime | None:
    match = _STAMP.fullmatch(text)
    if match is None or match.group(2).capitalize() not in _MONTHS:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        zone = timezone(offset)
        number = _MONTHS.index(month.capitalize()) + 1
        return datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
