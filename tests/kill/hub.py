"""One life of a hub, as the nursery's child lives it."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.kill.life import Life

TRACE_FROM_ANYBODY: Final = (0x59616D61, ctypes.c_ulong(-1).value)
"""``PR_SET_PTRACER`` and ``PR_SET_PTRACER_ANY`` (linux/prctl.h): lets strace attach where Yama forbids it."""


def run_hub(life: Life) -> None:
    """Run one life of a hub over the embedded store (called in the forked process)."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    os.environ.update(life.secrets, AGENTCONSOLE_ABORT=life.abort, AGENTCONSOLE_TALLY=str(life.tally))
    logging.basicConfig(filename=life.folder / "hub.log", level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    if life.traced:
        ctypes.CDLL(None).prctl(*TRACE_FROM_ANYBODY)
        end = time.monotonic() + 60
        while "TracerPid:\t0\n" in Path("/proc/self/status").read_text() and time.monotonic() < end:
            time.sleep(0.002)
    if life.plant:
        from tests.kill import planted

        getattr(planted, life.plant)()
    asyncio.run(_hub(life))


async def _hub(life: Life) -> None:
    import msgspec

    from agentconsole.channels.registry import load
    from agentconsole.domain.model import AccountName
    from agentconsole.hub.hub import Hub
    from agentconsole.hub.parser import InlineParser
    from agentconsole.hub.profile import AccountSetup, HubProfile
    from agentconsole.seams import SystemClock, SystemRandomness, steps_from_environment
    from agentconsole.secret import Secret
    from agentconsole.store.embedded import EmbeddedStore, head

    head.SEAL_ENTRIES = life.seal  # type: ignore[misc]
    clock, random = SystemClock(), SystemRandomness()

    def hook(kind: type, value: object) -> object:
        if kind is Secret:
            return Secret.from_toml(value)
        raise NotImplementedError

    accounts = []
    for name, table in life.accounts.items():
        rest = {key: value for key, value in table.items() if key != "kind"}
        kind = load(table["kind"])
        options = msgspec.convert(rest, kind.options, dec_hook=hook)
        accounts.append(AccountSetup(AccountName(name), kind, options))
    steps = steps_from_environment()
    if life.armed:
        _only_when_armed(steps, Path(life.armed))
    store = EmbeddedStore(life.store, clock=clock, random=random, steps=steps)
    await store.open()
    log = logging.getLogger("hub")
    profile = HubProfile(free_floor=0, region="GB", listen_port=life.port)
    parser = InlineParser({setup.kind.name: setup.kind for setup in accounts})
    hub = Hub(profile, accounts, store, parser, clock, random, log)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, hub.request_stop)
    try:
        await hub.run(life.socket)
    finally:
        await store.aclose()


def _only_when_armed(steps: Any, flag: Path) -> None:
    """Let the seam's listener hear of borders only once a file is there."""
    listen: Callable[..., None] | None = steps._listen

    def heard(*words: Any) -> None:
        if listen is not None and flag.exists():
            listen(*words)

    steps._listen = heard
