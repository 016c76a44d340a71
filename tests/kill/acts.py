"""What happens in a scenario, as data: each act can be repeated, as a person's client would repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from agentconsole.desk import Agent, Compose, Desk
from agentconsole.domain.entries import Received
from agentconsole.domain.model import (
    AccountName,
    ConversationStatus,
    Delivery,
    Draft,
    EntryId,
    Medium,
)
from agentconsole.errors import NotFound
from tests.kill.post import letter
from tests.kill.world import Person
from tests.waiting import until

if TYPE_CHECKING:
    from tests.kill.play import Play

MEDIA = {"chat": Medium("telegram"), "mail": Medium("email"), "sms": Medium("sms")}
SECONDS = 20.0


class Act(Protocol):
    """One step of a scenario. ``do`` is called again after the hub died in it."""

    async def do(self, play: Play, desk: Desk, who: Agent) -> None: ...


@dataclass(frozen=True)
class Says:
    """A customer writes. The world says it once, whatever dies."""

    who: Person
    text: str

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        play.world.says(self.who, self.text)


@dataclass(frozen=True)
class Arrived:
    """An agent waits until a text stands in a customer's history."""

    who: Person
    text: str

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        async def there() -> bool:
            try:
                customer = play.ids.get(self.who) or await desk.find(who, self.who.words)
            except NotFound:
                return False
            play.ids.setdefault(self.who, customer)
            for entry in (await desk.timeline(who, customer, EntryId(""), 200)).entries:
                if isinstance(entry, Received) and entry.text.strip() == self.text:
                    play.entries[self.text] = entry.id
                    return True
            return False

        await until(there, SECONDS, f"{self.text!r} of {self.who.name}")


@dataclass(frozen=True)
class Answers:
    """An agent replies; the request id is the same each time."""

    who: Person
    text: str
    by: str = ""

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        compose = Compose(play.ids[self.who], self.text, medium=MEDIA[self.by] if self.by else Medium(""))
        sent = await desk.reply(who, f"request {self.text}", compose)
        known = play.acknowledged.setdefault(self.text, sent.id)
        assert known == sent.id, f"the repeat of {self.text!r} is another reply"


@dataclass(frozen=True)
class Drafts:
    who: Person
    text: str
    revision: int = 1

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        conversation = (await desk.find_conversation(who, play.ids[self.who]))[1]
        customer = play.ids[self.who]
        draft = Draft(who.name, customer, conversation, self.text, self.revision, datetime.now(UTC))
        await desk.save_draft(who, draft)
        play.drafts = [self.text]


@dataclass(frozen=True)
class DropsDraft:
    who: Person
    revision: int = 1

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        conversation = (await desk.find_conversation(who, play.ids[self.who]))[1]
        await desk.drop_draft(who, conversation, self.revision, False)
        play.drafts = []


@dataclass(frozen=True)
class Notes:
    who: Person
    text: str

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        customer, conversation = await desk.find_conversation(who, play.ids[self.who])
        await desk.note(who, f"note {self.text}", customer, conversation, self.text)
        play.noted.append(self.text) if self.text not in play.noted else None


@dataclass(frozen=True)
class Merges:
    keep: Person
    absorb: Person

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        merge = await desk.merge(who, "merge", play.ids[self.keep], play.ids[self.absorb])
        known = play.merges.setdefault("merge", merge)
        assert known == merge, "the repeat of a merge is another merge"


@dataclass(frozen=True)
class Unmerges:
    who: Person

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        await desk.unmerge(who, "unmerge", play.ids[self.who], play.merges["merge"])


@dataclass(frozen=True)
class Splits:
    """Somebody sees that one customer is two people."""

    who: Person
    other: Person

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        address = f"telegram:{self.other.address}" if self.other.channel == "chat" else self.other.address
        parted = await desk.split(who, "split", play.ids[self.who], (address,), self.other.name)
        known = play.parted.setdefault("split", parted)
        assert known == parted, "the repeat of a split parts somebody else"
        assert await desk.find(who, play.ids[self.who]) != parted, "a split that parts nobody"


@dataclass(frozen=True)
class Unsplits:
    who: Person

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        whole = await desk.unsplit(who, "unsplit", play.ids[self.who])
        assert await desk.find(who, play.parted["split"]) == whole, "still two after the split was undone"


@dataclass(frozen=True)
class Resolves:
    who: Person

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        customer, conversation = await desk.find_conversation(who, play.ids[self.who])
        await desk.set_status(who, f"resolve {customer}", customer, conversation, ConversationStatus.RESOLVED, None)


@dataclass(frozen=True)
class Redacts:
    """What a customer wrote is taken out for good."""

    text: str

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        await desk.redact(who, f"redact {self.text}", play.entries[self.text], "a card number")
        play.gone.add(self.text)


@dataclass(frozen=True)
class Erases:
    """A customer is taken out for good, with all that was said."""

    who: Person
    texts: tuple[str, ...]

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        try:
            await desk.erase(who, f"erase {self.who.name}", play.ids[self.who])
        except NotFound:
            assert play.deaths, "nobody was erased"
        play.gone.update(self.texts)
        play.erased.add(self.who)


@dataclass(frozen=True)
class Deposits:
    """Old mails are imported."""

    who: Person
    texts: tuple[str, ...]

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        mails = [
            letter(self.who.address, self.who.name, "Long ago", text, f"old-{number}")
            for number, text in enumerate(self.texts)
        ]
        await desk.deposit(who, f"import {self.texts[0]}", AccountName("mail"), mails)
        play.imported.update(self.texts)


@dataclass(frozen=True)
class Settles:
    """Nothing waits to be sent any more."""

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        async def nothing_waits() -> bool:
            return not await desk.outbox(who, (Delivery.QUEUED, Delivery.SENDING))

        await until(nothing_waits, SECONDS, "an empty outbox")


@dataclass(frozen=True)
class Seen:
    who: Person

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        await desk.seen(who, play.ids[self.who], datetime.now(UTC))


@dataclass(frozen=True)
class Finds:
    """Somebody searches, which brings full text up to date."""

    words: str

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        assert await desk.search(who, self.words, 10), f"{self.words} is not found"


@dataclass(frozen=True)
class Restarts:
    """The hub is stopped and started; a death on the way counts like any other."""

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        await play.restart()


@dataclass(frozen=True)
class Damages:
    """A disk loses a byte of somebody's file while the hub is down."""

    who: Person

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        def flip() -> None:
            (path,) = play.store.glob(f"customers/*/{play.ids[self.who]}.json")
            data = bytearray(path.read_bytes())
            play.whole = (path, bytes(data))
            data[len(data) // 2] ^= 1
            path.write_bytes(data)

        await play.restart(flip)


@dataclass(frozen=True)
class SetAside:
    """A batch that cannot be filed waits where it blocks nothing."""

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        async def aside() -> bool:
            return (await desk.status(who)).spool.set_aside == 1

        await until(aside, SECONDS, "a batch set aside")


@dataclass(frozen=True)
class Mends:
    """Somebody puts the file back from elsewhere and starts the hub again."""

    async def do(self, play: Play, desk: Desk, who: Agent) -> None:
        def put_back() -> None:
            path, data = play.whole
            path.write_bytes(data)

        await play.restart(put_back)
