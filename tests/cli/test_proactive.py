"""``send --proactive``: refused with its end, shown as it would leave, held where asked; and what a text costs."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agentconsole.domain.beginning import Rules
from agentconsole.domain.laws import Law
from agentconsole.domain.model import Medium
from agentconsole.domain.preference import Policy, Price
from agentconsole.hub.profile import HubProfile
from tests.cli.conftest import Office
from tests.fakes import paper
from tests.hub import conftest as hubs

LAW = Law(
    "a law for tests",
    proactive_from="08:00",
    proactive_until="14:30",
    marketing_label="[ad]",
    marketing_footer="Stop: {opt_out_link}",
)
RULES = Rules(laws={"GB": LAW}, values={"opt_out_link": "https://example.com/stop"})


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Office]:
    """A hub with one SMS account that costs, in a country with a law."""
    post = paper.Post()
    setup = paper.chat(post, text_unit="sms", text_limit=3, reply_window=None)
    kind = dataclasses.replace(setup.kind, medium=Medium("sms"))
    profile = HubProfile(region="GB", free_floor=0, policy=Policy(rules=RULES))
    account = type(setup)(setup.name, kind, setup.options, price=Price("KRW", 20))
    async with hubs.running(profile=profile, accounts=[account], chat=post) as world:
        post.put(paper.message("w1", hubs.PHONE, "hello", world.clock.now()))
        await world.customer(hubs.PHONE)
        yield Office(world, tmp_path)


NUMBER = str(hubs.PHONE.value)


async def test_a_dry_run_says_parts_cost_and_the_text_as_it_leaves(gateway: Office):
    customer = str(await gateway.hub.customer(hubs.PHONE))
    await gateway.json("customer", "opt-in", customer, "--scope", "marketing")
    words = ("send", NUMBER, "--proactive", "--purpose", "marketing", "--dry-run", "--text", "Sale! " * 30)
    found = await gateway.json(*words)
    assert found["choice"]["facts"]["parts"] == "2"
    assert found["choice"]["facts"]["cost"] == "KRW 40"
    assert found["text"].startswith("[ad] Sale!")
    told = await gateway.run(*words)
    assert "2 SMS, KRW 40." in told.out
    assert "It leaves as:" in told.out
    assert "Stop: https://example.com/stop" in told.out
    assert gateway.hub.chat.delivered == []


async def test_at_night_it_is_refused_with_its_end_or_held(gateway: Office):
    gateway.hub.clock.move(minutes=45)
    words = ("send", NUMBER, "--proactive", "--purpose", "delivery", "--text", "Your parcel is here.")
    refused = await gateway.json(*words, "--dry-run", code=3)
    assert refused["choice"] is None
    assert [(r["reason"], r["until"]) for r in refused["refused"]] == [("quiet_hours", "2026-03-05T08:00:00+00:00")]
    assert (await gateway.json(*words, code=3))["error"]["code"] == "refused"
    held = await gateway.json(*words, "--when-allowed")
    assert held["reply"]["state"] == "queued"
    (line,) = (await gateway.json("outbox", "list"))["replies"]
    assert line["state"] == "queued"
    shown = await gateway.json("show", NUMBER)
    reply = next(entry for entry in shown["timeline"] if entry["type"] == "reply")
    assert (reply["proactive"], reply["purpose"], reply["rule"]) == (True, "delivery", "last_inbound")
    assert reply["facts"]["leaves"] == "2026-03-05T08:00:00+00:00"
    assert gateway.hub.clock.now() + timedelta(hours=1) < hubs.paper.START + timedelta(days=1)


async def test_holding_is_about_what_we_begin(gateway: Office):
    found = await gateway.run("send", NUMBER, "--when-allowed", "--text", "hi")
    assert found.code == 2
    assert "--proactive" in found.err


async def test_files_and_long_texts_are_refused_with_what_else_to_do(gateway: Office):
    file = gateway.home / "a.pdf"
    file.write_bytes(b"x")
    found = await gateway.run("send", NUMBER, "--text", "hi", "--attach", str(file), "--dry-run")
    assert found.code == 3
    assert "Put a link in the text, or choose another channel." in found.out
    long = await gateway.json("send", NUMBER, "--text", "x" * 500, "--dry-run", code=3)
    assert [(r["reason"], r["facts"]["size"]) for r in long["refused"]] == [("too_long", "4")]
