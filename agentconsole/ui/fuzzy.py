"""Finding a command by a few of its letters, in either language and with the keyboard in either mode. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from agentconsole.text.hangul import are_firsts, firsts, in_hangul_mode, in_latin_mode, is_hangul, letters

T = TypeVar("T")

_WHOLE, _WORD, _INSIDE, _WORDS, _FIRSTS, _SPREAD = 0, 1000, 2000, 3000, 4000, 5000
"""How well a query fits: it is the title, begins a word, stands in it, its words do, its 초성 do, its letters do."""

MOST_SPREAD: Final = 3
"""Letters may lie this many times as far apart as they are many; more is chance."""


def readings(query: str) -> tuple[str, ...]:
    """Return what a query may mean: as it stands, and as if the keyboard had been in the other mode."""
    query = " ".join(query.split())
    other = in_latin_mode(query) if is_hangul(query) else in_hangul_mode(query.replace(" ", ""))
    return tuple(dict.fromkeys(text for text in (query, other) if text))


def worth(query: str, text: str) -> int | None:
    """Return how well one reading of a query fits a text, smaller is better, or None where it does not."""
    wanted, title = letters(query.casefold()), letters(text.casefold())
    if not wanted:
        return _WHOLE
    if wanted == title:
        return _WHOLE
    at = title.find(wanted)
    word = 0 if at == 0 else title.find(f" {wanted}") + 1
    if at == 0 or word > 0:
        return _WORD + word
    if at > 0:
        return _INSIDE + at
    if " " in wanted and all(part in title for part in wanted.split()):
        return _WORDS
    if are_firsts(query) and len(query) > 1 and query in firsts(text):
        return _FIRSTS
    return _spread(wanted.replace(" ", ""), title)


def _spread(wanted: str, title: str) -> int | None:
    """Return the worth of letters that stand in their order with others between them."""
    if len(wanted) < 2:
        return None
    starts = [place for place, sign in enumerate(title) if sign == wanted[0]]
    spans: list[int] = []
    for start in starts:
        at = start
        for sign in wanted[1:]:
            at = title.find(sign, at + 1)
            if at < 0:
                break
        if at >= 0:
            spans.append(at - start + 1)
    best = min(spans, default=0)
    return _SPREAD + best if best and best <= MOST_SPREAD * len(wanted) else None


def ranked(query: str, candidates: Iterable[tuple[Sequence[str], T]]) -> list[T]:
    """Return what fits a query, best first, equals in their order.

    Args:
        candidates: the texts that something is called by, and that thing.
    """
    meant = readings(query)
    found: list[tuple[int, int, T]] = []
    for place, (texts, thing) in enumerate(candidates):
        values = [value for text in texts for reading in meant or ("",) if (value := worth(reading, text)) is not None]
        if values:
            found.append((min(values), place, thing))
    return [thing for _, _, thing in sorted(found, key=lambda entry: entry[:2])]
