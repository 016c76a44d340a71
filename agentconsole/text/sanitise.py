"""Any text from outside → text that is safe to draw, with everything hidden made visible.

After ``sanitise`` no C0 (but the line feed), DEL, C1, directional control, lone surrogate or noncharacter is left:
each has a visible stand-in. What honest writing needs stays as it is: joiners in Persian, Indic and emoji, variation
selectors where they mean something, stacked marks up to what scripts use. The result is NFC, and sanitising twice
changes nothing more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from agentconsole.text import charsets as c

LIMIT: Final = 1_000_000
CUT: Final = " ⟨…⟩"
LINE_BREAK: Final = "⏎"
NO_BASE: Final = "\u25cc"

_TAB = 4
_INHERITED_MARKS_KEPT = 4
_MARKS_KEPT = 8
_MARKS_BEFORE_NFC = 30

_C1 = (
    "PAD", "HOP", "BPH", "NBH", "IND", "NEL", "SSA", "ESA", "HTS", "HTJ", "VTS", "PLD", "PLU", "RI", "SS2", "SS3",
    "DCS", "PU1", "PU2", "STS", "CCH", "MW", "SPA", "EPA", "SOS", "SGC", "SCI", "CSI", "ST", "OSC", "PM", "APC",
)  # fmt: skip
_NAMES = {
    0x061C: "ALM", 0x200E: "LRM", 0x200F: "RLM", 0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO",
    0x202E: "RLO", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0x034F: "CGJ", 0x115F: "HF",
    0x1160: "HF", 0x3164: "HF", 0xFFA0: "HF", 0x180E: "MVS", 0x200B: "ZWSP", 0x200C: "ZWNJ", 0x200D: "ZWJ",
    0x2060: "WJ", 0xFEFF: "BOM", 0xFFF9: "IAA", 0xFFFA: "IAS", 0xFFFB: "IAT", 0xE0001: "TAG", 0xE007F: "TAG",
}  # fmt: skip
_STAND_INS: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)},
    0x7F: "\u2421",
    **{0x80 + offset: f"⟨{name}⟩" for offset, name in enumerate(_C1)},
    **{code: f"⟨{name}⟩" for code, name in _NAMES.items()},
    **{0xFE00 + n: f"⟨VS{n + 1}⟩" for n in range(16)},
}

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_ASCII_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_LINE_END = re.compile("\r+\n")
_UNSAFE = re.compile(f"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029{c.BIDI}{c.SURROGATES}{c.NONCHARACTERS}]")
_BIDI = re.compile(f"[{c.BIDI}]")
_BROKEN = re.compile(f"[{c.SURROGATES}{c.NONCHARACTERS}]")


_HONEST = re.compile("[\t\n -~¡-¬®-ÿ–—‘’“”•…₩€、-】ぁ-ゖァ-ヺー一-鿿가-힣]*")
"""What most messages consist of, in NFC in any order. The patterns below cost a tenth of a first screen to make."""


class _Patterns:
    """What has to be looked for, with or without the planes above the first (see ``charsets.bmp``)."""

    def __init__(self, *, astral: bool) -> None:
        def some(chars: str) -> str:
            return chars if astral else c.bmp(chars)

        marks = some(c.marks())
        hidden = some(c.HIDDEN)
        odd = f"{_CONTROLS}{c.BIDI}{hidden}{c.SURROGATES}{some(c.NONCHARACTERS)}{c.HANGUL_FOLLOWING}"
        if astral:
            odd += c.REGIONAL + c.SKIN
        self.odd = re.compile(f"[{odd}{marks}]")
        # Canonical ordering sorts a run of marks by insertion: unbounded, time grows with the square of its length.
        self.endless_marks = re.compile(f"[{marks}{hidden}]{{{_MARKS_BEFORE_NFC + 1},}}")
        self.piled_marks = re.compile(
            f"\\A[{marks}]+|[{c.INHERITED_MARKS}]{{{_INHERITED_MARKS_KEPT + 1},}}|[{marks}]{{{_MARKS_KEPT + 1},}}"
        )
        self.in_context = re.compile(
            f"(?P<keep>{'|'.join(_kept(some, astral=astral))})"
            "|(?P<tags>[\U000e0020-\U000e007e]+\U000e007f?)"
            f"|(?P<odd>[{odd}])"
        )


def _kept(some: Callable[[str], str], *, astral: bool) -> Iterator[str]:
    """Give the places where an odd character belongs to honest writing."""
    pictograph = some(c.PICTOGRAPH)
    skin = f"[{c.SKIN}]" if astral else "(?!)"
    emoji = f"[{pictograph}](?:{c.VS16}|{skin})?"
    if astral:
        # UTS #51: the three subdivision flags that are recommended for interchange
        yield (
            "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
            "|\U000e0077\U000e006c\U000e0073)\U000e007f"
        )
        yield f"(?:(?<=[{pictograph}])|(?<=[{pictograph}]{c.VS16})){skin}"
        yield f"[{c.REGIONAL}]{{2}}"
        yield f"(?<=[{c.HAN}])[\U000e0100-\U000e01ef]"
    yield f"{emoji}(?:{c.ZWJ}{emoji}){{1,5}}"
    yield f"[0-9#*]{c.VS16}?\u20e3"
    yield f"(?<=[{pictograph}])[\ufe0e\ufe0f]"
    yield f"(?<=[{some(c.HAN)}{c.MATHEMATICAL}\u1000-\u109f\u3001-\u303f\ua840-\ua877\uff01-\uff60])[\ufe00-\ufe02]"
    yield f"(?<=[{c.MONGOLIAN}])[\u180b-\u180f]"
    yield f"(?<=[{c.JOINING}]){c.ZWNJ}"
    yield f"(?<=[{c.VIRAMA}{c.ARABIC}]){c.ZWJ}(?=[{c.JOINING}])"
    yield f"(?<=[{c.SOUTH_EAST_ASIAN}])\u200b(?=[{c.SOUTH_EAST_ASIAN}])"
    yield f"(?<=[{c.HANGUL_LEADING}{c.HANGUL_SYLLABLES}])[{c.HANGUL_FOLLOWING}]{{1,3}}"


_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


@cache
def _made(*, astral: bool) -> _Patterns:
    return _Patterns(astral=astral)


def _patterns(text: str) -> _Patterns:
    return _made(astral=_ASTRAL.search(text) is not None)


@cache
def _followers() -> re.Pattern[str]:
    return re.compile(f"[{c.marks()}{c.HIDDEN}{c.HANGUL_FOLLOWING}{c.SKIN}{c.REGIONAL}]")


def _stand_in(char: str) -> str:
    code = ord(char)
    known = _STAND_INS.get(code)
    if known is not None:
        return known
    return "\ufffd" if _BROKEN.match(char) else f"⟨U+{code:04X}⟩"


def _shown(match: re.Match[str]) -> str:
    if match.lastgroup == "keep":
        return match[0]
    if match.lastgroup == "tags":
        return "⟨tag:" + "".join(chr(ord(char) & 0x7F) for char in match[0].rstrip("\U000e007f")) + "⟩"
    return _stand_in(match[0])


def _shorten(run: str, kept: int) -> str:
    return run if len(run) <= kept else f"{run[:kept]}⟨+{len(run) - kept}⟩"


def _bounded(match: re.Match[str]) -> str:
    run = _shorten(match[0], _INHERITED_MARKS_KEPT if _INHERITED.fullmatch(match[0]) else _MARKS_KEPT)
    return run if match.start() else NO_BASE + run


_INHERITED = re.compile(f"[{c.INHERITED_MARKS}]+")


def _compose(text: str, patterns: _Patterns) -> str:
    """NFC in linear time."""
    text = patterns.endless_marks.sub(lambda match: _shorten(match[0], _MARKS_BEFORE_NFC), text)
    return unicodedata.normalize("NFC", text)


def _careful(text: str) -> str:
    if _HONEST.fullmatch(text):
        return text
    text = text.removeprefix("\ufeff").replace("\u00ad", "")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    if not _patterns(text).odd.search(text):
        return unicodedata.normalize("NFC", text)
    return "\n".join([line if _plain(line) else _careful_line(line) for line in text.split("\n")])


def _plain(line: str) -> bool:
    return line.isascii() and not _ASCII_CONTROL.search(line)


def _careful_line(line: str) -> str:
    patterns = _patterns(line)
    if not patterns.odd.search(line):
        return unicodedata.normalize("NFC", line)
    line = patterns.piled_marks.sub(_bounded, _compose(line, patterns))
    return patterns.in_context.sub(_shown, line)


def _cut(text: str, limit: int) -> str:
    """Cut between characters as people see them, so that no mark loses its base and no joiner its partner."""
    end = min(max(limit - len(CUT), 0), len(text))
    floor = max(end - 64, 0)
    while end > floor and (_followers().match(text, end) or text[end - 1] == c.ZWJ):
        end -= 1
    return (text[:end] + CUT)[:limit]


def sanitise(text: str, *, multiline: bool = True, limit: int = LIMIT) -> str:
    """Return text that is safe to draw.

    Args:
        multiline: keep line feeds; otherwise each run of them becomes a visible ⏎. Tabs become spaces.
        limit: the longest result in characters; a cut result ends in ⟨…⟩.
    """
    too_long = len(text) > limit
    if too_long:
        text = text[: limit + 1]
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    if not text.isascii():
        text = _careful(text)
    elif _ASCII_CONTROL.search(text):
        text = text.translate(_STAND_INS)
    if multiline:
        text = text.expandtabs(_TAB) if "\t" in text else text
    else:
        text = re.sub("\n+", LINE_BREAK, text.replace("\t", " "))
    return _cut(text, limit) if too_long or len(text) > limit else text


def one_line(text: str, limit: int = 300) -> str:
    """Return safe text of one line without space around it, at most ``limit`` characters."""
    return sanitise(text[: limit * 4].strip(), multiline=False, limit=limit)


def holds_control(text: str) -> bool:
    """Say whether text holds what ``sanitise`` never leaves: the tripwire of the console's line filter.

    True for C0 (but the line feed), DEL, C1, directional controls, U+2028, U+2029, lone surrogates, noncharacters.
    """
    return _UNSAFE.search(text) is not None


def blunt(text: str) -> str:
    """Replace whatever ``holds_control`` objects to, one U+FFFD for each. The last resort of the line filter."""
    return _UNSAFE.sub("\ufffd", text)


# -- flags -------------------------------------------------------------------------------------------------

HIDDEN_CHARACTERS: Final = "hidden_characters"
MIXED_SCRIPTS: Final = "mixed_scripts"
DIRECTION_CONTROLS: Final = "direction_controls"
ADDRESS_IN_NAME: Final = "address_in_name"
LOOKALIKE_LETTERS: Final = "lookalike_letters"
ENCODED_DOMAIN: Final = "encoded_domain"
STAFF_NAME: Final = "staff_name"

_FLAGGED_START = 20_000
_WORD = re.compile(r"\w+")
_LATIN = re.compile(f"[{c.LATIN}]")
_LATIN_LIKE = re.compile(f"[{c.CYRILLIC}{c.GREEK_LIKE_LATIN}]")
_BLANK = re.compile(r"[\s\u2800]*")
_STYLED = re.compile("[\u212a\U0001d400-\U0001d7ff]")
_WIDE_AT = re.compile("[\uff20\ufe6b]")
_ADDRESS = re.compile(r"""[^\s@<>()[\]"',;]{1,64}@[\w-]{1,63}\.\w""")
_ENCODED = re.compile(r"(?:^|[@./])xn--", re.IGNORECASE)
_STAFF = frozenset(
    {
        "you", "you (agent)", "agent", "system", "admin", "administrator", "support", "support team",
        "customer support", "나", "나 (상담원)", "상담원", "시스템", "관리자", "고객센터", "고객지원팀",
    }
)  # fmt: skip


