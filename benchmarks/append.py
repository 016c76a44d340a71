"""What one more message costs a customer with 10, 1,000 and 20,000 entries, against a floor in the same run.

``python -m benchmarks.append`` prints medians and their ratio to the floor: replacing a file of the same size
atomically (write, fsync, rename, fsync of the folder), which no store with this promise can undercut.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentconsole.domain.entries import Received
from agentconsole.domain.model import (
    AccountName,
    Address,
    ConversationId,
    CustomerId,
    EntryId,
    Medium,
)
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore

SIZES = (10, 1_000, 20_000)
ROUNDS = 40
BODY = "배송이 언제 오는지 알려 주세요. Order 55120 was due on Friday. " * 10
START = datetime(2026, 1, 1, tzinfo=UTC)


def message(number: int) -> Received:
    at = START + timedelta(seconds=number)
    return Received(
        id=EntryId(f"e{number}"),
        at=at,
        account=AccountName("mail"),
        medium=Medium("email"),
        sender=Address("email", "", "emily@example.com"),
        conversation=ConversationId("c1"),
        stored_at=at,
        text=BODY,
    )


async def appends(folder: Path, size: int) -> tuple[float, int]:
    """Return the median milliseconds of an append and the size of the head that it replaces, in bytes."""
    store = EmbeddedStore(folder, clock=SystemClock(), random=SystemRandomness(), steps=Steps())
    async with store:
        record = CustomerId("k1")
        for start in range(0, size, 200):
            batch = [message(n) for n in range(start, min(start + 200, size))]
            await store.change(record, lambda _snapshot, batch=batch: batch)
        took = []
        for number in range(size, size + ROUNDS):
            entry = message(number)
            began = time.perf_counter()
            await store.change(record, lambda _snapshot, entry=entry: [entry])
            took.append((time.perf_counter() - began) * 1000)
        (head,) = (folder / "customers").glob(f"*/{record}.json")
        return statistics.median(took), head.stat().st_size


def floor(folder: Path, size: int) -> float:
    """Return the median milliseconds of replacing a file of ``size`` bytes."""
    data, target = os.urandom(size), folder / "floor"
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with open(folder / "floor.tmp", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(folder / "floor.tmp", target)
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def main() -> int:
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            took, octets = asyncio.run(appends(Path(folder) / "store", size))
            least = floor(Path(folder), octets)
            print(
                f"append at {size:6,} entries  median {took:6.2f} ms  head {octets // 1000:4} kB  "
                f"floor {least:5.2f} ms  ratio {took / least:.1f}"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
