"""Keys of one's own, their checker, and what the registry itself must hold to."""

from __future__ import annotations

import pytest

from agentconsole.ui import key_check, keys
from agentconsole.ui.keymap import Keymap, spelled
from agentconsole.ui.say import Say
from agentconsole.ui.strings import CATALOGUE
from tests.ui.console import running
from tests.ui.desk_double import DeskDouble, emily


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


def told(changes: dict[str, dict[str, list[str]]], *, warning: bool = False) -> list[str]:
    return [f"{f.group}.{f.action}: {f.message}" for f in key_check.faults(changes) if f.warning == warning]


def test_the_registry_holds_to_the_rules_it_checks() -> None:
    assert key_check.registry_faults() == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"lst": {"assign": ["a"]}}, "lst.: unknown context (nearest: list)"),
        ({"list": {"asign": ["a"]}}, "list.asign: no such action here (nearest: assign)"),
        ({"list": {"send": ["ctrl+s"]}}, "list.send: no such action here"),
        ({"list": {"assign": ["r"]}}, "list.assign: r means reply in list already"),
        ({"list": {"open": ["R"]}}, "R means redact in conversation already; a key means one thing"),
        ({"list": {"assign": ["g"]}}, "list.assign: g begins a chord"),
        ({"list": {"assign": ["a b c"]}}, 'list.assign: "a b c" is not one key or a chord of two'),
        ({"list": {"assign": ["ㅁ"]}}, "Hangul letters mean the key that they stand on"),
        ({"box": {"send": ["alt+enter"]}}, "box.send: alt+enter: terminals send enter for it"),
        ({"box": {"send": ["ctrl+m"]}}, "box.send: ctrl+m: terminals send enter for it"),
        ({"box": {"send": ["ctrl+i"]}}, "box.send: ctrl+i: terminals send tab for it"),
        ({"box": {"send": ["ctrl+h"]}}, "box.send: ctrl+h: terminals send backspace for it"),
        ({"box": {"send": ["ctrl+["]}}, "box.send: ctrl+[: terminals send esc for it"),
        ({"box": {"send": ["ctrl+shift+s"]}}, "box.send: ctrl+shift+s: terminals do not send it"),
        ({"box": {"send": ["ctrl+enter"]}}, "box.send: ctrl+enter: terminals do not send it"),
        ({"box": {"send": ["s"]}}, "box.send: s: a text is typed here, so it must be a control or function key"),
        ({"box": {"send": ["enter"]}}, "box.send: enter: a text is typed here"),
        ({"box": {"send": ["ctlr+s"]}}, "box.send: ctlr+s: there is no such key"),
        ({"box": {"send": []}}, "box.send: needs a key: nothing else does it"),
    ],
)
def test_checker_names_what_is_wrong_and_the_nearest_name(changes: dict[str, dict[str, list[str]]], fault: str) -> None:
    assert any(fault in line for line in told(changes)), told(changes)


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"list": {"assign": ["ctrl+b"]}}, "tmux takes it as its prefix"),
        ({"list": {"assign": ["ctrl+a"]}}, "screen takes it as its prefix"),
        ({"box": {"preview": ["ctrl+w"]}}, "in a text that is delete a word, which gives way"),
        ({"list": {"assign": ["f11"]}}, "F11: some terminals and laptops keep it; give a second key"),
    ],
)
def test_what_works_but_not_everywhere_is_a_warning(changes: dict[str, dict[str, list[str]]], warning: str) -> None:
    assert told(changes) == []
    assert any(warning in line for line in told(changes, warning=True)), told(changes, warning=True)


def test_keys_of_ones_own_replace_those_of_the_action_in_that_context_only() -> None:
    keymap = Keymap({"reading": {"assign": ["ctrl+e"]}, "list": {"assign": ["Z"]}})
    assert keymap.keys_of("assign", "list") == ("Z",), "one context outweighs a group"
    assert keymap.keys_of("assign", "conversation") == ("ctrl+e",)
    assert keymap.at("list", "a") is None
    assert keymap.keys_of("close", "list") == Keymap().keys_of("close", "list")
    assert told({"reading": {"assign": ["ctrl+e"]}, "list": {"assign": ["Z"]}}) == []


def test_chords_can_be_given_and_views_by_name() -> None:
    keymap = Keymap({"reading": {"view.mine": ["g w"]}})
    assert keymap.keys_of("view.mine", "list") == ("g w",)
    assert [key for key, action in keymap.following("list", "g") if action.name == "view.mine"] == ["w"]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("esc", "escape"),
        ("F2", "f2"),
        ("ctrl+]", "ctrl+right_square_bracket"),
        ("Ctrl+S", "ctrl+s"),
        ("PgDn", "pagedown"),
        ("g A", "g A"),
    ],
)
def test_keys_are_written_as_people_write_them(written: str, key: str) -> None:
    assert spelled(written) == key


def test_sentences_name_the_keys_that_hold() -> None:
    say = Say("en", "UTC", keymap=Keymap({"reading": {"undo": ["Z"]}, "everywhere": {"redraw": []}}))
    assert f"{say.keymap.reading.key('undo')} {say.keymap.reading.key('redraw')}" == "Z :redraw"
    for language in CATALOGUE.values():
        for text in language.values():
            text.format_map(_Any(say)) if "{k" in text else None
    assert "Z" in str(say("work.undo"))


class _Any(dict[str, object]):
    """Values for any sentence; an action that it names must be there."""

    def __init__(self, say: Say) -> None:
        names = {action.name for action in keys.ACTIONS}
        names |= {action.id for action in keys.ACTIONS}

        class Known:
            def __init__(self, path: str = "") -> None:
                self.path = path

            def __getattr__(self, name: str) -> Known:
                return Known(f"{self.path}.{name}".strip("."))

            def __format__(self, spec: str) -> str:
                assert self.path in names, self.path
                return say.keymap.reading.key(self.path)

        super().__init__(k=Known(), kt=Known())

    def __missing__(self, key: str) -> str:
        return "x"


async def test_own_keys_work_and_show_in_footer_help_and_palette(desk: DeskDouble) -> None:
    keymap = Keymap({"list": {"reply": ["Z"]}, "conversation": {"reply": ["Z"]}})
    async with running(desk, keymap=keymap) as console:
        await console.sees("Z Reply")
        await console.press("r")
        await console.sees("r means nothing here.")
        await console.press("?")
        await console.sees("Z              Reply")
        await console.press("escape", "ctrl+p")
        await console.type("reply")
        await console.sees("Reply   Z")
        await console.press("escape", "escape")
        await console.until(lambda: console.app.where == "list")
        await console.press("Z")
        await console.until(lambda: console.app.where == "box")
