"""``agentconsole`` and ``python -m agentconsole``."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line of this process and return its exit code."""
    gc.disable()  # modules are no garbage, and looking for it among them costs a tenth of a start
    from agentconsole.cli.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
