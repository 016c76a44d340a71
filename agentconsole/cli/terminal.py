"""What ``doctor`` says of the terminal that it runs in, of tmux and of SSH: which setting is missing, for what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentconsole.config import Profile

TMUX_SECONDS: Final = 3.0
LONG_ESCAPE: Final = 100
"""Milliseconds; Textual itself waits as long for what follows an escape."""

FEW_COLOURS: Final = frozenset({"xterm", "screen", "tmux", "rxvt", "linux"})

Asked = Callable[[Sequence[str]], Awaitable[str]]
"""Runs a program and returns what it prints, nothing where it fails."""


@dataclass(frozen=True)
class Advice:
    """Args:
    ok: nothing is missing.
    hint: the setting that helps.
    """

    what: str
    ok: bool
    message: str
    hint: str = ""


async def ask(words: Sequence[str]) -> str:
    """Run tmux; see ``Asked``."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(TMUX_SECONDS):
            printed, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return printed.decode("utf-8", "replace").strip() if process.returncode == 0 else ""


async def look(profile: Profile, environ: Mapping[str, str], asked: Asked = ask) -> AsyncGenerator[Advice, None]:
    """Yield what was found, best first."""
    yield _locale(environ)
    yield _term(environ)
    colours = _colours(profile.ui.theme, environ)
    if colours is not None:
        yield colours
    if "TMUX" in environ:
        for advice in await _tmux(profile, environ, asked):
            yield advice
    if "SSH_CONNECTION" in environ:
        yield Advice(
            "ssh",
            True,
            "Compression and ServerAliveInterval are set on your own machine and cannot be seen from here:"
            " docs/ssh.md has the lines",
        )


def _locale(environ: Mapping[str, str]) -> Advice:
    name = next((n for n in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(n)), "")
    value = environ.get(name, "")
    if value.lower().replace("-", "").endswith("utf8"):
        return Advice("locale", True, f"{name}={value}")
    said = f"{name}={value} is not UTF-8" if name else "LANG is not set"
    return Advice(
        "locale",
        False,
        f"{said}: letters beyond ASCII may be drawn wrong",
        "Set LANG=C.UTF-8, over SSH with SendEnv LANG LC_* on your machine.",
    )


def _term(environ: Mapping[str, str]) -> Advice:
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return Advice(
            "TERM", False, f"TERM is {term or 'not set'}", "Set TERM to what the terminal is: xterm-256color."
        )
    if "TMUX" in environ and not term.startswith(("tmux", "screen")):
        return Advice(
            "TERM",
            False,
            f"TERM={term} inside tmux: keys and colours may be wrong",
            'In ~/.tmux.conf: set -g default-terminal "tmux-256color"',
        )
    return Advice("TERM", True, term)


def _colours(theme: str, environ: Mapping[str, str]) -> Advice | None:
    term = environ.get("TERM", "")
    if theme in ("auto", "ansi", "mono") or environ.get("NO_COLOR") is not None or term not in FEW_COLOURS:
        return None
    if environ.get("COLORTERM"):
        return None
    message = f"TERM={term} promises 16 colours: those of {theme} are rounded"
    return Advice("colours", False, message, f"Set TERM={term}-256color where the terminal can do it, or theme = ansi.")


async def _tmux(profile: Profile, environ: Mapping[str, str], asked: Asked) -> list[Advice]:
    async def option(scope: str, name: str) -> str:
        return await asked(["tmux", "show-options", scope, name])

    found: list[Advice] = []
    wait = await option("-sv", "escape-time")
    if wait.isdecimal():
        ok = int(wait) <= LONG_ESCAPE
        message = f"{wait} ms" if ok else f"every esc waits {wait} ms"
        found.append(Advice("tmux escape-time", ok, message, "" if ok else "In ~/.tmux.conf: set -s escape-time 20"))
    clipboard = await option("-sv", "set-clipboard")
    if clipboard:
        ok = clipboard == "on"
        message = clipboard if ok else f"{clipboard}: what y copies does not reach the terminal"
        found.append(
            Advice("tmux set-clipboard", ok, message, "" if ok else "In ~/.tmux.conf: set -s set-clipboard on")
        )
    focus = await option("-sv", "focus-events")
    if focus:
        ok = focus == "on"
        message = focus if ok else "off: whether somebody looks is only guessed from keys, for notices"
        found.append(Advice("tmux focus-events", ok, message, "" if ok else "In ~/.tmux.conf: set -s focus-events on"))
    if {"osc9", "osc777"} & set(profile.ui.notify):
        passes = await option("-gwv", "allow-passthrough")
        ok = passes in ("on", "all")
        message = passes if ok else "off: notices by osc9 and osc777 do not reach the terminal; the bell does"
        hint = "" if ok else "In ~/.tmux.conf (tmux 3.3 or newer): set -g allow-passthrough on"
        found.append(Advice("tmux allow-passthrough", ok, message, hint))
    if not found:
        found.append(Advice("tmux", False, "tmux did not tell its settings", "docs/ssh.md has the lines."))
    return found
