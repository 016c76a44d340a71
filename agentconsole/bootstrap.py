"""Where the configuration meets concrete classes: accounts, the store, the hub, the way to it. Only here.

Imports are inside the functions: ``agentconsole inbox`` must not pay for the hub's libraries.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import stat
import sys
import tempfile
import zoneinfo
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from agentconsole.config import Config, Problem, Profile, convert, cutoff
from agentconsole.config.reader import ACCOUNT_KEYS
from agentconsole.errors import AgentConsoleError, ConfigError, HubAbsent, StoreFault
from agentconsole.seams import Clock, Randomness, steps_from_environment
from agentconsole.secret import Secret

if TYPE_CHECKING:
    from agentconsole.domain.beginning import Rules
    from agentconsole.domain.preference import Price
    from agentconsole.hub.hub import Hub
    from agentconsole.hub.profile import AccountSetup, HubProfile
    from agentconsole.ports import Channel, Store
    from agentconsole.remote import RemoteDesk

HUB_VARIABLE = "AGENTCONSOLE_HUB"
RUN_FOLDER = Path("/run/agentconsole")
LONGEST_SOCKET = 100
"""Bytes of a socket's path: Linux takes 107 (unix(7)), a margin is kept."""

ATTACH_DEADLINE = 5.0
START_DEADLINE = 30.0
"""Seconds that a hub may take to open its store: rebuilding a lost index of a large one is the slow case."""

START_PAUSE = 0.05


def language(profile: Profile, environ: Mapping[str, str]) -> str:
    """Return ``en`` or ``ko``: the profile's, else by LC_ALL, LC_MESSAGES or LANG."""
    if profile.language:
        return profile.language
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "ko" if locale.lower().startswith("ko") else "en"


def timezone(profile: Profile) -> str:
    """Return the profile's time zone, else the computer's, as a name of the tz database."""
    if profile.timezone:
        return profile.timezone
    try:
        target = os.path.realpath("/etc/localtime")
    except OSError:
        return "UTC"
    _, found, name = target.partition("/zoneinfo/")
    try:
        return zoneinfo.ZoneInfo(name).key if found else "UTC"
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return "UTC"


# -- accounts -----------------------------------------------------------------------------------------------


def accounts(config: Config, profile: Profile, now: datetime) -> list[AccountSetup]:
    """Return the configured accounts, each with options of its kind's type.

    Raises:
        ConfigError: naming every mistake with file, line, key and the nearest valid key.
    """
    from agentconsole.channels import registry
    from agentconsole.config import queueing
    from agentconsole.config.convert import nearest
    from agentconsole.domain.model import AccountName
    from agentconsole.hub.profile import AccountSetup
    from agentconsole.ports import VIEWS

    problems: list[Problem] = []
    found: list[AccountSetup] = []
    installed = registry.names()
    for name, table in profile.channels.items():
        place = ("profiles", profile.name, "channels", name)
        if table.kind not in installed:
            near = nearest(table.kind, installed)
            known = f"nearest: {near}" if near else "installed: " + ", ".join(installed)
            problems.append(Problem((*place, "kind"), f"there is no channel kind {table.kind} ({known})"))
            continue
        kind = registry.load(table.kind)
        options, mistakes = convert(table.options, kind.options, place, ACCOUNT_KEYS)
        problems += mistakes
        if options is not None:
            since = cutoff(table.since, now)
            price = _price(table.price_per_part)
            found.append(AccountSetup(AccountName(name), kind, options, table.read_only, since, price, table.hold))
    media = {setup.kind.medium for setup in found}
    if not problems:
        problems += [
            Problem(
                ("profiles", profile.name, "default_media"),
                f"no account is on the medium {medium} (there are: {', '.join(sorted(media)) or 'none'})",
            )
            for medium in profile.default_media
            if medium not in media
        ]
        problems += [
            Problem(
                ("profiles", profile.name, "fallback", "automatic"),
                f"no account is on the medium {medium} (there are: {', '.join(sorted(media)) or 'none'})",
            )
            for medium in profile.fallback.automatic
            if medium not in media
        ]
        problems += queueing.problems(profile, media, VIEWS)
    if problems:
        raise config.failure(problems)
    return found


