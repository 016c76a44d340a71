"""What a profile says of its queue, as the domain needs it: targets and saved views."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Final, get_args

from agentconsole.config import rules
from agentconsole.config.convert import Problem, nearest
from agentconsole.config.options import DayName, Profile
from agentconsole.domain.hours import Quiet
from agentconsole.domain.model import AgentName, ConversationStatus, Medium, Priority
from agentconsole.domain.queueing import Filter, Goal, Saved, Targets

_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAYS: Final = get_args(DayName)


def targets(profile: Profile, zone: str, today: date | None = None) -> Targets:
    """Return until when a profile's customers are to be answered.

    Args:
        zone: the profile's time zone.
        today: from whose year on holidays are read; the present one where left out.
    """
    said = profile.targets
    year = (today or datetime.now(UTC).date()).year
    known = rules.holidays((said.country,) if said.country else (), year)
    return Targets(
        tuple(
            Goal(goal.minutes, Priority(goal.priority) if goal.priority else None, Medium(goal.medium), goal.first)
            for goal in said.goals
        ),
        zone,
        Quiet(
            time.fromisoformat(said.opens),
            time.fromisoformat(said.closes),
            frozenset(_DAYS.index(day) for day in said.days),
        ),
        frozenset((*said.holidays, *known.get(said.country, ()))),
    )


def views(profile: Profile) -> dict[str, Saved]:
    """Return a profile's own views, in the order of the file."""
    return {
        name: Saved(
            Filter(
                tags=tuple(tag.strip().casefold() for tag in view.tags),
                without_tags=tuple(tag.strip().casefold() for tag in view.without_tags),
                priorities=tuple(Priority(one) for one in view.priorities),
                media=tuple(Medium(one) for one in view.media),
                assignees=tuple(AgentName(one) for one in view.assignees),
                statuses=tuple(ConversationStatus(one) for one in view.statuses),
                languages=tuple(view.languages),
                late=view.late,
                waiting=view.waiting,
            ),
            int(view.older_than[:-1]) * _SECONDS[view.older_than[-1]] if view.older_than else 0,
        )
        for name, view in profile.views.items()
    }


def problems(profile: Profile, media: Collection[str], taken: Collection[str]) -> list[Problem]:
    """Return what is wrong with the targets and views of a profile beyond its keys.

    Args:
        media: those that an account is on.
        taken: names of views that there are anyway.
    """
    place = ("profiles", profile.name)
    known = ", ".join(sorted(media)) or "none"
    named: list[tuple[tuple[str, ...], str]] = [
        (("targets", "goals"), goal.medium) for goal in profile.targets.goals if goal.medium
    ]
    named += [(("views", name, "media"), medium) for name, view in profile.views.items() for medium in view.media]
    found = [
        Problem(
            (*place, *path), f"no account is on the medium {medium} ({_near(medium, media) or f'there are: {known}'})"
        )
        for path, medium in named
        if medium not in media
    ]
    return found + [
        Problem((*place, "views", name), f"there is a view {name} already; use another name")
        for name in profile.views
        if name in taken
    ]


def _near(name: str, known: Collection[str]) -> str:
    found = nearest(name, list(known))
    return f"nearest: {found}" if found else ""
