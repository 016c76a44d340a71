"""A second source of deaths, which knows nothing of the seam: strace kills at the n-th call of a name."""

from __future__ import annotations

from tests.kill.play import Scenario, Walked, perform

CALLS = ("fsync", "rename", "link", "unlink", "write", "sendto", "openat", "pwrite64")


async def kill_at(scenario: Scenario, name: str, when: int, walked: Walked) -> bool:
    """Play a scenario whose hub dies before its n-th call of a name, counted by thread; say whether it died."""
    inject = ("-e", f"trace={name}", "-e", "signal=none", "-e", f"inject={name}:signal=KILL:when={when}")
    return await perform(scenario, "", walked, inject=inject)
