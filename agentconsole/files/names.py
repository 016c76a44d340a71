"""Names of files: what a name from outside becomes before it touches a disk, and how sizes are told. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from agentconsole.text.sanitise import sanitise

LONGEST: Final = 120
"""Characters of a name; file systems take 255 bytes, of which one Korean syllable takes three."""

_LONGEST_BYTES: Final = 240
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u2028\u2029]')
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_KB: Final = 1_000


def safe(name: str, otherwise: str = "file") -> str:
    """Return a file's name as it may be written: no folder, no control, not hidden, none that a system reserves.

    Args:
        otherwise: the name where nothing is left of it.
    """
    plain = unicodedata.normalize("NFC", sanitise(name[: LONGEST * 8], multiline=False, limit=LONGEST * 4))
    plain = _UNSAFE.sub("_", plain.replace("\\", "/").rstrip("/").rpartition("/")[2])
    plain = plain.strip(" .~-")
    stem, dot, ending = plain.rpartition(".")
    if not dot or not stem or len(ending) > 12:
        stem, ending = plain, ""
    room = LONGEST - len(ending) - 1
    stem = stem[:room].rstrip(" .")
    while len(f"{stem}.{ending}".encode()) > _LONGEST_BYTES:
        stem = stem[:-1]
    if not stem:
        stem = otherwise
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    return f"{stem}.{ending}" if ending else stem


def numbered(name: str, number: int) -> str:
    """Return a name beside one that is taken: ``label (2).pdf``."""
    if number < 2:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem} ({number}).{ending}" if dot and stem else f"{name} ({number})"


def size(count: int) -> str:
    """Return a number of bytes as people read it: ``812 B``, ``12 KB``, ``3.4 MB``."""
    if count < _KB:
        return f"{count} B"
    if count < _KB * _KB:
        return f"{count / _KB:.0f} KB"
    return f"{count / _KB / _KB:.1f} MB"
