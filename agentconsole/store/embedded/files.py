"""Documents on disk: TinyDB JSON that is replaced atomically and carries its own checksum.

TinyDB's own storage overwrites in place: a kill while a file shrinks, or a full disk, destroys what was there, and
a flipped bit goes unnoticed (all three measured). Here a document is written beside the old one, made durable, and
renamed over it; the generation before stays as ``.prev``.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import msgspec
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document as Document
from tinydb.table import Table

from agentconsole.errors import StoreFault
from agentconsole.seams import Call, called
from agentconsole.store import codec

Tables: TypeAlias = dict[str, dict[str, Any]]

_MARK: Final = b',"_meta":{"1":'
_LONGEST_NAME: Final = 150
_BAD_SPOTS: Final = frozenset({errno.EIO, errno.EBADMSG, errno.EUCLEAN})


class Damaged(Exception):
    """A document that cannot be trusted. The file is left as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def lost(why: Damaged | OSError) -> str:
    """Say what is wrong with a file that cannot be trusted, is gone, or lies on a bad spot of the disk.

    Raises:
        OSError: it is no single file that is concerned.
    """
    match why:
        case Damaged():
            return why.reason
        case FileNotFoundError():
            return "it is gone"
        case _ if why.errno in _BAD_SPOTS:
            return f"the disk cannot read it ({why.strerror})"
        case _:
            raise why


@dataclass(frozen=True, slots=True)
class Filed:
    """Which state of a file was seen: its generation and what ``stat`` said. A replaced file never looks alike,
    because ``.prev`` holds the inode before."""

    gen: int
    size: int
    mtime_ns: int
    ino: int

    def same_file(self, other: os.stat_result) -> bool:
        return (self.size, self.mtime_ns, self.ino) == (other.st_size, other.st_mtime_ns, other.st_ino)


def filed(gen: int, found: os.stat_result) -> Filed:
    return Filed(gen, found.st_size, found.st_mtime_ns, found.st_ino)


def file_name(text: str) -> str:
    """Return a name that any text from outside may have on disk: no separators, no dots, never too long."""
    name = quote(text, safe="", errors="surrogatepass").replace(".", "%2E").replace("~", "%7E") or "%"
    if len(name) > _LONGEST_NAME:
        import hashlib

        return "~" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return name


UNCHANGED: Final = "Nothing was changed, and what is kept stays as it was."


