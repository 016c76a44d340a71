"""Two people in one customer: which merges end when some addresses turn out to be somebody else's.

Every address that an agent links has a record of its own (``hub.desk.people``), so a customer parts between records:
messages, opt-outs, wishes and facts go with the address that they came from, and no entry moves. The merges that cross
the line end; where a side falls apart by that, merges of the split's own keep it together. The undo takes the former up
again as they were and ends the latter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from agentconsole.domain.entries import AnyEntry, Merged, Parted, Unmerged, Unparted
from agentconsole.domain.model import (
    Address,
    AgentName,
    Customer,
    CustomerId,
    EntryId,
    Parting,
    derive_id,
)
from agentconsole.errors import Refused

LINKED, KEPT = "linked", "kept"
"""Why a merge was made: an agent named a further address, which has a record of its own; a side of a split would have
fallen apart. What an agent calls a merge has no such word."""


def part(
    parting: EntryId,
    customer: Customer,
    holds: Mapping[CustomerId, Collection[Address]],
    named: Sequence[Address],
    by: AgentName,
    at: datetime,
) -> Parted:
    """Plan a split and return the entry of the side that stays.

    Args:
        parting: the id of the entry; the same wish made twice has the same.
        holds: the addresses of every record of the customer.
        named: those that are another person's.

    Raises:
        Refused: all addresses were named, one is not the customer's, or one shares its record with others.
    """
    missing = [address for address in named if not any(address in held for held in holds.values())]
    if missing or not named:
        what = ", ".join(address.value for address in missing) or "No address"
        raise Refused(f"{what} is none of this customer's. Nothing was changed.", "See: agentconsole show")
    gone = {record for record, held in holds.items() if any(address in held for address in named)}
    together = sorted({address.value for record in gone for address in holds[record] if address not in named})
    if together:
        raise Refused(
            f"{', '.join(together)} came with the same messages and would go along. Nothing was changed.",
            "Name these addresses too, if they are the other person's.",
        )
    stay = {record for record in customer.members if record not in gone}
    if not any(holds.get(record) for record in stay):
        raise Refused(
            "These are all addresses of this customer. Nothing was changed.",
            "Name fewer. Where two people share one address: agentconsole split CONVERSATION --from ENTRY",
        )
    crossing = [edge for edge in customer.merges if (customer.owners[edge.id] in gone) != (edge.other in gone)]
    first = next(record for record in customer.members if record in gone and named[0] in holds[record])
    one, made = _together(parting, customer, stay, customer.id if customer.id in stay else None)
    other, more = _together(parting, customer, gone, first)
    return Parted(
        id=parting,
        at=at,
        one=one,
        other=other,
        by=by,
        addresses=tuple(named),
        ended={edge.id: customer.owners[edge.id] for edge in crossing},
        made=made | more,
    )


def _together(
    parting: EntryId, customer: Customer, side: Collection[CustomerId], first: CustomerId | None
) -> tuple[CustomerId, dict[EntryId, tuple[CustomerId, CustomerId]]]:
    """Return who heads a side, and the merges that keep it together besides those that stay."""
    edges = [(customer.owners[e.id], e.other) for e in customer.merges if e.other in side]
    edges = [(keeper, other) for keeper, other in edges if keeper in side]
    groups: list[set[CustomerId]] = []
    for record in sorted(side):
        near = [group for group in groups if any({record, other} & group for other in _near(record, edges))]
        merged = {record}.union(*near)
        groups = [group for group in groups if group not in near] + [merged]
    heads = {frozenset(group): _head(group, edges) for group in groups}
    chief = next((g for g in heads if first in g), min(heads, key=lambda g: heads[g]))
    keep = heads[chief]
    rest = sorted(head for group, head in heads.items() if group != chief)
    return keep, {EntryId(derive_id("e", "kept", parting, head)): (keep, head) for head in rest}


def _near(record: CustomerId, edges: Sequence[tuple[CustomerId, CustomerId]]) -> set[CustomerId]:
    near = {b for a, b in edges if a == record} | {a for a, b in edges if b == record}
    return near | {record}


def _head(group: Collection[CustomerId], edges: Sequence[tuple[CustomerId, CustomerId]]) -> CustomerId:
    absorbed = {other for keeper, other in edges if keeper != other}
    everybody = sorted(group)
    return next((record for record in everybody if record not in absorbed), everybody[0])


def mirror(parted: Parted, name: str) -> Parted:
    """Return the entry of the other person's side."""
    return Parted(
        id=EntryId(derive_id("e", "parted-off", parted.id)),
        at=parted.at,
        one=parted.one,
        other=parted.other,
        by=parted.by,
        addresses=parted.addresses,
        of=parted.id,
        name=name,
    )


def ends(parted: Parted) -> list[tuple[CustomerId, Unmerged]]:
    """Return the ends of the merges that cross the line, each with the record that it goes to."""
    return [
        (
            record,
            Unmerged(
                id=EntryId(derive_id("e", "parted-edge", parted.id, edge)),
                at=parted.at,
                merge=edge,
                by=parted.by,
                parting=parted.id,
            ),
        )
        for edge, record in parted.ended.items()
    ]


def keeps(parted: Parted) -> list[tuple[CustomerId, Merged]]:
    """Return the merges that keep each side together, each with the record that it goes to."""
    return [
        (keep, Merged(id=edge, at=parted.at, other=absorb, by=parted.by, why=KEPT))
        for edge, (keep, absorb) in parted.made.items()
    ]


def again(parting: Parting, edge: Merged, at: datetime) -> Merged:
    """Return the entry that takes an ended merge up again, exactly as it was."""
    return replace(edge, id=EntryId(derive_id("e", "again", parting.id, edge.id)), at=at, edge=edge.id, since=edge.at)


def released(parting: Parting, by: AgentName, at: datetime) -> list[tuple[CustomerId, Unmerged]]:
    """Return the ends of the merges that only the split needed, each with the record that it goes to."""
    return [
        (
            keep,
            Unmerged(
                id=EntryId(derive_id("e", "released", parting.id, edge)), at=at, merge=edge, by=by, parting=parting.id
            ),
        )
        for edge, (keep, _absorbed) in parting.made.items()
    ]


def silent(entry: AnyEntry) -> bool:
    """Say whether an entry only carries out another one, the link or the split, which tells what happened."""
    match entry:
        case Merged():
            return bool(entry.why or entry.edge)
        case Unmerged():
            return bool(entry.parting)
        case Unparted():
            return bool(entry.of)  # the two are one again, and the other record says it
        case _:
            return False


def apart(one: Customer, other: Customer) -> bool:
    """Say whether an agent split these two: then nothing suggests that they are one person."""
    return any(
        {parting.one, parting.other} & {*one.members} and {parting.one, parting.other} & {*other.members}
        for parting in (*one.partings, *other.partings)
    )
