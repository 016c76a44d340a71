"""``import``: past mail into histories, and lists of customers. Exactly once, however often it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentconsole.cli import mailfiles, peoplefiles
from agentconsole.cli.context import Context
from agentconsole.cli.mailfiles import Mail, Unread
from agentconsole.cli.names import known_medium
from agentconsole.cli.parser import Command, key
from agentconsole.cli.peoplefiles import Bad, Row
from agentconsole.desk import DEPOSIT_BYTES, DEPOSIT_MESSAGES, Agent, Deposited, Desk
from agentconsole.domain.model import (
    AccountName,
    ConsentScope,
    CustomerId,
    EntryId,
    Medium,
)
from agentconsole.errors import AgentConsoleError, NotFound, Refused, TryLater, UsageError
from agentconsole.text.sanitise import one_line

TRIES: Final = 3
"""How often a large mail is begun again when the hub lost its first parts."""

EVERY: Final = 1.0
"""Seconds between two lines of progress."""

LISTS: Final = {".csv": "csv", ".tsv": "csv", ".vcf": "vcard", ".vcard": "vcard"}
MAX_LIST: Final = 64 * 1024 * 1024


def _fill_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("path", metavar="PATH", help="mbox, Maildir, .eml, a folder of .eml; or customers as .csv or .vcf")
    add("--account", metavar="NAME", default="", help="the mail account that past mail belongs to")
    key(parser)


async def run(context: Context) -> int:
    path = Path(context.args.path)
    if not await asyncio.to_thread(path.exists):
        raise UsageError(f"There is no {path}. Nothing was imported.", "")
    form = LISTS.get(path.suffix.lower()) if await asyncio.to_thread(path.is_file) else None
    try:
        return await (_people(context, path, form) if form else _mails(context, path))
    except (asyncio.CancelledError, KeyboardInterrupt):
        context.out.talk(context.words.say("import_interrupted"))
        raise


# -- mail ---------------------------------------------------------------------------------------------------


async def _mails(context: Context, path: Path) -> int:
    out, say = context.out, context.words.say
    total = await asyncio.to_thread(mailfiles.count, path)
    unread: list[Unread] = []
    mails = _Peeking(mailfiles.read(path, unread))
    done = new = known = unreadable = 0
    clock = context.world.clock
    told: float | None = None
    async with context.desk() as (desk, who):
        account = await _account(desk, who, context.args.account)
        while batch := await _next(mails, path, done, total):
            found = await _deposit(desk, who, account, batch)
            done += len(batch)
            new, known, unreadable = new + found.new, known + found.known, unreadable + found.unreadable
            if told is None or clock.monotonic() - told >= EVERY:
                told = clock.monotonic()
                out.talk(say("importing", n=done, total=total, new=new, known=known, unreadable=unreadable))
    waiting = done - new - known - unreadable
    for one in unread:
        out.talk(say("import_unread", where=one.where, why=one.why))
    out.result(
        {
            "account": account,
            "messages": total,
            "new": new,
            "known": known,
            "unreadable": unreadable,
            "waiting": waiting,
            "unread": [{"file": one.where, "why": one.why} for one in unread],
        },
        say("imported", n=done, total=total, new=new, known=known, unreadable=unreadable),
        *([say("imported_waiting", n=waiting)] if waiting else []),
        *([say("imported_unreadable", who=f"unreadable:{account}")] if unreadable else []),
        *([say("imported_unread", n=len(unread))] if unread else []),
    )
    return 1 if unread else 0


async def _next(mails: _Peeking, path: Path, done: int, total: int) -> list[Mail]:
    try:
        return await asyncio.to_thread(_batch, mails)
    except OSError as exc:
        raise AgentConsoleError(
            f"{path} cannot be read to its end: {exc.strerror}. {done} of {total} messages were taken and stay.",
            "The same command goes on from there.",
        ) from exc


async def _account(desk: Desk, who: Agent, name: str) -> AccountName:
    if name:
        return AccountName(name)
    mail = [account.name for account in (await desk.status(who)).accounts if account.medium == "email"]
    if len(mail) != 1:
        raise UsageError(
            "Which mail account does it belong to? Nothing was imported.",
            f"--account NAME; there are: {', '.join(mail) or 'none'}.",
        )
    return mail[0]


class _Peeking:
    """Messages with a place for one that did not fit the batch before."""

    def __init__(self, mails: Iterator[Mail]) -> None:
        self._mails = mails
        self._next: Mail | None = None

    def peek(self) -> Mail | None:
        if self._next is None:
            self._next = next(self._mails, None)
        return self._next

    def take(self) -> Mail:
        found = self.peek()
        assert found is not None
        self._next = None
        return found


def _batch(mails: _Peeking) -> list[Mail]:
    """Return what goes into the next call; one mail that is larger than a call comes alone."""
    batch: list[Mail] = []
    room = DEPOSIT_BYTES
    while len(batch) < DEPOSIT_MESSAGES and (mail := mails.peek()) is not None:
        alone = _is_large(mail)
        if batch and (alone or len(mail.data) > room):
            break
        room -= len(mail.data)
        batch.append(mails.take())
        if alone:
            break
    return batch


def _is_large(mail: Mail) -> bool:
    return len(mail.data) > DEPOSIT_BYTES or mail.size > len(mail.data)


async def _deposit(desk: Desk, who: Agent, account: AccountName, batch: list[Mail]) -> Deposited:
    if len(batch) == 1 and _is_large(batch[0]):
        return await _large(desk, who, account, batch[0])
    return await desk.deposit(who, _request(*(mail.data for mail in batch)), account, [mail.data for mail in batch])


async def _large(desk: Desk, who: Agent, account: AccountName, mail: Mail) -> Deposited:
    request = _request(mail.data)
    kept = len(mail.data)
    for attempt in range(TRIES):
        try:
            done = Deposited(0, 0)
            for offset in range(0, kept, DEPOSIT_BYTES):
                part = mail.data[offset : offset + DEPOSIT_BYTES]
                done = await desk.deposit_large(who, request, account, mail.size, kept, offset, part)
        except TryLater:
            if attempt == TRIES - 1:
                raise
        else:
            return done
    raise AssertionError


def _request(*data: bytes) -> str:
    """Return the request id of a call: that of its content, so that a repeat of the import repeats the calls."""
    digest = hashlib.blake2b(digest_size=16)
    for one in data:
        digest.update(len(one).to_bytes(8, "big") + one)
    return f"import-{digest.hexdigest()}"


# -- customers ----------------------------------------------------------------------------------------------


async def _people(context: Context, path: Path, form: str) -> int:
    out, say = context.out, context.words.say
    rows = await asyncio.to_thread(_rows, path, form)
    bad = [row for row in rows if isinstance(row, Bad)]
    new = known = 0
    async with context.desk() as (desk, who):
        for row in rows:
            if isinstance(row, Bad):
                continue
            try:
                if await _person(desk, who, row):
                    new += 1
                else:
                    known += 1
            except (UsageError, Refused, NotFound) as exc:
                bad.append(Bad(row.line, f"{exc.message} {exc.hint}".strip()))
    bad.sort(key=lambda one: one.line)
    for one in bad:
        out.talk(say("bad_row", line=one.line, why=one_line(one.why)))
    out.result(
        {
            "rows": len(rows),
            "new": new,
            "known": known,
            "bad": [{"line": one.line, "why": one.why} for one in bad],
        },
        say("people_imported", total=len(rows), new=new, known=known, bad=len(bad)),
    )
    return 1 if bad else 0


def _rows(path: Path, form: str) -> list[Row | Bad]:
    try:
        if path.stat().st_size > MAX_LIST:
            raise UsageError(f"{path} is larger than {MAX_LIST >> 20} MiB. Nothing was imported.", "Cut it into parts.")
        text = peoplefiles.decode(path.read_bytes())
        return peoplefiles.read_csv(text) if form == "csv" else peoplefiles.read_vcard(text)
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}. Nothing was imported.", "") from exc
    except ValueError as exc:
        raise UsageError(f"{path} cannot be read: {exc}. Nothing was imported.", "") from exc


async def _person(desk: Desk, who: Agent, row: Row) -> bool:
    """Bring one row in and say whether the customer is new. Every call has a request id made of the row."""
    request = _request(repr((row.name, row.addresses, row.medium, row.opt_outs, row.marketing)).encode())
    # All words are understood before anything is changed: a bad row changes nothing.
    medium = await known_medium(desk, who, row.medium) if row.medium else Medium("")
    outs = [(await known_medium(desk, who, m) if m else Medium(""), ConsentScope.ALL) for m in row.opt_outs]
    outs += [(await known_medium(desk, who, m) if m else Medium(""), ConsentScope.MARKETING) for m in row.marketing]
    owner, missing = await _owner(desk, who, row)
    new = owner is None
    if owner is None:
        owner = await desk.add_customer(who, f"{request}-add", row.name, row.addresses)
    else:
        for address in missing:
            await desk.link(who, f"{request}-link-{address}", owner, address)
    if medium and (new or not await _has_wish(desk, who, owner)):
        await desk.prefer(who, f"{request}-prefer", owner, medium, "", EntryId(""))
    for place, (forbidden, scope) in enumerate(outs):
        await desk.consent(who, f"{request}-consent-{place}", owner, forbidden, scope, False)
    return new


async def _has_wish(desk: Desk, who: Agent, customer: CustomerId) -> bool:
    """Say whether a wish is known already: what was said to us counts more than a list from elsewhere."""
    page = await desk.timeline(who, customer, EntryId(""), 1)
    return any(not wish.purpose for wish in page.customer.preferences)


async def _owner(desk: Desk, who: Agent, row: Row) -> tuple[CustomerId | None, list[str]]:
    """Return who holds one of the row's addresses, and the addresses that nobody holds.

    Raises:
        Refused: the addresses belong to several customers.
    """
    owners: dict[CustomerId, None] = {}
    missing = []
    for address in row.addresses:
        try:
            owners[await desk.find(who, address)] = None
        except NotFound:
            missing.append(address)
    if len(owners) > 1:
        raise Refused(
            f"Its addresses belong to {len(owners)} customers ({', '.join(owners)}). It was left out.",
            "If they are one person: agentconsole customer merge",
        )
    return next(iter(owners), None), missing


COMMANDS = {"import": Command(run, _fill_import)}
