"""Where the configuration lies, and on which line something of it stands."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentconsole.errors import ConfigError

VARIABLE = "AGENTCONSOLE_CONFIG"


def nearest_place(environ: Mapping[str, str]) -> Path:
    """Return the XDG place of the configuration, whether or not it is there."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return Path(home) / "agentconsole" / "config.toml"


def find(asked: str, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file: the one asked for, else the environment's, else the XDG place or ``/etc``.

    Returns None where nobody named one and none lies in its place.

    Raises:
        ConfigError: the named file is not there.
    """
    for named, where in ((asked, "--config"), (environ.get(VARIABLE, ""), f"${VARIABLE}")):
        if named:
            path = Path(named).expanduser()
            if not path.is_file():
                raise ConfigError(
                    f"The configuration {path} ({where}) is not there.",
                    f"Check the path, or make it with: agentconsole init --config {path}",
                )
            return path
    for path in (nearest_place(environ), Path("/etc/agentconsole/config.toml")):
        if path.is_file() and os.access(path, os.R_OK):
            return path
    return None


def lines_of(text: str, paths: Sequence[Sequence[str]]) -> list[int]:
    """Return the line (from 1) on which each key path first stands, 0 where it does not.

    No TOML reader gives lines, so growing prefixes of the text are parsed until the path exists. Only a broken
    configuration pays for that.
    """
    found = [0] * len(paths)
    lines = text.splitlines(keepends=True)
    prefix, start = "", 1
    for number, line in enumerate(lines, 1):
        prefix += line
        try:
            parsed = tomllib.loads(prefix)
        except tomllib.TOMLDecodeError:
            continue
        for index, path in enumerate(paths):
            if not found[index] and _holds(parsed, path):
                found[index] = start
        start = number + 1
        if all(found):
            break
    return found


def _holds(table: Any, path: Sequence[str]) -> bool:
    for key in path:
        if isinstance(table, list) and key.isdigit() and int(key) < len(table):
            table = table[int(key)]
        elif isinstance(table, dict) and key in table:
            table = table[key]
        else:
            return False
    return True
