"""The push share of what arrives over cut lines: nothing lost, nothing twice, nothing behind the cursor."""

from __future__ import annotations

import logging
import random

import pytest

from proofs.cutting_in import Inbox, imap_inbox, telegram_inbox, wrong
from proofs.wire import inbound
from tests.servers.mail import missing, start_mail_servers

DEADLINE = 0.5


async def check(inbox: Inbox, step: int) -> None:
    found = await inbound(inbox, step, random.Random(1))
    assert sum(one.failures > 0 for one in found) > len(found) // 2
    assert wrong(inbox, found) == (0, 0, 0), [(str(one.cut), one.identities, one.after) for one in found]


async def test_a_mailbox_whose_line_is_cut_anywhere() -> None:
    if why := missing():
        pytest.skip(f"no mail servers: {why}")
    with start_mail_servers() as mail:
        await check(imap_inbox(mail, DEADLINE), 700)


async def test_a_list_that_forgets_what_was_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram's: asking with the next cursor takes away what lies before it."""
    # Clients that hang up are what is tested here: the fake's server has a traceback for each.
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "disabled", True)
    await check(telegram_inbox(DEADLINE), 180)
