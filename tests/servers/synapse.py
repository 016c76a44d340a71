"""A real Matrix homeserver on loopback: ``with start_synapse(folder) as synapse:`` gives its address and makes users.

Synapse lies in a virtual environment of its own (``.servers/synapse`` beside the package, or the folder that
``AGENTCONSOLE_SYNAPSE`` names), because it pins libraries that we need in other versions. The settings are from
measurements: cheap password hashes and raised limits, or the first sign-in takes seconds and tests meet 429.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.ports import free_port

SERVER_NAME = "localtest"
PASSWORD = "open sesame 열려라"
START_SECONDS = 120.0
STOP_SECONDS = 15.0
_FREE = {"per_second": 10_000, "burst_count": 10_000}


def python() -> Path:
    """Return the interpreter that has Synapse."""
    here = Path(__file__).parents[2] / ".servers" / "synapse"
    return Path(os.environ.get("AGENTCONSOLE_SYNAPSE") or here) / "bin" / "python"


def missing() -> str:
    """Return why Synapse cannot run here, or an empty text."""
    return "" if python().exists() else f"Synapse is not installed at {python().parents[1]}"


@dataclass
class Synapse:
    """Where it listens, and the secret by which users are registered."""

    url: str
    secret: str
    process: subprocess.Popen[bytes]
    server_name: str = SERVER_NAME

    def register(self, name: str, password: str = PASSWORD, *, admin: bool = False) -> str:
        """Make a user and return their id."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            nonce = client.get("/_synapse/admin/v1/register").json()["nonce"]
            words = (nonce, name, password, "admin" if admin else "notadmin")
            mac = hmac.new(self.secret.encode(), "\x00".join(words).encode(), hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": mac}
            answer = client.post("/_synapse/admin/v1/register", json=body)
            answer.raise_for_status()
            return str(answer.json()["user_id"])

    def log_in(self, user: str, password: str = PASSWORD) -> str:
        """Return a new access token of a user."""
        who = {"type": "m.id.user", "user": user}
        body = {"type": "m.login.password", "identifier": who, "password": password}
        answer = httpx.post(f"{self.url}/_matrix/client/v3/login", json=body, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])


@contextlib.contextmanager
def start_synapse(folder: Path) -> Iterator[Synapse]:
    """Start a homeserver with SQLite in ``folder`` and stop it by its process id.

    Raises:
        RuntimeError: it did not come up; the end of its log is in the message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, secret = free_port(), secrets.token_hex(16)
    config = folder / "homeserver.yaml"
    # JSON is YAML, and needs no library.
    config.write_text(json.dumps(_config(folder, port, secret)))
    with (folder / "synapse.log").open("wb") as log:
        process = subprocess.Popen(
            [str(python()), "-m", "synapse.app.homeserver", "--config-path", str(config)],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    synapse = Synapse(f"http://127.0.0.1:{port}", secret, process)
    try:
        _await(synapse, folder / "synapse.log")
        yield synapse
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(synapse: Synapse, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and synapse.process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{synapse.url}/_matrix/client/versions", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Synapse did not come up: {log.read_text(errors='replace')[-2000:]}")


def _config(folder: Path, port: int, secret: str) -> dict[str, object]:
    key = folder / "signing.key"
    key.write_text(f"ed25519 a_test {base64.b64encode(secrets.token_bytes(32)).decode().rstrip('=')}\n")
    client = {"names": ["client"], "compress": False}
    return {
        "server_name": SERVER_NAME,
        "pid_file": str(folder / "synapse.pid"),
        "listeners": [{"port": port, "type": "http", "bind_addresses": ["127.0.0.1"], "resources": [client]}],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "synapse.db")}},
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(key),
        "registration_shared_secret": secret,
        "macaroon_secret_key": secrets.token_hex(16),
        "form_secret": secrets.token_hex(16),
        "report_stats": False,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "presence": {"enabled": False},
        "bcrypt_rounds": 4,
        "rc_message": _FREE,
        "rc_login": {"address": _FREE, "account": _FREE, "failed_attempts": _FREE},
        "rc_joins": {"local": _FREE, "remote": _FREE},
        "rc_joins_per_room": _FREE,
        "rc_invites": {"per_room": _FREE, "per_user": _FREE, "per_issuer": _FREE},
        "rc_room_creation": _FREE,
    }
