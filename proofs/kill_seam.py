"""The seam says what the system saw, and bypasses that are planted are found."""

from __future__ import annotations

from proofs.report import Report
from tests.kill import scenarios
from tests.kill.straced import compare, missing

PLANTS = {"sync_unseen": "fsync", "rename_unseen": "rename"}


async def prove(report: Report) -> None:
    """Add strace's counts beside the seam's, for every scenario."""
    why = missing()
    if why:
        report.add("strace", why, "installed", ok=False)
        return
    for scenario in scenarios.ALL:
        seen, told, outside = await compare(scenario)
        counts = ", ".join(f"{kind} {seen[kind]}/{told[kind]}" for kind in sorted(seen | told))
        report.add(
            f"strace / seam: {scenario.name}",
            f"{counts}; {len(outside)} in no step {outside[:1] or ''}".strip(),
            "equal, 0",
            ok=seen == told and not outside and seen["fsync"] > 0,
        )
    for plant, kind in PLANTS.items():
        seen, told, _ = await compare(scenarios.DAMAGE, plant)
        report.add(f"a planted bypass ({kind})", f"{seen[kind]}/{told[kind]}", "differ", ok=seen[kind] > told[kind])
    _, _, outside = await compare(scenarios.DAMAGE, "outside_a_step")
    report.add("a planted call in no step", f"{len(outside)} found", "at least 1", ok=bool(outside))
