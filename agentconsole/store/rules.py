"""What every store answers alike: the order of a timeline, who is in a cluster, which row a view holds.

Pure, and shared by all implementations, so that they differ in how they find an answer and never in the answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from agentconsole.domain import queueing
from agentconsole.domain.addresses import EMAIL
from agentconsole.domain.entries import (
    AnyEntry,
    Manual,
    Note,
    Received,
    Reply,
    TaskSet,
)
from agentconsole.domain.history import FOLD_VERSION
from agentconsole.domain.model import (
    AgentName,
    ConversationId,
    ConversationStatus,
    Customer,
    CustomerId,
    Draft,
    Line,
    LinkedAddress,
    Medium,
    Snapshot,
    Trust,
)
from agentconsole.domain.person import URGENCY
from agentconsole.domain.queueing import Cutoff, Filter
from agentconsole.ports import VIEWS, View

INDEX_VERSION: Final = f"4.{FOLD_VERSION}"
"""Raised with every change of what this module or the index makes of entries; a derived file of another version
is dropped and built anew."""

MENTIONED_LIMIT: Final = 100
CHANGES_LIMIT: Final = 1000
"""More changed customers than this are told as "ask again for all"."""

CUSTOMER_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
COUNTED: Final[tuple[View, ...]] = tuple(name for name in VIEWS if name != "all")
FAR: Final = 1 << 62
"""Where a row sorts that has no time, in microseconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TRUST: Final = {Trust.VERIFIED: 0, Trust.THREADED: 1, Trust.CLAIMED: 2, Trust.AMBIGUOUS: 3}


def thrown_away(draft: Draft) -> datetime:
    """Return when a draft was thrown away."""
    return draft.discarded_at or draft.at


def microseconds(at: datetime) -> int:
    """Return microseconds since 1970, exactly: what an index sorts by."""
    return (at - _EPOCH) // _MICROSECOND


def check(entry: AnyEntry) -> None:
    """Refuse what would make a record unreadable later.

    Raises:
        ValueError: the entry has no id, or a time without zone (it cannot be put in order).
    """
    if not entry.id:
        raise ValueError("an entry needs an id")
    if entry.at.tzinfo is None or (isinstance(entry, Received) and entry.stored_at.tzinfo is None):
        raise ValueError(f"entry {entry.id} has a time without zone")


def check_id(record: CustomerId) -> None:
    """Refuse a customer id that could not be a file's name.

    Raises:
        ValueError: it is empty, too long, or holds anything but letters, digits, dash and underscore.
    """
    if not CUSTOMER_ID.fullmatch(record):
        raise ValueError(f"{record!r} is no customer id")


# -- clusters ----------------------------------------------------------------------------------------------


