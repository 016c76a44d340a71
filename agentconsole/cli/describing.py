"""``customer language``, ``customer time-zone``, ``customer country``: what somebody said of a person."""

from __future__ import annotations

import argparse

from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command, key
from agentconsole.domain.about import COUNTRY, LANGUAGE, TIME_ZONE


def _command(what: str, metavar: str, takes: str) -> Command:
    def fill(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
        parser.add_argument("value", metavar=metavar, help=f"{takes}; none takes it back")
        key(parser)

    async def run(context: Context) -> int:
        args, words = context.args, context.words
        value = "" if args.value.lower() == "none" else args.value
        async with context.desk() as (desk, who):
            customer = await desk.find(who, args.customer)
            before = await desk.describe(who, context.request, customer, what, value)
        told = words.say(
            "described" if value else "forgotten",
            what=words.say(f"described.{what}"),
            value=value,
            before=before or words.say("described.nothing"),
            id=customer,
        )
        context.out.result({"customer": customer, what: value or None, "before": before or None}, told)
        return 0

    return Command(run, fill)


ACTIONS = {
    "language": (
        "which language the customer is written to in",
        _command(LANGUAGE, "LANGUAGE", "two letters (ISO 639-1), e.g. ko"),
    ),
    "time-zone": (
        "where the customer's clock stands",
        _command(TIME_ZONE, "AREA/CITY", "an IANA name, e.g. Asia/Seoul"),
    ),
    "country": (
        "where the customer lives",
        _command(COUNTRY, "COUNTRY", "two letters (ISO 3166), e.g. KR"),
    ),
}
