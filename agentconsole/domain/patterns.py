"""Regular expressions that a profile may give: only such whose work is bounded, whatever text they meet."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 200
MOST_WORK: Final = 1_000
"""Ways in which one pattern may be tried at one place of a text, at most."""

_ESCAPED: Final = r"\\."
_CLASS: Final = r"\[\^?\]?[^\]]*\]"
_SPECIAL: Final = r"\(\?(?!:|P<value>)"
_COUNTED: Final = r"\{(\d+)(?:(,)(\d*))?\}"


def fault(pattern: str) -> str:
    """Return what is wrong with a pattern, without a full stop; empty where it may be used.

    Repeats have to be bounded and may not stand on a group, so that no text makes a search take long: ``\\d{4,12}``
    instead of ``\\d+``.
    """
    if not pattern or len(pattern) > LONGEST:
        return f"a pattern has 1 to {LONGEST} characters"
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression: {error}"
    if re.search(r"\\[1-9]", pattern):
        return "refers back to a group, which can take for ever"
    bare = re.sub(_CLASS, "x", re.sub(_ESCAPED, "x", pattern))
    if re.search(_SPECIAL, bare):
        return "uses a group of a special kind; only (…), (?:…) and (?P<value>…) are allowed"
    bare = re.sub(r"\(\?(?::|P<value>)", "(", bare)
    if re.search(r"[*+]|\{\d+,\}", bare):
        return "repeats without a bound; write {1,20} instead of + and {0,20} instead of *"
    if re.search(r"\)\{", bare):
        return "repeats a group; repeat characters only"
    work = 2 ** bare.count("?") * (bare.count("|") + 1)
    for low, comma, high in re.findall(_COUNTED, bare):
        work *= int(high) - int(low) + 1 if comma else 1
        if int(high or low) > LONGEST:
            return f"repeats more than {LONGEST} times"
    if work > MOST_WORK:
        return "can be matched in too many ways; give narrower repeats"
    if compiled.search("") is not None:
        return "matches nothing at all, and so everywhere"
    return ""
