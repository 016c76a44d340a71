"""Where stores of tests lie."""

from __future__ import annotations

import os
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")


def quick() -> Path | None:
    """Return a folder in memory, where there is one: for tests of many stores that need no slow disk to be true.

    A process that is killed loses nothing that the kernel holds, so that a kill test is as true there.
    """
    return _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
