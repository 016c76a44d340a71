"""Whether a derived SQLite file still is the one that was closed: its checksum, in a file beside it.

SQLite's own checks do not see a page that changed and still makes sense. A file that was not closed has none, and
``quick_check`` alone judges it; a large one neither, because a start must not read all of it.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from pathlib import Path

from agentconsole.store.embedded.schema import SMALL


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".sum")


def _of(path: Path) -> str:
    data = path.read_bytes()
    return f"{len(data)} {zlib.crc32(data)}\n"


def keep(path: Path) -> None:
    """Remember a file that was closed just now. Where the disk refuses, the next start looks without it."""
    with suppress(OSError):
        if path.stat().st_size <= SMALL:
            _beside(path).touch(mode=0o600)
            _beside(path).write_text(_of(path), "ascii")


def differs(path: Path) -> bool:
    """Say whether a file is not the one that was closed; from now on it may change."""
    known = ""
    with suppress(OSError, UnicodeDecodeError):
        known = _beside(path).read_text("ascii")
        _beside(path).write_text("", "ascii")
    return known != "" and path.stat().st_size <= SMALL and known != _of(path)
