"""The hub's Unix socket: who is calling, what they may do, and their calls, a bounded number at a time."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import logging
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from agentconsole import __version__, wire
from agentconsole.desk import Agent, Desk
from agentconsole.domain.model import AgentName
from agentconsole.errors import AgentConsoleError, ConfigError, Refused, TryLater, UsageError
from agentconsole.hub.profile import ALL_RIGHTS, HubProfile

MAX_CONNECTIONS = 128
MAX_CALLS = 32
"""Calls that one connection may have under way; further ones wait unread in its socket."""

HELLO_DEADLINE = 10.0
WRITE_DEADLINE = 30.0
"""Seconds that a client may take to read an answer before its line is cut; it attaches again and resyncs."""

_PEER = struct.Struct("3i")


class Server:
    """Lends a Desk to the processes that attach.

    Args:
        busy: told how many clients are attached whenever that changes.
        attended: told that a console of an agent attached (true) or went.
    """

    def __init__(
        self,
        desk: Desk,
        profile: HubProfile,
        log: logging.Logger,
        busy: Callable[[int], None],
        attended: Callable[[Agent, bool], Awaitable[None]],
    ) -> None:
        self._desk = desk
        self._profile = profile
        self._log = log
        self._busy = busy
        self._attended = attended
        self._clients: dict[asyncio.Task[None], AgentName | None] = {}
        self._server: asyncio.Server | None = None
        self._closing = False

    async def start(self, path: Path, group: str = "") -> None:
        """Listen on ``path``. Call only while holding ``hub.lock``: a socket that lies there is stale.

        Args:
            group: the Unix group whose members may attach; empty for the hub's own account only.
        """
        await asyncio.to_thread(_clear, path)
        previous = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._accept, str(path), limit=wire.MAX_LINE + 1)
        finally:
            os.umask(previous)
        await asyncio.to_thread(_protect, path, group)

    async def aclose(self) -> None:
        # A line that was taken a moment ago has a task that has not begun: it would outlive the store.
        self._closing = True
        if self._server is not None:
            self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    @property
    def agents(self) -> tuple[AgentName, ...]:
        """Who is attached, each once."""
        return tuple(sorted({name for name in self._clients.values() if name is not None}))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._closing or len(self._clients) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._clients[task] = None
        self._busy(len(self._clients))
        try:
            await self._client(reader, writer, task)
        except (OSError, ValueError, asyncio.CancelledError, TimeoutError, UsageError):
            pass
        except Exception as exc:
            self._log.error("a client's line ended in %s", type(exc).__name__, exc_info=exc)
        finally:
            self._clients.pop(task, None)
            self._busy(len(self._clients))
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def _client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> None:
        connection = _Connection(writer)
        async with asyncio.timeout(HELLO_DEADLINE):
            greeted = await self._greet(reader, connection, writer.get_extra_info("socket"))
        if greeted is None:
            return
        who, console = greeted
        self._clients[task] = who.name
        places = asyncio.Semaphore(MAX_CALLS)
        calls: set[asyncio.Task[None]] = set()

        def ended(call: asyncio.Task[None]) -> None:
            calls.discard(call)
            places.release()

        if console:
            await self._attended(who, True)
        try:
            while data := await reader.readline():
                request = wire.read_request(data)
                await places.acquire()
                call = asyncio.create_task(self._call(who, request, connection))
                calls.add(call)
                call.add_done_callback(ended)
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            if console:
                await self._attended(who, False)

    async def _greet(
        self, reader: asyncio.StreamReader, connection: _Connection, sock: socket.socket
    ) -> tuple[Agent, bool] | None:
        """Return who is there and whether at a console; None where they were turned away."""
        request = wire.read_request(await reader.readline())
        try:
            hello = msgspec.json.decode(request.params, type=wire.Hello)
            if request.method != "hello":
                raise UsageError("The first call must be hello.")
            if hello.protocol != wire.PROTOCOL:
                raise UsageError(
                    f"This agentconsole ({hello.version}) and the hub ({__version__}) speak different versions.",
                    "Restart the hub: agentconsole restart",
                )
            who = await asyncio.to_thread(identify, sock, hello.claim, self._profile)
        except msgspec.MsgspecError as exc:
            await connection.answer(request.id, UsageError(f"hello was wrong: {exc}."))
            return None
        except AgentConsoleError as exc:
            await connection.answer(request.id, exc)
            return None
        await connection.answer(
            request.id,
            wire.Welcome(protocol=wire.PROTOCOL, version=__version__, profile=self._profile.name, agent=who),
        )
        return who, hello.console

    async def _call(self, who: Agent, request: wire.Request, connection: _Connection) -> None:
        try:
            method = wire.METHODS.get(request.method)
            if method is None:
                raise UsageError(f"The hub knows no call {request.method!r}.")
            arguments = wire.decode_params(method, request.params)
            result = await getattr(self._desk, method.name)(who, *arguments)
        except AgentConsoleError as exc:
            await connection.answer(request.id, exc)
        except asyncio.CancelledError:
            raise
        except OSError as exc:
            # Outside the store's own words for it: no more open files, say, where a time zone is read.
            self._log.error("%s: %s", request.method, exc.strerror)
            later = TryLater(
                f"The hub's computer refuses: {exc.strerror}. What was asked may not have been done.",
                "Try again: the same request changes nothing twice.",
            )
            await connection.answer(request.id, later)
        except Exception as exc:
            self._log.error("%s ended in %s", request.method, type(exc).__name__, exc_info=exc)
            failure = AgentConsoleError(
                f"The hub failed in an unexpected way ({type(exc).__name__}).", "See hub.log; the hub goes on."
            )
            await connection.answer(request.id, failure)
        else:
            await connection.answer(request.id, result)


class _Connection:
    """Writes answers one after the other; a client that does not read loses its line and nobody else's time."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._turn = asyncio.Lock()

    async def answer(self, number: int, result: object) -> None:
        if isinstance(result, AgentConsoleError):
            response = wire.Response(id=number, error=wire.fault(result))
        else:
            response = wire.Response(id=number, result=msgspec.Raw(msgspec.json.encode(result)))
        data = wire.line(response)
        if len(data) > wire.MAX_LINE:
            too_long = UsageError("The answer is longer than one line may be (1 MiB).", "Ask for less at a time.")
            data = wire.line(wire.Response(id=number, error=wire.fault(too_long)))
        async with self._turn:
            self._writer.write(data)
            async with asyncio.timeout(WRITE_DEADLINE):
                await self._writer.drain()


