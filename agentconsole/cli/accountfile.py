"""The configuration that ``init`` writes: one account more, everything else as it stood, and its secrets' files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentconsole.errors import UsageError


@dataclass
class Answers:
    """What was answered so far."""

    profile: str
    language: str
    timezone: str
    region: str
    store: str
    account: str = ""
    kind: str = ""
    since: str = "30d"
    read_only: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    files: dict[Path, str] = field(default_factory=dict)
    """Secret files to write, with their content."""


def written(path: Path, answers: Answers) -> str:
    """Return the file with the new account; everything that stood there stays as it is, comments included."""
    import tomlkit

    fresh = not path.exists()
    document = tomlkit.parse("" if fresh else path.read_text(encoding="utf-8"))
    if fresh:
        document.add(tomlkit.comment("agentconsole; config.example.toml describes every key."))
        document.add("default_profile", tomlkit.item(answers.profile))
    elif "default_profile" not in document:
        document.add("default_profile", tomlkit.item(answers.profile))
    if "profiles" not in document:
        document.add("profiles", tomlkit.table(is_super_table=True))
    profiles: Any = document["profiles"]
    if answers.profile not in profiles:
        table = tomlkit.table()
        table.add("store", answers.store)
        table.add("language", answers.language)
        table.add("timezone", answers.timezone)
        if answers.region:
            table.add("region", answers.region)
        profiles.add(answers.profile, table)
    profile = profiles[answers.profile]
    if "channels" not in profile:
        profile.add("channels", tomlkit.table(is_super_table=True))
    account = tomlkit.table()
    account.add("kind", answers.kind)
    account.add("since", answers.since)
    if answers.read_only:
        account.add("read_only", True)
    for key, value in answers.options.items():
        account.add(key, _inline(value))
    profile["channels"].add(answers.account, account)
    return tomlkit.dumps(document)


def _inline(value: Any) -> Any:
    import tomlkit

    if not isinstance(value, dict):
        return value
    table = tomlkit.inline_table()
    for key, inner in value.items():
        table.add(key, _inline(inner))
    return table


def keep_secrets(answers: Answers, kept: list[Path]) -> None:
    """Write the secret files; ``kept`` tells which, also where a later one fails."""
    for target, content in answers.files.items():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as exc:
            raise UsageError(
                f"The secret file {target} is there already. Nothing was written.",
                "Remove it, or give the account another name.",
            ) from exc
        kept.append(target)
        with open(descriptor, "w", encoding="utf-8") as sink:
            sink.write(content + "\n")


def write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(beside, path)
