"""What can happen to a file: every kind of damage, drawn by chance, as new bytes for what was there."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

Change = Callable[[bytes, random.Random], bytes]


def _flip(data: bytes, chance: random.Random, count: int = 1) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(count):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _zero_range(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) or 1)
    end = min(len(data), start + chance.choice((1, 16, 512, 4096)))
    return data[:start] + bytes(end - start) + data[end:]


def _swapped_halves(data: bytes, _chance: random.Random) -> bytes:
    half = len(data) // 2
    return data[half:] + data[:half]


BYTES: Final[dict[str, Change]] = {
    "one bit": _flip,
    "several bits": lambda data, chance: _flip(data, chance, chance.randint(2, 40)),
    "truncated": lambda data, chance: data[: chance.randrange(len(data) or 1)],
    "its end torn": lambda data, chance: data[: -chance.randint(1, 8)],
    "its beginning lost": lambda data, chance: data[chance.randint(1, 64) :],
    "zeroes": lambda data, _: bytes(len(data)),
    "zeroes in the middle": _zero_range,
    "empty": lambda _data, _chance: b"",
    "garbage": lambda data, chance: chance.randbytes(len(data)),
    "its halves swapped": _swapped_halves,
    "more after its end": lambda data, chance: data + chance.choice((data, b"\0" * 512, b"{}", b"x")),
    "foreign JSON": lambda _data, _chance: b'{"_default": {"1": {"a": 1}}}',
}
"""What disks, cables and strangers do."""


def _newer(data: bytes, _chance: random.Random) -> bytes:
    return re.sub(rb'"schema":1(?=,"gen")', b'"schema":2', data)


def _by_hand(data: bytes, chance: random.Random) -> bytes:
    words = list(re.finditer(rb'(?<="text":")[A-Za-z]', data))
    if not words:
        return data.replace(b'"at"', b'"when"', 1)
    place = chance.choice(words).start()
    return data[:place] + b"X" + data[place + 1 :]


def _doubled_key(data: bytes, _chance: random.Random) -> bytes:
    return data.replace(b'{"entries":{', b'{"entries":{},"entries":{', 1)


DOCUMENT: Final[dict[str, Change]] = {
    "a newer version": _newer,
    "edited by hand": _by_hand,
    "a key twice": _doubled_key,
    "written by another program": lambda data, _: json.dumps(json.loads(data)).encode(),
}
"""What people and other programs do to a document, in valid JSON."""

GONE: Final = "gone"
OLDER: Final = "the generation before in its place"
ANOTHER: Final = "another's in its place"


@dataclass
class Damage:
    """One file as it is after its damage; ``data`` is None where it is gone."""

    path: Path
    area: str
    kind: str
    data: bytes | None
    record: str = ""
    moment: str = ""
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.area} {self.path.name}: {self.kind}, {self.moment}"

    def strike(self) -> None:
        """Do it in place, as a disk does: same inode, no rename."""
        if self.data is None:
            self.path.unlink()
            return
        with open(self.path, "r+b") as file:
            file.truncate(0)
            file.write(self.data)

    def untouched(self) -> bool:
        """Say whether the file still is as the damage left it."""
        try:
            return self.path.read_bytes() == self.data
        except FileNotFoundError:
            return self.data is None


def draw(area: str, path: Path, others: list[Path], chance: random.Random) -> Damage:
    """Draw a damage for one file.

    Args:
        area: what the file is.
        others: files of its kind that may stand in its place.
    """
    before = path.read_bytes()
    kinds = list(BYTES)
    if area in ("head", "volume"):
        kinds += [*DOCUMENT, GONE, ANOTHER]
    if area == "head" and path.with_name(path.name + ".prev").exists():
        kinds += [OLDER, OLDER]
    if area == "blob":
        kinds += [GONE, ANOTHER]
    if area in ("batch", "cursor") and others:
        kinds.append(ANOTHER)
    for _ in range(50):
        kind = chance.choice(kinds)
        data = _drawn(kind, path, before, others, chance)
        if data != before:
            return Damage(path, area, kind, data)
    raise AssertionError(f"{path} cannot be damaged")


def _drawn(kind: str, path: Path, before: bytes, others: list[Path], chance: random.Random) -> bytes | None:
    if kind == GONE:
        return None
    if kind == OLDER:
        return path.with_name(path.name + ".prev").read_bytes()
    if kind == ANOTHER:
        return chance.choice(others).read_bytes() if others else before
    return {**BYTES, **DOCUMENT}[kind](before, chance)
