"""A consistent copy of a store while its hub writes on.

Every file of a store but the line-by-line ones is only ever replaced by a rename, so a file that was opened is read
whole, as it was at one instant. What is left is the order in which files are read. An arrow means "read before":

* cursors → batches. A cursor moves on when its batch was filed or set aside. Read afterwards, it could speak of a batch
  that the copy saw neither in the spool nor in a head; read before, it is at worst old, and what the provider tells
  again is known by its id.
* waiting batches → those set aside → heads. A batch leaves the spool when it was set aside, and leaves the store when
  everything in it was filed: whoever moves on is found in the next place.
* of the waiting batches only those whose number is not higher than the highest of an earlier look. A folder that is
  read while names are added may show the later of two and not the earlier; a second look shows all that were there at
  the first. A later batch with its later cursor would hide the one that was missed.
* head → the volumes that it lists → blobs. Volumes are sealed before the head that lists them and never change; a blob
  is written before the entry that names it. Both are only taken away by ``erase``, ``rewrite`` and ``prune``, which
  ``care.lock`` keeps out.
* heads → ledgers. A consent that is newer than the head of its customer is in the ledger, and a restore adds it; what
  was erased before the copy began is in it too.
* drafts and the audit trail depend on nothing.

Records are independent: what joins two of them is an entry in one (``Merged``), so each may be of another instant.
Heads that appeared while others were read are looked for once more, so that an edge rarely leads out of the copy; one
that does is ignored by the index.

The index and full text are derived and not copied. Nothing is linked: a copy that shared blocks with the store would
share their damage too, and files that are appended to would go on growing in it.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain.model import CustomerId
from agentconsole.errors import NotFound, StoreFault, UsageError
from agentconsole.seams import Clock, Step, Steps
from agentconsole.store.care import manifest, sound
from agentconsole.store.care.layout import NOT_COPIED, Kind, Place, Progress, place, refuse_root, silent, walk
from agentconsole.store.care.manifest import Kept
from agentconsole.store.care.writing import NewFiles
from agentconsole.store.embedded import backed_up, files
from agentconsole.store.embedded.care_lock import keeping
from agentconsole.store.embedded.files import Documents, faults
from agentconsole.store.embedded.head import volumes

_LOOKS: Final = 3
"""How often a head is read again where a volume is not the one that it lists."""

_LAST: Final = ("drafts", "audit", "ledger", "keys")


class Copied(msgspec.Struct, frozen=True):
    """What a backup copied. ``size`` is in bytes; ``damaged`` holds what was damaged in the store already."""

    folder: str
    store: str
    began: datetime
    ended: datetime
    files: int
    size: int
    customers: int
    entries: int
    damaged: tuple[Kept, ...] = ()


def identity(root: Path) -> tuple[str, int]:
    """Return a store's uuid and format.

    Raises:
        NotFound: there is no store.
        StoreFault: ``store.toml`` cannot be read.
        UsageError: it is somebody else's.
    """
    try:
        refuse_root(root)
        found = tomllib.loads((root / "store.toml").read_text("utf-8"))
        return str(found["uuid"]), int(found["format"])
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(
            f"There is no store in {root}. Nothing was done.", "Name its folder, or start the hub once."
        ) from None
    except PermissionError:
        raise UsageError(
            f"This account may not read the store {root}. Nothing was done.", "Type it as the account of its hub."
        ) from None
    except (ValueError, KeyError) as error:
        raise StoreFault(
            f"{root / 'store.toml'} cannot be read ({error}). Nothing was done.", "Put it back from a backup."
        ) from error


def backup(root: Path, target: Path, *, clock: Clock, steps: Steps, progress: Progress = silent) -> Copied:
    """Copy a store into an empty or new folder, while a hub may be writing to it.

    Raises:
        UsageError: the folder is not empty, or lies within the store.
        NotFound: there is no store.
        TryLater: a customer is being erased at this moment.
        StoreFault: a disk refused; the folder holds no manifest and may be removed.
    """
    store, form = identity(root)
    with faults(f"be copied to {target}"):
        _refuse(root, target)
        with keeping(root):
            return _Backup(root, target, steps, progress).run(store, form, clock)


def remember(root: Path, copied: Copied) -> None:
    """Keep in a store when it was backed up."""
    backed_up.remember(root, copied.began)


def _refuse(root: Path, target: Path) -> None:
    inner, outer = Path(os.path.realpath(target)), Path(os.path.realpath(root))
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UsageError(
            f"{target} and the store {root} lie within each other. Nothing was copied.", "Name a folder elsewhere."
        )
    if target.is_dir() and any(target.iterdir()):
        unfinished = not (target / manifest.NAME).exists() and (target / f"{manifest.NAME}.tmp").exists()
        raise UsageError(
            f"{target} is not empty{': it holds a backup that was broken off' if unfinished else ''}. "
            "Nothing was copied.",
            f"Remove it (rm -r {target}), or name a new folder." if unfinished else "Name a new folder.",
        )


class _Backup:
    def __init__(self, root: Path, target: Path, steps: Steps, progress: Progress) -> None:
        self._root = root
        self._target = target
        self._steps = steps
        self._progress = progress
        self._new = NewFiles(target, steps, Step.BACKUP)
        self._done = self._of = self._size = self._entries = 0
        self._customers: set[CustomerId] = set()
        self._damaged: list[Kept] = []
        self._manifest: manifest.Writer

    def run(self, store: str, form: int, clock: Clock) -> Copied:
        began = clock.now()
        with self._steps.durable(Step.BACKUP):
            files.make_folder(self._target)
            os.chmod(self._target, 0o700)
            self._manifest = manifest.Writer(
                self._target, manifest.Start(version=manifest.VERSION, store=store, format=form, began=began)
            )
        try:
            self._of = sum(1 for found in walk(self._root) if found.kind not in (*NOT_COPIED, Kind.PREVIOUS))
            self._copy_all()
            self._new.finish()
            ended = clock.now()
            with self._steps.durable(Step.BACKUP):
                self._manifest.finish(ended, self._done, self._size, len(self._customers), self._entries)
            return Copied(
                *(str(self._target), store, began, ended, self._done, self._size, len(self._customers), self._entries),
                tuple(self._damaged),
            )
        finally:
            self._new.close()
            self._manifest.close()

    def _copy_all(self) -> None:
        self._copy([place("store.toml")])
        self._copy(walk(self._root, "spool/cursors"))
        waiting = self._names("spool")
        if waiting:
            self._copy(place(f"spool/{name}") for name in self._names("spool") if name <= waiting[-1])
        self._copy(walk(self._root, "spool/aside"))
        self._copy_customers()
        self._copy_customers()
        self._copy(walk(self._root, "blobs"))
        for folder in _LAST:
            self._copy(walk(self._root, folder))
        known = {"spool", "customers", "blobs", *_LAST}
        for name in sorted(os.listdir(self._root)):
            if name in known or name == "store.toml":
                continue
            found = walk(self._root, name) if (self._root / name).is_dir() else [place(name)]
            self._copy(one for one in found if (self._root / one.path).is_file())

    def _names(self, folder: str) -> list[str]:
        """Return the batches of a folder, in the order of their numbers."""
        with suppress(FileNotFoundError):
            return sorted(name for name in os.listdir(self._root / folder) if name.endswith(".batch"))
        return []

    def _copy(self, places: Iterable[Place]) -> None:
        for one in places:
            if one.kind in NOT_COPIED or self._copied(one.path):
                continue
            if not one.path.isprintable():
                self._damaged.append(Kept(ascii(one.path)[1:-1], 0, "", "", "a name that no store gives: not copied"))
                continue
            data, why = self._read(one)
            if why:
                self._damaged.append(Kept(one.path, 0, "", one.customer, why))
            if data is None:
                continue
            if one.kind in (Kind.AUDIT, Kind.LEDGER):
                data = data[: data.rfind(b"\n") + 1]
            self._put(one, data, sound.reason(one, data))

    def _copied(self, path: str) -> bool:
        return os.path.lexists(self._target / path)

    def _read(self, one: Place) -> tuple[bytes | None, str]:
        """Read a file by one handle, so that it is of one instant; say why where it cannot be read."""
        try:
            return (self._root / one.path).read_bytes(), ""
        except FileNotFoundError:
            return None, ""
        except OSError as error:
            return None, files.lost(error)

    # -- customers -----------------------------------------------------------------------------------------

    def _copy_customers(self) -> None:
        """Copy all records that are not copied yet."""
        with suppress(FileNotFoundError):
            for shard in sorted(os.listdir(self._root / "customers")):
                below = f"customers/{shard}"
                found: dict[CustomerId, list[Place]] = {}
                for one in walk(self._root, below):
                    found.setdefault(one.customer, []).append(one)
                self._copy(found.pop(CustomerId(""), []))
                for customer, places in found.items():
                    if customer not in self._customers:
                        self._copy_customer(customer, f"{below}/{customer}", places)

    def _copy_customer(self, customer: CustomerId, stem: str, places: list[Place]) -> None:
        if not any(one.kind in (Kind.HEAD, Kind.PREVIOUS) for one in places):
            if all(one.kind == Kind.VOLUME for one in places):
                return  # sealed for a head that is not there yet: a new record, found by the next look
            self._copy(one for one in places if one.kind == Kind.KEPT)
            return
        self._customers.add(customer)
        why = ""
        for _ in range(_LOOKS):
            head, why = self._read(place(f"{stem}.json"))
            why = why or "it is gone" if head is None else sound.reason(place(f"{stem}.json"), head)
            if head is None or why:
                break
            sealed, why, count = self._volumes(stem, head)
            if not why:
                for one, data in sealed:
                    self._put(one, data, "")
                self._put(place(f"{stem}.json"), head, "")
                self._entries += count
                self._copy(one for one in places if one.kind in (Kind.KEPT, Kind.JOURNAL))
                return
        for one in self._all_of(customer, stem):
            found, reason = self._read(one)
            if found is not None:
                self._put(one, found, why if one.kind == Kind.HEAD else sound.reason(one, found))
            elif reason and one.kind != Kind.HEAD:
                self._damaged.append(Kept(one.path, 0, "", customer, reason))
        if not self._copied(f"{stem}.json"):
            self._damaged.append(Kept(f"{stem}.json", 0, "", customer, why))

    def _all_of(self, customer: CustomerId, stem: str) -> Iterator[Place]:
        return (one for one in walk(self._root, stem.rpartition("/")[0]) if one.customer == customer)

    def _volumes(self, stem: str, head: bytes) -> tuple[list[tuple[Place, bytes]], str, int]:
        """Read the volumes that a head lists; say what is wrong with one, and how many entries there are in all."""
        documents = Documents(files.decoded(head)[0])
        found: list[tuple[Place, bytes]] = []
        count = len(documents.named("entries"))
        for volume in volumes(documents):
            one = place(f"{stem}.m{volume.number:05}.json")
            data, why = self._read(one)
            if data is None:
                return [], f"volume {volume.number}: {why}" if why else f"volume {volume.number} is gone", 0
            if len(data) != volume.size or zlib.crc32(data) != volume.crc32:
                return [], f"volume {volume.number} is not the one that was sealed", 0
            found.append((one, data))
            count += volume.count
        return found, "", count

    # -- writing -------------------------------------------------------------------------------------------

    def _put(self, one: Place, data: bytes, why: str) -> None:
        durable = self._new.put(one.path, data)
        kept = Kept(one.path, len(data), hashlib.sha256(data).hexdigest(), one.customer, why)
        self._manifest.add(kept)
        if why:
            self._damaged.append(kept)
        self._done += 1
        self._size += len(data)
        if durable:
            self._progress("copied", self._done, max(self._of, self._done))
