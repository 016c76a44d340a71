"""What the console asks of the terminal beside drawing: a copy, a notice, a title, a bell. Sequences are data here."""

from __future__ import annotations

import base64
from typing import Final

from agentconsole.text.sanitise import one_line

MOST_COPIED: Final = 74_994
"""Octets of a text that fit the 100,000 of one sequence, which is what xterm and tmux take (OSC 52)."""

SHOWN: Final = 80
"""Characters of a notice."""

BELL: Final = "\x07"
_END: Final = "\x1b\\"


def copy(text: str, *, in_tmux: bool) -> str:
    """Return what puts a text into the terminal's clipboard (xterm's OSC 52).

    Args:
        in_tmux: send it wrapped too: ``set-clipboard on`` lets the plain one through, ``allow-passthrough`` the other.

    Raises:
        ValueError: it is longer than ``MOST_COPIED`` octets.
    """
    octets = text.encode()
    if len(octets) > MOST_COPIED:
        raise ValueError(f"{len(octets)} octets")
    plain = f"\x1b]52;c;{base64.b64encode(octets).decode('ascii')}{_END}"
    return plain + through_tmux(plain) if in_tmux else plain


def through_tmux(sequence: str) -> str:
    """Wrap a sequence that tmux shall hand on as it is (tmux(1), allow-passthrough)."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + _END


def notice(way: str, text: str, *, in_tmux: bool) -> str:
    """Return what tells somebody who looks elsewhere.

    Args:
        way: ``bell``; ``osc777`` (rxvt, foot, Ghostty, WezTerm) or ``osc9`` (iTerm2, kitty, Windows Terminal), which
            are notices of the desktop; ``title``, the window's.
        text: may come from outside.
    """
    shown = one_line(text, SHOWN).replace(";", ",")
    match way:
        case "bell":
            return BELL
        case "title":
            return title(shown)
        case "osc777":
            sequence = f"\x1b]777;notify;agentconsole;{shown}{_END}"
        case "osc9":
            sequence = f"\x1b]9;agentconsole: {shown}{_END}"
        case _:
            return ""
    return through_tmux(sequence) if in_tmux else sequence


def title(text: str) -> str:
    """Return what sets the window's title (OSC 2)."""
    return f"\x1b]2;{one_line(text, SHOWN)}{_END}"
