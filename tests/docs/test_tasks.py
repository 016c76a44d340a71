"""The pages of tasks and the linear way: every key is one of the console, every command runs on the demo."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentconsole.cli.parser import TABLE, build
from agentconsole.ui.keys import ACTIONS, shown_key
from tests.e2e.installation import Installation
from tests.e2e.quick import ask, told

ROOT = Path(__file__).parents[2]
TASKS = sorted((ROOT / "docs" / "tasks").glob("*.md"))
LINEAR = (ROOT / "docs" / "linear.md").read_text(encoding="utf-8")

KEYS = {shown_key(key) for action in ACTIONS for key in action.keys}
ASKING = frozenset({"init", "lock", "console", "demo", "doctor", "restart"})
"""Commands that ask, want a terminal, or would end the hub that the others run on."""


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every table row."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def commands(page: Path) -> list[str]:
    return [
        match[1]
        for cells in rows(page.read_text(encoding="utf-8"))
        if len(cells) == 3 and (match := re.fullmatch(r"`agentconsole (.+)`", cells[2]))
    ]


@pytest.mark.parametrize("page", TASKS, ids=lambda page: page.stem)
def test_every_key_of_a_task_is_one_of_the_console(page: Path) -> None:
    named = [
        key
        for cells in rows(page.read_text(encoding="utf-8"))
        if len(cells) == 3
        for key in re.findall(r"`([^`]+)`", cells[1])
    ]
    if page.stem != "README":
        assert named
    assert [key for key in named if key not in KEYS] == []


def test_every_page_is_in_the_list_of_tasks() -> None:
    listed = set(re.findall(r"\]\((\S+\.md)\)", (ROOT / "docs" / "tasks" / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in TASKS} - {"README.md"} == {name for name in listed if not name.startswith("..")}


# -- the linear way -----------------------------------------------------------------------------------------


def linear() -> dict[str, tuple[str, str]]:
    table = [cells for cells in rows(LINEAR) if len(cells) == 3 and cells[0].startswith("`")]
    found = {cells[0].strip("`"): (cells[1], cells[2]) for cells in table}
    assert len(found) == len(table), "an action has two rows"
    return found


def test_every_action_of_the_console_has_a_command_or_a_reason() -> None:
    named = linear()
    actions = {action.id for action in ACTIONS}
    assert actions - set(named) == set(), "say in docs/linear.md how to do these without the console"
    assert set(named) - actions == set(), "there are no such actions any more"
    assert [action for action, (command, why) in named.items() if not command and not why] == []


def test_every_change_has_a_command_or_is_about_the_screen() -> None:
    """What changes something that others see must be possible by a command."""
    without = {action.id for action in ACTIONS if action.changes and not linear()[action.id][0]}
    assert without <= {"repeat"}


@pytest.mark.parametrize("action", sorted(linear()))
def test_a_command_of_the_linear_way_is_one(action: str) -> None:
    command = linear()[action][0]
    if not command:
        return
    words = shlex.split(command.strip("`"))
    assert words[0] == "agentconsole"
    if words[1] == "--help":
        return
    assert words[1] in TABLE
    build(words[1:]).parse_args(words[1:])


# -- every command of the tasks, on the demo ----------------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="act") as folder:
        base = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"}
        words = [sys.executable, "-P", "-m", "agentconsole", "demo", "--headless"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=base)
        try:
            assert process.stdout is not None
            config = json.loads(process.stdout.readline())["config"]
            yield Installation(Path(folder), Path(config), base)
        finally:
            process.terminate()
            process.communicate(timeout=120)


async def _one_open(world: Installation, customer: str) -> None:
    """Leave one conversation open, which the customer's name then means: the pages before left what they left."""
    conversations = (await told(world, "show", customer))["conversations"]
    still = [found["id"] for found in conversations if found["status"] == "open"]
    for further in still[1:]:
        await told(world, "close", further)
    if not still:
        await told(world, "reopen", conversations[0]["id"])


@pytest.fixture
async def names(world: Installation, tmp_path: Path) -> dict[str, str]:
    """What stands for the words in capitals."""
    for customer in ("emily@example.com", "minsu.park@example.com"):
        await _one_open(world, customer)
    shown = await told(world, "show", "emily@example.com", "--limit", "200")
    message = next(entry for entry in shown["timeline"] if entry["type"] == "received")
    waiting = await told(world, "send", "emily@example.com", "--text", "Later.", "--at", "in 5 h")
    task = await told(world, "task", "add", "emily@example.com", "--text", "x", "--due", "tomorrow 9")
    file = tmp_path / "plan.txt"
    await asyncio.to_thread(file.write_text, "The plan.")
    offers = (await told(world, "suggestion", "list"))["suggestions"]
    return {
        "REPLY": waiting["reply"]["id"],
        "TASK": task["entries"][0],
        "MESSAGE": message["id"],
        "ENTRY": message["id"],
        "FILE": str(file),
        "FOLDER": str(tmp_path / "backup"),
        "SUGGESTION": offers[0]["id"] if offers else "",
    }


MAY_REFUSE = {
    # what the demo has not: nothing was uncertain or failed, two are one already, a file was not sent
    *(
        "outbox check",
        "outbox mark-sent",
        "outbox resend",
        "outbox fallback",
        "outbox cancel",
        "outbox now",
        "outbox move",
    ),
    *("customer merge", "customer unmerge", "suggestion accept", "suggestion refuse", "suggestion postpone"),
    *("attachment save", "attachment view", "reopen", "undo", "task done"),
}
"""Refused where the demo is not in that state: told as a refusal (3, 5), never as a wrong use."""


@pytest.mark.parametrize("page", [page for page in TASKS if page.stem != "README"], ids=lambda page: page.stem)
async def test_every_command_of_a_task_does_what_it_says(
    page: Path, world: Installation, names: dict[str, str]
) -> None:
    ran = 0
    for command in commands(page):
        words = [names.get(word, word) for word in shlex.split(command)]
        if words[0] in ASKING or "" in words:
            continue
        answered: Any = await ask(world, *words, stdin="From a pipe." if words[-1] == "-" else "")
        allowed = {0, 3, 5} if words[0] in MAY_REFUSE or " ".join(words[:2]) in MAY_REFUSE else {0}
        assert answered.code in allowed, f"{command}: {answered}"
        ran += 1
    assert ran
