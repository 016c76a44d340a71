"""Short-lived folders for tests that kill processes: in memory where it can be, because only the process dies there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def quick_folder(prefix: str) -> Iterator[Path]:
    """Lend a folder with a short path (a socket's path ends at 107 bytes) and remove it afterwards."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
