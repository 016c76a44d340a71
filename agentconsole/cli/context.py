"""What every command has at hand: the streams, the configuration, the way to the hub."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from agentconsole.cli.output import Output
from agentconsole.errors import UsageError
from agentconsole.seams import Clock, Randomness, SystemClock, SystemRandomness

if TYPE_CHECKING:
    from argparse import Namespace

    from agentconsole.cli.wording import Wording
    from agentconsole.config import Config, Profile
    from agentconsole.desk import Agent, Desk

Connect = Callable[["Context"], AbstractAsyncContextManager[tuple["Desk", "Agent"]]]


@dataclass(frozen=True)
class World:
    """What a command touches besides the hub; a test lends its own."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = field(default_factory=SystemClock)
    random: Randomness = field(default_factory=SystemRandomness)
    connect: Connect | None = None


class Context:
    """One run of one command.

    Args:
        args: the parsed command line, with the global options on it.
    """

    def __init__(self, args: Namespace, world: World) -> None:
        self.args = args
        self.world = world
        self.out = Output(world.stdout, world.stderr, json=bool(getattr(args, "json", False)))

    def option(self, name: str) -> str:
        """Return a global option's text, empty where it was not given."""
        return str(getattr(self.args, name, "") or "")

    @property
    def may_start(self) -> bool:
        return not getattr(self.args, "no_start", False)

    @property
    def claim(self) -> str:
        return self.option("as_name")

    @cached_property
    def config(self) -> Config:
        from agentconsole import config

        path = config.find(self.option("config"), self.world.environ)
        return config.load(path) if path is not None else config.empty()

    @cached_property
    def profile(self) -> Profile:
        return self.config.profile(self.option("profile") or self.world.environ.get("AGENTCONSOLE_PROFILE", ""))

    @cached_property
    def language(self) -> str:
        from agentconsole.bootstrap import language

        return language(self.profile, self.world.environ)

    @cached_property
    def words(self) -> Wording:
        from agentconsole.bootstrap import timezone
        from agentconsole.cli.wording import Wording

        return Wording(self.language, timezone(self.profile), self.world.clock.now)

    def prepare(self) -> None:
        """Read what lies in files, before a loop runs that must not be blocked."""
        _ = self.profile, self.words

    @cached_property
    def request(self) -> str:
        """The request id: the one of ``--key``, so that a repeat changes nothing more, else a new one."""
        return self.option("key") or self.world.random.token()

    @asynccontextmanager
    async def desk(self, *, start: bool = True, console: bool = False) -> AsyncIterator[tuple[Desk, Agent]]:
        """Attach to the hub, starting a solo hub where none runs and ``start`` and ``--no-start`` allow it.

        Args:
            console: an agent sits at it; else it is a command.
        """
        if self.world.connect is not None:
            async with self.world.connect(self) as pair:
                yield pair
            return
        from agentconsole import bootstrap
        from agentconsole.remote import as_desk

        remote = await bootstrap.open_desk(
            self.config,
            self.profile,
            hub=self.option("hub"),
            claim=self.claim,
            start=start and self.may_start,
            console=console,
            environ=self.world.environ,
            clock=self.world.clock,
            talk=self.out.talk,
        )
        try:
            yield as_desk(remote), remote.who
        finally:
            await remote.aclose()

    async def text(self, given: str | None, what: str = "text") -> str:
        """Return the text of ``--text``; ``-`` reads it from stdin.

        Raises:
            UsageError: none was given.
        """
        if given is None:
            raise UsageError(f"There is no {what}. Nothing was done.", "Give --text TEXT, or --text - to read stdin.")
        if given != "-":
            return given
        try:
            return (await asyncio.to_thread(self.world.stdin.read)).rstrip("\n")
        except UnicodeDecodeError as exc:
            raise UsageError("The text on stdin is not UTF-8. Nothing was done.", "Convert it first.") from exc


Run = Callable[[Context], Awaitable[int] | int]
"""A command: a coroutine that the loop runs, or a plain function that wants the process for itself."""
