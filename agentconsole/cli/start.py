"""``console`` and ``demo``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
from functools import partial
from typing import TYPE_CHECKING

from agentconsole import bootstrap
from agentconsole.cli import consoling
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command
from agentconsole.desk import Agent, Desk
from agentconsole.domain.model import Delivery
from agentconsole.errors import AgentConsoleError, UsageError

if TYPE_CHECKING:
    from agentconsole.ui.keymap import Keymap


def console(context: Context) -> int:
    """Open the console; in solo, start a hub where none runs."""
    gc.disable()  # until the first frame: start-up makes no garbage, and looking for it costs a tenth of the time
    if context.out.json:
        raise UsageError("The console has no --json.", "Commands have: agentconsole inbox --json")
    if not (context.world.stdin.isatty() and context.world.stdout.isatty()):
        raise UsageError("The console needs a terminal.", "Commands work without: agentconsole inbox")
    context.prepare()
    keymap, _ = consoling.keymap(context.config, context.profile)
    return asyncio.run(_console(context, keymap))


async def _console(context: Context, keymap: Keymap) -> int:
    from agentconsole.cli.inside import Inside
    from agentconsole.sandbox.guide import attend

    world, profile = context.world, context.profile
    folder = bootstrap.store_folder(profile) if profile.store else None
    async with context.desk(console=True) as (desk, who), attend(folder, context.language, keymap) as guide:
        await consoling.run_console(
            desk,
            who,
            profile,
            environ=world.environ,
            clock=world.clock,
            random=world.random,
            keymap=keymap,
            setup=await asyncio.to_thread(
                partial(
                    consoling.setup,
                    context.config,
                    profile,
                    context.option("hub"),
                    world.environ,
                    demo=guide is not None,
                )
            ),
            commands=Inside(context, desk, who),
            coach=guide.coach if guide is not None else None,
            extra=guide.extra if guide is not None else (),
        )
        await _tell_what_waits(context, desk, who)
    return 0


async def _tell_what_waits(context: Context, desk: Desk, who: Agent) -> None:
    """Say after the screen is gone what leaves by itself, and when; nothing where terminal or hub are gone too."""
    with contextlib.suppress(OSError, TimeoutError, AgentConsoleError):
        async with asyncio.timeout(0.3):
            lines = await desk.outbox(who, (Delivery.QUEUED,))
        times = [line.record.not_before for line in lines if line.record.not_before is not None]
        if times:
            context.out.talk(context.words.say("quit_waits", n=len(times), at=context.words.moment(min(times))))


def _fill_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", metavar="DIR", default="", help="keep the world's state in DIR")
    parser.add_argument("--headless", action="store_true", help="no console; print where it is when it is ready")
    parser.add_argument("--drop", action="store_true", help="drop the line of the running demo's console")


def demo(context: Context) -> int:
    """Start the sandbox world, and the console on it."""
    from agentconsole.sandbox import demo as sandbox

    code: int = sandbox.run(context.args)
    return code


COMMANDS = {"console": Command(console), "demo": Command(demo, _fill_demo)}
