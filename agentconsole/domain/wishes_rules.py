"""What a language's table of wishes consists of. The tables are ``wishes_en`` and its neighbours; ``wishes`` reads."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

INVOICE: Final = "invoice"
DELIVERY: Final = "delivery"
APPOINTMENT: Final = "appointment"
URGENT: Final = "urgent"
MARKETING: Final = "marketing"

M: Final = r"<(?P<medium>\w+)>"
"""A medium that is named."""
V: Final = r"<(?P<medium>\w+)!>"
"""A medium in a verb: ``text me``."""
X: Final = r"<(?P<medium>\w+)!?>"
ANY: Final = r"<\w+!?>"


def compiled(*rules: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rule) for rule in rules)


class Tongue(NamedTuple):
    """One language.

    Args:
        media: spellings in lower case, each with its medium; an empty one keeps a look-alike from being taken for one.
        rewrite: idioms brought to one form before anything is erased.
        negated: mentions that are turned down; they are erased, and what is left of the sentence is a contrast.
        erased: mentions that ask for nothing: past, objects, questions whether we have it.
        vetoes: a sentence with one of these is nobody's wish for themselves.
        sure: asks for the medium.
        unsure: may ask for it.
        asks: what a question must hold to be a request.
        labels: of a line in a form.
        purposes: words that say what the wish is for.
    """

    media: tuple[tuple[re.Pattern[str], str], ...]
    rewrite: tuple[tuple[re.Pattern[str], str], ...]
    negated: tuple[re.Pattern[str], ...]
    erased: tuple[re.Pattern[str], ...]
    vetoes: tuple[re.Pattern[str], ...]
    sure: tuple[re.Pattern[str], ...]
    unsure: tuple[re.Pattern[str], ...]
    asks: re.Pattern[str]
    labels: re.Pattern[str]
    purposes: tuple[tuple[re.Pattern[str], str], ...]


def media(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(spelling), medium) for spelling, medium in pairs)
