"""What the tests of writing, sending and drafts share."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    CustomerId,
    Draft,
)
from tests.ui.console import LARGE, SMALL, Driver
from tests.ui.desk_double import NOW

BOTH_SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
BOTH_LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


def a_draft(text: str = "half a sentence", **changes: object) -> Draft:
    values: dict[str, object] = {
        "agent": AgentName("mina"),
        "customer": CustomerId("emily"),
        "conversation": ConversationId("c-emily"),
        "text": text,
        "revision": 5,
        "at": NOW - timedelta(minutes=22),
        "caret": (0, 4),
        "request": "request-of-the-draft-1",
    }
    return Draft(**{**values, **changes})  # type: ignore[arg-type]


async def begin(console: Driver, name: str = "Emily Rhodes") -> None:
    await console.open(name)
    await console.press("r")
    await console.until(lambda: console.app.where == "box" and console.app.writer.now.choice is not None)  # type: ignore[union-attr]
