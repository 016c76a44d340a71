"""Secrets by reference: where a password lies, never the password itself.

A secret is read when a connection needs it, so that a changed file or a rotated command answer is taken up by
the next sign-in. It never appears in ``repr``, in a traceback or on the wire.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agentconsole.errors import ConfigError

SOURCES: Final = ("env", "file", "command", "credential")
COMMAND_DEADLINE: Final = 20.0
"""Seconds that a ``command`` may take: long enough for a passphrase agent, short enough to notice a hang."""


class Secret:
    """A reference such as ``{ env = "MAIL_PASSWORD" }``.

    Args:
        source: one of ``SOURCES``.
        value: a variable name, a path, the argument list of a command, or the name of a systemd credential.
    """

    __slots__ = ("_source", "_value")

    def __init__(self, source: str, value: str | list[str]) -> None:
        self._source = source
        self._value = value

    @classmethod
    def from_toml(cls, value: object) -> Secret:
        """Read a reference from its TOML table.

        Raises:
            ValueError: it is a literal, or not exactly one known source.
        """
        if isinstance(value, str):
            raise ValueError('a secret must not stand here in clear; write { env = "NAME" } or { file = "PATH" }')
        if not isinstance(value, Mapping) or len(value) != 1:
            raise ValueError("a secret is a table with one of: " + ", ".join(SOURCES))
        ((source, where),) = value.items()
        if source == "command":
            if not isinstance(where, list) or not where or not all(isinstance(part, str) for part in where):
                raise ValueError('command is a list of words, e.g. ["pass", "show", "mail"]')
        elif source not in SOURCES or not isinstance(where, str) or not where:
            raise ValueError("a secret is a table with one of: " + ", ".join(SOURCES))
        return cls(source, where)

    def describe(self) -> str:
        """Return where the secret lies, for ``config show`` and errors."""
        return f"{self._source} {self._value if isinstance(self._value, str) else ' '.join(self._value)}"

    def reveal(self) -> str:
        """Read the secret. Blocks: call it on a worker thread.

        Raises:
            ConfigError: the source is missing, unreadable or open to others.
        """
        match self._source, self._value:
            case "env", str(name):
                found = os.environ.get(name)
                if found is None:
                    raise ConfigError(f"The variable {name}, which holds a secret, is not set.", f"Set {name}.")
                return found
            case "file", str(path):
                return _read_private(Path(path).expanduser())
            case "credential", str(name):
                folder = os.environ.get("CREDENTIALS_DIRECTORY")
                if not folder:
                    raise ConfigError(f"The systemd credential {name} is not there.", "Run under the shipped unit.")
                return (Path(folder) / name).read_text(encoding="utf-8").rstrip("\n")
            case "command", list(words):
                return _ask(words)
        raise ConfigError("A secret has no usable source.", "Use one of: " + ", ".join(SOURCES))

    def __repr__(self) -> str:
        return f"Secret({self.describe()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._source, self._value) == (other._source, other._value)

    def __hash__(self) -> int:
        return hash((self._source, str(self._value)))


def _read_private(path: Path) -> str:
    try:
        found = path.stat()
    except OSError as exc:
        raise ConfigError(f"The secret file {path} cannot be read: {exc.strerror}.", "Check the path.") from exc
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(f"The secret file {path} can be read by others.", f"Run: chmod 600 {path}")
    if found.st_uid != os.geteuid():
        raise ConfigError(f"The secret file {path} belongs to another account.", f"Run: chown $USER {path}")
    return path.read_text(encoding="utf-8").rstrip("\n")


def _ask(words: list[str]) -> str:
    try:
        done = subprocess.run(
            words, check=True, capture_output=True, text=True, timeout=COMMAND_DEADLINE, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise ConfigError(
            f"The command that prints a secret failed: {words[0]} ({type(exc).__name__}).", "Run it by hand."
        ) from exc
    return done.stdout.rstrip("\n")
