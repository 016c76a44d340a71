"""``template``, ``attachment`` and what ``send`` does with both, on a real hub."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentconsole.domain.model import AgentName
from agentconsole.domain.templates import Template
from agentconsole.hub.profile import HubProfile
from agentconsole.ports import Part
from tests.cli.conftest import Office, ran
from tests.fakes import paper
from tests.hub import conftest as hubs

TEMPLATES = (
    Template(
        "delay", {"en": "Hello {customer.first_name}, late: {reason}.", "ko": "{customer.name}님"}, {"en": "Late"}
    ),
    Template("hello", {"en": "Hello."}, words=("hi",)),
)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Office]:
    profile = HubProfile(region="GB", free_floor=0, templates=TEMPLATES, agent_names={AgentName("mina"): "Mina"})
    async with hubs.running(profile=profile) as world:
        text = "Could it be 11 March, same time? I have the plan here for you."
        parts = (
            Part("../../plan\x1b[2J.txt", "text/plain", b"line one\x1b]52;c;eA==\x07\nline two"),
            Part("film.mp4", "video/mp4", b""),
        )
        world.mail.put(paper.message("m1", hubs.EMAIL, text, sender_name="Emily Rhodes", subject="Plan", parts=parts))
        await world.customer(hubs.EMAIL)
        yield Office(world, tmp_path)


async def test_templates_are_listed_and_shown_for_a_customer(shop: Office):
    found = (await shop.json("template", "list"))["templates"]
    assert [(one["name"], one["languages"]) for one in found] == [("delay", ["en", "ko"]), ("hello", ["en"])]
    shown = await shop.json("template", "show", "delay", "--for", "emily@example.com", "--var", "reason=snow")
    assert (shown["text"], shown["unfilled"], shown["subject"]) == ("Hello Emily, late: snow.", [], "Late")
    told = await shop.run("template", "show", "hi", "--for", "emily@example.com")
    assert told.out.startswith("  Hello.")
    told = await shop.run("template", "show", "delay", "--for", "emily@example.com")
    assert "Not filled in: reason" in told.err


async def test_a_template_that_is_not_there_names_the_nearest(shop: Office):
    found = await shop.json("template", "show", "dealy", code=5)
    assert "Did you mean delay?" in found["error"]["hint"]


async def test_a_template_is_sent_and_its_gap_is_warned_of(shop: Office):
    send = ("send", "emily@example.com", "--template", "delay")
    dry = await shop.json(*send, "--dry-run")
    assert (dry["text"], [w["guard"] for w in dry["warnings"]]) == (
        "Hello Emily, late: {reason}.",
        ["unfilled_variable"],
    )
    assert (await shop.json(*send, "--strict", code=3))["reply"] is None
    await shop.json(*send, "--var", "reason=snow", "--wait")
    (mail,) = shop.hub.mail.delivered
    assert mail.text == "Hello Emily, late: snow."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--template", "delay", "--text", "x"), "Leave one out"),
        (("--template", "delay", "--var", "reason"), "--var reason=snow"),
    ],
)
async def test_what_contradicts_itself_is_exit_2(shop: Office, words: tuple[str, ...], said: str):
    assert said in (await shop.json("send", "emily@example.com", *words, code=2))["error"]["hint"]


async def test_a_file_of_several_calls_goes_along(shop: Office, tmp_path: Path):
    data = os.urandom(1_300_000)
    (tmp_path / "plan.bin").write_bytes(data)
    await shop.json("send", "emily@example.com", "--text", "Here", "--attach", str(tmp_path / "plan.bin"), "--wait")
    assert shop.hub.mail.delivered[0].files[0].data == data


async def test_a_channels_own_limit_is_told_before_anything_is_stored(shop: Office, tmp_path: Path):
    with (tmp_path / "film.bin").open("wb") as file:
        file.truncate(19_000_000)
    words = ("send", "emily@example.com", "--text", "Here", "--attach", str(tmp_path / "film.bin"), "--dry-run")
    found = await shop.json(*words, code=3)
    assert [refused["reason"] for refused in found["refused"]] == ["files_too_large"]


async def attached(shop: Office) -> tuple[str, list[dict[str, object]]]:
    (message,) = (await shop.json("attachment", "list", "emily@example.com"))["messages"]
    return message["entry"], message["attachments"]


async def test_files_are_listed_saved_and_read(shop: Office, tmp_path: Path):
    entry, files = await attached(shop)
    assert [(one["number"], one["kept"]) for one in files] == [(1, True), (2, False)]
    saved = await shop.run("attachment", "save", "emily@example.com", entry, "--to", str(tmp_path / "in"))
    assert saved.code == 0
    assert "film.mp4" in saved.err
    assert "scp '" in saved.err
    (path,) = (tmp_path / "in").iterdir()
    assert path.name.startswith("plan")
    assert "\x1b" not in path.name
    assert path.read_bytes().endswith(b"line two")
    seen = await shop.run("attachment", "view", "emily@example.com", entry)
    assert "  line two" in seen.out
    assert "\x1b" not in seen.out + seen.err + saved.out + saved.err


async def test_a_number_that_is_not_there_is_exit_5(shop: Office):
    entry, _ = await attached(shop)
    await shop.json("attachment", "save", "emily@example.com", entry, "7", code=5)
    await shop.json("attachment", "view", "emily@example.com", "e0", code=5)


def test_check_reads_the_configuration_without_a_hub(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text('[profiles.shop]\n[profiles.shop.templates.own]\ntext = { en = "Hi" }\n', encoding="utf-8")
    found = ran("--config", str(path), "--json", "template", "check")
    assert found.code == 0
    assert {"what": "template_missing", "name": "own", "language": "ko"} in found.json["missing"]
    path.write_text('[profiles.shop]\n[profiles.shop.templates.own]\ntext = { en = "{x.y}" }\n', encoding="utf-8")
    found = ran("--config", str(path), "--json", "template", "check")
    assert found.code == 2
    assert "config.toml:3" in found.json["error"]["message"]
