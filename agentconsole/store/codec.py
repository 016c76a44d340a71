"""Entries and snapshots as plain dicts, with the version of that form.

The plain form is what JSON can hold and nothing else, so that TinyDB, ``jq`` and PostgreSQL all read it. A text
with lone surrogates (JSON allows their escapes, UTF-8 does not) is made whole before it reaches any store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import Snapshot

Plain: TypeAlias = dict[str, Any]
T = TypeVar("T")

SCHEMA: Final = 1
"""The version of the plain form. A higher one than this comes from a newer program and is only read."""

UPGRADES: Final[dict[int, Callable[[dict[str, Plain]], dict[str, Plain]]]] = {}
"""From version N to N+1: pure functions over all tables of one file, applied on read, written on the next write."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_entries: Final = list[AnyEntry]


def plain(entry: AnyEntry) -> Plain:
    """Return an entry in its plain form."""
    found: Plain = msgspec.to_builtins(entry)
    return found


def entries(forms: Sequence[Mapping[str, Any]]) -> list[AnyEntry]:
    """Return the entries of plain forms.

    Raises:
        ValueError: a form is none of this version (``msgspec.ValidationError``).
    """
    return msgspec.convert(list(forms), _entries)


def plain_snapshot(snapshot: Snapshot) -> Plain:
    found: Plain = msgspec.to_builtins(snapshot)
    return found


def snapshot(form: Mapping[str, Any]) -> Snapshot:
    """Return the snapshot of a plain form.

    Raises:
        ValueError: the form is none of this version.
    """
    return msgspec.convert(form, Snapshot)


def upgraded(tables: dict[str, Plain], schema: int) -> dict[str, Plain]:
    """Return a file's tables in today's form.

    Raises:
        ValueError: the version is newer than this program's, or one in between is unknown.
    """
    if schema > SCHEMA:
        raise ValueError(f"written by a newer version (form {schema}, this program knows {SCHEMA})")
    while schema < SCHEMA:
        if schema not in UPGRADES:
            raise ValueError(f"form {schema} is unknown")
        tables, schema = UPGRADES[schema](tables), schema + 1
    return tables


def whole(value: T) -> T:
    """Return a value whose texts can be written as UTF-8: lone surrogates become U+FFFD."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.convert(_whole(msgspec.to_builtins(value, builtin_types=(bytes,))), type(value))
    return value


def _whole(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case dict():
            return {_whole(key): _whole(item) for key, item in value.items()}
        case list() | tuple():
            return [_whole(item) for item in value]
        case _:
            return value
