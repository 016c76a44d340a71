"""How the console ends when nobody presses q: hang-up, termination, end of input.

Textual itself is killed by SIGHUP without a word and, where that signal is ignored, spins on a dead terminal
(Textualize/textual#6690). Here every one of these ways keeps the draft first and is over within a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

LAST_SECONDS: Final = 0.9
"""After this long the process ends whatever still waits: writing to a dead terminal may block."""

LOOK_SECONDS: Final = 0.5
_HUNG_UP: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL


@contextlib.contextmanager
def ending(app: Console) -> Iterator[None]:
    """Handle hang-up and termination while the app runs."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def leave(number: int) -> None:
        _leave_at_last(128 + number)
        tasks.add(loop.create_task(app.end(128 + number)))

    numbers = (signal.SIGHUP, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, leave, number)
    watch = loop.create_task(_watch(lambda: leave(signal.SIGHUP)))
    try:
        yield
    finally:
        watch.cancel()
        for number in numbers:
            loop.remove_signal_handler(number)


def _leave_at_last(code: int) -> None:
    timer = threading.Timer(LAST_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()


async def _watch(leave: Callable[[], None]) -> None:
    """Look whether the terminal is still there; asking the kernel costs nothing and reads no key."""
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    except (OSError, ValueError):
        return
    if descriptor < 0 or not os.isatty(descriptor):
        return
    poll = select.poll()
    poll.register(descriptor, 0)
    while True:
        if any(state & _HUNG_UP for _, state in poll.poll(0)):
            break
        await asyncio.sleep(LOOK_SECONDS)

    leave()
