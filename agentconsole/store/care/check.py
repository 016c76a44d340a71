"""Every file of a store, read and compared with what it should be. Nothing is written.

A hub may run: files are replaced and rows change while they are compared. So whatever looks wrong is looked at again,
and only what is still wrong, unchanged, is told.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain import history
from agentconsole.domain.model import BlobId, CustomerId
from agentconsole.errors import StoreFault, TryLater
from agentconsole.store import codec, erasure
from agentconsole.store.care import sound
from agentconsole.store.care.backup import identity
from agentconsole.store.care.check_index import compared
from agentconsole.store.care.layout import Kind, Place, Progress, place, silent, walk
from agentconsole.store.embedded import files
from agentconsole.store.embedded import place as where
from agentconsole.store.embedded.accepting import as_it_is
from agentconsole.store.embedded.care_lock import keeping
from agentconsole.store.embedded.files import Damaged, Documents, faults
from agentconsole.store.embedded.head import Head, shard, volumes

_LOOKS: Final = 4
_PAUSE: Final = 0.05
"""Seconds between two looks: longer than a change of one customer takes."""
_ERASED_WITHIN: Final = 600
"""Looks that an erasure is waited for."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it should be: where, whose, what, and what to type or do. ``harm`` is empty where
    nothing is lost by it (a leftover)."""

    path: str
    what: str
    do: str
    customer: CustomerId = CustomerId("")
    harm: bool = True


class Checked(msgspec.Struct, frozen=True):
    findings: tuple[Finding, ...]
    files: int
    customers: int
    entries: int


Report = Callable[[Finding], None]


def check(root: Path, *, files_only: bool = False, progress: Progress = silent) -> Checked:
    """Look through a store.

    Args:
        files_only: leave out the index and full text, which can be built anew at any time.

    Raises:
        NotFound: there is no store.
        TryLater: something is being removed from it, and does not end.
        StoreFault: a folder of it cannot be read.
    """
    with faults(f"be looked through ({root})"):
        return _Check(root, progress).run(files_only)


class _Check:
    def __init__(self, root: Path, progress: Progress) -> None:
        self._root = root
        self._progress = progress
        self._findings: list[Finding] = []
        self._entries = 0
        self._customers = 0
        self._files = 0

    def run(self, files_only: bool) -> Checked:
        self._identity()
        everything = sorted(walk(self._root), key=lambda one: one.kind == Kind.BLOB)
        self._of = len(everything)
        heads: dict[CustomerId, list[Place]] = {}
        for one in everything:
            if one.kind in (Kind.HEAD, Kind.PREVIOUS, Kind.VOLUME):
                heads.setdefault(one.customer, []).append(one)
            else:
                self._count()
                self._file(one)
        for customer, places in sorted(heads.items()):
            self._customers += 1
            self._count(len(places))
            self._customer(customer, places)
        if not files_only:
            with ExitStack() as held:
                self._hold(held)
                for path, what, customer in compared(self._root, self._progress):
                    do = self._accept(customer) if place(path).kind == Kind.HEAD else _REBUILD
                    self._tell(Finding(path, what, do, customer))
        self._progress("checked", self._of, self._of)
        return Checked(tuple(self._findings), self._files, self._customers, self._entries)

    def _hold(self, held: ExitStack) -> None:
        """Wait for an erasure that is under way, and keep others off while the index is read."""
        for left in reversed(range(_ERASED_WITHIN)):
            try:
                held.enter_context(keeping(self._root))
                return
            except TryLater:
                if not left:
                    raise
                time.sleep(_PAUSE)
            except OSError:
                return  # a disk that only lets itself be read: nothing can be removed from it either

    def _count(self, number: int = 1) -> None:
        self._files += number
        if self._files % 100 < number:
            self._progress("checked", self._files, self._of)

    def _tell(self, finding: Finding) -> None:
        self._findings.append(finding)

    def _identity(self) -> None:
        try:
            identity(self._root)
        except StoreFault as fault:
            self._tell(Finding("store.toml", fault.message, "Put it back from a backup."))
            return
        try:
            card = where.read(self._root)
            if card.inodes and not card.origin and where.origin(self._root, card):
                self._tell(
                    Finding(
                        "store.toml",
                        "its mark is not of this place: the folder was copied here, or the file was changed",
                        "Nothing: the next hub holds unfinished replies as uncertain, and marks it anew.",
                        harm=False,
                    )
                )
        except (StoreFault, FileNotFoundError):
            return  # told by the file's own check

    # -- single files --------------------------------------------------------------------------------------

    def _file(self, one: Place) -> None:
        match one.kind:
            case Kind.DERIVED | Kind.RUNTIME:
                return
            case Kind.LEFTOVER:
                if self._lasts(lambda: "x" if os.path.lexists(self._root / one.path) else ""):
                    self._tell(Finding(one.path, "a write that a crash cut short left it", _REMOVE, harm=False))
                return
            case Kind.KEPT:
                self._tell(
                    Finding(one.path, "a damaged file that was put aside", _LOOK, one.customer or _none(), harm=False)
                )
                return
            case Kind.OTHER:
                self._tell(Finding(one.path, "no file of a store", "Move it elsewhere.", harm=False))
                return
            case Kind.JOURNAL:
                self._tell(
                    Finding(
                        one.path, "an erasure was cut short", "Start the hub: it finishes it.", one.customer, harm=False
                    )
                )
        why = self._lasts(lambda: self._reason(one))
        if why:
            do = _GIVE_BACK if why == _NOT_OURS else _WHAT_TO_DO.get(one.kind, _LOOK)
            self._tell(Finding(one.path, why, do, one.customer))

    def _reason(self, one: Place) -> str:
        data, why = self._read(one)
        return sound.reason(one, data) if data is not None else why

    def _read(self, one: Place) -> tuple[bytes | None, str]:
        """Return a file's bytes, or why there are none; nothing is wrong with one that is gone."""
        try:
            return (self._root / one.path).read_bytes(), ""
        except FileNotFoundError:
            return None, ""
        except PermissionError:
            return None, _NOT_OURS
        except OSError as error:
            return None, files.lost(error)

    def _lasts(self, look: Callable[[], str]) -> str:
        """Say what is wrong where every look says so."""
        why = look()
        for _ in range(_LOOKS - 1):
            if not why:
                return ""
            time.sleep(_PAUSE)
            why = look()
        return why

    # -- customers -----------------------------------------------------------------------------------------

    def _customer(self, customer: CustomerId, places: list[Place]) -> None:
        found: list[tuple[str, str]] = []

        def look() -> str:
            found[:] = self._judge(customer)
            return "x" if found else ""

        if self._lasts(look):
            head = any(path.endswith(f"/{customer}.json") for path, _ in found)
            for path, what in found:
                kind = place(path).kind
                if kind == Kind.VOLUME and what == _UNLISTED:
                    self._tell(Finding(path, what, _REMOVE, customer, harm=False))
                elif kind == Kind.PREVIOUS and not head:
                    self._tell(Finding(path, f"the generation before: {what}", _NEXT, customer))
                else:
                    do = _GIVE_BACK if what == _NOT_OURS else self._accept(customer)
                    self._tell(Finding(path, what, do, customer))

    def _accept(self, customer: CustomerId) -> str:
        head = self._root / "customers" / shard(customer) / f"{customer}.json.prev"
        one = place(str(head.relative_to(self._root)))
        data, _ = self._read(one)
        readable = as_it_is(self._root / "customers" / shard(customer) / f"{customer}.json", customer)
        if data is not None and not sound.reason(one, data):
            return f"agentconsole store accept {customer} --previous (the generation before)" + (
                "" if readable is None else ", or without --previous (what can be read)"
            )
        if readable is None:
            return f"Nothing of it can be read: restore a backup, or agentconsole customer erase {customer}"
        return f"agentconsole store accept {customer} (what can be read), or restore a backup"

    def _judge(self, customer: CustomerId) -> list[tuple[str, str]]:
        """Return what is wrong with a record: head, generation before, volumes, snapshot, blobs."""
        stem = f"customers/{shard(customer)}/{customer}"
        head = place(f"{stem}.json")
        before = place(f"{stem}.json.prev")
        data, why = self._read(head)
        if data is None:
            if not why and self._read(before) == (None, "") and not self._has_volumes(customer):
                return []
            return [(head.path, why or "it is gone")]
        found = []
        if why := self._reason(before):
            found.append((before.path, why))
        if why := sound.reason(head, data):
            return [(head.path, why), *found]
        return [*self._judge_head(customer, stem, data), *found]

    def _has_volumes(self, customer: CustomerId) -> bool:
        return any((self._root / "customers" / shard(customer)).glob(f"{customer}.m*.json"))

    def _judge_head(self, customer: CustomerId, stem: str, data: bytes) -> Iterator[tuple[str, str]]:
        tables, _ = files.decoded(data)
        documents = Documents(tables)
        listed = {f"{stem}.m{volume.number:05}.json" for volume in volumes(documents)}
        for path in sorted((self._root / "customers" / shard(customer)).glob(f"{customer}.m*.json")):
            name = str(path.relative_to(self._root))
            if name not in listed:
                yield name, _UNLISTED
        try:
            head = Head(self._root / f"{stem}.json", customer, documents, None)
            entries = [entry for _, entry in head.entries()]
        except OSError as error:
            yield f"{stem}.{Path(error.filename).name.partition('.')[2]}", files.lost(error)
            return
        except Damaged as why:
            number = next((v.number for v in volumes(documents) if f"volume {v.number} " in f"{why.reason} "), 0)
            yield (f"{stem}.m{number:05}.json" if number else f"{stem}.json"), why.reason
            return
        self._entries += len(entries)
        if len({entry.id for entry in entries}) != len(entries):
            yield f"{stem}.json", "an entry is there twice"
        stored = codec.snapshot(tables["card"]["snapshot"]["snapshot"])
        if stored.version == history.FOLD_VERSION and history.fold(customer, entries) != stored:
            yield f"{stem}.json", "what it says of the customer is not what its entries make"
        for blob in sorted(erasure.blobs_of(entries)):
            if not self._has_blob(customer, blob):
                yield f"blobs/{shard(customer)}/{customer}/{blob}", "a file that an entry names is gone"

    def _has_blob(self, customer: CustomerId, blob: BlobId) -> bool:
        return (self._root / "blobs" / shard(customer) / customer / blob).exists()


