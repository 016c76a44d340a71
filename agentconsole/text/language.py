"""Which language a text is written in, with its evidence: the script, and small words where many share a script.

Deterministic and small on purpose: it decides the language of a template's first line, an agent can set another, and
a wrong guess is shown with what it was guessed from. Short texts without evidence are of no language.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_SCANNED: Final = 5_000
_ENOUGH_WORDS: Final = 2

_SCRIPTS: Final = (
    ("HANGUL", "ko"),
    ("HIRAGANA", "ja"),
    ("KATAKANA", "ja"),
    ("THAI", "th"),
    ("HEBREW", "he"),
    ("GREEK", "el"),
    ("ARABIC", "ar"),
    ("DEVANAGARI", "hi"),
    ("CYRILLIC", "ru"),
    ("CJK", "zh"),
    ("LATIN", ""),
)

_WORDS: Final = {
    "en": "the and you is are my not have this with for can please when was it of to your but has will from that do"
    " i a",
    "es": "el la los que de es en mi por para con no una pedido gracias cuando está esta pero hola su ha muy quiero y"
    " me lo se un como tengo",
    "pt": "o os que de não é em meu minha por para com uma pedido obrigado obrigada quando está mas olá oi vocês foi"
    " muito eu e um no na ainda",
    "de": "der die das und ist nicht ich mein meine mit für bitte wann wir sie ein eine habe von zu den auf es",
    "fr": "le la les et est pas je mon ma avec pour merci quand vous une des du ce que qui dans mais bonjour c'est ne",
    "it": "il la di che è non mio mia per con grazie quando un una ma sono ho buongiorno questo della ordine",
    "id": "yang dan saya tidak ini itu untuk dengan kapan pesanan terima kasih sudah belum anda apa ke di dari",
    "vi": "tôi của không và là cho với khi đơn hàng cảm ơn chưa này có được bạn",
    "nl": "de het een en ik niet mijn met voor is wanneer dank u je zijn van op dat",
    "tr": "ve bir bu ben için ne zaman değil teşekkürler sipariş var mı ile çok",
}
_SMALL: Final = {language: frozenset(words.split()) for language, words in _WORDS.items()}


@dataclass(frozen=True, slots=True)
class Guess:
    """A language (two letters, ISO 639-1) and what it was guessed from: ``script`` or ``words``."""

    language: str
    evidence: str
    score: float


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((script for script, _ in _SCRIPTS if name.startswith(script)), "")


def guess(text: str) -> Guess | None:
    """Return the language of a text, or None where nothing speaks for one."""
    part = unicodedata.normalize("NFC", text[:_SCANNED])
    scripts = Counter(_script(c) for c in part if c.isalpha())
    scripts.pop("", None)
    total = sum(scripts.values())
    if not total:
        return None
    # Names and brands in Latin letters stand in every language; Han letters in Korean and Japanese.
    strongest = scripts.most_common()
    for script, language in _SCRIPTS:
        if language and scripts[script] / total >= (0.2 if script not in ("CJK", "CYRILLIC") else 0.5):
            if script == "CJK" and scripts["HIRAGANA"] + scripts["KATAKANA"]:
                language = "ja"
            return Guess(language, "script", scripts[script] / total)
    if strongest[0][0] != "LATIN":
        return None
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", part.lower())
    hits = {language: sum(word in small for word in words) for language, small in _SMALL.items()}
    ranked = sorted(hits.items(), key=lambda pair: -pair[1])
    (best, most), (_, second) = ranked[0], ranked[1]
    if most < _ENOUGH_WORDS or most == second:
        return None
    return Guess(best, "words", most / max(len(words), 1))


def of_many(texts: Iterable[str]) -> Guess | None:
    """Return the language that most of somebody's messages are in; the newest should come first."""
    found = [one for text in texts if (one := guess(text)) is not None]
    if not found:
        return None
    votes = Counter(one.language for one in found)
    best = max(
        votes, key=lambda language: (votes[language], -next(i for i, g in enumerate(found) if g.language == language))
    )
    return next(one for one in found if one.language == best)
