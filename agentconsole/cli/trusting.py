"""``customer trust``: an agent vouches for a mail address as it signs now."""

from __future__ import annotations

import argparse

from agentconsole.cli.context import Context
from agentconsole.cli.names import text_of
from agentconsole.cli.parser import Command, key


def _fill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    parser.add_argument("address", metavar="ADDRESS", nargs="?", default="", help="which one (default: who wrote last)")
    parser.add_argument("--end", action="store_true", help="trust it no longer")
    key(parser)


async def trust(context: Context) -> int:
    args = context.args
    async with context.desk() as (desk, who):
        customer = await desk.find(who, args.customer)
        linked = await desk.trust_sender(who, context.request, customer, args.address, not args.end)
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
