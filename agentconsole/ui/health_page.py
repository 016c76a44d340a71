"""The page of accounts and hub as rows: how each is, since when, and which key or command helps. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from agentconsole.desk import AccountHealth, Status, StoreStatus
from agentconsole.ui.draw import Row, Safe, fit, our, row, safe, sides, wrap
from agentconsole.ui.say import Say
from agentconsole.ui.widgets.paper import Item

_BAD_STATES: Final = ("unreachable", "signed_out", "stopped")

SILENT: Final = timedelta(minutes=20)
"""After so long without a look an account that says it is well is not: the hub ends each wait after ten minutes."""

_GIGABYTE: Final = 1_000_000_000

OLD_BACKUP: Final = timedelta(days=7)


def is_down(account: AccountHealth) -> bool:
    return account.state in _BAD_STATES


def health(status: Status, say: Say, now: datetime, width: int) -> list[Item]:
    """Return the page. Enter on an account means: look now."""
    found = [Item(row((line, "title"))) for line in wrap(say("health.title"), width, 2)]
    found.append(Item(()))
    for account in status.accounts:
        found += _account(account, say, now, width)
    if not status.accounts:
        found.append(_line(say("health.no_account"), "warn"))
    found.append(Item(()))
    for text, style in (*_replies(status, say), *_arriving(status, say), *_store(status.store, say, now)):
        found += [_line(part, style) for part in wrap(text, width - 4, 3)]
    if status.agents:
        names = ", ".join(safe(name, 20) for name in status.agents)
        found += [_line(part) for part in wrap(say("health.agents", names=names), width - 4, 2)]
    hub = say(
        "health.hub",
        version=status.version,
        profile=status.profile,
        pid=str(status.pid),
        since=say.when(status.started_at, now),
    )
    return [*found, _line(hub, "dim")]


def _line(text: Safe, style: str = "", lead: str = "  ") -> Item:
    return Item(row(our(lead), (text, style)))


def _account(account: AccountHealth, say: Say, now: datetime, width: int) -> Iterator[Item]:
    down = is_down(account)
    left: Row = row(
        our(" "),
        (fit(safe(account.name, 20), 16), "bold"),
        (fit(say.medium(account.medium), 12), "in"),
        (say.account_state(account.state), "bad" if down else "good"),
    )
    if account.since is not None and down:
        left = (*left, (our(" " + say.age(now - account.since)), "bad"))
    last = say.when(account.last_ok, now) if account.last_ok is not None else say("health.never")
    right = say("health.account", last=last, received=str(account.received), sent=str(account.sent))
    yield Item(sides(left, row((right, "dim")), width), account.name)
    told: list[tuple[Safe, str]] = []
    if account.read_only:
        told.append((say("health.readonly"), "note"))
    if account.unchecked:
        told.append((say("health.unchecked"), "warn"))
    if account.error:
        told.append((safe(account.error, 400), "bad"))
    if account.hint:
        told.append((safe(account.hint, 400), ""))
    if account.state == "signed_out":
        told.append((say("health.signed_out"), ""))
    elif account.retry_at is not None and down:
        told.append((say("health.retry", time=say.clock(account.retry_at)), "dim"))
    if account.state == "ok" and account.last_ok is not None and now - account.last_ok > SILENT:
        told.append((say("health.silent", ago=say.ago(now - account.last_ok)), "warn"))
    for text, style in told:
        for part in wrap(text, width - 8, 4):
            yield _line(part, style, "      ")


def _replies(status: Status, say: Say) -> Iterator[tuple[Safe, str]]:
    box = status.outbox
    yield say("health.outbox", queued=str(box.queued), sending=str(box.sending)), ""
    if box.uncertain:
        yield say("health.uncertain", n=str(box.uncertain)), "warn"
    if box.failed:
        yield say("health.failed", n=str(box.failed)), "bad"


def _arriving(status: Status, say: Say) -> Iterator[tuple[Safe, str]]:
    yield say("health.spool", waiting=str(status.spool.waiting)), ""
    if status.spool.set_aside:
        yield say("health.aside", n=str(status.spool.set_aside)), "warn"


def _store(store: StoreStatus, say: Say, now: datetime) -> Iterator[tuple[Safe, str]]:
    key = "health.store" if store.free_bytes >= 0 else "health.store_plain"
    free = (
        say.size(max(store.free_bytes, 0)) if store.free_bytes < _GIGABYTE else f"{store.free_bytes / _GIGABYTE:.0f} GB"
    )
    yield say(key, kind=store.kind, customers=str(store.customers), entries=str(store.entries), free=free), ""
    if store.index_behind:
        yield say("health.index", n=str(store.index_behind)), "note"
    if store.read_only:
        yield say("health.damaged", n=str(len(store.read_only))), "bad"
    if store.kind != "tinydb":
        return
    if store.backed_up is None:
        yield say("health.no_backup"), "warn"
    elif now - store.backed_up > OLD_BACKUP:
        days = str((now - store.backed_up).days)
        yield say("health.old_backup", when=say.when(store.backed_up, now), days=days), "warn"
    else:
        yield say("health.backup", when=say.when(store.backed_up, now)), ""
