"""Many new files in a new folder, made durable some at a time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agentconsole.seams import Step, Steps
from agentconsole.store.embedded import files

_AT_ONCE: Final = 64
"""Files that are made durable together: the disk's journal is then written once for all of them."""


class NewFiles:
    """Writes files with mode 0600 below a folder that exists, in folders with mode 0700.

    Args:
        step: what each durable step of it is called.
    """

    def __init__(self, root: Path, steps: Steps, step: Step) -> None:
        self._root = root
        self._steps = steps
        self._step = step
        self._open: list[tuple[int, Path]] = []
        self._folders: set[Path] = {root}

    def put(self, path: str, data: bytes) -> bool:
        """Write one file; say whether everything up to it is durable now.

        Raises:
            OSError: the disk refused, or there is such a file already.
        """
        target = self._root / path
        if target.parent not in self._folders:
            for parent in reversed(Path(path).parents):
                (self._root / parent).mkdir(mode=0o700, exist_ok=True)
                self._folders.add(self._root / parent)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._open.append((handle, target))
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if len(self._open) < _AT_ONCE:
            return False
        self._flush()
        return True

    def _flush(self) -> None:
        with self._steps.durable(self._step):
            while self._open:
                handle, path = self._open.pop()
                try:
                    files.sync(handle, path)
                finally:
                    os.close(handle)

    def finish(self) -> None:
        """Make durable what is left, and all folders."""
        self._flush()
        with self._steps.durable(self._step):
            for folder in sorted(self._folders):
                files.sync_folder(folder)

    def close(self) -> None:
        """Let go of what a failure left open."""
        while self._open:
            os.close(self._open.pop()[0])
