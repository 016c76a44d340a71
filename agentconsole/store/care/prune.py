"""What care itself left behind and nobody needs any more: replaced stores, damaged files put aside, broken-off copies.

Nothing that a customer's record needs is ever among it: only files and folders that bear the names of such leftovers,
and batches in which nothing can be read. One that was set aside and is whole holds messages that are nowhere else.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from agentconsole.errors import StoreBusy
from agentconsole.seams import Step, Steps
from agentconsole.store.care import sound
from agentconsole.store.care.backup import identity
from agentconsole.store.care.layout import RESTORING, Kind, Place, place, walk
from agentconsole.store.care.restore import KEPT_NAME
from agentconsole.store.embedded import files
from agentconsole.store.embedded.care_lock import removing
from agentconsole.store.embedded.files import faults
from agentconsole.store.embedded.lock import HubLock
from agentconsole.store.embedded.place import NAME as CARD


class Removable(msgspec.Struct, frozen=True):
    """Something that may go: a file or a folder, what it is, its size in bytes, and how old it is."""

    path: str
    what: str
    size: int
    since: datetime


def removable(root: Path, older_than: timedelta, now: datetime) -> list[Removable]:
    """Return what may go, oldest first. Damaged batches are among it only while no hub runs, which may move them.

    Raises:
        NotFound: there is no store.
    """
    identity(root)
    root = Path(os.path.realpath(root))
    with faults(f"be looked through ({root})"):
        found = [one for one in (*_stores(root), *_files(root, aside=not _runs(root))) if one.since <= now - older_than]
    return sorted(found, key=lambda one: one.since)


def prune(root: Path, found: list[Removable], steps: Steps) -> None:
    """Remove what ``removable`` returned.

    Raises:
        TryLater: a backup is under way.
    """
    with faults(f"remove what is old in {root}"), removing(Path(os.path.realpath(root))):
        for one in found:
            path = Path(one.path)
            with steps.durable(Step.PRUNE):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                    files.sync_folder(path.parent)
                else:
                    files.remove_file(path)


def _runs(root: Path) -> bool:
    lock = HubLock(root)
    try:
        lock.take()
    except StoreBusy:
        return True
    lock.release()
    return False


def _stores(root: Path) -> Iterator[Removable]:
    """Yield the stores that a restore replaced, and what a restore that was broken off left."""
    for path in sorted(root.parent.glob(f"{root.name}.*")):
        if not path.is_dir() or path.is_symlink():
            continue
        if path.name.startswith(root.name + KEPT_NAME) and (path / CARD).exists():
            yield _removable(path, "a store that a restore replaced")
        elif path.name == f"{root.name}.restoring" and (path / RESTORING).exists():
            yield _removable(path, "a restore that was broken off")


def _files(root: Path, *, aside: bool) -> Iterator[Removable]:
    for one in walk(root):
        path = root / one.path
        try:
            if one.kind == Kind.KEPT and ".damaged" in path.name:
                yield _removable(path, "a damaged file that was put aside")
            elif one.kind == Kind.LEFTOVER and not one.path.startswith("run/"):
                yield _removable(path, "a write that was cut short")
            elif aside and one.path.startswith("spool/aside/") and _illegible(root, one):
                yield _removable(path, "a batch that cannot be read")
        except FileNotFoundError:
            continue


def _illegible(root: Path, one: Place) -> bool:
    """Say whether a file is of a batch that cannot be read, or that is gone: the batch itself, or the reason."""
    batch = place(one.path.removesuffix(".why") + ".batch" * one.path.endswith(".why"))
    try:
        return batch.kind == Kind.BATCH and bool(sound.reason(batch, (root / batch.path).read_bytes()))
    except FileNotFoundError:
        return one.kind == Kind.REASON


def _removable(path: Path, what: str) -> Removable:
    found = path.stat()
    size = found.st_size
    if path.is_dir():
        size = sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file() and not inner.is_symlink())
        newest = found.st_ctime
    else:
        newest = max(found.st_mtime, found.st_ctime)
    return Removable(str(path), what, size, datetime.fromtimestamp(newest, UTC))