def _price(text: str) -> Price | None:
    from agentconsole.domain.preference import Price

    currency, _, amount = text.partition(" ")
    return Price(currency, float(amount)) if amount else None


def secrets_of(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Secret]]:
    """Return the secrets of an account's options with the keys that they stand under."""
    if isinstance(value, Secret):
        yield path, value
    for name in getattr(value, "__struct_fields__", ()):
        yield from secrets_of(getattr(value, name), (*path, name))


def rules(profile: Profile) -> Rules:
    """Return what a profile asks of messages that it begins.

    Raises:
        ConfigError: its file of laws cannot be used.
    """
    from agentconsole.config import rules as said

    return said.of(profile, timezone(profile))


def hub_profile(profile: Profile, *, solo: bool, environ: Mapping[str, str]) -> HubProfile:
    """Return the profile as the hub needs it."""
    from agentconsole.config import facts, queueing, templates
    from agentconsole.domain.facts import Pattern
    from agentconsole.domain.fallback import Automatic
    from agentconsole.domain.guards import Settings
    from agentconsole.domain.model import AgentName, Medium
    from agentconsole.domain.preference import ORDER_OUTBOUND, ORDER_REPLY, Policy
    from agentconsole.hub.profile import HubProfile

    tongue = language(profile, environ)
    return HubProfile(
        name=profile.name,
        language=tongue,
        timezone=timezone(profile),
        region=profile.region,
        policy=Policy(
            order=tuple(profile.choice.order) or ORDER_REPLY,
            outbound=tuple(profile.choice.outbound) or ORDER_OUTBOUND,
            exchange_minutes=profile.exchange_minutes,
            defaults=tuple(Medium(medium) for medium in profile.default_media),
            shares=facts.regions(Path(profile.choice.regions) if profile.choice.regions else None),
            rules=rules(profile),
        ),
        fallback=Automatic(tuple(Medium(m) for m in profile.fallback.automatic), profile.fallback.minutes),
        targets=queueing.targets(profile, timezone(profile)),
        views=queueing.views(profile),
        reopen_days=profile.reopen_days,
        linger_seconds=profile.hub.linger_minutes * 60,
        solo=solo,
        agents={AgentName(name): frozenset(agent.rights) for name, agent in profile.agents.items()},
        claims=frozenset(profile.hub.as_names),
        listen_host=profile.http.host,
        listen_port=profile.http.port,
        public_url=profile.http.public_url.rstrip("/"),
        free_floor=profile.free_space_mb * 1_000_000,
        expire_hours=profile.expire_hours,
        hold=profile.hold,
        guards=Settings(
            on=tuple(profile.guards.on),
            minutes=profile.guards.minutes,
            own_names=tuple(profile.guards.own_names),
            numbers=tuple((one.name, one.pattern) for one in profile.guards.numbers),
        ),
        facts=tuple(
            Pattern(one.name, one.pattern, (one.ko if tongue == "ko" else one.en) or one.name.replace("_", " "))
            for one in profile.facts
        ),
        templates=templates.of(profile),
        agent_names={AgentName(login): name for login, name in profile.agent_names.items()},
    )


@asynccontextmanager
async def direct(setup: AccountSetup, clock: Clock, random: Randomness, public_url: str = "") -> AsyncIterator[Channel]:
    """Open one account without a hub, for a probe or a test message."""
    from concurrent.futures import ThreadPoolExecutor

    from agentconsole.channels.http import Client
    from agentconsole.ports import Tools

    with ThreadPoolExecutor(1, thread_name_prefix=f"account-{setup.name}") as worker:
        tools = Tools(
            log=logging.getLogger(f"agentconsole.direct.{setup.name}"),
            http=Client,
            clock=clock,
            random=random,
            worker=worker,
            since=setup.since,
            public_url=public_url,
        )
        channel = setup.kind.open(setup.name, setup.options, tools)
        try:
            yield channel
        finally:
            await channel.aclose()


