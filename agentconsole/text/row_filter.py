"""What a query asks of the rows of the list, as the filter that an index answers by itself, where both can say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from agentconsole.domain.model import AgentName, ConversationStatus, Medium
from agentconsole.domain.queueing import ME, NOBODY, Filter
from agentconsole.text import tokens
from agentconsole.text.query import BY, IS, ON, TAG, Query

_EVERY: Final = tuple(ConversationStatus)
_ACTIVE: Final = tuple(status for status in _EVERY if status != ConversationStatus.RESOLVED)
VIEWS: Final = {
    "waiting": Filter(waiting=True, statuses=_EVERY),
    "unassigned": Filter(assignees=(NOBODY,)),
    "open": Filter(),
    "resolved": Filter(statuses=(ConversationStatus.RESOLVED,)),
}
"""The views that are nothing but a filter, in the order that their filter has."""

_STATES: Final = {
    "open": _ACTIVE,
    "closed": (ConversationStatus.RESOLVED,),
    "snoozed": (ConversationStatus.SNOOZED,),
}


def as_filter(asked: Query, view: Filter, agents: Iterable[AgentName]) -> Filter | None:
    """Return the filter that lets through exactly the rows of a view that a query asks for, or None where it takes a
    look at the rows: for words, names and days.

    Args:
        agents: whom ``by:`` can mean.
    """
    if asked.terms:
        return None
    found = view
    known = {tokens.fold(name): name for name in agents}
    for one in asked.filters:
        if one.name == TAG:
            tag = one.value.casefold()
            found = (
                replace(found, without_tags=(*found.without_tags, tag))
                if one.no
                else replace(found, tags=(*found.tags, tag))
            )
        elif one.no:
            return None
        elif one.name == ON and not found.media:
            found = replace(found, media=(Medium(one.value),))
        elif one.name == BY and not found.assignees and tokens.fold(one.value) in known:
            found = replace(found, assignees=(known[tokens.fold(one.value)],))
        elif one.name == IS and one.value == "unassigned" and not found.assignees:
            found = replace(found, assignees=(NOBODY,))
        elif one.name == IS and one.value == "mine" and not found.assignees and _both(found, _ACTIVE):
            found = replace(found, assignees=(ME,), statuses=_both(found, _ACTIVE))
        elif one.name == IS and _both(found, _STATES.get(one.value, ())):
            found = replace(found, statuses=_both(found, _STATES[one.value]))
        else:
            return None
    return found


def _both(found: Filter, wanted: Iterable[ConversationStatus]) -> tuple[ConversationStatus, ...]:
    return tuple(status for status in wanted if status in (found.statuses or _ACTIVE))
