"""Runs the console on the double in this terminal: ``python -m tests.ui.demo_app [language] [scenario]``."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from agentconsole.desk import AccountHealth, Agent, Away, DamagedRecord
from agentconsole.domain.entries import (
    Note,
    Receipt,
    Redacted,
    Reply,
)
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    Attachment,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
    EntryId,
    Medium,
    Participant,
)
from agentconsole.ui import app, ending
from agentconsole.ui.settings import UiSettings
from tests.ui.desk_double import MEDIA, NOW, DeskDouble, email, emily
from tests.waiting import DEADLINE

HOSTILE = Path(__file__).parents[1] / "data" / "hostile-strings.json"


def scenario(name: str) -> DeskDouble:
    desk = Keeping()
    if name == "emily":
        emily(desk)
    elif name == "care":
        care(desk)
    elif name == "old":
        for number in range(6):
            desk.received(
                f"o{number}", "mail", email(f"o{number}@example.com"), "Hello", minutes=5000 + number, name="Old"
            )
    elif name == "long":
        for number in range(60):
            desk.received(
                "emily", "mail", email("emily@example.com"), f"Line {number}", minutes=90 - number, name="Emily"
            )
    elif name == "many":
        for number in range(300):
            sender, name = email(f"k{number}@example.com"), f"Customer {number:03}"
            desk.received(f"k{number:03}", "mail", sender, f"Question {number}", minutes=400 - number, name=name)
    elif name == "markup":
        text = "[bold]not bold[/bold] [/] [@click=app.quit]x[/]"
        desk.received("m", "mail", email("m@example.com"), text, name="[/]", subject="[/nope]")
    elif name == "hostile":
        for number, case in enumerate(json.loads(HOSTILE.read_text())["strings"]):
            text = case["payload"]
            desk.received(
                f"h{number:03}",
                "mail",
                email(f"h{number}@example.com"),
                text,
                minutes=400 - number,
                name=text,
                subject=text,
                conversation=f"c{number:03}",
                attachments=(Attachment(text, "text/plain", 12),),
                participants=(Participant("cc", email("other@example.com"), text),),
            )
            desk.opt_out(f"h{number:03}", "sms", text)
            note = Note(
                id=EntryId(f"n{number}"),
                at=NOW,
                agent=AgentName(text),
                conversation=ConversationId(f"c{number:03}"),
                text=text,
            )
            desk.add(f"h{number:03}", note)
            reply = Reply(
                id=EntryId(f"s{number}"),
                at=NOW,
                agent=AgentName("mina"),
                conversation=ConversationId(f"c{number:03}"),
                account=AccountName("mail"),
                medium=Medium("email"),
                address=email(f"h{number}@example.com"),
                text=text,
                key=f"s{number}",
            )
            desk.add(f"h{number:03}", reply)
            desk.receipt(reply.id, Delivery.FAILED, reason=text, detail=text)
            desk.health.append(
                AccountHealth(AccountName(f"a{number}"), "email", Medium("email"), "unreachable", error=text, hint=text)
            )
    return desk


def care(desk: DeskDouble) -> None:
    """Everything that can go wrong at once: unsure replies of two agents, a damaged customer, a full disk."""
    emily(desk)
    senders = (("emily", "mina", "mail", 12, "line_cut"), ("tanaka", "hyun", "mail", 130, "restored"))
    for number, (customer, agent, account, minutes, reason) in enumerate(senders):
        unsure(desk, customer, agent, account, f"Yes, 11 March at 9:00 is yours now ({number}).", minutes, reason)
    desk.missed = Away(NOW, sent=1, uncertain=1, answered=2)
    desk.broken[CustomerId("minsu")] = DamagedRecord(
        CustomerId("minsu"), "박민수", "the checksum does not match", entries=2, previous=3
    )
    desk.set_aside = 2
    desk.banner = "sending_rests"
    desk.add(
        "emily",
        Note(id=EntryId("card"), at=NOW, agent=AgentName("hyun"), conversation=ConversationId("c-emily"), text=""),
        Redacted(id=EntryId("gone"), at=NOW, entry=EntryId("card"), by=AgentName("ana"), why="card number"),
    )


def unsure(
    desk: DeskDouble, customer: str, agent: str, account: str, text: str, minutes: float, reason: str = "line_cut"
) -> EntryId:
    """Let a reply of an agent become uncertain some minutes ago."""
    at = NOW - timedelta(minutes=minutes)
    medium = MEDIA[AccountName(account)].medium
    person = desk.person(CustomerId(customer))
    address = next(
        known.address for known in person.addresses if known.address.kind == MEDIA[AccountName(account)].address_kind
    )
    reply = Reply(
        id=EntryId(f"unsure-{customer}-{minutes}"),
        at=at,
        agent=AgentName(agent),
        conversation=ConversationId(f"c-{customer}"),
        account=AccountName(account),
        medium=medium,
        address=address,
        text=text,
        key="k",
    )
    sending = Receipt(
        id=EntryId(f"{reply.id}-s"), at=at, reply=reply.id, state=Delivery.SENDING, attempt=1, committed=True
    )
    cut = Receipt(
        id=EntryId(f"{reply.id}-u"), at=at, reply=reply.id, state=Delivery.UNCERTAIN, attempt=1, reason=reason
    )
    desk.add(customer, reply, sending, cut)
    return reply.id


class Keeping(DeskDouble):
    """Writes every draft to a file that the test reads after the console's end."""

    async def save_draft(self, who: Agent, draft: Draft) -> bool:
        file = os.environ.get("CONSOLE_KEPT")
        if file:
            await asyncio.to_thread(Path(file).write_text, draft.text)
        return await super().save_draft(who, draft)


