"""Channels on paper: kinds without a network, for tests of everything behind the Channel protocol.

A ``Post`` is the world: what customers write lies in its box, what we send lies in ``delivered``, and it can be told
to fail in every way that a provider can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from agentconsole.domain.model import (
    AccountName,
    Address,
    Delivery,
    Medium,
)
from agentconsole.hub.profile import AccountSetup
from agentconsole.ports import (
    PAST,
    Accepted,
    AddressEvent,
    Answer,
    Batch,
    Capabilities,
    ChannelKind,
    Commit,
    Cursor,
    Inbound,
    Options,
    Outgoing,
    Parsed,
    RawItem,
    RawRequest,
    Report,
    StatusReport,
    Tools,
)

START = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


@dataclass
class Post:
    """The world behind one paper account."""

    box: list[RawItem] = field(default_factory=list)
    delivered: list[Outgoing] = field(default_factory=list)
    before_commit: Exception | None = None
    after_commit: Exception | None = None
    lost_answer: Exception | None = None
    fetch_failure: Exception | None = None
    hold: asyncio.Event | None = None
    fetches: int = 0
    new: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, parsed: Inbound | StatusReport) -> None:
        """Let something arrive."""
        kind = "in" if isinstance(parsed, Inbound) else "report"
        self.box.append(RawItem(parsed.identity, msgspec.msgpack.encode(parsed), START, {"type": kind}))
        self.new.set()

    def put_raw(self, item: RawItem) -> None:
        self.box.append(item)
        self.new.set()


class PaperOptions(Options, frozen=True, kw_only=True):
    own: str = "us@example.com"


def parse(item: RawItem) -> Sequence[Parsed]:
    if item.meta.get("type") == "report":
        return [msgspec.msgpack.decode(item.payload, type=StatusReport)]
    if item.meta.get("type") == "address":
        return [msgspec.msgpack.decode(item.payload, type=AddressEvent)]
    if item.meta.get("type") == "in":
        return [msgspec.msgpack.decode(item.payload, type=Inbound)]
    raise ValueError("this is no paper")


class PaperChannel:
    def __init__(self, post: Post) -> None:
        self._post = post

    async def fetch(self, cursor: Cursor | None) -> Batch:
        self._post.fetches += 1
        self._post.new.clear()
        if self._post.fetch_failure is not None:
            raise self._post.fetch_failure
        start = int(cursor.value) if cursor is not None else 0
        items = tuple(self._post.box[start : start + 10])
        more = len(self._post.box) > start + 10
        return Batch(items, Cursor(str(start + len(items))), more)

    async def wait(self) -> None:
        await self._post.new.wait()

    async def send(self, outgoing: Outgoing, commit: Commit) -> Report:
        if self._post.before_commit is not None:
            raise self._post.before_commit
        await commit()
        if self._post.hold is not None:
            await self._post.hold.wait()
        if self._post.after_commit is not None:
            raise self._post.after_commit
        self._post.delivered.append(outgoing)
        if self._post.lost_answer is not None:
            raise self._post.lost_answer
        return Report(f"ext-{outgoing.key}-{len(self._post.delivered)}")

    async def probe(self) -> str:
        return "the post is open"

    async def aclose(self) -> None:
        return


class PaperHook:
    def receive(self, request: RawRequest, now: datetime) -> Accepted:
        from agentconsole.errors import Forged

        if request.headers.get("x-stamp") != "right":
            raise Forged
        if request.body == b"boom":
            raise RuntimeError("a bug in an adapter")
        return Accepted((RawItem(request.query, request.body, now, {"type": "in"}),), Answer(200, b"thanks"))


def archived(_options: PaperOptions, message: bytes, _size: int, now: datetime) -> RawItem:
    """Make the item of a message out of an archive, which is an ``Inbound`` as bytes."""
    try:
        identity = msgspec.msgpack.decode(message, type=Inbound).identity
    except msgspec.DecodeError:
        return RawItem(f"bytes:{hash(message)}", message, now, {PAST: "yes"})
    return RawItem(identity, message, now, {"type": "in", PAST: "yes"})


def kind(name: str, medium: str, address_kind: str, post: Post, **capable: Any) -> ChannelKind[PaperOptions]:
    """Make a paper kind whose world is ``post``."""
    settings: dict[str, Any] = {"text_limit": 1000} | capable
    webhook: Callable[[AccountName, PaperOptions], PaperHook] | None = None
    if settings.pop("webhook", False):
        webhook = lambda _name, _options: PaperHook()  # noqa: E731

    def open_channel(_name: AccountName, _options: PaperOptions, _tools: Tools) -> PaperChannel:
        return PaperChannel(post)

    return ChannelKind(
        name=name,
        title=name,
        medium=Medium(medium),
        options=PaperOptions,
        capabilities=Capabilities(address_kind=address_kind, **settings),
        open=open_channel,
        parse=parse,
        own_address=lambda options: options.own,
        webhook=webhook,
        archived=archived,
    )


def mail(post: Post) -> AccountSetup:
    return AccountSetup(
        AccountName("mail"),
        kind("papermail", "email", "email", post, subject=True, attachments=True, file_bytes=18_000_000),
        PaperOptions(),
    )


def chat(post: Post, **capable: Any) -> AccountSetup:
    settings: dict[str, Any] = {"live": True, "reply_window": timedelta(hours=24)} | capable
    return AccountSetup(
        AccountName("wa"), kind("paperchat", "whatsapp", "phone", post, **settings), PaperOptions(own="+15550001111")
    )


def message(identity: str, sender: Address, text: str, at: datetime = START, **more: Any) -> Inbound:
    return Inbound(identity=identity, sender=sender, text=text, sent_at=at, external_id=f"{identity}@world", **more)


def report(identity: str, state: Delivery, **more: Any) -> StatusReport:
    return StatusReport(identity=identity, state=state, **more)
