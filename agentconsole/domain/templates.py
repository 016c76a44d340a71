"""Texts that are written once and sent often: which variables they may hold, and what stands in their place.

The syntax is one thing only: ``{name}``, of a date also with a distance (``{date+2d}``). Nothing is evaluated, a value
is put in as it is and never looked at again, so that nothing a customer wrote can be a template. A variable without a
value stays where it is, for people and guards to see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from agentconsole.domain import facts
from agentconsole.domain.model import Fact, Medium, Value

LONGEST: Final = 4_000
"""Characters of one text of a template."""

MOST: Final = 200
"""Templates of a profile."""

ALL_TOGETHER: Final = 200_000
"""Bytes of all texts of a profile's templates: they cross the wire in one answer."""

KNOWN: Final = (
    "customer.name",
    "customer.first_name",
    "agent.name",
    "conversation.subject",
    "date",
    "weekday",
    "time",
)
FACT: Final = "fact."
_FACTS: Final = {
    "order": facts.ORDER_NUMBER,
    "id": facts.ID_NUMBER,
    "date": facts.DATE,
    "phone": facts.PHONE,
    "email": facts.EMAIL,
}
_MOVES: Final = ("date", "weekday", "time")

_VARIABLE: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]{0,60}(?:[+-]\d{1,3}[mhdw])?)\}")
_BRACES: Final = re.compile(r"[{}]")
_DISTANCE: Final = re.compile(r"(?P<sign>[+-])(?P<number>\d+)(?P<unit>[mhdw])$")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Template(Value, frozen=True):
    """A text that agents pick, in one language or several.

    Args:
        texts: by language (ISO 639-1).
        subjects: the same for media that have one.
        media: the media that it is written for; none: any.
        purpose: what its message is about (``Compose.purpose``).
        words: short words by which it is found, beside its name.
    """

    name: str
    texts: dict[str, str]
    subjects: dict[str, str] = {}
    media: tuple[Medium, ...] = ()
    purpose: str = ""
    words: tuple[str, ...] = ()


class Filled(Value, frozen=True):
    """A template for one customer: its text in their language, and the variables that nothing was put in for."""

    name: str
    language: str
    text: str
    subject: str = ""
    unfilled: tuple[str, ...] = ()
    media: tuple[Medium, ...] = ()
    purpose: str = ""
    words: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def language_of(template: Template, wanted: Sequence[str]) -> str:
    """Return the first wanted language that a template is written in, else the one that it names first."""
    return next((one for one in wanted if one in template.texts), next(iter(template.texts), ""))


def fill(template: Template, language: str, value: Callable[[str], str]) -> Filled:
    """Return a template with what is known put in.

    Args:
        value: returns what stands for a variable, or nothing where that is not known.
    """
    unfilled: dict[str, None] = {}

    def put(match: re.Match[str]) -> str:
        found = value(match[1])
        if not found:
            unfilled[match[1]] = None
        return found or match[0]

    return Filled(
        name=template.name,
        language=language,
        text=_VARIABLE.sub(put, template.texts.get(language, "")),
        subject=_VARIABLE.sub(put, template.subjects.get(language, "")),
        unfilled=tuple(unfilled),
        media=template.media,
        purpose=template.purpose,
        words=template.words,
        languages=tuple(template.texts),
    )


def moved(variable: str) -> tuple[str, timedelta] | None:
    """Return the bare name of a variable that may stand at a distance, and that distance; None for any other."""
    match = _DISTANCE.search(variable)
    name = variable[: match.start()] if match is not None else variable
    if name not in _MOVES:
        return None
    if match is None:
        return name, timedelta()
    by = timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
    return name, by if match["sign"] == "+" else -by


def fact_of(variable: str, known: Sequence[Fact]) -> str:
    """Return what the customer told of the kind that a variable names; of an ID number its end only."""
    kind = variable.removeprefix(FACT)
    kind = _FACTS.get(kind, kind)
    found = next((fact for fact in known if fact.kind == kind), None)
    return facts.covered(found).value if found is not None else ""


def faults(template: Template, own_facts: Sequence[str] = ()) -> list[tuple[tuple[str, str], str]]:
    """Return what is wrong with a template: the place (``text`` or ``subject``, language) and a sentence's end.

    Args:
        own_facts: the kinds of facts that the profile made up.
    """
    found = []
    if not template.texts:
        found.append((("text", ""), "a template needs a text"))
    for what, texts in (("text", template.texts), ("subject", template.subjects)):
        for language, text in texts.items():
            found += [((what, language), fault) for fault in _text_faults(text, what, own_facts)]
            if what == "subject" and language not in template.texts:
                found.append(((what, language), f"there is no text in {language}"))
    return found


def _text_faults(text: str, what: str, own_facts: Sequence[str]) -> list[str]:
    if not text.strip():
        return [f"an empty {what}"]
    if len(text) > LONGEST:
        return [f"longer than {LONGEST} characters"]
    if what == "subject" and "\n" in text:
        return ["a subject has one line"]
    found = [fault for match in _VARIABLE.finditer(text) if (fault := _variable_fault(match[1], own_facts))]
    stray = _BRACES.search(_VARIABLE.sub("", text))
    if stray is not None:
        found.append(f"a brace that belongs to no variable ({stray[0]}); variables read {{customer.name}}")
    return found


def _variable_fault(variable: str, own_facts: Sequence[str]) -> str:
    if moved(variable) is not None or variable in KNOWN:
        return ""
    if _DISTANCE.search(variable):
        return f"{{{variable}}}: only {', '.join(_MOVES)} take a distance"
    if variable.startswith(FACT):
        kinds = {*_FACTS, *facts.KINDS, *own_facts}
        if variable.removeprefix(FACT) in kinds:
            return ""
        return f"there is no {{{variable}}}; facts: {', '.join(sorted(kinds))}"
    return f"there is no {{{variable}}}; known: {', '.join(KNOWN)}, fact.KIND" if "." in variable else ""


def matching(filled: Sequence[Filled], words: str, titles: Mapping[str, str] | None = None) -> list[Filled]:
    """Return the templates that typed words pick, best first: by shortcut, then by name, then by what they say."""
    wanted = words.casefold().split()

    def rank(one: Filled) -> int:
        shortcuts = [word.casefold() for word in one.words]
        name = f"{one.name} {(titles or {}).get(one.name, '')}".casefold()
        if wanted and " ".join(wanted) in shortcuts:
            return 0
        if all(word in name or any(short.startswith(word) for short in shortcuts) for word in wanted):
            return 1
        return 2 if all(word in f"{name} {one.subject} {one.text}".casefold() for word in wanted) else 3

    ranked = [(rank(one), number, one) for number, one in enumerate(filled)]
    return [one for place, _, one in sorted(ranked, key=lambda found: found[:2]) if place < 3]
