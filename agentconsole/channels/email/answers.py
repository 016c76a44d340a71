"""What IMAP answers and names look like on the wire (RFC 3501). Pure."""

from __future__ import annotations

import base64
import re
from typing import Any, Final, NamedTuple

from agentconsole.channels.email.headers import one_line


class Message(NamedTuple):
    """One answer to a FETCH. ``payload`` is None where the server sent none."""

    uid: int
    size: int
    internal_date: str
    payload: bytes | None


_HEAD: Final = re.compile(rb"\d+ \(")
_UID: Final = re.compile(rb"\bUID (\d{1,10})")
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d{1,12})")
_DATE: Final = re.compile(rb'\bINTERNALDATE "([^"]{10,40})"')
_EMPTY: Final = re.compile(rb"BODY\[[A-Z]*\](?:<0>)? (?:NIL|\"\")")


def messages(data: list[Any]) -> list[Message]:
    """Pair literals with their UID, which may stand before or after; unasked flag changes have neither."""
    groups: list[tuple[list[bytes], list[bytes]]] = []
    for piece in data:
        if piece is None:
            continue
        head, literal = piece if isinstance(piece, tuple) else (piece, None)
        if _HEAD.match(head) or not groups:
            groups.append(([], []))
        groups[-1][0].append(head)
        if literal is not None:
            groups[-1][1].append(literal)
    found: list[Message] = []
    for heads, literals in groups:
        text = b" ".join(heads)
        uid = _UID.search(text)
        if uid is None:
            continue
        size, date = _SIZE.search(text), _DATE.search(text)
        payload = literals[0] if literals else (b"" if _EMPTY.search(text) else None)
        if payload is None and size is None:
            continue
        found.append(
            Message(
                int(uid.group(1)), int(size.group(1)) if size else 0, date.group(1).decode() if date else "", payload
            )
        )
    return found


def mailbox_name(name: str) -> str:
    """Encode a folder's name: modified UTF-7 (RFC 3501 section 5.1.3), quoted."""
    out: list[str] = []
    pending = ""

    def flush() -> None:
        nonlocal pending
        if pending:
            coded = base64.b64encode(pending.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            out.append(f"&{coded}-")
            pending = ""

    for mark in name:
        if "\x20" <= mark <= "\x7e":
            flush()
            out.append("&-" if mark == "&" else mark)
        else:
            pending += mark
    flush()
    return quoted("".join(out))


def quoted(text: str) -> str:
    """Write a quoted string; the caller sees to it that the text is printable ASCII."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def number(data: list[Any]) -> int:
    for part in data or []:
        if isinstance(part, bytes) and part.strip().isdigit():
            return int(part)
    return 0


def words(data: Any) -> str:
    parts = data if isinstance(data, list) else [data]
    texts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts if part]
    return one_line(" ".join(texts), 200)
