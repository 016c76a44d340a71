"""What ``doctor`` says of terminal, tmux and SSH, and the PIN of ``lock``."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agentconsole.cli import terminal
from agentconsole.cli.app import run
from agentconsole.cli.context import World
from agentconsole.config import Profile, pin
from agentconsole.config.options import UiOptions
from agentconsole.errors import ConfigError

GOOD = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}


async def told(
    environ: Mapping[str, str], options: Mapping[str, str] | None = None, ui: UiOptions | None = None
) -> dict[str, terminal.Advice]:
    async def asked(words: Sequence[str]) -> str:
        assert words[:2] == ["tmux", "show-options"]
        return (options or {}).get(words[-1], "")

    found = [advice async for advice in terminal.look(Profile(ui=ui or UiOptions()), environ, asked)]
    assert all(advice.hint for advice in found if not advice.ok)
    return {advice.what: advice for advice in found}


def missing(found: Mapping[str, terminal.Advice]) -> set[str]:
    return {what for what, advice in found.items() if not advice.ok}


async def test_plain_terminal_with_everything_needs_nothing() -> None:
    assert missing(await told(GOOD, ui=UiOptions(theme="dark"))) == set()


@pytest.mark.parametrize("environ", [{"LANG": "C"}, {"LANG": "en_US.ISO-8859-1"}, {"LANG": "", "TERM": "xterm"}])
async def test_locale_without_utf8_is_told(environ: dict[str, str]) -> None:
    assert "locale" in missing(await told({**GOOD, **environ}))


async def test_locale_is_what_weighs_most() -> None:
    assert "locale" in missing(await told({**GOOD, "LC_ALL": "C"}))
    assert missing(await told({"TERM": "xterm", "LANG": "C", "LC_CTYPE": "ko_KR.utf8"})) == set()


async def test_colours_matter_only_to_a_theme_that_has_them() -> None:
    environ = {"LANG": "C.UTF-8", "TERM": "screen"}
    assert "colours" not in await told(environ)
    assert "colours" in missing(await told(environ, ui=UiOptions(theme="light")))
    for more in ({"NO_COLOR": "1"}, {"COLORTERM": "truecolor"}, {"TERM": "screen-256color"}):
        assert "colours" not in await told({**environ, **more}, ui=UiOptions(theme="light"))


async def test_tmux_as_it_comes_lacks_three_settings() -> None:
    as_it_comes = {"escape-time": "500", "set-clipboard": "external", "focus-events": "off"}
    found = await told({**GOOD, "TMUX": "x", "TERM": "screen"}, as_it_comes)
    assert missing(found) == {"tmux escape-time", "tmux set-clipboard", "tmux focus-events"}
    assert "set -s set-clipboard on" in found["tmux set-clipboard"].hint
    assert "500 ms" in found["tmux escape-time"].message


async def test_tmux_set_up_well_lacks_nothing_but_what_notices_ask_for() -> None:
    well = {"escape-time": "20", "set-clipboard": "on", "focus-events": "on", "allow-passthrough": "off"}
    environ = {**GOOD, "TMUX": "x", "TERM": "tmux-256color"}
    assert missing(await told(environ, well)) == set()
    assert missing(await told(environ, well, UiOptions(notify=["osc777"]))) == {"tmux allow-passthrough"}


async def test_tmux_that_does_not_answer_is_told() -> None:
    assert missing(await told({**GOOD, "TMUX": "x", "TERM": "tmux"})) == {"tmux"}
    assert await terminal.ask(["/no/such/program"]) == ""


async def test_what_ssh_hides_is_said_without_a_complaint() -> None:
    found = await told({**GOOD, "SSH_CONNECTION": "a"})
    assert found["ssh"].ok
    assert "Compression" in found["ssh"].message


# -- the PIN -----------------------------------------------------------------------------------------------


def on(home: Path, *words: str, typed: str = "") -> tuple[int, str]:
    out = io.StringIO()
    world = World(io.StringIO(typed), out, out, {"XDG_CONFIG_HOME": str(home)})
    return run(list(words), world), out.getvalue()


def test_pin_is_kept_hashed_and_for_its_owner_alone(tmp_path: Path) -> None:
    code, said = on(tmp_path, "lock", "set-pin", "--json", typed="2580\n")
    file = tmp_path / "agentconsole" / "pin.json"
    assert (code, json.loads(said)) == (0, {"pin": True, "file": str(file)})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "2580" not in file.read_text()
    stored = pin.at(file)
    assert stored is not None
    assert (stored.opens("2580"), stored.opens("2581"), stored.opens("")) == (True, False, False)
    before = file.read_text()
    on(tmp_path, "lock", "set-pin", typed="2580\n")
    assert file.read_text() != before, "salted anew"


@pytest.mark.parametrize("typed", ["", "123", "1" * 33, "12 34\x1b", "비밀번호"])
def test_pin_that_cannot_be_typed_is_refused(tmp_path: Path, typed: str) -> None:
    code, said = on(tmp_path, "lock", "set-pin", typed=typed + "\n")
    assert code == 2
    assert "No PIN was set." in said
    assert pin.at(tmp_path / "agentconsole" / "pin.json") is None


def test_pin_is_removed(tmp_path: Path) -> None:
    on(tmp_path, "lock", "set-pin", typed="2580\n")
    assert json.loads(on(tmp_path, "lock", "remove-pin", "--json")[1])["removed"] is True
    assert json.loads(on(tmp_path, "lock", "remove-pin", "--json")[1])["removed"] is False


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"salt": "zz", "scrypt": "00"}'])
def test_file_without_a_pin_opens_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pin.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="holds no PIN"):
        pin.at(file)
