"""``config``, ``channels``, ``doctor``: what is set up, and whether it works."""

from __future__ import annotations

import argparse
import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agentconsole import bootstrap
from agentconsole.cli import consoling, terminal
from agentconsole.cli.context import Context
from agentconsole.cli.output import Fields
from agentconsole.cli.parser import Command
from agentconsole.config.keys import Key, keys, to_toml
from agentconsole.errors import (
    AgentConsoleError,
    ConfigError,
    NotFound,
    OutcomeUncertain,
    OutcomeUnknown,
    Refused,
    UsageError,
)
from agentconsole.secret import Secret

if TYPE_CHECKING:
    from agentconsole.config import Config
    from agentconsole.hub.profile import AccountSetup
    from agentconsole.ports import ChannelKind

PROBE_DEADLINE = 40.0
"""Seconds for one account, a little more than the hub's own deadline."""

SEND_DEADLINE = 60.0


# -- config -------------------------------------------------------------------------------------------------


def needed(context: Context) -> Config:
    """Return the configuration.

    Raises:
        ConfigError: there is none.
    """
    if context.config.path is None:
        raise ConfigError("There is no configuration.", "Make one with: agentconsole init")
    return context.config


def config_check(context: Context) -> int:
    """Validate the file, the options of every account of every profile included."""
    config = needed(context)
    now = context.world.clock.now()
    problems: list[str] = []
    profiles: list[Fields] = []
    warnings: list[str] = []
    for name, profile in config.profiles.items():
        try:
            found = bootstrap.accounts(config, profile, now)
            bootstrap.rules(profile)
            warnings += consoling.keymap(config, profile)[1]
        except ConfigError as exc:
            problems += [line for line in exc.message.split("\n")[1:] if line not in problems] or [exc.message]
            continue
        profiles.append({"name": name, "accounts": [{"name": s.name, "kind": s.kind.name} for s in found]})
    if problems:
        told = "one mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise ConfigError("\n".join([f"The configuration has {told}.", *problems]), "config.example.toml helps.")
    count = sum(len(p["accounts"]) for p in profiles if isinstance(p["accounts"], list))
    context.out.result(
        {
            "path": str(config.path),
            "default_profile": config.default_profile,
            "profiles": profiles,
            "warnings": warnings,
        },
        *warnings,
        f"{config.path} is right: {_counted(len(profiles), 'profile')}, {_counted(count, 'account')}.",
    )
    return 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def config_show(context: Context) -> int:
    """Print the profile as it works, defaults filled in; of secrets only where they lie."""
    config, profile = needed(context), context.profile
    fields: dict[str, Any] = msgspec.to_builtins(profile)
    fields.pop("name")
    for setup in bootstrap.accounts(config, profile, context.world.clock.now()):
        table = fields["channels"][setup.name]
        table.pop("options")
        table |= msgspec.to_builtins(setup.options, enc_hook=_hidden)
    out = context.out
    if out.json:
        out.object({"path": str(config.path), "profile": profile.name, "settings": fields})
        return 0
    out.line(f"# {config.path}")
    for line in _toml(fields, f"profiles.{profile.name}"):
        out.line(line)
    return 0


def _hidden(value: object) -> object:
    if isinstance(value, Secret):
        source, _, where = value.describe().partition(" ")
        return {source: where}
    raise NotImplementedError


def _toml(table: dict[str, Any], name: str) -> Iterator[str]:
    yield f"[{name}]"
    tables = {}
    for key, value in table.items():
        if isinstance(value, dict) and not (len(value) == 1 and not isinstance(next(iter(value.values())), dict)):
            tables[key] = value
        elif value is not None:
            yield f"{key} = {to_toml(value)}"
    for key, value in tables.items():
        if value:
            yield ""
            yield from _toml(value, f"{name}.{key}")


# -- channels -----------------------------------------------------------------------------------------------


def _key_fields(key: Key) -> Fields:
    return {
        "key": ".".join(key.path),
        "type": key.type,
        "required": not key.optional,
        "default": key.default,
        "description": key.description,
        "secret": key.secret,
    }


