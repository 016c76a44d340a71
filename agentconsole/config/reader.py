"""Reading the file: profiles that extend others, and problems told with file, line, key and nearest key."""

from __future__ import annotations

import os
import re
import tomllib
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from agentconsole.config.convert import Problem, convert, nearest
from agentconsole.config.options import NOT_KEYS, AccountTable, FactPattern, NumberPattern, Profile, cutoff
from agentconsole.config.place import lines_of
from agentconsole.errors import ConfigError
from agentconsole.secret import SOURCES

ACCOUNT_KEYS = tuple(name for name in AccountTable.__struct_fields__ if name not in NOT_KEYS[AccountTable])
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_TOP = ("default_profile", "profiles")


@dataclass(frozen=True, slots=True)
class Config:
    """A read configuration.

    Args:
        path: the file; None where there is none and the commands only attach.
        text: its content, from which problems get their lines.
        lineage: for each profile the names of the profiles that it extends, nearest first.
    """

    path: Path | None
    default_profile: str
    profiles: dict[str, Profile]
    text: str = ""
    lineage: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def profile(self, name: str = "") -> Profile:
        """Return a profile; an empty name means the default.

        Raises:
            ConfigError: there is none of this name.
        """
        wanted = name or self.default_profile
        found = self.profiles.get(wanted)
        if found is not None:
            return found
        if self.path is None:
            return Profile(name=wanted or "default")
        near = nearest(wanted, list(self.profiles))
        raise ConfigError(
            f"{self.path}: there is no profile {wanted}." if wanted else f"{self.path}: no default_profile is set.",
            f"The nearest is {near}." if near else "Profiles: " + (", ".join(sorted(self.profiles)) or "none") + ".",
        )

    def failure(self, problems: Sequence[Problem]) -> ConfigError:
        """Return one error that tells all problems with their lines, sorted as in the file."""
        places = [_candidates(problem.path, self.lineage) for problem in problems]
        flat = lines_of(self.text, [place for group in places for place in group])
        told: dict[tuple[int, str], None] = {}
        position = 0
        for problem, group in zip(problems, places, strict=True):
            numbers = flat[position : position + len(group)]
            position += len(group)
            best = next((index for index, number in enumerate(numbers) if number), 0)
            full = (*group[best], *problem.path[len(group[best]) :])
            key = ".".join(_quoted(part) for part in full) or "the file"
            told.setdefault((numbers[best] if numbers else 0, f"{key}: {problem.message}."))
        lines = [f"{self.path}:{number}: {what}" for number, what in sorted(told)]
        count = "one mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
        return ConfigError(
            "\n".join([f"The configuration has {count}; nothing was started or changed.", *lines]),
            "config.example.toml describes every key; agentconsole config check tries again.",
        )


def empty() -> Config:
    """Return the configuration of somebody who has none and only attaches to a hub."""
    return Config(None, "", {})


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: naming every mistake with file, line, key and the nearest valid key.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise ConfigError(f"The configuration {path} cannot be read: {exc.strerror}.", "Check its rights.") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"The configuration {path} is not UTF-8 (byte {exc.start}).", "Save it as UTF-8.") from exc
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """Check a configuration's text. ``path`` names it in errors and is what relative paths start from."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _syntax(path, text, str(exc)) from exc
    problems = []
    for key in raw:
        if key not in _TOP:
            near = nearest(key, _TOP)
            problems.append(
                Problem((key,), f"unknown key ({'nearest: ' + near if near else 'known: ' + ', '.join(_TOP)})")
            )
    tables = raw.get("profiles", {})
    default = raw.get("default_profile", "")
    if not isinstance(default, str):
        problems.append(Problem(("default_profile",), 'must be text in "quotes"'))
        default = ""
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        problems.append(Problem(("profiles",), "must hold one table for each profile: [profiles.NAME]"))
        tables = {}
    lineage: dict[str, tuple[str, ...]] = {}
    for name in tables:
        ancestry, found = _ancestry(name, tables)
        lineage[name] = ancestry
        problems += found
    profiles: dict[str, Profile] = {}
    for name in tables:
        if not _NAME.fullmatch(name):
            problems.append(Problem(("profiles", name), "a profile's name has letters, digits, - and _ only"))
        merged: dict[str, Any] = {}
        for ancestor in (*reversed(lineage[name]), name):
            merged = _merge(merged, tables[ancestor])
        profile, found = _profile(name, merged, path)
        problems += found
        if profile is not None:
            profiles[name] = profile
    if default and default not in tables:
        near = nearest(default, list(tables))
        problems.append(
            Problem(("default_profile",), f"there is no profile {default}" + (f" (nearest: {near})" if near else ""))
        )
    if not default and len(tables) == 1:
        default = next(iter(tables))
    config = Config(path, default, profiles, text, lineage)
    if problems:
        raise config.failure(problems)
    return config


def _syntax(path: Path, text: str, message: str) -> ConfigError:
    place = re.search(r" \((?:at line (\d+), column (\d+)|at end of document)\)$", message)
    what = message[: place.start()] if place else message
    line = int(place[1]) if place and place[1] else max(len(text.splitlines()), 1)
    return ConfigError(
        f"The configuration is not valid TOML; nothing was started or changed.\n{path}:{line}: {what}.",
        "Texts stand in quotes, true and false do not, every [ has its ].",
    )


def _quoted(part: str) -> str:
    return part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'


def _candidates(path: tuple[str, ...], lineage: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return where a problem may stand: in the profile or in one it extends, else at the tables around it."""
    if path[:1] != ("profiles",) or len(path) < 2:
        return [path]
    owners = (path[1], *lineage.get(path[1], ()))
    return [("profiles", owner, *path[2:end]) for end in range(len(path), 1, -1) for owner in owners]


