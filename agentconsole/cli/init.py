"""``init``: from nothing to the first messages, by plain questions; every answer can also be given as an option."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentconsole import bootstrap
from agentconsole.cli import learning
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command
from agentconsole.cli.setup import probe
from agentconsole.errors import AgentConsoleError, ConfigError, UsageError
from agentconsole.text.sanitise import one_line

if TYPE_CHECKING:
    from agentconsole.config import Config
    from agentconsole.config.keys import Key

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
SHOWN = 5
"""First messages that are shown at the end."""


def _fill(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--yes", action="store_true", help="ask nothing: what no option gives takes its default")
    add("--language", choices=("en", "ko"), help="language of screens and sentences")
    add("--timezone", metavar="ZONE", help="time zone, e.g. Asia/Seoul")
    add("--region", metavar="CC", help="country of phone numbers without country code, e.g. KR")
    add("--store", metavar="FOLDER", help="where the customers are kept")
    add("--kind", metavar="KIND", help="channel kind of the account (agentconsole channels lists them)")
    add("--account", metavar="NAME", help="a name for the account")
    add("--set", metavar="KEY=VALUE", action="append", default=[], help="a key of the account, e.g. imap.host=…")
    add(
        "--secret",
        metavar="KEY=SOURCE:WHERE",
        action="append",
        default=[],
        help="where a secret lies: env:NAME, file:PATH, credential:NAME",
    )
    add("--since", metavar="AGE", help="older messages are history: 30d, 2w, 2026-01-31, all")
    add("--read-only", action="store_true", help="a trial: reads, never sends")
    add("--no-test", action="store_true", help="do not try the account")
    add("--no-sync", action="store_true", help="do not fetch the first messages")


class Talk:
    """Questions on stderr, answers from stdin.

    Args:
        silent: ask nothing and take the defaults.
    """

    def __init__(self, context: Context, *, silent: bool) -> None:
        self._context = context
        self.silent = silent

    def say(self, text: str) -> None:
        self._context.out.talk(text)

    def ask(self, question: str, default: str = "", check: Callable[[str], str] = lambda _answer: "") -> str:
        """Ask until the answer is right.

        Args:
            check: returns what is wrong with an answer, or an empty text.

        Raises:
            UsageError: no default and nobody to ask, or the answers ended.
        """
        if self.silent:
            wrong = "an answer is missing" if not default else check(default)
            if wrong:
                raise UsageError(f"{question}: {wrong}. Nothing was written.", "Give it as an option; see --help.")
            return default
        while True:
            answer = self._read(f"{question}{f' [{default}]' if default else ''}: ") or default
            wrong = "an answer is needed" if not answer else check(answer)
            if not wrong:
                return answer
            self.say(f"  {wrong}.")

    def yes(self, question: str, *, default: bool) -> bool:
        if self.silent:
            return default
        answer = self._read(f"{question} [{'Y/n' if default else 'y/N'}]: ").lower()
        return default if not answer else answer.startswith(("y", "ㅛ", "네", "예"))

    def hidden(self, question: str) -> str:
        """Ask for a secret; on a terminal it is not shown."""
        if self._context.world.stdin.isatty():
            return getpass.getpass(f"{question}: ", stream=self._context.world.stderr)
        return self._read(f"{question}: ")

    def _read(self, prompt: str) -> str:
        stderr = self._context.world.stderr
        stderr.write(prompt)
        stderr.flush()
        line = self._context.world.stdin.readline()
        if not line:
            raise UsageError("The answers ended before the set-up was done. Nothing was written.", "Try again.")
        return line.strip()


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


def run(context: Context) -> int:
    """Ask, test, write, fetch."""
    from agentconsole import config

    path = Path(context.option("config")).expanduser() if context.option("config") else None
    if path is None and context.world.environ.get("AGENTCONSOLE_CONFIG"):
        path = Path(context.world.environ["AGENTCONSOLE_CONFIG"]).expanduser()
    path = path or config.nearest_place(context.world.environ)
    current = config.load(path) if path.exists() else None
    talk = Talk(context, silent=bool(context.args.yes))
    answers = _profile(context, talk, path, current)
    _account(context, talk, path, current, answers)
    text = _written(path, answers)
    kept: list[Path] = []
    try:
        _keep_secrets(answers, kept)
        made = config.parse(text, path)
        setup = next(
            one
            for one in bootstrap.accounts(made, made.profile(answers.profile), context.world.clock.now())
            if one.name == answers.account
        )
        if not context.args.no_test:
            talk.say(f"Trying {answers.account} …")
            check = asyncio.run(probe(context, setup))
            talk.say(f"{'It works' if check.ok else 'It does not work'}: {check.message} {check.hint}".rstrip())
            if not check.ok and not talk.silent:
                talk.say(f"Keys that were not asked for: agentconsole channels {answers.kind}; give them with --set.")
            if not check.ok and (talk.silent or not talk.yes("Keep it all the same?", default=False)):
                raise ConfigError(f"{answers.account} could not sign in: {check.message} Nothing was kept.", check.hint)
        _write_private(path, text)
    except BaseException:
        for target in kept:
            target.unlink(missing_ok=True)
        raise
    fields: dict[str, object] = {"path": str(path), "profile": answers.profile, "account": answers.account}
    talk.say(f"Written: {path}")
    code = 0
    if not context.args.no_sync:
        context.args.config, context.args.profile = str(path), answers.profile
        fresh = Context(context.args, context.world)
        fresh.prepare()
        code, name = asyncio.run(_first_messages(fresh, fields, answers))
        if name:
            _learn(fresh, talk, path, answers, name)
            fields["authserv_id"] = name
    context.out.result(fields, f"The profile {answers.profile} is ready. Next: agentconsole")
    return code


def _profile(context: Context, talk: Talk, path: Path, current: Config | None) -> Answers:
    args = context.args
    name = context.option("profile") or (current.default_profile if current is not None else "")
    if not name:
        name = talk.ask("A name for the profile", "support", _is_name)
    there = current.profiles.get(name) if current is not None else None
    if there is not None:
        talk.say(f"The profile {name} is there already; the account is added to it.")
        return Answers(name, there.language, there.timezone, there.region, there.store)
    guess = bootstrap.language(_no_profile(), context.world.environ)
    language = args.language or talk.ask("Language, en or ko", guess, _one_of("en", "ko"))
    zone = args.timezone or talk.ask("Time zone", bootstrap.timezone(_no_profile()), _is_zone)
    default = "KR" if zone == "Asia/Seoul" else ""
    region = args.region
    if region is None:
        region = (
            default if talk.silent else talk.ask("Country of phone numbers, two letters", default or "US", _is_region)
        )
    home = context.world.environ.get("XDG_DATA_HOME") or "~/.local/share"
    store = args.store or talk.ask("Folder for the customers", f"{home}/agentconsole/{name}")
    return Answers(name, language, zone, region, f"tinydb:{store}")


def _no_profile() -> Any:
    from agentconsole.config import Profile

    return Profile()


def _account(context: Context, talk: Talk, path: Path, current: Config | None, answers: Answers) -> None:
    from agentconsole.channels import registry
    from agentconsole.config.keys import keys

    args = context.args
    installed = registry.names()
    if not args.kind and not talk.silent:
        talk.say("Channel kinds: " + ", ".join(installed))
    answers.kind = args.kind or talk.ask("Kind of the first account", "email", _one_of(*installed))
    kind = registry.load(answers.kind)
    there = current.profiles.get(answers.profile) if current is not None else None
    taken = set(there.channels) if there is not None else set()
    suggested = {"email": "mail"}.get(answers.kind, answers.kind)

    def free(name: str) -> str:
        return _is_name(name) or ("this profile has such an account" if name in taken else "")

    answers.account = args.account or talk.ask("A name for the account", suggested, free)
    if wrong := free(answers.account):
        raise UsageError(f"{answers.account}: {wrong}. Nothing was written.", "Give another --account.")
    given = _pairs(args.set, "--set")
    secrets = _pairs(args.secret, "--secret")
    known = {".".join(key.path): key for key in keys(kind.options)}
    for name in (*given, *secrets):
        if name not in known:
            from agentconsole.config.convert import nearest

            near = nearest(name, list(known))
            raise UsageError(
                f"{answers.kind} has no key {name}. Nothing was written.",
                f"The nearest is {near}." if near else "Keys: " + ", ".join(known),
            )
    before: dict[str, Any] = {}
    for name, key in known.items():
        value = _value(context, talk, path, answers, key, given.get(name), secrets.get(name), before)
        if value is None:
            continue
        table = answers.options
        for part in key.path[:-1]:
            table = table.setdefault(part, {})
        table[key.path[-1]] = value
        before[key.path[-1]] = value
    answers.read_only = bool(args.read_only)
    answers.since = args.since or talk.ask("Messages older than this are history (30d, 2w, a date, all)", "30d")


def _value(
    context: Context,
    talk: Talk,
    path: Path,
    answers: Answers,
    key: Key,
    given: str | None,
    secret: str | None,
    before: Mapping[str, Any],
) -> Any:
    name = ".".join(key.path)
    if key.secret:
        if secret is not None:
            source, colon, where = secret.partition(":")
            if not colon:
                raise UsageError(f"--secret {name}={secret} names no source.", "For example env:MAIL_PASSWORD.")
            return {source: where}
        if key.optional and not talk.yes(f"Give {name}? ({key.description})", default=False):
            return None
        if key.path[-1] in before and talk.yes(f"{name}: the same as before?", default=True):
            return before[key.path[-1]]
        return _ask_secret(context, talk, path, answers, key)
    if given is not None:
        return _typed(key, given)
    if key.optional and not key.choices:
        return None
    default = str(before.get(key.path[-1], "")) or (key.default or "").strip('"')
    described = f" ({key.description})" if key.description else ""
    if key.optional and talk.silent:
        return None
    choices = _one_of(*key.choices) if key.choices else lambda _answer: ""
    return _typed(key, talk.ask(f"{name}{described}", default, choices))


def _ask_secret(context: Context, talk: Talk, path: Path, answers: Answers, key: Key) -> dict[str, str]:
    name = ".".join(key.path)
    if talk.silent:
        raise UsageError(f"The secret {name} is missing. Nothing was written.", f"Give --secret {name}=env:NAME")
    talk.say(f"{name} ({key.description}) is a secret; the configuration only says where it lies.")
    way = talk.ask("  1 a private file that is written now, 2 an environment variable", "1", _one_of("1", "2"))
    if way == "2":
        return {"env": talk.ask("  Name of the variable", _variable(answers.account, key))}
    content = talk.hidden("  The secret (it is not shown)")
    if not content:
        raise UsageError(f"The secret {name} is empty. Nothing was written.", "Try again.")
    target = path.parent.absolute() / "secrets" / f"{answers.profile}-{answers.account}-{'-'.join(key.path)}"
    answers.files[target] = content
    return {"file": str(target)}


def _variable(account: str, key: Key) -> str:
    return re.sub(r"\W", "_", f"{account}_{'_'.join(key.path)}").upper()


def _typed(key: Key, text: str) -> Any:
    """Read an answer as the key's type; a wrong one is told by the check of the whole configuration."""
    if key.type == "whole number" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if key.type == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if key.type == "true or false" and text in ("true", "false"):
        return text == "true"
    if key.type.startswith("list of"):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _pairs(words: list[str], option: str) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} {word} has no =. Nothing was written.", f"For example {option} KEY=VALUE")
        found[key] = value
    return found


