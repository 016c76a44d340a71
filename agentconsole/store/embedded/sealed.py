"""Small JSON objects with a checksum of their own bytes as the last key, so that no change of them is silent.

The heads and volumes carry one in ``_meta``, a batch in its first line; this is for what is a line or a file by
itself: drafts, cursors, reasons, the audit trail, the ledgers. Whoever decodes the object does not see the key.
What an earlier version wrote has none and is sound where it is exactly what its type encodes to.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

import msgspec

_SEAL: Final = re.compile(rb',?"sum":(\d{1,10})\}$')


def seal(encoded: bytes) -> bytes:
    """Return an encoded JSON object with its checksum."""
    body = encoded[:-1]
    comma = b"" if body == b"{" else b","
    return b'%b%b"sum":%d}' % (body, comma, zlib.crc32(body))


def broken(data: bytes, kind: Any) -> str:
    """Say what is wrong with a sealed object; empty where it is what was written.

    Args:
        kind: the type that it holds, for what was written before objects were sealed.
    """
    found = _SEAL.search(data)
    if found is not None and zlib.crc32(data[: found.start()]) != int(found[1]):
        return "its checksum differs"
    try:
        value = msgspec.json.decode(data, type=kind)
    except ValueError as error:
        return f"it cannot be read ({error})"
    if found is None and msgspec.json.encode(value) != data:
        return "it has no checksum, and is not what this program writes"
    return ""


def opened(data: bytes, kind: Any) -> Any:
    """Return what a sealed object holds, or one that was written before there were checksums.

    Raises:
        ValueError: it is not what was written.
    """
    found = _SEAL.search(data)
    if found is not None and zlib.crc32(data[: found.start()]) != int(found[1]):
        raise ValueError("its checksum differs")
    value = msgspec.json.decode(data, type=kind)
    if found is None and msgspec.json.encode(value) != data:
        raise ValueError("it has no checksum, and is not what this program writes")
    return value
