"""The part of the Desk that prepares what is written: templates filled in for a customer, and files of any size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from agentconsole.desk import FILE_PART_BYTES, LARGEST_FILE, Agent
from agentconsole.domain import beginning, laws, templates
from agentconsole.domain.about import About
from agentconsole.domain.entries import Received
from agentconsole.domain.model import Attachment, ConversationId, Customer, CustomerId, Fact
from agentconsole.domain.templates import Filled
from agentconsole.errors import TryLater, UsageError
from agentconsole.hub.desk.base import key_of
from agentconsole.hub.desk.reading import Reading
from agentconsole.text.language import guess
from agentconsole.text.sanitise import one_line
from agentconsole.text.words import Words

UPLOADS: Final = 4
"""Files under way at once, over all clients; a further one takes the place of the oldest."""

FORGOTTEN: Final = 300.0
"""Seconds without a further part after which what came of a file is let go."""

HELP: Final = "help"
"""The name of what is offered in answer to a help word (``Law.help_text``)."""

LONGEST_VALUE: Final = 500
MOST_VALUES: Final = 40


@dataclass
class _Upload:
    """What came of a file so far, and when the last of it came (monotonic)."""

    held: bytearray = field(default_factory=bytearray)
    at: float = 0.0


class Composing(Reading):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._files: dict[tuple[str, str], _Upload] = {}

    # -- templates -----------------------------------------------------------------------------------------

    async def templates(
        self, who: Agent, customer: CustomerId, conversation: ConversationId, values: Mapping[str, str]
    ) -> tuple[Filled, ...]:
        self.need(who, "read")
        if len(values) > MOST_VALUES:
            raise UsageError(f"More than {MOST_VALUES} variables are not filled in at once.", "Leave some out.")
        given = {name: one_line(value, LONGEST_VALUE) for name, value in values.items()}
        person = await self.person(customer) if customer else None
        about = await self.about(person) if person is not None else About()
        # What the timeline hides behind an unverified sender is not told by a template either.
        shut = person is None or self.closing(who, person) is not None
        known = () if person is None or shut else await self.facts_of(person)
        spoken = about.spoken.language
        if person is not None and not spoken:
            found = guess(person.name)
            spoken = found.language if found is not None else ""
        wanted = tuple(dict.fromkeys(one for one in (spoken, self.profile.language) if one))
        zone = about.zones[0] if about.zones else self.profile.timezone
        now = self.clock.now()
        told = {language: await asyncio.to_thread(Words, language, zone) for language in ("en", "ko")}
        local = await asyncio.to_thread(_local, now, zone)
        found_all = []
        for template in self.profile.templates:
            language = templates.language_of(template, wanted)
            fixed = given | _of_agent(self.profile.agent_names.get(who.name, ""))
            if person is not None:
                own = _of_person(person, "" if shut else _subject(person, conversation))
                fixed |= {name: self.masks.text(value) for name, value in own.items()}
            value = _values(fixed, given, known, told.get(language), now, local)
            found_all.append(templates.fill(template, language, value))
        asked = await self._help(person) if person is not None and not shut else None
        return tuple(found_all) if asked is None else (asked, *found_all)

    async def _help(self, person: Customer) -> Filled | None:
        """Return the text that the law of a customer's country wants as the answer to their newest message."""
        rules = self.profile.policy.rules
        law = await asyncio.to_thread(beginning.law_of, person, rules)
        heard = await self.store.entry(person.heard.entry) if law.help_text and person.heard is not None else None
        if heard is None or not isinstance(heard[1], Received) or not laws.asks_help(law, heard[1].text):
            return None
        about = templates.Template(HELP, {"": law.help_text}, media=(heard[1].medium,), words=law.help_words)
        return templates.fill(about, "", lambda name: rules.values.get(name, ""))

    # -- files ---------------------------------------------------------------------------------------------

    async def attach_part(
        self,
        who: Agent,
        request: str,
        customer: CustomerId,
        name: str,
        type: str,
        size: int,
        offset: int,
        data: bytes,
    ) -> Attachment | None:
        self.need(who, "reply")
        key = (who.name, key_of(request))
        if not 0 <= size <= LARGEST_FILE:
            raise UsageError(
                f"{one_line(name, 80)} is larger than {LARGEST_FILE // 1_000_000} MB. Nothing was attached.",
                "Send a link instead.",
            )
        if len(data) > FILE_PART_BYTES or offset < 0 or offset + len(data) > size:
            raise UsageError("These parts do not make one file. Nothing was attached.", "Begin again at 0.")
        mono = self.clock.monotonic()
        self.let_go(mono)
        if offset == 0:
            self._files.pop(key, None)
            while len(self._files) >= UPLOADS:
                self._files.pop(next(iter(self._files)))
            self._files[key] = _Upload()
        upload = self._files.get(key)
        if upload is None or len(upload.held) < offset:
            raise TryLater(
                "The hub does not hold the parts before this one. Nothing was attached.", "Attach the file again."
            )
        upload.held[offset:] = data
        upload.at = mono
        if len(upload.held) < size:
            return None
        attachment = await self.keep_file(customer, name, type, bytes(upload.held))
        self._files.pop(key, None)
        return attachment

    def let_go(self, mono: float) -> None:
        """Forget the files of which no part came for long, at a moment of the monotonic clock."""
        for key in [key for key, upload in self._files.items() if mono - upload.at > FORGOTTEN]:
            del self._files[key]

    async def keep_file(self, customer: CustomerId, name: str, type: str, data: bytes) -> Attachment:
        """Keep a file with every record of a customer, because only the reply decides which of them it is with."""
        async with self.people:  # so that an erasure in between leaves no file behind
            person = await self.person(customer)
            blobs = [await self.store.put_blob(member, data) for member in person.members]
        return Attachment(one_line(name, 200) or "file", one_line(type, 100), len(data), blobs[-1])


def _subject(person: Customer, conversation: ConversationId) -> str:
    whole = person.joined.get(conversation, conversation)
    return next((c.subject for c in person.conversations if c.id == whole), "")


def _of_agent(name: str) -> dict[str, str]:
    return {"agent.name": one_line(name, 80)} if name else {}


def _of_person(person: Customer, subject: str) -> dict[str, str]:
    name = one_line(person.name, 80)
    # A given name stands first only where names are written in Latin letters.
    first = name.split(" ")[0] if name and name[0] < "ɐ" else name
    return {"customer.name": name, "customer.first_name": first, "conversation.subject": one_line(subject, 200)}


def _local(now: datetime, zone: str) -> datetime:
    return now.astimezone(ZoneInfo(zone))


def _values(
    fixed: Mapping[str, str],
    given: Mapping[str, str],
    known: tuple[Fact, ...],
    words: Words | None,
    now: datetime,
    local: datetime,
) -> Callable[[str], str]:
    @cache
    def value(variable: str) -> str:
        if given.get(variable):
            return given[variable]
        move = templates.moved(variable)
        if move is not None:
            name, by = move
            return _moment(name, now + by, local + by, words)
        if variable.startswith(templates.FACT):
            return one_line(templates.fact_of(variable, known), 200)
        return fixed.get(variable, "")

    return value


def _moment(name: str, at: datetime, local: datetime, words: Words | None) -> str:
    if name == "time":
        return words.clock(at) if words is not None else f"{local:%H:%M}"
    if words is None:
        return f"{local:%Y-%m-%d}"
    if name == "weekday":
        return (
            f"{'월화수목금토일'[words.local(at).weekday()]}요일" if words.language == "ko" else f"{words.local(at):%A}"
        )
    return words.short_day(at)
