"""What the system saw: strace's own words about a hub, counted by nothing of ours, beside what the seam was told.

Left out, by path: the SQLite files (derived, may be deleted at any time), the store's own folder, which SQLite makes
durable whenever a journal comes or goes, and the hub's socket. Everything else that is
made durable, renamed, linked or removed, and every connection that is opened, has to have passed the seam.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.kill.life import Life
from tests.kill.play import Play, Scenario, playing, tallied

CALLS: Final = "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,connect"
KIND: Final = {
    "fsync": "fsync",
    "fdatasync": "fsync",
    "rename": "rename",
    "renameat": "rename",
    "renameat2": "rename",
    "link": "link",
    "linkat": "link",
    "unlink": "unlink",
    "unlinkat": "unlink",
    "connect": "connect",
}
DERIVED: Final = re.compile(r"\.sqlite3(-wal|-shm|-journal|\.new.*|\.sum.*)?[\">]|hub\.sock|/store[>]")
_CALL: Final = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")


def missing() -> str:
    return "" if shutil.which("strace") else "strace is not installed (Debian package strace)"


def options(log: Path) -> list[str]:
    return ["-y", "-s", "300", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(log)]


def seen(lines: Iterable[str]) -> Counter[str]:
    """Count the calls of strace's log by kind. Local sockets are no provider."""
    found: Counter[str] = Counter()
    for line in lines:
        call = _CALL.match(line)
        if call is None or call[1] not in KIND or DERIVED.search(call[2]):
            continue
        kind = KIND[call[1]]
        if kind == "connect" and "AF_INET" not in call[2]:
            continue
        found[kind] += 1
    return found


def told(life: Life) -> Counter[str]:
    """Count what the seam was told, by kind."""
    return Counter(line[1] for line in tallied(life) if line[0] == "call" and not DERIVED.search(f"{line[-1]}>"))


def outside(life: Life) -> list[str]:
    """Return the lasting calls that the store made in no step."""
    calls = (line for line in tallied(life) if line[0] == "call")
    return [" ".join(line) for line in calls if line[2] == "-" and line[1] != "connect"]


async def compare(scenario: Scenario, plant: str = "") -> tuple[Counter[str], Counter[str], list[str]]:
    """Play a scenario under strace; return what the system saw, what the seam was told, and what was in no step."""
    async with playing(scenario, plant=plant) as play:
        number = 0

        async def start(self: Play = play) -> None:
            nonlocal number
            number += 1
            self.hub.start(strace=options(self.hub.life.folder / f"strace.{number}"))

        play._start = start  # type: ignore[method-assign]
        await play.play()
        if not plant:
            await play.check()
        await play._detach()
        await play.hub.leave()
        logs = [path.read_text(errors="replace") for path in play.hub.life.folder.glob("strace.*")]
        lines = [line for log in logs for line in log.splitlines()]
        return seen(lines), told(play.hub.life), outside(play.hub.life)
