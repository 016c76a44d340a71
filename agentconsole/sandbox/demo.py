"""``agentconsole demo``: starts a sandbox, opens the console on it, and leaves nothing behind."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import IO, Final

from agentconsole.errors import AgentConsoleError, NotFound, UsageError
from agentconsole.sandbox import place
from agentconsole.sandbox.guide import say_closed, show_commands
from agentconsole.sandbox.place import Place

SMALLEST: Final = (60, 20)
READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
STEP_VARIABLE: Final = "AGENTCONSOLE_DEMO_STEP"
"""Set by ``make demo``, which numbers its lines and has said the first one."""

GIVE_BACK: Final = "\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[?1004l\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[<u\x1b[m"
"""Leaves the other screen, shows the caret, ends pasting, focus, mouse and key reports (xterm, kitty)."""

TEXTS: Final = {
    "hello": (
        "agentconsole demo: nothing leaves this machine, no account is needed.",
        "agentconsole 데모: 이 컴퓨터 밖으로 나가는 것이 없고 계정도 필요 없습니다.",
    ),
    "sandbox": (
        "sandbox: mail, SMS and chat servers on 127.0.0.1, {customers} customers  {seconds} s",
        "샌드박스: 127.0.0.1의 메일·문자·채팅 서버, 고객 {customers}명  {seconds}초",
    ),
    "opening": (
        "Opening the console. Leave with q; everything is thrown away then.",
        "콘솔을 엽니다. q로 나가면 모두 지워집니다.",
    ),
    "opening_kept": (
        "Opening the console. Leave with q; its state is kept in {folder}.",
        "콘솔을 엽니다. q로 나가며, 상태는 {folder}에 남습니다.",
    ),
    "no_terminal": (
        "No terminal here: Emily's story by commands instead (--headless only keeps the sandbox running).\n"
        "Every command below has --config {config}",
        "터미널이 아니므로 Emily 이야기를 명령으로 보여 줍니다 (--headless는 샌드박스만 실행).\n"
        "아래 명령마다 --config {config}",
    ),
    "dropped": (
        "The line is down; the hub and the half-written reply go on. Back with:\n  {console}",
        "연결이 끊겼습니다. 허브와 쓰던 답장은 그대로입니다. 다시 열기:\n  {console}",
    ),
    "again": (
        "Your demo still runs; opening the console on it. --keep DIR starts another one.",
        "데모가 아직 실행 중이라 콘솔을 다시 엽니다. 새로 시작: --keep DIR",
    ),
}


class _Gone(Exception):
    """The terminal is gone or the process is asked to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _World:
    """The sandbox's process as seen from here."""

    def __init__(self, where: Place, *, keep: bool) -> None:
        self.where = where
        self.keep = keep
        words = [sys.executable, "-P", "-m", "agentconsole.sandbox.world", str(where.folder)]
        self._log: IO[bytes] = open(where.folder / "world.txt", "ab")  # noqa: SIM115 - closed in ``stop``
        self.process = subprocess.Popen(
            [*words, "--keep"] if keep else words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
            cwd="/",
        )

    def ready(self) -> dict[str, object]:
        """Wait until everybody waits who shall.

        Raises:
            AgentConsoleError: with what the world said.
        """
        assert self.process.stdout is not None
        seen, _, _ = select.select([self.process.stdout], [], [], READY_SECONDS)
        told = _json(self.process.stdout.readline()) if seen else {}
        if "error" in told:
            raise AgentConsoleError(str(told["error"]), str(told.get("hint", "")))
        if not told:
            said = (self.where.folder / "world.txt").read_text("utf-8", "replace").strip()
            raise AgentConsoleError(
                f"The sandbox did not start. {said[-600:]} Nothing of yours was touched.", "Try it once more."
            )
        return told

    def leave(self) -> None:
        """Let the world go on without us."""
        self._log.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.returncode = 0

    def stop(self) -> None:
        """End the world, its hub and its folder."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()
        if not self.keep:
            shutil.rmtree(self.where.folder, ignore_errors=True)

    def _kill(self) -> None:
        """Last resort: a world that does not end, and its hub, by their ids."""
        about = place.read_json(self.where.about)
        self.process.kill()
        self.process.wait()
        hub = about.get("hub")
        if isinstance(hub, int) and hub > 0:
            with contextlib.suppress(OSError):
                os.kill(hub, signal.SIGKILL)


def _json(data: bytes) -> dict[str, object]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def korean(environ: Mapping[str, str]) -> bool:
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return locale.lower().startswith("ko")


def run(args: argparse.Namespace) -> int:
    """Run the demo and return its exit code.

    Args:
        args: ``keep`` (a folder), ``headless``, ``drop``.

    Raises:
        UsageError: a package, a window size or a usable folder is missing.
    """
    if getattr(args, "drop", False):
        return _drop()
    _check_packages()
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    if tty and not args.headless:
        _check_window()
        left = None if args.keep else _left_open()
        if left is not None:
            _say("again")
            os.execv(sys.executable, command(left, "console"))  # noqa: S606 - there is no shell to pass through
    where = _folder(args.keep)
    signals = _Signals()
    try:
        world = _World(where, keep=bool(args.keep))
        try:
            signals.release()
            if args.headless:
                return _headless(world)
            return _console(world) if tty else _story(world)
        except _Gone as gone:
            if gone.number == signal.SIGHUP:
                world.leave()
                return 128 + gone.number
            return 0 if args.headless else 128 + gone.number
        finally:
            signals.hold()
            if world.process.returncode is None:
                world.stop()
    finally:
        signals.restore()


def _check_packages() -> None:
    missing = [name for name in ("pymap", "aiosmtpd") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The demo's mail server needs {' and '.join(missing)}, which are not installed. Nothing was started.",
            "Run: pip install 'agentconsole[demo]'",
        )


def _check_window() -> None:
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    least_columns, least_lines = SMALLEST
    if columns < least_columns or lines < least_lines:
        raise UsageError(
            f"The demo needs a window of at least {least_columns}x{least_lines}; this one has {columns}x{lines}. "
            "Nothing was started.",
            "Make it larger and run the same again.",
        )


def _left_open() -> Place | None:
    """Return a sandbox of ours whose window was closed, and which waits for somebody to come back."""
    where = place.running()
    if where is None:
        return None
    pid = place.read_json(where.about).get("pid")
    console = where.console.read_text() if where.console.is_file() else ""
    waits = isinstance(pid, int) and place.alive(pid) and console.isdigit() and not place.alive(int(console))
    return where if waits else None


def _folder(keep: str) -> Place:
    if not keep:
        return place.new()
    folder = Path(keep).expanduser().absolute()
    where = Place(folder)
    if folder.exists() and not where.config.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} holds something that is no demo. Nothing was started or changed.",
            "Name a new or an empty folder.",
        )
    pid = place.read_json(where.about).get("pid")
    if isinstance(pid, int) and place.alive(pid):
        raise UsageError(f"A demo runs in {folder} already (process {pid}).", f"Open it with: {place.console(where)}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return where


class _Signals:
    """Turns "end" and "the terminal is gone" into ``_Gone``, but not while something is half made."""

    def __init__(self) -> None:
        self._holding = True
        self._came = 0
        self._before = {number: signal.signal(number, self._gone) for number in (signal.SIGTERM, signal.SIGHUP)}

    def _gone(self, number: int, _frame: FrameType | None) -> None:
        if not self._holding:
            raise _Gone(number)
        self._came = number

    def release(self) -> None:
        """Raise from now on, and at once for what came meanwhile."""
        self._holding = False
        if self._came:
            raise _Gone(self._came)

    def hold(self) -> None:
        self._holding = True

    def restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _say(name: str, **facts: object) -> None:
    sys.stdout.write(TEXTS[name][korean(os.environ)].format(**facts) + "\n")
    sys.stdout.flush()


def _begin(world: _World) -> None:
    step = os.environ.get(STEP_VARIABLE, "")
    if not step:
        _say("hello")
    started = time.monotonic()
    told = world.ready()
    seconds = f"{time.monotonic() - started:.0f}"
    text = TEXTS["sandbox"][korean(os.environ)].format(customers=told.get("customers"), seconds=seconds)
    sys.stdout.write(f"{step + ' ' if step else ''}{text}\n")
    sys.stdout.flush()


def command(where: Place, *words: str) -> list[str]:
    """Return a command line that works on a sandbox as it is."""
    return [sys.executable, "-P", "-m", "agentconsole", "--config", str(where.config), *words]


def _console(world: _World) -> int:
    where = world.where
    _begin(world)
    _say("opening_kept" if world.keep else "opening", folder=where.folder)
    terminal = termios.tcgetattr(sys.stdin.fileno())
    console = subprocess.Popen(command(where, "console"))
    try:
        where.console.write_text(str(console.pid))
        # ctrl+c belongs to the console, which has the terminal.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = console.wait()
    except _Gone as gone:
        if gone.number != signal.SIGHUP:
            console.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            console.wait(STOP_SECONDS)
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if code < 0:
        # It died without a chance to give the terminal back.
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, terminal)
        sys.stdout.write(GIVE_BACK)
    if where.dropped.exists():
        where.dropped.unlink()
        _say("dropped", console=place.console(where))
        world.leave()
        return 0
    show_commands(where, korean(os.environ))
    world.stop()
    say_closed(where, kept=world.keep, korean=korean(os.environ))
    return code


def _story(world: _World) -> int:
    from agentconsole.sandbox import story

    _begin(world)
    _say("no_terminal", config=world.where.config)
    code = story.tell(world.where)
    world.stop()
    say_closed(world.where, kept=world.keep, korean=korean(os.environ))
    return code


def _headless(world: _World) -> int:
    world.ready()
    about = {"config": str(world.where.config), "profile": place.PROFILE, "pid": os.getpid()}
    sys.stdout.write(json.dumps(about) + "\n")
    sys.stdout.flush()
    world.process.wait()
    return 0


def _drop() -> int:
    """Drop the line of the running demo's console, as a broken SSH connection does."""
    where = place.running()
    pid_file = where.console if where is not None else None
    if where is None or pid_file is None or not pid_file.is_file():
        raise NotFound("No demo with a console runs. Nothing was done.", "Start one with: agentconsole demo")
    pid = int(pid_file.read_text() or "0")
    if pid <= 1 or not place.alive(pid):
        raise NotFound("The demo's console is closed already.", f"Open it: {place.console(where)}")
    where.dropped.touch()
    os.kill(pid, signal.SIGHUP)
    _say("dropped", console=place.console(where))
    return 0
