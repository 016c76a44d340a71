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
    """A gateway's message is acknowledged before it is on disk."""
    import asyncio

    from agentconsole.hub.hub import Hub

    accept = Hub._accept

    async def later(self: Any, account: Any, accepted: Any) -> None:
        async def write() -> None:
            await asyncio.sleep(0.02)
            await accept(self, account, accepted)

        self.planted = asyncio.create_task(write())

    Hub._accept = later  # type: ignore[method-assign]


def commit_unwritten() -> None:
    """A reply is sent although the claim that says so is not on disk."""
    from agentconsole.hub.dispatch import Dispatch

    mark = Dispatch._mark

    async def claim(self: Any, owner: Any, reply: Any, attempt: int, *, committed: bool) -> None:
        if not committed:
            await mark(self, owner, reply, attempt, committed=False)

    Dispatch._mark = claim  # type: ignore[method-assign]


def new_id_each_time() -> None:
    """A repeated request is taken for a new wish."""
    import itertools

    from agentconsole.hub.desk import replying

    numbers = itertools.count()
    key_of = replying.key_of
    replying.key_of = lambda request: key_of(f"{request} {os.getpid()} {next(numbers)}")


def sent_again() -> None:
    """A reply that may have left is tried again by itself."""
    from agentconsole.hub.dispatch import Dispatch

    Dispatch._may_repeat = lambda self, account: True  # type: ignore[method-assign]


def filed_again() -> None:
    """A message is known by when it was filed instead of by what the provider calls it."""
    import itertools

    from agentconsole.hub import filing

    numbers = itertools.count()
    entry_of = filing.entry_of
    filing.entry_of = lambda kind, identity: entry_of(kind, f"{identity} {os.getpid()} {next(numbers)}")


def erase_only_the_head() -> None:
    """An erasure, and a redaction, forget the raw messages."""
    from agentconsole.store.embedded.drafts import Blobs

    Blobs.forget = Blobs.forget_all = lambda self, *_: 0  # type: ignore[method-assign]
