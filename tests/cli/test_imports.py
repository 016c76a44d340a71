"""Start-up stays fast because a command loads nothing that it does not need."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NETWORK_AND_STORE = {
    "httpx",
    "httpcore",
    "aiosmtplib",
    "imaplib2",
    "tinydb",
    "sqlite3",
    "starlette",
    "uvicorn",
    "phonenumbers",
    "justhtml",
    "tomlkit",
}


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "AGENTCONSOLE_HUB": "/nowhere/hub.sock"},
    )
    return {name.split(".")[0] for name in done.stdout.split()} | set(done.stdout.split())


@pytest.mark.parametrize("words", [["inbox"], ["show", "x"], ["send", "x", "--text", "y"], ["status"], ["--help"]])
def test_a_command_loads_no_console_network_or_store(words: list[str]):
    found = loaded(f"from agentconsole.cli.app import run\nrun({words!r})")
    assert (NETWORK_AND_STORE | {"textual", "rich"}) & found == set()
    assert "agentconsole.hub" not in found
    assert "agentconsole.cli.app" in found


def test_the_console_loads_no_network_and_no_store():
    found = loaded(
        "import agentconsole.bootstrap, agentconsole.cli.start, agentconsole.remote\n"
        "import agentconsole.ui.app, agentconsole.ui.settings"
    )
    assert NETWORK_AND_STORE & found == set()
    assert {"agentconsole.channels", "agentconsole.store", "agentconsole.hub"} & found == set()
    assert "textual" in found
