"""Reads a provider's JSON without believing in its shape: what is absent or odd becomes empty, never an exception.

Strict parsing loses messages: most of LINE's own test bodies and all of Meta's own examples fail the vendor's schema.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

Table: TypeAlias = dict[str, Any]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def load(data: bytes | str) -> object:
    """Read JSON.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    try:
        found: object = json.loads(data)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    return found


def dump(value: object) -> bytes:
    """Write JSON in ASCII, so that half a surrogate pair survives as the provider sent it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def dig(value: object, *path: str) -> object:
    """Return what lies under a path of keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def table(value: object, *path: str) -> Table:
    found = dig(value, *path)
    return found if isinstance(found, dict) else {}


def rows(value: object, *path: str) -> list[Table]:
    """Return the objects of a list; whatever else stands in it is left out."""
    found = dig(value, *path)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def text(value: object, *path: str) -> str:
    """Return a text (numbers as written), without half surrogate pairs, which no encoder takes."""
    found = dig(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return _SURROGATE.sub("\ufffd", str(found))


def number(value: object, *path: str) -> int | None:
    """Return a whole number, also one written as text."""
    found = dig(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    if isinstance(found, str) and found.isascii() and found.removeprefix("-").isdigit() and len(found) < 20:
        return int(found)
    return None


def seconds(value: object, *path: str) -> float | None:
    """Return a duration that a provider asked to wait, or None where it is none."""
    found = dig(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 86_400:
        return None
    return float(found)


def moment(value: object, *path: str, per_second: int = 1) -> datetime | None:
    """Return a Unix time (``per_second`` 1000 for milliseconds), or None where it is none or absurd."""
    found = number(value, *path)
    if found is None:
        return None
    try:
        return datetime.fromtimestamp(found / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None