def cluster(
    start: Iterable[CustomerId], neighbours: Callable[[CustomerId], Iterable[CustomerId]]
) -> frozenset[CustomerId]:
    """Return all records that edges join with the records of ``start``, in either direction."""
    found = set(start)
    waiting = list(found)
    while waiting:
        for other in neighbours(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return frozenset(found)


def root(members: Iterable[CustomerId], absorbed: Iterable[CustomerId]) -> CustomerId:
    """Return the record whose id is the customer's: the one that no other absorbs, among several the first.

    Args:
        members: all records of the cluster.
        absorbed: those that an edge within the cluster names as ``other``.
    """
    everybody = sorted(members)
    taken = set(absorbed)
    return next((record for record in everybody if record not in taken), everybody[0])


# -- queue rows --------------------------------------------------------------------------------------------


def shown_name(customer: Customer) -> str:
    """Return what the queue calls a customer: the name, else the oldest address, else the id."""
    return customer.name or (customer.addresses[0].address.value if customer.addresses else customer.id)


def in_view(line: Line, view: View, agent: AgentName) -> bool:
    """Say whether a view shows a row. ``open`` is everything that is not resolved; what was put aside is in ``spam``
    and ``all`` only, and where a reply needs a decision."""
    active = line.status != ConversationStatus.RESOLVED and not line.aside
    match view:
        case "waiting":
            return line.wanted_since is not None and not line.aside
        case "mine":
            rung = line.task is not None and line.task.rung and not line.aside
            return (active or rung) and agent in concerned(line)
        case "unassigned":
            return active and not line.assignee
        case "open":
            return active
        case "resolved":
            return line.status == ConversationStatus.RESOLVED and not line.aside
        case "failed":
            return line.failed > 0
        case "uncertain":
            return line.uncertain > 0
        case "snoozed":
            return line.status == ConversationStatus.SNOOZED and not line.aside
        case "tasks":
            return line.tasks > 0 and not line.aside
        case "spam":
            return bool(line.aside)
        case "all":
            return True


def shown(line: Line, view: View | Filter, agent: AgentName, late: Sequence[Cutoff]) -> bool:
    """Say whether a view or a filter shows a row."""
    if isinstance(view, Filter):
        return queueing.shown(line, view, agent, late)
    return in_view(line, view, agent)


def order_of(view: View | Filter) -> View:
    """Return by the order of which view the rows come: those of a filter about waiting like the ones that wait."""
    if not isinstance(view, Filter):
        return view
    return "waiting" if view.waiting or view.before is not None or view.late else "all"


def concerned(line: Line) -> frozenset[AgentName]:
    """Return in whose own view a row is: who has it, whom a note called, and whose task is due."""
    owner = line.task.owner if line.task is not None and line.task.rung else AgentName("")
    return frozenset(name for name in (line.assignee, owner, *line.mentions) if name)


def urgency(line: Line) -> int:
    """Return a number that sorts the more urgent first."""
    return -URGENCY.index(line.priority)


def line_order(line: Line, view: View, *, late: bool = False) -> tuple[int, int, int, str, str]:
    """Order the rows of a view.

    ``waiting``: the late ones first, then the more urgent, then who waits longest; ``snoozed``: what wakes next;
    ``tasks``: what is due first; the others: the newest first.
    """
    rest = line.conversation, line.customer
    if view == "waiting" and line.wanted_since is not None:
        return -late, urgency(line), microseconds(line.wanted_since), *rest
    if view == "snoozed":
        return 0, 0, microseconds(line.snoozed_until) if line.snoozed_until is not None else FAR, *rest
    if view == "tasks" and line.task is not None:
        return 0, 0, microseconds(line.task.due), *rest
    return 0, 0, -microseconds(line.last_at), *rest


def conversation_parts(
    customer: Customer, snapshots: Mapping[CustomerId, Snapshot]
) -> dict[ConversationId, tuple[tuple[CustomerId, int], ...]]:
    """Return which records feed a queue row and when each was last touched there (microseconds).

    An agent has unread news in a row where any part is newer than what the agent saw of that part's record.
    """
    parts: dict[ConversationId, list[tuple[CustomerId, int]]] = {}
    for member in customer.members:
        for conversation in snapshots[member].conversations.values():
            name = customer.joined.get(conversation.id, conversation.id)
            parts.setdefault(name, []).append((member, microseconds(conversation.last_at)))
    return {name: tuple(found) for name, found in parts.items()}


# -- lookups -----------------------------------------------------------------------------------------------


def folded(text: str) -> str:
    """Return text as names are compared: case and width do not matter."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def holder_order(linked: LinkedAddress) -> tuple[int, int]:
    """Order several records that hold one address: the surest first, then the oldest claim."""
    return _TRUST[linked.trust], microseconds(linked.since)


def message_key(key: str) -> str:
    """Return a thread key without the angle brackets and spaces that some senders leave in."""
    return key.strip().strip("<>").strip()


def own_thread_key(entry: AnyEntry) -> tuple[str, bool, int] | None:
    """Return the key that later messages may name, whether it is ours, and since when we know it.

    Ids of mails are unique over accounts; those of other media are not and make no threads. What we know longest
    wins over a later message with the same id, and ours over everybody's: the sender chooses both id and date.
    """
    match entry:
        case Received() if entry.sender.kind == EMAIL and message_key(entry.external_id):
            return message_key(entry.external_id), False, microseconds(entry.stored_at)
        case Reply() if message_key(entry.key):
            return message_key(entry.key), True, microseconds(entry.at)
        case _:
            return None


def searchable(entry: AnyEntry) -> str | None:
    """Return the text of an entry that search covers, or None where it covers nothing."""
    match entry:
        case Received():
            return _joined(entry.subject, entry.text, entry.sender_name, *(a.name for a in entry.attachments))
        case Reply():
            return _joined(entry.subject, entry.text, *(a.name for a in entry.attachments))
        case Note() | Manual() | TaskSet():
            return entry.text
        case _:
            return None


def medium_of(entry: AnyEntry) -> Medium:
    return entry.medium if isinstance(entry, Received | Reply | Manual) else Medium("")


def _joined(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
