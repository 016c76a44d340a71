"""The dated data that ships with the program: law profiles and regional shares. A profile may name files of its own."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import TypeVar

import msgspec

from agentconsole.domain.laws import Law
from agentconsole.domain.regions import Share
from agentconsole.errors import ConfigError

T = TypeVar("T")


class Laws(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Law profiles by country (ISO 3166), and when they were looked at last."""

    as_of: str
    laws: dict[str, Law]


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shares: tuple[Share, ...]


def _read(name: str, kind: type[T], instead: Path | None) -> T:
    source = instead if instead is not None else resources.files("agentconsole") / "data" / name
    try:
        return msgspec.convert(tomllib.loads(source.read_text("utf-8")), kind)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(
            f"The data file {instead or name} cannot be used: {error}. Nothing was changed.",
            "Correct it, or leave it out of the profile.",
        ) from error


def laws(instead: Path | None = None) -> Laws:
    """Read the law profiles.

    Args:
        instead: the profile's own file.

    Raises:
        ConfigError: it cannot be read or holds something else.
    """
    return _read("laws.toml", Laws, instead)


def regions(instead: Path | None = None) -> tuple[Share, ...]:
    """Read the regional shares; see ``laws``."""
    return _read("regions.toml", Shares, instead).shares