def channels(context: Context) -> int:
    """List the installed kinds with their medium, what they were tested against, and their keys."""
    from agentconsole.channels import registry

    wanted, out = context.args.kind, context.out
    kinds: list[ChannelKind[Any]] = []
    broken: list[Fields] = []
    for name in [wanted] if wanted else registry.names():
        try:
            kinds.append(registry.load(name))
        except ConfigError as exc:
            if wanted:
                raise
            broken.append({"name": name, "error": exc.message})
    if out.json:
        out.object({"channels": [_kind_fields(kind) for kind in kinds] + broken})
        return 0
    for kind in kinds:
        trial = ", experimental" if kind.verified_by == "documents only" else ""
        out.line(f"{kind.name}: {kind.title}, medium {kind.medium}, tested against: {kind.verified_by}{trial}")
        for key in keys(kind.options) if wanted else ():
            rest = "required" if not key.optional else f"default {key.default}"
            out.line(f"  {'.'.join(key.path)} ({key.type}; {rest}): {key.description}")
    for fields in broken:
        out.line(f"{fields['name']}: {fields['error']}")
    if not wanted:
        out.talk("The keys of one kind: agentconsole channels KIND")
    return 0


def _kind_fields(kind: ChannelKind[Any]) -> Fields:
    return {
        "name": kind.name,
        "title": kind.title,
        "medium": kind.medium,
        "verified_by": kind.verified_by,
        "experimental": kind.verified_by == "documents only",
        "webhook": kind.webhook is not None,
        "keys": [_key_fields(key) for key in keys(kind.options)],
    }


def _fill_channels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", nargs="?", default="", help="show the keys of this kind")


# -- doctor -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    what: str
    ok: bool
    message: str
    hint: str = ""
    advice: bool = False
    """Something would be better; nothing fails for it."""

    @property
    def failed(self) -> bool:
        return not self.ok and not self.advice


def _fill_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--send-test",
        nargs=2,
        metavar=("ACCOUNT", "ADDRESS"),
        help="send one test message from ACCOUNT to ADDRESS, past the queue",
    )


async def doctor(context: Context) -> int:
    """Try everything and tell each result; 1 where something does not work."""
    if context.args.send_test:
        return await _send_test(context, *context.args.send_test)
    out = context.out
    done: list[Check] = []
    async with aclosing(_checks(context)) as checks:
        async for check in checks:
            done.append(check)
            if not out.json:
                word = "ok" if check.ok else "ADVICE" if check.advice else "FAILED"
                out.line(f"{word}: {check.what}: {check.message}")
                if check.hint and not check.ok:
                    out.line(f"  {check.hint}")
    failed = sum(check.failed for check in done)
    if out.json:
        out.object(
            {
                "checks": [
                    {"check": c.what, "ok": c.ok, "message": c.message, "hint": c.hint or None, "advice": c.advice}
                    for c in done
                ],
                "failed": failed,
            }
        )
    else:
        out.line("Everything works." if not failed else f"{failed} of {len(done)} checks failed.")
    return 1 if failed else 0


async def _checks(context: Context) -> AsyncGenerator[Check, None]:
    config, profile = context.config, context.profile
    found: list[AccountSetup] = []
    if config.path is not None:
        yield await asyncio.to_thread(_private, "configuration", config.path, 0o022, "changed")
    if profile.store:
        try:
            found = await asyncio.to_thread(bootstrap.accounts, config, profile, context.world.clock.now())
            yield Check("accounts", True, f"{len(found)} configured, every key is known")
        except ConfigError as exc:
            yield Check("accounts", False, exc.message, exc.hint)
        for setup in found:
            for path, secret in bootstrap.secrets_of(setup.options):
                yield await asyncio.to_thread(_secret, f"secret {setup.name}.{'.'.join(path)}", secret)
        folder = bootstrap.store_folder(profile)
        if await asyncio.to_thread(folder.exists):
            yield await asyncio.to_thread(_private, "store", folder, 0o077, "read")
            yield await asyncio.to_thread(_space, folder, profile.free_space_mb)
    if context.world.stdout.isatty():
        async with aclosing(terminal.look(profile, context.world.environ)) as told:
            async for advice in told:
                yield Check(advice.what, advice.ok, advice.message, advice.hint, advice=True)
    try:
        async with context.desk() as (desk, who):
            status = await desk.status(who)
            yield Check("hub", True, f"process {status.pid} answers, version {status.version}")
            for account in status.accounts:
                try:
                    async with asyncio.timeout(PROBE_DEADLINE):
                        yield Check(f"account {account.name}", True, await desk.probe(who, account.name))
                except AgentConsoleError as exc:
                    yield Check(f"account {account.name}", False, exc.message, exc.hint)
                except TimeoutError:
                    yield Check(f"account {account.name}", False, f"no answer within {PROBE_DEADLINE:.0f} s")
            return
    except AgentConsoleError as exc:
        yield Check("hub", False, exc.message, exc.hint)
    for setup in found:
        yield await probe(context, setup)


UNCHECKED = " Nobody tells genuine senders from forged ones here: set authserv_id."


