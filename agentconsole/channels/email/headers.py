"""Header blocks of hostile mail: cut, unfold, parameters, names of files. Pure, linear, bounded."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from agentconsole.channels.email.charsets import decode, decode_header

BLOCK_LIMIT: Final = 1_048_576
"""Bytes of one header block; more is no mail that a person wrote."""
VALUE_LIMIT: Final = 16_384
PARAMETER_LIMIT: Final = 200
NAME_BYTES: Final = 200
"""Bytes of a file name: file systems end at 255, and a store may add to it."""

_END: Final = re.compile(rb"\r?\n[ \t]*\r?\n")
_FIELD: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)", re.DOTALL)


class Block(NamedTuple):
    """A header block: fields in order (lower-case name, unfolded bytes), how many lines were no field, and where
    the body starts."""

    fields: list[tuple[str, bytes]]
    strange: int
    body: int

    def all(self, name: str) -> list[bytes]:
        return [value for field, value in self.fields if field == name]

    def raw(self, name: str) -> bytes:
        """Return the first value of a field, or empty bytes."""
        return next((value for field, value in self.fields if field == name), b"")

    def text(self, name: str) -> str:
        """Return the first value of a field as ASCII-ish text, for machine-readable fields."""
        return self.raw(name)[:VALUE_LIMIT].decode("latin-1").strip()

    def decoded(self, name: str) -> str:
        return decode_header(self.raw(name)).strip()


def split(data: bytes, start: int, end: int) -> Block:
    """Cut the header block off ``data[start:end]``.

    Raises:
        ValueError: the block is longer than ``BLOCK_LIMIT``.
    """
    if data[start : start + 2] == b"\r\n" or data[start : start + 1] == b"\n":
        return Block([], 0, min(end, start + (2 if data[start : start + 1] == b"\r" else 1)))
    found = _END.search(data, start, min(end, start + BLOCK_LIMIT + 4))
    if found is None and end - start > BLOCK_LIMIT:
        raise ValueError("its header block is longer than a megabyte")
    stop, body = (found.start(), found.end()) if found else (end, end)
    fields: list[tuple[str, list[bytes]]] = []
    strange = 0
    for line in data[start:stop].split(b"\n"):
        line = line.rstrip(b"\r")
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].append(line)
            else:
                strange += 1
            continue
        match = _FIELD.fullmatch(line)
        if match is None:
            strange += bool(line) and not line.startswith((b"From ", b">From "))
            continue
        fields.append((match.group(1).decode("ascii").lower(), [match.group(2)]))
    return Block([(name, b"".join(parts).strip()) for name, parts in fields], strange, body)


_PARAMETER: Final = re.compile(
    r"""\s*;\s*([^\s=;"]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*(?:"[^";]*"?)?))""", re.DOTALL
)


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """Read ``type/subtype; a=b; c*0*=utf-8''d`` (RFC 2045, 2231): the first word in lower case, and the parameters.

    Values are decoded: RFC 2231, RFC 2047 inside quotes (wrong but common) and raw 8-bit.
    """
    text = value[:VALUE_LIMIT].decode("latin-1")
    first = text.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    at = text.find(";")
    for _ in range(PARAMETER_LIMIT):
        match = _PARAMETER.match(text, at) if at >= 0 else None
        if match is None:
            at = text.find(";", at + 1) if at >= 0 else -1
            if at < 0:
                break
            continue
        at = match.end() if match.end() < len(text) else -1
        quoted, bare = match.group(2), match.group(3)
        held = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else bare.strip()
        name, star, rest = match.group(1).lower().partition("*")
        if not star:
            plain.setdefault(name, held)
            continue
        number, extended = rest.rstrip("*"), rest.endswith("*") or rest == ""
        if number == "" or (number.isdecimal() and len(number) <= 3):
            pieces.setdefault(name, []).append((int(number or 0), extended, held))
    result = {name: decode_header(held.encode("latin-1")).strip() for name, held in plain.items()}
    for name, parts in pieces.items():
        result[name] = _extended(sorted(parts))
    return first, result


def _extended(parts: list[tuple[int, bool, str]]) -> str:
    charset, data = "", b""
    for place, (_, extended, held) in enumerate(parts):
        if extended and place == 0 and held.count("'") >= 2:
            charset, _, held = held.split("'", 2)
        raw = held.encode("latin-1")
        data += unquote_to_bytes(raw) if extended else raw
    return decode(data, charset).strip()


_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_BAD_IN_NAME: Final = re.compile(r'[<>:"|?*]')


def safe_name(name: str, fallback: str) -> str:
    """Return a file name that is safe to show and to save: no path, no controls, no disguise, no reserved word."""
    name = _UNSAFE.sub("", unicodedata.normalize("NFC", name[:4096]))
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = " ".join(_BAD_IN_NAME.sub("_", name).split()).strip(". ").lstrip("-~")
    if not name:
        return fallback
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 12:
        stem, dot, ending = name, "", ""
    room = NAME_BYTES - len((dot + ending).encode())
    while len(stem.encode()) > room:
        stem = stem[:-1]
    return f"{stem}{dot}{ending}" or fallback


def one_line(text: str, limit: int = 1000) -> str:
    """Return a decoded header value as one clean line, safe to be written into a header again.

    Line breaks of any kind (also U+0085, U+2028, VT, FF) would end the header or make ``email`` refuse it, and
    invisible directional controls would disguise it.
    """
    return " ".join(_UNSAFE.sub(" ", text[: 4 * limit]).split())[:limit]
