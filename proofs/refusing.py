"""A disk that refuses the N-th call of a kind, once or from then on, until it is mended: counted at ``os``.

Only calls on files below one folder count, so that nothing else of the process is hit. What SQLite does itself is
beyond its reach; ``proofs.traced`` refuses real system calls.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CHANGING: Final = frozenset({"create", "replace", "link", "unlink", "mkdir"})
KINDS: Final[dict[str, tuple[int, frozenset[str]]]] = {
    "ENOSPC on write": (errno.ENOSPC, frozenset({"write"})),
    "EDQUOT on write": (errno.EDQUOT, frozenset({"write", "mkdir"})),
    "EIO on write": (errno.EIO, frozenset({"write"})),
    "EIO on fsync": (errno.EIO, frozenset({"fsync"})),
    "EIO on read": (errno.EIO, frozenset({"read"})),
    "EMFILE on open": (errno.EMFILE, frozenset({"create", "open", "read"})),
    "EROFS": (errno.EROFS, CHANGING),
}
"""Faults: the error, and the calls that it may come from."""


@dataclass
class Fault:
    """One fault of one kind.

    Args:
        first: which of its calls is the first that fails, from 1.
        lasting: whether every later one fails too, until ``mend``.
    """

    kind: str
    first: int
    lasting: bool
    calls: int = 0
    hits: int = 0
    mended: bool = False
    where: str = ""

    def mend(self) -> None:
        self.mended = True

    def meets(self, call: str, path: str) -> bool:
        _, calls = KINDS[self.kind]
        if call not in calls:
            return False
        self.calls += 1
        if self.mended or self.calls < self.first or (self.calls > self.first and not self.lasting):
            return False
        self.hits += 1
        self.where = self.where or f"{call} {Path(path).name}"
        return True

    @property
    def error(self) -> int:
        return KINDS[self.kind][0]


class RefusingDisk:
    """Stands between the process and the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._real: dict[tuple[Any, str], Any] = {}
        self._handles: dict[int, str] = {}
        self._lock = threading.RLock()
        self._spared = threading.local()
        self.fault: Fault | None = None

    @contextmanager
    def sparing(self) -> Iterator[None]:
        """Let this thread read undisturbed: the judge's own calls are not counted."""
        self._spared.now = True
        try:
            yield
        finally:
            self._spared.now = False

    def _refuse(self, call: str, path: str) -> None:
        if getattr(self._spared, "now", False):
            return
        with self._lock:
            fault = self.fault
            if fault is not None and fault.meets(call, path):
                raise OSError(fault.error, os.strerror(fault.error), path)

    def _mine(self, path: object) -> str:
        try:
            name = os.fspath(path)  # type: ignore[call-overload]
        except TypeError:
            return ""
        return name if isinstance(name, str) and name.startswith(self._root) else ""

    def _put(self, owner: Any, name: str, shim: Callable[..., Any]) -> None:
        self._real[(owner, name)] = getattr(owner, name)
        setattr(owner, name, shim)

    @contextmanager
    def standing(self) -> Iterator[None]:
        real_open, real_write, real_close, real_fsync = os.open, os.write, os.close, os.fsync
        real_reading = io.open

        def opening(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            if mine := self._mine(path):
                self._refuse("create" if flags & os.O_CREAT else "open", mine)
            handle = real_open(path, flags, *rest, **more)
            if mine:
                self._handles[handle] = mine
            return handle

        def closing(handle: int) -> None:
            self._handles.pop(handle, None)
            real_close(handle)

        def writing(handle: int, data: Any) -> int:
            if path := self._handles.get(handle, ""):
                try:
                    self._refuse("write", path)
                except OSError as error:
                    if error.errno == errno.ENOSPC:
                        real_write(handle, bytes(data[: len(data) // 2]))  # a full disk takes what still fits
                    raise
            return real_write(handle, data)

        def syncing(handle: Any) -> None:
            if path := self._handles.get(handle, ""):
                self._refuse("fsync", path)
            real_fsync(handle)

        def reading(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if mine := self._mine(file):
                self._refuse("read", mine)
            return real_reading(file, mode, *rest, **more)

        def named(name: str, call: str) -> None:
            real = getattr(os, name)

            def shim(*args: Any, **more: Any) -> Any:
                if mine := self._mine(args[-1] if name in ("replace", "link") else args[0]):
                    self._refuse(call, mine)
                return real(*args, **more)

            self._put(os, name, shim)

        self._put(os, "open", opening)
        self._put(os, "close", closing)
        self._put(os, "write", writing)
        self._put(os, "fsync", syncing)
        self._put(io, "open", reading)
        self._put(builtins, "open", reading)
        for name, call in (("replace", "replace"), ("rename", "replace"), ("link", "link"), ("unlink", "unlink")):
            named(name, call)
        named("mkdir", "mkdir")
        try:
            yield
        finally:
            for (owner, name), real in self._real.items():
                setattr(owner, name, real)
            self._real.clear()
            self._handles.clear()
