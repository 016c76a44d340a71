"""What takes the whole terminal for a while: the agent's editor, and a picture. The console waits and goes on.

``suspend`` alone dead-locks as soon as the console draws while it waits; drawing rests in ``batch_update``. An
exception inside would never give the screen back, so none leaves the block.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported
from textual.drivers.linux_driver import LinuxDriver

from agentconsole.domain.entries import Received
from agentconsole.domain.model import Attachment, CustomerId
from agentconsole.errors import AgentConsoleError
from agentconsole.files import incoming, names
from agentconsole.text import answering
from agentconsole.text.sanitise import sanitise
from agentconsole.ui.drafting import Writing

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

LONGEST: Final = 400_000
"""Characters that are taken over from an editor."""

_NOT_RUN: Final = 127


def editor(environ: Mapping[str, str]) -> list[str]:
    """Return the agent's editor as a command."""
    for name in ("VISUAL", "EDITOR"):
        with contextlib.suppress(ValueError):
            if words := shlex.split(environ.get(name, "")):
                return words
    return ["vi"]


def folder(environ: Mapping[str, str]) -> Path:
    """Return the private folder of texts under way in an editor (0700), made where it is not there."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if runtime.startswith("/") else Path(os.path.expanduser("~/.cache"))
    made = base / "agentconsole" / "writing"
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    made.chmod(0o700)
    return made


@contextlib.contextmanager
def _interrupts_are_theirs() -> Iterator[None]:
    """Ctrl+c goes to everybody in the foreground; here it means only the program that has the screen.

    A handler, not ``SIG_IGN``: what is ignored stays ignored in the program that is started.
    """
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def run(app: Console, command: Sequence[str], then: str = "") -> int:
    """Give the terminal to a program until it ends; return its exit code, 127 where it cannot be started.

    Args:
        then: said when it has ended; the screen comes back after an enter, so that what it said can be read.

    Raises:
        SuspendNotSupported: there is no terminal to give.
    """
    code = _NOT_RUN
    with app.batch_update(), app.suspend():
        try:
            with _interrupts_are_theirs():
                process = await asyncio.create_subprocess_exec(*command)
                try:
                    code = await process.wait()
                except asyncio.CancelledError:
                    with contextlib.suppress(ProcessLookupError):
                        process.terminate()
                    await process.wait()
            if then:
                await _enter(then)
        except OSError:
            code = _NOT_RUN
    return code


async def _enter(told: str) -> None:
    """Say something on the terminal and wait for a line of it, or for its end."""
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    assert sys.__stdin__ is not None
    number = sys.__stdin__.fileno()
    await asyncio.to_thread(print, f"\n{told}", end=" ", file=sys.__stderr__, flush=True)
    loop.add_reader(number, typed.set)
    try:
        await typed.wait()
        await asyncio.to_thread(os.read, number, 4096)
    finally:
        loop.remove_reader(number)


def suspend(app: Console) -> None:
    """Stop the whole job, as ``ctrl+z`` does in any program: what started the console, ``make`` for one, would wait on
    and keep the shell away."""
    driver = app._driver
    if isinstance(driver, LinuxDriver):
        app.app_suspend_signal.publish(app)
        driver.suspend_application_mode()  # before the shell draws its prompt
        driver._must_signal_resume = True
        os.killpg(0, signal.SIGSTOP)
        app.call_later(app.refresh, repaint=True, layout=True)  # the shell's screen took the place of what was drawn


class Editor:
    """Args:
    app: the console whose draft is written in the agent's editor.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self._open = False

    async def edit(self) -> None:
        """Open the draft in the editor and take over what comes back; where anything goes wrong the text stays."""
        app, writer = self.app, self.app.writer
        writing = writer.now
        if writing is None or writer.pane is None or self._open:
            return
        writer.take()
        await self._keep()
        self._open = True
        try:
            await self._edit(writing)
        finally:
            self._open = False
            app.refresh(repaint=True, layout=True)

    async def _keep(self) -> None:
        with contextlib.suppress(AgentConsoleError):
            await self.app.writer.keep()  # the editor may outlive the line to the hub

    async def _edit(self, writing: Writing) -> None:
        app = self.app
        answered = "" if writing.note else self._answered(writing)
        before = answering.for_editor(writing.text, app.say("editor.cut"), answered)
        try:
            path = await asyncio.to_thread(_written, before)
        except OSError as exc:
            app.tell("editor.no_file", "bad", why=exc.strerror or "")
            return
        command = editor(os.environ)
        try:
            code = await run(app, [*command, str(path)])
        except SuspendNotSupported:
            code = _NOT_RUN
        after = await asyncio.to_thread(_read, path)
        changed = after is not None and after != before
        text = answering.from_editor(sanitise(after or "", limit=LONGEST))
        if code == _NOT_RUN:
            app.tell("editor.missing", "bad", name=command[0])
        elif code != 0:
            if changed:
                app.tell("editor.failed_kept", "bad", code=str(code), path=str(path))
                return
            app.tell("editor.failed", "warn", code=str(code))
        elif after is None:
            app.tell("editor.gone", "bad")
        elif not changed:
            app.tell("editor.same", "dim")
        elif not text.strip() and writing.text.strip():
            app.tell("editor.emptied", "warn")
        elif await self._take_over(writing, text):
            app.tell("editor.back", "good")
        else:
            app.tell("editor.elsewhere", "warn", path=str(path))
            return
        await self._done_with(path, writing)

    def _answered(self, writing: Writing) -> str:
        opened = self.app.reading.opened
        entries = opened.entries if opened is not None else ()
        found = next((entry for entry in entries if entry.id == writing.answers), None)
        return sanitise(found.text) if isinstance(found, Received) else ""

    async def _take_over(self, writing: Writing, text: str) -> bool:
        writer = self.app.writer
        pane = writer.pane
        if pane is None or writer.now is not writing or not writer.is_open:
            return False
        box = pane.box
        box.replace(text, (0, 0), box.document.end)  # unlike a new text it can be undone in the box
        box.move_cursor(box.document.end)
        self.app.focus_on(box)
        writer.changed()
        return True

    async def _done_with(self, path: Path, writing: Writing) -> None:
        """Remove the file once the hub has the text: what customers wrote lies nowhere longer than it must."""
        self.app.writer.take()
        await self._keep()
        if not writing.unsaved or writing.empty:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _written(text: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix="reply-", suffix=".txt", dir=folder(os.environ))
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST * 4).decode("utf-8", "replace")
    except OSError:
        return None


async def show_picture(app: Console, customer: CustomerId, file: Attachment) -> None:
    """Show a picture in the terminal until a key; what understands it runs apart with bounded memory."""
    try:
        place = await asyncio.to_thread(folder, os.environ)
        path = await incoming.save(app.desk, app.who, customer, file, place)
    except (OSError, AgentConsoleError) as exc:
        app.tell("picture.failed", "bad", name=names.safe(file.name), why=str(exc))
        return
    try:
        told = app.say("picture.any_key")
        code = await run(app, [sys.executable, "-m", "agentconsole.files.picture", str(path), told])
    except SuspendNotSupported:
        code = _NOT_RUN
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    app.refresh(repaint=True, layout=True)
    if code == 3:
        app.tell("picture.no_library", "warn")
    elif code != 0:
        app.tell("picture.failed", "bad", name=names.safe(file.name), why="")
    else:
        app.tell_text(app.say("picture.shown"), "dim")