def identify(sock: socket.socket, claim: str, profile: HubProfile) -> Agent:
    """Return who is at the other end, as the kernel knows it.

    Args:
        claim: the name of ``--as``; honoured only for names that the profile lists.

    Raises:
        Refused: the name may not be claimed, or the profile does not list the agent.
    """
    _pid, uid, _gid = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        login = f"uid{uid}"
    name, proven = AgentName(login), True
    if claim and claim != login:
        if claim not in profile.claims:
            raise Refused(
                f"{login} may not act as {claim}. Nothing was done.",
                "An operator can list the name under hub.as_names.",
            )
        name, proven = AgentName(claim), False
    rights = ALL_RIGHTS if not profile.agents else profile.agents.get(name)
    if rights is None:
        if uid != os.geteuid():
            raise Refused(f"{name} is not an agent of this profile. Nothing was done.", "An operator can add agents.")
        rights = ALL_RIGHTS
    return Agent(name=name, rights=rights, proven=proven)


def _clear(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _protect(path: Path, group: str) -> None:
    if not group:
        path.chmod(0o600)
        return
    try:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    except (KeyError, PermissionError) as exc:
        raise ConfigError(f"The hub's socket cannot be given to the group {group}.", "Check hub.group.") from exc
    path.chmod(0o660)
