"""Values of the Desk as the JSON fields that scripts rely on. Pure."""

from __future__ import annotations

from datetime import datetime

from agentconsole.cli.names import text_of
from agentconsole.cli.output import Fields
from agentconsole.cli.wording import Wording
from agentconsole.desk import (
    AccountHealth,
    Done,
    Fallback,
    OutboxLine,
    QueuePage,
    Sent,
    Status,
    SuggestionView,
    TimelinePage,
)
from agentconsole.desk.waiting import Present
from agentconsole.domain import numbers
from agentconsole.domain.about import About
from agentconsole.domain.entries import (
    AnyEntry,
    Manual,
    Note,
    Received,
    Redacted,
    Reply,
    Unreadable,
)
from agentconsole.domain.finding import Contact, CustomerHits
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import (
    Attachment,
    Choice,
    Conversation,
    Customer,
    CustomerId,
    Fact,
    Hit,
    Line,
    Ranked,
    RefusedRoute,
    Task,
    Wish,
)


def moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _person(customer: CustomerId, name: str) -> Fields:
    return {"id": customer, "name": name}


def line(row: Line) -> Fields:
    return {
        "id": row.conversation,
        "customer": _person(row.customer, row.name),
        "subject": row.subject,
        "status": row.status,
        "assignee": row.assignee or None,
        "media": list(row.media),
        "last_at": moment(row.last_at),
        "waiting_since": moment(row.waiting_since),
        "unread": row.unread,
        "preview": row.preview,
        "uncertain": row.uncertain,
        "failed": row.failed,
        "suggestions": row.suggestions,
        "priority": row.priority,
        "tags": list(row.tags),
        "aside": row.aside or None,
        "snoozed_until": moment(row.snoozed_until),
        "task": task(row.task) if row.task is not None else None,
        "tasks": row.tasks,
        "mentions": list(row.mentions),
        "language": row.language or None,
        "due_at": moment(row.due_at),
        "late": row.late,
    }


def task(found: Task) -> Fields:
    return {"id": found.id, "text": found.text, "due": moment(found.due), "owner": found.owner or None}


def done(found: Done) -> Fields:
    """What became of one target: ``entries`` is what ``undo`` takes."""
    return {
        "customer": found.target.customer,
        "conversation": found.conversation or found.target.conversation or None,
        "entries": list(found.entries),
        "error": {"code": found.code, "message": found.message, "hint": found.hint} if found.code else None,
    }


def inbox(page: QueuePage) -> Fields:
    return {"conversations": [line(row) for row in page.lines], "total": page.total}


def conversation(found: Conversation) -> Fields:
    return {
        "id": found.id,
        "subject": found.subject,
        "status": found.status,
        "assignee": found.assignee or None,
        "tags": list(found.tags),
        "media": list(found.media),
        "started_at": moment(found.started_at),
        "last_at": moment(found.last_at),
        "waiting_since": moment(found.waiting_since),
        "priority": found.priority,
        "aside": found.aside or None,
        "snoozed_until": moment(found.snoozed_until),
    }


def customer(person: Customer) -> Fields:
    """The customer with addresses, wishes and consents. ``preference`` is the wish without a purpose."""
    general = next((wish.medium for wish in person.preferences if not wish.purpose), None)
    return {
        "id": person.id,
        "name": person.name,
        "addresses": [
            {
                "kind": linked.address.kind,
                "scope": linked.address.scope,
                "value": linked.address.value,
                "trust": linked.trust,
                "dead": linked.dead or None,
                "since": moment(linked.since),
                "by": linked.by or None,
                "why": linked.why or None,
                "evidence": linked.evidence or None,
                "signer": linked.signer or None,
                "trusted_by": linked.trusted_by or None,
            }
            for linked in person.addresses
        ],
        "preference": general or None,
        "preferences": [
            {"medium": wish.medium, "purpose": wish.purpose, "at": moment(wish.at), "evidence": wish.evidence or None}
            for wish in person.preferences
        ],
        "consents": [
            {"medium": c.medium or None, "scope": c.scope, "allowed": c.allowed, "at": moment(c.at)}
            for c in person.consents
        ],
        "tags": sorted({tag for found in person.conversations for tag in found.tags}),
        "members": list(person.members),
        "merges": [
            {"id": edge.id, "other": edge.other, "at": moment(edge.at), "by": edge.by}
            for edge in person.merges
            if not edge.why  # what only joins the records of linked addresses
        ],
    }


def attachment(found: Attachment) -> Fields:
    return {"name": found.name, "type": found.type, "size": found.size, "blob": found.blob or None}


