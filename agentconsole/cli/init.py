"""``init``: from nothing to the first messages, by plain questions; every answer can also be given as an option."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentconsole import bootstrap
from agentconsole.cli import beginning, learning, operating
from agentconsole.cli.accountfile import Answers, keep_secrets, write_private, written
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command
from agentconsole.cli.questions import Talk, is_name, is_region, is_zone, one_of, typed
from agentconsole.cli.setup import probe
from agentconsole.errors import AgentConsoleError, ConfigError, UsageError

if TYPE_CHECKING:
    from agentconsole.config import Config
    from agentconsole.config.keys import Key


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


def run(context: Context) -> int:
    """Ask, test, write, fetch."""
    from agentconsole import config

    path = Path(context.option("config")).expanduser() if context.option("config") else None
    if path is None and context.world.environ.get("AGENTCONSOLE_CONFIG"):
        path = Path(context.world.environ["AGENTCONSOLE_CONFIG"]).expanduser()
    path = path or config.nearest_place(context.world.environ)
    _need_to_write(path)
    current = config.load(path) if path.exists() else None
    talk = Talk(context, silent=bool(context.args.yes))
    answers = _profile(context, talk, path, current)
    _account(context, talk, path, current, answers)
    text = written(path, answers)
    kept: list[Path] = []
    try:
        keep_secrets(answers, kept)
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
                talk.say("In the console: :init --set KEY=VALUE")
            if not check.ok and (talk.silent or not talk.yes("Keep it all the same?", default=False)):
                raise ConfigError(f"{answers.account} could not sign in: {check.message} Nothing was kept.", check.hint)
        write_private(path, text)
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
        code, name = asyncio.run(beginning.first_messages(fresh, fields, answers))
        if name:
            _learn(fresh, talk, path, answers, name)
            fields["authserv_id"] = name
    context.out.result(fields, f"The profile {answers.profile} is ready. Next: agentconsole")
    return code


def _need_to_write(path: Path) -> None:
    """Say before anything is asked that the answers could not be written."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise ConfigError(
            f"{path} cannot be changed from this login. Nothing was asked, nothing was written.",
            "Whoever runs the hub adds accounts there; or give a configuration of your own with --config.",
        )


def _profile(context: Context, talk: Talk, path: Path, current: Config | None) -> Answers:
    args = context.args
    name = context.option("profile") or (current.default_profile if current is not None else "")
    if not name:
        name = talk.ask("A name for the profile", "support", is_name)
    there = current.profiles.get(name) if current is not None else None
    if there is not None:
        talk.say(f"The profile {name} is there already; the account is added to it.")
        return Answers(name, there.language, there.timezone, there.region, there.store)
    guess = bootstrap.language(_no_profile(), context.world.environ)
    language = args.language or talk.ask("Language, en or ko", guess, one_of("en", "ko"))
    zone = args.timezone or talk.ask("Time zone", bootstrap.timezone(_no_profile()), is_zone)
    default = "KR" if zone == "Asia/Seoul" else ""
    region = args.region
    if region is None:
        region = (
            default if talk.silent else talk.ask("Country of phone numbers, two letters", default or "US", is_region)
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
    there = current.profiles.get(answers.profile) if current is not None else None
    taken = set(there.channels) if there is not None else set()
    if not args.kind and not talk.silent:
        talk.say("Channel kinds: " + ", ".join(installed))
    answers.kind = args.kind or talk.ask(
        "Kind of the first account" if not taken else "Kind of the account", "email", one_of(*installed)
    )
    kind = registry.load(answers.kind)
    suggested = {"email": "mail"}.get(answers.kind, answers.kind)

    def free(name: str) -> str:
        return is_name(name) or ("this profile has such an account" if name in taken else "")

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
        return typed(key, given)
    if key.optional and not key.choices:
        return None
    default = str(before.get(key.path[-1], "")) or (key.default or "").strip('"')
    described = f" ({key.description})" if key.description else ""
    if key.optional and talk.silent:
        return None
    choices = one_of(*key.choices) if key.choices else lambda _answer: ""
    return typed(key, talk.ask(f"{name}{described}", default, choices))


def _ask_secret(context: Context, talk: Talk, path: Path, answers: Answers, key: Key) -> dict[str, str]:
    name = ".".join(key.path)
    if talk.silent:
        raise UsageError(f"The secret {name} is missing. Nothing was written.", f"Give --secret {name}=env:NAME")
    talk.say(f"{name} ({key.description}) is a secret; the configuration only says where it lies.")
    way = talk.ask("  1 a private file that is written now, 2 an environment variable", "1", one_of("1", "2"))
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


def _pairs(words: list[str], option: str) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} {word} has no =. Nothing was written.", f"For example {option} KEY=VALUE")
        found[key] = value
    return found


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
    write_private(path, learning.remembered(path.read_text("utf-8"), answers.profile, answers.account, name))
    talk.say(f"Written: {path}")
    try:
        asyncio.run(operating.begin_again(context))
    except AgentConsoleError as error:
        talk.say(f"The running hub does not know it yet ({error.message}). Run: agentconsole restart")


COMMANDS = {"init": Command(run, _fill)}
