"""``customer trust`` and ``suggestion postpone``: what is decided about people for now, and not for good."""

from __future__ import annotations

import argparse
from datetime import timedelta

from agentconsole.cli.context import Context
from agentconsole.cli.names import text_of
from agentconsole.cli.parser import Command, key
from agentconsole.domain.model import EntryId


def _fill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    which = "which one (default: the one that names the customer, else who wrote last)"
    parser.add_argument("address", metavar="ADDRESS", nargs="?", default="", help=which)
    parser.add_argument("--end", action="store_true", help="trust it no longer")
    key(parser)


async def trust(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        # Who names a customer by a mail address means that address, whoever wrote last.
        named = args.address or (args.customer if "@" in args.customer.strip("@") else "")
        linked = await desk.trust_sender(who, context.request, customer, named, not args.end)
    trusted = bool(linked.trusted_by)
    context.out.result(
        {
            "customer": customer,
            "address": linked.address.value,
            "signer": linked.signer or None,
            "trusted_by": linked.trusted_by or None,
        },
        context.words.say(
            "trusted" if trusted else "trusted_no_more", address=text_of(linked.address), signer=linked.signer
        ),
    )
    return 0


ACTIONS = {"trust": ("a sender's mails open the history as they are signed now", Command(trust, _fill))}


def _days(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 366:
        raise argparse.ArgumentTypeError("must be 1 to 366")
    return number


def _fill_postpone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suggestion", metavar="SUGGESTION", help="the id that suggestion list prints")
    parser.add_argument("--days", type=_days, default=7, metavar="N", help="ask again after N days (default: 7)")
    key(parser)


async def postpone(context: Context) -> int:
    args = context.args
    until = context.world.clock.now() + timedelta(days=args.days)
    async with context.desk() as (desk, who):
        await desk.postpone_suggestion(who, context.request, EntryId(args.suggestion), until)
    context.out.result(
        {"suggestion": args.suggestion, "until": until.isoformat()},
        context.words.say("suggestion_postponed", day=context.words.day(until)),
    )
    return 0


SUGGESTION_ACTIONS = {"postpone": ("decide later", Command(postpone, _fill_postpone))}