def entry(found: AnyEntry, page: TimelinePage, words: Wording) -> Fields:
    """One line of the timeline. Every entry has the same fields; what does not apply is null."""
    fields: Fields = {
        "id": found.id,
        "at": moment(found.at),
        "type": type(found).__struct_config__.tag,
        "medium": None,
        "account": None,
        "direction": None,
        "author": getattr(found, "by", "") or None,
        "subject": None,
        "text": words.event(found),
        "state": None,
        "attachments": [],
    }
    match found:
        case Received():
            fields |= {
                "medium": found.medium,
                "account": found.account,
                "direction": "in",
                "author": found.sender_name or text_of(found.sender),
                "subject": found.subject or None,
                "text": found.text,
                "attachments": [attachment(part) for part in found.attachments],
                "conversation": found.conversation,
                "trust": found.trust,
            }
        case Reply():
            record = page.states.get(found.id)
            fields |= {
                "medium": found.medium,
                "account": found.account,
                "direction": "out",
                "author": found.agent,
                "subject": found.subject or None,
                "text": found.text,
                "rule": found.rule or None,
                "facts": found.facts,
                "proactive": found.proactive,
                "purpose": found.purpose or None,
                "state": record.state if record is not None else None,
                "reason": (record.reason or None) if record is not None else None,
                "attachments": [attachment(part) for part in found.attachments],
                "conversation": found.conversation,
                "address": text_of(found.address),
            }
        case Note():
            fields |= {"author": found.agent, "text": found.text, "conversation": found.conversation}
        case Manual():
            fields |= {
                "medium": found.medium,
                "direction": "in" if found.inbound else "out",
                "author": found.agent,
                "text": found.text,
                "minutes": found.minutes,
                "answered": found.answered,
                "conversation": found.conversation,
            }
        case Unreadable():
            fields |= {"medium": found.medium, "account": found.account, "direction": "in"}
        case Redacted():
            fields |= {"entry": found.entry}
        case _:
            pass
    undone = page.undone.get(found.id)
    if undone is not None:
        fields |= {"undone": {"at": moment(undone.at), "by": undone.by}}
    removed = page.removed.get(found.id)
    if removed is not None:
        fields |= {"removed": {"at": moment(removed.at), "by": removed.by, "why": removed.why or None}}
    return fields


def show(page: TimelinePage, words: Wording) -> Fields:
    return {
        "customer": customer(page.customer) | about(page.about),
        "conversations": [conversation(found) for found in page.customer.conversations],
        "timeline": [entry(found, page, words) for found in page.entries],
        "more": page.more,
        "suggestions": [suggestion(found) for found in page.suggestions],
        "wishes": [wish(found) for found in page.customer.wishes],
        "facts": [fact(found) for found in page.facts],
        "tasks": [task(found) for found in page.customer.tasks],
        "masked": list(page.masked),
        "closed": page.closed or None,
        "doubtful": {
            "entry": page.doubtful.entry,
            "address": page.doubtful.sender.value,
            "trust": page.doubtful.trust,
            "signer": page.doubtful.signer or None,
        }
        if page.doubtful is not None
        else None,
    }


def fact(found: Fact) -> Fields:
    return {
        "kind": found.kind,
        "value": found.value,
        "label": found.label or None,
        "entry": found.entry,
        "at": moment(found.at),
        "medium": found.medium,
    }


def warning(found: Warned, words: Wording) -> Fields:
    return {
        "guard": found.guard,
        "because": words.guard(found),
        "start": found.start,
        "end": found.end,
        "facts": dict(found.facts),
    }


def ranked(found: Ranked, words: Wording) -> Fields:
    return {
        "medium": found.route.medium,
        "account": found.route.account,
        "address": text_of(found.route.address),
        "rule": found.rule,
        "because": words.because(found),
        "facts": found.facts,
    }


def refused(found: RefusedRoute, words: Wording) -> Fields:
    return {
        "medium": found.route.medium,
        "account": found.route.account,
        "address": text_of(found.route.address),
        "reason": found.reason,
        "because": words.refusal(found),
        "facts": found.facts,
        "until": moment(found.until),
    }


def choice(found: Choice, words: Wording) -> Fields | None:
    return ranked(found.best, words) if found.best is not None else None


def why(person: Customer, found: Choice, words: Wording) -> Fields:
    return {
        "customer": _person(person.id, person.name),
        "choice": choice(found, words),
        "alternatives": [ranked(route, words) for route in found.ranked[1:]],
        "refused": [refused(route, words) for route in found.refused],
        "proposal": ranked(found.proposal, words) if found.proposal is not None else None,
        "set_aside": refused(found.set_aside, words) if found.set_aside is not None else None,
    }


def about(found: About) -> Fields:
    """What is known of a customer's language, clock, country and best hour, with how it is known."""
    spoken, best = found.spoken, found.best_hour
    return {
        "language": {
            "code": spoken.language or None,
            "evidence": spoken.evidence or None,
            "messages": spoken.messages,
            "of": spoken.of,
        },
        "time_zones": {"names": list(found.zones), "evidence": found.zones_by or None},
        "country": {"code": found.country or None, "evidence": found.country_by or None},
        "best_hour": {"from": best.hour, "hours": best.hours, "answers": best.answers, "of": best.of}
        if best is not None
        else None,
    }