# -- the hub ------------------------------------------------------------------------------------------------


def store_folder(profile: Profile) -> Path:
    """Return the folder of the embedded store.

    Raises:
        ConfigError: the profile has no store, so that it can only attach.
    """
    _, colon, folder = profile.store.partition(":")
    if not colon:
        raise ConfigError(
            f"The profile {profile.name or 'default'} has no store: it can only attach to a running hub.",
            'Set store = "tinydb:FOLDER", or run: agentconsole init',
        )
    return Path(folder)


@asynccontextmanager
async def open_store(profile: Profile, clock: Clock, random: Randomness) -> AsyncIterator[Store]:
    """Open the profile's store and hold its lock until the end.

    Raises:
        StoreBusy: another hub holds it.
    """
    from agentconsole.store.embedded import EmbeddedStore

    folder = store_folder(profile)
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreFault(
            f"The store {folder} cannot be made: {exc.strerror}. Nothing was started.", "Check the path and its rights."
        ) from exc
    store = EmbeddedStore(folder, clock=clock, random=random, steps=steps_from_environment())
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


def make_hub(
    config: Config,
    profile: Profile,
    store: Store,
    *,
    solo: bool,
    environ: Mapping[str, str],
    clock: Clock,
    random: Randomness,
    log: logging.Logger,
) -> Hub:
    """Put a hub together on an open store."""
    from agentconsole.hub.hub import Hub
    from agentconsole.hub.parser import WorkerParser

    found = accounts(config, profile, clock.now())
    if not solo and os.getppid() == 1 and environ.get("INVOCATION_ID"):
        _refuse_environment_secrets(config, profile, found)
    told = hub_profile(profile, solo=solo, environ=environ)
    return Hub(told, found, store, WorkerParser(log), clock, random, log)


def _refuse_environment_secrets(config: Config, profile: Profile, found: list[AccountSetup]) -> None:
    """Under systemd the environment of a unit can be read by every account (systemctl show)."""
    problems = [
        Problem(
            ("profiles", profile.name, "channels", setup.name, *path),
            "a service's environment can be read by every account; use { credential = … } or { file = … }",
        )
        for setup in found
        for path, secret in secrets_of(setup.options)
        if secret.describe().startswith("env ")
    ]
    if problems:
        raise config.failure(problems)


def solo_socket(folder: Path) -> Path:
    """Return the socket of a store's own hub.

    It lies in the store, or under a short hashed name in a 0700 folder of the temp directory where that path is too
    long for a socket.
    """
    path = folder / "run" / "hub.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"agentconsole-{os.geteuid()}" / f"{name}.sock"


def prepare_socket(path: Path) -> None:
    """Make the socket's folder where it is ours to make, and refuse one that others could put a socket into.

    Raises:
        StoreFault: the folder belongs to somebody else or is open to others.
    """
    if path.parent == RUN_FOLDER:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.name not in ("run", f"agentconsole-{os.geteuid()}"):
        return
    found = path.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StoreFault(
            f"The folder of the hub's socket, {path.parent}, is open to others or not ours. Nothing was started.",
            "Remove it, or set hub.socket.",
        )


def serving_socket(profile: Profile, *, solo: bool) -> Path:
    """Return where the profile's hub listens."""
    if profile.hub.socket:
        return Path(profile.hub.socket).expanduser()
    if not solo and os.access(RUN_FOLDER, os.W_OK):
        return RUN_FOLDER / f"{profile.name}.sock"
    return solo_socket(store_folder(profile))


# -- the way to a hub ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """Where a hub is looked for, and whether it may be started where none answers."""

    socket: Path
    may_start: bool
    why: str


