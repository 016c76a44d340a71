"""What the console looks like: the colours of each theme and the glyphs of each set, by what they mean.

The rest of the console names roles (``bad``, ``dim``, ``cursor``) and glyphs (``unread``) and never a colour or a
character. Whatever a colour tells is also told by a word or a glyph, so that ``mono`` loses nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final, TypeAlias

from rich.style import Style

Glyphs: TypeAlias = Mapping[str, str]

ROLES: Final[dict[str, str]] = {
    "": "",
    "dim": "",
    "bold": "bold",
    "title": "bold",
    "key": "bold",
    "in": "",
    "out": "",
    "note": "",
    "good": "",
    "warn": "bold",
    "bad": "bold",
    "found": "bold reverse",
    "cursor": "",
    "bar": "",
    "barbad": "bold",
}
"""Every role with what it has in all themes: weight is no colour."""


class Theme:
    """Colours for roles.

    Args:
        name: as the configuration says it.
        text: colour of plain text, and ``paper`` what it stands on; both empty where they are the terminal's own.
        styles: what a role has beside its weight, as Rich writes styles.
    """

    def __init__(self, name: str, text: str, paper: str, styles: Mapping[str, str]) -> None:
        self.name = name
        self.text, self.paper = text, paper
        self.base: Final = Style(color=text or None, bgcolor=paper or None)
        self.styles: Final = {
            role: Style.parse(f"{weight} {styles.get(role, '')}".strip()) if weight or role in styles else Style.null()
            for role, weight in ROLES.items()
        }

    def __repr__(self) -> str:
        return f"Theme({self.name})"


_REVERSED = {"cursor": "reverse", "bar": "reverse", "barbad": "reverse"}

_DARK_PAPER, _LIGHT_PAPER = "#14171c", "#fbfbf8"

THEMES: Final[dict[str, Theme]] = {
    theme.name: theme
    for theme in (
        Theme(
            "ansi",
            "",
            "",
            {
                "dim": "dim",
                "in": "cyan",
                "out": "green",
                "note": "yellow",
                "good": "green",
                "warn": "yellow",
                "bad": "red",
                **_REVERSED,
            },
        ),
        Theme(
            "dark",
            "#d6d9de",
            _DARK_PAPER,
            {
                "dim": "#98a1ad",
                "in": "#6cc7d9",
                "out": "#8fd07a",
                "note": "#e2c26b",
                "good": "#8fd07a",
                "warn": "#f0b45a",
                "bad": "#ff8a80",
                "cursor": "#ffffff on #2f4a6b",
                "bar": "#e6e9ee on #2a323d",
                "barbad": "#ffb3ab on #2a323d",
            },
        ),
        Theme(
            "light",
            "#1f2328",
            _LIGHT_PAPER,
            {
                "dim": "#5c636b",
                "in": "#0b6b86",
                "out": "#2c6e1f",
                "note": "#7a5a00",
                "good": "#2c6e1f",
                "warn": "#8a4b00",
                "bad": "#b3261e",
                "cursor": "#ffffff on #2f5d8a",
                "bar": "#1f2328 on #dde3ea",
                "barbad": "#9c1c15 on #dde3ea",
            },
        ),
        Theme(
            "high-contrast",
            "#ffffff",
            "#000000",
            {
                "dim": "#d0d0d0",
                "in": "#5ff1ff",
                "out": "#7dff7d",
                "note": "#ffff66",
                "good": "#7dff7d",
                "warn": "#ffd75f",
                "bad": "#ff9d9d underline",
                "cursor": "#000000 on #ffff00",
                "bar": "#000000 on #ffffff",
                "barbad": "#8b0000 on #ffffff",
            },
        ),
        # Okabe and Ito, "Color Universal Design" (2008): sky blue, yellow, orange, vermilion (lighter, for contrast).
        Theme(
            "colour-blind",
            "#d6d9de",
            _DARK_PAPER,
            {
                "dim": "#98a1ad",
                "in": "#56b4e9",
                "out": "#f5f5f5",
                "note": "#f0e442",
                "good": "#56b4e9",
                "warn": "#f0e442",
                "bad": "#f0682a underline",
                "cursor": "#ffffff on #005a8f",
                "bar": "#e6e9ee on #2a323d",
                "barbad": "#ff9b57 on #2a323d",
            },
        ),
        Theme("mono", "", "", {"dim": "dim", "bad": "underline", **_REVERSED}),
    )
}

DEFAULT: Final = THEMES["ansi"]


def theme(wanted: str, *, no_color: bool = False) -> Theme:
    """Return the theme that the configuration asks for.

    Args:
        wanted: a theme's name; ``auto``, nothing or an unknown name means the terminal's own 16 colours.
        no_color: ``NO_COLOR`` is set (https://no-color.org), which outweighs any theme.
    """
    return THEMES["mono"] if no_color else THEMES.get(wanted, DEFAULT)


# -- glyphs ------------------------------------------------------------------------------------------------

ASCII: Final[Glyphs] = {
    "here": ">",
    "unread": "*",
    "failed": "x",
    "uncertain": "?",
    "mine": "@",
    "others": "&",
    "company": "~",
    "suggestion": "=",
    "draft": "d",
    "in": ">",
    "out": "<",
    "edge": "|",
    "rule": "-",
    "happened": "-",
    "inside": "#",
}
UNICODE: Final[Glyphs] = {
    **ASCII,
    "here": "▸",
    "unread": "●",
    "failed": "✗",
    "in": "→",
    "out": "←",
    "edge": "│",
    "rule": "─",
    "happened": "·",
    "inside": "┃",
}
"""Letters stay letters in both sets: a pencil for a draft would be two cells wide here and one there."""

SETS: Final[dict[str, Glyphs]] = {"ascii": ASCII, "unicode": UNICODE}

_PLAIN_TERMINALS: Final = frozenset({"linux", "vt100", "vt220", "ansi", "dumb", "cons25"})
"""Consoles whose fonts hold 256 or 512 characters."""

_WIDE_LANGUAGES: Final = ("ko", "ja", "zh")
"""Where terminals often draw characters of ambiguous width (Unicode TR 11: arrows, circles, boxes) in two cells."""


def glyphs(wanted: str, *, locale: str, term: str, language: str = "") -> Glyphs:
    """Return the set of glyphs to draw with.

    Args:
        wanted: ``ascii``, ``unicode``, or ``auto``: the latter only where it is safe to.
        locale: what ``LC_ALL``, ``LC_CTYPE`` or ``LANG`` says, whichever comes first.
        term: what ``TERM`` says.
        language: of the screen.
    """
    if wanted in SETS:
        return SETS[wanted]
    encoded = locale.lower().replace("-", "").endswith("utf8")
    wide = locale.lower().startswith(_WIDE_LANGUAGES) or language.startswith(_WIDE_LANGUAGES)
    return UNICODE if encoded and not wide and term not in _PLAIN_TERMINALS else ASCII


def is_ambiguous(glyph: str) -> bool:
    """Say whether terminals disagree on a glyph's width."""
    return any(unicodedata.east_asian_width(character) == "A" for character in glyph)
