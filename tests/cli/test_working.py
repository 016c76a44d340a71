"""Work on conversations as commands: what scripts read, what people read, and what a failure says."""

from __future__ import annotations

from agentconsole.domain.model import EntryId
from tests.cli.conftest import Office


async def conversation(office: Office) -> tuple[str, str]:
    found = (await office.run("inbox", "--json")).json["conversations"]
    mail = next(row for row in found if "email" in row["media"])
    return mail["customer"]["id"], mail["id"]


async def test_snooze_takes_times_as_people_say_them_and_undo_brings_it_back(office: Office):
    _, name = await conversation(office)
    done = await office.run("snooze", name, "내일", "9시", "--json")
    assert done.code == 0
    assert (done.json["status"], done.json["error"]) == ("snoozed", None)
    assert [row["id"] for row in (await office.run("view", "snoozed", "--json")).json["conversations"]] == [name]
    assert name not in (await office.run("inbox")).out
    back = await office.run("undo", *done.json["entries"], "--json")
    assert back.json["done"][0]["error"] is None
    assert name in (await office.run("inbox")).out
    wrong = await office.run("snooze", name, "some", "day")
    assert (wrong.code, "no time to come" in wrong.err) == (2, True)


async def test_tags_priority_and_views_are_told(office: Office):
    _, name = await conversation(office)
    assert (await office.run("tag", name, "VIP", "Refund")).code == 0
    assert (await office.run("tag", name, "--remove", "refund")).code == 0
    assert (await office.run("priority", name, "urgent")).out.startswith("Priority: urgent")
    [row] = [row for row in (await office.run("inbox", "--json")).json["conversations"] if row["id"] == name]
    assert (row["tags"], row["priority"], row["late"], row["due_at"]) == (["vip"], "urgent", False, None)
    first = (await office.run("inbox")).out.splitlines()[0]
    assert "priority urgent" in first
    assert "tags vip" in first
    views = (await office.run("view", "--json")).json["views"]
    assert views["waiting"] == 2
    assert "waiting: 2" in (await office.run("view")).out
    wrong = await office.run("inbox", "--view", "waitin")
    assert (wrong.code, "Did you mean waiting?" in wrong.err) == (2, True)


async def test_several_at_once_tell_each_failure_and_its_exit_code(office: Office):
    _, name = await conversation(office)
    other = next(row["id"] for row in (await office.run("inbox", "--json")).json["conversations"] if row["id"] != name)
    done = await office.run("close", name, "--also", other, "--json", "--key", "k")
    assert [one["error"] for one in done.json["done"]] == [None, None]
    assert (await office.run("inbox", "--json")).json["total"] == 0
    assert (await office.run("undo")).code == 0
    assert (await office.run("inbox", "--json")).json["total"] == 2
    entries = [entry for one in done.json["done"] for entry in one["entries"]]
    again = await office.run("undo", entries[0], "nothing", "--json")
    assert again.code == 5
    assert [one["error"]["code"] for one in again.json["done"] if one["error"]] == ["not_found"]


async def test_tasks_are_added_listed_and_done(office: Office):
    _, name = await conversation(office)
    added = await office.run("task", "add", name, "--text", "call back", "--due", "in 2 h", "--json")
    listed = (await office.run("task", "list", "--json")).json["conversations"]
    assert [row["task"]["id"] for row in listed] == [added.json["task"]]
    assert "call back" in (await office.run("task", "list")).out
    assert (await office.run("task", "done", added.json["task"])).code == 0
    assert (await office.run("task", "list", "--json")).json["total"] == 0
    assert (await office.run("task", "done", "nothing")).code == 5


async def test_a_call_is_written_down_and_ends_the_wait(office: Office):
    customer, name = await conversation(office)
    done = await office.run("log", name, "phone", "--in", "--minutes", "4", "--text", "settled", "--answered")
    assert done.code == 0
    assert name not in (await office.run("inbox")).out
    entry = (await office.run("show", customer, "--json")).json["timeline"][-1]
    assert (entry["type"], entry["medium"], entry["direction"], entry["minutes"]) == ("manual", "phone", "in", 4)
    assert "phone from the customer" in (await office.run("show", customer)).out
    assert (await office.run("customer", "opt-out", customer, "--medium", "phone")).code == 0


async def test_a_wish_to_be_called_is_kept_and_nothing_is_sent_there(office: Office):
    customer, _ = await conversation(office)
    assert (await office.run("customer", "prefer", customer, "phone")).code == 0
    why = (await office.run("why", customer, "--json")).json
    assert (why["set_aside"]["medium"], why["choice"]["medium"]) == ("phone", "email")
    assert all(route["medium"] != "phone" for route in why["alternatives"])


async def test_spam_mute_and_block_keep_out_of_the_queue(office: Office):
    customer, name = await conversation(office)
    for command in ("spam", "mute"):
        assert (await office.run(command, name)).code == 0
        assert name not in (await office.run("inbox")).out
        assert name in (await office.run("inbox", "--view", "spam")).out
        assert (await office.run(command, name, "--off")).code == 0
        assert name in (await office.run("inbox")).out
    assert (await office.run("customer", "block", customer)).code == 0
    assert name not in (await office.run("inbox")).out
    refused = await office.run("send", customer, "--text", "hello")
    assert (refused.code, "blocked" in refused.err) == (3, True)
    assert (await office.run("customer", "unblock", customer)).code == 0
    assert (await office.run("send", customer, "--text", "hello")).code == 0


async def test_split_and_join(office: Office):
    customer, name = await conversation(office)
    await office.run("send", customer, "--text", "Yes, gladly.")
    entries = (await office.run("show", customer, "--json")).json["timeline"]
    reply = next(entry for entry in entries if entry["type"] == "reply")
    assert (await office.run("split", name, "--from", entries[0]["id"])).code == 3
    done = await office.run("split", name, "--from", EntryId(reply["id"]), "--json")
    assert done.json["conversation"] != name
    joined = await office.run("join", done.json["conversation"], name, "--json")
    assert joined.json["conversation"] == name


async def test_in_korean_people_read_korean(office: Office):
    _, name = await conversation(office)
    told = await office.run("priority", name, "urgent", environ={"LANG": "ko_KR.UTF-8"})
    assert told.out.startswith("우선순위 긴급")
    told = await office.run("undo", environ={"LANG": "ko_KR.UTF-8"})
    assert told.out.startswith("되돌림")
