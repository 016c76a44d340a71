"""What a login's console is made of: its keys, its settings, how an account is added. Imports are inside the functions:
the first screen waits for none that it does not need."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agentconsole.bootstrap import HUB_VARIABLE, RUN_FOLDER, language, timezone
from agentconsole.config import Config, Profile
from agentconsole.seams import Clock, Randomness

if TYPE_CHECKING:
    from agentconsole.desk import Agent, Desk
    from agentconsole.ui.keymap import Keymap
    from agentconsole.ui.line import Commands
    from agentconsole.ui.settings import Coach, Setup

_REMOTE: Final = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "MOSH_IP")


async def run_console(
    desk: Desk,
    who: Agent,
    profile: Profile,
    *,
    environ: Mapping[str, str],
    clock: Clock,
    random: Randomness,
    keymap: Keymap,
    setup: Setup,
    commands: Commands | None = None,
    coach: Coach | None = None,
    extra: Sequence[tuple[str, Callable[[], Awaitable[object]]]] = (),
) -> None:
    """Run the console on an attached desk until the agent leaves it.

    Args:
        keymap: the keys that hold for the agent.
        setup: how an account is added.
        commands: the shell's commands, for the ``:`` line.
        coach: leads a newcomer, where given.
        extra: further entries of the command palette: title and what to do.
    """
    from agentconsole.config import pin
    from agentconsole.ui import app as ui
    from agentconsole.ui import look
    from agentconsole.ui.settings import UiSettings

    settings = UiSettings(
        request_ids=random.token,
        language=language(profile, environ),
        timezone=timezone(profile),
        profile=profile.name,
        mouse=mouse(profile, environ),
        theme=profile.ui.theme,
        confirm_send=profile.ui.confirm_send,
        glyphs=look.glyphs(
            profile.ui.glyphs,
            locale=environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG", ""),
            term=environ.get("TERM", ""),
            language=language(profile, environ),
        ),
        show_clock=profile.ui.clock,
        notify=tuple(profile.ui.notify),
        notify_level=profile.ui.notify_level,
        notify_name=profile.ui.notify_name,
        in_tmux="TMUX" in environ,
        lock_after=_span(profile.ui.lock_after),
        pin=await asyncio.to_thread(pin.at, pin.place(environ)),
        clock=clock.now,
        keymap=keymap,
        setup=setup,
        commands=commands,
        coach=coach,
        extra=extra,
    )
    await ui.run_console(desk, who, settings)


def keymap(config: Config, profile: Profile) -> tuple[Keymap, list[str]]:
    """Return the keys of a profile's console, and what is worth knowing of them, each with its place.

    Raises:
        ConfigError: what the profile says of keys is wrong, with file, line, key and the nearest valid name.
    """
    from agentconsole.ui.keymap import Keymap

    if not profile.keymap:
        return Keymap(), []
    from agentconsole.config.convert import Problem
    from agentconsole.ui import key_check

    found = key_check.faults(profile.keymap)

    def problems(*, warning: bool) -> list[Problem]:
        path = ("profiles", profile.name, "keymap")
        return [
            Problem((*path, *filter(None, (fault.group, fault.action))), fault.message)
            for fault in found
            if fault.warning == warning
        ]

    if wrong := problems(warning=False):
        raise config.failure(wrong)
    told = config.failure(problems(warning=True)).message.split("\n")[1:] if found else []
    return Keymap(profile.keymap), told


def setup(config: Config, profile: Profile, hub: str, environ: Mapping[str, str], *, demo: bool) -> Setup:
    """Return how this login's console adds an account: by ``init`` where the configuration and the hub are its own.

    Args:
        hub: the socket of ``--hub``.
        demo: the hub is the sandbox's.
    """
    from agentconsole.ui.settings import Setup

    if demo:
        return Setup(why="demo")
    ours = bool(profile.store) and not (profile.hub.group or hub or environ.get(HUB_VARIABLE))
    path = config.path
    if not ours or path is None or not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return Setup()
    if not profile.hub.socket and (RUN_FOLDER / f"{profile.name}.sock").exists():
        return Setup()
    words = [sys.executable, "-P", "-m", "agentconsole", "--config", str(path.absolute()), "--profile", profile.name]
    return Setup((*words, "init"))


def mouse(profile: Profile, environ: Mapping[str, str]) -> bool:
    """Say whether the console takes the mouse: by itself only where no network lies between."""
    asked = profile.ui.mouse
    return not any(environ.get(name) for name in _REMOTE) if asked == "auto" else asked


def _span(written: str) -> timedelta | None:
    """Return a length of time as ``UiOptions.lock_after`` writes it."""
    if not written:
        return None
    return timedelta(minutes=int(written[:-1]) * (60 if written.endswith("h") else 1))
