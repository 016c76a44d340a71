"""Small stores for tests of care, without a hub."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from agentconsole.domain.entries import AnyEntry, ConsentChanged
from agentconsole.domain.model import (
    CustomerId,
    EntryId,
    Medium,
    Snapshot,
)
from agentconsole.seams import Steps, SystemClock, SystemRandomness, steps_from_environment
from agentconsole.store.care.backup import Copied, backup
from agentconsole.store.care.restore import Restored, restore
from agentconsole.store.embedded import EmbeddedStore, head
from agentconsole.testing.entries import NOON
from tests.store.killed import SEAL_ENTRIES, play

K1 = CustomerId("k1")
K2 = CustomerId("k2")


def opened(root: Path, *, killable: bool = False) -> EmbeddedStore:
    steps = steps_from_environment() if killable else Steps()
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=steps)


def acting(root: Path, act: Callable[[EmbeddedStore], Awaitable[object]], *, killable: bool = False) -> None:
    """Open a store, do something in it, and close it."""

    async def run() -> None:
        async with opened(root, killable=killable) as store:
            await act(store)

    asyncio.run(run())


def filled(folder: Path, monkeypatch) -> Path:
    """Return a store with two customers, volumes, a reply, blobs, drafts, batches and the audit trail."""
    monkeypatch.setattr(head, "SEAL_ENTRIES", SEAL_ENTRIES)
    acting(folder / "store", play)
    return folder / "store"


def append(*entries: AnyEntry, record: CustomerId = K1) -> Callable[[EmbeddedStore], Awaitable[Snapshot]]:
    return lambda store: store.change(record, lambda _: entries)


def opt_out(name: str) -> ConsentChanged:
    return ConsentChanged(id=EntryId(name), at=NOON, medium=Medium(""), allowed=False)


def copied(root: Path, target: Path) -> Copied:
    return backup(root, target, clock=SystemClock(), steps=Steps())


def put_back(source: Path, root: Path, *, partial: bool = False, ledgers: tuple[Path, ...] = ()) -> Restored:
    return restore(
        source,
        root,
        clock=SystemClock(),
        random=SystemRandomness(),
        steps=steps_from_environment(),
        partial=partial,
        ledgers=ledgers,
    )


def tree(root: Path) -> dict[str, bytes]:
    """Return every file below a folder but the derived ones and locks."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".sqlite3" not in path.name and not path.name.endswith(".lock")
    }


def forked(act: Callable[[], object], abort: int) -> int:
    """Do something in a process that dies at border ``abort``; return how it ended (-9: killed)."""
    child = os.fork()
    if child == 0:
        os.environ["AGENTCONSOLE_ABORT"] = str(abort)
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
