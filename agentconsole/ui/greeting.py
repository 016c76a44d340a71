"""What stands in place of conversations where there is none: what to do first, what comes by itself, what is left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from agentconsole.desk import AccountHealth, QueueCounts, Status
from agentconsole.ui.draw import Row, Safe, our, row, safe, wrap
from agentconsole.ui.health_page import is_down
from agentconsole.ui.say import Say
from agentconsole.ui.settings import Setup

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

MOST_ACCOUNTS = 4


def is_wanted(app: Console) -> bool:
    """Say whether nothing waits and nothing is open."""
    reading = app.reading
    return (
        reading.loaded
        and reading.opened is None
        and not app.queue.total
        and reading.view == reading.FIRST_VIEW
        and not reading.words
        and reading.status is not None
    )


def rows(app: Console, width: int) -> list[Row]:
    status = app.reading.status
    assert status is not None
    told = sentences(status, app.reading.counts, app.settings.setup, app.say, app.settings.clock())
    return [
        row(our(" " if first else "   "), (line, style))
        for text, style in told
        for first, line in zip(_firsts(), wrap(text, width - 4, 3), strict=False)
    ]


def _firsts() -> Iterator[bool]:
    yield True
    while True:
        yield False


def sentences(status: Status, counts: QueueCounts, setup: Setup, say: Say, now: datetime) -> Iterator[tuple[Safe, str]]:
    """Yield each sentence with its style.

    Args:
        setup: whether accounts are added from this console.
    """
    if not status.accounts:
        yield say("first.no_account"), "title"
        yield say("first.add" if setup.command else "first.not_here"), ""
        yield say("first.look_around"), "dim"
    elif not status.store.entries:
        yield say("first.nothing_yet"), "title"
        for account in status.accounts[:MOST_ACCOUNTS]:
            yield _account(account, say, now), "bad" if is_down(account) else ""
        yield say("first.now"), "dim"
    else:
        yield say("first.done"), "title"
        for key, count in (
            ("uncertain", counts.uncertain),
            ("failed", counts.failed),
            ("open", counts.open),
            ("snoozed", counts.snoozed),
            ("tasks", counts.tasks),
        ):
            if count:
                yield say(f"first.{key}", n=str(count)), ""


def _account(account: AccountHealth, say: Say, now: datetime) -> Safe:
    name = safe(account.name, 40)
    if is_down(account):
        return say("first.down", account=name, state=say.account_state(account.state))
    if account.state == "starting":
        return say("first.starting", account=name, n=str(account.received))
    if account.last_ok is None:
        return say("first.pushed", account=name)
    return say("first.looking", account=name, ago=say.ago(now - account.last_ok))
