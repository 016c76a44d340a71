"""A hub that is asked to stop stops, whatever it does at that moment."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from agentconsole.channels.email.mailbox import Mailbox


async def test_a_fetch_that_ends_as_it_is_cancelled_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11's ``wait_for`` swallows the cancellation; the hub then waited for its account for ever."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()
    monkeypatch.setattr(loop, "run_in_executor", lambda *_: future)
    mailbox = Mailbox(cast("Any", None), cast("Any", None))
    task = asyncio.create_task(mailbox._run(lambda: 1, 5.0))
    await asyncio.sleep(0)
    future.set_result(1)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
