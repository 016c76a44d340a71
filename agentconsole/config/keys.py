"""The keys of a table as data: for the wizard, ``agentconsole channels`` and the documentation."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from agentconsole.config.convert import core_of, described, is_struct
from agentconsole.secret import Secret


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table.

    Args:
        path: its name, after the names of the tables that it stands in.
        type: what it takes, in words.
        default: as TOML; None where there is none to write.
        optional: may be left out, by itself or with the table that it stands in.
        choices: the texts it may be, where it is a choice.
    """

    path: tuple[str, ...]
    type: str
    default: str | None
    optional: bool
    description: str
    secret: bool = False
    choices: tuple[str, ...] = ()


def keys(kind: type[Any], leave_out: frozenset[str] = frozenset()) -> list[Key]:
    """Return the keys of a struct, those of inner tables after their table's name."""
    return list(_keys(kind, (), leave_out, inside_optional=False))


def _keys(kind: type[Any], path: tuple[str, ...], leave_out: frozenset[str], *, inside_optional: bool) -> Iterator[Key]:
    for field in msgspec.structs.fields(kind):
        if field.encode_name in leave_out:
            continue
        core = core_of(field.type)
        here = (*path, field.encode_name)
        if is_struct(core):
            yield from _keys(core, here, frozenset(), inside_optional=inside_optional or not field.required)
            continue
        yield Key(
            path=here,
            type=type_name(field.type),
            default=_default(field),
            optional=not field.required or inside_optional,
            description=described(field.type),
            secret=core is Secret,
            choices=tuple(str(c) for c in get_args(core)) if get_origin(core) is Literal else (),
        )


def type_name(kind: Any) -> str:
    """Return what a key takes, in words."""
    kind = core_of(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Secret:
        return 'secret: { env = "…" }, { file = "…" }, { command = […] } or { credential = "…" }'
    if origin is Literal:
        return "one of " + ", ".join(to_toml(part) for part in parts)
    if origin in (list, tuple):
        return f"list of {type_name(parts[0])}"
    if origin is dict:
        return f"table of {type_name(parts[1])}"
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(part) for part in parts if part is not type(None))
    if origin is Annotated:
        return type_name(parts[0])
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(kind, "table" if is_struct(kind) else getattr(kind, "__name__", str(kind)))


def _default(field: msgspec.structs.FieldInfo) -> str | None:
    if field.default is not msgspec.NODEFAULT:
        return to_toml(field.default) if field.default is not None else None
    if field.default_factory is not msgspec.NODEFAULT:
        return to_toml(field.default_factory())
    return None


def to_toml(value: Any) -> str:
    """Return a plain value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list() | tuple():
            return "[" + ", ".join(to_toml(part) for part in value) + "]"
        case dict():
            return "{ " + ", ".join(f"{key} = {to_toml(part)}" for key, part in value.items()) + " }" if value else "{}"
        case float() if value == int(value):
            return str(int(value))
    return str(value)