def find_hub(profile: Profile, hub: str, environ: Mapping[str, str]) -> Way:
    """Return where the hub is: ``--hub``, $AGENTCONSOLE_HUB, the profile's, ``/run``, then the store's own.

    Raises:
        ConfigError: nothing says where.
    """
    if hub:
        return Way(Path(hub).expanduser(), may_start=False, why="--hub")
    if environ.get(HUB_VARIABLE):
        return Way(Path(environ[HUB_VARIABLE]).expanduser(), may_start=False, why=f"${HUB_VARIABLE}")
    ours = bool(profile.store) and not profile.hub.group
    if profile.hub.socket:
        return Way(Path(profile.hub.socket).expanduser(), may_start=ours, why="hub.socket")
    shared = RUN_FOLDER / f"{profile.name or 'default'}.sock"
    if shared.exists():
        return Way(shared, may_start=False, why=str(RUN_FOLDER))
    if not profile.store:
        raise ConfigError(
            "There is no configuration and no running hub. Nothing was done.",
            "Set up an account with: agentconsole init. Or look around first: agentconsole demo",
        )
    return Way(solo_socket(store_folder(profile)), may_start=ours, why="the store")


async def open_desk(
    config: Config,
    profile: Profile,
    *,
    hub: str = "",
    claim: str = "",
    start: bool,
    console: bool = False,
    environ: Mapping[str, str],
    clock: Clock,
    talk: Callable[[str], None] = lambda _text: None,
) -> RemoteDesk:
    """Attach to the profile's hub; in solo, start one where none runs.

    Args:
        start: whether a hub may be started.
        claim: the name of ``--as``.
        console: an agent sits at it.

    Raises:
        HubAbsent: none answers and none may be started.
    """
    from agentconsole.remote import RemoteDesk

    way = await asyncio.to_thread(find_hub, profile, hub, environ)
    if not await asyncio.to_thread(way.socket.exists):
        absent: HubAbsent | None = _absent(way)
    else:
        try:
            return await RemoteDesk.connect(way.socket, claim, deadline=ATTACH_DEADLINE, console=console)
        except HubAbsent as exc:
            absent = exc
    if absent is not None and not (start and way.may_start):
        raise absent
    log = store_folder(profile) / "hub.log"
    process, told = await asyncio.to_thread(_spawn, config, profile)
    talk("Starting a hub for this store; it stays a while after the last command.")
    end = clock.monotonic() + START_DEADLINE
    try:
        while clock.monotonic() < end:
            if await asyncio.to_thread(way.socket.exists):
                try:
                    return await RemoteDesk.connect(way.socket, claim, deadline=ATTACH_DEADLINE, console=console)
                except HubAbsent:
                    pass
            # Another hub that won the race holds the store (exit 4): it will answer soon.
            code = process.poll()
            if code not in (None, 0, 4):
                raise await asyncio.to_thread(_failed, code, told, log)
            await clock.sleep(START_PAUSE)
        raise HubAbsent(
            f"The hub did not answer within {START_DEADLINE:.0f} s. Nothing was sent or changed.", f"See {log}"
        )
    finally:
        told.close()
        if process.poll() is None:
            # It outlives us on purpose; without this, Popen warns of a child left behind.
            process.returncode = 0


def _absent(way: Way) -> HubAbsent:
    return HubAbsent(
        f"No hub runs at {way.socket} (from {way.why}). Nothing was sent or changed.",
        "Start one with: agentconsole serve",
    )


def _spawn(config: Config, profile: Profile) -> tuple[Any, IO[bytes]]:
    """Start a solo hub in a session of its own and return it with what it says until its store is open.

    That goes to a file without a name: nothing may lie in the store's folder before the store is made, and a pipe
    that nobody reads any more would block the hub.
    """
    import subprocess

    words = [sys.executable, "-P", "-m", "agentconsole"]
    if config.path is not None:
        words += ["--config", str(config.path.absolute())]
    words += ["--profile", profile.name, "serve", "--solo"]
    told = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True, cwd="/"
    )
    return process, told


def _failed(code: int, told: IO[bytes], log: Path) -> AgentConsoleError:
    told.seek(0)
    text = told.read(8192).decode("utf-8", "replace").strip()
    kind = ConfigError if code == 2 else AgentConsoleError
    return kind(text or f"The hub ended with code {code}. Nothing was sent or changed.", f"Its log: {log}")
