"""Values of the Desk as lines for people: one fact after the other, no boxes, no colour, fit to be read aloud. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentconsole.cli.names import text_of
from agentconsole.cli.wording import Wording
from agentconsole.desk import Status, TimelinePage
from agentconsole.domain import identity
from agentconsole.domain.entries import (
    AnyEntry,
    Note,
    Receipt,
    Received,
    Reply,
    Undone,
    Unreadable,
)
from agentconsole.domain.model import Attachment, Choice, Line, Priority
from agentconsole.domain.parting import silent
from agentconsole.text.choice_words import CHOSEN, NEXT
from agentconsole.text.sanitise import one_line


def queue_line(row: Line, words: Wording) -> str:
    """One conversation of the queue: who, where, how long, what, id."""
    parts = [row.name or row.customer, ", ".join(words.medium(medium) for medium in row.media)]
    if row.waiting_since is not None:
        parts.append(words.say("waiting", span=words.since(row.waiting_since)))
    else:
        parts.append(words.status(row.status))
    parts.append(row.subject)
    if row.late:
        parts.append(words.say("late"))
    if row.priority != Priority.NORMAL:
        parts.append(words.say("priority", priority=words.priority(row.priority)))
    if row.aside:
        parts.append(words.aside(row.aside))
    if row.snoozed_until is not None:
        parts.append(words.say("snoozed", at=words.moment(row.snoozed_until)))
    if row.task is not None:
        parts.append(words.say("task", at=words.moment(row.task.due), text=one_line(row.task.text, 80)))
    if row.tags:
        parts.append(words.say("tags", tags=", ".join(row.tags)))
    if row.assignee:
        parts.append(words.say("assigned", agent=row.assignee))
    if row.unread:
        parts.append(words.say("unread"))
    for count, what in ((row.uncertain, "uncertain"), (row.failed, "failed"), (row.suggestions, "suggestion")):
        if count:
            parts.append(words.say(f"count.{what}", n=count))
    return "; ".join(part for part in (*parts, row.conversation) if part)


def customer_lines(page: TimelinePage, words: Wording) -> Iterator[str]:
    """The card: name, addresses, wishes, consents, conversations, suggestions."""
    say, person = words.say, page.customer
    yield f"{person.name or say('no_name')}; {person.id}"
    for linked in person.addresses:
        yield say(
            "address_dead" if linked.dead else "address",
            address=text_of(linked.address),
            trust=words.trust(linked.trust),
            why=words.reason(linked.dead),
        ) + words.provenance(linked)
    for wish in person.preferences:
        if wish.medium:
            yield say(
                "prefers_for" if wish.purpose else "prefers",
                medium=words.medium(wish.medium),
                day=words.day(wish.at),
                purpose=wish.purpose,
            )
    for key, text in words.about(page.about):
        yield say(f"about.{key}", what=text)
    for consent in person.consents:
        yield say(
            "opted_in" if consent.allowed else "opted_out",
            medium=words.medium(consent.medium) if consent.medium else words.scope("every_medium"),
            scope=words.scope(consent.scope),
            day=words.day(consent.at),
        )
    for found in person.conversations:
        status = [words.status(found.status)]
        if found.assignee:
            status.append(say("assigned", agent=found.assignee))
        if found.tags:
            status.append(say("tags", tags=" ".join(found.tags)))
        yield say("conversation", subject=found.subject or say("no_subject"), status=", ".join(status), id=found.id)
    for edge in (edge for edge in person.merges if not edge.why):
        yield say("merge", other=edge.other, agent=edge.by, day=words.day(edge.at), id=edge.id)
    if page.doubtful is not None:
        yield say(
            "sender_not_verified",
            address=text_of(page.doubtful.sender),
            signed=say("signed_by", signer=one_line(page.doubtful.signer)) if page.doubtful.signer else say("unsigned"),
        )
    if page.closed:
        yield say("history_closed", id=person.id)
    for fact in page.facts:
        yield words.fact(fact)
    for seen in person.wishes:
        yield say("may_want", **words.wish(seen))
    for view in page.suggestions:
        yield say(
            "may_be",
            other=view.other_name or view.other,
            address=text_of(view.address),
            why=words.suggestion(view),
            id=view.id,
        )


def entry_lines(found: AnyEntry, page: TimelinePage, words: Wording) -> tuple[str, str]:
    """Return the head line of an entry and the text under it; both empty for what another head line tells."""
    head, body = _entry_lines(found, page, words)
    removed = page.removed.get(found.id)
    undone = page.undone.get(found.id)
    if undone is not None and head:
        head = words.say("undone", head=head, agent=undone.by)
    return (head, words.say("removed", what=words.event(removed))) if removed is not None else (head, body)


def _entry_lines(found: AnyEntry, page: TimelinePage, words: Wording) -> tuple[str, str]:
    at = words.moment(found.at)
    match found:
        case Received():
            name = found.sender_name or text_of(found.sender)
            head = words.say("from", at=at, name=name, medium=words.medium(found.medium))
            if not identity.vouched(page.customer, found):
                head += words.say("unproven")
            for asked in identity.reply_elsewhere(found):
                head += words.say("reply_to", address=text_of(asked))
            return head, _body(found.subject, found.text, found.attachments, words)
        case Reply():
            state, record = "", page.states.get(found.id)
            if record is not None:
                why = words.delivery(record)
                state = f", {words.state(record.state)}" + (f" ({why})" if why else "")
            head = words.say(
                "reply", at=at, agent=found.agent, medium=words.medium(found.medium), state=state, id=found.id
            )
            return head, _body(found.subject, found.text, found.attachments, words)
        case Note():
            return words.say("note", at=at, agent=found.agent), found.text
        case _ if isinstance(found, Receipt | Undone) or silent(found):  # what was taken back says so itself
            return "", ""
        case Unreadable():
            return f"{at}, {words.medium(found.medium)}, {words.event(found)}", ""
    return f"{at}, {words.event(found)}", ""


def _body(subject: str, text: str, attachments: Sequence[Attachment], words: Wording) -> str:
    lines = [words.say("subject", subject=one_line(subject))] if subject else []
    lines.append(text)
    lines += [
        words.say("attachment", name=one_line(part.name), type=one_line(part.type, 80), size=part.size)
        for part in attachments
    ]
    return "\n".join(lines)


def choice_lines(choice: Choice, words: Wording, *, taken: bool = True) -> Iterator[str]:
    """The route that a reply takes, the alternatives and the refused ones, each with its reason.

    Without ``taken`` nothing goes by the first one either: the agent asked for another that is refused.
    """
    if choice.best is None:
        yield words.say("no_channel")
    for told in words.choice(choice):
        kind = told.kind if taken or told.kind != CHOSEN else NEXT
        kind = kind if told.route.account else "asked_nowhere"
        yield words.say(
            f"choice.{kind}",
            why=told.text,
            address=text_of(told.route.address),
            account=told.route.account,
            medium=told.route.medium,
        )


def status_lines(status: Status, words: Wording) -> Iterator[str]:
    """How the hub is, what needs somebody first."""
    say = words.say
    yield say("hub", profile=status.profile, version=status.version, pid=status.pid)
    if status.banner:
        yield say("attention", why=words.banner(status.banner))
    for account in status.accounts:
        state = [words.account_state(account.state)]
        if account.last_ok is not None:
            state.append(say("last_answer", at=words.moment(account.last_ok)))
        if account.error and account.retry_at is not None and account.retry_at > status.now:
            state.append(say("next_try", at=words.moment(account.retry_at)))
        if account.read_only:
            state.append(say("read_only"))
        if account.unchecked:
            state.append(say("unchecked"))
        yield say("account", name=account.name, kind=account.kind, state=", ".join(state))
        if account.error:
            yield f"  {account.error} {account.hint}".rstrip()
    going_on = [account.name for account in status.accounts if not account.error]
    if going_on and len(going_on) < len(status.accounts):
        yield say("not_affected", accounts=", ".join(going_on))
    box = status.outbox
    yield say("outbox", queued=box.queued, sending=box.sending, uncertain=box.uncertain, failed=box.failed)
    if box.queued or box.uncertain or box.failed:
        yield "  " + say("outbox_look")
    yield say("spool", waiting=status.spool.waiting, aside=status.spool.set_aside)
    store = say("store", kind=status.store.kind, customers=status.store.customers, entries=status.store.entries)
    free = [say("free", mb=status.store.free_bytes // 1_000_000)] if status.store.free_bytes >= 0 else []
    yield ", ".join([store, *free])
    backup = status.store.backed_up
    yield "  " + (say("backed_up", at=words.moment(backup)) if backup is not None else say("never_backed_up"))
    for customer in status.store.read_only:
        yield "  " + say("damaged", customer=customer)
    if status.agents:
        yield say("attached", agents=", ".join(status.agents))
