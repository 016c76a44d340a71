"""A history as Markdown in the agent's language. Whatever came from outside is quoted so that it is no markup. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from agentconsole.cli.names import text_of
from agentconsole.cli.wording import Wording
from agentconsole.domain.entries import (
    AnyEntry,
    Note,
    Receipt,
    Received,
    Redacted,
    Reply,
    Unreadable,
)
from agentconsole.domain.model import Customer, DeliveryRecord
from agentconsole.domain.parting import silent
from agentconsole.text.markdown import inline, quoted


def head(person: Customer, words: Wording, now: datetime, agent: str) -> str:
    """Return the title and what is known of the person."""
    name = person.name or words.say("no_name")
    lines = [
        f"# {inline(words.say('transcript_title', name=name))}",
        "",
        inline(words.say("transcript_about", at=words.moment(now), agent=agent)),
        "",
        f"* {inline(person.id)}",
    ]
    return "\n".join([*lines, *(f"* {inline(fact)}" for fact in _facts(person, words))]) + "\n"


def _facts(person: Customer, words: Wording) -> Iterator[str]:
    for linked in person.addresses:
        yield words.say("address", address=text_of(linked.address), trust=words.trust(linked.trust))
    for consent in person.consents:
        yield words.say(
            "opted_in" if consent.allowed else "opted_out",
            medium=words.medium(consent.medium) if consent.medium else words.scope("every_medium"),
            scope=words.scope(consent.scope),
            day=words.day(consent.at),
        )
    for wish in person.preferences:
        yield words.say("prefers", medium=words.medium(wish.medium), day=words.day(wish.at))


def entry(
    found: AnyEntry,
    record: DeliveryRecord | None,
    removed: Redacted | None,
    files: Sequence[str],
    words: Wording,
) -> tuple[str, str]:
    """Return the day of an entry and its part of the transcript; empty where it tells nothing of its own.

    Args:
        files: where its attachments lie within the folder.
    """
    moment = words.moment(found.at)
    day, _, clock = moment.partition(" ")
    parts = list(_parts(found, record, removed, files, words, clock))
    return day, "\n" + "\n\n".join(parts) + "\n" if parts else ""


def _parts(
    found: AnyEntry,
    record: DeliveryRecord | None,
    removed: Redacted | None,
    files: Sequence[str],
    words: Wording,
    clock: str,
) -> Iterator[str]:
    say = words.say
    match found:
        case _ if isinstance(found, Receipt) or silent(found):
            return
        case Received():
            name = found.sender_name or text_of(found.sender)
            yield f"### {inline(say('from', at=clock, name=name, medium=words.medium(found.medium)))}"
        case Reply():
            state = f", {words.state(record.state)}" if record is not None else ""
            told = say(
                "reply", at=clock, agent=found.agent, medium=words.medium(found.medium), state=state, id=found.id
            )
            yield f"### {inline(told)}"
        case Note():
            yield f"### {inline(say('note', at=clock, agent=found.agent))}"
        case Unreadable():
            yield f"### {inline(f'{clock}, {words.medium(found.medium)}, {words.event(found)}')}"
        case _:
            yield f"*{inline(f'{clock}, {words.event(found)}')}*"
    if removed is not None:
        yield f"*{inline(words.event(removed))}*"
    subject = getattr(found, "subject", "")
    if subject:
        yield f"**{inline(say('subject', subject=subject))}**"
    text = getattr(found, "text", "")
    if text.strip():
        yield quoted(text)
    lines = []
    for part, path in zip(getattr(found, "attachments", ()), files, strict=False):
        told = say("transcript_file" if path else "transcript_missing", name=part.name)
        lines.append(f"* {inline(told)}" + (f" ({inline(path)})" if path else ""))
    if lines:
        yield "\n".join(lines)
