"""By what a customer is found as one types: name and addresses, in the layout that happens to be on.

``keys`` says under which keys a customer is kept, each found by its beginning; ``ways`` what a typed word may mean;
``rank`` how good a find is. A store keeps the keys sorted, so that an answer costs the same with many customers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from agentconsole.text import hangul, tokens

MAX_WORDS: Final = 6
LONGEST: Final = 64
"""Characters of a key: the rest is not looked at."""

_MOST: Final = 48
"""Keys of one customer: somebody with a hundred addresses must not fill the index."""

FIRSTS: Final = "~"
"""Stands before a key that is made of first consonants."""

EXACT, NAME, WORD, PART, NOWHERE = 0, 1, 2, 3, 9
"""How good a find is: the whole name, its beginning, the beginning of a word or address, letters in order, not at
all."""

_BREAK: Final = re.compile(r"[\s@._+:/()-]+")


def keys(name: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of a customer, the one of the whole name first.

    Args:
        addresses: values of addresses: ``emily@example.com``, ``+8210…``.
    """
    folded = " ".join(tokens.fold(name).split())
    found = [_key(folded)]
    for word in folded.split():
        found += [_key(word[at:]) for at in range(len(word) if hangul.is_hangul(word) else 1)]
    consonants = hangul.firsts(folded)
    found += [FIRSTS + consonants[at:] for at in range(max(len(consonants) - 1, min(len(consonants), 1)))]
    for address in addresses:
        value = tokens.fold(address)
        found.append(_key(value))
        if value.startswith("+"):
            found += [value[1:], value[-8:], value[-4:]]
            continue
        found += [_key(part) for part in _BREAK.split(value) if part]
    return tuple(dict.fromkeys(one for one in found if one))[:_MOST]


def whole(words: str) -> str:
    """Return the beginning of a whole name that some words may be."""
    return _key(" ".join(tokens.fold(words).split()))


def _key(text: str) -> str:
    return hangul.letters(text)[:LONGEST]


@lru_cache(64)
def ways(words: str) -> tuple[tuple[str, ...], ...]:
    """Return for each typed word the beginnings of keys that it may mean, the plainest first."""
    typed = words[:200].strip()
    found: list[tuple[str, ...]] = []
    for word in tokens.fold(typed).split()[:MAX_WORDS]:
        raw = next((one for one in typed.split() if tokens.fold(one) == word), word)
        found.append(tuple(dict.fromkeys(one[:LONGEST] for one in _ways(word, raw) if one)))
    return tuple(found)


def _ways(word: str, raw: str) -> Iterable[str]:
    if word.isdecimal() and word.startswith("0") and len(word) > 3:
        yield from (word, word[1:], word[-8:])
        return
    if hangul.is_hangul(word):
        letters = hangul.letters(word)
        yield from (FIRSTS + letters, letters) if hangul.are_firsts(letters) else (letters,)
        yield tokens.fold(hangul.in_latin_mode(word))
        return
    yield word
    yield hangul.in_hangul_mode(raw) or hangul.in_hangul_mode(word)
    consonants = hangul.firsts_in_hangul_mode(raw)
    if consonants:
        yield FIRSTS + consonants


def rank(words: str, known: Sequence[str]) -> int:
    """Return how good a find is: all words have to fit, and the worst of them counts."""
    asked = ways(words)
    if not asked or not known:
        return NOWHERE
    if known[0].startswith(begun := whole(words)):
        return EXACT if begun == known[0] else NAME
    return max(_rank_word(one, known) for one in asked)


def _rank_word(one: Sequence[str], known: Sequence[str]) -> int:
    if any(known[0].startswith(way) or known[0] == way for way in one):
        return NAME
    if any(key.startswith(way) for way in one for key in known):
        return WORD
    return PART if any(in_order(way, key) for way in one[:1] for key in known) else NOWHERE


def in_order(letters: str, key: str) -> bool:
    """Say whether a key has some letters in this order, beginning with the first: ``emlyp`` for ``emily park``.

    Less than three letters stand in order in everything.
    """
    if len(letters) < 3 or key[:1] != letters[:1]:
        return False
    rest = iter(key)
    return all(letter in rest for letter in letters)
