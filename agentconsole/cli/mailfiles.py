"""Mail as it lies in files: mbox, Maildir, .eml, folders of .eml. Streams, so that an archive of gigabytes fits."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from agentconsole.desk import LARGEST_MESSAGE
from agentconsole.errors import UsageError

_FROM: Final = re.compile(rb"From (?:- |\S).{0,200}\b\d{4}\b")
"""A line that begins a message (RFC 4155, appendix A): it names a sender and a date. Others only look like one."""

_QUOTED_FROM: Final = re.compile(rb">+From ")
_LINE: Final = 1 << 20
_MARKS: Final = (b"From ", b"Return-Path:", b"Received:", b"From:", b"Date:", b"Message-ID:", b"Subject:")


@dataclass(frozen=True)
class Mail:
    """One message. ``size`` is that of the whole; of one above ``LARGEST_MESSAGE`` only the header is here."""

    data: bytes
    size: int
    where: str


@dataclass(frozen=True)
class Unread:
    """A file or folder that could not be read, and why."""

    where: str
    why: str


def kind_of(path: Path) -> str:
    """Return ``mbox``, ``maildir``, ``eml`` or ``folder``.

    Raises:
        UsageError: it is nothing that mail lies in.
    """
    if path.is_dir():
        return "maildir" if (path / "cur").is_dir() and (path / "new").is_dir() else "folder"
    if not path.is_file():
        raise UsageError(f"{path} is neither a file nor a folder. Nothing was imported.", "")
    try:
        with path.open("rb") as file:
            start = file.read(4096).lstrip(b"\xef\xbb\xbf\r\n")
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}. Nothing was imported.", "") from exc
    if _FROM.match(start):
        return "mbox"
    if path.suffix.lower() == ".eml" or start.lower().startswith(tuple(mark.lower() for mark in _MARKS[1:])):
        return "eml"
    raise UsageError(
        f"{path} is no mbox, Maildir, .eml, CSV or vCard. Nothing was imported.",
        "An mbox begins with a line From SENDER DATE.",
    )


def count(path: Path) -> int:
    """Return how many messages lie there."""
    kind = kind_of(path)
    if kind == "mbox":
        with path.open("rb") as file:
            return sum(1 for _ in _cuts(file))
    found = sum(1 for _ in _files(path, kind, []))
    if not found and kind == "folder":
        raise UsageError(
            f"{path} holds no mail. Nothing was imported.",
            "A folder is a Maildir (with cur and new in it), or holds files that end in .eml.",
        )
    return found


def read(path: Path, unread: list[Unread]) -> Iterator[Mail]:
    """Give all messages, in the order in which they lie there (Maildir and folders: by name).

    Args:
        unread: is told of what cannot be read; the others are given all the same.

    Raises:
        OSError: an mbox could not be read to its end.
    """
    kind = kind_of(path)
    if kind == "mbox":
        yield from _mbox(path)
        return
    for file in _files(path, kind, unread):
        try:
            yield _file(file)
        except OSError as exc:
            unread.append(Unread(str(file), exc.strerror or type(exc).__name__))


def _files(path: Path, kind: str, unread: list[Unread]) -> Iterator[Path]:
    if kind == "eml":
        yield path
        return
    for folder, names, files in os.walk(
        path, onerror=lambda exc: unread.append(Unread(str(exc.filename), exc.strerror or type(exc).__name__))
    ):
        names.sort()
        if kind == "maildir":
            names[:] = [name for name in names if name != "tmp"]
            if Path(folder).name not in ("cur", "new"):
                continue
        for name in sorted(files):
            if kind == "maildir" or name.lower().endswith(".eml"):
                yield Path(folder) / name


def _file(path: Path) -> Mail:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    size = found.st_size
    with path.open("rb") as file:
        data = file.read(LARGEST_MESSAGE + 1)
    return Mail(header(data) if size > LARGEST_MESSAGE else data, size, str(path))


def header(data: bytes) -> bytes:
    """Return the header block of a message with the empty line after it: what IMAP gives of one that is too large."""
    found = re.search(rb"\r?\n\r?\n", data)
    return data[: found.end()] if found else data[:_LINE]


# -- mbox ---------------------------------------------------------------------------------------------------


def _cuts(file: IO[bytes]) -> Iterator[int]:
    """Give the offset of each line that begins a message."""
    offset = 0
    blank = True
    while line := file.readline(_LINE):
        if blank and line.startswith(b"From ") and _FROM.match(line):
            yield offset
        blank = line in (b"\n", b"\r\n")
        offset += len(line)


def _mbox(path: Path) -> Iterator[Mail]:
    number = 0
    parts: list[bytes] = []
    kept = size = 0
    begun = False
    blank = True
    with path.open("rb") as file:
        while line := file.readline(_LINE):
            if blank and line.startswith(b"From ") and _FROM.match(line):
                if begun:
                    yield _cut(parts, size, f"{path}, message {number}")
                number += 1
                parts, kept, size, begun, blank = [], 0, 0, True, False
                continue
            blank = line in (b"\n", b"\r\n")
            if not begun:
                continue
            if _QUOTED_FROM.match(line):
                line = line[1:]  # mboxrd: what the writer put in front of a line that begins with From
            size += len(line)
            if kept <= LARGEST_MESSAGE:
                parts.append(line)
                kept += len(line)
    if begun:
        yield _cut(parts, size, f"{path}, message {number}")


def _cut(parts: list[bytes], size: int, where: str) -> Mail:
    data = b"".join(parts)
    ending = b"\r\n" if data.endswith(b"\r\n") else b"\n"
    if data.endswith(ending * 2):
        # The empty line before the next message is the mailbox's, not the message's.
        data, size = data[: -len(ending)], size - len(ending)
    return Mail(header(data) if size > LARGEST_MESSAGE else data, size, where)
