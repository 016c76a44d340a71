"""The console on the double, where messages come in all the time: ``python -m tests.pty.editor_app``."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from agentconsole.desk import Agent
from agentconsole.domain.model import AgentName
from agentconsole.ui import app
from agentconsole.ui.settings import UiSettings
from tests.ui.demo_app import scenario
from tests.ui.desk_double import NOW, DeskDouble, email


async def busy(desk: DeskDouble) -> None:
    """Let the console have something to draw while somebody else has the terminal."""
    told = Path(os.environ["HOME"]) / "drawn"
    for number in itertools.count():
        await asyncio.sleep(0.05)
        told.write_text(str(number))
        sender, name = email("busy@example.com"), "Busy"
        desk.received("busy", "mail", sender, f"line {number % 20}", minutes=-number, name=name)


async def main() -> int:
    desk = scenario("emily")
    numbers = itertools.count(1)
    settings = UiSettings(request_ids=lambda: f"request-{next(numbers):04}-of-this-test", clock=lambda: NOW)
    running = asyncio.create_task(busy(desk))
    try:
        return await app.run_console(desk, Agent(AgentName("mina")), settings)  # type: ignore[arg-type]
    finally:
        running.cancel()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