def flags(text: str) -> frozenset[str]:
    """Say what about a raw text may mislead its reader.

    ``hidden_characters`` · ``direction_controls`` · ``mixed_scripts`` (Latin with Cyrillic, or with Greek that looks
    Latin, in one word) · ``lookalike_letters`` (styled letters or a wide @ that read as ordinary ones) and, of use
    for names and addresses only: ``address_in_name`` · ``encoded_domain`` (``xn--``) · ``staff_name`` (what the
    console calls its own people).
    """
    found: set[str] = set()
    start = text[:_FLAGGED_START]
    if not text.isascii():
        found |= _hidden(text)
        if _LATIN_LIKE.search(text) and any(
            _LATIN_LIKE.search(word[0]) and _LATIN.search(word[0]) for word in _WORD.finditer(text)
        ):
            found.add(MIXED_SCRIPTS)
        if _STYLED.search(text) or (_WIDE_AT.search(start) and _ADDRESS.search(fold_compatible(start))):
            found.add(LOOKALIKE_LETTERS)
        start = fold_compatible(start)
    elif _ASCII_CONTROL.search(text.replace("\r\n", "\n")):
        found.add(HIDDEN_CHARACTERS)
    if "@" in start and _ADDRESS.search(start):
        found.add(ADDRESS_IN_NAME)
    if _ENCODED.search(start):
        found.add(ENCODED_DOMAIN)
    if len(start) <= 40 and start.strip().lower() in _STAFF:
        found.add(STAFF_NAME)
    return frozenset(found)


