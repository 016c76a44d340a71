"""Themes, glyphs and what is asked of the terminal beside drawing."""

from __future__ import annotations

import base64
import itertools
import math
from typing import get_args

import pytest
from rich.cells import cell_len
from rich.style import Style

from agentconsole.config import options
from agentconsole.ui import keys, look, outside
from agentconsole.ui.draw import our, row, strip
from agentconsole.ui.look import ASCII, ROLES, SETS, THEMES, UNICODE, Theme

COLOURED = pytest.mark.parametrize("theme", [t for t in THEMES.values() if t.paper], ids=repr)
EVERY = pytest.mark.parametrize("theme", list(THEMES.values()), ids=repr)

# -- colours -----------------------------------------------------------------------------------------------


def linear(value: int) -> float:
    """One channel of sRGB as light (IEC 61966-2-1)."""
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def light(style: Style, *, paper: bool) -> tuple[float, float, float]:
    colour = style.bgcolor if paper else style.color
    assert colour is not None
    return tuple(linear(value) for value in colour.get_truecolor())  # type: ignore[return-value]


def luminance(colour: tuple[float, float, float]) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def contrast(style: Style) -> float:
    """WCAG 2.2, contrast ratio."""
    dark, bright = sorted((luminance(light(style, paper=False)), luminance(light(style, paper=True))))
    return (bright + 0.05) / (dark + 0.05)


