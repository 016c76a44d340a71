"""Card and ID numbers are masked in whatever the Desk answers, so that no client sees them without ``reveal``.

Stored entries stay as they are. What an agent wrote and has not sent yet (a draft) is given back as it was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec

from agentconsole.domain import facts, numbers
from agentconsole.domain.model import EntryId, Fact

T = TypeVar("T")

MARGIN: Final = 256
"""Characters around a part of a text that are looked at too: a number may begin or end in them."""

_KEPT: Final = 500
_LONG: Final = 20_000
_TEXTS: Final = frozenset(
    {"text", "subject", "preview", "snippet", "words", "detail", "name", "sender_name", "customer_name", "other_name"}
)
"""Fields that hold what people wrote. Ids and addresses are not masked: they are what things are found by."""


class Masks:
    """Args:
    patterns: further kinds of numbers of the profile, each a name and a regular expression.
    """

    def __init__(self, patterns: Sequence[tuple[str, str]] = ()) -> None:
        self.patterns = tuple(patterns)

        @lru_cache(_KEPT)
        def short(text: str) -> str:
            return numbers.masked(text, self.patterns)

        self._short: Callable[[str], str] = short
        self._long: dict[tuple[EntryId, int], bool] = {}

    def text(self, text: str) -> str:
        """Return a text with its numbers masked; as long as before."""
        return self._short(text) if len(text) <= _LONG else numbers.masked(text, self.patterns)

    def holds(self, entry: EntryId, text: str) -> bool:
        """Say whether a number is masked in an entry's whole text; looked for once while the text is the same."""
        if len(text) <= _LONG:
            return self._short(text) != text
        key = (entry, len(text))
        if key not in self._long:
            if len(self._long) > _KEPT:
                self._long.clear()
            self._long[key] = bool(numbers.hidden(text, self.patterns))
        return self._long[key]

    def part(self, text: str, start: int, length: int) -> str:
        """Return a part of a text, masked as it would be in the whole."""
        begin = max(start - MARGIN, 0)
        return self.text(text[begin : start + length + MARGIN])[start - begin : start - begin + length]

    def value(self, value: T) -> T:
        """Return a value of the Desk with the numbers in all of its texts masked."""
        return cast("T", self._value(value))

    def _value(self, value: Any) -> Any:
        match value:
            case Fact():
                covered = facts.covered(value)
                return msgspec.structs.replace(covered, value=self.text(covered.value))
            case msgspec.Struct():
                return self._struct(value)
            case tuple():
                return self._sequence(value)
            case Mapping():
                return {
                    key: self.text(part) if isinstance(part, str) and key in _TEXTS else self._value(part)
                    for key, part in value.items()
                }
        return value

    def _sequence(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not values or not isinstance(values[0], msgspec.Struct | tuple):
            return values
        return tuple(self._value(part) for part in values)

    def _struct(self, value: msgspec.Struct) -> msgspec.Struct:
        changed = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            if isinstance(before, str):
                after: Any = self.text(before) if before and name in _TEXTS else before
            elif isinstance(before, msgspec.Struct | tuple | dict):
                after = self._value(before)
            else:
                continue
            if after is not before and after != before:
                changed[name] = after
        return msgspec.structs.replace(value, **changed) if changed else value
