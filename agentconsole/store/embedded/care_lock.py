"""What reads all of a store and what removes bytes from it exclude each other: ``care.lock`` in the store's folder.

A backup reads files one after another while the hub writes on. That is sound as long as nothing that a file names
is taken away meanwhile (see ``store/care/backup.py``): an erasure between two of its files would leave half a customer
in the copy. A check reads the index for as long, and while somebody reads it, it cannot be written into a new file.
So both hold the lock shared; ``erase``, ``rewrite`` and ``prune`` hold it alone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agentconsole.errors import TryLater

CARE_LOCK: Final = "care.lock"


@contextmanager
def keeping(root: Path) -> Iterator[None]:
    """Hold that nothing is removed from a store while it is copied or checked. Several may.

    Raises:
        TryLater: something is being removed at this moment.
        OSError: the folder refused.
    """
    with _locked(
        root,
        fcntl.LOCK_SH,
        TryLater(
            f"A customer is being erased or an entry taken out of the store {root} at this moment. It was not read.",
            "Try again in a moment.",
        ),
    ):
        yield


@contextmanager
def removing(root: Path) -> Iterator[None]:
    """Hold that nobody copies or checks a store while something is removed from it.

    Raises:
        TryLater: a backup or a check is under way.
        OSError: the folder refused.
    """
    with _locked(
        root,
        fcntl.LOCK_EX,
        TryLater(
            f"The store {root} is being copied or checked, so that nothing may be removed now. Nothing was changed.",
            "Try again when the backup or the check is done.",
        ),
    ):
        yield


@contextmanager
def _locked(root: Path, how: int, busy: TryLater) -> Iterator[None]:
    handle = os.open(root / CARE_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield
    finally:
        os.close(handle)
