"""A store that lives through a script and may be killed at any border of any durable step.

Run as a program it imports everything once and then forks one life after another, so that a hundred deaths cost
seconds.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
)
from agentconsole.ports import AuditLine, Cursor, RawItem, SpoolRecord, Store
from agentconsole.seams import SystemClock, SystemRandomness, steps_from_environment
from agentconsole.store.embedded import EmbeddedStore, head
from agentconsole.testing.entries import (
    EMILY_PHONE,
    MAIL,
    NOON,
    merged,
    minute,
    note,
    receipt,
    received,
    reply,
    unmerged,
)

SEAL_ENTRIES = 8
RECORDS = ("k1", "k2")
ANA = AgentName("ana")

CHANGES: tuple[tuple[str, tuple[AnyEntry, ...]], ...] = (
    ("k1", (received("e1", 1, text="move my appointment", external_id="e1@example.com", mentions=(EMILY_PHONE,)),)),
    ("k2", (received("e2", 2, sender=EMILY_PHONE, conversation="c2", medium="whatsapp", text="배송 언제 와요"),)),
    ("k1", (merged("m1", "k2", 3, joins={"c2": "c1"}),)),
    ("k1", (reply("r1", 4),)),
    ("k1", (receipt("q1", "r1", Delivery.SENDING, 5, committed=True),)),
    ("k1", (receipt("q2", "r1", Delivery.SENT, 6, external_id="SM-r1"), note("n0", 6))),
    ("k1", tuple(note(f"n{number}", 7) for number in range(1, 13))),
    ("k1", (note("n13", 8), note("n14", 8))),
    ("k1", (unmerged("u1", "m1", 9),)),
    ("k2", (note("n15", 9, conversation="c2"),)),
)
ENTRIES = tuple(entry for _, entries in CHANGES for entry in entries)


def batch(name: str, cursor: str) -> SpoolRecord:
    return SpoolRecord(name, MAIL, "email", (RawItem(name, b"raw " * 99, NOON),), Cursor(cursor))


def draft(revision: int) -> Draft:
    return Draft(ANA, CustomerId("k1"), ConversationId("c1"), f"text {revision}", revision, NOON)


async def play(store: Store, done: Callable[[str], None] = lambda _: None) -> None:
    """Play the whole script; ``done`` is told what was acknowledged."""
    await store.spool(batch("b1", "1"))
    done("spooled b1")
    blob = await store.put_blob(CustomerId("k1"), b"raw")
    done(f"blob {blob}")
    for number, (record, entries) in enumerate(CHANGES):
        await store.change(CustomerId(record), lambda _, fresh=entries: fresh)
        for entry in entries:
            done(f"entry {entry.id}")
        if number == 2:
            await store.seen(CustomerId("k1"), ANA, minute(3))
            done("seen")
            await store.spool_done("b1")
            done("filed b1")
    for revision in (1, 2):
        await store.save_draft(draft(revision))
        done(f"draft {revision}")
    await store.spool(batch("b2", "2"))
    done("spooled b2")
    await store.spool_set_aside("b2", "damaged")
    done("aside b2")
    await store.spool_done("b2")
    done("filed b2")
    await store.drop_draft(ANA, ConversationId("c1"), 2, False)
    done("dropped")
    await store.audit(AuditLine(NOON, ANA, True, "wrote"))
    done("audit")
    await store.search("appointment")


def make(root: Path) -> EmbeddedStore:
    head.SEAL_ENTRIES = SEAL_ENTRIES  # type: ignore[misc]
    return EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=steps_from_environment())


async def live(folder: Path) -> None:
    async with make(folder / "store") as store:
        await play(store, written(folder))


def written(folder: Path) -> Callable[[str], None]:
    """Return what writes down an acknowledgement where a kill cannot take it back."""
    handle = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return lambda what: (os.write(handle, f"{what}\n".encode()), None)[1]


def walk(folder: Path, live: Callable[[Path], Coroutine[Any, Any, None]], template: Path | None = None) -> int:
    """Live once for every border, each in a folder of its own, until a life gets to its end; return its exit code.

    Args:
        template: a store that each life begins with.
    """
    border = 0
    while True:
        border += 1
        here = folder / f"{border:04}"
        here.mkdir()
        if template is not None:
            shutil.copytree(template, here / "store")
        child = os.fork()
        if child == 0:
            os.environ["AGENTCONSOLE_ABORT"] = str(border)
            code = 1
            try:
                asyncio.run(live(here))
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(walk(Path(sys.argv[1]), live))
