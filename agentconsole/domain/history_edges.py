"""What joins and parts the records of people: merges, their ends, splits. Nothing moves; an edge is there or not."""

from __future__ import annotations

from agentconsole.domain.entries import Merged, Named, Parted, Unmerged, Unparted
from agentconsole.domain.history_state import State, replace
from agentconsole.domain.model import MergeEdge, Parting


class Edges(State):
    def _named(self, entry: Named) -> None:
        if entry.by or not self.name_given:
            self.name, self.name_given = entry.name, bool(entry.by)
        if entry.by:  # newer than what they were called at a split
            self.partings = {split: replace(parting, name="") for split, parting in self.partings.items()}

    def _merged(self, entry: Merged) -> None:
        edge, since = entry.edge or entry.id, entry.since or entry.at
        self.merges[edge] = MergeEdge(edge, entry.other, since, entry.by, entry.joins, entry.suggestion, entry.why)
        self._answer(entry.suggestion, answered=True, accepted=True)

    def _unmerged(self, entry: Unmerged) -> None:
        edge = self.merges.pop(entry.merge, None)
        if edge is not None:  # who splits two people says that they are not one: nobody is asked again
            self._answer(edge.suggestion, answered=bool(entry.parting), accepted=False)

    def _parted(self, entry: Parted) -> None:
        self.partings[entry.id] = Parting(
            id=entry.id,
            at=entry.at,
            by=entry.by,
            one=entry.one,
            other=entry.other,
            addresses=entry.addresses,
            ended=entry.ended,
            made=entry.made,
            of=entry.of,
            name=entry.name,
        )

    def _unparted(self, entry: Unparted) -> None:
        self.partings.pop(entry.parting, None)

    def _answer(self, suggestion: str, *, answered: bool, accepted: bool) -> None:
        found = self.suggestions.get(suggestion)
        if found is not None:
            self.suggestions[suggestion] = replace(found, answered=answered, accepted=accepted)
