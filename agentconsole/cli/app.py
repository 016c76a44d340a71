"""Runs one command and turns whatever happens into an exit code and one clear sentence."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import os
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from agentconsole.cli.context import Context, World
from agentconsole.cli.output import Output
from agentconsole.cli.parser import understand
from agentconsole.errors import AgentConsoleError

INTERRUPTED = 130
"""What a shell calls a command that was ended with Ctrl-C."""


def run(argv: Sequence[str], world: World | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    world = world or World()
    out = Output(world.stdout, world.stderr, json="--json" in argv)
    try:
        code = _run(argv, world, out)
        world.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return 1
    return code


def _run(argv: Sequence[str], world: World, out: Output) -> int:
    try:
        with contextlib.redirect_stdout(world.stdout):
            args = understand(argv)
        context = Context(args, world)
        if args.command != "console":
            gc.enable()
        if inspect.iscoroutinefunction(args.run):
            context.prepare()
            return int(asyncio.run(args.run(context)))
        return int(args.run(context))
    except AgentConsoleError as exc:
        out.error(exc)
        return exc.exit_code
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else 0
    except KeyboardInterrupt:
        out.talk("Interrupted. What was queued before stays queued.")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as exc:
        where = _keep(exc, world.environ)
        out.error(
            AgentConsoleError(
                f"Something unexpected went wrong ({type(exc).__name__}). The hub and its store are not touched by it.",
                f"The details are in {where}; please send them to the authors." if where else "",
            )
        )
        return 1


def _keep(exc: BaseException, environ: Mapping[str, str]) -> str:
    """Write where it happened to a log file, without any values, and return the file. The text of an exception can
    quote a customer, and nothing that is erased could reach this file."""
    home = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local/state")
    path = Path(home) / "agentconsole" / "errors.log"
    frames = "".join(traceback.format_tb(exc.__traceback__))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as log:
            log.write(f"{_kind(exc)}\n{frames}\n")
    except OSError:
        return ""
    return str(path)


def _kind(exc: BaseException) -> str:
    why = f" ({exc.strerror})" if isinstance(exc, OSError) and exc.strerror else ""
    return f"{type(exc).__module__}.{type(exc).__qualname__}{why}"


def _abandon_stdout() -> None:
    """Keep Python from complaining at exit that the reader of a pipe has gone."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError:
        pass
