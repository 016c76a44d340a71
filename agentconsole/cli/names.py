"""How things are called on the command line, both ways."""

from __future__ import annotations

import difflib

from agentconsole.desk import Agent, Desk
from agentconsole.domain.model import Address, Medium
from agentconsole.errors import UsageError
from agentconsole.text.words_table import WORDS


def text_of(address: Address) -> str:
    """Return an address as every command takes it."""
    return address.value if address.kind in ("email", "phone") else str(address)


_WORDED = frozenset(key.partition(".")[2] for key in WORDS["en"] if key.startswith("medium."))


async def known_medium(desk: Desk, who: Agent, word: str) -> Medium:
    """Return a medium as typed, in the one spelling that accounts use.

    Raises:
        UsageError: nobody calls a medium so, and no account is on one.
    """
    medium = Medium(word.strip().lower())
    if medium in _WORDED:
        return medium
    media = {account.medium for account in (await desk.status(who)).accounts}
    if medium in media:
        return medium
    near = difflib.get_close_matches(medium, sorted(media | _WORDED), n=1, cutoff=0.6)
    raise UsageError(
        f"There is no medium {word!r}. Nothing was done.",
        f"Did you mean {near[0]}?" if near else f"Accounts are on: {', '.join(sorted(media)) or 'none'}.",
    )
