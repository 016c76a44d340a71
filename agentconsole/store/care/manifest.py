"""What a backup holds: one line for every file, and a last line that says that it is whole.

``manifest.jsonl`` is written as the copy goes on and gets its name at the end: a folder without it is no backup. Its
first line names the store and the time, its last line counts and seals everything before it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from agentconsole.errors import StoreFault
from agentconsole.store.care.layout import NOT_COPIED, place
from agentconsole.store.embedded import files

NAME: Final = "manifest.jsonl"
VERSION: Final = 1


class Start(msgspec.Struct, frozen=True, tag="backup", tag_field="line"):
    """``began`` is when the copy began: everything acknowledged before is in it."""

    version: int
    store: str
    format: int
    began: datetime


class Kept(msgspec.Struct, frozen=True, omit_defaults=True, tag="file", tag_field="line"):
    """A file of the backup. ``damaged`` says what was wrong with it in the store: it was copied as it was."""

    path: str
    size: int
    sha256: str
    customer: str = ""
    damaged: str = ""


class Whole(msgspec.Struct, frozen=True, tag="whole", tag_field="line"):
    ended: datetime
    files: int
    size: int
    customers: int
    entries: int
    sha256: str
    """Of all lines before this one."""


class Manifest(msgspec.Struct, frozen=True):
    start: Start
    files: tuple[Kept, ...]
    whole: Whole


class Writer:
    """Writes a manifest beside its final name."""

    def __init__(self, folder: Path, start: Start) -> None:
        self._path = folder / NAME
        self._temporary = folder / f"{NAME}.tmp"
        self._handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._digest = hashlib.sha256()
        self._write(start)

    def _write(self, line: Start | Kept | Whole) -> None:
        data = msgspec.json.encode(line) + b"\n"
        self._digest.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]

    def add(self, kept: Kept) -> None:
        self._write(kept)

    def finish(self, ended: datetime, count: int, size: int, customers: int, entries: int) -> None:
        """Say that the backup is whole, durably: everything else must be durable already."""
        self._write(Whole(ended, count, size, customers, entries, self._digest.hexdigest()))
        files.sync(self._handle, self._temporary)
        files.move(self._temporary, self._path)
        files.sync_folder(self._path.parent)

    def close(self) -> None:
        os.close(self._handle)


def read(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        StoreFault: there is none (it was not finished), it is damaged, or a newer version wrote it.
    """
    try:
        return _read(folder / NAME)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreFault(
            f"{folder} is no whole backup: it has no {NAME}. Nothing was restored.",
            "It was broken off while it was written, or is something else. Take another one.",
        ) from None
    except ValueError as error:
        raise StoreFault(
            f"The backup {folder} cannot be trusted: {NAME}: {error}. Nothing was restored.", "Take another backup."
        ) from error


def _read(path: Path) -> Manifest:
    digest, kept = hashlib.sha256(), []
    start: Start | None = None
    whole: Whole | None = None
    with open(path, "rb") as file:
        for line in file:
            if whole is not None:
                raise ValueError("it goes on after its last line")
            match msgspec.json.decode(line, type=Start | Kept | Whole):
                case Start() as start:
                    if start.version > VERSION:
                        raise ValueError(f"a newer version wrote it ({start.version}, this program knows {VERSION})")
                case Kept() as one:
                    if not _may_be_kept(one.path):
                        raise ValueError(f"it names {one.path!r}, which no backup holds")
                    kept.append(one)
                case Whole() as whole:
                    continue
            digest.update(line)
    if start is None or whole is None:
        raise ValueError("its first or last line is missing")
    if len(kept) != whole.files or digest.hexdigest() != whole.sha256:
        raise ValueError("its checksum differs")
    return Manifest(start, tuple(kept), whole)


def _may_be_kept(path: str) -> bool:
    """Say whether a path leads to a file of a store, below its folder, that is not built or made anew anyway."""
    plain = PurePosixPath(path)
    return (
        bool(plain.parts)
        and not plain.is_absolute()
        and ".." not in plain.parts
        and "\0" not in path
        and str(plain) == path
        and place(path).kind not in NOT_COPIED
    )


def damaged(folder: Path, manifest: Manifest) -> Iterator[tuple[Kept, str]]:
    """Yield the files of a backup that are not what was copied, with why."""
    for kept in manifest.files:
        if why := differs(folder, kept):
            yield kept, why


def differs(folder: Path, kept: Kept) -> str:
    """Say how a file of a backup differs from what was copied; empty where it does not."""
    digest, size = hashlib.sha256(), 0
    try:
        if not stat.S_ISREG(os.stat(folder / kept.path).st_mode):
            return "it is no file"
        with open(folder / kept.path, "rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
                size += len(data)
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return str(error.strerror)
    if size != kept.size:
        return f"it has {size} bytes instead of {kept.size}"
    return "" if digest.hexdigest() == kept.sha256 else "its bytes are not those that were copied"
