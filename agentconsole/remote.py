"""The Desk over the hub's socket.

Every call of the Desk can be repeated safely (reads change nothing, changes carry a request id), so a call whose
answer was lost with the line is made again on a new one, until its deadline. Where the hub is gone by then, a change
that was asked for is neither done nor not done: ``AnswerLost`` names its request id.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, cast

import msgspec

from agentconsole import __version__, wire
from agentconsole.desk import Agent, Desk
from agentconsole.errors import AgentConsoleError, AnswerLost, HubAbsent, Refused, UsageError

CALL_DEADLINE = 30.0
"""Seconds for a call that does not wait by itself."""


class _Line:
    """One connection: writes requests, hands answers to whoever waits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._next = 0
        self._waiting: dict[int, asyncio.Future[wire.Response]] = {}
        self._task = asyncio.create_task(self._read())

    @property
    def alive(self) -> bool:
        return not self._task.done()

    async def _read(self) -> None:
        try:
            while data := await self._reader.readline():
                response = wire.read_response(data)
                future = self._waiting.pop(response.id, None)
                if future is not None and not future.done():
                    future.set_result(response)
        except (OSError, ValueError, msgspec.MsgspecError):
            pass
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionResetError())
            self._waiting.clear()
            self._writer.close()

    async def call(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        if not self.alive:
            raise ConnectionResetError
        self._next += 1
        number = self._next
        data = wire.line(wire.Request(id=number, method=method, params=params))
        if len(data) > wire.MAX_LINE:
            raise UsageError("This is too long for one call (1 MiB). Nothing was sent.", "Shorten it.")
        future: asyncio.Future[wire.Response] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._writer.write(data)
            await self._writer.drain()
            response = await future
        finally:
            self._waiting.pop(number, None)
        if response.error is not None:
            wire.raise_fault(response.error)
        return response.result

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class RemoteDesk:
    """Implements ``Desk`` by calling the hub; its methods are made from the Desk's signatures.

    Args:
        path: the hub's socket.
        claim: the name of ``--as``, where the profile allows it.
        console: an agent sits at it; see ``Desk.away``.
    """

    def __init__(self, path: Path, claim: str = "", *, console: bool = False) -> None:
        self._path = path
        self._claim = claim
        self._console = console
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()
        self.who = Agent(name=cast("Any", claim))
        self.profile = ""
        self.hub_version = ""

    @classmethod
    async def connect(cls, path: Path, claim: str = "", deadline: float = 5.0, *, console: bool = False) -> RemoteDesk:
        """Attach to a hub.

        Raises:
            HubAbsent: none answers within ``deadline`` seconds.
            Refused: the hub does not let this login in.
        """
        desk = cls(path, claim, console=console)
        try:
            async with asyncio.timeout(deadline):
                await desk._attached()
        except PermissionError as exc:
            raise Refused(
                f"This account may not use the hub's socket {path}. Nothing was done.",
                "An operator can add it to the hub's group.",
            ) from exc
        except (OSError, TimeoutError) as exc:
            raise _absent(path) from exc
        return desk

    async def _attached(self) -> _Line:
        async with self._connecting:
            if self._line is not None and self._line.alive:
                return self._line
            reader, writer = await asyncio.open_unix_connection(str(self._path), limit=wire.MAX_LINE + 1)
            line = _Line(reader, writer)
            try:
                hello = wire.Hello(
                    protocol=wire.PROTOCOL, version=__version__, claim=self._claim, console=self._console
                )
                answer = await line.call("hello", msgspec.Raw(msgspec.json.encode(hello)))
            except BaseException:
                await line.aclose()
                raise
            welcome = msgspec.json.decode(answer, type=wire.Welcome)
            self.who, self.profile, self.hub_version = welcome.agent, welcome.profile, welcome.version
            self._line = line
            return line

    async def _call(self, method: wire.Method, arguments: tuple[object, ...]) -> Any:
        params = wire.encode_params(method, arguments)
        asked = False
        seconds = CALL_DEADLINE
        if method.waits:
            seconds += float(cast("float", arguments[method.parameters.index("seconds")]))
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        line = await self._attached()
                        asked = True
                        result = await line.call(method.name, params)
                        return msgspec.json.decode(result, type=method.result)
                    except (ConnectionRefusedError, FileNotFoundError):
                        raise
                    except ConnectionError:
                        await asyncio.sleep(0.05)
        except (OSError, TimeoutError) as exc:
            raise (_unanswered(self._path, method, arguments) if asked else _absent(self._path)) from exc

    async def aclose(self) -> None:
        if self._line is not None:
            await self._line.aclose()
            self._line = None


def _absent(path: Path) -> AgentConsoleError:
    return HubAbsent(
        f"No hub answers on {path}. Nothing was sent or changed by this call.",
        "Start one with: agentconsole serve",
    )


def _unanswered(path: Path, method: wire.Method, arguments: tuple[object, ...]) -> AgentConsoleError:
    if "request" not in method.parameters:
        return HubAbsent(f"The hub on {path} went away before it answered.", "Start one with: agentconsole serve")
    request = arguments[method.parameters.index("request")]
    return AnswerLost(
        f"The hub on {path} went away before it answered: it may have been done, or not. Nothing else was touched.",
        f"Repeat it with the same request id; then it is done once in any case: --key {request}",
    )


def _bind(name: str) -> Any:
    async def call(self: RemoteDesk, who: Agent, *arguments: object, **named: object) -> Any:
        method = wire.METHODS[name]
        rest = tuple(named[parameter] for parameter in method.parameters[len(arguments) :])
        return await self._call(method, (*arguments, *rest))

    call.__name__ = name
    return call


for _name in wire.METHODS:
    setattr(RemoteDesk, _name, _bind(_name))


def as_desk(desk: RemoteDesk) -> Desk:
    """Say to the type checker that the methods made above follow the Desk."""
    return cast("Desk", desk)
