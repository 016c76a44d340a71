"""A profile's templates: those that ship with the program, those of its folder, those in its own tables."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.config.convert import Problem
from agentconsole.config.options import Profile, TemplateTable
from agentconsole.domain import templates
from agentconsole.domain.model import Medium
from agentconsole.domain.templates import Template
from agentconsole.errors import ConfigError

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FILE: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]{0,39})\.(?P<language>[a-z]{2})\.txt")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")
_SUBJECT: Final = re.compile(r"subject:[ \t]*(?P<subject>[^\n]*)\n\s*\n", re.IGNORECASE)
_LARGEST_FILE: Final = 4 * templates.LONGEST + 1_000


class _Shipped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    templates: dict[str, TemplateTable]


def of(profile: Profile) -> tuple[Template, ...]:
    """Return a profile's templates by name; its own tables count before its folder, and that before what ships.

    Raises:
        ConfigError: the folder cannot be read, or a file there is no template.
    """
    found: dict[str, Template] = {}
    if profile.starter_templates:
        source = (resources.files("agentconsole") / "data" / "templates.toml").read_text("utf-8")
        shipped = msgspec.convert(tomllib.loads(source), _Shipped)
        found = {name: _template(name, table) for name, table in shipped.templates.items()}
    if profile.template_folder:
        found |= _folder(Path(profile.template_folder), tuple(one.name for one in profile.facts))
    found |= {name: _template(name, table) for name, table in profile.templates.items()}
    _small_enough(found.values())
    return tuple(found[name] for name in sorted(found))


def problems(profile: Profile, place: tuple[str, ...]) -> list[Problem]:
    """Return what is wrong with the tables of a profile's templates."""
    found = []
    own = tuple(one.name for one in profile.facts)
    for name, table in profile.templates.items():
        here = (*place, "templates", name)
        if not _NAME.fullmatch(name):
            found.append(Problem(here, "a template's name has small letters, digits and _ only"))
        for what, texts in (("text", table.text), ("subject", table.subject)):
            found += [
                Problem((*here, what, language), "a language has two small letters (ISO 639-1), e.g. ko")
                for language in texts
                if not _LANGUAGE.fullmatch(language)
            ]
        for (what, language), fault in templates.faults(_template(name, table), own):
            found.append(Problem((*here, what, language) if language else (*here, what), fault))
    return found


def _template(name: str, table: TemplateTable) -> Template:
    return Template(
        name=name,
        texts=_stripped(table.text),
        subjects=_stripped(table.subject),
        media=tuple(Medium(medium) for medium in table.media),
        purpose=table.purpose,
        words=tuple(table.words),
    )


def _stripped(texts: Mapping[str, str]) -> dict[str, str]:
    return {language: text.strip() for language, text in texts.items()}


def _folder(folder: Path, own_facts: tuple[str, ...]) -> dict[str, Template]:
    texts: dict[str, dict[str, str]] = {}
    subjects: dict[str, dict[str, str]] = {}
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".txt" and path.is_file())
        if len(files) > templates.MOST * 4:
            raise ConfigError(f"{folder} holds more than {templates.MOST * 4} files.", "Take some out.")
        for path in files:
            named = _FILE.fullmatch(path.name)
            if named is None:
                raise ConfigError(
                    f"{path} is no template: its name must read NAME.LANGUAGE.txt, e.g. delay.ko.txt.",
                    "Rename it, or take it out of the folder.",
                )
            if path.stat().st_size > _LARGEST_FILE:
                raise ConfigError(f"{path} is too long for a template ({templates.LONGEST} characters).", "Shorten it.")
            text = path.read_text("utf-8-sig").replace("\r\n", "\n")
            match = _SUBJECT.match(text)
            if match is not None:
                subjects.setdefault(named["name"], {})[named["language"]] = match["subject"].strip()
                text = text[match.end() :]
            texts.setdefault(named["name"], {})[named["language"]] = text.strip()
    except OSError as exc:
        raise ConfigError(
            f"The folder of templates {folder} cannot be read: {exc.strerror}.", "Check template_folder and its rights."
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"A template in {folder} is not UTF-8 (byte {exc.start}).", "Save it as UTF-8.") from exc
    found = {name: Template(name, texts[name], subjects.get(name, {})) for name in texts}
    for name, template in found.items():
        for (what, language), fault in templates.faults(template, own_facts):
            raise ConfigError(
                f"{folder / f'{name}.{language}.txt'}: {what}: {fault}.", "Correct it; agentconsole template check"
            )
    return found


def _small_enough(found: Iterable[Template]) -> None:
    found = list(found)
    size = sum(len(text.encode()) for one in found for text in (*one.texts.values(), *one.subjects.values()))
    if len(found) > templates.MOST or size > templates.ALL_TOGETHER:
        raise ConfigError(
            f"There are too many templates: at most {templates.MOST}, of {templates.ALL_TOGETHER // 1000} kB in all.",
            "Take out those that nobody uses.",
        )
