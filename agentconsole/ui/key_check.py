"""What is wrong with keys: with those that a configuration gives, and with the registry itself.

What terminals send for a key, and which keys are one and the same byte, was measured with Textual's own parser on
legacy input (no kitty protocol): ``alt+enter`` arrives as ``enter``, ``ctrl+m`` is enter, ``ctrl+i`` tab, ``ctrl+h``
backspace, ``ctrl+[`` escape; ``ctrl+enter``, ``shift+enter`` and ``ctrl+shift+LETTER`` do not arrive at all.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from agentconsole.ui.keymap import GROUPS, Changes, Keymap, places, spelled
from agentconsole.ui.keys import ACTIONS, MOVING, TYPING, Action, shown_key

_SAME: Final = {
    "ctrl+m": "enter",
    "ctrl+j": "enter",
    "ctrl+i": "tab",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "escape",
    "ctrl+[": "escape",
    "alt+enter": "enter",
}
"""Keys that arrive as another one."""

_NEVER: Final = re.compile(
    r"ctrl\+shift\+[a-z0-9]|(?:ctrl|shift)\+(?:alt\+)?enter|ctrl\+[0-9]|(?:ctrl|alt|shift)\+space|"
    r"(?:super|hyper|meta)\+.+|ctrl\+(?:backspace|comma|full_stop|[,.;'=-])|shift\+(?:backspace|escape|[a-z0-9])"
)
"""Keys for which a terminal without the kitty protocol has no bytes of their own."""

_WARNED: Final = {
    "ctrl+a": "screen takes it as its prefix",
    "ctrl+b": "tmux takes it as its prefix",
    "ctrl+c": "every other program is ended with it",
}
_IN_TEXT: Final = {
    "ctrl+a": "go to the line's start",
    "ctrl+e": "go to the line's end",
    "ctrl+w": "delete a word",
    "ctrl+u": "delete to the line's start",
    "ctrl+k": "delete to the line's end",
    "ctrl+d": "delete a letter",
    "ctrl+c": "copy",
    "ctrl+v": "paste",
    "ctrl+y": "redo",
    "ctrl+z": "undo typing",
    "f6": "select a line",
    "f7": "select all",
}
_TYPES: Final = frozenset(
    {"space", "enter", "backspace", "delete", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"}
)
_LINE: Final = frozenset({"enter", "up", "down", "pageup", "pagedown"})
"""What moves nothing in one line of text."""

_NAMED: Final = frozenset(
    {
        *_TYPES,
        *(f"f{number}" for number in range(1, 25)),
        *("escape", "tab", "insert", "at", "ctrl+@", "ctrl+backslash", "ctrl+underscore", "ctrl+slash"),
        *("ctrl+right_square_bracket", "ctrl+circumflex_accent"),
    }
)
_MODIFIED: Final = re.compile(r"(?:ctrl|alt)\+[a-z]|alt\+[0-9]|(?:ctrl\+|shift\+|alt\+)+[a-z0-9]+")
_NEEDED: Final = frozenset({("box", "back"), ("prompt", "back"), ("prompt", "submit"), ("box", "send")})
"""Context and action of what nothing else does."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Args:
        group: the context as the configuration names it; with ``action`` where it stands.
        warning: it works, but not everywhere or not as one may think.
    """

    group: str
    action: str
    message: str
    warning: bool = False


def faults(changes: Changes) -> list[Fault]:
    """Return what is wrong with the keys of a configuration, in its order; conflicts with the other keys last."""
    found = [fault for group, table in changes.items() for fault in _of_group(group, table)]
    if any(not fault.warning for fault in found):
        return found
    keymap = Keymap(changes)
    return [*found, *_together(keymap.actions, changes)]


def _of_group(group: str, table: Changes | object) -> Iterator[Fault]:
    if group not in GROUPS or not isinstance(table, dict):
        near = _near(group, GROUPS)
        yield Fault(group, "", f"unknown context ({_offer(near, GROUPS)})")
        return
    names = sorted({action.name for action in ACTIONS if set(action.where) & set(places(group))})
    for name, written in table.items():
        if name not in names:
            near = _near(name, names)
            yield Fault(group, name, "no such action here" + (f" (nearest: {near})" if near else _listed()))
            continue
        for key in written:
            yield from _of_key(group, name, key)


def _of_key(group: str, name: str, written: str) -> Iterator[Fault]:
    key = spelled(written)
    parts = key.split(" ")
    if not key or len(parts) > 2:
        yield Fault(group, name, f'"{written}" is not one key or a chord of two, e.g. "a" or "g a"')
        return
    for number, part in enumerate(parts):
        wrong = _wrong(part)
        if wrong:
            yield Fault(group, name, f"{written}: {wrong}")
            return
        if part in _WARNED:
            yield Fault(group, name, f"{written}: {_WARNED[part]}", warning=True)
        if number == 0 and set(places(group)) & set(TYPING):
            if len(part) == 1 or (part in _TYPES and (group != "prompt" or part not in _LINE)):
                yield Fault(group, name, f"{written}: a text is typed here, so it must be a control or function key")
                return
            if part in _IN_TEXT:
                yield Fault(
                    group, name, f"{written}: in a text that is {_IN_TEXT[part]}, which gives way", warning=True
                )


def _wrong(key: str) -> str:
    """Return what is wrong with one key by itself, or nothing."""
    if len(key) == 1:
        if key.isascii() and key.isprintable():
            return ""
        return "only letters, digits and signs of ASCII; Hangul letters mean the key that they stand on"
    if key in _SAME:
        return f"terminals send {shown_key(_SAME[key])} for it"
    if _NEVER.fullmatch(key):
        return "terminals do not send it"
    if key in _NAMED or key == "shift+tab":
        return ""
    if _MODIFIED.fullmatch(key) and (len(key.rpartition("+")[2]) == 1 or key.rpartition("+")[2] in _NAMED):
        return ""
    near = _near(key, [*_NAMED, *(shown_key(name) for name in _NAMED)])
    return "there is no such key" + (f" (nearest: {shown_key(near)})" if near else "")


def _together(actions: Iterable[Action], changes: Changes) -> Iterator[Fault]:
    """Yield what keys mean twice, what has none left, and function keys without a twin."""
    mine = {(where, name): group for group, table in changes.items() for where in places(group) for name in table}

    def at(action: Action, where: str, message: str, *, warning: bool = False) -> Fault:
        return Fault(mine.get((where, action.name), where), action.name, message, warning)

    entries = [(where, key, action) for action in actions for where in action.where for key in action.keys]
    first: dict[str, list[tuple[str, Action]]] = {}
    for where, key, action in entries:
        first.setdefault(key, []).append((where, action))
    told: set[tuple[str, str, str]] = set()
    for key, users in first.items():
        for at_, (where, action) in enumerate(users):
            for other_where, other in users[:at_]:
                same = where == other_where
                if action.title == other.title or (key in MOVING and not same):
                    continue
                changed = (where, action.name) in mine
                blamed, there = (action, where) if changed else (other, other_where)
                against, against_where = (other, other_where) if changed else (action, where)
                if (key, blamed.name, against.name) in told:
                    continue
                told |= {(key, blamed.name, against.name), (key, against.name, blamed.name)}
                what = f"{shown_key(key)} means {against.name} in {against_where} already"
                yield at(blamed, there, what + ("" if same else "; a key means one thing wherever it means anything"))
    chords = {key.split(" ")[0]: (where, action) for where, key, action in entries if " " in key}
    for where, key, action in entries:
        if key in chords and (key, action.name, "") not in told:
            told.add((key, action.name, ""))
            there, chord = chords[key]
            changed = (where, action.name) in mine
            blamed, place = (action, where) if changed else (chord, there)
            yield at(blamed, place, f"{shown_key(key)} begins a chord ({chord.name}) and means {action.name}")
    keyed = {(where, action.name) for where, _, action in entries}
    for where, name in sorted(set(mine) & _NEEDED):
        if (where, name) not in keyed:
            yield Fault(mine[where, name], name, "needs a key: nothing else does it")
    for where, key, action in entries:
        if (where, action.name) in mine and re.fullmatch(r"f\d+", key):
            twins = [k for w, k, a in entries if w == where and a.name == action.name and k != key]
            if all(re.fullmatch(r"f\d+", twin) for twin in twins):
                message = f"{shown_key(key)}: some terminals and laptops keep it; give a second key that is none"
                yield at(action, where, message, warning=True)


def _near(word: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)), "")


def _offer(near: str, known: Iterable[str]) -> str:
    return f"nearest: {near}" if near else f"known: {', '.join(known)}"


def _listed() -> str:
    return " (agentconsole keys lists all)"


def registry_faults() -> list[Fault]:
    """Return what is wrong with the registry: the same rules, on every action."""
    found = list(_together(ACTIONS, {}))
    for action in ACTIONS:
        for where in action.where:
            found += [fault for key in action.keys for fault in _of_key(where, action.name, key) if not fault.warning]
            functions = [key for key in action.keys if re.fullmatch(r"f\d+", key)]
            others = [k for a in ACTIONS if a.name == action.name and where in a.where for k in a.keys]
            if functions and all(re.fullmatch(r"f\d+", key) for key in others):
                found.append(Fault(where, action.name, f"{shown_key(functions[0])} has no twin"))
    return found
