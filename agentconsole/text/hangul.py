"""Hangul taken apart: into letters, first consonants (초성), and the keys of the 2-set layout that they are typed with.

A name is compared by its letters, so that what an input method has composed so far finds it at every key: 박ㅁ, 박미
and 박민 are all beginnings of ㅂㅏㄱㅁㅣㄴㅅㅜ.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_FIRST: Final = 0xAC00
_LAST: Final = 0xD7A3
_CHO: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_JUNG: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_JONG: Final = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_PARTS: Final = {
    "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ",
    "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ", "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ",
    "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ",
}  # fmt: skip
_KEYS: Final = dict(
    zip(
        "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡㅃㅉㄸㄲㅆㅒㅖ",
        "qwertyuiopasdfghjklzxcvbnmQWERTOP",
        strict=True,
    )
)
"""The key of each letter: KS X 5002, the layout that every Korean keyboard has."""
_LETTERS: Final = {key: letter for letter, key in _KEYS.items()}

_JOINING: Final = {
    **{chr(0x1100 + at): letter for at, letter in enumerate(_CHO)},
    **{chr(0x1161 + at): letter for at, letter in enumerate(_JUNG)},
    **{chr(0x11A7 + at): letter for at, letter in enumerate(_JONG) if at},
}
"""NFKC makes these of the letters of a keyboard."""

_C: Final = "[qwertasdfgzxcvQWERT]"
_V: Final = "(?:h[klo]|n[jpl]|ml|[yuiophjklbnmOP])"
_TAIL: Final = "(?:rt|s[wg]|f[raqtxvg]|qt|[qwertasdfgzxcvRT])"
_SYLLABLES: Final = re.compile(rf"(?:{_C}{_V}{_TAIL}?)+{_C}?")


def is_hangul(text: str) -> bool:
    return any(_FIRST <= ord(sign) <= _LAST or "ㄱ" <= sign <= "ㅣ" or sign in _JOINING for sign in text)


def letters(text: str) -> str:
    """Return a text with every syllable as the letters that are typed for it."""
    found: list[str] = []
    for sign in unicodedata.normalize("NFC", text):
        place = ord(sign) - _FIRST
        if 0 <= place <= _LAST - _FIRST:
            cho, rest = divmod(place, 588)
            jung, jong = divmod(rest, 28)
            found += (_CHO[cho], _PARTS.get(_JUNG[jung], _JUNG[jung]), _PARTS.get(_JONG[jong], _JONG[jong]))
        else:
            letter = _JOINING.get(sign, sign)
            found.append(_PARTS.get(letter, letter))
    return "".join(found)


def firsts(text: str) -> str:
    """Return the first consonants of a text's syllables, without anything else."""
    return "".join(_CHO[(ord(sign) - _FIRST) // 588] for sign in text if _FIRST <= ord(sign) <= _LAST)


def are_firsts(text: str) -> bool:
    """Say whether a text is nothing but consonants, as one types who means the first of each syllable."""
    return bool(text) and all("ㄱ" <= sign <= "ㅎ" for sign in text)


def in_latin_mode(text: str) -> str:
    """Return the Latin text that was meant where Hangul was typed with the Latin layout in mind."""
    return "".join(_KEYS.get(letter, letter) for letter in letters(text))


def in_hangul_mode(text: str) -> str:
    """Return the letters that were meant where Latin was typed with Hangul in mind, or nothing where the keys make no
    syllables."""
    return "".join(_LETTERS[key] for key in text) if _SYLLABLES.fullmatch(text) else ""


def firsts_in_hangul_mode(text: str) -> str:
    """Return the first consonants that were meant by Latin keys, or nothing."""
    found = "".join(_LETTERS.get(key, "") for key in text)
    return found if len(found) == len(text) > 1 and are_firsts(found) else ""
