"""Words by which customers stop and resume messages on a phone-based medium.

Only the single word counts (CTIA Messaging Principles; the Korean words are those that 수신거부 notices name): "stop"
in a sentence is conversation. Compared after NFKC and without hidden characters.
"""

from __future__ import annotations

import unicodedata
from typing import Final

STOP: Final = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "수신거부", "거부", "PARAR", "停止"}
)
START: Final = frozenset({"START", "UNSTOP", "수신동의"})


def word(text: str) -> bool | None:
    """Return False for a word that stops, True for one that resumes, None for everything else."""
    if len(text) > 80:
        return None
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Cc"))
    plain = plain.strip().strip(".!\"'").upper()
    if plain in STOP:
        return False
    return True if plain in START else None
