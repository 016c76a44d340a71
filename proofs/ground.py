"""What lies on the disk, read by code that shares nothing with the store: the ledger that proofs of the disk trust."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Plain = dict[str, Any]


class Unreadable(AssertionError):
    """A file of a customer is not whole."""


def document(path: Path) -> Plain:
    """Return a head or volume whose checksum is right.

    Raises:
        Unreadable: it is not.
    """
    data = path.read_bytes()
    try:
        tables = json.loads(data)
        said = tables["_meta"]["1"]["crc32"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{path.name}: {error}") from error
    if zlib.crc32(data[: data.rfind(b',"_meta":')]) != said:
        raise Unreadable(f"{path.name}: its checksum differs")
    return dict(tables)


def heads(root: Path) -> Iterator[Path]:
    for path in sorted(root.glob("customers/*/*.json")):
        if path.name.count(".") == 1:
            yield path


def record(head: Path) -> dict[str, Plain]:
    """Return all entries of one customer's record in order, by id.

    Raises:
        Unreadable: the head or one of its volumes is not whole.
    """
    tables = document(head)
    found: dict[str, Plain] = {}
    for key, row in sorted(tables.get("volumes", {}).items()):
        path = head.with_name(f"{head.stem}.m{key}.json")
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise Unreadable(f"{path.name} is gone") from error
        if (len(data), zlib.crc32(data)) != (row["size"], row["crc32"]):
            raise Unreadable(f"{path.name} is not the one that was sealed")
        found.update(document(path)["entries"])
    found.update(tables.get("entries", {}))
    return found


def entries(root: Path) -> dict[str, Plain]:
    """Return every entry of every customer, by id."""
    found: dict[str, Plain] = {}
    for head in heads(root):
        found.update(record(head))
    return found


def committed(root: Path, text: str) -> str:
    """Say what is wrong with a message leaving now: its reply must be ``sending`` and committed on disk."""
    known = entries(root)
    replies = [key for key, entry in known.items() if entry["type"] == "reply" and entry["text"] == text]
    if len(replies) != 1:
        return f"{len(replies)} replies on disk say what just left"
    receipts = [entry for entry in known.values() if entry["type"] == "receipt" and entry["reply"] == replies[0]]
    last = receipts[-1] if receipts else {}
    if last.get("state") != "sending" or not last.get("committed"):
        return f"a message left while its reply was {last.get('state', 'queued')} and not committed on disk"
    return ""
