"""The real thing in processes of its own: a command starts a hub, others attach, it is stopped and restarted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentconsole import bootstrap
from tests.cli.conftest import Ran
from tests.waiting import DEADLINE, until


@dataclass
class Place:
    folder: Path
    config: Path
    linger: float = 10

    async def run(self, *words: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agentconsole",
            "--config",
            str(self.config),
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"},
        )
        async with asyncio.timeout(DEADLINE):
            out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def pid(self) -> int:
        found = await self.run("--json", "status", "--no-start")
        assert found.code == 0, found
        return int(json.loads(found.out)["pid"])


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    config = tmp_path / "config.toml"
    config.write_text('[profiles.solo]\nstore = "tinydb:data"\n', encoding="utf-8")
    found = Place(tmp_path, config)
    yield found
    await found.run("stop", "--now")


async def test_a_command_starts_a_hub_that_others_find_and_that_outlives_it(place: Place):
    first = await place.run("--json", "customer", "add", "Emily Rhodes", "emily@example.com")
    assert first.code == 0, first
    assert "Starting a hub" in first.err
    pid = await place.pid()
    assert os.getsid(pid) == pid, "the hub has a session of its own"
    second = await place.run("show", "emily@example.com")
    assert (second.code, second.err, second.out.startswith("Emily Rhodes; ")) == (0, "", True)
    assert await place.pid() == pid
    socket = place.folder / "data" / "run" / "hub.sock"
    assert [p.stat().st_mode & 0o077 for p in (place.folder / "data", socket.parent, socket)] == [0, 0, 0]


async def test_many_at_once_make_one_hub(place: Place):
    names = [f"Customer {number}" for number in range(5)]
    found = await asyncio.gather(*(place.run("--json", "customer", "add", name) for name in names))
    assert [one.code for one in found] == [0] * 5, found
    pid = await place.pid()
    assert json.loads((await place.run("--json", "status")).out)["store"]["customers"] == 5
    stopped = json.loads((await place.run("--json", "stop")).out)
    assert stopped == {"stopped": True, "pid": pid}


async def test_after_kill_9_the_next_command_starts_a_new_hub_and_everything_is_there(place: Place):
    await place.run("customer", "add", "Emily Rhodes", "emily@example.com")
    pid = await place.pid()
    os.kill(pid, signal.SIGKILL)

    async def dead() -> bool:
        return not Path(f"/proc/{pid}").exists()

    await until(dead)
    assert (place.folder / "data/run/hub.sock").exists(), "a stale socket lies there"
    assert (await place.run("--json", "inbox", "--no-start")).code == 4
    again = await place.run("show", "emily@example.com")
    assert (again.code, again.out.startswith("Emily Rhodes; ")) == (0, True), again


async def test_restart_brings_it_back_and_stop_ends_it(place: Place):
    await place.run("status")
    before = json.loads((await place.run("--json", "status")).out)["started_at"]
    restarted = await place.run("--json", "restart")
    assert (restarted.code, json.loads(restarted.out)["restarted"]) == (0, True), restarted
    assert json.loads((await place.run("--json", "status", "--no-start")).out)["started_at"] != before
    assert (await place.run("stop")).code == 0
    assert (await place.run("stop")).out == "No hub runs.\n"
    assert not (place.folder / "data/run/hub.sock").exists()


async def test_a_second_hub_on_the_same_store_is_refused(place: Place):
    await place.run("status")
    second = await place.run("--json", "serve")
    assert (second.code, json.loads(second.out)["error"]["code"]) == (4, "store_busy")
    assert (await place.run("status", "--no-start")).code == 0


async def test_a_hub_that_cannot_start_says_why_and_the_command_passes_it_on(place: Place):
    place.config.write_text(
        '[profiles.solo]\nstore = "tinydb:data"\n[profiles.solo.channels.x]\nkind = "emial"\n', encoding="utf-8"
    )
    found = await place.run("inbox")
    assert (found.code, found.out) == (2, "")
    assert "config.toml:4: profiles.solo.channels.x.kind: there is no channel kind emial (nearest: email)." in found.err
    assert "Traceback" not in found.err
    (place.folder / "file").write_text("x", encoding="utf-8")
    place.config.write_text('[profiles.solo]\nstore = "tinydb:file"\n', encoding="utf-8")
    found = await place.run("inbox")
    assert (found.code, "Traceback" in found.err) == (1, False)
    assert "file" in found.err


async def test_a_solo_hub_leaves_when_nobody_needs_it(place: Place):
    place.config.write_text('[profiles.solo]\nstore = "tinydb:data"\nhub.linger_minutes = 0.005\n', encoding="utf-8")
    await place.run("status")

    async def gone() -> bool:
        return not (place.folder / "data/run/hub.sock").exists()

    await until(gone, 15)
    log = (place.folder / "data/hub.log").read_text(encoding="utf-8")
    assert "is served at" in log
    assert "Traceback" not in log


async def test_sigterm_ends_a_hub_in_the_foreground_cleanly(place: Place):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "agentconsole", "--config", str(place.config), "--json", "serve"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(place.folder)},
    )
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE):
        told = b""
        while not told.rstrip().endswith(b"}"):
            told += await process.stdout.readline()
        ready = json.loads(told)
        assert (ready["profile"], ready["pid"]) == ("solo", process.pid)
        assert (await place.run("status", "--no-start")).code == 0
        process.terminate()
        _, err = await process.communicate()
    assert (process.returncode, b"Traceback" in err) == (0, False), err


def test_a_store_that_lies_deep_has_its_socket_in_a_private_folder_elsewhere(monkeypatch: pytest.MonkeyPatch):
    tmp_path = Path(tempfile.mkdtemp(prefix="ac"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deep = tmp_path / ("x" * 90)
    path = bootstrap.solo_socket(deep)
    assert len(os.fsencode(path)) <= bootstrap.LONGEST_SOCKET
    assert not path.is_relative_to(deep)
    assert path != bootstrap.solo_socket(tmp_path / ("y" * 90))
    bootstrap.prepare_socket(path)
    assert path.parent.stat().st_mode & 0o077 == 0
    path.parent.rmdir()
    tmp_path.rmdir()


def test_a_socket_folder_that_others_can_write_is_refused(tmp_path: Path):
    from agentconsole.errors import StoreFault

    (tmp_path / "run").mkdir(mode=0o777)
    (tmp_path / "run").chmod(0o777)
    with pytest.raises(StoreFault, match="open to others"):
        bootstrap.prepare_socket(tmp_path / "run" / "hub.sock")
