"""``agentconsole demo`` as a process: the story without a terminal, headless for scripts, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agentconsole.sandbox import control
from tests.waiting import DEADLINE, until, until_sync

DEMO = [sys.executable, "-P", "-m", "agentconsole", "demo"]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    # Sockets need a short path; the folder is the test's own, so that what is left can be seen.
    with tempfile.TemporaryDirectory(prefix="acd") as folder:
        yield {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "TMPDIR": folder,
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }


def left(environment: dict[str, str]) -> list[str]:
    """Return folders and processes of a demo that are still there."""
    folder = environment["TMPDIR"]
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [*os.listdir(folder), *(line for line in running.splitlines() if folder in line)]


async def ask(config: str, environment: dict[str, str], *words: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "agentconsole", "--config", config, "--json", *words),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    async with asyncio.timeout(DEADLINE):
        out, _ = await process.communicate()
    return json.loads(out)


@asynccontextmanager
async def headless(environment: dict[str, str], *words: str) -> AsyncIterator[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *DEMO, "--headless", *words, stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            line = await process.stdout.readline()
        yield json.loads(line)
    finally:
        process.terminate()
        async with asyncio.timeout(DEADLINE):
            await process.wait()
    assert process.returncode == 0


def test_without_a_terminal_it_plays_emilys_story_and_leaves_nothing(environment):
    done = subprocess.run(
        DEMO, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "may be" in done.stdout
    assert "WhatsApp: writing here now" in done.stdout
    assert "Yes! 11 March is perfect, thank you" in done.stdout
    assert "opted out" in done.stdout
    assert "no process left" in done.stdout
    assert left(environment) == []


async def test_headless_says_where_it_is_and_scripts_see_cut_heal_and_answers(environment):
    folder = Path(environment["TMPDIR"]) / "mine"
    async with headless(environment, "--keep", str(folder)) as about:
        assert (set(about), about["config"]) == ({"config", "profile", "pid"}, str(folder / "demo.toml"))
        config = about["config"]
        inbox = await ask(config, environment, "inbox")
        assert {row["customer"]["name"] for row in inbox["conversations"]} == {
            "Emily Rhodes",
            "+442079460182",
            "박민수",
            "田中ゆき",
        }
        world = json.loads((Path(config).parent / "world.json").read_text())
        line = await control.Line.open(Path(world["control"]))

        async def state(wanted: str) -> bool:
            found = {a["name"]: a["state"] for a in (await ask(config, environment, "status"))["accounts"]}
            return found["sms"] == wanted

        assert await line.ask(do="cut", medium="sms") == {"ok": True}
        await until(lambda: state("unreachable"), 20, "sms unreachable")
        assert await line.ask(do="heal", medium="sms") == {"ok": True}

        async def caught_up() -> bool:
            rows = (await ask(config, environment, "inbox"))["conversations"]
            return any(row["customer"]["name"] == "Marcus Bell" for row in rows)

        await until(caught_up, 30, "the SMS that was written meanwhile")
        assert await line.ask(do="cut_mid_send", medium="telegram") == {"ok": True}
        sent = await ask(config, environment, "send", "田中ゆき", "--text", "16時で承りました。", "--wait")
        assert sent["error"]["code"] == "uncertain" or sent["reply"]["state"] == "uncertain"
        assert await line.ask(do="cut", medium="nothing") == {"ok": False}
        await line.aclose()
    assert left(environment) == ["mine"]
    async with headless(environment, "--keep", str(folder)) as about:
        rows = (await ask(about["config"], environment, "inbox"))["conversations"]
        assert {"Marcus Bell", "박민수"} <= {row["customer"]["name"] for row in rows}


def test_a_strangers_folder_is_refused(environment, tmp_path):
    (tmp_path / "letter.txt").write_text("not a demo")
    refused = subprocess.run(
        [*DEMO, "--keep", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )
    assert (refused.returncode, (tmp_path / "letter.txt").read_text()) == (2, "not a demo")
    assert "holds something that is no demo" in refused.stderr


def test_a_small_window_gets_one_line(environment):
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 15, 50, 0, 0))
    process = subprocess.Popen(DEMO, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        _, said = process.communicate(timeout=120)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 2
    assert "at least 60x20; this one has 50x15" in said
    assert left(environment) == []


def test_missing_packages_get_one_line(environment, tmp_path):
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name in ('pymap', 'aiosmtpd') else find(name, package)\n"
    )
    done = subprocess.run(
        DEMO,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(tmp_path)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "pymap and aiosmtpd" in done.stderr
    assert "pip install 'agentconsole[demo]'" in done.stderr


def test_a_demo_that_is_told_to_end_while_it_starts_leaves_nothing(environment):
    process = subprocess.Popen([*DEMO, "--headless"], stdout=subprocess.PIPE, env=environment)
    until_sync(lambda: any(Path(environment["TMPDIR"]).glob("*/world.txt")), 15)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    until_sync(lambda: left(environment) == [], 10, "nothing left")
    assert process.returncode == 0
