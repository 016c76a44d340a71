"""Search tokens of our own, shared by every store.

Text and query are folded by NFKC and lower case. A run of Hangul, kana or Han becomes overlapping pairs and its last
character, so that a query of two syllables or more is a phrase of pairs, which is an exact substring, and one syllable
is a prefix. Every other word is found by its beginning. (FTS5's own ``unicode61`` finds 배송 in no compound and its
``trigram`` finds nothing below three characters.)
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from agentconsole.domain.numbers import masked
from agentconsole.text import charsets
from agentconsole.text.sanitise import fold_compatible, one_line

MAX_WORDS: Final = 16
"""Words of a query that count: more would only slow the search down."""

SNIPPET: Final = 80
"""Characters of a snippet."""

_HANGUL: Final = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_KANA: Final = "\u3040-\u30ff\u31f0-\u31ff"
_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_SYLLABIC: Final = _HANGUL + _KANA + _HAN
_UNSEEN: Final = re.compile(f"[\u00ad{charsets.BIDI}{charsets.bmp(charsets.HIDDEN)}]")
_RUN: Final = re.compile(rf"(?P<syllables>[{_SYLLABIC}]+)|(?P<word>[^\W_{_SYLLABIC}]+)")


def fold(text: str) -> str:
    """Return a text as it is compared: NFKC, lower case, composed, and without characters that nobody sees."""
    if not text.isascii():
        text = _UNSEEN.sub("", text)
    return unicodedata.normalize("NFKC", fold_compatible(text).lower())


def index_tokens(text: str) -> str:
    """Return the tokens of a text, divided by blanks, as the full-text index keeps them."""
    tokens: list[str] = []
    for run in _RUN.finditer(fold(text)):
        if run.lastgroup == "syllables":
            tokens += _pairs(run.group())
            tokens.append(run.group()[-1])
        else:
            tokens.append(run.group())
    return " ".join(tokens)


Begun: TypeAlias = Callable[[str], Sequence[str] | None]
"""Says which words begin with some letters, or None where it does not tell."""


def query(words: str, begun: Begun = lambda _: None) -> str:
    """Return the FTS5 expression that finds texts with all of ``words``; empty where nothing can be searched for.

    Every token is quoted, so that nothing a person types is ever syntax.
    """
    return " AND ".join(_expression(term, begun) for term in _terms(words))


def matches(text: str, words: str) -> bool:
    """Say whether a text holds all of ``words``: what ``query`` finds, by looking at the text itself."""
    terms = _terms(words)
    if not terms:
        return False
    folded = fold(text)
    starts = {run.group() for run in _RUN.finditer(folded) if run.lastgroup == "word"}
    return all(
        term in folded if _is_syllabic(term) else any(word.startswith(term) for word in starts) for term in terms
    )


def holds_words(words: str) -> bool:
    """Say whether there is anything in a text that could be looked for."""
    return bool(_terms(words))


def holds(text: str, words: str, *, phrase: bool = False) -> bool:
    """Say whether a text holds all of ``words``, or, as a phrase, holds them exactly and side by side."""
    if not phrase:
        return matches(text, words)
    wanted = _phrase(words)
    if not wanted:
        return False
    found = index_tokens(text).split(" ")
    *whole, last = wanted
    opened = _is_syllabic(last) and len(last) == 1
    return any(
        found[at : at + len(whole)] == whole
        and (found[at + len(whole)].startswith(last) if opened else found[at + len(whole)] == last)
        for at in range(len(found) - len(whole))
    )


def expression(words: str, *, phrase: bool = False, begun: Begun = lambda _: None) -> str:
    """Return the FTS5 expression of what ``holds`` says; empty where nothing can be searched for."""
    if not phrase:
        return query(words, begun)
    wanted = _phrase(words)
    if not wanted:
        return ""
    return f'"{" ".join(wanted)}"' + ("*" if _is_syllabic(wanted[-1]) and len(wanted[-1]) == 1 else "")


def fact(kind: str, value: str) -> str:
    """Return the token of something that is known of an entry besides its words. The underscore keeps it apart: no
    word that is typed has one.

    Args:
        kind: one small letter.
    """
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"_{kind}{digest}"


def _phrase(words: str) -> list[str]:
    """Return the tokens that stand side by side where a phrase occurs: of syllables the first run may begin and the
    last may end inside a longer one."""
    runs = [run.group() for run in _RUN.finditer(fold(words[:1000]))][:MAX_WORDS]
    found: list[str] = []
    for number, run in enumerate(runs, 1):
        if not _is_syllabic(run):
            found.append(run)
        elif number < len(runs):
            found += [*_pairs(run), run[-1]]
        else:
            found += _pairs(run) or [run]
    return found


def snippet(text: str, words: str) -> str:
    """Return one line of display text around the first match."""
    line = one_line(text, 20_000)
    folded = line.lower()
    places = [place for term in _terms(words) if (place := folded.find(term)) >= 0]
    start = max(min(places, default=0) - SNIPPET // 3, 0)
    end = start + SNIPPET
    line = masked(line)  # before it is cut: half of a number would not be known as one
    return ("…" if start else "") + line[start:end].strip() + ("…" if end < len(line) else "")


@lru_cache(maxsize=64)
def _terms(words: str) -> tuple[str, ...]:
    return tuple(run.group() for run in _RUN.finditer(fold(words[:1000])))[:MAX_WORDS]


def _is_syllabic(term: str) -> bool:
    found = _RUN.match(term)
    return found is not None and found.lastgroup == "syllables"


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _expression(term: str, begun: Begun) -> str:
    if _is_syllabic(term) and len(term) > 1:
        return f'"{" ".join(_pairs(term))}"'
    known = begun(term)
    if known:
        return "(" + " OR ".join(f'"{word}"' for word in known) + ")"
    return f'"{term}"*'
