"""``customer`` and ``suggestion``."""

from __future__ import annotations

import argparse

from agentconsole.cli import describing, erasing, exporting, finding, parting, trusting, views, working
from agentconsole.cli.context import Context
from agentconsole.cli.names import known_medium, text_of
from agentconsole.cli.parser import Command, key
from agentconsole.domain.model import (
    ConsentScope,
    CustomerId,
    EntryId,
    Medium,
)
from agentconsole.errors import NotFound, Refused


def _fill_customer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    key(parser)


def _fill_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the customer's name")
    parser.add_argument("addresses", metavar="ADDRESS", nargs="*", help="mailboxes, numbers, KIND:VALUE")
    key(parser)


async def add(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.add_customer(who, context.request, args.name, args.addresses)
    context.out.result(
        {"customer": {"id": customer, "name": args.name}}, context.words.say("added", name=args.name, id=customer)
    )
    return 0


def _fill_rename(parser: argparse.ArgumentParser) -> None:
    _fill_customer(parser)
    parser.add_argument("name", metavar="NAME", help="the new name")


async def rename(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        await desk.rename(who, context.request, customer, args.name)
    context.out.result({"customer": {"id": customer, "name": args.name}}, context.words.say("renamed", id=customer))
    return 0


def _fill_address(parser: argparse.ArgumentParser) -> None:
    _fill_customer(parser)
    parser.add_argument("address", metavar="ADDRESS", help="a mailbox, a number, KIND:VALUE")


async def link(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        await desk.link(who, context.request, customer, args.address)
    context.out.result(
        {"customer": customer, "linked": args.address}, context.words.say("linked", address=args.address, id=customer)
    )
    return 0


async def unlink(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        await desk.unlink(who, context.request, customer, args.address)
    context.out.result(
        {"customer": customer, "unlinked": args.address},
        context.words.say("unlinked", address=args.address, id=customer),
    )
    return 0


def _fill_merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keep", metavar="CUSTOMER", help="whose id and name stay")
    parser.add_argument("absorb", metavar="OTHER", help="who is the same person")
    key(parser)


async def merge(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        keep = await desk.find(who, args.keep)
        absorb = await desk.find(who, args.absorb)
        edge = await desk.merge(who, context.request, keep, absorb)
    context.out.result(
        {"customer": keep, "merge": edge},
        context.words.say("merged", id=edge),
        context.words.say("undo_merge", command=f"agentconsole customer unmerge {keep} {edge}"),
    )
    return 0


def _fill_unmerge(parser: argparse.ArgumentParser) -> None:
    _fill_customer(parser)
    parser.add_argument("merge", metavar="MERGE", nargs="?", default="", help="which one (default: the newest)")


async def unmerge(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        await desk.unmerge(who, context.request, customer, EntryId(args.merge))
    context.out.result(
        {"customer": customer, "unmerged": args.merge or None}, context.words.say("unmerged", id=customer)
    )
    return 0


def _fill_prefer(parser: argparse.ArgumentParser) -> None:
    _fill_customer(parser)
    parser.add_argument("medium", metavar="MEDIUM", help="email, sms, whatsapp …; none takes the wish back")
    parser.add_argument("--purpose", metavar="WORD", default="", help="only for this, e.g. invoices")
    parser.add_argument("--evidence", metavar="ENTRY", default="", help="where the customer said so")


async def prefer(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        medium = Medium("") if args.medium.lower() == "none" else await known_medium(desk, who, args.medium)
        customer = await desk.find(who, args.customer)
        await desk.prefer(who, context.request, customer, medium, args.purpose, EntryId(args.evidence))
    words = context.words
    told = words.say("wish" if medium else "no_wish", medium=words.medium(medium), id=customer)
    if args.purpose:
        told = words.say("for_purpose", what=told, purpose=args.purpose)
    context.out.result({"customer": customer, "preference": medium or None}, told)
    return 0


def _fill_consent(parser: argparse.ArgumentParser) -> None:
    _fill_customer(parser)
    parser.add_argument("--medium", metavar="MEDIUM", default="", help="only this medium (default: every one)")
    parser.add_argument(
        "--scope",
        choices=[str(scope) for scope in ConsentScope],
        default=str(ConsentScope.ALL),
        help="marketing, service or all messages (default: all)",
    )


def _consent(*, allowed: bool) -> Command:
    async def run(context: Context) -> int:
        args = context.args
        async with context.desk() as (desk, who):
            medium = await known_medium(desk, who, args.medium) if args.medium else Medium("")
            customer = await desk.find(who, args.customer)
            await desk.consent(who, context.request, customer, medium, ConsentScope(args.scope), allowed)
        words = context.words
        where = words.medium(medium) if medium else words.scope("every_medium")
        context.out.result(
            {"customer": customer, "medium": medium or None, "scope": args.scope, "allowed": allowed},
            words.say("in_to" if allowed else "out_of", medium=where, scope=words.scope(args.scope), id=customer),
        )
        return 0

    return Command(run, _fill_consent)


# -- suggestions --------------------------------------------------------------------------------------------


def _fill_suggestions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", nargs="?", default="", help="only of this customer")


async def suggestions(context: Context) -> int:
    args, out = context.args, context.out
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer) if args.customer else CustomerId("")
        found = await desk.suggestions(who, customer)
        wishes = await desk.wishes(who, customer)
    if out.json:
        wanted = [
            {"customer": {"id": one.customer, "name": one.customer_name}} | views.wish(one.wish) for one in wishes
        ]
        out.object({"suggestions": [views.suggestion(one) for one in found], "wishes": wanted})
        return 0
    words = context.words
    for seen in wishes:
        out.line(words.say("wish_seen", name=seen.customer_name or seen.customer, **words.wish(seen.wish)))
    for one in found:
        out.line(
            words.say(
                "suggestion",
                name=one.customer_name or one.customer,
                other=one.other_name or one.other,
                address=text_of(one.address),
                why=words.suggestion(one),
                id=one.id,
            )
        )
    if not found and not wishes:
        out.line(words.say("no_suggestions"))
    return 0


def _fill_answer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suggestion", metavar="SUGGESTION", help="the id that suggestion list prints")
    key(parser)


def _answer(*, accept: bool) -> Command:
    async def run(context: Context) -> int:
        suggestion = EntryId(context.args.suggestion)
        async with context.desk() as (desk, who):
            try:
                edge = await desk.answer_suggestion(who, context.request, suggestion, accept)
            except NotFound:
                # The two kinds have ids alike and one command: who types it need not know which it is.
                taken = await desk.answer_wish(who, context.request, suggestion, accept)
                if accept and not taken:
                    raise Refused(
                        "It was decided before, or a later wish took its place. Nothing was changed.",
                        "To note it nevertheless: agentconsole customer prefer CUSTOMER MEDIUM",
                    ) from None
                fields = {"suggestion": suggestion, "accepted": accept, "preference": taken or None}
                context.out.result(fields, context.words.say("wish_taken" if taken else "suggestion_refused"))
                return 0
        fields = {"suggestion": context.args.suggestion, "accepted": accept, "merge": edge or None}
        context.out.result(fields, context.words.say("merged" if accept else "suggestion_refused", id=edge))
        return 0

    return Command(run, _fill_answer)


COMMANDS = {
    "customer": Command(
        None,
        actions={
            "add": ("a new customer", Command(add, _fill_add)),
            "rename": ("change the shown name", Command(rename, _fill_rename)),
            "link": ("add an address", Command(link, _fill_address)),
            "unlink": ("take an address away", Command(unlink, _fill_address)),
            "merge": ("two customers are one person", Command(merge, _fill_merge)),
            "unmerge": ("end a merge; everything is as before", Command(unmerge, _fill_unmerge)),
            "prefer": ("note which medium the customer wants", Command(prefer, _fill_prefer)),
            "opt-out": ("never write there again", _consent(allowed=False)),
            "opt-in": ("the customer allows it again", _consent(allowed=True)),
            **working.CUSTOMER_ACTIONS,
            **finding.ACTIONS,
            **parting.ACTIONS,
            **describing.ACTIONS,
            **trusting.ACTIONS,
            **exporting.ACTIONS,
            **erasing.ACTIONS,
        },
    ),
    "suggestion": Command(
        None,
        actions={
            "list": (
                "who may be the same person, who may want which channel, and why",
                Command(suggestions, _fill_suggestions),
            ),
            "accept": ("they are one person; or they want that channel", _answer(accept=True)),
            "refuse": ("they are two people; or it was no wish", _answer(accept=False)),
            **trusting.SUGGESTION_ACTIONS,
        },
    ),
}