@contextmanager
def faults(doing: str, state: str = UNCHANGED) -> Iterator[None]:
    """Turn what a disk or SQLite refuses into one sentence.

    Args:
        state: says what was and what was not affected.

    Raises:
        StoreFault: instead of ``OSError`` and ``sqlite3.Error``.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error):
            full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
            what = os.strerror(errno.ENOSPC) if full else str(error)
        else:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            what = error.strerror or str(error)
        if isinstance(error, PermissionError) and error.filename:
            what = f"{what} ({os.fsdecode(error.filename)})"
        raise StoreFault(
            f"The store could not {doing}: {what}. {state}",
            "Free some space on the store's disk; nothing else is needed."
            if full
            else "Look at the store's disk and its access rights, then try again.",
        ) from error


# The four calls that make something last. Nothing else in the store makes them itself: what strace sees is compared
# with what is noted here.


def sync(handle: int, path: Path) -> None:
    called(Call.FSYNC, path)
    os.fsync(handle)


def move(source: Path, target: Path) -> None:
    """Rename a file over whatever is there."""
    called(Call.RENAME, target)
    os.replace(source, target)


def link(source: Path, target: Path) -> None:
    called(Call.LINK, target)
    os.link(source, target)


def unlink(path: Path) -> None:
    called(Call.UNLINK, path)
    os.unlink(path)


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, durably, with those above it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(handle, path)
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes, *, keep: bool = False) -> os.stat_result:
    """Write a file so that at any instant either the old or the new content is there, whole.

    Args:
        keep: leave the content before as ``NAME.prev``; where the folder cannot be made durable, it is put back.

    Raises:
        OSError: the disk refused; the old content is untouched.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            sync(handle, temporary)
            found = os.fstat(handle)
        finally:
            os.close(handle)
        if keep:
            previous = path.with_name(path.name + ".prev")
            with suppress(FileNotFoundError):
                unlink(previous)
            with suppress(FileNotFoundError):
                link(path, previous)
        move(temporary, path)
    except BaseException:
        with suppress(OSError):
            unlink(temporary)
        raise
    try:
        sync_folder(path.parent)
    except OSError:
        if keep:
            with suppress(OSError):
                move(path.with_name(path.name + ".prev"), path)
        raise
    return found


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file durably. A torn line that a crash left before it is ended first.

    Raises:
        OSError: the disk refused; the file is as long as it was.
    """
    make_folder(path.parent)
    fresh = not path.exists()
    data = line + b"\n"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            data = b"\n" + data
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            sync(handle, path)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
    if fresh:
        sync_folder(path.parent)


def remove_files(paths: Iterable[Path]) -> int:
    """Remove files durably and return how many there were."""
    folders: set[Path] = set()
    count = 0
    for path in paths:
        with suppress(FileNotFoundError):
            unlink(path)
            count += 1
            folders.add(path.parent)
    for folder in sorted(folders):
        sync_folder(folder)
    return count


def remove_file(path: Path) -> None:
    """Remove a file durably; that it is gone already is fine."""
    with suppress(FileNotFoundError):
        unlink(path)
    sync_folder(path.parent)


def encoded(tables: Mapping[str, Mapping[str, Any]], gen: int) -> bytes:
    """Return a document as plain TinyDB JSON whose last table is ``_meta`` {schema, gen, crc32}."""
    body = msgspec.json.encode(tables)[:-1]
    meta = msgspec.json.encode({"schema": codec.SCHEMA, "gen": gen, "crc32": zlib.crc32(body)})
    return b"".join((body, _MARK, meta, b"}}\n"))


def decoded(data: bytes) -> tuple[Tables, int]:
    """Return the tables and the generation of a document.

    Raises:
        Damaged: it cannot be parsed, its checksum differs, or a newer version wrote it.
    """
    end = data.rfind(_MARK)
    if end < 1:
        raise Damaged("it is torn or no document of this store")
    try:
        meta = msgspec.json.decode(data[end + len(_MARK) :].rstrip()[:-2])
        schema, gen, crc = int(meta["schema"]), int(meta["gen"]), int(meta["crc32"])
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged("its last line is torn") from error
    body = memoryview(data)[:end]
    if zlib.crc32(body) != crc:
        raise Damaged("its checksum differs: it was changed by something else, or the disk lost bytes")
    try:
        tables = msgspec.json.decode(b"".join((body, b"}")), type=dict[str, dict[str, Any]])
        return codec.upgraded(tables, schema), gen
    except ValueError as error:
        raise Damaged(str(error)) from error


def read(path: Path) -> tuple[Tables, Filed]:
    """Read a document with the state of the file that it was read from.

    Raises:
        Damaged: see ``decoded``.
        FileNotFoundError: there is none.
    """
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        data = file.read()
    tables, gen = decoded(data)
    return tables, filed(gen, found)


class Tree(Storage):
    """TinyDB's storage for one transaction: tables in memory, put on disk as a whole by whoever owns the file."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def read(self) -> Tables:
        return dict(self.tables)

    def write(self, data: Tables) -> None:
        self.tables = data


class _Table(Table):
    document_id_class = str  # type: ignore[assignment]  # TinyDB says int, and never relies on it


class Documents(TinyDB):
    """One document file through TinyDB: ids are our own texts, and no query is cached (its cache hands out shared
    objects and cannot see other threads)."""

    table_class = _Table

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables, storage=Tree)

    @property
    def tree(self) -> Tables:
        storage = self.storage
        assert isinstance(storage, Tree)
        return storage.tables

    def named(self, name: str) -> Table:
        return self.table(name, cache_size=0)

    def put(self, table: str, key: str, value: Mapping[str, Any]) -> None:
        self.named(table).upsert(Document(dict(value), key))  # type: ignore[arg-type]

    def some(self, table: str, keys: list[str]) -> dict[str, dict[str, Any]]:
        """Return those documents of a table that are there, by their ids."""
        found = self.named(table).get(doc_ids=keys)
        return {str(document.doc_id): dict(document) for document in found}