def ignore_hang_up() -> None:
    """Make SIGHUP do nothing, as under nohup, whatever the console asks for."""
    loop_type = type(asyncio.get_running_loop())
    add = loop_type.add_signal_handler

    def all_but_hang_up(self: Any, number: int, *rest: Any) -> None:
        if number == signal.SIGHUP:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        else:
            add(self, number, *rest)

    loop_type.add_signal_handler = all_but_hang_up  # type: ignore[method-assign]


async def stuck(_console: app.Console, _code: int = 0) -> None:
    """End as a console does whose terminal takes nothing more: never."""
    time.sleep(100 * DEADLINE)


def another(desk: DeskDouble) -> None:
    """Let one more message come, from whom the list has first."""
    customer = next(iter(desk.records))
    number = len(desk.records[CustomerId(customer)])
    sender, text = email(f"{customer}@example.com"), f"One more question ({number})"
    desk.received(customer, "mail", sender, text, minutes=-0.1, name="Emily Rhodes", conversation=f"c-{customer}")


def clock() -> Callable[[], datetime]:
    """Return a clock that stands a second before a full minute, and goes on by one whenever SIGUSR2 comes."""
    now = NOW.replace(second=59)

    def go_on() -> None:
        nonlocal now
        now += timedelta(seconds=1)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, go_on)
    return lambda: now


async def main() -> int:
    if os.environ.get("CONSOLE_NO_HUP"):
        ignore_hang_up()
    if os.environ.get("CONSOLE_STUCK"):
        app.Console.end = stuck  # type: ignore[method-assign]
    else:
        # A machine that is busy with other tests may need longer than people would wait for.
        # Both end well before who waits for the end: on a dead terminal the last resort is what ends the console.
        app.LEAVE_SECONDS, ending.LAST_SECONDS = DEADLINE / 3, DEADLINE / 2  # type: ignore[misc]
    language = sys.argv[1] if len(sys.argv) > 1 else "en"
    desk = scenario(sys.argv[2] if len(sys.argv) > 2 else "emily")
    numbers = itertools.count(1)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, another, desk)
    settings = UiSettings(
        request_ids=lambda: f"request{next(numbers):04}",
        language=language,
        timezone="UTC",
        profile="demo",
        clock=clock() if os.environ.get("CONSOLE_CLOCK") else lambda: NOW,
        in_tmux="TMUX" in os.environ,
        notify=("bell", "osc777", "osc9", "title"),
        notify_level="all",
        notify_name=True,
        show_clock=os.environ.get("CONSOLE_CLOCK") != "hidden",
        theme=os.environ.get("CONSOLE_THEME", "ansi"),
        lock_after=timedelta(seconds=1) if os.environ.get("CONSOLE_LOCKS") else None,
    )
    return await app.run_console(desk, Agent(AgentName("mina")), settings)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
