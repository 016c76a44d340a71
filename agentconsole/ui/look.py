"""What the console looks like: the colours of each theme and the glyphs of each set, by what they mean.

The rest of the console names roles (``bad``, ``dim``, ``cursor``) and glyphs (``unread``) and never a colour or a
character. Whatever a colour tells is also told by a word or a glyph, so that ``mono`` loses nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final, TypeAlias

from rich.color import Color
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


def _exact(name: str) -> str:
    """Return a colour in the notation of Textual's styles, which know none of the 256 by its number."""
    return Color.parse(name).get_truecolor().hex if name else ""


class Theme:
    """Colours for roles, those beyond the terminal's own 16 out of the 256, whose cube and ramp look alike everywhere:
    in true colour a cursor key would cost a third more.

    Args:
        name: as the configuration says it.
        text: colour of plain text as Rich names it, and ``paper`` what it stands on; empty: the terminal's own.
        styles: what a role has beside its weight, as Rich writes styles.
    """

    def __init__(self, name: str, text: str, paper: str, styles: Mapping[str, str]) -> None:
        self.name = name
        self.base: Final = Style(color=text or None, bgcolor=paper or None)
        self.text, self.paper = _exact(text), _exact(paper)
        self.styles: Final = {
            role: Style.parse(f"{weight} {styles.get(role, '')}".strip()) if weight or role in styles else Style.null()
            for role, weight in ROLES.items()
        }

    def __repr__(self) -> str:
        return f"Theme({self.name})"


_REVERSED = {"cursor": "reverse", "bar": "reverse", "barbad": "reverse"}

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
            "color(252)",
            "color(234)",
            {
                "dim": "color(247)",
                "in": "color(80)",
                "out": "color(114)",
                "note": "color(179)",
                "good": "color(114)",
                "warn": "color(215)",
                "bad": "color(210)",
                "cursor": "color(231) on color(24)",
                "bar": "color(254) on color(238)",
                "barbad": "color(217) on color(238)",
                "found": "color(16) on color(179)",
            },
        ),
        Theme(
            "light",
            "color(235)",
            "color(231)",
            {
                "dim": "color(241)",
                "in": "color(24)",
                "out": "color(22)",
                "note": "color(94)",
                "good": "color(22)",
                "warn": "color(94)",
                "bad": "color(160)",
                "cursor": "color(231) on color(25)",
                "bar": "color(235) on color(252)",
                "barbad": "color(88) on color(252)",
                "found": "color(16) on color(222)",
            },
        ),
        Theme(
            "high-contrast",
            "color(231)",
            "color(16)",
            {
                "dim": "color(252)",
                "in": "color(123)",
                "out": "color(120)",
                "note": "color(227)",
                "good": "color(120)",
                "warn": "color(221)",
                "bad": "color(217) underline",
                "cursor": "color(16) on color(226)",
                "bar": "color(16) on color(231)",
                "barbad": "color(88) on color(231)",
                "found": "color(16) on color(123)",
            },
        ),
        # After Okabe and Ito, "Color Universal Design" (2008): sky blue, yellow, vermilion for green and red.
        Theme(
            "colour-blind",
            "color(252)",
            "color(234)",
            {
                "dim": "color(247)",
                "in": "color(75)",
                "out": "color(231)",
                "note": "color(227)",
                "good": "color(75)",
                "warn": "color(227)",
                "bad": "color(202) underline",
                "cursor": "color(231) on color(24)",
                "bar": "color(254) on color(238)",
                "barbad": "color(215) on color(238)",
                "found": "color(16) on color(227)",
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
    "marked": "+",
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
    "marked": "┃",
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