def _ancestry(name: str, tables: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[str, ...], list[Problem]]:
    chain: list[str] = []
    current = name
    while "extends" in tables[current]:
        base = tables[current]["extends"]
        place = ("profiles", current, "extends")
        if not isinstance(base, str) or base not in tables:
            near = nearest(str(base), list(tables))
            told = f"there is no profile {base}" + (f" (nearest: {near})" if near else "")
            return tuple(chain), [Problem(place, told)]
        if base == name or base in chain:
            return tuple(chain), [Problem(place, f"{' extends '.join([name, *chain, base])}, which is a circle")]
        chain.append(base)
        current = base
    return tuple(chain), []


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in SOURCES


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one table over another. A secret, and an account of another kind, is replaced as a whole."""
    result = dict(base)
    for key, value in over.items():
        if key == "extends":
            continue
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict) and not _is_reference(value):
            same_kind = value.get("kind", below.get("kind")) == below.get("kind")
            result[key] = _merge(below, value) if same_kind else value
        else:
            result[key] = value
    return result


def _profile(name: str, table: dict[str, Any], path: Path) -> tuple[Profile | None, list[Problem]]:
    place = ("profiles", name)
    problems = [
        Problem((*place, key), "unknown key (the header names the profile)") for key in ("name",) if key in table
    ]
    channels = table.get("channels", {})
    shaped = dict(table)
    if isinstance(channels, dict):
        shaped["channels"] = {key: _account(value) for key, value in channels.items()}
        problems += [
            Problem((*place, "channels", key), "an account's name has letters, digits, - and _ only (at most 40)")
            for key in channels
            if not _NAME.fullmatch(key)
        ]
    profile, found = convert(shaped, Profile, place)
    problems += found
    if profile is not None:
        problems += [
            Problem((*place, "channels", key, "since"), f"there is no date {account.since}")
            for key, account in profile.channels.items()
            if not _is_since(account.since)
        ]
        problems += _patterns(profile, place)
        problems += _templates(profile, place)
        problems += [
            Problem((*place, "laws", "holidays", country), "a country has two capital letters (ISO 3166), e.g. KR")
            for country in profile.laws.holidays
            if not re.fullmatch("[A-Z]{2}", country)
        ]
    store = table.get("store", "")
    if isinstance(store, str) and store and not re.fullmatch(r"tinydb:.+", store):
        problems.append(Problem((*place, "store"), 'must read "tinydb:FOLDER"'))
    zone = table.get("timezone", "")
    if isinstance(zone, str) and zone and not _is_zone(zone):
        near = nearest(zone, sorted(zoneinfo.available_timezones()))
        problems.append(
            Problem((*place, "timezone"), f"there is no time zone {zone}" + (f" (nearest: {near})" if near else ""))
        )
    if profile is None or problems:
        return None, problems
    regions = profile.choice.regions
    if regions:
        regions = os.path.normpath(path.parent.absolute() / Path(regions).expanduser())
    choice = msgspec.structs.replace(profile.choice, regions=regions)
    laws = profile.laws
    if laws.file:
        file = os.path.normpath(path.parent.absolute() / Path(laws.file).expanduser())
        laws = msgspec.structs.replace(laws, file=file)
    store = _absolute(profile.store, path)
    folder = profile.template_folder
    if folder:
        folder = os.path.normpath(path.parent.absolute() / Path(folder).expanduser())
    return msgspec.structs.replace(
        profile, name=name, store=store, choice=choice, laws=laws, template_folder=folder
    ), []


def _patterns(profile: Profile, place: tuple[str, ...]) -> list[Problem]:
    """Return what is wrong with the profile's regular expressions."""
    kinds: list[tuple[tuple[str, ...], Sequence[FactPattern | NumberPattern]]] = [
        (("facts",), profile.facts),
        (("guards", "numbers"), profile.guards.numbers),
    ]
    problems: list[Problem] = []
    for where, found in kinds if profile.facts or profile.guards.numbers else ():
        from agentconsole.domain import facts, patterns

        for number, one in enumerate(found):
            here = (*place, *where, str(number))
            if any(other.name == one.name for other in found[:number]):
                problems.append(Problem((*here, "name"), f"there are two of the name {one.name}"))
            if wrong := patterns.fault(one.pattern):
                problems.append(Problem((*here, "pattern"), wrong))
            if where == ("facts",) and one.name in facts.KINDS:
                problems.append(Problem((*here, "name"), f"{one.name} is known already; use another name"))
    return problems


def _templates(profile: Profile, place: tuple[str, ...]) -> list[Problem]:
    if not profile.templates:
        return []
    from agentconsole.config import templates

    return templates.problems(profile, place)


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_since(text: str) -> bool:
    try:
        cutoff(text, datetime.max.replace(tzinfo=UTC))
    except ValueError:
        return False
    return True


def _account(table: Any) -> Any:
    if not isinstance(table, dict):
        return table
    known = {key: value for key, value in table.items() if key in ACCOUNT_KEYS}
    return known | {"options": {key: value for key, value in table.items() if key not in ACCOUNT_KEYS}}


def _absolute(store: str, path: Path) -> str:
    kind, colon, place = store.partition(":")
    if not colon:
        return store
    return f"{kind}:{os.path.normpath(path.parent.absolute() / Path(place).expanduser())}"
