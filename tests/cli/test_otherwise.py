"""``outbox fallback``, what is said of a person, and ``why`` with what was asked for and what answers speak for."""

from __future__ import annotations

import pytest

from agentconsole.domain.model import Delivery, Medium
from agentconsole.errors import PermanentFailure
from tests.cli.conftest import Office
from tests.waiting import until


async def failed(office: Office) -> str:
    """Emily's number on WhatsApp is dead; her mail is not."""
    customer = await office.merged()
    office.hub.chat.after_commit = PermanentFailure("no such number", reason="no_such_address")
    sent = await office.json("send", customer, "--text", "11 March it is", "--via", "whatsapp")
    reply = sent["reply"]["id"]

    async def gone() -> bool:
        return (await office.hub.desk.sent(office.hub.who, reply)).state == Delivery.FAILED

    await until(gone)
    return str(reply)


async def test_a_failed_reply_is_proposed_another_way_and_sent_with_one_word(office: Office):
    reply = await failed(office)
    told = await office.run("outbox", "fallback", reply)
    assert "E-mail instead of WhatsApp: text unchanged. To emily@example.com through mail." in told.out
    assert "Nothing was sent. To send it: --send" in told.err
    assert "Subject: Move my appointment" in told.out
    found = await office.json("outbox", "fallback", reply)
    assert (found["route"]["medium"], found["text"], found["sent"]) == ("email", "11 March it is", None)
    sent = await office.json("outbox", "fallback", reply, "--send")
    assert sent["sent"]["medium"] == "email"
    again = await office.json("outbox", "fallback", reply, "--send", code=3)
    assert "another way already" in again["error"]["message"]

    async def out() -> list[object]:
        return list(office.hub.mail.delivered)

    assert len(await until(out)) == 1


async def test_what_has_not_failed_is_refused_with_its_state(office: Office):
    customer = await office.emily()
    sent = await office.json("send", customer, "--text", "hello", "--wait", "--key", "one-request-of-a-test")
    told = await office.run("outbox", "fallback", sent["reply"]["id"])
    assert (told.code, told.out) == (3, "")
    assert "has not failed (sent)" in told.err


@pytest.mark.parametrize(
    ("command", "value", "field", "shown"),
    [
        ("language", "ko", "language", "Language: Korean (set by "),
        ("time-zone", "Asia/Seoul", "time_zone", "Time zone: Asia/Seoul, "),
        ("country", "KR", "country", "Country: KR (stated)"),
    ],
)
async def test_what_is_said_of_a_person_is_kept_shown_and_taken_back(
    office: Office, command: str, value: str, field: str, shown: str
):
    customer = await office.emily()
    found = await office.json("customer", command, customer, value)
    assert (found[field], found["before"]) == (value, None)
    assert shown in (await office.run("show", customer)).out
    back = await office.json("customer", command, customer, "none")
    assert (back[field], back["before"]) == (None, value)
    assert shown not in (await office.run("show", customer)).out


@pytest.mark.parametrize(
    ("command", "value", "told"),
    [
        ("language", "kor", "Did you mean "),
        ("time-zone", "Asia/Seol", "Did you mean Asia/Seoul?"),
        ("country", "XX", "two letters (ISO 3166)"),
    ],
)
async def test_what_means_nothing_is_refused(office: Office, command: str, value: str, told: str):
    found = await office.run("customer", command, await office.emily(), value)
    assert (found.code, found.out) == (2, "")
    assert told in found.err
    assert "Nothing was changed" in found.err


async def test_show_has_the_language_that_the_messages_are_in(office: Office):
    found = (await office.json("show", await office.merged()))["customer"]
    assert found["language"] == {"code": "en", "evidence": "detected", "messages": 2, "of": 2}
    assert found["country"] == {"code": "GB", "evidence": "number"}
    assert found["time_zones"] == {"names": ["Europe/London"], "evidence": "number"}
    assert found["best_hour"] is None


async def test_why_names_what_was_asked_for_and_set_aside(office: Office):
    customer = await office.merged()
    await office.json("customer", "prefer", customer, "whatsapp")
    await office.json("customer", "opt-out", customer, "--medium", "whatsapp")
    found = await office.json("why", customer)
    assert (found["choice"]["medium"], found["proposal"]) == ("email", None)
    assert (found["set_aside"]["medium"], found["set_aside"]["reason"]) == ("whatsapp", "opted_out")
    told = await office.run("why", customer)
    assert "Asked for, set aside: WhatsApp: opted out" in told.out


async def test_a_wish_for_a_purpose_decides_for_that_purpose_only(office: Office):
    customer = await office.merged()
    await office.json("customer", "prefer", customer, "email", "--purpose", "invoice")
    office.hub.clock.move(hours=2)
    assert (await office.json("why", customer))["choice"]["medium"] == "whatsapp"
    assert (await office.json("why", customer, "--purpose", "invoice"))["choice"]["rule"] == "stated"
    sent = await office.json("send", customer, "--text", "Your invoice", "--purpose", "invoice")
    assert sent["reply"]["medium"] == "email"
    entry = await office.hub.store.entry(sent["reply"]["id"])
    assert entry is not None
    assert entry[1].purpose == "invoice"  # type: ignore[union-attr]
    dry = await office.json("send", customer, "--dry-run", "--purpose", "invoice")
    assert (dry["choice"]["medium"], dry["best_hour"]) == (Medium("email"), None)
