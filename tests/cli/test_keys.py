"""``keys``, and the commands inside a console."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import pytest

from agentconsole.cli.context import Context, World
from agentconsole.cli.inside import OUTSIDE, Inside
from agentconsole.cli.parser import TABLE
from agentconsole.errors import AgentConsoleError, UsageError
from tests.cli.conftest import Office, ran

PROFILE = """\
default_profile = "support"
[profiles.support]
[profiles.support.keymap.list]
assign = ["Z"]
"view.mine" = ["g w"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(PROFILE)
    return path


def keys(file: Path, *words: str) -> Any:
    return ran("keys", "--config", str(file), *words)


def test_map_is_printed_with_ones_own_keys(file: Path) -> None:
    found = keys(file, "--json").json["keys"]
    by_place = {(entry["context"], entry["action"]): entry["keys"] for entry in found}
    assert by_place["list", "assign"] == ["Z"]
    assert by_place["conversation", "assign"] == ["a"]
    assert by_place["list", "view.mine"] == ["g w"]
    lines = keys(file).out.splitlines()
    assert "[box]" in lines
    assert any(line.split() == ["Z", "assign", "Assign", "to", "me"] for line in lines)


def test_check_says_that_it_is_right(file: Path) -> None:
    done = keys(file, "--check")
    assert (done.code, done.out) == (0, "The keys are right: 2 of your own.\n")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('asign = ["Z"]', "config.toml:4: profiles.support.keymap.list.asign: no such action here (nearest: assign)."),
        ('assign = ["r"]', "config.toml:4: profiles.support.keymap.list.assign: r means reply in list already."),
        ('assign = ["ctrl+m"]', "terminals send enter for it"),
    ],
)
def test_mistake_has_file_line_key_and_nearest_name(file: Path, line: str, told: str) -> None:
    file.write_text(PROFILE.replace('assign = ["Z"]', line))
    for words in (("keys", "--check"), ("config", "check")):
        done = ran(*words, "--config", str(file))
        assert (done.code, told in done.err) == (2, True), done


def test_what_works_not_everywhere_is_told_and_passes(file: Path) -> None:
    file.write_text(PROFILE.replace('["Z"]', '["ctrl+b"]'))
    done = keys(file, "--check")
    assert done.code == 0
    assert "tmux takes it as its prefix" in done.out


# -- inside a console ----------------------------------------------------------------------------------------


async def opened(office: Office) -> Inside:
    """Return the commands as a console on a real hub has them."""
    world = World(environ={"HOME": str(office.home)}, random=office.random)
    outer = Context(argparse.Namespace(), world)
    await asyncio.to_thread(outer.prepare)
    return Inside(outer, office.hub.desk, office.hub.who)


async def conversation(office: Office) -> tuple[str, str]:
    found = (await office.run("inbox", "--json")).json["conversations"]
    row = next(row for row in found if "email" in row["media"])
    return row["customer"]["id"], row["id"]


async def test_commands_mean_the_conversation_that_the_keyboard_is_on(office: Office) -> None:
    where = await conversation(office)
    run = (await opened(office)).run
    told = await run(["tag", "VIP"], *where)
    assert told.strip() == "Tags changed", "whom the keyboard is on is on the screen; an id says nothing"
    await run(["snooze", "tomorrow", "9"], *where)
    await run(["note", "called", "back,", "will", "pay"], *where)
    assert [row["id"] for row in (await office.run("view", "snoozed", "--json")).json["conversations"]] == [where[1]]
    shown = await run(["show"], *where)
    assert "called back, will pay" in shown
    assert "vip" in shown or "vip" in (await office.run("view", "snoozed", "--json")).out


async def test_another_conversation_may_be_named(office: Office) -> None:
    customer, name = await conversation(office)
    await (await opened(office)).run(["close", name], "", "")
    assert name not in (await office.run("inbox")).out
    assert customer


async def test_refusals_are_the_commands_own(office: Office) -> None:
    where = await conversation(office)
    inside = await opened(office)
    with pytest.raises(UsageError, match="no time to come"):
        await inside.run(["snooze", "some", "day"], *where)
    with pytest.raises(UsageError, match="There is no 'ad' here"):
        await inside.run(["customer", "ad"], *where)
    with pytest.raises(UsageError, match="needs a further word"):
        await inside.run(["customer"], *where)
    with pytest.raises(AgentConsoleError):
        await inside.run(["close", "--nonsense"], *where)


async def test_words_that_may_follow_come_from_the_parsers(office: Office) -> None:
    inside = await opened(office)
    verbs = {word.text for word in inside.verbs()}
    assert verbs == set(TABLE) - OUTSIDE
    assert {"assign", "tag", "snooze", "view"} <= verbs
    assert {word.text for word in await inside.words(["customer"])} >= {"add", "link", "merge"}
    assert "AGENT" in {word.kind for word in await inside.words(["assign"])}
    assert "urgent" in {word.text for word in await inside.words(["priority"])}
    assert await inside.words(["serve"]) == []
