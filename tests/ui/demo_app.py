"""Runs the console on the double in this terminal: ``python -m tests.ui.demo_app [language] [scenario]``."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from pathlib import Path

from agentconsole.desk import Agent
from agentconsole.domain.model import AgentName
from agentconsole.ui.app import run_console
from agentconsole.ui.settings import UiSettings
from tests.ui.desk_double import NOW, DeskDouble, email, emily

HOSTILE = Path(__file__).parents[1] / "data" / "hostile-strings.json"


def scenario(name: str) -> DeskDouble:
    desk = DeskDouble()
    if name == "emily":
        emily(desk)
    elif name == "many":
        for number in range(300):
            sender, name = email(f"k{number}@example.com"), f"Customer {number:03}"
            desk.received(f"k{number:03}", "mail", sender, f"Question {number}", minutes=400 - number, name=name)
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
            )
    return desk


async def main() -> int:
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
