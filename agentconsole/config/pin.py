"""The PIN that opens an agent's blanked console: kept beside the configuration, never as it was typed.

It keeps passers-by from what stands on the screen. Whoever may run programs as the agent needs no PIN: the hub knows
agents by their Unix login alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentconsole.errors import ConfigError

LEAST: Final = 4
MOST: Final = 32
_COST, _BLOCK, _LANES = 2**14, 8, 1
"""Of scrypt (RFC 7914), as its section 2 advises for what a person waits for."""

_SALT_OCTETS = 16
_HASH_OCTETS = 32


def place(environ: Mapping[str, str]) -> Path:
    """Return where the agent's PIN lies, by the XDG rules."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return Path(home) / "agentconsole" / "pin.json"


@dataclass(frozen=True)
class StoredPin:
    salt: bytes
    hashed: bytes

    def opens(self, typed: str) -> bool:
        return hmac.compare_digest(_hash(typed, self.salt), self.hashed)


def at(path: Path) -> StoredPin | None:
    """Return the PIN of a file, or None where none is set.

    Raises:
        ConfigError: the file is there and holds none: it must not open the screen to everybody.
    """
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        return StoredPin(bytes.fromhex(found["salt"]), bytes.fromhex(found["scrypt"]))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} holds no PIN.", "Set it anew with: agentconsole lock set-pin") from error


def keep(path: Path, typed: str) -> None:
    """Keep a PIN, readable by its owner alone.

    Raises:
        ValueError: it is shorter than ``LEAST`` or longer than ``MOST`` characters, or holds what no key types.
    """
    if not LEAST <= len(typed) <= MOST or not typed.isascii() or not typed.isprintable():
        raise ValueError(f"A PIN has {LEAST} to {MOST} digits or letters.")
    salt = secrets.token_bytes(_SALT_OCTETS)
    text = json.dumps({"salt": salt.hex(), "scrypt": _hash(typed, salt).hex()})
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def forget(path: Path) -> bool:
    """Take the PIN away; say whether there was one."""
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def _hash(typed: str, salt: bytes) -> bytes:
    return hashlib.scrypt(typed.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES, dklen=_HASH_OCTETS)
