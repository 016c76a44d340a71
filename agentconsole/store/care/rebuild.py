"""Index and full text built anew from the customers' files, and compared.

The new index is built beside the old one and replaces it when it is whole; full text follows. What is killed on the way
is begun again by the next call, or finished by the next start of the hub.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from agentconsole.domain.model import CustomerId
from agentconsole.seams import Clock, Randomness, Step, Steps
from agentconsole.store.care.backup import identity
from agentconsole.store.care.check_index import compared
from agentconsole.store.care.layout import Kind, Progress, silent, walk
from agentconsole.store.embedded import place
from agentconsole.store.embedded.engine import Engine
from agentconsole.store.embedded.files import faults
from agentconsole.store.embedded.index import Reading
from agentconsole.store.embedded.lock import HubLock
from agentconsole.store.embedded.migrate import migrate
from agentconsole.store.embedded.schema import drop


class Rebuilt(msgspec.Struct, frozen=True):
    """What was read, in how many seconds; ``differing`` names what still differs afterwards, which is a fault of ours.
    ``damaged`` are the customers whose files cannot be trusted."""

    customers: int
    entries: int
    seconds: float
    damaged: tuple[CustomerId, ...] = ()
    differing: tuple[str, ...] = ()


class _Told(Engine):
    """Tells how many records were read."""

    def __init__(self, root: Path, random: Randomness, steps: Steps, progress: Progress) -> None:
        super().__init__(root, random=random, steps=steps, news=lambda: None)
        self._progress = progress
        self.of = 0
        self.records = 0
        self.entries = 0

    def reading(self, record: CustomerId, newest: int = 0) -> Reading:
        found = super().reading(record, newest)
        self.records += 1
        entries = list(found.entries)
        self.entries += len(entries)
        if self.records <= self.of and (self.records % 50 == 0 or self.records == self.of):
            self._progress("records read", self.records, self.of)
        return msgspec.structs.replace(found, entries=entries)


def rebuild(
    root: Path, *, clock: Clock, random: Randomness, steps: Steps, progress: Progress = silent, compare: bool = True
) -> Rebuilt:
    """Build index and full text anew. No hub may run.

    Raises:
        NotFound: there is no store.
        StoreBusy: a hub runs.
        StoreFault: the disk refused; the hub builds what is missing at its next start.
    """
    identity(root)
    with faults(f"build the index of {root} anew"):
        lock = HubLock(root)
        lock.take()
        try:
            return _rebuild(root, clock, random, steps, progress, compare)
        finally:
            lock.release()


def _rebuild(root: Path, clock: Clock, random: Randomness, steps: Steps, progress: Progress, compare: bool) -> Rebuilt:
    began = clock.monotonic()
    migrate(root, place.read(root), steps)
    engine = _Told(root, random, steps, progress)
    engine.of = sum(1 for one in walk(root, "customers") if one.kind == Kind.HEAD)
    with steps.durable(Step.INDEX_UPDATE):
        drop(root / "index.sqlite3")
        drop(root / "search.sqlite3")
    engine.open()
    customers, entries = engine.records, engine.entries
    engine.of = 0
    whole = engine.search.behind
    while left := engine.catch_up():
        progress("records in full text", whole - left, whole)
    damaged = tuple(sorted(engine.damaged))
    engine.close()
    seconds = clock.monotonic() - began
    differing: Iterator[str] = iter(())
    if compare:
        differing = (
            f"{path}: {what}" + f" ({customer})" * bool(customer) for path, what, customer in compared(root, progress)
        )
    return Rebuilt(customers, entries, seconds, damaged, tuple(differing))