def fold_compatible(text: str) -> str:
    """NFKC in linear time: marks beyond any script's use are cut before."""
    if not text.isascii():
        text = _patterns(text).endless_marks.sub(lambda match: match[0][:_MARKS_BEFORE_NFC], text)
    return unicodedata.normalize("NFKC", text)


def _hidden(text: str) -> set[str]:
    found: set[str] = set()
    if _BIDI.search(text):
        found.add(DIRECTION_CONTROLS)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if text and _BLANK.fullmatch(text) and "\u2800" in text:
        found.add(HIDDEN_CHARACTERS)
    if any(_hides(line) for line in text.split("\n") if not _plain(line)):
        found.add(HIDDEN_CHARACTERS)
    return found


def _hides(line: str) -> bool:
    patterns = _patterns(line)
    if not patterns.odd.search(line):
        return False
    return any(m.lastgroup != "keep" and not _BIDI.match(m[0]) for m in patterns.in_context.finditer(line))


# -- file names and JSON -----------------------------------------------------------------------------------

_FILE_NAME_BYTES = 200
_EXTENSION = re.compile(r"(?:\.[0-9A-Za-z]{1,8}){1,2}\Z")
_NOT_IN_FILE_NAMES = re.compile(
    f"[{_CONTROLS}\t\n\u00ad\u2028\u2029\\\\/:*?\"'<>|$`;&!%{c.BIDI}{c.HIDDEN}{c.SURROGATES}{c.NONCHARACTERS}]+"
)
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)


