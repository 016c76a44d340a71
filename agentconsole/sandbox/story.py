"""Emily's story by commands: each is printed with its answer. What ``demo`` does where there is no terminal."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from agentconsole.errors import AgentConsoleError
from agentconsole.sandbox.place import Place

COMMAND_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 20.0
EMILY: Final = "emily@example.com"
REPLY: Final = "ID ending 4821, is that right? 11 March, 9:00 with Dr Adams is free."
SHELL: Final = (("inbox",), ("why", EMILY), ("send", EMILY, "--text", "See you on 11 March", "--dry-run"))


def _words(where: Place, *words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "agentconsole", "--config", str(where.config), *words]


def ask(where: Place, *words: str) -> dict[str, Any]:
    """Run a command with ``--json`` without showing it.

    Raises:
        AgentConsoleError: it failed.
    """
    done = subprocess.run(
        _words(where, "--json", *words),
        capture_output=True,
        timeout=COMMAND_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    found: dict[str, Any] = json.loads(done.stdout or b"{}")
    if "error" in found:
        raise AgentConsoleError(f"{' '.join(words)}: {found['error'].get('message')}", "")
    return found


def play(where: Place, *words: str, expect: int = 0) -> bool:
    """Print a command and its answer and say whether it ended as expected."""
    sys.stdout.write(f"\n$ agentconsole {shlex.join(words)}\n")
    sys.stdout.flush()
    done = subprocess.run(
        _words(where, *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=COMMAND_SECONDS,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    sys.stdout.write("".join(f"  {line}\n" for line in done.stdout.decode("utf-8", "replace").splitlines()))
    if done.returncode:
        sys.stdout.write(f"  (exit {done.returncode})\n")
    sys.stdout.flush()
    return done.returncode == expect


def _until(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.4)
    return False


def _answered(where: Place) -> bool:
    timeline = ask(where, "show", EMILY)["timeline"]
    last_ours = max((at for at, e in enumerate(timeline) if e["direction"] == "out"), default=len(timeline))
    return any(e["direction"] == "in" for e in timeline[last_ours:])


def tell(where: Place) -> int:
    """Play the story and return 0 where every command ended as it should."""
    fine = [play(where, "inbox"), play(where, "suggestion", "list")]
    found = ask(where, "suggestion", "list")["suggestions"]
    if not found:
        raise AgentConsoleError("Nobody was suggested as the same person as Emily.", "")
    fine += [
        play(where, "suggestion", "accept", str(found[0]["id"])),
        play(where, "show", EMILY),
        play(where, "why", EMILY),
        play(where, "send", EMILY, "--text", REPLY, "--wait"),
    ]
    fine.append(_until(lambda: _answered(where)))
    fine += [
        play(where, "show", EMILY),
        play(where, "close", EMILY),
        play(where, "why", "박민수"),
        play(where, "send", "박민수", "--via", "sms", "--text", "내일 도착합니다.", expect=3),
        play(where, "search", "배송"),
        play(where, "status"),
    ]
    return 0 if all(fine) else 1
