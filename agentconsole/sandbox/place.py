"""Where a sandbox keeps its things, and the configuration that a hub serves it with."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROFILE: Final = "demo"
LONGEST_SOCKET: Final = 100
"""Bytes of a socket's path: Linux takes 107 (unix(7)), a margin is kept."""

PREFIX: Final = "acdemo-"


@dataclass(frozen=True)
class Place:
    """The folder of one sandbox. All paths are derived from it; nothing is read."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "demo.toml"

    @property
    def command(self) -> Path:
        """A program that is ``agentconsole`` on this sandbox."""
        return self.folder / "agentconsole"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def about(self) -> Path:
        """Process ids and sockets of a running sandbox, as JSON."""
        return self.folder / "world.json"

    @property
    def coach(self) -> Path:
        return self.folder / "coach.json"

    @property
    def console(self) -> Path:
        """The process id of the console that ``agentconsole demo`` opened."""
        return self.folder / "console.pid"

    @property
    def dropped(self) -> Path:
        """Stands there when the line was dropped on purpose."""
        return self.folder / "dropped"

    def secret(self, name: str) -> Path:
        return self.folder / "secrets" / name


def new() -> Place:
    """Make a folder for a sandbox that is thrown away."""
    return Place(Path(tempfile.mkdtemp(prefix=PREFIX)))


def program() -> str:
    """Return how this program is called from any folder."""
    here = Path(sys.executable).parent / "agentconsole"
    return str(here) if here.is_file() and not shutil.which("agentconsole") else "agentconsole"


def console(place: Place) -> str:
    """Return the command that opens the console on a sandbox from any folder; short, because the coach shows it."""
    return f"agentconsole --config {place.config}" if shutil.which("agentconsole") else str(place.command)


def write_command(place: Place) -> None:
    """Write a program that is ``agentconsole`` on this sandbox, for those who have not installed it."""
    words = shlex.join([sys.executable, "-P", "-m", "agentconsole", "--config", str(place.config)])
    with open(os.open(place.command, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {words} "$@"\n')


def beside(store: Path) -> Place | None:
    """Return the sandbox that a store belongs to, if it is a sandbox's."""
    place = Place(store.parent)
    return place if place.about.is_file() else None


def running() -> Place | None:
    """Return this login's newest sandbox that was not thrown away."""
    folders = [
        found
        for found in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
        if found.is_dir() and found.stat().st_uid == os.geteuid() and (found / "world.json").is_file()
    ]
    return Place(max(folders, key=lambda found: found.stat().st_mtime)) if folders else None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sockets(place: Place) -> Path:
    """Make the 0700 folder of the sandbox's sockets: in its own, or elsewhere where that path is too long."""
    folder = place.folder / "run"
    if len(os.fsencode(folder / "control.sock")) > LONGEST_SOCKET:
        return Path(tempfile.mkdtemp(prefix="acd-"))
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object, or an empty one where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Ports:
    """Where the sandbox's servers listen on 127.0.0.1, and where the hub shall."""

    imap: int
    smtp: int
    sms: str
    whatsapp: str
    telegram: str
    hook: int


def write_config(place: Place, ports: Ports, hub_socket: Path, given: dict[str, dict[str, str]]) -> None:
    """Write ``demo.toml`` and the secrets that it refers to.

    Args:
        given: per account the plain values that its kind needs; those named in ``SECRETS`` go to files.
    """
    accounts: dict[str, dict[str, Any]] = {
        "email": {
            "kind": "email",
            "address": given["email"]["address"],
            "name": "Harbour Eye Clinic",
            "imap": _server(place, ports.imap, given["email"]["address"]),
            "smtp": _server(place, ports.smtp, given["email"]["address"]),
        },
        "sms": {"kind": "twilio", "base_url": ports.sms, "poll_seconds": 2},
        "whatsapp": {"kind": "whatsapp", "base_url": ports.whatsapp},
        "telegram": {"kind": "telegram", "base_url": ports.telegram},
    }
    write_private(place.secret("mail_password"), given["email"]["password"])
    lines = [
        "# Written by agentconsole demo. Everything here leads to this machine only.",
        f'default_profile = "{PROFILE}"',
        f"[profiles.{PROFILE}]",
        f"store = {_toml(f'tinydb:{place.store}')}",
        'region = "GB"',
        'default_media = ["email"]',
        "free_space_mb = 20",
        f'http = {{ host = "127.0.0.1", port = {ports.hook} }}',
        f"hub = {{ socket = {_toml(str(hub_socket))}, linger_minutes = 120 }}",
    ]
    for account, keys in accounts.items():
        for name, value in given[account].items():
            if account == "email":
                continue
            if name in SECRETS:
                write_private(place.secret(f"{account}_{name}"), value)
                keys[name] = {"file": str(place.secret(f"{account}_{name}"))}
            else:
                keys[name] = value
        lines += [f"[profiles.{PROFILE}.channels.{account}]", 'since = "1d"']
        lines += [f"{name} = {_toml(value)}" for name, value in keys.items()]
    write_private(place.config, "\n".join(lines) + "\n")
    write_command(place)


SECRETS: Final = frozenset({"auth_token", "access_token", "app_secret", "verify_token", "token"})


def _server(place: Place, port: int, user: str) -> dict[str, Any]:
    password = {"file": str(place.secret("mail_password"))}
    return {"host": "127.0.0.1", "port": port, "tls": "none", "user": user, "password": password}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