def lab(colour: tuple[float, float, float]) -> tuple[float, float, float]:
    """CIELAB under D65."""
    red, green, blue = colour
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (math.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def as_deuteranope(colour: tuple[float, float, float]) -> tuple[float, float, float]:
    """Machado, Oliveira and Fernandes 2009, table for severity 1.0."""
    red, green, blue = colour
    return (
        max(0.367322 * red + 0.860646 * green - 0.227968 * blue, 0.0),
        max(0.280085 * red + 0.672501 * green + 0.047413 * blue, 0.0),
        max(-0.011820 * red + 0.042940 * green + 0.968881 * blue, 0.0),
    )


def apart(theme: Theme, one: str, other: str) -> float:
    seen = [lab(as_deuteranope(light(theme.base + theme.styles[role], paper=False))) for role in (one, other)]
    return math.dist(*seen)


@EVERY
def test_theme_has_every_role(theme: Theme) -> None:
    assert theme.styles.keys() == ROLES.keys()


@COLOURED
def test_every_text_stands_out_from_its_paper(theme: Theme) -> None:
    """WCAG 2.2: 4.5 to 1 (AA), for high contrast 7 to 1 (AAA)."""
    least = 7.0 if theme.name == "high-contrast" else 4.5
    weak = {role: contrast(theme.base + style) for role, style in theme.styles.items()}
    assert {role: ratio for role, ratio in weak.items() if ratio < least} == {}


def test_colour_blind_theme_keeps_apart_what_must_not_be_mixed_up() -> None:
    theme = THEMES["colour-blind"]
    pairs = [("good", "bad"), ("good", "warn"), ("warn", "bad"), ("in", "out"), ("in", "note"), ("note", "bad")]
    assert {pair: d for pair in pairs if (d := apart(theme, *pair)) < 25} == {}
    assert apart(THEMES["dark"], "good", "warn") < 25, "the measure tells themes apart"


def test_mono_has_no_colour_and_keeps_bad_and_cursor_apart() -> None:
    styles = THEMES["mono"].styles
    assert all(style.color is None and style.bgcolor is None for style in styles.values())
    assert len({str(styles[role]) for role in ("", "dim", "warn", "bad", "cursor")}) == 5


def test_no_color_outweighs_the_theme() -> None:
    assert look.theme("dark").name == "dark"
    assert look.theme("dark", no_color=True).name == "mono"
    assert look.theme("auto").name == look.theme("").name == "ansi"


def test_configuration_knows_the_themes_ways_and_levels() -> None:
    assert set(get_args(options.ThemeName)) == {*THEMES, "auto"}
    assert get_args(options.NoticeLevel) == keys.LEVELS
    assert all(outside.notice(way, "x", in_tmux=False) for way in get_args(options.NoticeWay))


@EVERY
def test_row_is_drawn_in_exactly_its_width(theme: Theme) -> None:
    line = row((our("ma "), "in"), (our(" 한글"), "in"), (our("x"), "bad"))
    drawn = strip(line, 12, theme)
    assert (drawn.text, drawn.cell_length) == ("ma  한글x   ", 12)
    assert next(segment.text for segment in drawn) == "ma  한글", "neighbours that look alike are one"


# -- glyphs ------------------------------------------------------------------------------------------------


def test_glyph_sets_hold_the_same_meanings_in_one_cell_each() -> None:
    assert ASCII.keys() == UNICODE.keys()
    assert all(cell_len(glyph) == 1 for found in SETS.values() for glyph in found.values())
    assert all(glyph.isascii() for glyph in ASCII.values())


@pytest.mark.parametrize("found", SETS.values(), ids=SETS)
def test_marks_of_a_row_differ(found: look.Glyphs) -> None:
    for marks in (("unread", "failed", "uncertain"), ("mine", "others"), ("suggestion", "draft"), ("in", "out")):
        assert len({found[mark] for mark in marks}) == len(marks)


@pytest.mark.parametrize(
    ("locale", "term", "language", "expected"),
    [
        ("en_US.UTF-8", "xterm-256color", "en", UNICODE),
        ("C.utf8", "tmux-256color", "en", UNICODE),
        ("C", "xterm-256color", "en", ASCII),
        ("", "xterm-256color", "en", ASCII),
        ("en_US.ISO-8859-1", "xterm", "en", ASCII),
        ("en_US.UTF-8", "linux", "en", ASCII),
        ("ko_KR.UTF-8", "xterm-256color", "en", ASCII),
        ("C.UTF-8", "xterm-256color", "ko", ASCII),
        ("ja_JP.UTF-8", "xterm-256color", "en", ASCII),
    ],
)
def test_glyphs_are_plain_where_others_are_not_safe(
    locale: str, term: str, language: str, expected: look.Glyphs
) -> None:
    assert look.glyphs("auto", locale=locale, term=term, language=language) is expected
    assert look.glyphs("unicode", locale=locale, term=term) is UNICODE
    assert look.glyphs("ascii", locale=locale, term=term) is ASCII


# -- sequences ---------------------------------------------------------------------------------------------


def test_copy_is_osc_52_of_the_text() -> None:
    sequence = outside.copy("주문 55120\n", in_tmux=False)
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\x1b\\")
    assert base64.b64decode(sequence[7:-2]).decode() == "주문 55120\n"


def test_copy_in_tmux_goes_both_ways() -> None:
    plain = outside.copy("x", in_tmux=False)
    both = outside.copy("x", in_tmux=True)
    assert both == plain + "\x1bPtmux;\x1b" + plain[:-2] + "\x1b\x1b\\" + "\x1b\\"


def test_copy_that_no_terminal_takes_is_refused() -> None:
    whole = outside.copy("x" * outside.MOST_COPIED, in_tmux=False)
    assert len(whole) <= 100_001
    with pytest.raises(ValueError, match="74995 octets"):
        outside.copy("x" * (outside.MOST_COPIED + 1), in_tmux=False)


@pytest.mark.parametrize(("way", "in_tmux"), list(itertools.product(["osc777", "osc9", "title"], [False, True])))
def test_notice_never_carries_a_control_of_its_text(way: str, in_tmux: bool) -> None:
    hostile = "a\x07\x1b]52;c;eA==\x1b\\;b\n\u202e\x9b2J"
    sequence = outside.notice(way, hostile, in_tmux=in_tmux)
    calm = outside.notice(way, "a", in_tmux=in_tmux)
    for control in ("\x07", "\x1b", "\n", "\u202e", "\x9b", "\x9c"):
        assert sequence.count(control) == calm.count(control), repr(control)
    assert sequence.count(";") == calm.count(";")
