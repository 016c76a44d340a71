"""The part of the Desk that works on conversations, one or many at a time, and takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime

from agentconsole.desk import (
    Act,
    Agent,
    Assign,
    Block,
    Done,
    FinishTask,
    SetStatus,
    Split,
    Target,
    WriteNote,
)
from agentconsole.domain import undoing, work
from agentconsole.domain.entries import AnyEntry, Blocked, JoinedTo, SplitOff
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    EntryId,
    Snapshot,
)
from agentconsole.domain.work import Doing
from agentconsole.errors import AgentConsoleError, NotFound, Refused, UsageError
from agentconsole.hub.desk.base import DeskPart, key_of

MOST_TARGETS = 500
SEARCHED_AUDIT = 1_000
"""Lines of the audit trail in which an agent's newest change is looked for."""

SPLIT_PAGE = 500
_AUDITED = "work."
_CHOSEN = "undo.newest"
"""In the audit trail: which call, by its key, an ``undo`` without entries takes back."""


class Working(DeskPart):
    async def work(self, who: Agent, request: str, targets: Sequence[Target], act: Act) -> tuple[Done, ...]:
        self._may(who, act)
        key, act = key_of(request), work.checked(act, self.clock.now())
        if len(targets) > MOST_TARGETS:
            raise UsageError(f"More than {MOST_TARGETS} are too many at once. Nothing was changed.", "Do it in parts.")
        found = []
        for target in dict.fromkeys(targets):
            try:
                found.append(await self._work(who, key, target, act))
            except AgentConsoleError as exc:
                found.append(Done(target, code=exc.code, message=exc.message, hint=exc.hint))
        return tuple(found)

    def _may(self, who: Agent, act: Act) -> None:
        self.need(who, "customer" if isinstance(act, Block) else "reply")

    async def _work(self, who: Agent, key: str, target: Target, act: Act) -> Done:
        """Do an act to one target. Its ids follow from the request and from what it is about, so that a repeat finds
        them there."""
        if isinstance(act, FinishTask) and not target.customer:
            held = await self.store.entry(act.task)
            target = Target(held[0] if held is not None else target.customer)
        async with self._guard(act):
            person = await self.person(target.customer)
            doing = Doing(who.name, self.clock.now(), f"{key}\x1f{person.id}\x1f{target.conversation}")
            again = await self._again(doing)
            if again is not None:
                return Done(target, (again[1].id,), again[0])
            snapshots = await self._snapshots(person)
            if isinstance(act, Split):
                made = [await self._split(act, person, snapshots, target.conversation, doing)]
            else:
                made = work.entries(act, person, snapshots, target.conversation, doing, self._agents())
            for record in dict.fromkeys(record for record, _ in made):
                await self._append(record, [entry for owner, entry in made if owner == record])
        ids = tuple(entry.id for _, entry in made)
        if not ids:
            return Done(target, conversation=target.conversation)
        name = type(act).__struct_config__.tag
        await self.audit(who, f"{_AUDITED}{name}", person.id, " ".join((key, *ids)))
        last = made[-1][1]
        where = {SplitOff: lambda e: e.made.id, JoinedTo: lambda e: e.into}.get(type(last))
        return Done(target, ids, where(last) if where is not None else target.conversation)

    def _guard(self, act: Act) -> AbstractAsyncContextManager[object]:
        return self.people if isinstance(act, Block) else nullcontext()

    def _agents(self) -> tuple[AgentName, ...]:
        return tuple(self.profile.agents)

    async def _again(self, doing: Doing) -> tuple[ConversationId, SplitOff | JoinedTo] | None:
        """Return what an earlier call of the same request made, where doing it again would find it done."""
        split = await self.store.entry(doing.id("split"))
        if split is not None and isinstance(split[1], SplitOff):
            return split[1].made.id, split[1]
        joined = await self.store.entry(doing.id("join"))
        if joined is not None and isinstance(joined[1], JoinedTo):
            return joined[1].into, joined[1]
        return None

    async def _snapshots(self, person: Customer) -> dict[CustomerId, Snapshot]:
        found = {member: await self.store.snapshot(member) for member in person.members}
        return {member: snapshot for member, snapshot in found.items() if snapshot is not None}

    async def _append(self, record: CustomerId, entries: Sequence[AnyEntry]) -> None:
        def decide(snapshot: Snapshot) -> Sequence[AnyEntry]:
            if not snapshot.count:
                raise NotFound(f"Customer {record} was erased. Nothing was changed.")
            return entries

        await self.store.change(record, decide)

    async def _split(
        self,
        act: Split,
        person: Customer,
        snapshots: dict[CustomerId, Snapshot],
        conversation: ConversationId,
        doing: Doing,
    ) -> tuple[CustomerId, AnyEntry]:
        found = await self.store.entry(act.first)
        if found is None or found[0] not in snapshots:
            raise NotFound(f"There is no entry {act.first} here. Nothing was changed.", "See: agentconsole show")
        record, first = found
        snapshot = snapshots[record]
        part = snapshot.moved.get(act.first, getattr(first, "conversation", ConversationId("")))
        if person.joined.get(part, part) != person.joined.get(conversation, conversation):
            raise NotFound(
                f"{act.first} is no entry of this conversation. Nothing was changed.", "See: agentconsole show"
            )
        if part not in snapshot.conversations:
            raise Refused("This conversation was closed long ago. Nothing was changed.", "Choose a newer one.")
        page: list[AnyEntry] = []
        before: EntryId | None = None
        own = snapshot.conversations[part]
        while True:
            history = await self.store.history(record, before=before, limit=SPLIT_PAGE)
            if history is None or not history.entries:
                break
            page = [*history.entries, *page]
            before = history.entries[0].id
            if not history.more or history.entries[0].at < own.started_at:
                break
        if len(person.members) > 1:
            mine = {}
            for entry in page:
                owner = await self.store.entry(entry.id)
                mine[entry.id] = owner is not None and owner[0] == record
            page = [entry for entry in page if mine[entry.id]]
        return record, work.split(own, page, act.first, doing, snapshot.moved)

    # -- taking it back ------------------------------------------------------------------------------------

    async def undo(self, who: Agent, request: str, entries: Sequence[EntryId]) -> tuple[Done, ...]:
        self.need(who, "reply")
        key = key_of(request)
        wanted = list(dict.fromkeys(entries)) or await self._newest_call(who, key)
        found = []
        for entry in wanted[: MOST_TARGETS * 2]:
            target = Target(CustomerId(""))
            try:
                found.append(await self._undo(who, entry))
            except AgentConsoleError as exc:
                held = await self.store.entry(entry)
                if held is not None:
                    target = Target(held[0], getattr(held[1], "conversation", ConversationId("")))
                found.append(Done(target, (entry,), code=exc.code, message=exc.message, hint=exc.hint))
        return tuple(found)

    async def _undo(self, who: Agent, entry: EntryId) -> Done:
        held = await self.store.entry(entry)
        if held is None:
            raise NotFound(f"There is no entry {entry}. Nothing was changed.", "See: agentconsole show")
        record, what = held
        if isinstance(what, Blocked):
            self.need(who, "customer")
        conversation = getattr(what, "conversation", ConversationId(""))
        known = await self.store.entry(undoing.undone_id(entry))
        if known is None:

            def decide(snapshot: Snapshot) -> Sequence[AnyEntry]:
                return [undoing.undo(snapshot, entry, who.name, self.clock.now())]

            async with self.people:
                await self.store.change(record, decide)
            await self.audit(who, "undo", record, entry)
        person = await self.store.customer(record)
        return Done(Target(person.id if person is not None else record, conversation), (entry,), conversation)

    async def _newest_call(self, who: Agent, key: str) -> list[EntryId]:
        """Return what the newest call of an agent appended of which something can be taken back. Which call that is
        goes into the audit trail before anything is taken back, so that a repeat finds the same one."""
        mine = [line for line in await self.store.audited(SEARCHED_AUDIT) if line.agent == who.name and line.detail]
        calls: dict[str, list[EntryId]] = {}
        for line in mine:
            if line.act.startswith(_AUDITED):
                call, *ids = line.detail.split()
                calls.setdefault(call, []).extend(EntryId(entry) for entry in ids)
        for line in mine:
            if line.act == _CHOSEN and line.detail.startswith(f"{key} "):
                made = calls.get(line.detail.removeprefix(f"{key} "), [])
                return [
                    entry
                    for entry in made
                    if await self._taken_back(entry, line.at) or await self._can_be_undone(entry)
                ]
        for call, made in calls.items():
            left = [entry for entry in made if await self._can_be_undone(entry)]
            if left:
                await self.audit_first(who, _CHOSEN, CustomerId(""), f"{key} {call}")
                return left
        raise NotFound(
            "Nothing of yours can be taken back. Nothing was changed.", "Name an entry: agentconsole undo ID"
        )

    async def _taken_back(self, entry: EntryId, since: datetime) -> bool:
        held = await self.store.entry(undoing.undone_id(entry))
        return held is not None and held[1].at >= since

    async def _can_be_undone(self, entry: EntryId) -> bool:
        if await self.store.known([undoing.undone_id(entry)]):
            return False
        held = await self.store.entry(entry)
        snapshot = await self.store.snapshot(held[0]) if held is not None else None
        return snapshot is not None and any(change.entry == entry for change in snapshot.changes)

    # -- one at a time -------------------------------------------------------------------------------------

    async def _one(self, who: Agent, request: str, target: Target, act: Act) -> Done:
        self._may(who, act)
        return await self._work(who, key_of(request), target, work.checked(act, self.clock.now()))

    async def note(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, text: str
    ) -> EntryId:
        done = await self._one(who, request, Target(customer, conversation), WriteNote(text))
        return done.entries[0]

    async def assign(
        self, who: Agent, request: str, customer: CustomerId, conversation: ConversationId, assignee: AgentName
    ) -> None:
        await self._one(who, request, Target(customer, conversation), Assign(assignee))

    async def set_status(
        self,
        who: Agent,
        request: str,
        customer: CustomerId,
        conversation: ConversationId,
        status: ConversationStatus,
        until: datetime | None,
    ) -> None:
        await self._one(who, request, Target(customer, conversation), SetStatus(status, until))
