"""The first messages of an account that was just set up: the hub learns of it, fetches, and what came is shown."""

from __future__ import annotations

import asyncio
from typing import Final

from agentconsole.cli import learning, operating
from agentconsole.cli.accountfile import Answers
from agentconsole.cli.context import Context
from agentconsole.desk import Agent, Desk
from agentconsole.domain.model import AccountName
from agentconsole.errors import HubAbsent
from agentconsole.text.sanitise import one_line

SHOWN: Final = 5
"""First messages that are shown at the end."""

FETCH_SECONDS: Final = 120.0
PROGRESS_SECONDS: Final = 1.0


async def first_messages(context: Context, fields: dict[str, object], answers: Answers) -> tuple[int, str]:
    """Fetch with progress, show the first messages, and return what the mails tell about their server. A failure is
    told; what was written stays."""
    talk, account, name = context.out.talk, AccountName(answers.account), ""
    await _let_the_hub_know(context, account)
    talk(f"Fetching from {account} …")
    async with context.desk() as (desk, who):
        telling = asyncio.create_task(_tell_progress(context, desk, who, account))
        try:
            result = (await desk.sync(who, account, FETCH_SECONDS))[0]
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        page = await desk.queue(who, "all", 0, SHOWN)
        if answers.kind == learning.KIND and not answers.options.get(learning.KEY):
            name = await learning.server_name(desk, who, account)
    fields["received"] = result.received
    talk(f"{result.received} new messages." + (f" {result.error} {result.hint}".rstrip() if result.error else ""))
    for row in page.lines:
        talk(f"  {one_line(row.name or row.customer)}: {one_line(row.subject or row.preview, 70)}")
    if page.total > len(page.lines):
        talk(f"  and {page.total - len(page.lines)} more")
    return (1 if result.error else 0), name


async def _let_the_hub_know(context: Context, account: AccountName) -> None:
    """Start a hub again that runs and was started before the account was there."""
    try:
        async with context.desk(start=False) as (desk, who):
            known = {health.name for health in (await desk.status(who)).accounts}
    except HubAbsent:
        return
    if account not in known:
        context.out.talk("Starting the hub again, so that it knows the account …")
        await operating.begin_again(context)


async def _tell_progress(context: Context, desk: Desk, who: Agent, account: AccountName) -> None:
    told = 0
    while True:
        await context.world.clock.sleep(PROGRESS_SECONDS)
        status = await desk.status(who)
        received = next((health.received for health in status.accounts if health.name == account), 0)
        if received > told:
            told = received
            context.out.talk(f"  {received} so far")
