"""What a console is started with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from agentconsole.ui.keymap import Keymap
from agentconsole.ui.line import Commands
from agentconsole.ui.look import ASCII, Glyphs


class Coach(Protocol):
    """Leads a newcomer. The console tells it what really happened and shows what it says next."""

    def text(self, language: str) -> str:
        """Return the line above the footer; empty where there is nothing to say."""
        ...

    def note(self, event: str, **facts: str) -> None:
        """Hear of an event: ``opened`` ``linked`` ``unlinked`` ``why_seen`` ``route_walked`` ``refused_seen``
        ``sent`` ``closed`` ``draft_restored`` ``searched``."""
        ...


class Pin(Protocol):
    """The PIN that an agent has set."""

    def opens(self, typed: str) -> bool:
        """Say whether it is the one. Takes some tenths of a second of computing on purpose."""
        ...


@dataclass(frozen=True)
class Setup:
    """How an account is added.

    Args:
        command: asks in the terminal, tries, writes the configuration and lets the hub know; empty: not from here.
        why: why not: ``team`` (the hub is another login's) or ``demo``.
    """

    command: Sequence[str] = ()
    why: str = "team"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class UiSettings:
    """Args:
    request_ids: makes the id of a changing call; a repeat with the same id changes nothing more.
    profile: the profile's name, shown in the header.
    mouse: whether the console takes clicks and the wheel.
    theme: a name of ``look.THEMES``.
    glyphs: the set to draw marks and frames with.
    show_clock: off, nothing is drawn while nothing happens.
    notify: ways to tell somebody who looks elsewhere: ``bell`` ``osc777`` ``osc9`` ``title``.
    notify_level: of which messages: ``none`` ``mine`` ``queue`` (mine and nobody's) ``all``.
    notify_name: whether a notice names the customer.
    in_tmux: tmux hands on to the terminal only what is wrapped for it.
    lock_after: how long without a key until the screen is blanked; None: never.
    pin: opens a blanked screen; None: any key does.
    confirm_send: before which sends a review is shown: ``risky`` ``always`` ``never``.
    commands: the shell's commands, for the ``:`` line; without, only the console's own actions are there.
    keymap: the keys that hold for this agent.
    setup: how an account is added.
    coach: leads a newcomer, where given.
    extra: palette entries of whoever starts the console: title and what to do.
    """

    request_ids: Callable[[], str]
    language: str = "en"
    timezone: str = "UTC"
    profile: str = ""
    mouse: bool = False
    theme: str = "ansi"
    glyphs: Glyphs = field(default_factory=lambda: ASCII)
    show_clock: bool = True
    notify: Sequence[str] = ("bell",)
    notify_level: str = "mine"
    notify_name: bool = False
    in_tmux: bool = False
    lock_after: timedelta | None = None
    pin: Pin | None = None
    confirm_send: str = "risky"
    commands: Commands | None = None
    keymap: Keymap = field(default_factory=Keymap)
    setup: Setup = field(default_factory=Setup)
    coach: Coach | None = None
    clock: Callable[[], datetime] = _now
    extra: Sequence[tuple[str, Callable[[], Awaitable[object]]]] = field(default_factory=tuple)
