"""``inbox``, ``show``, ``search``, ``why``: nothing is changed here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from agentconsole.cli import views
from agentconsole.cli.context import Context
from agentconsole.cli.human import choice_lines, customer_lines, entry_lines, queue_line
from agentconsole.cli.parser import Command
from agentconsole.desk import Agent, Compose, Desk
from agentconsole.domain.entries import AnyEntry, Note, Received, Reply
from agentconsole.domain.model import CustomerId, EntryId
from agentconsole.domain.telling import once
from agentconsole.text.query import NAMES

FILTERS = " ".join(f"{name}:" for name in NAMES)
CUT = " […+"
"""How a timeline marks a text that goes on."""

PAGE = 200
"""Entries asked for in one call: a page of long mails stays below the socket's line."""


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _fill_inbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--view", metavar="NAME", default="waiting", help="a view, also one of the profile's own (default: waiting)"
    )
    parser.add_argument("--limit", type=_count, default=100, metavar="N", help="at most N (default: 100)")


async def inbox(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        page = await desk.queue(who, args.view, 0, args.limit)
    out = context.out
    if out.json:
        out.object(views.inbox(page))
        return 0
    words = context.words
    for row in page.lines:
        out.line(queue_line(row, words))
        if row.preview:
            out.block(row.preview)
    if not page.lines:
        out.line(words.say("empty_view", view=args.view))
    elif page.total > len(page.lines):
        out.talk(words.say("more", n=page.total - len(page.lines), total=page.total))
    return 0


def _fill_view(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("view", metavar="NAME", nargs="?", default="", help="list the rows of this one")
    parser.add_argument("--limit", type=_count, default=100, metavar="N", help="at most N (default: 100)")


async def view(context: Context) -> int:
    """Tell all views with their counts, or list the rows of one."""
    if context.args.view:
        return await inbox(context)
    async with context.desk() as (desk, who):
        counts = (await desk.queue(who, "waiting", 0, 1)).counts
    numbers = {name: getattr(counts, name) for name in counts.__struct_fields__ if name != "saved"} | counts.saved
    if context.out.json:
        context.out.object({"views": numbers})
        return 0
    for name, number in numbers.items():
        context.out.line(context.words.say("view_line", name=name, n=number))
    return 0


def _fill_customer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")


def _fill_show(parser: argparse.ArgumentParser) -> None:
    _fill_customer(parser)
    parser.add_argument("--limit", type=_count, default=50, metavar="N", help="the newest N entries (default: 50)")
    parser.add_argument("--before", metavar="ENTRY", default="", help="only entries before this one")
    parser.add_argument("--open", action="store_true", help="open what a sender that is not verified closes; audited")
    parser.add_argument("--reveal", action="store_true", help="card and ID numbers in clear; right customer, audited")


async def show(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        page = await desk.timeline(who, customer, EntryId(args.before), min(args.limit, PAGE))
        if page.closed and args.open and page.doubtful is not None:
            await desk.open_history(who, context.request, customer, page.doubtful.entry)
            page = await desk.timeline(who, customer, EntryId(args.before), min(args.limit, PAGE))
        entries: tuple[AnyEntry, ...] = page.entries
        states, more, masked = dict(page.states), page.more, page.masked
        while more and len(entries) < args.limit:
            older = await desk.timeline(who, customer, entries[0].id, min(args.limit - len(entries), PAGE))
            if not older.entries:
                break
            entries, more = older.entries + entries, older.more
            states |= older.states
            masked = (*older.masked, *masked)
        if args.reveal:
            entries = tuple([await in_clear(context, desk, who, e) if e.id in masked else e for e in entries])
        here = [p for p in await desk.present(who) if p.agent != who.name and p.customer in page.customer.members]
        damage = [one.why for one in await desk.damaged(who) if one.customer in page.customer.members]
    from msgspec.structs import replace

    page = replace(page, entries=entries, states=states, more=more, masked=() if args.reveal else masked)
    words = context.words
    out = context.out
    if out.json:
        there = [views.present(one) for one in here]
        out.object({**views.show(page, words), "damaged": damage[0] if damage else None, "present": there})
        return 0
    for line in customer_lines(page, words):
        out.line(line)
    for why in damage:
        out.line(words.say("damaged_shown", why=why))
    for one in here:
        ago = int((context.world.clock.now() - (one.last_key or one.since)).total_seconds())
        out.line(words.say("writes_here" if one.writing else "looks_here", name=one.agent, n=max(ago, 0)))
    if more:
        out.talk(words.say("older", entry=entries[0].id))
    for found in once(entries):
        head, body = entry_lines(found, page, words)
        if head:
            out.line()
            out.line(head)
        if body:
            out.block(body)
    return 0


async def in_clear(context: Context, desk: Desk, who: Agent, entry: AnyEntry) -> AnyEntry:
    """Return an entry with its numbers in clear, as far as ``reveal`` carries. The hub notes who asked."""
    if not isinstance(entry, Received | Reply | Note):
        return entry
    from msgspec.structs import replace

    text = await desk.reveal(who, f"{context.request}:{entry.id}", entry.id)
    if len(entry.text) > len(text):
        text += entry.text[len(text) :]
    elif len(text) > len(entry.text) and CUT in entry.text[-40:]:
        text = text[: entry.text.rindex(CUT)] + entry.text[entry.text.rindex(CUT) :]
    return replace(entry, text=text)


def _fill_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="+", metavar="WORDS", help='all must occur; "a phrase", -without, filters: ' + FILTERS
    )
    parser.add_argument("--limit", type=_count, default=50, metavar="N", help="at most N (default: 50)")
    parser.add_argument("--offset", type=int, default=0, metavar="N", help="leave out the newest N")
    parser.add_argument("--each", type=_count, default=0, metavar="N", help="at most N of one customer")


def _query(words: Sequence[str]) -> str:
    """Return what was meant: a word that the shell was given with blanks in it is a phrase."""
    return " ".join(f'"{word}"' if " " in word and len(words) > 1 and '"' not in word else word for word in words)


async def search(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        found = await desk.find_entries(who, _query(args.words), CustomerId(""), args.limit, args.offset, args.each)
    out = context.out
    if out.json:
        by = {"customers": [views.customer_hits(one) for one in found.customers]} if args.each else {}
        told = [views.hit(hit) for hit in found.hits]
        out.object({"hits": told, "total": found.total, "complete": found.complete, **by})
        return 0
    words = context.words
    of = {one.customer: one for one in found.customers}
    for customer in dict.fromkeys(hit.customer for hit in found.hits):
        hits = [hit for hit in found.hits if hit.customer == customer]
        count = of[customer].count if customer in of else len(hits)
        out.line(words.say("hits_of", name=hits[0].name or customer, customer=customer, n=count))
        for hit in hits:
            medium = words.medium(hit.medium) if hit.medium else "-"
            out.line("  " + words.say("hit", at=words.moment(hit.at), medium=medium, entry=hit.entry))
            out.block(hit.snippet or words.say("hit_closed"))
    if not found.hits:
        out.line(words.say("nothing_found"))
    elif found.total > len(found.hits) or not found.complete:
        total = f"{found.total}" if found.complete else f"{found.total}+"
        out.talk(words.say("hits_more", n=len(found.hits), total=total))
    return 0


def _fill_why(parser: argparse.ArgumentParser) -> None:
    _fill_customer(parser)
    parser.add_argument("--text", metavar="TEXT", help="judge for this text (length); - reads stdin")
    parser.add_argument("--purpose", metavar="WORD", default="", help="what it is about, e.g. invoice")


async def why(context: Context) -> int:
    text = await context.text(context.args.text) if context.args.text is not None else ""
    async with context.desk() as (desk, who):
        customer = await desk.find(who, context.args.customer)
        choice = await desk.choose(who, Compose(customer=customer, text=text, purpose=context.args.purpose))
        page = await desk.timeline(who, customer, EntryId(""), 1)
    words = context.words
    out = context.out
    if out.json:
        out.object(views.why(page.customer, choice, words))
        return 0
    out.line(page.customer.name or page.customer.id)
    for line in choice_lines(choice, words):
        out.line(line)
    return 0


COMMANDS = {
    "view": Command(view, _fill_view),
    "inbox": Command(inbox, _fill_inbox),
    "show": Command(show, _fill_show),
    "search": Command(search, _fill_search),
    "why": Command(why, _fill_why),
}
