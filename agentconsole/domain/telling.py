"""What of a history is told: one act that had to be written to several parts or records is told once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

import msgspec

from agentconsole.domain.entries import (
    AnyEntry,
    Assigned,
    ConsentChanged,
    Prioritised,
    SetAside,
    StatusChanged,
    Tagged,
    Undone,
)

ONE_ACT: Final = timedelta(seconds=2)
"""Within which equal changes are the parts of one."""

_SPREAD: Final = Assigned | ConsentChanged | Prioritised | SetAside | StatusChanged | Tagged | Undone
_OWN: Final = ("id", "at", "conversation", "entry")
"""What differs between the parts of one act."""


def once(entries: Iterable[AnyEntry]) -> Iterator[AnyEntry]:
    """Yield entries without those that only repeat the one before for another part of the same customer."""
    before: AnyEntry | None = None
    for entry in entries:
        if before is None or not _same_act(before, entry):
            yield entry
            before = entry


def _same_act(one: AnyEntry, other: AnyEntry) -> bool:
    if type(one) is not type(other) or not isinstance(other, _SPREAD) or other.at - one.at > ONE_ACT:
        return False
    own = {name: getattr(one, name) for name in _OWN if name in other.__struct_fields__}
    return bool(msgspec.structs.replace(other, **own) == one)
