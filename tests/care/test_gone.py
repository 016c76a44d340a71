"""Who was erased and what was taken out does not come back with a restore, by whatever was left of it in the backup."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agentconsole.domain.entries import Redacted
from agentconsole.domain.model import Address, ConversationId, CustomerId, EntryId
from agentconsole.errors import StoreFault
from agentconsole.store.embedded.head import Head
from agentconsole.testing.entries import NOON, merged, note, received, unmerged
from tests.care.places import K1, K2, acting, append, copied, filled, forked, opt_out, put_back
from tests.folders import quick_folder
from tests.store.killed import draft

CANARY = "zzcanary"


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder("acg-") as found:
        yield found


def holding(root: Path, word: str) -> list[str]:
    """Return the files that hold a word, as bytes or in their names."""
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and (word.encode() in path.read_bytes() or word in path.name)
    ]


def test_a_customer_of_whom_the_backup_has_no_head_stays_erased(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    (head,) = store.glob("customers/*/k2.json")
    whole = head.read_bytes()
    head.unlink()
    copied(store, folder / "b")
    head.write_bytes(whole)
    acting(store, lambda found: found.erase(K2))
    assert put_back(folder / "b", store).reapplied.erased == 1
    assert list(store.glob("*/*/k2*")) == []


def test_an_opt_out_that_only_the_ledger_knew_brings_nobody_back(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)

    async def refused(found) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Head, "commit", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(StoreFault):
                await found.change(K2, lambda _: [opt_out("o2")])

    acting(store, refused)
    copied(store, folder / "b")
    acting(store, lambda found: found.erase(K2))
    for place in (store, folder / "elsewhere"):
        put_back(folder / "b", place, ledgers=(store / "ledger",))
        assert list(place.glob("*/*/k2*")) == []
        assert holding(place, '"o2"') == []


@pytest.mark.parametrize("restored", [False, True])
def test_an_address_leaves_the_opt_outs_of_whom_its_customer_was_joined_with(folder: Path, restored: bool):
    store, other = folder / "store", CustomerId("kother")

    async def joined(found) -> None:
        await found.change(K1, lambda _: [received("e1")])
        await found.change(other, lambda _: [received("e2", sender=Address("email", "", f"{CANARY}@example.com"))])
        await found.change(K1, lambda _: [merged("m1", other, 2)])
        await found.change(K1, lambda _: [opt_out("o1")])
        await found.change(K1, lambda _: [unmerged("u1", "m1", 3)])
        await found.change(K1, lambda _: [opt_out("o2")])

    acting(store, joined)
    copied(store, folder / "b")
    acting(store, lambda found: found.erase(other))
    if restored:
        put_back(folder / "b", store)
    assert holding(store, CANARY) == []
    assert holding(store, '"o1"')


def test_a_draft_to_somebody_whom_the_backup_does_not_have_stays_erased(folder: Path, monkeypatch):
    store, late = filled(folder, monkeypatch), CustomerId("klate")

    async def write(found) -> None:
        await found.change(late, lambda _: [received("e9", conversation="c9")])
        await found.save_draft(
            msgspec.structs.replace(draft(1), customer=late, conversation=ConversationId("c9"), text=CANARY)
        )

    acting(store, write)
    with monkeypatch.context() as patch:
        from agentconsole.store.care import backup as module

        patch.setattr(module._Backup, "_copy_customers", lambda _self: None)
        copied(store, folder / "b")
    acting(store, lambda found: found.erase(late))
    put_back(folder / "b", store)
    assert holding(store, CANARY) == []


async def redact(found) -> None:
    clean = note("secret", 10, text="")
    mark = Redacted(id=EntryId("x1"), at=NOON, entry=EntryId("secret"), by="ana")  # type: ignore[arg-type]
    await found.rewrite(K1, lambda entry: clean if entry.id == "secret" else entry, lambda _: [mark])


def test_what_was_redacted_is_in_no_damaged_copy_of_the_backup(folder: Path, monkeypatch):
    store = filled(folder, monkeypatch)
    acting(store, append(note("secret", 10, text=CANARY)))
    (head,) = store.glob("customers/*/k1.json")
    shutil.copy(head, head.with_name("k1.json.damaged-1"))
    copied(store, folder / "b")
    acting(store, redact)
    put_back(folder / "b", store)
    assert holding(store, CANARY) == []


def test_a_file_whose_redaction_was_cut_short_goes_after_a_restore(folder: Path):
    """Killed between the commit of the rewriting and the removal of what it named."""

    async def fill(found) -> None:
        blob = await found.put_blob(K1, CANARY.encode())
        await found.change(K1, lambda _: [msgspec.structs.replace(received("e1", text=CANARY), raw=blob)])

    async def clean(found) -> None:
        await found.rewrite(K1, lambda entry: msgspec.structs.replace(entry, text="", raw=""), lambda _: [])

    acting(folder / "store", fill)
    between = 0
    for border in range(1, 40):
        root = folder / f"{border}"
        shutil.copytree(folder / "store", root)
        code = forked(lambda: acting(root, clean, killable=True), border)  # noqa: B023
        (head,) = root.glob("customers/*/k1.json")
        if CANARY.encode() not in head.read_bytes() and holding(root / "blobs", CANARY):
            between += 1
            copied(root, folder / f"b{border}")
            put_back(folder / f"b{border}", folder / f"new{border}")
            acting(folder / f"new{border}", lambda found: found.snapshot(K1))
            assert holding(folder / f"new{border}", CANARY) == []
        if code == 0:
            break
    assert code == 0
    assert between
