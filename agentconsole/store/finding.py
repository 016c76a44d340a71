"""What every store finds alike: what is known of an entry besides its words, which customers a word means, and which
of many finds are answered.

Pure, and shared by all implementations, as ``store.rules`` is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple

from agentconsole.domain.entries import AnyEntry, Received, Reply
from agentconsole.domain.finding import Contact, CustomerHits
from agentconsole.domain.model import ConversationId, Customer, CustomerId
from agentconsole.store import rules
from agentconsole.text import naming, tokens
from agentconsole.text.query import AFTER, BY, FROM, HAS, IN, ON, Filter, Query

COUNTED: Final = 1000
"""Of more finds than this nobody counts the rest; where they are put together by customer, the newest so many are."""

_LARGEST: Final = 1 << 52
"""Microseconds: years from 1827 to 2112. What lies outside is put in order as if it were the last of them."""

KINDS: Final = ("message", "reply", "note")
MEDIA_SHOWN: Final = 4
ADDRESSES_SHOWN: Final = 4


def order(at: datetime) -> int:
    """Return what finds are put in order by."""
    return _within(rules.microseconds(at))


def _within(at: int) -> int:
    return max(min(at, _LARGEST), -_LARGEST)


def span(query: Query) -> tuple[int, int]:
    """Return from which ``order`` on, and below which, an entry is asked for."""
    start, end = -_LARGEST, _LARGEST + 1
    for one in query.filters:
        if one.at is None:
            continue
        moment = order(one.at)
        if (one.name == AFTER) != one.no:
            start = max(start, moment)
        else:
            end = min(end, moment)
    return start, end


# -- entries -----------------------------------------------------------------------------------------------


def kind_of(entry: AnyEntry) -> str:
    """Return what ``in:`` calls an entry that search covers: what agents write for themselves is all a note."""
    match entry:
        case Received():
            return "message"
        case Reply():
            return "reply"
        case _:
            return "note"


def facts(record: CustomerId, entry: AnyEntry) -> Iterator[str]:
    """Yield the tokens of what filters ask of an entry itself."""
    yield of_record(record)
    yield tokens.fact("k", kind_of(entry))
    if medium := rules.medium_of(entry):
        yield tokens.fact("m", medium)
    author = getattr(entry, "agent", "") or getattr(entry, "by", "")
    if author:
        yield tokens.fact("b", tokens.fold(author))
    if isinstance(entry, Received | Reply) and entry.attachments:
        yield tokens.fact("h", "attachment")


def of_record(record: CustomerId) -> str:
    return tokens.fact("c", record)


def any_kind() -> Iterator[str]:
    """Yield the tokens of which each entry has one."""
    yield from (tokens.fact("k", kind) for kind in KINDS)


_FACTS: Final[dict[str, Callable[[str], str]]] = {
    ON: lambda value: tokens.fact("m", value),
    IN: lambda value: tokens.fact("k", value),
    BY: lambda value: tokens.fact("b", tokens.fold(value)),
    HAS: lambda value: tokens.fact("h", value),
}


def fact_of(one: Filter) -> str:
    """Return the token that a filter asks for; empty where it asks for something else."""
    made = _FACTS.get(one.name)
    return made(one.value) if made is not None else ""


def indexed(record: CustomerId, entry: AnyEntry) -> str | None:
    """Return all tokens of an entry, or None where search does not cover it."""
    text = rules.searchable(entry)
    return None if text is None else " ".join((tokens.index_tokens(text), *facts(record, entry))).lstrip()


def entry_holds(query: Query, record: CustomerId, entry: AnyEntry, text: str) -> bool:
    """Say whether an entry has the words, and whatever the filters ask of it and not of its customer."""
    start, end = span(query)
    known = set(facts(record, entry))
    return (
        bool(query)
        and start <= order(entry.at) < end
        and all(tokens.holds(text, term.words, phrase=term.phrase) != term.no for term in query.terms)
        and all((fact in known) != one.no for one in query.filters if (fact := fact_of(one)))
    )


def is_named(words: str, members: Sequence[CustomerId], known: Sequence[str]) -> bool:
    """Say whether ``from:`` means a customer.

    Args:
        known: its keys (``text.naming``).
    """
    return words in members or naming.rank(words, known) <= naming.WORD


def customer_holds(query: Query, members: Sequence[CustomerId], known: Sequence[str]) -> bool:
    return all(is_named(one.value, members, known) != one.no for one in query.of(FROM))


def conversation_of(customer: Customer, entry: AnyEntry) -> ConversationId:
    """Return the conversation that an entry is shown in."""
    named: ConversationId = getattr(entry, "conversation", ConversationId(""))
    name = customer.moved.get(entry.id, named)
    return customer.joined.get(name, name)


# -- which of many -----------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One find: enough to say whose it is and where it lies."""

    at: int
    record: CustomerId
    place: int
    entry: str


class Picked(NamedTuple):
    rows: list[Row]
    counts: list[tuple[CustomerId, int, int]]
    """Customer, how many, and the newest (``order``)."""
    total: int
    complete: bool


def pick(
    rows: Iterable[Row], whose: Callable[[CustomerId], CustomerId | None], limit: int, offset: int, each: int
) -> Picked:
    """Choose what is answered.

    Args:
        rows: the finds, newest first.
        whose: the customer that a record belongs to.
        each: at most so many of one customer; 0: all.
    """
    chosen: list[Row] = []
    counts: dict[CustomerId, list[int]] = {}
    total, complete = 0, True
    for row in rows:
        customer = whose(row.record)
        if customer is None:
            continue
        if total == COUNTED:
            complete = False
            if each or len(chosen) >= offset + limit:
                break
            chosen.append(row)
            continue
        total += 1
        count = counts.setdefault(customer, [0, row.at])
        count[0] += 1
        if not each or count[0] <= each:
            chosen.append(row)
    return Picked(
        chosen[offset : offset + limit],
        [(customer, count, newest) for customer, (count, newest) in counts.items()],
        total,
        complete,
    )


def customers(
    picked: Picked, names: Callable[[CustomerId], str], at: Callable[[int], datetime]
) -> Iterator[CustomerHits]:
    for customer, count, newest in picked.counts:
        yield CustomerHits(customer, names(customer), count, at(newest))


# -- customers ---------------------------------------------------------------------------------------------


def contact(customer: Customer) -> Contact:
    """Return what the quick switcher shows of a customer."""
    used = sorted((use for use in customer.routes if use.last_in is not None), key=attrgetter("last_in"), reverse=True)
    media = tuple(dict.fromkeys(use.route.medium for use in used))[:MEDIA_SHOWN]
    addresses = tuple(dict.fromkeys(linked.address.value for linked in customer.addresses))[:ADDRESSES_SHOWN]
    return Contact(customer.id, rules.shown_name(customer), addresses, customer.last_at, media)


def keys(customer: Customer) -> tuple[str, ...]:
    """Return by what a customer is found as one types."""
    return naming.keys(rules.shown_name(customer), (linked.address.value for linked in customer.addresses))
