"""What a console on a sandbox gets beside the hub: the coach, and commands that cut and heal its lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentconsole.sandbox import place, story
from agentconsole.sandbox.coach import STAGES, Coach
from agentconsole.sandbox.control import Line
from agentconsole.sandbox.place import Place
from agentconsole.ui.keymap import Keymap

Entry = tuple[str, Callable[[], Awaitable[object]]]

MEDIA: Final = {
    "email": ("the mail server", "메일 서버"),
    "sms": ("the SMS gateway", "문자 게이트웨이"),
    "whatsapp": ("WhatsApp", "왓츠앱"),
    "telegram": ("Telegram", "텔레그램"),
}
VERBS: Final = {
    "cut": ("Demo: cut {}", "데모: {} 끊기"),
    "cut_mid_send": ("Demo: cut {} mid-send (the next message)", "데모: 다음 발송 중 {} 끊기"),
    "heal": ("Demo: heal {}", "데모: {} 복구"),
}
CLOSED: Final = (
    "Demo closed, 1 folder removed, no process left.\n"
    "Your own first account (about 4 minutes for a mailbox):\n  {program} init",
    "데모를 마침. 폴더 1개 삭제, 남은 프로세스 없음.\n첫 계정 만들기(메일함 하나에 약 4분):\n  {program} init",
)
KEPT: Final = (
    "Demo closed, no process left. Its state is kept:\n  {program} demo --keep {folder}",
    "데모를 마침. 남은 프로세스 없음. 상태 보관:\n  {program} demo --keep {folder}",
)
SHELL: Final = ("The same by commands:", "같은 일을 명령으로:")
STOP_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Guide:
    coach: Coach
    extra: Sequence[Entry]


@contextlib.asynccontextmanager
async def attend(store: Path | None, language: str, keymap: Keymap) -> AsyncIterator[Guide | None]:
    """Be at the sandbox that a store belongs to while a console is open; None where the store is no sandbox's.

    Args:
        store: the folder of the profile's store, where it has one.
        language: ``en`` or ``ko``, of the palette's entries.
        keymap: the keys that the coach names.
    """
    where = await asyncio.to_thread(place.beside, store) if store is not None else None
    about = await asyncio.to_thread(place.read_json, where.about) if where is not None else {}
    try:
        line = await Line.open(Path(str(about["control"])))
        await line.ask(do="here")
    except (OSError, KeyError, TimeoutError, ValueError):
        yield None
        return
    assert where is not None
    try:
        yield Guide(await _coach(where, keymap), _entries(line, language))
        if not await asyncio.to_thread(_dropped, where):
            await _part(line, where, language)
    finally:
        await line.aclose()


def _dropped(where: Place) -> bool:
    """Say whether the console ended because its line dropped, which a sandbox outlives."""
    if where.dropped.exists():
        return True
    try:
        poll = select.poll()
        poll.register(sys.stdin.fileno(), 0)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


async def _part(line: Line, where: Place, language: str) -> None:
    """Take leave. Where the ``agentconsole demo`` is gone that would do it: show the commands and end the sandbox."""
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        answer = await line.ask(do="bye")
        if not answer.get("alone"):
            return
        about = await asyncio.to_thread(place.read_json, where.about)
        await asyncio.to_thread(show_commands, where, language == "ko")
        await line.aclose()
        await asyncio.to_thread(_wait_for, about.get("pid"))
        say_closed(where, kept=bool(answer.get("keep")), korean=language == "ko")


def _wait_for(pid: object) -> None:
    end = time.monotonic() + STOP_SECONDS
    while isinstance(pid, int) and place.alive(pid) and time.monotonic() < end:
        time.sleep(0.05)


def show_commands(where: Place, korean: bool) -> None:
    """The coach's last step, where it was reached: three commands and their answers."""
    if place.read_json(where.coach).get("at") != len(STAGES) - 1:
        return
    sys.stdout.write(SHELL[korean] + "\n")
    for words in story.SHELL:
        story.play(where, *words)
    sys.stdout.write("\n")


def say_closed(where: Place, *, kept: bool, korean: bool) -> None:
    said = (KEPT if kept else CLOSED)[korean]
    sys.stdout.write(said.format(folder=where.folder, program=place.program()) + "\n")
    sys.stdout.flush()


async def _coach(where: Place, keymap: Keymap) -> Coach:
    at = (await asyncio.to_thread(place.read_json, where.coach)).get("at", 0)
    kept: set[asyncio.Future[None]] = set()

    def keep(stage: int) -> None:
        text = json.dumps({"at": stage})
        future = asyncio.get_running_loop().run_in_executor(None, place.write_private, where.coach, text)
        kept.add(future)
        future.add_done_callback(kept.discard)

    return Coach(at if isinstance(at, int) else 0, {"console": place.console(where)}, keep, keymap)


def _entries(line: Line, language: str) -> list[Entry]:
    found: list[Entry] = []
    for medium, names in MEDIA.items():
        for verb, titles in VERBS.items():
            korean = language == "ko"
            found.append((titles[korean].format(names[korean]), _asking(line, verb, medium)))
    return found


def _asking(line: Line, verb: str, medium: str) -> Callable[[], Awaitable[object]]:
    async def ask() -> object:
        return await line.ask(do=verb, medium=medium)

    return ask
