"""Message-IDs of ours that prove something: the token in them says to whom the mail went.

A Message-ID can be guessed or copied from elsewhere, a keyed token cannot be made (RFC 2104). It is bound to the
recipient's address: whoever answers from another one proves nothing. Message-IDs without a token still thread.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

from agentconsole.domain.model import Address, EntryId

_BYTES: Final = 15
"""Bytes of a token: 24 letters in base 32, and 120 bits that nobody guesses."""
_TOKENED: Final = re.compile(r"<?(e[0-9a-f]{30})\.([a-z2-7]{24})@[^@<>\s]{1,255}>?")
OURS: Final = re.compile(r"<?e[0-9a-f]{30}(?:\.[a-z2-7]{24})?@")
"""How the Message-ID of a mail of ours begins: with the id of its entry, and a token in those of today."""
KEY: Final = "thread"
"""What the store calls the key."""
LOOKED_AT: Final = 20
"""Ids of one message that are checked, newest first."""


def token(reply: EntryId, address: Address, secret: str) -> str:
    """Return the token of one reply to one address, in lower-case letters and digits."""
    digest = hmac.new(secret.encode(), f"{reply}\x1f{address}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:_BYTES]).decode().lower()


def message_id(reply: EntryId, address: Address, domain: str, secret: str) -> str:
    """Return the Message-ID (without brackets) under which a reply goes to an address."""
    return f"{reply}.{token(reply, address, secret)}@{domain}"


def answered(message_ids: Iterable[str], sender: Address, secret: str) -> bool:
    """Say whether one of the ids that a message answers is of a mail that we sent to this very sender."""
    for text, _ in zip(message_ids, range(LOOKED_AT), strict=False):
        found = _TOKENED.fullmatch(text.strip())
        if found and hmac.compare_digest(found.group(2), token(EntryId(found.group(1)), sender, secret)):
            return True
    return False