# -- checks of answers --------------------------------------------------------------------------------------


def _is_name(text: str) -> str:
    return "" if NAME.fullmatch(text) else "letters, digits, - and _ only"


def _one_of(*choices: str) -> Callable[[str], str]:
    return lambda text: "" if text in choices else "one of " + ", ".join(choices)


def _is_zone(text: str) -> str:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return "there is no such time zone; for example Asia/Seoul"
    return ""


def _is_region(text: str) -> str:
    return "" if re.fullmatch(r"[A-Z]{2}", text) else "two capital letters, e.g. KR"


# -- writing ------------------------------------------------------------------------------------------------


def _written(path: Path, answers: Answers) -> str:
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


def _keep_secrets(answers: Answers, kept: list[Path]) -> None:
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


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(beside, path)


def _learn(context: Context, talk: Talk, path: Path, answers: Answers, name: str) -> None:
    """Propose the name that the mails agree on. Who cannot be asked is told how to set it."""
    question, told = learning.proposal(path, name)
    try:
        agreed = not talk.silent and talk.yes(question, default=True)
    except UsageError:
        agreed = False
    if not agreed:
        talk.say(told)
        return
    _write_private(path, learning.remembered(path.read_text("utf-8"), answers.profile, answers.account, name))
    talk.say(f"Written: {path}")

    async def restart() -> None:
        async with context.desk() as (desk, who):
            await desk.stop(who, False, True)

    try:
        asyncio.run(restart())
    except AgentConsoleError as error:
        talk.say(f"The running hub does not know it yet ({error.message}). Run: agentconsole restart")


async def _first_messages(context: Context, fields: dict[str, object], answers: Answers) -> tuple[int, str]:
    """Fetch with progress, show the first messages, and return what the mails tell about their server. A failure is
    told; what was written stays."""
    from agentconsole.domain.model import AccountName

    talk, account, name = context.out.talk, answers.account, ""
    talk(f"Fetching from {account} …")
    async with context.desk() as (desk, who):
        results = await desk.sync(who, AccountName(account), 120.0)
        page = await desk.queue(who, "all", 0, SHOWN)
        if answers.kind == learning.KIND and not answers.options.get(learning.KEY):
            name = await learning.server_name(desk, who, AccountName(account))
    result = results[0]
    fields["received"] = result.received
    talk(f"{result.received} new messages." + (f" {result.error} {result.hint}".rstrip() if result.error else ""))
    for row in page.lines:
        talk(f"  {one_line(row.name or row.customer)}: {one_line(row.subject or row.preview, 70)}")
    if page.total > len(page.lines):
        talk(f"  and {page.total - len(page.lines)} more")
    return (1 if result.error else 0), name


COMMANDS = {"init": Command(run, _fill)}
