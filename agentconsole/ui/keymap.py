"""The keys that hold for one agent: the registry's, changed by what the agent's configuration says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, TypeAlias

from agentconsole.ui import keys
from agentconsole.ui.keys import ACTIONS, EVERYWHERE, Action, shown_key

Changes: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]
"""Context → action → keys as the configuration writes them."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    **{where: (where,) for where in EVERYWHERE},
    "reading": keys.READING,
    "everywhere": EVERYWHERE,
}
"""The names that a configuration may give contexts by; a single one outweighs a group."""

_NAMES: Final = {
    **{name.lower(): key for key, name in keys.SHOWN.items()},
    "return": "enter",
    "ins": "insert",
    "del": "delete",
    "bs": "backspace",
    "pgdown": "pagedown",
    "ctrl+\\": "ctrl+backslash",
    "ctrl+_": "ctrl+underscore",
    "ctrl+space": "ctrl+@",
    "backtab": "shift+tab",
}


def spelled(key: str) -> str:
    """Return a key, or a chord of two, as Textual's parser names it, from how people write it."""
    parts = key.split(" ") if key.strip() else [key]
    return " ".join(part if len(part) == 1 else _NAMES.get(part.lower(), part.lower()) for part in parts if part)


def places(group: str) -> tuple[str, ...]:
    return GROUPS.get(group, ())


class Keymap:
    """Args:
    changes: what the agent's configuration says; checked before (``key_check``).
    """

    def __init__(self, changes: Changes | None = None) -> None:
        self.actions = tuple(_changed(changes or {}))
        self.index = {(where, key): action for action in self.actions for where in action.where for key in action.keys}
        self._prefixes = {(where, key.split(" ")[0]) for where, key in self.index if " " in key}

    def at(self, where: str, *names: str) -> Action | None:
        """Return what a key does in a context; several names of one key are tried in turn."""
        return next((self.index[where, name] for name in names if (where, name) in self.index), None)

    def begins(self, where: str, key: str) -> bool:
        """Say whether a key is the first one of a chord in a context."""
        return (where, key) in self._prefixes

    def following(self, where: str, prefix: str) -> list[tuple[str, Action]]:
        """Return second key and action of every chord that a prefix begins in a context."""
        found = [(key.split(" "), action) for (place, key), action in self.index.items() if place == where]
        return [(parts[1], action) for parts, action in found if len(parts) == 2 and parts[0] == prefix]

    def in_context(self, where: str) -> dict[str, tuple[str, ...]]:
        """Return title and keys, as written for people, of everything that has a key in a context."""
        found: dict[str, list[str]] = {}
        for action in self.actions:
            if where in action.where and action.keys:
                found.setdefault(action.title, []).extend(shown_key(key) for key in action.keys)
        return {title: tuple(dict.fromkeys(names)) for title, names in found.items()}

    def keys_of(self, name: str, where: str) -> tuple[str, ...]:
        """Return the keys of an action in a context as written for people, without doubles."""
        return self._of.get((name, where), ())

    def keys_anywhere(self, name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for where in EVERYWHERE for key in self.keys_of(name, where)))

    @cached_property
    def _of(self) -> dict[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], dict[str, None]] = {}
        for action in self.actions:
            for where in action.where:
                for name in (action.name, action.id):
                    found.setdefault((name, where), {}).update(dict.fromkeys(map(shown_key, action.keys)))
        return {place: tuple(names) for place, names in found.items()}

    @property
    def reading(self) -> Told:
        return Told(self, keys.READING)

    @property
    def typing(self) -> Told:
        return Told(self, keys.TYPING)


class Told:
    """What sentences of the catalogue call a key by: ``{k.undo}`` is the key of undo, ``{k.view.mine}`` of that view.

    Args:
        first: the contexts that the sentence is read in.
    """

    def __init__(self, keymap: Keymap, first: tuple[str, ...]) -> None:
        self._keymap, self._first = keymap, first

    def __getattr__(self, name: str) -> _Key:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Key(self, name)

    def key(self, name: str) -> str:
        for where in (*self._first, *EVERYWHERE):
            if found := self._keymap.keys_of(name, where):
                return found[0]
        return f":{name.replace('.', ' ')}"


class _Key:
    def __init__(self, told: Told, name: str) -> None:
        self._told, self._name = told, name

    def __getattr__(self, argument: str) -> _Key:
        if argument.startswith("__"):
            raise AttributeError(argument)
        return _Key(self._told, f"{self._name}.{argument}")

    def __format__(self, spec: str) -> str:
        return format(self._told.key(self._name), spec)


def _changed(changes: Changes) -> Iterable[Action]:
    wanted: dict[tuple[str, str], tuple[str, ...]] = {}
    for group in sorted(changes, key=lambda group: -len(places(group))):
        for name, written in changes[group].items():
            for where in places(group):
                wanted[where, name] = tuple(spelled(key) for key in written)
    given: set[tuple[str, str]] = set()
    for action in ACTIONS:
        by_keys: dict[tuple[str, ...], list[str]] = {}
        for where in action.where:
            names = wanted.get((where, action.name), action.keys)
            if (where, action.name) in wanted and (where, action.name) in given:
                names = ()  # the registry has this action twice here: once is enough
            given.add((where, action.name))
            by_keys.setdefault(names, []).append(where)
        for names, where_ in by_keys.items():
            yield replace(action, keys=names, where=tuple(where_))
