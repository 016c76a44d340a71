"""Either side of the socket dies before the answer."""

from __future__ import annotations

import random

from proofs.report import Report
from tests.kill.requests import CALLS, client_dies, hub_dies, points

CLIENT_CALLS = {"connect": 2, "sendto": 5, "recvfrom": 6, "epoll_wait": 12, "epoll_ctl": 6, "write": 5, "close": 14}
"""How often a command calls each of these around its one request, measured, and a little more."""


async def prove(report: Report, at_random: int, stride: int, seed: int) -> None:
    """Add the figures of both sides."""
    for call in CALLS:
        found = await hub_dies(call, stride)
        report.add(
            f"the hub dies during {found.call}; repeated with its request id",
            f"{found.cuts} deaths, {len(found.faults)} differences {found.faults[:1] or ''}".strip(),
            "done once each time",
            ok=not found.faults and found.cuts > 0,
        )
    found = await client_dies(points(CLIENT_CALLS), at_random, random.Random(seed))
    report.add(
        "`send --key` dies (strace, and at random); repeated",
        f"{found.cuts} deaths, {len(found.faults)} differences {found.faults[:1] or ''}".strip(),
        "one reply each time",
        ok=not found.faults and found.cuts > at_random // 4,
    )
