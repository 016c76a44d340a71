"""Which file of a store's folder is what."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from agentconsole.domain.model import CustomerId
from agentconsole.errors import UsageError
from agentconsole.store.embedded.backed_up import BACKED_UP
from agentconsole.store.embedded.care_lock import CARE_LOCK
from agentconsole.store.embedded.erasing import JOURNAL as ERASING
from agentconsole.store.embedded.head import REWRITING
from agentconsole.store.embedded.lock import LOCK_NAME

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is done, how many of it, and of how many (0: not known)."""


def silent(_what: str, _done: int, _of: int) -> None:
    return


class Kind(StrEnum):
    """What a file holds."""

    FORMAT = "format"
    KEY = "key"
    CURSOR = "cursor"
    BATCH = "batch"
    REASON = "reason"
    HEAD = "head"
    PREVIOUS = "previous"
    VOLUME = "volume"
    BLOB = "blob"
    DRAFT = "draft"
    AUDIT = "audit"
    LEDGER = "ledger"
    DERIVED = "derived"
    """Index and full text, which are built from the rest."""
    RUNTIME = "runtime"
    """Locks, sockets, the hub's log: of the process, not of the store."""
    LEFTOVER = "leftover"
    """What a crash left half-written."""
    JOURNAL = "journal"
    """What an erasure or a rewriting needs to go on after a crash."""
    KEPT = "kept"
    """A damaged file that was put aside for a person."""
    OTHER = "other"


NOT_COPIED: Final = frozenset({Kind.DERIVED, Kind.RUNTIME, Kind.LEFTOVER})
"""What no backup holds."""


class Place(NamedTuple):
    """A file by its path below the store, with the customer whose it is (empty: nobody's)."""

    path: str
    kind: Kind
    customer: CustomerId


RESTORING: Final = "restoring.json"
"""Marks a folder that a restore builds or has just put in place."""

_DERIVED: Final = re.compile(r"(index|search)\.sqlite3(\.new)?(-wal|-shm|-journal|\.sum)?")
_RUNTIME: Final = re.compile(
    rf"{re.escape(LOCK_NAME)}|{re.escape(CARE_LOCK)}|{BACKED_UP}|{RESTORING}|hub\.log(\.\d+)?|hub\.sock"
)
_CUSTOMER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,99})\.(.+)")
_VOLUME: Final = re.compile(r"m\d{5,}\.json")


def place(path: str) -> Place:
    """Say what the file at a path below the store is."""
    parts = path.split("/")
    name = parts[-1]
    if len(parts) == 1:
        if name == "store.toml":
            return Place(path, Kind.FORMAT, CustomerId(""))
        if _DERIVED.fullmatch(name):
            return Place(path, Kind.DERIVED, CustomerId(""))
        if _RUNTIME.fullmatch(name):
            return Place(path, Kind.RUNTIME, CustomerId(""))
    if name.endswith(".tmp"):
        return Place(path, Kind.LEFTOVER, CustomerId(""))
    match parts:
        case ["run", *_]:
            return Place(path, Kind.RUNTIME, CustomerId(""))
        case ["customers", _, _]:
            return _of_customer(path, name)
        case ["blobs", _, customer, _]:
            return Place(path, Kind.BLOB, CustomerId(customer))
    return Place(path, _of_nobody(parts, name), CustomerId(""))


def _of_customer(path: str, name: str) -> Place:
    found = _CUSTOMER.fullmatch(name)
    if found is None:
        return Place(path, Kind.OTHER, CustomerId(""))
    customer, rest = CustomerId(found[1]), found[2]
    if rest == "json":
        return Place(path, Kind.HEAD, customer)
    if rest == "json.prev":
        return Place(path, Kind.PREVIOUS, customer)
    if rest == REWRITING:
        return Place(path, Kind.JOURNAL, customer)
    return Place(path, Kind.VOLUME if _VOLUME.fullmatch(rest) else Kind.KEPT, customer)


def _of_nobody(parts: list[str], name: str) -> Kind:
    match parts:
        case ["spool", "cursors", _] if name.endswith(".json"):
            return Kind.CURSOR
        case ["spool", _] | ["spool", "aside", _] if name.endswith(".batch"):
            return Kind.BATCH
        case ["spool", "aside", _] if name.endswith(".why"):
            return Kind.REASON
        case ["drafts", _, _]:
            return Kind.DRAFT if name.endswith(".json") else Kind.KEPT
        case ["audit", _] if name.endswith(".jsonl"):
            return Kind.AUDIT
        case ["ledger", _] if name.endswith(".jsonl"):
            return Kind.LEDGER
        case ["ledger", _]:
            return Kind.JOURNAL if name == ERASING else Kind.KEPT
        case ["keys", _]:
            return Kind.KEY
    return Kind.OTHER


def refuse_root(folder: Path) -> None:
    """Refuse that the superuser makes files in somebody else's store: its hub could not open them.

    Raises:
        UsageError: it is so.
    """
    owner = os.stat(folder).st_uid
    if os.geteuid() == 0 and owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise UsageError(
            f"{folder} belongs to {name}, whose hub could not open what root makes there. Nothing was done.",
            f"Type it as that account: sudo -u {name} agentconsole store …",
        )


def walk(root: Path, below: str = "") -> Iterator[Place]:
    """Yield every regular file below a folder in the order of names; what vanishes meanwhile is left out.

    A folder is read anew as it is entered, so that a second walk is a second look.
    """
    folder = root / below if below else root
    try:
        with os.scandir(folder) as found:
            items = sorted(found, key=lambda item: item.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for item in items:
        path = f"{below}/{item.name}" if below else item.name
        if item.is_dir(follow_symlinks=False):
            yield from walk(root, path)
        elif item.is_file(follow_symlinks=False):
            yield place(path)
