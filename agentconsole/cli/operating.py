"""``serve``, ``stop``, ``restart``, ``status``, ``sync``: the hub and how it is."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agentconsole import bootstrap
from agentconsole.cli import views
from agentconsole.cli.context import Context
from agentconsole.cli.human import status_lines
from agentconsole.cli.parser import Command
from agentconsole.domain.model import AccountName
from agentconsole.errors import AgentConsoleError, HubAbsent, TryLater

if TYPE_CHECKING:
    from agentconsole.cli.output import Fields
    from agentconsole.cli.wording import Wording
    from agentconsole.desk import Status, SyncResult

STOP_DEADLINE = 45.0
"""Seconds that ``stop`` waits: the hub's own grace for sends in hand, and closing the store."""

PAUSE = 0.05
LOG_BYTES = 5_000_000


# -- serve --------------------------------------------------------------------------------------------------


def _fill_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--solo", action="store_true", help="leave some time after the last console (used by it)")


def serve(context: Context) -> int:
    """Run the hub until it is stopped, and again in a new process image where a restart was asked for."""
    solo = bool(context.args.solo)
    os.umask(0o077)
    context.prepare()
    folder = bootstrap.store_folder(context.profile)
    bootstrap.accounts(context.config, context.profile, context.world.clock.now())
    again = asyncio.run(_serve(context, folder if solo else None))
    if again:
        words = [sys.executable, "-P", "-m", "agentconsole", *sys.argv[1:]]
        os.execv(words[0], words)  # noqa: S606  (no shell is wanted)
    return 0


async def _serve(context: Context, folder: Path | None) -> bool:
    """Serve, and say whether a restart is wanted. ``folder`` is where a solo hub keeps its log."""
    world, profile, solo = context.world, context.profile, folder is not None
    path = bootstrap.serving_socket(profile, solo=solo)
    async with (
        bootstrap.open_store(profile, world.clock, world.random) as store,
        _logging(folder) as log,
    ):
        await asyncio.to_thread(bootstrap.prepare_socket, path)
        hub = bootstrap.make_hub(
            context.config,
            profile,
            store,
            solo=solo,
            environ=world.environ,
            clock=world.clock,
            random=world.random,
            log=log,
        )
        asked = False

        def stop() -> None:
            nonlocal asked
            hub.request_stop(at_once=asked)
            asked = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        if solo:
            loop.add_signal_handler(signal.SIGHUP, lambda: None)

        def ready() -> None:
            log.info("profile %s is served at %s", profile.name, path)
            if context.out.json:
                context.out.object({"profile": profile.name, "socket": str(path), "pid": os.getpid()})
                world.stdout.flush()
            elif not solo:
                context.out.talk(f"Serving the profile {profile.name} at {path}. End it with Ctrl-C.")

        await hub.run(path, group=profile.hub.group, ready=ready)
        if hub.broken:
            raise AgentConsoleError(
                f"The hub ended because its task {hub.broken!r} did. What was received and queued is kept.",
                "See hub.log, then: agentconsole serve",
            )
        return hub.restart_wanted


@asynccontextmanager
async def _logging(folder: Path | None) -> AsyncIterator[logging.Logger]:
    """Log to ``hub.log`` in a folder, or to stderr, from a thread of its own: writing a file blocks.

    The log holds no message texts and no secrets; libraries speak only from warnings on.
    """
    import logging.handlers
    import queue

    from agentconsole.hub.frames import Frames

    target = await asyncio.to_thread(_target, folder)
    target.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(lines, target)
    root = logging.getLogger()
    root.addHandler(handler := logging.handlers.QueueHandler(lines))
    handler.setFormatter(Frames())
    root.setLevel(logging.WARNING)
    log = logging.getLogger("agentconsole")
    log.setLevel(logging.INFO)
    listener.start()
    try:
        yield log
    finally:
        root.removeHandler(handler)
        await asyncio.to_thread(listener.stop)
        target.close()


def _target(folder: Path | None) -> logging.Handler:
    import logging.handlers

    if folder is None:
        return logging.StreamHandler()
    target = logging.handlers.RotatingFileHandler(
        folder / "hub.log", maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8"
    )
    # What anybody writes to stdout or stderr from now on is worth keeping too.
    with open(folder / "hub.log", "ab") as sink:
        for number in (1, 2):
            os.dup2(sink.fileno(), number)
    return target


