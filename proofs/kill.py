"""Nothing lost, nothing twice, whenever somebody dies.

``python -m proofs.kill`` walks every border of every scenario, compares the seam with strace, lets strace kill, kills a
thousand hubs at random times on real servers, and lets either side of the socket die. With ``--part`` one of these.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from proofs import kill_borders, kill_random, kill_requests, kill_seam
from proofs.report import Report

PARTS = ("seam", "mutations", "borders", "twice", "injected", "requests", "random")


async def prove(parts: list[str], n: int, share: int, seed: int) -> int:
    """Run the parts and print one table."""
    words = f"python -m proofs.kill --n {n} --share {share} --seed {seed}"
    report = Report("Kills", words + "".join(f" --part {part}" for part in parts if len(parts) < len(PARTS)))
    for part in parts:
        begun = time.monotonic()
        match part:
            case "seam":
                await kill_seam.prove(report)
            case "mutations":
                await kill_borders.prove_mutations(report)
            case "borders":
                await kill_borders.prove_borders(report, share)
            case "twice":
                await kill_borders.prove_twice(report, max(kill_borders.DOUBLE_DEATHS // share, 4), seed)
            case "injected":
                await kill_borders.prove_injected(report, max(kill_borders.INJECTED // share, 8))
            case "requests":
                await kill_requests.prove(report, max(50 // share, 2), share, seed)
            case _:
                await kill_random.prove(report, n, seed)
        print(f"{part}: {time.monotonic() - begun:.0f} s", flush=True)
    return report.finish()


def main() -> int:
    """Read the options and prove."""
    parser = argparse.ArgumentParser(prog="python -m proofs.kill", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="random kills with real servers")
    parser.add_argument("--share", type=int, default=1, help="only every so many-th border and call, for a sample")
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part; may be repeated")
    args = parser.parse_args()
    return asyncio.run(prove(args.part or list(PARTS), args.n, args.share, args.seed))


if __name__ == "__main__":
    sys.exit(main())