def safe_filename(name: str, fallback: str = "file") -> str:
    """Return one path component that can be created anywhere and means nothing to a shell or an option parser.

    Args:
        fallback: what a name is called of which nothing is left.
    """
    name = name[:4096]
    name = _compose(name, _patterns(name))
    name = re.split(r"[\\/]", name)[-1]
    name = " ".join(_NOT_IN_FILE_NAMES.sub("_", name).split())
    name = name.lstrip(".-~ ").rstrip(". ")
    if not name.strip("_"):
        return fallback
    if _DEVICES.match(name):
        name = f"_{name}"
    if len(name.encode()) > _FILE_NAME_BYTES:
        extension = _EXTENSION.search(name)
        tail = extension[0] if extension else ""
        stem = name.removesuffix(tail).encode()[: _FILE_NAME_BYTES - len(tail)]
        name = stem.decode(errors="ignore") + tail
    return name


_JSON_UNSAFE = re.compile(
    f"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u2028\u2029"
    f"\U000110bd\U000110cd{c.BIDI}{c.HIDDEN}{c.SURROGATES}{c.NONCHARACTERS}]"
)


def ascii_json_escape(text: str) -> str:
    r"""Escape Cc, Cf, Cs and other characters without a shape as ``\uXXXX`` in a JSON text.

    The result is the same JSON value and safe on a terminal. A line feed stays: JSON has it only between values.
    """
    return _JSON_UNSAFE.sub(_json_code, text)


def _json_code(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
