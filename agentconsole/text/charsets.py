"""Sets of characters, each as the inside of a regular expression's character class.

Sources: Unicode 17 (UnicodeData, emoji-data, StandardizedVariants, UAX #9, UTS #51).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

ZWNJ: Final = "\u200c"
ZWJ: Final = "\u200d"
VS16: Final = "\ufe0f"

SKIN: Final = "\U0001f3fb-\U0001f3ff"
REGIONAL: Final = "\U0001f1e6-\U0001f1ff"
PICTOGRAPH: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)

HAN: Final = "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
KANA: Final = "\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff\U0001b000-\U0001b16f"
HANGUL_LEADING: Final = "\u1100-\u115e\ua960-\ua97c"
HANGUL_FOLLOWING: Final = "\u1161-\u11ff\ud7b0-\ud7fb"
HANGUL_SYLLABLES: Final = "\uac00-\ud7a3"
HANGUL: Final = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"
MATHEMATICAL: Final = "\u2200-\u22ff\u2a00-\u2aff"

LATIN: Final = "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
CYRILLIC: Final = "\u0400-\u052f\u1c80-\u1c8a\ua640-\ua69f"
GREEK_LIKE_LATIN: Final = (
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03f2\u03f3"
)

ARABIC: Final = "\u0600-\u061b\u061d-\u08ff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
INDIC: Final = "\u0900-\u0dff"
VIRAMA: Final = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca"
SOUTH_EAST_ASIAN: Final = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1950-\u19ff\u1a20-\u1aad\ua9e0-\ua9fe"
MONGOLIAN: Final = "\u1820-\u18aa"
JOINING: Final = ARABIC + INDIC + SOUTH_EAST_ASIAN + MONGOLIAN
"""Scripts in which a zero-width joiner or non-joiner decides how a word is spelt."""

BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
NONCHARACTERS: Final = "\ufdd0-\ufdef" + "".join(f"{chr(p << 16 | 0xFFFE)}{chr(p << 16 | 0xFFFF)}" for p in range(17))
SURROGATES: Final = "\ud800-\udfff"
HIDDEN: Final = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ud7fc-\ud7ff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters that draw nothing of their own, apart from the bidirectional controls."""

INHERITED_MARKS: Final = "\u0300-\u034e\u0350-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
"""Combining marks of no script: the ones that are piled up for show."""

NEWER_MARKS: Final = (
    "\u0897\u0cf3\u0ece\u1acf-\u1add\u1ae0-\u1aeb\U00010d69-\U00010d6d\U00010efa-\U00010eff\U00011241"
    "\U000113b8-\U000113c0\U000113c2\U000113c5\U000113c7-\U000113ca\U000113cc-\U000113d0\U000113d2"
    "\U000113e1\U000113e2\U00011b60-\U00011b67\U00011f00\U00011f01\U00011f03\U00011f34-\U00011f3a"
    "\U00011f3e-\U00011f42\U00011f5a\U00013440\U00013447-\U00013455\U0001611e-\U0001612f\U0001e08f"
    "\U0001e4ec-\U0001e4ef\U0001e5ee\U0001e5ef\U0001e6e3\U0001e6e6\U0001e6ee\U0001e6ef\U0001e6f5"
)
"""Combining marks that came after Unicode 14: the interpreter's tables may be older than that."""

_MARK_BLOCKS = (
    (0x0300, 0x2000),
    (0x20D0, 0x2100),
    (0x2CE0, 0x2E00),
    (0x3020, 0x30A0),
    (0xA660, 0xAC00),
    (0xFB10, 0xFB20),
    (0xFE20, 0xFE30),
    (0x101F0, 0x10400),
    (0x10A00, 0x12000),
    (0x13440, 0x13460),
    (0x16100, 0x17000),
    (0x1BC90, 0x1BCA0),
    (0x1CF00, 0x1D250),
    (0x1DA00, 0x1DAB0),
    (0x1E000, 0x1E960),
)


@cache
def marks() -> str:
    """Return all combining marks (Mn, Mc, Me) that draw something."""
    hidden = {0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810)}
    ranges: list[list[int]] = []
    for start, end in _MARK_BLOCKS:
        for code in range(start, end):
            if code in hidden or unicodedata.category(chr(code))[0] != "M":
                continue
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(chr(a) if a == b else f"{chr(a)}-{chr(b)}" for a, b in ranges) + NEWER_MARKS


def bmp(chars: str) -> str:
    """Return the part of a class below U+10000.

    A class that reaches higher is matched range by range, ten times slower; most text does not need it.
    """
    kept = []
    for item in re.finditer(r"(.)(?:-(.))?", chars, re.DOTALL):
        first, last = item[1], item[2] or item[1]
        if first <= "\uffff":
            kept.append(first if first == last else f"{first}-{min(last, chr(0xFFFF))}")
    return "".join(kept)
