"""A TOML table into a type, collecting every mistake instead of stopping at the first (msgspec stops)."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from agentconsole.secret import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands as a key path, and what is wrong, without a full stop."""

    path: tuple[str, ...]
    message: str


def convert(
    table: Any, kind: type[T], path: Sequence[str] = (), also: Sequence[str] = ()
) -> tuple[T | None, list[Problem]]:
    """Convert a parsed TOML value.

    Args:
        also: further keys that may stand in the table and were taken out before; offered as nearest keys.
        kind: a msgspec Struct; its fields are the keys. A field of type ``Secret`` takes a reference.
        path: where the table stands, for the problems.

    Returns:
        The value, and no problems; or None and all problems, in the order of the keys.
    """
    problems = _check(table, kind, tuple(path), also)
    if problems:
        return None, problems
    try:
        return msgspec.convert(table, kind, dec_hook=_secret), []
    except msgspec.ValidationError as exc:
        inner, message = _place(str(exc))
        return None, [Problem((*path, *inner), _plain(message))]


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the known word that looks most like ``word``, or an empty text."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), "")


def core_of(kind: Any) -> Any:
    """Return a type without ``Annotated`` and without ``| None``."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        rest = [part for part in get_args(kind) if part is not type(None)]
        if len(rest) == 1:
            return core_of(rest[0])
    return kind


def is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def described(kind: Any) -> str:
    """Return the description of an ``Annotated`` type, or an empty text."""
    if get_origin(kind) is Annotated:
        for extra in get_args(kind)[1:]:
            if isinstance(extra, msgspec.Meta) and extra.description:
                return extra.description
    return ""


def _secret(kind: type, value: object) -> object:
    if kind is Secret:
        return Secret.from_toml(value)
    raise NotImplementedError(f"{kind} has no TOML form")


def _check(value: Any, kind: Any, path: tuple[str, ...], also: Sequence[str] = ()) -> list[Problem]:
    core = core_of(kind)
    if is_struct(core):
        return _check_struct(value, core, path, also)
    parts = get_args(core)
    if get_origin(core) is dict and isinstance(value, Mapping) and is_struct(core_of(parts[1])):
        return [p for key, inner in value.items() for p in _check(inner, parts[1], (*path, str(key)))]
    if get_origin(core) in (list, tuple) and isinstance(value, list) and parts and is_struct(core_of(parts[0])):
        return [p for index, inner in enumerate(value) for p in _check(inner, parts[0], (*path, str(index)))]
    try:
        msgspec.convert(value, kind, dec_hook=_secret)
    except msgspec.ValidationError as exc:
        _, message = _place(str(exc))
        if "matching regex" in message and described(kind):
            return [Problem(path, f'"{value}" does not fit. {described(kind).rstrip(".")}')]
        return [Problem(path, _choices(core, value) or _plain(message))]
    return []


def _check_struct(value: Any, kind: Any, path: tuple[str, ...], also: Sequence[str]) -> list[Problem]:
    if not isinstance(value, Mapping):
        return [Problem(path, f"must be a table, not {_name_of(value)}")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems = []
    for key, inner in value.items():
        field = fields.get(key)
        if field is not None:
            problems += _check(inner, field.type, (*path, key))
            continue
        near = nearest(key, [*fields, *also])
        known = f"nearest: {near}" if near else "known: " + ", ".join(sorted([*fields, *also]))
        problems.append(Problem((*path, key), f"unknown key ({known})"))
    problems += [
        Problem(path, f"the key {field.encode_name} is missing")
        for field in fields.values()
        if field.required and field.encode_name not in value
    ]
    if problems:
        return problems
    try:
        msgspec.convert(value, kind, dec_hook=_secret)
    except msgspec.ValidationError as exc:
        inner, message = _place(str(exc))
        return [Problem((*path, *inner), _plain(message))]
    return []


_PLACE = re.compile(r" - at `\$(.*?)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def _place(message: str) -> tuple[tuple[str, ...], str]:
    match = _PLACE.search(message)
    if match is None:
        return (), message
    steps = tuple(a or b for a, b in _STEP.findall(match[1]))
    return tuple(step for step in steps if step != "..."), message[: match.start()]


_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": 'text in "quotes"',
    "bool": "true or false",
    "array": "a list in [brackets]",
    "object": "a table",
    "datetime": "a date with time",
    "date": "a date",
    "null": "nothing",
}


def _name_of(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case Mapping():
            return "a table"
    return "a date"


def _words(kinds: str) -> str:
    return " or ".join(_NAMES.get(kind.strip(), kind.strip()) for kind in kinds.split("|"))


def _plain(message: str) -> str:
    if match := re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", message):
        return f"must be {_words(match[1])}, not {_words(match[2])}"
    if match := re.fullmatch(r"Expected `[^`]+` (<=|>=|<|>) (\S+)", message):
        sense = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}[match[1]]
        return f"must be {sense} {match[2].removesuffix('.0')}"
    if match := re.fullmatch(r"Expected `str` matching regex '(.*)'", message):
        return f"does not have the right form (pattern {match[1]})"
    return message.rstrip(".")


def _choices(kind: Any, value: object) -> str:
    if get_origin(kind) in (list, tuple) and isinstance(value, list) and get_args(kind):
        inner = core_of(get_args(kind)[0])
        wrong = [word for word in value if _choices(inner, word)]
        return _choices(inner, wrong[0]) if wrong else ""
    if get_origin(kind) is not Literal or value in get_args(kind):
        return ""
    known = [str(choice) for choice in get_args(kind)]
    near = nearest(str(value), known)
    shown = ", ".join(f'"{choice}"' for choice in known)
    return f"must be one of {shown}" + (f" (nearest: {near})" if near else "")
