"""``agentconsole store …`` as a person types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.care.places import filled
from tests.folders import quick_folder


def typed(*words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "agentconsole", *words], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def folder(monkeypatch):
    with quick_folder("acc-") as found:
        filled(found, monkeypatch)
        yield found


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
        "import sys\nfrom agentconsole.store.care import backup\n"
        "def stop(self):\n open(sys.argv[1], 'w').close()\n import time; time.sleep(20)\n"
        "backup._Backup._copy_all = stop\nfrom agentconsole.cli.app import run\nsys.exit(run(sys.argv[2:]))"
    )
    words = ["store", "backup", str(folder / "copy"), "--store", str(folder / "store")]
    process = subprocess.Popen([sys.executable, "-c", code, str(folder / "gate"), *words], stderr=subprocess.PIPE)
    (folder / "gate").read_bytes()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert [path.name for path in (folder / "copy").iterdir()] == ["manifest.jsonl.tmp"]
    assert "no whole backup" in typed("store", "restore", str(folder / "copy"), "--store", str(folder / "new"), code=1)
    assert not (folder / "new").exists()