# -- stop and restart ---------------------------------------------------------------------------------------


def _fill_stop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--now", action="store_true", help="give up sends in hand; they become uncertain")


async def stop(context: Context) -> int:
    """End the hub and return when it has gone. No hub is no failure: what was wanted is so."""
    try:
        async with context.desk(start=False) as (desk, who):
            status = await desk.status(who)
            await desk.stop(who, bool(context.args.now), False)
    except HubAbsent:
        context.out.result({"stopped": False, "pid": None}, context.words.say("no_hub"))
        return 0
    clock = context.world.clock
    end = clock.monotonic() + STOP_DEADLINE
    while not await asyncio.to_thread(_gone, status.pid):
        if clock.monotonic() > end:
            raise TryLater(
                f"The hub (process {status.pid}) still finishes sends. It goes when they are done.",
                "Wait, or: agentconsole stop --now",
            )
        await clock.sleep(PAUSE)
    context.out.result({"stopped": True, "pid": status.pid}, context.words.say("hub_ended", pid=status.pid))
    return 0


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return True
    return state[:1] in (["Z"], ["X"])


async def restart(context: Context) -> int:
    """Restart the hub and return when the new one answers."""
    after = await begin_again(context, now=bool(context.args.now))
    context.out.result({"restarted": True, "pid": after.pid}, context.words.say("hub_again", pid=after.pid))
    return 0


async def begin_again(context: Context, *, now: bool = False) -> Status:
    """End the hub, start it again and return how it is once it answers.

    Args:
        now: give up sends in hand.

    Raises:
        TryLater: it did not come back in time.
    """
    async with context.desk(start=False) as (desk, who):
        before = await desk.status(who)
        await desk.stop(who, now, True)
    clock = context.world.clock
    end = clock.monotonic() + STOP_DEADLINE
    while clock.monotonic() < end:
        try:
            async with context.desk(start=False) as (desk, who):
                after = await desk.status(who)
        except HubAbsent:
            pass
        else:
            if after.started_at != before.started_at:
                return after
        await clock.sleep(PAUSE)
    raise TryLater("The hub did not come back in time.", "See hub.log, then: agentconsole serve")


# -- status and sync ----------------------------------------------------------------------------------------


async def status(context: Context) -> int:
    async with context.desk() as (desk, who):
        found = await desk.status(who)
    if context.out.json:
        context.out.object(views.status(found))
        return 0
    for line in status_lines(found, context.words):
        context.out.line(line)
    return 0


def _fill_sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", nargs="?", default="", help="only this account")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=120.0, help="at most so long (default: 120)"
    )


async def sync(context: Context) -> int:
    """One pass over the accounts, each told as it is done; 1 where one of them failed."""
    args, out = context.args, context.out
    results: list[SyncResult] = []
    async with context.desk() as (desk, who):
        health = (await desk.status(who)).accounts
        names = [args.account] if args.account else [account.name for account in health]
        for account in health:
            if account.name in names:
                out.talk(context.words.say("fetching", account=account.name))
        tell = out.talk if out.json else out.line
        calls = [asyncio.ensure_future(desk.sync(who, AccountName(name), args.timeout)) for name in names]
        try:
            for call in asyncio.as_completed(calls):
                for result in await call:
                    results.append(result)
                    tell(_synced(result, context.words))
        finally:
            for pending in calls:
                pending.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
    results.sort(key=lambda result: names.index(result.account))
    if out.json:
        out.object({"accounts": [_synced_fields(result) for result in results]})
    return 1 if any(result.error for result in results) else 0


def _synced(result: SyncResult, words: Wording) -> str:
    told = words.say("fetched", account=result.account, n=result.received)
    return f"{told}. {result.error} {result.hint}".rstrip() if result.error else told


def _synced_fields(r: SyncResult) -> Fields:
    return {"account": r.account, "received": r.received, "error": r.error or None, "hint": r.hint or None}


COMMANDS = {
    "serve": Command(serve, _fill_serve),
    "stop": Command(stop, _fill_stop),
    "restart": Command(restart, _fill_stop),
    "status": Command(status),
    "sync": Command(sync, _fill_sync),
}
