"""What agents decided on conversations: assignment, status, tags, tasks, split and join, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from agentconsole.domain.entries import (
    Assigned,
    Blocked,
    JoinedTo,
    Manual,
    Note,
    Prioritised,
    SetAside,
    SplitOff,
    StatusChanged,
    Tagged,
    TaskDone,
    TaskDue,
    TaskSet,
    Undone,
)
from agentconsole.domain.history_state import KEPT_COMPLAINTS, State, replace
from agentconsole.domain.model import AgentName, Change, Conversation, ConversationId, ConversationStatus, Task

COMPLAINT: Final = "complaint"
"""The tag of a conversation after which nothing cheerful is begun for a while."""

KEPT_CHANGES: Final = 30
"""Changes of one record that can be taken back, the newest; the snapshot is written with every entry."""

KEPT_DONE: Final = 20
"""Tasks that are done which a snapshot holds, the newest."""

KEPT_MOVED: Final = 2_000
"""Entries that splits moved which a snapshot knows of, the newest."""

WORKED: Final = (
    *("status", "assignee", "assigned_at", "tags", "priority", "aside", "replied"),
    *("waiting_since", "answered_at", "snoozed_until"),
)
"""The fields of a conversation that agents change by hand."""

SPLIT: Final = (*WORKED, *("subject", "media", "last_in", "last_in_at", "last_medium", "last_sender"))
"""Those that a split changes too."""

OfConversation: TypeAlias = Assigned | StatusChanged | Tagged | Prioritised | SetAside | Manual


class Work(State):
    def _work(self, entry: OfConversation) -> None:
        """Fold what an agent did to a conversation, and remember how it was."""
        before = self.conversations[entry.conversation] = self._conversation(entry.conversation, entry.at)
        complaint = self.complaints.get(entry.conversation)
        match entry:
            case Assigned():
                self._set(entry.conversation, assignee=entry.assignee, assigned_at=entry.at)
            case StatusChanged():
                self._status(entry)
            case Tagged():
                tags = tuple(sorted((set(before.tags) | set(entry.add)) - set(entry.remove)))
                self._set(entry.conversation, tags=tags)
                self._complaint(entry)
            case Prioritised():
                self._set(entry.conversation, priority=entry.priority)
            case SetAside():
                self._set(entry.conversation, aside=entry.how)
            case Manual():
                self._manual(entry)
        by = entry.agent if isinstance(entry, Manual) else entry.by
        after = self.conversations[entry.conversation]
        fields = tuple(name for name in WORKED if getattr(before, name) != getattr(after, name))
        if by:
            self._heeded(entry.conversation, by)
            kind = str(entry.__struct_config__.tag)
            self._remember(
                Change(
                    entry.id,
                    entry.at,
                    by,
                    kind,
                    entry.conversation,
                    fields,
                    before=bare(before),
                    after=bare(after),
                    complaint=complaint,
                )
            )

    def _remember(self, change: Change) -> None:
        self.changes = (*self.changes, change)[-KEPT_CHANGES:]

    def _set(self, name: ConversationId, **values: Any) -> None:
        self.conversations[name] = replace(self.conversations[name], **values)

    def _heeded(self, name: ConversationId, agent: AgentName) -> None:
        """Whoever does something here has seen that a note called them."""
        conversation = self.conversations.get(name)
        if conversation is not None and agent in conversation.mentions:
            self._set(name, mentions=tuple(one for one in conversation.mentions if one != agent))

    def _note(self, entry: Note) -> None:
        conversation = self._touch(entry.conversation, entry.at)
        self._heeded(entry.conversation, entry.agent)
        called = dict.fromkeys((*self.conversations[conversation.id].mentions, *entry.mentions))
        self._set(entry.conversation, mentions=tuple(name for name in called if name != entry.agent))
        before = replace(bare(conversation), mentions=conversation.mentions)
        after = replace(before, mentions=entry.mentions)
        self._remember(
            Change(entry.id, entry.at, entry.agent, "note", entry.conversation, ("note",), before=before, after=after)
        )

    def _manual(self, entry: Manual) -> None:
        self._touch(entry.conversation, entry.at)
        if entry.answered:
            self._set(entry.conversation, waiting_since=None, answered_at=entry.at, replied=True)

    def _status(self, entry: StatusChanged) -> None:
        conversation = self.conversations[entry.conversation]
        quiet = entry.status in (ConversationStatus.RESOLVED, ConversationStatus.SNOOZED)
        was_quiet = conversation.status in (ConversationStatus.RESOLVED, ConversationStatus.SNOOZED)
        # Who reopens wants something done: it must not stay out of sight because closing had ended the wait.
        reopened = was_quiet and entry.status == ConversationStatus.OPEN
        since = conversation.waiting_since or (entry.at if reopened else None)
        self._set(
            entry.conversation,
            status=entry.status,
            waiting_since=None if quiet else since,
            answered_at=entry.at if quiet else conversation.answered_at,
            snoozed_until=entry.until if entry.status == ConversationStatus.SNOOZED else None,
        )

    def _complaint(self, entry: Tagged) -> None:
        if COMPLAINT in entry.remove:
            self.complaints.pop(entry.conversation, None)
        elif COMPLAINT in entry.add:
            self.complaints[entry.conversation] = entry.at
            for oldest in sorted(self.complaints, key=lambda name: self.complaints[name])[:-KEPT_COMPLAINTS]:
                del self.complaints[oldest]

    def _block(self, entry: Blocked) -> None:
        key = str(entry.address)
        linked = self.addresses.get(key)
        if linked is None:
            return
        after = entry.by if entry.blocked else AgentName("")
        self.addresses[key] = replace(linked, blocked_by=after)
        self._remember(
            Change(
                entry.id,
                entry.at,
                entry.by,
                "blocked",
                key,
                ("blocked_by",) if after != linked.blocked_by else (),
                blocked_before=linked.blocked_by,
                blocked_after=after,
            )
        )

    # -- tasks ---------------------------------------------------------------------------------------------

    def _task(self, entry: TaskSet) -> None:
        self._heeded(entry.conversation, entry.by)
        made = Task(entry.id, entry.conversation, entry.text, entry.due, entry.owner, entry.by)
        self.tasks[entry.id] = made
        self._remember(Change(entry.id, entry.at, entry.by, "task_set", entry.id, ("task",), task_after=made))

    def _task_due(self, entry: TaskDue) -> None:
        known = self.tasks.get(entry.task)
        if known is not None and not known.done:
            self.tasks[known.id] = replace(known, rung=True)

    def _task_done(self, entry: TaskDone) -> None:
        known = self.tasks.get(entry.task)
        if known is None:
            return
        after = replace(known, done=entry.done)
        self.tasks[known.id] = after
        self._heeded(known.conversation, entry.by)
        self._remember(
            Change(
                entry.id,
                entry.at,
                entry.by,
                "task_done",
                known.id,
                ("task",) if known.done != entry.done else (),
                task_before=known,
                task_after=after,
            )
        )
        done = sorted((t for t in self.tasks.values() if t.done), key=lambda t: (t.due, t.id))
        for oldest in done[:-KEPT_DONE]:
            del self.tasks[oldest.id]

    # -- split and join ------------------------------------------------------------------------------------

    def _split(self, entry: SplitOff) -> None:
        before = self._conversation(entry.conversation, entry.at)
        values = {name: getattr(entry.left, name) for name in SPLIT}
        self.conversations[entry.conversation] = replace(before, preview=entry.left.preview, **values)
        self.conversations[entry.made.id] = entry.made
        self.moved |= dict.fromkeys(entry.entries, entry.made.id)
        for oldest in list(self.moved)[:-KEPT_MOVED]:
            del self.moved[oldest]
        fields = tuple(name for name in SPLIT if getattr(before, name) != values[name])
        self._remember(
            Change(
                entry.id,
                entry.at,
                entry.by,
                "split_off",
                entry.conversation,
                fields,
                before=replace(before, participants=()),
                after=bare(self.conversations[entry.conversation]),
                made=entry.made,
            )
        )

    def _join(self, entry: JoinedTo) -> None:
        self.joins[entry.conversation] = entry.into
        self._remember(Change(entry.id, entry.at, entry.by, "joined_to", entry.conversation, ("join",)))

    # -- taking it back ------------------------------------------------------------------------------------

    def _undo(self, entry: Undone) -> None:
        change = next((c for c in self.changes if c.entry == entry.entry), None)
        if change is None:
            return
        self.changes = tuple(c for c in self.changes if c.entry != entry.entry)
        _BACK.get(change.kind, _conversation_back)(self, change)


def bare(conversation: Conversation) -> Conversation:
    """Return a conversation without what messages say in it."""
    return replace(conversation, subject="", preview="", participants=(), mentions=())


def _conversation_back(state: Work, change: Change) -> None:
    now, before = state.conversations.get(change.target), change.before
    if now is None or before is None:
        return
    state.conversations[change.target] = replace(now, **{name: getattr(before, name) for name in change.fields})
    if change.kind == "tagged":
        state.complaints.pop(change.target, None)
        if change.complaint is not None:
            state.complaints[change.target] = change.complaint


def _split_back(state: Work, change: Change) -> None:
    _conversation_back(state, change)
    if change.made is None or change.before is None:
        return
    state.conversations.pop(change.made.id, None)
    state.moved = {entry: to for entry, to in state.moved.items() if to != change.made.id}
    if change.target in state.conversations:
        state._set(ConversationId(change.target), preview=change.before.preview)


def _note_back(state: Work, change: Change) -> None:
    """Whoever only this note called is called no more."""
    conversation = state.conversations.get(change.target)
    if conversation is not None and change.before is not None and change.after is not None:
        called = set(change.after.mentions) - set(change.before.mentions)
        left = tuple(name for name in conversation.mentions if name not in called)
        state._set(conversation.id, mentions=left)


def _join_back(state: Work, change: Change) -> None:
    state.joins.pop(change.target, None)


def _task_back(state: Work, change: Change) -> None:
    if change.task_before is None:
        state.tasks.pop(change.target, None)
    elif change.target in state.tasks:  # that its moment came meanwhile stays so
        state.tasks[change.target] = replace(change.task_before, rung=state.tasks[change.target].rung)


def _block_back(state: Work, change: Change) -> None:
    linked = state.addresses.get(change.target)
    if linked is not None:
        state.addresses[change.target] = replace(linked, blocked_by=change.blocked_before)


_BACK: Final[dict[str, Callable[[Work, Change], None]]] = {
    "note": _note_back,
    "split_off": _split_back,
    "joined_to": _join_back,
    "task_set": _task_back,
    "task_done": _task_back,
    "blocked": _block_back,
}
