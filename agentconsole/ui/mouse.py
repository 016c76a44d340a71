"""The mouse where it is wanted: clicks and the wheel, never its motion, which would cost bytes for every cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

CLICKS: Final = "\x1b[?1003l\x1b[?1000h\x1b[?1006h"
"""Ends the report of every motion that Textual asks for, and asks for buttons and the wheel alone (xterm's ctlseqs)."""


def begin(app: Console) -> None:
    """Ask for clicks only, now and whenever the console comes back from the shell."""
    app.write(CLICKS)
    app.app_resume_signal.subscribe(app, lambda _: app.write(CLICKS))
