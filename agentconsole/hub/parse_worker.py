"""The process that understands what arrived, apart from the hub so that a hostile message costs only itself.

Reads frames of ``length (4 bytes, big endian) + msgpack [kind, RawItem]`` from standard input and answers each with
``length + msgpack [list of parsed, reason]``, after one empty frame once it is ready. Leaves when its input ends, that
is when the hub is gone.
"""

from __future__ import annotations

import contextlib
import resource
import struct
import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO

import msgspec

from agentconsole.channels import registry
from agentconsole.ports import Parsed, RawItem

MEMORY = 600 * 1024 * 1024
"""Bytes of address space: twice what a mail of the greatest accepted size takes."""

_HEADER = struct.Struct(">I")


class Found(msgspec.Struct, frozen=True):
    """What a raw item holds, or why nothing could be read from it."""

    parsed: tuple[Answer, ...] = ()
    reason: str = ""


class Answer(msgspec.Struct, frozen=True):
    """One parsed value with the name of its type, because a union of plain values needs one."""

    type: str
    value: msgspec.Raw


def understand(parse: Callable[[RawItem], Sequence[Parsed]], item: RawItem) -> Found:
    """Parse one item; whatever goes wrong becomes a reason."""
    try:
        parsed = parse(item)
        return Found(tuple(Answer(type(p).__name__, msgspec.Raw(msgspec.msgpack.encode(p))) for p in parsed))
    except MemoryError:
        return Found(reason="too_big")
    except RecursionError:
        return Found(reason="too_deep")
    except ValueError as exc:
        return Found(reason=str(exc)[:300] or "unreadable")
    except Exception as exc:
        return Found(reason=f"{type(exc).__name__}: {exc}"[:300])


TYPES: dict[str, type[Parsed]] = {t.__name__: t for t in Parsed.__args__}


def restore(found: Found) -> list[Parsed]:
    """Turn an answer of the worker back into values."""
    return [msgspec.msgpack.decode(answer.value, type=TYPES[answer.type]) for answer in found.parsed]


def read_frame(stream: BinaryIO) -> bytes | None:
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack(header)
    data = stream.read(length)
    return data if len(data) == length else None


def frame(data: bytes) -> bytes:
    return _HEADER.pack(len(data)) + data


def main() -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    sink.write(frame(b""))
    sink.flush()
    while (data := read_frame(source)) is not None:
        kind, item = msgspec.msgpack.decode(data, type=tuple[str, RawItem])
        sink.write(frame(msgspec.msgpack.encode(understand(registry.load(kind).parse, item))))
        sink.flush()


if __name__ == "__main__":
    main()
