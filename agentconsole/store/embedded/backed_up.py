"""When a store was last backed up. A hint for people, so that nobody finds out on the day of the loss."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

BACKED_UP: Final = "backed-up"
"""An empty file whose time says it; no backup holds it, so a restored store has none of its own yet."""


def remember(root: Path, at: datetime) -> None:
    """Keep when a backup of a store was done. Where the store may only be read, nobody is told."""
    with contextlib.suppress(OSError):
        mark = root / BACKED_UP
        mark.unlink(missing_ok=True)
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.utime(mark, (at.timestamp(), at.timestamp()))


def last(root: Path) -> datetime | None:
    """Return when a store was last backed up; None where it never was, as far as it knows."""
    try:
        return datetime.fromtimestamp((root / BACKED_UP).stat().st_mtime, UTC)
    except OSError:
        return None
