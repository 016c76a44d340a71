"""How many SMS a text becomes.

The alphabet is the default one of 3GPP TS 23.038 with its extension table; everything else goes as UCS-2, which is
UTF-16 in practice. A single message carries 140 octets; parts of a longer one lose six to their header (TS 23.040),
which leaves 153 septets or 67 UTF-16 units. An escaped pair and a surrogate pair are never cut in two.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Encoding: TypeAlias = Literal["GSM-7", "UCS-2"]

GSM7_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters that take an escape, thus two septets."""

_ROOM: Final[dict[Encoding, tuple[int, int]]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


class SmsSize(NamedTuple):
    """What a text costs.

    Args:
        encoding: the narrower of the two that can carry it.
        units: septets (GSM-7) or UTF-16 units (UCS-2) of the text itself.
        parts: messages on the bill; an empty text counts as one.
        left: units that still fit into the last part.
    """

    encoding: Encoding
    units: int
    parts: int
    left: int


def encoding(text: str) -> Encoding:
    """Return the narrowest encoding that carries every character of ``text``."""
    letters = set(text)
    return "GSM-7" if letters <= GSM7_BASIC or letters <= GSM7_BASIC | GSM7_EXTENSION else "UCS-2"


def parts(text: str) -> SmsSize:
    """Count units and parts of ``text`` as the network cuts it."""
    how = encoding(text)
    if how == "GSM-7":
        widths = [2 if letter in GSM7_EXTENSION else 1 for letter in text]
    else:
        widths = [2 if letter > "\uffff" else 1 for letter in text]
    units = sum(widths)
    single, several = _ROOM[how]
    if units <= single:
        return SmsSize(how, units, 1, single - units)
    count, used = 1, 0
    for width in widths:
        if used + width > several:
            count, used = count + 1, 0
        used += width
    return SmsSize(how, units, count, several - used)
