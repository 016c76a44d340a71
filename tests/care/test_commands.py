"""``agentconsole store …`` as a person types it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentconsole.cli.app import run
from agentconsole.cli.context import World
from tests.care.places import filled
from tests.folders import quick_folder


def typed(*words: str, code: int = 0) -> str:
    """Type a command, in this process; return what it says on both lines."""
    told = io.StringIO()
    assert run(words, World(stdout=told, stderr=told)) == code, told.getvalue()
    return told.getvalue()


@pytest.fixture
def folder(monkeypatch):
    before = os.umask(0o077)
    with quick_folder("acc-") as found:
        filled(found, monkeypatch)
        yield found
    os.umask(before)


def test_a_drill_from_backup_to_prune(folder: Path):
    store, copy = str(folder / "store"), str(folder / "copy")
    told = json.loads(typed("--json", "store", "backup", copy, "--store", store))
    assert (told["customers"], told["entries"], told["damaged"]) == (2, 23, [])
    assert "not empty" in typed("store", "backup", copy, "--store", store, code=2)
    assert "is whole" in typed("store", "check", "--backup", copy)
    assert "kept in" in typed("store", "restore", copy, "--store", store)
    assert "damaged 0" in typed("store", "check", "--store", store)
    assert json.loads(typed("--json", "store", "rebuild", "--store", store))["entries"] == 23
    prune = ("store", "prune", "--store", store, "--older-than", "0")
    assert "--yes" in typed(*prune, code=2)
    assert len(list(folder.glob("store.before-restore-*"))) == 1
    typed(*prune, "--yes")
    assert not list(folder.glob("store.before-restore-*"))
    (head,) = (folder / "store").glob("customers/*/k1.json")
    data = head.read_bytes()
    head.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    assert "agentconsole store accept k1" in typed("store", "check", "--store", store, code=1)


def test_ctrl_c_leaves_a_folder_that_is_visibly_unfinished(folder: Path):
    (folder / "store" / "blobs" / "zz").mkdir(parents=True)
    os.mkfifo(folder / "gate")
    code = (
        "import signal, sys\nfrom agentconsole.store.care import backup\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def stop(self):\n open(sys.argv[1], 'w').close()\n import time; time.sleep(200)\n"
        "backup._Backup._copy_all = stop\nfrom agentconsole.cli.app import run\nsys.exit(run(sys.argv[2:]))"
    )
    words = ["store", "backup", str(folder / "copy"), "--store", str(folder / "store")]
    process = subprocess.Popen([sys.executable, "-c", code, str(folder / "gate"), *words], stderr=subprocess.PIPE)
    (folder / "gate").read_bytes()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert [path.name for path in (folder / "copy").iterdir()] == ["manifest.jsonl.tmp"]
    assert "no whole backup" in typed("store", "restore", str(folder / "copy"), "--store", str(folder / "new"), code=1)
    assert not (folder / "new").exists()
