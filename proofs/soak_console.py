"""The console as always, and what its process holds on request: on SIGUSR1 it writes tasks and objects to a file.

``SOAK_FILE`` names the file. Counting itself keeps nothing.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from agentconsole.cli.app import run


def _tell(_number: int, _frame: FrameType | None) -> None:
    gc.collect()
    file = Path(os.environ["SOAK_FILE"])
    told = {"tasks": len(asyncio.all_tasks()), "objects": len(gc.get_objects())}
    part = file.with_suffix(".part")
    part.write_text(json.dumps(told))
    part.rename(file)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    sys.exit(run(sys.argv[1:]))
