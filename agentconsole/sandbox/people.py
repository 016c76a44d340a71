"""The people of the sandbox: who they are, what was written with them before, what they write now and answer.

Their texts lie in ``people/LANGUAGE.json``. Times are relative to "now", so that the world is always fresh.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

LANGUAGES: Final = ("en", "ko", "pt", "ja")
MEDIA: Final = ("email", "sms", "whatsapp", "telegram")
SEED: Final = 20260312
JITTER_MINUTES: Final = 40
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True)
class Line:
    """One message of a person's history. ``ours``: the desk wrote it."""

    ago: timedelta
    ours: bool
    medium: str
    subject: str
    text: str


@dataclass(frozen=True)
class Word:
    """An opt-out or a wish that the person once stated on a medium."""

    ago: timedelta
    medium: str
    words: str


@dataclass(frozen=True)
class Person:
    """One person with addresses by medium.

    Args:
        strangers: media whose address is not known to be this person's: what arrives there looks like somebody else.
        now: what the person writes when the sandbox opens.
        answers: words of a reply (any of them) and what the person then answers; ``answer`` is for all others.
        later: medium and text of what the person writes while that medium's server is cut.
    """

    name: str
    language: str
    place: str
    addresses: Mapping[str, str]
    strangers: frozenset[str]
    opted_out: tuple[Word, ...]
    prefers: Word | None
    history: tuple[Line, ...]
    now: tuple[Line, ...]
    answers: tuple[tuple[tuple[str, ...], str], ...]
    answer: str
    later: tuple[str, str] | None

    def reply_to(self, text: str) -> str:
        """Return what the person answers to a reply of ours."""
        lower = text.lower()
        return next((said for words, said in self.answers if any(word in lower for word in words)), self.answer)


def ago(text: str) -> timedelta:
    """Read ``41d 3h``, ``9m``."""
    parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([dhm])", text)}
    return timedelta(**parts)


def everybody(seed: int = SEED) -> tuple[Person, ...]:
    """Return all people, always the same for a seed. Reads files of the package: call it off the event loop."""
    folder = files("agentconsole.sandbox") / "people"
    found: list[Person] = []
    for language in LANGUAGES:
        found += (_person(row, seed) for row in json.loads((folder / f"{language}.json").read_text(encoding="utf-8")))
    return tuple(found)


def _person(row: Mapping[str, Any], seed: int) -> Person:
    chance = random.Random(f"{seed} {row['name']}")
    shift = timedelta(minutes=chance.randrange(JITTER_MINUTES))
    prefers = row.get("prefers")
    later = row.get("later")
    return Person(
        name=row["name"],
        language=row["language"],
        place=row["place"],
        addresses={medium: row[medium] for medium in MEDIA if medium in row},
        strangers=frozenset(row.get("strangers", ())),
        opted_out=tuple(Word(ago(when) + shift, medium, words) for when, medium, words in row.get("opted_out", ())),
        prefers=Word(ago(prefers[0]) + shift, prefers[1], "") if prefers else None,
        history=_lines(row.get("history", ()), shift),
        now=_lines(row.get("now", ()), timedelta()),
        answers=tuple((tuple(words), said) for words, said in row.get("answers", ())),
        answer=row["answer"],
        later=(later[0], later[1]) if later else None,
    )


def _lines(rows: Sequence[Sequence[str]], shift: timedelta) -> tuple[Line, ...]:
    return tuple(
        Line(ago(when) + shift, side == "out", medium, subject, text) for when, side, medium, subject, text in rows
    )
