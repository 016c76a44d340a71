"""What the console does before its first frame and while it stands, and where it broke off."""

from __future__ import annotations

import asyncio
from typing import Final

from agentconsole.desk import Agent, Desk, QueuePage
from agentconsole.domain.addresses import PHONE, shown
from agentconsole.domain.model import Address
from agentconsole.errors import AgentConsoleError
from agentconsole.ui.reading import Reading
from agentconsole.ui.widgets.queue import PAGE

FIRST_SECONDS: Final = 0.2


def place(error: Exception) -> str:
    traceback, place = error.__traceback__, "?"
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def import_later() -> None:
    from agentconsole.ui.widgets import reply

    shown(Address(PHONE, "", "+442079460182"))
    assert reply


async def first_page(desk: Desk, who: Agent) -> QueuePage | None:
    """Ask for the first rows before there is a screen, so that they stand in its first frame; None where that lasts."""
    try:
        async with asyncio.timeout(FIRST_SECONDS):
            return await desk.queue(who, Reading.FIRST_VIEW, 0, PAGE)
    except (TimeoutError, AgentConsoleError):
        return None
