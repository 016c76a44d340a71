"""The command line itself: help, near misses, errors, and what happens when something unforeseen does."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from agentconsole.cli import app, parser
from agentconsole.cli.context import World
from agentconsole.cli.output import Output
from tests.cli.conftest import ran

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


def every_command() -> list[str]:
    found = []
    for name, (where, _summary) in parser.TABLE.items():
        actions = parser.module(where)[name].actions
        found += [f"{name} {action}" for action in actions] if actions else [name]
    return found


def test_help_names_every_command_and_every_exit_code():
    found = ran("--help")
    assert (found.code, found.err) == (0, "")
    assert [name for name in parser.TABLE if f"    {name}" not in found.out] == []
    assert "6 outcome uncertain" in " ".join(found.out.split())


@pytest.mark.parametrize("command", every_command())
def test_every_command_has_help_and_takes_the_global_options(command: str):
    found = ran(*command.split(), "--help")
    assert found.code == 0
    assert "--json" in found.out
    assert "--profile" in found.out
    assert "--hub" in found.out


@pytest.mark.parametrize("command", every_command())
def test_every_command_is_described_in_the_documentation(command: str):
    assert f"`{command}" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", every_command())
def test_every_option_is_described_in_the_documentation(command: str):
    text = DOCS.read_text(encoding="utf-8")
    options = set(re.findall(r"--[a-z-]+", ran(*command.split(), "--help").out))
    assert [option for option in options - {"--help"} if f"`{option}" not in text] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inbx"], "There is no 'inbx' here. Nothing was done.\nDid you mean inbox? See: agentconsole --help\n"),
        (
            ["outbox", "lst"],
            "There is no 'lst' here. Nothing was done.\nDid you mean list? See: agentconsole outbox --help\n",
        ),
        (
            ["inbox", "--jsn"],
            "--jsn is not known here. Nothing was done.\nDid you mean --json? See: agentconsole --help\n",
        ),
        (
            ["send"],
            "The following arguments are required: CUSTOMER. Nothing was done.\nSee: agentconsole send --help\n",
        ),
        (
            ["priority", "c", "urgnt"],
            "There is no 'urgnt' here. Nothing was done.\nDid you mean urgent? See: agentconsole priority --help\n",
        ),
    ],
)
def test_a_slip_is_exit_2_with_the_nearest_word(words: list[str], said: str):
    found = ran(*words)
    assert (found.code, found.out, found.err) == (2, "", said)


def test_a_slip_with_json_is_one_object_on_stdout():
    found = ran("inbx", "--json")
    assert (found.code, found.err) == (2, "")
    assert found.json["error"]["code"] == "usage"
    assert set(found.json["error"]) == {"code", "message", "hint"}


def test_without_configuration_and_hub_there_is_one_clear_sentence(tmp_path: Path):
    found = ran("inbox", environ={"HOME": str(tmp_path)})
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "There is no configuration and no running hub. Nothing was done.\n"
        "Set up an account with: agentconsole init. Or look around first: agentconsole demo\n"
    )


def test_no_hub_and_none_may_be_started_is_exit_4(tmp_path: Path):
    config = tmp_path / "config.toml"
    config.write_text('[profiles.a]\nstore = "tinydb:data"\n', encoding="utf-8")
    found = ran("--config", str(config), "--json", "inbox", "--no-start", environ={"HOME": str(tmp_path)})
    assert (found.code, found.json["error"]["code"]) == (4, "hub_absent")
    assert not (tmp_path / "data").exists()


def test_a_team_profile_without_its_hub_is_exit_4_and_starts_none(tmp_path: Path):
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.a.hub]\nsocket = "{tmp_path}/team.sock"\n', encoding="utf-8")
    found = ran("--config", str(config), "--json", "inbox", environ={"HOME": str(tmp_path)})
    assert (found.code, found.json["error"]["code"]) == (4, "hub_absent")
    assert "agentconsole serve" in found.json["error"]["hint"]


def test_the_console_needs_a_terminal(tmp_path: Path):
    found = ran(environ={"HOME": str(tmp_path)})
    assert (found.code, found.out) == (2, "")
    assert "needs a terminal" in found.err


def test_what_nobody_foresaw_is_one_sentence_and_a_log_without_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(_name: str) -> object:
        password = "hunter2"
        raise RuntimeError(f"a bug near {len(password)} letters\x1b[2J")

    monkeypatch.setattr("agentconsole.channels.registry.load", broken)
    found = ran("channels", environ={"HOME": str(tmp_path)})
    log = tmp_path / ".local/state/agentconsole/errors.log"
    assert (found.code, found.out) == (1, "")
    assert "Traceback" not in found.err
    assert found.err.startswith("Something unexpected went wrong (RuntimeError).")
    assert str(log) in found.err
    text = log.read_text(encoding="utf-8")
    assert "in broken" in text
    assert "RuntimeError" in text
    assert "near 7" not in text, "what an exception says can quote a customer"
    assert "\x1b" not in text
    assert log.stat().st_mode & 0o077 == 0


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch):
    def interrupted(_name: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("agentconsole.channels.registry.load", interrupted)
    found = ran("channels")
    assert (found.code, found.err) == (130, "Interrupted. What was queued before stays queued.\n")


def test_a_reader_that_goes_away_is_quiet(monkeypatch: pytest.MonkeyPatch):
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(app, "_abandon_stdout", lambda: None)
    err = io.StringIO()
    assert app.run(["--help"], World(stdin=io.StringIO(), stdout=Gone(), stderr=err, environ={})) in (0, 1)
    assert app.run(["channels"], World(stdin=io.StringIO(), stdout=Gone(), stderr=err, environ={})) == 1
    assert err.getvalue() == ""


def test_json_is_safe_on_a_terminal_and_still_the_same_value():
    import json

    out = io.StringIO()
    hostile = "a\x1b]0;x\x07\u202e\x9b\u200b\U000e0041 한국어"
    Output(out, io.StringIO(), json=True).object({"text": hostile})
    assert json.loads(out.getvalue()) == {"text": hostile}
    assert not set("\x1b\x07\u202e\x9b\u200b\U000e0041") & set(out.getvalue())
    assert "한국어" in out.getvalue()


def test_a_text_from_outside_cannot_pass_for_a_line_of_ours():
    out = io.StringIO()
    Output(out, io.StringIO(), json=False).block("hello\nOutbox: 0 failed\r\x1b[1A")
    lines = out.getvalue().rstrip("\n").split("\n")
    assert all(line.startswith("  ") or not line for line in lines)
    assert "\x1b" not in out.getvalue()


def test_both_languages_have_the_same_phrases_with_the_same_values():
    from agentconsole.cli.phrases import PHRASES

    english, korean = PHRASES["en"], PHRASES["ko"]
    assert english.keys() == korean.keys()
    values = {key: sorted(re.findall(r"{(\w+)}", text)) for key, text in english.items()}
    assert {key: sorted(re.findall(r"{(\w+)}", text)) for key, text in korean.items()} == values


def test_every_phrase_is_used_and_every_used_phrase_is_there():
    from agentconsole.cli import phrases, phrases_care

    folder = Path(parser.__file__).parent
    by_code = ("count.", "choice.", "about.", "described.", "look.")
    modules = [path for path in folder.glob("*.py") if not path.name.startswith("phrases")]
    for table, theirs in ((phrases, lambda name: name != "care.py"), (phrases_care, lambda name: name == "care.py")):
        code = "".join(path.read_text(encoding="utf-8") for path in modules if theirs(path.name))
        known = table.PHRASES["en"]
        assert [key for key in known if not re.search(f"[\"']{key}[\"']", code) and not key.startswith(by_code)] == []
        assert [key for key in re.findall(r"say\(\s*\"(\w+)\"", code) if key not in known] == []