def fallback(found: Fallback, words: Wording) -> Fields:
    return {
        "reply": found.reply,
        "customer": found.customer,
        "route": ranked(found.ranked, words),
        "text": numbers.masked(found.text),
        "subject": found.subject or None,
        "changes": list(found.changes),
        "attachments": [attachment(part) for part in found.attachments],
        "left_out": list(found.left_out),
    }


def sent(found: Sent, words: Wording, explained: Choice | None = None) -> Fields:
    """What became of a reply, and why this channel.

    Args:
        explained: the choice at the time of the reply, where ``found`` was asked for later.
    """
    chosen = explained if explained is not None else found.choice
    taken = next((route for route in chosen.ranked if route.route == found.route), chosen.best)
    fields: Fields = {
        "reply": {
            "id": found.id,
            "state": found.state,
            "medium": found.route.medium,
            "account": found.route.account,
            "address": text_of(found.route.address),
            "not_before": moment(found.not_before),
            "held": found.held,
        },
        "choice": ranked(taken, words) if taken is not None else None,
    }
    if found.asked:
        fields["asked"] = found.asked
    if found.reason:
        fields["error"] = {"code": found.reason, "message": words.reason(found.reason), "hint": found.detail}
    return fields


def hit(found: Hit) -> Fields:
    return {
        "customer": _person(found.customer, found.name),
        "entry": found.entry,
        "at": moment(found.at),
        "medium": found.medium or None,
        "snippet": found.snippet,
    }


def customer_hits(found: CustomerHits) -> Fields:
    return {
        "customer": _person(found.customer, found.name),
        "count": found.count,
        "at": moment(found.at),
    }


def contact(found: Contact) -> Fields:
    return {
        "customer": _person(found.customer, found.name),
        "addresses": list(found.addresses),
        "media": list(found.media),
        "at": moment(found.at) if found.at is not None else None,
    }


def present(found: Present) -> Fields:
    """Who is at a customer."""
    return {
        "agent": found.agent,
        "since": moment(found.since),
        "writing": found.writing,
        "medium": found.medium or None,
        "last_key": moment(found.last_key),
    }


def outbox_line(found: OutboxLine) -> Fields:
    record = found.record
    return {
        "id": record.reply,
        "customer": _person(found.customer, found.name),
        "state": record.state,
        "medium": record.medium,
        "account": record.account,
        "address": text_of(record.address),
        "agent": record.agent,
        "queued_at": moment(record.queued_at),
        "not_before": moment(record.not_before),
        "held": record.held,
        "reason": record.reason or None,
        "detail": record.detail or None,
        "text": found.text,
    }


def wish(found: Wish) -> Fields:
    """A wish that waits for a decision."""
    return {
        "id": found.id,
        "at": moment(found.at),
        "medium": found.medium,
        "purpose": found.purpose or None,
        "words": found.words,
        "evidence": found.evidence,
        "evidence_medium": found.evidence_medium or None,
    }


def suggestion(found: SuggestionView) -> Fields:
    return {
        "id": found.id,
        "customer": _person(found.customer, found.customer_name),
        "other": _person(found.other, found.other_name),
        "address": text_of(found.address),
        "why": found.why,
        "evidence": found.evidence or None,
        "at": moment(found.at),
    }


def account(found: AccountHealth) -> Fields:
    return {
        "name": found.name,
        "kind": found.kind,
        "medium": found.medium,
        "state": found.state,
        "last_ok": moment(found.last_ok),
        "lag_s": found.lag_s,
        "error": found.error or None,
        "hint": found.hint or None,
        "retry_at": moment(found.retry_at),
        "received": found.received,
        "sent": found.sent,
        "read_only": found.read_only,
        "unchecked": found.unchecked,
    }


def status(found: Status) -> Fields:
    return {
        "accounts": [account(one) for one in found.accounts],
        "outbox": {
            "queued": found.outbox.queued,
            "sending": found.outbox.sending,
            "uncertain": found.outbox.uncertain,
            "failed": found.outbox.failed,
        },
        "store": {
            "kind": found.store.kind,
            "customers": found.store.customers,
            "entries": found.store.entries,
            "index_behind": found.store.index_behind,
            "read_only": list(found.store.read_only),
            "free_bytes": found.store.free_bytes,
            "backed_up": moment(found.store.backed_up),
        },
        "spool": {"waiting": found.spool.waiting, "set_aside": found.spool.set_aside},
        "version": found.version,
        "profile": found.profile,
        "pid": found.pid,
        "started_at": moment(found.started_at),
        "agents": list(found.agents),
        "banner": found.banner or None,
    }
