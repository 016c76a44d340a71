"""``customer erase``, ``redact`` and ``store accept``: what takes bytes away or back into use."""

from __future__ import annotations

import argparse

from agentconsole.cli.context import Context
from agentconsole.cli.names import text_of
from agentconsole.cli.parser import Command, key
from agentconsole.desk import Agent, Desk
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import Customer, CustomerId, EntryId
from agentconsole.errors import NotFound, UsageError

UNDECIDED = 2
"""Exit code where ``--yes`` is missing: the call is not complete, and nothing was done."""

_PAGE = 200


def _fill_yes(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--yes", action="store_true", help=f"do it; without, only say what would be {what} (exit 2)")
    key(parser)


# -- erase --------------------------------------------------------------------------------------------------


def _fill_erase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    _fill_yes(parser, "erased")


async def erase(context: Context) -> int:
    args, out, say = context.args, context.out, context.words.say
    async with context.desk() as (desk, who):
        customer = await _whom(desk, who, args.customer)
        if not args.yes:
            return await _would_erase(context, desk, who, customer)
        erased = await desk.erase(who, context.request, customer)
    out.result(
        {
            "customer": erased.customer,
            "entries": erased.entries,
            "files": erased.files,
            "drafts": erased.drafts,
            "left": list(erased.left),
        },
        say("erased", id=erased.customer, entries=erased.entries, files=erased.files, drafts=erased.drafts),
        say("erased_left"),
        *(f"  {sentence}" for sentence in erased.left),
    )
    return 0


async def _whom(desk: Desk, who: Agent, words: str) -> CustomerId:
    """Return whom a word means. An id is taken as it is: of who is erased already, or cannot be read, nothing else is
    known."""
    try:
        return await desk.find(who, words)
    except NotFound:
        damaged = {found.customer for found in await desk.damaged(who)}
        if words in damaged or (words.startswith("k") and words.isalnum()):
            return CustomerId(words)
        raise


async def _would_erase(context: Context, desk: Desk, who: Agent, customer: CustomerId) -> int:
    say = context.words.say
    entries = files = 0
    person: Customer | None = None
    damage = {found.customer for found in await desk.damaged(who)}
    try:
        before = EntryId("")
        more = True
        while more:
            page = await desk.timeline(who, customer, before, _PAGE)
            person = page.customer
            entries += len(page.entries)
            files += sum(_files(entry) for entry in page.entries)
            more = page.more and bool(page.entries)
            before = page.entries[0].id if page.entries else before
    except NotFound:
        if customer not in damage:
            raise
    name = person.name if person is not None else ""
    addresses = [text_of(linked.address) for linked in person.addresses] if person is not None else []
    members = list(person.members) if person is not None else [customer]
    drafts = sum(draft.customer in members for draft in await desk.drafts(who))
    context.out.result(
        {
            "customer": {"id": customer, "name": name, "addresses": addresses, "members": members},
            "entries": entries,
            "files": files,
            "drafts": drafts,
            "damaged": bool(damage & set(members)),
            "erased": False,
        },
        say("would_erase", name=name or say("no_name"), id=customer, entries=entries, files=files),
        *(say("would_erase_address", address=address) for address in addresses),
        *([say("would_erase_damaged")] if damage & set(members) else []),
        say("add_yes"),
    )
    return UNDECIDED


def _files(entry: AnyEntry) -> int:
    return len(getattr(entry, "attachments", ())) + bool(getattr(entry, "raw", ""))


# -- redact -------------------------------------------------------------------------------------------------


def _fill_redact(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entry", metavar="ENTRY", help="the id that show --json and search print")
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason, which stays readable in its place")
    _fill_yes(parser, "removed")


async def redact(context: Context) -> int:
    args, out, say = context.args, context.out, context.words.say
    entry = EntryId(args.entry)
    async with context.desk() as (desk, who):
        if not args.yes:
            begun = await desk.text(who, entry, 0, 200)
            out.result(
                {"entry": entry, "redacted": False, "text": begun},
                say("would_redact", id=entry, text=begun),
                say("add_yes"),
            )
            return UNDECIDED
        await desk.redact(who, context.request, entry, args.why)
    out.result(
        {"entry": entry, "redacted": True, "why": args.why or None}, say("redacted", id=entry), say("redacted_left")
    )
    return 0


# -- damage -------------------------------------------------------------------------------------------------


def _fill_accept(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="the id that store check prints")
    parser.add_argument("--previous", action="store_true", help="the generation before instead of what is readable")
    key(parser)


async def accept(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await _whom(desk, who, args.customer)
        found = next((one for one in await desk.damaged(who) if one.customer == customer), None)
        if found is not None and (found.previous if args.previous else found.entries) < 0:
            raise UsageError(
                "There is nothing like that to take back into use. Nothing was changed.",
                "See: agentconsole store check",
            )
        await desk.accept(who, context.request, customer, bool(args.previous))
    context.out.result(
        {"customer": customer, "accepted": True, "previous": bool(args.previous)},
        context.words.say("accepted", id=customer),
        *([context.words.say("accepted_lost")] if args.previous else []),
        context.words.say("accepted_look"),
    )
    return 0


ACCEPT = Command(accept, _fill_accept)

ACTIONS = {
    "erase": ("remove every byte of a customer", Command(erase, _fill_erase)),
}

COMMANDS = {"redact": Command(redact, _fill_redact)}
