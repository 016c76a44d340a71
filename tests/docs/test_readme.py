"""What README and docs say is so: links lead somewhere, commands exist, configurations are right, outputs are real."""

from __future__ import annotations

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
from xml.etree import ElementTree

import pytest

from agentconsole.cli.parser import build
from agentconsole.errors import AgentConsoleError

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
AGENTCONSOLE = [sys.executable, "-P", "-m", "agentconsole"]
PLACEHOLDER = re.compile(r"COMMAND|…|\[|\|")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_pictures_lead_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_file(), f"{name(page)}: {target}"
        assert there.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(there), f"{name(page)}: {target}"


def test_pictures_are_small_drawings_without_script_or_address():
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert len(pictures) >= 4
    for picture in pictures:
        text = picture.read_text(encoding="utf-8")
        assert len(text.encode()) < 100_000, picture.name
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
        assert tags <= {"svg", "title", "style", "rect", "text"}, picture.name
        assert "agentconsole" in text
        assert "://" not in text.replace("http://www.w3.org/2000/svg", "")


def commands(text: str) -> Iterator[str]:
    """Every call of agentconsole in code, continued lines joined."""
    code = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.S | re.M)).replace("\\\n", " ")
    for line in code.splitlines():
        yield from re.findall(r"^(?:\$ )?(agentconsole(?: .*)?)$", line)
    yield from re.findall(r"`(agentconsole(?:\s[^`]*)?)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_that_is_named_exists(page: Path):
    for command in commands(page.read_text(encoding="utf-8")):
        if PLACEHOLDER.search(command):
            continue
        words = shlex.split(command)[1:]
        if "--help" in words or "--version" in words:
            words = [word for word in words if word not in ("--help", "--version")]
        try:
            build(words).parse_args(words)
        except (AgentConsoleError, SystemExit) as exc:
            pytest.fail(f"{name(page)}: {command}: {exc}")


def test_commands_are_found_at_all():
    assert {"agentconsole init", "agentconsole channels"} <= set(commands(README))


def test_make_targets_that_are_named_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    for listed in re.findall(r"^\$\((\w+)\):", makefile, re.M):
        (values,) = re.findall(rf"^{listed} = (.+)$", makefile, re.M)
        targets |= set(values.split())
    named = {found for page in PAGES for found in re.findall(r"\bmake ([a-z-]+)\b`?", _code(page))}
    assert {"demo", "test", "check"} <= named
    assert named <= targets


def _code(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    return "\n".join([*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^```\w*\n(.*?)^```", text, re.S | re.M)])


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page.read_text(encoding="utf-8"), "toml")], ids=name)
def test_configurations_in_the_docs_are_right(page: Path, tmp_path: Path):
    for block in blocks(page.read_text(encoding="utf-8"), "toml"):
        file = tmp_path / "config.toml"
        file.write_text(block, encoding="utf-8")
        done = subprocess.run(
            [*AGENTCONSOLE, "--config", str(file), "config", "check"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_has_its_page_and_its_evidence():
    command = [*AGENTCONSOLE, "--json", "channels"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    kinds: list[dict[str, Any]] = json.loads(done.stdout)["channels"]
    assert len(kinds) >= 6
    for kind in kinds:
        row = next(line for line in README.splitlines() if f"](docs/accounts/{kind['name']}.md) |" in line)
        assert ("real" in row.rsplit("|", 2)[1]) == (kind["verified_by"] == "real server"), row


# -- the outputs ----------------------------------------------------------------------------------------------


def masked(text: str) -> list[str]:
    """Take out what differs from run to run: ids, times of day (a day where that was yesterday), dates, minutes."""
    text = re.sub(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d\+00:00)?", "DATE", text)
    text = re.sub(r"\b\d\d:\d\d\b|\b\d+ h \d+ m\b|\b\d+ min\b|\b\d{1,2} [A-Z][a-z]{2}\b", "TIME", text)
    text = re.sub(r"\b[0-9a-z]{15,}\b", "ID", text)
    text = re.sub(r"^(sent|delivered|read):", "STATE:", text, flags=re.M)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.fixture
def sandbox() -> Iterator[dict[str, str]]:
    """A demo without a console, as the README says to start it; yields the environment of commands on it."""
    with tempfile.TemporaryDirectory(prefix="acr") as folder:
        base = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "COLUMNS": "200"}
        process = subprocess.Popen([*AGENTCONSOLE, "demo", "--headless"], stdout=subprocess.PIPE, text=True, env=base)
        try:
            assert process.stdout is not None
            yield {**base, "AGENTCONSOLE_CONFIG": json.loads(process.stdout.readline())["config"]}
        finally:
            process.terminate()
            process.communicate(timeout=120)


def test_the_outputs_in_the_readme_are_what_the_demo_says(sandbox: dict[str, str]):
    (session,) = blocks(README, "console")
    calls = re.findall(r"^\$ agentconsole ([^\n]*)\n(.*?)(?=^\$ |\Z)", session, re.S | re.M)
    assert len(calls) >= 5
    for words, said in calls:
        done = subprocess.run(
            [*AGENTCONSOLE, *shlex.split(words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
            env=sandbox,
        )
        assert masked(done.stdout) == masked(said), words
