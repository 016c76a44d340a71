"""Scenes of care (rewrite, erase, accept, migrate) that may be killed at any border, and the words that must be gone.

Run as a program with a folder and the name of a scene it lives the scene once for every border.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agentconsole.domain.entries import (
    AnyEntry,
    ConsentChanged,
    Received,
    Redacted,
    Suggested,
    SuggestionAnswered,
)
from agentconsole.domain.model import (
    Address,
    AgentName,
    Attachment,
    ConversationId,
    CustomerId,
    Draft,
    EntryId,
    Medium,
    Snapshot,
)
from agentconsole.ports import AuditLine, Store
from agentconsole.store.embedded import files
from agentconsole.testing.entries import NOON, merged, minute, named, note, received, unmerged
from agentconsole.text import tokens
from tests.store import killed

SAMPLE = Path(__file__).parent / "samples" / "v1"
ANA, BEN = AgentName("ana"), AgentName("ben")
GONE, TWIN, OTHER = CustomerId("kvanishing"), CustomerId("kvanishtwin"), CustomerId("kother")
RECORDS = (GONE, TWIN, OTHER)
ADDRESS, PHONE = Address("email", "", "zebulonia@vanish.example"), Address("phone", "", "+821099998877")
SECRET = "quokkaxqzjw 사라질비밀문장"
TEXT = f"please note {SECRET} thank you"
WORDS = ("quokkaxqzjw", "xqzjw", "사라질비밀문장")
"""What a redaction takes out; the second is what a compressed index page would hold of the first."""

ELSEWHERE = "narwhalvkfqz 흩어진조각글월"
"""What stands in another record of the person, in drafts and in the audit trail."""

PERSON = (*WORDS, "narwhalvkfqz", "vkfqz", "흩어진조각글월", "Zebulonia", "zebulonia", "vanish", "99998877", "evanish")


def entries() -> dict[CustomerId, list[tuple[AnyEntry, ...]]]:
    """Return the changes of every record, in order."""
    mail = received(
        "evanish1",
        1,
        sender=ADDRESS,
        conversation="cvanish",
        text=TEXT,
        subject=f"about {SECRET}",
        sender_name="Zebulonia",
        mentions=(PHONE,),
        external_id="evanish1@vanish.example",
    )
    files_ = (Attachment(f"{SECRET}.pdf", "application/pdf", 4, killed_blob(b"file " + SECRET.encode())),)
    mail = msgspec.structs.replace(mail, attachments=files_, raw=killed_blob(b"raw " + SECRET.encode()))
    stop = ConsentChanged(id=EntryId("evanish2"), at=minute(2), medium=Medium("email"), words=f"stop {SECRET}")
    many = [note(f"evanish{n}", n, conversation="cvanish", text=f"{SECRET} {n}") for n in range(3, 24)]
    twin = received("evanish30", 3, sender=PHONE, conversation="ctwinvanish", text=ELSEWHERE, medium="whatsapp")
    hint = Suggested(id=EntryId("other2"), at=minute(5), other=GONE, address=ADDRESS, why="m", evidence=mail.id)
    also = Suggested(id=EntryId("other3"), at=minute(5), other=OTHER, address=PHONE, why="m", evidence=mail.id)
    answer = SuggestionAnswered(id=EntryId("other4"), at=minute(6), suggestion=hint.id, accepted=False, by=ANA)
    return {
        OTHER: [
            (received("other1", 0, text="appointment 배송"), *(note(f"other1{n}", n) for n in range(12))),
            (hint, also, answer),
            (merged("other5", GONE, 7), unmerged("other6", "other5", 8), named("other7", "Bob", 9)),
        ],
        GONE: [(mail,), (stop,), *((one,) for one in many[:4]), tuple(many[4:])],
        TWIN: [(twin,), (merged("evanish40", GONE, 30, joins={"cvanish": "ctwinvanish"}),)],
    }


def killed_blob(data: bytes) -> Any:
    import hashlib

    return hashlib.sha256(data).hexdigest()


NAMES = tuple(entry.id for changes in entries().values() for change in changes for entry in change)


async def fill(store: Store) -> None:
    """Write everybody, with files, drafts, what agents saw, and the audit trail."""
    for record, changes in entries().items():
        for change in changes:
            await store.change(record, lambda _, fresh=change: fresh)
    for data in (b"raw " + SECRET.encode(), b"file " + SECRET.encode()):
        await store.put_blob(GONE, data)
    await store.put_blob(GONE, b"a file that a draft names")
    await store.save_draft(draft(ANA, "cvanish", f"Dear Zebulonia, {ELSEWHERE}"))
    await store.save_draft(draft(BEN, "ctwinvanish", ELSEWHERE, note=True))
    await store.save_draft(draft(BEN, "c1", "Dear Bob", customer=OTHER))
    await store.seen(GONE, ANA, minute(9))
    await store.audit(AuditLine(NOON, ANA, True, "assign", GONE, f"Zebulonia {ELSEWHERE}"))
    await store.audit(AuditLine(minute(1), BEN, True, "note", OTHER, "nothing about anybody"))
    await store.audit(AuditLine(minute(60 * 24 * 40), ANA, True, "merge", OTHER, f"with {GONE}"))
    await store.search("settled")


def draft(agent: AgentName, conversation: str, text: str, *, note: bool = False, customer: CustomerId = GONE) -> Draft:
    named_files = (Attachment("a.txt", "text/plain", 25, killed_blob(b"a file that a draft names")),)
    return Draft(agent, customer, ConversationId(conversation), text, 3, NOON, note=note, attachments=named_files)


# -- acts --------------------------------------------------------------------------------------------------


def redacted(entry: AnyEntry) -> AnyEntry | None:
    """Take the secret out; every third note goes altogether."""
    if entry.id in ("evanish5", "evanish8"):
        return None
    match entry:
        case Received():
            return msgspec.structs.replace(entry, text="", subject="", attachments=(), raw="")
        case ConsentChanged():
            return msgspec.structs.replace(entry, words="")
        case _ if SECRET in getattr(entry, "text", ""):
            return msgspec.structs.replace(entry, text="")  # type: ignore[call-arg]
        case _:
            return entry


def told(_: Snapshot) -> Sequence[AnyEntry]:
    return (Redacted(id=EntryId("told1"), at=minute(50), entry=EntryId("evanish1"), by=ANA, why="asked for"),)


async def rewrite(store: Store) -> None:
    await store.rewrite(GONE, redacted, told)


async def erase(store: Store) -> None:
    await store.erase(TWIN)


def held(snapshot: Snapshot) -> Sequence[AnyEntry]:
    return (note("held1", 60, conversation="cvanish", text=f"{snapshot.count > 0}"),)


async def accept(store: Store) -> None:
    await store.history(OTHER, limit=100)  # that a volume is gone is seen by who reads it
    for damage in await store.damaged():
        await store.accept(damage.record, previous=damage.entries < 0, decide=held)


async def nothing(_: Store) -> None:
    """Opening is the whole act."""


# -- what lies there before --------------------------------------------------------------------------------


async def filled(root: Path) -> None:
    async with killed.make(root) as store:
        await fill(store)


async def edited(root: Path) -> None:
    """Somebody changed a word of one record by hand, another's volume was lost, and a third's file was cut short."""
    await filled(root)
    [gone] = root.glob(f"customers/*/{GONE}.json")
    gone.write_bytes(gone.read_bytes().replace("사라질비밀문장 22".encode(), "사라질비밀문장 zz".encode()))
    [volume] = root.glob(f"customers/*/{OTHER}.m00001.json")
    volume.unlink()
    [twin] = root.glob(f"customers/*/{TWIN}.json")
    twin.write_bytes(twin.read_bytes()[:300])


async def old(root: Path) -> None:
    shutil.copytree(SAMPLE / "store", root)


SCENES: dict[str, tuple[Callable[[Path], Coroutine[Any, Any, None]], Callable[[Store], Coroutine[Any, Any, None]]]] = {
    "rewrite": (filled, rewrite),
    "erase": (filled, erase),
    "accept": (edited, accept),
    "migrate": (old, nothing),
}


async def live(folder: Path, act: Callable[[Store], Coroutine[Any, Any, None]]) -> None:
    acknowledge = killed.written(folder)
    async with killed.make(folder / "store") as store:
        await act(store)
        acknowledge("done")


def main(folder: Path, scene: str) -> int:
    prepare, act = SCENES[scene]
    template = folder / "template"
    asyncio.run(prepare(template))
    return killed.walk(folder, lambda here: live(here, act), template)


# -- looking for what must be gone -------------------------------------------------------------------------


def remains(root: Path, words: Iterable[str]) -> list[tuple[str, str]]:
    """Return every word that any file of a store still holds, as bytes, in a name, or as a token of full text."""
    wanted = tuple(words)
    found = []
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        found += [(word, name) for word in wanted if word in name or files.file_name(word) in name]
        if path.is_file():
            data = path.read_bytes()
            found += [(word, name) for word in wanted if word.encode() in data]
    db = sqlite3.connect(f"{(root / 'search.sqlite3').absolute().as_uri()}?mode=ro", uri=True)
    try:
        db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, texts, row)")
        terms = {term for (term,) in db.execute("SELECT term FROM temp.terms")}
    finally:
        db.close()
    for word in wanted:
        found += [(word, f"token {token}") for token in tokens.index_tokens(word).split() if token in terms]
    return found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
