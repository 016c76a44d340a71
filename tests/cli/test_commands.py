"""Every command on a real hub: the JSON fields that scripts rely on, the lines for people, the exit codes."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agentconsole.domain.model import ConsentScope, Delivery, Medium
from agentconsole.errors import PermanentFailure
from tests.cli.conftest import MAIL_TEXT, Office
from tests.fakes import paper
from tests.hub import conftest as hubs
from tests.waiting import until


def has(found: dict[str, Any], **types: Any) -> None:
    """Check the fields of one JSON object by their types."""
    for key, kind in types.items():
        assert key in found, (key, found)
        assert isinstance(found[key], kind), (key, found[key])


def is_moment(text: str | None) -> bool:
    return text is not None and datetime.fromisoformat(text).tzinfo is not None


# -- reading ------------------------------------------------------------------------------------------------


async def test_inbox_lists_who_waits_with_the_fields_that_scripts_read(office: Office):
    found = await office.json("inbox")
    assert len(found["conversations"]) == found["total"] == 2
    mail = found["conversations"][0]
    has(mail, id=str, customer=dict, subject=str, status=str, media=list, unread=bool, preview=str)
    assert (mail["customer"]["name"], mail["subject"], mail["media"]) == (
        "Emily Rhodes",
        "Move my appointment",
        ["email"],
    )
    assert is_moment(mail["last_at"])
    assert is_moment(mail["waiting_since"])
    assert mail["assignee"] is None


async def test_inbox_for_people_is_one_line_a_conversation_with_its_id(office: Office):
    found = await office.run("inbox", clock=office.hub.clock)
    lines = found.out.split("\n")
    assert lines[0].startswith("Emily Rhodes; ")
    assert "waiting 8 min; Move my appointment" in lines[0]
    assert lines[0].endswith((await office.json("inbox"))["conversations"][0]["id"])
    assert lines[1].startswith("  Could it be 11 March")
    assert (found.err, found.code) == ("", 0)


async def test_inbox_views_and_limits(office: Office):
    assert (await office.json("inbox", "--view", "resolved"))["conversations"] == []
    cut = await office.run("inbox", "--limit", "1")
    assert "1 more; see them with --limit 2" in cut.err
    empty = await office.run("inbox", "--view", "mine")
    assert empty.out == "Nothing in the view mine.\n"


async def test_show_gives_the_customer_and_the_timeline(office: Office):
    await office.merged()
    for words in ("emily@example.com", "+442079460182", "Emily Rhodes", await office.emily()):
        found = await office.json("show", words)
        assert found["customer"]["name"] == "Emily Rhodes", words
    customer = found["customer"]
    has(customer, id=str, name=str, addresses=list, tags=list)
    assert {(a["kind"], a["scope"], a["value"]) for a in customer["addresses"]} == {
        ("email", "", "emily@example.com"),
        ("phone", "", "+442079460182"),
    }
    assert all(a["trust"] in ("verified", "threaded", "claimed", "ambiguous") for a in customer["addresses"])
    assert customer["preference"] is None
    fields = {"id", "at", "type", "medium", "account", "direction", "author", "subject", "text", "state", "attachments"}
    assert all(fields <= set(entry) and is_moment(entry["at"]) for entry in found["timeline"])
    received = [entry for entry in found["timeline"] if entry["type"] == "received"]
    assert [(e["medium"], e["direction"], e["author"], e["text"]) for e in received] == [
        ("email", "in", "Emily Rhodes", MAIL_TEXT),
        ("whatsapp", "in", "+442079460182", "any news? I wrote you"),
    ]
    assert found["conversations"][0]["subject"] == "Move my appointment"


async def test_show_for_people_tells_the_card_then_the_entries(office: Office):
    await office.merged()
    found = await office.run("show", "emily@example.com")
    lines = found.out.split("\n")
    assert lines[0].startswith("Emily Rhodes; ")
    assert "Address: emily@example.com (claimed)" in lines
    assert any(line.startswith("Merged with ") for line in lines)
    assert f"  {MAIL_TEXT}" in lines
    assert "  Subject: Move my appointment" in lines


async def test_show_pages_backwards(office: Office):
    for number in range(3):
        await office.json("note", "emily@example.com", "--text", f"note {number}")
    whole = (await office.json("show", "emily@example.com"))["timeline"]
    newest = await office.json("show", "emily@example.com", "--limit", "2")
    assert (newest["more"], newest["timeline"]) == (True, whole[-2:])
    older = await office.json("show", "emily@example.com", "--before", newest["timeline"][0]["id"])
    assert (older["more"], older["timeline"]) == (False, whole[:-2])


async def test_search_finds_words_in_everything(office: Office):
    found = await office.json("search", "11", "March")
    (hit,) = found["hits"]
    has(hit, customer=dict, entry=str, at=str, medium=str, snippet=str)
    assert (hit["customer"]["name"], hit["medium"]) == ("Emily Rhodes", "email")
    assert (await office.json("search", "nothing-like-this"))["hits"] == []


async def test_search_takes_filters_groups_by_customer_and_names_a_wrong_one(office: Office):
    found = await office.json("search", "11 March in:message", "--each", "1")
    assert [one["customer"]["id"] for one in found["customers"]] == [hit["customer"]["id"] for hit in found["hits"]]
    assert found["total"] == sum(one["count"] for one in found["customers"])
    assert found["complete"] is True
    assert (await office.json("search", "March has:attachment"))["hits"] == []
    wrong = await office.run("search", "form:emily", "March")
    assert wrong.code == 2
    assert "from:" in wrong.err


async def test_a_customer_is_found_by_a_beginning(office: Office):
    [found] = (await office.json("customer", "find", "emi"))["customers"]
    assert "emily@example.com" in found["addresses"]
    assert (await office.json("customer", "find", "zzzz"))["customers"] == []


async def test_why_explains_the_choice_the_alternatives_and_the_refusals(office: Office):
    customer = await office.merged()
    await office.json("customer", "opt-out", customer, "--medium", "email")
    found = await office.json("why", "emily@example.com")
    has(found["choice"], medium=str, account=str, address=str, rule=str, because=str)
    assert (found["choice"]["medium"], found["choice"]["account"], found["choice"]["address"]) == (
        "whatsapp",
        "wa",
        "+442079460182",
    )
    assert found["choice"]["rule"] == "live_exchange"
    (refused,) = found["refused"]
    has(refused, medium=str, account=str, address=str, reason=str, because=str)
    assert (refused["medium"], refused["reason"]) == ("email", "opted_out")
    told = await office.run("why", "emily@example.com")
    assert "Reply goes by: " in told.out
    assert "Refused: " in told.out


@pytest.mark.parametrize("command", [["show"], ["why"], ["send", "--text", "x"], ["note", "--text", "x"], ["close"]])
async def test_whom_nobody_knows_is_exit_5(office: Office, command: list[str]):
    found = await office.json(*command, "nobody@example.com", code=5)
    has(found["error"], code=str, message=str, hint=str)
    assert found["error"]["code"] == "not_found"


async def test_a_name_that_two_people_have_is_exit_5_and_lists_them(office: Office):
    await office.json("customer", "add", "Sam Lee", "sam@example.com")
    await office.json("customer", "add", "Sam Lee", "lee@example.com")
    found = await office.json("show", "Sam Lee", code=5)
    assert found["error"]["code"] == "ambiguous"


# -- replying -----------------------------------------------------------------------------------------------


async def test_send_queues_and_tells_reply_and_choice(office: Office):
    await office.merged()
    found = await office.json("send", "emily@example.com", "--text", "11 March, 9:00.")
    has(found["reply"], id=str, state=str, medium=str, account=str, address=str)
    assert (found["reply"]["medium"], found["reply"]["address"]) == ("whatsapp", "+442079460182")
    assert found["choice"]["rule"] == "live_exchange"
    assert "error" not in found


async def test_send_wait_returns_when_it_has_left(office: Office):
    found = await office.json("send", "emily@example.com", "--text", "-", "--wait", stdin="two\nlines\n")
    assert found["reply"]["state"] == "sent"
    assert [outgoing.text for outgoing in office.hub.mail.delivered] == ["two\nlines"]
    told = await office.run("send", "emily@example.com", "--text", "again", "--wait")
    assert told.out.startswith("sent: ") or told.out.lower().startswith("sent")


async def test_a_hub_that_dies_with_the_answer_names_the_key_to_repeat_with(office: Office):
    """The hub takes the reply, and its socket and every line of it are gone before it answers."""
    path = office.hub.socket.with_name("relay.sock")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_unix_connection(str(office.hub.socket))
        while line := await reader.readline():
            upstream.write(line)
            answer = await upstream_reader.readline()
            if b'"method":"reply"' in line:
                path.unlink()
                break
            writer.write(answer)
        upstream.close()
        writer.close()

    server = await asyncio.start_unix_server(relay, str(path))
    words = ("send", "emily@example.com", "--text", "once")
    lost = await office.run(*words, environ={"AGENTCONSOLE_HUB": str(path)})
    server.close()
    assert lost.code == 6
    assert "may have been done" in lost.err
    assert "Nothing was sent" not in lost.err
    again = await office.json(*words, "--key", lost.err.split("--key ")[1].strip(), "--wait")
    assert again["reply"]["state"] == "sent"
    assert [o.text for o in office.hub.mail.delivered] == ["once"]


async def test_the_same_key_sends_once(office: Office):
    first = await office.json("send", "emily@example.com", "--text", "once", "--key", "k1", "--wait")
    second = await office.json("send", "emily@example.com", "--text", "once", "--key", "k1", "--wait")
    assert first["reply"]["id"] == second["reply"]["id"]
    assert len(office.hub.mail.delivered) == 1


async def test_send_wait_tells_a_failure_by_exit_1(office: Office):
    office.hub.mail.before_commit = PermanentFailure("no such mailbox", reason="no_such_address")
    found = await office.json("send", "emily@example.com", "--text", "x", "--wait", code=1)
    assert (found["reply"]["state"], found["error"]["code"]) == ("failed", "no_such_address")
    listed = await office.json("outbox", "list", "--state", "failed")
    assert [(line["id"], line["text"]) for line in listed["replies"]] == [(found["reply"]["id"], "x")]
    office.hub.mail.before_commit = None
    again = await office.json("outbox", "resend", found["reply"]["id"])
    assert again["reply"]["state"] in ("queued", "sending", "sent")

    async def left() -> bool:
        return bool(office.hub.mail.delivered)

    await until(left)


async def test_send_wait_tells_an_unknown_outcome_by_exit_6(office: Office):
    from agentconsole.errors import OutcomeUnknown

    office.hub.mail.lost_answer = OutcomeUnknown("the line dropped")
    found = await office.json("send", "emily@example.com", "--text", "x", "--wait", code=6)
    reply = found["reply"]["id"]
    assert found["reply"]["state"] == "uncertain"
    told = await office.run("outbox", "list")
    assert reply in told.out
    assert "emily@example.com" in told.out
    settled = await office.json("outbox", "mark-sent", reply)
    assert settled["reply"]["state"] == "sent"
    assert (await office.json("outbox", "list"))["replies"] == []


async def test_send_wait_that_runs_out_is_exit_4_and_the_reply_stays_queued(office: Office):
    from agentconsole.errors import TemporaryFailure

    office.hub.mail.before_commit = TemporaryFailure("busy")
    words = ("send", "emily@example.com", "--text", "x", "--wait", "--timeout", "0.3")
    found = await office.json(*words, code=4)
    assert found["reply"]["state"] == "queued"
    cancelled = await office.json("outbox", "cancel", found["reply"]["id"])
    assert cancelled["reply"]["state"] == "cancelled"
    assert office.hub.mail.delivered == []


async def test_a_veto_is_exit_3_and_nothing_leaves(office: Office):
    customer = await office.emily()
    await office.json("customer", "opt-out", customer)
    found = await office.json("send", "emily@example.com", "--text", "x", "--wait", code=3)
    assert found["error"]["code"] == "refused"
    assert office.hub.mail.delivered == []


async def test_dry_run_explains_and_sends_nothing(office: Office):
    await office.merged()
    found = await office.json("send", "emily@example.com", "--dry-run", "--text", "x")
    assert (found["reply"], found["choice"]["medium"]) == (None, "whatsapp")
    via = await office.json("send", "emily@example.com", "--dry-run", "--via", "email")
    assert (via["choice"]["medium"], via["choice"]["rule"]) == ("email", "agent_choice")
    said = await office.run("send", "emily@example.com", "--dry-run", "--via", "email")
    assert said.out.startswith("Reply goes by: E-mail: chosen by hand.")
    assert "Alternative: WhatsApp" in said.out
    await office.json("send", "emily@example.com", "--dry-run", "--via", "sms", code=3)
    nothing = await office.run("send", "emily@example.com", "--dry-run", "--via", "sms")
    assert "Reply goes by" not in nothing.out
    assert office.hub.mail.delivered == office.hub.chat.delivered == []
    assert (await office.json("outbox", "list"))["replies"] == []


async def test_via_sends_where_the_agent_says(office: Office):
    await office.merged()
    found = await office.json("send", "emily@example.com", "--via", "EMAIL", "--text", "x", "--subject", "S", "--wait")
    assert found["reply"]["medium"] == "email"
    assert [outgoing.subject for outgoing in office.hub.mail.delivered] == ["S"]


async def test_a_file_goes_along(office: Office, tmp_path: Path):
    path = tmp_path / "계획.pdf"
    path.write_bytes(b"%PDF-1.7 x")
    await office.json("send", "emily@example.com", "--text", "see", "--attach", str(path), "--wait")
    (outgoing,) = office.hub.mail.delivered
    assert [(file.type, file.data) for file in outgoing.files] == [("application/pdf", b"%PDF-1.7 x")]


async def test_a_file_that_is_not_there_or_too_large_is_exit_2_before_anything_is_sent(office: Office, tmp_path: Path):
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(25_000_001)
    for path in (large, tmp_path / "absent"):
        found = await office.json("send", "emily@example.com", "--text", "x", "--attach", str(path), code=2)
        assert "Nothing was sent" in found["error"]["message"]
    assert office.hub.mail.delivered == []


async def test_send_without_text_is_exit_2(office: Office):
    found = await office.json("send", "emily@example.com", code=2)
    assert found["error"]["code"] == "usage"


# -- working ------------------------------------------------------------------------------------------------


async def test_note_assign_close_and_reopen(office: Office):
    row = (await office.json("inbox"))["conversations"][0]
    conversation = row["id"]
    noted = await office.json("note", conversation, "--text", "called, no answer")
    assert (noted["conversation"], bool(noted["note"])) == (conversation, True)
    assert (await office.json("assign", conversation, "mina"))["assignee"] == "mina"
    assert (await office.json("assign", "emily@example.com", "--me"))["assignee"] == office.hub.who.name
    assert (await office.json("assign", conversation, "--nobody"))["assignee"] is None
    assert (await office.json("close", "emily@example.com"))["status"] == "resolved"
    assert (await office.json("inbox", "--view", "resolved"))["conversations"][0]["id"] == conversation
    assert (await office.json("reopen", "emily@example.com"))["conversation"] == conversation
    await office.json("reopen", "emily@example.com", code=5)
    await office.json("close", conversation)
    assert (await office.json("reopen", conversation))["status"] == "open"
    shown = await office.json("show", "emily@example.com")
    assert "called, no answer" in [entry["text"] for entry in shown["timeline"] if entry["type"] == "note"]


async def test_assign_needs_exactly_one_who(office: Office):
    await office.json("assign", "emily@example.com", code=2)
    await office.json("assign", "emily@example.com", "mina", "--me", code=2)


# -- people -------------------------------------------------------------------------------------------------


async def test_customers_are_added_linked_renamed_and_merged(office: Office):
    added = await office.json("customer", "add", "김민아", "mina@example.com", "--key", "k")
    again = await office.json("customer", "add", "김민아", "mina@example.com", "--key", "k")
    assert added == again
    customer = added["customer"]["id"]
    await office.json("customer", "link", customer, "+44 20 7946 0199")
    assert (await office.json("show", "+442079460199"))["customer"]["name"] == "김민아"
    taken = await office.json("customer", "link", customer, "emily@example.com", code=3)
    assert taken["error"]["code"] == "refused"
    await office.json("customer", "unlink", customer, "+442079460199")
    await office.json("show", "+442079460199", code=5)
    await office.json("customer", "rename", customer, "Mina Kim")
    merged = await office.json("customer", "merge", "emily@example.com", "Mina Kim")
    assert (await office.json("show", "mina@example.com"))["customer"]["id"] == merged["customer"]
    assert (await office.json("show", "emily@example.com"))["customer"]["merges"][0]["id"] == merged["merge"]
    await office.json("customer", "unmerge", "emily@example.com")
    assert (await office.json("show", "mina@example.com"))["customer"]["id"] == customer


async def test_wishes_and_consents(office: Office):
    customer = await office.merged()
    await office.run("customer", "prefer", customer, "kakaotalk")
    assert "set aside: KakaoTalk: asked for on" in (await office.run("why", customer)).out
    await office.json("customer", "prefer", customer, "Email")
    assert (await office.json("show", customer))["customer"]["preference"] == "email"
    office.hub.clock.move(hours=1)
    assert (await office.json("why", customer))["choice"]["rule"] == "stated"
    await office.json("customer", "prefer", customer, "none")
    assert (await office.json("show", customer))["customer"]["preference"] is None
    await office.json("customer", "opt-out", customer, "--medium", "whatsapp", "--scope", "marketing")
    await office.json("customer", "opt-in", customer, "--medium", "whatsapp", "--scope", "marketing")
    person = await office.hub.store.customer(customer)
    assert person is not None
    assert [(c.medium, c.scope, c.allowed) for c in person.consents] == [
        (Medium("whatsapp"), ConsentScope.MARKETING, True)
    ]


async def test_a_suggestion_is_listed_refused_and_accepted(office: Office):
    (suggestion,) = (await office.json("suggestion", "list"))["suggestions"]
    has(suggestion, id=str, customer=dict, other=dict, address=str, why=str, evidence=str)
    assert (suggestion["address"], suggestion["why"]) == ("+442079460182", "number_in_text")
    told = await office.run("suggestion", "list", "emily@example.com")
    assert suggestion["id"] in told.out
    assert (await office.json("suggestion", "refuse", suggestion["id"]))["merge"] is None
    assert (await office.json("suggestion", "list"))["suggestions"] == []


async def test_a_wish_that_is_not_sure_is_listed_and_taken_like_a_suggestion(office: Office):
    customer = await office.merged()
    hub = office.hub
    text = "Please send me a text when you have an answer."
    hub.mail.put(paper.message("maybe", hubs.EMAIL, text, hub.clock.now()))

    async def waits() -> bool:
        return bool(await hub.desk.wishes(hub.who, customer))

    await until(waits, what="the wish")
    (wish,) = (await office.json("suggestion", "list"))["wishes"]
    has(wish, id=str, customer=dict, medium=str, words=str, evidence=str, at=str)
    assert (wish["medium"], wish["words"], wish["customer"]["id"]) == ("sms", text, customer)
    assert wish["id"] in (await office.run("suggestion", "list")).out
    assert wish["id"] in (await office.run("show", customer)).out
    put_off = await office.json("suggestion", "postpone", wish["id"], code=3)
    assert "need not be put off" in put_off["error"]["message"]
    assert (await office.json("suggestion", "accept", wish["id"]))["preference"]
    again = await office.json("suggestion", "accept", wish["id"], code=3)
    assert "decided before" in again["error"]["message"]
    shown = await office.json("show", customer)
    assert (shown["customer"]["preference"], shown["wishes"]) == ("sms", [])
    await office.json("suggestion", "accept", "nothing", code=5)


# -- operating ----------------------------------------------------------------------------------------------


async def test_status_tells_accounts_outbox_store_and_spool(office: Office):
    found = await office.json("status")
    for account in found["accounts"]:
        has(account, name=str, kind=str, state=str)
        assert {"last_ok", "lag_s", "error"} <= set(account)
    assert {account["name"] for account in found["accounts"]} == {"mail", "wa"}
    assert {"queued", "sending", "uncertain", "failed"} <= set(found["outbox"])
    has(found, store=dict, spool=dict, version=str, profile=str, pid=int)
    told = await office.run("status")
    assert "Account mail (papermail): ok" in told.out
    assert "Outbox: 0 queued, 0 sending, 0 uncertain, 0 failed" in told.out


async def test_sync_fetches_now_with_progress_on_stderr(office: Office):
    office.hub.mail.box.append(office.hub.mail.box[0])
    office.hub.mail.put(paper.message("m2", hubs.EMAIL, "one more", office.hub.clock.now()))
    found = await office.run("--json", "sync")
    assert [account["account"] for account in found.json["accounts"]] == ["mail", "wa"]
    assert (found.code, "mail: fetching" in found.err) == (0, True)
    assert "one more" in [e["text"] for e in (await office.json("show", "emily@example.com"))["timeline"]]


async def test_sync_tells_a_failed_account_by_exit_1_and_does_the_others(office: Office):
    office.hub.mail.fetch_failure = PermanentFailure("the mailbox is gone", "Ask the provider.")
    found = await office.json("sync", code=1)
    mail, chat = found["accounts"]
    assert (mail["error"], mail["hint"], chat["error"]) == ("the mailbox is gone", "Ask the provider.", None)
    await office.json("sync", "nothing", code=5)


async def test_doctor_tries_every_account_through_the_hub(office: Office):
    found = await office.json("doctor")
    told = {check["check"]: check for check in found["checks"]}
    assert (found["failed"], told["account mail"]["message"]) == (0, "the post is open")
    assert told["hub"]["ok"]


async def test_stop_ends_the_hub(office: Office):
    found = await office.run("--json", "stop", "--now", clock=_Impatient())
    # The hub runs in this very process, so that its process id never goes.
    assert (found.code, found.json["error"]["code"]) == (4, "try_later")

    async def gone() -> bool:
        return not office.hub.socket.exists()

    await until(gone)
    again = await office.json("stop")
    assert again == {"stopped": False, "pid": None}
    assert (await office.json("inbox", code=4))["error"]["code"] == "hub_absent"


class _Impatient:
    """A clock on which every deadline passes at once."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return paper.START

    def monotonic(self) -> float:
        self._seconds += 50.0
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        self._seconds += seconds


