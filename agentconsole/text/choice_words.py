"""The whole choice of a channel in sentences: the one place that words it, for ``why`` and for the console alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentconsole.domain.about import DETECTED, About
from agentconsole.domain.model import Choice, EntryId, Medium, RefusedRoute, Route
from agentconsole.domain.preference import NO_WAY_THERE, OUTRANKED
from agentconsole.text.sanitise import one_line
from agentconsole.text.words import Words

CHOSEN: Final = "chosen"
PROPOSED: Final = "proposed"
NEXT: Final = "next"
REFUSED: Final = "refused"
SET_ASIDE: Final = "set_aside"

_NO_ENTRY: Final = EntryId("")


@dataclass(frozen=True, slots=True)
class Told:
    """One route of a choice: what it is in it, why, and the message that its reason came from, where one did."""

    kind: str
    text: str
    route: Route
    entry: EntryId = _NO_ENTRY


def told(choice: Choice, words: Words, now: datetime) -> list[Told]:
    """Return every route once, best first: chosen, proposed, next, refused. What the customer asked for and was not
    followed is named as such wherever it stands."""
    aside = choice.set_aside
    found: list[Told] = []
    for number, ranked in enumerate(choice.ranked):
        kind, text = CHOSEN if not number else NEXT, words.why(ranked, now)
        if number and aside is not None and aside.reason == OUTRANKED and aside.route == ranked.route:
            kind, text = SET_ASIDE, f"{text} {words.set_aside(aside, now)}"
        found.append(Told(kind, text, ranked.route, EntryId(ranked.facts.get("entry", ""))))
    if choice.proposal is not None:
        found.insert(1, Told(PROPOSED, words.proposal(choice.proposal), choice.proposal.route))
    for refused in choice.refused:
        kind = SET_ASIDE if refused == aside else REFUSED
        found.append(Told(kind, refusal(refused, words, now), refused.route))
    if aside is not None and aside.reason == NO_WAY_THERE:
        entry = EntryId(aside.facts.get("entry", ""))
        found.append(Told(SET_ASIDE, refusal(aside, words, now), aside.route, entry))
    return found


def refusal(refused: RefusedRoute, words: Words, now: datetime) -> str:
    """Return why a route must not be used, and until when where that ends."""
    text = words.refusal(refused, now)
    if refused.until is not None and refused.until > now and "until" not in refused.facts:
        text = f"{text} {words.say('why.again_at', at=words.when(refused.until, now))}"
    return text


def spoken(about: About, words: Words) -> str:
    """Return the customer's language with its evidence; empty where nothing tells."""
    found = about.spoken
    if not found.language:
        return ""
    name = words.language_name(found.language)
    if found.evidence == DETECTED:
        return words.say("about.detected", language=name, n=str(found.messages), of=str(found.of))
    return words.say("about.said", what=name, by=found.by)


def clock(about: About, words: Words, now: datetime) -> str:
    """Return the customer's zone with its evidence and the time there; empty where only the profile's is known."""
    if not about.zones or about.zones_by == "profile":
        return ""
    there = f"{about.local(now):%H:%M}"
    zones = one_line(", ".join(about.zones[:3]), 80)
    return words.say(f"about.zone_{about.zones_by}", zone=zones, time=there)


def country(about: About, words: Words) -> str:
    return words.say(f"about.country_{about.country_by}", country=about.country) if about.country else ""


def best_hour(about: About, words: Words) -> str:
    """Return the hours of most answers with the counts behind them; empty below eight answers."""
    best = about.best_hour
    if best is None:
        return ""
    end = (best.hour + best.hours) % 24
    return words.say("about.best_hour", start=f"{best.hour:02}", end=f"{end:02}", n=str(best.answers), of=str(best.of))


def fallback(failed: Medium, to: Medium, changes: tuple[str, ...], left_out: tuple[str, ...], words: Words) -> str:
    """Return what is sent instead of a failed reply and what was done to its text."""
    done = [words.say(f"fitted.{change}") for change in changes]
    if left_out:
        done.append(words.say("fitted.left_out", names=", ".join(left_out)))
    return words.say(
        "instead.proposed",
        medium=words.title(to),
        failed=words.medium(failed),
        done=", ".join(done) or words.say("fitted.as_it_is"),
    )
