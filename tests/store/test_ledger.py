"""The erasure ledger and the audit trail: what damage of a line, other keys and an earlier form do not take away."""

from __future__ import annotations

from pathlib import Path

import msgspec

from agentconsole.domain.model import AgentName, CustomerId, EntryId
from agentconsole.ports import AuditLine
from agentconsole.seams import Steps, SystemRandomness
from agentconsole.store.embedded.ledger import ErasedLine, ErasureLedger, united_erasures
from agentconsole.store.embedded.sealed import seal
from agentconsole.store.erasure import Gone, keyed
from agentconsole.testing.entries import EMILY, NOON, received
from tests.store import killed


def gone(name: str) -> Gone:
    return Gone(records=(CustomerId(f"k{name}"),), entries=(EntryId(f"e{name}"),))


def add(path: Path, name: str) -> None:
    ErasureLedger(path).add(gone(name), NOON, SystemRandomness(), Steps())


def known(path: Path, *names: str) -> list[bool]:
    ledger = ErasureLedger(path)
    return [ledger.has_entry(EntryId(f"e{name}")) and ledger.has_record(CustomerId(f"k{name}")) for name in names]


def test_a_damaged_line_takes_no_other_line_with_it(tmp_path: Path) -> None:
    path = tmp_path / "erased.jsonl"
    for name in "abc":
        add(path, name)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    for spoiled in range(3):
        path.write_bytes(
            b"".join(line.replace(b"records", b"recXrds", number == spoiled) for number, line in enumerate(lines))
        )
        assert known(path, *"abc") == [number != spoiled for number in range(3)]
        add(path, "d")
        assert known(path, "d") == [True]


def test_several_ledgers_become_one_also_of_the_form_with_a_key_on_its_own_line(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    lost, key = gone("old"), "a key"
    line = ErasedLine(
        at=NOON,
        records=tuple(keyed(key.encode(), name) for name in lost.records),
        entries=tuple(keyed(key.encode(), name) for name in lost.entries),
    )
    one.write_bytes(b"".join(seal(msgspec.json.encode(part)) + b"\n" for part in (ErasedLine(key=key), line)))
    assert known(one, "old") == [True]
    add(one, "new")
    add(other, "elsewhere")
    united = united_erasures(one, other, one)
    both = tmp_path / "both"
    both.write_bytes(united)
    assert known(both, "old", "new", "elsewhere", "nobody") == [True, True, True, False]
    assert united == united_erasures(both, one, other)


async def test_a_damaged_line_of_the_audit_trail_keeps_no_word_of_who_was_erased(tmp_path: Path) -> None:
    async with killed.make(tmp_path / "store") as store:
        await store.change(CustomerId("k1"), lambda _: [received("e1")])
        for detail in (str(EMILY), "about nobody"):
            await store.audit(
                AuditLine(NOON, AgentName("ana"), True, "link", CustomerId("k1" * ("@" in detail)), detail)
            )
        (path,) = (tmp_path / "store").glob("audit/*.jsonl")
        path.write_bytes(path.read_bytes().replace(b"link", b"lonk"))
        await store.erase(CustomerId("k1"))
        assert EMILY.value.encode() not in path.read_bytes()
        assert b"about nobody" in path.read_bytes()