async def test_what_customers_write_never_reaches_the_terminal_as_a_control(office: Office):
    hostile = "\x1b]0;owned\x07\x1b[2J\u202eevil\u200f\x9b31m\r\nSubject: forged"
    office.hub.mail.put(paper.message("m3", hubs.EMAIL, hostile, office.hub.clock.now(), subject=hostile))
    await office.json("sync")
    for words in (["inbox"], ["show", "emily@example.com"], ["search", "evil"], ["why", "emily@example.com"]):
        for style in ([], ["--json"]):
            found = await office.run(*style, *words)
            bad = [c for c in found.out + found.err if c in "\x1b\x07\x9b\u202e\u200f\r"]
            assert bad == [], words
    shown = await office.json("show", "emily@example.com")
    assert shown["timeline"][-1]["type"] == "received"
    assert "evil" in shown["timeline"][-1]["text"]


async def test_delivery_is_told_in_the_timeline(office: Office):
    found = await office.json("send", "emily@example.com", "--text", "x", "--wait")
    office.hub.mail.put(paper.report("r1", Delivery.DELIVERED, key=office.hub.mail.delivered[0].key))
    await office.json("sync")
    entries = (await office.json("show", "emily@example.com"))["timeline"]
    (reply,) = [entry for entry in entries if entry["id"] == found["reply"]["id"]]
    assert (reply["type"], reply["direction"], reply["state"]) == ("reply", "out", "delivered")


async def test_in_korean_people_read_korean_and_scripts_the_same_codes(office: Office):
    await office.merged()
    english, korean = {"LANG": "C.UTF-8"}, {"LANG": "ko_KR.UTF-8"}
    told = await office.run("inbox", environ=korean, clock=office.hub.clock)
    assert "기다림" in told.out
    shown = await office.run("show", "emily@example.com", environ=korean)
    assert "주소: emily@example.com" in shown.out
    assert "답장 채널: 왓츠앱" in (await office.run("why", "emily@example.com", environ=korean)).out
    choices = [(await office.json("why", "emily@example.com", environ=env))["choice"] for env in (english, korean)]
    assert choices[0].pop("because") != choices[1].pop("because")
    assert choices[0] == choices[1]
