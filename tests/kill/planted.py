"""Bypasses of the seam, planted in a hub by a test that must find them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def sync_unseen() -> None:
    """Every batch that was filed is made durable once more, behind the seam's back."""
    from agentconsole.store.embedded.spool import Spool

    done = Spool.done

    def also(self: Any, record_id: str) -> None:
        done(self, record_id)
        handle = os.open(self._folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

    Spool.done = also  # type: ignore[method-assign]


def rename_unseen() -> None:
    """A file is put in place by a copy of the store's own primitive that does not pass the seam."""
    from agentconsole.store.embedded import files

    files.move = lambda source, target: os.replace(source, target)


def outside_a_step() -> None:
    """A primitive of the store is used, but in no step."""
    from agentconsole.store.embedded import files
    from agentconsole.store.embedded.spool import Spool

    opened = Spool.open

    def also(self: Any) -> None:
        opened(self)
        files.sync_folder(Path(self._folder))

    Spool.open = also  # type: ignore[method-assign]


def acknowledge_unwritten() -> None:
    """A batch is acknowledged before it is on disk: the provider is told, and what it said is lost by a death."""
    from agentconsole.store.embedded.spool import Spool

    add, done = Spool.add, Spool.done
    kept: list[Any] = []

    def later(self: Any, record: Any) -> None:
        if kept:
            add(self, kept.pop())
        kept.append(record)

    def flush(self: Any, record_id: str) -> None:
        done(self, record_id)
        while kept:
            add(self, kept.pop())

    Spool.add, Spool.done = later, flush  # type: ignore[method-assign]


def commit_unwritten() -> None:
    """A reply is sent although the claim that says so is not on disk."""
    from agentconsole.hub.dispatch import Dispatch

    mark = Dispatch._mark

    async def claim(self: Any, owner: Any, reply: Any, attempt: int, *, committed: bool) -> None:
        if not committed:
            await mark(self, owner, reply, attempt, committed=False)

    Dispatch._mark = claim  # type: ignore[method-assign]


def forget_first() -> None:
    """A batch leaves the spool before it was filed."""
    from agentconsole.hub.intake import Intake

    del Intake


def new_id_each_time() -> None:
    """A repeated request is taken for a new wish."""
    import itertools

    from agentconsole.hub.desk import replying

    numbers = itertools.count()
    key_of = replying.key_of
    replying.key_of = lambda request: key_of(f"{request} {os.getpid()} {next(numbers)}")
