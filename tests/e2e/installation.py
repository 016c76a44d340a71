"""An installation in a folder: a configuration, a hub as a process of its own, and the command line as users run it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.waiting import DEADLINE, until


@dataclass
class Answered:
    """What one command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Installation:
    """Where everything lies, and how to call the commands."""

    folder: Path
    config: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    hub: asyncio.subprocess.Process | None = None

    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "PYTHONWARNINGS": "ignore",
            **self.environment,
        }

    async def run(self, *words: str, stdin: bytes | None = None, seconds: float = 40.0) -> Answered:
        """Run one command to its end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agentconsole",
            "--config",
            str(self.config),
            *words,
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.env(),
        )
        try:
            async with asyncio.timeout(seconds):
                out, err = await process.communicate(stdin)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return Answered(process.returncode or 0, out.decode(), err.decode())

    async def json(self, *words: str) -> Any:
        """Run one command with ``--json``, which must succeed."""
        answered = await self.run("--json", *words)
        assert answered.code == 0, f"{words}: {answered}"
        return answered.json

    async def start(self) -> None:
        """Start the hub in the foreground of a process of its own and wait until it answers."""
        (self.folder / "home").mkdir(exist_ok=True)
        log = (self.folder / "serve.log").open("ab")
        self.hub = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agentconsole",
            "--config",
            str(self.config),
            "serve",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=self.env(),
            start_new_session=True,
        )
        log.close()

        async def answers() -> bool:
            if self.hub is not None and self.hub.returncode is not None:
                raise AssertionError((self.folder / "serve.log").read_text())
            return (await self.run("--json", "status", "--no-start")).code == 0

        await until(answers, 30, "a hub that answers")

    async def kill(self) -> None:
        """Kill the hub as ``kill -9`` does, with all it started."""
        if self.hub is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.hub.pid, signal.SIGKILL)
            await self.hub.wait()
            self.hub = None

    async def stop(self) -> int:
        """Ask the hub to stop and return its exit code."""
        if self.hub is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.hub.terminate()
        async with asyncio.timeout(DEADLINE):
            code = await self.hub.wait()
        self.hub = None
        return code


@asynccontextmanager
async def installed(
    folder: Path, profile: str, environment: Mapping[str, str], *, start: bool = True
) -> AsyncIterator[Installation]:
    """Write a configuration and run its hub until the block ends.

    Args:
        profile: the TOML below ``[profiles.support]``, with ``STORE`` for the store's folder.
    """
    config = folder / "config.toml"
    text = 'default_profile = "support"\n[profiles.support]\n' + profile.replace("STORE", str(folder / "store"))
    config.write_text(text, encoding="utf-8")
    config.chmod(0o600)
    found = Installation(folder, config, environment)
    try:
        if start:
            await found.start()
        yield found
    finally:
        await found.kill()
        log = folder / "serve.log"
        if log.exists():
            print(await asyncio.to_thread(log.read_text))
