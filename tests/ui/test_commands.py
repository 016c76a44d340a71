"""The ``:`` line, the palette's search, chords, and repeating."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual import events

from agentconsole.errors import Refused
from agentconsole.ui import fuzzy
from agentconsole.ui.line import Changed, Word, split_line
from tests.ui.console import running
from tests.ui.desk_double import DeskDouble, emily


@pytest.fixture
def desk() -> DeskDouble:
    found = DeskDouble()
    emily(found)
    return found


EMILY = ("emily", "c-emily")


class Shell:
    """Commands that write down how they were called."""

    def __init__(self) -> None:
        self.ran: list[tuple[list[str], str, str]] = []

    def verbs(self) -> Sequence[Word]:
        return [Word("tag", "put tags on, or take them off"), Word("assign", "give a conversation to somebody")]

    async def words(self, before: Sequence[str]) -> Sequence[Word]:
        if before[0] == "tag":
            return [Word("add", "put one on"), Word("remove", "take one off")] if len(before) == 1 else []
        return [Word("AGENT", "who gets it", "AGENT")]

    def changed(self) -> Changed:
        return Changed()

    async def run(self, words: Sequence[str], customer: str, conversation: str) -> str:
        self.ran.append((list(words), customer, conversation))
        if words[-1] == "never":
            raise Refused("That tag is not allowed.", "Choose another.")
        return "one\ntwo\nthree\nfour\n" if words[-1] == "many" else f"Tagged {conversation}.\n"


async def test_line_names_actions_and_commands_with_their_summaries(desk: DeskDouble) -> None:
    async with running(desk, commands=Shell()) as console:
        await console.press(":")
        await console.type("assi")
        await console.sees("assign ", "Assign to me")
        await console.press("escape")
        await console.until(lambda: console.app.where == "list")


async def test_a_key_that_comes_before_the_first_screen_stands_freezes_nothing(desk: DeskDouble) -> None:
    """Keys are handled one after another: one that waits for what is loaded after the first screen would wait for what
    stands behind it."""
    async with running(desk) as console:
        console.app.boxes_ready.clear()
        console.app._warm = False
        await console.press("r")
        await console.until(lambda: console.app.where == "box")


async def test_what_an_error_advises_is_said_as_it_is_typed_here(desk: DeskDouble) -> None:
    async with running(desk, commands=Shell()) as console:
        console.app.tell_error(Refused("No such tag.", "See: agentconsole tag list; agentconsole doctor"))
        await console.sees("No such tag. See: :tag list; agentconsole doctor")


async def test_action_by_name_and_view_by_argument(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press(":")
        await console.type("view mine")
        await console.press("enter")
        await console.until(lambda: console.app.reading.view == "mine")
        await console.press(":")
        await console.type("health")
        await console.press("enter")
        await console.until(lambda: console.app.page_kind == "health")


async def test_command_of_the_shell_is_done_for_the_row_and_repeated_for_another(desk: DeskDouble) -> None:
    shell = Shell()
    async with running(desk, commands=shell) as console:
        await console.open("Emily Rhodes")
        await console.press(":")
        await console.type("tag add vip")
        await console.press("enter")
        await console.sees("Tagged c-emily.")
        assert shell.ran == [(["tag", "add", "vip"], *EMILY)]
        await console.press("1", "j", ".")
        await console.until(lambda: len(shell.ran) == 2)
        assert shell.ran[1][0] == ["tag", "add", "vip"]
        assert shell.ran[1][2] != "c-emily"


async def test_error_stays_in_the_strip_and_long_answers_get_a_page(desk: DeskDouble) -> None:
    async with running(desk, commands=Shell()) as console:
        await console.press(":")
        await console.type("tag add never")
        await console.press("enter")
        await console.sees("That tag is not allowed. Choose another.")
        await console.press(":")
        await console.type("tag add many")
        await console.press("enter")
        await console.sees(":tag add many", "three", "four")


async def test_unknown_command_names_the_nearest(desk: DeskDouble) -> None:
    async with running(desk, commands=Shell()) as console:
        await console.press(":")
        await console.type("asign hyun")
        await console.press("enter")
        await console.sees("There is no command asign. Nothing was done. Did you mean assign?")


async def test_tab_completes_and_arrows_bring_earlier_lines(desk: DeskDouble) -> None:
    async with running(desk, commands=Shell()) as console:

        def prompt() -> str:
            return console.app.acting.prompt.typed  # type: ignore[union-attr]

        await console.press(":")
        await console.type("tag re")
        await console.sees("take one off")
        await console.press("tab")
        await console.until(lambda: prompt() == "tag remove ")
        await console.type("vip")
        await console.press("enter")
        await console.sees("Tagged")
        await console.press(":", "up")
        await console.until(lambda: prompt() == "tag remove vip")
        await console.press("down")
        await console.until(lambda: prompt() == "")
        await console.type("assign mi")
        await console.sees("mina")
        await console.press("tab")
        await console.until(lambda: prompt() == "assign mina ")


def test_words_of_a_line() -> None:
    assert split_line('note "two words" don\'t') == ["note", "two words", "don't"]
    assert split_line('note "no end') == ["note", "no", "end"]


# -- the palette ---------------------------------------------------------------------------------------------

TITLES = [(("Reply", "답장"), "reply"), (("Close", "종료"), "close"), (("Assign to me", "내가 담당"), "assign")]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("reply", "reply"),
        ("rpl", "reply"),
        ("to me", "assign"),
        ("답장", "reply"),
        ("답ㅈ", "reply"),
        ("ㄷㅈ", "reply"),
        ("ekqwkd", "reply"),
        ("ㄱ데ㅣㅛ", "reply"),
        ("ㅊㅣㅐㄴㄷ", "close"),
    ],
)
def test_command_is_found_by_letters_of_either_language_and_mode(query: str, first: str) -> None:
    assert fuzzy.ranked(query, TITLES)[0] == first


def test_what_does_not_fit_is_not_found() -> None:
    assert fuzzy.ranked("xyz", TITLES) == []
    assert fuzzy.ranked("", TITLES) == ["reply", "close", "assign"]


# -- chords and repeating ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_prefix_shows_what_follows_and_escape_leaves_it(desk: DeskDouble, language: str) -> None:
    async with running(desk, language=language) as console:
        say = console.app.say
        await console.press("g")
        await console.sees("g ..", f"m {say('hint.view.mine')}", f"o {say('hint.outbox')}")
        await console.press("escape")
        assert console.strip == ""
        assert console.app.where == "list"
        await console.press("g", "q")
        await console.sees(say("strip.unknown", key="g q"))


async def test_prefix_in_the_box_types_nothing(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.open("Emily Rhodes")
        await console.press("r")
        await console.until(lambda: console.app.where == "box")
        await console.type("ab")
        await console.press("ctrl+x")
        await console.sees("ctrl+x ..", "r remember this channel")
        await console.press("0")
        await console.sees("ctrl+x 0 means nothing here.")
        await console.press("ctrl+x", "escape", "c")
        assert console.box.text == "abc"


async def test_repeat_does_the_last_command_to_what_is_chosen_now(desk: DeskDouble) -> None:
    async with running(desk) as console:
        await console.press(".")
        await console.sees("Nothing to repeat yet.")
        await console.press("home", "a")
        await console.until(lambda: len(desk.called("assign")) == 1)
        await console.press("j", ".")
        await console.until(lambda: len(desk.called("assign")) == 2)
        first, second = desk.called("assign")
        assert first[0] != second[0]


async def test_paste_in_a_list_runs_no_keys(desk: DeskDouble) -> None:
    async with running(desk) as console:
        console.app.post_message(events.Paste("aaa ccc q"))
        await console.sees("Pasted where nothing is typed: nothing was done.")
        assert not desk.called("assign")
        assert console.app.where == "list"
