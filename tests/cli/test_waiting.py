"""``send --hold``, ``send --at``, ``outbox now|move|cancel`` and who else is at a customer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agentconsole.domain.model import ConversationId, Medium
from tests.cli.conftest import Office
from tests.hub import conftest as hubs
from tests.waiting import until

NUMBER = str(hubs.PHONE.value)


@pytest.fixture
async def customer(office: Office) -> str:
    return str(await office.hub.customer(hubs.PHONE))


async def test_a_command_is_not_held_unless_it_says_so(office: Office, customer: str) -> None:
    sent = await office.json("send", customer, "--text", "at once", "--via", "whatsapp")
    assert (sent["reply"]["held"], sent["reply"]["not_before"]) == (False, None)

    async def gone() -> bool:
        return "at once" in [o.text for o in office.hub.chat.delivered]

    await until(gone)


async def test_a_held_one_is_cancelled(office: Office, customer: str) -> None:
    held = await office.run("send", customer, "--text", "wait", "--via", "whatsapp", "--hold", "10")
    assert "outbox cancel" in held.err
    (line,) = [r for r in (await office.json("outbox", "list"))["replies"] if r["held"]]
    assert line["text"] == "wait"
    assert (await office.json("outbox", "cancel", line["id"]))["reply"]["state"] == "cancelled"
    office.hub.clock.move(seconds=20)
    assert "wait" not in [o.text for o in office.hub.chat.delivered]
    assert (await office.run("outbox", "now", line["id"])).code == 3


async def test_at_a_time_in_words_moved_and_sent_now(office: Office, customer: str) -> None:
    words = ("send", customer, "--text", "later", "--via", "whatsapp")
    assert (await office.run(*words, "--at", "whenever")).code == 2
    assert (await office.run(*words, "--hold", "900")).code == 2
    sent = await office.json(*words, "--at", "in 2 hours", clock=office.hub.clock)
    reply = sent["reply"]["id"]
    assert (sent["reply"]["state"], sent["reply"]["held"]) == ("queued", False)
    at = (office.hub.clock.now() + timedelta(hours=2)).isoformat()
    assert sent["reply"]["not_before"][:16] == at[:16]
    moved = await office.json("outbox", "move", reply, "--at", "in 3 hours", clock=office.hub.clock)
    assert moved["reply"]["not_before"] > at
    assert (await office.json("outbox", "now", reply))["reply"]["not_before"] is None

    async def gone() -> bool:
        return [o.text for o in office.hub.chat.delivered].count("later") == 1

    await until(gone)


async def test_other_words_under_the_same_key_are_told_apart(office: Office, customer: str) -> None:
    words = ("send", customer, "--via", "whatsapp", "--key", "k1", "--hold", "9")
    first = await office.json(*words, "--text", "one")
    again = await office.json(*words, "--text", "one")
    other = await office.json(*words, "--text", "two", code=3)
    assert first["reply"]["id"] == again["reply"]["id"] == other["reply"]["id"]
    assert "earlier" not in again
    assert other["earlier"]


async def test_show_tells_who_else_is_there(office: Office, customer: str) -> None:
    assert (await office.json("show", customer))["present"] == []
    office.hub.hub.desk.presence.attend(
        office.hub.who.name.__class__("hyun"), customer, ConversationId("c"), Medium("whatsapp"), writing=True
    )
    (one,) = (await office.json("show", customer))["present"]
    assert (one["agent"], one["writing"], one["medium"]) == ("hyun", True, "whatsapp")
    assert "hyun is writing to this customer (" in (await office.run("show", customer)).out
