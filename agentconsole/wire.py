"""The hub's socket protocol, derived from the signatures of ``desk.Desk``.

JSON-RPC 2.0, one JSON object a line, a line at most ``MAX_LINE`` bytes. The first call is ``hello``, which tells the
version and says who is calling; every further method is a method of the Desk without its ``who``, which the hub
fills in itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_type_hints

import msgspec

from agentconsole import errors
from agentconsole.desk import Agent, Desk

PROTOCOL: Final = 1
"""Raised when a method's meaning or parameters change so that older clients would go wrong."""

MAX_LINE: Final = 1 << 20
"""Bytes of one line, either way."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says first. ``claim`` is the name of ``--as``, where a login is shared; ``console`` says that an
    agent sits at it."""

    protocol: int
    version: str
    claim: str = ""
    console: bool = False


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    protocol: int
    version: str
    profile: str
    agent: Agent


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """An error on the wire. ``data`` holds the code and the hint of ``errors``."""

    code: int
    message: str
    data: dict[str, str] = {}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    method: str
    params: msgspec.Raw = msgspec.Raw(b"{}")
    jsonrpc: str = "2.0"


class Response(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: int
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None
    jsonrpc: str = "2.0"


class Method(msgspec.Struct, frozen=True):
    """One call of the Desk: its parameters in order, and how to read them and the answer."""

    name: str
    parameters: tuple[str, ...]
    params: type[msgspec.Struct]
    result: Any
    waits: bool


class _Methods(Mapping[str, Method]):
    """All methods by name, each made when it is first asked for: a console calls two before its first screen."""

    def __init__(self) -> None:
        self._functions = {n: f for n, f in inspect.getmembers(Desk, inspect.isfunction) if not n.startswith("_")}
        self._made: dict[str, Method] = {}

    def __getitem__(self, name: str) -> Method:
        if name not in self._made:
            self._made[name] = _method(name, self._functions[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)


def _method(name: str, function: Any) -> Method:
    hints = get_type_hints(function)
    parameters = tuple(p for p in inspect.signature(function).parameters if p not in ("self", "who"))
    params = msgspec.defstruct(
        f"{name}_params", [(p, hints[p]) for p in parameters], frozen=True, forbid_unknown_fields=True
    )
    return Method(name, parameters, params, hints["return"], "seconds" in parameters)


METHODS: Final = _Methods()

_request = msgspec.json.Decoder(Request)
_response = msgspec.json.Decoder(Response)
_encoder = msgspec.json.Encoder()


def line(value: msgspec.Struct) -> bytes:
    """Encode one message with its line end."""
    return _encoder.encode(value) + b"\n"


def read_request(data: bytes) -> Request:
    """Decode a request line.

    Raises:
        UsageError: it is no request.
    """
    try:
        return _request.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise errors.UsageError(f"The hub was sent something that is no request: {exc}.") from exc


def read_response(data: bytes) -> Response:
    return _response.decode(data)


def encode_params(method: Method, arguments: tuple[object, ...]) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(dict(zip(method.parameters, arguments, strict=True))))


def decode_params(method: Method, params: msgspec.Raw) -> list[Any]:
    """Decode and check a method's parameters.

    Raises:
        UsageError: they do not fit the signature.
    """
    try:
        found = msgspec.json.decode(params, type=method.params)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise errors.UsageError(f"{method.name} was called with wrong parameters: {exc}.") from exc
    return [getattr(found, name) for name in method.parameters]


def fault(exc: errors.AgentConsoleError) -> Fault:
    return Fault(code=-32000 - exc.exit_code, message=exc.message, data={"code": exc.code, "hint": exc.hint})


def raise_fault(found: Fault) -> None:
    """Raise the error that a fault stands for."""
    raise errors.from_code(found.data.get("code", ""), found.message, found.data.get("hint", ""))