async def probe(context: Context, setup: AccountSetup) -> Check:
    """Sign in to one account without a hub."""
    what = f"account {setup.name}"
    world = context.world
    try:
        async with asyncio.timeout(PROBE_DEADLINE), bootstrap.direct(setup, world.clock, world.random) as channel:
            return Check(what, True, await channel.probe() + (UNCHECKED if setup.unchecked else ""))
    except AgentConsoleError as exc:
        return Check(what, False, exc.message, exc.hint)
    except TimeoutError:
        return Check(what, False, f"no answer within {PROBE_DEADLINE:.0f} s", "Check host and port.")


def _secret(what: str, secret: Secret) -> Check:
    try:
        secret.reveal()
    except (ConfigError, OSError, UnicodeDecodeError) as exc:
        if isinstance(exc, ConfigError):
            return Check(what, False, exc.message, exc.hint)
        return Check(what, False, f"{secret.describe()} cannot be read ({type(exc).__name__})")
    return Check(what, True, f"found ({secret.describe()})")


def _private(what: str, path: Path, forbidden: int, act: str) -> Check:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as exc:
        return Check(f"rights of the {what}", False, f"{path}: {exc.strerror}")
    if mode & forbidden:
        hint = f"Run: chmod go-{'w' if forbidden == 0o022 else 'rwx'} {path}"
        return Check(f"rights of the {what}", False, f"{path} can be {act} by others (mode {mode:o})", hint)
    return Check(f"rights of the {what}", True, f"{path} (mode {mode:o})")


def _space(folder: Path, floor_mb: int) -> Check:
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize // 1_000_000
    ok = free >= floor_mb
    hint = f"Free {floor_mb - free} MB or more; nothing is fetched meanwhile." if not ok else ""
    return Check("disk", ok, f"{free} MB free, {floor_mb} MB must stay free", hint)


async def _send_test(context: Context, account: str, written: str) -> int:
    from agentconsole.domain import addresses
    from agentconsole.domain.model import EntryId
    from agentconsole.ports import Outgoing

    world, profile = context.world, context.profile
    found = await asyncio.to_thread(bootstrap.accounts, needed(context), profile, world.clock.now())
    setup = next((one for one in found if one.name == account), None)
    if setup is None:
        raise NotFound(f"There is no account {account}. Nothing was sent.", f"Configured: {_names(found)}")
    if setup.read_only:
        raise Refused(f"{account} is read only. Nothing was sent.", "Set read_only = false to go live.")
    address = addresses.parse(written, profile.region)
    if address is None or address.kind != setup.kind.capabilities.address_kind:
        raise UsageError(
            f"{written} is no address that {account} can reach. Nothing was sent.",
            f"It takes: {setup.kind.capabilities.address_kind}",
        )
    token = world.random.token()
    domain = setup.own_address.rpartition("@")[2]
    outgoing = Outgoing(
        reply=EntryId(f"test-{token}"),
        key=f"test-{token}@{domain}" if address.kind == "email" and domain else f"test-{token}",
        attempt=1,
        address=address,
        text="This is a test message of agentconsole. It needs no answer.",
        place=address.value,
        subject="Test message" if setup.kind.capabilities.subject else "",
    )

    async def commit() -> None:
        """Nothing is kept: a test message has no entry that a crash could leave open."""

    context.out.talk(f"Sending one test message from {account} to {written}, past the queue and the customers.")
    try:
        async with (
            asyncio.timeout(SEND_DEADLINE),
            bootstrap.direct(setup, world.clock, world.random, profile.http.public_url) as channel,
        ):
            report = await channel.send(outgoing, commit)
    except OutcomeUnknown as exc:
        raise OutcomeUncertain(exc.message, exc.hint) from exc
    except TimeoutError:
        raise OutcomeUncertain(
            f"{account} did not answer within {SEND_DEADLINE:.0f} s; the test message may have left.", "Look for it."
        ) from None
    context.out.result(
        {"account": account, "address": address.value, "state": report.state, "external_id": report.external_id},
        f"{report.state}: the test message went from {account} to {address.value}. {report.detail}".rstrip(),
    )
    return 0


def _names(found: list[AccountSetup]) -> str:
    return ", ".join(setup.name for setup in found) or "none"


COMMANDS = {
    "config": Command(
        None,
        actions={
            "check": ("say what is wrong with the file, all at once", Command(config_check)),
            "show": ("print the profile as it works, secrets hidden", Command(config_show)),
        },
    ),
    "channels": Command(channels, _fill_channels),
    "doctor": Command(doctor, _fill_doctor),
}
