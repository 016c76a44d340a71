"""Warnings before a send, facts, and numbers that are printed only where somebody asks."""

from __future__ import annotations

import json
from pathlib import Path

from agentconsole.domain.model import CustomerId
from tests.cli.conftest import Office
from tests.fakes import paper
from tests.hub.conftest import EMAIL
from tests.waiting import until

CARD = "4111 1111 1111 1111"
TOLD = f"My ID is 88124821, card {CARD}, order 4455-91."


async def told(office: Office) -> CustomerId:
    office.hub.mail.put(paper.message("card", EMAIL, TOLD, office.hub.clock.now()))

    async def there() -> bool:
        return (await office.hub.store.health()).entries >= 3 and "4455" in (
            await office.run("show", "Emily Rhodes")
        ).out

    await until(there)
    return await office.emily()


async def test_show_lists_what_was_told_and_masks_numbers(office: Office):
    await told(office)
    found = await office.json("show", "Emily Rhodes")
    facts = {fact["kind"]: fact for fact in found["facts"]}
    assert (facts["id_number"]["value"], facts["order_number"]["value"]) == ("••••4821", "4455-91")
    entry = next(e for e in found["timeline"] if e["id"] == facts["id_number"]["entry"])
    assert entry["text"] == "My ID is ••••4821, card •••• •••• •••• 1111, order 4455-91."
    assert found["masked"] == [entry["id"]]
    for words in (
        ("inbox",),
        ("show", "Emily Rhodes"),
        ("search", "4111"),
        ("inbox", "--json"),
        ("search", "88124821"),
    ):
        printed = await office.run(*words)
        assert "4111 1111" not in printed.out, words
        assert "88124821" not in printed.out, words
    people = await office.run("show", "Emily Rhodes")
    assert "Told: ID ••••4821 (e-mail" in people.out


async def test_reveal_prints_them_and_is_audited(office: Office):
    await told(office)
    assert TOLD in (await office.run("show", "Emily Rhodes", "--reveal")).out
    lines = [line for line in await office.hub.store.audited() if line.act == "reveal"]
    assert len(lines) == 1


async def test_an_export_is_masked_unless_it_is_asked_for(office: Office, tmp_path: Path):
    await told(office)
    masked, clear = tmp_path / "masked", tmp_path / "clear"
    found = await office.json("customer", "export", "Emily Rhodes", str(masked))
    assert found["missing"] >= 1
    everything = b"".join(path.read_bytes() for path in masked.rglob("*") if path.is_file())
    assert CARD.encode() not in everything
    assert b"88124821" not in everything
    assert "holds a number (--reveal)" in (masked / "missing.txt").read_text()
    await office.json("customer", "export", "Emily Rhodes", str(clear), "--reveal")
    assert TOLD in (clear / "entries.jsonl").read_text()
    assert any(line.act == "reveal" for line in await office.hub.store.audited())


async def test_send_warns_beside_its_answer(office: Office):
    await told(office)
    sent = await office.run("send", "Emily Rhodes", "--text", "Could you send me your ID number?")
    assert sent.code == 0
    assert "Warning: Already known: ID ending 4821 (e-mail" in sent.err
    found = await office.json("send", "Emily Rhodes", "--text", f"see {{order}}, {CARD}")
    assert [w["guard"] for w in found["warnings"]] == ["number_in_text", "unfilled_variable"]
    assert "card" in found["warnings"][0]["because"]


async def test_dry_run_and_strict_send_nothing(office: Office):
    await told(office)
    dry = await office.run("send", "Emily Rhodes", "--dry-run", "--text", "see {order}", "--json")
    assert (dry.code, [w["guard"] for w in json.loads(dry.out)["warnings"]]) == (0, ["unfilled_variable"])
    for words in (("--strict",), ("--strict", "--json"), ("--strict", "--dry-run")):
        strict = await office.run("send", "Emily Rhodes", "--text", "it is attached", *words)
        assert strict.code == 3, words
    outbox = await office.json("outbox", "list")
    assert outbox["replies"] == []
    fine = await office.run("send", "Emily Rhodes", "--text", "Done.", "--strict")
    assert fine.code == 0
