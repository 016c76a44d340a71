"""Values of the Desk as lines for people: one fact after the other, no boxes, no colour, fit to be read aloud. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agentconsole.cli.names import text_of
from agentconsole.cli.wording import Wording
from agentconsole.desk import Status, TimelinePage
from agentconsole.domain.model import AnyEntry, Choice, Line, Note, Receipt, Received, Reply, Unreadable


def queue_line(row: Line, words: Wording) -> str:
    """One conversation of the queue: who, where, how long, what, id."""
    parts = [row.name or row.customer, ", ".join(words.medium(medium) for medium in row.media)]
    if row.waiting_since is not None:
        parts.append(f"waiting {words.since(row.waiting_since)}")
    else:
        parts.append(str(row.status))
    if row.subject:
        parts.append(row.subject)
    if row.assignee:
        parts.append(f"assigned to {row.assignee}")
    if row.unread:
        parts.append("unread")
    for count, what in ((row.uncertain, "uncertain"), (row.failed, "failed"), (row.suggestions, "suggestion")):
        if count:
            parts.append(f"{count} {what}")
    return "; ".join(part for part in (*parts, row.conversation) if part)


def customer_lines(page: TimelinePage, words: Wording) -> Iterator[str]:
    """The card: name, addresses, wishes, consents, conversations, suggestions."""
    person = page.customer
    yield f"{person.name or 'No name'}; {person.id}"
    for linked in person.addresses:
        dead = f", does not take messages ({words.reason(linked.dead)})" if linked.dead else ""
        yield f"Address: {text_of(linked.address)} ({linked.trust}){dead}"
    for wish in person.preferences:
        if wish.medium:
            purpose = f" for {wish.purpose}" if wish.purpose else ""
            yield f"Prefers{purpose}: {words.medium(wish.medium)}, since {words.day(wish.at)}"
    for consent in person.consents:
        medium = words.medium(consent.medium) if consent.medium else "every medium"
        yield f"Opted {'in' if consent.allowed else 'out'}: {medium} ({consent.scope}), {words.day(consent.at)}"
    for found in person.conversations:
        owner = f", assigned to {found.assignee}" if found.assignee else ""
        tags = f", tags {' '.join(found.tags)}" if found.tags else ""
        yield f"Conversation: {found.subject or 'no subject'}; {found.status}{owner}{tags}; {found.id}"
    for edge in person.merges:
        yield f"Merged with {edge.other} by {edge.by}, {words.day(edge.at)}; {edge.id}"
    for view in page.suggestions:
        yield (
            f"May be the same as {view.other_name or view.other} ({text_of(view.address)}): {words.suggestion(view)}; "
            f"agentconsole suggestion accept {view.id}"
        )


def entry_lines(found: AnyEntry, page: TimelinePage, words: Wording) -> tuple[str, str]:
    """Return the head line of an entry and the text under it; both empty for what a head line tells elsewhere."""
    at = words.moment(found.at)
    match found:
        case Received():
            head = f"{at}, from {found.sender_name or text_of(found.sender)}, {words.medium(found.medium)}"
            body = f"Subject: {found.subject}\n{found.text}" if found.subject else found.text
            for part in found.attachments:
                body += f"\nAttachment: {part.name} ({part.type}, {part.size} bytes)"
        case Reply():
            record = page.states.get(found.id)
            state = f", {words.state(record.state)}" if record is not None else ""
            reason = f" ({words.reason(record.reason)})" if record is not None and record.reason else ""
            head = f"{at}, reply by {found.agent}, {words.medium(found.medium)}{state}{reason}; {found.id}"
            body = found.text
            for part in found.attachments:
                body += f"\nAttachment: {part.name} ({part.type}, {part.size} bytes)"
        case Note():
            head, body = f"{at}, note by {found.agent}", found.text
        case Unreadable():
            head, body = f"{at}, unreadable message, {words.medium(found.medium)} (raw bytes kept)", found.detail
        case Receipt():
            return "", ""
        case _:
            head, body = f"{at}, {words.event(found)}", ""
    return head, body


def choice_lines(choice: Choice, words: Wording) -> Iterator[str]:
    """The route that a reply takes, the alternatives and the refused ones, each with its reason."""
    if choice.best is None:
        yield "No channel can be used now."
    for index, ranked in enumerate(choice.ranked):
        label = "Reply goes by" if index == 0 else "Alternative"
        address = text_of(ranked.route.address)
        yield f"{label}: {words.because(ranked)} To {address} through {ranked.route.account}."
    for refused in choice.refused:
        yield f"Refused: {words.refusal(refused)} ({text_of(refused.route.address)})"


def status_lines(status: Status, words: Wording) -> Iterator[str]:
    """How the hub is, what needs somebody first."""
    yield f"Hub of profile {status.profile}, version {status.version}, process {status.pid}."
    if status.banner:
        yield f"Attention: {words.reason(status.banner)}"
    for account in status.accounts:
        ago = f", last answer {words.moment(account.last_ok)}" if account.last_ok is not None else ""
        trial = ", read only" if account.read_only else ""
        yield f"Account {account.name} ({account.kind}): {account.state}{ago}{trial}"
        if account.error:
            yield f"  {account.error} {account.hint}".rstrip()
    box = status.outbox
    yield f"Outbox: {box.queued} queued, {box.sending} sending, {box.uncertain} uncertain, {box.failed} failed"
    yield f"Spool: {status.spool.waiting} waiting, {status.spool.set_aside} set aside"
    free = f", {status.store.free_bytes // 1_000_000} MB free" if status.store.free_bytes >= 0 else ""
    yield f"Store: {status.store.kind}, {status.store.customers} customers, {status.store.entries} entries{free}"
    for customer in status.store.read_only:
        yield f"  {customer} is read only after damage; see: agentconsole show {customer}"
    if status.agents:
        yield f"Attached: {', '.join(status.agents)}"
