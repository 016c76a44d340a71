"""``customer split`` and ``customer unsplit``: some addresses of a customer are another person's."""

from __future__ import annotations

import argparse

from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command, key


def _fill_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    parser.add_argument("addresses", metavar="ADDRESS", nargs="+", help="what is the other person's")
    parser.add_argument("--name", metavar="N", default="", help="what the other person is called")
    key(parser)


async def split(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        other = await desk.split(who, context.request, customer, args.addresses, args.name)
    context.out.result(
        {"customer": customer, "other": other, "addresses": args.addresses},
        context.words.say("split", id=other),
        context.words.say("undo_merge", command=f"agentconsole customer unsplit {other}"),
    )
    return 0


def _fill_unsplit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="either of the two")
    key(parser)


async def unsplit(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        whole = await desk.unsplit(who, context.request, customer)
    context.out.result({"customer": whole, "unsplit": True}, context.words.say("unsplit", id=whole))
    return 0


ACTIONS = {
    "split": ("some addresses are another person's, with all that came from them", Command(split, _fill_split)),
    "unsplit": ("undo the newest split; everything is as before", Command(unsplit, _fill_unsplit)),
}
