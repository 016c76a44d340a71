"""What one life of a hub is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Life:
    """What one life of a hub is told; everything here crosses to another process.

    Args:
        accounts: the tables of the profile's channels, as TOML would give them.
        secrets: environment variables that those name.
        abort: see ``AGENTCONSOLE_ABORT``; empty: it lives.
        armed: borders count only once this file is there.
        traced: it waits until strace has attached.
        plant: a function here that makes this hub bypass the seam.
        seal: after how many entries older ones are sealed; small, so that a short script meets it.
    """

    folder: Path
    accounts: dict[str, dict[str, Any]]
    secrets: dict[str, str] = field(default_factory=dict)
    port: int = 0
    abort: str = ""
    armed: str = ""
    traced: bool = False
    plant: str = ""
    seal: int = 6

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def socket(self) -> Path:
        return self.folder / "hub.sock"

    @property
    def tally(self) -> Path:
        return self.folder / "tally"
