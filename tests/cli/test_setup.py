"""``config``, ``channels``, and the parts of ``doctor`` that need no hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentconsole.channels import registry
from agentconsole.domain.model import Delivery
from agentconsole.errors import OutcomeUnknown, SignInFailed
from tests.cli.conftest import Ran, ran
from tests.fakes import paper

CONFIG = """\
default_profile = "support"
[profiles.support]
store = "tinydb:data"
[profiles.support.channels.mail]
kind = "paper"
own = "us@example.com"
[profiles.support.channels.trial]
kind = "paper"
read_only = true
"""


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> paper.Post:
    """One installed kind, on paper."""
    found = paper.Post()
    kind = paper.kind("paper", "email", "email", found, subject=True)
    monkeypatch.setattr(registry, "names", lambda: ["paper"])
    monkeypatch.setattr(registry, "load", lambda _name: kind)
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    return tmp_path


def on(home: Path, *words: str, **lent: Any) -> Ran:
    return ran("--config", str(home / "config.toml"), *words, environ={"HOME": str(home)}, **lent)


def test_check_says_that_the_file_is_right(home: Path, post: paper.Post):
    found = on(home, "config", "check")
    assert found.out == f"{home}/config.toml is right: 1 profile, 2 accounts.\n"
    assert on(home, "config", "check", "--json").json["profiles"] == [
        {"name": "support", "accounts": [{"name": "mail", "kind": "paper"}, {"name": "trial", "kind": "paper"}]}
    ]


def test_check_tells_mistakes_in_accounts_of_every_profile_with_their_lines(home: Path, post: paper.Post):
    more = '[profiles.b.channels.x]\nkind = "papr"\n[profiles.c.channels.y]\nkind = "paper"\nonw = 1\nsinse = "3d"\n'
    (home / "config.toml").write_text(CONFIG + more, encoding="utf-8")
    found = on(home, "config", "check")
    assert (found.code, found.out) == (2, "")
    assert found.err.replace(f"{home}/config.toml:", "").split("\n")[:4] == [
        "The configuration has 3 mistakes.",
        "11: profiles.b.channels.x.kind: there is no channel kind papr (nearest: paper).",
        "14: profiles.c.channels.y.onw: unknown key (nearest: own).",
        "15: profiles.c.channels.y.sinse: unknown key (nearest: since).",
    ]


def test_a_medium_that_no_account_is_on_is_a_mistake(home: Path, post: paper.Post):
    text = CONFIG.replace("[profiles.support]", '[profiles.support]\ndefault_media = ["sms"]')
    (home / "config.toml").write_text(text, encoding="utf-8")
    found = on(home, "config", "check")
    assert "3: profiles.support.default_media: no account is on the medium sms (there are: email)." in found.err


def test_show_prints_what_is_in_force_and_where_secrets_lie(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOKEN", "hunter2")
    text = '[profiles.a.channels.bot]\nkind = "telegram"\ntoken = { env = "TOKEN" }\n'
    (home / "config.toml").write_text(text, encoding="utf-8")
    found = on(home, "config", "show")
    assert found.code == 0
    assert 'token = { env = "TOKEN" }' in found.out
    assert "exchange_minutes = 15" in found.out
    assert "hunter2" not in found.out
    import tomllib

    assert tomllib.loads(found.out)["profiles"]["a"]["channels"]["bot"]["kind"] == "telegram"
    fields = on(home, "config", "show", "--json").json
    assert fields["settings"]["channels"]["bot"]["token"] == {"env": "TOKEN"}


def test_channels_lists_kinds_with_medium_evidence_and_keys():
    found = ran("channels", "--json").json["channels"]
    assert {kind["name"] for kind in found} == set(registry.names())
    for kind in found:
        assert {"title", "medium", "verified_by", "experimental", "webhook", "keys"} <= set(kind)
        assert all({"key", "type", "required", "default", "description"} <= set(key) for key in kind["keys"])
    told = ran("channels", "telegram")
    assert "medium telegram" in told.out
    assert "\n  token (secret" in told.out
    assert ran("channels", "tellegram").code == 2


def test_doctor_without_a_hub_still_tries_what_it_can(home: Path, post: paper.Post):
    (home / "config.toml").chmod(0o622)
    (home / "data").mkdir(mode=0o755)
    found = on(home, "doctor", "--no-start", "--json")
    told = {check["check"]: check for check in found.json["checks"]}
    assert found.code == 1
    assert told["account mail"]["message"] == "the post is open"
    assert not told["hub"]["ok"]
    assert "chmod go-w" in told["rights of the configuration"]["hint"]
    assert "chmod go-rwx" in told["rights of the store"]["hint"]
    assert told["disk"]["ok"]


def test_doctor_tells_a_missing_secret_without_its_value(home: Path, monkeypatch: pytest.MonkeyPatch):
    private = home / "token"
    private.write_text("hunter2", encoding="utf-8")
    private.chmod(0o644)
    store = '[profiles.a]\nstore = "tinydb:d"\n'
    text = f'{store}[profiles.a.channels.bot]\nkind = "telegram"\ntoken = {{ file = "{private}" }}\n'
    (home / "config.toml").write_text(text, encoding="utf-8")

    async def probe(_context: object, setup: Any) -> Any:
        from agentconsole.cli.setup import Check

        return Check(f"account {setup.name}", True, "fine")

    monkeypatch.setattr("agentconsole.cli.setup.probe", probe)
    found = on(home, "doctor", "--no-start")
    assert (found.code, f"Run: chmod 600 {private}" in found.out) == (1, True)
    assert "hunter2" not in found.out + found.err


def test_send_test_sends_one_message_past_queue_and_customers(home: Path, post: paper.Post):
    found = on(home, "--json", "doctor", "--send-test", "mail", "Me@Example.com")
    assert (found.code, found.json["state"], found.json["address"]) == (0, Delivery.SENT, "me@example.com")
    (outgoing,) = post.delivered
    assert "test message" in outgoing.text
    assert outgoing.key.endswith("@example.com")
    assert "past the queue" in found.err
    assert not (home / "data").exists()


@pytest.mark.parametrize(
    ("account", "address", "code"), [("trial", "a@b.com", 3), ("none", "a@b.com", 5), ("mail", "no address", 2)]
)
def test_send_test_refuses_what_must_not_be_sent(home: Path, post: paper.Post, account: str, address: str, code: int):
    assert on(home, "doctor", "--send-test", account, address).code == code
    assert post.delivered == []


def test_send_test_tells_failures_apart(home: Path, post: paper.Post):
    post.before_commit = SignInFailed("The password was refused.", "Check it.")
    assert on(home, "doctor", "--send-test", "mail", "a@b.com").code == 1
    post.before_commit = None
    post.lost_answer = OutcomeUnknown("The line dropped.")
    assert on(home, "doctor", "--send-test", "mail", "a@b.com").code == 6
