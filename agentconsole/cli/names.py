"""How things are called on the command line, both ways."""

from __future__ import annotations

from agentconsole.domain.model import Address, Medium
from agentconsole.errors import UsageError


def text_of(address: Address) -> str:
    """Return an address as every command takes it."""
    return address.value if address.kind in ("email", "phone") else str(address)


def known_medium(word: str) -> Medium:
    """Return a medium as typed, in the one spelling that accounts use.

    Raises:
        UsageError: it is empty.
    """
    if not word.strip():
        raise UsageError("The medium is empty. Nothing was done.", "For example: email, sms, whatsapp.")
    return Medium(word.strip().lower())
