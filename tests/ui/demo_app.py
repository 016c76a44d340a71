"""Runs the console on the double in this terminal: ``python -m tests.ui.demo_app [language] [scenario]``."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from agentconsole.desk import AccountHealth, Agent
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    Attachment,
    ConversationId,
    Delivery,
    Draft,
    EntryId,
    Medium,
    Note,
    Participant,
    Reply,
)
from agentconsole.ui.app import run_console
from agentconsole.ui.settings import UiSettings
from tests.ui.desk_double import NOW, DeskDouble, email, emily

HOSTILE = Path(__file__).parents[1] / "data" / "hostile-strings.json"


def scenario(name: str) -> DeskDouble:
    desk = Keeping()
    if name == "emily":
        emily(desk)
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


async def main() -> int:
    if os.environ.get("CONSOLE_NO_HUP"):
        ignore_hang_up()
    language = sys.argv[1] if len(sys.argv) > 1 else "en"
    desk = scenario(sys.argv[2] if len(sys.argv) > 2 else "emily")
    numbers = itertools.count(1)
    settings = UiSettings(
        request_ids=lambda: f"request{next(numbers):04}",
        language=language,
        timezone="UTC",
        profile="demo",
        clock=lambda: NOW,
    )
    return await run_console(desk, Agent(AgentName("mina")), settings)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