def _none() -> CustomerId:
    return CustomerId("")


_NOT_OURS: Final = "this account may not read it"
_GIVE_BACK: Final = "Type this as the hub's account; where you did, give the file back to it (chown, chmod 600)."
_UNLISTED: Final = "a volume that the customer's file does not list"
_REMOVE: Final = "Nothing: it is written over or removed by itself."
_NEXT: Final = "Nothing: the file itself is whole, and the next change writes another generation."
_REBUILD: Final = "agentconsole stop; agentconsole store rebuild"
_LOOK: Final = "Look at it, then: agentconsole store prune --older-than 30"
_WHAT_TO_DO: Final = {
    Kind.BATCH: "Start the hub: it sets the batch aside; fetch its messages from the provider again.",
    Kind.CURSOR: "Nothing: the account is fetched from its start again, and what is known is not filed twice.",
    Kind.REASON: "Nothing: it only says why the batch beside it was set aside.",
    Kind.DRAFT: "Nothing: the hub puts it aside when its agent opens it; its text may still be readable.",
    Kind.AUDIT: "Nothing can mend it; the other lines are right. A backup may hold the line.",
    Kind.LEDGER: "Copy it from the newest backup; a restore unites what several ledgers know.",
    Kind.BLOB: "Take it from a backup, or from the message at the provider.",
    Kind.FORMAT: "Put it back from a backup.",
    Kind.JOURNAL: "Erase the customer, or redact the entry, again.",
}
