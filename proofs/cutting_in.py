"""What arrives over lines that are cut: every message is spooled once, and no cursor passes one that is not.

The channel is asked as the hub asks it: with the store's newest cursor, again after every failure, and what it gives
goes into the spool together with the cursor that follows. The mailbox is a real Dovecot; the lists of Twilio and
Telegram come from their fakes.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from agentconsole.channels import telegram, twilio
from agentconsole.channels.email.options import EmailOptions, ImapServer, SmtpServer
from agentconsole.errors import ChannelFailure, TemporaryFailure
from agentconsole.ports import Channel, Cursor, SpoolRecord
from agentconsole.sandbox.fake_telegram import FakeTelegram
from agentconsole.sandbox.fake_twilio import ACCOUNT_SID, OUR_NUMBER, FakeTwilio
from agentconsole.store.memory import MemoryStore
from proofs.cutting import HOST, Cut, cutting
from proofs.cutting_scenes import _WORDS, ACCOUNT, UNHURRIED, Patience, open_mail, patience, secret, tools
from tests.fakes.clock import CountingRandomness, HandClock
from tests.servers.mail import MailServers

LOOKS: Final = 40
"""Looks within which a mailbox of three mails must have been read, whatever happened to the line."""
PHONES: Final = ("+821012345678", "+821087654321", "+821011112222")


@dataclass(frozen=True)
class Inbox:
    """A channel with messages that wait for it.

    Args:
        open: makes the channel, given the port of whoever stands before the world.
        deadline: seconds for which a server that says nothing is waited for, until it said nothing once.
        waiting: how many messages wait.
        serve: lends a world of its own to each dialogue and gives its port, where fetching changes the world.
    """

    name: str
    waiting: int
    open: Callable[[int, Executor, Patience], Channel]
    serve: Callable[[], AsyncIterator[int]]
    deadline: float = 1.0
    looks: int = 2
    """Looks after which a further one is but a repetition, so that no cut is made in it."""


@dataclass
class Fetched:
    """What one dialogue brought into the spool."""

    cut: Cut | None
    was_cut: bool
    failures: int
    identities: Counter[str]
    out: int
    back: int
    after: int
    """Messages that a fresh channel finds behind the last cursor."""


async def fetched(inbox: Inbox, cut: Cut | None, worker: Executor) -> Fetched:
    """Read everything that waits, over a line that is cut once."""
    store = MemoryStore(HandClock(), CountingRandomness())
    failures, found, looks, passed = 0, Counter[str](), 0, {"out": 0, "back": 0}
    serving = asynccontextmanager(inbox.serve)
    async with serving() as port, cutting(port, cut) as proxy:
        waits = patience(cut, inbox.deadline)
        channel = inbox.open(proxy.port, worker, waits)
        try:
            for number in itertools.count():
                assert number < LOOKS, f"{inbox.name} {cut}: never read to the end"
                cursor = await store.cursor(ACCOUNT)
                try:
                    batch = await channel.fetch(cursor)
                except ChannelFailure:
                    failures += 1
                    proxy.heal()
                    waits.seconds = UNHURRIED
                    continue
                looks += 1
                if looks == inbox.looks:
                    passed = proxy.passed
                if batch.items or batch.cursor != cursor:
                    record = SpoolRecord(f"b{number:04d}", ACCOUNT, inbox.name, batch.items, batch.cursor)
                    await store.spool(record)
                    found.update(item.identity for item in batch.items)
                if not batch.items and not batch.more:
                    break
            was_cut = proxy.done
            proxy.heal()
            fresh = inbox.open(proxy.port, worker, Patience(UNHURRIED))
            try:
                after = await _behind(fresh, await store.cursor(ACCOUNT))
            finally:
                await fresh.aclose()
        finally:
            await channel.aclose()
    return Fetched(cut, was_cut, failures, found, passed["out"], passed["back"], after)


async def _behind(channel: Channel, cursor: Cursor | None) -> int:
    """Return how many messages lie behind a cursor; a busy machine may need more than one look."""
    for _ in range(LOOKS):
        try:
            return len((await channel.fetch(cursor)).items)
        except TemporaryFailure:
            await asyncio.sleep(0.1)
    raise AssertionError("the whole line does not answer")


async def all_fetched(inbox: Inbox, cuts: Iterable[Cut], at_once: int = 16) -> list[Fetched]:
    """Run one dialogue for each cut, some at once."""
    found: list[Fetched] = []
    todo = iter(cuts)
    with ThreadPoolExecutor(8) as worker:

        async def work() -> None:
            found.extend([await fetched(inbox, cut, worker) for cut in todo])

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    return found


def wrong(inbox: Inbox, found: Sequence[Fetched]) -> tuple[int, int, int]:
    """Return in how many dialogues a message was lost, spooled twice, or left behind the cursor."""
    return (
        sum(len(one.identities) < inbox.waiting for one in found),
        sum(max(one.identities.values(), default=0) > 1 for one in found),
        sum(one.after > 0 for one in found),
    )


# -- the inboxes --------------------------------------------------------------------------------------------


def imap_inbox(mail: MailServers, deadline: float = 1.0, waiting: int = 3) -> Inbox:
    """Put mails into the box ``minsu`` of a real Dovecot; reading it changes nothing there."""
    mail.empty("minsu")
    for number in range(waiting):
        text = f"Subject: cut {number}\r\nMessage-ID: <cut{number}@elsewhere.test>\r\n\r\n" + "hello\r\n" * (number + 1)
        mail.deliver("minsu", f"From: Emily <emily@elsewhere.test>\r\n{text}".encode())
    _WORDS["PROOF_IMAP"] = mail.password

    def make(port: int, worker: Executor, waits: Patience) -> Channel:
        word = secret("PROOF_IMAP")
        options = EmailOptions(
            address=mail.address("minsu"),
            imap=ImapServer(host=HOST, user=mail.address("minsu"), password=word, port=port, tls="none"),
            smtp=SmtpServer(host=HOST, user="nobody", password=word, port=1, tls="none"),
        )
        return open_mail(ACCOUNT, options, tools(worker, HandClock(), waits))

    async def serve() -> AsyncIterator[int]:
        yield mail.imap_port

    return Inbox("imap", waiting, make, serve, deadline)


def twilio_inbox(deadline: float = 1.0) -> Inbox:
    def make(port: int, worker: Executor, waits: Patience) -> Channel:
        options = twilio.TwilioOptions(
            account_sid=ACCOUNT_SID,
            auth_token=secret("PROOF_TWILIO"),
            sender=OUR_NUMBER,
            base_url=f"http://{HOST}:{port}",
        )
        return twilio.KIND.open(ACCOUNT, options, tools(worker, HandClock(), waits))

    async def serve() -> AsyncIterator[int]:
        fake = FakeTwilio(HandClock())
        for phone in PHONES:
            fake.customer_says(phone, "hello")
        async for port in _served(fake.start, fake.stop, lambda: fake.port):
            yield port

    return Inbox("twilio", len(PHONES), make, serve, deadline, looks=1)


def telegram_inbox(deadline: float = 1.0) -> Inbox:
    def make(port: int, worker: Executor, waits: Patience) -> Channel:
        options = telegram.TelegramOptions(token=secret("PROOF_TELEGRAM"), base_url=f"http://{HOST}:{port}")
        return telegram.KIND.open(ACCOUNT, options, tools(worker, HandClock(), waits))

    async def serve() -> AsyncIterator[int]:
        fake = FakeTelegram()
        _WORDS["PROOF_TELEGRAM"] = fake.token
        for user in (7001, 7002, 7003):
            fake.customer_says(user, "hello")
        async for port in _served(fake.start, fake.stop, lambda: fake.port):
            yield port

    return Inbox("telegram", 3, make, serve, deadline)


async def _served(
    start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]], port: Callable[[], int]
) -> AsyncIterator[int]:
    await start()
    try:
        yield port()
    finally:
        await stop()
