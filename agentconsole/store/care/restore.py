"""A backup put back in the place of a store, with what happened since and must not be forgotten.

The new store is built beside the old one (``STORE.restoring``) and exchanged with it by one ``renameat2(2)``: at any
instant a whole store lies in ``STORE``, the old or the new one. What is killed while building is begun again from its
start, because the old store may have gone on since; what is killed after the exchange is finished by the next call. The
file ``restoring.json`` tells which of the two a folder is.

A restored store says so (``Store.origin``): the hub then holds every unfinished reply as ``uncertain``, because what
happened to it after the backup is not known here.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain.model import CustomerId
from agentconsole.errors import StoreBusy, StoreFault, UsageError
from agentconsole.seams import Call, Clock, Randomness, Step, Steps, called
from agentconsole.store.care import manifest
from agentconsole.store.care.layout import RESTORING, Kind, Progress, refuse_root, silent, walk
from agentconsole.store.care.manifest import Kept, Manifest
from agentconsole.store.care.reapply import Reapplied, Reapply
from agentconsole.store.care.writing import NewFiles
from agentconsole.store.embedded import files, place
from agentconsole.store.embedded.files import faults
from agentconsole.store.embedded.lock import HubLock, refuse_network
from agentconsole.store.embedded.migrate import migrate

_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of renameat2(2)."""
_HERE: Final = -100
"""AT_FDCWD."""

KEPT_NAME: Final = ".before-restore-"


class Restored(msgspec.Struct, frozen=True):
    """What a restore did. ``before`` is where the replaced store is kept, empty where there was none; ``damaged`` holds
    what of the backup was not what had been copied."""

    store: str
    backup: str
    began: datetime
    before: str
    customers: int
    entries: int
    reapplied: Reapplied = Reapplied()
    damaged: tuple[tuple[Kept, str], ...] = ()
    finished_only: bool = False


class _Mark(msgspec.Struct, frozen=True):
    """``restoring.json``: what is being put back, and whether the folder may take the store's place."""

    ready: bool
    result: Restored


class BackupDamaged(StoreFault):
    """The backup is not what was copied. ``damaged`` says which files, with the customers whose they are."""

    def __init__(self, folder: Path, damaged: Sequence[tuple[Kept, str]]) -> None:
        customers = sorted({kept.customer for kept, _ in damaged if kept.customer})
        told = f"customers affected: {', '.join(customers[:10])}{' …' if len(customers) > 10 else ''}. " * bool(
            customers
        )
        first, why = damaged[0]
        super().__init__(
            f"The backup {folder} is damaged: {len(damaged)} of its files ({first.path}: {why}); "
            f"{told}Nothing was restored.",
            "Take another backup, or restore what is left of this one with --partial.",
        )
        self.damaged = tuple(damaged)


