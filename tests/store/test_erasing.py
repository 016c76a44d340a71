"""After a hundred erasures nothing is left: no text, name, address, file, draft, note or token, in any file."""

from __future__ import annotations

import asyncio
import random

import msgspec

from agentconsole.domain.entries import AnyEntry, ConsentChanged, Suggested
from agentconsole.domain.model import (
    Address,
    AgentName,
    Attachment,
    ConversationId,
    CustomerId,
    Draft,
    EntryId,
    Medium,
)
from agentconsole.ports import AuditLine
from agentconsole.testing.entries import EMILY, NOON, merged, minute, note, received, reply, unmerged
from tests.folders import quick_folder
from tests.store import cared, killed

ERASURES = 100
ANA = AgentName("ana")
LETTERS = "bcdfghjklmnpqrstvwxz"
FIRST_SYLLABLE = 0xAC01
"""Every person has Hangul syllables of their own, so that each of their pairs is a word of theirs alone."""


class Person:
    """Somebody whose every word is found nowhere else."""

    def __init__(self, number: int) -> None:
        chance = random.Random(number)
        self.word = "".join(chance.choices(LETTERS, k=11)) + f"{number}q"
        self.korean = "".join(chr(FIRST_SYLLABLE + 7 * (5 * number + place)) for place in range(5))
        self.record, self.twin = CustomerId(f"k{self.word}"), CustomerId(f"k2{self.word}")
        self.address = Address("email", "", f"{self.word}@example.com")
        self.says = f"{self.word} {self.korean}"

    def entries(self, blob: str) -> list[AnyEntry]:
        talk = f"c{self.word}"
        file = Attachment(f"{self.says}.pdf", "application/pdf", 3, blob)  # type: ignore[arg-type]
        mail = received(
            f"a{self.word}",
            sender=self.address,
            conversation=talk,
            text=f"about {self.says}",
            subject=self.says,
            sender_name=self.word,
            external_id=f"{self.word}@example.com",
            attachments=(file,),
        )
        return [
            msgspec.structs.replace(mail, raw=blob),
            reply(f"r{self.word}", 1, conversation=talk, address=self.address, text=self.says),
            note(f"n{self.word}", 2, conversation=talk, text=f"note {self.says}"),
            ConsentChanged(id=EntryId(f"s{self.word}"), at=minute(3), medium=Medium("email"), words=self.says),
            *(note(f"m{number}{self.word}", 4, conversation=talk, text=self.says) for number in range(7)),
        ]

    @property
    def words(self) -> tuple[str, ...]:
        """What must not be found: the word also without its beginning, as a compressed page would hold it."""
        return self.word, self.word[3:], self.korean


async def test_a_hundred_erasures_leave_no_byte() -> None:
    other = CustomerId("kother")
    people = [Person(number) for number in range(ERASURES)]
    with quick_folder("aca-") as folder:
        root = folder / "store"
        async with killed.make(root) as store:
            for person in people:
                blob = await store.put_blob(person.record, person.says.encode())
                entries = person.entries(blob)
                await store.change(person.record, lambda _, fresh=entries: fresh)
                await store.save_draft(
                    Draft(ANA, person.record, ConversationId(f"c{person.word}"), person.says, 1, NOON)
                )
                await store.audit(AuditLine(NOON, ANA, True, "assign", person.record, person.says))
                sees = Suggested(
                    id=EntryId(f"g{person.word[-4:]}"),
                    at=minute(5),
                    other=person.record,
                    address=person.address,
                    why="mention",
                    evidence=EntryId(f"a{person.word}"),
                )
                end = f"x{person.word[-4:]}"
                others = (merged(end, person.record, 6), unmerged(f"u{end}", end, 7))
                await store.change(other, lambda _, fresh=(sees, *others): fresh)
                await store.change(person.twin, lambda _, to=person: (merged(f"y{to.word}", to.record, 8),))
            await store.change(other, lambda _: (received("stays", text="appointment"),))
            assert len(await store.search(people[0].word)) >= 10
            for number, person in enumerate(people):
                taken = await store.erase(person.twin)
                assert (taken.entries, taken.blobs, taken.drafts) == (12, 1, 1)
                if number % 10 == 0:
                    assert await asyncio.to_thread(cared.remains, root, person.words) == []
            left = [word for person in people for word in person.words]
            assert await asyncio.to_thread(cared.remains, root, left) == []
            assert [hit.entry for hit in await store.search("appointment")] == ["stays"]
            assert (await store.health()).entries == 1
            assert await store.find(EMILY) == other
            names = [entry.id for person in people for entry in person.entries("")]
            assert await store.known(names) == frozenset(names)
        assert await asyncio.to_thread(cared.remains, root, left) == []
        (root / "index.sqlite3").unlink()
        async with killed.make(root) as store:
            assert (await store.health()).entries == 1
            assert await store.known(names) == frozenset(names)
