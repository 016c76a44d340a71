"""``customer find``: the customers that somebody who types this may mean."""

from __future__ import annotations

import argparse

from agentconsole.cli import views
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command

_MOST = 50


def _fill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="WORDS", help="the beginning of a name or address; first consonants do (ㅂㅁㅅ)"
    )
    parser.add_argument("--limit", type=int, default=20, metavar="N", help=f"at most N, up to {_MOST} (default: 20)")


async def find(context: Context) -> int:
    async with context.desk() as (desk, who):
        found = await desk.find_people(who, " ".join(context.args.words), context.args.limit)
    out, words = context.out, context.words
    if out.json:
        out.object({"customers": [views.contact(one) for one in found]})
        return 0
    for one in found:
        addresses = ", ".join(one.addresses)
        out.line(words.say("contact", name=one.name or one.customer, customer=one.customer, addresses=addresses))
    if not found:
        out.line(words.say("nothing_found"))
    return 0


ACTIONS = {"find": ("customers by the beginning of a name or address", Command(find, _fill))}