def restore(
    backup: Path,
    root: Path,
    *,
    clock: Clock,
    random: Randomness,
    steps: Steps,
    ledgers: Sequence[Path] = (),
    partial: bool = False,
    progress: Progress = silent,
) -> Restored:
    """Put a backup in the place of a store. No hub may run.

    Where an earlier restore of the same backup was killed after the exchange, this call only finishes it.

    Args:
        ledgers: folders with ledgers that were kept elsewhere (``ledger/`` of a store that is lost).
        partial: restore what is left of a damaged backup.

    Raises:
        StoreBusy: a hub runs.
        StoreFault: the backup is not whole or was damaged (``BackupDamaged``), or a disk refused. The store is as it
            was.
        UsageError: the place of the store holds something else.
    """
    with faults(f"be restored from {backup}"):
        root = Path(os.path.realpath(root))
        building = root.with_name(f"{root.name}.restoring")
        with _locked(root):
            finished = _finish(root, building, steps)
            if finished is not None and finished.backup == str(backup):
                return finished
            _refuse(backup, root, building)
            found = manifest.read(backup)
            damaged = _verify(backup, found, progress)
            if damaged and not partial:
                raise BackupDamaged(backup, damaged)
            if found.start.format > place.FORMAT:
                raise place.unknown(backup, place.Card(found.start.format, ""))
            before = _free(root.with_name(f"{root.name}{KEPT_NAME}{clock.now():%Y%m%dT%H%M%SZ}"))
            had = (root / place.NAME).exists()
            _refuse_another(found.start.store, root)
            result = Restored(
                *(str(root), str(backup), found.start.began, str(before) if had else ""),
                *(found.whole.customers, found.whole.entries),
                damaged=tuple(damaged),
            )
            try:
                _Building(building, steps, progress).run(backup, found, result, root if had else None, ledgers, random)
                _exchange(root, building, steps)
            except BaseException:
                with suppress(OSError):
                    _remove(building)
                raise
            with faults("put what was replaced away", "The backup is in its place already; restore again to finish."):
                finished = _finish(root, building, steps)
            assert finished is not None
            return msgspec.structs.replace(finished, finished_only=False)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold the folder in which the store lies against another restore, and the store's own lock where there is one."""
    files.make_folder(root.parent)
    handle = os.open(root.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    lock = HubLock(root)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(
                f"Another restore is under way in {root.parent}. Nothing was restored.", "Wait until it is done."
            ) from None
        if root.is_dir():
            refuse_root(root)
            lock.take()
        else:
            refuse_root(root.parent)
        yield
    finally:
        lock.release()
        os.close(handle)


def _refuse(backup: Path, root: Path, building: Path) -> None:
    inner = Path(os.path.realpath(backup))
    if inner.is_relative_to(root) or root.is_relative_to(inner) or inner.is_relative_to(building):
        raise UsageError(
            f"{backup} and the store {root} lie within each other. Nothing was restored.", "Name a folder elsewhere."
        )
    refuse_network(root.parent)
    if os.path.ismount(root):
        raise UsageError(
            f"{root} is where a file system is mounted, so that no other folder can take its place. "
            "Nothing was restored.",
            "Restore into a folder below it (--store), and let the profile name that one.",
        )
    if root.is_dir() and not (root / place.NAME).exists():
        strangers = [name for name in os.listdir(root) if name not in ("hub.lock", "care.lock", "hub.log", "run")]
        if strangers:
            raise UsageError(
                f"{root} is no store: it holds {sorted(strangers)[0]!r}. Nothing was restored.", "Name another folder."
            )
    if building.exists() and any(building.iterdir()) and _mark(building) is None:
        raise UsageError(
            f"{building} is in the way, and no restore made it. Nothing was restored.", "Move it away first."
        )


def _refuse_another(uuid: str, root: Path) -> None:
    """Refuse to replace a store in which other people are: the ledgers of two stores have nothing to say to each other.
    One that was made meanwhile and holds nobody yet may go."""
    with suppress(FileNotFoundError, StoreFault):
        if place.read(root).uuid != uuid and any(one.kind == Kind.HEAD for one in walk(root, "customers")):
            raise UsageError(
                f"The backup is of another store than the one in {root}, which holds customers of its own. "
                "Nothing was restored.",
                f"Name another folder with --store; or move {root} away first, where the backup shall take its place.",
            )


def _verify(backup: Path, found: Manifest, progress: Progress) -> list[tuple[Kept, str]]:
    damaged = []
    for number, kept in enumerate(found.files, 1):
        if why := manifest.differs(backup, kept):
            damaged.append((kept, why))
        if number % 64 == 0 or number == len(found.files):
            progress("verified", number, len(found.files))
    return damaged


class _Building:
    def __init__(self, folder: Path, steps: Steps, progress: Progress) -> None:
        self._folder = folder
        self._steps = steps
        self._progress = progress

    def run(
        self,
        backup: Path,
        found: Manifest,
        result: Restored,
        old: Path | None,
        ledgers: Sequence[Path],
        random: Randomness,
    ) -> None:
        """Build the new store, ready to take its place."""
        folder, steps = self._folder, self._steps
        with steps.durable(Step.RESTORE):
            if folder.exists():
                _remove(folder)
            files.make_folder(folder)
            files.replace_file(folder / RESTORING, msgspec.json.encode(_Mark(False, result)))
        self._copy(backup, found, {kept.path for kept, _ in result.damaged})
        card = place.read(folder)
        migrate(folder, card, steps)
        again = Reapply(folder, old, ledgers, random=random, steps=steps, progress=self._progress).run()
        with steps.durable(Step.RESTORE):
            place.mark_restored(folder)
        ready = _Mark(True, msgspec.structs.replace(result, reapplied=again))
        with steps.durable(Step.RESTORE):
            files.replace_file(folder / RESTORING, msgspec.json.encode(ready))

    def _copy(self, backup: Path, found: Manifest, damaged: Set[str]) -> None:
        new = NewFiles(self._folder, self._steps, Step.RESTORE)
        try:
            for number, kept in enumerate(found.files, 1):
                try:
                    data = (backup / kept.path).read_bytes()
                except OSError:
                    if kept.path in damaged:
                        continue
                    raise
                if kept.path not in damaged and hashlib.sha256(data).hexdigest() != kept.sha256:
                    raise BackupDamaged(backup, [(kept, "it changed while it was read")])
                if new.put(kept.path, data) or number == len(found.files):
                    self._progress("restored", number, len(found.files))
            new.finish()
        finally:
            new.close()


def _free(path: Path) -> Path:
    """Return a name that nothing has yet: two restores may end within one second."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def _remove(folder: Path) -> None:
    """Remove a folder that a restore was building. Its mark goes last: until then it is known for what it is."""
    for item in folder.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        elif item.name != RESTORING:
            item.unlink()
    with suppress(FileNotFoundError):
        (folder / RESTORING).unlink()
    folder.rmdir()


def _mark(folder: Path) -> _Mark | None:
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):
        return msgspec.json.decode((folder / RESTORING).read_bytes(), type=_Mark)
    return None


def _exchange(root: Path, building: Path, steps: Steps) -> None:
    """Let the new store take the old one's place in one step."""
    with steps.durable(Step.RESTORE):
        if not root.exists():
            files.move(building, root)
        else:
            called(Call.RENAME, root)
            swap: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
            if swap is None:
                ctypes.set_errno(errno.ENOSYS)
            if swap is None or swap(_HERE, os.fsencode(building), _HERE, os.fsencode(root), _EXCHANGE) != 0:
                number = ctypes.get_errno()
                if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
                    raise StoreFault(
                        f"The file system of {root} cannot exchange two folders in one step. Nothing was changed.",
                        f"Move {root} away, and restore again with --ledger and the name that it has then.",
                    )
                raise OSError(number, os.strerror(number), str(root))
        files.sync_folder(root.parent)


def _finish(root: Path, building: Path, steps: Steps) -> Restored | None:
    """Finish a restore whose store has taken its place already; None where there is none."""
    mark = _mark(root)
    if mark is None or not mark.ready:
        return None
    if building.exists() and _mark(building) is None:
        target = Path(mark.result.before) if mark.result.before else building
        with steps.durable(Step.RESTORE):
            if mark.result.before:
                files.move(building, target)
            else:
                shutil.rmtree(building)
            files.sync_folder(root.parent)
    with steps.durable(Step.RESTORE):
        files.remove_file(root / RESTORING)
    return msgspec.structs.replace(mark.result, finished_only=True)


def affected(damaged: Sequence[tuple[Kept, str]]) -> list[CustomerId]:
    """Return the customers whose files are damaged."""
    return sorted({CustomerId(kept.customer) for kept, _ in damaged if kept.customer})
