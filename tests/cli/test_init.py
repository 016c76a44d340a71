"""The wizard: from nothing to a working configuration, by answers or by options."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from agentconsole import config
from agentconsole.channels import registry
from agentconsole.cli import init
from agentconsole.cli.setup import Check
from agentconsole.ports import Secret
from tests.cli.conftest import Ran, ran


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Take the place of the network: remembers which account was tried and lets it work."""
    seen: list[Any] = []

    async def probe(_context: object, setup: Any) -> Check:
        seen.append(setup)
        if setup.options.address.startswith("broken"):
            return Check("account", False, "The password was refused.", "Check the password.")
        return Check("account", True, "IMAP and SMTP answer.")

    monkeypatch.setattr(init, "probe", probe)
    return seen


ANSWERS = [
    "",  # profile: support
    "ko",
    "Asia/Seoul",
    "",  # region: KR
    "",  # store
    "",  # kind: email
    "help desk",  # no name
    "",  # mail
    "help@example.com",
    "imap.example.com",
    "help",
    "1",  # a private file
    "hunter2",
    "",  # tls
    "smtp.example.com",
    "",  # user as before
    "y",  # password as before
    "starttls",
    "",  # since: 30d
]


def wizard(home: Path, *words: str, answers: list[str] | None = None) -> Ran:
    return ran("init", *words, "--no-sync", stdin="".join(f"{a}\n" for a in answers or []), environ={"HOME": str(home)})


def test_questions_lead_to_a_working_configuration(tmp_path: Path, probed: list[Any]):
    found = wizard(tmp_path, answers=ANSWERS)
    path = tmp_path / ".config/agentconsole/config.toml"
    assert (found.code, found.out) == (0, "The profile support is ready. Next: agentconsole\n"), found
    assert path.stat().st_mode & 0o077 == 0
    assert "letters, digits, - and _ only" in found.err
    profile = config.load(path).profile()
    assert (profile.name, profile.language, profile.timezone, profile.region) == ("support", "ko", "Asia/Seoul", "KR")
    assert profile.channels["mail"].since == "30d"
    (setup,) = probed
    options = setup.options
    assert (options.address, options.imap.host, options.smtp.user, options.smtp.tls) == (
        "help@example.com",
        "imap.example.com",
        "help",
        "starttls",
    )
    secret = tmp_path / ".config/agentconsole/secrets/support-mail-imap-password"
    assert options.imap.password == options.smtp.password == Secret("file", str(secret))
    assert options.imap.password.reveal() == "hunter2"
    assert secret.stat().st_mode & 0o077 == secret.parent.stat().st_mode & 0o077 == 0
    assert "hunter2" not in path.read_text(encoding="utf-8") + found.out + found.err


OPTIONS = [
    "--yes",
    "--kind",
    "email",
    "--set",
    "address=help@example.com",
    "--set",
    "imap.host=imap.example.com",
    "--set",
    "imap.user=help",
    "--secret",
    "imap.password=env:MAIL_PASSWORD",
    "--set",
    "smtp.host=smtp.example.com",
    "--set",
    "smtp.user=help",
    "--set",
    "smtp.port=587",
    "--secret",
    "smtp.password=env:MAIL_PASSWORD",
]


def test_options_do_the_same_without_a_question(tmp_path: Path, probed: list[Any]):
    found = wizard(tmp_path, *OPTIONS, "--since", "all", "--read-only", "--json")
    assert found.code == 0, found
    assert (found.json["profile"], found.json["account"]) == ("support", "mail")
    account = tomllib.loads(Path(found.json["path"]).read_text())["profiles"]["support"]["channels"]["mail"]
    assert (account["since"], account["read_only"], account["smtp"]["port"]) == ("all", True, 587)
    assert account["imap"]["password"] == {"env": "MAIL_PASSWORD"}
    assert len(probed) == 1


def test_a_second_account_keeps_the_file_as_it_was_comments_included(tmp_path: Path, probed: list[Any]):
    wizard(tmp_path, *OPTIONS)
    path = tmp_path / ".config/agentconsole/config.toml"
    before = "# mine\n" + path.read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    found = wizard(tmp_path, *OPTIONS, "--account", "second")
    after = path.read_text(encoding="utf-8")
    assert found.code == 0
    assert [line for line in before.split("\n") if line and line not in after.split("\n")] == []
    assert set(config.load(path).profile().channels) == {"mail", "second"}
    again = wizard(tmp_path, *OPTIONS, "--account", "second")
    assert (again.code, "has such an account" in again.err) == (2, True)
    assert path.read_text(encoding="utf-8") == after


def test_an_account_that_cannot_sign_in_leaves_nothing_behind(tmp_path: Path, probed: list[Any]):
    answers = [answer.replace("help@", "broken@") for answer in ANSWERS] + ["n"]
    found = wizard(tmp_path, answers=answers)
    assert found.code == 2
    assert "The password was refused." in found.err
    assert "agentconsole channels email; give them with --set." in found.err
    assert "Nothing was kept." in found.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_answers_that_end_early_leave_nothing_behind(tmp_path: Path, probed: list[Any]):
    found = wizard(tmp_path, answers=ANSWERS[:9])
    assert (found.code, "Nothing was written" in found.err) == (2, True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "imap.hots=x"], "email has no key imap.hots. Nothing was written.\nThe nearest is imap.host."),
        (["--set", "imap.port=many"], "must be a whole number"),
        (["--set", "imap.port"], "has no ="),
        (["--secret", "imap.password=hunter2"], "names no source"),
        (["--account", "a b"], "letters, digits, - and _ only"),
        (["--set", "imap.tls=none"], "for servers on this machine only"),
    ],
)
def test_wrong_options_are_exit_2_and_write_nothing(tmp_path: Path, probed: list[Any], more: list[str], said: str):
    found = wizard(tmp_path, *OPTIONS, *more)
    assert (found.code, said in found.err) == (2, True), found.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_it_can_ask_for_every_installed_kind():
    from agentconsole.config.keys import keys

    for name in registry.names():
        asked = [key for key in keys(registry.load(name).options) if not key.optional]
        assert asked, name
        assert all(key.description for key in asked), name
